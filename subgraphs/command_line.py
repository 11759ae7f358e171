"""The verbs of `python -m subgraphs.<name>`: serve, migrate, sdl, relay, consume. Called by each `__main__`."""

import argparse
import asyncio
import sys
from collections.abc import Callable
from pathlib import Path

from subgraphs.app import Subgraph, build_app, close_resources, open_resources
from subgraphs.settings import Settings, SettingsError, read_settings


def run(subgraph: Subgraph, default_port: int) -> None:
    """Does what the command line asks; exits with 2 and a sentence when the environment does not allow it."""
    arguments = _parser(subgraph, default_port).parse_args()
    try:
        arguments.verb(arguments)
    except SettingsError as error:
        sys.exit(f"{error}")
    except KeyboardInterrupt:
        sys.exit(130)


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
    add("migrate", "bring the database to its newest revision", lambda _: _migrate(subgraph))
    sdl = add("sdl", "print the federation SDL", lambda given: _write_sdl(subgraph, given.output))
    sdl.add_argument("-o", "--output", type=Path)
    add("relay", "publish the outbox until stopped", lambda _: asyncio.run(_relay(read_settings(subgraph.name))))
    add("consume", "run the consumers until stopped", lambda _: asyncio.run(_consume(subgraph)))
    return parser


def _serve(subgraph: Subgraph, host: str, port: int) -> None:
    import uvicorn

    uvicorn.run(
        build_app(subgraph, read_settings(subgraph.name)),
        host=host,
        port=port,
        loop="uvloop" if sys.platform != "win32" else "asyncio",
        http="httptools",
        ws="websockets-sansio",
        log_config=None,
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=10,
    )


def _migrate(subgraph: Subgraph) -> None:
    from subgraphs.database import migrate, wait_for_database

    url = read_settings(subgraph.name).database_url

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
    await run_relay(settings.subgraph, settings.database_url, settings.kafka)


async def _consume(subgraph: Subgraph) -> None:
    settings = read_settings(subgraph.name)
    if settings.kafka is None:
        raise SettingsError("KAFKA_BOOTSTRAP_SERVERS is not set.")
    resources = open_resources(settings)
    try:
        await asyncio.gather(*(loop(resources) for loop in subgraph.loops))
    finally:
        await close_resources(resources)
