"""What is read without a parser is what a parser would have read, and what may not be is left to it."""

from __future__ import annotations

from urllib.parse import urlsplit

import httptools
import pytest
from hypothesis import given
from hypothesis import strategies as st

from router.transport.http_messages import RequestHeads, plain_answer
from router.transport.protocol import SubgraphAnswer

BODY = b'{"data":{"a":"b"}}'
STATUS = b"HTTP/1.1 200 OK\r\n"
LENGTH = b"Content-Length: %d\r\n" % len(BODY)


class Parsed:
    """What httptools makes of bytes."""

    def __init__(self, received: bytes) -> None:
        self.headers: list[tuple[bytes, bytes]] = []
        self.body = b""
        self.messages = self.begun = 0
        self.may_be_kept = False
        self._parser = httptools.HttpResponseParser(self)
        self._parser.feed_data(received)
        self.status = self._parser.get_status_code()
        self.version = self._parser.get_http_version()

    def on_message_begin(self) -> None:
        self.begun += 1

    def on_header(self, name: bytes, value: bytes) -> None:
        self.headers.append((name.lower(), value))

    def on_body(self, body: bytes) -> None:
        self.body += body

    def on_message_complete(self) -> None:
        self.messages += 1
        self.may_be_kept = self._parser.should_keep_alive()  # asked later, it speaks of the next message

    def last(self, name: bytes) -> str:
        return ([b"", *[value for key, value in self.headers if key == name]][-1]).decode("latin-1")


LINES = st.sampled_from(
    [
        LENGTH, LENGTH, LENGTH, b"content-length:%d\r\n" % len(BODY), b"content-length: 0\r\n", b"Content-Length: 018\r\n",
        b"content-length: +18\r\n", b"content-length: 1_8\r\n", b"content-length : 18\r\n", b"content-length: 18, 18\r\n",
        b"Content-Type: application/json\r\n", b"CONTENT-TYPE:text/html ; charset=\xe9\r\n", b"content-type: \r\n",
        b"content-type: a\tb\r\n", b"content-type:  spaced out  \r\n", b"Cache-Control: max-age=5\r\n",
        b"cache-control:no-store,\r\n", b"cache-control\r\n", b"Connection: keep-alive\r\n", b"connection: close\r\n",
        b"Connection: Keep-Alive, Upgrade\r\n", b"connection: \r\n", b"Upgrade: websocket\r\n", b"Keep-Alive: timeout=5\r\n",
        b"proxy-connection: close\r\n", b"Transfer-Encoding: chunked\r\n", b"Transfer-Encoding: identity\r\n",
        b"content-encoding: gzip\r\n", b"Date: Mon, 30 Nov 2026 09:00:00 GMT\r\n", b"server: uvicorn\r\n",
        b"Set-Cookie: a=\x80\xff; b\r\n", b"x-folded: 1\r\n 2\r\n", b"x-nul: \x00\r\n", b"x-bare: 1\n", b"x-return: 1\r2\r\n",
        b" x-space: 1\r\n", b"x space: 1\r\n", b"x(y): 1\r\n", b": 1\r\n", b"\r\n", b"\n", b"x-\xe9: 1\r\n", b"x!#$%&'*+.^_`|~: 1\r\n",
        b"content-lengths: 3\r\n", b"x-content-length: 3\r\n", b"content-length: 99999999999999999999\r\n",
    ]
)  # fmt: skip
STATUSES = st.sampled_from(
    [
        STATUS, STATUS, STATUS, b"HTTP/1.1 200 \r\n", b"HTTP/1.1 200\r\n", b"HTTP/1.0 200 OK\r\n", b"HTTP/1.1 201 Created\r\n",
        b"HTTP/1.1 204 No Content\r\n", b"HTTP/1.1 304 Not Modified\r\n", b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\n",
        b"HTTP/1.1  200 OK\r\n", b"http/1.1 200 OK\r\n", b"HTTP/2.0 200 OK\r\n", b"HTTP/1.1 200 OK\n", b"\r\nHTTP/1.1 200 OK\r\n",
    ]
)  # fmt: skip


@st.composite
def received(draw: st.DrawFn) -> bytes:
    """Mostly an answer, with a byte or two that are others."""
    told = (
        draw(STATUSES)
        + b"".join(draw(st.lists(LINES, max_size=6)))
        + b"\r\n"
        + draw(st.sampled_from([BODY, BODY, b"", BODY * 2]))
    )
    for _ in range(draw(st.sampled_from([0, 0, 0, 1, 2]))):
        place = draw(st.integers(0, len(told) - 1))
        told = told[:place] + draw(st.binary(max_size=2)) + told[place + draw(st.integers(0, 2)) :]
    return told


