"""Changes to meals in GraphQL: logged, changed, copied, deleted. Each payload shows the day as it is afterwards."""

from datetime import datetime
from typing import TYPE_CHECKING

import strawberry

from subgraphs.nutrition.api.meal import LazyDiaryDay, Meal, meal_node
from subgraphs.nutrition.commands import meal as commands
from subgraphs.nutrition.domain import meal as domain
from subgraphs.nutrition.domain.nutrients import QuickAdd
from subgraphs.nutrition.queries.meal import MealRecord
from subgraphs.shell.context import Info
from subgraphs.shell.inputs import client_made_id, expected_version, given, idempotency_key, request_key
from subgraphs.shell.key_scope import KeyScope
from subgraphs.shell.mutation import Payload, mutation
from subgraphs.shell.node import NodeKind
from subgraphs.shell.scalars import IdempotencyKey, TimeZone, decimal_of, decimal_of_or_none

if TYPE_CHECKING:
    from subgraphs.nutrition.api.diary import DiaryDay

_QUICK_GRAMS = f"0 to {domain.MOST_QUICK_G}. Null: not told."
_GRAMS = f"{domain.LIGHTEST_GRAMS} to {domain.HEAVIEST_GRAMS}"


@strawberry.input(description="A food with grams, or with the label of one of its portions and how many.")
class MealItemInput:
    food_id: strawberry.ID = strawberry.field(description="The food's id.")
    grams: float | None = strawberry.field(
        default=None, description=f"How much, {_GRAMS} grams. Null: as `portion` and `quantity` say."
    )
    portion: str | None = strawberry.field(
        default=None, description="The label of one of the food's portions. Null: `grams` says how much."
    )
    quantity: float | None = strawberry.field(
        default=None,
        description=f"How many of `portion`, {domain.FEWEST_PORTIONS} to {domain.MOST_PORTIONS}. Null: `grams` says.",
    )

    def to_draft(self) -> domain.ItemDraft:
        return domain.ItemDraft(
            food_id=self.food_id,
            grams=decimal_of_or_none(self.grams, domain.STORED_PLACES),
            portion=self.portion,
            quantity=decimal_of_or_none(self.quantity, domain.STORED_PLACES),
        )


@strawberry.input(description="Energy that was eaten without telling of what food.")
class QuickAddEntryInput:
    energy_kcal: float = strawberry.field(description=f"Energy in kilocalories, 0 to {domain.MOST_QUICK_KCAL}.")
    protein_g: float | None = strawberry.field(default=None, description=f"Protein in grams, {_QUICK_GRAMS}")
    carbs_g: float | None = strawberry.field(default=None, description=f"Carbohydrate in grams, {_QUICK_GRAMS}")
    fat_g: float | None = strawberry.field(default=None, description=f"Fat in grams, {_QUICK_GRAMS}")
    name: str | None = strawberry.field(
        default=None, description=f"Own words, 1 to {domain.LONGEST_QUICK_NAME} characters. Null: none."
    )

    def to_quick_add(self) -> QuickAdd:
        return QuickAdd(
            energy_kcal=decimal_of(self.energy_kcal, domain.STORED_PLACES),
            protein_g=decimal_of_or_none(self.protein_g, domain.STORED_PLACES),
            carbs_g=decimal_of_or_none(self.carbs_g, domain.STORED_PLACES),
            fat_g=decimal_of_or_none(self.fat_g, domain.STORED_PLACES),
            name=self.name,
        )


