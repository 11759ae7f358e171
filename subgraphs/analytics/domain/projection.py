"""When a weight goal will be reached if the trend goes on as it does. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from math import ceil

from subgraphs.analytics.domain.weight_trend import TrendPoint

WINDOW_DAYS = 28
LEAST_POINTS, LEAST_SPAN_DAYS = 3, 7
FARTHEST_DAYS = 5 * 365
_ZERO = Decimal(0)


@dataclass(frozen=True, slots=True)
class Projection:
    """`kg_per_week` is None where too few days were weighed; `reached_on` where the trend does not lead there in 5 years.

    `needed_kg_per_week` is what the target day asks for from now on, None without one or past it.
    """

    remaining_kg: Decimal
    kg_per_week: Decimal | None
    reached_on: date | None
    needed_kg_per_week: Decimal | None


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
    )


def slope_per_day(trend: Sequence[TrendPoint]) -> Decimal | None:
    """Kg a day of the least-squares line; None for under three points or a week."""
    if len(trend) < LEAST_POINTS or (trend[-1].local_date - trend[0].local_date).days < LEAST_SPAN_DAYS:
        return None
    days = [Decimal((point.local_date - trend[0].local_date).days) for point in trend]
    weights = [point.trend_kg for point in trend]
    mean_day, mean_weight = sum(days, _ZERO) / len(days), sum(weights, _ZERO) / len(weights)
    above = sum(((day - mean_day) * (weight - mean_weight) for day, weight in zip(days, weights, strict=True)), _ZERO)
    return above / sum(((day - mean_day) ** 2 for day in days), _ZERO)


def _day_of(remaining: Decimal, slope: Decimal | None, today: date) -> date | None:
    if remaining == 0:
        return today
    if slope is None or slope * remaining <= 0:
        return None
    days = remaining / slope
    return today + timedelta(days=ceil(days)) if days <= FARTHEST_DAYS else None
