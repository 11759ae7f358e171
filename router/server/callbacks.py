"""What subgraphs POST about subscriptions (Apollo's HTTP callback protocol, `callback/1.0`), and how it finds its worker.

`app` mounts the route on clients' port, or `Callbacks.served` gives it one of its own. Of several workers the kernel chooses
one for each connection: an id begins with the name of the worker that has the subscription, and another hands the message
on to it over a Unix socket in the folder that they share (decision 0185).
"""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import orjson
import structlog
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from router.exact_json import loads
from router.server.bounded_http import bounded_http
from router.server.errors import HttpError
from router.server.header_values import HeaderFields
from router.server.request import ClientGoneError, read_body
from router.server.response import json_answer
from router.server.side_server import accepting
from router.server.workers import bound_socket
from router.settings import Callbacks as CallbackSettings
from router.settings import Settings
from router.telemetry import SUBSCRIPTION_CALLBACKS
from router.transport.callback_inbox import CallbackInbox, CallbackSubscription

log = structlog.get_logger(__name__)

VERSION = {"subscription-protocol": "callback/1.0"}
#: As the inbox makes them: the name of a worker, where there are several, and what cannot be guessed.
_ID = re.compile(r"(?:([0-9]{1,10})-)?[0-9a-f]{32}")
RELAY_SECONDS = 5.0


