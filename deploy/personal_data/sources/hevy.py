"""Hevy's `workouts.csv`: a line for each set, with the unit in the column's name and moments of the phone's clock."""

from __future__ import annotations

from collections.abc import Iterator

from deploy.personal_data.sources import quantities
from deploy.personal_data.sources.quantities import KG, METRES
from deploy.personal_data.sources.reading import Format, Found, Person, SkippedError, Source
from deploy.personal_data.sources.records import Effort
from deploy.personal_data.sources.set_rows import SetRow, set_rows, workouts_of
from deploy.personal_data.sources.sheet import Row, columns_of, require, rows_of

_KINDS = {"normal": "NORMAL", "warmup": "WARM_UP", "dropset": "DROP", "failure": "FAILURE"}
_WEIGHTS = {"weight_kg": KG["kg"], "weight_lbs": KG["lbs"], "weight_lb": KG["lb"]}
_DISTANCES = {"distance_km": METRES["km"], "distance_miles": METRES["mi"], "distance_meters": METRES["m"]}
_USED = frozenset(
    {"title", "start_time", "end_time", "description", "exercise_title", "superset_id", "exercise_notes", "set_index",
     "set_type", "reps", "duration_seconds", "rpe", *_WEIGHTS, *_DISTANCES}
)  # fmt: skip


def _fits(name: str, head: bytes) -> bool:
    return name.lower().endswith(".csv") and {"start_time", "exercise_title", "set_type"} <= set(columns_of(head))


def _read(source: Source) -> Iterator[Found]:
    rows = set_rows(rows_of(source, _USED), lambda row: _set_row(row, source.person), source.reading)
    return workouts_of("hevy", rows)


def _set_row(row: Row, person: Person) -> SetRow:
    started_at = quantities.moment(row.get("start_time"), "start_time", person)
    ended_at = quantities.moment(row.get("end_time"), "end_time", person) if row.get("end_time") else started_at
    return SetRow(
        place=row.place,
        started_at=started_at,
        lasted=ended_at - started_at,
        title=row.get("title") or "Workout",
        said=row.get("description"),
        exercise=require(row, "exercise_title"),
        effort=_effort(row),
        exercise_said=row.get("exercise_notes"),
        superset=row.get("superset_id"),
    )


def _effort(row: Row) -> Effort:
    kind = row.get("set_type") or "normal"
    if kind not in _KINDS:
        raise SkippedError(f"set_type: {kind!r} is no kind of set that is known")
    weight = next((each for each in _WEIGHTS if row.get(each)), "weight_kg")
    distance = next((each for each in _DISTANCES if row.get(each)), "distance_km")
    return Effort(
        kind=_KINDS[kind],
        reps=quantities.count(row.get("reps"), "reps"),
        weight_kg=quantities.amount(row.get(weight), weight, _WEIGHTS[weight]),
        duration_seconds=quantities.count(row.get("duration_seconds"), "duration_seconds"),
        distance_m=quantities.amount(row.get(distance), distance, _DISTANCES[distance]),
        rpe=quantities.rating(row.get("rpe"), "rpe"),
    )


HEVY = Format("Hevy", _fits, _read)
