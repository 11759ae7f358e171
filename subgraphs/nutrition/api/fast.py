"""Fasts in GraphQL: from when to when nothing was eaten. Changes to them are in `fast_mutations`."""

from datetime import datetime

import strawberry

from subgraphs.nutrition.domain import fast as domain
from subgraphs.nutrition.queries.fast import FastRecord
from subgraphs.shell.context import Info


@strawberry.type(description="A time in which a person ate nothing.")
class Fast:
    id: strawberry.ID = strawberry.field(description="Identifies the fast in the whole graph.")
    started_at: datetime = strawberry.field(description="When it began.")
    ended_at: datetime | None = strawberry.field(description="When it ended; null while it runs.")
    target_minutes: int | None = strawberry.field(
        description="How long it is to last, in minutes; null if that is open."
    )
    version: int = strawberry.field(description="Counts changes; send it as `expectedVersion` to change only this one.")

    @strawberry.field(description="How long it lasted, or has lasted by now, in whole minutes.")
    def minutes(self, info: Info) -> int:
        return self._minutes(info)

    @strawberry.field(description="Whether it came to its target; null without one.")
    def is_reached(self, info: Info) -> bool | None:
        return None if self.target_minutes is None else self._minutes(info) >= self.target_minutes

    def _minutes(self, info: Info) -> int:
        return domain.minutes_of(self.started_at, self.ended_at, info.context.resources.now())


def fast_node(record: FastRecord) -> Fast:
    return Fast(
        id=strawberry.ID(record.id),
        started_at=record.started_at,
        ended_at=record.ended_at,
        target_minutes=record.target_minutes,
        version=record.version,
    )
