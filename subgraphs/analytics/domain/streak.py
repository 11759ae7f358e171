"""How long a habit has held: days with a meal logged, weeks with enough workouts. Today and this week may still come.

What is kept of a habit are its runs: stretches of days, or of weeks, that all kept it. They are disjoint and never adjacent.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum
from typing import NamedTuple

from subgraphs.shell.calendar import WeekStart, first_day_of_week

WORKOUTS_A_WEEK = 3


class Habit(StrEnum):
    """What is kept day by day or week by week. Weeks begin where the person's do, which can change: there is one each."""

    MEALS = "MEALS"
    WORKOUTS_MONDAY = "WORKOUTS_MONDAY"
    WORKOUTS_SATURDAY = "WORKOUTS_SATURDAY"
    WORKOUTS_SUNDAY = "WORKOUTS_SUNDAY"

    @property
    def step(self) -> timedelta:
        """From one unit, a day or a week's first day, to the next."""
        return timedelta(days=1 if self is Habit.MEALS else 7)

    def unit_of(self, day: date) -> date:
        """The day itself, or the first day of its week."""
        return day if self is Habit.MEALS else first_day_of_week(day, WeekStart(self.removeprefix("WORKOUTS_")))


def workouts_habit(week_start: WeekStart) -> Habit:
    return Habit(f"WORKOUTS_{week_start}")


class Run(NamedTuple):
    """Units in a row that kept a habit, both ends included."""

    first: date
    last: date

    def length(self, habit: Habit) -> int:
        """How many units it has."""
        return (self.last - self.first) // habit.step + 1


@dataclass(frozen=True, slots=True)
class Streak:
    """The running length, the longest ever, and the last day or week's first day that counted."""

    current: int
    longest: int
    last: date | None


def settle_runs(habit: Habit, runs: Iterable[Run], kept: Mapping[date, bool]) -> list[Run]:
    """The runs after some units turned out to be kept or not, in order.

    `runs` are those that these units may touch: every run with one of them inside or next to it.
    """
    step = habit.step
    pieces = [Run(unit, unit) for unit, is_kept in kept.items() if is_kept]
    units = sorted(kept)
    for run in runs:  # is cut at each of the units; those that are kept close the gap again
        first = run.first
        for unit in units[bisect_left(units, run.first) : bisect_right(units, run.last)]:
            if first < unit:
                pieces.append(Run(first, unit - step))
            first = unit + step
        if first <= run.last:
            pieces.append(Run(first, run.last))
    settled: list[Run] = []
    for piece in sorted(pieces):
        if settled and piece.first - settled[-1].last == step:
            settled[-1] = Run(settled[-1].first, piece.last)
        else:
            settled.append(piece)
    return settled


def streak(habit: Habit, newest: Run | None, longest: int, today: date) -> Streak:
    """Of the newest run and the longest one's length. A unit still running does not break it before it is over."""
    if newest is None:
        return Streak(0, 0, None)
    runs_on = newest.last >= habit.unit_of(today) - habit.step
    return Streak(newest.length(habit) if runs_on else 0, longest, newest.last)
