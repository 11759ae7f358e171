"""Plans of meals: kept within bounds, put on days to come, seen in the diary, bought for, and logged when they are eaten."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import text

from subgraphs.nutrition.commands.meal_plan import forget_planned
from tests.integration.subgraphs.nutrition.conftest import events_of
from tests.testkit.subgraph import SubgraphUnderTest, codes_of, user_errors

DAYS = """days { day totals { energyKcal } meals { slot customSlot items { grams portion quantity food { id } }
    quickAdds { energyKcal } } }"""
CREATE = f"""mutation ($input: CreateMealPlanInput!) {{ createMealPlan(input: $input) {{
    mealPlan {{ id name version {DAYS} shoppingAmounts {{ grams food {{ id }} }} }} userErrors {{ code field message }} }} }}"""
UPDATE = f"""mutation ($input: UpdateMealPlanInput!) {{ updateMealPlan(input: $input) {{
    mealPlan {{ name version {DAYS} }} userErrors {{ code field }} }} }}"""
APPLY = """mutation ($input: ApplyMealPlanInput!) { applyMealPlan(input: $input) {
    diaryDays { date planned { id slot customSlot totals { energyKcal } meal { id } } totals { energyKcal } }
    userErrors { code field message } } }"""
LOG = """mutation ($input: LogPlannedMealInput!) { logPlannedMeal(input: $input) {
    meal { id slot customSlot totals { energyKcal } } userErrors { code field } } }"""
CLEAR = (
    "mutation ($input: ClearPlannedMealsInput!) { clearPlannedMeals(input: $input) { cleared userErrors { field } } }"
)
DAY = """query ($representations: [_Any!]!) { _entities(representations: $representations) { ... on DiaryDay {
    planned { id slot meal { id } } shoppingAmounts { grams food { id } } totals { energyKcal } } } }"""


def milk(grams: float, slot: str = "LUNCH", **more: Any) -> dict[str, Any]:
    return {"slot": slot, "items": [{"foodId": "milk", "grams": grams}], **more}


def today() -> date:
    return datetime.now(UTC).date()


async def create(nutrition: SubgraphUnderTest, viewer: str, days: list[list[dict[str, Any]]], **more: Any) -> Any:
    told = {"name": "Week", "days": [{"meals": meals} for meals in days], **more}
    return (await nutrition.data(CREATE, viewer, {"input": told}))["createMealPlan"]["mealPlan"]


async def apply(nutrition: SubgraphUnderTest, viewer: str, plan: str, start: date, **more: Any) -> list[Any]:
    told = {"id": plan, "from": start.isoformat(), **more}
    days: list[Any] = (await nutrition.data(APPLY, viewer, {"input": told}))["applyMealPlan"]["diaryDays"]
    return days


async def day_of(nutrition: SubgraphUnderTest, viewer: str, day: date) -> dict[str, Any]:
    keys = [{"__typename": "DiaryDay", "userId": viewer, "date": day.isoformat()}]
    found: dict[str, Any] = (await nutrition.data(DAY, viewer, {"representations": keys}))["_entities"][0]
    return found


async def test_a_plan_keeps_grams_and_portions_and_is_made_once_for_a_key(nutrition: SubgraphUnderTest) -> None:
    meal = {"slot": "BREAKFAST", "items": [{"foodId": "oats", "portion": "cup", "quantity": 1}]}
    plan = await create(nutrition, "keeper", [[meal], []], idempotencyKey="plan-1")
    assert plan["days"] == [
        {
            "day": 1,
            "totals": {"energyKcal": 311.2},
            "meals": [
                {
                    "slot": "BREAKFAST",
                    "customSlot": None,
                    "items": [{"grams": 80.0, "portion": "cup", "quantity": 1.0, "food": {"id": "oats"}}],
                    "quickAdds": [],
                }
            ],
        },
        {"day": 2, "totals": {"energyKcal": 0.0}, "meals": []},
    ]
    assert (await create(nutrition, "keeper", [[meal], []], idempotencyKey="plan-1"))["id"] == plan["id"]
    told = {"name": "Other", "days": [{"meals": []}], "idempotencyKey": "plan-1"}
    assert codes_of(await nutrition.run(CREATE, "keeper", {"input": told})) == ["CONFLICT"]
    changed = {"id": plan["id"], "expectedVersion": 1, "name": "Fortnight"}
    after = (await nutrition.data(UPDATE, "keeper", {"input": changed}))["updateMealPlan"]["mealPlan"]
    assert (after["name"], after["version"], after["days"]) == ("Fortnight", 2, plan["days"])
    assert codes_of(await nutrition.run(UPDATE, "keeper", {"input": changed})) == ["STALE_VERSION"]


@pytest.mark.parametrize(
    ("days", "field"),
    [
        ([], "days"),
        ([[]] * 29, "days"),
        ([[milk(1)] * 11], "days.0.meals"),
        ([[milk(0)]], "days.0.meals.0.items.0.grams"),
        ([[], [{"slot": "LUNCH"}]], "days.1.meals.0"),
        ([[milk(1), {"slot": "LUNCH", "items": [{"foodId": "none", "grams": 1}]}]], "days.0.meals.1.items.0.foodId"),
        ([[{"slot": "LUNCH", "quickAdds": [{"energyKcal": -1}]}]], "days.0.meals.0.quickAdds.0.energyKcal"),
        ([[{"slot": "LUNCH", "items": [{"foodId": "milk", "grams": 1}] * 41}] * 10], "days"),
        ([[milk(1, customSlot="Nowhere")]], "customSlot"),
    ],
)
async def test_what_cannot_be_a_plan_is_refused_with_its_place(
    nutrition: SubgraphUnderTest, days: list[list[dict[str, Any]]], field: str
) -> None:
    told = {"name": "Wrong", "days": [{"meals": meals} for meals in days]}
    result = await nutrition.run(CREATE, "wrong", {"input": told})
    assert [error["field"] for error in user_errors(result)] == [field]


async def test_a_week_is_planned_seen_in_the_diary_and_logged_once(nutrition: SubgraphUnderTest) -> None:
    plan = await create(nutrition, "planner", [[milk(100), milk(200, "DINNER")], [milk(300)], []])
    first, second, third = await apply(nutrition, "planner", plan["id"], today())
    assert [each["date"] for each in (first, second, third)] == [
        (today() + timedelta(days=number)).isoformat() for number in range(3)
    ]
    assert [(each["slot"], each["totals"]["energyKcal"]) for each in first["planned"]] == [
        ("LUNCH", 50),
        ("DINNER", 100),
    ]
    assert first["totals"]["energyKcal"] == 0  # nothing of it was eaten
    assert third["planned"] == []
    assert await events_of(nutrition, "planner") == []

    planned = first["planned"][0]["id"]
    meals = [
        (await nutrition.data(LOG, "planner", {"input": {"id": planned}}))["logPlannedMeal"]["meal"] for _ in range(2)
    ]
    assert meals[0] == meals[1]
    assert meals[0]["totals"]["energyKcal"] == 50
    day = await day_of(nutrition, "planner", today())
    assert day["totals"]["energyKcal"] == 50
    assert [each["meal"] for each in day["planned"]] == [{"id": meals[0]["id"]}, None]
    assert len(await events_of(nutrition, "planner")) == 1


async def test_applying_again_replaces_what_was_not_eaten(nutrition: SubgraphUnderTest) -> None:
    plan = await create(nutrition, "again", [[milk(100)], [milk(200)]])
    (day, _) = await apply(nutrition, "again", plan["id"], today())
    await nutrition.data(LOG, "again", {"input": {"id": day["planned"][0]["id"]}})
    (day,) = await apply(nutrition, "again", plan["id"], today(), firstDay=2, days=1)
    assert [(each["totals"]["energyKcal"], each["meal"] is not None) for each in day["planned"]] == [
        (50, True),
        (100, False),
    ]
    tomorrow = await day_of(nutrition, "again", today() + timedelta(days=1))
    assert len(tomorrow["planned"]) == 1  # the other day stays as it was

    update = {"id": plan["id"], "days": [{"meals": []}]}
    await nutrition.data(UPDATE, "again", {"input": update})
    delete = "mutation ($id: ID!) { deleteMealPlan(input: { id: $id }) { deletedId } }"
    await nutrition.data(delete, "again", {"id": plan["id"]})
    assert (await day_of(nutrition, "again", today() + timedelta(days=1))) == tomorrow
    span = {"from": today().isoformat(), "to": (today() + timedelta(days=30)).isoformat()}
    assert (await nutrition.data(CLEAR, "again", {"input": span}))["clearPlannedMeals"]["cleared"] == 2
    assert len((await day_of(nutrition, "again", today()))["planned"]) == 1  # what was eaten stays


@pytest.mark.parametrize(
    ("days_ahead", "more", "field"),
    [
        (-2, {}, "from"),
        (366, {}, "from"),
        (0, {"firstDay": 0}, "firstDay"),
        (0, {"firstDay": 3}, "firstDay"),
        (0, {"days": 0}, "days"),
        (0, {"firstDay": 2, "days": 2}, "days"),
    ],
)
async def test_days_that_cannot_be_planned_are_refused(
    nutrition: SubgraphUnderTest, days_ahead: int, more: dict[str, Any], field: str
) -> None:
    plan = await create(nutrition, "far", [[milk(100)], [milk(200)]])
    told = {"id": plan["id"], "from": (today() + timedelta(days=days_ahead)).isoformat(), **more}
    result = await nutrition.run(APPLY, "far", {"input": told})
    assert [error["field"] for error in user_errors(result)] == [field]


async def test_what_is_planned_tells_what_has_to_be_bought(nutrition: SubgraphUnderTest) -> None:
    cook = """mutation { createRecipe(input: { name: "Porridge", servings: 2, yieldGrams: 400,
        ingredients: [{ foodId: "oats", grams: 100 }, { foodId: "milk", grams: 300 }] }) { food { id } } }"""
    dish = (await nutrition.data(cook, "cook"))["createRecipe"]["food"]["id"]
    meal = {"slot": "BREAKFAST", "items": [{"foodId": dish, "grams": 200}]}
    plan = await create(nutrition, "cook", [[meal, milk(50)], [meal]])
    amounts = {each["food"]["id"]: each["grams"] for each in plan["shoppingAmounts"]}
    assert amounts == {"oats": 100.0, "milk": 350.0}
    (day, _) = await apply(nutrition, "cook", plan["id"], today())
    await nutrition.data(LOG, "cook", {"input": {"id": day["planned"][1]["id"]}})
    left = {each["food"]["id"]: each["grams"] for each in (await day_of(nutrition, "cook", today()))["shoppingAmounts"]}
    assert left == {"oats": 50.0, "milk": 150.0}


async def test_what_was_planned_long_ago_is_forgotten(nutrition: SubgraphUnderTest) -> None:
    plan = await create(nutrition, "old", [[milk(100)], [milk(200)]])
    await apply(nutrition, "old", plan["id"], today())
    back = "UPDATE planned_meal SET local_date = current_date - 91 WHERE user_id = 'old' AND local_date = current_date"
    async with nutrition.database.transaction() as connection:
        await connection.execute(text(back))
        assert await forget_planned(connection, 1000) == 1
        left = await connection.execute(text("SELECT count(*) FROM planned_meal WHERE user_id = 'old'"))
        assert left.scalar_one() == 1
