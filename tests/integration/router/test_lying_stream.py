"""A subgraph that breaks its subscription protocol: the client gets a clear error and an end, and nothing stays behind."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import orjson
import pytest
from graphql import build_schema
from websockets.asyncio.server import ServerConnection
from websockets.asyncio.server import serve as serve_websockets
from websockets.exceptions import ConnectionClosed
from websockets.utils import accept_key

from router.executor.execute import CompiledPlan, compile_plan
from router.executor.fetch import Execution
from router.executor.subscribe import run_subscription
from router.operation import normalize, parse_document
from router.query_plan import Fetch, QueryPlan, Subscription
from router.transport.in_process import InProcessTransport
from router.transport.protocol import SubgraphRequest
from router.transport.subscription_source import PROTOCOL, WebSocketSource
from tests.testkit.raw_server import http_response, server_that

SCHEMA = build_schema("type Query { a: Int } type Subscription { tick: Int must: Int! }")
MALFORMED, BROKEN, REPORTED = "SUBGRAPH_MALFORMED_RESPONSE", "SUBREQUEST_HTTP_ERROR", "DOWNSTREAM_SERVICE_ERROR"
TOO_LARGE = "SUBGRAPH_RESPONSE_TOO_LARGE"
TICK = '{"id":"1","type":"next","payload":{"data":{"tick":1}}}'
TOLD = {"data": {"tick": 1}}
COMPLETE = '{"id":"1","type":"complete"}'


def plan_of(operation: str) -> CompiledPlan:
    normalized = normalize(parse_document(operation), None, SCHEMA)
    primary = Fetch("live", "subscription", normalized.selections)
    return compile_plan(QueryPlan("subscription", Subscription(primary, None)), normalized, SCHEMA, {})


#: Tasks of the test's own server, and of a consumer that an earlier test left trying to say good-bye to its broker.
OTHERS = ("websockets", "serve", "aiokafka")


async def events_of(source: WebSocketSource, operation: str = "subscription { tick }") -> list[dict[str, Any]]:
    """All events, within a bound; no task of the subscription is left when they are over."""
    before = asyncio.all_tasks()
    transport = InProcessTransport()
    stream = run_subscription(plan_of(operation), source, lambda: Execution(transport, {}))
    async with asyncio.timeout(60):
        events = [orjson.loads(body) async for body in stream]
    await source.close()
    for _ in range(20):  # sockets say good-bye
        left = [task for task in asyncio.all_tasks() - before if not any(other in repr(task) for other in OTHERS)]
        if not left:
            break
        await asyncio.sleep(0.05)
    assert left == []
    return events


Script = Callable[[ServerConnection], Awaitable[None]]


@asynccontextmanager
async def websocket_that(
    script: Script, *, acknowledges: bool = True
) -> AsyncIterator[tuple[WebSocketSource, list[str]]]:
    """A source of a server that runs the script once it is subscribed to, and what the client sent after that."""
    heard: list[str] = []
    gone = asyncio.Event()

    async def serve(socket: ServerConnection) -> None:
        try:
            await socket.recv()
            if acknowledges:
                await socket.send('{"type":"connection_ack"}')
                await socket.recv()
            await script(socket)
            while True:
                heard.append(str(await socket.recv()))
        except ConnectionClosed:
            pass
        finally:
            gone.set()

    subprotocols: Any = [PROTOCOL]
    async with serve_websockets(serve, "127.0.0.1", 0, subprotocols=subprotocols) as server:
        url = f"http://127.0.0.1:{next(iter(server.sockets)).getsockname()[1]}/graphql"
        yield WebSocketSource({"live": url}, acknowledge_timeout_seconds=0.3, max_message_bytes=65_536), heard
        await asyncio.wait_for(gone.wait(), 60)


def sending(*frames: str | bytes) -> Script:
    async def script(socket: ServerConnection) -> None:
        for frame in frames:
            await socket.send(frame)

    return script


FRAMES: dict[str, tuple[tuple[str | bytes, ...], list[str | None]]] = {
    "text": (("garbage",), [MALFORMED]),
    "bytes": ((b"\xff\xfe",), [MALFORMED]),
    "a list": (("[]",), [MALFORMED]),
    "deep brackets": (("[" * 20_000,), [MALFORMED]),
    "a message too large": (('{"type":"next","id":"1","payload":"' + "x" * 70_000 + '"}',), [TOO_LARGE]),
    "an unknown type": (('{"type":"nonsense"}',), [MALFORMED]),
    "no type": (("{}",), [MALFORMED]),
    "an odd type": (('{"type":["next"]}',), [MALFORMED]),
    "another id": ((TICK, TICK.replace('"1"', '"2"', 1)), [None, MALFORMED]),
    "no id": (('{"type":"next","payload":{"data":{"tick":1}}}',), [MALFORMED]),
    "no payload": (('{"id":"1","type":"next"}',), [MALFORMED]),
    "an empty payload": (('{"id":"1","type":"next","payload":{}}', TICK, COMPLETE), [MALFORMED, None]),
    "null data": (('{"id":"1","type":"next","payload":{"data":null}}', TICK, COMPLETE), [MALFORMED, None]),
    "data is a list": (('{"id":"1","type":"next","payload":{"data":[]}}', TICK), [MALFORMED]),
    "a wrong value": (('{"id":"1","type":"next","payload":{"data":{"tick":"x"}}}', TICK, COMPLETE), ["INVALID_VALUE", None]),
    "errors of odd items": (('{"id":"1","type":"next","payload":{"data":null,"errors":[1]}}', COMPLETE), [REPORTED]),
    "next after complete": ((TICK, COMPLETE, TICK), [None]),
    "twice complete": ((COMPLETE, COMPLETE), []),
    "error without payload": (('{"id":"1","type":"error"}', TICK), [MALFORMED]),
    "error of nothing": (('{"id":"1","type":"error","payload":[]}', TICK), [MALFORMED]),
    "error is an object": (('{"id":"1","type":"error","payload":{"message":"no"}}', TICK), [REPORTED]),
    "error is text": (('{"id":"1","type":"error","payload":"no"}', TICK), [REPORTED]),
    "error of odd items": (('{"id":"1","type":"error","payload":[null,{"message":{}}]}', TICK), [REPORTED]),
    "pings": (('{"type":"ping"}', '{"type":"pong"}', TICK, COMPLETE), [None]),
}  # fmt: skip


def codes(events: list[dict[str, Any]]) -> list[str | None]:
    """One for each event: its errors' code, or None of a good one."""
    found: list[str | None] = []
    for event in events:
        told = {error["extensions"]["code"] for error in event.get("errors", ())}
        assert (event == TOLD) != bool(told)
        assert len(told) <= 1
        found.append(told.pop() if told else None)
    return found


