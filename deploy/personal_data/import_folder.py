"""`fittracker import`: makes what an export holds again, in the account that signs in. Running it twice adds nothing.

What another app exported is read into a folder like an export's first (`convert`), and then sent in the same way.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from shutil import copyfileobj
from tempfile import TemporaryDirectory
from typing import Any
from zoneinfo import ZoneInfo

from deploy.errors import FriendlyError
from deploy.personal_data.arrivals import (
    DEFAULT_REST,
    EXERCISES,
    FOODS,
    GEAR,
    NOT_IMPORTED,
    OTHERS,
    PLANNED,
    PLATES,
    PROFILE,
    RECIPES,
    ROUTINES,
    SETTINGS,
    WORKOUTS,
    Arrival,
    Known,
    NotImportedError,
)
from deploy.personal_data.convert import convert
from deploy.personal_data.exercise_names import ExerciseNames
from deploy.personal_data.folder import FORMAT_VERSION, MANIFEST, read_records
from deploy.personal_data.graph_client import Credentials, GraphClient, GraphError, graph_client
from deploy.personal_data.listings import ACCOUNT, LISTINGS
from deploy.personal_data.present_workouts import PresentWorkouts
from deploy.personal_data.sources.archive import Archive, DamagedFileError
from deploy.personal_data.sources.reading import Person, Reading
from deploy.terminal import Terminal

#: How deep recipes may stand in recipes: after so many rounds over the file every one has what it is made of.
DEEPEST_RECIPE = 5
#: Codes of refusals that are about one record; all others end the import.
ABOUT_ONE_RECORD = frozenset({"BAD_USER_INPUT", "VALIDATION_ERROR", "CONFLICT", "NOT_FOUND"})


@dataclass
class Report:
    """What became of the records: how many are in the account now, and of each that is not, why.

    `already` is how many workouts of another app were there before; `reading` is what was told of that app's files.
    """

    imported: int = 0
    already: int = 0
    reading: Reading = field(default_factory=Reading)
    refused: list[str] = field(default_factory=list)


async def import_folder(
    folder: Path, url: str, *, credentials: Credentials | None, token: str | None, terminal: Terminal
) -> Report:
    """One record is in memory at a time, besides the ids of what others refer to.

    Every creation carries the idempotency key that its record's id gives, so a run that was cut off is simply run again. Raises
    FriendlyError for a folder that is no whole export, or is of the account that signs in.
    """
    manifest = _read_manifest(folder)
    if missing := [name for name in _files_of(manifest) if not (folder / name).exists()]:
        raise FriendlyError(f"{folder} is no whole export: it has no {missing[0]}", "export anew")
    report = Report()
    async with graph_client(url, credentials=credentials, token=token) as client:
        me = await _account(client)
        if me["id"] == manifest["personId"]:
            raise FriendlyError("the export is of this very account, which has all of it", "sign in as another")
        await _Run(folder, client, report, terminal).all()
    return report


async def import_zip(
    archive: Archive, url: str, *, credentials: Credentials | None, token: str | None, terminal: Terminal
) -> Report:
    """`import_folder` for an export that stands in a zip, as a browser saves one. Raises FriendlyError for a damaged one too."""
    with TemporaryDirectory(prefix="fittracker-import-") as temporary:
        folder = Path(temporary)
        _unpack(archive, MANIFEST, folder)
        for name in _files_of(_read_manifest(folder)):
            _unpack(archive, name, folder)
        return await import_folder(folder, url, credentials=credentials, token=token, terminal=terminal)


def _unpack(archive: Archive, name: str, folder: Path) -> None:
    if name not in archive:
        raise FriendlyError(f"the export is not whole: it has no {name}", "save it anew")
    try:
        with archive.open(name) as packed, (folder / name).open("wb") as file:
            copyfileobj(packed, file)
    except DamagedFileError as error:
        raise FriendlyError(f"{name} {error}", "save it anew") from None


def _files_of(manifest: dict[str, Any]) -> list[str]:
    """What the export has of what is read: one of an earlier release has no files for what that did not know."""
    listed = manifest["records"]
    return [name for listing in LISTINGS if (name := f"{listing.name}.jsonl") in listed]


async def import_from_app(
    archive: Archive,
    url: str,
    *,
    credentials: Credentials | None,
    token: str | None,
    terminal: Terminal,
    time_zone: str | None = None,
    units: str | None = None,
) -> Report:
    """A file, folder or zip of another app. `time_zone` and `units` are those of its files where they say none; left out, the
    account's. Exercises are looked for in the catalogue by name, workouts among those that the account has. Raises FriendlyError.
    """
    report = Report()
    async with graph_client(url, credentials=credentials, token=token) as client:
        settings = (await _account(client))["settings"]
        is_metric = (units or settings["units"]) == "METRIC"
        zone = ZoneInfo(time_zone or settings["timeZone"])
        with TemporaryDirectory(prefix="fittracker-import-") as temporary:
            folder = Path(temporary)
            convert(archive, Person(zone, settings["dayStartHour"], is_metric), folder, report.reading)
            run = _Run(folder, client, report, terminal)
            run.match(await ExerciseNames.of(client), await PresentWorkouts.of(client))
            await run.all()
    return report


async def _account(client: GraphClient) -> dict[str, Any]:
    return ACCOUNT.read(await client.ask(ACCOUNT.operation, ACCOUNT.variables(None))).records[0]


def _read_manifest(folder: Path) -> dict[str, Any]:
    file = folder / MANIFEST
    if not file.exists():
        raise FriendlyError(f"{folder} is no whole export: it has no {MANIFEST}", "finish it with `fittracker export`")
    manifest: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
    if manifest["format"] != FORMAT_VERSION:
        raise FriendlyError(f"{folder} is an export of another version")
    return manifest


class _Run:
    """One import: what is known of new ids, and what came of it so far."""

    def __init__(self, folder: Path, client: GraphClient, report: Report, terminal: Terminal) -> None:
        self._folder = folder
        self._client = client
        self._report = report
        self._terminal = terminal
        self._known = Known()
        self._names: ExerciseNames | None = None
        self._present: PresentWorkouts | None = None

    def match(self, names: ExerciseNames, present: PresentWorkouts) -> None:
        """Uses exercises that are there for those of the folder with their names, and leaves out workouts that are there."""
        self._names, self._present = names, present

    async def all(self) -> None:
        find = self._names.find if self._names is not None else _nothing
        self._known.exercises = {each["id"]: find(each["name"]) for each in self._records("exercises")}
        self._known.foods = {each["id"]: None for each in self._records("foods")}
        for once in (SETTINGS, PROFILE, DEFAULT_REST, PLATES):
            self._tell(once, await self._make_all(once))
        for account in self._records(SETTINGS.file):
            self._known.clock = (account["settings"]["timeZone"], account["settings"]["dayStartHour"])
        self._tell(EXERCISES, await self._make_all(EXERCISES, self._known.exercises))
        self._known.gear = {each["id"]: None for each in self._records("gear")}
        self._tell(GEAR, await self._make_all(GEAR, self._known.gear))
        self._tell(FOODS, await self._make_all(FOODS, self._known.foods))
        self._tell(RECIPES, await self._make_recipes())
        ids = {WORKOUTS: self._known.workouts, ROUTINES: self._known.routines, PLANNED: self._known.planned}
        for arrival, known in ids.items():
            known.update({each["id"]: None for each in self._records(arrival.file)})
        for arrival in OTHERS:
            self._tell(arrival, await self._make_all(arrival, ids.get(arrival)))
        for file, reason in NOT_IMPORTED.items():
            if any(True for _ in self._records(file)):
                self._terminal.say(f"{file:18} not imported: {reason}")

    def _records(self, file: str) -> Iterator[dict[str, Any]]:
        """None where the export is of a release that did not know the file."""
        path = self._folder / f"{file}.jsonl"
        return read_records(path) if path.exists() else iter(())

    def _tell(self, arrival: Arrival, made: int) -> None:
        self._report.imported += made
        if made or self._names is None:
            self._terminal.say(f"{arrival.file:18} {made:>9,} by {arrival.mutation}")

    async def _make_all(self, arrival: Arrival, ids: dict[str, str | None] | None = None) -> int:
        """Makes what a file holds, and says how many that were. `ids` gets the new ids; what has one is made already."""
        count = 0
        for record in self._records(arrival.file):
            if ids is not None and ids[record["id"]] is not None:
                continue
            present = self._present if arrival is WORKOUTS else None
            if present is not None and present.has(record):
                self._report.already += 1
                continue
            try:
                made = await self._make(arrival, record)
            except NotImportedError as error:
                self._report.refused.append(f"{arrival.file} {record.get('place') or _name(record)}: {error}")
                continue
            if made is not None:
                count += 1
                if present is not None:
                    present.add(record)
                if ids is not None:
                    ids[record["id"]] = made["thing"]["id"]
        return count

    async def _make_recipes(self) -> int:
        """A recipe may stand in another, later or earlier in the file: what misses one is tried again when more are there."""
        count, refused = 0, len(self._report.refused)
        for _ in range(DEEPEST_RECIPE + 1):
            del self._report.refused[refused:]
            made = await self._make_all(RECIPES, self._known.foods)
            count += made
            if not made or len(self._report.refused) == refused:
                break
        return count

    async def _make(self, arrival: Arrival, record: dict[str, Any]) -> dict[str, Any] | None:
        """What the mutation answers; None for a record of another kind. Raises NotImportedError for one that is refused."""
        told = arrival.read(record, self._known)
        if told is None:
            return None
        if arrival.is_keyed:
            told["idempotencyKey"] = f"import-{_name(record)}"
        try:
            data = await self._client.ask(arrival.operation, {"input": told})
        except GraphError as error:
            if error.code not in ABOUT_ONE_RECORD:
                raise
            raise NotImportedError(str(error)) from None
        made: dict[str, Any] = data["made"]
        if made["userErrors"]:
            raise NotImportedError("; ".join(f"{each['field']} {each['message']}" for each in made["userErrors"]))
        return made


def _nothing(_name: str) -> None:
    """What is found of an exercise where its id tells which it is."""


def _name(record: dict[str, Any]) -> str:
    """Its id, or for a target, which has none, its first day."""
    return str(record.get("id") or record["effectiveFrom"])
