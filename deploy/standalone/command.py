"""The router and composer without the product: `fittracker-router app.schema:schema other.schema:schema`.

Built into the distribution `fittracker-router` by `deploy.standalone.build`; imports `router` and `schema` only.
"""

from __future__ import annotations

import argparse
import errno
import importlib
import platform
import socket
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from importlib import metadata
from importlib.machinery import EXTENSION_SUFFIXES
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import uvicorn

from router.errors import RouterError, SupergraphError
from router.server import one_process
from router.server.app import create_app, serve
from router.server.settings_reload import SettingsFile
from router.settings import Settings, SettingsError, load_settings
from router.settings_schema import settings_reference
from router.supergraph import read_supergraph
from schema.compose import compose
from schema.sources import DeclaredSource, SourceError, declared_sources

HOST = "127.0.0.1"


class RefusedError(Exception):
    """What was asked cannot be done; a sentence for the person at the terminal."""


def main(arguments: Sequence[str] | None = None) -> int:
    """The exit code: 0 stopped by a signal, 1 what was named cannot be served; the reason goes to standard error."""
    options = _parser().parse_args(arguments)
    try:
        _serve(options)
    except (RefusedError, SourceError, SettingsError, RouterError, OSError) as error:
        print(f"error: {_sentence(error)}", file=sys.stderr)
        if hint := getattr(error, "hint", None):
            print(f"hint:  {hint}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        pass
    return 0


def _sentence(error: Exception) -> str:
    """Of the operating system's errors what it says in words, without number and representation."""
    if isinstance(error, OSError) and error.errno == errno.EADDRINUSE:
        return "the port is taken by another program; choose another with --port"
    if isinstance(error, OSError) and error.filename is not None and error.strerror:
        return f"{error.filename}: {error.strerror.lower()}"
    return str(error)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="fittracker-router",
        description="Compose subgraphs and serve them as one GraphQL API.",
        epilog="SOURCE: package.module:schema (a strawberry.federation.Schema, served in this process), NAME=that, "
        "NAME=http://HOST/graphql (a running subgraph), NAME=http://HOST/graphql=FILE.graphql, or supergraph.yaml.",
    )
    parser.add_argument("sources", nargs="*", metavar="SOURCE")
    parser.add_argument("--supergraph", type=Path, help="a supergraph to serve instead of sources")
    parser.add_argument("--config", type=Path, help="a YAML file of router settings")
    parser.add_argument("--version", action="store_true", help="print the version, and whether modules are compiled")
    parser.add_argument("--config-reference", action="store_true", help="print every setting with its default")
    parser.add_argument("--host", default=None, help="default: 127.0.0.1")
    parser.add_argument("--port", type=int, default=None, help="default: 8080")
    parser.add_argument(
        "--watch",
        action="store_true",
        help="take the --supergraph and the --config file over whenever they change, without dropping a request; what "
        "cannot be served is logged and changes nothing",
    )
    parser.add_argument("--production", action="store_true", help="no GraphiQL, no plans, errors redacted")
    return parser


def _serve(options: argparse.Namespace) -> None:
    overrides = {"host": options.host, "port": options.port, "dev": None if options.production else True}
    if options.config_reference:
        print(settings_reference(), end="")
        return
    if options.version:
        print(version())
        return
    if options.supergraph is not None:
        _serve_file(options, {**overrides, "supergraph": options.supergraph})
        return
    if not options.sources:
        raise RefusedError("name the subgraphs, or --supergraph FILE; --help shows how")
    if options.watch:
        raise RefusedError("--watch goes with --supergraph FILE; sources are composed at the start: start it again")
    sources = declared_sources(options.sources)
    with TemporaryDirectory(prefix="fittracker-router-") as folder, _listeners(sources) as listeners:
        file = Path(folder) / "supergraph.graphql"
        file.write_text(_composed(sources, listeners), encoding="utf-8")
        settings = load_settings(options.config, supergraph=file, **overrides)
        subgraphs = [
            (
                uvicorn.Config(_application(each), lifespan="off", log_config=None, access_log=False),
                listeners[each.name],
            )
            for each in sources
            if each.python
        ]
        names = ", ".join(each.name for each in sources)
        one_process.run(settings, create_app, subgraphs, lambda: print(_served(names, settings), flush=True))


