"""How a subgraph is reached: one method, whoever is behind it.

`executor.fetch` makes requests and reads answers; what lies between (HTTP, an ASGI app in this process, a test's
function) is a `SubgraphTransport`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Hashable
from dataclasses import dataclass, field, fields
from typing import Any, Protocol

from router.uploaded_file import UploadedFile

Headers = tuple[tuple[str, str], ...]

#: Names one request of a client, or one operation of its WebSocket, from the edge to the last event of it.
REQUEST_ID = "x-request-id"
#: Headers that tell requests apart and change no answer.
PER_REQUEST_HEADERS = frozenset({REQUEST_ID, "traceparent", "tracestate", "baggage", "x-client-address"})
#: Those, and the caller: what a cache's key has a part of its own for, where an answer is private at all.
NOT_VARYING = PER_REQUEST_HEADERS | {"authorization"}

#: Tells a subgraph where the client asks from, where the settings have it forwarded.
CLIENT_ADDRESS = "x-client-address"

#: Tells a subgraph that the caller brought a token which the router did not accept, and why (`access.caller.Refusal`).
TOKEN_REFUSED = "x-token-refused"  # noqa: S105 - a header's name

#: Tells a subgraph how many milliseconds are left for its answer, a whole number (`deadlines`).
DEADLINE_MS = "x-deadline-ms"

CONTENT_TYPE = "application/json"
#: The smallest question to a subgraph, and how long it may take where only an answer counts.
PROBE_BODY = b'{"query":"{__typename}"}'
PROBE_SECONDS = 2.0
#: A trace that nobody keeps: otherwise each probe would begin one of its own in the subgraph.
PROBE_HEADERS = (("traceparent", f"00-{1:032x}-{1:016x}-00"),)

GRAPHQL_RESPONSE = "application/graphql-response+json"
ACCEPT = f"{GRAPHQL_RESPONSE}, application/json;q=0.9"


# Both have an `__init__` written out: one that dataclass makes stays Python where this module is machine code (decision 0269). And both
# say how they are copied, which extensions may do: a compiled class is otherwise called without arguments then.


@dataclass(slots=True, init=False)  # frozen it would cost a call for each value of each request
class SubgraphRequest:
    """`body` is the JSON of a GraphQL-over-HTTP POST. A query may be sent again, or be shared; nothing else may."""

    subgraph: str
    url: str
    body: bytes
    headers: Headers
    is_query: bool
    files: tuple[tuple[str, UploadedFile], ...]  # by their paths in the body, which has null there
    query_string: str  # sent by GET with this, and without the body, where there is one
    #: equal requests of different epochs are not one: in between something changed that the answer may tell
    epoch: int
    #: instances that failed with it, of a query that is sent again: others are to be tried before them
    avoided: tuple[str, ...]

    def __init__(
        self,
        subgraph: str,
        url: str,
        body: bytes,
        headers: Headers = (),
        is_query: bool = True,
        files: tuple[tuple[str, UploadedFile], ...] = (),
        query_string: str = "",
        epoch: int = 0,
        avoided: tuple[str, ...] = (),
    ) -> None:
        self.subgraph = subgraph
        self.url = url
        self.body = body
        self.headers = headers
        self.is_query = is_query
        self.files = files
        self.query_string = query_string
        self.epoch = epoch
        self.avoided = avoided

    def with_headers(self, headers: Headers) -> SubgraphRequest:
        """The same with these headers; every request takes this way, which `dataclasses.replace` makes three times as long."""
        return SubgraphRequest(
            self.subgraph,
            self.url,
            self.body,
            headers,
            self.is_query,
            self.files,
            query_string=self.query_string,
            epoch=self.epoch,
            avoided=self.avoided,
        )

    def __reduce__(self) -> tuple[Any, ...]:
        return SubgraphRequest, tuple([getattr(self, each.name) for each in fields(self)])


@dataclass(slots=True, init=False)
class SubgraphAnswer:
    """What came back, unread; `content_type` and `cache_control` are empty where the header was missing. Of other headers
    there are those that the transport was told to keep, in lower case. `readings` are there where several operations are handed this
    one answer: what the first of them that reads it in some way leaves to the others.
    """

    status: int
    body: bytes
    content_type: str
    cache_control: str
    headers: Headers
    readings: dict[Hashable, bytes] | None = field(init=False, compare=False, repr=False)

    def __init__(
        self, status: int, body: bytes, content_type: str = CONTENT_TYPE, cache_control: str = "", headers: Headers = ()
    ) -> None:
        self.status = status
        self.body = body
        self.content_type = content_type
        self.cache_control = cache_control
        self.headers = headers
        self.readings = None

    def __reduce__(self) -> tuple[Any, ...]:
        return SubgraphAnswer, tuple([getattr(self, each.name) for each in fields(self) if each.init])


class SubgraphTransport(Protocol):
    def send(self, request: SubgraphRequest) -> asyncio.Future[SubgraphAnswer]:
        """Starts the request at once; the future raises SubgraphError if no answer came."""
        ...


def telling_apart(headers: Headers) -> Headers:
    """Those that an answer may depend on."""
    for name, _ in headers:
        if name in PER_REQUEST_HEADERS:
            return tuple([each for each in headers if each[0] not in PER_REQUEST_HEADERS])
    return headers
