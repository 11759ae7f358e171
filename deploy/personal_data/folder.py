"""The folder of an export: JSON Lines that grow page by page, and how far each has come, so that a run can go on."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import orjson

from deploy.data_directory import write_whole
from deploy.errors import FriendlyError

#: Counts changes of the files' shape that a reader has to know of.
FORMAT_VERSION = 1
MANIFEST = "manifest.json"
PROGRESS = "progress.json"


@dataclass(frozen=True, slots=True)
class Place:
    """How far a listing has come: its next page's cursor, and the length of its file with all pages before it."""

    cursor: str | None = None
    records: int = 0
    bytes: int = 0
    is_whole: bool = False


class ExportFolder:
    """Only its owner can read it. Of a run that was cut off, each file is taken back to its last whole page."""

    def __init__(self, path: Path) -> None:
        """Raises FriendlyError where the folder has other things, or an export that is whole."""
        self.path = path
        self.person_id: str | None = None
        self._places: dict[str, Place] = {}
        path.mkdir(parents=True, exist_ok=True, mode=0o700)
        if (path / MANIFEST).exists():
            raise FriendlyError(f"{path} holds an export that is whole", "name another folder")
        if (path / PROGRESS).exists():
            self._read_progress()
        elif any(path.iterdir()):
            raise FriendlyError(f"{path} holds other things", "name an empty folder, or one that is not there yet")

    def claim(self, person_id: str) -> None:
        """Raises FriendlyError where the folder was begun for somebody else."""
        if self.person_id not in (None, person_id):
            raise FriendlyError(f"{self.path} was begun for another person", "name another folder")
        self.person_id = person_id

    def place(self, name: str) -> Place:
        """Where to go on with a listing; what its file has beyond that is cut off."""
        place = self._places.get(name, Place())
        file = self.file(name)
        if place.bytes and (not file.exists() or file.stat().st_size < place.bytes):
            place = self._places[name] = Place()  # lost with the machine's power, before the disk had it
        with file.open("ab") as lines:
            lines.truncate(place.bytes)
        return place

    def append(self, name: str, records: Sequence[dict[str, Any]], cursor: str | None) -> Place:
        """A page more of a listing behind its `place`, the last where `cursor` is None. It counts once the progress says so."""
        before = self._places.get(name, Place())
        with self.file(name).open("ab") as lines:
            for record in records:
                lines.write(orjson.dumps(record, option=orjson.OPT_APPEND_NEWLINE))
            length = lines.tell()
        place = Place(cursor, before.records + len(records), length, cursor is None)
        self._places[name] = place
        told = {
            "personId": self.person_id,
            "format": FORMAT_VERSION,
            "places": {k: asdict(v) for k, v in self._places.items()},
        }
        write_whole(self.path / PROGRESS, _text(told))
        return place

    def finish(self, url: str, finished_at: str) -> None:
        """Writes the manifest, which only a whole export has."""
        files = {f"{name}.jsonl": place.records for name, place in self._places.items()}
        told = {
            "personId": self.person_id,
            "format": FORMAT_VERSION,
            "from": url,
            "finishedAt": finished_at,
            "records": files,
        }
        write_whole(self.path / MANIFEST, _text(told))
        (self.path / PROGRESS).unlink()

    def file(self, name: str) -> Path:
        return self.path / f"{name}.jsonl"

    def _read_progress(self) -> None:
        told = json.loads((self.path / PROGRESS).read_text(encoding="utf-8"))
        if told["format"] != FORMAT_VERSION:
            raise FriendlyError(f"{self.path} was begun by another version", "name another folder")
        self.person_id = told["personId"]
        self._places = {name: Place(**place) for name, place in told["places"].items()}


def is_export(path: Path) -> bool:
    """Whether a folder is of `fittracker export`, whole or not."""
    return any((path / name).exists() for name in (MANIFEST, PROGRESS, "account.jsonl"))


def read_records(file: Path) -> Iterator[dict[str, Any]]:
    """The records of a file of JSON Lines, one at a time."""
    with file.open("rb") as lines:
        for line in lines:
            yield orjson.loads(line)


def _text(told: dict[str, Any]) -> str:
    return json.dumps(told, indent=2) + "\n"
