"""Records that a consumer group could not handle: kept in its own database, listed, replayed, discarded.

They stand beside the projection and not in Kafka, so that they outlive a broker, one can be taken out of their middle,
and replaying one is the same transaction as striking it off. `consumer` parks; `fittracker events` does the rest.
"""

import hashlib
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime

import msgspec
import structlog
from aiokafka.structs import ConsumerRecord
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from events import metrics
from events.envelope import Envelope, decode_envelope
from events.failures import Fault, fault_of, reason_of

_log = structlog.get_logger("events.parked")

# Run by the events' own migration in each database that has an inbox.
PARKED_DDL: tuple[str, ...] = (
    """
    CREATE TABLE parked_record (
        id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
        consumer_group text NOT NULL,
        topic text NOT NULL,
        partition integer NOT NULL,
        record_offset bigint NOT NULL,
        key bytea,
        value bytea,
        value_hash bytea NOT NULL,
        error text NOT NULL,
        attempts integer NOT NULL,
        parked_at timestamptz NOT NULL DEFAULT now(),
        UNIQUE (consumer_group, topic, value_hash)
    )
    """,
    """
    CREATE TABLE park_order (
        consumer_group text NOT NULL,
        topic text NOT NULL,
        partition integer NOT NULL,
        record_offset bigint NOT NULL,
        PRIMARY KEY (consumer_group, topic, partition, record_offset)
    )
    """,
)

# Parking is at least once: the same record, read again or refilled into another broker, stays one row.
_PARK = text(
    "INSERT INTO parked_record AS known"
    " (consumer_group, topic, partition, record_offset, key, value, value_hash, error, attempts)"
    " VALUES (:consumer_group, :topic, :partition, :record_offset, :key, :value, :value_hash, :error, :attempts)"
    " ON CONFLICT (consumer_group, topic, value_hash)"
    " DO UPDATE SET error = excluded.error, attempts = known.attempts + excluded.attempts, parked_at = now()"
)
# Those of one key together, and in the order they came.
_IDS = text("SELECT id FROM parked_record WHERE consumer_group = :consumer_group ORDER BY key, id")
_BY_ID = text(
    "SELECT id, consumer_group, topic, partition, record_offset, key, value, error, attempts, parked_at"
    " FROM parked_record WHERE id = :id"
)
_ORDER = text(
    "INSERT INTO park_order (consumer_group, topic, partition, record_offset)"
    " VALUES (:consumer_group, :topic, :partition, :record_offset) ON CONFLICT DO NOTHING"
)
_IS_ORDERED = text(
    "SELECT EXISTS (SELECT FROM park_order WHERE consumer_group = :consumer_group AND topic = :topic"
    " AND partition = :partition AND record_offset = :record_offset)"
)


@dataclass(frozen=True, slots=True)
class ParkedRecord:
    """One parked record, where it came from and why it was parked. `envelope` is None where its bytes are no event."""

    id: int
    group: str
    topic: str
    partition: int
    offset: int
    key: bytes | None
    value: bytes | None
    error: str
    attempts: int
    parked_at: datetime

    @property
    def envelope(self) -> Envelope | None:
        try:
            return decode_envelope(self.value or b"")
        except msgspec.MsgspecError:
            return None


@dataclass(slots=True)
class Replayed:
    """What became of the records: ids handled, known by now in a newer version, and failed again."""

    handled: list[int] = field(default_factory=list)
    superseded: list[int] = field(default_factory=list)
    failed: list[int] = field(default_factory=list)
    held_back: list[int] = field(default_factory=list)  # behind a failed one of the same key


# Handles one record in a transaction of its own; returns whether it told anything new.
HandleAgain = Callable[[AsyncConnection, ParkedRecord], Awaitable[bool]]


async def park(engine: AsyncEngine, group: str, record: ConsumerRecord, failure: Exception, attempts: int) -> None:
    """Keep the record, bytes unchanged, with the reason. Raises what the database does."""
    place = _place(group, record.topic, record.partition, record.offset)
    async with engine.begin() as connection:
        await connection.execute(
            _PARK,
            place
            | {
                "key": record.key,
                "value": record.value,
                "value_hash": hashlib.sha256(record.value or b"").digest(),
                "error": reason_of(failure),
                "attempts": attempts,
            },
        )
    metrics.RECORDS_PARKED.labels(group).inc()
    _log.error("record_parked", **place, error=reason_of(failure), attempts=attempts)


async def parked_ids(connection: AsyncConnection, group: str) -> list[int]:
    """Of the group's parked records, those of one key together and in the order they came."""
    return list(await connection.scalars(_IDS, {"consumer_group": group}))


async def read_parked(engine: AsyncEngine, ids: Iterable[int]) -> AsyncIterator[ParkedRecord]:
    """These records one at a time, for each keeps all its bytes, however many; what is not parked any more is left out."""
    for record_id in ids:
        async with engine.connect() as connection:
            row = (await connection.execute(_BY_ID, {"id": record_id})).one_or_none()
        if row is not None:
            yield ParkedRecord(*row)


async def count_parked(connection: AsyncConnection) -> dict[str, float]:
    """How many are parked, by group."""
    result = await connection.execute(text("SELECT consumer_group, count(*) FROM parked_record GROUP BY 1"))
    return {group: number for group, number in result}  # noqa: C416 - rows are not pairs to mypy


async def replay(engine: AsyncEngine, ids: Sequence[int], handle: HandleAgain) -> Replayed:
    """Handle parked records again, in the order of their ids here: behind one that fails the others of its key are held back.

    Raises failures of the infrastructure; what was replayed until then is struck off.
    """
    outcome = Replayed()
    stopped_keys: set[bytes | None] = set()
    async for record in read_parked(engine, ids):
        if record.key in stopped_keys:
            outcome.held_back.append(record.id)
            continue
        try:
            async with engine.begin() as connection:
                is_new = await handle(connection, record)
                await discard(connection, [record.id])
        except Exception as failure:
            if fault_of(failure) is Fault.INFRASTRUCTURE:
                raise
            stopped_keys.add(record.key)
            outcome.failed.append(record.id)
            await _note_failure(engine, record, failure)
        else:
            (outcome.handled if is_new else outcome.superseded).append(record.id)
    return outcome


async def discard(connection: AsyncConnection, ids: Sequence[int]) -> int:
    """Strike parked records off; returns how many there were."""
    result = await connection.execute(text("DELETE FROM parked_record WHERE id = ANY(:ids)"), {"ids": list(ids)})
    return int(result.rowcount)


async def order_to_park(connection: AsyncConnection, group: str, topic: str, partition: int, offset: int) -> None:
    """Let the group park this record, at which it waits for a reason that nobody foresaw."""
    await connection.execute(_ORDER, _place(group, topic, partition, offset))


async def is_ordered_to_park(engine: AsyncEngine, group: str, record: ConsumerRecord) -> bool:
    async with engine.connect() as connection:
        place = _place(group, record.topic, record.partition, record.offset)
        return bool((await connection.execute(_IS_ORDERED, place)).scalar_one())


async def _note_failure(engine: AsyncEngine, record: ParkedRecord, failure: Exception) -> None:
    async with engine.begin() as connection:
        await connection.execute(
            text("UPDATE parked_record SET error = :error, attempts = attempts + 1 WHERE id = :id"),
            {"id": record.id, "error": reason_of(failure)},
        )


def _place(group: str, topic: str, partition: int, offset: int) -> dict[str, str | int]:
    return {"consumer_group": group, "topic": topic, "partition": partition, "record_offset": offset}
