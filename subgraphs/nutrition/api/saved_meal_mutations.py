"""Changes to saved meals in GraphQL: kept, changed, deleted, and logged."""

from datetime import datetime
from typing import TYPE_CHECKING, Annotated

import strawberry

from subgraphs.nutrition.api.meal import LazyDiaryDay, Meal, meal_node
from subgraphs.nutrition.api.meal_mutations import DAY, MEAL, MealItemInput, QuickAddEntryInput, day_of
from subgraphs.nutrition.api.saved_meal import SavedMeal, saved_meal_node
from subgraphs.nutrition.commands import saved_meal as commands
from subgraphs.nutrition.domain import meal as domain
from subgraphs.nutrition.domain.saved_meal import LONGEST_NAME
from subgraphs.shell.context import Info
from subgraphs.shell.inputs import client_made_id, expected_version, given, idempotency_key, request_key
from subgraphs.shell.key_scope import KeyScope
from subgraphs.shell.mutation import Payload, mutation
from subgraphs.shell.scalars import IdempotencyKey, TimeZone, decimal_of

if TYPE_CHECKING:
    from subgraphs.nutrition.api.user import User

LazyUser = Annotated["User", strawberry.lazy("subgraphs.nutrition.api.user")]


@strawberry.input(description="A meal to keep: one of the diary, or foods and quick adds.")
class SaveMealInput:
    name: str = strawberry.field(description=f"What to call it, 1 to {LONGEST_NAME} characters.")
    meal_id: strawberry.ID | None = strawberry.field(
        default=None, description="A meal of the viewer to keep the foods of. Null: as `items` and `quickAdds` say."
    )
    slot: domain.MealSlot | None = strawberry.field(
        default=None, description="Which meal of the day it usually is. Null: as `mealId` has it, or any."
    )
    items: list[MealItemInput] = strawberry.field(
        default_factory=list, description=f"Foods with amounts, up to {domain.MOST_ITEMS}."
    )
    quick_adds: list[QuickAddEntryInput] = strawberry.field(
        default_factory=list, description=f"Energy without a food, up to {domain.MOST_QUICK_ADDS} entries."
    )
    id: strawberry.ID | None = client_made_id("saved_meal")
    idempotency_key: IdempotencyKey | None = idempotency_key()


@strawberry.input(description="What to change of a saved meal; what is absent stays.")
class UpdateSavedMealInput:
    id: strawberry.ID = strawberry.field(description="The saved meal's id.")
    expected_version: int | None = expected_version()
    name: str | None = strawberry.field(
        default=strawberry.UNSET, description=f"The new name, 1 to {LONGEST_NAME} characters. Null is refused."
    )
    slot: domain.MealSlot | None = strawberry.field(
        default=strawberry.UNSET, description="Which meal of the day it usually is. Null: any."
    )
    items: list[MealItemInput] | None = strawberry.field(
        default=strawberry.UNSET, description=f"All foods anew, up to {domain.MOST_ITEMS}. Null is refused."
    )
    quick_adds: list[QuickAddEntryInput] | None = strawberry.field(
        default=strawberry.UNSET,
        description=f"All energy without a food anew, up to {domain.MOST_QUICK_ADDS} entries. Null is refused.",
    )


@strawberry.input(description="Which saved meal to delete.")
class DeleteSavedMealInput:
    id: strawberry.ID = strawberry.field(description="The saved meal's id.")
    expected_version: int | None = expected_version()


@strawberry.input(description="Which saved meal to log, and how.")
class LogSavedMealInput:
    id: strawberry.ID = strawberry.field(description="The saved meal's id.")
    slot: domain.MealSlot | None = strawberry.field(
        default=None, description="Which meal of the day it was. Null: as it was saved, else SNACK."
    )
    at: datetime | None = strawberry.field(default=None, description="When it was eaten, not in the future. Null: now.")
    time_zone: TimeZone | None = strawberry.field(
        default=None, description="Where it was eaten, which decides its day. Null: at home, as the settings say."
    )
    scale: float = strawberry.field(
        default=1.0,
        description=f"How much of everything, {domain.SMALLEST_SCALE} to {domain.LARGEST_SCALE}; half is 0.5.",
    )
    idempotency_key: IdempotencyKey | None = idempotency_key()


