"""Meals in GraphQL: the entity with its items, and every change to meals."""

from datetime import date, datetime
from typing import TYPE_CHECKING, Annotated

import strawberry

from subgraphs.context import Info
from subgraphs.errors import NotFoundError
from subgraphs.nutrition.api.food import Food, food_node
from subgraphs.nutrition.api.nutrients import Nutrients, nutrients_node, totals_node
from subgraphs.nutrition.commands import meal as commands
from subgraphs.nutrition.domain import meal as domain
from subgraphs.nutrition.domain.nutrients import decode_nutrients, decode_totals
from subgraphs.nutrition.loaders import loaders_of
from subgraphs.nutrition.queries.meal import MealItemRecord, MealRecord
from subgraphs.scalars import CACHE_PRIVATE_BRIEFLY, decimal_of, rounded, rounded_or_none

if TYPE_CHECKING:
    from subgraphs.nutrition.api.diary import DiaryDay
    from subgraphs.nutrition.api.user import User

LazyUser = Annotated["User", strawberry.lazy("subgraphs.nutrition.api.user")]
LazyDiaryDay = Annotated["DiaryDay", strawberry.lazy("subgraphs.nutrition.api.diary")]
MealSlot = strawberry.enum(domain.MealSlot)


@strawberry.type(description="A portion of a food as it was eaten.")
class MealItem:
    record: strawberry.Private[MealItemRecord]
    food_name: str = strawberry.field(description="The food's name when it was logged.")
    grams: float
    portion: str | None
    quantity: float | None

    @strawberry.field
    async def food(self, info: Info) -> Food:
        record = await loaders_of(info).food_by_id.load(self.record.food_id)
        if record is None:
            raise NotFoundError("This food does not exist any more.")
        return food_node(record)

    @strawberry.field(description="What the portion held when it was logged; later changes of the food change nothing.")
    def nutrients(self) -> Nutrients:
        return nutrients_node(decode_nutrients(self.record.nutrients))


@strawberry.federation.type(keys=["id"], description="A meal of one person.", directives=[CACHE_PRIVATE_BRIEFLY])
class Meal:
    record: strawberry.Private[MealRecord]
    id: strawberry.ID
    slot: domain.MealSlot
    at: datetime
    local_date: date = strawberry.field(description="The person's calendar day, by time zone and day start of then.")
    notes: str | None
    version: int = strawberry.field(description="Counts changes; send it as expectedVersion to change only this one.")

    @classmethod
    async def resolve_reference(cls, info: Info, id: strawberry.ID, **_: object) -> "Meal | None":
        return await load_meal(info, id)

    @strawberry.federation.field(provides=["displayName"])
    async def user(self, info: Info) -> LazyUser:
        from subgraphs.nutrition.api.user import load_named_user

        return await load_named_user(info, self.record.user_id)

    @strawberry.field
    async def items(self, info: Info) -> list[MealItem]:
        records = await loaders_of(info).items_by_meal.load(self.record.id)
        return [
            MealItem(
                record=record,
                food_name=record.food_name,
                grams=rounded(record.grams),
                portion=record.portion,
                quantity=rounded_or_none(record.quantity),
            )
            for record in records
        ]

    @strawberry.field
    def totals(self) -> Nutrients:
        return totals_node(decode_totals(self.record.totals))


def meal_node(record: MealRecord) -> Meal:
    return Meal(
        record=record,
        id=strawberry.ID(record.id),
        slot=domain.MealSlot(record.slot),
        at=record.at,
        local_date=record.local_date,
        notes=record.notes,
        version=record.version,
    )


async def load_meal(info: Info, meal_id: str) -> Meal | None:
    """The meal, unless it is another person's."""
    viewer = info.context.viewer
    record = await loaders_of(info).meal_by_id.load(meal_id)
    return meal_node(record) if record is not None and viewer.may_read(record.user_id) else None


@strawberry.type
class MealQuery:
    @strawberry.field(description="One of the viewer's meals.")
    async def meal(self, info: Info, id: strawberry.ID) -> Meal | None:
        return await load_meal(info, id)


@strawberry.input(description="A food with grams, or with the label of one of its portions and how many.")
class MealItemInput:
    food_id: strawberry.ID
    grams: float | None = None
    portion: str | None = None
    quantity: float | None = None

    def to_draft(self) -> domain.ItemDraft:
        return domain.ItemDraft(
            food_id=self.food_id,
            grams=None if self.grams is None else decimal_of(self.grams, 3),
            portion=self.portion,
            quantity=None if self.quantity is None else decimal_of(self.quantity, 3),
        )


