"""Workouts end to end over a real database: what is written, priced, refused and how many statements it costs."""

from collections.abc import AsyncIterator
from datetime import date
from decimal import Decimal
from itertools import count
from typing import Any

import pytest

from events.contracts.users import UserRegistered, WeightDeleted
from events.contracts.workouts import WorkoutState
from subgraphs.workouts.commands import workout as commands
from tests.testkit.servers import Postgres
from tests.testkit.subgraph import SubgraphUnderTest
from tests.testkit.workouts import LOG, RUN, last_event, tell, weighing, workouts_subgraph

_people = count(1)


@pytest.fixture(scope="module")
async def workouts(postgres: Postgres) -> AsyncIterator[SubgraphUnderTest]:
    async with workouts_subgraph(postgres, "workouts_api") as subgraph:
        yield subgraph


@pytest.fixture
def person() -> str:
    return f"person-{next(_people)}"


async def test_a_run_of_half_an_hour_at_70_kg_costs_360_kcal(workouts: SubgraphUnderTest, person: str) -> None:
    await tell(workouts, person, weighing(person, date(2026, 2, 1), "70"))
    workout = (await workouts.data(LOG, person, {"input": RUN}))["logWorkout"]["workout"]
    assert workout["caloriesBurned"] == {"kcal": 360.15, "netKcal": 323.4, "method": "MET", "bodyWeightKg": 70.0}
    assert (workout["status"], workout["durationMinutes"], workout["version"]) == ("COMPLETED", 30.0, 1)
    envelope, payload = await last_event(workouts, workout["id"])
    assert isinstance(payload, WorkoutState)
    assert (envelope.type, envelope.aggregate.version, envelope.user_id) == ("WorkoutCompleted", 1, person)
    assert (payload.calories_kcal, payload.duration_minutes) == (Decimal("360.15"), Decimal(30))


@pytest.mark.parametrize(
    ("weighings", "expected"),
    [
        ([(date(2026, 2, 1), "70"), (date(2026, 2, 20), "72"), (date(2026, 3, 5), "75")], 72.0),
        ([(date(2026, 3, 5), "75"), (date(2026, 4, 5), "80")], 75.0),
        ([], None),
    ],
    ids=["latest before", "earliest after", "none known"],
)
async def test_a_workout_is_priced_with_the_weight_of_its_day(
    workouts: SubgraphUnderTest, person: str, weighings: list[tuple[date, str]], expected: float | None
) -> None:
    await tell(workouts, person, *[weighing(person, day, weight_kg) for day, weight_kg in weighings])
    estimate = (await workouts.data(LOG, person, {"input": RUN}))["logWorkout"]["workout"]["caloriesBurned"]
    assert estimate["bodyWeightKg"] == expected
    assert estimate["method"] == ("UNKNOWN_WEIGHT" if expected is None else "MET")
    assert (estimate["kcal"] is None) == (expected is None)


async def test_a_workout_that_waited_for_a_weight_is_priced_when_one_comes(
    workouts: SubgraphUnderTest, person: str
) -> None:
    workout = (await workouts.data(LOG, person, {"input": RUN}))["logWorkout"]["workout"]
    await tell(workouts, person, weighing(person, date(2026, 3, 2), "70"))
    found = await workouts.data(
        "query ($id: ID!) { workout(id: $id) { version caloriesBurned { kcal } } }", person, {"id": workout["id"]}
    )
    assert found["workout"] == {"version": 2, "caloriesBurned": {"kcal": 360.15}}
    envelope, _ = await last_event(workouts, workout["id"])
    assert (envelope.type, envelope.aggregate.version) == ("WorkoutEdited", 2)


async def test_the_small_hours_belong_to_the_day_before_on_the_persons_clock(
    workouts: SubgraphUnderTest, person: str
) -> None:
    account = UserRegistered(
        email="x@example.com", display_name="Night Owl", time_zone="America/New_York", day_start_hour=4
    )
    await tell(workouts, person, account)
    late = RUN | {"startedAt": "2026-03-09T06:30:00Z", "endedAt": "2026-03-09T07:00:00Z"}  # 02:30, EDT since the 8th
    workout = (await workouts.data(LOG, person, {"input": late}))["logWorkout"]["workout"]
    assert workout["localDate"] == "2026-03-08"
    named = await workouts.data(
        "query ($id: ID!) { workout(id: $id) { user { id displayName } } }", person, {"id": workout["id"]}
    )
    assert named["workout"]["user"] == {"id": person, "displayName": "Night Owl"}


