"""How a goal that is reached once comes along, in its own unit, in GraphQL."""

from __future__ import annotations

from datetime import date

import strawberry

from subgraphs.analytics.domain.projection import Projection
from subgraphs.shell.scalars import rounded, rounded_or_none


@strawberry.type(
    description="How a goal that is reached once comes along if it goes on as in the last 28 days, in the kind's unit: of a weight by"
    " its trend, of anything else by the values of the days that have one."
)
class GoalPace:
    remaining: float = strawberry.field(
        description="From the newest value to the target, negative to go down; 0 once it was reached."
    )
    per_week: float | None = strawberry.field(
        description="How the value changes in a week: the least-squares line over 28 days. Null for under three measured days or"
        " a week."
    )
    reached_on: date | None = strawberry.field(
        description="The day on which the target would be reached; null if this does not lead there in five years."
    )
    needed_per_week: float | None = strawberry.field(
        description="What it takes from now on to be there by the target date; null without one, or past it."
    )
    is_on_track: bool | None = strawberry.field(
        description="Whether it would be reached by the target date; null without a date or with too few measured days."
    )


def pace_node(found: Projection, target_date: date | None) -> GoalPace:
    is_judged = target_date is not None and found.kg_per_week is not None
    in_time = target_date is not None and found.reached_on is not None and found.reached_on <= target_date
    return GoalPace(
        remaining=rounded(found.remaining_kg),
        per_week=rounded_or_none(found.kg_per_week, 3),
        reached_on=found.reached_on,
        needed_per_week=rounded_or_none(found.needed_kg_per_week, 3),
        is_on_track=in_time if is_judged else None,
    )
