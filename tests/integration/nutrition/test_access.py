"""Every operation of nutrition, as nobody and as somebody else: what is refused and what is not told."""

from typing import Any

import pytest

from subgraphs.nutrition.schema import schema
from tests.integration.nutrition.conftest import events_of
from tests.testkit.access import Refusal, entity_types, root_fields, user_fields
from tests.testkit.subgraph import SubgraphUnderTest

MEAL = '{ slot: LUNCH, at: "2026-03-02T12:00:00Z", items: [{ foodId: "oats", grams: 50 }] }'
ENTITY = "_entities(representations: $representations)"

# What a stranger may do with the ids of another person's things. "own" is harmless: it can only touch the caller's data.
REFUSALS = [
    Refusal("Query.food", "{ food(id: $food) { id } }", public=True),
    Refusal("Query.foodByBarcode", '{ foodByBarcode(gtin: "96385074") { id } }', public=True),
    Refusal("Query.foods", "{ foods { edges { cursor } } }", public=True),
    Refusal("Query.meal", "{ meal(id: $meal) { id } }", stranger={"meal": None}),
    Refusal(
        "Mutation.createFood",
        'mutation { createFood(input: { name: "Bar", category: SNACK, per100: { energyKcal: 0, proteinG: 0, carbsG: 0, fatG: 0 } }) { food { id } } }',
        own=True,
    ),
    Refusal("Mutation.logMeal", f"mutation {{ logMeal(input: {MEAL}) {{ meal {{ id }} }} }}", own=True),
    Refusal(
        "Mutation.updateMeal",
        'mutation { updateMeal(input: { id: $meal, notes: "mine" }) { meal { id } } }',
        code="NOT_FOUND",
    ),
    Refusal("Mutation.copyMeal", "mutation { copyMeal(input: { mealId: $meal }) { meal { id } } }", code="NOT_FOUND"),
    Refusal("Mutation.deleteMeal", "mutation { deleteMeal(id: $meal) { deletedId } }", code="NOT_FOUND"),
    Refusal("Mutation.logWater", "mutation { logWater(input: { amountMl: 100 }) { id } }", own=True),
    Refusal("Mutation.deleteWater", "mutation { deleteWater(id: $water) { id } }", code="NOT_FOUND"),
    Refusal(
        "Mutation.setNutritionTarget",
        "mutation { setNutritionTarget(input: { energyKcal: 2000 }) { target { energyKcal } } }",
        own=True,
    ),
    Refusal("User.meals", "... on User { meals { edges { cursor } } }", code="FORBIDDEN"),
    Refusal(
        "User.diaryDay", '... on User { diaryDay(date: "2026-03-02") { totals { energyKcal } } }', code="FORBIDDEN"
    ),
    Refusal("User.recentFoods", "... on User { recentFoods { timesLogged } }", code="FORBIDDEN"),
    Refusal(
        "User.nutritionTarget", '... on User { nutritionTarget(date: "2026-03-02") { energyKcal } }', code="FORBIDDEN"
    ),
    Refusal("User.suggestedTarget", "... on User { suggestedTarget { energyKcal } }", code="FORBIDDEN"),
    Refusal("_Entity.Meal", "... on Meal { id totals { energyKcal } }", stranger={"_entities": [None]}),
    Refusal("_Entity.DiaryDay", "... on DiaryDay { date totals { energyKcal } }", stranger={"_entities": [None]}),
    Refusal("_Entity.Food", "... on Food { id }", public=True),
]


@pytest.fixture(scope="module")
async def owned(nutrition: SubgraphUnderTest) -> dict[str, str]:
    """A person's things, by kind."""
    owner = "owner"
    meal = await nutrition.data(f"mutation {{ logMeal(input: {MEAL}) {{ meal {{ id }} }} }}", owner)
    water = await nutrition.data("mutation { logWater(input: { amountMl: 200 }) { id } }", owner)
    await nutrition.data("mutation { setNutritionTarget(input: { energyKcal: 2000 }) { user { id } } }", owner)
    own = """mutation { createFood(input: { name: "Secret bar", category: SNACK,
        per100: { energyKcal: 0, proteinG: 0, carbsG: 0, fatG: 0 } }) { food { id } } }"""
    food = await nutrition.data(own, owner)
    return {
        "owner": owner,
        "meal": meal["logMeal"]["meal"]["id"],
        "water": water["logWater"]["id"],
        "food": food["createFood"]["food"]["id"],
    }


def representation_of(name: str, owned: dict[str, str]) -> dict[str, Any]:
    return {
        "User": {"__typename": "User", "id": owned["owner"]},
        "Meal": {"__typename": "Meal", "id": owned["meal"]},
        "DiaryDay": {"__typename": "DiaryDay", "userId": owned["owner"], "date": "2026-03-02"},
        "Food": {"__typename": "Food", "id": owned["food"]},
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
    assert all(owned[kind] not in str(result.data) for kind in ("meal", "water", "food"))
    assert await events_of(nutrition, owned["owner"]) == before


@pytest.mark.parametrize("refusal", REFUSALS, ids=lambda refusal: refusal.coordinate)
async def test_an_administrator_reads_and_writes_nothing(
    nutrition: SubgraphUnderTest, owned: dict[str, str], refusal: Refusal
) -> None:
    operation, variables = refusal.operation(owned, representation_of)
    result = await nutrition.run(operation, "boss", variables, roles=("USER", "ADMIN"))
    if refusal.coordinate.startswith("Mutation."):
        refusal.check_stranger(result)
    else:
        assert result.errors is None
