"""Migrates the four databases and composes the graph from code, in one process that imports the subgraphs once.

Called by `fittracker migrate` and, as a child before anything serves, by `up`.
"""

from __future__ import annotations

import asyncio
import importlib
import os
from collections.abc import Mapping
from pathlib import Path

from deploy.data_directory import write_whole
from deploy.embedded import DOMAINS, HOST
from deploy.environment import value_of
from deploy.errors import FriendlyError
from deploy.loading import collector_waits


def migrate_all() -> None:
    """Raises FriendlyError for a database that is not named."""
    asyncio.run(_migrate(_database_urls()))


def prepare(ports: Mapping[str, int], supergraph: Path) -> None:
    """Migrate, and write the supergraph of this code on these ports. Raises FriendlyError, CompositionFailedError."""
    with collector_waits():
        from deploy.composition import supergraph_of
        from schema import SubgraphSource, compose

        for name in DOMAINS:
            importlib.import_module(f"subgraphs.{name}.schema")
    urls = _database_urls()
    sources = [
        SubgraphSource(name=name, sdl=sdl_of_code(name), url=f"http://{HOST}:{ports[name]}/graphql") for name in DOMAINS
    ]
    text = supergraph_of(compose(sources))
    asyncio.run(_migrate(urls))
    write_whole(supergraph, text)


def sdl_of_code(name: str) -> str:
    """A subgraph's SDL, without serving it."""
    text: str = importlib.import_module(f"subgraphs.{name}.schema").schema.as_str()
    return text.rstrip() + "\n"


def _database_urls() -> dict[str, str]:
    urls = {name: value_of(f"DATABASE_URL_{name.upper()}", os.environ) or "" for name in DOMAINS}
    if missing := [f"DATABASE_URL_{name.upper()}" for name, url in urls.items() if not url]:
        raise FriendlyError(f"not set: {', '.join(missing)}", "`fittracker up` starts databases of its own")
    return urls


async def _migrate(urls: Mapping[str, str]) -> None:
    from subgraphs.shell.database import migrate, wait_for_database

    for name, url in urls.items():
        try:
            await wait_for_database(url)
        except OSError as error:
            raise FriendlyError(f"the database of {name} does not answer: {error}") from None
        await migrate(name, url)
