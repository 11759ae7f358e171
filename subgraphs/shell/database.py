"""A subgraph's Postgres: an engine for reads, one for transactions, and its migrations. Opened by `app`, used by all below.

Reads run in autocommit, without BEGIN and ROLLBACK around every statement, on the replica where there is one that is fit.
"""

import asyncio
import importlib
import os
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from contextvars import ContextVar
from copy import copy
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Concatenate, ParamSpec, TypeVar

import asyncpg
from sqlalchemy import Connection, event, text
from sqlalchemy.exc import DisconnectionError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

from subgraphs.shell.migration_locks import take_migrations_turn, with_short_locks
from subgraphs.shell.read_pool import Reader, ReadPool
from subgraphs.shell.replica import ReplicaGuard
from subgraphs.shell.settings import Settings
from subgraphs.shell.synced_tables import SyncedTables, track_changes
from subgraphs.shell.unused_connections import UnusedConnections

_TURN = text("SELECT pg_advisory_xact_lock(hashtextextended(CAST(:turn AS text), 0))")
_SHELL = Path(__file__).parent
_SUBGRAPHS = _SHELL.parent
_LONGEST_STATEMENT_SECONDS = 15.0

_Arguments = ParamSpec("_Arguments")
_Result = TypeVar("_Result")


@dataclass(slots=True)
class Commits:
    """How many transactions a block has committed."""

    count: int = 0


_COMMITS: ContextVar[Commits | None] = ContextVar("commits", default=None)


@contextmanager
def counted_commits() -> Iterator[Commits]:
    """Counts the transactions that end well while the block runs, of this task and those that it waits for."""
    commits = Commits()
    token = _COMMITS.set(commits)
    try:
        yield commits
    finally:
        _COMMITS.reset(token)


