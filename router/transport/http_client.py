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
from typing import cast
from urllib.parse import urlsplit

import httptools

from router.content_coding import ContentTooLargeError, decode, encode
from router.errors import (
    SubgraphError,
    SubgraphHttpError,
    SubgraphTimeoutError,
    response_too_large,
    unreachable,
)
from router.transport.http_exchange import HttpExchange
from router.transport.http_messages import RequestHeads, plain_answer
from router.transport.pending_answer import failed
from router.transport.protocol import SubgraphAnswer, SubgraphRequest

SHORTEST_SWEEP_SECONDS = 0.25
SHORTEST_PAUSE_SECONDS = 0.001
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
        address = urlsplit(url)
        self._host = address.hostname or "localhost"
        self._port = address.port or 80
        self.limits = limits
        self._heads = RequestHeads(address, accept_compressed=limits.accept_compressed)
        self._idle: list[_Connection] = []
        self._open: set[_Connection] = set()
        self._connecting: set[asyncio.Task[None]] = set()
        self._waiting: deque[HttpExchange] = deque()
        self.loop = asyncio.get_running_loop()
        self._sweeper: asyncio.TimerHandle | None = None
        #: What has not landed, in the order in which its time ends: all have as much of it, so that one timer is enough.
        self._under_way: dict[HttpExchange, None] = {}
        self._timer: asyncio.TimerHandle | None = None
        self._seconds = limits.total_timeout_seconds

    def send(self, request: SubgraphRequest) -> asyncio.Future[SubgraphAnswer]:
        exchange = HttpExchange(self._under_way, request, self._encode(request), self.loop.time() + self._seconds)
        if self._timer is None:
            self._timer = self.loop.call_later(self._seconds, self._end_overdue)
        self._dispatch(exchange)
        return exchange

    def retire(self) -> None:
        self.drop_idle()
        self.loop.call_later(self._seconds, self.close)

    def drop_idle(self) -> None:
        """As when the server said of one connection that it closes it: it is probably stopping, and with it the others."""
        for connection in self._idle:
            connection.abort()
        self._idle.clear()

    def close(self) -> None:
        if self._sweeper is not None:
            self._sweeper.cancel()
        if self._timer is not None and not self._under_way:
            self._timer.cancel()
        for task in self._connecting:
            task.cancel()
        for connection in list(self._open):
            connection.abort()
        while self._waiting:
            exchange = self._waiting.popleft()
            exchange.fail(SubgraphHttpError("The router is shutting down.", exchange.request.subgraph))

    def _encode(self, request: SubgraphRequest) -> bytes:
        if request.query_string:
            return self._heads.get(request.headers, request.query_string)
        if self.limits.request_coding is None:
            return self._heads.post(request.headers, request.body, None)
        return self._heads.post(request.headers, *self.limits.coded(request.body))

    def _dispatch(self, exchange: HttpExchange) -> None:
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
            self.loop.call_later(self.limits.pool_timeout_seconds, self._stop_waiting, exchange)

    def _connect(self, exchange: HttpExchange) -> None:
        task = self.loop.create_task(self._open_connection(exchange))
        self._connecting.add(task)
        task.add_done_callback(self._connecting.discard)

    async def _open_connection(self, exchange: HttpExchange) -> None:
        try:
            async with asyncio.timeout(self.limits.connect_timeout_seconds):
                _, connection = await self.loop.create_connection(lambda: _Connection(self), self._host, self._port)
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
            if exchange.done():
                self.release(connection)
            else:
                connection.start(exchange)

    def release(self, connection: _Connection) -> None:
        """The connection has done its exchange and can take another."""
        while self._waiting:
            exchange = self._waiting.popleft()
            if not exchange.done():
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
        self._sweeper = self.loop.call_later(pause, self._sweep) if self._open else None

    def retry(self, exchange: HttpExchange) -> None:
        """Once, on a new connection: the old one had been closed by the server while it lay idle."""
        exchange.is_retried = True
        self._connect(exchange)

    def _serve_next_waiting(self) -> None:
        while self._waiting:
            exchange = self._waiting.popleft()
            if not exchange.done():
                self._dispatch(exchange)
                return

    def _stop_waiting(self, exchange: HttpExchange) -> None:
        if exchange in self._waiting:
            self._waiting.remove(exchange)
            exchange.fail(SubgraphTimeoutError("No connection to the subgraph became free.", exchange.request.subgraph))

    def _end_overdue(self) -> None:
        """Fails the exchanges whose time is over, and comes again when that of the next is."""
        now = self.loop.time()
        for exchange in [each for each in self._under_way if each.ends_at <= now]:
            exchange.fail(SubgraphTimeoutError("The subgraph did not answer in time.", exchange.request.subgraph))
            exchange.give_up()
        first = next(iter(self._under_way), None)
        # a timer may go off a moment early
        pause = max(first.ends_at - now, SHORTEST_PAUSE_SECONDS) if first is not None else 0.0
        self._timer = self.loop.call_later(pause, self._end_overdue) if first is not None else None


