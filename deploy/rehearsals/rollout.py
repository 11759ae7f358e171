"""The rollout rehearsal: three releases under load, with two processes of each subgraph, and nobody notices.

People write, read and follow their days live throughout. A release brings a column, an index and a field: its revisions run
first, beside somebody who reads for long as a backup does, then every process is replaced, then the graph has the field, and
new clients ask for it. Then it goes the other way: nobody asks for the field any more, it leaves the graph, then the code, and
with the release after that, the database. No request fails, no acknowledged write is lost or doubled, every event arrives.
`python -m deploy.rehearsals.rollout`
"""

from __future__ import annotations

import asyncio
import sys
import tempfile
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from hashlib import sha256
from pathlib import Path

import asyncpg

from deploy.embedded import DOMAINS
from deploy.local_http import json_of
from deploy.rehearsals.people_at_work import DRINKS, DRINKS_FROM, PeopleAtWork
from deploy.rehearsals.platform import Platform, comes, fittracker, running_platform, settles, since
from deploy.rehearsals.releases import THE_FIELD, ReleaseTree
from deploy.rehearsals.report import Report

PEOPLE = 4
INSTANCES = 2
LONG_READ_SECONDS = 10.0
#: Behind a migration that waits for the long reader: well below its time, with room for a busy machine.
MOST_WAIT_SECONDS = 5.0
MIGRATION_COMES_SECONDS = 120.0  # it imports four subgraphs first
AT_WORK_SECONDS = 5.0  # between two steps
SETTLE_SECONDS = 180.0
NOT_THERE = "GRAPHQL_VALIDATION_FAILED"
WAITS_FOR_TABLE = "SELECT count(*) FROM pg_locks WHERE relation = to_regclass('water') AND NOT granted AND mode = 'AccessExclusiveLock'"
UNPUBLISHED = "SELECT count(*) FROM outbox WHERE published_at IS NULL"
VESSELS = "SELECT count(*) FROM information_schema.columns WHERE table_name = 'water' AND column_name = 'vessel'"
INDEX_IS_VALID = "SELECT indisvalid FROM pg_index WHERE indexrelid = to_regclass('water_by_vessel')"


