"""A person's calendar: which day an instant belongs to, where a week begins, which zones and instants there are.

The one place for these rules. Every subgraph's rules, commands and queries ask here, and `scalars` for what crosses the API.
"""

from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from functools import cache
from importlib.resources import files
from zoneinfo import ZoneInfo

from subgraphs.shell.errors import Checks

#: Years of days and instants that a client may name. Arithmetic with zones, weeks and decades stays within `date`.
FIRST_YEAR = 1900
LAST_YEAR = 2200
#: Clocks of phones run ahead a little: an instant up to this far in the future is taken for now.
CLOCK_TOLERANCE = timedelta(minutes=5)
#: The latest hour at which a person's day may begin.
LATEST_DAY_START = 12
#: How far clocks are behind UTC at most.
_CLOCKS_BEHIND = timedelta(hours=12)
_LATEST_START = timedelta(hours=LATEST_DAY_START)


class WeekStart(StrEnum):
    MONDAY = "MONDAY"
    SATURDAY = "SATURDAY"
    SUNDAY = "SUNDAY"


class Weekday(StrEnum):
    """In the order in which `date.weekday` counts."""

    MONDAY = "MONDAY"
    TUESDAY = "TUESDAY"
    WEDNESDAY = "WEDNESDAY"
    THURSDAY = "THURSDAY"
    FRIDAY = "FRIDAY"
    SATURDAY = "SATURDAY"
    SUNDAY = "SUNDAY"


_DAYS_OF_WEEK = tuple(Weekday)
#: As `date.weekday` counts.
_WEEKDAYS = {WeekStart.MONDAY: 0, WeekStart.SATURDAY: 5, WeekStart.SUNDAY: 6}


def local_date(at: datetime, time_zone: str, day_start_hour: int) -> date:
    """The person's calendar day of an instant; the hours before the day's start belong to the day before.

    A day begins when clocks show its start the first time: where they go back from after it to before it, it goes on.
    """
    shown = at.astimezone(ZoneInfo(time_zone))
    day = (shown.replace(tzinfo=None) - timedelta(hours=day_start_hour)).date()
    is_shown_again = shown.fold == 1
    if is_shown_again and instant_of_clock(day + timedelta(days=1), time(day_start_hour), time_zone) <= at:
        return day + timedelta(days=1)
    return day


def latest_day(now: datetime) -> date:
    """The latest calendar day that has begun somewhere on Earth, which is where clocks are 14 hours ahead of UTC."""
    return (now.astimezone(UTC) + timedelta(hours=14)).date()


def check_day_of(checks: Checks, day: date | None, at: datetime, field: str) -> None:
    """Whether somebody's calendar has the instant on this day, with some clock on Earth and some start of the day."""
    earliest = (at.astimezone(UTC) - _CLOCKS_BEHIND - _LATEST_START).date()
    checks.require(
        day is None or earliest <= day <= latest_day(at), field, "must be the moment's day, by some clock on Earth"
    )


def same_clock_on(day: date, at: datetime, zone: str, day_start_hour: int, *, zone_of_at: str) -> datetime:
    """The instant of the person's calendar day `day` at which the clock shows what it showed at `at` in `zone_of_at`.

    A clock before the day's start is of the night after it. Where clocks skip that hour it is an hour later, or earlier
    if that would be another day.
    """
    clock = at.astimezone(ZoneInfo(zone_of_at)).time()
    date_of_clock = day if clock.hour >= day_start_hour else day + timedelta(days=1)
    wall_clock = datetime.combine(date_of_clock, clock, ZoneInfo(zone))
    later, earlier = (wall_clock.replace(fold=fold).astimezone(UTC) for fold in (0, 1))
    return later if local_date(later, zone, day_start_hour) == day else earlier


def instant_of_clock(day: date, clock: time, zone: str) -> datetime:
    """The instant at which clocks in `zone` show `clock` on `day`, whatever hour a person's day begins at.

    Of a clock that they show twice it is the first time; of one that they skip, the first moment after the gap.
    """
    wall_clock = datetime.combine(day, clock, ZoneInfo(zone))
    # Of a skipped clock, what the offset before the gap makes of it is after the gap, and what the offset after it makes
    # is before: the gap's end is between the two.
    latest, earliest = (wall_clock.replace(fold=fold).astimezone(UTC) for fold in (0, 1))
    if latest.astimezone(ZoneInfo(zone)).replace(tzinfo=None, fold=0) == wall_clock.replace(tzinfo=None):
        return latest
    offset = latest.astimezone(ZoneInfo(zone)).utcoffset()
    before, after = int(earliest.timestamp()), int(latest.timestamp())
    while after - before > 1:
        middle = (before + after) // 2
        if datetime.fromtimestamp(middle, ZoneInfo(zone)).utcoffset() == offset:
            after = middle
        else:
            before = middle
    return datetime.fromtimestamp(after, UTC)


def first_day_of_week(day: date, week_start: WeekStart = WeekStart.MONDAY) -> date:
    """The day on which the week of `day` began."""
    return day - timedelta(days=(day.weekday() - _WEEKDAYS[week_start]) % 7)


def weekday_of(day: date) -> Weekday:
    return _DAYS_OF_WEEK[day.weekday()]


def is_time_zone(name: str) -> bool:
    """Whether the IANA database lists this zone. A machine's own names, such as localtime, mean something else elsewhere."""
    return name in time_zones()


def check_time_zone(checks: Checks, name: str, field: str) -> None:
    checks.require(is_time_zone(name), field, "must be an IANA time zone such as Europe/Berlin")


@cache
def time_zones() -> frozenset[str]:
    """The names that the IANA database lists, links such as Asia/Calcutta included."""
    listed = files("tzdata").joinpath("zones").read_text(encoding="utf-8").split()
    return frozenset(listed) - {"Factory"}  # the zone of a machine that nobody has told where it stands


def check_instant(checks: Checks, at: datetime, now: datetime, field: str) -> None:
    """When something was done: not in the future, and in a year that days are counted in."""
    checks.require(at <= now + CLOCK_TOLERANCE, field, "must not be in the future")
    checks.require(at.year >= FIRST_YEAR, field, f"must be in {FIRST_YEAR} or later")
