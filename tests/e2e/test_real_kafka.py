"""The live path on Apache Kafka itself: idempotent producers, long polls, groups that the real broker coordinates, TLS and
passwords, and a topic that gets more partitions while people write.
"""

from __future__ import annotations

import asyncio
import os
import shutil
import sys
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import pytest
from aiokafka import AIOKafkaConsumer, TopicPartition

from deploy.certificates import make_certificates
from deploy.rehearsals.apache_kafka import missing_tools
from events.envelope import Envelope, decode_envelope
from events.topics import TOPICS
from tests.testkit.local_kafka import PASSWORD, USERNAME, LocalKafka
from tests.testkit.running_stack import RunningStack, Visitor, eventually, running_stack

LOG_WEIGHT = "mutation($input: LogWeightInput!) { logWeight(input: $input) { weightEntry { weightKg } } }"
DAY = "query($date: LocalDate!) { dailySummary(date: $date) { weightKg } }"
TOPIC = "users.body.v1"


@dataclass
class Secured:
    """A stack over a broker that lets nobody in without TLS and a password."""

    stack: RunningStack
    kafka: LocalKafka
    environment: dict[str, str]

    async def command(self, *arguments: str) -> tuple[int, str]:
        return await self._run("events", *arguments, "--data-dir", str(self.stack.directory.path))

    async def kcat(self, *arguments: str, **environment: str) -> tuple[int, str]:
        """By `fittracker kafka`, which becomes kcat."""
        return await self._run("kafka", "--data-dir", str(self.stack.directory.path), "--", *arguments, **environment)

    async def _run(self, *words: str, **environment: str) -> tuple[int, str]:
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "deploy", *words, env={**os.environ, **self.environment, **environment},
            stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT,
        )  # fmt: skip
        output, _ = await asyncio.wait_for(process.communicate(), 120)
        assert process.returncode is not None
        return process.returncode, output.decode()


@pytest.fixture(scope="module")
async def secured(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Secured]:
    if reason := missing_tools():
        pytest.skip(f"{reason}, to run Apache Kafka")
    folder = tmp_path_factory.mktemp("secured")
    make_certificates(folder / "tls", ["kafka"], days=2, renew_days=1)
    keystore = folder / "keystore.pem"
    keystore.write_bytes((folder / "tls/kafka.key").read_bytes() + (folder / "tls/kafka.crt").read_bytes())
    kafka = LocalKafka(folder / "kafka", keystore=keystore)
    (folder / "kafka").mkdir()
    await kafka.start()
    environment = {
        "KAFKA_BOOTSTRAP_SERVERS": kafka.secured,
        "KAFKA_SECURITY_PROTOCOL": "SASL_SSL",
        "KAFKA_USERNAME": USERNAME,
        "KAFKA_PASSWORD": PASSWORD,
        "KAFKA_CA_PATH": str(folder / "tls/ca.crt"),
        "KAFKA_METADATA_MAX_AGE_MS": "1000",
        "KAFKA_PARTITIONS": "3",
        "KAFKA_RETENTION_DAYS": "7",
    }
    try:
        async with running_stack(folder / "data", "--no-sample-data", **environment) as stack:
            yield Secured(stack, kafka, environment)
    finally:
        kafka.stop()


async def until_summary_has(person: Visitor, kilograms: float) -> None:
    today = datetime.now(UTC).date().isoformat()

    async def summary_is_there() -> bool:
        return bool((await person.data(DAY, {"date": today}))["dailySummary"]["weightKg"] == kilograms)

    await eventually(summary_is_there, seconds=90)


@pytest.mark.timeout(300)
async def test_a_weighing_reaches_the_summary_through_apache_kafka(secured: Secured) -> None:
    stack = secured.stack
    assert "broker" not in stack.state.pids
    assert "KAFKA_IDEMPOTENT" not in stack.state.environment
    assert "KAFKA_PASSWORD" not in stack.state.environment
    person = await stack.register()
    await person.data(LOG_WEIGHT, {"input": {"weightKg": 80.5}})
    await until_summary_has(person, 80.5)


@pytest.mark.timeout(300)
async def test_topics_are_made_and_changed_as_the_settings_say(secured: Secured) -> None:
    await until_summary_has_anything(secured)
    code, told = await secured.command("topics")
    assert (code, told.count("3 partitions, 1 replicas")) == (0, len(TOPICS)), told
    secured.environment["KAFKA_RETENTION_DAYS"] = "14"
    code, told = await secured.command("topics")
    assert (code, f"retention.ms is {7 * 86_400_000}, wanted {14 * 86_400_000}" in told) == (1, True), told
    code, told = await secured.command("topics", "--apply")
    assert (code, "wanted" in told) == (0, False), told


