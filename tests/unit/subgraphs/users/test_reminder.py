"""Reminders keep to the clock of their person: over changes of summer time, and over moves between zones."""

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from subgraphs.shell.calendar import Weekday, instant_of_clock
from subgraphs.users.domain.reminder import WHAT_IS_LOGGED, ReminderKind, in_order, next_due

EVERY_DAY = tuple(Weekday)
# An hour, half an hour and none; north, south, and beyond the date line.
ZONES = ("Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Asia/Kolkata", "Pacific/Chatham")


@pytest.mark.parametrize(
    ("zone", "day", "clock", "instant"),
    [
        ("Europe/Berlin", "2026-03-29", "01:59", "2026-03-29T00:59:00"),
        ("Europe/Berlin", "2026-03-29", "02:00", "2026-03-29T01:00:00"),  # the gap is from 02:00 to 03:00
        ("Europe/Berlin", "2026-03-29", "02:30", "2026-03-29T01:00:00"),
        ("Europe/Berlin", "2026-03-29", "03:00", "2026-03-29T01:00:00"),
        ("Europe/Berlin", "2026-10-25", "02:30", "2026-10-25T00:30:00"),  # twice: the first time
        ("America/New_York", "2026-03-08", "02:30", "2026-03-08T07:00:00"),
        ("America/Santiago", "2026-09-06", "00:00", "2026-09-06T04:00:00"),  # a day that begins at one o'clock
        ("Australia/Lord_Howe", "2026-10-04", "02:15", "2026-10-03T15:30:00"),  # half an hour
        ("Pacific/Apia", "2011-12-30", "08:00", "2011-12-30T10:00:00"),  # a day that never was
        ("Asia/Kolkata", "2026-03-29", "02:30", "2026-03-28T21:00:00"),
    ],
)
def test_a_clock_of_a_day_is_one_instant(zone: str, day: str, clock: str, instant: str) -> None:
    found = instant_of_clock(date.fromisoformat(day), time.fromisoformat(clock), zone)
    assert found == datetime.fromisoformat(instant).replace(tzinfo=UTC)


@given(
    zone=st.sampled_from(ZONES),
    clock=st.times(timezones=st.none()).map(lambda each: each.replace(second=0, microsecond=0, fold=0)),
    start=st.datetimes(datetime(2025, 1, 1), datetime(2027, 12, 1), timezones=st.just(UTC)),  # noqa: DTZ001
    weekdays=st.sets(st.sampled_from(EVERY_DAY), min_size=1),
)
def test_every_chosen_day_has_one_time_whatever_the_clocks_do(
    zone: str, clock: time, start: datetime, weekdays: set[Weekday]
) -> None:
    days, after, last_day = [], start, None
    for _ in range(60):
        due = next_due(clock, weekdays, zone, after=after, last_day=last_day)
        assert due is not None
        assert due.at > after
        shown = due.at.astimezone(ZoneInfo(zone))
        assert (shown.date(), shown.time().replace(fold=0) >= clock, shown.fold) == (due.day, True, 0)
        days.append(due.day)
        after, last_day = due.at, due.day
    expected = [
        day
        for day in (days[0] + timedelta(days=offset) for offset in range((days[-1] - days[0]).days + 1))
        if EVERY_DAY[day.weekday()] in weekdays
    ]
    assert days == expected


@given(
    zones=st.lists(st.sampled_from((*ZONES, "Pacific/Kiritimati", "Pacific/Honolulu")), min_size=2, max_size=20),
    clock=st.times(timezones=st.none()).map(lambda each: each.replace(second=0, microsecond=0, fold=0)),
    hours=st.lists(st.integers(1, 30), min_size=20, max_size=20),
)
def test_whoever_moves_between_zones_is_told_once_of_each_day(zones: list[str], clock: time, hours: list[int]) -> None:
    now, told, last_day = datetime(2026, 3, 20, tzinfo=UTC), list[date](), None
    for zone, stay in zip(zones, hours, strict=False):
        end = now + timedelta(hours=stay)
        while (due := next_due(clock, EVERY_DAY, zone, after=now, last_day=last_day)) is not None and due.at <= end:
            told.append(due.day)
            now, last_day = due.at, due.day
        now = end
    assert told == sorted(set(told))


def test_no_day_is_never_and_days_are_told_in_their_order() -> None:
    assert next_due(time(8), [], "UTC", after=datetime(2026, 3, 1, tzinfo=UTC), last_day=None) is None
    assert in_order([Weekday.SUNDAY, Weekday.MONDAY, Weekday.MONDAY]) == [Weekday.MONDAY, Weekday.SUNDAY]
    assert set(WHAT_IS_LOGGED) == set(ReminderKind)
