"""Operations over a WebSocket: graphql-transport-ws, and the older graphql-ws for clients that speak nothing else.

`app` sends it every `websocket` scope. Queries and mutations run here too; subscriptions stay on the graph they began on.
"""

from __future__ import annotations

import asyncio
import itertools
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import orjson
import structlog

from router.access.caller import Refusal
from router.errors import RequestError, RouterError
from router.exact_json import dumps, fault, loads
from router.log_lines import shown_subject
from router.pipeline import Response
from router.server.cors import CorsPolicy
from router.server.errors import HttpError, out_of_memory
from router.server.exchange import request_id_from
from router.server.front_door import FrontDoor, Visit
from router.server.header_values import HeaderFields
from router.server.host_names import HostNames
from router.server.request import Receive, Scope, Send, operation_from_json
from router.server.response import Stream
from router.telemetry import CONNECTIONS, SUBSCRIPTIONS, RequestLog, Tracing
from router.transport.protocol import REQUEST_ID
from router.turns import Turns

log = structlog.get_logger(__name__)

MESSAGE_TOO_BIG = 1009
BAD_MESSAGE = 4400
UNAUTHORIZED = 4401
FORBIDDEN = 4403  # clients of graphql-ws connect again, asking for the token anew; 4401 is the end of all for them
SUBPROTOCOL_NOT_ACCEPTABLE = 4406
INITIALISATION_TIMEOUT = 4408
ALREADY_EXISTS = 4409
TOO_MANY_INITIALISATIONS = 4429
#: Of somebody who has not said yet who it is.
MOST_EARLY_PINGS = 100
GOING_AWAY = 1001
TRY_AGAIN_LATER = 1013
SEND_TIMEOUT_SECONDS = 30.0
MAX_LOGGED_NAME = 200
#: So many operations begin or end, and connections end, in one turn of the loop, of all clients.
AT_ONCE = 16
SILENT_HEARTBEATS = 3  # a client that has not said a word for so many of our pings is gone


@dataclass(frozen=True, slots=True)
class Dialect:
    """The names that differ between the two protocols."""

    subscribe: str
    next: str
    stop: str
    heartbeat: bytes
    is_legacy: bool = False


DIALECTS = {
    "graphql-transport-ws": Dialect("subscribe", "next", "complete", b'{"type":"ping"}'),
    "graphql-ws": Dialect("start", "data", "stop", b'{"type":"ka"}', is_legacy=True),
}


class WebSocketEndpoint:
    """An ASGI callable for `websocket` scopes; counts the connections of this process."""

    def __init__(self, door: FrontDoor, tracing: Tracing, log_of_requests: RequestLog) -> None:
        self._door = door
        self._tracing = tracing
        self._log = log_of_requests
        self._connections = 0
        self._paths = door.settings.graphql_paths
        self._cors = CorsPolicy(door.settings.cors)
        self._hosts = HostNames(door.settings.allowed_hosts)
        self._turns = Turns(AT_ONCE)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await receive()  # websocket.connect
        headers = HeaderFields(scope["headers"])
        if scope["path"] not in self._paths or not self._hosts.admits(headers) or not self._cors.admits(headers):
            return await send({"type": "websocket.close", "code": 1000})  # before it is opened: 403
        dialect_name = next((name for name in scope.get("subprotocols", ()) if name in DIALECTS), None)
        await send({"type": "websocket.accept", "subprotocol": dialect_name})
        if dialect_name is None:
            return await _close(send, SUBPROTOCOL_NOT_ACCEPTABLE, "Subprotocol not acceptable")
        if self._connections >= self._door.settings.subscriptions.max_connections or self._door.is_closing.is_set():
            return await _close(send, TRY_AGAIN_LATER, "Too many connections")
        self._connections += 1
        self._door.open_streams += 1
        CONNECTIONS.inc()
        try:
            dialect = DIALECTS[dialect_name]
            connection = _Connection(
                self._door,
                dialect,
                scope,
                receive,
                send,
                turns=self._turns,
                tracing=self._tracing,
                log_of_requests=self._log,
            )
            await connection.run()
        finally:
            CONNECTIONS.dec()
            self._door.open_streams -= 1
            self._connections -= 1


class _CloseError(Exception):
    """The connection ends, with a code of the protocol."""

    def __init__(self, code: int, reason: str) -> None:
        super().__init__(reason)
        self.code = code
        self.reason = reason


