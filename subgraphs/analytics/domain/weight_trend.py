"""The weight behind the daily noise: an exponentially weighted mean that knows of missed days (Walker's, alpha 0.1)."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

DAILY_SMOOTHING = Decimal("0.1")
STORED_PLACES = 6


@dataclass(frozen=True, slots=True)
class TrendPoint:
    """One weighed day: the weight on the scale and the trend, in kg."""

    local_date: date
    weight_kg: Decimal
    trend_kg: Decimal


def weight_trend(weighings: Iterable[tuple[date, Decimal]], before: TrendPoint | None = None) -> list[TrendPoint]:
    """The trend at each weighed day, from weighings sorted by day (the first of a day counts), going on from the point
    `before` them if there is one.

    After a gap of k days a weighing counts for 1 - 0.9^k, as if it had been weighed on each of them. Each point is
    rounded to a milligram, so that going on from a stored point gives what starting anew would.
    """
    points: list[TrendPoint] = []
    last = before
    for day, weight in weighings:
        if last is None:
            last = TrendPoint(day, weight, weight)
        else:
            gap = (day - last.local_date).days
            if gap == 0:
                continue
            share = 1 - (1 - DAILY_SMOOTHING) ** gap
            last = TrendPoint(day, weight, round(last.trend_kg + share * (weight - last.trend_kg), STORED_PLACES))
        points.append(last)
    return points
