"""What a client can make the server hold before its request has even a head."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import aiohttp
import orjson
import pytest

from router.server.bounded_http import bounded_http
from router.settings import Limits
from tests.testkit.strawberry_shop import serving


async def hello(scope: dict[str, object], receive: object, send: object) -> None:
    assert scope["type"] == "http"
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"2")]})  # type: ignore[operator]
    await send({"type": "http.response.body", "body": b"hi"})  # type: ignore[operator]


@pytest.fixture
async def port() -> AsyncIterator[int]:
    async with serving(hello, http=bounded_http(Limits(header_bytes=10_000), 1)) as bound:
        yield bound


async def refusal(port: int, head: bytes, *more: bytes) -> tuple[bytes, str]:
    """The status line and the code of the answer."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    async with asyncio.timeout(5):
        for part in (head, *more):
            writer.write(part)
            await asyncio.sleep(0.01)
        answer = await reader.read()
    writer.close()
    return answer.split(b"\r\n")[0], orjson.loads(answer.partition(b"\r\n\r\n")[2])["errors"][0]["extensions"]["code"]


@pytest.mark.parametrize(
    "parts",
    [
        (b"GET / HTTP/1.1\r\n", b"X-A: " + b"a" * 20_000),
        (b"GET / HTTP/1.1\r\n", *[b"X-A: a\r\n" * 100] * 13),
        (b"GET /" + b"a" * 9_000, b"a" * 9_000),
    ],
    ids=["one header", "many headers", "address"],
)
async def test_a_head_without_end_is_refused(port: int, parts: tuple[bytes, ...]) -> None:
    assert await refusal(port, *parts) == (b"HTTP/1.1 431 Request Header Fields Too Large", "HEADERS_TOO_LARGE")


async def test_a_head_that_does_not_come_is_not_waited_for(port: int) -> None:
    assert await refusal(port, b"GET / HT") == (b"HTTP/1.1 408 Request Timeout", "REQUEST_TIMEOUT")


async def test_a_connection_that_has_sent_a_request_stays_and_long_bodies_are_no_heads(port: int) -> None:
    connector = aiohttp.TCPConnector(limit=1)
    async with aiohttp.ClientSession(connector=connector) as session:
        for _ in range(3):
            async with session.post(f"http://127.0.0.1:{port}/", data=b"a" * 50_000) as response:
                assert await response.text() == "hi"
            await asyncio.sleep(0.4)
