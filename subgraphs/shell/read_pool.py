"""Reads straight over asyncpg, for loaders: a statement costs two thirds of what it costs through SQLAlchemy.

`database` opens one; queries take either this or a SQLAlchemy connection, for both are a `Reader`.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterable, Mapping
from functools import lru_cache
from typing import Any, Protocol

import asyncpg
from sqlalchemy import TextClause
from sqlalchemy.dialects.postgresql.asyncpg import dialect

from events.failures import Fault, fault_of

LONGEST_WAIT_SECONDS = 15.0
LONGEST_IDLE_SECONDS = 300.0


class Reader(Protocol):
    """Something that answers a statement with rows. Rows are told apart by place: names are SQLAlchemy's alone."""

    async def execute(self, statement: TextClause, parameters: Mapping[str, Any], /) -> Iterable[Any]: ...


def opaque(parameter: str, type_: str) -> str:
    """A statement's parameter of this type, as SQL into which Postgres does not look when it plans the statement.

    After five executions over a connection Postgres keeps one plan for all parameters if that costs no more than the plans
    for those that came; else it plans anew each time, two thirds of what a small statement costs. Of an array, a limit or a day that it
    sees it expects less than of one that it does not, so it would go on planning. Not for a parameter that decides which
    index is the right one: each such case needs a text of its own.
    """
    return f"(SELECT CAST(:{parameter} AS {type_}))"


def any_of(parameter: str) -> str:
    """The values of a `text[]`, after `=`, and `opaque`. A second cast, for `ANY` takes a plain SELECT for one of rows."""
    return f"ANY(CAST({opaque(parameter, 'text[]')} AS text[]))"


def narrowing(conditions: Mapping[str, str], given: Mapping[str, Any]) -> str:
    """The SQL of those conditions whose parameter is given: one that is None narrows nothing, and is not in the text."""
    return " AND ".join(sql for name, sql in conditions.items() if given[name] is not None) or "TRUE"


class ReadPool:
    """Connections for statements that only read, opened when they are wanted, the last used taken first.

    Not asyncpg's own pool: reads leave nothing behind that a release would have to clean up, and its release costs
    twice what a small statement does.
    """

    def __init__(self, connect: Callable[[], Awaitable[asyncpg.Connection]], size: int) -> None:
        self._connect = connect
        self.size = size
        #: Statements that have a connection now, and those that wait for one.
        self.busy = self.waiting = 0
        self._slots = asyncio.Semaphore(size)
        self._idle: list[tuple[asyncpg.Connection, float]] = []  # with the time of their last use
        self._closing: set[asyncio.Future[None]] = set()
        self.listeners: set[Callable[[str], None]] = set()

    async def execute(self, statement: TextClause, parameters: Mapping[str, Any], /) -> Iterable[Any]:
        """Raises TimeoutError when no connection becomes free, and what asyncpg raises."""
        sql, names = _positional(statement)
        for tell in self.listeners:
            tell(sql)
        await self._enter()
        self.busy += 1
        try:
            return await self._fetch(sql, [parameters[name] for name in names])
        finally:
            self.busy -= 1
            self._slots.release()

    async def _enter(self) -> None:
        if not self._slots.locked():
            await self._slots.acquire()
            return
        self.waiting += 1
        try:
            async with asyncio.timeout(LONGEST_WAIT_SECONDS):
                await self._slots.acquire()
        finally:
            self.waiting -= 1

    @property
    def idle(self) -> int:
        """Connections that are open and not in use."""
        return len(self._idle)

    async def close_unused(self, seconds: float) -> None:
        """Connections that nobody used for so long."""
        latest = time.monotonic() - seconds
        unused = [connection for connection, used_at in self._idle if used_at <= latest]
        self._idle = self._idle[len(unused) :]  # the last used is the last of them
        await asyncio.gather(*map(_closed, unused))

    async def close(self) -> None:
        idle, self._idle = self._idle, []
        await asyncio.gather(*self._closing, *(_closed(connection) for connection, _ in idle))

    async def _fetch(self, sql: str, values: list[Any]) -> list[asyncpg.Record]:
        connection = self._take()
        if connection is not None:
            try:
                return await self._fetch_over(connection, sql, values)
            except (asyncpg.PostgresError, asyncpg.InterfaceError, OSError) as failure:
                # It may have died while it lay idle, as the others did then: a new one says how things are.
                if not connection.is_closed() or fault_of(failure) is not Fault.INFRASTRUCTURE:
                    raise
        return await self._fetch_over(await self._connect(), sql, values)

    async def _fetch_over(self, connection: asyncpg.Connection, sql: str, values: list[Any]) -> list[asyncpg.Record]:
        try:
            rows: list[asyncpg.Record] = await connection.fetch(sql, *values)
        except asyncpg.PostgresError:  # the server said no; the connection may be as good as before
            self._give_back(connection)
            raise
        except asyncio.CancelledError:
            self._abandon(connection)
            raise
        except BaseException:  # cut off in the middle: nobody knows what would be read from it next
            connection.terminate()
            raise
        self._give_back(connection)
        return rows

    def _abandon(self, connection: asyncpg.Connection) -> None:
        """Have the server stop what nobody waits for any more; dropping the connection alone would let it work on."""
        closing = asyncio.ensure_future(_closed(connection))
        self._closing.add(closing)
        closing.add_done_callback(self._closing.discard)

    def _take(self) -> asyncpg.Connection | None:
        """One that lives. What lay idle for long may have been dropped on the way without a word."""
        oldest = time.monotonic() - LONGEST_IDLE_SECONDS
        while self._idle:
            connection, used_at = self._idle.pop()
            if connection.is_closed():
                continue
            if used_at >= oldest:
                return connection
            connection.terminate()
        return None

    def _give_back(self, connection: asyncpg.Connection) -> None:
        if not connection.is_closed():
            self._idle.append((connection, time.monotonic()))


async def _closed(connection: asyncpg.Connection) -> None:
    """Asyncpg's close waits until the server has taken the request to cancel what runs."""
    try:
        await connection.close(timeout=3)
    except (TimeoutError, OSError, asyncpg.PostgresError, asyncpg.InterfaceError):
        connection.terminate()


@lru_cache(maxsize=1024)
def _positional(statement: TextClause) -> tuple[str, tuple[str, ...]]:
    """The statement as asyncpg wants it, with $1, and the names of its parameters in that order."""
    compiled = statement.compile(dialect=dialect())  # type: ignore[no-untyped-call]
    return str(compiled), tuple(compiled.positiontup or ())
