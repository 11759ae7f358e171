"""What a workout can be, how long it lasts, and the bounds of what can be said of it.

Every path to a stored workout, begun, logged, completed or changed, ends in `check_workout`.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from enum import StrEnum
from typing import Protocol

from subgraphs.shell.calendar import check_instant
from subgraphs.shell.errors import Checks
from subgraphs.workouts.domain.plan import Plan
from subgraphs.workouts.domain.workout_set import LONGEST_SECONDS, SetDraft, check_notes, check_range, check_set

LONGEST_NAME = 255
LONGEST_WORKOUT = timedelta(hours=24)
MOST_KCAL = 20_000
MOST_EXERCISES = 50
MOST_SETS = 500
#: Of one person, given up ones among them: two a day for more than ten years.
MOST_WORKOUTS = 10_000


class WorkoutStatus(StrEnum):
    IN_PROGRESS = "IN_PROGRESS"
    COMPLETED = "COMPLETED"
    CANCELLED = "CANCELLED"


@dataclass(frozen=True, slots=True, kw_only=True)
class ExerciseDraft:
    """An exercise of a workout that is logged in one call. Those of one `superset` were done in turns; where there is a
    plan, its superset counts.
    """

    exercise_id: str
    sets: Sequence[SetDraft] = ()
    duration_seconds: int | None = None
    notes: str | None = None
    plan: Plan | None = None
    superset: int | None = None


class WorkoutFacts(Protocol):
    """What a person or a device says of a workout as a whole: what the rules of a workout are about."""

    @property
    def name(self) -> str: ...
    @property
    def notes(self) -> str | None: ...
    @property
    def started_at(self) -> datetime: ...
    @property
    def ended_at(self) -> datetime | None: ...
    @property
    def active_minutes(self) -> Decimal | None: ...
    @property
    def reported_kcal(self) -> Decimal | None: ...
    @property
    def session_rpe(self) -> Decimal | None: ...


def check_workout(checks: Checks, facts: WorkoutFacts, now: datetime) -> None:
    """Collects every rule that the workout as it would be breaks."""
    has_name = 1 <= len(facts.name.strip()) <= LONGEST_NAME
    checks.require(has_name, "name", f"must have 1 to {LONGEST_NAME} characters")
    check_notes(checks, "notes", facts.notes)
    check_instant(checks, facts.started_at, now, "startedAt")
    lasts = LONGEST_WORKOUT
    if facts.ended_at is not None:
        lasts = facts.ended_at - facts.started_at
        fits = timedelta(0) <= lasts <= LONGEST_WORKOUT
        checks.require(fits, "endedAt", "must be within 24 hours after the start")
        check_instant(checks, facts.ended_at, now, "endedAt")
    minutes = max(int(lasts.total_seconds()) // 60, 0)
    message = f"must be from 0 to {minutes}, the minutes that the workout lasts"
    fits = facts.active_minutes is None or 0 <= facts.active_minutes <= Decimal(lasts.total_seconds()) / 60
    checks.require(fits, "activeMinutes", message)
    check_range(checks, "reportedKcal", facts.reported_kcal, 0, MOST_KCAL)
    check_range(checks, "sessionRpe", facts.session_rpe, 0, 10)


def check_exercises(checks: Checks, exercises: Sequence[ExerciseDraft]) -> None:
    """Collects what the exercises of a workout that is logged in one call cannot say."""
    checks.require(len(exercises) <= MOST_EXERCISES, "exercises", f"must have at most {MOST_EXERCISES} entries")
    sets = sum(len(one.sets) for one in exercises)
    checks.require(sets <= MOST_SETS, "exercises", f"must have at most {MOST_SETS} sets together")
    for position, one in enumerate(exercises):
        place = f"exercises.{position}."
        check_range(checks, f"{place}durationSeconds", one.duration_seconds, 1, LONGEST_SECONDS)
        check_range(checks, f"{place}superset", one.superset, 1, MOST_EXERCISES)
        check_notes(checks, f"{place}notes", one.notes)
        for number, one_set in enumerate(one.sets):
            check_set(checks, one_set, f"{place}sets.{number}.")


def check_room(checks: Checks, *, exercises: int, sets: int) -> None:
    """Whether a workout with so many exercises and sets takes one more of each that is to come."""
    checks.require(exercises < MOST_EXERCISES, "exerciseId", f"the workout has {MOST_EXERCISES} exercises, the most")
    checks.require(sets < MOST_SETS, "workoutId", f"the workout has {MOST_SETS} sets, the most")


def minutes_between(started_at: datetime, ended_at: datetime | None) -> Decimal | None:
    if ended_at is None:
        return None
    return Decimal(round((ended_at - started_at).total_seconds())) / 60
