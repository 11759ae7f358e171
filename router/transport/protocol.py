"""How a subgraph is reached: one method, whoever is behind it.

`executor.fetch` makes requests and reads answers; what lies between (HTTP, an ASGI app in this process, a test's
function) is a `SubgraphTransport`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextvars import Context, copy_context
from dataclasses import dataclass, replace
from typing import Any, Protocol

from router.errors import SubgraphError
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


@dataclass(slots=True)  # frozen it would cost a call for each value of each request
class SubgraphRequest:
    """`body` is the JSON of a GraphQL-over-HTTP POST. A query may be sent again, or be shared; nothing else may."""

    subgraph: str
    url: str
    body: bytes
    headers: Headers = ()
    is_query: bool = True
    files: tuple[tuple[str, UploadedFile], ...] = ()  # by their paths in the body, which has null there
    query_string: str = ""  # sent by GET with this, and without the body, where there is one
    #: equal requests of different epochs are not one: in between something changed that the answer may tell
    epoch: int = 0
    #: instances that failed with it, of a query that is sent again: others are to be tried before them
    avoided: tuple[str, ...] = ()

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


@dataclass(slots=True)  # frozen it would cost a call for each value of each request
class SubgraphAnswer:
    """What came back, unread; `content_type` and `cache_control` are empty where the header was missing. Of other headers
    there are those that the transport was told to keep, in lower case.
    """

    status: int
    body: bytes
    content_type: str = CONTENT_TYPE
    cache_control: str = ""
    headers: Headers = ()


class SubgraphTransport(Protocol):
    def send(self, request: SubgraphRequest) -> asyncio.Future[SubgraphAnswer]:
        """Starts the request at once; the future raises SubgraphError if no answer came."""
        ...


#: Is told of an answer that has come, has failed or was cancelled.
Landed = Callable[[asyncio.Future[SubgraphAnswer]], None]

_set_result = asyncio.Future.set_result
_set_exception = asyncio.Future.set_exception
_cancel = asyncio.Future.cancel


class CancellableAnswer(asyncio.Future[SubgraphAnswer]):
    """An answer that tells when nobody waits for it any more: a client left, or ran out of time; and, at once, when it has
    landed (`when_landed`).

    Overrides and not done callbacks, which would cost every request a turn of the loop for each layer. An answer that is
    there forgets whom it would have told: they know the answer and the request's body, and such a circle would keep both
    until the collector, which runs seldom, comes to them.
    """

    __slots__ = ("asked", "on_cancel", "when_landed")

    def __init__(self, *, loop: asyncio.AbstractEventLoop | None = None) -> None:
        super().__init__(loop=loop)
        self.on_cancel: Callable[[], None] | None = None
        self.asked: tuple[str, ...] = ()  # the addresses of the instances that were asked, where there are several
        self.when_landed: tuple[tuple[Landed, Context], ...] = ()

    def cancel(self, msg: Any = None) -> bool:
        was_cancelled = _cancel(self, msg)
        on_cancel, self.on_cancel = self.on_cancel, None
        if was_cancelled:
            if on_cancel is not None:
                on_cancel()
            self._tell()
        return was_cancelled

    def set_result(self, result: SubgraphAnswer) -> None:
        self.on_cancel = None
        _set_result(self, result)
        self._tell()

    def set_exception(self, exception: type | BaseException) -> None:
        self.on_cancel = None
        _set_exception(self, exception)
        self._tell()

    def _tell(self) -> None:
        told, self.when_landed = self.when_landed, ()
        for tell, context in told:
            try:
                context.run(tell, self)
            except Exception as error:  # as of a done callback: the others are told all the same
                told_of = {"message": "One who was told of an answer failed.", "exception": error, "future": self}
                self.get_loop().call_exception_handler(told_of)


def when_landed(answer: asyncio.Future[SubgraphAnswer], tell: Landed) -> None:
    """Has `tell` called when the answer has landed: as soon as it has, where it is a CancellableAnswer that has not yet, and
    otherwise in a later turn of the loop. Who is told first, and in the order in which they asked for it, are these; then
    who awaits the answer goes on. Like a done callback, `tell` runs in the context of whoever asks for it now: an answer is
    read in that of the request which opened the connection.
    """
    if isinstance(answer, CancellableAnswer) and not answer.done():
        answer.when_landed = (*answer.when_landed, (tell, copy_context()))
    else:
        answer.add_done_callback(tell)


def failed(error: SubgraphError) -> asyncio.Future[SubgraphAnswer]:
    """The answer of a request that was not even sent."""
    answer: asyncio.Future[SubgraphAnswer] = asyncio.get_running_loop().create_future()
    answer.set_exception(error)
    return answer


def again(request: SubgraphRequest, failure: asyncio.Future[SubgraphAnswer]) -> SubgraphRequest:
    """The same query for its next attempt, which is to go to another instance where there is one."""
    asked = failure.asked if isinstance(failure, CancellableAnswer) else ()
    return replace(request, avoided=(*request.avoided, *asked)) if asked else request


def look_at_error(answer: asyncio.Future[SubgraphAnswer]) -> None:
    """Of an answer that may have been given up: asyncio logs an error that nobody looks at."""
    if not answer.cancelled():
        answer.exception()


def telling_apart(headers: Headers) -> Headers:
    """Those that an answer may depend on."""
    for name, _ in headers:
        if name in PER_REQUEST_HEADERS:
            return tuple([each for each in headers if each[0] not in PER_REQUEST_HEADERS])
    return headers
