"""Migrates the four databases, composes the graph from code, and loads the sample data, in one process that imports the subgraphs once.

`migrate_all` is called by `fittracker migrate`; `deploy.preparation` runs this module beside the start of the servers, without the command line
of all verbs, whose import would take a fifth of a second from the start:

python -m deploy.prepare --supergraph FILE --ports users=8081,nutrition=8082,... [--sample-data DIRECTORY]
"""

from __future__ import annotations

import argparse
import asyncio
import importlib
import os
import select
import signal
import sys
from collections.abc import Callable, Iterator, Mapping
from multiprocessing.context import ForkProcess, SpawnProcess
from pathlib import Path

from deploy.data_directory import write_whole
from deploy.embedded import DOMAINS, HOST
from deploy.environment import session_url_of
from deploy.errors import FriendlyError
from deploy.friendly_exit import friendly_exit
from deploy.loading import collector_waits, load_without_extras
from deploy.parents_death import dies_with_its_parent
from deploy.preparation import DATABASES_ARE_THERE, PREPARED
from deploy.subgraph_ports import ports_of


def migrate_all() -> None:
    """Raises FriendlyError for a database that is not named."""
    asyncio.run(_migrate(_database_urls()))


def prepare(ports: Mapping[str, int], supergraph: Path, *, sample_data: Path | None) -> None:
    """When standard input says that the databases are there: migrate them, write the supergraph of this code on these ports, say
    so, and load the sample people of the data directory `sample_data`. Does nothing where standard input ends first.

    Raises FriendlyError, CompositionFailedError. Exits with 1 where a migration failed, which has said why.
    """
    migrations = _Migrations(_database_urls())
    try:
        with collector_waits():
            load_without_extras()
            for module in _modules(sample_data):
                importlib.import_module(module)
                migrations.begin_if_told()
        from deploy.composition import supergraph_of
        from schema import SubgraphSource, compose

        sources = [
            SubgraphSource(name=name, sdl=sdl_of_code(name), url=f"http://{HOST}:{ports[name]}/graphql")
            for name in DOMAINS
        ]
        migrations.begin_when_told()
        text = supergraph_of(compose(sources))
    finally:
        migrations.join()
    write_whole(supergraph, text)
    print(PREPARED, flush=True)
    if sample_data is not None:
        _load_sample_data(sample_data)


def _modules(sample_data: Path | None) -> Iterator[str]:
    """What is needed, in the order in which it is: migrations need the least, and run beside the import of what follows."""
    yield "subgraphs.shell.database"
    yield "alembic.command"
    yield from (f"subgraphs.{name}.synced" for name in DOMAINS)
    yield from (f"subgraphs.{name}.schema" for name in DOMAINS)
    yield "deploy.composition"
    if sample_data is not None:
        yield "deploy.sample_data.load"


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


class _Migrations:
    """Of all databases, each in a process of its own: alembic has one migration a process. They begin when standard input says so.

    A fork has what is imported already; where forks are not safe, as on macOS, each process imports for itself.
    """

    def __init__(self, urls: Mapping[str, str]) -> None:
        self._urls = urls
        self._processes: list[ForkProcess | SpawnProcess] = []

    def begin_if_told(self) -> None:
        """Returns at once, unless it has been told meanwhile."""
        if not self._processes and select.select([sys.stdin], [], [], 0)[0]:
            self.begin_when_told()

    def begin_when_told(self) -> None:
        """Waits for the word. Exits where standard input ends before it: whoever wanted it is gone."""
        if self._processes:
            return
        if sys.stdin.buffer.readline() != DATABASES_ARE_THERE:
            sys.exit(0)
        make = ForkProcess if sys.platform == "linux" else SpawnProcess
        with_us = dies_with_its_parent(signal.SIGKILL)  # None except on Linux
        self._processes += [make(target=_migrate_one, args=(name, url, with_us)) for name, url in self._urls.items()]
        for each in self._processes:
            each.start()

    def join(self) -> None:
        """Wait for those that have begun. Exits with 1 where one failed."""
        for each in self._processes:
            each.join()
        if any(each.exitcode != 0 for each in self._processes):
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


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--supergraph", type=Path, required=True)
    parser.add_argument("--ports", type=ports_of, required=True)
    parser.add_argument("--sample-data", type=Path, help="the data directory whose sample people are loaded then")
    options = parser.parse_args()
    with friendly_exit():
        prepare(options.ports, options.supergraph, sample_data=options.sample_data)


if __name__ == "__main__":
    main()
