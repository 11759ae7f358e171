"""What the platform is for: register, sign in, log a meal, and see the day change, live, over four subgraphs."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from typing import Any

from tests.testkit.running_stack import PASSWORD, RunningStack, Visitor, eventually, subscribed

LOGIN = "mutation($input: LoginInput!) { login(input: $input) { accessToken user { id displayName } } }"
CREATE_FOOD = "mutation($input: CreateFoodInput!) { createFood(input: $input) { food { id } } }"
LOG_MEAL = """mutation($input: LogMealInput!) {
  logMeal(input: $input) { meal { id localDate totals { energyKcal } user { displayName } } }
}"""
LOG_WEIGHT = "mutation($input: LogWeightInput!) { logWeight(input: $input) { weightEntry { weightKg } } }"
OATS = {
    "name": "Oats of the test",
    "category": "GRAIN",
    "per100": {"energyKcal": 389, "proteinG": 16.9, "carbsG": 66.3, "fatG": 6.9},
}
DASHBOARD = """query($date: LocalDate!) {
  me {
    displayName
    diaryDay(date: $date) {
      totals { energyKcal }
      meals { items { grams food { name timesLogged } } }
      summary { caloriesConsumed mealsLogged weightKg }
    }
    workouts(first: 1) { edges { node { id } } }
  }
}"""
LIVE = """subscription($date: LocalDate) {
  dailySummaryChanged(date: $date) { date mealsLogged caloriesConsumed user { displayName email } diary { totals { energyKcal } } }
}"""


async def _log_oats(person: Visitor, grams: float) -> None:
    food = await person.data(CREATE_FOOD, {"input": {**OATS, "name": f"Oats {grams}"}})
    item = {"foodId": food["createFood"]["food"]["id"], "grams": grams}
    meal = await person.data(LOG_MEAL, {"input": {"slot": "BREAKFAST", "items": [item]}})
    assert meal["logMeal"]["meal"]["totals"]["energyKcal"] == round(3.89 * grams, 2)
    assert meal["logMeal"]["meal"]["user"]["displayName"] == "A Person"


async def test_a_logged_meal_reaches_the_day_of_its_eater(stack: RunningStack) -> None:
    person = await stack.register()
    _, answer = await stack.post(
        {"query": LOGIN, "variables": {"input": {"email": person.email, "password": PASSWORD}}}
    )
    assert answer["data"]["login"]["user"] == {"id": person.id, "displayName": "A Person"}
    await person.data(LOG_WEIGHT, {"input": {"weightKg": 80.5}})
    await _log_oats(person, 50)
    today = datetime.now(UTC).date().isoformat()
    expected = {"caloriesConsumed": 194.5, "mealsLogged": 1, "weightKg": 80.5}

    async def day() -> Any:
        return (await person.data(DASHBOARD, {"date": today}))["me"]

    async def summary_is_there() -> bool:
        return bool((await day())["diaryDay"]["summary"] == expected)

    await eventually(summary_is_there)
    assert await day() == {
        "displayName": "A Person",
        "diaryDay": {
            "totals": {"energyKcal": 194.5},
            "meals": [{"items": [{"grams": 50, "food": {"name": "Oats 50", "timesLogged": 1}}]}],
            "summary": expected,
        },
        "workouts": {"edges": []},
    }


async def test_a_subscriber_sees_the_day_change_with_fields_of_other_subgraphs(stack: RunningStack) -> None:
    person, stranger = await stack.register(), await stack.register()
    async with subscribed(person, LIVE) as events, subscribed(stranger, LIVE) as nothing:
        await asyncio.sleep(1)  # a subscription has no acknowledgement; what happens before it is made is not told
        await _log_oats(person, 100)
        async with asyncio.timeout(60):
            event = await events.get()
        assert event["type"] == "next"
        assert event["payload"]["data"]["dailySummaryChanged"] == {
            "date": datetime.now(UTC).date().isoformat(),
            "mealsLogged": 1,
            "caloriesConsumed": 389,
            "user": {"displayName": "A Person", "email": person.email},
            "diary": {"totals": {"energyKcal": 389}},
        }
        assert nothing.empty()


async def test_energy_of_an_activity_follows_the_weight_that_another_subgraph_knows(stack: RunningStack) -> None:
    """`caloriesFor` is of workouts and `@requires` users' physiology: 9.8 MET, 70 kg, 30 minutes are 360.15 kcal."""
    person = await stack.register()
    create = "mutation($input: CreateExerciseInput!) { createExercise(input: $input) { exercise { id } } }"
    exercise = await person.data(
        create, {"input": {"name": "Run", "category": "CARDIO", "tracking": "TIME", "met": 9.8}}
    )
    query = "query($id: ID!) { me { caloriesFor(exerciseId: $id, minutes: 30) { kcal method } } }"
    variables = {"id": exercise["createExercise"]["exercise"]["id"]}
    unknown = await person.data(query, variables)
    assert unknown["me"]["caloriesFor"] == {"kcal": None, "method": "UNKNOWN_WEIGHT"}
    await person.data(LOG_WEIGHT, {"input": {"weightKg": 70}})
    await eventually(lambda: _is_360(person, query, variables))


async def _is_360(person: Visitor, query: str, variables: Any) -> bool:
    answer = await person.data(query, variables)
    return bool(abs((answer["me"]["caloriesFor"]["kcal"] or 0) - 360.15) < 0.01)


async def test_nobody_reads_another_persons_data(stack: RunningStack) -> None:
    person, stranger = await stack.register(), await stack.register()
    assert (await stranger.data("query($id: ID!) { user(id: $id) { email } }", {"id": person.id}))["user"] is None
