"""Serves one subgraph, or the router, in this process. Called by `fittracker subgraph` and `fittracker router`."""

from __future__ import annotations

import importlib
import signal
import sys
from contextlib import nullcontext, suppress
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from deploy.errors import FriendlyError
from deploy.stack import SUBGRAPH_PORTS

if TYPE_CHECKING:
    from router.settings import Settings


def serve_subgraph(name: str, host: str, port: int | None) -> None:
    """Until a signal asks it to stop. Bad settings are a FriendlyError."""
    import uvicorn
    from pydantic import ValidationError

    from deploy.handover import HandoverServer, inherited_listener

    try:
        application = importlib.import_module(f"subgraphs.{name}.app").create_app()
    except (ValidationError, ValueError) as error:
        raise FriendlyError(f"subgraph {name} cannot start: {error}") from None
    configuration = uvicorn.Config(
        application,
        host=host,
        port=SUBGRAPH_PORTS[name] if port is None else port,
        loop="uvloop" if sys.platform != "win32" else "asyncio",
        http="httptools",
        ws="websockets-sansio",
        log_config=None,
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=10,
    )
    listener = inherited_listener()
    with suppress(KeyboardInterrupt):
        HandoverServer(configuration).run([listener] if listener is not None else None)


def serve_router(sources: list[str], config: Path | None, *, supergraph: Path | None, **overrides: Any) -> None:
    """`overrides` that are None leave the file's and the environment's values. Raises FriendlyError, SettingsError.

    `sources` are composed first, into `supergraph` where it is given, and with `watch` whenever they change. A
    `supergraph` that is a supergraph.yaml is such a source.
    """
    from router.settings import load_settings

    if supergraph is not None and supergraph.suffix in {".yaml", ".yml"}:
        sources, supergraph = [*sources, str(supergraph)], None
    if not sources:
        _serve(load_settings(config, supergraph=supergraph, **overrides))
        return
    from deploy.composition import Composing, compose_for_people
    from deploy.source_watch import composed_beside
    from deploy.terminal import Terminal

    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))  # and leave nothing behind
    with TemporaryDirectory(prefix="fittracker-") as folder:
        file = supergraph or Path(folder) / "supergraph.graphql"
        compose_for_people(Composing(sources, file), Terminal())
        settings = load_settings(config, supergraph=file, **overrides)
        with composed_beside(sources, file) if settings.watch else nullcontext():
            _serve(settings)


def _serve(settings: Settings) -> None:
    from router.server.app import serve

    if not settings.supergraph.exists():
        raise FriendlyError(f"{settings.supergraph}: no such file", "make one with `fittracker compose … -o FILE`")
    _check_supergraph(settings.supergraph)
    try:
        serve(settings)
    except OSError as error:
        raise FriendlyError(f"cannot listen on {settings.host}:{settings.port}: {error.strerror}") from None


def _check_supergraph(file: Path) -> None:
    """Before anything listens: a file that cannot be served is a sentence, not a server's traceback."""
    from router.errors import SupergraphError
    from router.supergraph import read_supergraph

    try:
        read_supergraph(file.read_text(encoding="utf-8"))
    except SupergraphError as error:
        raise FriendlyError(f"{file} is not a usable supergraph: {error.message}") from None
