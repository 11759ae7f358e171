"""What uvicorn's protocol, as the router uses it, writes to a connection: complete responses at once, and only what is HTTP."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from typing import Any

import pytest
import uvicorn
from uvicorn.server import ServerState

from router.server.http_protocol import StrictHttpProtocol

Message = dict[str, Any]


class Connection(asyncio.Transport):
    """Remembers each write by itself."""

    def __init__(self) -> None:
        super().__init__({"peername": ("127.0.0.1", 1), "sockname": ("127.0.0.1", 2)})
        self.writes: list[bytes] = []
        self.is_closed = False

    def write(self, data: bytes | bytearray | memoryview) -> None:
        self.writes.append(bytes(data))

    def writelines(self, list_of_data: Iterable[bytes | bytearray | memoryview]) -> None:
        self.writes.append(b"".join(list_of_data))

    def is_closing(self) -> bool:
        return self.is_closed

    def close(self) -> None:
        self.is_closed = True

    def pause_reading(self) -> None: ...

    def resume_reading(self) -> None: ...


async def writes_of(*messages: Message, request: bytes = b"GET / HTTP/1.1\r\nhost: a\r\n\r\n") -> list[bytes]:
    """What is written when an application answers with these messages."""

    async def app(_scope: Any, _receive: Any, send: Any) -> None:
        for message in messages:
            await send(message)

    config = uvicorn.Config(app, lifespan="off", ws="none", access_log=False, log_config=None)
    config.load()
    state = ServerState()
    protocol = StrictHttpProtocol(config=config, server_state=state, app_state={})
    connection = Connection()
    protocol.connection_made(connection)
    protocol.data_received(request)
    while state.tasks:  # the next request of the connection begins when the one before it is answered
        await asyncio.wait(state.tasks)
    protocol.connection_lost(None)
    return connection.writes


def start(*headers: tuple[bytes, bytes], status: int = 200) -> Message:
    return {"type": "http.response.start", "status": status, "headers": list(headers)}


def body(content: bytes, *, more: bool = False) -> Message:
    return {"type": "http.response.body", "body": content, "more_body": more}


async def test_a_complete_response_is_one_write() -> None:
    (written,) = await writes_of(start((b"Content-Length", b"2"), (b"x", b"y")), body(b"ok"))
    head, _, content = written.partition(b"\r\n\r\n")
    assert content == b"ok"
    assert head.split(b"\r\n")[0] == b"HTTP/1.1 200 OK"
    assert {b"content-length: 2", b"x: y"} <= set(head.split(b"\r\n"))


async def test_a_connection_that_the_client_wants_closed_is_told_so() -> None:
    asked = b"GET / HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n"
    (written,) = await writes_of(start((b"content-length", b"2")), body(b"ok"), request=asked)
    assert b"connection: close\r\n" in written


async def test_a_body_that_comes_in_pieces_does_not_wait_for_its_end() -> None:
    written = await writes_of(start((b"content-length", b"4")), body(b"ab", more=True), body(b"cd"))
    assert written[0].endswith(b"\r\n\r\n")
    assert written[1:] == [b"ab", b"cd"]


async def test_a_response_of_unknown_length_is_chunked() -> None:
    written = b"".join(await writes_of(start(), body(b"ab", more=True), body(b"")))
    assert b"transfer-encoding: chunked" in written
    assert written.endswith(b"2\r\nab\r\n0\r\n\r\n")


async def test_the_answer_to_head_has_no_body() -> None:
    asked = b"HEAD / HTTP/1.1\r\nhost: a\r\n\r\n"
    written = b"".join(await writes_of(start((b"content-length", b"2")), body(b"ok"), request=asked))
    assert written.endswith(b"content-length: 2\r\n\r\n")


@pytest.mark.parametrize("header", [(b"x", b"a\r\nset-cookie: b"), (b"a b", b"c"), (b"x\r\ny", b"c")])
async def test_a_header_that_is_none_is_not_written(header: tuple[bytes, bytes]) -> None:
    (written,) = [b"".join(await writes_of(start((b"content-length", b"2"), header), body(b"ok")))]
    assert written.startswith(b"HTTP/1.1 500 ")
    assert b"set-cookie" not in written


@pytest.mark.parametrize("content", [b"o", b"okay"])
async def test_a_body_of_another_length_is_not_written(content: bytes) -> None:
    assert await writes_of(start((b"content-length", b"2")), body(content)) == []


async def test_two_requests_in_one_packet_are_answered_in_order() -> None:
    asked = b"GET / HTTP/1.1\r\nhost: a\r\n\r\n" * 2
    written = await writes_of(start((b"content-length", b"2")), body(b"ok"), request=asked)
    assert len(written) == 2
    assert all(each.endswith(b"\r\n\r\nok") for each in written)