class _Connection(asyncio.Protocol):
    """One socket: writes a request, reads the answer, one exchange at a time."""

    def __init__(self, pool: _Pool) -> None:
        self._pool = pool
        self._transport: asyncio.Transport | None = None
        self._parser = httptools.HttpResponseParser(self)
        self._last_used = time.monotonic()
        self._is_reused = False
        self._has_received = False
        #: whether nobody wants more of an answer's head than `plain_answer` reads
        self._may_be_plain = not pool.limits.kept_headers
        self.exchange: HttpExchange | None = None
        self._begin_parsing()

    def is_fresh(self, keep_alive_seconds: float) -> bool:
        is_open = self._transport is not None and not self._transport.is_closing()
        return is_open and time.monotonic() - self._last_used < keep_alive_seconds

    def start(self, exchange: HttpExchange) -> None:
        assert self._transport is not None
        self.exchange = exchange
        exchange.socket = self._transport
        self._has_received = False
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
        if not self._has_received:
            self._has_received = True
            answer = plain_answer(data) if self._may_be_plain else None
            if answer is not None and len(answer.body) <= self._pool.limits.max_response_bytes:
                self._hand_over(answer)
                self._go_on()
                return
            self._begin_parsing()
        self._parse(data)

    def connection_lost(self, error: Exception | None) -> None:
        if error is None and self._has_received and self._ends_with_connection and self._parser_has_headers:
            self._deliver()
        exchange, self.exchange = self.exchange, None
        self._pool.forget(self)
        if exchange is None or exchange.done():
            return
        exchange.socket = None
        may_retry = self._is_reused and not self._has_received and not exchange.is_retried
        if may_retry and exchange.request.is_query:
            self._pool.retry(exchange)
        else:
            exchange.fail(
                SubgraphHttpError(
                    "The subgraph closed the connection.", exchange.request.subgraph, detail=str(error or "")
                )
            )

    def _begin_parsing(self) -> None:
        """Of an answer that is not plain, or not all there."""
        self._chunks: list[bytes] = []
        self._size = self._head_size = 0
        self._parser_has_headers = self._is_answered = False
        self._ends_with_connection = self._may_go_on = True  # unless a header says otherwise
        self._content_type = self._cache_control = self._coding = ""
        self._kept: list[tuple[str, str]] = []

    def _parse(self, data: bytes) -> None:
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
        if self.exchange is None:
            return
        body = self._chunks[0] if len(self._chunks) == 1 else b"".join(self._chunks)
        self._chunks = []
        status = self._parser.get_status_code()
        if self._coding:
            try:
                body = decode(body, self._coding, self._pool.limits.max_response_bytes)
            except ContentTooLargeError:
                self._fail(response_too_large(self._subgraph(), self._pool.limits.max_response_bytes))
                return
            except ValueError as error:
                self._fail(SubgraphHttpError("The subgraph did not speak HTTP.", self._subgraph(), detail=str(error)))
                return
        self._hand_over(SubgraphAnswer(status, body, self._content_type, self._cache_control, tuple(self._kept)))

    def _hand_over(self, answer: SubgraphAnswer) -> None:
        exchange, self.exchange = self.exchange, None
        if exchange is not None:
            exchange.socket = None
            if not exchange.done():
                exchange.set_result(answer)

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
            exchange.socket = None
            exchange.fail(error)

    def _subgraph(self) -> str:
        return self.exchange.request.subgraph if self.exchange is not None else ""
