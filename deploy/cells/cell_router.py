"""The cell router: takes every request, finds its caller's cell, and hands on what that cell's router answers.

It keeps nothing and verifies nothing, so that any number of them may run. Bodies of answers pass through as they come;
of a WebSocket, the first message is read, which has the token, and all messages are handed on both ways.
"""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import AsyncIterator
from contextlib import suppress
from typing import Any

import aiohttp
import msgspec
import structlog
from aiohttp import web

from deploy.cells.cell_map import Cell, CellMap
from deploy.cells.directory import CellSilentError, Directory
from deploy.cells.evidence import Evidence, of_header, of_operation
from deploy.environment import value_of
from deploy.errors import FriendlyError
from deploy.terminal import Terminal

MOST_BODY_BYTES = 4 * 1024 * 1024  # of a JSON body, which has to be read; the cells' routers have limits of their own
PROTOCOLS = ("graphql-transport-ws", "graphql-ws")
FIRST_MESSAGE_SECONDS = 10.0
_CONNECTION_LOST = 1014  # bad gateway, as RFC 6455's registry has it
_INITIALISATION_TIMEOUT = 4408
#: Of one connection and not of the message (RFC 9110, 7.6.1).
_HOP_BY_HOP = frozenset(
    (
        "connection",
        "keep-alive",
        "proxy-connection",
        "te",
        "trailer",
        "transfer-encoding",
        "upgrade",
        "host",
        "content-length",
    )
)
_log = structlog.get_logger("cells")


def cell_router(cell_map: CellMap, secret: str) -> web.Application:
    """The application. `/live` is its own; everything else is a cell's, but for `/actuator`, which no cell shows here."""
    router = _CellRouter(cell_map, secret)
    application = web.Application(client_max_size=MOST_BODY_BYTES)
    application.cleanup_ctx.append(router.session)
    application.router.add_get("/live", _live)
    application.router.add_route("*", "/actuator{rest:.*}", _not_here)
    application.router.add_route("*", "/{path:.*}", router.handle)
    return application


def serve_cell_router(cell_map: CellMap, host: str, port: int) -> None:
    """Until a signal asks it to stop; requests under way are finished. Raises FriendlyError without CELL_SECRET."""
    secret = value_of("CELL_SECRET", os.environ)
    if not secret:
        raise FriendlyError("CELL_SECRET is not set", "it is the one that all cells' users subgraphs have")
    application = cell_router(cell_map, secret)
    web.run_app(application, host=host, port=port, shutdown_timeout=10, access_log=None, print=Terminal().say)


class _CellRouter:
    def __init__(self, cell_map: CellMap, secret: str) -> None:
        self._map = cell_map
        self._secret = secret
        self._session: aiohttp.ClientSession
        self._directory: Directory

    async def session(self, _: web.Application) -> AsyncIterator[None]:
        """Connections to the cells, for as long as the application lives. Answers may take as long as the cells' routers let them."""
        patience = aiohttp.ClientTimeout(total=None, sock_connect=3)
        connector = aiohttp.TCPConnector(limit=0)
        async with aiohttp.ClientSession(
            connector=connector, timeout=patience, auto_decompress=False, cookie_jar=aiohttp.DummyCookieJar()
        ) as self._session:
            self._directory = Directory(self._map, self._secret, self._session)
            yield

    async def handle(self, request: web.Request) -> web.StreamResponse:
        if request.headers.get("upgrade", "").lower() == "websocket":
            return await self._talk(request)
        body: bytes | None = None
        try:
            if request.content_type == "application/json" and "content-encoding" not in request.headers:
                body = await request.read()
            cell = await self._cell_of(request, body)
        except CellSilentError:
            return _refusal(503, "UNAVAILABLE", "It cannot be told now where this account is. Try again later.")
        except _SeveralCellsError:
            return _refusal(400, "BAD_REQUEST", "A batch is of one account: send these operations one by one.")
        try:
            return await self._hand_on(request, cell, body)
        except aiohttp.ClientConnectionError as error:
            _log.warning("cell_does_not_answer", cell=cell.name, reason=type(error).__name__)
            return _refusal(502, "UNAVAILABLE", "The platform of this account does not answer.")

    async def _cell_of(self, request: web.Request, body: bytes | None) -> Cell:
        """By the account that is entered, else by the token, else the first. Raises CellSilentError, _SeveralCellsError."""
        own = self._map.named(of_header(request.headers.get("authorization")).cell)
        evidence = _entered(body, is_signed_in=own is not None)
        entered = {cell for each in evidence if (cell := await self._looked_up(each)) is not None}
        if len(entered) > 1:
            raise _SeveralCellsError
        return entered.pop() if entered else own or self._map.first

    async def _looked_up(self, evidence: Evidence) -> Cell | None:
        if evidence.email is not None:
            return await self._directory.cell_of(evidence.email)
        return self._map.named(evidence.cell)

    async def _hand_on(self, request: web.Request, cell: Cell, body: bytes | None) -> web.StreamResponse:
        """Raises aiohttp.ClientConnectionError where nothing has been answered yet; later the client's connection is cut."""
        data = body if body is not None else (request.content if request.can_read_body else None)
        async with self._session.request(
            request.method,
            f"{cell.router}{request.raw_path}",
            headers=_forwarded(request),
            data=data,
            allow_redirects=False,
        ) as answer:
            headers = [(name, value) for name, value in answer.headers.items() if name.lower() not in _HOP_BY_HOP]
            response = web.StreamResponse(status=answer.status, reason=answer.reason, headers=headers)
            response.content_length = answer.content_length
            await response.prepare(request)
            try:
                async for chunk in answer.content.iter_any():
                    await response.write(chunk)
            except aiohttp.ClientError as error:
                _log.warning("answer_was_cut_off", cell=cell.name, reason=type(error).__name__)
                if request.transport is not None:
                    request.transport.abort()  # so that no client takes the half for the whole
                return response
            await response.write_eof()
            return response

    async def _talk(self, request: web.Request) -> web.StreamResponse:
        client = web.WebSocketResponse(protocols=PROTOCOLS, max_msg_size=MOST_BODY_BYTES)
        await client.prepare(request)
        try:
            async with asyncio.timeout(FIRST_MESSAGE_SECONDS):
                first = await client.receive()
        except TimeoutError:
            await client.close(code=_INITIALISATION_TIMEOUT, message=b"Connection initialisation timeout")
            return client
        if first.type is not aiohttp.WSMsgType.TEXT:
            await client.close()
            return client
        shown = of_header(_token_of(first.data) or request.headers.get("authorization"))
        cell = self._map.named(shown.cell) or self._map.first
        protocols = (client.ws_protocol,) if client.ws_protocol else ()
        url = f"{cell.router}{request.raw_path}"
        try:
            async with self._session.ws_connect(
                url, protocols=protocols, headers=_forwarded(request, is_websocket=True), max_msg_size=0
            ) as upstream:
                await upstream.send_str(first.data)
                await _both_ways(client, upstream)
        except (aiohttp.ClientError, OSError) as error:
            _log.warning("cell_does_not_answer", cell=cell.name, reason=type(error).__name__)
            await client.close(code=_CONNECTION_LOST, message=b"The platform of this account does not answer")
        return client


