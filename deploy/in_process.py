"""Router and four subgraphs in one process: queries and mutations are calls there, not requests.

Run as a child by `fittracker up --in-process`. The subgraphs listen on their ports too: subscriptions come by WebSocket.
"""

from __future__ import annotations

import asyncio
import importlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import uvicorn

from deploy.embedded import DOMAINS, HOST
from router.server.app import create_app
from router.server.header_rules import ResponseHeaders
from router.server.http_protocol import StrictHttpProtocol
from router.server.websocket_protocol import StrictWebSocketProtocol
from router.settings import Settings, load_settings
from router.telemetry import configure_logging
from router.transport.in_process import InProcessTransport


def serve_in_process(config: Path, ports: dict[str, int]) -> None:
    """Until a signal asks it to stop. Raises SettingsError, OSError."""
    settings = load_settings(config)
    applications: dict[str, Any] = {
        name: importlib.import_module(f"subgraphs.{name}.app").create_app() for name in DOMAINS
    }
    configure_logging(settings.telemetry)
    transport = InProcessTransport(
        applications,
        timeout_seconds=settings.traffic_shaping.all.timeout_seconds,
        kept_headers=ResponseHeaders(settings.headers).names_of,
    )
    router = create_app(settings, transport)
    with asyncio.Runner(loop_factory=_new_loop) as runner:
        runner.run(_serve_all(router, applications, ports, settings))


async def _serve_all(router: Any, applications: dict[str, Any], ports: dict[str, int], settings: Settings) -> None:
    """The router hears the signals; when it has stopped, the subgraphs are told to."""
    subgraphs = [_Server(_configuration(app, HOST, ports[name])) for name, app in applications.items()]
    running = [asyncio.create_task(server.serve()) for server in subgraphs]
    while not all(server.started for server in subgraphs):
        if ended := [task for task in running if task.done()]:
            ended[0].result()
            raise OSError("a subgraph ended at start; its log says why")
        await asyncio.sleep(0.02)
    try:
        await uvicorn.Server(_configuration(router, settings.host, settings.port)).serve()
    finally:
        for server in subgraphs:
            server.should_exit = True
        await asyncio.gather(*running)


class _Server(uvicorn.Server):
    """One that leaves the process's signals to another."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


def _configuration(application: Any, host: str, port: int) -> uvicorn.Config:
    return uvicorn.Config(
        application, host=host, port=port, http=StrictHttpProtocol, ws=StrictWebSocketProtocol, lifespan="on",
        log_config=None, access_log=False, server_header=False, timeout_graceful_shutdown=10,
    )  # fmt: skip


def _new_loop() -> asyncio.AbstractEventLoop:
    import uvloop

    return uvloop.new_event_loop()
