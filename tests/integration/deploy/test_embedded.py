"""The three embedded servers start on free ports, speak their protocols, come back after a kill and leave no process."""

import asyncio
import os
import shutil
import signal
from pathlib import Path

import asyncpg
import pytest
from redis.asyncio import Redis

from deploy.child import ChildError, ChildSpec
from deploy.embedded import EmbeddedPorts, create_databases, embedded_servers, postgres_spec, valkey_spec
from deploy.supervisor import Supervisor


def _ignore(_name: str, _line: str) -> None:
    """These tests look at processes, not at log lines."""


async def test_the_trio_starts_on_free_ports_with_four_databases(tmp_path: Path) -> None:
    async with embedded_servers(tmp_path) as servers:
        environment = servers.environment()
        connection = await asyncpg.connect(environment["DATABASE_URL_ANALYTICS"])
        assert await connection.fetchval("select current_database()") == "fittracker_analytics"
        await connection.close()
        redis = Redis.from_url(environment["REDIS_URL"])
        assert await redis.ping()
        await redis.aclose()
        _, writer = await asyncio.open_connection("127.0.0.1", servers.ports.broker)
        writer.close()
        await writer.wait_closed()


async def test_rows_survive_a_stop_and_a_second_start(tmp_path: Path) -> None:
    for expected in (0, 1):
        async with embedded_servers(tmp_path) as servers:
            connection = await asyncpg.connect(servers.database_url("users"))
            await connection.execute("create table if not exists note (text text)")
            assert await connection.fetchval("select count(*) from note") == expected
            await connection.execute("insert into note values ('kept')")
            await connection.close()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root keeps Postgres's files elsewhere")
async def test_a_directory_that_was_removed_starts_empty_and_temporary_ones_leave_nothing(tmp_path: Path) -> None:
    tmp_path.chmod(0o700)  # nobody but root gets in
    directory, other = tmp_path / "data", tmp_path / "other"
    async with embedded_servers(directory) as servers:
        connection = await asyncpg.connect(servers.database_url("users"))
        await connection.execute("create table note (text text)")
        await connection.close()
    store = Path((directory / "postgres-location").read_text())
    assert (store / "postgres" / "PG_VERSION").exists()
    shutil.rmtree(directory)
    async with embedded_servers(directory) as servers:
        connection = await asyncpg.connect(servers.database_url("users"))
        assert await connection.fetchval("select to_regclass('note')") is None
        await connection.close()
    shutil.rmtree(directory)
    async with embedded_servers(other):
        assert not store.exists()


async def test_a_killed_postgres_comes_back_with_what_was_committed(tmp_path: Path) -> None:
    ports = EmbeddedPorts.free()
    async with Supervisor(_ignore, _ignore) as supervisor:
        await supervisor.start(postgres_spec(tmp_path, ports.postgres))
        await create_databases(ports.postgres)
        url = f"postgresql://fittracker@127.0.0.1:{ports.postgres}/fittracker_users"
        connection = await asyncpg.connect(url)
        await connection.execute("create table note (text text)")
        await connection.execute("insert into note values ('acknowledged')")
        first = supervisor.pids["postgres"]
        supervisor.signal_child("postgres", signal.SIGKILL)
        async with asyncio.timeout(20):
            while supervisor.pids.get("postgres") in (None, first):
                await asyncio.sleep(0.05)
        connection = await asyncpg.connect(url)
        assert await connection.fetchval("select text from note") == "acknowledged"
        await connection.close()


async def test_stop_leaves_no_process(tmp_path: Path) -> None:
    async with Supervisor(_ignore, _ignore) as supervisor:
        await supervisor.start(valkey_spec(tmp_path, EmbeddedPorts.free().valkey))
        pid = supervisor.pids["valkey"]
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)


async def test_a_child_that_dies_at_start_is_told_with_its_last_words() -> None:
    async def never() -> bool:
        return False

    spec = ChildSpec("doomed", ("/bin/sh", "-c", "echo no such disk; exit 3"), 0, never)
    async with Supervisor(_ignore, _ignore) as supervisor:
        with pytest.raises(ChildError, match=r"doomed ended at start with code 3:\nno such disk"):
            await supervisor.start(spec)
