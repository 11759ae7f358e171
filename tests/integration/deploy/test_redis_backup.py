"""The state server as production configures it: what it held is there after a kill, and in another server from a snapshot."""

from __future__ import annotations

import asyncio
import os
import shutil
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import pytest
from redis.asyncio import Redis
from redis.exceptions import BusyLoadingError
from redis.exceptions import ConnectionError as RedisConnectionError

from deploy.embedded import valkey_binary
from deploy.secret_files import write_secrets
from tests.testkit.servers import free_port


@pytest.fixture
def configuration(tmp_path: Path) -> tuple[Path, str]:
    """The file that `fittracker secrets` made, but for the image's folder /data, and the password in it."""
    write_secrets(tmp_path / "secrets", postgres_host="postgres", redis_host="redis")
    made = (tmp_path / "secrets" / "redis_conf").read_text()
    assert made.count("dir /data\n") == 1
    file = tmp_path / "redis.conf"
    file.write_text(made.replace("dir /data\n", ""))
    return file, (tmp_path / "secrets" / "redis_password").read_text().strip()


@asynccontextmanager
async def serving(configuration: tuple[Path, str], folder: Path, *options: str) -> AsyncIterator[tuple[str, Redis]]:
    """A server over the folder, killed at the end; its URL, and a client."""
    file, password = configuration
    folder.mkdir(exist_ok=True)
    port = free_port()
    process = await asyncio.create_subprocess_exec(
        str(valkey_binary()), str(file), "--port", str(port), "--bind", "127.0.0.1", "--dir", str(folder), *options,
        stdout=asyncio.subprocess.DEVNULL,
    )  # fmt: skip
    url = f"redis://:{password}@127.0.0.1:{port}/0"
    client = Redis.from_url(url)
    try:
        async with asyncio.timeout(60):
            while True:
                with suppress(RedisConnectionError, BusyLoadingError):
                    await client.ping()
                    break
                await asyncio.sleep(0.05)
        yield url, client
    finally:
        await client.aclose()
        process.kill()
        await process.wait()


async def test_what_was_written_survives_a_kill(configuration: tuple[Path, str], tmp_path: Path) -> None:
    async with serving(configuration, tmp_path / "data") as (_, client):
        await client.set("attempts", "3")
    async with serving(configuration, tmp_path / "data") as (_, client):
        assert await client.get("attempts") == b"3"


async def test_a_snapshot_of_a_running_server_fills_another_one(
    configuration: tuple[Path, str], tmp_path: Path
) -> None:
    if shutil.which("valkey-cli") is None and shutil.which("redis-cli") is None:
        pytest.skip("needs valkey-cli or redis-cli")
    other = tmp_path / "other"
    other.mkdir()
    async with serving(configuration, tmp_path / "data") as (url, client):
        await client.set("attempts", "3", ex=600)
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "deploy", "redis", "--", "--rdb", str(other / "dump.rdb"),
            env={**os.environ, "REDIS_URL": url}, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT,
        )  # fmt: skip
        told, _ = await asyncio.wait_for(process.communicate(), 60)
        assert process.returncode == 0, told
    async with serving(configuration, other, "--appendonly", "no") as (_, client):
        assert await client.get("attempts") == b"3"
        assert 0 < await client.ttl("attempts") <= 600
        await client.config_set("appendonly", "yes")
        async with asyncio.timeout(60):
            while (await client.info("persistence"))["aof_rewrite_in_progress"]:
                await asyncio.sleep(0.05)
    async with serving(configuration, other) as (_, client):  # with production's settings again
        assert await client.get("attempts") == b"3"
