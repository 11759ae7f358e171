"""Vitamins, minerals and alcohol of own foods, and aims of single nutrients, over a real database."""

from typing import Any

import pytest

from tests.testkit.subgraph import SubgraphUnderTest, user_errors

CREATE = """mutation ($per100: NutrientsInput!) { createFood(input: { name: "Juice", category: BEVERAGE, per100: $per100 }) {
    food { id per100 { alcoholG micronutrients { code unit amount referencePercent knownFraction } } }
    userErrors { code field message } } }"""
PER_100: dict[str, Any] = {"energyKcal": 60, "proteinG": 0, "carbsG": 10, "fatG": 0, "alcoholG": 3}
MICRONUTRIENTS = [{"code": "VITAMIN_C", "amount": 40}, {"code": "FOLATE", "amount": 30}]
SET = """mutation ($input: SetNutritionTargetInput!) { setNutritionTarget(input: $input) {
    target { energyKcal nutrients { nutrient unit minimum maximum } } userErrors { code field } } }"""
DAY = """query ($id: ID!) { _entities(representations: [{ __typename: "DiaryDay", userId: $id, date: "2026-03-02" }]) {
    ... on DiaryDay { nutrientProgress { aim { nutrient minimum maximum } amount knownFraction isMet } } } }"""
LOG = """mutation ($items: [MealItemInput!]!) { logMeal(input: { slot: LUNCH, at: "2026-03-02T12:00:00Z", items: $items }) {
    meal { totals { alcoholG micronutrients { code amount knownFraction } } } userErrors { code } } }"""


async def test_an_own_food_tells_vitamins_minerals_and_alcohol(nutrition: SubgraphUnderTest, person: str) -> None:
    told = PER_100 | {"micronutrients": MICRONUTRIENTS}
    food = (await nutrition.data(CREATE, person, {"per100": told}))["createFood"]["food"]
    assert food["per100"] == {
        "alcoholG": 3.0,
        "micronutrients": [
            {"code": "VITAMIN_C", "unit": "MG", "amount": 40.0, "referencePercent": 50.0, "knownFraction": None},
            {"code": "FOLATE", "unit": "UG", "amount": 30.0, "referencePercent": 15.0, "knownFraction": None},
        ],
    }
    items = [{"foodId": food["id"], "grams": 200}, {"foodId": "oil", "grams": 50}]
    totals = (await nutrition.data(LOG, person, {"items": items}))["logMeal"]["meal"]["totals"]
    assert totals["alcoholG"] == 6.0
    assert totals["micronutrients"][0] == {"code": "VITAMIN_C", "amount": 80.0, "knownFraction": 0.8}


@pytest.mark.parametrize(
    ("micronutrients", "field"),
    [
        ([{"code": "IRON", "amount": -1}], "per100.micronutrients.0.amount"),
        ([{"code": "IRON", "amount": 100_001}], "per100.micronutrients.0.amount"),
        ([{"code": "IRON", "amount": 1}, {"code": "IRON", "amount": 2}], "per100.micronutrients.1.code"),
    ],
)
async def test_impossible_micronutrients_are_refused_with_their_place(
    nutrition: SubgraphUnderTest, person: str, micronutrients: list[dict[str, Any]], field: str
) -> None:
    result = await nutrition.run(CREATE, person, {"per100": PER_100 | {"micronutrients": micronutrients}})
    assert [error["field"] for error in user_errors(result)] == [field]


async def test_a_day_keeps_to_aims_as_far_as_is_known(nutrition: SubgraphUnderTest, person: str) -> None:
    aims = [
        {"nutrient": "FIBER", "minimum": 30},
        {"nutrient": "SODIUM", "maximum": 2000},
        {"nutrient": "ALCOHOL", "maximum": 10},
    ]
    told = {"energyKcal": 2000, "nutrients": aims, "effectiveFrom": "2026-03-01", "idempotencyKey": "t"}
    target = (await nutrition.data(SET, person, {"input": told}))["setNutritionTarget"]["target"]
    assert target["nutrients"] == [
        {"nutrient": "FIBER", "unit": "G", "minimum": 30.0, "maximum": None},
        {"nutrient": "SODIUM", "unit": "MG", "minimum": None, "maximum": 2000.0},
        {"nutrient": "ALCOHOL", "unit": "G", "minimum": None, "maximum": 10.0},
    ]
    assert (await nutrition.data(SET, person, {"input": told}))["setNutritionTarget"]["target"] == target
    await nutrition.data(LOG, person, {"items": [{"foodId": "oats", "grams": 300}, {"foodId": "milk", "grams": 30}]})
    progress = (await nutrition.data(DAY, person, {"id": person}))["_entities"][0]["nutrientProgress"]
    assert [(each["amount"], each["knownFraction"], each["isMet"]) for each in progress] == [
        (31.8, 0.9091, True),
        (14.1, 0.0909, None),
        (None, 0.0, None),
    ]
    assert (await nutrition.data(DAY, "nobody-yet", {"id": "nobody-yet"}))["_entities"][0]["nutrientProgress"] == []
    twice = told | {"nutrients": [aims[0], aims[0]], "idempotencyKey": None}
    assert user_errors(await nutrition.run(SET, person, {"input": twice})) == [
        {"code": "VALIDATION_ERROR", "field": "nutrients.1.nutrient"}
    ]
