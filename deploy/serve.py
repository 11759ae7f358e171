"""Serves one subgraph, or the router, in this process. Called by `fittracker subgraph` and `fittracker router`."""

from __future__ import annotations

import importlib
import json
import os
import signal
import sys
from collections.abc import Mapping
from contextlib import nullcontext, suppress
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from deploy.errors import FriendlyError, Told, friendly
from deploy.loading import collector_waits
from deploy.subgraph_ports import SUBGRAPH_PORTS

if TYPE_CHECKING:
    from router.server.settings_reload import SettingsFile
    from router.settings import Settings


def serve_subgraph(name: str, host: str, port: int | None) -> None:
    """Until a signal asks it to stop. Bad settings are a FriendlyError."""
    with collector_waits():
        from deploy.handover import inherited_listener, say_that_it_accepts
        from deploy.observed import Observed
        from subgraphs.shell.command_line import draining_server, server_config

        importlib.import_module(f"subgraphs.{name}.app")
    try:
        application = importlib.import_module(f"subgraphs.{name}.app").create_app()
    except ValueError as error:
        raise FriendlyError(f"subgraph {name} cannot start: {error}") from None
    settings = application.resources.settings
    configuration = server_config(
        Observed(application), host, SUBGRAPH_PORTS[name] if port is None else port, settings, application
    )
    listener = inherited_listener()
    with suppress(KeyboardInterrupt):
        server = draining_server(configuration, application, say_that_it_accepts)
        server.run([listener] if listener is not None else None)


def run_subgraph_verb(name: str, verb: str, output: Path | None) -> None:
    """What `python -m subgraphs.<name>` does besides serving. Raises the subgraphs' SettingsError."""
    from subgraphs.shell.command_line import perform

    with suppress(KeyboardInterrupt):
        perform(importlib.import_module(f"subgraphs.{name}.app").SUBGRAPH, verb, output)


def check_router_settings(config: Path | None, **overrides: Any) -> None:
    """Says that the settings are good. Raises SettingsError with every complaint."""
    from router.settings import load_settings

    environment = {"ROUTER_SUPERGRAPH": "composed later", **os.environ}  # a file need not name it
    load_settings(config, environment, **overrides)
    sys.stdout.write(f"{config if config is not None else 'The environment'}: the settings are good\n")


def print_settings_schema() -> None:
    from router.settings_schema import settings_schema

    sys.stdout.write(json.dumps(settings_schema(), indent=2) + "\n")


def print_settings_reference() -> None:
    from router.settings_schema import settings_reference

    sys.stdout.write(settings_reference())


def serve_router(sources: list[str], config: Path | None, *, supergraph: Path | None, **overrides: Any) -> None:
    """`overrides` that are None leave the file's and the environment's values. Raises FriendlyError, SettingsError.

    `sources` are composed first, into `supergraph` where it is given, and with `watch` whenever they change. A
    `supergraph` that is a supergraph.yaml is such a source.
    """
    from router.settings import load_settings

    if supergraph is not None and supergraph.suffix in {".yaml", ".yml"}:
        sources, supergraph = [*sources, str(supergraph)], None
    if not sources:
        _serve(load_settings(config, supergraph=supergraph, **overrides), config, supergraph=supergraph, **overrides)
        return
    from deploy.composition import compose_for_people
    from deploy.source_watch import composed_beside
    from deploy.terminal import Terminal
    from schema.verbs import Composing

    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))  # and leave nothing behind
    with TemporaryDirectory(prefix="fittracker-") as folder:
        file = supergraph or Path(folder) / "supergraph.graphql"
        compose_for_people(Composing(sources, file), Terminal())
        settings = load_settings(config, supergraph=file, **overrides)
        with composed_beside(sources, file) if settings.watch else nullcontext():
            _serve(settings, config, supergraph=file, **overrides)


def _serve(settings: Settings, config: Path | None, **overrides: Any) -> None:
    with collector_waits():
        from deploy.handover import inherited_listener, say_that_it_accepts
        from router.server.app import serve
        from router.server.settings_reload import SettingsFile

    if not settings.supergraph.exists():
        raise FriendlyError(f"{settings.supergraph}: no such file", "make one with `fittracker compose … -o FILE`")
    listener = inherited_listener()
    # Whoever hands a listener down has composed the graph and told what is wrong with the settings: reading it once more takes 0.5 s.
    subgraphs = _checked_subgraphs(settings) if listener is None else {}
    source = SettingsFile(config, overrides) if config is not None else None
    try:
        if listener is not None:
            serve(settings, listener, say_that_it_accepts, source)
        elif settings.dev or sys.stdout.isatty():
            _serve_and_tell(settings, subgraphs, source)
        else:
            serve(settings, None, say_that_it_accepts, source)
    except OSError as error:
        told = friendly(error) or Told(error.strerror or str(error))
        raise FriendlyError(f"cannot listen on {settings.host}:{settings.port}: {told.message}", told.hint) from None


def _serve_and_tell(settings: Settings, subgraphs: Mapping[str, str], source: SettingsFile | None) -> None:
    """As `serve`, and a panel tells a person where everything is: when the router accepts, of several workers before."""
    from deploy.terminal import Terminal
    from deploy.welcome import of_router, show
    from router.server.app import serve
    from router.server.workers import listening_socket

    listener = listening_socket(settings) if settings.workers == 1 else None
    port = settings.port if listener is None else listener.getsockname()[1]
    rows = of_router(settings.model_copy(update={"port": port}), subgraphs)
    terminal = Terminal()
    if listener is None:
        show(terminal, f"{settings.workers} processes of the router start", rows)
    serve(settings, listener, lambda: show(terminal, "The router is up", rows), source)


def _checked_subgraphs(settings: Settings) -> Mapping[str, str]:
    """Names to URLs. Before anything listens: a file that cannot be served is a sentence, not a server's traceback.
    Settings for a subgraph that is not there are told, and no more: the next graph may have it.
    """
    from deploy.terminal import Terminal
    from router.errors import SupergraphError
    from router.settings_complaints import unknown_subgraphs
    from router.supergraph import read_supergraph

    file = settings.supergraph
    try:
        graph = read_supergraph(file.read_text(encoding="utf-8"))
    except SupergraphError as error:
        raise FriendlyError(f"{file} is not a usable supergraph: {error.message}") from None
    for sentence in unknown_subgraphs(settings, graph.subgraphs):
        Terminal().warn(sentence)
    return graph.subgraphs
