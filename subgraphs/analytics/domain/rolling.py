"""Means of the last days up to any day. Pure.

As in a report, a day of which nothing was said is no zero, and a day that is not over does not count.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from typing import Protocol

from subgraphs.analytics.domain import report

SHORT_DAYS, LONG_DAYS = 7, 28


class Day(report.Day, Protocol):
    """A day as a report has it, and its weight."""

    @property
    def weight_kg(self) -> Decimal | None: ...


@dataclass(frozen=True, slots=True)
class DayMeans:
    """Of what was eaten over the days with a meal, of water over those with a drink, of training over those with any entry, of the
    weight over those that were weighed, of steps over those on which they were counted. None without such a day.
    """

    first: date
    last: date
    days_with_meals: int
    days_with_entries: int
    energy_kcal: Decimal | None
    protein_g: Decimal | None
    carbs_g: Decimal | None
    fat_g: Decimal | None
    water_ml: Decimal | None
    active_minutes: Decimal | None
    volume_kg: Decimal | None
    weight_kg: Decimal | None
    steps: Decimal | None


def day_means(days: Sequence[Day], last: date, length: int, today: date) -> DayMeans:
    """Of so many days up to one of them, included; those of today and later do not count."""
    first = last - timedelta(days=length - 1)
    over = [day for day in days if first <= day.local_date <= last and day.local_date < today]
    fed = [day for day in over if day.meals_logged]
    known = [day for day in over if day.has_entries]

    def mean(among: Iterable[Day], measure: Callable[[Day], Decimal | int | None]) -> Decimal | None:
        return report.mean_of([Decimal(value) for value in map(measure, among) if value is not None])

    return DayMeans(
        first=first,
        last=last,
        days_with_meals=len(fed),
        days_with_entries=len(known),
        energy_kcal=mean(fed, lambda day: day.calories_consumed),
        protein_g=mean(fed, lambda day: day.protein_g),
        carbs_g=mean(fed, lambda day: day.carbs_g),
        fat_g=mean(fed, lambda day: day.fat_g),
        water_ml=mean(over, lambda day: day.water_ml or None),
        active_minutes=mean(known, lambda day: day.active_minutes),
        volume_kg=mean(known, lambda day: day.volume_kg),
        weight_kg=mean(over, lambda day: day.weight_kg),
        steps=mean(over, lambda day: day.steps),
    )