@given(received())
def test_a_plain_answer_is_what_a_parser_makes_of_it(told: bytes) -> None:
    answer = plain_answer(told)
    if answer is None:
        return
    parsed = Parsed(told)  # raises for what is no HTTP
    assert (parsed.messages, parsed.begun) == (1, 1)
    assert parsed.may_be_kept
    assert parsed.version == "1.1"
    assert answer == SubgraphAnswer(
        parsed.status, parsed.body, parsed.last(b"content-type"), parsed.last(b"cache-control")
    )
    names = {name for name, _ in parsed.headers}
    assert not names & {b"content-encoding", b"transfer-encoding", b"upgrade"}
    assert [name for name, _ in parsed.headers].count(b"content-length") == 1


@pytest.mark.parametrize(
    ("head", "content_type", "cache_control"),
    [
        (b"content-type: application/json\r\n" + LENGTH, "application/json", ""),
        # uvicorn's, Node's, and a proxy's
        (
            b"date: Mon, 30 Nov 2026 09:00:00 GMT\r\nserver: uvicorn\r\ncache-control: max-age=60, public\r\n"
            + LENGTH.lower()
            + b"content-type: application/graphql-response+json; charset=utf-8\r\n",
            "application/graphql-response+json; charset=utf-8",
            "max-age=60, public",
        ),
        (
            b"X-Powered-By: Express\r\ncache-control: no-store\r\nContent-Type: application/json; charset=utf-8\r\n"
            + LENGTH
            + b'ETag: W/"12-xyz"\r\nDate: Mon\r\nConnection: keep-alive\r\nKeep-Alive: timeout=5\r\n',
            "application/json; charset=utf-8",
            "no-store",
        ),
        (LENGTH, "", ""),
    ],
)
def test_what_servers_usually_answer_is_plain(head: bytes, content_type: str, cache_control: str) -> None:
    assert plain_answer(STATUS + head + b"\r\n" + BODY) == SubgraphAnswer(200, BODY, content_type, cache_control)


@pytest.mark.parametrize(
    "told",
    [
        STATUS + LENGTH + LENGTH + b"\r\n" + BODY,
        STATUS + LENGTH + b"Connection: close\r\n\r\n" + BODY,
        STATUS + LENGTH + b"Transfer-Encoding: chunked\r\n\r\n" + BODY,
        STATUS + LENGTH + b"Content-Encoding: gzip\r\n\r\n" + BODY,
        STATUS + LENGTH + b"x: 1\r\n 2\r\n\r\n" + BODY,
        STATUS + LENGTH + b"\r\n" + BODY + b"x",
        STATUS + LENGTH + b"\r\n" + BODY[:-1],
        STATUS + b"x: 1\r\n" * 64 + LENGTH + b"\r\n" + BODY,
        STATUS + b"\r\n" + BODY,
        STATUS.replace(b"200", b"500") + LENGTH + b"\r\n" + BODY,
        STATUS.replace(b"1.1", b"1.0") + LENGTH + b"\r\n" + BODY,
    ],
)
def test_what_a_parser_has_to_judge_is_left_to_it(told: bytes) -> None:
    assert plain_answer(told) is None


def test_a_head_that_is_nearly_plain_costs_no_more_than_one_that_is() -> None:
    """A pattern that tried all ways to read these would not come to an end."""
    assert plain_answer(STATUS + b"content-type: " + b" " * 60_000) is None
    assert plain_answer(STATUS + (b"a" * 900 + b": " + b" \t" * 200 + b"\r\n") * 64 + b"x") is None


def test_a_request_is_written_with_all_that_may_be_forwarded() -> None:
    heads = RequestHeads(urlsplit("http://user:secret@shop.internal:4001/graphql?v=1"), accept_compressed=False)
    headers = (
        ("x-tenant", "a"),
        ("host", "evil"),
        ("x-split", "1\r\nx: 2"),
        ("x y", "1"),
        ("X-Mixed", "é"),
        ("te", "x"),
    )

    for _ in range(2):  # names are remembered
        assert heads.post(headers, b"{}", "gzip") == (
            b"POST /graphql?v=1 HTTP/1.1\r\nHost: shop.internal:4001\r\n"
            b"Accept: application/graphql-response+json, application/json;q=0.9\r\nContent-Type: application/json\r\n"
            b"x-tenant: a\r\nX-Mixed: \xe9\r\nContent-Encoding: gzip\r\nContent-Length: 2\r\n\r\n{}"
        )
    assert heads.get((), "q=1").startswith(b"GET /graphql?v=1&q=1 HTTP/1.1\r\nHost: shop.internal:4001\r\nAccept: ")
