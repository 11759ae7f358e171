"""uvicorn's HTTP/1.1 protocol with bounds that it has none of: on heads, on bodies that do not end, and on connections.

`workers` serves with it, and subgraphs do. How long a body may be is bounded by `request.read_body`.
"""

from __future__ import annotations

import asyncio
import sys
from collections import Counter
from dataclasses import dataclass, field
from typing import Any, ClassVar

import orjson

from router.descriptors import half_of_descriptors
from router.server.errors import HttpError, out_of_memory
from router.server.http_protocol import StrictHttpProtocol

_REASONS = {408: b"Request Timeout", 431: b"Request Header Fields Too Large", 503: b"Service Unavailable"}
#: `read_body` answers first that a body is late.
_GRACE_SECONDS = 1.0


@dataclass(slots=True)
class ConnectionCaps:
    """How many clients may be connected, in all and from one address: the process goes on serving those it has.

    Without `most`, as many as the process may open files for, with another one to a subgraph for each; without
    `most_per_address`, half of them.
    """

    most: int | None = None
    most_per_address: int | None = None
    total: int = 0
    by_address: Counter[str] = field(default_factory=Counter)

    def __post_init__(self) -> None:
        if self.most is None:
            self.most = half_of_descriptors()
        if self.most_per_address is None:
            self.most_per_address = max(1, self.most // 2)

    def enter(self, address: str) -> bool:
        """Counts a connection; whether it may stay."""
        self.total += 1
        self.by_address[address] += 1
        assert self.most is not None
        assert self.most_per_address is not None
        return self.total <= self.most and self.by_address[address] <= self.most_per_address

    def leave(self, address: str) -> None:
        self.total -= 1
        self.by_address[address] -= 1
        if not self.by_address[address]:
            del self.by_address[address]


class BoundedHttpProtocol(StrictHttpProtocol):
    """Its bounds are attributes of the class that `bounded_http` makes of it."""

    header_bytes: ClassVar[int]
    max_seconds: ClassVar[float]
    caps: ClassVar[ConnectionCaps]

    _is_in_head = True
    _is_complete = False  # the message that is coming
    _head_bytes = 0
    _timer: asyncio.TimerHandle | None = None
    _address = ""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._address = self.client[0] if self.client else ""
        if not self.caps.enter(self._address):
            self._refuse(HttpError(503, "TOO_MANY_CONNECTIONS", "Too many connections are open. Try again later."))
            return
        self._timer = self.loop.call_later(self.max_seconds, self._refuse_late_head)

    def connection_lost(self, exc: Exception | None) -> None:
        self.caps.leave(self._address)
        self._stop_timer()
        super().connection_lost(exc)

    def handle_websocket_upgrade(self) -> None:
        """The connection goes on under another protocol, which is told of its end in place of this one; it counts until then."""
        super().handle_websocket_upgrade()
        websocket: Any = self.transport.get_protocol()
        if websocket is self:  # it was refused
            return
        ended = websocket.connection_lost

        def connection_lost(exc: Exception | None) -> None:
            self.caps.leave(self._address)
            ended(exc)

        websocket.connection_lost = connection_lost

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        if self._is_in_head:
            self._head_bytes += len(data)
            if self._head_bytes > self.header_bytes:
                message = f"The headers are longer than {self.header_bytes} bytes."
                self._refuse(HttpError(431, "HEADERS_TOO_LARGE", message))
        if not self._is_complete and self._timer is None and self.transport.get_protocol() is self:
            if self._is_in_head:  # a later one of a connection that is kept
                self._timer = self.loop.call_later(self.max_seconds, self._refuse_late_head)
            else:
                self._timer = self.loop.call_later(self.max_seconds + _GRACE_SECONDS, self._end_late_body)

    def on_message_begin(self) -> None:
        self._is_in_head = True
        self._is_complete = False
        self._head_bytes = 0
        super().on_message_begin()

    def on_headers_complete(self) -> None:
        self._is_in_head = False
        if self._timer is not None:
            self._stop_timer()
        super().on_headers_complete()

    def on_message_complete(self) -> None:
        if not self.parser.should_upgrade() or self._should_upgrade():
            self._note_end()
        super().on_message_complete()

    def _note_end(self) -> None:
        """Of the message that was coming."""
        self._is_complete = True
        if self._timer is not None:
            self._stop_timer()

    def send_400_response(self, msg: str) -> None:
        """Called for whatever reading bytes raised. That we found no memory for them is no fault of who sent them."""
        failure = sys.exception()
        if failure is not None and isinstance(failure.__context__, MemoryError):
            self._end_with(_OUT_OF_MEMORY)
        else:
            super().send_400_response(msg)

    def _refuse_late_head(self) -> None:
        self._refuse(HttpError(408, "REQUEST_TIMEOUT", f"The headers did not arrive within {self.max_seconds:g} s."))

    def _end_late_body(self) -> None:
        """Whether it was answered already, as too long or late, or nobody could: what still comes is not waited for."""
        if self.cycle.response_started:
            self.transport.close()
        else:
            self._refuse(HttpError(408, "REQUEST_TIMEOUT", f"The body did not arrive within {self.max_seconds:g} s."))

    def _refuse(self, error: HttpError) -> None:
        self._end_with(_response(error))

    def _end_with(self, response: bytes) -> None:
        if not self.transport.is_closing():
            self.transport.write(response)
            self.transport.close()

    def _stop_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None


def _response(error: HttpError) -> bytes:
    body = orjson.dumps({"errors": error.entries()})
    return (
        b"HTTP/1.1 %d %b\r\ncontent-type: application/json; charset=utf-8\r\ncontent-length: %d\r\n"
        b"connection: close\r\n\r\n%b" % (error.status, _REASONS[error.status], len(body), body)
    )


#: Made beforehand: orjson ends the process where it finds no memory to write to.
_OUT_OF_MEMORY = _response(out_of_memory())


def bounded_http(
    *,
    header_bytes: int,
    max_seconds: float,
    caps: ConnectionCaps | None = None,
    protocol: type[BoundedHttpProtocol] = BoundedHttpProtocol,
    **more: object,
) -> type[BoundedHttpProtocol]:
    """A protocol class for `uvicorn.Config(http=...)`. `max_seconds` is for each head of a connection, and for each body;
    `more` are attributes that a kind of `protocol` needs.
    """
    bounds = {"header_bytes": header_bytes, "max_seconds": max_seconds, "caps": caps or ConnectionCaps()}
    return type("BoundedHttp", (protocol,), {**bounds, **more})
