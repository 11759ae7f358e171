"""Runs a router and the subgraphs that live in its process, until a signal asks it to stop.

For stacks without a process for each subgraph, and for the router alone in front of Python schemas.
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable
from contextlib import AsyncExitStack

import uvicorn

from router.garbage import collect_in_short_pauses
from router.server.draining import DrainingServer
from router.server.side_server import accepting
from router.server.workers import CreateApp, listening_socket, router_server
from router.settings import Settings
from router.telemetry import configure_logging


def run(
    settings: Settings,
    create_app: CreateApp,
    subgraphs: list[tuple[uvicorn.Config, socket.socket]],
    on_started: Callable[[], None] = lambda: None,
) -> None:
    """One worker, whatever the settings say. Each subgraph listens on its bound socket before the router accepts, and
    stops after it.

    Raises OSError where the router's port is taken or a subgraph does not start, CertificateError for `tls` that does
    not hold.
    """
    configure_logging(settings.telemetry, for_people=settings.logs_for_people)
    collect_in_short_pauses()
    with listening_socket(settings) as listener:
        server = router_server(settings, create_app(settings), on_started)
        with asyncio.Runner(loop_factory=server.config.get_loop_factory()) as runner:
            runner.run(_serve(server, listener, subgraphs))


async def _serve(
    router: DrainingServer, listener: socket.socket, subgraphs: list[tuple[uvicorn.Config, socket.socket]]
) -> None:
    running = AsyncExitStack()
    await running.enter_async_context(accepting(*subgraphs))
    # uvicorn raises the signal that stopped it once more when it has stopped, and that ends the process. Captured here
    # too, it is raised when the subgraphs have stopped as well.
    with router.capture_signals():
        async with running:
            await router.serve(sockets=[listener])
