"""What analytics knows of a workout: how hard it was among its like."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

import strawberry

from subgraphs.analytics.loaders import loaders_of
from subgraphs.shell.context import Info
from subgraphs.shell.node import Loggable
from subgraphs.shell.scalars import CACHE_PRIVATE_BRIEFLY, rounded_or_none
from subgraphs.shell.sharing import SHARED_PROGRESS, load_readable


@strawberry.federation.type(keys=["id"], description="A training session of one person.", directives=[SHARED_PROGRESS])
class Workout(Loggable):
    at: datetime = strawberry.federation.field(external=True, default=datetime.max.replace(tzinfo=UTC))
    local_date: date = strawberry.federation.field(external=True, default=date.max)

    @classmethod
    def resolve_reference(cls, id: strawberry.ID, **_: Any) -> Workout:
        return cls(id=id)

    @strawberry.field(
        description="Its energy against the mean of the same person's workouts of the eight weeks before; 1 is equal."
        " Settles a moment after a write. Null while its energy is not known, or without workouts before it.",
        directives=[CACHE_PRIVATE_BRIEFLY],
    )
    async def relative_effort(self, info: Info) -> float | None:
        effort = await load_readable(info, Workout, loaders_of(info).effort_by_workout, self.id)
        return None if effort is None else rounded_or_none(effort.relative_effort)
