"""What John keeps at hand and avoids: favourite foods, recipes, saved meals, a plan, own slots of the day and allergens, of demo.json,
a fast, and what he aims at. Loading again changes nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

from deploy.sample_data import read_demo
from deploy.sample_data.people import day_of_john, signed_in
from subgraphs.nutrition.commands.custom_slot import set_custom_slots
from subgraphs.nutrition.commands.dietary_preference import set_dietary_preferences
from subgraphs.nutrition.commands.fast import start_fast, update_fast
from subgraphs.nutrition.commands.favourite_food import set_favourite_food
from subgraphs.nutrition.commands.meal_plan import NewMealPlan, PlanUse, apply_meal_plan, create_meal_plan
from subgraphs.nutrition.commands.published_food import FoodPublication, publish_food
from subgraphs.nutrition.commands.recipe import NewRecipe, create_recipe
from subgraphs.nutrition.commands.saved_meal import NewSavedMeal, save_meal
from subgraphs.nutrition.commands.target import set_target
from subgraphs.nutrition.domain.custom_slot import CustomSlot
from subgraphs.nutrition.domain.declaration import Allergen
from subgraphs.nutrition.domain.meal import ItemDraft, MealSlot
from subgraphs.nutrition.domain.meal_plan import PlanMeal
from subgraphs.nutrition.domain.nutrient_aim import NutrientAim
from subgraphs.nutrition.domain.published_food import FoodAudience
from subgraphs.nutrition.domain.saved_meal import SavedContent
from subgraphs.nutrition.domain.target import Target
from subgraphs.nutrition.domain.training_target import TrainingTarget
from subgraphs.nutrition.queries.meal_plan import planned_meals_by_user
from subgraphs.shell.auth import Viewer
from subgraphs.shell.database import Database
from subgraphs.shell.inputs import RequestKey
from subgraphs.shell.keyset import KeysetList
from subgraphs.shell.scalars import IdempotencyKey


async def load_kitchen(database: Database, now: datetime) -> None:
    """Through the commands that clients' requests run; the foods of demo.json must be there."""
    demo = read_demo()
    john, kitchen = demo["people"][0], demo["kitchen"]
    viewer = signed_in(john)
    ids = {food["name"]: food["id"] for food in demo["foods"]}
    for number, name in enumerate(kitchen["favourites"]):  # in the order of the list of favourites
        at = now - timedelta(minutes=number)
        await set_favourite_food(viewer, ids[name], is_favourite=True, database=database, now=at)
    for row in kitchen["recipes"]:
        made = await create_recipe(viewer, _recipe(row, ids), database=database, now=now)
        shown = FoodPublication(food_id=made.id, audience=FoodAudience(row["shownTo"]), shows_author=True)
        await publish_food(viewer, shown, database=database, now=now)
    for row in kitchen["savedMeals"]:
        await save_meal(viewer, _saved_meal(row, ids), database=database, now=now)
    slots = [CustomSlot(name=row["name"], counts_as=MealSlot(row["countsAs"])) for row in kitchen["customSlots"]]
    await set_custom_slots(viewer, slots, expected_version=None, database=database)
    avoid = [Allergen(each) for each in kitchen["avoid"]]
    await set_dietary_preferences(viewer, avoid, None, expected_version=None, database=database)
    await _load_plan(viewer, kitchen["mealPlan"], ids, database, now)
    await _load_fast(viewer, database, now)
    await _load_targets(viewer, database, now)


async def _load_plan(
    viewer: Viewer, row: Mapping[str, Any], ids: Mapping[str, str], database: Database, now: datetime
) -> None:
    """A plan, and the days from tomorrow on by it, unless some are planned already."""
    days = [
        [
            PlanMeal(
                slot=MealSlot(meal["slot"]),
                custom_slot=meal.get("customSlot"),
                content=SavedContent(items=tuple(_drafts(meal["items"], ids))),
            )
            for meal in day
        ]
        for day in row["days"]
    ]
    new = NewMealPlan(name=row["name"], days=days, request=RequestKey(IdempotencyKey("sample:plan")))
    plan = await create_meal_plan(viewer, new, database=database, now=now)
    async with database.reading() as connection:
        page = KeysetList("User.plannedMeals", viewer.id, (date, int, str)).page(first=1)
        if not await planned_meals_by_user(connection, [viewer.id], page):
            use = PlanUse(start=day_of_john(now) + timedelta(days=1))
            await apply_meal_plan(viewer, plan.id, use, database=database, now=now)


async def _load_fast(viewer: Viewer, database: Database, now: datetime) -> None:
    """One of 16 hours that is over."""
    request = RequestKey(IdempotencyKey("sample:fast"))
    begun = now - timedelta(hours=20)
    fast = await start_fast(viewer, begun, 16 * 60, request, database=database, now=now)
    if fast.ended_at is None:
        changes = {"ended_at": fast.started_at + timedelta(hours=16)}
        await update_fast(viewer, fast.id, changes, expected_version=None, database=database, now=now)


async def _load_targets(viewer: Viewer, database: Database, now: datetime) -> None:
    """The same every day at first; then more on days of training, with limits of single nutrients."""
    usual = Target(
        Decimal(1_950), protein_g=Decimal(140), carbs_g=Decimal(195), fat_g=Decimal(65), water_ml=2_500,
        nutrients=(NutrientAim(name="fiber_g", minimum=Decimal(30)), NutrientAim(name="sodium_mg", maximum=Decimal(2_300))),
        training_day=TrainingTarget(
            energy_kcal=Decimal(2_250), protein_g=Decimal(140), carbs_g=Decimal(270), fat_g=Decimal(65)
        ),
    )  # fmt: skip
    first = Target(Decimal(2_200), protein_g=Decimal(130), carbs_g=Decimal(240), fat_g=Decimal(75), water_ml=2_000)
    for name, target, days_ago in (("first", first, 350), ("usual", usual, 75)):
        await set_target(
            viewer, target, day_of_john(now) - timedelta(days=days_ago), RequestKey(IdempotencyKey(f"sample:target:{name}")),
            expected_version=None, database=database, now=now,
        )  # fmt: skip


def _recipe(row: Mapping[str, Any], ids: Mapping[str, str]) -> NewRecipe:
    return NewRecipe(
        name=row["name"],
        servings=Decimal(row["servings"]),
        ingredients=_drafts(row["ingredients"], ids),
        yield_grams=Decimal(row["yieldGrams"]),
        instructions=row["instructions"],
        request=RequestKey(IdempotencyKey(f"sample:{row['name']}")),
    )


def _saved_meal(row: Mapping[str, Any], ids: Mapping[str, str]) -> NewSavedMeal:
    return NewSavedMeal(
        name=row["name"],
        slot=MealSlot(row["slot"]),
        items=_drafts(row["items"], ids),
        request=RequestKey(IdempotencyKey(f"sample:{row['name']}")),
    )


def _drafts(pairs: Iterable[tuple[str, float]], ids: Mapping[str, str]) -> list[ItemDraft]:
    return [ItemDraft(ids[name], grams=Decimal(str(grams))) for name, grams in pairs]