class Database:
    """The engines of one subgraph's database. `reader` sees what `writer` wrote at once unless a replica is named."""

    def __init__(
        self,
        url: str,
        *,
        replica_url: str | None = None,
        replica_most_lag_seconds: float = 5.0,
        pool_size: int = 10,
        name: str = "subgraph",
    ) -> None:
        self.url = url
        self.has_replica = replica_url is not None
        self.writer = _engine(url, pool_size, name)
        self._reader = _read_engine(replica_url or url, pool_size // 2, name)
        self._pool = ReadPool(_connector(replica_url or url, f"{name} loaders"), pool_size)
        # A read that must see what its caller just wrote cannot wait for the replica.
        self._primary_reader = _read_engine(url, pool_size // 2, name) if self.has_replica else self._reader
        primary = _connector(url, f"{name} loaders")
        self._primary_pool = ReadPool(primary, pool_size) if self.has_replica else self._pool
        self._unused = [UnusedConnections(engine) for _, engine in self.engines()]
        self.replica: ReplicaGuard | None = None
        if replica_url is not None:
            connectors = _connector(url, f"{name} replica guard"), _connector(replica_url, f"{name} replica guard")
            self.replica = ReplicaGuard(*connectors, most_seconds=replica_most_lag_seconds, name=name)

    @property
    def reader(self) -> AsyncEngine:
        """The replica's while that is fit to be read from (`replica`), else the primary's."""
        return self._reader if self.replica is None or self.replica.is_fit else self._primary_reader

    def engines(self) -> Iterator[tuple[str, AsyncEngine]]:
        """SQLAlchemy's, each with the name of its pool in metrics."""
        yield from (("writer", self.writer), ("reader", self._reader))
        if self.has_replica:
            yield "primary reader", self._primary_reader

    def read_pools(self) -> Iterator[tuple[str, ReadPool]]:
        """Those that loaders read by, each with its name in metrics."""
        yield "loaders", self._pool
        if self.has_replica:
            yield "primary loaders", self._primary_pool

    @classmethod
    def of(cls, settings: Settings) -> "Database":
        return cls(
            settings.database_url,
            replica_url=settings.database_replica_url,
            replica_most_lag_seconds=settings.database_replica_most_lag_seconds,
            pool_size=settings.database_pool_size,
            name=settings.subgraph,
        )

    def primary(self) -> "Database":
        """The same database with reads that see every committed write."""
        view = copy(self)
        view.replica = None
        view._reader = self._primary_reader  # noqa: SLF001 - our own copy
        view._pool = self._primary_pool  # noqa: SLF001 - our own copy
        return view

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[AsyncConnection]:
        """A transaction on the primary: committed at the end of the block, rolled back if it raises."""
        async with self.writer.begin() as connection:
            yield connection
        if (commits := _COMMITS.get()) is not None:
            commits.count += 1

    @asynccontextmanager
    async def reading(self) -> AsyncIterator[AsyncConnection]:
        """A connection in autocommit for statements that only read."""
        async with self.reader.connect() as connection:
            yield connection

    def batch_reader(
        self, read: Callable[Concatenate[Reader, _Arguments], Awaitable[_Result]]
    ) -> Callable[_Arguments, Awaitable[_Result]]:
        """A query of `queries/` bound to the pool of connections for reads: what loaders want."""
        fit = self.replica is None or self.replica.is_fit
        return partial(read, self._pool if fit else self._primary_pool)

    @contextmanager
    def watched_statements(self) -> Iterator[list[str]]:
        """Every statement sent to the database by this process while the block runs."""
        statements: list[str] = []

        def note(_connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
            statements.append(statement)

        engines = {self.writer.sync_engine, self._reader.sync_engine, self._primary_reader.sync_engine}
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
        """Whether reads can be answered. Raises what the driver does."""
        async with self.reader.connect() as connection:
            await connection.execute(text("SELECT 1"))

    async def ping_replica(self) -> None:
        """Whether the replica answers, and is fit to be read from. Raises what the driver does, or ConnectionError."""
        async with self._reader.connect() as connection:
            await connection.execute(text("SELECT 1"))
        if self.replica is not None and not self.replica.is_fit:
            raise ConnectionError("the replica is too far behind")

    async def ping_writer(self) -> None:
        """Whether the primary answers and takes writes: a replica that is not promoted yet does not."""
        async with self.writer.connect() as connection:
            if await connection.scalar(text("SELECT pg_is_in_recovery()")):
                raise ConnectionError("the database is a replica")

    async def close_unused(self, seconds: float) -> None:
        """Connections that nobody used for so long, which is how long ago this was called last."""
        for unused in self._unused:
            await unused.close()
        for _, pool in self.read_pools():
            await pool.close_unused(seconds)

    async def close(self) -> None:
        await self.writer.dispose()
        await self._reader.dispose()
        await self._primary_reader.dispose()
        await self._pool.close()
        await self._primary_pool.close()
        if self.replica is not None:
            await self.replica.close()


async def take_turns(transaction: AsyncConnection, what: str, user_id: str) -> None:
    """Wait until no other transaction of this person does `what`, and let none begin to until this one ends.

    For rules over all rows of a person, such as how many there may be, which a lock on one row cannot guard.
    """
    await transaction.execute(_TURN, {"turn": f"{what}:{user_id}"})


def _read_engine(url: str, pool_size: int, name: str) -> AsyncEngine:
    return _engine(url, pool_size, f"{name} reads", isolation_level="AUTOCOMMIT", pool_reset_on_return=None)


def _engine(
    url: str,
    pool_size: int,
    application_name: str,
    *,
    statement_seconds: float | None = _LONGEST_STATEMENT_SECONDS,
    **options: Any,
) -> AsyncEngine:
    engine = create_async_engine(
        "postgresql+asyncpg://",
        async_creator=_connector(url, application_name, statement_seconds),
        pool_size=pool_size,
        max_overflow=pool_size // 2,
        pool_timeout=15,
        pool_recycle=1800,
        pool_use_lifo=True,
        pool_pre_ping=False,  # it would double the round trips; see `_refuse_closed`
        # An error's text names the statement and not its parameters, which may be anybody's address or password hash.
        hide_parameters=True,
        **options,
    )
    event.listen(engine.sync_engine, "checkout", _refuse_closed)
    return engine


def _refuse_closed(dbapi_connection: Any, *_: Any) -> None:
    """A server that went away closed its connections, which is known without asking: the pool then opens a new one."""
    if dbapi_connection.driver_connection.is_closed():
        raise DisconnectionError


def _connector(
    url: str, application_name: str, statement_seconds: float | None = _LONGEST_STATEMENT_SECONDS
) -> Callable[[], Awaitable[asyncpg.Connection]]:
    """Opens connections whose statements may take so long. asyncpg reads the URL itself: SQLAlchemy would not understand several hosts in it."""
    dsn = url.replace("postgresql+asyncpg://", "postgresql://", 1)

    async def connect() -> asyncpg.Connection:
        settings = {"application_name": application_name, "jit": "off"}
        return await asyncpg.connect(dsn, timeout=10, command_timeout=statement_seconds, server_settings=settings)

    return connect


async def migrate(subgraph: str, url: str) -> None:
    """Bring one subgraph's database to its newest revision, and have it note changes of what `synced.py` declares.

    Processes that start together wait for each other. Whoever serves meanwhile waits for moments only (`migration_locks`).
    """
    # an index on a large table takes minutes
    engine = _engine(url, 1, f"{subgraph} migrations", statement_seconds=None)
    try:
        async with engine.connect() as connection:
            await take_migrations_turn(connection)

            async def bring_to_newest() -> None:
                await connection.run_sync(_upgrade, subgraph)
                await connection.commit()
                await track_changes(connection, synced_tables_of(subgraph).tables)

            await with_short_locks(connection, bring_to_newest)
    finally:
        await engine.dispose()


def synced_tables_of(subgraph: str) -> SyncedTables:
    """What the subgraph's `synced.py` declares."""
    declared: SyncedTables = importlib.import_module(f"subgraphs.{subgraph}.synced").SYNCED
    return declared


def _upgrade(connection: Connection, subgraph: str) -> None:
    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(_SHELL / "migrations"))
    locations = (_SUBGRAPHS / subgraph / "migrations" / "versions", _SHELL / "migrations" / "events")
    config.set_main_option("version_locations", os.pathsep.join(map(str, locations)))
    config.set_main_option("path_separator", "os")
    config.attributes["connection"] = connection
    # Two lines of revisions: the subgraph's own, whose first one makes outbox and inbox, and what events changed since.
    command.upgrade(config, f"{subgraph}_0001@head")
    command.upgrade(config, "events@head")


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
