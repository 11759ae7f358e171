"""Past meals counted anew with the numbers that a food has now, over a real database."""

from typing import Any

import pytest

from subgraphs.nutrition.commands import meal_recount as commands
from tests.integration.subgraphs.nutrition.conftest import events_of
from tests.testkit.subgraph import SubgraphUnderTest, codes_of, user_errors

CREATE = """mutation { createFood(input: { name: "Bar", category: SNACK, per100: { energyKcal: 400, proteinG: 10, carbsG: 60, fatG: 13 },
    portions: [{ label: "bar", grams: 40 }] }) { food { id } } }"""
CORRECT = """mutation ($id: ID!) { updateFood(input: { id: $id, name: "Nut bar",
    per100: { energyKcal: 500, proteinG: 20, carbsG: 40, fatG: 28, fiberG: 5 } }) { food { version } } }"""
LOG = """mutation ($food: ID!, $at: DateTime!) { logMeal(input: { slot: SNACK, at: $at, notes: "On the way", items: [
    { foodId: $food, portion: "bar", quantity: 2 }, { foodId: "oats", grams: 50 }] }) { meal { id } } }"""
RECOUNT = """mutation ($input: RecountMealsInput!) { recountMeals(input: $input) { isComplete userErrors { code field }
    meals { id localDate version notes totals { energyKcal } items { foodName grams portion quantity nutrients { energyKcal fiberG } } } } }"""


async def bar_in_meals(nutrition: SubgraphUnderTest, person: str, days: int) -> str:
    food: str = (await nutrition.data(CREATE, person))["createFood"]["food"]["id"]
    for day in range(1, days + 1):
        await nutrition.data(LOG, person, {"food": food, "at": f"2026-03-0{day}T12:00:00Z"})
    await nutrition.data(CORRECT, person, {"id": food})
    return food


async def recount(nutrition: SubgraphUnderTest, person: str, **told: Any) -> dict[str, Any]:
    done: dict[str, Any] = (await nutrition.data(RECOUNT, person, {"input": told}))["recountMeals"]
    return done


async def test_a_corrected_food_is_counted_anew_in_meals_of_the_days_that_are_asked_for(
    nutrition: SubgraphUnderTest, person: str
) -> None:
    food = await bar_in_meals(nutrition, person, 3)
    done = await recount(nutrition, person, foodId=food, **{"from": "2026-03-02"})
    assert done["isComplete"]
    assert [(each["localDate"], each["version"], each["notes"]) for each in done["meals"]] == [
        ("2026-03-02", 2, "On the way"),
        ("2026-03-03", 2, "On the way"),
    ]
    bar, oats = done["meals"][0]["items"]
    assert bar == {
        "foodName": "Nut bar",
        "grams": 80.0,
        "portion": "bar",
        "quantity": 2.0,
        "nutrients": {"energyKcal": 400.0, "fiberG": 4.0},
    }
    assert (oats["foodName"], oats["nutrients"]["energyKcal"]) == ("Rolled oats", 194.5)
    assert done["meals"][0]["totals"]["energyKcal"] == 594.5
    versions = [version for version, _ in await events_of(nutrition, person)]
    assert versions == [1, 1, 1, 2, 2]

    again = await recount(nutrition, person, foodId=food, **{"from": "2026-03-02"})
    assert (again["meals"], again["isComplete"]) == ([], True)
    (first,) = (await recount(nutrition, person, foodId=food))["meals"]
    assert (first["localDate"], first["totals"]["energyKcal"]) == ("2026-03-01", 594.5)


async def test_so_many_meals_are_counted_anew_by_one_request(
    nutrition: SubgraphUnderTest, person: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(commands, "MOST_RECOUNTED", 2)
    food = await bar_in_meals(nutrition, person, 3)
    counts = [await recount(nutrition, person, foodId=food) for _ in range(3)]
    assert [(len(each["meals"]), each["isComplete"]) for each in counts] == [(2, False), (1, True), (0, True)]


async def test_what_cannot_be_counted_anew_is_refused(nutrition: SubgraphUnderTest, person: str) -> None:
    food = await bar_in_meals(nutrition, person, 1)
    assert codes_of(await nutrition.run(RECOUNT, "stranger", {"input": {"foodId": food}})) == ["NOT_FOUND"]
    backward = {"foodId": food, "from": "2026-03-02", "to": "2026-03-01"}
    assert user_errors(await nutrition.run(RECOUNT, person, {"input": backward})) == [
        {"code": "VALIDATION_ERROR", "field": "to"}
    ]
