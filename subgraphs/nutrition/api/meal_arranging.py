"""What spares typing in a diary: energy without a food, items moved, whole days copied, deletions undone."""

import datetime as dt
from datetime import datetime
from typing import TYPE_CHECKING

import strawberry

from subgraphs.nutrition.api.food import food_node
from subgraphs.nutrition.api.meal import LazyDiaryDay, Meal, meal_node
from subgraphs.nutrition.api.meal_mutations import DAY, MEAL, QuickAddEntryInput, day_of
from subgraphs.nutrition.api.water import drink_node
from subgraphs.nutrition.commands import day_copy, meal, meal_items, undo
from subgraphs.nutrition.domain import meal as domain
from subgraphs.nutrition.queries.food import FoodRecord
from subgraphs.nutrition.queries.meal import MealRecord
from subgraphs.nutrition.queries.water import DrinkRecord
from subgraphs.shell.context import Info
from subgraphs.shell.cost import list_size
from subgraphs.shell.inputs import client_made_id, expected_version, idempotency_key, request_key
from subgraphs.shell.key_scope import KeyScope
from subgraphs.shell.mutation import Payload, mutation
from subgraphs.shell.node import Node, NodeKind
from subgraphs.shell.scalars import IdempotencyKey, TimeZone, decimal_of

if TYPE_CHECKING:
    from subgraphs.nutrition.api.diary import DiaryDay


@strawberry.input(description="Energy that was eaten, to log as a meal of its own without telling of what food.")
class QuickAddInput(QuickAddEntryInput):
    slot: domain.MealSlot = strawberry.field(description="Which meal of the day it was.")
    at: datetime | None = strawberry.field(default=None, description="When it was eaten, not in the future. Null: now.")
    time_zone: TimeZone | None = strawberry.field(
        default=None, description="Where it was eaten, which decides its day. Null: at home, as the settings say."
    )
    id: strawberry.ID | None = client_made_id(NodeKind.MEAL)
    idempotency_key: IdempotencyKey | None = idempotency_key()


@strawberry.input(description="Which items to move, and to which meal or slot: one of the two.")
class MoveMealItemsInput:
    meal_id: strawberry.ID = strawberry.field(description="The meal that has them.")
    positions: list[int] = strawberry.field(description="The `position` of each item to move, from 0, each once.")
    to_meal_id: strawberry.ID | None = strawberry.field(
        default=None, description="The meal that gets them, of any day. Null: a new one in `toSlot`."
    )
    to_slot: domain.MealSlot | None = strawberry.field(
        default=None, description="Which meal of the day the new one is, at the same moment. Null: `toMealId` says."
    )
    expected_version: int | None = expected_version()


@strawberry.input(description="Which day of the diary to copy, and to which.")
class CopyDayInput:
    from_: dt.date = strawberry.field(name="from", description="The local day whose meals are copied.")
    to: dt.date | None = strawberry.field(
        default=None, description="The local day that gets them, not in the future. Null: today."
    )
    slots: list[domain.MealSlot] | None = strawberry.field(
        default=None, description="Meals of these kinds only. Null: of any."
    )
    scale: float = strawberry.field(
        default=1.0,
        description=f"How much of everything, {domain.SMALLEST_SCALE} to {domain.LARGEST_SCALE}; half is 0.5.",
    )
    idempotency_key: IdempotencyKey | None = idempotency_key()


@strawberry.input(description="Which deletion to undo.")
class UndoDeleteInput:
    id: strawberry.ID = strawberry.field(
        description="The `deletedId` of a meal or drink that was deleted in the last 30 days, or of an own food."
    )


@strawberry.type(description="What came of adding energy without a food.")
class QuickAddPayload(Payload):
    meal: Meal | None = strawberry.field(default=None, description=MEAL)
    diary_day: LazyDiaryDay | None = strawberry.field(default=None, description=DAY)


@strawberry.type(description="What came of moving items.")
class MoveMealItemsPayload(Payload):
    meal: Meal | None = strawberry.field(
        default=None, description="The meal that had them; null if nothing is left of it, or if it was refused."
    )
    target: Meal | None = strawberry.field(default=None, description="The meal that got them; null if it was refused.")
    diary_day: LazyDiaryDay | None = strawberry.field(
        default=None, description="The day of `target` as it is now; null if it was refused."
    )
    previous_diary_day: LazyDiaryDay | None = strawberry.field(
        default=None, description="The day that the items left, as it is now; null if they stayed on their day."
    )


