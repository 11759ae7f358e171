"""Migrations beside processes that serve: what they wait for, and how long others wait behind them.

ALTER TABLE waits for every transaction that has used its table, and whoever comes after waits behind it, readers too. So a
migration waits for a lock for a moment, lets the others go on, and comes again (decision 0264). `database.migrate` uses it.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping
from typing import TYPE_CHECKING

import structlog
from sqlalchemy import TextClause, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection

if TYPE_CHECKING:  # whoever serves needs nothing of alembic
    from alembic.operations import Operations

_log = structlog.get_logger("subgraphs.shell.migration_locks")

#: How long those behind a migration wait at most. Below Postgres' `deadlock_timeout` of a second, after which a request
#: that waits in a circle with a migration might be the one that is cancelled.
LOCK_MILLISECONDS = 500
PAUSE_SECONDS = 1.0  # in which those behind it are answered
PATIENCE_SECONDS = 1800.0  # a backup holds every table for as long as it reads
TELL_SECONDS = 30.0  # between two lines of the log about it
_TURN = 0x0F17_3164
_POLL_SECONDS = 0.1

_LOCK_NOT_AVAILABLE = "55P03"
_DEADLOCK = "40P01"
_TRY_TURN = text("SELECT pg_try_advisory_lock(:key)")
# Whoever holds locks on tables of this database, the oldest transaction first. Of other roles' sessions Postgres tells a
# role that may not monitor them the process id alone.
_HOLDERS = text(
    "SELECT lock.pid, coalesce(activity.application_name, ''), extract(epoch FROM now() - activity.xact_start)::integer"
    " FROM pg_locks AS lock LEFT JOIN pg_stat_activity AS activity USING (pid)"
    " WHERE lock.locktype = 'relation' AND lock.granted AND lock.pid <> pg_backend_pid()"
    " AND lock.database = (SELECT oid FROM pg_database WHERE datname = current_database())"
    " GROUP BY 1, 2, 3 ORDER BY 3 DESC NULLS LAST LIMIT 5"
)
_HOLDER_OF_TURN = text(
    "SELECT lock.pid, coalesce(activity.application_name, ''), extract(epoch FROM now() - activity.backend_start)::integer"
    " FROM pg_locks AS lock LEFT JOIN pg_stat_activity AS activity USING (pid)"
    " WHERE lock.locktype = 'advisory' AND lock.granted AND lock.classid = 0 AND lock.objid = CAST(:key AS oid)"
    " AND lock.database = (SELECT oid FROM pg_database WHERE datname = current_database())"
)


async def take_migrations_turn(connection: AsyncConnection) -> None:
    """Wait until no other process migrates this database, and let none begin before the connection ends.

    By asking again and again: a statement that waits has a snapshot, and an index that is built beside writers waits for
    every snapshot that is older, so both would wait for each other.
    """
    is_told = False
    while not await connection.scalar(_TRY_TURN, {"key": _TURN}):
        if not is_told:
            _log.info(
                "migration_waits_for_another", held_by=await _described(connection, _HOLDER_OF_TURN, {"key": _TURN})
            )
            is_told = True
        await connection.commit()
        await asyncio.sleep(_POLL_SECONDS)
    await connection.commit()


class TableIsHeldError(Exception):
    """Somebody held a table that a migration needs for all of `PATIENCE_SECONDS`; what was done before stays done."""

    def __init__(self, held_by: list[str]) -> None:
        super().__init__(
            f"a table that it changes was in use for {PATIENCE_SECONDS:.0f} s, by {', '.join(held_by) or 'others'}"
        )


async def with_short_locks(connection: AsyncConnection, work: Callable[[], Awaitable[None]]) -> None:
    """Do `work` on a connection that has its turn, again and again while somebody holds a table that it needs.

    What of it was committed must not be done anew by the next try. Raises TableIsHeldError, and what `work` does.
    """
    began = told = time.monotonic()
    while True:
        await connection.execute(text(f"SET lock_timeout = {LOCK_MILLISECONDS}"))
        await connection.commit()
        try:
            await work()
            return
        except DBAPIError as error:
            await connection.rollback()
            if _sqlstate(error) not in (_LOCK_NOT_AVAILABLE, _DEADLOCK):
                raise
            held_by = await _described(connection, _HOLDERS)
            now = time.monotonic()
            if now - began > PATIENCE_SECONDS:
                raise TableIsHeldError(held_by) from error
            if told == began or now - told > TELL_SECONDS:
                _log.warning("migration_waits_for_table", held_by=held_by)
                told = now
        await asyncio.sleep(PAUSE_SECONDS)


def build_index(op: "Operations", name: str, definition: str, *, unique: bool = False) -> None:
    """A whole revision: an index on a table that there was before. `definition` is what stands behind ON.

    Writers go on while it is built. That takes several transactions, so a build may be cut off in between and be begun anew.
    """
    with op.get_context().autocommit_block():
        op.execute("SET lock_timeout = 0")  # it waits for older transactions, and nobody waits behind it
        # of an attempt that was interrupted, which is not valid
        op.execute(f"DROP INDEX CONCURRENTLY IF EXISTS {name}")
        op.execute(f"CREATE {'UNIQUE ' if unique else ''}INDEX CONCURRENTLY {name} ON {definition}")
        op.execute(f"SET lock_timeout = {LOCK_MILLISECONDS}")


def _sqlstate(error: DBAPIError) -> str | None:
    return getattr(error.orig, "sqlstate", None)


async def _described(
    connection: AsyncConnection, holders: TextClause, given: Mapping[str, int] | None = None
) -> list[str]:
    rows = (await connection.execute(holders, given)).all()
    await connection.commit()
    return [f"{name or 'process'} {pid}{'' if age is None else f', for {age} s'}" for pid, name, age in rows]
