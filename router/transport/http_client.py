"""HTTP/1.1 to subgraphs over kept-alive connections: the fast transport for plain `http://` addresses.

Own code because general clients cost three to forty times the CPU for a small POST. `subgraph_client` uses it, and
gives https, and bodies with files, to aiohttp. Answers are handed out as bytes; nothing here knows GraphQL.
"""

from __future__ import annotations

import asyncio
import ssl
import time
from collections import deque
from dataclasses import dataclass
from functools import lru_cache, partial
from typing import cast
from urllib.parse import urlsplit

import httptools

from router.content_coding import ACCEPT_ENCODING, ContentTooLargeError, decode, encode
from router.errors import (
    SubgraphError,
    SubgraphHttpError,
    SubgraphTimeoutError,
    response_too_large,
    unreachable,
)
from router.transport.protocol import ACCEPT, CONTENT_TYPE, CancellableAnswer, SubgraphAnswer, SubgraphRequest, failed

#: Headers that belong to one connection or describe one body, never to be forwarded.
NOT_FORWARDED = frozenset(
    [
        "accept",
        "accept-encoding",
        "connection",
        "content-encoding",
        "content-length",
        "content-type",
        "expect",
        "host",
        "keep-alive",
        "proxy-authenticate",
        "proxy-authorization",
        "proxy-connection",
        "te",
        "trailer",
        "transfer-encoding",
        "upgrade",
    ]
)

SHORTEST_SWEEP_SECONDS = 0.25
MAX_HEAD_BYTES = 64 * 1024  # status line and headers of an answer


@dataclass(frozen=True, slots=True)
class HttpLimits:
    """Bounds of one pool; `total_timeout_seconds` covers waiting for a connection, connecting and the answer."""

    max_connections: int = 100  # per origin
    connect_timeout_seconds: float = 5.0
    total_timeout_seconds: float = 30.0
    pool_timeout_seconds: float = 10.0
    keep_alive_seconds: float = 30.0
    max_response_bytes: int = 64 * 1024 * 1024
    kept_headers: frozenset[str] = frozenset()  # of answers, in lower case
    accept_compressed: bool = False
    tls: ssl.SSLContext | None = None  # of https; None: the system's authorities
    request_coding: str | None = None  # of bodies from `coded_from_bytes` on
    coded_from_bytes: int = 2_048

    def coded(self, body: bytes) -> tuple[bytes, str | None]:
        """The body as it is sent, and its content coding."""
        if self.request_coding is None or len(body) < self.coded_from_bytes:
            return body, None
        return encode(body, self.request_coding), self.request_coding


class _Exchange:
    """One request on its way: its bytes, and the future its asker waits on."""

    __slots__ = ("answer", "deadline", "is_retried", "payload", "request", "timer")

    def __init__(self, request: SubgraphRequest, payload: bytes, answer: asyncio.Future[SubgraphAnswer]) -> None:
        self.request = request
        self.payload = payload
        self.answer = answer
        self.timer: asyncio.TimerHandle | None = None
        self.is_retried = False

    def succeed(self, answer: SubgraphAnswer) -> None:
        self._stop_timer()
        if not self.answer.done():
            self.answer.set_result(answer)

    def fail(self, error: SubgraphError) -> None:
        self._stop_timer()
        if not self.answer.done():
            self.answer.set_exception(error)

    def _stop_timer(self) -> None:
        if self.timer is not None:
            self.timer.cancel()
            self.timer = None


class HttpClient:
    """A `SubgraphTransport` for plain http; one pool per origin, all on one event loop."""

    def __init__(self, limits: HttpLimits | None = None) -> None:
        self._limits = limits or HttpLimits()
        self._pools: dict[str, _Pool] = {}
        self._is_closed = False

    def send(self, request: SubgraphRequest) -> asyncio.Future[SubgraphAnswer]:
        pool = self._pools.get(request.url)
        if pool is None:
            if self._is_closed:
                return failed(SubgraphHttpError("The router is shutting down.", request.subgraph))
            try:
                pool = self._pools[request.url] = _Pool(request.url, self._limits)
            except ValueError as error:
                return failed(
                    SubgraphHttpError("The subgraph's address is not valid.", request.subgraph, detail=str(error))
                )
        return pool.send(request)

    def forget(self, url: str) -> None:
        """The address will not be used any more: idle connections are closed, those in use when all must have answered."""
        pool = self._pools.pop(url, None)
        if pool is not None:
            pool.retire()

    async def close(self) -> None:
        self._is_closed = True
        for pool in self._pools.values():
            pool.close()
        self._pools.clear()


