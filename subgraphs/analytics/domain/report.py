"""A week or a month in numbers, beside the one before it, and what may be called a trend between them. Pure.

Only full days count: today is not over. A day of which nothing was said is no zero, and no mean counts it.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from enum import StrEnum
from typing import Protocol

from subgraphs.analytics.domain.weight_trend import TrendPoint
from subgraphs.shell.calendar import WeekStart, first_day_of_week

#: A report of any days is of so many at most.
LONGEST_RANGE_DAYS = 366
#: Two periods are compared where each has at least so many days that count: fewer have no scatter to judge by.
LEAST_DAYS = 3
#: What is eaten and drunk is told apart by 5 per cent at the least: measured portions and labels are no truer than that.
LEAST_SHARE_OF_INTAKE = Decimal("0.05")
#: ... and by two standard errors (Welch 1947), so that two weeks of one habit are seldom told apart: one pair in fourteen.
STANDARD_ERRORS = 2
#: What was trained is known, not sampled: a tenth, as a session more in a month of three a week is 8 per cent.
LEAST_SHARE_OF_TRAINING = Decimal("0.10")
#: Of steps: two devices count one walk differently by up to a tenth, and people change devices.
LEAST_SHARE_OF_STEPS = Decimal("0.10")
#: Of the weight: where weighings scatter by 0.75 kg about 80 kg, the trend of a weight that stays differs by 0.24 kg between
#: two days a month apart (0.75 x sqrt(2 x 0.1 / 1.9), one standard deviation), and by 0.4 kg or more one time in ten.
LEAST_SHARE_OF_WEIGHT = Decimal("0.005")
#: A period's change of weight begins at the newest trend of so many days before it.
BASELINE_DAYS = 7
_LEAST_DAYS_BETWEEN_WEIGHINGS = 3
_ZERO = Decimal(0)


class ReportKind(StrEnum):
    WEEK = "WEEK"
    MONTH = "MONTH"
    RANGE = "RANGE"


class Trend(StrEnum):
    RISING = "RISING"
    FALLING = "FALLING"
    STEADY = "STEADY"


class Day(Protocol):
    """The numbers of one day that a report is made of."""

    @property
    def local_date(self) -> date: ...
    @property
    def has_entries(self) -> bool: ...
    @property
    def calories_consumed(self) -> Decimal: ...
    @property
    def protein_g(self) -> Decimal: ...
    @property
    def carbs_g(self) -> Decimal: ...
    @property
    def fat_g(self) -> Decimal: ...
    @property
    def water_ml(self) -> int: ...
    @property
    def meals_logged(self) -> int: ...
    @property
    def workouts_completed(self) -> int: ...
    @property
    def active_minutes(self) -> Decimal: ...
    @property
    def volume_kg(self) -> Decimal: ...
    @property
    def steps(self) -> int | None: ...


@dataclass(frozen=True, slots=True)
class ReportedPeriod:
    """The days of a report, both ends included, and those of the period of its kind before it."""

    kind: ReportKind
    first: date
    last: date
    first_before: date

    @property
    def last_before(self) -> date:
        return self.first - timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Comparison:
    """One measure over the days that count for it, and by how much their mean differs from that of the period before.

    What there is nothing to compare with is None; so is the change in per cent of nothing.
    """

    total: Decimal
    days_counted: int
    days_counted_before: int
    daily_mean: Decimal | None
    daily_mean_before: Decimal | None
    change: Decimal | None
    change_percent: Decimal | None
    trend: Trend | None


@dataclass(frozen=True, slots=True)
class WeightChange:
    """What the trend weight did, in kg, from where it stood when the period began; None without two weighings."""

    kg: Decimal
    kg_before: Decimal | None
    trend: Trend | None


@dataclass(frozen=True, slots=True)
class Report:
    """`full_days` are those of the period that are over, of which `days_with_entries` have one."""

    full_days: int
    days_with_entries: int
    energy_kcal: Comparison
    protein_g: Comparison
    carbs_g: Comparison
    fat_g: Comparison
    water_ml: Comparison
    workouts: Comparison
    active_minutes: Comparison
    volume_kg: Comparison
    steps: Comparison
    weight: WeightChange | None


def reported_period(kind: ReportKind, day: date, week_start: WeekStart) -> ReportedPeriod:
    """The week, as it begins for the person, or the calendar month that a day is in."""
    if kind is ReportKind.WEEK:
        first = first_day_of_week(day, week_start)
        return ReportedPeriod(kind, first, first + timedelta(days=6), first - timedelta(days=7))
    first = day.replace(day=1)
    last = (first + timedelta(days=31)).replace(day=1) - timedelta(days=1)
    return ReportedPeriod(kind, first, last, (first - timedelta(days=1)).replace(day=1))


def reported_range(first: date, last: date) -> ReportedPeriod:
    """Any days, and as many before them."""
    return ReportedPeriod(ReportKind.RANGE, first, last, first - (last - first) - timedelta(days=1))


def report(period: ReportedPeriod, days: Sequence[Day], trend: Sequence[TrendPoint], today: date) -> Report:
    """From the days of both periods, in any order, and the trend points from BASELINE_DAYS before them on, oldest first."""
    end = min(period.last + timedelta(days=1), today)
    now, before = days_that_count(period, days, today)

    def eaten(number: Callable[[Day], Decimal]) -> Comparison:
        return compare_intake(_numbers(now, _has_meal, number), _numbers(before, _has_meal, number))

    def trained(number: Callable[[Day], Decimal]) -> Comparison:
        return _compare([number(day) for day in now], [number(day) for day in before], _trend_of_training)

    return Report(
        full_days=max((end - period.first).days, 0),
        days_with_entries=len(now),
        energy_kcal=eaten(lambda day: day.calories_consumed),
        protein_g=eaten(lambda day: day.protein_g),
        carbs_g=eaten(lambda day: day.carbs_g),
        fat_g=eaten(lambda day: day.fat_g),
        water_ml=compare_intake(_numbers(now, _has_drink, _water), _numbers(before, _has_drink, _water)),
        workouts=trained(lambda day: Decimal(day.workouts_completed)),
        active_minutes=trained(lambda day: day.active_minutes),
        volume_kg=trained(lambda day: day.volume_kg),
        steps=_compare(*_steps_of(period, days, today), _trend_of_steps),
        weight=_weight_change(period, trend),
    )


def days_that_count(period: ReportedPeriod, days: Sequence[Day], today: date) -> tuple[list[Day], list[Day]]:
    """Of a period and of the one before it: the days that are over and of which the person said something."""
    spoken = [day for day in days if day.local_date < today and day.has_entries]
    return (
        [day for day in spoken if period.first <= day.local_date <= period.last],
        [day for day in spoken if period.first_before <= day.local_date <= period.last_before],
    )


def compare_intake(now: Sequence[Decimal], before: Sequence[Decimal]) -> Comparison:
    """What was eaten or drunk on some days beside what it was on others, by the rule of intake."""
    return _compare(now, before, _trend_of_intake)


def _steps_of(period: ReportedPeriod, days: Sequence[Day], today: date) -> tuple[list[Decimal], list[Decimal]]:
    """Of a period and of the one before it: the steps of the days that are over and were counted, whatever else was said."""
    counted = [(day.local_date, Decimal(day.steps)) for day in days if day.local_date < today and day.steps is not None]
    return (
        [steps for day, steps in counted if period.first <= day <= period.last],
        [steps for day, steps in counted if period.first_before <= day <= period.last_before],
    )


def _has_meal(day: Day) -> bool:
    return day.meals_logged > 0


def _has_drink(day: Day) -> bool:
    return day.water_ml > 0


def _water(day: Day) -> Decimal:
    return Decimal(day.water_ml)


def _numbers(days: Sequence[Day], counts: Callable[[Day], bool], number: Callable[[Day], Decimal]) -> list[Decimal]:
    return [number(day) for day in days if counts(day)]


def _compare(
    now: Sequence[Decimal],
    before: Sequence[Decimal],
    trend: Callable[[Sequence[Decimal], Sequence[Decimal], Decimal], Trend],
) -> Comparison:
    """`trend` names the change of the mean, which it is given last; it is asked where each side has LEAST_DAYS."""
    mean, mean_before = mean_of(now), mean_of(before)
    change = None if mean is None or mean_before is None else mean - mean_before
    is_enough = min(len(now), len(before)) >= LEAST_DAYS
    return Comparison(
        total=sum(now, _ZERO),
        days_counted=len(now),
        days_counted_before=len(before),
        daily_mean=mean,
        daily_mean_before=mean_before,
        change=change,
        change_percent=change * 100 / mean_before if change is not None and mean_before else None,
        trend=trend(now, before, change) if is_enough and change is not None else None,
    )


def mean_of(numbers: Sequence[Decimal]) -> Decimal | None:
    """None of no numbers."""
    return sum(numbers, _ZERO) / len(numbers) if numbers else None


def _variance_of_mean(numbers: Sequence[Decimal]) -> Decimal:
    """The square of the mean's standard error, of at least two numbers."""
    mean = sum(numbers, _ZERO) / len(numbers)
    return sum(((number - mean) ** 2 for number in numbers), _ZERO) / (len(numbers) - 1) / len(numbers)


