"""graphql-sse, single connection mode: results of many operations on one event stream that was reserved before.

`graphql_http` calls it for PUT (reserve), GET (open the stream), POST (start an operation) and DELETE (stop one) that carry
the reservation's token. The reservation lives in this process: it is offered only where there is one.
"""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import AsyncIterator
from contextlib import suppress

import orjson

from router.errors import RequestError, RouterError, SubgraphError
from router.pipeline import Response
from router.server.errors import HttpError, bad_request
from router.server.event_stream import EventStreams, ServerSentEvents
from router.server.exchange import Exchange
from router.server.front_door import FrontDoor, PayloadStream, Visit
from router.server.request import OperationParameters
from router.server.response import HttpAnswer, Stream
from router.turns import Turns

TOKEN_HEADER = b"x-graphql-event-stream-token"
MAX_WAITING_EVENTS = 64  # of all operations of a connection; a client that reads slowly slows their sources
#: So many operations begin, or end with their stream, in one turn of the loop, of all clients.
AT_ONCE = 16


def token_of(exchange: Exchange) -> str:
    """The reservation that a request belongs to, or ""."""
    return exchange.facts.stream_token or exchange.parameter("token")


class SingleConnections:
    """The reservations of this process, by their tokens."""

    def __init__(self, door: FrontDoor, streams: EventStreams) -> None:
        self._door = door
        self._streams = streams
        self._settings = door.settings.subscriptions
        self._connections: dict[str, _Connection] = {}
        self._turns = Turns(AT_ONCE)
        self._expiring: set[asyncio.Task[None]] = set()

    @property
    def is_offered(self) -> bool:
        return self._door.settings.workers == 1

    def reserve(self, visit: Visit) -> HttpAnswer:
        """201 with a token; the stream has to be opened with it in time. Raises HttpError."""
        if len(self._connections) >= self._settings.max_connections or self._door.is_closing.is_set():
            raise HttpError(503, "TOO_MANY_STREAMS", "This router has no room for another stream; try again later.")
        token = secrets.token_urlsafe(24)
        self._connections[token] = _Connection(visit.caller.identity, self._turns)
        asyncio.get_running_loop().call_later(self._settings.init_timeout_seconds, self._expire, token)
        return HttpAnswer(201, token.encode(), b"text/plain; charset=utf-8", ((b"cache-control", b"no-store"),))

    async def open(self, token: str, exchange: Exchange, visit: Visit) -> None:
        """Serves the stream until its client leaves, and with it ends all operations. Raises HttpError."""
        connection = self._find(token, visit)
        if connection.is_open:
            raise HttpError(409, "STREAM_ALREADY_OPEN", "The reserved stream is open already.")
        connection.is_open = True
        try:
            events = PayloadStream(connection.events(), "subscription")
            await self._streams.send(exchange, events, _ReadyEvents(), visit)
        finally:
            del self._connections[token]
            await connection.close()

    async def start(self, token: str, parameters: OperationParameters, visit: Visit) -> HttpAnswer | Response:
        """202, and the results on the stream; or the answer of an operation that cannot run. Raises HttpError."""
        connection = self._find(token, visit)
        operation_id = parameters.extensions.get("operationId")
        if not isinstance(operation_id, str) or not operation_id:
            raise bad_request("An operation of a stream needs the extension 'operationId'.", "MISSING_OPERATION_ID")
        if operation_id in connection.operations:
            raise HttpError(409, "OPERATION_ID_IN_USE", "There is an operation of that id on the stream.")
        if len(connection.operations) >= self._settings.max_per_connection:
            told = f"The stream may have at most {self._settings.max_per_connection} operations."
            raise HttpError(429, "TOO_MANY_OPERATIONS", told)
        connection.operations[operation_id] = None
        begun: Response | PayloadStream | None = None
        try:
            await self._turns.next()
            begun = await self._door.begin(parameters, visit, incremental=Stream.INCREMENTAL)
        finally:
            if begun is None or (isinstance(begun, Response) and begun.is_request_error):
                connection.operations.pop(operation_id, None)
        if isinstance(begun, Response) and begun.is_request_error:
            return begun
        payloads = _one(begun.body) if isinstance(begun, Response) else begun.payloads
        connection.start(operation_id, payloads)
        return HttpAnswer(202, b"")

    def stop(self, token: str, operation_id: str, visit: Visit) -> HttpAnswer:
        """200, also for an operation that has ended by itself meanwhile. Raises HttpError."""
        connection = self._find(token, visit)
        if not operation_id:
            raise bad_request("The parameter 'operationId' says what to stop.", "MISSING_OPERATION_ID")
        task = connection.operations.get(operation_id)
        if task is not None:
            task.cancel()
        return HttpAnswer(200, b"")

    def _find(self, token: str, visit: Visit) -> _Connection:
        connection = self._connections.get(token)
        if connection is None or connection.owner != visit.caller.identity:
            raise HttpError(404, "STREAM_NOT_FOUND", "There is no such reserved stream.")
        return connection

    def _expire(self, token: str) -> None:
        connection = self._connections.get(token)
        if connection is not None and not connection.is_open:
            del self._connections[token]
            closing = asyncio.ensure_future(connection.close())
            self._expiring.add(closing)
            closing.add_done_callback(self._expiring.discard)


