"""What uvicorn's protocol, as the router uses it, writes to a connection: complete responses at once, and only what is HTTP."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
import uvicorn
from uvicorn.server import ServerState

from router.server.http_protocol import StrictHttpProtocol
from tests.testkit.memory_connection import MemoryConnection

Message = dict[str, Any]


async def writes_of(*messages: Message, request: bytes = b"GET / HTTP/1.1\r\nhost: a\r\n\r\n") -> list[bytes]:
    """What is written when an application answers with these messages."""

    async def app(_scope: Any, _receive: Any, send: Any) -> None:
        for message in messages:
            await send(message)

    config = uvicorn.Config(app, lifespan="off", ws="none", access_log=False, log_config=None)
    config.load()
    state = ServerState()
    protocol = StrictHttpProtocol(config=config, server_state=state, app_state={})
    connection = MemoryConnection()
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


async def test_a_connection_that_lies_idle_is_closed_and_one_that_is_answered_is_not() -> None:
    may_answer = asyncio.Event()

    async def app(_scope: Any, _receive: Any, send: Any) -> None:
        await may_answer.wait()
        await send(start((b"content-length", b"2")))
        await send(body(b"ok"))

    config = uvicorn.Config(app, lifespan="off", ws="none", access_log=False, log_config=None, timeout_keep_alive=3_600)
    config.load()
    state = ServerState()
    protocol = StrictHttpProtocol(config=config, server_state=state, app_state={})
    connection = MemoryConnection()
    protocol.connection_made(connection)
    for answered in (1, 2):
        may_answer.clear()
        protocol.data_received(b"GET / HTTP/1.1\r\nhost: a\r\n\r\n")
        protocol.timeout_keep_alive_handler()  # the timer of an idleness before is due
        may_answer.set()
        await asyncio.wait(state.tasks)
        assert len(connection.writes) == answered
    protocol.timeout_keep_alive_handler()
    assert not connection.is_closed  # it was idle for no time yet
    assert protocol.timeout_keep_alive_task is not None
    protocol.timeout_keep_alive = 0
    protocol.timeout_keep_alive_handler()
    assert connection.is_closed
    protocol.connection_lost(None)


async def test_a_closed_connection_has_no_timer() -> None:
    config = uvicorn.Config(ok, lifespan="off", ws="none", access_log=False, log_config=None)
    config.load()
    state = ServerState()
    protocol = StrictHttpProtocol(config=config, server_state=state, app_state={})
    protocol.connection_made(MemoryConnection())
    protocol.data_received(b"GET / HTTP/1.1\r\nhost: a\r\n\r\n")
    await asyncio.wait(state.tasks)
    assert protocol.timeout_keep_alive_task is not None
    protocol.connection_lost(None)
    assert protocol.timeout_keep_alive_task is None


async def ok(_scope: Any, _receive: Any, send: Any) -> None:
    await send(start((b"content-length", b"2")))
    await send(body(b"ok"))