@pytest.mark.parametrize("name", FRAMES)
async def test_frames_that_break_the_protocol_are_one_error_and_the_end(name: str) -> None:
    frames, expected = FRAMES[name]
    async with websocket_that(sending(*frames)) as (source, _):
        events = await events_of(source)
    assert codes(events) == expected


@pytest.mark.parametrize("code", [1000, 1011, 4400, 4401, 4403, 4409, 4500])
async def test_a_closed_socket_is_one_error_and_the_end(code: int) -> None:
    async def close(socket: ServerConnection) -> None:
        await socket.send(TICK)
        await socket.close(code, "hunter2")

    async with websocket_that(close) as (source, _):
        events = await events_of(source)
    assert codes(events) == [None, BROKEN]
    assert "hunter2" not in str(events)


async def test_a_server_that_vanishes_is_one_error_and_the_end() -> None:
    async def vanish(socket: ServerConnection) -> None:
        socket.transport.abort()

    async with websocket_that(vanish) as (source, _):
        assert codes(await events_of(source)) == [BROKEN]


async def test_a_server_that_never_acknowledges_is_given_up() -> None:
    async with websocket_that(sending('{"type":"ping"}'), acknowledges=False) as (source, _):
        assert codes(await events_of(source)) == ["SUBGRAPH_TIMEOUT"]