class Callbacks:
    """The receiving end of one process."""

    def __init__(self, settings: Settings, own: CallbackSettings) -> None:
        self.inbox = CallbackInbox(own.heartbeat_seconds, own.max_open, settings.subscriptions.max_event_bytes)
        self._settings = settings
        self._own = own
        self.path = f"{own.path}/{{subscription_id}}"
        self._folder: Path | None = None
        self._sessions: dict[str, aiohttp.ClientSession] = {}  # to other workers, by their names

    @property
    def is_apart(self) -> bool:
        """Whether it has a port of its own."""
        return self._own.port is not None

    def join_workers(self, folder: Path, name: str) -> None:
        """Ids begin with this one's `name`, a number, from now on; messages for others are handed on to them."""
        self._folder = folder
        self.inbox.worker = name

    @asynccontextmanager
    async def served(self) -> AsyncIterator[None]:
        """On its own port, if it has one, and for the other workers, until the block ends. Raises OSError."""
        async with AsyncExitStack() as stack:
            if self._own.port is not None:
                listener = bound_socket(self._own.host, self._own.port, is_shared=self._settings.workers > 1)
                stack.enter_context(listener)
                application = Starlette(routes=[Route(self.path, self.receive, methods=["POST"])])
                await stack.enter_async_context(accepting((self._served(application), listener)))
                log.info("callbacks_listening", address="http://{}:{}".format(*listener.getsockname()[:2]))
            if self._folder is not None:
                application = Starlette(routes=[Route(self.path, self.receive_relayed, methods=["POST"])])
                socket = self._socket_of(self.inbox.worker)
                stack.callback(socket.unlink, missing_ok=True)
                await stack.enter_async_context(accepting((self._served(application, socket), None)))
                stack.push_async_callback(self._forget_all)
            yield

    def _served(self, application: Starlette, socket: Path | None = None) -> uvicorn.Config:
        return uvicorn.Config(
            application,
            uds=str(socket) if socket is not None else None,
            http=bounded_http(
                header_bytes=self._settings.limits.header_bytes, max_seconds=self._settings.request_timeout_seconds
            ),
            ws="none",
            lifespan="off",
            log_config=None,
            access_log=False,
            server_header=False,
        )

    async def receive(self, request: Request) -> Response:
        """204 where the message was taken. 400 for what is none, 403 for a wrong verifier, 404 where no such subscription is
        open, 408 and 413 for a body that does not end or is too large, 503 where its worker does not answer.
        """
        return await self._received(request, hands_on=True)

    async def receive_relayed(self, request: Request) -> Response:
        """The same for what another worker took for this one."""
        return await self._received(request, hands_on=False)

    async def _received(self, request: Request, *, hands_on: bool) -> Response:
        subscription_id = request.path_params["subscription_id"]
        known = _ID.fullmatch(subscription_id)
        subscription = self.inbox.find(subscription_id) if known else None
        worker = known[1] if known and hands_on else None
        is_others = worker is not None and worker != self.inbox.worker and self._folder is not None
        if subscription is None and not is_others:
            return _not_found()
        limits = self._settings
        try:
            body = await read_body(
                HeaderFields(request.scope["headers"]),
                request.receive,
                limits.subscriptions.max_event_bytes,
                limits.request_timeout_seconds,
            )
        except ClientGoneError:
            return Response(status_code=499)  # which nobody reads
        except HttpError as error:
            return _refused(
                "too_large" if error.status == 413 else "malformed", error.status, error.error_code, error.message
            )
        if subscription is None:
            assert worker is not None
            return await self._hand_on(worker, subscription_id, body)
        return self._take(subscription, body)

    def _take(self, subscription: CallbackSubscription, body: bytes) -> Response:
        message = _message_in(body)
        if message is None or message["id"] != subscription.id:
            return _refused("malformed", 400, "BAD_REQUEST", "This is no message of the callback protocol.")
        if not subscription.is_known_to(message["verifier"]):
            return _refused("forbidden", 403, "FORBIDDEN", "The verifier is not that of the subscription.")
        subscription.note_alive()
        action = message["action"]
        if action == "next" and not subscription.take(message["payload"], len(body)):
            return _refused("unknown", 404, "SUBSCRIPTION_NOT_FOUND", "Its client takes too slowly; it has ended.")
        if action == "complete":
            subscription.complete(message.get("errors") or [])
        SUBSCRIPTION_CALLBACKS.labels(action).inc()
        return Response(status_code=204, headers=VERSION)

    async def _hand_on(self, worker: str, subscription_id: str, body: bytes) -> Response:
        """To the worker that has it; one that is gone has no subscriptions any more."""
        session = self._sessions.get(worker)
        if session is None:
            session = self._sessions[worker] = aiohttp.ClientSession(
                connector=aiohttp.UnixConnector(str(self._socket_of(worker))),
                timeout=aiohttp.ClientTimeout(total=RELAY_SECONDS),
                cookie_jar=aiohttp.DummyCookieJar(),
            )
        try:
            async with session.post(f"http://worker{self._own.path}/{subscription_id}", data=body) as response:
                content = await response.read()
                return Response(content, response.status, VERSION, response.headers.get("content-type"))
        except aiohttp.ClientConnectorError:
            await self._forget(worker)
            return _not_found()
        except (aiohttp.ClientError, OSError) as error:  # a time-out, too
            await self._forget(worker)
            log.warning("callback_not_handed_on", worker=worker, reason=repr(error))
            return _refused("unreachable", 503, "WORKER_UNAVAILABLE", "The subscription's worker does not answer.")

    async def _forget(self, worker: str) -> None:
        """Also names that no worker ever had, which anybody can make up."""
        if (session := self._sessions.pop(worker, None)) is not None:
            await session.close()

    async def _forget_all(self) -> None:
        for worker in tuple(self._sessions):
            await self._forget(worker)

    def _socket_of(self, worker: str) -> Path:
        assert self._folder is not None
        return self._folder / f"{worker}.callbacks"


def receiving_end(settings: Settings) -> Callbacks | None:
    """None where no subgraph is told an address for callbacks."""
    own = settings.subscriptions.callback
    return Callbacks(settings, own) if own is not None else None


def _message_in(body: bytes) -> dict[str, Any] | None:
    """A message of the protocol, or None."""
    try:
        message = loads(body)
    except orjson.JSONDecodeError:
        return None
    if message.__class__ is not dict or message.get("kind") != "subscription":
        return None
    if not isinstance(message.get("id"), str) or not isinstance(message.get("verifier"), str):
        return None
    fits = {
        "check": True,
        "next": message.get("payload").__class__ is dict,
        "complete": message.get("errors") is None or message["errors"].__class__ is list,
    }
    action = message.get("action")
    return message if isinstance(action, str) and fits.get(action) else None


def _not_found() -> Response:
    return _refused("unknown", 404, "SUBSCRIPTION_NOT_FOUND", "There is no such open subscription.")


def _refused(result: str, status: int, code: str, message: str) -> Response:
    SUBSCRIPTION_CALLBACKS.labels(result).inc()
    answer = json_answer(status, {"error": {"code": code, "message": message}})
    return Response(answer.body, status, VERSION, answer.content_type.decode())
