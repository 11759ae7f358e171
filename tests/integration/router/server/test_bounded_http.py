"""What a client can make the server hold before its request has even a head."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import aiohttp
import orjson
import pytest

from router.server.bounded_http import ConnectionCaps, bounded_http
from router.server.whole_request import WholeRequest, WholeRequestProtocol
from tests.testkit.strawberry_shop import serving


async def hello(scope: dict[str, object], receive: object, send: object) -> None:
    if scope["type"] == "websocket":
        await receive()  # type: ignore[operator] # websocket.connect
        await send({"type": "websocket.accept"})  # type: ignore[operator]
        await receive()  # type: ignore[operator] # whatever comes, or its end
        return
    assert scope["type"] == "http"
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"2")]})  # type: ignore[operator]
    await send({"type": "http.response.body", "body": b"hi"})  # type: ignore[operator]


class Hello:
    """Takes whole requests too."""

    def takes(self, _target: bytes) -> bool:
        return True

    async def answer(self, request: WholeRequest) -> None:
        request.respond(200, b"", b"hi")


@pytest.fixture(
    params=[{}, {"protocol": WholeRequestProtocol, "application": Hello()}], ids=["by ASGI", "whole requests too"]
)
async def port(request: pytest.FixtureRequest) -> AsyncIterator[int]:
    caps = ConnectionCaps(20, 10)
    async with serving(
        hello, http=bounded_http(header_bytes=10_000, max_seconds=1, caps=caps, **request.param)
    ) as bound:
        yield bound


async def refusal(port: int, head: bytes, *more: bytes) -> tuple[bytes, str]:
    """The status line and the code of the answer."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    async with asyncio.timeout(60):
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


async def test_every_head_of_a_kept_connection_has_its_time(port: int) -> None:
    whole = b"GET / HTTP/1.1\r\nhost: a\r\n\r\n"
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    async with asyncio.timeout(60):
        writer.write(whole)
        assert (await reader.readuntil(b"hi")).startswith(b"HTTP/1.1 200")
        writer.write(b"GET / HT")
        assert (await reader.read()).startswith(b"HTTP/1.1 408")
    writer.close()


@pytest.mark.parametrize(
    "beginning",
    [
        b"POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 100000\r\n\r\nbegun",
        b"POST / HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\n0\r\nX-Trailer: 1\r\n",
    ],
    ids=["body", "trailers"],
)
async def test_a_body_without_end_is_dropped_after_its_answer(port: int, beginning: bytes) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(beginning)
    async with asyncio.timeout(60):
        assert (await reader.read()).startswith(b"HTTP/1.1 200")  # `read` ends when the server closes
    writer.close()


async def test_one_address_may_have_so_many_connections_and_those_it_has_go_on(port: int) -> None:
    kept = [await asyncio.open_connection("127.0.0.1", port) for _ in range(10)]
    async with asyncio.timeout(60):
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        refused = await reader.read()
        assert refused.startswith(b"HTTP/1.1 503")
        assert b"TOO_MANY_CONNECTIONS" in refused
        writer.close()
        kept[0][1].write(b"GET / HTTP/1.1\r\nhost: a\r\n\r\n")
        assert (await kept[0][0].readuntil(b"hi")).startswith(b"HTTP/1.1 200")
        for _, each in kept:
            each.close()
    async with aiohttp.ClientSession() as session:
        for _ in range(600):
            async with session.get(f"http://127.0.0.1:{port}/") as response:
                if response.status == 200:  # places are free again
                    return
            await asyncio.sleep(0.1)
    pytest.fail("no place became free")


def test_caps_follow_the_limit_of_files() -> None:
    caps = ConnectionCaps()
    assert caps.most is not None
    assert caps.most_per_address == max(1, caps.most // 2)
    assert ConnectionCaps(10).most_per_address == 5


async def test_websockets_count_as_long_as_they_are_open_and_no_longer(port: int) -> None:
    async with asyncio.timeout(60), aiohttp.ClientSession() as session:
        url = f"ws://127.0.0.1:{port}/"
        for _ in range(30):  # three times as many as may be open
            async with session.ws_connect(url):
                pass
        kept = [await session.ws_connect(url) for _ in range(10)]
        with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
            await session.ws_connect(url)
        assert refused.value.status == 503
        await kept.pop().close()
        await asyncio.sleep(0.1)
        async with session.ws_connect(url):
            pass
        for each in kept:
            await each.close()
