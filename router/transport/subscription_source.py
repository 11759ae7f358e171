"""Where the events of a subscription come from: a WebSocket or an event stream of a subgraph, or a function of this
process.

`executor.subscribe` reads them, as `executor.fetch` reads the answers of a `SubgraphTransport`.
"""

from __future__ import annotations

import asyncio
import random
import ssl
import time
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Iterator, Mapping
from contextlib import aclosing, asynccontextmanager, suppress
from typing import Any, Protocol

import aiohttp
import orjson
import structlog
from aiohttp.http_exceptions import HttpProcessingError

from router.descriptors import half_of_descriptors
from router.errors import (
    SubgraphError,
    SubgraphHttpError,
    SubgraphMalformedError,
    SubgraphTimeoutError,
    json_kind,
    response_too_large,
)
from router.exact_json import loads
from router.transport.graphql_result import graphql_result
from router.transport.http_messages import may_forward
from router.transport.protocol import SubgraphRequest
from router.transport.server_sent_events import EventStreamParser, EventTooLargeError

log = structlog.get_logger(__name__)

PROTOCOL = "graphql-transport-ws"
SSE_CONTENT_TYPE = "text/event-stream"

#: "Going away" and "service restart": the server ends, the service does not.
RESTART_CODES = frozenset({aiohttp.WSCloseCode.GOING_AWAY, aiohttp.WSCloseCode.SERVICE_RESTART})
RESTART_PAUSES_SECONDS = (0.05, 0.1, 0.2, 0.4, 0.8, 1.6)
STEADY_SECONDS = 5.0  # a connection that lived this long is no restart in a row
CLOSE_SECONDS = 1.0  # for the other side's good-bye; clients wait for the end of their subscription meanwhile

Payload = dict[str, Any]


class SubscriberTooSlowError(SubgraphError):
    """It had more events waiting than it may have."""

    code = "SUBSCRIBER_TOO_SLOW"

    def __init__(self, subgraph: str) -> None:
        super().__init__("More events came than were taken; subscribe again and read the state anew.", subgraph)


class TooManyStreamsError(SubgraphError):
    """The process would have no descriptors left for others."""

    code = "TOO_MANY_CONNECTIONS"


class SubscriptionSource(Protocol):
    def open(self, request: SubgraphRequest) -> AsyncIterator[Payload]:
        """GraphQL results in order, until the subgraph completes. Raises SubgraphError where the stream breaks."""
        ...


class StreamAddresses(Protocol):
    """Chooses among a subgraph's instances, and is told what came of it."""

    def address_for_stream(self, request: SubgraphRequest) -> str: ...

    def note_stream(self, subgraph: str, url: str, failure: str | None) -> None: ...


class _SubgraphRestartsError(SubgraphHttpError):
    """It closed the stream and said that it is coming back."""