@strawberry.input
class LogMealInput:
    slot: domain.MealSlot
    items: list[MealItemInput]
    at: datetime | None = strawberry.field(default=None, description="Now, if absent.")
    time_zone: str | None = strawberry.field(default=None, description="Where it was eaten, if not at home.")
    notes: str | None = None
    idempotency_key: str | None = strawberry.field(
        default=None, description="The same key again returns the first meal instead of logging another."
    )


@strawberry.input(description="What is absent or null stays; `items` replaces all of them.")
class UpdateMealInput:
    id: strawberry.ID
    expected_version: int | None = None
    slot: domain.MealSlot | None = None
    at: datetime | None = None
    time_zone: str | None = None
    notes: str | None = strawberry.field(default=None, description="An empty text takes the notes away.")
    items: list[MealItemInput] | None = None


@strawberry.input
class CopyMealInput:
    meal_id: strawberry.ID
    at: datetime | None = strawberry.field(default=None, description="Now, if absent.")
    slot: domain.MealSlot | None = None
    scale: float = strawberry.field(default=1.0, description="Half of everything is 0.5.")
    idempotency_key: str | None = None


@strawberry.type
class MealPayload:
    meal: Meal
    diary_day: LazyDiaryDay


@strawberry.type
class DeleteMealPayload:
    deleted_id: strawberry.ID
    diary_day: LazyDiaryDay


def _payload(info: Info, record: MealRecord) -> MealPayload:
    return MealPayload(meal=meal_node(record), diary_day=_day_of(info, record))


def _day_of(info: Info, record: MealRecord) -> "DiaryDay":
    """The meal's day as it is now that something was written."""
    from subgraphs.nutrition.api.diary import DiaryDay

    info.context.renew_loaders()
    return DiaryDay(user_id=strawberry.ID(record.user_id), date=record.local_date)


@strawberry.type
class MealMutation:
    @strawberry.mutation(description="Log a meal of the viewer, at the nutrients that its foods have now.")
    async def log_meal(self, info: Info, input: LogMealInput) -> MealPayload:
        resources = info.context.resources
        new = commands.NewMeal(
            slot=input.slot,
            at=input.at or resources.now(),
            items=[item.to_draft() for item in input.items],
            notes=input.notes,
            time_zone=input.time_zone,
            idempotency_key=input.idempotency_key,
        )
        viewer = info.context.viewer
        return _payload(info, await commands.log_meal(viewer, new, database=resources.database, now=resources.now()))

    @strawberry.mutation(description="Change a meal. STALE_VERSION if it is not the expected version any more.")
    async def update_meal(self, info: Info, input: UpdateMealInput) -> MealPayload:
        resources = info.context.resources
        record = await commands.update_meal(
            info.context.viewer,
            input.id,
            commands.MealChanges(
                slot=input.slot,
                at=input.at,
                items=None if input.items is None else [item.to_draft() for item in input.items],
                notes=input.notes,
                time_zone=input.time_zone,
            ),
            expected_version=input.expected_version,
            database=resources.database,
            now=resources.now(),
        )
        return _payload(info, record)

    @strawberry.mutation(description="Log the same foods at the same nutrients again.")
    async def copy_meal(self, info: Info, input: CopyMealInput) -> MealPayload:
        resources = info.context.resources
        copy = commands.MealCopy(
            at=input.at or resources.now(),
            slot=input.slot,
            scale=decimal_of(input.scale),
            idempotency_key=input.idempotency_key,
        )
        record = await commands.copy_meal(
            info.context.viewer, input.meal_id, copy, database=resources.database, now=resources.now()
        )
        return _payload(info, record)

    @strawberry.mutation(description="Take a meal out of the diary.")
    async def delete_meal(
        self, info: Info, id: strawberry.ID, expected_version: int | None = None
    ) -> DeleteMealPayload:
        resources = info.context.resources
        record = await commands.delete_meal(
            info.context.viewer,
            id,
            expected_version=expected_version,
            database=resources.database,
            now=resources.now(),
        )
        return DeleteMealPayload(deleted_id=id, diary_day=_day_of(info, record))
