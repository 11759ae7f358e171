"""Router and four subgraphs in one process: queries and mutations are calls there, not requests.

Run as a child by `fittracker up --in-process`. The subgraphs listen on their ports too: subscriptions come by WebSocket.
"""

from __future__ import annotations

import importlib
from contextlib import ExitStack
from contextvars import copy_context
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from starlette.types import ASGIApp, Receive, Scope, Send
from structlog.contextvars import bound_contextvars

from deploy.embedded import DOMAINS, HOST
from router.server import one_process
from router.server.app import create_app
from router.server.header_rules import ResponseHeaders
from router.server.workers import bound_socket
from router.settings import load_settings
from router.transport.in_process import InProcessTransport
from subgraphs.shell.app import SubgraphApp
from subgraphs.shell.command_line import server_config


@dataclass(frozen=True, slots=True)
class Mounted:
    """A subgraph of this process; `named` is its application, whose log lines carry its name."""

    application: SubgraphApp
    named: ASGIApp


def mounted_applications() -> dict[str, Mounted]:
    """By name. Raises the subgraphs' SettingsError."""
    applications: dict[str, Mounted] = {}
    for name in DOMAINS:
        # the first one sets up the process's log, and names itself there: in a context that ends with it
        application = copy_context().run(importlib.import_module(f"subgraphs.{name}.app").create_app)
        applications[name] = Mounted(application, with_name(name, application))
    return applications


def with_name(subgraph: str, application: ASGIApp) -> ASGIApp:
    """The application, with `subgraph` in every line that is logged for its requests and by what its lifespan starts."""

    async def named(scope: Scope, receive: Receive, send: Send) -> None:
        with bound_contextvars(subgraph=subgraph):
            await application(scope, receive, send)

    return named


def serve_in_process(config: Path, ports: dict[str, int]) -> None:
    """Until a signal asks it to stop. Raises SettingsError, OSError."""
    settings = load_settings(config)
    applications = mounted_applications()
    transport = InProcessTransport(
        {name: each.named for name, each in applications.items()},
        timeout_seconds=settings.traffic_shaping.all.timeout_seconds,
        kept_headers=ResponseHeaders(settings.headers).names_of,
    )
    with ExitStack() as stack:
        subgraphs = [
            (
                server_config(each.named, HOST, ports[name], each.application.resources.settings),
                stack.enter_context(bound_socket(HOST, ports[name], is_shared=False)),
            )
            for name, each in applications.items()
        ]
        one_process.run(settings, partial(create_app, transport=transport), subgraphs)
