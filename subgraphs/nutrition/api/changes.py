"""What of a person's diary, foods, recipes, plans and targets changed, for clients that keep a copy."""

from datetime import date
from typing import Annotated

import strawberry

from subgraphs.nutrition.api.custom_slot import CustomSlots, custom_slots_node
from subgraphs.nutrition.api.fast import Fast, fast_node
from subgraphs.nutrition.api.food import Food, food_node
from subgraphs.nutrition.api.meal import Meal, meal_node
from subgraphs.nutrition.api.meal_plan import MealPlan, PlannedMeal, meal_plan_node, planned_meal_node
from subgraphs.nutrition.api.saved_meal import SavedMeal, saved_meal_node
from subgraphs.nutrition.api.target import NutritionTarget, target_node
from subgraphs.nutrition.api.water import Drink, drink_node
from subgraphs.nutrition.loaders import loaders_of
from subgraphs.shell.changes import Changes, SyncedType, changes_field, owned
from subgraphs.shell.context import Info
from subgraphs.shell.node import ID_DESCRIPTION

DiaryEntity = Annotated[
    Meal | Drink | Food | SavedMeal | MealPlan | PlannedMeal | CustomSlots | Fast | NutritionTarget,
    strawberry.union(
        "DiaryEntity",
        description="What a person has in nutrition: entries of the diary, own foods and recipes, other foods whose mark as a"
        " favourite changed, saved meals, plans, the slots of one's own, fasts and targets.",
    ),
]


async def _food(info: Info, user_id: str, food_id: str) -> Food | None:
    record = await loaders_of(info).food_by_id.load(food_id)
    return food_node(record) if record is not None and record.is_visible_to(user_id) else None


async def _slots(info: Info, user_id: str, _: str) -> CustomSlots | None:
    record = await loaders_of(info).custom_slots_by_user.load(user_id)
    return None if record is None else custom_slots_node(record)


async def _target(info: Info, user_id: str, target_id: str) -> NutritionTarget | None:
    """Its id is the person's with the day from which it holds."""
    day = date.fromisoformat(target_id.rpartition(":")[2])
    record = await loaders_of(info).target_by_day.load((user_id, day))
    return target_node(record) if record is not None and record.effective_from == day else None


#: By the kinds of `synced.py`.
SYNCED_TYPES: dict[str, SyncedType] = {
    "meal": owned("Meal", lambda info: loaders_of(info).meal_by_id, meal_node),
    "drink": owned("Drink", lambda info: loaders_of(info).drink_by_id, drink_node),
    "food": SyncedType("Food", _food),
    "saved_meal": owned("SavedMeal", lambda info: loaders_of(info).saved_meal_by_id, saved_meal_node),
    "meal_plan": owned("MealPlan", lambda info: loaders_of(info).meal_plan_by_id, meal_plan_node),
    "planned_meal": owned("PlannedMeal", lambda info: loaders_of(info).planned_meal_by_id, planned_meal_node),
    "custom_slots": SyncedType("CustomSlots", _slots),
    "fast": owned("Fast", lambda info: loaders_of(info).fast_by_id, fast_node),
    "target": SyncedType("NutritionTarget", _target),
}


@strawberry.type
class ChangesOfUser:
    """A field of User."""

    id: strawberry.ID = strawberry.field(description=ID_DESCRIPTION)
    diary_changes: Changes[DiaryEntity] = changes_field(
        "User.diaryChanges",
        "What of the person's diary, foods, recipes, plans, fasts and targets",
        SYNCED_TYPES,
        lambda info: loaders_of(info).changes_by_user,
    )
