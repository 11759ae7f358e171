"""Recordings over a real database: what they came to, the fastest stretches of all of them, and what is refused."""

from collections.abc import AsyncIterator
from itertools import count
from typing import Any

import pytest
from sqlalchemy import text

from tests.testkit.servers import Postgres
from tests.testkit.subgraph import SubgraphUnderTest
from tests.testkit.workouts import RUN, errors_of, workouts_subgraph

_people = count(1)
LOG = """mutation ($input: LogWorkoutInput!) { logWorkout(input: $input) { userErrors { code field }
  workout { id exercises { id } track { distanceM movingSeconds secondsPerKm ascentM descentM meanHeartRate maxHeartRate
    distance(unit: MI) { value unit } kmSplits { distanceM seconds riseM meanHeartRate } mileSplits { seconds }
    bests { distance seconds achievedOn } } } } }"""
PACES = """query ($id: ID!, $exercise: ID!) { _entities(representations: [{__typename: "User", id: $id}]) {
  ... on User { paceRecords(exerciseId: $exercise) { distance seconds achievedOn workoutId } } } }"""
SWAP = "mutation ($input: SwapExerciseInput!) { swapExercise(input: $input) { userErrors { code } } }"
REOPEN = "mutation ($id: ID!) { reopenWorkout(input: {id: $id}) { userErrors { code } } }"
DELETE = "mutation ($id: ID!) { deleteWorkout(input: {id: $id}) { deletedId } }"
TRACK = {
    "distanceM": 5210.5,
    "movingSeconds": 1710.5,
    "ascentM": 61.25,
    "descentM": 58,
    "meanHeartRate": 151,
    "maxHeartRate": 178,
    "kmSplits": [
        {"distanceM": 1000, "seconds": 330, "riseM": 12.5, "meanHeartRate": 140},
        {"distanceM": 210.5, "seconds": 70.2},
    ],
    "mileSplits": [{"distanceM": 1609.344, "seconds": 530}],
    "bests": [{"distance": "KM5", "seconds": 1650.4}, {"distance": "KM1", "seconds": 310.2}],
}


@pytest.fixture(scope="module")
async def workouts(postgres: Postgres) -> AsyncIterator[SubgraphUnderTest]:
    async with workouts_subgraph(postgres, "workouts_tracks") as subgraph:
        yield subgraph


@pytest.fixture
def person() -> str:
    return f"person-{next(_people)}"


async def log(workouts: SubgraphUnderTest, person: str, track: dict[str, Any], **told: Any) -> dict[str, Any]:
    result = await workouts.run(LOG, person, {"input": RUN | {"track": track} | told})
    assert result.errors is None
    return result.data or {}


async def paces(workouts: SubgraphUnderTest, person: str, exercise: str = "run") -> list[tuple[str, float, str]]:
    (user,) = (await workouts.data(PACES, person, {"id": person, "exercise": exercise}))["_entities"]
    return [(each["distance"], each["seconds"], each["workoutId"]) for each in user["paceRecords"]]


async def test_a_recording_is_kept_with_its_workout_and_goes_with_it(workouts: SubgraphUnderTest, person: str) -> None:
    first = (await log(workouts, person, TRACK, idempotencyKey="one"))["logWorkout"]["workout"]
    assert first["track"] == {
        "distanceM": 5210.5,
        "movingSeconds": 1710.5,
        "secondsPerKm": 328.3,
        "ascentM": 61.2,
        "descentM": 58.0,
        "meanHeartRate": 151,
        "maxHeartRate": 178,
        "distance": {"value": 3.24, "unit": "MI"},
        "kmSplits": [
            {"distanceM": 1000.0, "seconds": 330.0, "riseM": 12.5, "meanHeartRate": 140},
            {"distanceM": 210.5, "seconds": 70.2, "riseM": None, "meanHeartRate": None},
        ],
        "mileSplits": [{"seconds": 530.0}],
        "bests": [
            {"distance": "KM1", "seconds": 310.2, "achievedOn": "2026-03-01"},
            {"distance": "KM5", "seconds": 1650.4, "achievedOn": "2026-03-01"},
        ],
    }
    again = await log(workouts, person, TRACK, idempotencyKey="one")
    assert again["logWorkout"]["workout"] == first
    assert errors_of(await log(workouts, person, TRACK | {"ascentM": 1}, idempotencyKey="one"), "logWorkout") == [
        ("CONFLICT", "idempotencyKey")
    ]
    await workouts.data(DELETE, person, {"id": first["id"]})
    left = text("SELECT (SELECT count(*) FROM workout_track WHERE workout_id = :id), (SELECT count(*) FROM track_best WHERE user_id = :person)")  # fmt: skip
    async with workouts.database.reading() as connection:
        assert tuple((await connection.execute(left, {"id": first["id"], "person": person})).one()) == (0, 0)


async def test_the_fastest_stretch_of_each_distance_follows_the_workouts(
    workouts: SubgraphUnderTest, person: str
) -> None:
    slow = (await log(workouts, person, TRACK))["logWorkout"]["workout"]
    quick = TRACK | {"bests": [{"distance": "KM1", "seconds": 299.9}, {"distance": "M400", "seconds": 99}]}
    fast = (await log(workouts, person, quick))["logWorkout"]["workout"]
    assert await paces(workouts, person) == [
        ("M400", 99.0, fast["id"]),
        ("KM1", 299.9, fast["id"]),
        ("KM5", 1650.4, slow["id"]),
    ]
    assert await paces(workouts, "somebody else") == []

    swap = {"workoutId": fast["id"], "workoutExerciseId": fast["exercises"][0]["id"], "exerciseId": "squat"}
    assert (await workouts.data(SWAP, person, {"input": swap}))["swapExercise"]["userErrors"] == []
    assert await paces(workouts, person) == [("KM1", 310.2, slow["id"]), ("KM5", 1650.4, slow["id"])]
    assert [distance for distance, *_ in await paces(workouts, person, "squat")] == ["M400", "KM1"]

    await workouts.data(REOPEN, person, {"id": slow["id"]})
    assert await paces(workouts, person) == []


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"distanceM": 1_000_001}, "track.distanceM"),
        ({"movingSeconds": 1803}, "track.movingSeconds"),
        ({"descentM": -1}, "track.descentM"),
        ({"maxHeartRate": 251}, "track.maxHeartRate"),
        ({"kmSplits": [{"distanceM": 1000, "seconds": 1804}]}, "track.kmSplits"),
        ({"mileSplits": [{"distanceM": -1, "seconds": 1}]}, "track.mileSplits.0.distanceM"),
        ({"bests": [{"distance": "KM10", "seconds": 1700}]}, "track.bests.0.distance"),
        ({"bests": [{"distance": "KM1", "seconds": 0}]}, "track.bests.0.seconds"),
        ({"bests": [{"distance": "KM1", "seconds": 300}] * 2}, "track.bests"),
    ],
)
async def test_what_no_recording_says_is_refused(
    workouts: SubgraphUnderTest, person: str, changes: dict[str, Any], field: str
) -> None:
    refused = await log(workouts, person, TRACK | changes)
    assert errors_of(refused, "logWorkout") == [("VALIDATION_ERROR", field)]
