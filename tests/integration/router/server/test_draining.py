"""How a router leaves: readiness first, then each connection with its next answer, idle ones last, streams told to come again."""

from __future__ import annotations

import asyncio
import json
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, nullcontext, suppress
from pathlib import Path

import aiohttp
import pytest
import uvicorn

from router.server.app import RouterApp, create_app
from router.server.draining import DrainingServer
from router.settings import load_settings
from tests.testkit.strawberry_shop import Shop

PATIENCE = 60.0


class Leaving:
    """A router on a port of this machine that can be asked to leave."""

    def __init__(self, app: RouterApp, listener: socket.socket, accept_seconds: float, idle_seconds: float) -> None:
        self.port: int = listener.getsockname()[1]
        config = uvicorn.Config(app, log_config=None, ws="websockets-sansio", timeout_graceful_shutdown=5)
        self.server = DrainingServer(config, app, accept_seconds=accept_seconds, idle_seconds=idle_seconds)
        self.server.capture_signals = nullcontext  # type: ignore[method-assign,assignment] # signals belong to pytest
        self.serving = asyncio.create_task(self.server.serve(sockets=[listener]))

    def leave(self) -> None:
        self.server.should_exit = True

    async def status(self, path: str = "/ready") -> tuple[int, str]:
        """Status and Connection header, over a connection of its own."""
        async with self.connected() as (reader, writer):
            return await asked(reader, writer, f"GET {path} HTTP/1.1\r\nHost: x\r\n\r\n".encode())

    @asynccontextmanager
    async def connected(self) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        try:
            yield reader, writer
        finally:
            writer.close()
            with suppress(ConnectionError):
                await writer.wait_closed()

    async def refuses(self) -> bool:
        try:
            await self.status()
        except OSError:
            return True
        return False


async def asked(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, request: bytes) -> tuple[int, str]:
    writer.write(request)
    head = (await reader.readuntil(b"\r\n\r\n")).decode().lower()
    length = next(int(line.split(":")[1]) for line in head.split("\r\n") if line.startswith("content-length"))
    await reader.readexactly(length)
    closes = next((line.split(": ")[1] for line in head.split("\r\n") if line.startswith("connection:")), "")
    return int(head.split(" ")[1]), closes


def post(query: str) -> bytes:
    body = json.dumps({"query": query}).encode()
    head = f"POST /graphql HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    return head.encode() + body


@pytest.fixture
async def leaving(shop: Shop, tmp_path: Path) -> AsyncIterator[Leaving]:
    supergraph = tmp_path / "supergraph.graphql"
    supergraph.write_text(shop.supergraph)
    settings = load_settings(None, {}, supergraph=supergraph, telemetry={"log_level": "error"})
    listener = socket.create_server(("127.0.0.1", 0))
    leaving = Leaving(create_app(settings), listener, accept_seconds=2.0, idle_seconds=PATIENCE)
    async with asyncio.timeout(PATIENCE):
        while not leaving.server.started:
            await asyncio.sleep(0.01)
    yield leaving
    leaving.server.should_exit = leaving.server.force_exit = True
    await asyncio.wait_for(leaving.serving, PATIENCE)


async def test_a_leaving_router_loses_no_request_of_those_who_are_connected(leaving: Leaving) -> None:
    async with leaving.connected() as idle, aiohttp.ClientSession() as session:
        assert await asked(*idle, post("{ __typename }")) == (200, "")
        address = f"ws://127.0.0.1:{leaving.port}/graphql"
        async with session.ws_connect(address, protocols=("graphql-transport-ws",)) as websocket:
            await websocket.send_json({"type": "connection_init"})
            assert (await websocket.receive_json())["type"] == "connection_ack"
            assert await leaving.status() == (200, "")
            leaving.leave()
            async with asyncio.timeout(PATIENCE):
                while (await leaving.status())[0] != 503:  # it says so while it still accepts
                    await asyncio.sleep(0.02)
            assert await leaving.status() == (503, "close")
            assert await leaving.status("/live") == (200, "close")
            assert (await websocket.receive(timeout=PATIENCE)).type is not aiohttp.WSMsgType.TEXT
            assert websocket.close_code in (aiohttp.WSCloseCode.GOING_AWAY, aiohttp.WSCloseCode.SERVICE_RESTART)
        async with asyncio.timeout(PATIENCE):
            while not await leaving.refuses():
                await asyncio.sleep(0.02)
        # long idle and still served, once more and for the last time
        assert await asked(*idle, post("{ __typename }")) == (200, "close")
        assert await idle[0].read() == b""
    await asyncio.wait_for(leaving.serving, PATIENCE)
