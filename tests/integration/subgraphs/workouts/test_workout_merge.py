"""Two workouts made one over a real database: what stays, what is told, and what is refused."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from itertools import count
from typing import Any

import pytest
from sqlalchemy import text

from events.contracts.workouts import PlannedWorkoutChanged, WorkoutDeleted, WorkoutEdited
from tests.testkit.servers import Postgres
from tests.testkit.subgraph import SubgraphUnderTest
from tests.testkit.workouts import errors_of, last_event, workouts_subgraph

_people = count(1)
LOG = "mutation ($input: LogWorkoutInput!) { logWorkout(input: $input) { userErrors { code field } workout { id version } } }"
MERGE = """mutation ($input: MergeWorkoutsInput!) { mergeWorkouts(input: $input) { userErrors { code field } deletedId
  user { workouts { totalCount } } workout { id version startedAt endedAt durationMinutes activeMinutes sessionRpe notes
    caloriesBurned { kcal method } pauses { startedAt endedAt }
    exercises { exercise { id } position superset durationSeconds sets { id reps weightKg durationSeconds distanceM } }
    track { distanceM meanHeartRate kmSplits { distanceM } bests { distance seconds }
      series(points: 1000) { seconds distanceM heartRate } heartRateTimes { beatsPerMinute seconds } } } } }"""
WORKOUT = "query ($id: ID!) { workout(id: $id) { id planned { id version } } }"
RECORDS = """query ($id: ID!) { _entities(representations: [{__typename: "User", id: $id}]) { ... on User {
  personalRecords { nodes { maxWeightKg exercise { id } } } paceRecords(exerciseId: "run") { distance seconds workoutId } } } }"""


@pytest.fixture(scope="module")
async def workouts(postgres: Postgres) -> AsyncIterator[SubgraphUnderTest]:
    async with workouts_subgraph(postgres, "workouts_merge") as subgraph:
        yield subgraph


@pytest.fixture(autouse=True)
def days_after(workouts: SubgraphUnderTest, monkeypatch: pytest.MonkeyPatch) -> None:
    """A plan is for a day within a year of today, and these are of the days of the workouts."""
    monkeypatch.setattr(workouts.resources, "now", lambda: datetime(2026, 3, 8, 12, tzinfo=UTC))


@pytest.fixture
def person() -> str:
    return f"person-{next(_people)}"


async def log(workouts: SubgraphUnderTest, person: str, span: str, **told: Any) -> str:
    """A workout of the first of March 2026, such as "07:00-07:30"."""
    first, _, last = span.partition("-")
    times = {"startedAt": f"2026-03-01T{first}:00Z", "endedAt": f"2026-03-01T{last}:00Z"}
    logged = (await workouts.data(LOG, person, {"input": {"name": span, **times, **told}}))["logWorkout"]
    assert logged["userErrors"] == []
    return str(logged["workout"]["id"])


async def merge(workouts: SubgraphUnderTest, person: str, kept: str, other: str, **told: Any) -> dict[str, Any]:
    given = {"input": {"id": kept, "otherId": other, **told}}
    result = await workouts.run(MERGE, person, given)
    assert result.errors is None
    return dict((result.data or {})["mergeWorkouts"])


def ride(seconds: int, metres: int) -> list[dict[str, Any]]:
    return [{"exerciseId": "run", "sets": [{"durationSeconds": seconds, "distanceM": metres}]}]


async def test_halves_of_one_run_are_one_run_that_counts_once(workouts: SubgraphUnderTest, person: str) -> None:
    first = await log(
        workouts, person, "07:00-07:30", exercises=ride(1800, 5000), reportedKcal=300, notes="Out.",
        track={"distanceM": 5000, "meanHeartRate": 140, "kmSplits": [{"distanceM": 1000, "seconds": 350}],
            "bests": [{"distance": "KM1", "seconds": 350}],
            "series": {"seconds": [0, 1800], "distanceM": [0, 5000], "heartRate": [100, 140]},
            "heartRateTimes": {"beatsPerMinute": [140], "seconds": [1800]}},
    )  # fmt: skip
    second = await log(
        workouts, person, "07:40-08:00", exercises=ride(1200, 4000), reportedKcal=250, notes="And back.",
        track={"distanceM": 4000, "meanHeartRate": 155, "kmSplits": [{"distanceM": 1000, "seconds": 300}],
            "bests": [{"distance": "KM1", "seconds": 300}],
            "series": {"seconds": [600, 1200], "distanceM": [2000, 4000]},
            "heartRateTimes": {"beatsPerMinute": [155], "seconds": [1200]}},
    )  # fmt: skip
    came = await merge(workouts, person, second, first)
    assert (came["userErrors"], came["deletedId"], came["user"]) == ([], first, {"workouts": {"totalCount": 1}})
    run = came["workout"]
    assert (run["id"], run["startedAt"], run["endedAt"]) == (second, "2026-03-01T07:00:00Z", "2026-03-01T08:00:00Z")
    assert (run["durationMinutes"], run["activeMinutes"]) == (60.0, 50.0)
    assert run["pauses"] == [{"startedAt": "2026-03-01T07:30:00Z", "endedAt": "2026-03-01T07:40:00Z"}]
    assert (run["caloriesBurned"], run["notes"]) == ({"kcal": 550.0, "method": "REPORTED"}, "Out.\nAnd back.")
    ((stretch,),) = [each["sets"] for each in run["exercises"]]
    assert (stretch["durationSeconds"], stretch["distanceM"]) == (3000, 9000.0)
    track = run["track"]
    assert (track["distanceM"], track["meanHeartRate"], len(track["kmSplits"])) == (9000.0, 146, 2)
    assert track["bests"] == [{"distance": "KM1", "seconds": 300.0}]
    assert track["series"] == {
        "seconds": [0, 1800, 3000, 3600],
        "distanceM": [0.0, 5000.0, 7000.0, 9000.0],
        "heartRate": [100, 140, None, None],
    }
    assert track["heartRateTimes"] == {"beatsPerMinute": [140, 155], "seconds": [1800.0, 1200.0]}

    _, gone = await last_event(workouts, first)
    assert isinstance(gone, WorkoutDeleted)
    envelope, stays = await last_event(workouts, second)
    assert isinstance(stays, WorkoutEdited)
    assert (envelope.aggregate.version, stays.duration_minutes, stays.active_minutes) == (2, 60, 50)
    assert (stays.calories_kcal, stays.prev_local_date) == (550, None)
    (user,) = (await workouts.data(RECORDS, person, {"id": person}))["_entities"]
    assert user["paceRecords"] == [{"distance": "KM1", "seconds": 300.0, "workoutId": second}]
    assert (await workouts.data(WORKOUT, person, {"id": first}))["workout"] is None
    assert (await merge(workouts, person, second, first))["userErrors"] == [{"code": "NOT_FOUND", "field": "otherId"}]


async def test_what_a_watch_and_a_phone_recorded_counts_once(workouts: SubgraphUnderTest, person: str) -> None:
    """Sets from the phone, and from the watch its energy, its heart and an exercise that it counted by itself."""
    squats = {"exerciseId": "squat", "superset": 1, "sets": [{"reps": 5, "weightKg": 100}]}
    phone = await log(workouts, person, "18:00-19:00", exercises=[squats], sessionRpe=8)
    watch = await log(
        workouts, person, "18:02-19:05", reportedKcal=420, track={"distanceM": 0, "meanHeartRate": 120},
        exercises=[
            {"exerciseId": "squat", "sets": [{"reps": 5, "weightKg": 120}]},  # the same, as the watch guessed it
            {"exerciseId": "bench", "superset": 1, "sets": [{"reps": 8, "weightKg": 60}]},
            {"exerciseId": "run", "durationSeconds": 3600},
        ],
    )  # fmt: skip
    run = (await merge(workouts, person, phone, watch))["workout"]
    assert (run["startedAt"], run["endedAt"], run["sessionRpe"]) == (
        "2026-03-01T18:00:00Z",
        "2026-03-01T19:05:00Z",
        8.0,
    )
    assert (run["caloriesBurned"]["kcal"], run["track"]["meanHeartRate"]) == (420.0, 120)
    done = [(each["exercise"]["id"], each["position"], each["superset"]) for each in run["exercises"]]
    assert done == [("squat", 1, 1), ("bench", 2, 2)]
    assert run["exercises"][0]["sets"][0]["weightKg"] == 100.0
    (user,) = (await workouts.data(RECORDS, person, {"id": person}))["_entities"]
    records = {each["exercise"]["id"]: each["maxWeightKg"] for each in user["personalRecords"]["nodes"]}
    assert records == {"squat": 100.0, "bench": 60.0}
    _, told = await last_event(workouts, phone)
    assert isinstance(told, WorkoutEdited)
    assert [each.exercise_id for each in told.exercises] == ["squat", "bench"]


async def test_an_earlier_start_moves_the_day_and_a_plan_goes_with_its_workout(
    workouts: SubgraphUnderTest, person: str
) -> None:
    early = await log(workouts, person, "23:10-23:50", exercises=ride(2400, 6000))
    plan = """mutation ($input: PlanWorkoutInput!) { planWorkout(input: $input) { plannedWorkout { id } } }"""
    planned = (await workouts.data(plan, person, {"input": {"date": "2026-03-01", "name": "Night run"}}))["planWorkout"]
    pair = "mutation ($input: PairPlannedWorkoutInput!) { pairPlannedWorkout(input: $input) { userErrors { code } } }"
    pairing = {"input": {"id": planned["plannedWorkout"]["id"], "workoutId": early}}
    assert (await workouts.data(pair, person, pairing))["pairPlannedWorkout"]["userErrors"] == []
    times = {"startedAt": "2026-03-02T00:10:00Z", "endedAt": "2026-03-02T00:30:00Z"}
    late = (await workouts.data(LOG, person, {"input": {"name": "Late", **times}}))["logWorkout"]["workout"]["id"]
    assert (await merge(workouts, person, late, early))["userErrors"] == []
    _, told = await last_event(workouts, late)
    assert isinstance(told, WorkoutEdited)
    assert (str(told.local_date), str(told.prev_local_date)) == ("2026-03-01", "2026-03-02")
    found = (await workouts.data(WORKOUT, person, {"id": late}))["workout"]["planned"]
    assert found["id"] == planned["plannedWorkout"]["id"]
    _, of_plan = await last_event(workouts, found["id"])
    assert isinstance(of_plan, PlannedWorkoutChanged)
    assert of_plan.has_begun


async def test_whatever_is_not_one_activity_or_its_parts_is_refused_and_nothing_changes(
    workouts: SubgraphUnderTest, person: str
) -> None:
    morning = await log(workouts, person, "07:00-08:00")
    across = await log(workouts, person, "07:50-08:30")
    evening = await log(workouts, person, "18:00-19:00")
    for other in (across, evening, morning):
        refused = await merge(workouts, person, morning, other)
        assert refused["userErrors"] == [{"code": "VALIDATION_ERROR", "field": "otherId"}], other
    stale = [("expectedVersion", 7), ("otherExpectedVersion", 7)]
    for field, version in stale:
        refused = await merge(workouts, person, morning, across, **{field: version})
        assert refused["userErrors"] == [{"code": "STALE_VERSION", "field": field}]
    theirs = await log(workouts, "somebody else", "08:00-09:00")
    refused = await merge(workouts, person, morning, theirs)
    assert refused["userErrors"] == [{"code": "NOT_FOUND", "field": "otherId"}]
    result = await workouts.run(MERGE, person, {"input": {"id": theirs, "otherId": morning}})
    assert [(error.extensions or {})["code"] for error in result.errors or []] == ["NOT_FOUND"]
    exercises = [{"exerciseId": "bench", "sets": [{"reps": 1}] * 300}]
    many = await log(workouts, person, "10:00-11:00", exercises=exercises)
    more = await log(workouts, person, "11:00-12:00", exercises=exercises)
    assert errors_of({"mergeWorkouts": await merge(workouts, person, many, more)}, "mergeWorkouts") == [
        ("VALIDATION_ERROR", "otherId")
    ]
    running = await workouts.data('mutation { startWorkout(input: {name: "Now"}) { workout { id } } }', person)
    refused = await merge(workouts, person, morning, running["startWorkout"]["workout"]["id"])
    assert refused["userErrors"][0]["code"] == "CONFLICT"
    async with workouts.database.reading() as connection:
        versions = await connection.scalars(text("SELECT version FROM workout WHERE user_id = :id"), {"id": person})
        assert set(versions) == {1}
