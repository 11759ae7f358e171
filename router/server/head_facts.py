"""What a request's head comes to by the settings, before anything is read of its body.

`graphql_http` makes one of every head, and keeps it with a head that its connection knows again.
"""

from __future__ import annotations

from dataclasses import dataclass

from router.server.front_door import Visit
from router.server.header_values import Element, HeaderFields
from router.server.response import Accepted


@dataclass(slots=True)
class HeadFacts:
    """All that does not change from one request to the next that has the same head."""

    made_by: object  # the endpoint, with its settings
    headers: HeaderFields
    accepted: Accepted
    content_type: Element
    content_encoding: str
    is_admitted: bool  # the server answers to the name that it was asked by
    request_id: str  # the client's own, where it can stand in headers and logs, or ""
    stream_token: str  # of a reserved event stream, or ""
    extra: tuple[tuple[bytes, bytes], ...]  # headers of the answer, whatever it is
    visit: Visit | None = None  # of the last request with this head