class _Connection:
    """One reservation, its running operations and their events that wait to be written."""

    def __init__(self, owner: str | None, turns: Turns) -> None:
        self.owner = owner
        self._turns = turns
        self.is_open = False
        self.operations: dict[str, asyncio.Task[None] | None] = {}  # None: not begun yet
        self._events: asyncio.Queue[bytes] = asyncio.Queue(MAX_WAITING_EVENTS)
        self._is_closed = False

    async def events(self) -> AsyncIterator[bytes]:
        while True:
            yield await self._events.get()

    def start(self, operation_id: str, payloads: AsyncIterator[bytes]) -> None:
        task = self.operations[operation_id] = asyncio.create_task(self._run(operation_id, payloads))
        if self._is_closed:  # its client left while it was prepared
            task.cancel()

    async def close(self) -> None:
        """Ends the operations as they get places; where this is cancelled itself, all at once."""
        self._is_closed = True
        running = [task for task in self.operations.values() if task is not None]
        waiting = running.copy()
        try:
            while waiting:
                await self._turns.next()
                waiting.pop().cancel()
        finally:
            for task in waiting:  # each is cancelled once: again, it would leave what it ends
                task.cancel()
        await asyncio.gather(*running, return_exceptions=True)

    async def _run(self, operation_id: str, payloads: AsyncIterator[bytes]) -> None:
        key = orjson.dumps(operation_id)
        completed = b'event: complete\ndata: {"id":%b}\n\n' % key
        try:
            async for body in _with_last_error(payloads):
                await self._events.put(b'event: next\ndata: {"id":%b,"payload":%b}\n\n' % (key, body))
            await self._events.put(completed)
        except asyncio.CancelledError:
            with suppress(asyncio.QueueFull):  # the client stopped it and may not even read any more
                self._events.put_nowait(completed)
            raise
        finally:
            self.operations.pop(operation_id, None)
            close = getattr(payloads, "aclose", None)
            if close is not None:
                await close()


class _ReadyEvents(ServerSentEvents):
    """Events that are written already; the stream has no end of its own."""

    def part(self, body: bytes) -> bytes:
        return body

    def end(self, _: RouterError | None) -> bytes:
        return b""


async def _one(body: bytes) -> AsyncIterator[bytes]:
    yield body


async def _with_last_error(payloads: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    try:
        async for body in payloads:
            yield body
    except (RequestError, SubgraphError) as error:
        yield orjson.dumps({"errors": error.entries()})
