"""A zone's days divide time, whatever its clocks do; and what somebody says of a day fits the clocks of some place on Earth."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from subgraphs.shell.calendar import (
    WeekStart,
    check_day_of,
    first_day_of_week,
    instant_of_clock,
    latest_day,
    local_date,
    time_zones,
)
from subgraphs.shell.day_range import DayRange
from subgraphs.shell.errors import Checks
from subgraphs.users.domain.account import LATEST_DAY_START
from tests.testkit.zones import CHANGING, ZONES, changes_of, day_starts, days_of_change, near_changes

DAY = timedelta(days=1)
any_zone = st.sampled_from(sorted(time_zones()))
instants = st.datetimes(datetime(2000, 1, 1), datetime(2037, 12, 31), timezones=st.just(UTC))  # noqa: DTZ001


def begins(day: date, zone: str, day_start: int) -> datetime:
    return instant_of_clock(day, time(day_start), zone)


def test_the_zones_change_their_clocks_as_the_tests_say() -> None:
    assert {zone: len(changes_of(zone)) for zone in ZONES} == {zone: 2 if zone in CHANGING else 0 for zone in ZONES}
    assert days_of_change("Europe/Berlin") == [date(2026, 3, 29), date(2026, 10, 25)]
    assert changes_of("Australia/Lord_Howe")[0] == datetime(2026, 4, 4, 15, tzinfo=UTC)


@given(near=near_changes, day_start=day_starts)
def test_an_instant_is_of_the_one_day_that_has_begun_and_is_not_over(
    near: tuple[str, datetime], day_start: int
) -> None:
    zone, at = near
    day = local_date(at, zone, day_start)
    assert begins(day, zone, day_start) <= at < begins(day + DAY, zone, day_start)


@pytest.mark.parametrize(
    ("zone", "change"),
    [
        ("Pacific/Chatham", datetime(2026, 4, 4, 14, tzinfo=UTC)),  # from 03:45 to 02:45
        ("America/St_Johns", datetime(2010, 11, 7, 2, 31, tzinfo=UTC)),  # from 00:01 to 23:01 of the day before
        ("Antarctica/Troll", datetime(2026, 10, 25, 1, tzinfo=UTC)),  # from 03:00 to 01:00
        ("Antarctica/Casey", datetime(2010, 3, 4, 15, tzinfo=UTC)),  # from 02:00 to 23:00 of the day before
    ],
)
@pytest.mark.parametrize("day_start", range(4))
def test_a_day_that_has_begun_goes_on_where_clocks_go_back_to_before_its_beginning(
    zone: str, change: datetime, day_start: int
) -> None:
    around = [change + timedelta(minutes=minutes) for minutes in range(-400, 400)]
    days = [local_date(at, zone, day_start) for at in around]
    assert days == sorted(days)
    for at, day in zip(around, days, strict=True):
        assert begins(day, zone, day_start) <= at < begins(day + DAY, zone, day_start)


@pytest.mark.parametrize("zone", ZONES)
@pytest.mark.parametrize("day_start", [0, 2, 3, 12])
def test_a_year_has_one_short_and_one_long_day_where_clocks_change_and_none_elsewhere(
    zone: str, day_start: int
) -> None:
    starts = [begins(date(2026, 1, 1) + number * DAY, zone, day_start) for number in range(366)]
    off = [later - earlier - DAY for earlier, later in pairwise(starts) if later - earlier != DAY]
    shift = timedelta(minutes=30 if zone == "Australia/Lord_Howe" else 60)
    # on the Chatham Islands clocks skip 02:45 to 03:45, so of two days that would begin at three each is a part of the hour short
    parts = 2 if (zone, day_start) == ("Pacific/Chatham", 3) else 1
    short, long = [each for each in off if each < timedelta(0)], [each for each in off if each > timedelta(0)]
    assert (len(short), len(long)) == ((parts, 1) if zone in CHANGING else (0, 0))
    assert (sum(short, timedelta(0)), sum(long, timedelta(0))) == (
        (-shift, shift) if zone in CHANGING else (DAY * 0, DAY * 0)
    )


@given(near=near_changes, minutes=st.integers(0, 4320), day_start=day_starts)
def test_later_instants_are_of_the_same_day_or_a_later_one(
    near: tuple[str, datetime], minutes: int, day_start: int
) -> None:
    zone, at = near
    later = at + timedelta(minutes=minutes)
    assert local_date(at, zone, day_start) <= local_date(later, zone, day_start)


@given(near=near_changes, clocks=st.tuples(st.times(), st.times()), days=st.tuples(*[st.integers(-2, 2)] * 2))
def test_later_clocks_are_later_instants_or_the_same_where_clocks_skip_them(
    near: tuple[str, datetime], clocks: tuple[time, time], days: tuple[int, int]
) -> None:
    zone, at = near
    shown = at.astimezone(ZoneInfo(zone)).date()
    told = [(shown + number * DAY, clock.replace(microsecond=0)) for number, clock in zip(days, clocks, strict=True)]
    earlier, later = (instant_of_clock(day, clock, zone) for day, clock in sorted(told))
    assert earlier <= later


def test_samoa_never_had_the_day_that_it_skipped() -> None:
    zone, skipped = "Pacific/Apia", date(2011, 12, 30)
    assert begins(skipped, zone, 0) == begins(skipped + DAY, zone, 0)
    start = datetime(2011, 12, 28, tzinfo=UTC)
    days = {local_date(start + timedelta(minutes=10 * number), zone, 0) for number in range(6 * 96)}
    assert days == {skipped - 3 * DAY, skipped - 2 * DAY, skipped - DAY, skipped + DAY, skipped + 2 * DAY}


@given(at=instants, zone=any_zone, day_start=day_starts)
def test_the_day_of_any_clock_on_earth_may_be_told_and_has_begun_somewhere(
    at: datetime, zone: str, day_start: int
) -> None:
    day = local_date(at, zone, day_start)
    checks = Checks()
    check_day_of(checks, day, at, "localDate")
    assert checks.violations == []
    assert day <= latest_day(at)


@given(at=instants)
def test_no_day_may_be_told_but_those_between_the_clock_farthest_west_and_the_one_farthest_east(at: datetime) -> None:
    for hour in range(24):
        moment = at.replace(hour=hour)
        earliest, latest = (
            local_date(moment, "Etc/GMT+12", LATEST_DAY_START),
            local_date(moment, "Pacific/Kiritimati", 0),
        )
        assert latest_day(moment) == latest
        for offset in range(-4, 5):
            day, checks = moment.date() + offset * DAY, Checks()
            check_day_of(checks, day, moment, "localDate")
            assert (checks.violations == []) == (earliest <= day <= latest)


@given(at=instants, offset=st.integers(-4, 4), first=st.integers(-3, 0), last=st.integers(0, 3))
def test_a_range_of_days_finds_whatever_may_be_told_to_be_of_one_of_them(
    at: datetime, offset: int, first: int, last: int
) -> None:
    day, checks = at.date() + offset * DAY, Checks()
    check_day_of(checks, day, at, "localDate")
    if not checks.violations:
        keys = DayRange(day + first * DAY, day + last * DAY).keys
        assert keys["not_before"] <= at <= keys["not_after"]


@given(at=instants, zones=st.tuples(any_zone, any_zone), day_start=day_starts)
def test_a_move_is_two_days_at_the_most_and_one_between_clocks_that_are_a_day_apart_or_less(
    at: datetime, zones: tuple[str, str], day_start: int
) -> None:
    here, there = (local_date(at, zone, day_start) for zone in zones)
    offsets = [at.astimezone(ZoneInfo(zone)).utcoffset() or timedelta(0) for zone in zones]
    assert abs((there - here).days) <= (1 if abs(offsets[0] - offsets[1]) <= DAY else 2)


@given(near=near_changes, day_start=day_starts, week_start=st.sampled_from(list(WeekStart)))
def test_a_week_has_its_seven_days_whatever_the_clocks_do(
    near: tuple[str, datetime], day_start: int, week_start: WeekStart
) -> None:
    zone, at = near
    first = first_day_of_week(local_date(at, zone, day_start), week_start)
    assert begins(first, zone, day_start) <= at < begins(first + 7 * DAY, zone, day_start)
    days = {first + number * DAY for number in range(7)}
    assert {first_day_of_week(day, week_start) for day in days} == {first}
    assert first_day_of_week(first - DAY, week_start) == first - 7 * DAY