def _trend_of_intake(now: Sequence[Decimal], before: Sequence[Decimal], change: Decimal) -> Trend:
    return _trend_beyond_scatter(now, before, change, LEAST_SHARE_OF_INTAKE)


def _trend_of_steps(now: Sequence[Decimal], before: Sequence[Decimal], change: Decimal) -> Trend:
    return _trend_beyond_scatter(now, before, change, LEAST_SHARE_OF_STEPS)


def _trend_beyond_scatter(now: Sequence[Decimal], before: Sequence[Decimal], change: Decimal, share: Decimal) -> Trend:
    """By the means and by how far the days scatter around them."""
    by_chance = STANDARD_ERRORS**2 * (_variance_of_mean(now) + _variance_of_mean(before))
    return _named(change, is_told=change**2 > by_chance and _differs(now, before, share))


def _trend_of_training(now: Sequence[Decimal], before: Sequence[Decimal], change: Decimal) -> Trend:
    return _named(change, is_told=_differs(now, before, LEAST_SHARE_OF_TRAINING))


def _differs(now: Sequence[Decimal], before: Sequence[Decimal], share: Decimal) -> bool:
    """Whether the mean is other than the one before by this share of it or more. Multiplied out: thirds are not exact."""
    of_now, of_before = sum(now, _ZERO) * len(before), sum(before, _ZERO) * len(now)
    return abs(of_now - of_before) >= share * of_before


