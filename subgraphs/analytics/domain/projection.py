"""When a weight goal will be reached if the trend goes on as it does; and, by the days that were measured, any other. Pure.

Names and formulas are of kilograms, and hold for centimetres.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from math import ceil

from subgraphs.analytics.domain.weight_trend import TrendPoint

WINDOW_DAYS = 28
LEAST_POINTS, LEAST_SPAN_DAYS = 3, 7
FARTHEST_DAYS = 5 * 365
#: A band wants this much more, so that its scatter is seen and not guessed.
LEAST_POINTS_OF_BAND, LEAST_SPAN_DAYS_OF_BAND = 8, 14
_ZERO = Decimal(0)
#: Student's t with 6 to 26 degrees of freedom, at 0.975: 95 per cent lie between it and its negative.
_STUDENT_T = {
    6: Decimal("2.447"), 7: Decimal("2.365"), 8: Decimal("2.306"), 9: Decimal("2.262"), 10: Decimal("2.228"), 11: Decimal("2.201"),
    12: Decimal("2.179"), 13: Decimal("2.160"), 14: Decimal("2.145"), 15: Decimal("2.131"), 16: Decimal("2.120"), 17: Decimal("2.110"),
    18: Decimal("2.101"), 19: Decimal("2.093"), 20: Decimal("2.086"), 21: Decimal("2.080"), 22: Decimal("2.074"), 23: Decimal("2.069"),
    24: Decimal("2.064"), 25: Decimal("2.060"), 26: Decimal("2.056"),
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Projection:
    """`kg_per_week` is None where too few days were weighed; `reached_on` where the trend does not lead there in 5 years.

    `needed_kg_per_week` is what the target day asks for from now on, None without one or past it. `band` is None where too few
    days were weighed to say how sure the pace is.
    """

    remaining_kg: Decimal
    kg_per_week: Decimal | None
    reached_on: date | None
    needed_kg_per_week: Decimal | None
    band: "Band | None" = None


@dataclass(frozen=True, slots=True)
class Band:
    """Between which paces the true one lies, and the days on which the target is reached by the fastest and the slowest way there.

    `latest` is None where the slowest does not lead there in five years, `earliest` where the fastest does not either.
    """

    low_kg_per_week: Decimal
    high_kg_per_week: Decimal
    earliest: date | None
    latest: date | None


def project(
    trend: Sequence[TrendPoint], target_kg: Decimal, *, is_reached: bool, target_date: date | None, today: date
) -> Projection | None:
    """From the trend points of the last 28 days, oldest first; None without any."""
    if not trend:
        return None
    remaining = Decimal(0) if is_reached else target_kg - trend[-1].trend_kg
    slope = slope_per_day(trend)
    days_left = 0 if target_date is None else (target_date - today).days
    return Projection(
        remaining_kg=remaining,
        kg_per_week=None if slope is None else slope * 7,
        reached_on=_day_of(remaining, slope, today),
        needed_kg_per_week=remaining * 7 / days_left if days_left > 0 else None,
        band=None if slope is None else _band(trend, slope, remaining, today),
    )


def recent(trend: Sequence[TrendPoint], today: date) -> list[TrendPoint]:
    """The points of the last 28 days, oldest first: up to today, or to the day of the newest for somebody who flew west from it."""
    last = max([today, *(point.local_date for point in trend[-1:])])
    return [point for point in trend if point.local_date > last - timedelta(days=WINDOW_DAYS)]


def slope_per_day(trend: Sequence[TrendPoint]) -> Decimal | None:
    """Kg a day of the least-squares line; None for under three points or a week."""
    if len(trend) < LEAST_POINTS or (trend[-1].local_date - trend[0].local_date).days < LEAST_SPAN_DAYS:
        return None
    slope, _ = _line([point.local_date for point in trend], [point.trend_kg for point in trend])
    return slope


def _line(days: Sequence[date], weights: Sequence[Decimal]) -> tuple[Decimal, Decimal]:
    """The least-squares line: its slope a day, and the sum of the squared distances of days from their mean."""
    numbers = [Decimal((day - days[0]).days) for day in days]
    mean_day, mean_weight = sum(numbers, _ZERO) / len(numbers), sum(weights, _ZERO) / len(weights)
    above = sum(
        ((day - mean_day) * (weight - mean_weight) for day, weight in zip(numbers, weights, strict=True)), _ZERO
    )
    squares = sum(((day - mean_day) ** 2 for day in numbers), _ZERO)
    return above / squares, squares


def _band(trend: Sequence[TrendPoint], slope: Decimal, remaining: Decimal, today: date) -> Band | None:
    """The 95 per cent confidence interval of the slope b of the line through the weighings themselves: b ± t x s / sqrt(Sxx).

    s² is the sum of the squared residuals over n - 2, Sxx that of the squared distances of the days from their mean, and t Student's
    with n - 2 degrees of freedom (Draper and Smith, Applied Regression Analysis, 3rd edition, 1998, section 1.4). It is of the weighings,
    since smoothing makes neighbours alike and their scatter small, and it is widened to hold the slope of the trend, which lags.
    """
    days, weights = [point.local_date for point in trend], [point.weight_kg for point in trend]
    freedom = len(days) - 2
    span = (days[-1] - days[0]).days
    if len(days) < LEAST_POINTS_OF_BAND or span < LEAST_SPAN_DAYS_OF_BAND or freedom not in _STUDENT_T:
        return None
    own, squares = _line(days, weights)
    fitted = _residuals(days, weights, own)
    error = (sum((each**2 for each in fitted), _ZERO) / freedom / squares).sqrt()
    margin = _STUDENT_T[freedom] * error
    low, high = min(own - margin, slope), max(own + margin, slope)
    fast, slow = (low, high) if remaining < 0 else (high, low)
    return Band(low * 7, high * 7, _day_of(remaining, fast, today), _day_of(remaining, slow, today))


def _residuals(days: Sequence[date], weights: Sequence[Decimal], slope: Decimal) -> list[Decimal]:
    """Of each weight, from the line of this slope through the means."""
    levels = [weight - slope * (day - days[0]).days for day, weight in zip(days, weights, strict=True)]
    mean = sum(levels, _ZERO) / len(levels)
    return [level - mean for level in levels]


def _day_of(remaining: Decimal, slope: Decimal | None, today: date) -> date | None:
    if remaining == 0:
        return today
    if slope is None or slope * remaining <= 0:
        return None
    days = remaining / slope
    return today + timedelta(days=ceil(days)) if days <= FARTHEST_DAYS else None
