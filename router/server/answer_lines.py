"""Header lines of answers as they are on the wire, each made once: an application has few, and sends them with every answer.

`whole_request` writes with them; what is answered by ASGI's events is written by uvicorn.
"""

from __future__ import annotations

from functools import lru_cache

from uvicorn.protocols.http.httptools_impl import HEADER_RE, HEADER_VALUE_RE

from router.server.header_values import Headers

#: Headers that say how long a body is, and whether the connection lasts.
FRAMING = frozenset({b"content-length", b"transfer-encoding", b"connection"})


@lru_cache(maxsize=256)
def field_name(name: bytes) -> bytes:
    """In lower case. Raises RuntimeError for what is no name."""
    if HEADER_RE.search(name):
        raise RuntimeError("Invalid HTTP header name.")
    return name.lower()


def header_lines(headers: tuple[tuple[bytes, bytes], ...]) -> bytes | None:
    """Each with its line's end; None where one says how the message ends, which is uvicorn's to see to. Raises RuntimeError
    for what is no header.
    """
    lines: list[bytes] = []
    for given, value in headers:
        name = field_name(given)
        if name in FRAMING:
            return None
        lines += (name, b": ", value, b"\r\n")
        if HEADER_VALUE_RE.search(value):
            raise RuntimeError("Invalid HTTP header value.")
    return b"".join(lines)


#: For headers of the settings' making. Not for values that come from elsewhere: they may be secret, and are ever new ones.
kept_header_lines = lru_cache(maxsize=512)(header_lines)


class ServersLines:
    """The headers that the server adds to every answer. uvicorn has a new list each second, for the date, and adds
    `connection: close` to the last one when it stops.
    """

    __slots__ = ("_headers", "_number", "are_last", "lines")

    def __init__(self) -> None:
        self._headers: Headers = []
        self._number = 0  # of them when `lines` was made
        self.lines = b""
        self.are_last = False  # no more requests on this connection

    def update(self, headers: Headers) -> None:
        if headers is self._headers and len(headers) == self._number:
            return
        self._headers, self._number = headers, len(headers)
        self.are_last = any(name == b"connection" and b"close" in value.lower() for name, value in headers)
        self.lines = b"".join(b"%b: %b\r\n" % each for each in headers)
