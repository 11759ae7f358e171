"""The verbs of `python -m subgraphs.<name>`: serve, migrate, sdl, relay, consume. Called by each `__main__`."""

import argparse
import asyncio
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from subgraphs.shell.app import (
    Subgraph,
    SubgraphApp,
    build_app,
    close_resources,
    open_resources,
    watch_clock,
    with_news_of_rights,
)
from subgraphs.shell.settings import Settings, SettingsError, read_settings
from subgraphs.shell.telemetry import configure_logs

LARGEST_HEAD_BYTES = 64 * 1024
LONGEST_READ_SECONDS = 30.0  # for a head, and for a body

if TYPE_CHECKING:
    import uvicorn

    from router.server.draining import DrainingServer


def run(subgraph: Subgraph, default_port: int) -> None:
    """Does what the command line asks; exits with 2 and a sentence when the environment does not allow it."""
    arguments = _parser(subgraph, default_port).parse_args()
    try:
        arguments.verb(arguments)
    except SettingsError as error:
        sys.exit(f"{error}")
    except KeyboardInterrupt:
        sys.exit(130)


def perform(subgraph: Subgraph, verb: str, output: Path | None) -> None:
    """Any verb but `serve`, for `fittracker subgraph`. Raises SettingsError."""
    {
        "migrate": lambda: _migrate(subgraph),
        "sdl": lambda: _write_sdl(subgraph, output),
        "relay": lambda: asyncio.run(_relay(read_settings(subgraph.name))),
        "consume": lambda: asyncio.run(_consume(subgraph)),
    }[verb]()


def _parser(subgraph: Subgraph, default_port: int) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog=f"python -m subgraphs.{subgraph.name}")
    verbs = parser.add_subparsers(required=True)

    def add(name: str, meaning: str, verb: Callable[[argparse.Namespace], None]) -> argparse.ArgumentParser:
        command = verbs.add_parser(name, help=meaning)
        command.set_defaults(verb=verb)
        return command

    serve = add("serve", "answer GraphQL over HTTP", lambda given: _serve(subgraph, given.host, given.port))
    serve.add_argument("--host", default="127.0.0.1")
    serve.add_argument("--port", type=int, default=default_port)
    add("migrate", "bring the database to its newest revision", lambda _: perform(subgraph, "migrate", None))
    sdl = add("sdl", "print the federation SDL", lambda given: perform(subgraph, "sdl", given.output))
    sdl.add_argument("-o", "--output", type=Path)
    add("relay", "publish the outbox until stopped", lambda _: perform(subgraph, "relay", None))
    add("consume", "run the consumers until stopped", lambda _: perform(subgraph, "consume", None))
    return parser


def server_config(
    application: Any, host: str, port: int, settings: Settings, whole: SubgraphApp | None = None
) -> "uvicorn.Config":
    """How every subgraph is served, whoever starts it. `whole` is given requests that arrive whole, past `application`, which may be
    more than that. Where something has to be done around each request it is None.
    """
    import uvicorn

    from router.server.bounded_http import BoundedHttpProtocol, bounded_http
    from router.server.websocket_protocol import StrictWebSocketProtocol
    from router.server.whole_request import WholeRequestProtocol
    from subgraphs.shell.graphql_http import LARGEST_BODY_BYTES

    return uvicorn.Config(
        application,
        host=host,
        port=port,
        ssl_certfile=settings.tls_certificate,
        ssl_keyfile=settings.tls_key,
        loop="uvloop" if sys.platform != "win32" else "asyncio",
        http=bounded_http(
            header_bytes=LARGEST_HEAD_BYTES,
            max_seconds=LONGEST_READ_SECONDS,
            protocol=BoundedHttpProtocol if whole is None else WholeRequestProtocol,
            application=whole,
        ),
        ws=StrictWebSocketProtocol,
        ws_max_size=LARGEST_BODY_BYTES,
        log_config=None,
        access_log=False,
        server_header=False,
        timeout_keep_alive=75,  # longer than the router's: who closes an idle connection first never meets a request on it
        timeout_graceful_shutdown=10,
    )


def draining_server(
    configuration: "uvicorn.Config", application: SubgraphApp, on_started: Callable[[], None] = lambda: None
) -> "DrainingServer":
    """The server of `application`, which may be wrapped in what `configuration` serves; says when it accepts."""
    from router.server.draining import DrainingServer

    settings = application.resources.settings
    return DrainingServer(
        configuration,
        application,
        accept_seconds=settings.drain_seconds,
        idle_seconds=settings.drain_idle_seconds,
        on_started=on_started,
    )


def _serve(subgraph: Subgraph, host: str, port: int) -> None:
    settings = read_settings(subgraph.name)
    application = build_app(subgraph, settings)
    draining_server(server_config(application, host, port, settings, application), application).run()


def _migrate(subgraph: Subgraph) -> None:
    from subgraphs.shell.database import migrate, wait_for_database

    settings = read_settings(subgraph.name)
    configure_logs(settings)
    url = settings.session_url

    async def run_migrations() -> None:
        await wait_for_database(url)
        await migrate(subgraph.name, url)

    asyncio.run(run_migrations())


def _write_sdl(subgraph: Subgraph, output: Path | None) -> None:
    sdl = subgraph.schema.as_str() + "\n"
    if output is None:
        sys.stdout.write(sdl)
    else:
        output.write_text(sdl, encoding="utf-8")


async def _relay(settings: Settings) -> None:
    from events.relay import run_relay

    if settings.kafka is None:
        raise SettingsError("KAFKA_BOOTSTRAP_SERVERS is not set.")
    configure_logs(settings)
    resources = open_resources(settings)
    try:
        await run_relay(settings.subgraph, settings.session_url, settings.kafka, fanout=resources.fanout)
    finally:
        await close_resources(resources)


async def _consume(subgraph: Subgraph) -> None:
    settings = read_settings(subgraph.name)
    if settings.kafka is None:
        raise SettingsError("KAFKA_BOOTSTRAP_SERVERS is not set.")
    from events.consumer import run_consumer

    configure_logs(settings)
    resources = open_resources(settings)
    subscriptions = [
        with_news_of_rights(subgraph.name, subscription_of(resources.fanout, resources.now))
        for subscription_of in subgraph.consumers
    ]
    engine = resources.database.writer
    try:
        consumers = (run_consumer(each, engine, settings.kafka) for each in subscriptions)
        await asyncio.gather(watch_clock(resources), *consumers)
    finally:
        await close_resources(resources)