class _Pool:
    """Connections to one address: the most recently used idle one first, so that spare ones can age out."""

    def __init__(self, url: str, limits: HttpLimits) -> None:
        parts = urlsplit(url)
        self._host = parts.hostname or "localhost"
        self._port = parts.port or 80
        self.limits = limits
        self._target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        self._every_head = f" HTTP/1.1\r\nHost: {parts.netloc.rpartition('@')[2]}\r\nAccept: {ACCEPT}\r\n" + (
            f"Accept-Encoding: {ACCEPT_ENCODING}\r\n" if limits.accept_compressed else ""
        )
        self._head = f"POST {self._target}{self._every_head}Content-Type: {CONTENT_TYPE}\r\n".encode("latin-1")
        self._idle: list[_Connection] = []
        self._open: set[_Connection] = set()
        self._connecting: set[asyncio.Task[None]] = set()
        self._waiting: deque[_Exchange] = deque()
        self._loop = asyncio.get_running_loop()
        self._sweeper: asyncio.TimerHandle | None = None

    def send(self, request: SubgraphRequest) -> asyncio.Future[SubgraphAnswer]:
        answer = CancellableAnswer(loop=self._loop)
        exchange = _Exchange(request, self._encode(request), answer)
        answer.on_cancel = partial(self._abort, exchange)
        exchange.timer = self._loop.call_later(self.limits.total_timeout_seconds, self._time_out, exchange)
        self._dispatch(exchange)
        return answer

    def retire(self) -> None:
        self.drop_idle()
        self._loop.call_later(self.limits.total_timeout_seconds, self.close)

    def drop_idle(self) -> None:
        """As when the server said of one connection that it closes it: it is probably stopping, and with it the others."""
        for connection in self._idle:
            connection.abort()
        self._idle.clear()

    def close(self) -> None:
        if self._sweeper is not None:
            self._sweeper.cancel()
        for task in self._connecting:
            task.cancel()
        for connection in list(self._open):
            connection.abort()
        while self._waiting:
            exchange = self._waiting.popleft()
            exchange.fail(SubgraphHttpError("The router is shutting down.", exchange.request.subgraph))

    def _encode(self, request: SubgraphRequest) -> bytes:
        if request.query_string:
            return self._encode_get(request)
        body, coding = self.limits.coded(request.body)
        head = self._head
        if not request.headers and coding is None:
            return b"%bContent-Length: %d\r\n\r\n%b" % (head, len(body), body)
        forwarded = _forwarded(request)
        if coding is not None:
            forwarded += f"Content-Encoding: {coding}\r\n".encode()
        return b"%b%bContent-Length: %d\r\n\r\n%b" % (head, forwarded, len(body), body)

    def _encode_get(self, request: SubgraphRequest) -> bytes:
        mark = "&" if "?" in self._target else "?"
        line = f"GET {self._target}{mark}{request.query_string}{self._every_head}".encode("latin-1")
        return b"%b%b\r\n" % (line, _forwarded(request))

    def _dispatch(self, exchange: _Exchange) -> None:
        while self._idle:
            connection = self._idle.pop()
            if connection.is_fresh(self.limits.keep_alive_seconds):
                connection.start(exchange)
                return
            connection.abort()
        if len(self._open) + len(self._connecting) < self.limits.max_connections:
            self._connect(exchange)
        else:
            self._waiting.append(exchange)
            self._loop.call_later(self.limits.pool_timeout_seconds, self._stop_waiting, exchange)

    def _connect(self, exchange: _Exchange) -> None:
        task = self._loop.create_task(self._open_connection(exchange))
        self._connecting.add(task)
        task.add_done_callback(self._connecting.discard)

    async def _open_connection(self, exchange: _Exchange) -> None:
        try:
            async with asyncio.timeout(self.limits.connect_timeout_seconds):
                _, connection = await self._loop.create_connection(
                    lambda: _Connection(self, self._loop), self._host, self._port
                )
        except TimeoutError:
            exchange.fail(SubgraphTimeoutError("The subgraph did not accept a connection.", exchange.request.subgraph))
            self._serve_next_waiting()
        except OSError as error:
            exchange.fail(unreachable(exchange.request.subgraph, exchange.request.url, error))
            self._serve_next_waiting()
        except asyncio.CancelledError:
            exchange.fail(SubgraphHttpError("The router is shutting down.", exchange.request.subgraph))
            raise
        else:
            self._open.add(connection)
            if self._sweeper is None:
                self._sweep()
            if exchange.answer.done():
                self.release(connection)
            else:
                connection.start(exchange)

    def release(self, connection: _Connection) -> None:
        """The connection has done its exchange and can take another."""
        while self._waiting:
            exchange = self._waiting.popleft()
            if not exchange.answer.done():
                connection.start(exchange)
                return
        self._idle.append(connection)

    def forget(self, connection: _Connection) -> None:
        """The connection is gone."""
        self._open.discard(connection)
        if connection in self._idle:
            self._idle.remove(connection)
        self._serve_next_waiting()

    def _sweep(self) -> None:
        """Closes what lay idle for too long. A server may then count on it that nothing comes over such a connection."""
        for connection in [each for each in self._idle if not each.is_fresh(self.limits.keep_alive_seconds)]:
            self._idle.remove(connection)
            connection.abort()
        pause = max(SHORTEST_SWEEP_SECONDS, self.limits.keep_alive_seconds / 4)
        self._sweeper = self._loop.call_later(pause, self._sweep) if self._open else None

    def retry(self, exchange: _Exchange) -> None:
        """Once, on a new connection: the old one had been closed by the server while it lay idle."""
        exchange.is_retried = True
        self._connect(exchange)

    def _serve_next_waiting(self) -> None:
        while self._waiting:
            exchange = self._waiting.popleft()
            if not exchange.answer.done():
                self._dispatch(exchange)
                return

    def _stop_waiting(self, exchange: _Exchange) -> None:
        if exchange in self._waiting:
            self._waiting.remove(exchange)
            exchange.fail(SubgraphTimeoutError("No connection to the subgraph became free.", exchange.request.subgraph))

    def _time_out(self, exchange: _Exchange) -> None:
        exchange.fail(SubgraphTimeoutError("The subgraph did not answer in time.", exchange.request.subgraph))
        self._abort(exchange)

    def _abort(self, exchange: _Exchange) -> None:
        for connection in self._open:
            if connection.exchange is exchange:
                connection.abort()
                return


