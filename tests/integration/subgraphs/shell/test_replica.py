"""Reads go to a standby that streams from its primary while it is fresh, and to the primary while it is not."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager

import asyncpg
import orjson
import pytest

from subgraphs.shell.database import Database, migrate
from subgraphs.shell.settings import Settings
from tests.integration.subgraphs.shell.test_app import running
from tests.testkit.running_stack import eventually
from tests.testkit.servers import Postgres
from tests.testkit.subgraph import SECRET


@pytest.fixture(scope="module")
def primary() -> Iterator[Postgres]:
    server = Postgres()
    server.start()
    yield server
    server.stop()


@pytest.fixture(scope="module")
def standby(primary: Postgres) -> Iterator[Postgres]:
    server = Postgres.standby_of(primary)
    server.start()
    yield server
    server.stop()


@asynccontextmanager
async def connected(url: str) -> AsyncIterator[asyncpg.Connection]:
    connection = await asyncpg.connect(url)
    try:
        yield connection
    finally:
        await connection.close()


async def test_reads_leave_a_replica_that_is_late_or_away_and_come_back(primary: Postgres, standby: Postgres) -> None:
    url = primary.create_database("things")
    replica_url = standby.url("things")
    async with connected(url) as writer:
        await writer.execute("CREATE TABLE thing (id int)")
        database = Database(url, replica_url=replica_url, replica_most_lag_seconds=0.3)
        guard = database.replica
        assert guard is not None

        async def reads_from(server: Postgres) -> bool:
            await guard.look()
            async with database.reading() as connection:
                found = (await connection.exec_driver_sql("SELECT inet_server_port()")).scalar_one()
            return bool(found == server.port)

        try:
            async with database.reading() as connection:  # nobody has looked yet
                assert (await connection.exec_driver_sql("SELECT inet_server_port()")).scalar_one() == primary.port
            await eventually(lambda: reads_from(standby), seconds=60)
            async with connected(replica_url) as control:
                await control.execute("SELECT pg_wal_replay_pause()")
                await writer.execute("INSERT INTO thing VALUES (1)")
                await eventually(lambda: reads_from(primary), seconds=60)
                async with database.reading() as connection:
                    assert (await connection.exec_driver_sql("SELECT count(*) FROM thing")).scalar_one() == 1
                with pytest.raises(ConnectionError):
                    await database.ping_replica()
                await control.execute("SELECT pg_wal_replay_resume()")
            await eventually(lambda: reads_from(standby), seconds=60)
            standby.kill()
            await eventually(lambda: reads_from(primary), seconds=60)
            standby.start()
            await eventually(lambda: reads_from(standby), seconds=60)
        finally:
            await database.close()


async def test_health_and_metrics_tell_of_the_replica(primary: Postgres, standby: Postgres) -> None:
    url = primary.create_database("users_with_replica")
    await migrate("users", url)
    async with connected(url) as writer:
        position = await writer.fetchval("SELECT pg_current_wal_lsn()")

        async def is_replayed() -> bool:
            async with connected(standby.url("users_with_replica")) as reader:
                return bool(await reader.fetchval("SELECT pg_last_wal_replay_lsn() >= $1", position))

        await eventually(is_replayed, seconds=60)
    settings = Settings(
        subgraph="users", database_url=url, database_replica_url=standby.url("users_with_replica"), jwt_secret=SECRET,
        log_level="ERROR", database_replica_most_lag_seconds=60,
    )  # fmt: skip
    async with running(settings) as subgraph:

        async def is_up() -> bool:
            components = orjson.loads((await subgraph.get("/actuator/health"))[1])["components"]
            return bool(components["dbReader"]["status"] == components["replica"]["status"] == "UP")

        await eventually(is_up, seconds=60)
        metrics = (await subgraph.get("/actuator/prometheus"))[1].decode()
        assert 'database_replica_in_use{pool="users"} 1.0' in metrics