class _SeveralCellsError(Exception):
    """A batch enters accounts of several cells."""


def _entered(body: bytes | None, *, is_signed_in: bool) -> list[Evidence]:
    """What the operations of a JSON body say of the accounts that they enter."""
    if not body:
        return []
    try:
        parsed = msgspec.json.decode(body)
    except (msgspec.DecodeError, RecursionError):  # the router will tell
        return []
    found = [
        of_operation(each, is_signed_in=is_signed_in) for each in (parsed if isinstance(parsed, list) else [parsed])
    ]
    return [each for each in found if each != Evidence()]


def _token_of(message: str) -> str | None:
    """The Authorization among a connection's parameters, whatever its case."""
    with suppress(ValueError, RecursionError):
        parsed = json.loads(message)
        payload = parsed.get("payload") if isinstance(parsed, dict) else None
        if isinstance(payload, dict):
            tokens = (value for name, value in payload.items() if name.lower() == "authorization")
            return next((token for token in tokens if isinstance(token, str)), None)
    return None


def _forwarded(request: web.Request, *, is_websocket: bool = False) -> list[tuple[str, str]]:
    """The client's headers, with its address behind those that proxies before us wrote down."""
    headers = [
        (name, value)
        for name, value in request.headers.items()
        if name.lower() not in _HOP_BY_HOP and not (is_websocket and name.lower().startswith("sec-websocket-"))
    ]
    headers.append(("x-forwarded-for", request.remote or "unknown"))
    if (host := request.headers.get("host")) is not None:
        headers.append(("host", host))
    return headers


async def _both_ways(client: web.WebSocketResponse, upstream: aiohttp.ClientWebSocketResponse) -> None:
    """Until one side closes, whose code the other is given."""
    ways = [
        asyncio.create_task(_one_way(client, upstream)),
        asyncio.create_task(_one_way(upstream, client)),
    ]
    try:
        await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for way in ways:
            way.cancel()
        await asyncio.gather(*ways, return_exceptions=True)


async def _one_way(source: Any, target: Any) -> None:
    """`source` and `target` are the two kinds of WebSockets of aiohttp, which answer pings themselves."""
    async for message in source:
        if message.type is aiohttp.WSMsgType.TEXT:
            await target.send_str(message.data)
        elif message.type is aiohttp.WSMsgType.BINARY:
            await target.send_bytes(message.data)
    await target.close(code=source.close_code or aiohttp.WSCloseCode.OK)


def _refusal(status: int, code: str, message: str) -> web.Response:
    errors = [{"message": message, "extensions": {"code": code}}]
    return web.json_response({"errors": errors}, status=status, content_type="application/graphql-response+json")


async def _live(_: web.Request) -> web.Response:
    return web.json_response({"status": "UP"})


async def _not_here(_: web.Request) -> web.Response:
    return web.json_response({"error": "ask the cells' own routers"}, status=404)
