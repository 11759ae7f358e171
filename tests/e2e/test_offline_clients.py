"""Clients that work without a network: ids of their own making, and copies that come to what the server has."""

from __future__ import annotations

import asyncio
import random
import uuid
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from graphql import GraphQLInputObjectType, build_schema

from tests.testkit.catalogue import with_catalogue
from tests.testkit.offline_client import two_devices
from tests.testkit.persons_things import PER_100, a_shown_food
from tests.testkit.running_stack import RunningStack, Visitor

API = Path(__file__).parents[2] / "schema" / "fittracker" / "api.graphql"
AT = (datetime.now(UTC) - timedelta(days=2)).replace(hour=12, minute=0, second=0, microsecond=0).isoformat()
TOMORROW = (datetime.now(UTC) + timedelta(days=1)).date().isoformat()
QUICK = {"quickAdds": [{"energyKcal": 100}]}
#: (start of the id, input, where the answer has what was made, what to make different) of each mutation that takes an id.
MADE: dict[str, tuple[str, dict[str, Any], str, dict[str, Any]]] = {
    "logWeight": ("weight_", {"weightKg": 80, "recordedAt": AT}, "weightEntry", {"weightKg": 81}),
    "logMeasurement": ("measurement_", {"kind": "WAIST", "valueCm": 90, "recordedAt": AT}, "measurement", {"valueCm": 91}),
    "logHeartRate": ("", {"kind": "RESTING", "beatsPerMinute": 60}, "heartRate", {"beatsPerMinute": 61}),
    "createReminder": ("", {"kind": "DRINK", "timeOfDay": "10:00", "weekdays": ["MONDAY"]}, "reminder", {"kind": "TRAIN"}),
    "logWater": ("drink_", {"amountMl": 200, "at": AT}, "drink", {"amountMl": 201}),
    "logMeal": ("meal_", {"slot": "LUNCH", "at": AT, **QUICK}, "meal", {"slot": "DINNER"}),
    "quickAdd": ("meal_", {"slot": "SNACK", "at": AT, "energyKcal": 100}, "meal", {"energyKcal": 101}),
    "copyMeal": ("meal_", {"mealId": "MEAL", "at": AT}, "meal", {"scale": 2}),
    "saveMeal": ("", {"name": "Porridge", **QUICK}, "savedMeal", {"name": "Muesli"}),
    "createMealPlan": ("", {"name": "Week", "days": [{"meals": [{"slot": "LUNCH", **QUICK}]}]}, "mealPlan", {"name": "Day"}),
    "startFast": ("", {"targetMinutes": 960}, "fast", {"targetMinutes": 900}),
    "createFood": ("food_", {"name": "Bar", "category": "SNACK", "per100": PER_100}, "food", {"name": "Bars"}),
    "createRecipe": ("food_", {"name": "Stew", "servings": 2, "ingredients": [{"foodId": "FOOD", "grams": 9}]}, "food", {"servings": 3}),
    "copyPublishedFood": ("food_", {"publishedFoodId": "SHOWN"}, "food", {"name": "Mine"}),
    "createExercise": ("exercise_", {"name": "Plank", "category": "STRENGTH", "tracking": "TIME", "met": 3}, "exercise", {"met": 4}),
    "createTemplate": ("", {"name": "Push", "exercises": [{"exerciseId": "EXERCISE", "sets": 3}]}, "template", {"name": "Pull"}),
    "cloneTemplate": ("", {"publicTemplateId": "PUBLIC"}, "template", {"name": "Mine"}),
    "startWorkout": ("workout_", {"name": "Now"}, "workout", {"name": "Later"}),
    "logWorkout": ("workout_", {"name": "Then", "startedAt": AT, "endedAt": AT}, "workout", {"name": "Before"}),
    "logSet": ("set_", {"workoutId": "WORKOUT", "exerciseId": "EXERCISE", "reps": 5}, "set", {"reps": 6}),
    "planWorkout": ("", {"date": TOMORROW, "name": "Run"}, "plannedWorkout", {"name": "Swim"}),
    "createRoutine": ("", {"name": "Week", "schedule": "CYCLE", "days": [{"name": "Run"}]}, "routine", {"name": "Month"}),
    "createGear": ("", {"name": "Shoes", "kind": "SHOES"}, "gear", {"name": "Boots"}),
    "createGoal": ("goal_", {"kind": "DAILY_WATER_ML", "targetValue": 2000}, "goal", {"targetValue": 2100}),
}  # fmt: skip
FORGET = {"logWater": "deleteWater", "logMeal": "deleteMeal", "logWeight": "deleteWeight", "createGoal": "deleteGoal"}


async def things_to_refer_to(person: Visitor) -> dict[str, str]:
    """Ids that stand where inputs name something else."""
    made = await person.data(
        """mutation ($food: CreateFoodInput!) { createFood(input: $food) { food { id } }
        createExercise(input: {name: "Dip", category: STRENGTH, tracking: REPS, met: 5}) { exercise { id } }
        logMeal(input: {slot: LUNCH, quickAdds: [{energyKcal: 50}]}) { meal { id } }
        logWorkout(input: {name: "Old", startedAt: "2026-01-03T10:00:00Z", endedAt: "2026-01-03T10:10:00Z"}) { workout { id } } }""",
        {"food": {"name": "Oats", "category": "GRAIN", "per100": PER_100}},
    )
    _, public = await with_catalogue(person.stack)
    return {
        "FOOD": made["createFood"]["food"]["id"],
        "EXERCISE": made["createExercise"]["exercise"]["id"],
        "MEAL": made["logMeal"]["meal"]["id"],
        "WORKOUT": made["logWorkout"]["workout"]["id"],
        "PUBLIC": public,
        "SHOWN": await a_shown_food(person, made["createFood"]["food"]["id"]),
    }


