"""Gear in GraphQL: shoes, bicycles and the like, how far each went, and what is changed about them."""

from datetime import date, datetime
from decimal import Decimal
from functools import partial
from typing import TYPE_CHECKING, Annotated, Any, cast

import strawberry

from subgraphs.shell.context import Info
from subgraphs.shell.cost import list_size
from subgraphs.shell.inputs import client_made_id, expected_version, given, idempotency_key, request_key
from subgraphs.shell.key_scope import KeyScope
from subgraphs.shell.keyset import KeysetList
from subgraphs.shell.mutation import Payload, mutation
from subgraphs.shell.node import ID_DESCRIPTION
from subgraphs.shell.pagination import After, Before, Connection, First, Last, connect
from subgraphs.shell.quantities import Distance, DistanceIn, distance
from subgraphs.shell.scalars import (
    IdempotencyKey,
    decimal_of,
    decimal_of_or_none,
    describe_enum,
    rounded,
    rounded_or_none,
)
from subgraphs.shell.sharing import SHARED_TRAINING
from subgraphs.shell.units import DistanceUnit
from subgraphs.workouts.api.exercise import Exercise, exercise_node
from subgraphs.workouts.commands import gear as commands
from subgraphs.workouts.domain import gear as domain
from subgraphs.workouts.loaders import loaders_of
from subgraphs.workouts.queries.gear import GearRecord, GearUse

if TYPE_CHECKING:
    from subgraphs.workouts.api.user import User

LazyUser = Annotated["User", strawberry.lazy("subgraphs.workouts.api.user")]
_NO_USE = GearUse(0, Decimal(0))

describe_enum(
    domain.GearKind,
    "What a piece of gear is.",
    SHOES="A pair of shoes.",
    BICYCLE="A bicycle.",
    BOAT="A boat, or a board.",
    SKIS="A pair of skis.",
    SKATES="A pair of skates.",
    OTHER="Something else.",
)


@strawberry.type(description="Shoes, a bicycle, or what else a person goes a distance with.")
class Gear:
    record: strawberry.Private[GearRecord]
    id: strawberry.ID = strawberry.field(description="Identifies the gear in the whole graph.")
    name: str = strawberry.field(description="What the person calls it.")
    kind: domain.GearKind = strawberry.field(description="What it is.")
    start_distance_m: float = strawberry.field(description="How far it went before it was entered, in metres.")
    life_distance_m: float | None = strawberry.field(
        description="How far it is meant to last, in metres; null if nobody said."
    )
    retired_on: date | None = strawberry.field(description="The day since which it is not used; null while it is.")
    created_at: datetime = strawberry.field(description="When it was entered.")
    version: int = strawberry.field(description="Counts up with each change.")

    @strawberry.field(description="How many finished workouts were done with it.")
    async def workout_count(self, info: Info) -> int:
        return (await _use(info, self.record)).workouts

    @strawberry.field(
        description="How far it went, in metres: `startDistanceM`, and the distances of its finished workouts as they are now, by"
        " their recording or else their sets."
    )
    async def distance_m(self, info: Info) -> float:
        return rounded(await _distance_m(info, self.record))

    @strawberry.field(description="`distanceM` in a unit.")
    async def distance(self, info: Info, unit: DistanceIn = DistanceUnit.M) -> Distance:
        return distance(await _distance_m(info, self.record), unit)

    @strawberry.field(
        description="How far it still lasts, in metres; below 0 where it is past that, null if `lifeDistanceM` is."
    )
    async def left_m(self, info: Info) -> float | None:
        lasts = self.record.life_distance_m
        return None if lasts is None else rounded(lasts - await _distance_m(info, self.record))

    @strawberry.field(
        description="Workouts of a distance whose first exercise is one of these are done with it where nothing else is told; up to 50.",
        directives=[list_size(3)],
    )
    async def default_for(self, info: Info) -> list[Exercise]:
        found = await loaders_of(info).exercise_by_id.load_many(self.record.default_for)
        return [exercise_node(each) for each in found if each is not None]


async def _use(info: Info, record: GearRecord) -> GearUse:
    return await loaders_of(info).gear_use_by_id.load(record.id) or _NO_USE


async def _distance_m(info: Info, record: GearRecord) -> Decimal:
    return record.start_distance_m + (await _use(info, record)).distance_m


def gear_node(record: GearRecord) -> Gear:
    return Gear(
        record=record,
        id=strawberry.ID(record.id),
        name=record.name,
        kind=domain.GearKind(record.kind),
        start_distance_m=rounded(record.start_distance_m),
        life_distance_m=rounded_or_none(record.life_distance_m),
        retired_on=record.retired_on,
        created_at=record.created_at,
        version=record.version,
    )


@strawberry.input(description="Gear to keep; a person has up to 100 pieces.")
class CreateGearInput:
    name: str = strawberry.field(description="What the person calls it, 1 to 100 characters.")
    kind: domain.GearKind = strawberry.field(description="What it is.")
    start_distance_m: float = strawberry.field(
        default=0, description="How far it went already, in metres, 0 to 1,000,000,000."
    )
    life_distance_m: float | None = strawberry.field(
        default=None, description="How far it is meant to last, in metres, 1 to 1,000,000,000. Null: nobody said."
    )
    retired_on: date | None = strawberry.field(
        default=None, description="The day since which it is not used. Null: it is used."
    )
    default_for_exercise_ids: list[strawberry.ID] = strawberry.field(
        default_factory=list,
        description="Exercises whose workouts are done with it, up to 50; of other gear they are the default no more.",
    )
    id: strawberry.ID | None = client_made_id("gear")
    idempotency_key: IdempotencyKey | None = idempotency_key()

    def to_draft(self) -> domain.GearDraft:
        return domain.GearDraft(
            name=self.name,
            kind=self.kind,
            start_distance_m=decimal_of(self.start_distance_m, 2),
            life_distance_m=decimal_of_or_none(self.life_distance_m, 2),
            retired_on=self.retired_on,
            default_for=self.default_for_exercise_ids,
        )