class Rollout:
    """The platform, the code that its processes are started from, and who is at work."""

    def __init__(self, report: Report, platform: Platform, tree: ReleaseTree, data: Path, folder: Path) -> None:
        self.report = report
        self._platform = platform
        self._tree = tree
        self._data = data
        self._folder = folder
        self._nutrition = platform.state.environment["DATABASE_URL_NUTRITION"]
        self.people = PeopleAtWork(platform, PEOPLE)

    async def expand(self) -> Path:
        """The first revision of what is added is handed back, for what contracts it later."""
        column, _ = self._tree.add_column()
        self._tree.edit(THE_FIELD)
        await self._migrate("the column and its index are added")
        self.report.check("the index is whole", bool(await self._value(INDEX_IS_VALID)))
        await self._replace(*DOMAINS, "router")
        codes = await self._codes(DRINKS_FROM)
        self.report.check(
            "the field is not in the graph before it is published", codes == [NOT_THERE], ", ".join(codes)
        )
        await self._publish("the field is published", {})
        codes = await self._codes(DRINKS_FROM)
        self.report.check("and answered", not codes, ", ".join(codes))
        self.people.knows_vessels = True
        await asyncio.sleep(2 * AT_WORK_SECONDS)
        return column

    async def take_back(self) -> None:
        """Field and code, in the other order: the graph first."""
        await self.people.forget_vessels()
        self._tree.take_back()
        sdl = self._folder / "nutrition.graphql"
        written = await fittracker("subgraph", "nutrition", "sdl", "-o", str(sdl), code=self._tree.folder)
        self.report.check("the schema without the field is written", written and "vessel" not in sdl.read_text())
        await self._publish("the field is taken away", {"nutrition": sdl})
        codes = await self._codes(DRINKS_FROM)
        self.report.check("who still asks for it is told so", codes == [NOT_THERE], ", ".join(codes))
        await self._replace("nutrition", "router")
        codes = await self._codes(DRINKS)
        self.report.check("who does not is answered", not codes, ", ".join(codes))

    async def contract(self, expanded: Path) -> None:
        self._tree.drop_column(expanded)
        await self._migrate("the column is dropped")
        self.report.check("the column is gone", await self._value(VESSELS) == 0)
        await self._replace("nutrition")

    async def finish(self) -> None:
        """Once nobody writes any more."""
        people = self.people
        failed = "; ".join(people.failures[:3])
        self.report.check("no request failed", not people.failures, failed or f"{people.requests} requests")
        misplaced = await people.misplaced()
        kept = "; ".join(misplaced[:3]) or f"{people.acknowledged} writes"
        self.report.check("every acknowledged write is there once", not misplaced, kept)
        outdated = people.outdated
        told = "; ".join(outdated[:3]) or f"{people.returns} times one was sent away and came again"
        self.report.check("every subscriber was told the last state of every day", not outdated, told)
        started = time.monotonic()
        self.report.check("every event left the outboxes", await comes(self._all_is_published), since(started))
        arrived = await settles(self._data, seconds=SETTLE_SECONDS)
        self.report.check("and is in every projection", arrived, since(started))

    async def _migrate(self, what: str) -> None:
        """As every release begins: migrations first, while the release before serves."""
        self.people.times.clear()
        started = time.monotonic()
        async with self._long_reader() as met:
            environment = self._platform.state.environment
            done = await fittracker("migrate", code=self._tree.folder, environment=environment)
        was_there = f"beside somebody who reads on for {LONG_READ_SECONDS:.0f} s"
        self.report.check(f"{what} {was_there}", done and met.result(), since(started))
        slowest = max(self.people.times, default=0.0)
        waited = f"the slowest of {len(self.people.times)} requests took {slowest:.1f} s"
        self.report.check("nobody waits behind it for long", 0 < slowest < MOST_WAIT_SECONDS, waited)

    @asynccontextmanager
    async def _long_reader(self) -> AsyncIterator[asyncio.Task[bool]]:
        """A transaction that has read the table and stays open for LONG_READ_SECONDS after the migration has come to it; the
        task says whether it came.
        """
        connection = await asyncpg.connect(self._nutrition, server_settings={"application_name": "a long reader"})
        transaction = connection.transaction(isolation="repeatable_read", readonly=True)
        await transaction.start()
        await connection.fetchval("SELECT count(*) FROM water")

        async def somebody_waits() -> bool:
            return bool(await self._value(WAITS_FOR_TABLE))

        async def hold() -> bool:
            came = await comes(somebody_waits, MIGRATION_COMES_SECONDS, pause=0.05)
            await asyncio.sleep(LONG_READ_SECONDS)
            await transaction.rollback()
            return came

        holding = asyncio.create_task(hold())
        try:
            yield holding
        finally:
            await holding
            await connection.close()

    async def _replace(self, *names: str) -> None:
        """Each process of these by one of the code as it is now."""
        started = time.monotonic()
        rolled = await fittracker("roll", *names, data=self._data, code=self._tree.folder)
        self.report.check(f"{', '.join(names)}: each process is replaced", rolled, since(started))
        await asyncio.sleep(AT_WORK_SECONDS)

    async def _publish(self, what: str, files: dict[str, Path]) -> None:
        """The graph of what runs, but of `files` where they are named."""
        sources = []
        for name in DOMAINS:
            url = f"http://127.0.0.1:{self._platform.state.ports[name]}/graphql"
            sources.append(f"{name}={url}={files[name]}" if name in files else f"{name}={url}")
        graph = self._data / "supergraph.graphql"
        started = time.monotonic()
        composed = await fittracker("compose", *sources, "-o", str(graph), code=self._tree.folder)
        served = composed and await comes(lambda: self._is_served(graph))
        self.report.check(what, served, since(started))
        await asyncio.sleep(AT_WORK_SECONDS)

    async def _is_served(self, graph: Path) -> bool:
        digest = sha256(await asyncio.to_thread(graph.read_bytes)).hexdigest()
        port = self._platform.state.ports["router"]
        try:
            ready = await asyncio.to_thread(json_of, port, "/ready")
        except (OSError, ValueError):
            return False
        return digest.startswith(ready["components"]["supergraph"]["details"].get("digest", "none"))

    async def _codes(self, query: str) -> list[str]:
        """Of the errors that one more client is answered with."""
        answer = await self._platform.ask(query)
        return [error["extensions"]["code"] for error in answer.get("errors", ())]

    async def _value(self, statement: str, url: str = "") -> object:
        connection = await asyncpg.connect(url or self._nutrition)
        try:
            return await connection.fetchval(statement)
        finally:
            await connection.close()

    async def _all_is_published(self) -> bool:
        environment = self._platform.state.environment
        urls = [environment[f"DATABASE_URL_{domain.upper()}"] for domain in DOMAINS]
        return not any([await self._value(UNPUBLISHED, url) for url in urls])


async def rehearse(report: Report) -> None:
    with tempfile.TemporaryDirectory(prefix="fittracker-rehearsal-") as name:
        folder = Path(name)
        data = folder / "data"
        tree = ReleaseTree(folder / "code")
        scaled = [word for domain in DOMAINS for word in ("--scale", f"{domain}={INSTANCES}")]
        environment = {"ACCESS_TOKEN_SECONDS": "7200"}  # people stay signed in for as long as this takes
        async with running_platform(data, *scaled, code=tree.folder, environment=environment) as platform:
            running = [name for name in platform.state.pids if name.partition("-")[0] in DOMAINS]
            report.check("processes of subgraphs", len(running) == INSTANCES * len(DOMAINS), ", ".join(running))
            rollout = Rollout(report, platform, tree, data, folder)
            await rollout.people.register()
            async with rollout.people.meanwhile():
                await asyncio.sleep(AT_WORK_SECONDS)
                expanded = await rollout.expand()
                await rollout.take_back()
                await rollout.contract(expanded)
            await rollout.finish()


def main() -> int:
    report = Report("rollout")
    asyncio.run(rehearse(report))
    return report.finish()


if __name__ == "__main__":
    sys.exit(main())