async def test_a_session_goes_from_start_over_sets_to_its_end(workouts: SubgraphUnderTest, person: str) -> None:
    start = """mutation { startWorkout(input: {name: "Legs", idempotencyKey: "k"}) {
        workout { id status version caloriesBurned { kcal } } } }"""
    started = (await workouts.data(start, person))["startWorkout"]["workout"]
    assert (started["status"], started["version"], started["caloriesBurned"]) == ("IN_PROGRESS", 1, None)
    assert (await workouts.data(start, person))["startWorkout"]["workout"]["id"] == started["id"]
    other = 'mutation { startWorkout(input: {name: "Other"}) { userErrors { code } workout { id } } }'
    assert await workouts.codes(other, person) == ["CONFLICT"]

    log_set = """mutation ($w: ID!, $reps: Int, $kg: Float, $kind: SetKind! = NORMAL, $v: Int) {
        logSet(input: {workoutId: $w, exerciseId: "squat", reps: $reps, weightKg: $kg, kind: $kind, expectedVersion: $v}) {
            userErrors { code } workout { version volumeKg sets { id } } } }"""
    first = {"reps": 5, "kg": 100}
    after_one = (await workouts.data(log_set, person, {"w": started["id"], "v": 1} | first))["logSet"]["workout"]
    assert (after_one["version"], after_one["volumeKg"]) == (2, 500.0)
    assert await workouts.codes(log_set, person, {"w": started["id"], "v": 1} | first) == ["STALE_VERSION"]
    warm_up = {"reps": 10, "kg": 200, "kind": "WARM_UP"}
    await workouts.data(log_set, person, {"w": started["id"]} | warm_up)

    complete = "mutation ($id: ID!) { completeWorkout(input: {id: $id}) { userErrors { code } workout { status version endedAt } } }"
    done = (await workouts.data(complete, person, {"id": started["id"]}))["completeWorkout"]["workout"]
    assert (done["status"], done["version"]) == ("COMPLETED", 4)
    assert await workouts.codes(complete, person, {"id": started["id"]}) == ["CONFLICT"]
    envelope, payload = await last_event(workouts, started["id"])
    assert isinstance(payload, WorkoutState)
    assert (envelope.type, payload.volume_kg, payload.exercises[0].sets) == ("WorkoutCompleted", Decimal(500), 1)


async def test_a_record_falls_back_when_the_set_that_held_it_is_deleted(
    workouts: SubgraphUnderTest, person: str
) -> None:
    sets = [{"reps": 5, "weightKg": 100}, {"reps": 5, "weightKg": 110}, {"reps": 3, "weightKg": 200, "kind": "WARM_UP"}]
    session = RUN | {"name": "Bench", "exercises": [{"exerciseId": "bench", "sets": sets}]}
    workout = (await workouts.data(LOG, person, {"input": session}))["logWorkout"]["workout"]
    records = """query ($id: ID!) { _entities(representations: [{__typename: "User", id: $id}]) { ... on User {
        personalRecords { nodes { exercise { id } maxWeightKg estimatedOneRepMaxKg achievedOn } } } } }"""
    best = (await workouts.data(records, person, {"id": person}))["_entities"][0]["personalRecords"]["nodes"]
    assert best == [
        {"exercise": {"id": "bench"}, "maxWeightKg": 110.0, "estimatedOneRepMaxKg": 128.33, "achievedOn": "2026-03-01"}
    ]
    query = "query ($id: ID!) { workout(id: $id) { sets { id weightKg } } }"
    held = (await workouts.data(query, person, {"id": workout["id"]}))["workout"]["sets"][1]["id"]
    delete = "mutation ($w: ID!, $s: ID!) { deleteSet(input: {workoutId: $w, setId: $s}) { workout { version } } }"
    await workouts.data(delete, person, {"w": workout["id"], "s": held})
    best = (await workouts.data(records, person, {"id": person}))["_entities"][0]["personalRecords"]["nodes"]
    assert best[0]["estimatedOneRepMaxKg"] == 116.67


