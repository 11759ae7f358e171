"""Goals in GraphQL: the entity with its progress, and every change to it."""

from __future__ import annotations

from datetime import date, datetime
from typing import TYPE_CHECKING, Annotated, Any

import strawberry

from subgraphs.analytics.api.request import loaders_of, writer_of
from subgraphs.analytics.commands import goal as commands
from subgraphs.analytics.domain.progress import GoalKind, GoalStatus, progress
from subgraphs.analytics.queries.goal import GoalRecord, goals_by_id
from subgraphs.context import Info
from subgraphs.scalars import CACHE_PRIVATE_BRIEFLY, decimal_of, rounded, rounded_or_none

if TYPE_CHECKING:
    from subgraphs.analytics.api.user import User

strawberry.enum(GoalKind)
strawberry.enum(GoalStatus)


@strawberry.federation.type(
    keys=["id"], description="Something a person wants to reach.", directives=[CACHE_PRIVATE_BRIEFLY]
)
class Goal:
    id: strawberry.ID
    kind: GoalKind
    status: GoalStatus
    start_value: float
    target_value: float
    start_date: date
    target_date: date | None
    description: str | None
    completed_at: datetime | None
    version: int
    record: strawberry.Private[GoalRecord]

    @classmethod
    async def resolve_reference(cls, info: Info, id: strawberry.ID, **_: Any) -> Goal | None:
        return await load_goal(info, id)

    @strawberry.field
    def user(self) -> Annotated[User, strawberry.lazy("subgraphs.analytics.api.user")]:
        from subgraphs.analytics.api.user import User

        return User(id=strawberry.ID(self.record.user_id))

    @strawberry.field(description="What it stands at: the trend weight, or what the last seven days come to.")
    async def current_value(self, info: Info) -> float | None:
        value = await loaders_of(info).value_by_user_and_kind.load((self.record.user_id, self.record.kind))
        return rounded_or_none(value)

    @strawberry.field(description="From 0 at the start value to 1 at the target, whichever way that is.")
    async def progress(self, info: Info) -> float:
        if self.record.status == GoalStatus.COMPLETED:
            return 1.0
        value = await loaders_of(info).value_by_user_and_kind.load((self.record.user_id, self.record.kind))
        return rounded(progress(self.record.start_value, self.record.target_value, value), 4)


def goal_node(record: GoalRecord) -> Goal:
    return Goal(
        id=strawberry.ID(record.id),
        kind=GoalKind(record.kind),
        status=GoalStatus(record.status),
        start_value=rounded(record.start_value),
        target_value=rounded(record.target_value),
        start_date=record.start_date,
        target_date=record.target_date,
        description=record.description,
        completed_at=record.completed_at,
        version=record.version,
        record=record,
    )


async def load_goal(info: Info, id: str) -> Goal | None:
    """The goal, unless it is another person's."""
    viewer = info.context.viewer
    record = await loaders_of(info).goal_by_id.load(id)
    return goal_node(record) if record is not None and viewer.may_read(record.user_id) else None


@strawberry.type
class GoalQuery:
    @strawberry.field(description="One of the viewer's goals.", directives=[CACHE_PRIVATE_BRIEFLY])
    async def goal(self, info: Info, id: strawberry.ID) -> Goal | None:
        return await load_goal(info, id)


@strawberry.input
class CreateGoalInput:
    kind: GoalKind
    target_value: float
    start_value: float | None = strawberry.field(default=None, description="Where the facts stand, if left out.")
    start_date: date | None = None
    target_date: date | None = None
    description: str | None = None
    idempotency_key: str | None = None


@strawberry.input
class UpdateGoalInput:
    id: strawberry.ID
    target_value: float | None = None
    start_value: float | None = None
    target_date: date | None = None
    description: str | None = None
    expected_version: int | None = None


@strawberry.type
class GoalMutation:
    @strawberry.mutation
    async def create_goal(self, info: Info, input: CreateGoalInput) -> Goal:
        new = commands.NewGoal(
            kind=input.kind,
            target_value=decimal_of(input.target_value),
            start_value=None if input.start_value is None else decimal_of(input.start_value),
            start_date=input.start_date,
            target_date=input.target_date,
            description=input.description,
            idempotency_key=input.idempotency_key,
        )
        return await _changed(info, await commands.create_goal(writer_of(info), info.context.viewer.id, new))

    @strawberry.mutation
    async def update_goal(self, info: Info, input: UpdateGoalInput) -> Goal:
        change = commands.GoalChange(
            target_value=None if input.target_value is None else decimal_of(input.target_value),
            start_value=None if input.start_value is None else decimal_of(input.start_value),
            target_date=input.target_date,
            description=input.description,
        )
        viewer_id = info.context.viewer.id
        await commands.update_goal(writer_of(info), viewer_id, input.id, change, input.expected_version)
        return await _changed(info, input.id)

    @strawberry.mutation(description="Pause, resume, complete or abandon.")
    async def set_goal_status(
        self, info: Info, id: strawberry.ID, status: GoalStatus, expected_version: int | None = None
    ) -> Goal:
        await commands.set_goal_status(writer_of(info), info.context.viewer.id, id, status, expected_version)
        return await _changed(info, id)

    @strawberry.mutation(description="Returns the id of what was deleted.")
    async def delete_goal(self, info: Info, id: strawberry.ID, expected_version: int | None = None) -> strawberry.ID:
        await commands.delete_goal(writer_of(info), info.context.viewer.id, id, expected_version)
        return id


async def _changed(info: Info, goal_id: str) -> Goal:
    """The goal as it is after the command; read from the primary, for a replica may not have it yet."""
    info.context.renew_loaders()
    async with writer_of(info).connect() as connection:
        return goal_node((await goals_by_id(connection, [goal_id]))[goal_id])
