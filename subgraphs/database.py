"""A subgraph's Postgres: an engine for reads, one for transactions, and its migrations. Opened by `app`, used by all below.

Reads run in autocommit, without BEGIN and ROLLBACK around every statement, on the replica where there is one.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from copy import copy
from pathlib import Path
from typing import Any, Concatenate, ParamSpec, TypeVar

import asyncpg
from sqlalchemy import Connection, text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

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
        self.reader = _read_engine(replica_url or url, pool_size, name)
        # A read that must see what its caller just wrote cannot wait for the replica.
        self._primary_reader = _read_engine(url, pool_size, name) if self.has_replica else self.reader

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
        self, read: Callable[Concatenate[AsyncConnection, _Arguments], Awaitable[_Result]]
    ) -> Callable[_Arguments, Awaitable[_Result]]:
        """A query of `queries/` without its connection, which each call takes for itself: what loaders want."""

        async def with_connection(*args: _Arguments.args, **named: _Arguments.kwargs) -> _Result:
            async with self.reader.connect() as connection:
                return await read(connection, *args, **named)

        return with_connection

    async def ping(self) -> None:
        async with self.reader.connect() as connection:
            await connection.execute(text("SELECT 1"))

    async def close(self) -> None:
        await self.writer.dispose()
        await self.reader.dispose()
        await self._primary_reader.dispose()


def _read_engine(url: str, pool_size: int, name: str) -> AsyncEngine:
    return _engine(url, pool_size, f"{name} reads", isolation_level="AUTOCOMMIT", pool_reset_on_return=None)


def _engine(url: str, pool_size: int, application_name: str, **options: Any) -> AsyncEngine:
    dsn = url.replace("postgresql+asyncpg://", "postgresql://", 1)

    async def connect() -> asyncpg.Connection:
        # asyncpg reads the URL itself: SQLAlchemy would not understand sslmode or several hosts in it.
        return await asyncpg.connect(
            dsn, timeout=10, command_timeout=15, server_settings={"application_name": application_name, "jit": "off"}
        )

    return create_async_engine(
        "postgresql+asyncpg://",
        async_creator=connect,
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