class WebSocketSource:
    """`graphql-transport-ws` to the subgraph, one connection a subscription; SSE for those named in `event_streams`.

    A subgraph that restarts is subscribed to again, and the client does not notice, as the protocol's reference client
    does it. Events in between are lost, for the protocol knows no positions: fields that begin with
    a state make up for them.
    `urls` replaces the address a subgraph's queries go to; without one, `addresses` chooses among instances. Forwarded headers go with the handshake and, since many
    servers look there only, into the `connection_init` payload.
    """

    def __init__(
        self,
        urls: Mapping[str, str] | None = None,
        event_streams: frozenset[str] = frozenset(),
        *,
        addresses: StreamAddresses | None = None,
        tls_of: Callable[[str], ssl.SSLContext | None] = lambda _: None,
        acknowledge_timeout_seconds: float = 10.0,
        heartbeat_seconds: float = 20.0,
        max_message_bytes: int = 16 * 1024 * 1024,
        max_connections: int | None = None,
    ) -> None:
        """`max_connections` at a time, to all subgraphs together; None: half of what the process may have open."""
        self._urls = dict(urls or {})
        self._event_streams = event_streams
        self._addresses = addresses
        self._tls_of = tls_of
        self._acknowledge_timeout_seconds = acknowledge_timeout_seconds
        self._heartbeat_seconds = heartbeat_seconds
        self._max_message_bytes = max_message_bytes
        self._max_connections = max_connections or half_of_descriptors()
        self._connections = 0
        self._session: aiohttp.ClientSession | None = None

    def open(self, request: SubgraphRequest) -> AsyncIterator[Payload]:
        if request.subgraph in self._event_streams:
            return self._counted(request, self._events_over_http(request))
        return self._counted(request, self._events_over_websocket(request))

    async def _counted(self, request: SubgraphRequest, events: AsyncGenerator[Payload]) -> AsyncIterator[Payload]:
        """Refuses a connection that would be one too many, before it takes a descriptor from those who have one."""
        if self._connections >= self._max_connections:
            log.warning("too_many_streams", subgraph=request.subgraph, most=self._max_connections)
            message = "The router has as many subscriptions open as it may; try again later."
            raise TooManyStreamsError(message, request.subgraph)
        self._connections += 1
        try:
            async with aclosing(events):
                async for payload in events:
                    yield payload
        finally:
            self._connections -= 1

    async def close(self) -> None:
        if self._session is not None:
            await self._session.close()
            self._session = None

    async def _events_over_websocket(self, request: SubgraphRequest) -> AsyncGenerator[Payload]:
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
        url = self._address_of(request)
        try:
            async with self._open_session().ws_connect(
                url.replace("http", "ws", 1) if url.startswith("http") else url,
                protocols=(PROTOCOL,),
                headers=headers,
                ssl=self._tls_of(request.subgraph) or True,
                heartbeat=self._heartbeat_seconds,
                max_msg_size=self._max_message_bytes,
                timeout=aiohttp.ClientWSTimeout(ws_close=CLOSE_SECONDS),
            ) as socket:
                await self._begin(socket, request, headers)
                self._note(request, url, None)
                async for payload in self._results(socket, request.subgraph):
                    yield payload
        except SubgraphError:
            raise
        except TimeoutError:
            self._note(request, url, SubgraphTimeoutError.code)
            raise SubgraphTimeoutError("The subgraph did not accept the subscription.", request.subgraph) from None
        except (aiohttp.ClientError, OSError) as error:
            self._note(request, url, SubgraphHttpError.code)
            raise SubgraphHttpError(
                "The subscription to the subgraph broke.", request.subgraph, detail=_cause(error)
            ) from error

    def _address_of(self, request: SubgraphRequest) -> str:
        url = self._urls.get(request.subgraph)
        if url is None and self._addresses is not None:
            return self._addresses.address_for_stream(request)
        return url or request.url

    def _note(self, request: SubgraphRequest, url: str, failure: str | None) -> None:
        if self._addresses is not None:
            self._addresses.note_stream(request.subgraph, url, failure)

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
        if socket.close_code == aiohttp.WSCloseCode.MESSAGE_TOO_BIG and message.type is aiohttp.WSMsgType.ERROR:
            raise response_too_large(subgraph, self._max_message_bytes)  # it is we who closed
        error = _SubgraphRestartsError if socket.close_code in RESTART_CODES else SubgraphHttpError
        raise error(
            "The subgraph closed the subscription.", subgraph, detail=f"{message.type.name} {socket.close_code}"
        )

    @asynccontextmanager
    async def post(
        self, request: SubgraphRequest, body: bytes, accept: str, *, max_seconds: float | None = None
    ) -> AsyncIterator[aiohttp.ClientResponse]:
        """The subgraph's answer to a POST, unread. Raises SubgraphHttpError where the connection breaks, also while the
        block reads the answer, and SubgraphTimeoutError after `max_seconds` of both.
        """
        headers = {name: value for name, value in request.headers if may_forward(name, value)}
        headers |= {"Content-Type": "application/json", "Accept": accept}
        url = self._address_of(request)
        try:
            async with (
                asyncio.timeout(max_seconds),
                self._open_session().post(
                    url,
                    data=body,
                    headers=headers,
                    allow_redirects=False,
                    ssl=self._tls_of(request.subgraph) or True,
                ) as response,
            ):
                # a server in trouble is one to avoid; whoever refuses with reasons is not
                self._note(request, url, SubgraphHttpError.code if response.status >= 500 else None)
                yield response
        except (aiohttp.ClientError, HttpProcessingError, OSError, ValueError) as error:
            failure: SubgraphError = SubgraphHttpError(
                "The subscription to the subgraph broke.", request.subgraph, detail=_cause(error)
            )
            if isinstance(error, TimeoutError) and not isinstance(error, aiohttp.ClientError):
                failure = SubgraphTimeoutError("The subgraph did not accept the subscription.", request.subgraph)
            self._note(request, url, failure.code)
            raise failure from error

    async def _events_over_http(self, request: SubgraphRequest) -> AsyncGenerator[Payload]:
        async with self.post(request, request.body, SSE_CONTENT_TYPE) as response:
            if response.status != 200 or response.content_type != SSE_CONTENT_TYPE:
                yield await self.result_in(response, request.subgraph)
                return
            async for payload in self._events_in(response, request.subgraph):
                yield payload

    async def _events_in(self, response: aiohttp.ClientResponse, subgraph: str) -> AsyncIterator[Payload]:
        """graphql-sse in distinct-connections mode: `event: next` with a result, `event: complete` at the end."""
        parser = EventStreamParser(self._max_message_bytes)
        try:
            async for received in response.content.iter_any():
                for event in parser.feed(received):
                    if event.type == "complete":  # with data or, as many servers send it, without
                        return
                    if event.type == "next" and event.data is not None:
                        yield _payload_of(_decode(event.data, subgraph), subgraph)
        except EventTooLargeError:
            raise response_too_large(subgraph, self._max_message_bytes) from None

    async def result_in(self, response: aiohttp.ClientResponse, subgraph: str) -> Payload:
        """The GraphQL result that the subgraph answers with in place of a stream. Raises SubgraphHttpError."""
        body = b""
        async for received in response.content.iter_any():
            body += received
            if len(body) > self._max_message_bytes:
                break
        result = graphql_result(body) if len(body) <= self._max_message_bytes else None
        if result is None:
            raise SubgraphHttpError(
                f"The subgraph answered with status {response.status}.", subgraph, http={"status": response.status}
            )
        return result

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


def _decode(data: str | bytes, subgraph: str) -> Any:
    try:
        return loads(data)
    except orjson.JSONDecodeError:
        raise SubgraphMalformedError("The subgraph sent an event that is not JSON.", subgraph) from None


def _payload_of(value: Any, subgraph: str) -> Payload:
    if value.__class__ is not dict:
        raise SubgraphMalformedError(f"The subgraph sent an event that is {json_kind(value)}, not an object.", subgraph)
    payload: Payload = value
    return payload


def _cause(error: Exception) -> str:
    """What the operating system said where no connection came about, without aiohttp's words about TLS."""
    return str(error.os_error if isinstance(error, aiohttp.ClientConnectorError) else error)
