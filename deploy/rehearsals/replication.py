"""The replication rehearsal: three brokers of Apache Kafka, every record kept by all, acknowledged once two have it.

One broker is killed while somebody writes: writes go on and their events arrive. A second one is killed: writes are answered
as before, and their events wait in the outbox. When it is back they go out; at the end every event that any outbox counts as
published is in its topic, and every projection equals what its sources say.
`python -m deploy.rehearsals.replication`
"""

from __future__ import annotations

import asyncio
import sys
import tempfile
import time
from pathlib import Path

import asyncpg
from aiokafka import AIOKafkaConsumer, TopicPartition

from deploy.embedded import DOMAINS
from deploy.rehearsals.apache_kafka import Brokers
from deploy.rehearsals.platform import Platform, comes, fittracker, running_platform, settles, since
from deploy.rehearsals.report import Report
from events.broker import connect_admin
from events.envelope import decode_envelope
from events.kafka_settings import KafkaSettings
from events.topics import TOPICS

PARTITIONS = 3
SETTINGS = {"KAFKA_REPLICATION_FACTOR": "3", "KAFKA_MIN_INSYNC_REPLICAS": "2", "KAFKA_PARTITIONS": str(PARTITIONS)}
WRITES = 60  # at each stage
PATIENCE_SECONDS = 120.0
SILENCE_SECONDS = 15.0
_UNPUBLISHED = "SELECT count(*) FROM outbox WHERE published_at IS NULL"
_PUBLISHED = "SELECT topic, value FROM outbox WHERE published_at IS NOT NULL"


async def rehearse(report: Report) -> None:
    with tempfile.TemporaryDirectory(prefix="fittracker-rehearsal-") as name:
        folder = Path(name)
        brokers = Brokers(folder / "kafka")
        try:
            started = time.monotonic()
            await brokers.start_all()
            report.check("three brokers", len(brokers.running) == 3, since(started))
            environment = {"KAFKA_BOOTSTRAP_SERVERS": brokers.bootstrap_servers, **SETTINGS}
            async with running_platform(folder / "data", environment=environment) as platform:
                await _lose_brokers(report, brokers, platform, folder / "data", environment)
        finally:
            brokers.stop_all()


async def _lose_brokers(
    report: Report, brokers: Brokers, platform: Platform, data: Path, environment: dict[str, str]
) -> None:
    urls = [platform.state.environment[f"DATABASE_URL_{domain.upper()}"] for domain in DOMAINS]

    async def all_is_published() -> bool:
        return await _unpublished(urls) == 0

    agree = await comes(lambda: fittracker("events", "topics", data=data, environment=environment))
    report.check("topics are made as the settings say: 3 replicas, 2 in sync", agree)
    report.check("events arrive", await settles(data, environment, PATIENCE_SECONDS))

    killed = asyncio.create_task(_kill_meanwhile(brokers, 1))
    answered, longest = await _write(platform)
    await killed
    report.check(
        "one broker is killed under writes: all are answered",
        answered == WRITES,
        f"{answered} of {WRITES}, the slowest in {longest:.2f} s",
    )
    started = time.monotonic()
    report.check("their events leave the outboxes", await comes(all_is_published, PATIENCE_SECONDS), since(started))
    report.check("and reach the projections", await settles(data, environment, PATIENCE_SECONDS), since(started))

    brokers.kill(2)
    answered, longest = await _write(platform)
    report.check(
        "a second one is killed: writes are answered",
        answered == WRITES,
        f"{answered} of {WRITES}, the slowest in {longest:.2f} s",
    )
    await asyncio.sleep(SILENCE_SECONDS)
    waiting = await _unpublished(urls)
    report.check(
        "their events wait in the outboxes", waiting >= WRITES, f"{waiting} events, the broker that is left takes none"
    )

    started = time.monotonic()
    await brokers.start(2)
    report.check("one is back: what waited goes out", await comes(all_is_published, PATIENCE_SECONDS), since(started))
    report.check("and reaches the projections", await settles(data, environment, PATIENCE_SECONDS), since(started))
    await brokers.start(1)
    report.check(
        "both are back: every replica is in sync again", await comes(lambda: _in_sync(environment)), since(started)
    )
    lost, published = await _lost(brokers.bootstrap_servers, urls)
    report.check("every published event is in its topic", lost == 0 < published, f"{published} events, {lost} missing")


async def _kill_meanwhile(brokers: Brokers, node: int) -> None:
    await asyncio.sleep(1.0)
    brokers.kill(node)


async def _write(platform: Platform) -> tuple[int, float]:
    """How many of WRITES weighings were answered well, and the longest time that one took, in seconds."""
    answered, longest = 0, 0.0
    for _ in range(WRITES):
        started = time.monotonic()
        try:
            await platform.weigh()
            answered += 1
        except (KeyError, OSError):
            pass
        longest = max(longest, time.monotonic() - started)
        await asyncio.sleep(0.05)
    return answered, longest


async def _unpublished(urls: list[str]) -> int:
    counts = []
    for url in urls:
        connection = await asyncpg.connect(url)
        try:
            counts.append(int(await connection.fetchval(_UNPUBLISHED)))
        finally:
            await connection.close()
    return sum(counts)


async def _in_sync(environment: dict[str, str]) -> bool:
    """Whether every partition of our topics has three replicas in sync."""
    kafka = KafkaSettings(bootstrap_servers=environment["KAFKA_BOOTSTRAP_SERVERS"])
    async with connect_admin(kafka) as admin:
        topics = await admin.describe_topics([topic.name for topic in TOPICS])
    return all(len(partition["isr"]) == 3 for topic in topics for partition in topic["partitions"])


async def _lost(bootstrap_servers: str, urls: list[str]) -> tuple[int, int]:
    """How many events that an outbox counts as published are in no topic, and how many it counts.

    Topics that keep the newest record of a key only have not been cleaned yet: segments are young.
    """
    wanted = set()
    for url in urls:
        connection = await asyncpg.connect(url)
        try:
            wanted |= {decode_envelope(row["value"]).event_id for row in await connection.fetch(_PUBLISHED)}
        finally:
            await connection.close()
    consumer = AIOKafkaConsumer(bootstrap_servers=bootstrap_servers, auto_offset_reset="earliest")
    await consumer.start()
    found = set()
    try:
        partitions = [TopicPartition(topic.name, number) for topic in TOPICS for number in range(PARTITIONS)]
        consumer.assign(partitions)
        ends = await consumer.end_offsets(partitions)
        while any([await consumer.position(each) < ends[each] for each in partitions]):
            for records in (await consumer.getmany(timeout_ms=500)).values():
                found |= {decode_envelope(record.value).event_id for record in records if record.value is not None}
    finally:
        await consumer.stop()
    return len(wanted - found), len(wanted)


def main() -> int:
    report = Report("replication")
    asyncio.run(rehearse(report))
    return report.finish()


if __name__ == "__main__":
    sys.exit(main())
