"""Recipes and saved meals over a real database: the food a recipe makes, its versions, and meals that are logged again."""

import asyncio
from decimal import Decimal
from typing import Any

import pytest

from events.contracts.nutrition import FoodUpserted, MealLogged
from tests.integration.subgraphs.nutrition.conftest import events_of
from tests.testkit.subgraph import SubgraphUnderTest, codes_of, user_errors

FOOD = """food { id name version source category per100 { energyKcal sodiumMg } portions { label grams }
    recipe { version servings yieldGrams grams instructions perServing { energyKcal } totals { energyKcal knownFraction { sodiumMg } }
      ingredients { foodName grams portion quantity isOutdated food { id } nutrients { energyKcal } } }
    recipeVersions { version servings } }"""
CREATE = f"mutation ($input: CreateRecipeInput!) {{ createRecipe(input: $input) {{ {FOOD} userErrors {{ code field message }} }} }}"
UPDATE = f"mutation ($input: UpdateRecipeInput!) {{ updateRecipe(input: $input) {{ {FOOD} userErrors {{ code field message }} }} }}"
LOG = """mutation ($food: ID!, $quantity: Float!) { logMeal(input: { slot: LUNCH, items: [
    { foodId: $food, portion: "serving", quantity: $quantity }] }) { meal { id items { grams } totals { energyKcal } } userErrors { code field } } }"""
SAVED = "savedMeal { id name slot version items { grams portion quantity food { id } } quickAdds { energyKcal } totals { energyKcal } }"
SAVE = f"mutation ($input: SaveMealInput!) {{ saveMeal(input: $input) {{ {SAVED} userErrors {{ code field }} }} }}"
CHANGE = f"mutation ($input: UpdateSavedMealInput!) {{ updateSavedMeal(input: $input) {{ {SAVED} userErrors {{ code field }} }} }}"
AGAIN = """mutation ($input: LogSavedMealInput!) { logSavedMeal(input: $input) {
    meal { id slot localDate items { food { id } grams quantity } quickAdds { energyKcal } totals { energyKcal } } userErrors { code field } } }"""
PORRIDGE: dict[str, Any] = {
    "name": "Banana porridge",
    "servings": 2,
    "yieldGrams": 500,
    "instructions": "Boil.",
    "ingredients": [
        {"foodId": "oats", "portion": "cup", "quantity": 1},
        {"foodId": "banana", "grams": 100},
        {"foodId": "milk", "grams": 400},
    ],
}


async def make(nutrition: SubgraphUnderTest, person: str, **changes: Any) -> dict[str, Any]:
    data = await nutrition.data(CREATE, person, {"input": PORRIDGE | changes})
    food: dict[str, Any] = data["createRecipe"]["food"]
    return food


async def own_food(nutrition: SubgraphUnderTest, person: str, kcal: int = 100) -> str:
    create = """mutation ($kcal: Float!) { createFood(input: { name: "Syrup", category: SWEET,
        per100: { energyKcal: $kcal, proteinG: 0, carbsG: 80, fatG: 0 } }) { food { id } } }"""
    food: str = (await nutrition.data(create, person, {"kcal": kcal}))["createFood"]["food"]["id"]
    return food


async def test_a_recipe_makes_a_food_that_is_logged_by_the_serving(nutrition: SubgraphUnderTest, person: str) -> None:
    first, again = await asyncio.gather(*(make(nutrition, person, idempotencyKey="once") for _ in range(2)))
    assert first == again
    # 311.2 + 89 + 200 kcal in 500 g; two of three foods do not tell their sodium, so the dish does not either
    assert (first["source"], first["category"], first["version"]) == ("RECIPE", "MEAL", 1)
    assert first["per100"] == {"energyKcal": 120.04, "sodiumMg": None}
    assert first["portions"] == [{"label": "serving", "grams": 250.0}]
    recipe = first["recipe"]
    assert (recipe["grams"], recipe["perServing"]["energyKcal"], recipe["instructions"]) == (500.0, 300.1, "Boil.")
    assert recipe["totals"] == {"energyKcal": 600.2, "knownFraction": {"sodiumMg": 0.6897}}
    assert recipe["ingredients"][0] == {
        "foodName": "Rolled oats",
        "grams": 80.0,
        "portion": "cup",
        "quantity": 1.0,
        "isOutdated": False,
        "food": {"id": "oats"},
        "nutrients": {"energyKcal": 311.2},
    }
    meal = (await nutrition.data(LOG, person, {"food": first["id"], "quantity": 1.5}))["logMeal"]["meal"]
    assert (meal["items"], meal["totals"]) == ([{"grams": 375.0}], {"energyKcal": 450.15})
    found = await nutrition.data('{ foods(search: "banana porridge") { nodes { id } } }', person)
    assert found["foods"]["nodes"] == [{"id": first["id"]}]
    hidden = await nutrition.data('{ foods(search: "banana porridge") { nodes { id } } }', "stranger")
    assert {"id": first["id"]} not in hidden["foods"]["nodes"]
    (_, told), *_ = await events_of(nutrition, first["id"])
    assert isinstance(told, FoodUpserted)
    assert told.per_100.energy_kcal == Decimal("120.04")


