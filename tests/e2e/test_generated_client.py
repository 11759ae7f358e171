"""What front-end teams generate from the API: typed documents that compile, and a normalised cache that merges them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import orjson
from graphql import GraphQLObjectType, OperationDefinitionNode, build_schema, parse, validate

from tests.testkit.npm_clients import CLIENTS, run_client
from tests.testkit.running_stack import RunningStack

API = Path(__file__).parents[2] / "schema" / "fittracker" / "api.graphql"
OPERATIONS = CLIENTS / "operations"


def test_the_operations_are_valid_and_ask_for_nearly_every_root_field() -> None:
    schema = build_schema(API.read_text(encoding="utf-8"))
    document = parse("\n".join(file.read_text(encoding="utf-8") for file in sorted(OPERATIONS.glob("*.graphql"))))
    assert validate(schema, document) == []
    operations = [each for each in document.definitions if isinstance(each, OperationDefinitionNode)]
    asked = {
        (operation.operation.value.capitalize(), getattr(field, "name").value)  # noqa: B009 - roots have no fragments here
        for operation in operations
        for field in operation.selection_set.selections
    }
    roots = (schema.query_type, schema.mutation_type, schema.subscription_type)
    offered = {(root.name, name) for root in roots if isinstance(root, GraphQLObjectType) for name in root.fields}
    assert len(asked) >= 0.9 * len(offered), sorted(offered - asked)
    assert {kind for kind, _ in asked} == {"Query", "Mutation", "Subscription"}
    assert len(operations) >= 40


async def test_typed_documents_of_the_operations_compile_and_tell_wrong_use() -> None:
    told = await run_client("generate_client.mjs", str(API), "typed_use.ts")
    assert told["errors"] == []
    assert len(told["operations"]) >= 40


NOON = (datetime.now(UTC) - timedelta(days=1)).replace(hour=12, minute=0, second=0, microsecond=0)
AT, DAY = NOON.isoformat(), NOON.date().isoformat()
PER_100 = {"energyKcal": 100, "proteinG": 3, "carbsG": 20, "fatG": 1}


def _id(operation: str, *path: str) -> dict[str, list[str]]:
    return {"from": [operation, *path, "id"]}


FOOD = _id("CreateFood", "createFood", "food")
MEAL = _id("LogMeal", "logMeal", "meal")
EXERCISE = _id("CreateExercise", "createExercise", "exercise")
WORKOUT = _id("StartWorkout", "startWorkout", "workout")
DIARY = {"date": DAY}
# In this order: the pages that an app opens, what its person does on them, and no page again afterwards.
STEPS: list[tuple[str, dict[str, Any]]] = [
    ("Me", {}),
    ("CreateFood", {"input": {"name": "Porridge", "category": "GRAIN", "per100": PER_100, "gtin": "4006381333931"}}),
    ("FoodById", {"id": FOOD}),
    ("FoodByBarcode", {"gtin": "4006381333931"}),
    ("LogMeal", {"input": {"slot": "LUNCH", "at": AT, "items": [{"foodId": FOOD, "grams": 200}]}}),
    ("DiaryDay", DIARY),
    ("MealById", {"id": MEAL}),
    ("Meals", {"first": 5}),
    ("LogWater", {"input": {"amountMl": 250, "at": AT}}),
    ("Drinks", {"first": 5}),
    ("CreateExercise", {"input": {"name": "Sled", "category": "STRENGTH", "tracking": "REPS", "met": 5}}),
    ("ExerciseById", {"id": EXERCISE}),
    ("StartWorkout", {"input": {"name": "Evening"}}),
    ("Workouts", {"first": 5}),
    ("WorkoutById", {"id": WORKOUT}),
    ("Goals", {"first": 5}),
    ("CreateGoal", {"input": {"kind": "WEIGHT_KG", "targetValue": 70}}),
    ("GoalById", {"id": _id("CreateGoal", "createGoal", "goal")}),
    ("Achievements", {"first": 5}),
    ("OnTheWay", {}),
    ("Weights", {"first": 5}),
    ("Dashboard", DIARY),
    ("Today", DIARY),
    ("Week", {"from": DAY, "to": DAY}),
    ("Reports", {"of": DAY}),
    ("Node", {"id": MEAL}),
    ("Nodes", {"ids": [FOOD, _id("LogWater", "logWater", "drink")]}),
    # From here on nothing is asked for again.
    ("UpdateProfile", {"input": {"displayName": "Another Name", "heightCm": 181}}),
    ("UpdateSettings", {"input": {"units": "IMPERIAL"}}),
    ("LogWeight", {"input": {"weightKg": 80}}),
    ("UpdateMeal", {"input": {"id": MEAL, "slot": "DINNER"}}),
    ("UpdateFood", {"input": {"id": FOOD, "name": "Porridge with milk"}}),
    ("SetNutritionTarget", {"input": {"energyKcal": 2000}}),
    ("LogSet", {"input": {"workoutId": WORKOUT, "exerciseId": EXERCISE, "reps": 8, "weightKg": 40}}),
    ("CompleteWorkout", {"input": {"id": WORKOUT}}),
]


async def test_apollos_cache_merges_the_operations_through_the_router_without_key_functions(
    stack: RunningStack,
) -> None:
    person = await stack.register()
    steps = [{"operation": operation, "variables": variables} for operation, variables in STEPS]
    told = await run_client(
        "router_cache_client.mjs", stack.state.router_url, person.access_token, orjson.dumps(steps).decode()
    )

    assert told["refused"] == []
    assert told["warnings"] == []
    assert {operation for operation, data in told["read"].items() if data is None} == set()
    read = told["read"]
    assert read["Dashboard"]["me"]["displayName"] == read["Me"]["me"]["displayName"] == "Another Name"
    assert read["Me"]["me"]["settings"]["units"] == "IMPERIAL"
    assert read["Me"]["me"]["currentWeight"]["weightKg"] == 80
    meals = [read["MealById"]["meal"], read["Node"]["node"], read["Meals"]["me"]["meals"]["nodes"][0]]
    assert {meal["slot"] for meal in [*meals, *read["DiaryDay"]["me"]["diaryDay"]["meals"]]} == {"DINNER"}
    assert read["FoodByBarcode"]["foodByBarcode"]["name"] == read["Nodes"]["nodes"][0]["name"] == "Porridge with milk"
    workout = read["WorkoutById"]["workout"]
    assert (workout["status"], len(workout["exercises"][0]["sets"])) == ("COMPLETED", 1)
    kinds = {key.partition(":")[0] for key in told["keys"]}
    assert kinds >= {
        "User",
        "UserSettings",
        "UserProfile",
        "WeightEntry",
        "Meal",
        "Drink",
        "DiaryDay",
        "Food",
        "Workout",
        "Exercise",
        "Goal",
    }
