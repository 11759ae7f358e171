"""One HTTP request to the GraphQL endpoint and what becomes of it: read by the request's log line and metrics."""

from __future__ import annotations

import random
import time
from urllib.parse import parse_qsl

from router.pipeline import Response
from router.server.head_facts import HeadFacts, can_stand
from router.server.header_values import Headers
from router.server.request import Receive, Send
from router.server.whole_request import WholeRequest


def request_id_from(given: object) -> str:
    """The client's, where it gave one that can stand in headers and logs, or a new one."""
    return given if isinstance(given, str) and can_stand(given) else new_request_id()


def new_request_id() -> str:
    return f"{random.getrandbits(64):016x}"


class Exchange:
    """One HTTP request and what becomes of it. `receive` and `send` are ASGI's; a request that came whole is in `whole` too."""

    # what nearly no request changes is the class's: that costs a request nothing
    status = 500
    size = 0
    is_started = False
    has_errors = False
    response: Response | None = None  # where there was one and no stream
    operation_name: str | None = None
    operation_type: str | None = None
    subject: str | None = None

    def __init__(
        self,
        method: str,
        facts: HeadFacts,
        receive: Receive,
        send: Send,
        *,
        query_string: bytes = b"",
        address: str = "",
        whole: WholeRequest | None = None,
    ) -> None:
        self.started = time.perf_counter()
        self.method = method
        self.facts = facts
        self.headers = facts.headers
        self.query_string = query_string
        self.address = address
        self.receive = receive
        self.send = send
        self.whole = whole
        self.request_id = facts.request_id or new_request_id()
        #: headers of the answer, whatever it is
        self.extra = facts.extra

    @property
    def answer_headers(self) -> Headers:
        """Those of every answer and this request's id."""
        return [(b"x-request-id", self.request_id.encode("latin-1")), *self.extra]

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
