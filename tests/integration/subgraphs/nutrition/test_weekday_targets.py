"""A target that is another on some weekdays: each day has that of its weekday, and the next target replaces all of it."""

from collections.abc import AsyncIterator
from typing import Any

import pytest

from subgraphs.nutrition.loaders import NutritionLoaders
from subgraphs.nutrition.schema import schema
from tests.testkit.servers import Postgres
from tests.testkit.subgraph import SubgraphUnderTest, subgraph_under_test

SET = """mutation ($input: SetNutritionTargetInput!) { setNutritionTarget(input: $input) {
  target { energyKcal version usual { energyKcal } weekdays { weekdays energyKcal proteinG carbsG fatG } }
  userErrors { code field } } }"""
DAYS = """{ _entities(representations: [{ __typename: "User", id: "PERSON" }]) { ... on User {
  monday: nutritionTarget(date: "2026-03-02") { energyKcal proteinG fatG waterMl usual { energyKcal } }
  saturday: nutritionTarget(date: "2026-03-07") { energyKcal proteinG fatG waterMl usual { energyKcal } }
  day: diaryDay(date: "2026-03-07") { remaining { energyKcal } } } } }"""
WEEKEND = {"weekdays": ["SATURDAY", "SUNDAY"], "energyKcal": 2600, "proteinG": 150}


@pytest.fixture(scope="module")
async def nutrition(postgres: Postgres) -> AsyncIterator[SubgraphUnderTest]:
    url = postgres.create_database("nutrition_weekdays")
    async with subgraph_under_test("nutrition", url, schema, NutritionLoaders) as subgraph:
        yield subgraph


async def set_target(nutrition: SubgraphUnderTest, person: str, **given: Any) -> Any:
    result = await nutrition.run(SET, person, {"input": {"energyKcal": 2000, "effectiveFrom": "2026-03-01"} | given})
    assert result.errors is None, result.errors
    return (result.data or {})["setNutritionTarget"]


async def days(nutrition: SubgraphUnderTest, person: str) -> Any:
    return (await nutrition.data(DAYS.replace("PERSON", person), person))["_entities"][0]


async def test_each_day_has_the_target_of_its_weekday(nutrition: SubgraphUnderTest) -> None:
    key = {"idempotencyKey": "weekend", "weekdays": [WEEKEND], "waterMl": 2500, "fatG": 60}
    told = await set_target(nutrition, "ann", **key)
    # 1 March 2026, from which it holds, is a Sunday.
    assert told["target"]["energyKcal"] == 2600
    assert told["target"]["usual"] == {"energyKcal": 2000}
    assert told["target"]["weekdays"] == [WEEKEND | {"carbsG": None, "fatG": None}]
    assert await set_target(nutrition, "ann", **key) == told

    usual = {"usual": {"energyKcal": 2000}, "waterMl": 2500}
    assert await days(nutrition, "ann") == {
        "monday": {"energyKcal": 2000, "proteinG": None, "fatG": 60, **usual},
        "saturday": {"energyKcal": 2600, "proteinG": 150, "fatG": None, **usual},
        "day": {"remaining": {"energyKcal": 2600}},
    }
    await set_target(nutrition, "ann", effectiveFrom="2026-03-05")
    found = await days(nutrition, "ann")
    assert (found["monday"]["energyKcal"], found["saturday"]["energyKcal"]) == (2000, 2000)


@pytest.mark.parametrize(
    ("weekdays", "places"),
    [
        ([WEEKEND | {"weekdays": []}], ["weekdays.0.weekdays"]),
        ([WEEKEND, WEEKEND | {"weekdays": ["SUNDAY"]}], ["weekdays.1.weekdays"]),
        ([WEEKEND | {"weekdays": ["MONDAY", "MONDAY"]}], ["weekdays.0.weekdays"]),
        ([WEEKEND | {"energyKcal": 999, "carbsG": -1}], ["weekdays.0.energyKcal", "weekdays.0.carbsG"]),
        ([WEEKEND] * 8, ["weekdays"]),
    ],
)
async def test_weekdays_that_cannot_be_are_refused_with_their_place(
    nutrition: SubgraphUnderTest, weekdays: list[Any], places: list[str]
) -> None:
    refused = await set_target(nutrition, "bea", weekdays=weekdays)
    assert [error["field"] for error in refused["userErrors"]] == places
    assert refused["target"] is None
