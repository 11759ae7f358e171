"""Every operation of nutrition, as nobody and as somebody else: what is refused and what is not told."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from subgraphs.nutrition.schema import schema
from tests.integration.subgraphs.nutrition.conftest import events_of, tell_settings
from tests.testkit.access import Refusal, entity_types, root_fields, user_fields
from tests.testkit.subgraph import SubgraphUnderTest

MEAL = '{ slot: LUNCH, at: "2026-03-02T12:00:00Z", items: [{ foodId: "oats", grams: 50 }] }'
#: What administrators do: they decide about what is published, and see all of it.
ADMINISTRATORS = {"Mutation.moderateFood", "Mutation.copyPublishedFood", "Mutation.reportFood"}
ENTITY = "_entities(representations: $representations)"

# What a stranger may do with the ids of another person's things. "own" is harmless: it can only touch the caller's data.
REFUSALS = [
    Refusal("Query.me", "{ me { id } }", own=True),
    Refusal("Query.food", "{ food(id: $food) { id } }", public=True),
    Refusal("Query.foodByBarcode", '{ foodByBarcode(gtin: "96385074") { id } }', public=True),
    Refusal("Query.foods", "{ foods { edges { cursor } } }", public=True),
    Refusal(
        "Query.shoppingAmounts", '{ shoppingAmounts(dishes: [{ foodId: "oats", grams: 100 }]) { grams } }', own=True
    ),
    Refusal("Query.meal", "{ meal(id: $meal) { id } }", stranger={"meal": None}),
    Refusal(
        "Mutation.createFood",
        'mutation { createFood(input: { name: "Bar", category: SNACK, per100: { energyKcal: 0, proteinG: 0, carbsG: 0, fatG: 0 } }) { food { id } } }',
        own=True,
    ),
    Refusal(
        "Mutation.updateFood",
        'mutation { updateFood(input: { id: $food, name: "Mine" }) { food { id } } }',
        code="NOT_FOUND",
    ),
    Refusal("Mutation.deleteFood", "mutation { deleteFood(input: { id: $food }) { deletedId } }", code="NOT_FOUND"),
    Refusal("Query.publishedFood", "{ publishedFood(id: $shown) { name } }", stranger={"publishedFood": None}),
    Refusal("Query.publicFoods", "{ publicFoods { nodes { id } } }", own=True),
    Refusal("Query.reportedFoods", "{ reportedFoods { nodes { authorId } } }", code="FORBIDDEN"),
    Refusal(
        "Mutation.publishFood",
        "mutation { publishFood(input: { foodId: $food, audience: EVERYBODY }) { food { id } } }",
        code="NOT_FOUND",
    ),
    Refusal(
        "Mutation.unpublishFood",
        "mutation { unpublishFood(input: { foodId: $food }) { food { id } } }",
        code="NOT_FOUND",
    ),
    Refusal(
        "Mutation.copyPublishedFood",
        "mutation { copyPublishedFood(input: { publishedFoodId: $shown }) { food { id } } }",
        code="NOT_FOUND",
    ),
    Refusal(
        "Mutation.reportFood",
        "mutation { reportFood(input: { publishedFoodId: $shown, reason: SPAM }) { userErrors { code } } }",
        code="NOT_FOUND",
    ),
    Refusal(
        "Mutation.moderateFood",
        'mutation { moderateFood(input: { publishedFoodId: $shown, decision: KEEP, reason: "None" }) { publishedFood { id } } }',
        code="FORBIDDEN",
    ),
    Refusal("Mutation.logMeal", f"mutation {{ logMeal(input: {MEAL}) {{ meal {{ id }} }} }}", own=True),
    Refusal(
        "Mutation.updateMeal",
        'mutation { updateMeal(input: { id: $meal, notes: "mine" }) { meal { id } } }',
        code="NOT_FOUND",
    ),
    Refusal("Mutation.copyMeal", "mutation { copyMeal(input: { mealId: $meal }) { meal { id } } }", code="NOT_FOUND"),
    Refusal("Mutation.deleteMeal", "mutation { deleteMeal(input: { id: $meal }) { deletedId } }", code="NOT_FOUND"),
    Refusal(
        "Mutation.quickAdd",
        "mutation { quickAdd(input: { slot: LUNCH, energyKcal: 300 }) { meal { id } } }",
        own=True,
    ),
    Refusal(
        "Mutation.moveMealItems",
        "mutation { moveMealItems(input: { mealId: $meal, positions: [0], toSlot: DINNER }) { target { id } } }",
        code="NOT_FOUND",
    ),
    Refusal(
        "Mutation.copyDay",
        'mutation { copyDay(input: { from: "2026-03-02" }) { meals { id } } }',
        own=True,
    ),
    Refusal(
        "Mutation.undoDelete",
        "mutation { undoDelete(input: { id: $deletedMeal }) { restored { id } } }",
        code="NOT_FOUND",
    ),
    Refusal(
        "Mutation.setFavouriteFood",
        "mutation { setFavouriteFood(input: { foodId: $food, isFavourite: true }) { food { id } } }",
        code="NOT_FOUND",
    ),
    Refusal(
        "Mutation.createRecipe",
        'mutation { createRecipe(input: { name: "Stew", servings: 2, ingredients: [{ foodId: "oats", grams: 50 }] }) { food { id } } }',
        own=True,
    ),
    Refusal(
        "Mutation.updateRecipe",
        'mutation { updateRecipe(input: { foodId: $recipe, name: "Mine" }) { food { id } } }',
        code="NOT_FOUND",
    ),
    Refusal(
        "Mutation.saveMeal",
        'mutation { saveMeal(input: { name: "Usual", quickAdds: [{ energyKcal: 300 }] }) { savedMeal { id } } }',
        own=True,
    ),
    Refusal(
        "Mutation.updateSavedMeal",
        'mutation { updateSavedMeal(input: { id: $saved, name: "Mine" }) { savedMeal { id } } }',
        code="NOT_FOUND",
    ),
    Refusal(
        "Mutation.deleteSavedMeal",
        "mutation { deleteSavedMeal(input: { id: $saved }) { deletedId } }",
        code="NOT_FOUND",
    ),
    Refusal(
        "Mutation.logSavedMeal", "mutation { logSavedMeal(input: { id: $saved }) { meal { id } } }", code="NOT_FOUND"
    ),
    Refusal(
        "Mutation.setCustomSlots", "mutation { setCustomSlots(input: { slots: [] }) { userErrors { code } } }", own=True
    ),
    Refusal(
        "Mutation.setDietaryPreferences",
        "mutation { setDietaryPreferences(input: { avoid: [] }) { userErrors { code } } }",
        own=True,
    ),
    Refusal(
        "Mutation.createMealPlan",
        'mutation { createMealPlan(input: { name: "Week", days: [{ meals: [] }] }) { mealPlan { id } } }',
        own=True,
    ),
    Refusal(
        "Mutation.updateMealPlan",
        'mutation { updateMealPlan(input: { id: $plan, name: "Mine" }) { mealPlan { id } } }',
        code="NOT_FOUND",
    ),
    Refusal(
        "Mutation.deleteMealPlan",
        "mutation { deleteMealPlan(input: { id: $plan }) { deletedId } }",
        code="NOT_FOUND",
    ),
    Refusal(
        "Mutation.applyMealPlan",
        'mutation { applyMealPlan(input: { id: $plan, from: "2031-01-01" }) { diaryDays { id } } }',
        code="NOT_FOUND",
    ),
    Refusal(
        "Mutation.recountMeals",
        "mutation { recountMeals(input: { foodId: $food }) { isComplete } }",
        code="NOT_FOUND",
    ),
    Refusal(
        "Mutation.clearPlannedMeals",
        'mutation { clearPlannedMeals(input: { from: "2031-01-01", to: "2031-01-02" }) { cleared } }',
        own=True,
    ),
    Refusal(
        "Mutation.logPlannedMeal",
        "mutation { logPlannedMeal(input: { id: $coming }) { meal { id } } }",
        code="NOT_FOUND",
    ),
    Refusal("Mutation.startFast", "mutation { startFast(input: {}) { fast { id } } }", own=True),
    Refusal("Mutation.endFast", "mutation { endFast(input: { id: $fast }) { fast { id } } }", code="NOT_FOUND"),
    Refusal(
        "Mutation.updateFast",
        "mutation { updateFast(input: { id: $fast, targetMinutes: 600 }) { fast { id } } }",
        code="NOT_FOUND",
    ),
    Refusal("Mutation.deleteFast", "mutation { deleteFast(input: { id: $fast }) { deletedId } }", code="NOT_FOUND"),
    Refusal("Mutation.logWater", "mutation { logWater(input: { amountMl: 100 }) { drink { id } } }", own=True),
    Refusal("Mutation.deleteWater", "mutation { deleteWater(input: { id: $water }) { deletedId } }", code="NOT_FOUND"),
    Refusal(
        "Mutation.setNutritionTarget",
        "mutation { setNutritionTarget(input: { energyKcal: 2000 }) { target { energyKcal } } }",
        own=True,
    ),
    Refusal("User.meals", "... on User { meals { edges { cursor } } }", code="FORBIDDEN"),
    Refusal(
        "User.diaryDay", '... on User { diaryDay(date: "2026-03-02") { totals { energyKcal } } }', code="FORBIDDEN"
    ),
    Refusal("User.mealPlans", "... on User { mealPlans { nodes { name } } }", code="FORBIDDEN"),
    Refusal("User.plannedMeals", "... on User { plannedMeals { nodes { date } } }", code="FORBIDDEN"),
    Refusal("User.customSlots", "... on User { customSlots { version } }", code="FORBIDDEN"),
    Refusal("User.diaryChanges", "... on User { diaryChanges { token } }", code="FORBIDDEN"),
    Refusal("User.drinks", "... on User { drinks { edges { cursor } } }", code="FORBIDDEN"),
    Refusal(
        "User.diaryDays",
        '... on User { diaryDays(from: "2026-03-01", to: "2026-03-02") { totals { energyKcal } } }',
        code="FORBIDDEN",
    ),
    Refusal("User.recentFoods", "... on User { recentFoods { nodes { timesLogged } } }", code="FORBIDDEN"),
    Refusal("User.frequentFoods", "... on User { frequentFoods { nodes { timesLogged } } }", code="FORBIDDEN"),
    Refusal("User.favouriteFoods", "... on User { favouriteFoods { nodes { id } } }", code="FORBIDDEN"),
    Refusal("User.recipes", "... on User { recipes { nodes { recipe { servings } } } }", code="FORBIDDEN"),
    Refusal("User.publishedFoods", "... on User { publishedFoods { nodes { name } } }", code="FORBIDDEN"),
    Refusal("User.savedMeals", "... on User { savedMeals { nodes { name } } }", code="FORBIDDEN"),
    Refusal("User.fasts", "... on User { fasts { nodes { minutes } } }", code="FORBIDDEN"),
    Refusal("User.dietaryPreferences", "... on User { dietaryPreferences { version } }", code="FORBIDDEN"),
    Refusal("User.diaryReads", "... on User { diaryReads { what } }", code="FORBIDDEN"),
    Refusal("User.diaryWrites", "... on User { diaryWrites { what } }", code="FORBIDDEN"),
    Refusal("User.currentFast", "... on User { currentFast { minutes } }", code="FORBIDDEN"),
    Refusal(
        "User.nutritionTarget", '... on User { nutritionTarget(date: "2026-03-02") { energyKcal } }', code="FORBIDDEN"
    ),
    Refusal("User.suggestedTarget", "... on User { suggestedTarget { energyKcal } }", code="FORBIDDEN"),
    Refusal("User.maintenanceKcal", "... on User { maintenanceKcal }", code="FORBIDDEN"),
    Refusal("User.basalEstimates", "... on User { basalEstimates { basalKcal } }", code="FORBIDDEN"),
    Refusal("User.weeklyTarget", "... on User { weeklyTarget { expenditureKcal } }", code="FORBIDDEN"),
    Refusal("_Entity.Meal", "... on Meal { id totals { energyKcal } }", stranger={"_entities": [None]}),
    Refusal("_Entity.DiaryDay", "... on DiaryDay { date totals { energyKcal } }", stranger={"_entities": [None]}),
    Refusal("_Entity.Drink", "... on Drink { id amountMl }", stranger={"_entities": [None]}),
    Refusal("_Entity.Food", "... on Food { id }", public=True),
]


@pytest.fixture(scope="module")
async def owned(nutrition: SubgraphUnderTest) -> dict[str, str]:
    """A person's things, by kind."""
    owner = "owner"
    await tell_settings(nutrition, owner, "UTC")  # nothing is shown of somebody who is not known
    meal = await nutrition.data(f"mutation {{ logMeal(input: {MEAL}) {{ meal {{ id }} }} }}", owner)
    water = await nutrition.data("mutation { logWater(input: { amountMl: 200 }) { drink { id } } }", owner)
    await nutrition.data("mutation { setNutritionTarget(input: { energyKcal: 2000 }) { user { id } } }", owner)
    own = """mutation { createFood(input: { name: "Secret bar", category: SNACK,
        per100: { energyKcal: 0, proteinG: 0, carbsG: 0, fatG: 0 } }) { food { id } } }"""
    food = await nutrition.data(own, owner)
    deleted = await nutrition.data(f"mutation {{ logMeal(input: {MEAL}) {{ meal {{ id }} }} }}", owner)
    deleted_meal = deleted["logMeal"]["meal"]["id"]
    await nutrition.data(
        "mutation ($id: ID!) { deleteMeal(input: { id: $id }) { deletedId } }", owner, {"id": deleted_meal}
    )
    made = await nutrition.data(
        """mutation { createRecipe(input: { name: "Secret stew", servings: 2, ingredients: [{ foodId: "oats", grams: 50 }] }) { food { id } }
        saveMeal(input: { name: "Secret", quickAdds: [{ energyKcal: 300 }] }) { savedMeal { id } } }""",
        owner,
    )
    keep = """mutation { createMealPlan(input: { name: "Secret", days: [{ meals: [
        { slot: LUNCH, quickAdds: [{ energyKcal: 300 }] }] }] }) { mealPlan { id } } }"""
    plan = (await nutrition.data(keep, owner))["createMealPlan"]["mealPlan"]["id"]
    put = """mutation ($id: ID!, $from: LocalDate!) { applyMealPlan(input: { id: $id, from: $from }) {
        diaryDays { planned { id } } } }"""
    tomorrow = (datetime.now(UTC) + timedelta(days=1)).date().isoformat()
    (day,) = (await nutrition.data(put, owner, {"id": plan, "from": tomorrow}))["applyMealPlan"]["diaryDays"]
    show = """mutation ($id: ID!) { publishFood(input: { foodId: $id, audience: READERS }) { food { published { id } } } }"""
    recipe = made["createRecipe"]["food"]["id"]
    shown = (await nutrition.data(show, owner, {"id": recipe}))["publishFood"]["food"]["published"]["id"]
    fast = await nutrition.data("mutation { startFast(input: {}) { fast { id } } }", owner)
    return {
        "fast": fast["startFast"]["fast"]["id"],
        "plan": plan,
        "coming": day["planned"][0]["id"],
        "shown": shown,
        "recipe": recipe,
        "saved": made["saveMeal"]["savedMeal"]["id"],
        "deletedMeal": deleted_meal,
        "owner": owner,
        "meal": meal["logMeal"]["meal"]["id"],
        "water": water["logWater"]["drink"]["id"],
        "food": food["createFood"]["food"]["id"],
    }


