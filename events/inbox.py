"""The inbox: the newest version of each aggregate that a consumer group has handled. Read and written by `consumer`.

One row an aggregate, in the transaction of the projection: duplicates, late and old versions fall out here.
"""

from collections.abc import Sequence

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

_ADVANCE: TextClause = text(
    "INSERT INTO inbox AS seen (consumer_group, aggregate_type, aggregate_id, version)"
    " SELECT :consumer_group, t, i, v"
    " FROM unnest(CAST(:types AS text[]), CAST(:ids AS text[]), CAST(:versions AS bigint[])) AS new (t, i, v)"
    " ON CONFLICT (consumer_group, aggregate_type, aggregate_id)"
    " DO UPDATE SET version = excluded.version, handled_at = now() WHERE seen.version < excluded.version"
    " RETURNING aggregate_type, aggregate_id"
)


async def take_newer(connection: AsyncConnection, group: str, envelopes: Sequence[Envelope]) -> list[Envelope]:
    """The envelopes that tell something new to this group, at most one (the newest) an aggregate, marked as handled."""
    newest: dict[tuple[str, str], Envelope] = {}
    for envelope in envelopes:
        identity = (envelope.aggregate.type, envelope.aggregate.id)
        known = newest.get(identity)
        if known is None or known.aggregate.version < envelope.aggregate.version:
            newest[identity] = envelope
    if not newest:
        return []
    # Sorted, so that two consumers that meet on the same rows lock them in the same order.
    identities = sorted(newest)
    result = await connection.execute(
        _ADVANCE,
        {
            "consumer_group": group,
            "types": [aggregate_type for aggregate_type, _ in identities],
            "ids": [aggregate_id for _, aggregate_id in identities],
            "versions": [newest[identity].aggregate.version for identity in identities],
        },
    )
    return [newest[(row.aggregate_type, row.aggregate_id)] for row in result]


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
