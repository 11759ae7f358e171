"""Training over changes of the clocks and over flights: a workout's day and length, loads by day, heart rates that hold, ages."""

from __future__ import annotations

from collections import Counter
from datetime import date, datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

from hypothesis import given
from hypothesis import strategies as st

from subgraphs.shell.calendar import local_date
from subgraphs.shell.physiology import HeartRateKind, age_years
from subgraphs.workouts.commands.workout import NewWorkout, new_row
from subgraphs.workouts.domain.heart_rate import Heart, HeartRateSource, HeldRate, rate_at_rest
from subgraphs.workouts.domain.pause import Pause, minutes_without_pauses
from subgraphs.workouts.domain.training_load import daily_loads
from subgraphs.workouts.domain.workout import minutes_between
from tests.testkit.zones import ZONES, Journey, day_starts, journeys, near_changes

DAY = timedelta(days=1)
MINUTE = timedelta(minutes=1)


@given(near=near_changes, home=st.sampled_from(ZONES), day_start=day_starts)
def test_a_workout_is_of_the_day_by_the_clock_of_where_it_began(
    near: tuple[str, datetime], home: str, day_start: int
) -> None:
    zone, at = near
    there = new_row(
        "p", NewWorkout(name="Run", started_at=at, time_zone=zone), time_zone=home, day_start_hour=day_start
    )
    assert (there.local_date, there.time_zone) == (local_date(at, zone, day_start), zone)
    here = new_row("p", NewWorkout(name="Run", started_at=at), time_zone=home, day_start_hour=day_start)
    assert (here.local_date, here.time_zone) == (local_date(at, home, day_start), home)


@given(near=near_changes, elsewhere=st.sampled_from(ZONES), minutes=st.integers(1, 1440), paused=st.integers(0, 1440))
def test_a_workout_and_its_pauses_last_the_time_that_passed(
    near: tuple[str, datetime], elsewhere: str, minutes: int, paused: int
) -> None:
    zone, started = near
    ended = started + minutes * MINUTE
    told = [
        datetime.fromisoformat(at.astimezone(ZoneInfo(there)).isoformat())
        for at, there in ((started, zone), (ended, elsewhere))
    ]
    assert minutes_between(*told) == minutes
    rest = Pause(started, started + min(paused, minutes) * MINUTE)
    assert minutes_without_pauses([rest] if paused else [], *told) == minutes - min(paused, minutes)


@given(journey=journeys())
def test_loads_of_a_journey_are_each_of_one_day_and_add_up(journey: Journey) -> None:
    loads = {day: Decimal(100 * count) for day, count in Counter(tick.day for tick in journey.ticks).items()}
    found = daily_loads(loads, min(loads), max(loads))
    assert sum(each.load for each in found) == 100 * len(journey.ticks)
    assert [each.day for each in found] == [min(loads) + number * DAY for number in range(len(found))]


@given(near=near_changes, day_start=day_starts, loads=st.lists(st.integers(0, 900), min_size=1, max_size=40))
def test_a_load_fades_by_days_however_long_those_were(
    near: tuple[str, datetime], day_start: int, loads: list[int]
) -> None:
    first, plain = local_date(near[1], near[0], day_start), date(2025, 6, 2)
    found, usual = (
        daily_loads({day + number * DAY: Decimal(load) for number, load in enumerate(loads)}, day, day + 50 * DAY)
        for day in (first, plain)
    )
    assert [(each.acute, each.chronic, each.monotony) for each in found] == [
        (each.acute, each.chronic, each.monotony) for each in usual
    ]


@given(near=near_changes, move=st.sampled_from(ZONES), day_start=day_starts, later=st.integers(1, 9))
def test_a_heart_rate_of_today_holds_from_its_day_on_and_until_that_of_the_next(
    near: tuple[str, datetime], move: str, day_start: int, later: int
) -> None:
    zone, now = near
    since, there = local_date(now, zone, day_start), local_date(now, move, day_start)
    held = [
        HeldRate(HeartRateKind.RESTING, 60, since - 30 * DAY),
        HeldRate(HeartRateKind.RESTING, 50, since),
        HeldRate(HeartRateKind.RESTING, 45, since + later * DAY),
    ]
    for day in (since - 31 * DAY, since - DAY, since, there, since + later * DAY):
        rate = rate_at_rest(Heart(day, None, held), None)
        expected = next((each for each in reversed(held) if each.since <= day), None)
        if expected is None:
            assert rate is None
        else:
            assert rate is not None
            assert (rate.beats_per_minute, rate.source) == (expected.beats_per_minute, HeartRateSource.MEASURED)


@given(near=near_changes, day_start=day_starts, years=st.integers(13, 120))
def test_an_age_grows_on_the_birthday_by_the_person_s_own_day(
    near: tuple[str, datetime], day_start: int, years: int
) -> None:
    zone, now = near
    today = local_date(now, zone, day_start)
    if (today.month, today.day) != (2, 29):
        born = today.replace(year=today.year - years)
        assert (age_years(born, today - DAY), age_years(born, today)) == (years - 1, years)
