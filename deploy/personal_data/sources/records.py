"""The records that readers make, in the shape of our own export's files, as far as an import reads them.

An id is the hash of what names the thing in its app: the same thing read twice has the same id, and an import makes it once.
"""

from __future__ import annotations

import hashlib
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from deploy.personal_data.sources.quantities import written
from deploy.personal_data.sources.reading import Found

LONGEST_NAME = 255
LONGEST_NOTES = 500
LONGEST_QUICK_NAME = 100
LONGEST_GEAR_NAME = 100
LONGEST_COUNTER = 60
#: A workout may last so long; an app's clock that was never stopped shows more.
LONGEST_WORKOUT = timedelta(hours=24)

_EQUIPMENT = {
    "barbell": "BARBELL", "dumbbell": "DUMBBELL", "cable": "CABLE", "machine": "MACHINE", "smith machine": "MACHINE",
    "kettlebell": "KETTLEBELLS", "band": "BANDS", "bodyweight": "BODY_ONLY", "ez bar": "EZ_CURL_BAR", "plate": "FREE_WEIGHTS",
}  # fmt: skip


def record_id(source: str, *names: object) -> str:
    told = "\x1f".join(str(name) for name in names)
    return f"{source}-{hashlib.sha256(told.encode()).hexdigest()[:32]}"


def line(text: str | None, longest: int, instead: str) -> str:
    """One line of visible characters, shortened to so many; `instead` where nothing is left."""
    words = " ".join((text or "").split())
    visible = "".join(each for each in words if unicodedata.category(each) not in {"Cc", "Cf", "Cs", "Co"})
    return _short(visible, longest) or instead


def notes(*texts: str | None) -> str | None:
    """Several lines, shortened to what notes may hold; None where nothing is said."""
    told = "\n".join(text.strip() for text in texts if text and text.strip())
    visible = "".join(each for each in told if each in "\n\t" or unicodedata.category(each) not in {"Cc", "Cf", "Cs"})
    return _short(visible, LONGEST_NOTES) or None


def _short(text: str, longest: int) -> str:
    return text if len(text) <= longest else text[: longest - 1] + "…"


@dataclass(frozen=True, slots=True, kw_only=True)
class Effort:
    """What was done of an exercise in one set, in kilograms, seconds and metres."""

    kind: str = "NORMAL"
    reps: int | None = None
    weight_kg: float | None = None
    duration_seconds: int | None = None
    distance_m: float | None = None
    rpe: float | None = None

    @property
    def is_measured(self) -> bool:
        return not (self.reps is None and self.duration_seconds is None and self.distance_m is None)

    def record(self) -> dict[str, Any]:
        return {
            "kind": self.kind,
            "reps": self.reps,
            "weightKg": self.weight_kg,
            "durationSeconds": self.duration_seconds,
            "distanceM": self.distance_m,
            "rpe": self.rpe,
        }


def exercise_id(name: str) -> str:
    """By its name, whichever app it is of: what has one name is one exercise."""
    return record_id("exercise", name.casefold())


def exercise(name: str, efforts: Iterable[Effort], told: Mapping[str, Any] | None = None) -> Found:
    """An exercise that may have to become the person's own. What a set of it measures is what its sets were seen to have;
    what it is done with is read from the brackets that Strong and Hevy end names with. `told` is what is known better.
    """
    bracketed = name.rpartition("(")[2].rstrip(") ").casefold()
    seen = list(efforts)
    is_cardio = any(each.distance_m is not None for each in seen)
    record: dict[str, Any] = {
        "id": exercise_id(name),
        "name": name,
        "category": "CARDIO" if is_cardio else "STRENGTH",
        "level": "BEGINNER",
        "tracking": _tracking(seen),
        "met": None,
        "primaryMuscles": [],
        "secondaryMuscles": [],
        "equipment": _EQUIPMENT.get(bracketed) if name.endswith(")") else None,
        "instructions": None,
    }
    return Found("exercises", {**record, **(told or {})})


def _tracking(efforts: list[Effort]) -> str:
    if any(each.distance_m is not None for each in efforts):
        return "DISTANCE_TIME"
    if any(each.weight_kg is not None for each in efforts):
        return "WEIGHT_REPS"
    return "REPS" if any(each.reps is not None for each in efforts) else "TIME"


