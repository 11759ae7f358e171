"""One HTTP request to the GraphQL endpoint and what becomes of it: read by the request's log line and metrics."""

from __future__ import annotations

import random
import time
from urllib.parse import parse_qsl

from router.pipeline import Response
from router.server.header_values import HeaderFields, Headers
from router.server.request import Scope, Send

MAX_REQUEST_ID_LENGTH = 128


def request_id_from(given: object) -> str:
    """The client's, where it gave one that can stand in headers and logs, or a new one."""
    if isinstance(given, str) and 0 < len(given) <= MAX_REQUEST_ID_LENGTH and given.isascii() and given.isprintable():
        return given
    return f"{random.getrandbits(64):016x}"


class Exchange:
    """One HTTP request and what becomes of it."""

    __slots__ = (
        "address", "extra", "has_errors", "headers", "is_started", "method", "operation_name", "operation_type",
        "query_string", "request_id", "response", "send", "size", "started", "status", "subject",
    )  # fmt: skip

    def __init__(self, scope: Scope, headers: HeaderFields, send: Send, extra: Headers) -> None:
        self.started = time.perf_counter()
        self.method: str = scope["method"]
        self.query_string: bytes = scope.get("query_string", b"")
        client = scope.get("client")
        self.address: str = client[0] if client else ""
        self.headers = headers
        self.send = send
        self.request_id = request_id_from(headers.text(b"x-request-id"))
        self.extra: Headers = [*self.request_id_header, *extra]
        self.status = 500
        self.size = 0
        self.is_started = False
        self.has_errors = False
        self.response: Response | None = None  # where there was one and no stream
        self.operation_name: str | None = None
        self.operation_type: str | None = None
        self.subject: str | None = None

    @property
    def request_id_header(self) -> Headers:
        return [(b"x-request-id", self.request_id.encode("latin-1"))]

    def parameter(self, name: str) -> str:
        """The last value of that name in the query string, or ""."""
        if name.encode() not in self.query_string:
            return ""
        try:
            return dict(parse_qsl(self.query_string.decode("latin-1"), max_num_fields=100)).get(name, "")
        except ValueError:
            return ""

    def note(self, response: Response) -> None:
        self.operation_type = response.operation_type
        self.operation_name = response.operation_name or self.operation_name
        self.has_errors = response.has_errors
        self.response = response