async def test_each_change_is_a_version_and_changes_no_past_meal(nutrition: SubgraphUnderTest, person: str) -> None:
    food = (await make(nutrition, person))["id"]
    meal = (await nutrition.data(LOG, person, {"food": food, "quantity": 1}))["logMeal"]["meal"]
    changes = {"foodId": food, "expectedVersion": 1, "servings": 4, "yieldGrams": None, "name": "Porridge for four"}
    changed = (await nutrition.data(UPDATE, person, {"input": changes}))["updateRecipe"]["food"]
    assert (changed["name"], changed["version"], changed["recipe"]["version"]) == ("Porridge for four", 2, 2)
    assert changed["portions"] == [{"label": "serving", "grams": 145.0}]
    assert changed["recipeVersions"] == [{"version": 2, "servings": 4.0}, {"version": 1, "servings": 2.0}]
    assert await nutrition.codes(UPDATE, person, {"input": changes}) == ["STALE_VERSION"]
    same = (await nutrition.data(UPDATE, person, {"input": {"foodId": food, "servings": 4}}))["updateRecipe"]["food"]
    assert same["version"] == 2
    read = await nutrition.data(
        "query ($id: ID!) { meal(id: $id) { totals { energyKcal } } }", person, {"id": meal["id"]}
    )
    assert read["meal"]["totals"] == {"energyKcal": 300.1}
    for number in range(25):
        await nutrition.data(UPDATE, person, {"input": {"foodId": food, "instructions": f"Step {number}."}})
    newest = (await nutrition.data(UPDATE, person, {"input": {"foodId": food, "instructions": None}}))["updateRecipe"]
    assert [each["version"] for each in newest["food"]["recipeVersions"]] == list(range(28, 8, -1))


async def test_a_changed_ingredient_is_outdated_until_it_is_priced_anew(
    nutrition: SubgraphUnderTest, person: str
) -> None:
    syrup = await own_food(nutrition, person)
    food = (await make(nutrition, person, ingredients=[{"foodId": syrup, "grams": 100}], yieldGrams=None))["id"]
    correct = """mutation ($id: ID!) { updateFood(input: { id: $id,
        per100: { energyKcal: 300, proteinG: 0, carbsG: 80, fatG: 0 } }) { food { version } userErrors { code } } }"""
    await nutrition.data(correct, person, {"id": syrup})
    kept = (await nutrition.data(UPDATE, person, {"input": {"foodId": food, "servings": 5}}))["updateRecipe"]["food"]
    assert (kept["per100"]["energyKcal"], kept["recipe"]["ingredients"][0]["isOutdated"]) == (100.0, True)
    new = (await nutrition.data(UPDATE, person, {"input": {"foodId": food, "reprice": True}}))["updateRecipe"]["food"]
    assert (new["per100"]["energyKcal"], new["recipe"]["ingredients"][0]["isOutdated"]) == (300.0, False)


async def test_a_recipe_is_an_ingredient_and_is_deleted_and_brought_back(
    nutrition: SubgraphUnderTest, person: str
) -> None:
    inner = (await make(nutrition, person))["id"]
    outer = await make(
        nutrition, person, ingredients=[{"foodId": inner, "portion": "serving", "quantity": 2}], yieldGrams=None
    )
    assert outer["recipe"]["totals"]["energyKcal"] == 600.2
    delete = "mutation ($id: ID!) { deleteFood(input: { id: $id }) { deletedId userErrors { code } } }"
    await nutrition.data(delete, person, {"id": inner})
    listed = """query ($id: ID!) { _entities(representations: [{ __typename: "User", id: $id }]) { ... on User {
        recipes { nodes { id recipe { servings } } } } } }"""
    recipes = (await nutrition.data(listed, person, {"id": person}))["_entities"][0]["recipes"]["nodes"]
    assert recipes == [{"id": outer["id"], "recipe": {"servings": 2.0}}]
    await nutrition.data(
        "mutation ($id: ID!) { undoDelete(input: { id: $id }) { restored { id } } }", person, {"id": inner}
    )
    recipes = (await nutrition.data(listed, person, {"id": person}))["_entities"][0]["recipes"]["nodes"]
    assert [each["id"] for each in recipes] == [outer["id"], inner]


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"name": ""}, "name"),
        ({"servings": 0}, "servings"),
        ({"servings": 1001}, "servings"),
        ({"yieldGrams": 50}, "yieldGrams"),
        ({"ingredients": []}, "ingredients"),
        ({"ingredients": [{"foodId": "none", "grams": 10}]}, "ingredients.0.foodId"),
        ({"ingredients": [{"foodId": "oats", "portion": "bucket", "quantity": 1}]}, "ingredients.0.portion"),
        ({"ingredients": [{"foodId": "oats"}]}, "ingredients.0"),
    ],
)
async def test_what_makes_no_dish_is_refused_with_its_place(
    nutrition: SubgraphUnderTest, person: str, changes: dict[str, Any], field: str
) -> None:
    result = await nutrition.run(CREATE, person, {"input": PORRIDGE | changes})
    assert [error["field"] for error in user_errors(result)] == [field]
    food = (await make(nutrition, person))["id"]
    result = await nutrition.run(UPDATE, person, {"input": {"foodId": food} | changes})
    assert [error["field"] for error in user_errors(result)] == [field]


