"""Drinks in GraphQL: the entity, logging and taking back."""

from datetime import date, datetime
from typing import TYPE_CHECKING, Annotated

import strawberry

from subgraphs.nutrition.commands import water as commands
from subgraphs.nutrition.loaders import loaders_of
from subgraphs.nutrition.queries.water import DrinkRecord
from subgraphs.shell.context import Info
from subgraphs.shell.inputs import client_made_id, expected_version, idempotency_key, request_key
from subgraphs.shell.key_scope import KeyScope
from subgraphs.shell.mutation import Payload, mutation
from subgraphs.shell.node import Loggable, Node, NodeKind
from subgraphs.shell.quantities import Volume, VolumeIn, volume
from subgraphs.shell.scalars import CACHE_PRIVATE_BRIEFLY, IdempotencyKey
from subgraphs.shell.sharing import SHARED_DIARY, load_readable
from subgraphs.shell.units import VolumeUnit

if TYPE_CHECKING:
    from subgraphs.nutrition.api.diary import DiaryDay

LazyDiaryDay = Annotated["DiaryDay", strawberry.lazy("subgraphs.nutrition.api.diary")]


@strawberry.federation.type(
    keys=["id", "nodeId"], description="Water that a person drank.", directives=[CACHE_PRIVATE_BRIEFLY, SHARED_DIARY]
)
class Drink(Node, Loggable):
    amount_ml: int = strawberry.field(description="How much, in millilitres.")
    version: int = strawberry.field(description="Counts changes; send it as `expectedVersion` to change only this one.")

    @classmethod
    async def resolve_reference(cls, info: Info, id: strawberry.ID, **_: object) -> "Drink | None":
        record = await load_readable(info, Drink, loaders_of(info).drink_by_id, id)
        return None if record is None else drink_node(record)

    @strawberry.field(description="How much, in a unit.")
    def amount(self, unit: VolumeIn = VolumeUnit.ML) -> Volume:
        return volume(self.amount_ml, unit)


def drink_node(record: DrinkRecord) -> Drink:
    return Drink(
        id=strawberry.ID(record.id),
        amount_ml=record.amount_ml,
        at=record.at,
        local_date=record.local_date,
        version=record.version,
    )


@strawberry.input(description="A drink to log.")
class LogWaterInput:
    amount_ml: int = strawberry.field(description=f"How much, 1 to {commands.LARGEST_DRINK_ML} millilitres.")
    at: datetime | None = strawberry.field(default=None, description="When it was drunk, not in the future. Null: now.")
    local_date: date | None = strawberry.field(
        default=None,
        description="The calendar day that it counts for, where the person's clock was another then, as in an import: the moment's, by"
        " some clock on Earth. Null: the day by the person's clock as it is now.",
    )
    id: strawberry.ID | None = client_made_id(NodeKind.DRINK)
    idempotency_key: IdempotencyKey | None = idempotency_key()


@strawberry.input(description="Which drink to take back.")
class DeleteWaterInput:
    id: strawberry.ID = strawberry.field(description="The drink's id.")
    expected_version: int | None = expected_version()


@strawberry.type(description="What came of logging a drink.")
class LogWaterPayload(Payload):
    drink: Drink | None = strawberry.field(
        default=None, description="The drink as it was logged; null if it was refused."
    )
    diary_day: LazyDiaryDay | None = strawberry.field(
        default=None, description="The drink's day as it is now; null if it was refused."
    )


@strawberry.type(description="What came of taking a drink back.")
class DeleteWaterPayload(Payload):
    deleted_id: strawberry.ID | None = strawberry.field(
        default=None, description="The id of what is gone; null if it was refused."
    )
    diary_day: LazyDiaryDay | None = strawberry.field(
        default=None, description="The drink's day as it is now; null if it was refused."
    )


def _day_of(info: Info, record: DrinkRecord) -> "DiaryDay":
    from subgraphs.nutrition.api.diary import diary_day

    info.context.renew_loaders()
    return diary_day(record.user_id, record.local_date)


@strawberry.type
class WaterMutation:
    @mutation(key_scope=KeyScope.WRITE_DIARY, description="Log a drink of the viewer.")
    async def log_water(self, info: Info, input: LogWaterInput) -> LogWaterPayload | None:
        viewer, resources = info.context.viewer, info.context.resources
        now = resources.now()
        record = await commands.log_water(
            viewer,
            input.amount_ml,
            input.at or now,
            request_key(input),
            day=input.local_date,
            database=resources.database,
            now=now,
        )
        return LogWaterPayload(drink=drink_node(record), diary_day=_day_of(info, record))

    @mutation(key_scope=KeyScope.WRITE_DIARY, description="Take a drink of the viewer back.")
    async def delete_water(self, info: Info, input: DeleteWaterInput) -> DeleteWaterPayload | None:
        resources = info.context.resources
        record = await commands.delete_water(
            info.context.viewer,
            input.id,
            expected_version=input.expected_version,
            database=resources.database,
            now=resources.now(),
        )
        return DeleteWaterPayload(deleted_id=input.id, diary_day=_day_of(info, record))