@strawberry.input(description="A meal to log.")
class LogMealInput:
    slot: domain.MealSlot = strawberry.field(description="Which meal of the day it was.")
    items: list[MealItemInput] = strawberry.field(
        default_factory=list,
        description=f"What it was made of, up to {domain.MOST_ITEMS} items; at least one unless there are `quickAdds`.",
    )
    quick_adds: list[QuickAddEntryInput] = strawberry.field(
        default_factory=list,
        description=f"Energy without a food, up to {domain.MOST_QUICK_ADDS} entries.",
    )
    at: datetime | None = strawberry.field(default=None, description="When it was eaten, not in the future. Null: now.")
    time_zone: TimeZone | None = strawberry.field(
        default=None, description="Where it was eaten, which decides its day. Null: at home, as the settings say."
    )
    notes: str | None = strawberry.field(
        default=None, description=f"Own words, up to {domain.LONGEST_NOTES} characters. Null: none."
    )
    custom_slot: str | None = strawberry.field(
        default=None,
        description="The name of one of the viewer's own slots: the meal counts as that slot says, whatever `slot` is."
        " Null: none.",
    )
    id: strawberry.ID | None = client_made_id(NodeKind.MEAL)
    idempotency_key: IdempotencyKey | None = idempotency_key()


@strawberry.input(description="What to change of a meal; what is absent stays.")
class UpdateMealInput:
    id: strawberry.ID = strawberry.field(description="The meal's id.")
    expected_version: int | None = expected_version()
    slot: domain.MealSlot | None = strawberry.field(
        default=strawberry.UNSET, description="Which meal of the day it was. Null is refused."
    )
    at: datetime | None = strawberry.field(
        default=strawberry.UNSET, description="When it was eaten, which decides its day anew. Null is refused."
    )
    time_zone: TimeZone | None = strawberry.field(
        default=strawberry.UNSET, description="Where it was eaten. Null: at home, as the settings say."
    )
    notes: str | None = strawberry.field(
        default=strawberry.UNSET, description=f"Own words, up to {domain.LONGEST_NOTES} characters. Null: none."
    )
    items: list[MealItemInput] | None = strawberry.field(
        default=strawberry.UNSET,
        description=(
            f"All items anew, 1 to {domain.MOST_ITEMS}, or none where there are `quickAdds`. Foods that the meal had keep"
            " the nutrients they were logged with. Null is refused."
        ),
    )
    quick_adds: list[QuickAddEntryInput] | None = strawberry.field(
        default=strawberry.UNSET,
        description=f"All energy without a food anew, up to {domain.MOST_QUICK_ADDS} entries. Null: none.",
    )
    custom_slot: str | None = strawberry.field(
        default=strawberry.UNSET,
        description="The name of one of the viewer's own slots, which says what it counts as. Null, or `slot` alone: none.",
    )


@strawberry.input(description="Which meal to log again, and how.")
class CopyMealInput:
    meal_id: strawberry.ID = strawberry.field(description="The id of the meal to copy, of any day.")
    at: datetime | None = strawberry.field(
        default=None, description="When the copy was eaten, not in the future. Null: now."
    )
    slot: domain.MealSlot | None = strawberry.field(
        default=None, description="Which meal of the day the copy was. Null: the same."
    )
    scale: float = strawberry.field(
        default=1.0,
        description=f"How much of everything, {domain.SMALLEST_SCALE} to {domain.LARGEST_SCALE}; half is 0.5.",
    )
    id: strawberry.ID | None = client_made_id(NodeKind.MEAL)
    idempotency_key: IdempotencyKey | None = idempotency_key()


@strawberry.input(description="Which meal to delete.")
class DeleteMealInput:
    id: strawberry.ID = strawberry.field(description="The meal's id.")
    expected_version: int | None = expected_version()


MEAL = "The meal as it is now; null if it was refused."
DAY = "The meal's day as it is now; null if it was refused."


@strawberry.type(description="What came of logging a meal.")
class LogMealPayload(Payload):
    meal: Meal | None = strawberry.field(default=None, description=MEAL)
    diary_day: LazyDiaryDay | None = strawberry.field(default=None, description=DAY)


@strawberry.type(description="What came of changing a meal.")
class UpdateMealPayload(Payload):
    meal: Meal | None = strawberry.field(default=None, description=MEAL)
    diary_day: LazyDiaryDay | None = strawberry.field(default=None, description=DAY)
    previous_diary_day: LazyDiaryDay | None = strawberry.field(
        default=None, description="The day that the meal left, as it is now; null if it stayed on its day."
    )


