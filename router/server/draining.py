"""A uvicorn server that leaves in steps, so that whoever stops or replaces it costs no client a request.

`workers` makes it for the router, `subgraphs.shell.command_line` for a subgraph. The clock starts with SIGTERM or SIGINT.
"""

from __future__ import annotations

import asyncio
import ctypes
import socket
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from types import FrameType
from typing import Protocol

import uvicorn
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from router.server.certificate import ServedCertificate

_CLOSE = (b"connection", b"close")
_POLL_SECONDS = 0.02
_SETTLED_AFTER_SECONDS = 15.0


class Drainable(Protocol):
    """What an application is told of its end."""

    def begin_draining(self) -> None:
        """From now on it says that it is not ready; it goes on answering."""

    def end_streams(self) -> None:
        """Subscriptions end with a code that says: come again."""


class DrainingServer(uvicorn.Server):
    """Readiness first, then new connections, then streams, then kept-alive connections, then what is under way.

    For `accept_seconds` load balancers may learn of the 503 while connections are still accepted; 0 where a successor
    listens on the same socket. All that time answers say `Connection: close`: a connection that is closed under a request
    loses it. Connections that lie idle have `idle_seconds` to be used or closed by their client, so a client that drops
    idle ones earlier never meets a closed one. Then uvicorn's own shutdown gives open requests its grace.
    """

    def __init__(
        self,
        config: uvicorn.Config,
        application: Drainable,
        *,
        accept_seconds: float = 0.0,
        idle_seconds: float = 2.0,
        on_started: Callable[[], None] = lambda: None,
        on_certificate: Callable[[str, datetime], None] = lambda _, __: None,
    ) -> None:
        super().__init__(config)
        self._application = application
        self._accept_seconds = accept_seconds
        self._idle_seconds = idle_seconds
        self._on_started = on_started
        self._on_certificate = on_certificate
        self._certificate: asyncio.Task[None] | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._asked_to_exit = asyncio.Event()

    async def main_loop(self) -> None:
        """As uvicorn's, with one look a second instead of ten: the date is renewed then, and a signal ends the wait."""
        self._loop = asyncio.get_running_loop()
        while not await self.on_tick(0):
            with suppress(TimeoutError):
                async with asyncio.timeout(1.0):
                    await self._asked_to_exit.wait()

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        super().handle_exit(sig, frame)
        if self._loop is not None:
            self._loop.call_soon_threadsafe(self._asked_to_exit.set)

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        asyncio.get_running_loop().call_later(_SETTLED_AFTER_SECONDS, _give_back_memory)
        if self.config.ssl is not None and self.config.ssl_certfile and self.config.ssl_keyfile:
            files = Path(self.config.ssl_certfile), Path(self.config.ssl_keyfile)
            served = ServedCertificate(self.config.ssl, *files, self._on_certificate)
            self._certificate = asyncio.create_task(served.follow(), name="certificate")
        self._on_started()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        if self._certificate is not None:
            self._certificate.cancel()
        self._application.begin_draining()
        self.server_state.default_headers.append(_CLOSE)
        await self._while_connected(self._accept_seconds, or_none=True)
        for server in self.servers:
            server.close()
        self._application.end_streams()
        for connection in list(self.server_state.connections):
            if not isinstance(connection, HttpToolsProtocol):
                connection.shutdown()  # a WebSocket: 1012, "service restart"
        await self._while_connected(self._idle_seconds)
        await super().shutdown(sockets)

    async def _while_connected(self, seconds: float, *, or_none: bool = False) -> None:
        """Wait so long, or until nobody is connected, where that is enough; a second SIGINT ends it."""
        loop = asyncio.get_running_loop()
        end = loop.time() + seconds
        while loop.time() < end and not self.force_exit and (or_none or self.server_state.connections):
            await asyncio.sleep(_POLL_SECONDS)


def _give_back_memory() -> None:
    """To the system, what starting left free in the C library's heap: 3 to 4 MB of a subgraph. Others than glibc do so themselves."""
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)  # of glibc
    if trim is not None:
        trim(0)