@strawberry.type(description="What came of copying a day.")
class CopyDayPayload(Payload):
    meals: list[Meal] | None = strawberry.field(
        default=None,
        description=f"The copies, as they were eaten; at most {domain.MOST_MEALS_A_DAY}. Null if it was refused.",
        directives=[list_size(6)],
    )
    diary_day: LazyDiaryDay | None = strawberry.field(
        default=None, description="The day that got them, as it is now; null if it was refused."
    )


@strawberry.type(description="What came of undoing a deletion.")
class UndoDeletePayload(Payload):
    restored: Node | None = strawberry.field(
        default=None, description="The meal, drink or food that is there again; null if it was refused."
    )
    diary_day: LazyDiaryDay | None = strawberry.field(
        default=None, description="Its day as it is now; null for a food, or if it was refused."
    )


@strawberry.type
class MealArrangingMutation:
    @mutation(
        key_scope=KeyScope.WRITE_DIARY, description="Log energy without telling of what food, as a meal of the viewer."
    )
    async def quick_add(self, info: Info, input: QuickAddInput) -> QuickAddPayload | None:
        resources = info.context.resources
        now = resources.now()
        new = meal.NewMeal(
            slot=input.slot,
            at=input.at or now,
            quick_adds=[input.to_quick_add()],
            time_zone=input.time_zone,
            request=request_key(input),
        )
        record = await meal.log_quick_add(info.context.viewer, new, database=resources.database, now=now)
        return QuickAddPayload(meal=meal_node(record), diary_day=day_of(info, record))

    @mutation(
        key_scope=KeyScope.WRITE_DIARY,
        description="Move items of a meal to another one, at the nutrients they were logged with. A meal that nothing is"
        " left of goes.",
    )
    async def move_meal_items(self, info: Info, input: MoveMealItemsInput) -> MoveMealItemsPayload | None:
        from subgraphs.nutrition.api.diary import diary_day

        resources = info.context.resources
        was, left, target = await meal_items.move_items(
            info.context.viewer,
            input.meal_id,
            meal_items.Move(input.positions, input.to_meal_id, input.to_slot),
            expected_version=input.expected_version,
            database=resources.database,
            now=resources.now(),
        )
        return MoveMealItemsPayload(
            meal=None if left is None else meal_node(left),
            target=meal_node(target),
            diary_day=day_of(info, target),
            previous_diary_day=None if was.local_date == target.local_date else diary_day(was.user_id, was.local_date),
        )

    @mutation(
        key_scope=KeyScope.WRITE_DIARY,
        description="Log the meals of a day again on another, at the same hours and the nutrients they were logged with;"
        " today, what would be to come is logged as of now.",
    )
    async def copy_day(self, info: Info, input: CopyDayInput) -> CopyDayPayload | None:
        from subgraphs.nutrition.api.diary import diary_day

        resources, viewer = info.context.resources, info.context.viewer
        copy = day_copy.DayCopy(
            source=input.from_,
            target=input.to,
            slots=tuple(domain.MealSlot) if input.slots is None else input.slots,
            scale=decimal_of(input.scale),
            request=request_key(input),
        )
        day, meals = await day_copy.copy_day(viewer, copy, database=resources.database, now=resources.now())
        info.context.renew_loaders()
        return CopyDayPayload(meals=[meal_node(each) for each in meals], diary_day=diary_day(viewer.id, day))

    @mutation(
        key_scope=KeyScope.WRITE_DIARY,
        description="Bring back a meal, a drink or an own food that the viewer deleted, under the same id.",
    )
    async def undo_delete(self, info: Info, input: UndoDeleteInput) -> UndoDeletePayload | None:
        resources = info.context.resources
        record = await undo.undo_delete(info.context.viewer, input.id, database=resources.database, now=resources.now())
        info.context.renew_loaders()
        return UndoDeletePayload(restored=_node(record), diary_day=_day(record))


def _node(record: MealRecord | DrinkRecord | FoodRecord) -> Node:
    if isinstance(record, FoodRecord):
        return food_node(record)
    return drink_node(record) if isinstance(record, DrinkRecord) else meal_node(record)


def _day(record: MealRecord | DrinkRecord | FoodRecord) -> "DiaryDay | None":
    from subgraphs.nutrition.api.diary import diary_day

    return None if isinstance(record, FoodRecord) else diary_day(record.user_id, record.local_date)
