"""Weighings in GraphQL: the entity, its pages, logging, correcting and deleting."""

from datetime import date, datetime
from functools import partial
from typing import TYPE_CHECKING, Annotated, cast

import strawberry

from subgraphs.shell.context import Info
from subgraphs.shell.inputs import client_made_id, expected_version, given, idempotency_key, request_key
from subgraphs.shell.key_scope import KeyScope
from subgraphs.shell.keyset import Page
from subgraphs.shell.mutation import Payload, mutation
from subgraphs.shell.node import Loggable, Node, NodeKind
from subgraphs.shell.pagination import Connection, connect
from subgraphs.shell.quantities import Mass, mass
from subgraphs.shell.scalars import (
    CACHE_PRIVATE_BRIEFLY,
    IdempotencyKey,
    decimal_of,
    decimal_of_or_none,
    rounded,
    rounded_or_none,
)
from subgraphs.shell.sharing import SHARED_BODY, load_readable
from subgraphs.shell.units import MassUnit
from subgraphs.users.commands import weight as commands
from subgraphs.users.domain.account import Units
from subgraphs.users.loaders import loaders_of
from subgraphs.users.queries.weight import WeightRecord

if TYPE_CHECKING:
    from subgraphs.users.api.user import User

LazyUser = Annotated["User", strawberry.lazy("subgraphs.users.api.user")]


MASS_UNIT_OF = {Units.METRIC: MassUnit.KG, Units.IMPERIAL: MassUnit.LB}
MassInOrSetting = Annotated[
    MassUnit | None, strawberry.argument(description="Null: the unit of the person's settings.")
]


@strawberry.federation.type(
    keys=["id", "nodeId"], description="One weighing of a person.", directives=[CACHE_PRIVATE_BRIEFLY, SHARED_BODY]
)
class WeightEntry(Node, Loggable):
    record: strawberry.Private[WeightRecord]
    weight_kg: float = strawberry.field(description="Body weight in kilograms.")
    body_fat_percent: float | None = strawberry.field(
        description="Body fat in percent of the weight; null if it was not measured."
    )
    muscle_mass_kg: float | None = strawberry.field(
        description="Muscle in kilograms, as a scale estimates it; null if it was not measured."
    )
    notes: str | None = strawberry.field(description="The person's own words; null if there are none.")
    recorded_at: datetime = strawberry.field(description="When the person stood on the scale; `at` is the same.")
    version: int = strawberry.field(description="Counts changes; send it as `expectedVersion` to change only this one.")

    @classmethod
    async def resolve_reference(cls, info: Info, id: strawberry.ID, **_: object) -> "WeightEntry | None":
        return await load_weight(info, id)

    @strawberry.field(description="Body weight in a unit.")
    async def weight(
        self,
        info: Info,
        unit: MassInOrSetting = None,
    ) -> Mass:
        if unit is None:
            account = await loaders_of(info).account_by_id.load(self.record.user_id)
            unit = MASS_UNIT_OF[Units(account.units) if account is not None else Units.METRIC]
        return mass(self.record.weight_kg, unit)

    @strawberry.field(description="Whose weighing it is.")
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
        muscle_mass_kg=rounded_or_none(record.muscle_mass_kg),
        notes=record.notes,
        recorded_at=record.recorded_at,
        at=record.recorded_at,
        local_date=record.local_date,
        version=record.version,
    )


async def load_weight(info: Info, id: str) -> WeightEntry | None:
    """The weighing, unless it is another person's who does not share it."""
    record = await load_readable(info, WeightEntry, loaders_of(info).weight_by_id, id)
    return None if record is None else weight_node(record)


def weight_connection(info: Info, user_id: str, records: list[WeightRecord], page: Page) -> Connection[WeightEntry]:
    count = partial(loaders_of(info).weight_count_by_user.load, user_id)
    return connect(records, page, weight_node, lambda record: (record.recorded_at, record.id), count)


@strawberry.input(description="A weighing to log.")
class LogWeightInput:
    weight_kg: float = strawberry.field(description="Body weight in kilograms, 20 to 500.")
    body_fat_percent: float | None = strawberry.field(
        default=None, description="Body fat in percent of the weight, 1 to 75. Null: not measured."
    )
    muscle_mass_kg: float | None = strawberry.field(
        default=None, description="Muscle in kilograms, at most the weight without its fat. Null: not measured."
    )
    notes: str | None = strawberry.field(default=None, description="Up to 500 characters. Null: none.")
    recorded_at: datetime | None = strawberry.field(
        default=None, description="When the person stood on the scale, not in the future. Null: now."
    )
    local_date: date | None = strawberry.field(
        default=None,
        description="The calendar day that it counts for, where the person's clock was another then, as in an import: the moment's, by"
        " some clock on Earth. Null: the day by the person's clock as it is now.",
    )
    id: strawberry.ID | None = client_made_id(NodeKind.WEIGHT_ENTRY)
    idempotency_key: IdempotencyKey | None = idempotency_key()