def _serve_file(options: argparse.Namespace, overrides: Mapping[str, Any]) -> None:
    overrides = {**overrides, "watch": options.watch or None}
    _check_supergraph(options.supergraph)
    settings = load_settings(options.config, **overrides)
    source = SettingsFile(options.config, overrides) if options.config is not None else None
    serve(settings, None, lambda: print(_served(options.supergraph.name, settings), flush=True), source)


def version() -> str:
    """`fittracker-router 0.1.0, CPython 3.11.7, 41 modules compiled`; of the wheel for any platform `pure Python` at the end.
    Compiled are those that were imported from machine code.
    """
    package = create_app.__module__.partition(".")[0]
    files = [
        getattr(module, "__file__", None) or "" for name, module in sys.modules.items() if name.startswith(package)
    ]
    compiled = sum(file.endswith(tuple(EXTENSION_SUFFIXES)) for file in files)
    python = f"{platform.python_implementation()} {platform.python_version()}"
    kind = f"{compiled} modules compiled" if compiled else "pure Python"
    return f"fittracker-router {metadata.version('fittracker-router')}, {python}, {kind}"


def _check_supergraph(file: Path) -> None:
    """Before anything listens: what cannot be served is a sentence, not a server's traceback. Raises RefusedError, OSError."""
    try:
        read_supergraph(file.read_text(encoding="utf-8"))
    except SupergraphError as error:
        raise RefusedError(f"{file} is not a usable supergraph: {error.message}") from None


def _served(names: str, settings: Settings) -> str:
    """What is told when the router accepts."""
    scheme = "http" if settings.tls is None else "https"
    page = f"{scheme}://{settings.host}:{settings.port}{settings.path}"
    return f"{names} at {page}" + (": open it for GraphiQL" if settings.dev else "")


@contextmanager
def _listeners(sources: Sequence[DeclaredSource]) -> Iterator[dict[str, socket.socket]]:
    """A bound port for each subgraph that is served here. Raises RefusedError where two have one name."""
    names = [each.name for each in sources]
    if twice := sorted({name for name in names if names.count(name) > 1}):
        raise RefusedError(f"two subgraphs are named {twice[0]}; write NAME=package.module:schema")
    bound: dict[str, socket.socket] = {}
    try:
        for each in sources:
            if each.python:
                bound[each.name] = socket.create_server((HOST, 0))
        yield bound
    finally:
        for listener in bound.values():
            listener.close()


def _composed(sources: Sequence[DeclaredSource], listeners: dict[str, socket.socket]) -> str:
    """Raises SourceError, and RefusedError with every finding where they do not fit together."""
    read = [
        replace(each, url=_address(listeners[each.name])).read() if each.name in listeners else each.read()
        for each in sources
    ]
    composition = compose(read)
    if composition.supergraph_sdl is None:
        raise RefusedError(
            "\n".join(["the subgraphs do not fit together", *(each.told() for each in composition.errors)])
        )
    return composition.supergraph_sdl


def _address(listener: socket.socket) -> str:
    return f"http://{HOST}:{listener.getsockname()[1]}/graphql"


def _application(source: DeclaredSource) -> Any:
    """The schema as Strawberry's own ASGI application. Raises RefusedError where Strawberry is not installed."""
    try:
        strawberry_asgi = importlib.import_module("strawberry.asgi")
    except ImportError as error:
        raise RefusedError(f"{source.python} needs Strawberry: {error}") from None
    module, _, path = source.python.partition(":")
    found: Any = importlib.import_module(module)
    for attribute in path.split("."):
        found = getattr(found, attribute)
    return strawberry_asgi.GraphQL(found, graphql_ide=None)