def done(name: str, efforts: Iterable[Effort], said: str | None = None, superset: int | None = None) -> dict[str, Any]:
    """An exercise of a workout, with its sets. Those with one `superset` were done in turns."""
    return {
        "exercise": {"id": exercise_id(name), "name": name},
        "durationSeconds": None,
        "superset": superset,
        "notes": said,
        "sets": [each.record() for each in efforts],
    }


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    """A finished workout. `id_parts` are what names it in its app, that app first; `kcal` is gross, as the app tells it."""

    id_parts: tuple[object, ...]
    place: str
    name: str
    started_at: datetime
    lasted: timedelta
    exercises: list[dict[str, Any]]
    said: str | None = None
    kcal: float | None = None
    active_minutes: float | None = None
    time_zone: str | None = None
    track: dict[str, Any] | None = None
    gear: str | None = None

    def found(self) -> Found:
        """One that lasted longer than a workout may has no length: nobody can say when it ended."""
        lasted = self.lasted if timedelta(0) <= self.lasted <= LONGEST_WORKOUT else timedelta(0)
        source, *names = self.id_parts
        return Found(
            "workouts",
            {
                "id": record_id(str(source), *names),
                "place": self.place,
                "status": "COMPLETED",
                "name": line(self.name, LONGEST_NAME, "Workout"),
                "startedAt": written(self.started_at),
                "endedAt": written(self.started_at + lasted),
                "activeMinutes": self.active_minutes if lasted else None,
                "sessionRpe": None,
                "timeZone": self.time_zone,
                "notes": self.said,
                "caloriesBurned": {"method": "REPORTED", "kcal": self.kcal},
                "exercises": self.exercises,
                "track": self.track if lasted else None,
                "gear": None if self.gear is None else {"id": gear_id(self.gear), "name": self.gear},
            },
        )


def gear_id(name: str) -> str:
    """By its name: an app's export tells nothing else of it."""
    return record_id("gear", name.casefold())


def gear(name: str, kind: str) -> Found:
    """Shoes or a bicycle that workouts were done with. How far it went is what the workouts say."""
    record = {
        "id": gear_id(name),
        "name": line(name, LONGEST_GEAR_NAME, "Gear"),
        "kind": kind,
        "startDistanceM": 0,
        "lifeDistanceM": None,
        "retiredOn": None,
        "defaultFor": [],
    }
    return Found("gear", record)


def weighing(source: str, place: str, at: datetime, kg: float, fat_percent: float | None = None) -> Found:
    """Named by its moment: of two weighings of one moment the first counts."""
    record = {
        "id": record_id(source, "weight", at.isoformat()),
        "place": place,
        "weightKg": kg,
        "bodyFatPercent": fat_percent,
        "muscleMassKg": None,
        "notes": None,
        "recordedAt": written(at),
    }
    return Found("weights", record)


def step_count(source: str, place: str, day: date, counter: str, steps: int, counted_at: datetime | None) -> Found:
    """The total of a day by what counted it. Without `counted_at` it is as of when it is imported."""
    record = {
        "id": record_id(source, "steps", day.isoformat(), counter),
        "place": place,
        "date": day.isoformat(),
        "source": counter,
        "steps": steps,
        "countedAt": None if counted_at is None else written(counted_at),
    }
    return Found("stepCounts", record)


@dataclass(frozen=True, slots=True, kw_only=True)
class Eaten:
    """Energy in kilocalories and macronutrients in grams that were eaten together, without foods."""

    energy_kcal: float
    protein_g: float | None = None
    carbs_g: float | None = None
    fat_g: float | None = None
    name: str


def meal(record: str, place: str, slot: str, at: datetime, time_zone: str, eaten: Eaten, said: str | None) -> Found:
    """A meal that is one quick add. `record` is its id."""
    return Found(
        "meals",
        {
            "id": record,
            "place": place,
            "slot": slot,
            "at": written(at),
            "timeZone": time_zone,
            "notes": said,
            "items": [],
            "quickAdds": [
                {
                    "name": line(eaten.name, LONGEST_QUICK_NAME, "Meal"),
                    "energyKcal": eaten.energy_kcal,
                    "proteinG": eaten.protein_g,
                    "carbsG": eaten.carbs_g,
                    "fatG": eaten.fat_g,
                }
            ],
        },
    )