async def test_an_event_before_the_acknowledgement_is_none() -> None:
    async with websocket_that(sending(TICK), acknowledges=False) as (source, _):
        assert codes(await events_of(source)) == [MALFORMED]


async def test_the_subgraph_is_told_to_stop_after_it_broke_the_protocol_and_not_after_it_ended() -> None:
    async with websocket_that(sending(TICK, '{"type":"nonsense"}')) as (source, heard):
        await events_of(source)
    assert heard == [COMPLETE]
    async with websocket_that(sending(TICK, COMPLETE)) as (source, heard):
        await events_of(source)
    assert heard == []


async def test_null_that_reaches_the_top_of_an_event_leaves_no_data() -> None:
    async with websocket_that(sending('{"id":"1","type":"next","payload":{"data":{}}}', COMPLETE)) as (source, _):
        (event,) = await events_of(source, "subscription { must }")
    assert event["data"] is None
    assert event["errors"][0]["path"] == ["must"]


async def test_a_server_that_does_not_say_good_bye_is_not_waited_for() -> None:
    """It completes the subscription and then answers nothing any more, not even the closing of the socket."""
    over = asyncio.Event()
    closed = asyncio.Event()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
        key = next(line.split(": ")[1] for line in head.split("\r\n") if line.lower().startswith("sec-websocket-key"))
        writer.write(
            f"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            f"Sec-WebSocket-Accept: {accept_key(key)}\r\nSec-WebSocket-Protocol: {PROTOCOL}\r\n\r\n".encode()
        )
        for text in ('{"type":"connection_ack"}', TICK, COMPLETE):
            writer.write(bytes([0x81, len(text)]) + text.encode())
        await writer.drain()
        await over.wait()
        writer.close()
        closed.set()

    listener = await asyncio.start_server(serve, "127.0.0.1", 0)
    source = WebSocketSource({"live": f"http://127.0.0.1:{listener.sockets[0].getsockname()[1]}/graphql"})
    began = time.monotonic()
    stream = run_subscription(plan_of("subscription { tick }"), source, lambda: Execution(InProcessTransport(), {}))
    assert codes([orjson.loads(body) async for body in stream]) == [None]
    assert time.monotonic() - began < 30
    await source.close()
    over.set()
    await closed.wait()
    listener.close()


FORBIDDEN = b'{"errors":[{"message":"You shall not pass","extensions":{"code":"DOWNSTREAM_SERVICE_ERROR"}}]}'
HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n"
NEXT = b'event: next\ndata: {"data":{"tick":1}}\n\n'
END = b"event: complete\ndata:\n\n"

