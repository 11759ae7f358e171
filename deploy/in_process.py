"""Router and four subgraphs in one process: queries and mutations are calls there, not requests.

Run as a child by `fittracker up --in-process`. The subgraphs listen on their ports too: subscriptions come by WebSocket.
"""

from __future__ import annotations

import importlib
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from deploy.embedded import DOMAINS, HOST
from router.server import one_process
from router.server.app import create_app
from router.server.header_rules import ResponseHeaders
from router.server.workers import bound_socket
from router.settings import load_settings
from router.transport.in_process import InProcessTransport
from subgraphs.shell.command_line import server_config

if TYPE_CHECKING:
    from subgraphs.shell.app import SubgraphApp


def serve_in_process(config: Path, ports: dict[str, int]) -> None:
    """Until a signal asks it to stop. Raises SettingsError, OSError."""
    settings = load_settings(config)
    applications: dict[str, SubgraphApp] = {
        name: importlib.import_module(f"subgraphs.{name}.app").create_app() for name in DOMAINS
    }
    transport = InProcessTransport(
        applications,
        timeout_seconds=settings.traffic_shaping.all.timeout_seconds,
        kept_headers=ResponseHeaders(settings.headers).names_of,
    )
    with ExitStack() as stack:
        subgraphs = [
            (
                server_config(application, HOST, ports[name], application.resources.settings),
                stack.enter_context(bound_socket(HOST, ports[name], is_shared=False)),
            )
            for name, application in applications.items()
        ]
        one_process.run(settings, partial(create_app, transport=transport), subgraphs)