def representation_of(name: str, owned: dict[str, str]) -> dict[str, Any]:
    return {
        "User": {"__typename": "User", "id": owned["owner"]},
        "Meal": {"__typename": "Meal", "id": owned["meal"]},
        "DiaryDay": {"__typename": "DiaryDay", "userId": owned["owner"], "date": "2026-03-02"},
        "Food": {"__typename": "Food", "id": owned["food"]},
        "Drink": {"__typename": "Drink", "id": owned["water"]},
    }[name]


def test_the_table_names_every_operation() -> None:
    named = {refusal.coordinate for refusal in REFUSALS}
    asked = root_fields(schema) | user_fields(schema) | {f"_Entity.{name}" for name in entity_types(schema) - {"User"}}
    assert named == asked


@pytest.mark.parametrize("refusal", REFUSALS, ids=lambda refusal: refusal.coordinate)
async def test_nobody_learns_or_changes_anything_of_a_person(
    nutrition: SubgraphUnderTest, owned: dict[str, str], refusal: Refusal
) -> None:
    operation, variables = refusal.operation(owned, representation_of)
    result = await nutrition.run_with(None, operation, variables)
    if refusal.public:
        assert result.errors is None
        assert owned["food"] not in str(result.data)
    else:
        assert [error.extensions["code"] for error in result.errors or [] if error.extensions] == ["UNAUTHENTICATED"]


