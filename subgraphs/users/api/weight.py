"""Weighings in GraphQL: the entity, its pages, logging and deleting."""

from datetime import date, datetime
from typing import TYPE_CHECKING, Annotated

import strawberry

from subgraphs.context import Info
from subgraphs.pagination import Connection, Page, connect
from subgraphs.scalars import CACHE_PRIVATE_BRIEFLY, decimal_of, rounded, rounded_or_none
from subgraphs.users.commands import weight as commands
from subgraphs.users.loaders import loaders_of
from subgraphs.users.queries.weight import WeightRecord

if TYPE_CHECKING:
    from subgraphs.users.api.user import User

LazyUser = Annotated["User", strawberry.lazy("subgraphs.users.api.user")]


@strawberry.federation.type(keys=["id"], description="One weighing.", directives=[CACHE_PRIVATE_BRIEFLY])
class WeightEntry:
    record: strawberry.Private[WeightRecord]
    id: strawberry.ID
    weight_kg: float
    body_fat_percent: float | None
    notes: str | None
    recorded_at: datetime
    local_date: date = strawberry.field(description="The person's calendar day, by time zone and day start of then.")

    @classmethod
    async def resolve_reference(cls, info: Info, id: strawberry.ID, **_: object) -> "WeightEntry | None":
        viewer = info.context.viewer
        record = await loaders_of(info).weight_by_id.load(id)
        return weight_node(record) if record is not None and viewer.may_read(record.user_id) else None

    @strawberry.field
    async def user(self, info: Info) -> LazyUser:
        from subgraphs.users.api.user import load_user

        user = await load_user(info, self.record.user_id)
        assert user is not None  # a foreign key holds the account, and the viewer may read the entry
        return user


def weight_node(record: WeightRecord) -> WeightEntry:
    return WeightEntry(
        record=record,
        id=strawberry.ID(record.id),
        weight_kg=rounded(record.weight_kg),
        body_fat_percent=rounded_or_none(record.body_fat_percent),
        notes=record.notes,
        recorded_at=record.recorded_at,
        local_date=record.local_date,
    )


def weight_connection(records: list[WeightRecord], page: Page) -> Connection[WeightEntry]:
    return connect(records, page, weight_node, lambda record: (record.recorded_at, record.id))


@strawberry.input
class LogWeightInput:
    weight_kg: float
    body_fat_percent: float | None = None
    notes: str | None = None
    recorded_at: datetime | None = strawberry.field(default=None, description="Now, if absent.")
    idempotency_key: str | None = strawberry.field(
        default=None, description="The same key again returns the first weighing instead of logging another."
    )


@strawberry.type
class LogWeightPayload:
    weight_entry: WeightEntry
    user: LazyUser


@strawberry.type
class DeleteWeightPayload:
    deleted_id: strawberry.ID
    user: LazyUser


@strawberry.type
class WeightMutation:
    @strawberry.mutation(description="Log a weighing of the viewer.")
    async def log_weight(self, info: Info, input: LogWeightInput) -> LogWeightPayload:
        from subgraphs.users.api.user import load_viewer

        context = info.context
        now = context.resources.now()
        fat = input.body_fat_percent
        new = commands.NewWeighing(
            weight_kg=decimal_of(input.weight_kg, 2),
            body_fat_percent=None if fat is None else decimal_of(fat, 2),
            notes=input.notes,
            recorded_at=input.recorded_at or now,
            idempotency_key=input.idempotency_key,
        )
        record = await commands.log_weight(context.viewer, new, database=context.resources.database, now=now)
        context.renew_loaders()
        return LogWeightPayload(weight_entry=weight_node(record), user=await load_viewer(info))

    @strawberry.mutation(description="Take one of the viewer's weighings back.")
    async def delete_weight(self, info: Info, id: strawberry.ID) -> DeleteWeightPayload:
        from subgraphs.users.api.user import load_viewer

        context = info.context
        resources = context.resources
        await commands.delete_weight(context.viewer, id, database=resources.database, now=resources.now())
        context.renew_loaders()
        return DeleteWeightPayload(deleted_id=id, user=await load_viewer(info))
