"""When a reminder of a planned workout is due: before its time, by the clock of its person, and not in the person's quiet. Pure."""

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

from subgraphs.shell.calendar import instant_of_clock
from subgraphs.shell.errors import Checks
from subgraphs.users.domain.notification_preference import Quiet, WorkoutReminders, quiet_end
from subgraphs.users.domain.reminder import MOST_LATE

LONGEST_MINUTES = 1_440
#: So many days after its own a plan is ahead of nobody any more, whatever the zone.
KEPT_DAYS = 2
MOST_SHOWN = 10


@dataclass(frozen=True, slots=True)
class WorkoutDue:
    """When a planned workout is to be reminded of, and until when that makes sense."""

    at: datetime
    until: datetime


def workout_due(
    day: date, clock: time | None, zone: str, wanted: WorkoutReminders, quiet: Quiet | None
) -> WorkoutDue | None:
    """When to remind of a workout that is planned for `day`, at `clock` or at any time; None where no reminder is wanted.

    So many minutes, of elapsed time, before it begins; of one without a time when the clock shows what its person chose. What
    would come in the quiet comes when that ends, unless the workout has begun by then, or its day is over: such a reminder
    stays where it was, and goes into the list only.
    """
    if clock is None:
        if wanted.time_of_day is None:
            return None
        at = instant_of_clock(day, wanted.time_of_day, zone)
        latest = instant_of_clock(day + timedelta(days=1), time(0), zone) - timedelta(minutes=1)
    else:
        if wanted.minutes_before is None:
            return None
        latest = instant_of_clock(day, clock, zone)
        at = latest - timedelta(minutes=wanted.minutes_before)
    end = quiet_end(quiet, zone, at)
    if end is not None and end <= latest:
        at = end
    return WorkoutDue(at, until(day, clock, zone, at))


def until(day: date, clock: time | None, zone: str, at: datetime) -> datetime:
    """Until when it makes sense to remind of a workout that was to be reminded of at `at`: an hour, and until it begins."""
    return at + MOST_LATE if clock is None else max(instant_of_clock(day, clock, zone), at + MOST_LATE)


def check_minutes(checks: Checks, minutes: int | None) -> None:
    fits = minutes is None or 0 <= minutes <= LONGEST_MINUTES
    checks.require(fits, "workoutReminderMinutes", f"must be from 0 to {LONGEST_MINUTES}, or null")
