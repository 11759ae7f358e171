"""uvicorn servers beside another one in an event loop: they accept for as long as a block lasts, and leave signals alone.

`management` and `callbacks` serve further ports with it, `one_process` the subgraphs that live in the router's process.
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager

import uvicorn

_POLL_SECONDS = 0.01


class DidNotStartError(OSError):
    """A server ended before it accepted connections; its cause, or the log, says why."""


@asynccontextmanager
async def accepting(*served: tuple[uvicorn.Config, socket.socket | None]) -> AsyncIterator[None]:
    """Each server listens on its bound socket, or where there is none on its configuration's `uds`, when the block begins.
    When it ends, open requests get their configuration's `timeout_graceful_shutdown`, and the sockets are closed.

    Raises DidNotStartError where an application does not start or its socket cannot be listened on; the other servers
    have stopped then, and the sockets are the caller's to close.
    """
    servers = [_SideServer(configuration) for configuration, _ in served]
    running = [
        asyncio.create_task(server.serve(sockets=None if listener is None else [listener]))
        for server, (_, listener) in zip(servers, served, strict=True)
    ]
    try:
        while not all(server.started for server in servers):
            for task in running:
                if task.done():
                    raise DidNotStartError("a server ended before it accepted connections") from task.exception()
            await asyncio.sleep(_POLL_SECONDS)
        yield
    finally:
        for server in servers:
            server.should_exit = True
        await asyncio.gather(*running, return_exceptions=True)
    for task in running:
        task.result()


class _SideServer(uvicorn.Server):
    """One that leaves the process to others: it hears no signals, and where it cannot start it ends nothing but itself."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        try:
            await super().startup(sockets)
        except SystemExit:  # uvicorn's answer to an application that does not start
            raise DidNotStartError("the application did not start; its log says why") from None
