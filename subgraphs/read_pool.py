"""Reads straight over asyncpg, for loaders: a statement costs two thirds of what it costs through SQLAlchemy.

`database` opens one; queries take either this or a SQLAlchemy connection, for both are a `Reader`.
"""

import asyncio
from collections.abc import Callable, Iterable, Mapping
from functools import lru_cache
from typing import Any, Protocol

import asyncpg
from sqlalchemy import TextClause
from sqlalchemy.dialects.postgresql.asyncpg import dialect


class Reader(Protocol):
    """Something that answers a statement with rows. Rows are told apart by place: names are SQLAlchemy's alone."""

    async def execute(self, statement: TextClause, parameters: Mapping[str, Any], /) -> Iterable[Any]: ...


class ReadPool:
    """Connections for statements that only read, opened when the first one is wanted."""

    def __init__(self, connect: Callable[[], Any], size: int) -> None:
        self._connect = connect
        self._size = size
        self._pool: asyncpg.Pool | None = None
        self._opening = asyncio.Lock()
        self.listeners: set[Callable[[str], None]] = set()

    async def execute(self, statement: TextClause, parameters: Mapping[str, Any], /) -> Iterable[Any]:
        sql, names = _positional(statement)
        for tell in self.listeners:
            tell(sql)
        pool = self._pool or await self._open()
        async with pool.acquire(timeout=15) as connection:
            rows: list[asyncpg.Record] = await connection.fetch(sql, *[parameters[name] for name in names])
        return rows

    async def close(self) -> None:
        if self._pool is not None:
            pool, self._pool = self._pool, None
            try:
                await asyncio.wait_for(pool.close(), 3)
            except TimeoutError:
                pool.terminate()

    async def _open(self) -> asyncpg.Pool:
        async with self._opening:
            if self._pool is None:
                self._pool = await asyncpg.create_pool(
                    min_size=1,
                    max_size=self._size,
                    connect=lambda *_, **__: self._connect(),
                    # Reads leave nothing behind on a connection that a round trip would have to clean up.
                    reset=_nothing_to_reset,
                )
        return self._pool


async def _nothing_to_reset(_connection: Any) -> None:
    return


@lru_cache(maxsize=1024)
def _positional(statement: TextClause) -> tuple[str, tuple[str, ...]]:
    """The statement as asyncpg wants it, with $1, and the names of its parameters in that order."""
    compiled = statement.compile(dialect=dialect())  # type: ignore[no-untyped-call]
    return str(compiled), tuple(compiled.positiontup or ())
