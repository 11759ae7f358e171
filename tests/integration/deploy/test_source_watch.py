"""A supergraph that follows its sources, whatever they are: files, services, Python, and the list of them."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import orjson
import pytest
from starlette.applications import Starlette
from starlette.responses import JSONResponse
from starlette.routing import Route

from deploy.embedded import free_ports
from deploy.local_http import http_ok, json_of
from deploy.source_watch import _follow
from deploy.terminal import Terminal
from tests.testkit.strawberry_shop import serving

ROOT = Path(__file__).parents[3]
LINK = 'extend schema @link(url: "https://specs.apollo.dev/federation/v2.3", import: ["@key"])\n'
STARS = "import strawberry\n\n@strawberry.type\nclass Query:\n    stars: int\n\nschema = strawberry.federation.Schema(Query)\n"


async def until(claim: Callable[[], bool]) -> None:
    async with asyncio.timeout(60):
        while not claim():
            await asyncio.sleep(0.05)


@asynccontextmanager
async def following(folder: Path, *sources: str) -> AsyncIterator[Path]:
    """The supergraph file, once it is there."""
    file = folder / "all.graphql"
    task = asyncio.create_task(_follow(list(sources), file, Terminal()))
    try:
        await until(file.exists)
        yield file
    finally:
        task.cancel()
        await asyncio.wait([task])


async def test_every_kind_of_source_is_followed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "products.graphql").write_text("type Query { products: Int }")
    (tmp_path / "ratings.py").write_text(STARS)
    (tmp_path / "supergraph.yaml").write_text("subgraphs: {yard: {schema: {sdl: 'type Query { trees: Int }'}}}")
    served = "type Query { users: Int }"

    async def service(_: object) -> JSONResponse:
        return JSONResponse({"data": {"_service": {"sdl": served}}})

    async with serving(Starlette(routes=[Route("/", service, methods=["POST"])])) as port:
        sources = ("products.graphql", "ratings=ratings:schema", "supergraph.yaml", f"users=http://127.0.0.1:{port}/")
        async with following(tmp_path, *sources) as file:
            (tmp_path / "products.graphql").write_text("type Query { wares: Int }")
            await until(lambda: "wares: Int" in file.read_text())
            (tmp_path / "ratings.py").write_text(STARS.replace("stars", "hearts"))
            await until(lambda: "hearts: Int" in file.read_text())
            (tmp_path / "supergraph.yaml").write_text("subgraphs: {yard: {schema: {file: yard.graphql}}}")
            complaint = tmp_path / "all.graphql.error"
            await until(complaint.exists)
            assert complaint.read_text() == "subgraph yard: yard.graphql: no such file or directory"
            (tmp_path / "yard.graphql").write_text("type Query { bushes: Int }")
            await until(lambda: "bushes: Int" in file.read_text())
            assert not complaint.exists()
            served = "type Query { people: Int }"
            await until(lambda: "people: Int" in file.read_text())


async def test_what_does_not_compose_is_told_and_changes_nothing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    source, complaint = tmp_path / "products.graphql", tmp_path / "all.graphql.error"
    good = "type Query { products: Int }"
    source.write_text(good)
    async with following(tmp_path, str(source)) as file:
        before = file.read_text()
        source.write_text(LINK + 'type Query { product: Product } type Product @key(fields: "sku") { id: ID }')
        await until(complaint.exists)
        assert "[KEY_INVALID_FIELDS]" in complaint.read_text()
        assert file.read_text() == before
        source.write_text(good)
        await until(lambda: not complaint.exists())
        assert file.read_text() == before
    assert "`fittracker explain KEY_INVALID_FIELDS` says what it means" in capsys.readouterr().err


async def test_a_router_serves_sources_and_follows_them(tmp_path: Path) -> None:
    source = tmp_path / "products.graphql"
    source.write_text("type Query { products: Int }")
    (tmp_path / "supergraph.yaml").write_text("subgraphs: {products: {schema: {file: products.graphql}}}")
    port = free_ports(1)[0]
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "deploy", "router", "--supergraph", "supergraph.yaml", "--watch", "--dev", "--port", str(port),
        cwd=tmp_path, env={**os.environ, "PYTHONPATH": str(ROOT), "TMPDIR": str(tmp_path)},
        stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.DEVNULL,
    )  # fmt: skip
    try:
        await _holds(http_ok(port, "/ready"))
        source.write_text("type Query { wares: Int }")
        query = {"query": "{ __schema { queryType { fields { name } } } }"}

        async def is_swapped() -> bool:
            return b'"wares"' in orjson.dumps(await asyncio.to_thread(json_of, port, "/graphql", query))

        await _holds(is_swapped)
        source.write_text("type Query { wares: Nothing }")

        async def is_told() -> bool:
            answer = await asyncio.to_thread(json_of, port, "/ready")
            return "[INVALID_GRAPHQL]" in answer["components"]["supergraph"]["details"].get("error", "")

        await _holds(is_told)
    finally:
        process.send_signal(signal.SIGTERM)
        await process.wait()
    assert list(tmp_path.glob("fittracker-*")) == []


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells children of a parent's death")
async def test_a_watcher_that_is_killed_leaves_nobody_behind(tmp_path: Path) -> None:
    told = tmp_path / "composing.pid"
    slow = (
        f"import os, pathlib, time\npathlib.Path({str(told)!r}).write_text(str(os.getpid()) + '.')\ntime.sleep(600)\n"
    )
    (tmp_path / "slow.py").write_text(slow)
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "deploy", "compose", "slow=slow:schema", "-o", "all.graphql", "--watch",
        cwd=tmp_path, env={**os.environ, "PYTHONPATH": os.pathsep.join((str(ROOT), str(tmp_path)))},
        stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.DEVNULL,
    )  # fmt: skip
    try:
        await until(lambda: told.exists() and told.read_text().endswith("."))
    finally:
        process.kill()
        await process.wait()
    await until(lambda: not _runs(int(told.read_text().rstrip("."))))


def _runs(pid: int) -> bool:
    """A zombie does not: nobody may have asked for its end yet."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


async def _holds(claim: Callable[[], Awaitable[bool]]) -> None:
    async with asyncio.timeout(60):
        while not await claim():
            await asyncio.sleep(0.05)
