"""More than one payload in one HTTP response: server-sent events, the multipart subscription protocol, and @defer.

`graphql_http` offers it every operation whose client can take a stream; `single_connection` shares its pacing.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import suppress
from typing import Protocol

import orjson

from router.access.authentication import UnauthenticatedError
from router.errors import RequestError, RouterError, SubgraphError
from router.server.errors import HttpError
from router.server.exchange import Exchange
from router.server.front_door import Answer, FrontDoor, PayloadStream, Visit
from router.server.incremental import FormerIncrementalParts, IncrementalParts
from router.server.request import OperationParameters, Receive
from router.server.response import Accepted, Stream
from router.telemetry import SUBSCRIPTIONS


class Framing(Protocol):
    """How payloads stand on the wire. `heartbeat` is b"" where the format has none."""

    content_type: bytes
    heartbeat: bytes

    def part(self, body: bytes) -> bytes: ...

    def end(self, error: RouterError | None) -> bytes: ...


class ServerSentEvents:
    """graphql-sse, distinct connections mode; `single_connection` writes the other one."""

    content_type = b"text/event-stream; charset=utf-8"
    heartbeat = b":\n\n"

    def part(self, body: bytes) -> bytes:
        return b"event: next\ndata: " + body + b"\n\n"  # JSON as we write it has no line breaks

    def end(self, error: RouterError | None) -> bytes:
        last = self.part(orjson.dumps({"errors": error.entries()})) if error is not None else b""
        return last + b"event: complete\ndata:\n\n"


class MultipartSubscription:
    """Apollo's protocol: results in a `payload`, errors of the transport beside it, `{}` as heartbeat."""

    content_type = b'multipart/mixed;boundary="graphql";subscriptionSpec=1.0'
    _START = b"\r\n--graphql\r\ncontent-type: application/json\r\n\r\n"
    heartbeat = _START + b"{}"

    def part(self, body: bytes) -> bytes:
        return self._START + b'{"payload":' + body + b"}"

    def end(self, error: RouterError | None) -> bytes:
        last = b""
        if error is not None:
            last = self._START + orjson.dumps({"payload": None, "errors": error.entries()})
        return last + b"\r\n--graphql--\r\n"


FRAMINGS: dict[Stream, type[Framing]] = {
    Stream.EVENTS: ServerSentEvents,
    Stream.MULTIPART_SUBSCRIPTION: MultipartSubscription,
    Stream.INCREMENTAL: IncrementalParts,
    Stream.INCREMENTAL_FORMER: FormerIncrementalParts,
}


class EventStreams:
    """Serves operations as streams, up to the configured number at a time."""

    def __init__(self, door: FrontDoor) -> None:
        self._door = door

    async def begin(
        self, accepted: Accepted, parameters: OperationParameters, visit: Visit, *, only_queries: bool
    ) -> Answer | tuple[PayloadStream, Framing]:
        """The operation's single answer, or its payloads and how to write them. Raises HttpError."""
        formats = (each for each in accepted.streams if each in (Stream.INCREMENTAL, Stream.INCREMENTAL_FORMER))
        begun = await self._door.begin(parameters, visit, only_queries=only_queries, incremental=next(formats, None))
        if isinstance(begun, Answer):
            if accepted.content_type is not None or Stream.EVENTS not in accepted.streams:
                return begun
            # a client of nothing but events, such as a browser's EventSource, gets the one result as an event
            return PayloadStream(_one(begun.response.body), "single"), ServerSentEvents()
        if self._door.open_streams >= self._door.settings.subscriptions.max_connections:
            raise HttpError(503, "TOO_MANY_STREAMS", "This router has no room for another stream; try again later.")
        framing = _framing_for(begun, accepted)
        if framing is None:
            raise HttpError(
                406,
                "NOT_ACCEPTABLE",
                "A subscription is answered as text/event-stream, as multipart/mixed;subscriptionSpec=1.0, "
                "or over a WebSocket.",
            )
        return begun, framing

    async def send(
        self, exchange: Exchange, receive: Receive, stream: PayloadStream, framing: Framing, visit: Visit
    ) -> None:
        """Writes the stream until it, the client, the token or the server ends."""
        exchange.operation_type = stream.kind if stream.kind == "subscription" else "query"
        exchange.status = 200
        exchange.is_started = True
        headers = [
            (b"content-type", framing.content_type),
            (b"cache-control", b"no-store"),
            (b"x-accel-buffering", b"no"),  # asks proxies to hand parts on as they come
            *exchange.extra,
        ]
        protocol = "event-stream" if isinstance(framing, ServerSentEvents) else "multipart"
        SUBSCRIPTIONS.labels(protocol).inc()
        self._door.open_streams += 1
        error: RouterError | None = None
        try:
            await exchange.send({"type": "http.response.start", "status": 200, "headers": headers})
            heartbeat = self._door.settings.subscriptions.heartbeat_seconds
            try:
                closing = (
                    self._door.is_closing if stream.kind == "subscription" else None
                )  # the others end by themselves
                async for body in paced(stream.payloads, receive, closing, heartbeat, visit.caller.expires_at):
                    part = framing.heartbeat if body is None else framing.part(body)
                    if part:
                        exchange.size += len(part)
                        await exchange.send({"type": "http.response.body", "body": part, "more_body": True})
            except (RequestError, SubgraphError) as caught:
                error = caught
            await exchange.send({"type": "http.response.body", "body": framing.end(error)})
        finally:
            self._door.open_streams -= 1
            SUBSCRIPTIONS.labels(protocol).dec()


def _framing_for(stream: PayloadStream, accepted: Accepted) -> Framing | None:
    for each in accepted.streams:
        is_for_defer = each in (Stream.INCREMENTAL, Stream.INCREMENTAL_FORMER)
        if is_for_defer is (stream.kind == "incremental"):
            return FRAMINGS[each]()
    return None


async def paced(
    payloads: AsyncIterator[bytes],
    receive: Receive,
    closing: asyncio.Event | None,
    heartbeat_seconds: float,
    expires_at: float | None,
) -> AsyncIterator[bytes | None]:
    """The payloads, with None where it is time for a heartbeat. Ends when the client leaves, or at `closing`.

    Raises UnauthenticatedError when the caller's token expires. The next payload is asked for only after the last was
    taken, so a client that reads slowly slows the source and nothing piles up.
    """
    gone = asyncio.ensure_future(_disconnected(receive))
    closed = asyncio.ensure_future((closing or asyncio.Event()).wait())
    following = asyncio.ensure_future(_next(payloads))
    try:
        while True:
            left = heartbeat_seconds if expires_at is None else min(heartbeat_seconds, expires_at - time.time())
            done, _ = await asyncio.wait(
                {following, gone, closed}, timeout=max(left, 0), return_when=asyncio.FIRST_COMPLETED
            )
            if gone in done:
                return
            if following in done:
                body = following.result()
                if body is None:
                    return
                yield body
                following = asyncio.ensure_future(_next(payloads))
            elif closed in done:
                return
            elif expires_at is not None and expires_at <= time.time():
                raise UnauthenticatedError("The token has expired.", expired=True)
            else:
                yield None
    finally:
        for task in (gone, closed, following):
            task.cancel()
        with suppress(asyncio.CancelledError, Exception):
            await following
        close = getattr(payloads, "aclose", None)
        if close is not None:
            await close()


async def _next(payloads: AsyncIterator[bytes]) -> bytes | None:
    return await anext(payloads, None)


async def _disconnected(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


async def _one(body: bytes) -> AsyncIterator[bytes]:
    yield body
