"""Subscriptions: a stream from one subgraph, every event completed by the others.

`pipeline` calls `run_subscription`; where events come from is a `SubscriptionSource`, as requests go to a
`SubgraphTransport`.
"""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import suppress
from typing import Any, Protocol

import aiohttp
import orjson
import structlog
from aiohttp.http_exceptions import HttpProcessingError

from router.errors import SubgraphError, SubgraphHttpError, SubgraphMalformedError, SubgraphTimeoutError
from router.executor.execute import CompiledPlan
from router.executor.fetch import Execution
from router.executor.http_client import may_forward
from router.executor.transport import SubgraphRequest

log = structlog.get_logger(__name__)

PROTOCOL = "graphql-transport-ws"
SSE_CONTENT_TYPE = "text/event-stream"

#: "Going away" and "service restart": the server ends, the service does not.
RESTART_CODES = frozenset({aiohttp.WSCloseCode.GOING_AWAY, aiohttp.WSCloseCode.SERVICE_RESTART})
RESTART_PAUSES_SECONDS = (0.05, 0.1, 0.2, 0.4, 0.8, 1.6)
STEADY_SECONDS = 5.0  # a connection that lived this long is no restart in a row
CLOSE_SECONDS = 1.0  # for the other side's good-bye; clients wait for the end of their subscription meanwhile

Payload = dict[str, Any]


class SubscriptionSource(Protocol):
    def open(self, request: SubgraphRequest) -> AsyncIterator[Payload]:
        """GraphQL results in order, until the subgraph completes. Raises SubgraphError where the stream breaks."""
        ...


async def run_subscription(
    plan: CompiledPlan, source: SubscriptionSource, new_execution: Callable[[], Execution]
) -> AsyncIterator[bytes]:
    """One response body per event. A broken stream is a last body with an error; a client that leaves closes it.

    Events wait for each other: the next is read when this one has been taken, so a slow client slows its source.
    """
    primary = plan.primary
    if primary is None:
        raise ValueError("The plan is not one of a subscription.")
    events = source.open(primary.request(new_execution()))
    try:
        while True:
            execution = new_execution()
            try:
                payload = await anext(events)
                primary.merge(execution, payload)
            except StopAsyncIteration:
                return
            except SubgraphError as error:
                primary.fail(execution, error)
                yield plan.encode(execution)
                return
            yield await plan.answer(execution)
    finally:
        close = getattr(events, "aclose", None)
        if close is not None:
            await close()


class _SubgraphRestartsError(SubgraphHttpError):
    """It closed the stream and said that it is coming back."""