@strawberry.type(description="What came of keeping a meal.")
class SaveMealPayload(Payload):
    saved_meal: SavedMeal | None = strawberry.field(
        default=None, description="The meal as it was kept; null if it was refused."
    )


@strawberry.type(description="What came of changing a saved meal.")
class UpdateSavedMealPayload(Payload):
    saved_meal: SavedMeal | None = strawberry.field(
        default=None, description="The saved meal as it is now; null if it was refused."
    )


@strawberry.type(description="What came of deleting a saved meal.")
class DeleteSavedMealPayload(Payload):
    deleted_id: strawberry.ID | None = strawberry.field(
        default=None, description="The id of what is gone; null if it was refused."
    )
    user: LazyUser | None = strawberry.field(
        default=None, description="The person without that meal; null if it was refused."
    )


@strawberry.type(description="What came of logging a saved meal.")
class LogSavedMealPayload(Payload):
    meal: Meal | None = strawberry.field(default=None, description=MEAL)
    diary_day: LazyDiaryDay | None = strawberry.field(default=None, description=DAY)


@strawberry.type
class SavedMealMutation:
    @mutation(
        key_scope=KeyScope.WRITE_DIARY,
        description="Keep a meal of the viewer to log again. CONFLICT for more than there may be.",
    )
    async def save_meal(self, info: Info, input: SaveMealInput) -> SaveMealPayload | None:
        resources = info.context.resources
        new = commands.NewSavedMeal(
            name=input.name,
            slot=input.slot,
            items=[each.to_draft() for each in input.items],
            quick_adds=[each.to_quick_add() for each in input.quick_adds],
            meal_id=input.meal_id,
            request=request_key(input),
        )
        record = await commands.save_meal(info.context.viewer, new, database=resources.database, now=resources.now())
        info.context.renew_loaders()
        return SaveMealPayload(saved_meal=saved_meal_node(record))

    @mutation(
        key_scope=KeyScope.WRITE_DIARY,
        description="Change a saved meal of the viewer; meals that were logged from it stay as they are.",
    )
    async def update_saved_meal(self, info: Info, input: UpdateSavedMealInput) -> UpdateSavedMealPayload | None:
        changes = given(input, "slot", never_null=("name", "items", "quick_adds"))
        if "items" in changes:
            changes["items"] = [each.to_draft() for each in changes["items"]]
        if "quick_adds" in changes:
            changes["quick_adds"] = [each.to_quick_add() for each in changes["quick_adds"]]
        record = await commands.update_saved_meal(
            info.context.viewer,
            input.id,
            changes,
            expected_version=input.expected_version,
            database=info.context.resources.database,
        )
        info.context.renew_loaders()
        return UpdateSavedMealPayload(saved_meal=saved_meal_node(record))

    @mutation(
        key_scope=KeyScope.WRITE_DIARY,
        description="Delete a saved meal of the viewer; meals that were logged from it stay.",
    )
    async def delete_saved_meal(self, info: Info, input: DeleteSavedMealInput) -> DeleteSavedMealPayload | None:
        from subgraphs.nutrition.api.user import load_named_user

        viewer = info.context.viewer
        await commands.delete_saved_meal(
            viewer, input.id, expected_version=input.expected_version, database=info.context.resources.database
        )
        info.context.renew_loaders()
        return DeleteSavedMealPayload(deleted_id=input.id, user=await load_named_user(info, viewer.id))

    @mutation(key_scope=KeyScope.WRITE_DIARY, description="Log a saved meal, at the nutrients that its foods have now.")
    async def log_saved_meal(self, info: Info, input: LogSavedMealInput) -> LogSavedMealPayload | None:
        resources = info.context.resources
        now = resources.now()
        log = commands.SavedMealLog(
            at=input.at or now,
            slot=input.slot,
            time_zone=input.time_zone,
            scale=decimal_of(input.scale),
            request=request_key(input),
        )
        record = await commands.log_saved_meal(info.context.viewer, input.id, log, database=resources.database, now=now)
        return LogSavedMealPayload(meal=meal_node(record), diary_day=day_of(info, record))
