"""Calendars of training: dates of routines and what is missed, over changes of the clocks, for any zone and beginning of the day."""

from collections import Counter
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from subgraphs.shell.calendar import Weekday, instant_of_clock, local_date, weekday_of
from subgraphs.shell.errors import Checks
from subgraphs.workouts.domain.one_rep_max import OneRepMaxFormula
from subgraphs.workouts.domain.plan import Plan
from subgraphs.workouts.domain.planned_workout import (
    PlannedExercise,
    PlannedWorkoutStatus,
    TrainingDayStatus,
    day_status,
    decode_exercises,
    encode_exercises,
    status_of,
)
from subgraphs.workouts.domain.routine import (
    MOST_WEEKS,
    RoutineDay,
    RoutineSchedule,
    check_routine,
    check_use,
    decode_days,
    encode_days,
    slots_of,
)
from subgraphs.workouts.domain.workout import WorkoutStatus

# An hour, half an hour and none; north and south; the farthest east and west.
ZONES = (
    "Europe/Berlin",
    "America/New_York",
    "Australia/Lord_Howe",
    "Asia/Kolkata",
    "Pacific/Chatham",
    "Pacific/Kiritimati",
    "Pacific/Pago_Pago",
)
#: Around the days on which clocks change in 2026: in Europe, the United States and Australia.
CHANGES = [
    date(2026, 3, 8),
    date(2026, 3, 29),
    date(2026, 4, 5),
    date(2026, 10, 4),
    date(2026, 10, 25),
    date(2026, 11, 1),
]
zones = st.sampled_from(ZONES)
days_of_change = st.builds(
    lambda day, offset: day + timedelta(days=offset), st.sampled_from(CHANGES), st.integers(-3, 3)
)
day_starts = st.integers(0, 12)
weekdays = st.lists(st.sampled_from(list(Weekday)), min_size=1, max_size=10)
cycles = st.lists(st.booleans(), min_size=1, max_size=12).filter(any)


def week(names: list[Weekday]) -> tuple[RoutineDay, ...]:
    return tuple(RoutineDay(weekday=weekday, name=f"{number}") for number, weekday in enumerate(names))


def cycle(trains: list[bool]) -> tuple[RoutineDay, ...]:
    return tuple(RoutineDay(name=f"{number}" if is_on else None) for number, is_on in enumerate(trains))


@given(names=weekdays, start=days_of_change, weeks=st.integers(1, MOST_WEEKS))
def test_a_routine_of_weekdays_falls_on_them_the_same_number_of_times(
    names: list[Weekday], start: date, weeks: int
) -> None:
    slots = slots_of(week(names), start, weeks, 1)
    assert Counter(weekday_of(slot.day) for slot in slots) == {day: n * weeks for day, n in Counter(names).items()}
    assert all(start <= slot.day < start + timedelta(weeks=weeks) for slot in slots)
    assert len({(slot.day, slot.number) for slot in slots}) == len(slots)  # what makes the same again nothing double


@given(trains=cycles, start=days_of_change, weeks=st.integers(1, MOST_WEEKS), shift=st.integers(0, 11))
def test_a_cycle_goes_on_day_by_day_whatever_the_clocks_do(
    trains: list[bool], start: date, weeks: int, shift: int
) -> None:
    first_day = shift % len(trains) + 1
    found = {slot.day: slot.session.name for slot in slots_of(cycle(trains), start, weeks, first_day)}
    for offset in range(7 * weeks):
        index = (first_day - 1 + offset) % len(trains)
        expected = f"{index}" if trains[index] else None
        assert found.get(start + timedelta(days=offset)) == expected


@given(names=weekdays, start=days_of_change, weeks=st.integers(1, 8), more=st.integers(1, 8))
def test_weeks_that_follow_go_on_where_the_weeks_before_ended(
    names: list[Weekday], start: date, weeks: int, more: int
) -> None:
    days = week(names)
    after = slots_of(days, start + timedelta(weeks=weeks), more, 1)
    assert slots_of(days, start, weeks, 1) + after == slots_of(days, start, weeks + more, 1)


@given(
    zone=zones,
    day=days_of_change,
    planned=days_of_change,
    minute=st.integers(-60, 26 * 60),
    day_start=day_starts,
)
def test_a_day_is_missed_from_the_moment_on_at_which_its_person_s_next_day_begins(
    zone: str, day: date, planned: date, minute: int, day_start: int
) -> None:
    now = datetime.combine(day, time(), ZoneInfo(zone)).astimezone(UTC) + timedelta(minutes=minute)
    today = local_date(now, zone, day_start)
    status = status_of(planned, today, is_skipped=False, workout_status=None)
    is_over = now >= instant_of_clock(planned + timedelta(days=1), time(day_start), zone)
    assert status == (PlannedWorkoutStatus.MISSED if is_over else PlannedWorkoutStatus.PLANNED)


@given(zone=zones, day=days_of_change, clock=st.times(timezones=st.none()))
def test_a_planned_time_is_on_its_day_by_the_clock_of_the_zone(zone: str, day: date, clock: time) -> None:
    shown = instant_of_clock(day, clock.replace(microsecond=0), zone).astimezone(ZoneInfo(zone))
    assert shown.date() == day
    gap = shown.replace(tzinfo=None) - datetime.combine(day, clock.replace(microsecond=0))
    assert timedelta(0) <= gap <= timedelta(hours=1)


