"""Migrates the four databases, composes the graph from code, and loads the sample data, in one process that imports the subgraphs once.

`migrate_all` is called by `fittracker migrate`, `prepare` by `deploy.preparation`, beside the start of the servers.
"""

from __future__ import annotations

import asyncio
import importlib
import os
import signal
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from multiprocessing.context import ForkProcess, SpawnProcess
from pathlib import Path

from deploy.child import dies_with_its_parent
from deploy.data_directory import write_whole
from deploy.embedded import DOMAINS, HOST
from deploy.environment import session_url_of
from deploy.errors import FriendlyError
from deploy.friendly_exit import friendly_exit
from deploy.loading import collector_waits
from deploy.preparation import DATABASES_ARE_THERE, PREPARED


def migrate_all() -> None:
    """Raises FriendlyError for a database that is not named."""
    asyncio.run(_migrate(_database_urls()))


def prepare(ports: Mapping[str, int], supergraph: Path, *, sample_data: Path | None) -> None:
    """When standard input says that the databases are there: migrate them, write the supergraph of this code on these ports, say
    so, and load the sample people of the data directory `sample_data`. Does nothing where standard input ends first.

    Raises FriendlyError, CompositionFailedError. Exits with 1 where a migration failed, which has said why.
    """
    with collector_waits():
        from deploy.composition import supergraph_of
        from schema import SubgraphSource, compose

        for name in DOMAINS:
            importlib.import_module(f"subgraphs.{name}.schema")
        importlib.import_module("alembic.command")
        if sample_data is not None:
            importlib.import_module("deploy.sample_data.load")
    urls = _database_urls()
    sources = [
        SubgraphSource(name=name, sdl=sdl_of_code(name), url=f"http://{HOST}:{ports[name]}/graphql") for name in DOMAINS
    ]
    if sys.stdin.buffer.readline() != DATABASES_ARE_THERE:
        return
    with _migrating(urls):
        text = supergraph_of(compose(sources))
    write_whole(supergraph, text)
    print(PREPARED, flush=True)
    if sample_data is not None:
        _load_sample_data(sample_data)


def sdl_of_code(name: str) -> str:
    """A subgraph's SDL, without serving it."""
    text: str = importlib.import_module(f"subgraphs.{name}.schema").schema.as_str()
    return text.rstrip() + "\n"


def _load_sample_data(data_dir: Path) -> None:
    from deploy.sample_data.load import load_sample_data
    from deploy.terminal import Terminal

    load_sample_data(users=0, days=1, seed=1, data_dir=data_dir, terminal=Terminal())


def _database_urls() -> dict[str, str]:
    urls = {name: session_url_of(name, os.environ) or "" for name in DOMAINS}
    if missing := [f"DATABASE_URL_{name.upper()}" for name, url in urls.items() if not url]:
        raise FriendlyError(f"not set: {', '.join(missing)}", "`fittracker up` starts databases of its own")
    return urls


@contextmanager
def _migrating(urls: Mapping[str, str]) -> Iterator[None]:
    """The databases are migrated beside the block, and are when it ends. Alembic has one migration a process, so each gets one.

    Exits with 1 where a migration failed. A fork has what is imported already; where forks are not safe, as on macOS, each
    process imports for itself.
    """
    make = ForkProcess if sys.platform == "linux" else SpawnProcess
    with_us = dies_with_its_parent(signal.SIGKILL)  # None except on Linux
    migrations = [make(target=_migrate_one, args=(name, url, with_us)) for name, url in urls.items()]
    for each in migrations:
        each.start()
    try:
        yield
    finally:
        for each in migrations:
            each.join()
    if any(each.exitcode != 0 for each in migrations):
        sys.exit(1)


def _migrate_one(name: str, url: str, end_with_parent: Callable[[], None] | None) -> None:
    if end_with_parent is not None:
        end_with_parent()
    with friendly_exit():
        asyncio.run(_migrate({name: url}))


async def _migrate(urls: Mapping[str, str]) -> None:
    from subgraphs.shell.database import migrate, wait_for_database
    from subgraphs.shell.migration_locks import TableIsHeldError

    for name, url in urls.items():
        try:
            await wait_for_database(url)
        except OSError as error:
            raise FriendlyError(f"the database of {name} does not answer: {error}") from None
        try:
            await migrate(name, url)
        except TableIsHeldError as error:
            hint = "`fittracker db running` shows who is at it; when that has ended, migrate again"
            raise FriendlyError(f"the database of {name} is not migrated: {error}", hint) from None
