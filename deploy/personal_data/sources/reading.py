"""What a reader is told about whoever wrote a file, and what it tells of the file besides the records."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from posixpath import dirname, join, normpath
from typing import Any, BinaryIO
from zoneinfo import ZoneInfo

from deploy.personal_data.sources.archive import Archive

#: Reasons are kept of so many entries of one run; the others are only counted.
MOST_REASONS = 1_000


@dataclass(frozen=True, slots=True)
class Person:
    """What files leave out: in which zone their clocks went, when the day begins, and whether their units are metric."""

    zone: ZoneInfo
    day_start_hour: int
    is_metric: bool


@dataclass(frozen=True, slots=True)
class Found:
    """A record of the export's file `listing`, in the shape that the export gives it."""

    listing: str
    record: dict[str, Any]


class SkippedError(Exception):
    """An entry of a file that no record is made of, and why."""


@dataclass
class Reading:
    """What became of the entries of all files: how many were read, what was skipped and why, what nobody looks at.

    `taken` are files that were read for the sake of another one, such as the recording of an activity in a list.
    """

    read: Counter[str] = field(default_factory=Counter)
    skipped: int = 0
    reasons: list[str] = field(default_factory=list)
    unused: dict[str, tuple[str, ...]] = field(default_factory=dict)
    unread: list[str] = field(default_factory=list)
    taken: set[str] = field(default_factory=set)

    def skip(self, place: str, reason: str) -> None:
        """`place` is the file's name with the line, such as `strong.csv:12`."""
        self.skipped += 1
        if len(self.reasons) < MOST_REASONS:
            self.reasons.append(f"{place}: {reason}")


@dataclass(frozen=True, slots=True)
class Source:
    """A file of an archive, open, and what its reader has to know and to tell."""

    name: str
    file: BinaryIO
    person: Person
    reading: Reading
    archive: Archive | None = None

    def beside(self, path: str) -> str | None:
        """The archive's name of a file that this one names by its path from its own folder; None for one that is not there."""
        if self.archive is None or not path:
            return None
        name = normpath(join(dirname(self.name), path.lstrip("/")))
        return name if name in self.archive else None


@dataclass(frozen=True, slots=True)
class Format:
    """One kind of file. `fits` judges by its name and its first bytes; `read` yields records in the file's order."""

    name: str
    fits: Callable[[str, bytes], bool]
    read: Callable[[Source], Iterator[Found]]
