"""The operator's questions to Postgres, asked while there is something to see."""

from __future__ import annotations

import asyncio

import asyncpg
import pytest

from deploy.database_views import VIEWS, show
from deploy.sizing import largest_pool, sizing
from subgraphs.shell.database import Database
from tests.testkit.servers import Postgres


@pytest.fixture(scope="module")
def urls(postgres: Postgres) -> dict[str, str]:
    return {"users": postgres.create_database("fittracker_views")}


@pytest.mark.parametrize("verb", [verb for verb in VIEWS if verb != "slow"])
async def test_every_question_is_answered(urls: dict[str, str], verb: str) -> None:
    assert await asyncio.to_thread(show, verb, urls)


async def test_a_lock_names_who_waits_and_who_holds(urls: dict[str, str]) -> None:
    holder, waiter = await asyncpg.connect(urls["users"]), await asyncpg.connect(urls["users"])
    try:
        await holder.execute("CREATE TABLE IF NOT EXISTS wanted (id int)")
        await holder.execute("BEGIN; LOCK TABLE wanted IN ACCESS EXCLUSIVE MODE")
        waiting = asyncio.create_task(waiter.execute("SELECT * FROM wanted /* the waiting one */"))
        await asyncio.sleep(0.2)
        table = await asyncio.to_thread(show, "locks", urls)
        assert "the waiting one" in table
        assert str(holder.get_server_pid()) in table
        await holder.execute("COMMIT")
        await waiting
    finally:
        await holder.close()
        await waiter.close()


async def test_the_pools_never_open_more_than_sizing_says(urls: dict[str, str]) -> None:
    """Every pool of a process is driven to its end; the connections are counted by Postgres."""
    pool_size = 4
    database = Database(urls["users"], pool_size=pool_size, name="sized")
    allowed = sizing({"users": 1}, pool_size, has_replica=False).per_process

    async def hold(engine: object) -> None:
        async with engine.connect() as connection:  # type: ignore[attr-defined]
            await connection.exec_driver_sql("SELECT pg_sleep(0.6)")

    async def read() -> None:
        await database.batch_reader(_sleep)()

    try:
        work = [hold(database.writer) for _ in range(20)] + [hold(database.reader) for _ in range(20)]
        tasks = [asyncio.create_task(one) for one in (*work, *(read() for _ in range(20)))]
        await asyncio.sleep(0.4)
        observer = await asyncpg.connect(urls["users"])
        count = await observer.fetchval(
            "SELECT count(*) FROM pg_stat_activity WHERE application_name LIKE 'sized%' AND datname = current_database()"
        )
        await observer.close()
        await asyncio.gather(*tasks)
        assert pool_size * 2 < count <= allowed
    finally:
        await database.close()


def test_the_largest_pool_that_fits_fits_and_one_more_does_not() -> None:
    size = largest_pool(300, 4)
    assert sizing({"all": 4}, size, has_replica=False).wanted <= 300
    assert sizing({"all": 4}, size + 1, has_replica=False).wanted > 300


async def _sleep(reader: object) -> None:
    from sqlalchemy import text

    await reader.execute(text("SELECT pg_sleep(0.6)"), {})  # type: ignore[attr-defined]