async def test_deleting_tells_a_tombstone(workouts: SubgraphUnderTest, person: str) -> None:
    workout = (await workouts.data(LOG, person, {"input": RUN}))["logWorkout"]["workout"]
    await workouts.data(
        "mutation ($id: ID!) { deleteWorkout(input: {id: $id}) { deletedId } }", person, {"id": workout["id"]}
    )
    envelope, _ = await last_event(workouts, workout["id"])
    assert (envelope.type, envelope.tombstone, envelope.aggregate.version) == ("WorkoutDeleted", True, 2)
    gone = await workouts.data("query ($id: ID!) { workout(id: $id) { id } }", person, {"id": workout["id"]})
    assert gone["workout"] is None


async def test_calories_for_an_exercise_come_from_the_weight_the_router_brings(
    workouts: SubgraphUnderTest, person: str
) -> None:
    query = """query ($r: [_Any!]!) { _entities(representations: $r) { ... on User {
        caloriesFor(exerciseId: "run", minutes: 30) { kcal netKcal method } } } }"""
    with_weight = {"__typename": "User", "id": person, "physiology": {"weightKg": 70}}
    without = {"__typename": "User", "id": person, "physiology": None}
    answer = await workouts.data(query, person, {"r": [with_weight, without]})
    assert [entity["caloriesFor"] for entity in answer["_entities"]] == [
        {"kcal": 360.15, "netKcal": 323.4, "method": "MET"},
        {"kcal": None, "netKcal": None, "method": "UNKNOWN_WEIGHT"},
    ]


async def test_pages_of_workouts_follow_each_other_without_gap(workouts: SubgraphUnderTest, person: str) -> None:
    for day in (1, 2, 3):
        times = {"startedAt": f"2026-03-0{day}T07:00:00Z", "endedAt": f"2026-03-0{day}T08:00:00Z"}
        await workouts.data(LOG, person, {"input": RUN | times})
    query = """query ($id: ID!, $after: String) { _entities(representations: [{__typename: "User", id: $id}]) { ... on User {
        workouts(first: 2, after: $after) { edges { node { localDate } } pageInfo { hasNextPage endCursor } } } } }"""
    first = (await workouts.data(query, person, {"id": person}))["_entities"][0]["workouts"]
    assert [edge["node"]["localDate"] for edge in first["edges"]] == ["2026-03-03", "2026-03-02"]
    assert first["pageInfo"]["hasNextPage"] is True
    after = first["pageInfo"]["endCursor"]
    second = (await workouts.data(query, person, {"id": person, "after": after}))["_entities"][0]["workouts"]
    assert [edge["node"]["localDate"] for edge in second["edges"]] == ["2026-03-01"]
    assert second["pageInfo"]["hasNextPage"] is False


async def test_workouts_are_listed_by_their_status(workouts: SubgraphUnderTest, person: str) -> None:
    await workouts.data(LOG, person, {"input": RUN})
    start = 'mutation { startWorkout(input: {name: "Legs"}) { workout { id } } }'
    running = (await workouts.data(start, person))["startWorkout"]["workout"]["id"]
    query = """query ($id: ID!, $status: WorkoutStatus) {
        _entities(representations: [{__typename: "User", id: $id}]) { ... on User {
            workouts(first: 9, status: $status) { nodes { status } } } } }"""

    async def listed(status: str | None) -> list[str]:
        found = await workouts.data(query, person, {"id": person, "status": status})
        return [each["status"] for each in found["_entities"][0]["workouts"]["nodes"]]

    assert await listed("COMPLETED") == ["COMPLETED"]
    assert await listed("IN_PROGRESS") == ["IN_PROGRESS"]
    assert await listed("CANCELLED") == []
    cancel = "mutation ($id: ID!) { cancelWorkout(input: {id: $id}) { userErrors { code } } }"
    await workouts.data(cancel, person, {"id": running})
    assert await listed("CANCELLED") == ["CANCELLED"]
    assert await listed(None) == ["CANCELLED", "COMPLETED"]


async def test_a_session_left_running_for_years_is_given_up_as_one_of_the_longest(
    workouts: SubgraphUnderTest, person: str
) -> None:
    """Its minutes since then would be more than a workout can have."""
    start = """mutation { startWorkout(input: {name: "Legs", startedAt: "2020-03-01T08:00:00Z"}) { workout { id } } }"""
    running = (await workouts.data(start, person))["startWorkout"]["workout"]["id"]
    cancel = (
        """mutation ($id: ID!) { cancelWorkout(input: {id: $id}) { workout { status endedAt durationMinutes } } }"""
    )
    assert (await workouts.data(cancel, person, {"id": running}))["cancelWorkout"]["workout"] == {
        "status": "CANCELLED", "endedAt": "2020-03-02T08:00:00Z", "durationMinutes": 1440,
    }  # fmt: skip
    rename = """mutation ($id: ID!) { updateWorkout(input: {id: $id, name: "Forgotten"}) { userErrors { code } } }"""
    assert (await workouts.data(rename, person, {"id": running}))["updateWorkout"]["userErrors"] == []


