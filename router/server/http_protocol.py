"""uvicorn's HTTP/1.1 protocol by the letter of RFC 9110 and 9112: an upgrade that is not made loses no body, trailers are
no headers, a request names one host.

Complete responses go out in one write. Whoever serves an ASGI application passes it to `uvicorn.Config(http=...)`.
"""

from __future__ import annotations

from collections.abc import Coroutine
from typing import Any

import httptools
from uvicorn.protocols.http.httptools_impl import (
    HEADER_VALUE_RE,
    STATUS_LINE,
    HttpToolsProtocol,
    RequestResponseCycle,
)

from router.server.answer_lines import FRAMING, field_name
from router.server.time_limit import RESOLUTION_SECONDS


class StrictHttpProtocol(HttpToolsProtocol):
    """Answers a request that offers an upgrade other than to a WebSocket as if it offered none (RFC 9110, 7.8).

    Every JDK client offers `Upgrade: h2c` with its first request. httptools ends parsing after such a head, so the rest
    of the message is read by a new parser, which is told the framing of the body first.
    """

    _is_head_complete = False
    _idle_since: float | None = None  # by the event loop's clock; None while a request is coming or answered

    def data_received(self, data: bytes) -> None:
        self._unset_keepalive_if_required()
        try:
            self.parser.feed_data(data)
        except httptools.HttpParserUpgrade as upgrade:
            if self._should_upgrade():
                self.handle_websocket_upgrade()
            else:
                self._read_on(data[upgrade.args[0] :])
        except httptools.HttpParserError:
            message = "Invalid HTTP request received."
            self.logger.warning(message)
            self.send_400_response(message)

    def connection_lost(self, exc: Exception | None) -> None:
        if self.timeout_keep_alive_task is not None:
            self.timeout_keep_alive_task.cancel()
            self.timeout_keep_alive_task = None
        super().connection_lost(exc)

    def on_message_begin(self) -> None:
        """The scope, which uvicorn makes here, `_begin_exchange` has it made once it is known that there is a use for it."""
        self._is_head_complete = False
        self.url = b""
        self.headers = []
        self.expect_100_continue = False

    def on_header(self, name: bytes, value: bytes) -> None:
        """A field after the body must not count as a header: whoever checks headers has done so (RFC 9110, 6.5.1)."""
        if self._is_head_complete:
            return
        name = name.lower()
        if name == b"expect":
            super().on_header(name, value)
        else:
            self.headers.append((name, value))

    def on_headers_complete(self) -> None:
        """Raises ValueError, which is a 400, for a message of HTTP/1.1 without one `Host` (RFC 9112, 3.2): two parties on
        the way could take two lines for two different servers.
        """
        self._is_head_complete = True
        hosts = [name for name, _ in self.headers].count(b"host")
        if hosts > 1 or (not hosts and self.parser.get_http_version() == "1.1"):
            raise ValueError("a request names one host")
        self._begin_exchange()

    def _begin_exchange(self) -> None:
        """The head is there, and the application is called with it."""
        url, headers, expects = self.url, self.headers, self.expect_100_continue
        super().on_message_begin()  # makes the scope with a list of headers of its own
        self.url, self.expect_100_continue = url, expects
        self.headers += headers
        super().on_headers_complete()

    def on_response_complete(self) -> None:
        """As uvicorn's. But one timer is there for as long as the connection is kept, and looks at `_idle_since` when it is due,
        instead of one that each answer begins and the next request cancels.
        """
        self.server_state.total_requests += 1
        if self.transport.is_closing():
            return
        self.flow.resume_reading()
        if self.pipeline:
            cycle, app = self.pipeline.pop()
            self._start_asgi_task(cycle, app)
            return
        self._idle_since = self.loop.time()
        if self.timeout_keep_alive_task is None:
            self._look_for_idleness_in(self.timeout_keep_alive)

    def timeout_keep_alive_handler(self) -> None:
        self.timeout_keep_alive_task = None
        if self._idle_since is None:
            return
        left = self._idle_since + self.timeout_keep_alive - self.loop.time()
        if left > RESOLUTION_SECONDS:
            self._look_for_idleness_in(left)
        else:
            super().timeout_keep_alive_handler()

    def _look_for_idleness_in(self, seconds: float) -> None:
        self.timeout_keep_alive_task = self.loop.call_later(seconds, self.timeout_keep_alive_handler)

    def _unset_keepalive_if_required(self) -> None:
        self._idle_since = None

    def on_message_complete(self) -> None:
        if self.parser.should_upgrade() and not self._should_upgrade():
            return  # only the parser thinks so: the body comes yet
        super().on_message_complete()

    def _should_upgrade(self) -> bool:
        """A WebSocket begins with a GET (RFC 6455, 4.1); what else offers one is answered as if it did not."""
        return self.parser.get_method() == b"GET" and super()._should_upgrade()

    def _get_upgrade(self) -> bytes | None:
        """The only protocol on offer; `Connection` and `Upgrade` may have several lines, which are one list."""
        offers = self._elements(b"upgrade")
        return offers[0] if len(offers) == 1 and b"upgrade" in self._elements(b"connection") else None

    def _elements(self, name: bytes) -> list[bytes]:
        return [each.strip().lower() for given, value in self.headers if given == name for each in value.split(b",")]

    def _start_asgi_task(self, cycle: RequestResponseCycle, app: Any) -> None:
        super()._start_asgi_task(cycle, _InOneWrite(cycle, app))

    def _read_on(self, rest: bytes) -> None:
        known_head = [b"POST / HTTP/1.1"]
        for name, value in self.headers:
            if name == b"connection":
                options = [option.strip().lower() for option in value.split(b",")]
                value = b"close" if b"close" in options else b"keep-alive"  # noqa: PLW2901 - without its `upgrade`
            if name in FRAMING:
                known_head.append(name + b": " + value)
        callbacks = _AfterKnownHead(self)
        self.parser = httptools.HttpRequestParser(callbacks)
        self.parser.set_dangerous_leniencies(lenient_data_after_close=True)  # as uvicorn sets it
        self.data_received(b"\r\n".join([*known_head, b"", b""]))
        callbacks.is_known = False
        if rest:
            self.data_received(rest)


