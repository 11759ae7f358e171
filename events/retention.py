"""What may go from outbox and inbox, so that neither grows for ever. Run by each subgraph's retention loop.

Everything that a refill of a lost broker or a rebuild needs stays: the newest event of every aggregate that lives.
"""

from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from events.topics import DAY_MS, TOPICS, USERS_SESSION

BATCH_ROWS = 5_000
SUPERSEDED_DAYS = 7
# Longer than any topic keeps records and than backups are kept: nobody can read an older version of the thing any more.
TOMBSTONE_DAYS = 10 + max(topic.retention_ms for topic in TOPICS) // DAY_MS
SESSION_DAYS = 2

_SUPERSEDED = text(
    "DELETE FROM outbox WHERE seq IN (SELECT seq FROM outbox AS old"
    " WHERE published_at < now() - make_interval(days => :days) AND EXISTS ("
    " SELECT FROM outbox AS newer WHERE newer.aggregate_type = old.aggregate_type"
    " AND newer.aggregate_id = old.aggregate_id AND newer.version > old.version AND newer.published_at IS NOT NULL)"
    " LIMIT :rows)"
)
_TOMBSTONES = text(
    "DELETE FROM outbox WHERE seq IN (SELECT seq FROM outbox AS old"
    " WHERE published_at < now() - make_interval(days => :days)"
    " AND convert_from(value, 'UTF8')::jsonb @> '{\"tombstone\": true}' AND NOT EXISTS ("
    " SELECT FROM outbox AS other WHERE other.aggregate_type = old.aggregate_type"
    " AND other.aggregate_id = old.aggregate_id AND other.seq <> old.seq)"
    " LIMIT :rows)"
)
_OF_A_TOPIC = text(
    "DELETE FROM outbox WHERE seq IN (SELECT seq FROM outbox"
    " WHERE topic = :topic AND published_at < now() - make_interval(days => :days) LIMIT :rows)"
)
# One at a time for each database, however many processes run.
_ONE_AT_A_TIME = text("SELECT pg_try_advisory_xact_lock(hashtextextended('retention', 0))")

# Deletes at most so many rows in the transaction; returns how many it deleted.
Forget = Callable[[AsyncConnection, int], Awaitable[int]]


async def forget_superseded(connection: AsyncConnection, rows: int) -> int:
    """Published events that a newer published version of their aggregate replaces, after a week."""
    result = await connection.execute(_SUPERSEDED, {"days": SUPERSEDED_DAYS, "rows": rows})
    return int(result.rowcount)


async def forget_tombstones(connection: AsyncConnection, rows: int) -> int:
    """What is left of aggregates that are gone, once no reader can know an earlier version."""
    result = await connection.execute(_TOMBSTONES, {"days": TOMBSTONE_DAYS, "rows": rows})
    return int(result.rowcount)


async def forget_session_events(connection: AsyncConnection, rows: int) -> int:
    """News of ended sessions: older ones are about tokens that expired."""
    result = await connection.execute(_OF_A_TOPIC, {"topic": USERS_SESSION.name, "days": SESSION_DAYS, "rows": rows})
    return int(result.rowcount)


OUTBOX: tuple[Forget, ...] = (forget_superseded, forget_tombstones, forget_session_events)


async def forget_in_batches(begin: Callable[[], AbstractAsyncContextManager[AsyncConnection]], forget: Forget) -> int:
    """Run one until it finds nothing more; returns how many rows went. 0 where another process is at it."""
    total = 0
    while True:
        async with begin() as connection:
            if not (await connection.execute(_ONE_AT_A_TIME)).scalar_one():
                return total
            gone = await forget(connection, BATCH_ROWS)
        total += gone
        if gone < BATCH_ROWS:
            return total