async def test_twenty_workouts_with_everything_cost_as_many_statements_as_one(
    workouts: SubgraphUnderTest, person: str
) -> None:
    session = RUN | {"exercises": [{"exerciseId": "bench", "sets": [{"reps": 5, "weightKg": 100}]}]}
    ids = [(await workouts.data(LOG, person, {"input": session}))["logWorkout"]["workout"]["id"] for _ in range(20)]
    query = """query ($r: [_Any!]!) { _entities(representations: $r) { ... on Workout {
        id user { displayName } exercises { exercise { name } sets { reps } } sets { reps } } } }"""
    for chosen in (ids[:1], ids):
        with workouts.counted_statements() as statements:
            references = [{"__typename": "Workout", "id": workout_id} for workout_id in chosen]
            answer = await workouts.data(query, person, {"r": references})
        assert [entity["id"] for entity in answer["_entities"]] == chosen
        assert len(statements) == 2, statements  # workouts with exercises and sets, people


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"name": " "}, "name"),
        ({"endedAt": "2026-02-28T07:00:00Z"}, "endedAt"),
        ({"endedAt": "2026-03-02T07:00:01Z"}, "endedAt"),
        ({"activeMinutes": -1}, "activeMinutes"),
        ({"activeMinutes": 31}, "activeMinutes"),
        ({"notes": "x" * 501}, "notes"),
        ({"reportedKcal": -1}, "reportedKcal"),
        ({"reportedKcal": 9e6}, "reportedKcal"),
        ({"exercises": [{"exerciseId": "run"}] * 51}, "exercises"),
        ({"exercises": [{"exerciseId": "run", "durationSeconds": 0}]}, "exercises.0.durationSeconds"),
        (
            {"exercises": [{"exerciseId": "run", "sets": [{"durationSeconds": 86401}]}]},
            "exercises.0.sets.0.durationSeconds",
        ),
        ({"exercises": [{"exerciseId": "run", "sets": [{"reps": 1}] * 501}]}, "exercises"),
        ({"exercises": [{"exerciseId": "none"}]}, "exercises.0.exerciseId"),
        ({"exercises": [{"exerciseId": "run", "sets": [{}]}]}, "exercises.0.sets.0.reps"),
    ],
)
async def test_bad_input_is_refused_with_its_field(
    workouts: SubgraphUnderTest, person: str, change: dict[str, Any], field: str
) -> None:
    result = await workouts.run(LOG, person, {"input": RUN | change})
    assert result.errors is None
    refused = (result.data or {})["logWorkout"]
    assert refused["workout"] is None
    assert [(each["code"], each["field"]) for each in refused["userErrors"]] == [("VALIDATION_ERROR", field)]


async def test_a_deleted_weighing_no_longer_prices(workouts: SubgraphUnderTest, person: str) -> None:
    day = date(2026, 2, 1)
    await tell(workouts, person, weighing(person, day, "70"))
    await tell(workouts, person, WeightDeleted(entry_id=f"{person}-{day}", local_date=day))
    estimate = (await workouts.data(LOG, person, {"input": RUN}))["logWorkout"]["workout"]["caloriesBurned"]
    assert estimate["method"] == "UNKNOWN_WEIGHT"


async def test_a_person_has_so_many_workouts_and_no_more(
    workouts: SubgraphUnderTest, person: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(commands, "MOST_WORKOUTS", 1)
    keyed = RUN | {"idempotencyKey": "workout-of-the-quota"}
    logged = (await workouts.data(LOG, person, {"input": keyed}))["logWorkout"]
    result = await workouts.run(LOG, person, {"input": RUN})
    assert [each["code"] for each in (result.data or {})["logWorkout"]["userErrors"]] == ["CONFLICT"]
    assert (await workouts.data(LOG, person, {"input": keyed}))["logWorkout"] == logged, "answered as before"
