"""The inbox: the newest version of each aggregate that a consumer group has handled. `consumer` and `audit` work on it.

Commands that read what a projection writes hold it still first, with `hold_projection`.

One row an aggregate, in the transaction of the projection: duplicates, late and old versions fall out here. Versions
of one epoch of their source are compared; a later epoch is newer whatever its versions (see `relay`).
"""

from collections.abc import Iterable, Sequence
from typing import Any

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlalchemy.sql.elements import TextClause

from events.envelope import Envelope

# Run by the first migration of each subgraph that consumes.
INBOX_DDL: tuple[str, ...] = (
    """
    CREATE TABLE inbox (
        consumer_group text NOT NULL,
        aggregate_type text NOT NULL,
        aggregate_id text NOT NULL,
        version bigint NOT NULL,
        handled_at timestamptz NOT NULL DEFAULT now(),
        PRIMARY KEY (consumer_group, aggregate_type, aggregate_id)
    )
    """,
    """
    CREATE TABLE inbox_partition (
        consumer_group text NOT NULL,
        topic text NOT NULL,
        partition integer NOT NULL,
        broker_epoch text NOT NULL,
        PRIMARY KEY (consumer_group, topic, partition)
    )
    """,
)

# Run by the events' own migration; an event without an epoch is of epoch 0.
INBOX_EPOCH_DDL: tuple[str, ...] = ("ALTER TABLE inbox ADD COLUMN source_epoch bigint NOT NULL DEFAULT 0",)

_WRITE = (
    "INSERT INTO inbox AS seen (consumer_group, aggregate_type, aggregate_id, source_epoch, version)"
    " SELECT :consumer_group, t, i, e, v FROM unnest(CAST(:types AS text[]), CAST(:ids AS text[]),"
    " CAST(:epochs AS bigint[]), CAST(:versions AS bigint[])) AS new (t, i, e, v)"
    " ON CONFLICT (consumer_group, aggregate_type, aggregate_id)"
    " DO UPDATE SET source_epoch = excluded.source_epoch, version = excluded.version, handled_at = now()"
)
_ADVANCE: TextClause = text(
    f"{_WRITE} WHERE (seen.source_epoch, seen.version) < (excluded.source_epoch, excluded.version)"
    " RETURNING aggregate_type, aggregate_id"
)
_SET: TextClause = text(_WRITE)
_HANDLED: TextClause = text(
    "SELECT EXISTS (SELECT FROM inbox WHERE consumer_group = :consumer_group AND aggregate_type = :type"
    " AND aggregate_id = :id AND version >= :version)"
)
_LOCK: TextClause = text(
    "SELECT pg_advisory_xact_lock(hashtextextended(:consumer_group || ':' || id, 0))"
    " FROM unnest(CAST(:ids AS text[])) AS id"
)
_HOLD: TextClause = text("SELECT pg_advisory_xact_lock_shared(hashtextextended(:consumer_group || ':' || :id, 0))")


async def lock_people(connection: AsyncConnection, group: str, user_ids: Iterable[str]) -> None:
    """One projector at a time for each person and group, until the transaction ends: a row may be made of many events.

    Taken before anything else, and in one order, so that two that want the same people wait instead of deadlocking.
    """
    await connection.execute(_LOCK, {"consumer_group": group, "ids": sorted(set(user_ids))})


async def hold_projection(connection: AsyncConnection, group: str, user_id: str) -> None:
    """Keeps news about a person from being projected until the transaction ends; commands do not keep each other waiting.

    For a command that decides by projected rows and writes what the projector would put right later. Without it neither
    of the two may see what the other has not committed yet, and nobody puts it right. Taken before any row is locked.
    """
    await connection.execute(_HOLD, {"consumer_group": group, "id": user_id})


async def take_newer(connection: AsyncConnection, group: str, envelopes: Sequence[Envelope]) -> list[Envelope]:
    """The envelopes that tell something new to this group, at most one (the newest) an aggregate, marked as handled."""
    newest: dict[tuple[str, str], Envelope] = {}
    for envelope in envelopes:
        identity = (envelope.aggregate.type, envelope.aggregate.id)
        known = newest.get(identity)
        if known is None or _age(known) < _age(envelope):
            newest[identity] = envelope
    if not newest:
        return []
    result = await connection.execute(_ADVANCE, _rows(group, newest.values()))
    return [newest[(row.aggregate_type, row.aggregate_id)] for row in result]


async def has_handled(
    connection: AsyncConnection, group: str, aggregate_type: str, aggregate_id: str, version: int
) -> bool:
    """Whether this version of the aggregate, or a later one, is in what the group projects."""
    place = {"consumer_group": group, "type": aggregate_type, "id": aggregate_id, "version": version}
    return bool(await connection.scalar(_HANDLED, place))


async def set_handled(connection: AsyncConnection, group: str, envelopes: Sequence[Envelope]) -> None:
    """Note these as handled, at most one an aggregate, whatever was before: the state was rebuilt from them."""
    if envelopes:
        await connection.execute(_SET, _rows(group, envelopes))


def _age(envelope: Envelope) -> tuple[int, int]:
    return envelope.source_epoch, envelope.aggregate.version


def _rows(group: str, envelopes: Iterable[Envelope]) -> dict[str, Any]:
    """Sorted, so that two consumers that meet on the same rows lock them in the same order."""
    ordered = sorted(envelopes, key=lambda envelope: (envelope.aggregate.type, envelope.aggregate.id))
    return {
        "consumer_group": group,
        "types": [envelope.aggregate.type for envelope in ordered],
        "ids": [envelope.aggregate.id for envelope in ordered],
        "epochs": [envelope.source_epoch for envelope in ordered],
        "versions": [envelope.aggregate.version for envelope in ordered],
    }


_EPOCH: TextClause = text(
    "SELECT broker_epoch FROM inbox_partition"
    " WHERE consumer_group = :consumer_group AND topic = :topic AND partition = :partition"
)
_SET_EPOCH: TextClause = text(
    "INSERT INTO inbox_partition (consumer_group, topic, partition, broker_epoch)"
    " VALUES (:consumer_group, :topic, :partition, :broker_epoch)"
    " ON CONFLICT (consumer_group, topic, partition) DO UPDATE SET broker_epoch = excluded.broker_epoch"
)


async def enter_epoch(connection: AsyncConnection, group: str, topic: str, partition: int, epoch: str) -> bool:
    """Whether this broker's partition is new to the group, which then must read it from its beginning."""
    place = {"consumer_group": group, "topic": topic, "partition": partition}
    known = (await connection.execute(_EPOCH, place)).scalar_one_or_none()
    if known == epoch:
        return False
    await connection.execute(_SET_EPOCH, place | {"broker_epoch": epoch})
    return True
