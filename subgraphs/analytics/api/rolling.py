"""Means of the last days up to any day, in GraphQL."""

from __future__ import annotations

from datetime import date, timedelta
from typing import TYPE_CHECKING

import strawberry

from subgraphs.analytics.domain.rolling import LONG_DAYS, SHORT_DAYS, DayMeans, day_means
from subgraphs.analytics.loaders import loaders_of
from subgraphs.analytics.queries.weight import Span
from subgraphs.shell.scalars import rounded_or_none

if TYPE_CHECKING:
    from subgraphs.shell.context import Info


@strawberry.type(
    description="Means of a day among the last ones up to a day. A day that is not over does not count, and one of which nothing was"
    " said is no zero."
)
class MeansOfDays:
    first: date = strawberry.field(description="The first of the days.")
    last: date = strawberry.field(description="The last of them, included.")
    days_with_meals: int = strawberry.field(description="How many of them count for what was eaten.")
    days_with_entries: int = strawberry.field(
        description="How many of them count for training: those with any entry, of which one without a workout is a zero. Steps are"
        " no entry."
    )
    energy_kcal: float | None = strawberry.field(
        description="Eaten on a day with a meal, in kilocalories; null without one."
    )
    protein_g: float | None = strawberry.field(description="Eaten on a day with a meal, in grams; null without one.")
    carbs_g: float | None = strawberry.field(description="Eaten on a day with a meal, in grams; null without one.")
    fat_g: float | None = strawberry.field(description="Eaten on a day with a meal, in grams; null without one.")
    water_ml: float | None = strawberry.field(
        description="Drunk on a day with a drink, in millilitres; null without one."
    )
    active_minutes: float | None = strawberry.field(
        description="Of workouts, in motion, on a day with any entry, in minutes; null without one."
    )
    volume_kg: float | None = strawberry.field(
        description="Lifted on a day with any entry, in kilograms; null without one."
    )
    weight_kg: float | None = strawberry.field(
        description="On the scale, of the days that were weighed, in kilograms; null without one."
    )
    steps: float | None = strawberry.field(description="Taken on a day that was counted; null without one.")


@strawberry.type(description="The means of the last week and of the last four weeks up to a day.")
class RollingMeans:
    last_7_days: MeansOfDays = strawberry.field(name="last7Days", description="The day and the six before it.")
    last_28_days: MeansOfDays = strawberry.field(name="last28Days", description="The day and the 27 before it.")


async def read_rolling_means(info: Info, user_id: str, day: date, today: date) -> RollingMeans:
    """Of a person whom the viewer may read; the days of one operation are one statement."""
    span = Span(day - timedelta(days=LONG_DAYS - 1), day)
    days = await loaders_of(info).days_of_report_by_user.load((user_id, span))
    return RollingMeans(
        last_7_days=_means_node(day_means(days, day, SHORT_DAYS, today)),
        last_28_days=_means_node(day_means(days, day, LONG_DAYS, today)),
    )


def _means_node(found: DayMeans) -> MeansOfDays:
    return MeansOfDays(
        first=found.first,
        last=found.last,
        days_with_meals=found.days_with_meals,
        days_with_entries=found.days_with_entries,
        energy_kcal=rounded_or_none(found.energy_kcal),
        protein_g=rounded_or_none(found.protein_g),
        carbs_g=rounded_or_none(found.carbs_g),
        fat_g=rounded_or_none(found.fat_g),
        water_ml=rounded_or_none(found.water_ml),
        active_minutes=rounded_or_none(found.active_minutes),
        volume_kg=rounded_or_none(found.volume_kg),
        weight_kg=rounded_or_none(found.weight_kg),
        steps=rounded_or_none(found.steps),
    )
