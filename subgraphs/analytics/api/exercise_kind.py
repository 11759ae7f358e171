"""Which kinds of exercise a time had, in GraphQL."""

from __future__ import annotations

from typing import TYPE_CHECKING

import strawberry

from subgraphs.analytics.loaders import loaders_of
from subgraphs.shell.exercise_category_type import ExerciseCategory

if TYPE_CHECKING:
    from subgraphs.analytics.queries.weight import Span
    from subgraphs.shell.context import Info


@strawberry.type(description="How much of a kind of exercise a time had.")
class ExerciseKindCount:
    kind: ExerciseCategory = strawberry.field(description="What the exercises train above all.")
    workouts: int = strawberry.field(description="In how many completed workouts there was one.")
    exercises: int = strawberry.field(
        description="How many there were: each once in a workout for each time that it was placed."
    )


async def read_kinds(info: Info, user_id: str, span: Span) -> list[ExerciseKindCount]:
    """Of a person whom the viewer may read."""
    found = await loaders_of(info).kinds_of_exercise_by_user.load((user_id, span))
    return [
        ExerciseKindCount(kind=ExerciseCategory(each.kind), workouts=each.workouts, exercises=each.exercises)
        for each in found
    ]