@strawberry.input(description="What is to be different of gear: what is absent stays, what is null is cleared.")
class UpdateGearInput:
    id: strawberry.ID = strawberry.field(description="The gear's id.")
    name: str | None = strawberry.field(
        default=strawberry.UNSET, description="What the person calls it, 1 to 100 characters. It cannot be null."
    )
    kind: domain.GearKind | None = strawberry.field(
        default=strawberry.UNSET, description="What it is. It cannot be null."
    )
    start_distance_m: float | None = strawberry.field(
        default=strawberry.UNSET, description="In metres, 0 to 1,000,000,000. It cannot be null."
    )
    life_distance_m: float | None = strawberry.field(
        default=strawberry.UNSET, description="In metres, 1 to 1,000,000,000. Null: nobody said."
    )
    retired_on: date | None = strawberry.field(
        default=strawberry.UNSET,
        description="The day since which it is not used; it is no exercise's default then. Null: it is used.",
    )
    default_for_exercise_ids: list[strawberry.ID] | None = strawberry.field(
        default=strawberry.UNSET, description="All of them, up to 50. It cannot be null."
    )
    expected_version: int | None = expected_version()

    def to_changes(self) -> commands.GearChanges:
        changes: dict[str, Any] = given(
            self,
            "life_distance_m",
            "retired_on",
            never_null=("name", "kind", "start_distance_m", "default_for_exercise_ids"),
        )
        if "default_for_exercise_ids" in changes:
            changes["default_for"] = changes.pop("default_for_exercise_ids")
        for name in ("start_distance_m", "life_distance_m"):
            if changes.get(name) is not None:
                changes[name] = decimal_of(changes[name], 2)
        return cast("commands.GearChanges", changes)


@strawberry.input(description="Which gear to delete.")
class DeleteGearInput:
    id: strawberry.ID = strawberry.field(description="The gear's id.")
    expected_version: int | None = expected_version()


@strawberry.type(description="What came of keeping gear.")
class CreateGearPayload(Payload):
    gear: Gear | None = strawberry.field(default=None, description="The gear as it was kept; null if it was refused.")


@strawberry.type(description="What came of changing gear.")
class UpdateGearPayload(Payload):
    gear: Gear | None = strawberry.field(default=None, description="The gear as it is now; null if it was refused.")


@strawberry.type(description="What came of deleting gear.")
class DeleteGearPayload(Payload):
    deleted_id: strawberry.ID | None = strawberry.field(
        default=None, description="The id of what is gone; null if it was refused."
    )
    user: LazyUser | None = strawberry.field(
        default=None, description="The person without that gear; null if it was refused."
    )


@strawberry.type
class GearOfUser:
    """A field of User."""

    id: strawberry.ID = strawberry.field(description=ID_DESCRIPTION)

    @strawberry.field(
        description="Shoes, bicycles and the like, retired ones among them, the oldest first.",
        directives=[SHARED_TRAINING],
    )
    async def gear(
        self, info: Info, first: First = None, after: After = None, last: Last = None, before: Before = None
    ) -> Connection[Gear]:
        page = KeysetList("User.gear", self.id, (datetime, str)).page(first, after, last, before)
        records = await loaders_of(info).gear_by_user.load((self.id, page))
        count = partial(loaders_of(info).gear_count_by_user.load, self.id)
        return connect(records, page, gear_node, lambda record: (record.created_at, record.id), count)


@strawberry.type
class GearMutation:
    @mutation(
        key_scope=KeyScope.WRITE_TRAINING, description="Keep gear of the viewer. CONFLICT for more than there may be."
    )
    async def create_gear(self, info: Info, input: CreateGearInput) -> CreateGearPayload | None:
        resources = info.context.resources
        record = await commands.create_gear(
            info.context.viewer,
            input.to_draft(),
            request_key(input),
            database=resources.database,
            now=resources.now(),
        )
        info.context.renew_loaders()
        return CreateGearPayload(gear=gear_node(record))

    @mutation(
        key_scope=KeyScope.WRITE_TRAINING,
        description="Change, retire or take up again gear of the viewer; what was done with it stays so.",
    )
    async def update_gear(self, info: Info, input: UpdateGearInput) -> UpdateGearPayload | None:
        record = await commands.update_gear(
            info.context.viewer,
            input.id,
            input.to_changes(),
            expected_version=input.expected_version,
            database=info.context.resources.database,
        )
        info.context.renew_loaders()
        return UpdateGearPayload(gear=gear_node(record))

    @mutation(
        key_scope=KeyScope.WRITE_TRAINING,
        description="Delete gear of the viewer; workouts that were done with it have none then. `updateGear` retires it instead.",
    )
    async def delete_gear(self, info: Info, input: DeleteGearInput) -> DeleteGearPayload | None:
        from subgraphs.workouts.api.user import load_named_user

        viewer = info.context.viewer
        await commands.delete_gear(
            viewer, input.id, expected_version=input.expected_version, database=info.context.resources.database
        )
        info.context.renew_loaders()
        return DeleteGearPayload(deleted_id=input.id, user=await load_named_user(info, viewer.id))
