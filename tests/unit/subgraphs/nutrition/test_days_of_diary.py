"""The diary over changes of the clocks and over flights: a meal's day, the length of a fast, targets and plans by day."""

from __future__ import annotations

from collections import Counter
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from subgraphs.nutrition.commands.meal import NewMeal, new_row
from subgraphs.nutrition.domain.fast import LONGEST_FAST, check_fast, minutes_of
from subgraphs.nutrition.domain.meal import MealSlot
from subgraphs.nutrition.domain.meal_plan import dates_of
from subgraphs.nutrition.domain.target import Target
from subgraphs.nutrition.domain.weekday_target import WeekdayTarget
from subgraphs.shell.calendar import Weekday, instant_of_clock, local_date, weekday_of
from subgraphs.shell.errors import Checks
from subgraphs.shell.replicated_person import PersonRecord
from subgraphs.shell.scalars import SCALARS
from tests.testkit.zones import CHANGING, ZONES, Journey, day_starts, days_of_change, journeys, near_changes

DAY = timedelta(days=1)
MINUTE = timedelta(minutes=1)


def person(zone: str, day_start: int) -> PersonRecord:
    return PersonRecord("p", "P", zone, day_start)


@given(near=near_changes, home=st.sampled_from(ZONES), day_start=day_starts)
def test_a_meal_is_of_the_day_by_the_clock_of_where_it_was_eaten(
    near: tuple[str, datetime], home: str, day_start: int
) -> None:
    zone, at = near
    eaten = new_row(person(home, day_start), NewMeal(slot=MealSlot.LUNCH, at=at, time_zone=zone))
    assert (eaten.local_date, eaten.time_zone) == (local_date(at, zone, day_start), zone)
    at_home = new_row(person(home, day_start), NewMeal(slot=MealSlot.LUNCH, at=at))
    assert (at_home.local_date, at_home.time_zone) == (local_date(at, home, day_start), home)


@given(journey=journeys())
def test_every_meal_of_a_journey_is_of_one_day_of_the_diary(journey: Journey) -> None:
    rows = [
        new_row(person(tick.zone, journey.day_start_hour), NewMeal(slot=MealSlot.SNACK, at=tick.at))
        for tick in journey.ticks
    ]
    assert Counter(row.local_date for row in rows) == Counter(tick.day for tick in journey.ticks)


@pytest.mark.parametrize(
    ("zone", "day", "hours"),
    [
        ("Europe/Berlin", "2026-03-29", "15"),
        ("Europe/Berlin", "2026-10-25", "17"),
        ("America/Santiago", "2026-09-06", "15"),
        ("Australia/Lord_Howe", "2026-10-04", "15.5"),
        ("Asia/Kolkata", "2026-03-29", "16"),
    ],
)
def test_a_fast_from_eight_to_noon_lasts_as_long_as_the_night_was(zone: str, day: str, hours: str) -> None:
    until = date.fromisoformat(day)
    started, ended = instant_of_clock(until - DAY, time(20), zone), instant_of_clock(until, time(12), zone)
    assert minutes_of(started, ended, ended) == Decimal(hours) * 60


@given(near=near_changes, elsewhere=st.sampled_from(ZONES), minutes=st.integers(1, int(LONGEST_FAST / MINUTE)))
def test_a_fast_lasts_the_time_that_passed_whatever_clocks_its_ends_were_told_by(
    near: tuple[str, datetime], elsewhere: str, minutes: int
) -> None:
    zone, started = near
    ended = started + minutes * MINUTE
    # as clients tell them: by the clock of then, with its offset
    instants = [
        SCALARS[datetime].parse_value(at.astimezone(ZoneInfo(there)).isoformat())
        for at, there in ((started, zone), (ended, elsewhere))
    ]
    assert minutes_of(*instants, now=ended + DAY) == minutes
    checks = Checks()
    check_fast(checks, *instants, None, ended)
    assert checks.violations == []


@given(
    zone=st.sampled_from(CHANGING),
    number=st.integers(0, 1),
    offset=st.integers(-4, 4),
    clock=st.times(),
    weekdays=st.sets(st.sampled_from(list(Weekday)), min_size=1, max_size=6),
)
def test_a_target_of_weekdays_is_of_those_days_over_a_change_of_the_clocks(
    zone: str, number: int, offset: int, clock: time, weekdays: set[Weekday]
) -> None:
    day = days_of_change(zone)[number] + offset * DAY
    at = instant_of_clock(day, clock.replace(microsecond=0), zone)
    of_it = WeekdayTarget(weekdays=tuple(weekdays), energy_kcal=Decimal(2500))
    target = Target(Decimal(2000), weekdays=(of_it,)).on(local_date(at, zone, 0))
    shown = at.astimezone(ZoneInfo(zone)).strftime("%A").upper()
    assert target.energy_kcal == (2500 if shown in weekdays else 2000)
    assert weekday_of(day) == shown


@given(near=near_changes, day_start=day_starts, length=st.integers(1, 28), ahead=st.integers(0, 30))
def test_a_plan_of_meals_falls_on_days_in_a_row_from_today_on(
    near: tuple[str, datetime], day_start: int, length: int, ahead: int
) -> None:
    zone, now = near
    today, checks = local_date(now, zone, day_start), Checks()
    dates = dates_of(((),) * length, today + ahead * DAY, 1, None, checks, today)
    assert checks.violations == []
    assert dates == [today + (ahead + number) * DAY for number in range(length)]
    assert not dates_of(((),) * length, today - DAY, 1, None, Checks(), today)