class _InOneWrite:
    """Calls the application with a `send` that holds a response's head back until it has the body, where that is all of it.

    Two writes are two system calls and often two packets. Responses of unknown length, to HEAD, and without a body are
    uvicorn's to send.
    """

    __slots__ = ("_app", "_cycle", "_head", "_size")

    def __init__(self, cycle: RequestResponseCycle, app: Any) -> None:
        self._cycle = cycle
        self._app = app
        self._head = b""  # while it is held back
        self._size = 0  # of the body, as the head says

    def __call__(self, scope: Any, receive: Any, _: Any) -> Coroutine[Any, Any, None]:
        called: Coroutine[Any, Any, None] = self._app(scope, receive, self.send)
        return called

    async def send(self, message: Any) -> None:
        """As `RequestResponseCycle.send`. Raises RuntimeError for what is no HTTP."""
        cycle = self._cycle
        if message["type"] == "http.response.start" and not cycle.response_started and self._hold(message):
            return
        if not self._head:
            await cycle.send(message)
            return
        head, self._head = self._head, b""
        body = message.get("body", b"")
        if message.get("more_body", False) or message["type"] != "http.response.body":
            cycle.transport.write(head)
            await cycle.send(message)
            return
        if cycle.flow.write_paused and not cycle.disconnected:
            await cycle.flow.drain()
        if cycle.disconnected:
            return
        if len(body) != self._size:
            raise RuntimeError("The body is not as long as its Content-Length says.")
        cycle.transport.writelines((head, body))
        cycle.response_complete = True
        cycle.message_event.set()
        if not cycle.keep_alive:
            cycle.transport.close()
        cycle.on_response()

    def _hold(self, message: Any) -> bool:
        """Whether the response's length is known, so that its head can wait for its body."""
        cycle = self._cycle
        if cycle.scope["method"] == "HEAD" or message["status"] in (204, 304):
            return False
        size: bytes | None = None
        values = []
        lines = [STATUS_LINE[message["status"]]]
        for given, value in (*cycle.default_headers, *message.get("headers", ())):
            name = field_name(given)
            if name in FRAMING:
                if name != b"content-length":
                    return False
                size = size or value
            lines += (name, b": ", value, b"\r\n")
            values.append(value)
        if size is None:
            return False
        if HEADER_VALUE_RE.search(b"".join(values)):
            raise RuntimeError("Invalid HTTP header value.")
        lines.append(b"\r\n" if cycle.keep_alive else b"connection: close\r\n\r\n")
        self._head = b"".join(lines)
        self._size = cycle.expected_content_length = int(size)
        cycle.chunked_encoding = False
        cycle.response_started = True
        cycle.waiting_for_100_continue = False
        return True


class _AfterKnownHead:
    """Callbacks of a parser that hands on all but the head it is told first, which the protocol has read already."""

    def __init__(self, protocol: HttpToolsProtocol) -> None:
        self.is_known = True
        self._protocol = protocol
        self.on_body = protocol.on_body
        self.on_message_complete = protocol.on_message_complete

    def on_message_begin(self) -> None:
        if not self.is_known:
            self._protocol.on_message_begin()

    def on_url(self, url: bytes) -> None:
        if not self.is_known:
            self._protocol.on_url(url)

    def on_header(self, name: bytes, value: bytes) -> None:
        if not self.is_known:
            self._protocol.on_header(name, value)

    def on_headers_complete(self) -> None:
        if not self.is_known:
            self._protocol.on_headers_complete()