class _Connection:
    """One client. A task reads; each operation has a task that writes; the first failure ends all."""

    def __init__(
        self,
        door: FrontDoor,
        dialect: Dialect,
        scope: Scope,
        receive: Receive,
        send: Send,
        *,
        turns: Turns,
        tracing: Tracing,
        log_of_requests: RequestLog,
    ) -> None:
        self._door = door
        self._turns = turns
        self._tracing = tracing
        self._log = log_of_requests
        self._headers = HeaderFields(scope["headers"])
        #: of the connection; those of its operations have a number behind it
        self._request_id = request_id_from(self._headers.text(b"x-request-id"))
        self._operation_numbers = itertools.count(1)
        self._settings = door.settings.subscriptions
        self._dialect = dialect
        client = scope.get("client")
        self._address: str = client[0] if client else ""
        self._receive = receive
        self._raw_send = send
        self._visit: Visit | None = None
        self._is_initialising = False
        self._operations: dict[str, asyncio.Task[None]] = {}
        self._heard_at = time.monotonic()
        self._early_pings = 0
        self._is_acknowledged = asyncio.Event()
        self._fatal: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    async def run(self) -> None:
        duties = [
            asyncio.ensure_future(duty)
            for duty in (
                self._read(),
                self._expect_initialisation(),
                self._beat(),
                self._close_with_server(),
                self._fatal,
            )
        ]
        code, reason = 1000, ""
        try:
            done, _ = await asyncio.wait(duties, return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                task.result()
        except _CloseError as error:
            code, reason = error.code, error.reason
        except _GoneError:
            code = 0
        except Exception:
            log.exception("websocket_failed")
            code, reason = 1011, "Internal error"
        finally:
            await self._end(duties)
        if code:
            with suppress(Exception):  # the client may have gone meanwhile
                await _close(self._raw_send, code, reason)

    async def _end(self, duties: Sequence[asyncio.Future[None]]) -> None:
        """Ends the duties, then the operations as they get places; where this is cancelled itself, all at once."""
        operations: list[asyncio.Task[None]] = []
        try:
            await self._turns.next()
            _cancel(duties)  # the reader among them: no operation begins any more
            operations += self._operations.values()
            for operation in operations:
                await self._turns.next()
                _cancel([operation])
        finally:
            _cancel([*duties, *self._operations.values()])
        await asyncio.gather(*duties, *operations, return_exceptions=True)

    async def _read(self) -> None:
        while True:
            event = await self._receive()
            if event["type"] == "websocket.disconnect":
                raise _GoneError
            self._heard_at = time.monotonic()
            text = event.get("text")
            if text is not None and len(text) > self._settings.max_message_bytes:
                raise _CloseError(MESSAGE_TOO_BIG, "Message too big")
            await self._take(_message(text))

    async def _take(self, message: dict[str, Any]) -> None:
        kind = message["type"]
        if kind == "connection_init":
            await self._initialise(message.get("payload"))
        elif kind == "ping" and not self._dialect.is_legacy:
            self._early_pings += not self._is_acknowledged.is_set()
            if self._early_pings > MOST_EARLY_PINGS:
                raise _CloseError(BAD_MESSAGE, "Too many pings before connection_init")
            await self._send(
                {"type": "pong", "payload": message["payload"]} if "payload" in message else {"type": "pong"}
            )
        elif kind == "pong" and not self._dialect.is_legacy:
            pass
        elif kind == self._dialect.subscribe:
            await self._subscribe(message)
        elif kind == self._dialect.stop:
            self._stop(_id_of(message))
        elif kind == "connection_terminate" and self._dialect.is_legacy:
            raise _CloseError(1000, "")
        else:
            raise _CloseError(BAD_MESSAGE, f"Unexpected message of type '{kind[:40]}' received")

    async def _initialise(self, payload: Any) -> None:
        if self._is_initialising:
            raise _CloseError(TOO_MANY_INITIALISATIONS, "Too many initialisation requests")
        self._is_initialising = True
        if payload is not None and not isinstance(payload, dict):
            raise _CloseError(BAD_MESSAGE, "The payload of connection_init must be an object")
        if payload and REQUEST_ID in payload:  # pages cannot set headers of a WebSocket
            self._request_id = request_id_from(payload[REQUEST_ID])
        try:
            self._visit = await self._door.visit(
                self._headers, self._address, authorization_in(payload or {}), payload or {}
            )
        except RequestError as error:
            raise _CloseError(FORBIDDEN, f"Forbidden: {error.message}") from None
        if (refusal := self._visit.caller.refusal) is not Refusal.NO_TOKEN:
            raise _CloseError(FORBIDDEN, f"Forbidden: the token was refused ({refusal})")
        await self._send({"type": "connection_ack"})
        if self._dialect.is_legacy:
            await self._send_text(self._dialect.heartbeat)
        self._is_acknowledged.set()

    async def _subscribe(self, message: dict[str, Any]) -> None:
        operation_id = _id_of(message)
        if self._visit is None:
            raise _CloseError(UNAUTHORIZED, "Unauthorized")
        if operation_id in self._operations:
            if not self._dialect.is_legacy:
                raise _CloseError(ALREADY_EXISTS, f"Subscriber for {operation_id} already exists")
            self._stop(operation_id)
        if len(self._operations) >= self._settings.max_per_connection:
            told = f"This connection may have at most {self._settings.max_per_connection} operations open."
            refusal = HttpError(429, "TOO_MANY_OPERATIONS", told)
            await self._send_refusal(operation_id, refusal)
            return
        await self._turns.next()
        task = asyncio.ensure_future(self._operate(operation_id, message.get("payload"), self._visit))
        self._operations[operation_id] = task
        task.add_done_callback(lambda done: self._forget(operation_id, done))

    def _stop(self, operation_id: str) -> None:
        task = self._operations.pop(operation_id, None)
        if task is not None:
            task.cancel()

    def _forget(self, operation_id: str, done: asyncio.Task[None]) -> None:
        if self._operations.get(operation_id) is done:
            del self._operations[operation_id]

    async def _operate(self, operation_id: str, payload: Any, visit: Visit) -> None:
        SUBSCRIPTIONS.labels("websocket").inc()
        request_id, began = f"{self._request_id}.{next(self._operation_numbers)}", time.perf_counter()
        try:
            with self._tracing.operation(self._headers.lines, request_id):
                await self._answer(operation_id, payload, visit.named(request_id))
        finally:
            SUBSCRIPTIONS.labels("websocket").dec()
            self._note(request_id, payload, visit, time.perf_counter() - began)

    def _note(self, request_id: str, payload: Any, visit: Visit, seconds: float) -> None:
        """A line for each operation, as for each request over HTTP: by its id it is found again in subgraphs and events."""
        if not self._log.is_on or self._log.is_for_people:
            return
        name = payload.get("operationName") if isinstance(payload, dict) else None
        self._log.write(
            method="WEBSOCKET",
            duration_ms=round(seconds * 1000, 2),
            operation_name=name[:MAX_LOGGED_NAME] if isinstance(name, str) else None,
            user=shown_subject(visit.caller.subject),
            request_id=request_id,
        )

    async def _answer(self, operation_id: str, payload: Any, visit: Visit) -> None:
        try:
            begun = await self._door.begin(operation_from_json(payload), visit, incremental=Stream.INCREMENTAL)
            if isinstance(begun, Response):
                if begun.is_request_error:
                    return await self._send_errors(operation_id, begun.body)
                await self._send_next(operation_id, begun.body)
            else:
                await self._stream(operation_id, begun.payloads)
            await self._send({"id": operation_id, "type": "complete"})
        except RouterError as error:
            await self._send_refusal(operation_id, error)
        except _CloseError as error:
            if not self._fatal.done():
                self._fatal.set_exception(error)
        except _GoneError:
            return None  # the reader hears of it too
        except MemoryError:
            log.error("out_of_memory", operation_id=operation_id)
            await self._send_refusal(operation_id, out_of_memory())
        except Exception:
            log.exception("websocket_operation_failed")
            await self._send_refusal(operation_id, RouterError("Internal server error."))

    async def _stream(self, operation_id: str, payloads: AsyncIterator[bytes]) -> None:
        try:
            async for body in payloads:
                await self._send_next(operation_id, body)
        finally:
            close = getattr(payloads, "aclose", None)
            if close is not None:
                await close()

    async def _send_next(self, operation_id: str, body: bytes) -> None:
        await self._send({"id": operation_id, "type": self._dialect.next, "payload": orjson.Fragment(body)})

    async def _send_refusal(self, operation_id: str, error: RouterError) -> None:
        await self._send_errors(operation_id, orjson.dumps({"errors": error.entries()}))

    async def _send_errors(self, operation_id: str, body: bytes) -> None:
        errors = loads(body)["errors"]
        payload = errors[0] if self._dialect.is_legacy else errors
        await self._send({"id": operation_id, "type": "error", "payload": payload})

    async def _send(self, message: dict[str, Any]) -> None:
        await self._send_text(dumps(message))

    async def _send_text(self, text: bytes) -> None:
        """Waits while the client reads slowly, so that nothing piles up here; one that does not read at all is cut off."""
        try:
            async with asyncio.timeout(SEND_TIMEOUT_SECONDS):
                await self._raw_send({"type": "websocket.send", "text": text.decode()})
        except TimeoutError:
            raise _CloseError(BAD_MESSAGE, "The client does not read") from None
        except OSError:  # as ASGI says it of a client that has gone
            raise _GoneError from None

    async def _expect_initialisation(self) -> None:
        """Ends in time where no connection_init comes, and later when the caller's token expires or its session is over."""
        try:
            async with asyncio.timeout(self._settings.init_timeout_seconds):
                await self._is_acknowledged.wait()
        except TimeoutError:
            raise _CloseError(INITIALISATION_TIMEOUT, "Connection initialisation timeout") from None
        assert self._visit is not None
        caller = self._visit.caller
        ending = self._door.authenticator.ending(caller) or asyncio.get_running_loop().create_future()
        left = self._door.authenticator.seconds_left(caller)
        ended, _ = await asyncio.wait({ending}, timeout=left)  # which leaves it as it is: others wait for it too
        reason = Refusal.SESSION_ENDED if ended else Refusal.EXPIRED
        raise _CloseError(FORBIDDEN, f"Forbidden: the token was refused ({reason})")

    async def _beat(self) -> None:
        await self._is_acknowledged.wait()
        while True:
            await asyncio.sleep(self._settings.heartbeat_seconds)
            silence = time.monotonic() - self._heard_at
            if silence > self._settings.heartbeat_seconds * SILENT_HEARTBEATS and not self._dialect.is_legacy:
                raise _CloseError(GOING_AWAY, "The client does not answer")
            await self._send_text(self._dialect.heartbeat)

    async def _close_with_server(self) -> None:
        await self._door.is_closing.wait()
        raise _CloseError(GOING_AWAY, "The server is stopping")


class _GoneError(Exception):
    """The client closed the connection."""


def authorization_in(payload: dict[str, Any]) -> str | None:
    """The Authorization value in a `connection_init` payload, wherever clients usually put it."""
    places = [payload, payload.get("headers")]
    for place in places:
        if not isinstance(place, dict):
            continue
        for name, value in place.items():
            if isinstance(value, str) and isinstance(name, str):
                if name.lower() == "authorization":
                    return value
                if name in ("token", "authToken", "accessToken"):
                    return value if value.lower().startswith("bearer ") else f"Bearer {value}"
    return None


def _message(text: str | None) -> dict[str, Any]:
    try:
        message = loads(text or "")
    except orjson.JSONDecodeError as error:
        raise _CloseError(BAD_MESSAGE, f"The message {fault(error)}") from None
    if not isinstance(message, dict) or not isinstance(message.get("type"), str):
        raise _CloseError(BAD_MESSAGE, "The message must be an object with a 'type'")
    return message


def _id_of(message: dict[str, Any]) -> str:
    operation_id = message.get("id")
    if not isinstance(operation_id, str) or not 0 < len(operation_id) <= 256:
        raise _CloseError(BAD_MESSAGE, "The message must have an 'id'")
    return operation_id


async def _close(send: Send, code: int, reason: str) -> None:
    # the protocol allows 123 bytes
    await send({"type": "websocket.close", "code": code, "reason": reason.encode()[:123].decode(errors="ignore")})


def _cancel(tasks: Sequence[asyncio.Future[None]]) -> None:
    """Once each: a second time would end what it does about the first."""
    for task in tasks:
        if not (isinstance(task, asyncio.Task) and task.cancelling()):
            task.cancel()