async def test_a_recipe_holds_neither_itself_nor_numbers_of_its_own(nutrition: SubgraphUnderTest, person: str) -> None:
    food = (await make(nutrition, person))["id"]
    itself = {"foodId": food, "ingredients": [{"foodId": food, "grams": 10}]}
    assert await nutrition.codes(UPDATE, person, {"input": itself}) == ["VALIDATION_ERROR"]
    rename = (
        'mutation ($id: ID!) { updateFood(input: { id: $id, name: "X" }) { food { id } userErrors { code field } } }'
    )
    assert await nutrition.codes(rename, person, {"id": food}) == ["CONFLICT"]
    syrup = await own_food(nutrition, person)
    assert await nutrition.codes(UPDATE, person, {"input": {"foodId": syrup, "servings": 3}}) == ["NOT_FOUND"]


async def test_a_saved_meal_is_logged_again_at_the_numbers_of_then(nutrition: SubgraphUnderTest, person: str) -> None:
    syrup = await own_food(nutrition, person)
    items = [{"foodId": syrup, "grams": 50}, {"foodId": "oats", "portion": "cup", "quantity": 1}]
    told = {
        "name": "Usual",
        "slot": "BREAKFAST",
        "items": items,
        "quickAdds": [{"energyKcal": 40}],
        "idempotencyKey": "s",
    }
    first, again = await asyncio.gather(*(nutrition.data(SAVE, person, {"input": told}) for _ in range(2)))
    saved = first["saveMeal"]["savedMeal"]
    assert saved == again["saveMeal"]["savedMeal"]
    assert (saved["totals"], saved["items"][1]["grams"]) == ({"energyKcal": 401.2}, 80.0)
    correct = """mutation ($id: ID!) { updateFood(input: { id: $id,
        per100: { energyKcal: 300, proteinG: 0, carbsG: 80, fatG: 0 } }) { food { version } } }"""
    await nutrition.data(correct, person, {"id": syrup})
    log = {"id": saved["id"], "at": "2026-03-02T07:00:00Z", "scale": 2.0, "idempotencyKey": "l"}
    meal = (await nutrition.data(AGAIN, person, {"input": log}))["logSavedMeal"]["meal"]
    assert (meal["slot"], meal["localDate"], meal["totals"]) == ("BREAKFAST", "2026-03-02", {"energyKcal": 1002.4})
    assert meal["items"][1] == {"food": {"id": "oats"}, "grams": 160.0, "quantity": 2.0}
    assert (await nutrition.data(AGAIN, person, {"input": log}))["logSavedMeal"]["meal"] == meal
    (event,) = [event for _, event in await events_of(nutrition, person) if isinstance(event, MealLogged)]
    assert event.totals.energy_kcal == Decimal("1002.4")
    # a food that is gone is said, with its place, and may be taken out
    await nutrition.data("mutation ($id: ID!) { deleteFood(input: { id: $id }) { deletedId } }", person, {"id": syrup})
    result = await nutrition.run(AGAIN, person, {"input": {"id": saved["id"]}})
    assert user_errors(result) == [{"code": "VALIDATION_ERROR", "field": "items.0.foodId"}]
    renamed = {"id": saved["id"], "name": "Oats", "expectedVersion": 1}
    assert (await nutrition.data(CHANGE, person, {"input": renamed}))["updateSavedMeal"]["savedMeal"]["version"] == 2
    assert await nutrition.codes(CHANGE, person, {"input": renamed}) == ["STALE_VERSION"]
    without = {"id": saved["id"], "items": items[1:], "slot": None}
    kept = (await nutrition.data(CHANGE, person, {"input": without}))["updateSavedMeal"]["savedMeal"]
    assert (kept["slot"], kept["totals"]) == (None, {"energyKcal": 351.2})
    assert (await nutrition.data(AGAIN, person, {"input": {"id": saved["id"]}}))["logSavedMeal"]["meal"][
        "slot"
    ] == "SNACK"


