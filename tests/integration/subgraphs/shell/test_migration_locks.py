"""Migrations beside people at work: whoever reads or writes meanwhile waits for a moment, however long a table is held."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import AsyncIterator

import asyncpg
import pytest
from alembic.migration import MigrationContext
from alembic.operations import Operations
from sqlalchemy import Connection, text
from sqlalchemy.ext.asyncio import AsyncConnection
from structlog.testing import capture_logs

from subgraphs.shell.database import Database
from subgraphs.shell.migration_locks import TableIsHeldError, build_index, take_migrations_turn, with_short_locks
from tests.testkit.servers import Postgres

PATIENCE_SECONDS = 60  # of the tests: far longer than anything takes that does not wait for what it should not wait for
_numbers = itertools.count(1)
IS_WHOLE = "SELECT indisvalid FROM pg_index WHERE indexrelid = to_regclass('thing_by_name')"


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("subgraphs.shell.migration_locks.LOCK_MILLISECONDS", 100)
    monkeypatch.setattr("subgraphs.shell.migration_locks.PAUSE_SECONDS", 0.05)


@pytest.fixture
async def url(postgres: Postgres) -> str:
    url = postgres.create_database(f"migration_locks_{next(_numbers)}")
    connection = await asyncpg.connect(url)
    await connection.execute("CREATE TABLE thing (id integer PRIMARY KEY, name text)")
    await connection.close()
    return url


@pytest.fixture
async def database(url: str) -> AsyncIterator[Database]:
    database = Database(url)
    yield database
    await database.close()


async def add_column(connection: AsyncConnection) -> None:
    await connection.execute(text("ALTER TABLE thing ADD COLUMN colour text"))
    await connection.commit()


async def test_who_comes_after_a_migration_is_answered_while_it_waits_for_a_long_reader(
    url: str, database: Database
) -> None:
    reader = await asyncpg.connect(url, server_settings={"application_name": "a long reader"})
    other = await asyncpg.connect(url)
    reading = reader.transaction()
    await reading.start()
    await reader.fetch("SELECT FROM thing")
    async with database.writer.connect() as connection:
        await take_migrations_turn(connection)
        with capture_logs() as lines:
            migrating = asyncio.create_task(with_short_locks(connection, lambda: add_column(connection)))
            async with asyncio.timeout(PATIENCE_SECONDS):
                while not lines:
                    await other.execute("INSERT INTO thing SELECT coalesce(max(id), 0) + 1 FROM thing")
                    await asyncio.sleep(0.01)
                await other.fetch("SELECT FROM thing")
                assert not migrating.done()
                await reading.rollback()
                await migrating
    assert lines[0]["event"] == "migration_waits_for_table"
    assert lines[0]["held_by"][0].startswith(f"a long reader {reader.get_server_pid()}, for ")
    assert await other.fetch("SELECT colour FROM thing") != []
    await reader.close()
    await other.close()


async def test_a_table_that_is_never_free_is_given_up_on(
    url: str, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("subgraphs.shell.migration_locks.PATIENCE_SECONDS", 0.2)
    reader = await asyncpg.connect(url)
    async with database.writer.connect() as connection, reader.transaction():
        await reader.fetch("SELECT FROM thing")
        await take_migrations_turn(connection)
        with pytest.raises(TableIsHeldError, match=rf"by process {reader.get_server_pid()}, for \d+ s"):
            await with_short_locks(connection, lambda: add_column(connection))
    await reader.close()


async def test_an_index_is_built_beside_writers_and_may_be_begun_anew(url: str, database: Database) -> None:
    early, late = await asyncpg.connect(url), await asyncpg.connect(url)

    def build(connection: Connection) -> None:
        build_index(Operations(MigrationContext.configure(connection)), "thing_by_name", "thing (name)")

    async def built() -> None:
        async with database.writer.connect() as connection:
            await connection.run_sync(build)

    writing = early.transaction()
    await writing.start()
    await early.execute("INSERT INTO thing VALUES (1, 'one')")
    building = asyncio.create_task(built())
    async with asyncio.timeout(PATIENCE_SECONDS):
        while await late.fetchval(IS_WHOLE) is None:  # it is there, and waits for whoever began before it
            await asyncio.sleep(0.01)
        await late.execute("INSERT INTO thing VALUES (2, 'two')")
        assert await late.fetchval(IS_WHOLE) is False
        building.cancel()  # what is left of it is no index that anybody may use
        await asyncio.wait([building])
        assert await late.fetchval(IS_WHOLE) is False
        await writing.commit()
        await built()
    assert await late.fetchval(IS_WHOLE) is True
    await early.close()
    await late.close()


async def test_who_waits_for_its_turn_keeps_no_index_from_being_built(database: Database) -> None:
    async with database.writer.connect() as first, database.writer.connect() as second:
        await take_migrations_turn(first)
        with capture_logs() as lines:
            waiting = asyncio.create_task(take_migrations_turn(second))
            async with asyncio.timeout(PATIENCE_SECONDS):
                while not lines:
                    await asyncio.sleep(0.01)
        assert lines[0]["event"] == "migration_waits_for_another"
        assert lines[0]["held_by"][0].startswith("subgraph ")  # what the database calls its connections here
        await first.execution_options(isolation_level="AUTOCOMMIT")
        async with asyncio.timeout(PATIENCE_SECONDS):
            await first.execute(text("CREATE INDEX CONCURRENTLY thing_by_name ON thing (name)"))
        assert not waiting.done()
        await first.execute(text("SELECT pg_advisory_unlock_all()"))
        async with asyncio.timeout(PATIENCE_SECONDS):
            await waiting
