"""Whatever has an id is found again by it through the router, by its owner only; and what was logged is on one timeline."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from subgraphs.shell.node import NodeKind
from tests.testkit.running_stack import RunningStack, Visitor, eventually

NOON = (datetime.now(UTC) - timedelta(days=1)).replace(hour=12, minute=0, second=0, microsecond=0)
CREATE = """mutation($food: CreateFoodInput!, $exercise: CreateExerciseInput!, $at: DateTime!) {
  createFood(input: $food) { food { id } userErrors { code field } }
  createExercise(input: $exercise) { exercise { id } userErrors { code } }
  logWeight(input: { weightKg: 81.5, recordedAt: $at }) { weightEntry { id } userErrors { code } }
  logMeasurement(input: { kind: WAIST, valueCm: 88, recordedAt: $at }) { measurement { id } userErrors { code } }
  logWater(input: { amountMl: 250, at: $at }) { drink { id } diaryDay { id } userErrors { code } }
  createGoal(input: { kind: WEIGHT_KG, targetValue: 70 }) { goal { id } userErrors { code } }
}"""
LOG_WORKOUT = """mutation($exercise: ID!, $at: DateTime!, $until: DateTime!) {
  logWorkout(input: { name: "Row", startedAt: $at, endedAt: $until, reportedKcal: 300,
    exercises: [{ exerciseId: $exercise, sets: [{ reps: 12 }] }] }) { workout { id sets { id } } userErrors { code } }
}"""
LOG_MEAL = """mutation($food: ID!, $at: DateTime!) {
  logMeal(input: { slot: LUNCH, at: $at, items: [{ foodId: $food, grams: 100 }] }) { meal { id } userErrors { code } }
}"""
FOOD = {"name": "Porridge", "category": "GRAIN", "per100": {"energyKcal": 100, "proteinG": 3, "carbsG": 20, "fatG": 1}}
EXERCISE = {"name": "Sled", "category": "STRENGTH", "tracking": "REPS", "met": 5}
NODE = """query($id: ID!) { node(id: $id) { __typename id
  ... on User { email } ... on WeightEntry { weightKg user { displayName } } ... on Food { name timesLogged }
  ... on Meal { slot user { email } } ... on Drink { amountMl } ... on DiaryDay { waterMl summary { id } }
  ... on Measurement { valueCm value(unit: INCH) { value } } ... on WorkoutSet { reps }
  ... on Exercise { met } ... on Workout { name relativeEffort } ... on Goal { targetValue } ... on DailySummary { revision }
} }"""
NODES = "query($ids: [ID!]!) { nodes(ids: $ids) { __typename id } }"
NOTHING = ({"node": None}, [("There is nothing with this id.", ["node"], "NOT_FOUND")])
TYPES = {
    NodeKind.USER: "User",
    NodeKind.WEIGHT_ENTRY: "WeightEntry",
    NodeKind.FOOD: "Food",
    NodeKind.MEAL: "Meal",
    NodeKind.DRINK: "Drink",
    NodeKind.DIARY_DAY: "DiaryDay",
    NodeKind.EXERCISE: "Exercise",
    NodeKind.WORKOUT: "Workout",
    NodeKind.WORKOUT_SET: "WorkoutSet",
    NodeKind.MEASUREMENT: "Measurement",
    NodeKind.GOAL: "Goal",
    NodeKind.DAILY_SUMMARY: "DailySummary",
}


async def _things_of(person: Visitor) -> dict[NodeKind, str]:
    at, until = NOON.isoformat(), (NOON + timedelta(minutes=30)).isoformat()
    made: Any = await person.data(CREATE, {"food": FOOD, "exercise": EXERCISE, "at": at})
    exercise = made["createExercise"]["exercise"]["id"]
    trained = await person.data(LOG_WORKOUT, {"exercise": exercise, "at": at, "until": until})
    workout = trained["logWorkout"]["workout"]
    food = made["createFood"]["food"]["id"]
    meal = (await person.data(LOG_MEAL, {"food": food, "at": at}))["logMeal"]["meal"]["id"]
    me = (await person.data("{ me { id day { id } } }"))["me"]
    return {
        NodeKind.USER: me["id"],
        NodeKind.WEIGHT_ENTRY: made["logWeight"]["weightEntry"]["id"],
        NodeKind.FOOD: food,
        NodeKind.MEAL: meal,
        NodeKind.DRINK: made["logWater"]["drink"]["id"],
        NodeKind.DIARY_DAY: made["logWater"]["diaryDay"]["id"],
        NodeKind.MEASUREMENT: made["logMeasurement"]["measurement"]["id"],
        NodeKind.EXERCISE: exercise,
        NodeKind.WORKOUT: workout["id"],
        NodeKind.WORKOUT_SET: workout["sets"][0]["id"],
        NodeKind.GOAL: made["createGoal"]["goal"]["id"],
        NodeKind.DAILY_SUMMARY: me["day"]["id"],
    }


async def test_every_kind_of_thing_is_found_by_its_id_and_by_its_owner_only(stack: RunningStack) -> None:
    owner, stranger = await stack.register(), await stack.register()
    things = await _things_of(owner)
    assert set(things) == set(NodeKind)

    for kind, node_id in things.items():
        found = (await owner.data(NODE, {"id": node_id}))["node"]
        assert (found["__typename"], found["id"]) == (TYPES[kind], node_id)
        absent = node_id[:-1] + ("0" if node_id[-1] != "0" else "1")
        if kind not in {NodeKind.DIARY_DAY, NodeKind.DAILY_SUMMARY}:  # every day of a person's calendar is there
            assert _told(await owner.ask(NODE, {"id": absent})) == NOTHING
        assert _told(await stranger.ask(NODE, {"id": node_id})) == NOTHING

    answer = await owner.ask(NODES, {"ids": [*things.values(), "meal_nope", "nope", "unknown_kind", "diary_x:y"]})
    assert [node and node["id"] for node in answer["data"]["nodes"]] == [*things.values(), None, None, None, None]
    told = sorted((error["path"], error["extensions"]["code"]) for error in answer["errors"])
    assert told == [(["nodes", len(things) + place], "NOT_FOUND") for place in range(4)]
    answer = await stranger.ask(NODES, {"ids": list(things.values())})
    assert answer["data"] == {"nodes": [None] * len(things)}
    assert {error["extensions"]["code"] for error in answer["errors"]} == {"NOT_FOUND"}


TIMELINE = """query($first: Int, $after: String, $last: Int, $before: String, $from: LocalDate, $to: LocalDate) { me {
  timeline(first: $first, after: $after, last: $last, before: $before, from: $from, to: $to) {
    nodes { __typename id at localDate ... on Meal { slot } ... on Drink { amountMl } ... on WeightEntry { weightKg }
      ... on Workout { name relativeEffort } }
    pageInfo { hasNextPage hasPreviousPage endCursor startCursor } totalCount
} } }"""
LOG_AT = """mutation($water: LogWaterInput!, $weight: LogWeightInput!) {
  logWater(input: $water) { drink { id } userErrors { code } } logWeight(input: $weight) { weightEntry { id } }
}"""


async def test_whatever_was_logged_is_on_one_timeline_in_the_order_of_its_moments(stack: RunningStack) -> None:
    person = await stack.register()
    things = await _things_of(person)
    earlier, later = NOON - timedelta(days=2), NOON + timedelta(hours=3)
    made = await person.data(
        LOG_AT,
        {
            "water": {"amountMl": 100, "at": earlier.isoformat()},
            "weight": {"weightKg": 80.5, "recordedAt": later.isoformat()},
        },
    )
    at_noon = (NodeKind.MEAL, NodeKind.DRINK, NodeKind.WEIGHT_ENTRY, NodeKind.WORKOUT)
    expected = [
        made["logWeight"]["weightEntry"]["id"],
        *sorted((things[kind] for kind in at_noon), reverse=True),
        made["logWater"]["drink"]["id"],
    ]

    async def page(**variables: Any) -> tuple[list[str], Any]:
        timeline = (await person.data(TIMELINE, variables))["me"]["timeline"]
        return [node["id"] for node in timeline["nodes"]], timeline

    async def all_is_there() -> bool:
        return (await page(first=20))[0] == expected

    await eventually(all_is_there, seconds=60)
    _, whole = await page()
    assert {node["__typename"] for node in whole["nodes"]} == {"Meal", "Drink", "WeightEntry", "Workout"}
    moments = [node["at"] for node in whole["nodes"]]
    assert moments == sorted(moments, reverse=True)
    first_ids, first = await page(first=4)
    rest_ids, rest = await page(first=4, after=first["pageInfo"]["endCursor"])
    assert first_ids + rest_ids == expected
    assert (first["pageInfo"]["hasNextPage"], rest["pageInfo"]["hasNextPage"]) == (True, False)
    back_ids, _ = await page(last=4, before=rest["pageInfo"]["startCursor"])
    assert back_ids == first_ids
    yesterday = NOON.date().isoformat()
    assert (await page(**{"from": yesterday, "to": yesterday}))[0] == expected[:-1]

    await person.data("mutation($id: ID!) { deleteWater(input: { id: $id }) { deletedId } }", {"id": expected[-1]})

    async def it_is_gone() -> bool:
        answer = await person.ask(TIMELINE, {"first": 20})
        return [node and node["id"] for node in answer["data"]["me"]["timeline"]["nodes"]] == expected[:-1]

    await eventually(it_is_gone, seconds=60)


def _told(answer: Any) -> tuple[Any, list[tuple[Any, ...]]]:
    return answer["data"], [(each["message"], each["path"], each["extensions"]["code"]) for each in answer["errors"]]
