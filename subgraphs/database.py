"""A subgraph's Postgres: an engine for reads, one for transactions, and its migrations. Opened by `app`, used by all below.

Reads run in autocommit, without BEGIN and ROLLBACK around every statement, on the replica where there is one.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from copy import copy
from functools import partial
from pathlib import Path
from typing import Any, Concatenate, ParamSpec, TypeVar

import asyncpg
from sqlalchemy import Connection, event, text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

from subgraphs.read_pool import Reader, ReadPool
from subgraphs.settings import Settings

_MIGRATION_LOCK = 0x0F17_3164
_ROOM = Path(__file__).parent

_Arguments = ParamSpec("_Arguments")
_Result = TypeVar("_Result")


class Database:
    """The engines of one subgraph's database. `reader` sees what `writer` wrote at once unless a replica is named."""

    def __init__(
        self, url: str, *, replica_url: str | None = None, pool_size: int = 10, name: str = "subgraph"
    ) -> None:
        self.url = url
        self.has_replica = replica_url is not None
        self.writer = _engine(url, pool_size, name)
        self.reader = _read_engine(replica_url or url, pool_size // 2, name)
        self._pool = ReadPool(_connector(replica_url or url, f"{name} loaders"), pool_size)
        # A read that must see what its caller just wrote cannot wait for the replica.
        self._primary_reader = _read_engine(url, pool_size // 2, name) if self.has_replica else self.reader
        primary = _connector(url, f"{name} loaders")
        self._primary_pool = ReadPool(primary, pool_size) if self.has_replica else self._pool

    @classmethod
    def of(cls, settings: Settings) -> "Database":
        return cls(
            settings.database_url,
            replica_url=settings.database_replica_url,
            pool_size=settings.database_pool_size,
            name=settings.subgraph,
        )

    def primary(self) -> "Database":
        """The same database with reads that see every committed write."""
        view = copy(self)
        view.reader = self._primary_reader
        view._pool = self._primary_pool  # noqa: SLF001 - our own copy
        return view

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[AsyncConnection]:
        """A transaction on the primary: committed at the end of the block, rolled back if it raises."""
        async with self.writer.begin() as connection:
            yield connection

    @asynccontextmanager
    async def reading(self) -> AsyncIterator[AsyncConnection]:
        """A connection in autocommit for statements that only read."""
        async with self.reader.connect() as connection:
            yield connection

    def batch_reader(
        self, read: Callable[Concatenate[Reader, _Arguments], Awaitable[_Result]]
    ) -> Callable[_Arguments, Awaitable[_Result]]:
        """A query of `queries/` bound to the pool of connections for reads: what loaders want."""
        return partial(read, self._pool)

    @contextmanager
    def watched_statements(self) -> Iterator[list[str]]:
        """Every statement sent to the database by this process while the block runs."""
        statements: list[str] = []

        def note(_connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
            statements.append(statement)

        engines = {self.writer.sync_engine, self.reader.sync_engine, self._primary_reader.sync_engine}
        pools = {self._pool, self._primary_pool}
        for engine in engines:
            event.listen(engine, "before_cursor_execute", note)
        for pool in pools:
            pool.listeners.add(statements.append)
        try:
            yield statements
        finally:
            for engine in engines:
                event.remove(engine, "before_cursor_execute", note)
            for pool in pools:
                pool.listeners.discard(statements.append)

    async def ping(self) -> None:
        async with self.reader.connect() as connection:
            await connection.execute(text("SELECT 1"))

    async def close(self) -> None:
        await self.writer.dispose()
        await self.reader.dispose()
        await self._primary_reader.dispose()
        await self._pool.close()
        await self._primary_pool.close()


def _read_engine(url: str, pool_size: int, name: str) -> AsyncEngine:
    return _engine(url, pool_size, f"{name} reads", isolation_level="AUTOCOMMIT", pool_reset_on_return=None)


def _engine(url: str, pool_size: int, application_name: str, **options: Any) -> AsyncEngine:
    return create_async_engine(
        "postgresql+asyncpg://",
        async_creator=_connector(url, application_name),
        pool_size=pool_size,
        max_overflow=pool_size // 2,
        pool_timeout=15,
        pool_recycle=1800,
        pool_use_lifo=True,
        # No ping before use, which would double the round trips: the first failure of a restarted server empties
        # the pool, so one request fails and the next ones connect anew.
        pool_pre_ping=False,
        # An error's text names the statement and not its parameters, which may be anybody's address or password hash.
        hide_parameters=True,
        **options,
    )


def _connector(url: str, application_name: str) -> Callable[[], Awaitable[asyncpg.Connection]]:
    """Opens connections. asyncpg reads the URL itself: SQLAlchemy would not understand several hosts in it."""
    dsn = url.replace("postgresql+asyncpg://", "postgresql://", 1)

    async def connect() -> asyncpg.Connection:
        return await asyncpg.connect(
            dsn, timeout=10, command_timeout=15, server_settings={"application_name": application_name, "jit": "off"}
        )

    return connect


async def migrate(subgraph: str, url: str) -> None:
    """Bring one subgraph's database to its newest revision. Processes that start together wait for each other."""
    engine = _engine(url, 1, f"{subgraph} migrations")
    try:
        async with engine.connect() as connection:
            await connection.execute(text("SELECT pg_advisory_lock(:key)"), {"key": _MIGRATION_LOCK})
            await connection.commit()
            await connection.run_sync(_upgrade, subgraph)
            await connection.commit()
    finally:
        await engine.dispose()


def _upgrade(connection: Connection, subgraph: str) -> None:
    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(_ROOM / "migrations"))
    config.set_main_option("version_locations", str(_ROOM / subgraph / "migrations" / "versions"))
    config.set_main_option("path_separator", "os")
    config.attributes["connection"] = connection
    command.upgrade(config, "head")


async def wait_for_database(url: str, *, seconds: float = 30.0) -> None:
    """Returns when the server answers. Raises the last connection error after `seconds`."""
    deadline = asyncio.get_running_loop().time() + seconds
    while True:
        try:
            connection = await asyncpg.connect(url.replace("postgresql+asyncpg://", "postgresql://", 1), timeout=5)
        except (OSError, asyncpg.PostgresError):
            if asyncio.get_running_loop().time() > deadline:
                raise
            await asyncio.sleep(0.25)
        else:
            await connection.close()
            return
