"""A router that finds no memory for a request says so, and serves everything again when there is some."""

from __future__ import annotations

import asyncio
import io
import os
import resource
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

import aiohttp
import orjson
import pytest

from tests.integration.router.server.test_workers import SERVE, Served
from tests.testkit.servers import free_port
from tests.testkit.strawberry_shop import Shop

SMALL = {"query": "{ products { inStock } }"}
#: Of a text: much longer ones crash orjson where it finds no memory for them.
CHARACTERS = 30_000


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
        with suppress(ProcessLookupError):
            process.kill()
        await process.wait()
        reading.cancel()


async def ended_by(process: asyncio.subprocess.Process) -> int | None:
    """The return code of a process that is at its end; None while it lives."""
    with suppress(TimeoutError):
        await asyncio.wait_for(process.wait(), 0.5)
    return process.returncode


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
        limit_memory(served.process.pid, pages * resource.getpagesize())
        told = []
        for _ in range(20):
            with suppress(aiohttp.ClientConnectionError):  # no memory for the bytes as they arrive: the connection ends
                told.append(await ask({**SMALL, "variables": {"text": "a" * CHARACTERS}}))
        if await ended_by(served.process) == -signal.SIGSEGV:
            pytest.skip("orjson itself may crash where a long string finds no memory")
        refused = [answer for answer in told if answer != expected]
        assert refused
        assert {(status, answer["errors"][0]["extensions"]["code"]) for status, answer in refused} == {
            (503, "OUT_OF_MEMORY")
        }
        limit_memory(served.process.pid, resource.RLIM_INFINITY)
        for _ in range(5):
            assert await ask({**SMALL, "variables": {"text": "a" * CHARACTERS}}) == expected
    assert not [event for event in served.events if event["event"] == "request_failed"]
