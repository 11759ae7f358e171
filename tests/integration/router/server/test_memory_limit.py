"""A router that finds no memory for a request says so, and serves everything again when there is some."""

from __future__ import annotations

import asyncio
import io
import os
import resource
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

import aiohttp
import orjson

from tests.integration.router.server.test_workers import SERVE, Served
from tests.testkit.servers import free_port
from tests.testkit.strawberry_shop import Shop

SMALL = {"query": "{ products { inStock } }"}
#: From what a process may still have lying about to what it has to ask the system for.
SIZES = (50_000, 100_000, 200_000, 300_000, 500_000, 900_000, 1_800_000)
#: What is left for all that is small: orjson and other libraries end a process that finds no memory for a few hundred bytes.
LEFT_BYTES = 256 * 1024


@asynccontextmanager
async def serving_process(shop: Shop, folder: Path) -> AsyncIterator[Served]:
    supergraph, script, port = folder / "supergraph.graphql", folder / "serve.py", free_port()
    supergraph.write_text(shop.supergraph)
    script.write_text(f"{SERVE}\nserve(load_settings(None, {{}}, supergraph=Path({str(supergraph)!r}), port={port}))\n")
    process = await asyncio.create_subprocess_exec(
        sys.executable, str(script), stdout=asyncio.subprocess.PIPE, env={**os.environ, "PYTHONPATH": str(Path.cwd())}
    )
    served = Served(process, port)
    reading = asyncio.create_task(served.read())
    try:
        await served.until_answering()
        yield served
    finally:
        process.kill()
        await process.wait()
        reading.cancel()


def limit_memory(pid: int, most: int) -> None:
    resource.prlimit(pid, resource.RLIMIT_AS, (most, resource.RLIM_INFINITY))


async def test_without_memory_a_client_is_told_to_come_back(shop: Shop, tmp_path: Path) -> None:
    async with serving_process(shop, tmp_path) as served, aiohttp.ClientSession() as session, asyncio.timeout(60):

        async def ask(body: Any) -> tuple[int, Any]:
            url, data = f"http://127.0.0.1:{served.port}/graphql", io.BytesIO(orjson.dumps(body))
            async with session.post(url, data=data, headers={"content-type": "application/json"}) as response:
                return response.status, await response.json()

        expected = await ask(SMALL)
        pages = int(Path(f"/proc/{served.process.pid}/statm").read_text(encoding="ascii").split()[0])
        limit_memory(served.process.pid, pages * resource.getpagesize() + LEFT_BYTES)
        told = []
        for size in SIZES * 5:
            with suppress(aiohttp.ClientConnectionError):  # no memory for the bytes as they arrive: the connection ends
                told.append(await ask({**SMALL, "variables": {"text": "a" * size}}))
                told.append(await ask(SMALL))  # for which there may be none, either
        refused = [answer for answer in told if answer != expected]
        assert refused
        assert {(status, answer["errors"][0]["extensions"]["code"]) for status, answer in refused} == {
            (503, "OUT_OF_MEMORY")
        }
        limit_memory(served.process.pid, resource.RLIM_INFINITY)
        for size in SIZES:
            assert await ask({**SMALL, "variables": {"text": "a" * size}}) == expected
    assert not [event for event in served.events if event["event"] == "request_failed"]
