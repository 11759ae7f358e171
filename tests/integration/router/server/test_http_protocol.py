"""Requests as sockets carry them: what an upgrade or a trailer may not change about a message."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from itertools import pairwise
from typing import Any

import orjson
import pytest

from router.server.bounded_http import bounded_http
from router.server.http_protocol import StrictHttpProtocol
from router.server.whole_request import WholeRequest, WholeRequestProtocol
from tests.testkit.strawberry_shop import serving

H2C = b"Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAEAAEAAAAIAAAABAAMAAABk\r\n"


async def mirror(scope: dict[str, Any], receive: Any, send: Any) -> None:
    """Answers with what it was sent."""
    if scope["type"] == "websocket":
        await receive()
        await send({"type": "websocket.accept"})
        return
    body, is_more = b"", True
    while is_more:
        event = await receive()
        assert event["type"] == "http.request"
        body += event["body"]
        is_more = event["more_body"]
    names = [name.decode() for name, _ in scope["headers"]]
    told = orjson.dumps({"method": scope["method"], "path": scope["path"], "names": names, "body": body.decode()})
    await send(
        {"type": "http.response.start", "status": 200, "headers": [(b"content-length", str(len(told)).encode())]}
    )
    await send({"type": "http.response.body", "body": told})


class Mirror:
    """Takes whole requests too."""

    def takes(self, _target: bytes) -> bool:
        return True

    async def answer(self, request: WholeRequest) -> None:
        await mirror(request.scope(), request.receive, request.send)


BOUNDS: dict[str, Any] = {"header_bytes": 131_072, "max_seconds": 5}


@pytest.fixture(
    params=[
        StrictHttpProtocol,
        bounded_http(**BOUNDS),
        bounded_http(**BOUNDS, protocol=WholeRequestProtocol, application=Mirror()),
    ],
    ids=["plain", "bounded", "whole"],
)
async def port(request: pytest.FixtureRequest) -> AsyncIterator[int]:
    async with serving(mirror, http=request.param) as bound:
        yield bound


async def exchange(port: int, *parts: bytes, answers: int = 1) -> list[dict[str, Any]]:
    """Sends the parts one after another on one connection and reads so many answers."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    told = []
    async with asyncio.timeout(60):
        for part in parts:
            writer.write(part)
            await writer.drain()
            await asyncio.sleep(0.01)
        for _ in range(answers):
            head = await reader.readuntil(b"\r\n\r\n")
            length = int(head.lower().partition(b"content-length:")[2].partition(b"\r\n")[0])
            told.append(orjson.loads(await reader.readexactly(length)))
    writer.close()
    return told


@pytest.mark.parametrize("at", [(), (40,), (40, 60), (-3,)], ids=["at once", "in the head", "thrice", "in the body"])
@pytest.mark.parametrize(
    ("framing", "body"),
    [
        (b"Content-Length: 9\r\n", b"the body!"),
        (b"Transfer-Encoding: chunked\r\n", b"4\r\nthe \r\n5\r\nbody!\r\n0\r\n\r\n"),
    ],
    ids=["length", "chunked"],
)
async def test_a_body_survives_an_offer_to_upgrade(port: int, at: tuple[int, ...], framing: bytes, body: bytes) -> None:
    message = b"POST /graphql HTTP/1.1\r\nHost: x\r\n" + H2C + framing + b"\r\n" + body
    cuts = [0, *(cut % len(message) for cut in at), len(message)]
    parts = [message[start:end] for start, end in pairwise(cuts)]
    (told,) = await exchange(port, *parts)
    assert (told["method"], told["path"], told["body"]) == ("POST", "/graphql", "the body!")


async def test_the_connection_goes_on_after_an_upgrade_that_was_not_made(port: int) -> None:
    offer = b"POST /first HTTP/1.1\r\nHost: x\r\n" + H2C + b"Content-Length: 3\r\n\r\none"
    bare = b"GET /second HTTP/1.1\r\nHost: x\r\n" + H2C + b"\r\n"
    third = b"POST /third HTTP/1.1\r\nHost: x\r\nX-Own: 1\r\nContent-Length: 5\r\n\r\nthree"
    told = await exchange(port, offer + bare + third, answers=3)
    assert [(each["path"], each["body"]) for each in told] == [("/first", "one"), ("/second", ""), ("/third", "three")]
    assert "x-own" in told[2]["names"]


async def test_a_websocket_is_still_made_of_its_upgrade(port: int) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(
        b"GET / HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
        b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
    )
    async with asyncio.timeout(60):
        assert (await reader.readline()).startswith(b"HTTP/1.1 101")
    writer.close()


@pytest.mark.parametrize("offer", [b"", H2C], ids=["plainly", "with an upgrade"])
async def test_a_trailer_is_no_header(port: int, offer: bytes) -> None:
    message = (
        b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n"
        + offer
        + b"\r\n2\r\nhi\r\n0\r\nAuthorization: Bearer stolen\r\n\r\n"
    )
    (told,) = await exchange(port, message)
    assert told["body"] == "hi"
    assert "authorization" not in told["names"]


async def first_line(port: int, head: bytes) -> bytes:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(head)
    async with asyncio.timeout(60):
        line = await reader.readline()
    writer.close()
    return line


@pytest.mark.parametrize(
    ("head", "status"),
    [
        (b"GET / HTTP/1.1\r\n", b"400"),
        (b"GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n", b"400"),
        (b"GET / HTTP/1.1\r\nHost: a\r\nHost: a\r\n" + H2C, b"400"),
        (b"GET / HTTP/1.1\r\nHost:\r\n", b"200"),
        (b"GET / HTTP/1.0\r\n", b"200"),
    ],
    ids=["none", "two", "one twice", "an empty one", "an old version"],
)
async def test_a_request_names_one_host(port: int, head: bytes, status: bytes) -> None:
    assert (await first_line(port, head + b"\r\n")).split()[1] == status


KEY = b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"


async def test_a_post_that_offers_a_websocket_is_answered_as_a_post(port: int) -> None:
    offer = b"POST /p HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n" + KEY
    (told,) = await exchange(port, offer + b"Content-Length: 2\r\n\r\nhi")
    assert (told["method"], told["path"], told["body"]) == ("POST", "/p", "hi")


async def test_the_lines_of_connection_are_one_list(port: int) -> None:
    lines = b"Connection: keep-alive\r\nConnection: Upgrade\r\nConnection: x\r\nUpgrade: WebSocket\r\n"
    assert (await first_line(port, b"GET / HTTP/1.1\r\nHost: x\r\n" + lines + KEY + b"\r\n")).startswith(
        b"HTTP/1.1 101"
    )
