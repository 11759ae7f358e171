"""Records as sets are logged, their history, the work of muscles and the load of days, over a real database."""

from collections.abc import AsyncIterator
from itertools import count
from typing import Any

import pytest

from events.contracts.workouts import WorkoutState
from tests.testkit.servers import Postgres
from tests.testkit.subgraph import SubgraphUnderTest, codes_of
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


async def test_the_longest_distance_and_time_are_records_with_a_history(
    workouts: SubgraphUnderTest, person: str
) -> None:
    async def run(day: str, *sets: dict[str, Any], **more: Any) -> Any:
        return await log(workouts, person, day, [], exercises=[{"exerciseId": "run", "sets": list(sets), **more}])

    await run("2026-03-02", {"distanceM": 5000, "durationSeconds": 1500})
    far = await run("2026-03-04", {"distanceM": 10_000, "durationSeconds": 3200}, {"distanceM": 400})
    await run("2026-03-06", {"distanceM": 9000, "durationSeconds": 3500}, {"distanceM": 20_000, "kind": "WARM_UP"})
    told = (await last_event(workouts, far["id"]))[1]
    assert isinstance(told, WorkoutState)
    assert told.new_records == ("Running, 6 mph",)
    wanted = (
        "personalRecords { nodes { maxDistanceM maxDurationSeconds maxDistance(unit: KM) { value } achievedOn maxReps"
    )
    wanted += " history { kind value achievedOn } } }"
    (record,) = (await about(workouts, person, wanted))["personalRecords"]["nodes"]
    assert (record["maxDistanceM"], record["maxDurationSeconds"], record["maxReps"]) == (10_000.0, 3500, None)
    assert (record["maxDistance"], record["achievedOn"]) == ({"value": 10.0}, "2026-03-04")
    assert [(each["kind"], each["value"], each["achievedOn"]) for each in record["history"]] == [
        ("MAX_DURATION", 3500.0, "2026-03-06"),
        ("MAX_DISTANCE", 10_000.0, "2026-03-04"),
        ("MAX_DURATION", 3200.0, "2026-03-04"),
        ("MAX_DISTANCE", 5000.0, "2026-03-02"),
        ("MAX_DURATION", 1500.0, "2026-03-02"),
    ]
    # The time of an exercise without sets counts; beside sets it has their rests in it, and does not.
    await run("2026-03-08", durationSeconds=3600)
    await run("2026-03-09", {"distanceM": 100}, durationSeconds=7000)
    delete = "mutation ($id: ID!) { deleteWorkout(input: {id: $id}) { deletedId } }"
    await workouts.data(delete, person, {"id": far["id"]})
    (record,) = (await about(workouts, person, wanted))["personalRecords"]["nodes"]
    assert (record["maxDistanceM"], record["maxDurationSeconds"], record["achievedOn"]) == (9000.0, 3600, "2026-03-06")

    session = (await workouts.data(START, person))["startWorkout"]["workout"]["id"]
    longer = {"workoutId": session, "exerciseId": "run", "distanceM": 9500, "durationSeconds": 60}
    answer = (await workouts.data(LOG_SET, person, {"input": longer}))["logSet"]
    assert answer["records"] == ["MAX_DISTANCE"]


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


async def test_zones_and_efforts_of_a_day_are_by_the_heart_of_that_day(
    workouts: SubgraphUnderTest, person: str
) -> None:
    """Those of five years ago stay as they were, whatever is measured since."""
    then = {"kind": "MAXIMUM", "beatsPerMinute": 194, "since": "2021-01-01"}
    held = [
        {"kind": "RESTING", "beatsPerMinute": 70, "since": "2021-01-01"},
        then,
        {"kind": "RESTING", "beatsPerMinute": 50, "since": "2026-01-01"},
        {"kind": "MAXIMUM", "beatsPerMinute": 184, "since": "2026-01-01"},
    ]
    body = {"weightKg": 75, "ageYears": 36, "sex": "MALE", "dateOfBirth": "1990-01-01", "heartRates": held}
    basis = "basis { resting { beatsPerMinute source since } maximum { beatsPerMinute source since } }"
    zones = f'heartRateZones(method: RESERVE, on: "2021-06-01") {{ first {basis} }}'
    old = (await about(workouts, person, zones, physiology=body))["heartRateZones"]
    assert old[0]["first"] == 132.0  # 70 + (194 - 70) / 2
    assert old[0]["basis"]["maximum"] == {"beatsPerMinute": 194.0, "source": "MEASURED", "since": "2021-01-01"}
    assert old[0]["basis"]["resting"] == {"beatsPerMinute": 70.0, "source": "MEASURED", "since": "2021-01-01"}
    before = body | {"heartRates": held[:2]}
    assert (await about(workouts, person, zones, physiology=before))["heartRateZones"] == old
    now = (await about(workouts, person, zones.replace(', on: "2021-06-01"', ""), physiology=body))["heartRateZones"]
    assert now[0]["first"] == 117.0  # 50 + (184 - 50) / 2

    # Before anything was kept it is the formula's, by the age of then: 208 - 0.7 x 30.
    earlier = f'heartRateZones(on: "2020-06-01") {{ last {basis} }}'
    found = (await about(workouts, person, earlier, physiology=body))["heartRateZones"]
    assert (found[4]["last"], found[4]["basis"]["resting"]) == (187.0, None)
    assert found[4]["basis"]["maximum"] == {"beatsPerMinute": 187.0, "source": "FORMULA", "since": None}
    asked = f"heartRateZones(maxHeartRate: 180) {{ last {basis} }}"
    found = (await about(workouts, person, asked, physiology=body))["heartRateZones"]
    assert found[4]["basis"]["maximum"] == {"beatsPerMinute": 180.0, "source": "ASKED", "since": None}

    effort = (
        f'heartRateEffort(effort: {{heartRate: 150, minutes: 30, on: "2021-06-01"}}) {{ zone banisterLoad {basis} }}'
    )
    found = (await about(workouts, person, effort, physiology=body))["heartRateEffort"]
    assert (found["zone"], found["basis"]) == (3, old[0]["basis"])
    named = effort.replace('on: "2021-06-01"', "restingHeartRate: 70, maxHeartRate: 194")
    as_named = (await about(workouts, person, named, physiology=body))["heartRateEffort"]
    assert as_named["banisterLoad"] == found["banisterLoad"]


async def test_zones_of_the_reserve_want_a_rate_at_rest_below_the_maximum(
    workouts: SubgraphUnderTest, person: str
) -> None:
    query = "query ($who: [_Any!]!) { _entities(representations: $who) { ... on User { SELECTION } } }"
    high = [{"kind": "RESTING", "beatsPerMinute": 140, "since": "2021-01-01"}]
    for selection, held in (
        ("heartRateZones(method: RESERVE) { number }", []),
        ("heartRateZones(method: RESERVE, maxHeartRate: 130) { number }", high),
        ("heartRateEffort(effort: {heartRate: 100, minutes: 9}) { zone }", []),
        ("heartRateEffort(effort: {heartRate: 100, minutes: 9, maxHeartRate: 130}) { zone }", high),
    ):
        who = [{"__typename": "User", "id": person, "physiology": {"ageYears": 36, "heartRates": held}}]
        refused = await workouts.run(query.replace("SELECTION", selection), person, {"who": who})
        assert codes_of(refused) == ["VALIDATION_ERROR"], selection
