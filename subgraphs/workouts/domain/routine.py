"""Routines: the days that somebody trains by, for weekdays or in a cycle, and the dates that they fall on. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, time, timedelta
from enum import StrEnum

import msgspec

from subgraphs.shell.calendar import Weekday, weekday_of
from subgraphs.shell.errors import Checks
from subgraphs.shell.text import check_line
from subgraphs.workouts.domain.plan import LONGEST_NAME
from subgraphs.workouts.domain.planned_workout import FURTHEST_DAYS, PlannedExercises, Session, check_session

MOST_ROUTINES = 50
MOST_ROUTINE_DAYS = 28
#: Workouts of a routine on one weekday.
MOST_A_WEEKDAY = 4
MOST_ROUTINE_EXERCISES = 400
MOST_WEEKS = 26


class RoutineSchedule(StrEnum):
    WEEKDAYS = "WEEKDAYS"
    CYCLE = "CYCLE"


class RoutineDay(msgspec.Struct, frozen=True, kw_only=True):
    """A day of a routine. Without a name it is a day of rest, which cycles have; with a weekday it is of a week."""

    weekday: Weekday | None = None
    name: str | None = None
    time_of_day: time | None = None
    minutes: int | None = None
    notes: str | None = None
    exercises: PlannedExercises = ()

    @property
    def session(self) -> Session | None:
        """What is to be done on it; None on a day of rest."""
        if self.name is None:
            return None
        return Session(
            name=self.name,
            time_of_day=self.time_of_day,
            minutes=self.minutes,
            notes=self.notes,
            exercises=self.exercises,
        )


RoutineDays = tuple[RoutineDay, ...]


@dataclass(frozen=True, slots=True)
class Slot:
    """A workout of a routine on a date: of its day `index`, from 0; `number` tells those of one date apart, from 0."""

    day: date
    number: int
    index: int
    session: Session


_encoder = msgspec.json.Encoder(decimal_format="number")
_decoder = msgspec.json.Decoder(RoutineDays)


def encode_days(days: Sequence[RoutineDay]) -> str:
    return _encoder.encode(days).decode()


def decode_days(text: str) -> RoutineDays:
    return _decoder.decode(text)


def check_routine(checks: Checks, name: str, schedule: RoutineSchedule, days: Sequence[RoutineDay]) -> None:
    """Collects every rule that a routine breaks."""
    check_line(checks, name, "name", longest=LONGEST_NAME)
    if not checks.require(1 <= len(days) <= MOST_ROUTINE_DAYS, "days", f"must have 1 to {MOST_ROUTINE_DAYS} entries"):
        return
    exercises = sum(len(day.exercises) for day in days)
    most = f"may have at most {MOST_ROUTINE_EXERCISES} exercises together, they have {exercises}"
    checks.require(exercises <= MOST_ROUTINE_EXERCISES, "days", most)
    checks.require(any(day.session for day in days), "days", "must have a day with a workout")
    for number, day in enumerate(days):
        _check_day(checks, schedule, day, f"days.{number}.")
    for weekday in Weekday:
        of_it = sum(day.weekday == weekday for day in days)
        checks.require(of_it <= MOST_A_WEEKDAY, "days", f"may have at most {MOST_A_WEEKDAY} for {weekday}")


def _check_day(checks: Checks, schedule: RoutineSchedule, day: RoutineDay, place: str) -> None:
    is_of_week = schedule is RoutineSchedule.WEEKDAYS
    message = "must name the weekday" if is_of_week else "must be null: a cycle goes on whatever the week"
    checks.require((day.weekday is not None) == is_of_week, f"{place}weekday", message)
    if day.session is not None:
        check_session(checks, day.session, place)
    else:
        is_rest = not (is_of_week or day.exercises or day.time_of_day or day.minutes or day.notes)
        checks.require(
            is_rest, f"{place}name", "must be told: only a day of rest in a cycle has none, and nothing else"
        )


def slot_number(days: Sequence[RoutineDay], index: int) -> int:
    """Which of the workouts of its date the day at `index` is: of its weekday the how manieth; in a cycle there is one."""
    return sum(day.weekday == days[index].weekday for day in days[:index]) if days[index].weekday else 0


def slots_of(days: Sequence[RoutineDay], start: date, weeks: int, first_day: int) -> list[Slot]:
    """The workouts of a routine in so many weeks from `start` on, by date.

    `first_day`, from 1, is the day of a cycle that falls on `start`; days of weekdays fall where they fall.
    """
    slots: list[Slot] = []
    for offset in range(7 * weeks):
        day = start + timedelta(days=offset)
        if days[0].weekday is None:
            on_it = [(first_day - 1 + offset) % len(days)]
        else:
            on_it = [index for index, each in enumerate(days) if each.weekday == weekday_of(day)]
        found = ((index, days[index].session) for index in on_it)
        slots.extend(
            Slot(day, slot_number(days, index), index, session) for index, session in found if session is not None
        )
    return slots


def check_use(checks: Checks, days: Sequence[RoutineDay], use: tuple[date, int, int], today: date) -> None:
    """Whether a routine may be put on the calendar so: from a date on, for so many weeks, from a day of a cycle on."""
    start, weeks, first_day = use
    is_bounded = checks.require(1 <= weeks <= MOST_WEEKS, "weeks", f"must be from 1 to {MOST_WEEKS}")
    checks.require(1 <= first_day <= len(days), "firstDay", f"must be from 1 to {len(days)}")
    is_cycle = days[0].weekday is None
    checks.require(is_cycle or first_day == 1, "firstDay", "is of cycles: days of weekdays fall where they fall")
    checks.require(start >= today, "from", f"must not be before today, {today}")
    last = start + timedelta(days=7 * weeks - 1) if is_bounded else start
    checks.require(
        last <= today + timedelta(days=FURTHEST_DAYS),
        "weeks",
        f"must end within {FURTHEST_DAYS} days of today, {today}",
    )
