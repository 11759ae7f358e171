"""Loads files of foods into nutrition's database, and takes a source out of it. `fittracker foods`."""

from __future__ import annotations

import asyncio
import itertools
import tempfile
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from zipfile import BadZipFile

from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from deploy.databases import database_urls
from deploy.errors import FriendlyError
from deploy.food_sources import Refused
from deploy.food_sources.files import read_file
from deploy.food_sources.spool import Spool
from deploy.terminal import Terminal
from subgraphs.nutrition.commands.catalogue import drop_source, finish_load, merge_foods
from subgraphs.nutrition.domain.food_source import BulkSource
from subgraphs.shell.database import Database

BATCH_ROWS = 2000
_TOLD_EVERY = 50_000
_EXAMPLES = 3
_MOST_REASONS = 30


@dataclass(slots=True)
class Report:
    """What came of a load."""

    records: int = 0
    repeated: int = 0
    added: int = 0
    changed: int = 0
    unchanged: int = 0
    refused: Counter[str] = field(default_factory=Counter)
    places: dict[str, list[str]] = field(default_factory=dict)

    def refuse(self, refused: Refused) -> None:
        self.refused[refused.reason] += 1
        places = self.places.setdefault(refused.reason, [])
        if len(places) < _EXAMPLES:
            places.append(refused.place)

    def lines(self) -> list[str]:
        """For people: the sum, then each reason with how often and where."""
        sums = (
            f"{self.records:,} records: {self.added:,} foods are new, {self.changed:,} changed, {self.unchanged:,} are as they were,"
            f" {self.repeated:,} were told twice, {self.refused.total():,} were left out"
        )
        reasons = [
            f"  left out {count:,}: {reason} ({', '.join(self.places[reason])}{', ...' if count > _EXAMPLES else ''})"
            for reason, count in self.refused.most_common(_MOST_REASONS)
        ]
        rest = len(self.refused) - len(reasons)
        return [sums, *reasons, *([f"  and for {rest} other reasons"] if rest else [])]


def load_foods(files: Sequence[Path], data_dir: Path, terminal: Terminal) -> Report:
    """Raises FriendlyError for a file that cannot be read; what it held until then is loaded with the next attempt."""
    url = database_urls(data_dir)["nutrition"]
    with tempfile.TemporaryDirectory(prefix="fittracker-foods-") as scratch:
        return asyncio.run(load_file_set(files, url, Path(scratch), terminal))


async def load_file_set(files: Sequence[Path], url: str, scratch: Path, terminal: Terminal) -> Report:
    """Into the database with this URL; `scratch` is an empty folder for what has to be kept meanwhile. Raises FriendlyError."""
    report = Report()
    spool = Spool(scratch)
    columns = TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn()
    with Progress(*columns, console=terminal.console, disable=not terminal.console.is_terminal) as progress:
        reading = progress.add_task("Records read", total=None)

        def read(done: int) -> None:
            progress.update(reading, completed=done)

        for number, path in enumerate(files):
            folder = scratch / str(number)
            folder.mkdir()
            _read_into(spool, report, path, folder, read)
        report.repeated = spool.told - (total := spool.distinct)
        progress.update(reading, total=report.records)
        if progress.disable:
            terminal.say(f"{report.records:,} records are read, {total:,} foods of them are to be loaded")
        writing = progress.add_task("Foods loaded", total=total)

        def advance(done: int) -> None:
            progress.update(writing, completed=done)
            if progress.disable and done // _TOLD_EVERY > (done - BATCH_ROWS) // _TOLD_EVERY:
                terminal.say(f"{done:,} of {total:,} foods are loaded")

        await _write(spool, url, report, advance)
    spool.close()
    return report


def drop_foods(source: BulkSource, data_dir: Path) -> int:
    """Returns how many foods were of the source."""
    return asyncio.run(_drop(source, database_urls(data_dir)["nutrition"]))


def _read_into(spool: Spool, report: Report, path: Path, folder: Path, advance: Callable[[int], None]) -> None:
    try:
        for told in read_file(path, folder):
            report.records += 1
            if isinstance(told, Refused):
                report.refuse(told)
            else:
                spool.add(told)
            if report.records % BATCH_ROWS == 0:
                advance(report.records)
    except (OSError, EOFError, UnicodeDecodeError, BadZipFile) as error:
        raise FriendlyError(f"{path} cannot be read: {error}", "fetch it anew: it is not whole") from error


async def _write(spool: Spool, url: str, report: Report, advance: Callable[[int], None]) -> None:
    """A transaction each batch: a load that is cut off has its beginning written, and the next one goes on from there."""
    now, foods, done = datetime.now(UTC), iter(spool), 0
    database = Database(url, pool_size=1, name="foods")
    try:
        while batch := list(itertools.islice(foods, BATCH_ROWS)):
            async with database.transaction() as connection:
                merged = await merge_foods(connection, batch, now)
            report.added += merged.added
            report.changed += merged.changed
            report.unchanged += merged.unchanged
            done += len(batch)
            advance(done)
        if report.added or report.changed:
            await finish_load(database)
    finally:
        await database.close()


async def _drop(source: BulkSource, url: str) -> int:
    database = Database(url, pool_size=1, name="foods")
    try:
        dropped = await drop_source(database, source, datetime.now(UTC))
        if dropped:
            await finish_load(database)
        return dropped
    finally:
        await database.close()