class WebSocketSource:
    """`graphql-transport-ws` to the subgraph, one connection a subscription; SSE for those named in `event_streams`.

    A subgraph that restarts is subscribed to again, and the client does not notice, as the protocol's reference client
    does it. Events in between are lost: the protocol knows no positions.
    `urls` replaces the address a subgraph's queries go to. Forwarded headers go with the handshake and, since many
    servers look there only, into the `connection_init` payload.
    """

    def __init__(
        self,
        urls: Mapping[str, str] | None = None,
        event_streams: frozenset[str] = frozenset(),
        *,
        acknowledge_timeout_seconds: float = 10.0,
        heartbeat_seconds: float = 20.0,
        max_message_bytes: int = 16 * 1024 * 1024,
    ) -> None:
        self._urls = dict(urls or {})
        self._event_streams = event_streams
        self._acknowledge_timeout_seconds = acknowledge_timeout_seconds
        self._heartbeat_seconds = heartbeat_seconds
        self._max_message_bytes = max_message_bytes
        self._session: aiohttp.ClientSession | None = None

    def open(self, request: SubgraphRequest) -> AsyncIterator[Payload]:
        if request.subgraph in self._event_streams:
            return self._events_over_http(request)
        return self._events_over_websocket(request)

    async def close(self) -> None:
        if self._session is not None:
            await self._session.close()
            self._session = None

    async def _events_over_websocket(self, request: SubgraphRequest) -> AsyncIterator[Payload]:
        pauses: Iterator[float] | None = None  # while a restart is waited for
        while True:
            began = time.monotonic()
            try:
                async for payload in self._events_of_connection(request):
                    yield payload
            except (SubgraphHttpError, SubgraphTimeoutError) as error:
                if time.monotonic() - began > STEADY_SECONDS:
                    pauses = None
                if pauses is None and isinstance(error, _SubgraphRestartsError):
                    pauses = iter(RESTART_PAUSES_SECONDS)
                pause = next(pauses, None) if pauses is not None else None
                if pause is None:
                    raise
                log.info("subscribes_again", subgraph=request.subgraph, reason=error.detail or error.message)
            else:
                return
            await asyncio.sleep(pause * random.uniform(0.5, 1))  # noqa: S311 - spreads retries, hides nothing

    async def _events_of_connection(self, request: SubgraphRequest) -> AsyncIterator[Payload]:
        headers = {name: value for name, value in request.headers if may_forward(name, value)}
        url = self._urls.get(request.subgraph, request.url)
        try:
            async with self._open_session().ws_connect(
                url.replace("http", "ws", 1) if url.startswith("http") else url,
                protocols=(PROTOCOL,),
                headers=headers,
                heartbeat=self._heartbeat_seconds,
                max_msg_size=self._max_message_bytes,
                timeout=aiohttp.ClientWSTimeout(ws_close=CLOSE_SECONDS),
            ) as socket:
                await self._begin(socket, request, headers)
                async for payload in self._results(socket, request.subgraph):
                    yield payload
        except SubgraphError:
            raise
        except TimeoutError:
            raise SubgraphTimeoutError("The subgraph did not accept the subscription.", request.subgraph) from None
        except (aiohttp.ClientError, OSError) as error:
            raise SubgraphHttpError(
                "The subscription to the subgraph broke.", request.subgraph, detail=str(error)
            ) from error

    async def _begin(
        self, socket: aiohttp.ClientWebSocketResponse, request: SubgraphRequest, headers: dict[str, str]
    ) -> None:
        init: Payload = {"type": "connection_init"}
        if headers:
            init["payload"] = headers
        await socket.send_str(orjson.dumps(init).decode())
        async with asyncio.timeout(self._acknowledge_timeout_seconds):
            while True:
                message = await self._receive(socket, request.subgraph)
                if message.get("type") == "connection_ack":
                    break
                await self._answer_ping(socket, message, request.subgraph)
        await socket.send_str(f'{{"id":"1","type":"subscribe","payload":{request.body.decode()}}}')

    async def _results(self, socket: aiohttp.ClientWebSocketResponse, subgraph: str) -> AsyncIterator[Payload]:
        is_over = False
        try:
            while not is_over:
                message = await self._receive(socket, subgraph)
                kind = message.get("type")
                if kind not in ("next", "error", "complete"):
                    await self._answer_ping(socket, message, subgraph)
                    continue
                if message.get("id") != "1":
                    raise SubgraphMalformedError("The subgraph sent an event of another subscription.", subgraph)
                is_over = kind != "next"
                if kind == "next":
                    yield _payload_of(message.get("payload"), subgraph)
                elif kind == "error":
                    yield {"data": None, "errors": message.get("payload")}
        finally:
            if not is_over and not socket.closed:
                with suppress(aiohttp.ClientError, OSError):  # it has gone: that is as good
                    await socket.send_str('{"id":"1","type":"complete"}')

    async def _answer_ping(self, socket: aiohttp.ClientWebSocketResponse, message: Payload, subgraph: str) -> None:
        """Raises SubgraphMalformedError for what is neither ping nor pong."""
        if message.get("type") == "ping":
            await socket.send_str('{"type":"pong"}')
        elif message.get("type") != "pong":
            raise SubgraphMalformedError("The subgraph sent a message that its protocol does not have.", subgraph)

    async def _receive(self, socket: aiohttp.ClientWebSocketResponse, subgraph: str) -> Payload:
        message = await socket.receive()
        if message.type in (aiohttp.WSMsgType.TEXT, aiohttp.WSMsgType.BINARY):
            return _payload_of(_decode(message.data, subgraph), subgraph)
        error = _SubgraphRestartsError if socket.close_code in RESTART_CODES else SubgraphHttpError
        raise error(
            "The subgraph closed the subscription.", subgraph, detail=f"{message.type.name} {socket.close_code}"
        )

    async def _events_over_http(self, request: SubgraphRequest) -> AsyncIterator[Payload]:
        """graphql-sse in distinct-connections mode: `event: next` with a result, `event: complete` at the end."""
        headers = {name: value for name, value in request.headers if may_forward(name, value)}
        headers |= {"Content-Type": "application/json", "Accept": SSE_CONTENT_TYPE}
        url = self._urls.get(request.subgraph, request.url)
        try:
            async with self._open_session().post(
                url, data=request.body, headers=headers, allow_redirects=False
            ) as response:
                if response.status != 200 or not response.content_type.startswith(SSE_CONTENT_TYPE):
                    raise SubgraphHttpError(
                        f"The subgraph answered with status {response.status}.",
                        request.subgraph,
                        http={"status": response.status},
                    )
                async for event, data in _server_sent_events(response.content, self._max_message_bytes):
                    if event == "complete":
                        return
                    if event == "next":
                        yield _payload_of(_decode(data, request.subgraph), request.subgraph)
        except (aiohttp.ClientError, HttpProcessingError, OSError, ValueError) as error:
            raise SubgraphHttpError(
                "The subscription to the subgraph broke.", request.subgraph, detail=str(error)
            ) from error

    def _open_session(self) -> aiohttp.ClientSession:
        if self._session is None:
            self._session = aiohttp.ClientSession(
                timeout=aiohttp.ClientTimeout(total=None, sock_connect=self._acknowledge_timeout_seconds),
                connector=aiohttp.TCPConnector(limit=0),
                read_bufsize=self._max_message_bytes,
                cookie_jar=aiohttp.DummyCookieJar(),
            )
        return self._session


