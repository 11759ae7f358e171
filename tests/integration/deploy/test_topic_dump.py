"""`fittracker events dump` and `load` on Apache Kafka: every record comes back as it was, or nothing is sent."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition

from events.broker import connect_admin, connect_broker
from events.kafka_settings import KafkaSettings
from events.topics import NUTRITION_CATALOG, USERS_BODY
from tests.testkit.local_kafka import running_kafka
from tests.testkit.running_stack import eventually

NAMES = (USERS_BODY.name, NUTRITION_CATALOG.name)
PARTITIONS = 3
#: Partition, key, value, headers, milliseconds since 1970 of the first: bytes that are no text, nothing at all, times of their own.
FIRST_MS = 1_790_000_000_000
RECORDS = [
    (number % PARTITIONS, f"key-{number % 7}".encode(), bytes([0, 255, number % 256]), [("trace", b"\x00\xfe")])
    for number in range(1_200)
]
TOMBSTONE = (1, b"key-1", None, [])

Read = dict[int, list[tuple[bytes | None, bytes | None, tuple[tuple[str, bytes], ...], int]]]


@pytest.fixture(scope="module")
async def kafka(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[KafkaSettings]:
    async with running_kafka(tmp_path_factory.mktemp("kafka")) as broker:
        yield KafkaSettings(bootstrap_servers=broker.bootstrap_servers, partitions=PARTITIONS)


async def command(kafka: KafkaSettings, *words: str) -> tuple[int, str]:
    environment = {**os.environ, "KAFKA_BOOTSTRAP_SERVERS": kafka.bootstrap_servers}
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "deploy", "events", *words, env=environment,
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT,
    )  # fmt: skip
    output, _ = await asyncio.wait_for(process.communicate(), 120)
    return process.returncode or 0, output.decode()


async def fill(kafka: KafkaSettings) -> None:
    async with connect_broker(kafka) as broker:
        await broker.ensure_topics([kafka.applied_to(USERS_BODY), kafka.applied_to(NUTRITION_CATALOG)])
    async with AIOKafkaProducer(bootstrap_servers=kafka.bootstrap_servers, enable_idempotence=True) as producer:
        for name, records in ((NAMES[0], RECORDS), (NAMES[1], [*RECORDS[:10], TOMBSTONE])):
            for number, (partition, key, value, headers) in enumerate(records):
                await producer.send(
                    name, value, key, partition=partition, headers=headers, timestamp_ms=FIRST_MS + number
                )
        await producer.flush()


async def empty(kafka: KafkaSettings) -> None:
    async with connect_admin(kafka) as admin:
        await admin.delete_topics(list(NAMES))

        async def are_gone() -> bool:
            return not set(NAMES) & set(await admin.list_topics())

        await eventually(are_gone, seconds=60)


async def read(kafka: KafkaSettings, name: str) -> Read:
    """By partition, in its order: key, value, headers, time."""
    consumer = AIOKafkaConsumer(bootstrap_servers=kafka.bootstrap_servers, auto_offset_reset="earliest")
    await consumer.start()
    try:
        places = [TopicPartition(name, number) for number in range(PARTITIONS)]
        consumer.assign(places)
        ends = await consumer.end_offsets(places)
        found: Read = {number: [] for number in range(PARTITIONS)}
        while any([await consumer.position(place) < ends[place] for place in places]):
            for place, records in (await consumer.getmany(timeout_ms=500)).items():
                found[place.partition] += [
                    (each.key, each.value, tuple(each.headers), each.timestamp) for each in records
                ]
        return found
    finally:
        await consumer.stop()


@pytest.mark.timeout(300)
async def test_topics_become_files_and_the_files_the_same_topics(kafka: KafkaSettings, tmp_path: Path) -> None:
    await fill(kafka)
    before = {name: await read(kafka, name) for name in NAMES}
    assert sum(map(len, before[NAMES[0]].values())) == len(RECORDS)
    secret = tmp_path / "passphrase"
    secret.write_text("a passphrase of the tests")
    sealed = ("--passphrase-file", str(secret))
    code, told = await command(kafka, "dump", *NAMES, "--to", str(tmp_path / "dumps"), *sealed)
    assert (code, f"{len(RECORDS) + 11} records" in told) == (0, True), told
    (folder,) = (tmp_path / "dumps").iterdir()
    assert folder.stat().st_mode & 0o077 == 0
    assert not any(b"key-" in file.read_bytes() for file in folder.iterdir())

    code, told = await command(kafka, "load", str(folder), *sealed)
    assert (code, "holds records already" in told) == (1, True), told
    assert {name: await read(kafka, name) for name in NAMES} == before
    await empty(kafka)
    code, told = await command(kafka, "load", str(folder))
    assert (code, "is encrypted" in told) == (1, True), told
    code, told = await command(kafka, "load", str(folder), *sealed)
    assert code == 0, told
    assert {name: await read(kafka, name) for name in NAMES} == before
    await empty(kafka)


@pytest.mark.timeout(300)
async def test_nothing_is_sent_of_a_dump_that_was_changed_or_does_not_fit(kafka: KafkaSettings, tmp_path: Path) -> None:
    await fill(kafka)
    code, told = await command(kafka, "dump", NAMES[1], "--to", str(tmp_path))
    assert code == 0, told
    (folder,) = tmp_path.iterdir()
    code, told = await command(kafka, "dump", "nutrition.unknown.v1", "--to", str(tmp_path))
    assert (code, "has no nutrition.unknown.v1" in told, len(list(tmp_path.iterdir()))) == (1, True, 1), told
    await empty(kafka)
    async with connect_broker(KafkaSettings(kafka.bootstrap_servers, partitions=2)) as broker:
        await broker.ensure_topics([KafkaSettings(kafka.bootstrap_servers, partitions=2).applied_to(NUTRITION_CATALOG)])
    code, told = await command(kafka, "load", str(folder))
    assert (code, "has 2 partitions, and 3 were dumped" in told) == (1, True), told

    described = json.loads((folder / "topics.json").read_text())
    file = folder / described["partitions"][0]["file"]
    file.write_bytes(file.read_bytes()[:-1])
    code, told = await command(kafka, "load", str(folder))
    assert (code, "was changed" in told) == (1, True), told
