"""Records as sets are logged, their history, the work of muscles and the load of days, over a real database."""

from collections.abc import AsyncIterator
from itertools import count
from typing import Any

import pytest

from events.contracts.workouts import WorkoutState
from tests.testkit.servers import Postgres
from tests.testkit.subgraph import SubgraphUnderTest
from tests.testkit.workouts import last_event, workouts_subgraph

_people = count(1)
LOG = """mutation ($input: LogWorkoutInput!) { logWorkout(input: $input) {
  workout { id sessionRpe sessionLoad } userErrors { code field } } }"""
LOG_SET = """mutation ($input: LogSetInput!) { logSet(input: $input) {
  set { id rir oneRepMaxes { formula kg isReliable } } records userErrors { code field } } }"""
START = 'mutation { startWorkout(input: {name: "Now"}) { workout { id } } }'


@pytest.fixture(scope="module")
async def workouts(postgres: Postgres) -> AsyncIterator[SubgraphUnderTest]:
    async with workouts_subgraph(postgres, "workouts_training") as subgraph:
        yield subgraph


@pytest.fixture
def person() -> str:
    return f"person-{next(_people)}"


async def log(workouts: SubgraphUnderTest, person: str, day: str, sets: list[dict[str, Any]], **more: Any) -> Any:
    told = {
        "name": "Strength",
        "startedAt": f"{day}T10:00:00Z",
        "endedAt": f"{day}T11:00:00Z",
        "exercises": [{"exerciseId": "bench", "sets": sets}],
    }
    answer = (await workouts.data(LOG, person, {"input": told | more}))["logWorkout"]
    assert answer["userErrors"] == []
    return answer["workout"]


async def about(workouts: SubgraphUnderTest, person: str, selection: str, **fetched: Any) -> Any:
    query = "query ($who: [_Any!]!) { _entities(representations: $who) { ... on User { " + selection + " } } }"
    who = [{"__typename": "User", "id": person} | fetched]
    return (await workouts.data(query, person, {"who": who}))["_entities"][0]


async def test_a_set_tells_that_it_is_a_record_and_tells_so_again(workouts: SubgraphUnderTest, person: str) -> None:
    await log(workouts, person, "2026-03-02", [{"reps": 5, "weightKg": 100}])
    session = (await workouts.data(START, person))["startWorkout"]["workout"]["id"]

    async def log_set(**one: Any) -> Any:
        told = {
            "workoutId": session,
            "exerciseId": "bench",
            **one,
            "idempotencyKey": f"{person}-{one}".replace(" ", ""),
        }
        return (await workouts.data(LOG_SET, person, {"input": told}))["logSet"]

    assert (await log_set(reps=5, weightKg=100))["records"] == []
    record = await log_set(reps=5, weightKg=105, rpe=8)
    assert record["records"] == ["MAX_WEIGHT", "ONE_REP_MAX", "SET_VOLUME"]
    assert record["set"]["rir"] == 2
    assert record["set"]["oneRepMaxes"][0] == {"formula": "EPLEY", "kg": 129.5, "isReliable": True}
    assert (await log_set(reps=5, weightKg=105, rpe=8))["records"] == record["records"]  # the same request again
    assert (await log_set(reps=6, weightKg=50))["records"] == ["MAX_REPS"]
    assert (await log_set(reps=20, weightKg=200, kind="WARM_UP"))["records"] == []


async def test_a_record_knows_the_days_on_which_it_grew(workouts: SubgraphUnderTest, person: str) -> None:
    for day, weight in (("2026-03-02", 100), ("2026-03-04", 95), ("2026-03-06", 110)):
        await log(workouts, person, day, [{"reps": 1, "weightKg": weight}])
    me = await about(workouts, person, "personalRecords { nodes { history { kind value achievedOn } } }")
    (record,) = me["personalRecords"]["nodes"]
    grew = [(each["achievedOn"], each["value"]) for each in record["history"] if each["kind"] == "MAX_WEIGHT"]
    assert grew == [("2026-03-06", 110.0), ("2026-03-02", 100.0)]
    assert [each["achievedOn"] for each in record["history"] if each["kind"] == "MAX_REPS"] == ["2026-03-02"]


