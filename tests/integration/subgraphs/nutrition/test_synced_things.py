"""Each kind of thing of the diary is told as it is, with what belongs to it, and foods by their marks."""

from typing import Any
from uuid import uuid4

from tests.integration.subgraphs.nutrition.conftest import FOODS
from tests.testkit.subgraph import SubgraphUnderTest

CHANGES = """query ($id: ID!, $since: String) { _entities(representations: [{__typename: "User", id: $id}]) {
  ... on User { diaryChanges(since: $since) { token changes { id entityType isDeleted entity { __typename
    ... on Food { version isFavourite portions { label } recipe { ingredients { grams } } } ... on Meal { items { grams } }
    ... on NutritionTarget { energyKcal effectiveFrom } ... on CustomSlots { slots { name } } ... on SavedMeal { name }
    ... on Fast { endedAt } ... on MealPlan { name } ... on PlannedMeal { date } } } } } } }"""
PER_100 = "{energyKcal: 100, proteinG: 3, carbsG: 20, fatG: 1}"
OATS = FOODS[0]["id"]


class Told:
    """What the person's changes tell since they were last asked for."""

    def __init__(self, nutrition: SubgraphUnderTest, person: str) -> None:
        self._nutrition, self._person, self._token = nutrition, person, None

    async def after(self, mutation: str) -> list[tuple[str, bool, Any]]:
        """(type, whether it is deleted, what it is) of each change, once the mutation is done."""
        await self._nutrition.data(f"mutation {{ {mutation} {{ userErrors {{ code field message }} }} }}", self._person)
        return [(each["entityType"], each["isDeleted"], each["entity"]) for each in await self.changes()]

    async def changes(self) -> list[Any]:
        asked = {"id": self._person, "since": self._token}
        page = (await self._nutrition.data(CHANGES, self._person, asked))["_entities"][0]["diaryChanges"]
        self._token = page["token"]
        changes: list[Any] = page["changes"]
        return changes


async def test_own_foods_recipes_and_favourites(nutrition: SubgraphUnderTest, person: str) -> None:
    told = Told(nutrition, person)
    food_id = f"food_{uuid4()}"
    made = f'createFood(input: {{id: "{food_id}", name: "Bar", category: SNACK, per100: {PER_100}}})'
    ((kind, is_deleted, food),) = await told.after(made)
    assert (kind, is_deleted, food["version"], food["portions"]) == ("Food", False, 1, [])
    portions = f'updateFood(input: {{id: "{food_id}", portions: [{{label: "bar", grams: 40}}]}})'
    ((_, _, food),) = await told.after(portions)
    assert (food["version"], food["portions"]) == (2, [{"label": "bar"}])
    assert [each[:2] for each in await told.after(f'deleteFood(input: {{id: "{food_id}"}})')] == [("Food", True)]
    assert [each[:2] for each in await told.after(f'undoDelete(input: {{id: "{food_id}"}})')] == [("Food", False)]
    recipe = f'createRecipe(input: {{name: "Stew", servings: 2, ingredients: [{{foodId: "{OATS}", grams: 9}}]}})'
    ((_, _, dish),) = await told.after(recipe)
    assert dish["recipe"] == {"ingredients": [{"grams": 9.0}]}
    for is_favourite in (True, False):
        mark = f'setFavouriteFood(input: {{foodId: "{OATS}", isFavourite: {str(is_favourite).lower()}}})'
        ((kind, is_deleted, food),) = await told.after(mark)
        assert (kind, is_deleted, food["isFavourite"]) == ("Food", False, is_favourite)


async def test_everything_else_of_the_diary(nutrition: SubgraphUnderTest, person: str) -> None:
    told = Told(nutrition, person)
    item = f'items: [{{foodId: "{OATS}", grams: 70}}]'
    ((kind, _, meal),) = await told.after(f"logMeal(input: {{slot: LUNCH, {item}}})")
    assert (kind, meal["items"]) == ("Meal", [{"grams": 70.0}])
    ((kind, _, target),) = await told.after(
        'setNutritionTarget(input: {energyKcal: 2000, effectiveFrom: "2026-02-01"})'
    )
    assert (kind, target) == (
        "NutritionTarget",
        {"__typename": "NutritionTarget", "energyKcal": 2000.0, "effectiveFrom": "2026-02-01"},
    )
    ((kind, _, slots),) = await told.after('setCustomSlots(input: {slots: [{name: "Tea", countsAs: SNACK}]})')
    assert (kind, slots["slots"]) == ("CustomSlots", [{"name": "Tea"}])
    ((kind, _, saved),) = await told.after(f'saveMeal(input: {{name: "Porridge", {item}}})')
    assert (kind, saved["name"]) == ("SavedMeal", "Porridge")
    ((kind, _, fast),) = await told.after("startFast(input: {})")
    assert (kind, fast["endedAt"]) == ("Fast", None)
    plan = f'createMealPlan(input: {{name: "Week", days: [{{meals: [{{slot: LUNCH, {item}}}]}}]}})'
    ((kind, _, found),) = await told.after(plan)
    assert (kind, found["name"]) == ("MealPlan", "Week")
    nobody = await nutrition.data(CHANGES, "somebody-else", {"id": "somebody-else"})
    assert nobody["_entities"][0]["diaryChanges"]["changes"] == []
