"""How a subgraph is reached: one method, whoever is behind it.

`fetch` makes requests and reads answers; what lies between (HTTP, an ASGI app in this process, a test's function)
is a `SubgraphTransport`. `SharedRequests` wraps any of them.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any, Protocol

from router.errors import SubgraphError, SubgraphHttpError, SubgraphResponseTooLargeError, SubgraphTimeoutError
from router.executor.retries import Retries

Headers = tuple[tuple[str, str], ...]

#: Headers that tell requests apart and change no answer.
PER_REQUEST_HEADERS = frozenset({"x-request-id", "traceparent", "tracestate", "baggage"})

CONTENT_TYPE = "application/json"
ACCEPT = "application/graphql-response+json, application/json;q=0.9"


@dataclass(frozen=True, slots=True)
class SubgraphRequest:
    """`body` is the JSON of a GraphQL-over-HTTP POST. A query may be sent again, or be shared; nothing else may."""

    subgraph: str
    url: str
    body: bytes
    headers: Headers = ()
    is_query: bool = True


@dataclass(frozen=True, slots=True)
class SubgraphAnswer:
    """What came back, unread; `content_type` and `cache_control` are empty where the header was missing."""

    status: int
    body: bytes
    content_type: str = CONTENT_TYPE
    cache_control: str = ""


class SubgraphTransport(Protocol):
    def send(self, request: SubgraphRequest) -> asyncio.Future[SubgraphAnswer]:
        """Starts the request at once; the future raises SubgraphError if no answer came."""
        ...


class CancellableAnswer(asyncio.Future[SubgraphAnswer]):
    """An answer that tells when nobody waits for it any more: a client left, or ran out of time.

    An override and not a done callback, which would cost every request a turn of the loop.
    """

    on_cancel: Callable[[], None] | None = None

    def cancel(self, msg: Any = None) -> bool:
        was_cancelled = super().cancel(msg)
        if was_cancelled and self.on_cancel is not None:
            self.on_cancel()
        return was_cancelled


def failed(error: SubgraphError) -> asyncio.Future[SubgraphAnswer]:
    """The answer of a request that was not even sent."""
    answer: asyncio.Future[SubgraphAnswer] = asyncio.get_running_loop().create_future()
    answer.set_exception(error)
    return answer


#: All of a query that its answer may depend on.
_Key = tuple[str, str, bytes, Headers]


def telling_apart(headers: Headers) -> Headers:
    """Those that an answer may depend on."""
    for name, _ in headers:
        if name in PER_REQUEST_HEADERS:
            return tuple([each for each in headers if each[0] not in PER_REQUEST_HEADERS])
    return headers


class SharedRequests:
    """Sends equal queries that are under way at the same time once, and hands all askers the one answer.

    Equal means same subgraph, same body, same forwarded headers but for those of tracing: two viewers never share. What
    fails in passing is sent again as `retries` allow.
    """

    def __init__(self, transport: SubgraphTransport, retries: Retries | None = None) -> None:
        self._transport = transport
        self._retries = retries
        self._flights: dict[_Key, _Flight] = {}

    def send(self, request: SubgraphRequest) -> asyncio.Future[SubgraphAnswer]:
        if not request.is_query:
            written = self._transport.send(request)
            # who asks after a write must not get an answer that was begun before it
            written.add_done_callback(lambda _: self._flights.clear())
            return written
        # Each asker waits on a future of its own: a cancelled asker must not cancel the others.
        own = CancellableAnswer(loop=asyncio.get_running_loop())
        key = (request.subgraph, request.url, request.body, telling_apart(request.headers))
        flight = self._flights.get(key)
        if flight is None:
            flight = self._flights[key] = _Flight(key, request)
            if self._retries is not None:
                self._retries.count(request.subgraph)
            self._start(flight)
        flight.askers.append(own)
        own.on_cancel = partial(self._leave, flight)
        return own

    def _start(self, flight: _Flight) -> None:
        flight.attempt += 1
        flight.timer = None
        flight.sent = self._transport.send(flight.request)
        flight.sent.add_done_callback(partial(self._land, flight))

    def _leave(self, flight: _Flight) -> None:
        """One asker has gone."""
        if flight.is_wanted:
            return
        self._forget(flight)  # whoever asks from now on must not get the cut-off answer
        if flight.timer is not None:
            flight.timer.cancel()
        elif flight.sent is not None:
            flight.sent.cancel()

    def _forget(self, flight: _Flight) -> None:
        if self._flights.get(flight.key) is flight:
            del self._flights[flight.key]

    def _land(self, flight: _Flight, answer: asyncio.Future[SubgraphAnswer]) -> None:
        subgraph = flight.request.subgraph
        if self._retries is not None and flight.is_wanted:
            pause = self._retries.pause_before(subgraph, flight.attempt + 1, answer)
            if pause is not None:
                flight.timer = asyncio.get_running_loop().call_later(pause, self._start, flight)
                return
        self._forget(flight)
        if answer.cancelled():
            error: BaseException | None = SubgraphHttpError("The request to the subgraph was cut off.", subgraph)
        else:
            error = answer.exception()
        for own in flight.askers:
            if own.done():
                continue
            if error is not None:
                own.set_exception(error)
            else:
                own.set_result(answer.result())


class _Flight:
    """One query under way: who waits for it, and its present attempt, or the timer of the next."""

    __slots__ = ("askers", "attempt", "key", "request", "sent", "timer")

    def __init__(self, key: _Key, request: SubgraphRequest) -> None:
        self.key = key
        self.request = request
        self.askers: list[CancellableAnswer] = []
        self.attempt = 0
        self.sent: asyncio.Future[SubgraphAnswer] | None = None
        self.timer: asyncio.TimerHandle | None = None

    @property
    def is_wanted(self) -> bool:
        return not all(each.cancelled() for each in self.askers)


class AnswersOfRequest:
    """Sends what the parts of one client's request ask in the same words once, mutations included, and keeps the answers
    until the request is over: a part that asks later sees the same data.
    """

    def __init__(self, transport: SubgraphTransport) -> None:
        self._transport = transport
        self._asked: dict[tuple[str, bytes, Headers], asyncio.Future[SubgraphAnswer]] = {}

    def send(self, request: SubgraphRequest) -> asyncio.Future[SubgraphAnswer]:
        key = (request.subgraph, request.body, request.headers)
        answer = self._asked.get(key)
        if answer is None:
            answer = self._asked[key] = self._transport.send(request)
        own = asyncio.shield(answer)  # one part may be given up while another waits
        own.add_done_callback(_take_note)
        return own

    def cancel(self) -> None:
        """Stops what is under way: nobody waits for it any more."""
        for answer in self._asked.values():
            answer.cancel()


def _take_note(answer: asyncio.Future[SubgraphAnswer]) -> None:
    """So that nobody complains of an error that a part which was given up never looked at."""
    if not answer.cancelled():
        answer.exception()


AsgiApp = Callable[[dict[str, Any], Callable[[], Awaitable[Any]], Callable[[Any], Awaitable[None]]], Awaitable[None]]
BodyHandler = Callable[[bytes], Awaitable[bytes]]


class InProcessTransport:
    """Calls subgraphs mounted in this process: an ASGI app, or a function from request body to response body."""

    def __init__(
        self,
        apps: Mapping[str, AsgiApp] | None = None,
        functions: Mapping[str, BodyHandler] | None = None,
        *,
        path: str = "/graphql",
        timeout_seconds: float = 30.0,
        max_response_bytes: int = 64 * 1024 * 1024,
    ) -> None:
        self._apps = dict(apps or {})
        self._functions = dict(functions or {})
        self._path = path
        self._timeout_seconds = timeout_seconds
        self._max_response_bytes = max_response_bytes

    def send(self, request: SubgraphRequest) -> asyncio.Future[SubgraphAnswer]:
        return asyncio.ensure_future(self._answer(request))

    async def _answer(self, request: SubgraphRequest) -> SubgraphAnswer:
        try:
            async with asyncio.timeout(self._timeout_seconds):
                if request.subgraph in self._functions:
                    return SubgraphAnswer(200, await self._functions[request.subgraph](request.body))
                return await self._call_app(self._apps[request.subgraph], request)
        except TimeoutError:
            raise SubgraphTimeoutError("The subgraph did not answer in time.", request.subgraph) from None
        except KeyError:
            raise SubgraphHttpError("The subgraph is not mounted in this process.", request.subgraph) from None
        except (SubgraphHttpError, SubgraphResponseTooLargeError):
            raise
        except Exception as error:
            # a mounted app that raises is, to us, a server that broke the connection
            raise SubgraphHttpError("The subgraph failed.", request.subgraph, detail=repr(error)) from error

    async def _call_app(self, app: AsgiApp, request: SubgraphRequest) -> SubgraphAnswer:
        headers = [(b"content-type", CONTENT_TYPE.encode()), (b"accept", ACCEPT.encode()), (b"host", b"in-process")]
        headers += [(name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in request.headers]
        headers.append((b"content-length", str(len(request.body)).encode()))
        scope = {
            "type": "http",
            "asgi": {"version": "3.0", "spec_version": "2.3"},
            "http_version": "1.1",
            "method": "POST",
            "scheme": "http",
            "path": self._path,
            "raw_path": self._path.encode(),
            "query_string": b"",
            "root_path": "",
            "headers": headers,
            "client": ("127.0.0.1", 0),
            "server": ("in-process", 80),
            "state": {},
        }
        events = iter([{"type": "http.request", "body": request.body, "more_body": False}])
        never = asyncio.get_running_loop().create_future()
        status, content_type, cache_control = 500, "", ""
        chunks: list[bytes] = []
        size = 0

        async def receive() -> Any:
            event = next(events, None)
            return event if event is not None else await never  # the client stays connected

        async def send(event: Any) -> None:
            nonlocal status, content_type, cache_control, size
            if event["type"] == "http.response.start":
                status = event["status"]
                received = {bytes(name).lower(): bytes(value) for name, value in event.get("headers", ())}
                content_type = received.get(b"content-type", b"").decode("latin-1")
                cache_control = received.get(b"cache-control", b"").decode("latin-1")
            elif event["type"] == "http.response.body":
                size += len(event.get("body", b""))
                if size > self._max_response_bytes:
                    raise SubgraphResponseTooLargeError("The subgraph's answer is too large.", request.subgraph)
                chunks.append(event.get("body", b""))

        try:
            await app(scope, receive, send)
        finally:
            never.cancel()
        return SubgraphAnswer(status, b"".join(chunks), content_type, cache_control)
