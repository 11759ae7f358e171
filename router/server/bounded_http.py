"""uvicorn's HTTP/1.1 protocol with bounds on a request's head, which it has none of: how long, and how long in coming.

`workers` serves with it. What comes after the head is bounded by `request.read_body`.
"""

from __future__ import annotations

import asyncio

import orjson
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from router.server.errors import HttpError
from router.settings import Limits

_REASONS = {408: b"Request Timeout", 431: b"Request Header Fields Too Large"}


def bounded_http(limits: Limits, max_seconds: float) -> type[HttpToolsProtocol]:
    """A protocol class for `uvicorn.Config(http=...)`; `max_seconds` is for a connection's first head."""

    class BoundedHttpProtocol(HttpToolsProtocol):
        _is_in_head = True
        _head_bytes = 0
        _timer: asyncio.TimerHandle | None = None

        def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
            super().connection_made(transport)
            late = HttpError(408, "REQUEST_TIMEOUT", f"The headers did not arrive within {max_seconds:g} s.")
            self._timer = self.loop.call_later(max_seconds, self._refuse, late)

        def connection_lost(self, exc: Exception | None) -> None:
            self._stop_timer()
            super().connection_lost(exc)

        def data_received(self, data: bytes) -> None:
            super().data_received(data)
            if self._is_in_head:
                self._head_bytes += len(data)
                if self._head_bytes > limits.header_bytes:
                    message = f"The headers are longer than {limits.header_bytes} bytes."
                    self._refuse(HttpError(431, "HEADERS_TOO_LARGE", message))

        def on_message_begin(self) -> None:
            self._is_in_head = True
            self._head_bytes = 0
            super().on_message_begin()

        def on_headers_complete(self) -> None:
            self._is_in_head = False
            if self._timer is not None:
                self._stop_timer()
            super().on_headers_complete()

        def _refuse(self, error: HttpError) -> None:
            if self.transport.is_closing():
                return
            body = orjson.dumps({"errors": error.entries()})
            self.transport.write(
                b"HTTP/1.1 %d %b\r\ncontent-type: application/json; charset=utf-8\r\ncontent-length: %d\r\n"
                b"connection: close\r\n\r\n%b" % (error.status, _REASONS[error.status], len(body), body)
            )
            self.transport.close()

        def _stop_timer(self) -> None:
            if self._timer is not None:
                self._timer.cancel()
                self._timer = None

    return BoundedHttpProtocol
