"""MyFitnessPal's zip: summaries of meals, measurements and exercise, each a line a day and meal or activity.

It has no foods, only sums: a meal becomes one quick add. It has no clocks: meals are at the hour below of the person's day.
Weights are in the units of whoever exported; the column `Pounds` is what it says.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import time, timedelta

from deploy.personal_data.sources import quantities
from deploy.personal_data.sources.quantities import KG
from deploy.personal_data.sources.reading import Found, Person, SkippedError
from deploy.personal_data.sources.records import (
    LONGEST_NAME,
    Eaten,
    Effort,
    Session,
    done,
    exercise,
    line,
    meal,
    notes,
    record_id,
    weighing,
)
from deploy.personal_data.sources.sheet import Row, require, table

_SLOTS = {"breakfast": "BREAKFAST", "lunch": "LUNCH", "dinner": "DINNER"}
_HOURS = {"BREAKFAST": time(8), "LUNCH": time(12, 30), "DINNER": time(19), "SNACK": time(15, 30)}
_WEIGHED_AT, _EXERCISED_AT = time(8), time(17)
_MEALS = frozenset({"Date", "Meal", "Calories", "Fat (g)", "Carbohydrates (g)", "Protein (g)", "Note"})
_MEASURED = frozenset({"Date", "Weight", "Body Fat %"})
_EXERCISE = frozenset(
    {"Date", "Exercise", "Type", "Exercise Calories", "Exercise Minutes", "Sets", "Reps Per Set", "Pounds", "Note"}
)


def _meal(row: Row, person: Person) -> Iterator[Found]:
    on = quantities.day(row.get("Date"), "Date")
    called = require(row, "Meal")
    slot = _SLOTS.get(called.casefold(), "SNACK")
    kcal = quantities.number(row.get("Calories"), "Calories")
    if kcal is None:
        raise SkippedError("Calories is empty")
    eaten = Eaten(
        energy_kcal=round(float(kcal), 2),
        protein_g=_grams(row, "Protein (g)"),
        carbs_g=_grams(row, "Carbohydrates (g)"),
        fat_g=_grams(row, "Fat (g)"),
        name=called,
    )
    at = quantities.at_clock(on, _HOURS[slot], person)
    named = record_id("myfitnesspal", "meal", on, called)
    yield meal(named, row.place, slot, at, person.zone.key, eaten, notes(row.get("Note")))


def _grams(row: Row, column: str) -> float | None:
    found = quantities.number(row.get(column), column)
    return None if found is None else round(float(found), 2)


def _weight(row: Row, person: Person) -> Iterator[Found]:
    on = quantities.day(row.get("Date"), "Date")
    kg = quantities.amount(row.get("Weight"), "Weight", KG["kg" if person.is_metric else "lb"])
    if kg is None:
        raise SkippedError("Weight is empty")
    fat = quantities.amount(row.get("Body Fat %"), "Body Fat %")
    yield weighing("myfitnesspal", row.place, quantities.at_clock(on, _WEIGHED_AT, person), kg, fat)


def _exercised(row: Row, person: Person) -> Iterator[Found]:
    on = quantities.day(row.get("Date"), "Date")
    name = line(row.get("Exercise"), LONGEST_NAME, "Exercise")
    minutes = quantities.number(row.get("Exercise Minutes"), "Exercise Minutes")
    seconds = round(float(minutes or 0) * 60) or None
    sets = quantities.count(row.get("Sets"), "Sets")
    reps = quantities.count(row.get("Reps Per Set"), "Reps Per Set")
    kg = quantities.amount(row.get("Pounds"), "Pounds", KG["lb"])
    if sets is not None and reps is not None:
        efforts = [Effort(reps=reps, weight_kg=kg)] * min(sets, 500)
    else:
        efforts = [Effort(duration_seconds=seconds)] if seconds else []
    told = {"category": "CARDIO"} if (row.get("Type") or "").casefold() == "cardio" else {}
    yield exercise(name, efforts, told)
    yield Session(
        id_parts=("myfitnesspal", "exercise", on, name, row.get("Exercise Minutes"), row.get("Sets")),
        place=row.place,
        name=name,
        started_at=quantities.at_clock(on, _EXERCISED_AT, person),
        lasted=timedelta(seconds=seconds or 0),
        exercises=[done(name, efforts)],
        said=notes(row.get("Note")),
        kcal=quantities.amount(row.get("Exercise Calories"), "Exercise Calories"),
    ).found()


MEALS = table("MyFitnessPal meals", {"Date", "Meal", "Calories"}, _MEALS, _meal)
MEASUREMENTS = table("MyFitnessPal measurements", {"Date", "Weight"}, _MEASURED, _weight)
EXERCISE = table("MyFitnessPal exercise", {"Date", "Exercise", "Exercise Minutes"}, _EXERCISE, _exercised)
