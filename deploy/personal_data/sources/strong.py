"""Strong's `strong.csv`: a line for each set. The older form has semicolons and units in its columns' names, the newer neither.

Moments are of the phone's clock, without a zone. Where no column tells the unit, weights and distances are in the units of
whoever exported. Lines of `Rest Timer` are no sets and are passed over.
"""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

from deploy.personal_data.sources import quantities
from deploy.personal_data.sources.quantities import KG, METRES
from deploy.personal_data.sources.reading import Format, Found, Person, SkippedError, Source
from deploy.personal_data.sources.records import Effort
from deploy.personal_data.sources.set_rows import SetRow, set_rows, workouts_of
from deploy.personal_data.sources.sheet import Row, columns_of, require, rows_of

_KINDS = {"W": "WARM_UP", "D": "DROP", "F": "FAILURE"}
_NO_SET = frozenset({"rest timer", "note"})
_WEIGHTS = ("Weight", "Weight (kg)", "Weight (lbs)", "Weight (lb)")
_DISTANCES = ("Distance", "Distance (meters)", "Distance (km)", "Distance (mi)", "Distance (miles)")
_USED = frozenset(
    {"Workout #", "Date", "Workout Name", "Duration", "Duration (sec)", "Exercise Name", "Set Order", "Weight Unit",
     "Reps", "Distance Unit", "Seconds", "Notes", "Workout Notes", "RPE", *_WEIGHTS, *_DISTANCES}
)  # fmt: skip


def _fits(name: str, head: bytes) -> bool:
    return name.lower().endswith(".csv") and {"Workout Name", "Exercise Name", "Set Order"} <= set(columns_of(head))


def _read(source: Source) -> Iterator[Found]:
    rows = set_rows(rows_of(source, _USED), lambda row: _set_row(row, source.person), source.reading)
    return workouts_of("strong", rows)


def _set_row(row: Row, person: Person) -> SetRow | None:
    order = require(row, "Set Order")
    if order.casefold() == "rest timer":
        return None
    if not (order.isdigit() or order in _KINDS or order.casefold() in _NO_SET):
        raise SkippedError(f"Set Order: {order!r} is no kind of set that is known")
    return SetRow(
        place=row.place,
        started_at=quantities.moment(row.get("Date"), "Date", person),
        lasted=quantities.duration(row.get("Duration", "Duration (sec)"), "Duration"),
        title=row.get("Workout Name") or "Workout",
        said=row.get("Workout Notes"),
        exercise=require(row, "Exercise Name"),
        effort=None if order.casefold() in _NO_SET else _effort(row, order, person),
        exercise_said=row.get("Notes"),
    )


def _effort(row: Row, order: str, person: Person) -> Effort:
    return Effort(
        kind=_KINDS.get(order, "NORMAL"),
        reps=quantities.count(row.get("Reps"), "Reps"),
        weight_kg=quantities.amount(row.get(*_WEIGHTS), "Weight", _weight_unit(row, person)),
        duration_seconds=quantities.count(row.get("Seconds"), "Seconds"),
        distance_m=quantities.amount(row.get(*_DISTANCES), "Distance", _distance_unit(row, person)),
        rpe=quantities.rating(row.get("RPE"), "RPE"),
    )


def _weight_unit(row: Row, person: Person) -> Decimal:
    told = row.get("Weight Unit") or _in_brackets(row, _WEIGHTS) or ("kg" if person.is_metric else "lbs")
    if told.lower() not in KG:
        raise SkippedError(f"Weight Unit: {told!r} is no unit that is known")
    return KG[told.lower()]


def _distance_unit(row: Row, person: Person) -> Decimal:
    told = row.get("Distance Unit") or _in_brackets(row, _DISTANCES) or ("km" if person.is_metric else "mi")
    if told.lower() not in METRES:
        raise SkippedError(f"Distance Unit: {told!r} is no unit that is known")
    return METRES[told.lower()]


def _in_brackets(row: Row, columns: tuple[str, ...]) -> str:
    """The unit that the column's own name has."""
    column = next((each for each in columns if each in row.cells), "")
    return column.partition("(")[2].rstrip(")")


STRONG = Format("Strong", _fits, _read)