STREAMS: dict[str, tuple[bytes, list[str | None]]] = {
    "good": (HEAD + NEXT + NEXT + END, [None, None]),
    "garbage": (HEAD + b"event: next\ndata: garbage\n\n" + NEXT, [MALFORMED]),
    "a list": (HEAD + b"event: next\ndata: []\n\n", [MALFORMED]),
    "null data": (HEAD + b'event: next\ndata: {"data":null}\n\n' + END, [MALFORMED]),
    "odd bytes": (HEAD + b"event: \xff\xfe\ndata: {}\n\n" + NEXT + END, [None]),
    "a byte order mark": (HEAD + b"\xef\xbb\xbf" + NEXT + END, [None]),
    "returns": (HEAD + NEXT.replace(b"\n", b"\r") + END.replace(b"\n", b"\r\n"), [None]),
    "data in lines": (HEAD + b'event:next\ndata: {"data":\ndata\ndata:{"tick":1}}\n\n' + END, [None]),
    "an event that does not end": (HEAD + NEXT + NEXT[:-1], [None]),
    "an event without data": (HEAD + b"event: next\n\n" + NEXT + END, [None]),
    "an end without data": (HEAD + NEXT + b"event: complete\n\n" + NEXT, [None]),
    "a refusal as a result": (http_response(FORBIDDEN, "401 Unauthorized"), [REPORTED]),
    "a refusal as a result of status 200": (http_response(FORBIDDEN), [REPORTED]),
    "a refusal without end": (http_response(b'{"errors":[' + b" " * 70_000 + b"]}", "400 Bad Request"), [BROKEN]),
    "other events": (HEAD + b": hello\n\nevent: noise\ndata: x\n\nid: 7\nretry: 1\n" + NEXT + END, [None]),
    "next after complete": (HEAD + NEXT + END + NEXT, [None]),
    "an event too large": (HEAD + (b"data: " + b"x" * 30_000 + b"\n") * 4, [TOO_LARGE]),
    "a line without end": (HEAD + b"data: " + b"x" * 400_000, [TOO_LARGE]),
    "cut off": (b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nContent-Length: 900\r\n\r\n" + NEXT, [None, BROKEN]),
    "HTML": (b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 7\r\n\r\nhunter2", [BROKEN]),
    "a refusal": (b"HTTP/1.1 403 Forbidden\r\nContent-Length: 7\r\n\r\nhunter2", [BROKEN]),
    "a redirect": (b"HTTP/1.1 307 Temporary Redirect\r\nLocation: /other\r\nContent-Length: 0\r\n\r\n", [BROKEN]),
    "no HTTP": (b"220 hunter2\r\n\r\n", [BROKEN]),
    "nothing": (b"", [BROKEN]),
}  # fmt: skip


@pytest.mark.parametrize("name", STREAMS)
async def test_event_streams_that_break_the_protocol_are_one_error_and_the_end(name: str) -> None:
    sent, expected = STREAMS[name]

    async def answer(_head: str, _body: bytes, writer: asyncio.StreamWriter) -> None:
        writer.write(sent)
        writer.close()

    async with server_that(answer) as server:
        source = WebSocketSource({"live": server.url}, frozenset({"live"}), max_message_bytes=65_536)
        events = await events_of(source)
    assert codes(events) == expected
    assert len(server.requests) == 1
    assert "hunter2" not in str(events)


async def test_the_body_of_a_refusal_is_told_to_the_client() -> None:
    async def answer(_head: str, _body: bytes, writer: asyncio.StreamWriter) -> None:
        refusal = b'{"errors":[{"message":"You shall not pass","extensions":{"code":"FORBIDDEN"}}]}'
        writer.write(http_response(refusal, "401 Unauthorized"))

    async with server_that(answer) as server:
        (event,) = await events_of(WebSocketSource({"live": server.url}, frozenset({"live"})))
    assert event["errors"] == [
        {"message": "You shall not pass", "extensions": {"code": "FORBIDDEN", "service": "live"}}
    ]


class Noting:
    """Addresses of one instance, and what was told of it."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.noted: list[str | None] = []

    def address_for_stream(self, _request: SubgraphRequest) -> str:
        return self.url

    def note_stream(self, _subgraph: str, _url: str, failure: str | None) -> None:
        self.noted.append(failure)


@pytest.mark.parametrize(
    ("sent", "noted"),
    [
        (HEAD + NEXT + END, [None]),
        (http_response(FORBIDDEN, "401 Unauthorized"), [None]),  # it does its work
        (http_response(b"", "503 Service Unavailable"), [BROKEN]),
        (b"", [BROKEN]),
        (STREAMS["cut off"][0], [None, BROKEN]),
    ],
)
async def test_an_instance_is_judged_by_its_event_streams(sent: bytes, noted: list[str | None]) -> None:
    async def answer(_head: str, _body: bytes, writer: asyncio.StreamWriter) -> None:
        writer.write(sent)
        writer.close()

    async with server_that(answer) as server:
        addresses = Noting(server.url)
        await events_of(WebSocketSource(event_streams=frozenset({"live"}), addresses=addresses))
    assert addresses.noted == noted
