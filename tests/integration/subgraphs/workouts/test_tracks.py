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
SERIES = """query ($id: ID!, $points: Int) { workout(id: $id) { track { series(points: $points) {
    seconds distanceM speed altitudeM heartRate cadence power } heartRateTimes { beatsPerMinute seconds } } } }"""
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


async def test_a_recording_over_time_is_kept_and_thinned_for_who_asks_for_less(
    workouts: SubgraphUnderTest, person: str
) -> None:
    told = {
        "seconds": [0, 600, 1200, 1800],
        "distanceM": [0, 1800.25, None, 5210.5],
        "heartRate": [101, 140, 150, None],
        "power": [0, 250, 260, 300],
    }
    times = {"beatsPerMinute": [150, 140], "seconds": [600, 1100.5]}
    track = TRACK | {"series": told, "heartRateTimes": times}
    run = (await log(workouts, person, track))["logWorkout"]["workout"]
    all_of_it = (await workouts.data(SERIES, person, {"id": run["id"], "points": 1000}))["workout"]["track"]
    assert all_of_it["series"] == told | {
        "speed": [None, 3.0, None, 2.84],  # since the last distance, of ten minutes
        "altitudeM": None,
        "cadence": None,
    }
    assert all_of_it["heartRateTimes"] == {"beatsPerMinute": [140, 150], "seconds": [1100.5, 600.0]}
    less = (await workouts.data(SERIES, person, {"id": run["id"], "points": 2}))["workout"]["track"]["series"]
    assert (less["seconds"], less["distanceM"]) == ([600, 1800], [1800.25, 5210.5])
    assert (less["heartRate"], less["power"]) == ([120, 150], [125, 280])
    for points in (0, 1001):
        refused = await workouts.run(SERIES, person, {"id": run["id"], "points": points})
        assert refused.errors is not None
    plain = (await log(workouts, person, TRACK))["logWorkout"]["workout"]
    without = (await workouts.data(SERIES, person, {"id": plain["id"], "points": 9}))["workout"]["track"]
    assert without == {"series": None, "heartRateTimes": None}

    await workouts.data(DELETE, person, {"id": run["id"]})
    left = text("SELECT count(*) FROM workout_series WHERE workout_id = :id")
    async with workouts.database.reading() as connection:
        assert await connection.scalar(left, {"id": run["id"]}) == 0


async def test_zones_of_a_workout_are_of_all_its_points_by_the_heart_of_its_day(
    workouts: SubgraphUnderTest, person: str
) -> None:
    """Ten minutes at 115 and ten at 185 are a load of 70 in zones 2 and 5; their mean of 150 would be 60 in zone 3."""
    times = {"beatsPerMinute": [80, 115, 185], "seconds": [60, 600, 600]}
    run = (await log(workouts, person, TRACK | {"heartRateTimes": times}))["logWorkout"]["workout"]
    held = [
        {"kind": "MAXIMUM", "beatsPerMinute": 190, "since": "2026-02-01"},
        {"kind": "RESTING", "beatsPerMinute": 50, "since": "2026-02-01"},
        {"kind": "MAXIMUM", "beatsPerMinute": 170, "since": "2026-03-02"},  # the day after
    ]
    query = """query ($who: [_Any!]!, $workout: ID!, $method: ZoneMethod!) { _entities(representations: $who) { ... on User {
      heartRateOfWorkout(workoutId: $workout, method: $method) { secondsBelow edwardsLoad banisterLoad
        zones { zone { number first } seconds } basis { maximum { beatsPerMinute source } } } } } }"""

    async def heart(method: str, of: str = person, rates: Any = held) -> Any:
        who = [{"__typename": "User", "id": of, "physiology": {"sex": "MALE", "heartRates": rates}}]
        asked = {"who": who, "workout": run["id"], "method": method}
        return (await workouts.data(query, of, asked))["_entities"][0]["heartRateOfWorkout"]

    of_maximum = await heart("MAX")
    assert [zone["seconds"] for zone in of_maximum["zones"]] == [0.0, 600.0, 0.0, 0.0, 600.0]
    assert (of_maximum["secondsBelow"], of_maximum["edwardsLoad"]) == (60.0, 70.0)
    assert of_maximum["basis"] == {"maximum": {"beatsPerMinute": 190.0, "source": "MEASURED"}}
    of_reserve = await heart("RESERVE")
    assert [zone["zone"]["first"] for zone in of_reserve["zones"]] == [120.0, 134.0, 148.0, 162.0, 176.0]
    assert [zone["seconds"] for zone in of_reserve["zones"]] == [0.0, 0.0, 0.0, 0.0, 600.0]
    assert (of_reserve["secondsBelow"], of_reserve["edwardsLoad"]) == (660.0, 70.0)
    # By hand: minutes x share x 0.64 e^(1.92 share), with shares of 30, 65 and 135 of 140.
    assert of_maximum["banisterLoad"] == of_reserve["banisterLoad"] == 46.76
    assert await heart("MAX", of="somebody else") is None
    assert await heart("MAX", rates=[]) is None


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
        ({"series": {"seconds": [5, 4]}}, "track.series.seconds"),
        ({"series": {"seconds": [1, 2], "power": [9]}}, "track.series.power"),
        ({"series": {"seconds": [1], "distanceM": [1e9]}}, "track.series.distanceM"),
        ({"heartRateTimes": {"beatsPerMinute": [90, 91], "seconds": [1]}}, "track.heartRateTimes.seconds"),
        ({"heartRateTimes": {"beatsPerMinute": [90], "seconds": [1803]}}, "track.heartRateTimes.seconds"),
    ],
)
async def test_what_no_recording_says_is_refused(
    workouts: SubgraphUnderTest, person: str, changes: dict[str, Any], field: str
) -> None:
    refused = await log(workouts, person, TRACK | changes)
    assert errors_of(refused, "logWorkout") == [("VALIDATION_ERROR", field)]