@pytest.mark.timeout(300)
async def test_kcat_reads_with_the_stacks_password_over_tls_and_not_with_another(
    secured: Secured, tmp_path: Path
) -> None:
    if shutil.which("kcat") is None:
        pytest.skip("needs kcat, to ask Apache Kafka by fittracker kafka")
    person = await secured.stack.register()
    await person.data(LOG_WEIGHT, {"input": {"weightKg": 64.5}})
    await until_summary_has(person, 64.5)
    plain = {
        "KAFKA_SASL_MECHANISM": "PLAIN"
    }  # SCRAM is refused by Kafka 4 where librdkafka is older than 2.6.1, as Debian's
    code, told = await secured.kcat("-L", "-m", "30", **plain)
    assert (code, f'topic "{TOPIC}" with' in told, "warning:" in told) == (0, True, False), told
    code, told = await secured.kcat("-C", "-t", TOPIC, "-o", "beginning", "-e", "-q", "-f", "%k\\n", **plain)
    assert (code, person.id in told.splitlines()) == (0, True), told
    code, told = await secured.kcat("-L", "-m", "5", **plain, KAFKA_PASSWORD="another")
    assert (code, "uthentication failed" in told) == (1, True), told
    make_certificates(tmp_path, ["kafka"], days=2, renew_days=1)  # of another authority
    code, told = await secured.kcat("-L", "-m", "5", **plain, KAFKA_CA_PATH=str(tmp_path / "ca.crt"))
    assert (code, "certificate verify failed" in told) == (1, True), told
    code, told = await secured.kcat("-L", "-m", "5")
    assert (code == 0) != ("whose SCRAM Kafka 4 refuses" in told), told
    assert PASSWORD not in told


@pytest.mark.timeout(300)
async def test_a_topic_grows_under_writes_and_each_persons_records_stay_in_order(secured: Secured) -> None:
    people = [await secured.stack.register() for _ in range(4)]
    is_grown = asyncio.Event()

    async def write(person: Visitor) -> None:
        after = 0
        while after < 5:  # some before, some while, and five after it
            after += is_grown.is_set()
            answer = await person.data(LOG_WEIGHT, {"input": {"weightKg": 70}})
            assert answer["logWeight"]["weightEntry"], answer
            await asyncio.sleep(0.1)

    writers = [asyncio.create_task(write(person)) for person in people]
    code, told = await secured.command("grow", TOPIC, "--partitions", "12")
    is_grown.set()
    await asyncio.gather(*writers)
    assert code == 0, told

    async def all_is_handled() -> bool:
        _, lag = await secured.command("lag")
        return lag.count(" 0 unpublished") == 4 and lag.count(": 0 behind") == lag.count(" behind") == 6

    await eventually(all_is_handled, seconds=90)
    placed = await placed_events(secured.kafka)
    for person in people:
        former, added = [], []
        for partition, events in placed.items():
            of_person = [event.event_id for event in events if event.user_id == person.id]
            assert of_person == sorted(of_person)
            (former if partition < 3 else added).extend(of_person)
        # Ids sort by time. The batch that was sent when the relay was held may be told again, as after any failure.
        assert max(former) <= min(added, default="~")
    assert any(placed[partition] for partition in range(3, 12)), "nothing was written to the new partitions"
    code, told = await secured.command("grow", TOPIC, "--partitions", "12")
    assert (code, "12 partitions already" in told) == (1, True), told


async def until_summary_has_anything(secured: Secured) -> None:
    """Whatever order the tests run in: the topics are made when the first relay connects."""
    person = await secured.stack.register()
    await person.data(LOG_WEIGHT, {"input": {"weightKg": 70}})
    await until_summary_has(person, 70)


async def placed_events(kafka: LocalKafka) -> dict[int, list[Envelope]]:
    """The topic's events by their partition, in its order."""
    consumer = AIOKafkaConsumer(bootstrap_servers=kafka.bootstrap_servers, auto_offset_reset="earliest")
    await consumer.start()
    try:
        partitions = [TopicPartition(TOPIC, number) for number in range(12)]
        consumer.assign(partitions)
        ends = await consumer.end_offsets(partitions)
        found: dict[int, list[Envelope]] = {number: [] for number in range(12)}
        while any([await consumer.position(each) < ends[each] for each in partitions]):
            for partition, records in (await consumer.getmany(timeout_ms=500)).items():
                found[partition.partition] += [decode_envelope(record.value) for record in records]
        return found
    finally:
        await consumer.stop()
