"""The pool behind the loaders: few connections, none that is in doubt."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import asyncpg
import pytest
from sqlalchemy import text

from subgraphs.shell import read_pool
from subgraphs.shell.read_pool import ReadPool
from tests.testkit.servers import Postgres

BACKEND = text("SELECT pg_backend_pid() WHERE CAST(:any AS int) IS NOT NULL")
SLOW = text("SELECT pg_sleep(:seconds), pg_backend_pid()")


@pytest.fixture
async def pool(postgres: Postgres) -> AsyncIterator[ReadPool]:
    pool = ReadPool(lambda: asyncpg.connect(postgres.url()), 2)
    yield pool
    await pool.close()


async def _backend(pool: ReadPool) -> int:
    rows: list[Any] = list(await pool.execute(BACKEND, {"any": 1}))
    return int(rows[0][0])


async def test_one_read_after_another_needs_one_connection(pool: ReadPool) -> None:
    assert len({await _backend(pool) for _ in range(5)}) == 1


async def test_reads_at_once_wait_for_one_of_the_connections(pool: ReadPool) -> None:
    answers = await asyncio.gather(*(pool.execute(SLOW, {"seconds": 0.05}) for _ in range(6)))
    assert len({next(iter(rows))[1] for rows in answers}) == 2


async def test_who_goes_as_its_turn_comes_leaves_it_to_the_next(pool: ReadPool) -> None:
    async def read_and_call_off() -> None:
        await _sleep(pool, 0.05)
        waiting.cancel()

    reads = [asyncio.create_task(_sleep(pool, 0.05)), asyncio.create_task(read_and_call_off())]
    await asyncio.sleep(0.01)
    waiting = asyncio.create_task(_backend(pool))
    await asyncio.gather(*reads)
    await asyncio.wait([waiting])
    at_once = [asyncio.create_task(_sleep(pool, 0.2)) for _ in range(3)]
    await asyncio.sleep(0.1)
    assert (pool.busy, pool.waiting) == (2, 1)
    await asyncio.gather(*at_once)
    assert (pool.busy, pool.waiting) == (0, 0)


async def test_metrics_count_what_is_busy_and_what_waits(pool: ReadPool) -> None:
    reads = [asyncio.create_task(_sleep(pool, 0.5)) for _ in range(5)]
    await asyncio.sleep(0.2)
    assert (pool.busy, pool.waiting, pool.size) == (2, 3, 2)
    await asyncio.gather(*reads)
    assert (pool.busy, pool.waiting, pool.idle) == (0, 0, 2)


async def test_connections_that_nobody_used_for_a_while_are_closed(pool: ReadPool) -> None:
    await asyncio.gather(*(_sleep(pool, 0.1) for _ in range(2)))
    await asyncio.sleep(0.1)
    in_use = await _backend(pool)
    await pool.close_unused(0.1)
    assert pool.idle == 1
    assert await _backend(pool) == in_use
    await pool.close_unused(0)
    assert pool.idle == 0
    assert await _backend(pool) != in_use


async def test_who_waits_too_long_is_told(pool: ReadPool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(read_pool, "LONGEST_WAIT_SECONDS", 0.05)
    busy = [asyncio.create_task(_sleep(pool, 0.5)) for _ in range(2)]
    await asyncio.sleep(0.1)
    with pytest.raises(TimeoutError):
        await _backend(pool)
    await asyncio.gather(*busy)
    assert await _backend(pool)


async def test_a_refused_statement_costs_no_connection(pool: ReadPool) -> None:
    before = await _backend(pool)
    with pytest.raises(asyncpg.DivisionByZeroError):
        await pool.execute(text("SELECT 1 / CAST(:zero AS int)"), {"zero": 0})
    assert await _backend(pool) == before


async def test_a_read_that_was_cut_off_takes_its_connection_with_it(pool: ReadPool) -> None:
    before = await _backend(pool)
    reading = asyncio.create_task(_sleep(pool, 5))
    await asyncio.sleep(0.1)
    reading.cancel()
    with pytest.raises(asyncio.CancelledError):
        await reading
    assert await _backend(pool) != before


async def test_a_connection_that_the_server_closed_is_replaced(pool: ReadPool, postgres: Postgres) -> None:
    before = await _backend(pool)
    other = await asyncpg.connect(postgres.url())
    await other.execute("SELECT pg_terminate_backend($1)", before)
    await other.close()
    await asyncio.sleep(0.1)
    assert await _backend(pool) != before


async def test_a_connection_that_lay_idle_for_long_is_not_trusted(
    pool: ReadPool, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = await _backend(pool)
    monkeypatch.setattr(read_pool, "LONGEST_IDLE_SECONDS", 0.01)
    await asyncio.sleep(0.05)
    assert await _backend(pool) != before


async def test_a_server_that_is_away_frees_the_place(postgres: Postgres) -> None:
    attempts: list[int] = []

    async def connect() -> asyncpg.Connection:
        attempts.append(1)
        if len(attempts) <= 3:
            raise ConnectionRefusedError
        return await asyncpg.connect(postgres.url())

    pool = ReadPool(connect, 1)
    for _ in range(3):
        with pytest.raises(ConnectionRefusedError):
            await _backend(pool)
    assert await _backend(pool)
    await pool.close()


async def _sleep(pool: ReadPool, seconds: float) -> None:
    await pool.execute(SLOW, {"seconds": seconds})