@pytest.mark.parametrize("refusal", REFUSALS, ids=lambda refusal: refusal.coordinate)
async def test_a_stranger_learns_and_changes_nothing_of_another_person(
    nutrition: SubgraphUnderTest, owned: dict[str, str], refusal: Refusal
) -> None:
    before = await events_of(nutrition, owned["owner"])
    operation, variables = refusal.operation(owned, representation_of)
    result = await nutrition.run(operation, "stranger", variables)

    refusal.check_stranger(result)
    assert all(
        owned[kind] not in str(result.data)
        for kind in ("meal", "water", "food", "shown", "recipe", "saved", "plan", "fast")
    )
    assert await events_of(nutrition, owned["owner"]) == before


@pytest.mark.parametrize("refusal", REFUSALS, ids=lambda refusal: refusal.coordinate)
async def test_an_administrator_reads_and_writes_nothing(
    nutrition: SubgraphUnderTest, owned: dict[str, str], refusal: Refusal
) -> None:
    operation, variables = refusal.operation(owned, representation_of)
    result = await nutrition.run(operation, "boss", variables, roles=("USER", "ADMIN"))
    if refusal.coordinate in ADMINISTRATORS:
        assert result.errors is None
    elif refusal.coordinate.startswith("Mutation."):
        refusal.check_stranger(result)
    else:
        assert result.errors is None