@strawberry.input(description="What is to be different of a weighing: what is absent stays, what is null is cleared.")
class EditWeightInput:
    id: strawberry.ID = strawberry.field(description="The weighing's id.")
    weight_kg: float | None = strawberry.field(
        default=strawberry.UNSET, description="Body weight in kilograms, 20 to 500. It cannot be null."
    )
    body_fat_percent: float | None = strawberry.field(
        default=strawberry.UNSET, description="Body fat in percent of the weight, 1 to 75. Null: not measured."
    )
    muscle_mass_kg: float | None = strawberry.field(
        default=strawberry.UNSET,
        description="Muscle in kilograms, at most the weight without its fat. Null: not measured.",
    )
    notes: str | None = strawberry.field(default=strawberry.UNSET, description="Up to 500 characters. Null: none.")
    recorded_at: datetime | None = strawberry.field(
        default=strawberry.UNSET,
        description="When the person stood on the scale, not in the future. It cannot be null.",
    )
    expected_version: int | None = expected_version()

    def to_changes(self) -> commands.WeighingChanges:
        nullable = ("body_fat_percent", "muscle_mass_kg", "notes")
        changes = given(self, *nullable, never_null=("weight_kg", "recorded_at"))
        exact = {name: decimal_of(value, 2) if isinstance(value, float) else value for name, value in changes.items()}
        return cast("commands.WeighingChanges", exact)


@strawberry.input(description="Which weighing to take back.")
class DeleteWeightInput:
    id: strawberry.ID = strawberry.field(description="The weighing's id.")
    expected_version: int | None = expected_version()


@strawberry.type(description="What came of logging a weighing.")
class LogWeightPayload(Payload):
    weight_entry: WeightEntry | None = strawberry.field(
        default=None, description="The weighing as it was logged; null if it was refused."
    )
    user: LazyUser | None = strawberry.field(
        default=None, description="The person, whose weight it is now; null if it was refused."
    )


@strawberry.type(description="What came of correcting a weighing.")
class EditWeightPayload(Payload):
    weight_entry: WeightEntry | None = strawberry.field(
        default=None, description="The weighing as it is now; null if it was refused."
    )
    user: LazyUser | None = strawberry.field(
        default=None, description="The person, with the weighing as it is now; null if it was refused."
    )


@strawberry.type(description="What came of taking a weighing back.")
class DeleteWeightPayload(Payload):
    deleted_id: strawberry.ID | None = strawberry.field(
        default=None, description="The id of what is gone; null if it was refused."
    )
    user: LazyUser | None = strawberry.field(
        default=None, description="The person without that weighing; null if it was refused."
    )


@strawberry.type
class WeightMutation:
    @mutation(key_scope=KeyScope.WRITE_BODY, description="Log a weighing of the viewer.")
    async def log_weight(self, info: Info, input: LogWeightInput) -> LogWeightPayload | None:
        from subgraphs.users.api.user import load_viewer

        context = info.context
        now = context.resources.now()
        fat = input.body_fat_percent
        new = commands.NewWeighing(
            weight_kg=decimal_of(input.weight_kg, 2),
            body_fat_percent=None if fat is None else decimal_of(fat, 2),
            muscle_mass_kg=decimal_of_or_none(input.muscle_mass_kg, 2),
            notes=input.notes,
            recorded_at=input.recorded_at or now,
            local_date=input.local_date,
            request=request_key(input),
        )
        record = await commands.log_weight(context.viewer, new, database=context.resources.database, now=now)
        context.renew_loaders()
        return LogWeightPayload(weight_entry=weight_node(record), user=await load_viewer(info))

    @mutation(
        key_scope=KeyScope.WRITE_BODY,
        description="Correct one of the viewer's weighings. NOT_FOUND where there is none.",
    )
    async def edit_weight(self, info: Info, input: EditWeightInput) -> EditWeightPayload | None:
        from subgraphs.users.api.user import load_viewer

        context = info.context
        resources = context.resources
        record = await commands.edit_weight(
            context.viewer,
            input.id,
            input.to_changes(),
            expected_version=input.expected_version,
            database=resources.database,
            now=resources.now(),
        )
        context.renew_loaders()
        return EditWeightPayload(weight_entry=weight_node(record), user=await load_viewer(info))

    @mutation(
        key_scope=KeyScope.WRITE_BODY,
        description="Take one of the viewer's weighings back. NOT_FOUND where there is none.",
    )
    async def delete_weight(self, info: Info, input: DeleteWeightInput) -> DeleteWeightPayload | None:
        from subgraphs.users.api.user import load_viewer

        context = info.context
        resources = context.resources
        await commands.delete_weight(
            context.viewer,
            input.id,
            expected_version=input.expected_version,
            database=resources.database,
            now=resources.now(),
        )
        context.renew_loaders()
        return DeleteWeightPayload(deleted_id=input.id, user=await load_viewer(info))
