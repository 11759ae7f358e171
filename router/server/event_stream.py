"""More than one payload in one HTTP response: server-sent events, the multipart subscription protocol, and @defer.

`graphql_http` offers it every operation whose client can take a stream; `single_connection` shares its framing.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Protocol

import orjson

from router.access.authentication import UnauthenticatedError
from router.errors import RequestError, RouterError, SubgraphError
from router.pipeline import Response
from router.server.errors import HttpError
from router.server.exchange import Exchange
from router.server.front_door import FrontDoor, PayloadStream, Visit
from router.server.multipart import FormerIncrementalParts, IncrementalParts
from router.server.request import OperationParameters, Receive
from router.server.response import Accepted, Stream
from router.server.stream_ends import Heartbeats, StreamEnds, StreamInterruptedError
from router.telemetry import SUBSCRIPTIONS

#: What ends a stream that the client should begin anew, with another token or with whoever serves by then.
BEGIN_ANEW = (UnauthenticatedError, StreamInterruptedError)


class Framing(Protocol):
    """How payloads stand on the wire, after `start`. `heartbeat` is b"" where the format has none."""

    content_type: bytes
    start: bytes
    heartbeat: bytes

    def part(self, body: bytes) -> bytes: ...

    def end(self, error: RouterError | None) -> bytes: ...


class ServerSentEvents:
    """graphql-sse, distinct connections mode; `single_connection` writes the other one."""

    content_type = b"text/event-stream; charset=utf-8"
    start = b""
    heartbeat = b":\n\n"

    def part(self, body: bytes) -> bytes:
        return b"event: next\ndata: " + body + b"\n\n"  # JSON as we write it has no line breaks

    def end(self, error: RouterError | None) -> bytes:
        """Without `complete` where the client should begin anew: to graphql-sse that is a lost connection, which it opens
        again with the headers of that moment. `complete` would be the end for good. The comment is for people.
        """
        if isinstance(error, BEGIN_ANEW):
            return b": " + orjson.dumps({"errors": error.entries()}) + b"\n\n"
        last = self.part(orjson.dumps({"errors": error.entries()})) if error is not None else b""
        return last + b"event: complete\ndata:\n\n"


class MultipartSubscription:
    """Apollo's protocol: results in a `payload`, errors of the transport beside it, `{}` as heartbeat."""

    content_type = b'multipart/mixed;boundary="graphql";subscriptionSpec=1.0'
    start = b"\r\n--graphql"
    _HEAD = b"\r\ncontent-type: application/json\r\n\r\n"
    heartbeat = _HEAD + b"{}" + start

    def part(self, body: bytes) -> bytes:
        """With the boundary after it: a client knows only by it that the part is complete, and shows it then."""
        return self._HEAD + b'{"payload":' + body + b"}" + self.start

    def end(self, error: RouterError | None) -> bytes:
        last = b""
        if error is not None:
            last = self._HEAD + orjson.dumps({"payload": None, "errors": error.entries()}) + self.start
        return last + b"--\r\n"


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
    ) -> Response | tuple[PayloadStream, Framing]:
        """The operation's single response, or its payloads and how to write them. Raises HttpError."""
        pieces = _for_pieces(accepted)
        begun = await self._door.begin(parameters, visit, only_queries=only_queries, incremental=pieces)
        if isinstance(begun, Response):
            if accepted.content_type is not None or Stream.EVENTS not in accepted.streams:
                return begun
            # a client of nothing but events, such as a browser's EventSource, gets the one result as an event
            return PayloadStream(_one(begun.body), "single"), ServerSentEvents()
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

    async def send(self, exchange: Exchange, stream: PayloadStream, framing: Framing, visit: Visit) -> None:
        """Writes the stream until it, the client, the token or the server ends."""
        exchange.operation_type = stream.kind if stream.kind == "subscription" else "query"
        exchange.status = 200
        exchange.is_started = True
        headers = [
            (b"content-type", framing.content_type),
            (b"cache-control", b"no-store"),
            (b"x-accel-buffering", b"no"),  # asks proxies to hand parts on as they come
            *exchange.answer_headers,
        ]
        protocol = "event-stream" if isinstance(framing, ServerSentEvents) else "multipart"
        SUBSCRIPTIONS.labels(protocol).inc()
        self._door.open_streams += 1
        error: RouterError | None = None
        writer = _StreamWriter(exchange, framing)
        try:
            await exchange.send({"type": "http.response.start", "status": 200, "headers": headers})
            try:
                await self._write(stream, writer, exchange.receive, visit)
            except (RequestError, SubgraphError) as caught:
                error = caught
            await writer.end(error)
        finally:
            self._door.open_streams -= 1
            SUBSCRIPTIONS.labels(protocol).dec()

    async def _write(self, stream: PayloadStream, writer: _StreamWriter, receive: Receive, visit: Visit) -> None:
        """The next payload is asked for only after the last was taken, so a client that reads slowly slows the source and nothing
        piles up. Raises what ends the stream too early.
        """
        # the others end by themselves
        closing = self._door.is_closing if stream.kind == "subscription" else None
        authenticator = self._door.authenticator
        ends = StreamEnds(
            receive, closing, authenticator.seconds_left(visit.caller), authenticator.ending(visit.caller)
        )
        try:
            async with ends, Heartbeats(self._door.settings.subscriptions.heartbeat_seconds, writer.beat) as heartbeats:
                async for body in stream.payloads:
                    await writer.write(body)
                    heartbeats.note_writing()
                    await asyncio.sleep(0)  # others have their turn, also where the next payload is there already
        finally:
            close = getattr(stream.payloads, "aclose", None)
            if close is not None:
                await close()


class _StreamWriter:
    """Writes one stream, one thing at a time."""

    def __init__(self, exchange: Exchange, framing: Framing) -> None:
        self._exchange = exchange
        self._framing = framing
        self._start = framing.start
        self._writing = asyncio.Lock()

    async def write(self, body: bytes) -> None:
        async with self._writing:
            await self._send(self._framing.part(body))

    async def beat(self) -> None:
        """Nothing where something is being written: to a client that does not take it, no more is sent."""
        if self._framing.heartbeat and not self._writing.locked():
            async with self._writing:
                await self._send(self._framing.heartbeat)

    async def end(self, error: RouterError | None) -> None:
        await self._exchange.send({"type": "http.response.body", "body": self._start + self._framing.end(error)})

    async def _send(self, part: bytes) -> None:
        part = self._start + part
        await self._exchange.send({"type": "http.response.body", "body": part, "more_body": True})
        self._start = b""  # what is cut off while it waits for the client was not written
        self._exchange.size += len(part)


_SUBSCRIPTION = (Stream.EVENTS, Stream.MULTIPART_SUBSCRIPTION)
_MULTIPART = (Stream.INCREMENTAL, Stream.INCREMENTAL_FORMER)


def _for_pieces(accepted: Accepted) -> Stream | None:
    """How the client takes the pieces of one answer: as multipart, for which the formats were made, or as events."""
    others = Stream.EVENTS if Stream.EVENTS in accepted.streams else None
    return next((each for each in accepted.streams if each in _MULTIPART), others)


def _framing_for(stream: PayloadStream, accepted: Accepted) -> Framing | None:
    if stream.kind == "incremental":
        chosen = _for_pieces(accepted)
    else:
        chosen = next((each for each in accepted.streams if each in _SUBSCRIPTION), None)
    return FRAMINGS[chosen]() if chosen is not None else None


async def _one(body: bytes) -> AsyncIterator[bytes]:
    yield body
