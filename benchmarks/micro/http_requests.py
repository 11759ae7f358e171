"""The router behind uvicorn's protocol with a client in memory: what a request costs from its bytes to the answer's.

Sockets to the subgraphs are real, those to the client are not, and one request follows the other. `counted_stages` runs
it under callgrind, `bytecodes` under a tracer.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import orjson
from uvicorn.lifespan.on import LifespanOn
from uvicorn.server import ServerState

from benchmarks.load import joined
from benchmarks.shop.facts import SHOP
from benchmarks.shop.workloads import DEFERRED, HEAVY
from benchmarks.signed_in import key_set
from benchmarks.workload import IN_PARTS, Workload
from router.server.app import create_app
from router.server.workers import router_server
from router.settings import Jwt, Settings

#: What a client library sends; wrk sends fewer.
HEAD = (
    "POST /graphql HTTP/1.1\r\nhost: localhost:8080\r\naccept: {accept}\r\naccept-encoding: identity\r\n"
    "{authorization}"
    "connection: keep-alive\r\nuser-agent: benchmark/1\r\ncontent-type: application/json\r\ncontent-length: {size}\r\n\r\n"
)


#: In place of a response's size where its head names none.
IN_CHUNKS = -1
LAST_CHUNK = b"\r\n0\r\n\r\n"


class MemoryTransport(asyncio.Transport):
    """A client's side of a connection: `answer` is done when a whole response has been written."""

    def __init__(self) -> None:
        super().__init__({"peername": ("127.0.0.1", 50_000), "sockname": ("127.0.0.1", 8080)})
        self.answer: asyncio.Future[bytes] | None = None
        self._written = b""
        self._size = 0

    def write(self, data: bytes | bytearray | memoryview) -> None:
        self._written += data
        if not self._size:
            head, _, _ = self._written.partition(b"\r\n\r\n")
            lines = head.lower().split(b"\r\n")
            length = next((int(line[15:]) for line in lines if line.startswith(b"content-length:")), None)
            self._size = IN_CHUNKS if length is None else len(head) + 4 + length
        if self._written.endswith(LAST_CHUNK) if self._size == IN_CHUNKS else len(self._written) >= self._size:
            assert self.answer is not None
            self.answer.set_result(self._written)
            self._written, self._size = b"", 0

    def writelines(self, list_of_data: Iterable[bytes | bytearray | memoryview]) -> None:
        self.write(b"".join(list_of_data))

    def is_closing(self) -> bool:
        return False

    def pause_reading(self) -> None:
        """A client in memory sends no more than one request at a time."""

    def resume_reading(self) -> None:
        """As `pause_reading`."""

    def close(self) -> None:
        """There is no socket."""


class HttpClient:
    """Sends one workload's requests, each after the answer to the one before."""

    def __init__(self, protocol: Any, transport: MemoryTransport) -> None:
        self._protocol = protocol
        self._transport = transport

    async def post(self, body: bytes, accept: str = "application/json", authorization: str = "") -> bytes:
        """The whole response, head and body."""
        answer: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()
        self._transport.answer = answer
        line = f"authorization: {authorization}\r\n" if authorization else ""
        head = HEAD.format(size=len(body), accept=accept, authorization=line)
        self._protocol.data_received(head.encode() + body)
        return await answer

    async def send(self, workload: Workload, first: int, times: int) -> None:
        """Requests number `first` to `first + times - 1`: their number makes each text of `cold` a new one, and says who asks."""
        authorizations = workload.authorizations()
        for number in range(first, first + times):
            asked: dict[str, Any] = {"query": workload.operation_text(number)}
            if workload.is_distinct:
                asked["variables"] = {"request": str(number)}
            await self.post(orjson.dumps(asked), authorization=authorizations[number % len(authorizations)])

    async def send_deferred(self, times: int) -> None:
        """The heavy operation with its inner reviews in later parts."""
        for _ in range(times):
            await self.post(orjson.dumps({"query": DEFERRED}), IN_PARTS)

    async def verify_deferred(self) -> None:
        """Raises SystemExit where the parts do not make the answer to the plain operation."""
        response = await self.post(orjson.dumps({"query": DEFERRED}), IN_PARTS)
        body = _without_chunks(response)
        if joined(body) != Workload("heavy", "", SHOP, HEAVY).expected():
            raise SystemExit(f"wrong parts: {body[:500]!r}")

    async def verify(self, workload: Workload) -> None:
        """Raises SystemExit for a wrong answer."""
        response = await self.post(
            orjson.dumps({"query": workload.operation_text()}), authorization=workload.authorizations()[0]
        )
        body = response.partition(b"\r\n\r\n")[2]
        if orjson.loads(body) != {"data": workload.expected()}:
            raise SystemExit(f"wrong answer to {workload.name}: {body[:500]!r}")


def _without_chunks(response: bytes) -> bytes:
    """The body of a response in chunks."""
    rest, body = response.partition(b"\r\n\r\n")[2], b""
    while rest:
        size, _, rest = rest.partition(b"\r\n")
        body, rest = body + rest[: int(size, 16)], rest[int(size, 16) + 2 :]
    return body


@asynccontextmanager
async def router_in_memory(supergraph: Path, *, signed_in: bool = False) -> AsyncIterator[HttpClient]:
    """`clients_in_memory`, one of them."""
    async with clients_in_memory(supergraph, 1, signed_in=signed_in) as (client,):
        yield client


@asynccontextmanager
async def clients_in_memory(
    supergraph: Path, number: int, *, signed_in: bool = False
) -> AsyncIterator[list[HttpClient]]:
    """So many clients, each with a connection, of the router with its usual settings, as `router.server.workers` serves it. With
    `signed_in` every request has to have a token of `benchmarks.signed_in`, whose key set is written beside the supergraph.
    """
    settings = Settings(supergraph=supergraph)
    if signed_in:
        keys = supergraph.with_name("jwks.json")
        keys.write_text(key_set())
        settings = Settings(supergraph=supergraph, jwt=Jwt(jwks=(str(keys),), required=True))
    config = router_server(settings, create_app(settings)).config
    config.load()
    lifespan = LifespanOn(config)
    await lifespan.startup()
    state = ServerState()
    state.default_headers = [(b"date", time.strftime("%a, %d %b %Y %H:%M:%S GMT", time.gmtime()).encode())]
    connections = []
    for _ in range(number):
        protocol: Any = config.http_protocol_class(config=config, server_state=state, app_state={})  # type: ignore[call-arg]
        transport = MemoryTransport()
        protocol.connection_made(transport)
        connections.append((protocol, transport))
    try:
        yield [HttpClient(*each) for each in connections]
    finally:
        for protocol, _ in connections:
            protocol.connection_lost(None)
        await lifespan.shutdown()
