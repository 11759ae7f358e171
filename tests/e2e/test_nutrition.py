"""Nutrition asked as clients ask it, through the router: one request's refusals, right numbers, and own foods."""

from __future__ import annotations

from typing import Any

import pytest

from tests.testkit.running_stack import RunningStack

CREATE = """mutation($input: CreateFoodInput!) { createFood(input: $input) {
  food { id version per100 { energyKcal energyKj sodiumMg saltG } } userErrors { code field message } } }"""
VODKA = {"name": "Vodka", "category": "BEVERAGE", "per100": {"energyKcal": 231, "proteinG": 0, "carbsG": 0, "fatG": 0}}
SALT_CRACKER = {"energyKj": 1800, "proteinG": 10, "carbsG": 70, "fatG": 10, "saltG": 2.5}


async def test_a_refused_mutation_leaves_its_neighbours_alone_and_a_retry_doubles_nothing(stack: RunningStack) -> None:
    person = await stack.register()
    food = (await person.data(CREATE, {"input": VODKA}))["createFood"]["food"]["id"]
    both = """mutation($food: ID!) {
      drink: logWater(input: { amountMl: 250, idempotencyKey: "d" }) { drink { amountMl } userErrors { code } }
      wrong: logMeal(input: { slot: SNACK, items: [{ foodId: $food, grams: 0 }] }) {
        meal { id } userErrors { code field message } }
      meal: logMeal(input: { slot: SNACK, items: [{ foodId: $food, grams: 40 }], idempotencyKey: "m" }) {
        meal { id totals { energyKcal energyKj } } userErrors { code } } }"""
    first = await person.data(both, {"food": food})
    assert first["drink"] == {"drink": {"amountMl": 250}, "userErrors": []}
    assert first["wrong"]["meal"] is None
    assert first["wrong"]["userErrors"] == [
        {"code": "VALIDATION_ERROR", "field": "items.0.grams", "message": "must be from 0.01 to 50000"}
    ]
    assert first["meal"]["meal"]["totals"] == {"energyKcal": 92.4, "energyKj": 386.6}
    assert await person.data(both, {"food": food}) == first
    day = await person.data("{ me { diaryDay { waterMl drinks { amountMl } meals { id } } } }")
    assert day["me"]["diaryDay"] == {
        "waterMl": 250,
        "drinks": [{"amountMl": 250}],
        "meals": [{"id": first["meal"]["meal"]["id"]}],
    }


async def test_labels_in_kilojoules_and_salt_mean_the_same(stack: RunningStack) -> None:
    person = await stack.register()
    told = {"name": "Cracker", "category": "SNACK", "per100": SALT_CRACKER}
    made = (await person.data(CREATE, {"input": told}))["createFood"]["food"]
    assert made["per100"] == {"energyKcal": 430.21, "energyKj": 1800.0, "sodiumMg": 1000.0, "saltG": 2.5}
    refused = await person.data(CREATE, {"input": told | {"per100": SALT_CRACKER | {"saltG": 101}}})
    assert refused["createFood"]["userErrors"] == [
        {"code": "VALIDATION_ERROR", "field": "per100.sodiumMg", "message": "must be from 0 to 40000 in 100 g"}
    ]


@pytest.mark.parametrize(
    ("goal", "kcal"), [(None, 2720.25), ("LOSE_WEIGHT", 2312.21), ("GAIN_MUSCLE", 2992.28), ("GAIN_WEIGHT", 3264.3)]
)
async def test_the_suggestion_follows_the_goal_that_users_keeps(
    stack: RunningStack, goal: str | None, kcal: float
) -> None:
    person = await stack.register()
    profile = (
        """mutation($input: UpdateProfileInput!) { updateProfile(input: $input) { userErrors { field message } } }"""
    )
    years = "1990-01-01"
    body = {"sex": "MALE", "heightCm": 180, "dateOfBirth": years, "activityLevel": "MODERATE", "fitnessGoal": goal}
    assert (await person.data(profile, {"input": body}))["updateProfile"]["userErrors"] == []
    ask = "{ me { suggestedTarget { energyKcal basalKcal activityFactor goalFactor } } }"
    assert (await person.data(ask))["me"]["suggestedTarget"] is None
    await person.data("mutation { logWeight(input: { weightKg: 80 }) { userErrors { code } } }")
    target = (await person.data(ask))["me"]["suggestedTarget"]
    age_years = round((1880 - target["basalKcal"] + 50) / 5)  # 10 W + 6.25 H + 5 - 5 A = 1930 - 5 A
    assert target["basalKcal"] == 1930 - 5 * age_years
    factors = target["activityFactor"] * target["goalFactor"]
    assert target["energyKcal"] == pytest.approx(target["basalKcal"] * factors, abs=0.01)
    assert target["energyKcal"] / target["basalKcal"] == pytest.approx(kcal / 1755, rel=1e-4)


async def test_an_own_food_is_found_corrected_and_deleted_while_its_meals_stay(stack: RunningStack) -> None:
    person, other = await stack.register(), await stack.register()
    bar: dict[str, Any] = {"name": "My scanned bar", "category": "SNACK", "gtin": "73513537", "per100": SALT_CRACKER}
    food = (await person.data(CREATE, {"input": bar}))["createFood"]["food"]["id"]
    by_barcode = '{ foodByBarcode(gtin: "73513537") { id name } }'
    assert (await person.data(by_barcode))["foodByBarcode"] == {"id": food, "name": "My scanned bar"}
    assert (await other.data(by_barcode))["foodByBarcode"] is None
    log = """mutation($food: ID!) { logMeal(input: { slot: SNACK, items: [{ foodId: $food, grams: 100 }] }) {
      meal { id } userErrors { code } } }"""
    meal = (await person.data(log, {"food": food}))["logMeal"]["meal"]["id"]
    correct = """mutation($food: ID!) { updateFood(input: { id: $food, expectedVersion: 1, name: "My better bar" }) {
      food { version name } userErrors { code } } }"""
    assert (await person.data(correct, {"food": food}))["updateFood"]["food"] == {"version": 2, "name": "My better bar"}
    assert (await person.data(correct, {"food": food}))["updateFood"]["userErrors"] == [{"code": "STALE_VERSION"}]
    search = '{ foods(search: "better bars") { totalCount nodes { id isOwn } } }'
    assert (await person.data(search))["foods"] == {"totalCount": 1, "nodes": [{"id": food, "isOwn": True}]}
    assert (await other.data(search))["foods"]["nodes"] == []
    delete = "mutation($food: ID!) { deleteFood(input: { id: $food }) { deletedId userErrors { code } } }"
    assert (await person.data(delete, {"food": food}))["deleteFood"]["deletedId"] == food
    kept = await person.data("query($id: ID!) { meal(id: $id) { items { foodName food { id } } } }", {"id": meal})
    assert kept["meal"] == {"items": [{"foodName": "My scanned bar", "food": None}]}
    assert (await person.data(search))["foods"]["nodes"] == []