class _Connection(asyncio.Protocol):
    """One socket: writes a request, parses the answer, one exchange at a time."""

    def __init__(self, pool: _Pool, loop: asyncio.AbstractEventLoop) -> None:
        self._pool = pool
        self._loop = loop
        self._transport: asyncio.Transport | None = None
        self._parser = httptools.HttpResponseParser(self)
        self._last_used = time.monotonic()
        self._is_reused = False
        self.exchange: _Exchange | None = None
        self._chunks: list[bytes] = []
        self._size = self._head_size = 0
        self._has_received = False
        self._parser_has_headers = False
        self._ends_with_connection = False
        self._is_answered = False
        self._may_go_on = False
        self._content_type = ""
        self._cache_control = ""
        self._coding = ""
        self._kept: list[tuple[str, str]] = []

    def is_fresh(self, keep_alive_seconds: float) -> bool:
        is_open = self._transport is not None and not self._transport.is_closing()
        return is_open and time.monotonic() - self._last_used < keep_alive_seconds

    def start(self, exchange: _Exchange) -> None:
        assert self._transport is not None
        self.exchange = exchange
        self._chunks = []
        self._size = self._head_size = 0
        self._has_received = self._parser_has_headers = self._is_answered = False
        self._ends_with_connection = True  # unless a header says how long the body is
        self._content_type = self._cache_control = self._coding = ""
        self._kept = []
        self._transport.write(exchange.payload)

    def abort(self) -> None:
        if self._transport is not None:
            self._transport.abort()

    # asyncio calls these

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)  # uvloop's transports do not derive from asyncio's

    def data_received(self, data: bytes) -> None:
        if self.exchange is None:
            self.abort()  # an answer nobody asked for
            return
        self._has_received = True
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserError as error:
            self._refuse_protocol(str(error))
        if not self._parser_has_headers:
            self._head_size += len(data)
            if self._head_size > MAX_HEAD_BYTES:
                self._refuse_protocol("headers without end")
        if self._is_answered:
            self._go_on()

    def connection_lost(self, error: Exception | None) -> None:
        if error is None and self._has_received and self._ends_with_connection and self._parser_has_headers:
            self._deliver()
        exchange, self.exchange = self.exchange, None
        self._pool.forget(self)
        if exchange is None or exchange.answer.done():
            return
        may_retry = self._is_reused and not self._has_received and not exchange.is_retried
        if may_retry and exchange.request.is_query:
            self._pool.retry(exchange)
        else:
            exchange.fail(
                SubgraphHttpError(
                    "The subgraph closed the connection.", exchange.request.subgraph, detail=str(error or "")
                )
            )

    def _go_on(self) -> None:
        """Only now that all which came is read: what follows an answer must not pass for the next asker's."""
        assert self._transport is not None
        if self._transport.is_closing():
            return
        if self._may_go_on:
            self._is_reused = True
            self._last_used = time.monotonic()
            self._pool.release(self)
        else:
            self._transport.close()
            self._pool.drop_idle()

    # httptools calls these

    def on_message_begin(self) -> None:
        if self._is_answered:
            self.abort()  # more than one answer to one request

    def on_header(self, name: bytes, value: bytes) -> None:
        lowered = name.lower()
        if lowered == b"content-type":
            self._content_type = value.decode("latin-1")
        elif lowered == b"cache-control":
            self._cache_control = value.decode("latin-1")
        elif lowered == b"transfer-encoding":
            self._ends_with_connection = False
        elif lowered == b"content-length":
            self._ends_with_connection = False
            if value.isdigit() and int(value) > self._pool.limits.max_response_bytes:
                self._refuse_size()

        elif lowered == b"content-encoding":
            self._coding = value.decode("latin-1") if self._pool.limits.accept_compressed else ""
        elif (kept := self._pool.limits.kept_headers) and (text := lowered.decode("latin-1")) in kept:
            self._kept.append((text, value.decode("latin-1")))

    def on_headers_complete(self) -> None:
        self._parser_has_headers = True

    def on_body(self, body: bytes) -> None:
        self._size += len(body)
        if self._size > self._pool.limits.max_response_bytes:
            self._refuse_size()
        else:
            self._chunks.append(body)

    def on_message_complete(self) -> None:
        if self._parser.get_status_code() < 200:
            return  # 100 Continue and its like come before the answer
        self._deliver()
        self._is_answered = True
        self._may_go_on = self._parser.should_keep_alive()

    def _deliver(self) -> None:
        exchange, self.exchange = self.exchange, None
        if exchange is None:
            return
        body = self._chunks[0] if len(self._chunks) == 1 else b"".join(self._chunks)
        self._chunks = []
        status = self._parser.get_status_code()
        if self._coding:
            try:
                body = decode(body, self._coding, self._pool.limits.max_response_bytes)
            except ContentTooLargeError:
                exchange.fail(response_too_large(exchange.request.subgraph, self._pool.limits.max_response_bytes))
                return
            except ValueError as error:
                failure = SubgraphHttpError(
                    "The subgraph did not speak HTTP.", exchange.request.subgraph, detail=str(error)
                )
                exchange.fail(failure)
                return
        exchange.succeed(SubgraphAnswer(status, body, self._content_type, self._cache_control, tuple(self._kept)))

    def _refuse_protocol(self, detail: str) -> None:
        self._fail(SubgraphHttpError("The subgraph did not speak HTTP.", self._subgraph(), detail=detail))
        self.abort()

    def _refuse_size(self) -> None:
        self._chunks = []
        self._fail(response_too_large(self._subgraph(), self._pool.limits.max_response_bytes))
        self.abort()

    def _fail(self, error: SubgraphError) -> None:
        exchange, self.exchange = self.exchange, None
        if exchange is not None:
            exchange.fail(error)

    def _subgraph(self) -> str:
        return self.exchange.request.subgraph if self.exchange is not None else ""


def _forwarded(request: SubgraphRequest) -> bytes:
    lines = [f"{name}: {value}\r\n" for name, value in request.headers if may_forward(name, value)]
    return "".join(lines).encode("latin-1", "replace")


def may_forward(name: str, value: str) -> bool:
    """Whether a header can be passed on without breaking the message: not hop-by-hop, no line breaks."""
    return _is_forwardable(name) and "\n" not in value and "\r" not in value and "\0" not in value


@lru_cache(maxsize=1_024)  # names come again with every request, values do not
def _is_forwardable(name: str) -> bool:
    return name.lower() not in NOT_FORWARDED and name.isascii() and not any(sign in name for sign in " :\r\n\0")
