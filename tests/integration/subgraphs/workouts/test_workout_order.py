"""Workouts put otherwise over a real database: reopened, reordered, an exercise swapped, and what is refused."""

import asyncio
from collections.abc import AsyncIterator
from itertools import count
from typing import Any

import pytest
from sqlalchemy import text

from events.contracts.workouts import WorkoutEdited
from tests.testkit.servers import Postgres
from tests.testkit.subgraph import SubgraphUnderTest
from tests.testkit.workouts import errors_of, last_event, workouts_subgraph

_people = count(1)
LOG = """mutation { logWorkout(input: {name: "Day", startedAt: "2026-03-02T10:00:00Z", endedAt: "2026-03-02T11:00:00Z",
  exercises: [{exerciseId: "bench", sets: [{reps: 5, weightKg: 100}]}, {exerciseId: "squat", sets: [{reps: 5, weightKg: 140}]}]})
  { workout { id exercises { id } } } }"""
REOPEN = """mutation ($input: ReopenWorkoutInput!) { reopenWorkout(input: $input) {
  workout { status endedAt caloriesBurned { kcal } version } userErrors { code field } } }"""
REORDER = """mutation ($input: ReorderExercisesInput!) { reorderExercises(input: $input) {
  workout { exercises { exercise { id } sets { weightKg } } } userErrors { code field } } }"""
SWAP = """mutation ($input: SwapExerciseInput!) { swapExercise(input: $input) {
  workout { exercises { exercise { id } sets { weightKg } } } userErrors { code field } } }"""
RECORDS = """query ($id: ID!) { _entities(representations: [{__typename: "User", id: $id}]) {
  ... on User { personalRecords { nodes { maxWeightKg exercise { id } } } } } }"""

BEGIN = text(
    "INSERT INTO workout (id, user_id, name, status, local_date, time_zone, started_at, created_at)"
    " VALUES (:id, :user_id, 'Live', 'IN_PROGRESS', '2026-03-02', 'UTC', now(), now())"
)


@pytest.fixture(scope="module")
async def workouts(postgres: Postgres) -> AsyncIterator[SubgraphUnderTest]:
    async with workouts_subgraph(postgres, "workouts_order") as subgraph:
        yield subgraph


@pytest.fixture
def person() -> str:
    return f"person-{next(_people)}"


async def log(workouts: SubgraphUnderTest, person: str) -> tuple[str, list[str]]:
    workout = (await workouts.data(LOG, person))["logWorkout"]["workout"]
    return workout["id"], [place["id"] for place in workout["exercises"]]


async def tried(workouts: SubgraphUnderTest, person: str, operation: str, **told: Any) -> dict[str, Any]:
    result = await workouts.run(operation, person, {"input": told})
    assert result.errors is None
    assert result.data is not None
    return result.data


async def test_a_reopened_workout_goes_on_and_only_one_does(workouts: SubgraphUnderTest, person: str) -> None:
    workout_id, _ = await log(workouts, person)
    other, _ = await log(workouts, person)
    answer = await tried(workouts, person, REOPEN, id=workout_id, expectedVersion=1)
    assert answer["reopenWorkout"]["workout"] == {
        "status": "IN_PROGRESS",
        "endedAt": None,
        "caloriesBurned": None,
        "version": 2,
    }
    _, told = await last_event(workouts, workout_id)
    assert isinstance(told, WorkoutEdited)
    assert (told.status, told.ended_at) == ("IN_PROGRESS", None)
    for refused in (workout_id, other):  # which runs already; while that one runs
        answer = await tried(workouts, person, REOPEN, id=refused)
        assert errors_of(answer, "reopenWorkout") == [("CONFLICT", None)]


async def test_a_session_that_begins_at_the_same_time_keeps_another_closed(
    workouts: SubgraphUnderTest, person: str
) -> None:
    workout_id, _ = await log(workouts, person)
    async with workouts.database.transaction() as transaction:
        await transaction.execute(BEGIN, {"id": f"{person}-runs", "user_id": person})
        reopening = asyncio.create_task(tried(workouts, person, REOPEN, id=workout_id))
        await asyncio.sleep(0.3)  # it waits for the transaction that may have an index entry in its way
    assert errors_of(await reopening, "reopenWorkout") == [("CONFLICT", None)]


async def test_exercises_take_the_order_that_names_each_once(workouts: SubgraphUnderTest, person: str) -> None:
    workout_id, (bench, squat) = await log(workouts, person)
    answer = await tried(workouts, person, REORDER, workoutId=workout_id, order=[squat, bench])
    assert [place["exercise"]["id"] for place in answer["reorderExercises"]["workout"]["exercises"]] == [
        "squat",
        "bench",
    ]
    for order in ([squat], [squat, squat], [squat, bench, "another"], []):
        answer = await tried(workouts, person, REORDER, workoutId=workout_id, order=order)
        assert errors_of(answer, "reorderExercises") == [("VALIDATION_ERROR", "order")]


async def test_a_swapped_exercise_takes_its_sets_and_records_along(workouts: SubgraphUnderTest, person: str) -> None:
    workout_id, (bench, _) = await log(workouts, person)
    swap = {"workoutId": workout_id, "workoutExerciseId": bench, "exerciseId": "press"}
    answer = await tried(workouts, person, SWAP, **swap)
    assert answer["swapExercise"]["workout"]["exercises"][0] == {
        "exercise": {"id": "press"},
        "sets": [{"weightKg": 100.0}],
    }
    records = (await workouts.data(RECORDS, person, {"id": person}))["_entities"][0]["personalRecords"]["nodes"]
    assert {record["exercise"]["id"]: record["maxWeightKg"] for record in records} == {"press": 100.0, "squat": 140.0}
    for changes, field in (({"workoutExerciseId": "x"}, "workoutExerciseId"), ({"exerciseId": "x"}, "exerciseId")):
        answer = await tried(workouts, person, SWAP, **(swap | changes))
        assert errors_of(answer, "swapExercise") == [("NOT_FOUND", field)]
