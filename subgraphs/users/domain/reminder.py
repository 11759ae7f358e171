"""When a reminder is due: by the clock of the person, on chosen days of the week. Pure."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo

from subgraphs.shell.calendar import Weekday, instant_of_clock, weekday_of
from subgraphs.shell.errors import Checks

MOST_REMINDERS = 20
#: What could not be sent in time is sent up to so late, and then not at all.
MOST_LATE = timedelta(hours=1)
#: The report of a week is told of on the morning after it, or up to so much later.
REPORT_CLOCK = time(8)
MOST_LATE_REPORT = timedelta(days=2)


class ReminderKind(StrEnum):
    LOG_BREAKFAST = "LOG_BREAKFAST"
    LOG_LUNCH = "LOG_LUNCH"
    LOG_DINNER = "LOG_DINNER"
    DRINK = "DRINK"
    WEIGH_IN = "WEIGH_IN"
    TRAIN = "TRAIN"


class Logged(StrEnum):
    """What can have been logged on a day, so that nobody need be reminded of it. Meals are told apart by their slot."""

    BREAKFAST = "BREAKFAST"
    LUNCH = "LUNCH"
    DINNER = "DINNER"
    WATER = "WATER"
    WEIGHT = "WEIGHT"
    WORKOUT = "WORKOUT"


#: What makes a reminder needless.
WHAT_IS_LOGGED = {
    ReminderKind.LOG_BREAKFAST: Logged.BREAKFAST,
    ReminderKind.LOG_LUNCH: Logged.LUNCH,
    ReminderKind.LOG_DINNER: Logged.DINNER,
    ReminderKind.DRINK: Logged.WATER,
    ReminderKind.WEIGH_IN: Logged.WEIGHT,
    ReminderKind.TRAIN: Logged.WORKOUT,
}


@dataclass(frozen=True, slots=True)
class Due:
    """The next time: the person's calendar day, and the instant."""

    day: date
    at: datetime


def next_due(
    clock: time, weekdays: Collection[Weekday], zone: str, *, after: datetime, last_day: date | None
) -> Due | None:
    """The first time after an instant at which clocks in `zone` show `clock` on one of the days; None for no days.

    Days up to `last_day` are done, so a person who moves west is not told twice of one day. A clock that is shown twice counts
    the first time, one that is skipped at the end of the gap.
    """
    first = after.astimezone(ZoneInfo(zone)).date() - timedelta(days=1)
    if last_day is not None:
        first = max(first, last_day + timedelta(days=1))
    for offset in range(10):  # a week, and what a zone's day may be ahead
        day = first + timedelta(days=offset)
        if weekday_of(day) in weekdays:
            at = instant_of_clock(day, clock, zone)
            if at > after:
                return Due(day, at)
    return None


def report_due(week: date, zone: str, day_start_hour: int) -> datetime:
    """When the report of the week that began on a day is told of: on the morning after it, or once its last day is over, if that
    is later.
    """
    clock = max(REPORT_CLOCK, REPORT_CLOCK.replace(hour=day_start_hour))
    return instant_of_clock(week + timedelta(days=7), clock, zone)


def check_weekdays(checks: Checks, weekdays: Collection[Weekday]) -> None:
    checks.require(1 <= len(weekdays) <= len(Weekday), "weekdays", "must name 1 to 7 days")


def in_order(weekdays: Collection[Weekday]) -> list[Weekday]:
    """Each once, from Monday."""
    return [day for day in Weekday if day in weekdays]