async def test_a_meal_of_the_diary_is_kept_listed_and_deleted(nutrition: SubgraphUnderTest, person: str) -> None:
    food = (await make(nutrition, person))["id"]
    meal = (await nutrition.data(LOG, person, {"food": food, "quantity": 2}))["logMeal"]["meal"]["id"]
    saved = (await nutrition.data(SAVE, person, {"input": {"name": "Two bowls", "mealId": meal}}))["saveMeal"][
        "savedMeal"
    ]
    assert (saved["slot"], saved["items"]) == (
        "LUNCH",
        [{"grams": 500.0, "portion": "serving", "quantity": 2.0, "food": {"id": food}}],
    )
    listed = """query ($id: ID!) { _entities(representations: [{ __typename: "User", id: $id }]) { ... on User {
        savedMeals(first: 5) { nodes { name } } } } }"""
    assert (await nutrition.data(listed, person, {"id": person}))["_entities"][0]["savedMeals"]["nodes"] == [
        {"name": "Two bowls"}
    ]
    refused = [
        ({"name": "Nothing"}, "mealId"),
        ({"name": "Both", "mealId": meal, "quickAdds": [{"energyKcal": 1}]}, "mealId"),
        ({"name": "Another's", "mealId": "meal_none"}, "mealId"),
        ({"name": "", "quickAdds": [{"energyKcal": 1}]}, "name"),
    ]
    for told, field in refused:
        result = await nutrition.run(SAVE, person, {"input": told})
        assert [error["field"] for error in user_errors(result)] == [field]
    delete = "mutation ($id: ID!) { deleteSavedMeal(input: { id: $id }) { deletedId userErrors { code } } }"
    assert await nutrition.codes(delete, person, {"id": saved["id"]}) == []
    assert await nutrition.codes(delete, person, {"id": saved["id"]}) == ["NOT_FOUND"]


SHOP = "query ($dishes: [DishInput!]!) { shoppingAmounts(dishes: $dishes) { food { id } grams } }"


async def test_dishes_are_taken_apart_into_what_has_to_be_bought(nutrition: SubgraphUnderTest, person: str) -> None:
    inner = (await make(nutrition, person))["id"]  # 500 g of 80 g of oats, 100 g of banana and 400 g of milk
    ingredients = [{"foodId": inner, "portion": "serving", "quantity": 1}, {"foodId": "oats", "grams": 50}]
    outer = (await make(nutrition, person, ingredients=ingredients, yieldGrams=None, servings=3))["id"]
    dishes = [{"foodId": outer, "servings": 6}, {"foodId": inner, "grams": 250}, {"foodId": "oil", "grams": 10}]
    with nutrition.counted_statements() as statements:
        bought = (await nutrition.data(SHOP, person, {"dishes": dishes}))["shoppingAmounts"]
    assert {each["food"]["id"]: each["grams"] for each in bought} == {
        "oil": 10.0,
        "oats": 220.0,  # twice 50, twice 40 and 40
        "banana": 150.0,
        "milk": 600.0,
    }
    assert len(statements) <= 8


@pytest.mark.parametrize(
    ("dishes", "place"),
    [
        ([], "dishes"),
        ([{"foodId": "oil", "grams": 1}] * 51, "dishes"),
        ([{"foodId": "none", "grams": 1}], "dishes.0.foodId"),
        ([{"foodId": "oil"}], "dishes.0"),
        ([{"foodId": "oil", "grams": 1, "servings": 1}], "dishes.0"),
        ([{"foodId": "oil", "servings": 1}], "dishes.0.servings"),
        ([{"foodId": "oil", "grams": 0}], "dishes.0.grams"),
    ],
)
async def test_what_cannot_be_shopped_for_is_refused_with_its_place(
    nutrition: SubgraphUnderTest, person: str, dishes: list[dict[str, Any]], place: str
) -> None:
    result = await nutrition.run(SHOP, person, {"dishes": dishes})
    assert codes_of(result) == ["VALIDATION_ERROR"]
    assert place in str(result.errors)


async def test_nobody_shops_for_anothers_recipe(nutrition: SubgraphUnderTest, person: str) -> None:
    recipe = (await make(nutrition, person))["id"]
    dishes = [{"foodId": recipe, "servings": 1}]
    assert await nutrition.codes(SHOP, "stranger", {"dishes": dishes}) == ["VALIDATION_ERROR"]
