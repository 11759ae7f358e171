"""One process migrates, composes and, the first time, loads: when it is told that the databases are there, and not before."""

import asyncio
import os
import sys
from collections.abc import Mapping
from pathlib import Path

import asyncpg
import pytest

from deploy.child import ChildError
from deploy.embedded import DOMAINS
from deploy.preparation import Preparation
from tests.testkit.servers import Postgres

PORTS = ",".join(f"{name}={8081 + number}" for number, name in enumerate(DOMAINS))


@pytest.fixture
def urls(postgres: Postgres, request: pytest.FixtureRequest) -> dict[str, str]:
    made = abs(hash(request.node.name))
    return {f"DATABASE_URL_{name.upper()}": postgres.create_database(f"{name}_{made}") for name in DOMAINS}


async def _begin(urls: Mapping[str, str], folder: Path) -> Preparation:
    arguments = ("--supergraph", str(folder / "supergraph.graphql"), "--ports", PORTS)
    return await Preparation.begin(arguments, {**urls, "PYTHONUNBUFFERED": "1"}, folder / "prepare.log")


async def _revisions(url: str) -> list[str]:
    connection = await asyncpg.connect(url)
    try:
        if await connection.fetchval("SELECT to_regclass('alembic_version')") is None:
            return []
        return [row[0] for row in await connection.fetch("SELECT version_num FROM alembic_version ORDER BY 1")]
    finally:
        await connection.close()


@pytest.mark.timeout(300)
async def test_nothing_is_done_before_it_is_told_and_everything_then(urls: dict[str, str], tmp_path: Path) -> None:
    preparation = await _begin(urls, tmp_path)
    await preparation.stop()
    assert list(tmp_path.iterdir()) == [tmp_path / "prepare.log"]
    assert [await _revisions(url) for url in urls.values()] == [[]] * 4

    preparation = await _begin(urls, tmp_path)
    await preparation.prepared()
    await preparation.finished()

    for name, url in zip(DOMAINS, urls.values(), strict=True):
        assert {revision.partition("_")[0] for revision in await _revisions(url)} == {"events", name}
    assert "http://127.0.0.1:8084/graphql" in (tmp_path / "supergraph.graphql").read_text()
    await preparation.stop()  # nothing happens


@pytest.mark.timeout(300)
async def test_whoever_gives_up_waiting_stops_it_all_the_same(tmp_path: Path) -> None:
    urls = {f"DATABASE_URL_{name.upper()}": "postgresql://127.0.0.1:1/nowhere" for name in DOMAINS}
    preparation = await _begin(urls, tmp_path)
    waiting = asyncio.create_task(preparation.finished())
    await asyncio.sleep(0)
    waiting.cancel()
    await asyncio.wait({waiting})

    await preparation.stop()

    assert waiting.cancelled()
    assert (tmp_path / "prepare.log").read_text() == "\n"


@pytest.mark.timeout(300)
async def test_a_database_that_cannot_be_migrated_is_told_and_nothing_serves(
    urls: dict[str, str], tmp_path: Path
) -> None:
    connection = await asyncpg.connect(urls["DATABASE_URL_NUTRITION"])
    await connection.execute("CREATE TABLE food (id text)")  # somebody else's
    await connection.close()
    preparation = await _begin(urls, tmp_path)

    with pytest.raises(ChildError, match='relation "food" already exists'):
        await preparation.prepared()

    assert not (tmp_path / "supergraph.graphql").exists()
    assert await _revisions(urls["DATABASE_URL_NUTRITION"]) == []


@pytest.mark.timeout(300)
async def test_where_its_stack_is_gone_it_ends_without_having_done_anything(tmp_path: Path) -> None:
    urls = {f"DATABASE_URL_{name.upper()}": "postgresql://127.0.0.1:1/nowhere" for name in DOMAINS}
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "deploy.prepare", "--supergraph", str(tmp_path / "graph"), "--ports", PORTS,
        env={**os.environ, **urls}, stdin=asyncio.subprocess.DEVNULL,
    )  # fmt: skip
    assert await process.wait() == 0
    assert list(tmp_path.iterdir()) == []
