"""Which other origins' pages may call, and open WebSockets: answers preflights and adds the headers that let a page read an
answer.
"""

from __future__ import annotations

from router.server.header_values import HeaderFields, Headers
from router.settings import Cors

ALLOWED_METHODS = b"GET, HEAD, POST, OPTIONS"
STREAM_METHODS = b"GET, POST, PUT, DELETE, OPTIONS"  # those of a reserved event stream included


class CorsPolicy:
    """Compiled from settings; with no origins it adds nothing, and browsers refuse by themselves."""

    def __init__(self, settings: Cors) -> None:
        self._is_off = not settings.origins
        self._any = "*" in settings.origins
        self._origins = frozenset(settings.origins)
        self._any_port = frozenset(origin[:-2] for origin in settings.origins if origin.endswith(":*"))
        self._credentials = [(b"access-control-allow-credentials", b"true")] if settings.credentials else []
        self._exposed = [(b"access-control-expose-headers", ", ".join(settings.response_headers).encode())]
        self._preflight = [
            (b"access-control-allow-methods", STREAM_METHODS),
            (b"access-control-allow-headers", ", ".join(settings.request_headers).encode()),
            (b"access-control-max-age", str(settings.max_age_seconds).encode()),
        ]

    def headers_for(self, request_headers: HeaderFields, *, is_preflight: bool = False) -> Headers:
        """What to add to the response to this request."""
        if self._is_off:
            return []
        origin = request_headers.text(b"origin")
        # caches must not hand one origin's answer to another, also where this request came without an origin
        varies = [] if self._any else [(b"vary", b"origin")]
        if not origin or not self.allows(origin):
            return varies
        allowed = b"*" if self._any else origin.encode("latin-1")
        more = self._preflight if is_preflight else self._exposed
        return [(b"access-control-allow-origin", allowed), *varies, *self._credentials, *more]

    def admits(self, headers: HeaderFields) -> bool:
        """Whether whoever sent this may open a WebSocket: browsers ask for no leave before they do (RFC 6455, 10.2). Pages
        of the host that is asked may, and those that may call; programs name no origin.
        """
        origin = headers.text(b"origin")
        return not origin or self.allows(origin) or origin.partition("://")[2].lower() == headers.text(b"host").lower()

    def allows(self, origin: str) -> bool:
        if self._any or origin in self._origins:
            return True
        host, _, port = origin.rpartition(":")
        return host in self._any_port and port.isdecimal()
