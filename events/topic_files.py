"""A topic's records as files and back: keys, values, headers, times and order of each partition. Called by `fittracker events
dump` and `load`.

One gzip file a partition, a record a line: a JSON object of `offset`, `timestamp` (milliseconds since 1970), `key`, `value`
and `headers`, bytes in base64, a value that is absent (a tombstone of a compacted topic) as null. See decision 0255.
"""

from __future__ import annotations

import asyncio
import base64
import gzip
import json
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import ExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, ConsumerRecord, TopicPartition

from events.broker import connect_admin
from events.kafka_settings import KafkaSettings
from router.bounded_fetch import bound_fetches

SILENCE_SECONDS = 30.0  # of a broker that says there is more
IN_FLIGHT = 500  # records that were sent and not acknowledged


class TopicFileError(Exception):
    """Nothing more was read or written; the message says why."""


@dataclass(frozen=True, slots=True)
class PartitionFile:
    """What was written of one partition. `next_offset` is where the partition ended as the dump began."""

    topic: str
    partition: int
    file: str
    records: int
    next_offset: int


async def write_topics(names: Sequence[str], folder: Path, kafka: KafkaSettings) -> list[PartitionFile]:
    """Everything that the topics hold as it begins, while others write; a file a partition, in `folder`.

    Raises TopicFileError for a topic that is not there or a broker that falls silent, aiokafka's errors, and OSError.
    """
    places = await _partitions(kafka, names)
    async with _consumer(kafka) as consumer:
        consumer.assign(places)
        starts, ends = await consumer.beginning_offsets(places), await consumer.end_offsets(places)
        counts = dict.fromkeys(places, 0)
        with ExitStack() as stack:
            files = {
                place: stack.enter_context(gzip.open(folder / file_name(place.topic, place.partition), "wb"))
                for place in places
            }
            for place in places:
                consumer.seek(place, starts[place])
            async for place, record in _records_until(consumer, ends):
                files[place].write(encode_record(record))
                counts[place] += 1
    return [
        PartitionFile(place.topic, place.partition, file_name(*place), counts[place], ends[place]) for place in places
    ]


async def refuse_unless_empty(topic: str, partitions: int, kafka: KafkaSettings) -> None:
    """Raises TopicFileError unless the topic is there, has so many partitions, and holds no record."""
    places = await _partitions(kafka, [topic])
    if len(places) != partitions:
        raise TopicFileError(f"{topic} has {len(places)} partitions, and {partitions} were dumped")
    async with _consumer(kafka) as consumer:
        consumer.assign(places)
        starts, ends = await consumer.beginning_offsets(places), await consumer.end_offsets(places)
    if held := sum(ends[place] - starts[place] for place in places):
        raise TopicFileError(f"{topic} holds records already ({held}); a dump is loaded into an empty topic")


async def load_partition(topic: str, partition: int, file: Path, kafka: KafkaSettings) -> int:
    """Sends each line's record to this partition, in the file's order, with its time; returns how many.

    Raises TopicFileError for a line that is no record, aiokafka's errors, and OSError.
    """
    producer = AIOKafkaProducer(
        **kafka.arguments(), acks="all", enable_idempotence=kafka.idempotent, compression_type="gzip"
    )
    sent = 0
    try:
        await producer.start()
        waiting: list[asyncio.Future[Any]] = []
        for record in read_records(file):
            waiting.append(await producer.send(topic, partition=partition, **record))
            sent += 1
            if len(waiting) >= IN_FLIGHT:
                await asyncio.gather(*waiting)
                waiting.clear()
        await asyncio.gather(*waiting)
    finally:
        await producer.stop()
    return sent


def file_name(topic: str, partition: int) -> str:
    return f"{topic}.{partition}.jsonl.gz"


def encode_record(record: ConsumerRecord[bytes, bytes]) -> bytes:
    """One line."""
    line = {
        "offset": record.offset,
        "timestamp": record.timestamp,
        "key": _text(record.key),
        "value": _text(record.value),
        "headers": [[name, _text(value)] for name, value in record.headers],
    }
    return json.dumps(line, separators=(",", ":")).encode() + b"\n"


def read_records(file: Path) -> Iterator[dict[str, Any]]:
    """What a producer is given for each line, in order. Raises TopicFileError."""
    with gzip.open(file, "rb") as lines:
        try:
            for number, line in enumerate(lines, 1):
                yield _decode_record(line, file, number)
        except (EOFError, gzip.BadGzipFile) as error:
            raise TopicFileError(f"{file.name} is cut off, or no gzip file: {error}") from None


def _decode_record(line: bytes, file: Path, number: int) -> dict[str, Any]:
    try:
        record = json.loads(line)
        return {
            "timestamp_ms": int(record["timestamp"]),
            "key": _bytes(record["key"]),
            "value": _bytes(record["value"]),
            "headers": [(str(name), _bytes(value)) for name, value in record["headers"]],
        }
    except (ValueError, KeyError, TypeError) as error:
        raise TopicFileError(f"line {number} of {file.name} is no record: {error!r}") from None


def _text(value: bytes | None) -> str | None:
    return None if value is None else base64.b64encode(value).decode("ascii")


def _bytes(value: str | None) -> bytes | None:
    return None if value is None else base64.b64decode(value, validate=True)


async def _partitions(kafka: KafkaSettings, names: Sequence[str]) -> list[TopicPartition]:
    """Of each topic all, by number. Raises TopicFileError where one is not there."""
    async with connect_admin(kafka) as admin:
        existing = await admin.list_topics()
        if absent := sorted(set(names) - set(existing)):
            raise TopicFileError(f"the broker has no {', '.join(absent)}")
        described = await admin.describe_topics(list(names))
    numbers = {each["topic"]: sorted(part["partition"] for part in each["partitions"]) for each in described}
    if silent := [name for name in names if not numbers.get(name)]:
        raise TopicFileError(f"the broker tells no partitions of {', '.join(silent)}")
    return [TopicPartition(name, number) for name in names for number in numbers[name]]


async def _records_until(
    consumer: AIOKafkaConsumer[bytes, bytes], ends: dict[TopicPartition, int]
) -> AsyncIterator[tuple[TopicPartition, ConsumerRecord[bytes, bytes]]]:
    """The records before these offsets. A compacted topic has gaps, so positions are what tells the end."""
    loop = asyncio.get_running_loop()
    heard = loop.time()
    open_places = {place for place, end in ends.items() if await consumer.position(place) < end}
    while open_places:
        batches = await consumer.getmany(*open_places, timeout_ms=500)
        for place, records in batches.items():
            for record in records:
                if record.offset < ends[place]:
                    yield place, record
        if batches:
            heard = loop.time()
        elif loop.time() - heard > SILENCE_SECONDS:
            raise TopicFileError(f"nothing came for {SILENCE_SECONDS:.0f} s, though the topics hold more")
        done = {place for place in open_places if await consumer.position(place) >= ends[place]}
        consumer.pause(*done)
        open_places -= done


@asynccontextmanager
async def _consumer(kafka: KafkaSettings) -> AsyncIterator[AIOKafkaConsumer[bytes, bytes]]:
    """Of no group: nothing is committed."""
    consumer = AIOKafkaConsumer(**kafka.arguments(), enable_auto_commit=False, auto_offset_reset="earliest")
    bound_fetches(consumer)
    try:
        await consumer.start()
        yield consumer
    finally:
        await consumer.stop()