@pytest.mark.parametrize(
    ("is_skipped", "workout", "status"),
    [
        (False, None, "MISSED"),
        (True, None, "SKIPPED"),
        (True, "COMPLETED", "DONE"),
        (False, "IN_PROGRESS", "IN_PROGRESS"),
        (False, "CANCELLED", "MISSED"),
        (True, "CANCELLED", "SKIPPED"),
    ],
)
def test_what_was_done_counts_before_what_was_said(is_skipped: bool, workout: str | None, status: str) -> None:
    yesterday, today = date(2026, 3, 1), date(2026, 3, 2)
    assert status_of(yesterday, today, is_skipped=is_skipped, workout_status=workout) == status


@pytest.mark.parametrize(
    ("planned", "workouts", "status"),
    [
        ([], [], "REST"),
        (["SKIPPED"], [], "REST"),
        (["MISSED", "SKIPPED"], [], "MISSED"),
        (["MISSED"], ["COMPLETED"], "DONE"),
        (["DONE"], [], "DONE"),
        (["PLANNED", "DONE"], ["COMPLETED"], "PLANNED"),
        (["PLANNED"], ["IN_PROGRESS"], "IN_PROGRESS"),
    ],
)
def test_a_day_is_what_runs_else_what_is_to_come_else_what_was_done(
    planned: list[str], workouts: list[str], status: str
) -> None:
    found = day_status([PlannedWorkoutStatus(each) for each in planned], [WorkoutStatus(each) for each in workouts])
    assert found == TrainingDayStatus(status)


def test_exercises_and_days_are_read_as_they_were_written() -> None:
    plan = Plan(sets=3, least_reps=6, most_reps=8, weight_kg=Decimal("62.50"), increment_kg=Decimal("2.5"))
    of_max = Plan(sets=1, percent=Decimal(85), training_max_kg=Decimal("142.50"), formula=OneRepMaxFormula.WATHAN)
    exercises = tuple(PlannedExercise(exercise_id="bench", plan=each) for each in (plan, of_max, Plan(sets=1)))
    assert decode_exercises(encode_exercises(exercises)) == exercises
    day = RoutineDay(weekday=Weekday.TUESDAY, name="Push", time_of_day=time(18, 30), minutes=60, exercises=exercises)
    assert decode_days(encode_days([day, RoutineDay()])) == (day, RoutineDay())


def refusals(schedule: RoutineSchedule, *days: RoutineDay) -> list[str]:
    checks = Checks()
    check_routine(checks, "Split", schedule, days)
    return [field for field, _ in checks.violations]


def test_what_no_routine_can_be_is_refused_with_its_place() -> None:
    push, rest = RoutineDay(name="Push"), RoutineDay()
    monday = RoutineDay(weekday=Weekday.MONDAY, name="Push")
    assert refusals(RoutineSchedule.CYCLE, push, rest) == []
    assert refusals(RoutineSchedule.WEEKDAYS, monday, monday) == []
    assert refusals(RoutineSchedule.CYCLE, push, monday) == ["days.1.weekday"]
    assert refusals(RoutineSchedule.WEEKDAYS, monday, push) == ["days.1.weekday"]
    assert refusals(RoutineSchedule.WEEKDAYS, monday, RoutineDay(weekday=Weekday.SUNDAY)) == ["days.1.name"]
    assert refusals(RoutineSchedule.CYCLE, push, RoutineDay(minutes=30)) == ["days.1.name"]
    assert refusals(RoutineSchedule.CYCLE, rest) == ["days"]
    assert refusals(RoutineSchedule.CYCLE) == ["days"]
    assert refusals(RoutineSchedule.WEEKDAYS, *[monday] * 5) == ["days"]
    assert refusals(RoutineSchedule.CYCLE, *[push] * 29) == ["days"]
    assert refusals(RoutineSchedule.CYCLE, RoutineDay(name="x", minutes=1_441)) == ["days.0.minutes"]
    bench = PlannedExercise(exercise_id="bench", plan=Plan(sets=0))
    assert refusals(RoutineSchedule.CYCLE, RoutineDay(name="x", exercises=(bench,))) == ["days.0.exercises.0.sets"]


def test_a_routine_is_put_on_weeks_to_come_within_a_year() -> None:
    today = date(2026, 3, 2)
    for days, use, refused in (
        (cycle([True, False]), (today, 26, 2), []),
        (cycle([True, False]), (today, 27, 1), ["weeks"]),
        (cycle([True, False]), (today, 0, 1), ["weeks"]),
        (cycle([True, False]), (today, 10**9, 1), ["weeks"]),
        (cycle([True, False]), (today, 1, 3), ["firstDay"]),
        (week([Weekday.MONDAY, Weekday.FRIDAY]), (today, 1, 2), ["firstDay"]),
        (cycle([True]), (today - timedelta(days=1), 1, 1), ["from"]),
        (cycle([True]), (today + timedelta(days=360), 1, 1), []),
        (cycle([True]), (today + timedelta(days=361), 1, 1), ["weeks"]),
    ):
        checks = Checks()
        check_use(checks, days, use, today)
        assert [field for field, _ in checks.violations] == refused, use
