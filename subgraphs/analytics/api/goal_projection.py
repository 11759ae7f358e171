"""When a weight goal will be reached, in GraphQL."""

from __future__ import annotations

from datetime import date

import strawberry

from subgraphs.analytics.domain.projection import Projection
from subgraphs.shell.scalars import rounded, rounded_or_none


@strawberry.type(description="How a weight goal comes along if the trend goes on as in the last 28 days.")
class GoalProjection:
    remaining_kg: float = strawberry.field(
        description="From the newest trend weight to the target, in kilograms, negative to lose; 0 once it was reached."
    )
    kg_per_week: float | None = strawberry.field(
        description="How the trend weight changes, in kilograms a week (least squares over 28 days). Null for under three"
        " weighed days or a week."
    )
    reached_on: date | None = strawberry.field(
        description="The day on which the target would be reached; null if the trend does not lead there in five years."
    )
    needed_kg_per_week: float | None = strawberry.field(
        description="What it takes from now on to be there by the target date, in kilograms a week; null without one,"
        " or past it."
    )
    kg_per_week_low: float | None = strawberry.field(
        description="The lower end of the 95 per cent confidence interval of the pace, in kilograms a week: of the line through"
        " the weighings of 28 days, by its standard error and Student's t, and never above `kgPerWeek`. Null for under eight weighed days"
        " or two weeks."
    )
    kg_per_week_high: float | None = strawberry.field(
        description="Its upper end, never below `kgPerWeek`; null as the lower one."
    )
    earliest_reached_on: date | None = strawberry.field(
        description="The day on which the target would be reached at the end of the interval that leads there faster; null"
        " without an interval, or if it does not lead there in five years. Where the trend stands today is taken as it is."
    )
    latest_reached_on: date | None = strawberry.field(
        description="The same of the slower end: null also if it leads nowhere near, so that the day may never come."
    )
    is_on_track: bool | None = strawberry.field(
        description="Whether it would be reached by the target date; null without a date or too few weighings."
    )


def projection_node(found: Projection, target_date: date | None) -> GoalProjection:
    is_known = target_date is not None and found.kg_per_week is not None
    band = found.band
    return GoalProjection(
        remaining_kg=rounded(found.remaining_kg),
        kg_per_week=rounded_or_none(found.kg_per_week, 3),
        reached_on=found.reached_on,
        needed_kg_per_week=rounded_or_none(found.needed_kg_per_week, 3),
        kg_per_week_low=None if band is None else rounded(band.low_kg_per_week, 3),
        kg_per_week_high=None if band is None else rounded(band.high_kg_per_week, 3),
        earliest_reached_on=None if band is None else band.earliest,
        latest_reached_on=None if band is None else band.latest,
        is_on_track=None
        if target_date is None or not is_known
        else found.reached_on is not None and found.reached_on <= target_date,
    )