@strawberry.type(description="What came of copying a meal.")
class CopyMealPayload(Payload):
    meal: Meal | None = strawberry.field(default=None, description="The copy; null if it was refused.")
    diary_day: LazyDiaryDay | None = strawberry.field(default=None, description=DAY)


@strawberry.type(description="What came of deleting a meal.")
class DeleteMealPayload(Payload):
    deleted_id: strawberry.ID | None = strawberry.field(
        default=None, description="The id of what is gone; null if it was refused."
    )
    diary_day: LazyDiaryDay | None = strawberry.field(default=None, description=DAY)


def day_of(info: Info, record: MealRecord) -> "DiaryDay":
    """The meal's day as it is now that something was written."""
    from subgraphs.nutrition.api.diary import diary_day

    info.context.renew_loaders()
    return diary_day(record.user_id, record.local_date)


@strawberry.type
class MealMutation:
    @mutation(
        key_scope=KeyScope.WRITE_DIARY,
        description="Log a meal of the viewer, at the nutrients that its foods have now.",
    )
    async def log_meal(self, info: Info, input: LogMealInput) -> LogMealPayload | None:
        resources = info.context.resources
        now = resources.now()
        new = commands.NewMeal(
            slot=input.slot,
            at=input.at or now,
            items=[item.to_draft() for item in input.items],
            quick_adds=[each.to_quick_add() for each in input.quick_adds],
            notes=input.notes,
            time_zone=input.time_zone,
            request=request_key(input),
            custom_slot=input.custom_slot,
        )
        record = await commands.log_meal(info.context.viewer, new, database=resources.database, now=now)
        return LogMealPayload(meal=meal_node(record), diary_day=day_of(info, record))

    @mutation(key_scope=KeyScope.WRITE_DIARY, description="Change a meal of the viewer.")
    async def update_meal(self, info: Info, input: UpdateMealInput) -> UpdateMealPayload | None:
        from subgraphs.nutrition.api.diary import diary_day

        resources = info.context.resources
        changes = given(input, "time_zone", "notes", "quick_adds", "custom_slot", never_null=("slot", "at", "items"))
        if "items" in changes:
            changes["items"] = [item.to_draft() for item in changes["items"]]
        if "quick_adds" in changes:
            changes["quick_adds"] = [each.to_quick_add() for each in changes["quick_adds"] or ()]
        record, left = await commands.update_meal(
            info.context.viewer,
            input.id,
            changes,
            expected_version=input.expected_version,
            database=resources.database,
            now=resources.now(),
        )
        return UpdateMealPayload(
            meal=meal_node(record),
            diary_day=day_of(info, record),
            previous_diary_day=None if left is None else diary_day(record.user_id, left),
        )

    @mutation(
        key_scope=KeyScope.WRITE_DIARY,
        description="Log the foods of a meal again, at the nutrients that they were logged with.",
    )
    async def copy_meal(self, info: Info, input: CopyMealInput) -> CopyMealPayload | None:
        resources = info.context.resources
        now = resources.now()
        copy = commands.MealCopy(
            at=input.at or now, slot=input.slot, scale=decimal_of(input.scale), request=request_key(input)
        )
        viewer = info.context.viewer
        record = await commands.copy_meal(viewer, input.meal_id, copy, database=resources.database, now=now)
        return CopyMealPayload(meal=meal_node(record), diary_day=day_of(info, record))

    @mutation(key_scope=KeyScope.WRITE_DIARY, description="Take a meal out of the viewer's diary.")
    async def delete_meal(self, info: Info, input: DeleteMealInput) -> DeleteMealPayload | None:
        resources = info.context.resources
        record = await commands.delete_meal(
            info.context.viewer,
            input.id,
            expected_version=input.expected_version,
            database=resources.database,
            now=resources.now(),
        )
        return DeleteMealPayload(deleted_id=input.id, diary_day=day_of(info, record))
