"""The pools of SQLAlchemy, which grow with what is asked at once, let go of what nobody asks for any more."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from subgraphs.shell.database import Database
from tests.testkit.servers import Postgres

BACKEND = text("SELECT pg_backend_pid()")
LONG = 60.0


@pytest.fixture
async def database(postgres: Postgres) -> AsyncIterator[Database]:
    database = Database(postgres.url(), pool_size=2, name="unused")
    yield database
    await database.close()


def _open(database: Database) -> int:
    pool: Any = database.writer.pool
    return int(pool.checkedin() + pool.checkedout())


async def _backends(database: Database, count: int) -> set[int]:
    """Of that many transactions at once."""
    async with AsyncExitStack() as stack:
        connections: list[AsyncConnection] = [
            await stack.enter_async_context(database.transaction()) for _ in range(count)
        ]
        return {int(await connection.scalar(BACKEND)) for connection in connections}


async def test_what_nobody_used_between_two_looks_is_closed(database: Database) -> None:
    before = await _backends(database, 3)
    await database.close_unused(LONG)
    assert _open(database) == 2, "they were used before that look; a third one is beyond the pool's size"
    await database.close_unused(LONG)
    assert _open(database) == 0
    alive = text("SELECT count(*) FROM pg_stat_activity WHERE pid = ANY(:pids)")
    async with asyncio.timeout(60), database.reading() as connection:
        while await connection.scalar(alive, {"pids": list(before)}):
            await asyncio.sleep(0.05)


async def test_the_pool_grows_again_to_its_size(database: Database) -> None:
    before = await _backends(database, 3)
    await database.close_unused(LONG)
    await database.close_unused(LONG)
    again = await _backends(database, 3)
    assert len(again) == 3
    assert again.isdisjoint(before)
    await database.close_unused(LONG)
    assert _open(database) == 2, "these are used"


async def test_a_connection_that_is_in_use_goes_on(database: Database) -> None:
    async with database.transaction() as connection:
        backend = await connection.scalar(BACKEND)
        await database.close_unused(LONG)
        await database.close_unused(LONG)
        assert await connection.scalar(BACKEND) == backend
    assert _open(database) == 1


async def test_who_comes_while_connections_are_closed_has_one(database: Database) -> None:
    await _backends(database, 2)
    await database.close_unused(LONG)
    _, *backends = await asyncio.gather(database.close_unused(LONG), *(_backends(database, 1) for _ in range(3)))
    assert len(set[int]().union(*backends)) == 3
    assert _open(database) == 2