def referring(value: Any, ids: dict[str, str]) -> Any:
    if isinstance(value, dict):
        return {name: referring(each, ids) for name, each in value.items()}
    if isinstance(value, list):
        return [referring(each, ids) for each in value]
    return ids.get(value, value) if isinstance(value, str) else value


async def create(person: Visitor, name: str, told: dict[str, Any]) -> tuple[str | None, list[tuple[str, str | None]]]:
    """The id of what was made, and the refusals."""
    kind = f"{name[0].upper()}{name[1:]}Input"
    query = f"mutation ($input: {kind}!) {{ {name}(input: $input) {{ {MADE[name][2]} {{ id }} userErrors {{ code field }} }} }}"
    payload = (await person.data(query, {"input": told}))[name]
    made = payload[MADE[name][2]]
    return made and made["id"], [(error["code"], error["field"]) for error in payload["userErrors"]]


def test_every_input_that_takes_a_new_id_is_tried() -> None:
    schema = build_schema(API.read_text(encoding="utf-8"))
    inputs = {
        name
        for name, each in schema.type_map.items()
        if isinstance(each, GraphQLInputObjectType) and "id" in each.fields
        if "made by" in (each.fields["id"].description or "")
        or "make ids themselves" in (each.fields["id"].description or "")
    }
    assert inputs == {f"{name[0].upper()}{name[1:]}Input" for name in MADE}


async def test_an_id_of_the_clients_makes_one_thing_and_tells_nothing_of_others(stack: RunningStack) -> None:
    person, other = await stack.register(), await stack.register()
    ids, others = await things_to_refer_to(person), await things_to_refer_to(other)
    await asyncio.gather(*(one_thing_is_made(name, person, ids, other, others) for name in MADE))


async def one_thing_is_made(
    name: str, person: Visitor, ids: dict[str, str], other: Visitor, others: dict[str, str]
) -> None:
    start, told, _, different = MADE[name]
    made = f"{start}{uuid.uuid4()}"
    given = {**referring(told, ids), "id": made}
    assert await create(person, name, given) == (made, []), name
    assert await create(person, name, given) == (made, []), name
    assert await create(person, name, given | {"idempotencyKey": f"other-{made}"}) == (made, []), name
    in_use = (None, [("CONFLICT", "id")])
    assert await create(person, name, given | different) == in_use, name
    assert await create(other, name, referring(told, others) | {"id": made}) == in_use, name
    if name in FORGET:
        delete = FORGET[name]
        query = f'mutation {{ {delete}(input: {{ id: "{made}" }}) {{ userErrors {{ code }} }} }}'
        assert (await person.data(query))[delete]["userErrors"] == [], name
        assert await create(person, name, given) == in_use, f"{name}: what was deleted does not come back"


@pytest.mark.parametrize(("name", "start"), [("logMeal", "meal_"), ("saveMeal", "")])
async def test_an_id_has_the_kind_of_what_it_is_for_and_is_random(stack: RunningStack, name: str, start: str) -> None:
    person, made = await stack.register(), f"{start}{uuid.uuid4()}"
    for wrong in (f"x{made}", made.upper(), f"{start}{uuid.uuid1()}", f"{start}1", f"user_{uuid.uuid4()}", f"{made} "):
        refused = await create(person, name, {**MADE[name][1], "id": wrong})
        assert refused == (None, [("VALIDATION_ERROR", "id")]), wrong


async def test_a_stale_change_is_told_what_there_is_now(stack: RunningStack) -> None:
    person = await stack.register()
    made = f"meal_{uuid.uuid4()}"
    assert await create(person, "logMeal", {**MADE["logMeal"][1], "id": made}) == (made, [])
    update = """mutation ($input: UpdateMealInput!) { updateMeal(input: $input) { meal { version } userErrors {
      code field currentVersion current { __typename ... on Meal { id notes version } } } } }"""
    first = {"input": {"id": made, "notes": "from one device", "expectedVersion": 1}}
    assert (await person.data(update, first))["updateMeal"] == {"meal": {"version": 2}, "userErrors": []}
    second = {"input": {"id": made, "notes": "from another", "expectedVersion": 1}}
    current = {"__typename": "Meal", "id": made, "notes": "from one device", "version": 2}
    refused = {"code": "STALE_VERSION", "field": "expectedVersion", "currentVersion": 2, "current": current}
    assert (await person.data(update, second))["updateMeal"] == {"meal": None, "userErrors": [refused]}


async def test_two_devices_come_to_what_the_server_has(stack: RunningStack) -> None:
    """Whatever they write without a network, in whatever order they synchronise, whichever answers get lost."""
    seed = random.randrange(2**31)
    assert list(await two_devices(stack, seed, steps=40)) == []