async def test_a_completed_workout_tells_of_what_it_has_more_than_every_earlier_one(
    workouts: SubgraphUnderTest, person: str
) -> None:
    days = (("2026-03-02", 100), ("2026-03-06", 110), ("2026-03-04", 105), ("2026-03-08", 110))
    told = []
    for day, weight in days:
        workout = await log(workouts, person, day, [{"reps": 1, "weightKg": weight}])
        payload = (await last_event(workouts, workout["id"]))[1]
        assert isinstance(payload, WorkoutState)
        told.append(payload.new_records)
    assert told == [(), ("Bench press",), ("Bench press",), ()]  # the first is none, and one as good as before is none


async def test_muscles_have_the_hard_sets_and_the_volume_of_their_weeks(
    workouts: SubgraphUnderTest, person: str
) -> None:
    hard = [{"reps": 5, "weightKg": 100}, {"reps": 5, "weightKg": 100, "rpe": 8}]
    easy = [{"reps": 5, "weightKg": 60, "kind": "WARM_UP"}, {"reps": 5, "weightKg": 60, "rpe": 4}]
    await log(workouts, person, "2026-03-04", hard + easy, exercises=[{"exerciseId": "press", "sets": hard + easy}])
    await log(workouts, person, "2026-03-10", [], exercises=[{"exerciseId": "press", "sets": hard[:1]}])
    weeks = 'trainingWeeks(from: "2026-03-01", to: "2026-03-31") { first muscles { muscle hardSets volumeKg } }'
    found = (await about(workouts, person, weeks))["trainingWeeks"]
    assert found == [
        {
            "first": "2026-03-02",
            "muscles": [
                {"muscle": "CHEST", "hardSets": 2.0, "volumeKg": 1300.0},
                {"muscle": "TRICEPS", "hardSets": 1.0, "volumeKg": 650.0},
            ],
        },
        {
            "first": "2026-03-09",
            "muscles": [
                {"muscle": "CHEST", "hardSets": 1.0, "volumeKg": 500.0},
                {"muscle": "TRICEPS", "hardSets": 0.5, "volumeKg": 250.0},
            ],
        },
    ]


async def test_days_have_the_load_of_their_sessions(workouts: SubgraphUnderTest, person: str) -> None:
    workout = await log(workouts, person, "2026-03-02", [{"reps": 5}], sessionRpe=7)
    assert workout == {"id": workout["id"], "sessionRpe": 7.0, "sessionLoad": 420.0}
    await log(workouts, person, "2026-03-03", [{"reps": 5}])  # which told no exertion
    loads = 'trainingLoad(from: "2026-03-02", to: "2026-03-03") { load acute chronic balance acuteChronicRatio }'
    found = (await about(workouts, person, loads))["trainingLoad"]
    assert found == [
        {"load": 420.0, "acute": 55.91, "chronic": 9.88, "balance": 0.0, "acuteChronicRatio": None},
        {"load": 0.0, "acute": 48.47, "chronic": 9.65, "balance": -46.03, "acuteChronicRatio": None},
    ]
    too_long = 'trainingLoad(from: "2026-01-01", to: "2028-01-01") { load }'
    query = "query ($who: [_Any!]!) { _entities(representations: $who) { ... on User { " + too_long + " } } }"
    refused = await workouts.run(query, person, {"who": [{"__typename": "User", "id": person}]})
    assert refused.errors is not None


async def test_hearts_have_zones_and_efforts_by_what_users_tells(workouts: SubgraphUnderTest, person: str) -> None:
    asked = """heartRateZones(method: RESERVE, restingHeartRate: 60) { number first last }
      heartRateEffort(effort: {heartRate: 150, minutes: 30, restingHeartRate: 60, maxHeartRate: 190}) {
        kcal banisterLoad edwardsLoad zone }"""
    body = {"weightKg": 75, "ageYears": 35, "sex": "MALE"}
    found = await about(workouts, person, asked, physiology=body)
    assert found["heartRateZones"][0] == {"number": 1, "first": 121.8, "last": 134.1}
    assert found["heartRateEffort"] == {"kcal": 441.02, "banisterLoad": 50.22, "edwardsLoad": 90.0, "zone": 3}
    assert (await about(workouts, person, "heartRateZones { number }"))["heartRateZones"] is None
