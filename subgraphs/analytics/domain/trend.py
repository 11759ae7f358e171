"""The weight behind the daily noise: an exponentially weighted mean that knows of missed days (Walker's, alpha 0.1)."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

DAILY_SMOOTHING = Decimal("0.1")


@dataclass(frozen=True, slots=True)
class TrendPoint:
    """One weighed day: the weight on the scale and the trend, in kg."""

    local_date: date
    weight_kg: Decimal
    trend_kg: Decimal


def weight_trend(weighings: Iterable[tuple[date, Decimal]]) -> list[TrendPoint]:
    """The trend at each weighed day, from weighings sorted by day (the first of a day counts).

    After a gap of k days a weighing counts for 1 - 0.9^k, as if it had been weighed on each of them.
    """
    points: list[TrendPoint] = []
    for day, weight in weighings:
        if not points:
            points.append(TrendPoint(day, weight, weight))
            continue
        last = points[-1]
        gap = (day - last.local_date).days
        if gap == 0:
            continue
        share = 1 - (1 - DAILY_SMOOTHING) ** gap
        points.append(TrendPoint(day, weight, last.trend_kg + share * (weight - last.trend_kg)))
    return points