class InProcessSource:
    """Events from functions of this process: request body in, response bodies out."""

    def __init__(self, functions: Mapping[str, Callable[[bytes], AsyncIterator[bytes]]]) -> None:
        self._functions = dict(functions)

    async def open(self, request: SubgraphRequest) -> AsyncIterator[Payload]:
        function = self._functions.get(request.subgraph)
        if function is None:
            raise SubgraphHttpError("The subgraph is not mounted in this process.", request.subgraph)
        async for body in function(request.body):
            yield _payload_of(_decode(body, request.subgraph), request.subgraph)


async def _server_sent_events(content: aiohttp.StreamReader, max_bytes: int) -> AsyncIterator[tuple[str, bytes]]:
    event, data = "message", b""
    async for received in content:
        line = received.rstrip(b"\r\n")
        if not line:
            if data or event != "message":
                yield event, data
            event, data = "message", b""
        elif line.startswith(b"event:"):
            event = line[6:].strip().decode()
        elif line.startswith(b"data:"):
            data += (b"\n" if data else b"") + line[5:].removeprefix(b" ")
            if len(data) > max_bytes:
                raise ValueError("an event is too large")


def _decode(data: str | bytes, subgraph: str) -> Any:
    try:
        return orjson.loads(data)
    except orjson.JSONDecodeError:
        raise SubgraphMalformedError("The subgraph sent an event that is not JSON.", subgraph) from None


def _payload_of(value: Any, subgraph: str) -> Payload:
    if value.__class__ is not dict:
        raise SubgraphMalformedError("The subgraph sent an event that is not an object.", subgraph)
    payload: Payload = value
    return payload