def _named(change: Decimal, *, is_told: bool) -> Trend:
    if not is_told or change == 0:
        return Trend.STEADY
    return Trend.RISING if change > 0 else Trend.FALLING


def _weight_change(period: ReportedPeriod, trend: Sequence[TrendPoint]) -> WeightChange | None:
    ends = _ends(trend, period.first, period.last)
    if ends is None:
        return None
    start, end = ends
    days = (end.local_date - start.local_date).days
    kg = end.trend_kg - start.trend_kg
    before = _ends(trend, period.first_before, period.last_before)
    return WeightChange(
        kg=kg,
        kg_before=None if before is None else before[1].trend_kg - before[0].trend_kg,
        trend=_named(kg, is_told=abs(kg) >= LEAST_SHARE_OF_WEIGHT * start.trend_kg)
        if days >= _LEAST_DAYS_BETWEEN_WEIGHINGS
        else None,
    )


def _ends(trend: Sequence[TrendPoint], first: date, last: date) -> tuple[TrendPoint, TrendPoint] | None:
    """The trend in force when a period began, else its first point, and its last point; None where these are not two."""
    baseline = first - timedelta(days=BASELINE_DAYS)
    known = [point for point in trend if baseline <= point.local_date <= last]
    earlier = [point for point in known if point.local_date < first]
    within = [point for point in known if point.local_date >= first]
    points = [*earlier[-1:], *within]
    return (points[0], points[-1]) if within and len(points) > 1 else None
