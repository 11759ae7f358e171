"""The person's calendar: days, weeks and the zones that there are."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from subgraphs.shell.calendar import WeekStart, first_day_of_week, is_time_zone, local_date, same_clock_on


@pytest.mark.parametrize(
    ("at", "zone", "day_start", "day"),
    [
        ((2026, 3, 1, 23, 30), "UTC", 0, (2026, 3, 1)),
        ((2026, 3, 1, 23, 30), "Europe/Berlin", 0, (2026, 3, 2)),
        ((2026, 3, 1, 23, 30), "Europe/Berlin", 4, (2026, 3, 1)),
        ((2026, 3, 2, 3, 0), "Europe/Berlin", 4, (2026, 3, 2)),
        ((2026, 3, 1, 9, 30), "Pacific/Honolulu", 0, (2026, 2, 28)),
        ((2026, 3, 1, 11, 30), "Pacific/Kiritimati", 0, (2026, 3, 2)),
        # the night in which two o'clock becomes three, and the one in which three becomes two
        ((2026, 3, 29, 0, 59), "Europe/Berlin", 2, (2026, 3, 28)),
        ((2026, 3, 29, 1, 0), "Europe/Berlin", 2, (2026, 3, 29)),
        ((2026, 10, 25, 0, 30), "Europe/Berlin", 3, (2026, 10, 24)),
        ((2026, 10, 25, 1, 59), "Europe/Berlin", 3, (2026, 10, 24)),
        ((2026, 10, 25, 2, 0), "Europe/Berlin", 3, (2026, 10, 25)),
        # a quarter to four becomes a quarter to three: the day that began at three goes on
        ((2026, 4, 4, 13, 14), "Pacific/Chatham", 3, (2026, 4, 4)),
        ((2026, 4, 4, 13, 15), "Pacific/Chatham", 3, (2026, 4, 5)),
        ((2026, 4, 4, 14, 0), "Pacific/Chatham", 3, (2026, 4, 5)),
        ((2026, 4, 4, 14, 0), "Pacific/Chatham", 4, (2026, 4, 4)),
    ],
)
def test_an_instant_belongs_to_the_day_of_the_persons_wall_clock(
    at: tuple[int, int, int, int, int], zone: str, day_start: int, day: tuple[int, int, int]
) -> None:
    assert local_date(datetime(*at, tzinfo=UTC), zone, day_start) == date(*day)


@pytest.mark.parametrize(
    ("name", "known"),
    [
        ("Europe/Berlin", True),
        ("UTC", True),
        ("Mars/Olympus", False),
        ("", False),
        ("../etc/passwd", False),
        ("Europe", False),
        ("Asia/Calcutta", True),
        ("localtime", False),
        ("posixrules", False),
        ("Factory", False),
        ("posix/Europe/Berlin", False),
        ("europe/berlin", False),
        ("Europe/Berlin\0", False),
    ],
)
def test_time_zones_are_those_that_the_iana_database_lists(name: str, known: bool) -> None:
    assert is_time_zone(name) is known


@pytest.mark.parametrize(
    ("week_start", "first"), [(WeekStart.MONDAY, 2), (WeekStart.SATURDAY, 7), (WeekStart.SUNDAY, 8)]
)
def test_a_week_begins_where_the_person_says(week_start: WeekStart, first: int) -> None:
    days = [date(2026, 3, first + offset) for offset in range(7)]
    assert {first_day_of_week(day, week_start) for day in days} == {days[0]}


@pytest.mark.parametrize(
    "zone", ["Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Asia/Kolkata", "Pacific/Apia"]
)
@pytest.mark.parametrize("day_start", [0, 3, 12])
def test_the_same_clock_on_another_day_is_of_that_day_however_clocks_change(zone: str, day_start: int) -> None:
    for hours in range(0, 24 * 3, 7):
        at = datetime(2025, 1, 15, tzinfo=UTC) + timedelta(hours=hours, minutes=hours)
        clock = at.astimezone(ZoneInfo("Asia/Tokyo")).time()
        for day in (date(2025, 1, 1) + timedelta(days=number) for number in range(365)):
            there = same_clock_on(day, at, zone, day_start, zone_of_at="Asia/Tokyo")
            assert local_date(there, zone, day_start) == day
            off = datetime.combine(day, there.astimezone(ZoneInfo(zone)).time()) - datetime.combine(day, clock)
            assert abs(off) <= timedelta(hours=1) or abs(off) >= timedelta(hours=23)
