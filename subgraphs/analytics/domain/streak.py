"""How long a habit has held: days with a meal logged, weeks with enough workouts. Today and this week may still come."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, timedelta

WORKOUTS_A_WEEK = 3


@dataclass(frozen=True, slots=True)
class Streak:
    """The running length, the longest ever, and the last day or week's first day that counted."""

    current: int
    longest: int
    last: date | None


def daily_streak(days: Collection[date], today: date) -> Streak:
    """Days in a row; a day still running does not break the streak before it is over."""
    return _streak(days, today, step=timedelta(days=1))


def weekly_streak(workouts_by_day: dict[date, int], today: date, needed: int = WORKOUTS_A_WEEK) -> Streak:
    """Weeks (from Monday) in a row with at least `needed` workouts; the running week has until Sunday."""
    by_week: dict[date, int] = {}
    for day, workouts in workouts_by_day.items():
        monday = week_start(day)
        by_week[monday] = by_week.get(monday, 0) + workouts
    kept = {monday for monday, workouts in by_week.items() if workouts >= needed}
    return _streak(kept, week_start(today), step=timedelta(days=7))


def week_start(day: date) -> date:
    return day - timedelta(days=day.weekday())


def _streak(kept: Collection[date], now: date, step: timedelta) -> Streak:
    longest = length = 0
    previous: date | None = None
    for moment in sorted(kept):
        length = length + 1 if previous is not None and moment - previous == step else 1
        longest = max(longest, length)
        previous = moment
    running = previous is not None and previous >= now - step
    return Streak(length if running else 0, longest, previous)
