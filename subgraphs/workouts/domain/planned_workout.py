"""Workouts that are planned for days: what one may hold, and how far it is on a day of its person. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, time, timedelta
from enum import StrEnum

import msgspec

from subgraphs.shell.errors import Checks
from subgraphs.shell.text import check_line
from subgraphs.workouts.domain.plan import LONGEST_NAME, MOST_EXERCISES, Plan, check_plan
from subgraphs.workouts.domain.workout import WorkoutStatus
from subgraphs.workouts.domain.workout_set import check_notes, check_range

#: Of one person, past ones among them.
MOST_PLANNED = 1_500
MOST_A_DAY = 10
#: How far from today one may be planned, back as well: an import brings past ones along.
FURTHEST_DAYS = 366
LONGEST_MINUTES = 1_440
LONGEST_CALENDAR_DAYS = 92


class PlannedWorkoutStatus(StrEnum):
    PLANNED = "PLANNED"
    IN_PROGRESS = "IN_PROGRESS"
    DONE = "DONE"
    MISSED = "MISSED"
    SKIPPED = "SKIPPED"


class TrainingDayStatus(StrEnum):
    REST = "REST"
    PLANNED = "PLANNED"
    IN_PROGRESS = "IN_PROGRESS"
    DONE = "DONE"
    MISSED = "MISSED"


class PlannedExercise(msgspec.Struct, frozen=True, kw_only=True):
    """An exercise that is to be done, and what is planned of it before it grows by what was done last."""

    exercise_id: str
    plan: Plan


PlannedExercises = tuple[PlannedExercise, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    """What is to be done at once: at a time by the clock or at any, for so many minutes or however long."""

    name: str
    time_of_day: time | None = None
    minutes: int | None = None
    notes: str | None = None
    exercises: PlannedExercises = ()


_encoder = msgspec.json.Encoder(decimal_format="number")
_decoder = msgspec.json.Decoder(PlannedExercises)


def encode_exercises(exercises: PlannedExercises) -> str:
    return _encoder.encode(exercises).decode()


def decode_exercises(text: str) -> PlannedExercises:
    return _decoder.decode(text)


def status_of(day: date, today: date, *, is_skipped: bool, workout_status: str | None) -> PlannedWorkoutStatus:
    """How far a workout that is planned for `day` is. `workout_status` is of the workout that it became, None without one.

    `today` is the person's. What has begun counts before what was said: a workout that was skipped and done is done.
    """
    if workout_status == WorkoutStatus.COMPLETED:
        return PlannedWorkoutStatus.DONE
    if workout_status == WorkoutStatus.IN_PROGRESS:
        return PlannedWorkoutStatus.IN_PROGRESS
    if is_skipped:
        return PlannedWorkoutStatus.SKIPPED
    return PlannedWorkoutStatus.MISSED if day < today else PlannedWorkoutStatus.PLANNED


def day_status(planned: Sequence[PlannedWorkoutStatus], workouts: Sequence[WorkoutStatus]) -> TrainingDayStatus:
    """What a day is, from what is planned for it and the workouts of it: what runs, else what is to come, done, missed."""
    if PlannedWorkoutStatus.IN_PROGRESS in planned or WorkoutStatus.IN_PROGRESS in workouts:
        return TrainingDayStatus.IN_PROGRESS
    if PlannedWorkoutStatus.PLANNED in planned:
        return TrainingDayStatus.PLANNED
    if PlannedWorkoutStatus.DONE in planned or WorkoutStatus.COMPLETED in workouts:
        return TrainingDayStatus.DONE
    return TrainingDayStatus.MISSED if PlannedWorkoutStatus.MISSED in planned else TrainingDayStatus.REST


def check_session(checks: Checks, session: Session, place: str = "") -> None:
    """Collects what a planned workout cannot say. `place` is the path of it in the input, with its dot."""
    check_line(checks, session.name, f"{place}name", longest=LONGEST_NAME)
    check_range(checks, f"{place}minutes", session.minutes, 1, LONGEST_MINUTES)
    check_notes(checks, f"{place}notes", session.notes)
    fits = len(session.exercises) <= MOST_EXERCISES
    if checks.require(fits, f"{place}exercises", f"must have at most {MOST_EXERCISES} entries"):
        for number, exercise in enumerate(session.exercises):
            check_plan(checks, exercise.plan, f"{place}exercises.{number}.")


def check_day(checks: Checks, day: date, today: date) -> None:
    """A day that may be planned for: within a year of the person's today."""
    furthest = timedelta(days=FURTHEST_DAYS)
    fits = today - furthest <= day <= today + furthest
    checks.require(fits, "date", f"must be within {FURTHEST_DAYS} days of today, {today}")
