"""Requests that arrive whole: which do, what they are told of, and that a connection that knows a head mistakes no other for it."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable
from typing import Any

import httptools
import pytest
import uvicorn
from uvicorn.server import ServerState

from router.server.answer_lines import header_lines
from router.server.bounded_http import bounded_http
from router.server.whole_request import Head, WholeRequest, WholeRequestProtocol
from tests.testkit.memory_connection import MemoryConnection

Answer = Callable[[WholeRequest], Awaitable[None]]


def post(body: bytes, *lines: bytes, target: bytes = b"/graphql") -> bytes:
    head = [b"POST %b HTTP/1.1" % target, b"Host: a", *lines, b"Content-Length: %d" % len(body)]
    return b"\r\n".join([*head, b"", body])


class Application:
    """Answers a whole request as `answer` does, any other by ASGI with the text "asgi"."""

    def __init__(self, answer: Answer | None = None) -> None:
        self._answer = answer
        self.requests: list[WholeRequest] = []
        self.of_asgi = 0

    def takes(self, target: bytes) -> bool:
        return target == b"/graphql"

    async def answer(self, request: WholeRequest) -> None:
        self.requests.append(request)
        if self._answer is None:
            request.respond(200, b"", request.body)
        else:
            await self._answer(request)

    async def __call__(self, _scope: Any, receive: Any, send: Any) -> None:
        self.of_asgi += 1
        while (await receive()).get("more_body"):
            pass
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"4")]})
        await send({"type": "http.response.body", "body": b"asgi"})


class Connected:
    """One connection to an application."""

    def __init__(self, app: Application) -> None:
        protocol = bounded_http(header_bytes=10_000, max_seconds=60, protocol=WholeRequestProtocol, application=app)
        config = uvicorn.Config(app, http=protocol, lifespan="off", ws="none", access_log=False, log_config=None)
        config.load()
        self.state = ServerState()
        self.protocol = protocol(config=config, server_state=self.state, app_state={})
        self.connection = MemoryConnection()
        self.connection.protocol = self.protocol
        self.protocol.connection_made(self.connection)  # type: ignore[arg-type]

    async def send(self, *parts: bytes) -> list[bytes]:
        """What has been written when all that the parts ask has been answered."""
        for part in parts:
            self.protocol.data_received(part)
        while self.state.tasks:
            await asyncio.wait(self.state.tasks)
        return self.connection.writes


def content(written: bytes) -> bytes:
    return written.partition(b"\r\n\r\n")[2]


async def test_a_request_that_arrives_whole_is_one_object_and_its_answer_one_write() -> None:
    app = Application()
    (written,) = await Connected(app).send(post(b"hi", b"X-Own: 1"))
    assert written == b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nhi"
    (request,) = app.requests
    assert request.head.fields.text(b"x-own") == "1"
    assert not app.of_asgi


@pytest.mark.parametrize(
    "parts",
    [
        (post(b"hello")[:-2], b"lo"),
        (post(b"hi", target=b"/graphql?a=b"),),
        (post(b"hi", target=b"/other"),),
        (post(b"hi", b"Expect: 100-continue"),),
        (post(b"hi", b"Connection: Upgrade", b"Upgrade: h2c"),),
        (b"GET /graphql HTTP/1.1\r\nHost: a\r\n\r\n",),
    ],
    ids=["in two parts", "with a query", "another path", "asks for leave", "offers an upgrade", "no POST"],
)
async def test_all_others_go_by_asgi(parts: tuple[bytes, ...]) -> None:
    app = Application()
    written = await Connected(app).send(*parts)
    assert written[-1].endswith(b"asgi")
    assert (app.of_asgi, app.requests) == (1, [])


async def test_a_body_in_chunks_can_be_whole() -> None:
    app = Application()
    head = b"POST /graphql HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
    connected = Connected(app)
    for number in (1, 2):
        written = await connected.send(head + b"1\r\nh\r\n1\r\ni\r\n0\r\n\r\n")
        assert [content(each) for each in written] == [b"hi"] * number


async def test_a_connection_knows_a_head_again_whatever_its_length_says() -> None:
    app = Application()
    connected = Connected(app)
    bodies = [b"one", b"three", b"", b"x" * 12_345, b"two"]
    for body in bodies:
        written = await connected.send(post(body, b"Authorization: Bearer a"))
        assert content(written[-1]) == body
        assert app.requests[-1].head.fields.text(b"content-length") == str(len(body))
        assert dict(app.requests[-1].head.fields.lines)[b"content-length"] == b"%d" % len(body)
    assert len({id(request.head) for request in app.requests}) == 1


@pytest.mark.parametrize(
    "other",
    [
        post(b"hi", b"Authorization: Bearer b"),
        post(b"hi"),
        post(b"hi", b"Authorization: Bearer a", b"X-Own: 1"),
        post(b"hi", b"Authorization: Bearer A"),
    ],
    ids=["another token", "no token", "one header more", "another sign"],
)
async def test_another_head_is_read_anew(other: bytes) -> None:
    app = Application()
    connected = Connected(app)
    await connected.send(post(b"hi", b"Authorization: Bearer a"))
    await connected.send(other)
    first, second = (request.head for request in app.requests)
    assert first is not second
    assert second.fields.text(b"authorization") == Head(
        b"/graphql", [(name.lower(), value) for name, value in _read(other)[0]], "", "1.1", keep_alive=True
    ).fields.text(b"authorization")


async def test_a_head_that_differs_in_who_asks_and_in_ids_is_known_and_is_one_of_its_own() -> None:
    app = Application()
    connected = Connected(app)
    asked = [(b"Bearer %b" % token, b"%d" % number) for number, token in enumerate([b"a", b"b", b"b", b"longer", b"a"])]
    for number, (authorization, request_id) in enumerate(asked):
        lines = (b"X-Request-Id: " + request_id, b"Authorization: " + authorization, b"X-Own: 1")
        written = await connected.send(post(b"x" * number, *lines))
        assert content(written[-1]) == b"x" * number
        connected.protocol.parser = None  # has read the first, and is asked no more
        app.requests[-1].head.facts = app.requests[-1].head.facts or "of the first"
    for number, (request, of_one) in enumerate(zip(app.requests, asked, strict=True)):
        fields = request.head.fields
        assert (fields[b"authorization"], fields[b"x-request-id"]) == of_one
        assert (
            dict(fields.lines)
            == fields
            == {
                b"host": b"a",
                b"x-own": b"1",
                b"authorization": of_one[0],
                b"x-request-id": of_one[1],
                b"content-length": b"%d" % number,
            }
        )
        assert request.head.facts == "of the first"
    assert len({id(request.head) for request in app.requests}) == len(asked)


async def test_a_client_with_ever_new_heads_is_learnt_from_for_a_while_and_one_that_stays_is_known() -> None:
    app = Application()
    connected = Connected(app)

    async def heads_of(*lines: bytes) -> int:
        before = len(app.requests)
        for line in lines:
            await connected.send(post(b"hi", line))
        return len({id(request.head) for request in app.requests[before:]})

    assert await heads_of(*[b"X-Id: %d" % number for number in range(6)], b"X-Id: 5") == 6
    assert await heads_of(*[b"X-Id: %d" % number for number in range(10, 40)]) == 30
    assert await heads_of(b"X-Id: 1", b"X-Id: 1") == 2  # it is believed to go on like this


async def test_what_is_there_of_a_known_head_in_pieces_is_read_in_pieces() -> None:
    app = Application()
    connected = Connected(app)
    whole = post(b"hello")
    await connected.send(whole)
    for cut in range(1, len(whole)):
        written = await connected.send(whole[:cut], whole[cut:])
        assert content(written[-1]) in (b"hello", b"asgi")
    assert len(connected.connection.writes) == len(whole)


async def test_requests_that_do_not_wait_for_answers_are_answered_in_order() -> None:
    app = Application()
    written = await Connected(app).send(post(b"one"), post(b"two") + post(b"three"))
    assert [content(each) for each in written] == [b"one", b"asgi", b"asgi"]


async def test_a_client_that_wants_the_connection_closed_has_it_closed() -> None:
    connected = Connected(Application())
    (written,) = await connected.send(post(b"hi", b"Connection: close"))
    assert b"\r\nconnection: close\r\n" in written
    assert connected.connection.is_closed


async def test_a_server_that_leaves_says_so_with_each_answer() -> None:
    connected = Connected(Application())
    await connected.send(post(b"hi"))
    connected.state.default_headers.append((b"connection", b"close"))
    written = await connected.send(post(b"hi"))
    assert written[-1].count(b"connection: close") == 1
    assert connected.connection.is_closed


async def test_the_date_is_that_of_the_servers_last_look_at_it() -> None:
    connected = Connected(Application())
    for date in (b"one", b"one", b"two"):
        connected.state.default_headers = [(b"date", date)]
        written = await connected.send(post(b"hi"))
        assert b"\r\ndate: " + date + b"\r\n" in written[-1]


async def test_an_idle_connection_holds_no_request() -> None:
    connected = Connected(Application())
    await connected.send(post(b"hi"))
    assert connected.protocol.cycle is None
    connected.protocol.shutdown()
    assert connected.connection.is_closed


@pytest.mark.parametrize("fails", [True, False], ids=["raises", "does not answer"])
async def test_an_application_that_does_not_answer_is_told_of_as_a_failure(fails: bool) -> None:
    async def answer(_: WholeRequest) -> None:
        if fails:
            raise ValueError

    connected = Connected(Application(answer))
    (written,) = await connected.send(post(b"hi"))
    assert written.startswith(b"HTTP/1.1 500 ")
    assert connected.connection.is_closed


async def test_a_request_can_go_on_by_asgi() -> None:
    async def answer(request: WholeRequest) -> None:
        assert await request.receive() == {"type": "http.request", "body": b"hi", "more_body": False}
        scope = request.scope()
        assert (scope["method"], scope["path"], scope["headers"][0]) == ("POST", "/graphql", (b"host", b"a"))
        await request.send({"type": "http.response.start", "status": 200, "headers": []})
        await request.send({"type": "http.response.body", "body": b"part", "more_body": True})
        await request.send({"type": "http.response.body", "body": b""})

    connected = Connected(Application(answer))
    for _ in range(2):
        written = b"".join(await connected.send(post(b"hi")))
    assert written.count(b"4\r\npart\r\n0\r\n\r\n") == 2


@pytest.mark.parametrize("may_cancel", [True, False])
async def test_the_work_for_a_client_that_leaves_ends_if_it_may(may_cancel: bool) -> None:
    waits, may_end = asyncio.Event(), asyncio.Event()
    ended: list[bool] = []

    async def answer(request: WholeRequest) -> None:
        with request.while_wanted(may_cancel=may_cancel) as watch:
            waits.set()
            await may_end.wait()
        ended.append(watch.is_gone)
        request.respond(200, b"", b"")

    connected = Connected(Application(answer))
    connected.protocol.data_received(post(b"hi"))
    await waits.wait()
    connected.protocol.connection_lost(None)
    if not may_cancel:
        may_end.set()
    await asyncio.wait(connected.state.tasks)
    assert ended == [may_cancel]
    assert connected.connection.writes == []


async def test_a_client_that_has_left_before_is_worked_for_no_more_than_one_that_leaves() -> None:
    ended: list[bool] = []

    async def answer(request: WholeRequest) -> None:
        with request.while_wanted(may_cancel=True) as watch:
            await asyncio.Event().wait()
        ended.append(watch.is_gone)

    connected = Connected(Application(answer))
    connected.protocol.data_received(post(b"hi"))
    connected.protocol.connection_lost(None)
    await asyncio.wait(connected.state.tasks)
    assert ended == [True]


async def test_a_wait_that_is_cancelled_by_another_is_no_client_that_left() -> None:
    async def answer(request: WholeRequest) -> None:
        with request.while_wanted(may_cancel=True):
            await asyncio.Event().wait()

    connected = Connected(Application(answer))
    connected.protocol.data_received(post(b"hi"))
    await asyncio.sleep(0)
    (task,) = connected.state.tasks
    task.cancel()
    await asyncio.wait([task])
    assert connected.connection.writes[0].startswith(b"HTTP/1.1 500 ")


def _read(data: bytes) -> tuple[list[tuple[bytes, bytes]], bytes, bool]:
    """Headers, body and whether it is exactly one message, as the parser has it."""

    class Callbacks:
        def __init__(self) -> None:
            self.headers: list[tuple[bytes, bytes]] = []
            self.body = b""
            self.ends = 0

        def on_header(self, name: bytes, value: bytes) -> None:
            self.headers.append((name.lower(), value))

        def on_body(self, body: bytes) -> None:
            self.body += body

        def on_message_complete(self) -> None:
            self.ends += 1

    callbacks = Callbacks()
    try:
        httptools.HttpRequestParser(callbacks).feed_data(data)
    except httptools.HttpParserError:
        return [], b"", False
    return callbacks.headers, callbacks.body, callbacks.ends == 1


def test_whatever_is_taken_for_a_known_head_the_parser_reads_the_same() -> None:
    """Known heads under random damage: signs changed, put in, taken out, pieces repeated."""
    draw = random.Random(5)
    taken = 0
    for _ in range(4_000):
        spaces = draw.choice([b"", b" ", b"  ", b"\t"])
        length = draw.choice([b"Content-Length:", b"content-length:"]) + spaces
        body = bytes(draw.choices(b"0123456789\r\n:aC", k=draw.choice([0, 1, 9, 10, 100])))
        lines = [b"POST /graphql HTTP/1.1", b"Host: a", length + b"%d" % len(body), b"X-A: Content-Length: 5"]
        known = b"\r\n".join([*lines, b"", body])
        headers, read, is_one = _read(known)
        assert is_one
        head = Head(b"/graphql", headers, "", "1.1", keep_alive=True)
        assert head.learn(known, len(read))
        damaged = _damaged(known, draw) if draw.random() < 0.9 else known
        found = head.body_in(damaged)
        if found is None:
            continue
        taken += 1
        headers, read, is_one = _read(damaged)
        assert is_one
        assert (head.fields.lines, found) == (headers, read)
    assert taken > 400


def test_whatever_is_taken_for_a_head_of_another_caller_the_parser_reads_the_same() -> None:
    """Tokens of any bytes, before and after the length, in requests that are damaged besides."""
    draw = random.Random(6)
    taken = 0
    for _ in range(4_000):
        body = bytes(draw.choices(b"0123456789\r\n:aC", k=draw.choice([0, 9, 10])))
        lines = [
            b"Host: a",
            b"Content-Length: %d" % len(body),
            b"Authorization: Bearer a",
            b"traceparent:1",
            b"X-A: Bearer a",
        ]
        draw.shuffle(lines)
        known = b"\r\n".join([b"POST /graphql HTTP/1.1", *lines, b"", body])
        headers, read, _ = _read(known)
        head = Head(b"/graphql", headers, "", "1.1", keep_alive=True)
        assert head.learn(known, len(read))
        signs = b"ab=. \t\r\n\0\x7f\x80:" if draw.random() < 0.3 else b"ab=. "
        other = known.replace(b"n: Bearer a", b"n: " + bytes(draw.choices(signs, k=draw.randrange(12))))
        if draw.random() < 0.5:
            other = other.replace(b"traceparent:1", b"traceparent:%d" % draw.randrange(1_000))
        other = _damaged(other, draw) if draw.random() < 0.3 else other
        new = head.followed_by(other)
        found = new.body_in(other) if new is not None else None
        assert head.fields.lines == headers  # whoever holds it finds there what it has been
        if new is None or found is None:
            continue
        taken += 1
        headers, read, is_one = _read(other)
        assert is_one
        assert (new.fields.lines, found) == (headers, read)
        assert new.body_in(other) == found
    assert taken > 1_000


def _damaged(data: bytes, draw: random.Random) -> bytes:
    place = draw.randrange(len(data))
    match draw.randrange(4):
        case 0:
            return data[:place] + bytes(draw.choices(b"0123456789 \r\n:a", k=1)) + data[place + 1 :]
        case 1:
            return data[:place] + bytes(draw.choices(b"0123456789 \r\n:a", k=draw.randrange(1, 4))) + data[place:]
        case 2:
            return data[:place] + data[place + draw.randrange(1, 4) :]
    return data[:place] + data[max(0, place - 20) : place] + data[place:]


@pytest.mark.parametrize(
    "data",
    [
        post(b"hi", b"Content-Length: 2"),
        post(b"hi")[:-1],
        post(b"hi") + b"x",
        post(b"hi").replace(b"Content-Length: 2", b"Content-Length: 0000000002"),
    ],
    ids=["two lengths", "too short", "too long", "many digits"],
)
def test_a_head_in_an_unusual_form_is_not_learnt(data: bytes) -> None:
    lines = [(b"host", b"a"), *[(b"content-length", b"2")] * data.count(b"Content-Length")]
    assert not Head(b"/graphql", lines, "", "1.1", keep_alive=True).learn(data, 2)


def test_lines_of_headers_are_what_http_allows() -> None:
    assert header_lines(((b"X-A", b"1"), (b"b", b"2"))) == b"x-a: 1\r\nb: 2\r\n"
    assert header_lines(((b"Connection", b"close"),)) is None
    for name, value in ((b"x", b"a\r\nset-cookie: b"), (b"a b", b"c"), (b"x\r\ny", b"c")):
        with pytest.raises(RuntimeError):
            header_lines(((name, value),))
