"""A router with few file descriptors says so to those beyond, and serves those it has."""

from __future__ import annotations

import asyncio
import os
import sys
from contextlib import AsyncExitStack
from pathlib import Path

from tests.integration.router.server.test_workers import SERVE, Served
from tests.testkit.servers import free_port
from tests.testkit.strawberry_shop import Shop

DESCRIPTORS = 100
ASK = b'{"query":"{ products { inStock } }"}'
REQUEST = b"POST /graphql HTTP/1.1\r\nhost: a\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n%b"


async def answered(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bytes:
    writer.write(REQUEST % (len(ASK), ASK))
    head = await reader.readuntil(b"\r\n\r\n")
    length = int(head.lower().partition(b"content-length:")[2].partition(b"\r\n")[0])
    return await reader.readexactly(length)


async def refusal(reader: asyncio.StreamReader) -> bytes:
    """What a client is told that asked nothing yet; empty for one that may stay."""
    try:
        async with asyncio.timeout(3):
            return await reader.read(4_000)
    except TimeoutError:
        return b""


async def test_when_descriptors_run_out_it_says_so_and_those_it_has_go_on(shop: Shop, tmp_path: Path) -> None:
    supergraph, script, port = tmp_path / "supergraph.graphql", tmp_path / "serve.py", free_port()
    supergraph.write_text(shop.supergraph)
    script.write_text(
        f"import resource\nresource.setrlimit(resource.RLIMIT_NOFILE, ({DESCRIPTORS}, {DESCRIPTORS}))\n{SERVE}\n"
        f"serve(load_settings(None, {{}}, supergraph=Path({str(supergraph)!r}), port={port}))\n"
    )
    process = await asyncio.create_subprocess_exec(
        sys.executable, str(script), stdout=asyncio.subprocess.PIPE, env={**os.environ, "PYTHONPATH": str(Path.cwd())}
    )
    served = Served(process, port)
    reading = asyncio.create_task(served.read())
    await served.until_answering()
    async with AsyncExitStack() as stack, asyncio.timeout(60):

        async def connect() -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
            opened = await asyncio.open_connection("127.0.0.1", port)
            stack.callback(opened[1].close)
            return opened

        first = await connect()
        expected = await answered(*first)
        others = [await connect() for _ in range(2 * DESCRIPTORS)]
        told = await asyncio.gather(*(refusal(reader) for reader, _ in others))
        refused = [each for each in told if each]
        assert DESCRIPTORS < len(refused) < 2 * DESCRIPTORS
        assert all(each.startswith(b"HTTP/1.1 503") and b"TOO_MANY_CONNECTIONS" in each for each in refused)
        assert await answered(*first) == expected
        staying = [other for other, said in zip(others, told, strict=True) if not said]
        assert await answered(*staying[-1]) == expected
    process.terminate()
    await process.wait()
    reading.cancel()
    assert not [event for event in served.events if event["level"] == "error"]
