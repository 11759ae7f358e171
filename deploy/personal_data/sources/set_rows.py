"""Workouts from tables that have a line for each set, as Strong's and Hevy's do."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import groupby

from deploy.personal_data.sources.reading import Found, Reading, SkippedError
from deploy.personal_data.sources.records import LONGEST_NAME, Effort, Session, done, exercise, line, notes
from deploy.personal_data.sources.sheet import Row


@dataclass(frozen=True, slots=True, kw_only=True)
class SetRow:
    """One line. `effort` is None where the line is a note and no set; lines of one `superset` were done in turns."""

    place: str
    started_at: datetime
    lasted: timedelta
    title: str
    said: str | None
    exercise: str
    effort: Effort | None
    exercise_said: str | None
    superset: str | None = None


def set_rows(rows: Iterable[Row], read: Callable[[Row], SetRow | None], reading: Reading) -> Iterator[SetRow]:
    """What `read` makes of the lines. One that it refuses, and a set that says nothing, is told and left out."""
    for row in rows:
        try:
            found = read(row)
            if found is None:
                continue
            if found.effort is not None and not found.effort.is_measured:
                raise SkippedError("the set has neither repetitions nor a duration nor a distance")
        except SkippedError as refusal:
            reading.skip(row.place, str(refusal))
            continue
        yield found


def workouts_of(source: str, rows: Iterable[SetRow]) -> Iterator[Found]:
    """A workout for each run of lines with one start and title; at the end every exercise that they name.

    Supersets are numbered from 1 in each workout, whatever the app calls them.
    """
    seen: dict[str, list[Effort]] = {}
    for (started_at, title), of_workout in groupby(rows, lambda row: (row.started_at, row.title)):
        lines = list(of_workout)
        exercises = []
        supersets = {
            key: number for number, key in enumerate(dict.fromkeys(row.superset for row in lines if row.superset), 1)
        }
        for (name, superset), of_exercise in groupby(lines, lambda row: (row.exercise, row.superset)):
            of_one = list(of_exercise)
            efforts = [row.effort for row in of_one if row.effort is not None]
            called = line(name, LONGEST_NAME, "Exercise")
            kept = seen.setdefault(called, [])
            kept.extend(efforts[: max(0, 20 - len(kept))])  # enough to see what its sets measure
            said = dict.fromkeys(row.exercise_said for row in of_one if row.exercise_said)
            exercises.append(done(called, efforts, notes(*said), supersets.get(superset)))
        yield Session(
            id_parts=(source, started_at.isoformat(), title),
            place=lines[0].place,
            name=title,
            started_at=started_at,
            lasted=lines[0].lasted,
            exercises=exercises,
            said=notes(lines[0].said),
        ).found()
    for name, efforts in seen.items():
        yield exercise(name, efforts)
