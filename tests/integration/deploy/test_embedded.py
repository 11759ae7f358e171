"""The three embedded servers start on free ports, speak their protocols, come back after a kill and leave no process."""

import asyncio
import os
import shutil
import signal
import sys
from pathlib import Path

import asyncpg
import pytest
from redis.asyncio import Redis
from redis.exceptions import AuthenticationError

from deploy.child import ChildError, ChildSpec
from deploy.embedded import (
    EmbeddedPorts,
    EmbeddedServers,
    cache_spec,
    create_databases,
    embedded_servers,
    postgres_spec,
    valkey_spec,
)
from deploy.server_secret import ServerSecret
from deploy.supervisor import Supervisor
from subgraphs.users.commands.attempts import GUESSES, count_attempt

ROOT = Path(__file__).parents[3]


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
        servers = EmbeddedServers(ports, ServerSecret.of(tmp_path))
        await create_databases(servers)
        url = servers.database_url("users")
        connection = await asyncpg.connect(url)
        await connection.execute("create table note (text text)")
        await connection.execute("insert into note values ('acknowledged')")
        first = supervisor.pids["postgres"]
        supervisor.signal_child("postgres", signal.SIGKILL)
        async with asyncio.timeout(60):
            while supervisor.pids.get("postgres") in (None, first):
                await asyncio.sleep(0.05)
        connection = await asyncpg.connect(url)
        assert await connection.fetchval("select text from note") == "acknowledged"
        await connection.close()


async def test_a_cluster_that_was_killed_while_it_was_made_is_made_anew(tmp_path: Path) -> None:
    made = f"from pathlib import Path; from deploy.embedded import postgres_spec; postgres_spec(Path({str(tmp_path)!r}), 5432)"
    maker = await asyncio.create_subprocess_exec(sys.executable, "-c", made, cwd=ROOT, start_new_session=True)
    folders = (tmp_path, *Path("/var/lib/fittracker").glob("data-*"))  # the latter where root runs it as another user
    async with asyncio.timeout(60):
        while not (halves := [each for folder in folders for each in folder.glob(f"postgres.{maker.pid}.part/base")]):
            await asyncio.sleep(0.002)
            folders = (tmp_path, *Path("/var/lib/fittracker").glob("data-*"))
    os.killpg(maker.pid, signal.SIGKILL)  # initdb with it
    await maker.wait()
    (half,) = halves
    assert not (half.parents[1] / "postgres").exists()
    async with embedded_servers(tmp_path) as servers:
        connection = await asyncpg.connect(servers.database_url("users"))
        assert await connection.fetchval("SELECT 1") == 1
        await connection.close()
    assert not half.parent.exists()


async def test_nobody_gets_in_without_the_secret_and_a_service_only_into_its_own(tmp_path: Path) -> None:
    async with embedded_servers(tmp_path) as servers:
        address = f"127.0.0.1:{servers.ports.postgres}"
        for url in (
            f"postgresql://fittracker@{address}/postgres",
            f"postgresql://fittracker:guess@{address}/postgres",
            f"postgresql://fittracker_users@{address}/fittracker_users",
        ):
            with pytest.raises(asyncpg.InvalidPasswordError):
                await asyncpg.connect(url)
        own = servers.database_url("users")
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await asyncpg.connect(own.rpartition("/")[0] + "/fittracker_nutrition")
        connection = await asyncpg.connect(own)
        assert not await connection.fetchval("SELECT rolsuper FROM pg_roles WHERE rolname = current_user")
        for statement in (
            "COPY (SELECT 1) TO PROGRAM 'true'",
            "SELECT pg_read_file('/etc/passwd')",
            "CREATE ROLE other",
        ):
            with pytest.raises(asyncpg.InsufficientPrivilegeError):
                await connection.execute(statement)
        await connection.close()
        stranger = Redis.from_url(f"redis://127.0.0.1:{servers.ports.valkey}/0")
        with pytest.raises(AuthenticationError):
            await stranger.ping()
        await stranger.aclose()
    for name in ("servers-secret", "valkey.conf"):
        assert (tmp_path / name).stat().st_mode & 0o077 == 0


async def test_whoever_fills_the_routers_cache_evicts_no_counted_attempt(tmp_path: Path) -> None:
    ports = EmbeddedPorts.free()
    async with Supervisor(_ignore, _ignore) as supervisor:
        await supervisor.start_together([valkey_spec(tmp_path, ports.valkey), cache_spec(tmp_path, ports.cache)])
        servers = EmbeddedServers(ports, ServerSecret.of(tmp_path))
        async with Redis.from_url(servers.redis_url) as lasting, Redis.from_url(servers.router_redis_url) as cache:
            for _ in range(GUESSES.free):
                await count_attempt(lasting, "somebody@example.com")
            (counted,) = await lasting.keys("attempts:*")
            document = b"x" * 1_000_000
            for number in range(200):  # 200 MB into 128
                await cache.set(f"document:{number}", document)
            assert await cache.dbsize() < 200
            assert await lasting.hget(counted, "count") == str(GUESSES.free).encode()
            assert (await lasting.config_get("maxmemory-policy"))["maxmemory-policy"] == "noeviction"


@pytest.mark.skipif(os.geteuid() != 0, reason="only root runs Postgres as another user")
async def test_postgres_has_none_of_roots_groups(tmp_path: Path) -> None:
    async with Supervisor(_ignore, _ignore) as supervisor:
        await supervisor.start(postgres_spec(tmp_path, EmbeddedPorts.free().postgres))
        status = Path(f"/proc/{supervisor.pids['postgres']}/status").read_text()
    ids = {line.partition(":")[0]: line.split()[1:] for line in status.splitlines()}
    assert "0" not in ids["Uid"] + ids["Gid"] + ids["Groups"]


async def test_a_cluster_that_trusted_everybody_asks_for_passwords_and_keeps_its_rows(tmp_path: Path) -> None:
    async with embedded_servers(tmp_path) as servers:
        connection = await asyncpg.connect(servers.superuser_url.replace("/postgres", "/fittracker_users", 1))
        await connection.execute("CREATE TABLE note (text text); INSERT INTO note VALUES ('kept')")
        hba = Path(await connection.fetchval("SHOW hba_file"))
        await connection.close()
    hba.write_text("host all all 127.0.0.1/32 trust\n")
    (hba.parent / "fittracker-password-digest").unlink()
    (tmp_path / "servers-secret").unlink()  # as an earlier release left it
    async with embedded_servers(tmp_path) as servers:
        with pytest.raises(asyncpg.InvalidPasswordError):
            await asyncpg.connect(f"postgresql://fittracker@127.0.0.1:{servers.ports.postgres}/postgres")
        connection = await asyncpg.connect(servers.database_url("users"))
        assert await connection.fetchval("SELECT text FROM note") == "kept"
        await connection.execute("ALTER TABLE note ADD COLUMN more text")  # it is the service's now
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
