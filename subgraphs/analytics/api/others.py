"""What analytics knows of other subgraphs' entities: a workout's relative effort, how often a food was eaten."""

from __future__ import annotations

from typing import Any

import strawberry

from subgraphs.analytics.api.request import loaders_of
from subgraphs.context import Info
from subgraphs.scalars import CACHE_PRIVATE_BRIEFLY, rounded_or_none


@strawberry.federation.type(keys=["id"])
class Workout:
    id: strawberry.ID

    @classmethod
    def resolve_reference(cls, id: strawberry.ID, **_: Any) -> Workout:
        return cls(id=id)

    @strawberry.field(
        description="Its energy against the mean of the same person's workouts of the eight weeks before; 1 is equal.",
        directives=[CACHE_PRIVATE_BRIEFLY],
    )
    async def relative_effort(self, info: Info) -> float | None:
        viewer = info.context.viewer
        effort = await loaders_of(info).effort_by_workout.load(self.id)
        if effort is None or not viewer.may_read(effort.user_id):
            return None
        return rounded_or_none(effort.relative_effort)


@strawberry.federation.type(keys=["id"])
class Food:
    id: strawberry.ID

    @classmethod
    def resolve_reference(cls, id: strawberry.ID, **_: Any) -> Food:
        return cls(id=id)

    @strawberry.field(description="How many of the viewer's meal items are of it.", directives=[CACHE_PRIVATE_BRIEFLY])
    async def times_logged(self, info: Info) -> int:
        return await loaders_of(info).times_logged_by_user_and_food.load((info.context.viewer.id, self.id)) or 0
