"""Days on which a streak rests: of a holiday or an illness. They keep a streak and add nothing to it. Pure."""

from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum
from itertools import islice, pairwise

from subgraphs.analytics.domain.streak import Habit, Run, Streak, settle_runs
from subgraphs.shell.errors import Checks

MOST_SPANS = 50
#: Of any so many days in a row, so many may be protected at the most: six weeks a year.
YEAR_DAYS, MOST_DAYS_A_YEAR = 365, 42
#: A week rests when most of it is protected: with four days left, three workouts still have their time.
LEAST_DAYS_OF_A_WEEK = 4
_DAY = timedelta(days=1)


class ProtectionReason(StrEnum):
    HOLIDAY = "HOLIDAY"
    ILLNESS = "ILLNESS"
    OTHER = "OTHER"


@dataclass(frozen=True, slots=True, order=True)
class ProtectedSpan:
    """Days in a row, both ends included, and why."""

    first: date
    last: date
    reason: ProtectionReason

    @property
    def days(self) -> list[date]:
        return [self.first + timedelta(days=n) for n in range((self.last - self.first).days + 1)]


@dataclass(frozen=True, slots=True)
class Protection:
    """A person's spans in order; the version is 0 before the first were set."""

    spans: tuple[ProtectedSpan, ...] = ()
    version: int = 0


def check_spans(checks: Checks, spans: Sequence[ProtectedSpan], today: date) -> None:
    """In the order in which they were sent; the days may be of long ago, and of a year ahead."""
    checks.require(len(spans) <= MOST_SPANS, "spans", f"must be at most {MOST_SPANS}")
    for number, span in enumerate(spans):
        place, length = f"spans.{number}.last", (span.last - span.first).days + 1
        checks.require(length >= 1, place, "must not be before `first`")
        checks.require(length <= MOST_DAYS_A_YEAR, place, f"must be within {MOST_DAYS_A_YEAR} days of `first`")
        checks.require(span.last <= today + timedelta(days=YEAR_DAYS), place, "must be within a year from today")
    if checks.violations:
        return
    ordered = sorted(spans)
    apart = all(later.first > earlier.last for earlier, later in pairwise(ordered))
    checks.require(apart, "spans", "must not share a day")
    checks.require(
        _is_within_allowance([day for span in ordered for day in span.days]),
        "spans",
        f"must protect at most {MOST_DAYS_A_YEAR} of any {YEAR_DAYS} days in a row",
    )


def _is_within_allowance(days: Sequence[date]) -> bool:
    """Whether each day in order and the one that is as many later as may be protected are a year apart."""
    return all(
        (later - earlier).days >= YEAR_DAYS for earlier, later in zip(days, days[MOST_DAYS_A_YEAR:], strict=False)
    )


def resting_units(habit: Habit, spans: Iterable[ProtectedSpan]) -> frozenset[date]:
    """The days, or the first days of the weeks, on which this habit rests."""
    days = [day for span in spans for day in span.days]
    if habit is Habit.MEALS:
        return frozenset(days)
    protected = Counter(habit.unit_of(day) for day in days)
    return frozenset(week for week, days_of_it in protected.items() if days_of_it >= LEAST_DAYS_OF_A_WEEK)


def rests(habit: Habit, units: Collection[date]) -> list[Run]:
    """Units in a row as stretches, in order: runs of rest."""
    return settle_runs(habit, (), dict.fromkeys(units, True))


def runs_beside(habit: Habit, stretches: Iterable[Run], runs: Iterable[Run]) -> set[Run]:
    """Of these runs those that stretches of rest may join: each that ends right before one or within it, and the next one after it."""
    found: set[Run] = set()
    ordered = sorted(runs)
    for rest in stretches:
        found.update(run for run in ordered if rest.first - habit.step <= run.last <= rest.last)
        found.update(islice((run for run in ordered if run.last > rest.last), 1))
    return found


def rested_streak(habit: Habit, plain: Streak, runs: Collection[Run], resting: frozenset[date], today: date) -> Streak:
    """A streak that goes on over units of rest.

    `plain` is what it is without them. `runs` are the newest run and all that lie beside a rest or within one.
    """
    if not runs:
        return plain
    step = habit.step
    first, *later = sorted(runs)
    length, last = first.length(habit), first.last
    longest = max(plain.longest, length)
    for run in later:
        joined = _all_rest(last + step, run.first, step, resting)
        length, last = run.length(habit) + (length if joined else 0), run.last
        longest = max(longest, length)
    runs_on = last >= habit.unit_of(today) or _all_rest(last + step, habit.unit_of(today), step, resting)
    return Streak(length if runs_on else 0, longest, last)


def _all_rest(unit: date, end: date, step: timedelta, resting: frozenset[date]) -> bool:
    """Whether every unit from one to before another is one of rest."""
    while unit < end:
        if unit not in resting:
            return False
        unit += step
    return True
