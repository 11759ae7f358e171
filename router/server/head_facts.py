"""What a request's head comes to by the settings, before anything is read of its body.

`graphql_http` makes one of every head, and keeps it with a head that its connection knows again.
"""

from __future__ import annotations

from dataclasses import dataclass

from router.server.front_door import Visit
from router.server.header_values import Element, HeaderFields
from router.server.response import Accepted

MAX_REQUEST_ID_LENGTH = 128


def can_stand(request_id: str) -> bool:
    return 0 < len(request_id) <= MAX_REQUEST_ID_LENGTH and request_id.isascii() and request_id.isprintable()


def id_in(headers: HeaderFields) -> str:
    """The client's own, where it can stand in headers and logs, or ""."""
    given = headers.text(b"x-request-id")
    return given if can_stand(given) else ""


@dataclass(slots=True)
class HeadFacts:
    """All that does not change from one request to the next that has the same head."""

    made_by: object  # the endpoint, with its settings
    headers: HeaderFields
    accepted: Accepted
    content_type: Element
    content_encoding: str
    is_admitted: bool  # the server answers to the name that it was asked by
    request_id: str  # of `id_in`
    stream_token: str  # of a reserved event stream, or ""
    extra: tuple[tuple[bytes, bytes], ...]  # headers of the answer, whatever it is
    visit: Visit | None = None  # of the last request with this head

    def of_another(self, headers: HeaderFields) -> HeadFacts:
        """Of a head that is the same but for who asks, and the request's id and trace."""
        return HeadFacts(
            made_by=self.made_by,
            headers=headers,
            accepted=self.accepted,
            content_type=self.content_type,
            content_encoding=self.content_encoding,
            is_admitted=self.is_admitted,
            request_id=id_in(headers),
            stream_token=self.stream_token,
            extra=self.extra,
        )
