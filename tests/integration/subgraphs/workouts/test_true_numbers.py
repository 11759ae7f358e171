"""The numbers of workouts are true: bounded on every path, net of rest, with the body's load, and taken back by null."""

import asyncio
from collections.abc import AsyncIterator
from datetime import date
from decimal import Decimal
from itertools import count
from typing import Any

import pytest
from sqlalchemy import text

from events.consumer import project_newer
from events.contracts.users import SettingsChanged, UserRegistered
from events.contracts.workouts import WorkoutState
from events.envelope import Aggregate, Envelope, encode_payload
from subgraphs.shell.calendar import WeekStart
from subgraphs.shell.context import utc_now
from subgraphs.workouts.commands.settle import settle_outdated_workouts
from subgraphs.workouts.projections.person import subscription
from tests.testkit.servers import Postgres
from tests.testkit.subgraph import SubgraphUnderTest
from tests.testkit.workouts import LOG, RUN, errors_of, last_event, tell, weighing, workouts_subgraph

_people = count(1)
WINTER = date(2026, 2, 1)
START = 'mutation { startWorkout(input: {name: "Live", startedAt: "2026-03-01T07:00:00Z"}) { workout { id } } }'
COMPLETE = """
    mutation ($input: CompleteWorkoutInput!) { completeWorkout(input: $input) {
      userErrors { code field } workout { id durationMinutes activeMinutes caloriesBurned { kcal netKcal method } } } }
"""
UPDATE = """
    mutation ($input: UpdateWorkoutInput!) { updateWorkout(input: $input) {
      userErrors { code field } workout { name notes activeMinutes caloriesBurned { kcal netKcal method } } } }
"""
LOG_SET = """
    mutation ($input: LogSetInput!) { logSet(input: $input) {
      userErrors { code field } set { id reps weightKg loadKg } workout { id version volumeKg } } }
"""
EDIT_SET = """
    mutation ($input: EditSetInput!) { editSet(input: $input) {
      userErrors { code field } set { kind reps weightKg rpe } workout { volumeKg } } }
"""
RECORDS = """query ($id: ID!) { _entities(representations: [{__typename: "User", id: $id}]) { ... on User {
    personalRecords { totalCount nodes { exercise { id } maxWeightKg maxReps bestSetVolumeKg achievedOn } } } } }"""


@pytest.fixture(scope="module")
async def workouts(postgres: Postgres) -> AsyncIterator[SubgraphUnderTest]:
    async with workouts_subgraph(postgres, "workouts_numbers") as subgraph:
        yield subgraph


@pytest.fixture
def person() -> str:
    return f"person-{next(_people)}"


async def started(workouts: SubgraphUnderTest, person: str) -> str:
    return str((await workouts.data(START, person))["startWorkout"]["workout"]["id"])


async def logged(workouts: SubgraphUnderTest, person: str, **changes: Any) -> dict[str, Any]:
    workout: dict[str, Any] = (await workouts.data(LOG, person, {"input": RUN | changes}))["logWorkout"]["workout"]
    return workout


@pytest.mark.parametrize(
    ("given", "field"),
    [
        ({"reportedKcal": 9e6}, "reportedKcal"),
        ({"reportedKcal": -1}, "reportedKcal"),
        ({"activeMinutes": -5}, "activeMinutes"),
        ({"activeMinutes": 61}, "activeMinutes"),
        ({"endedAt": "2026-03-01T06:59:59Z"}, "endedAt"),
        ({"endedAt": "2026-03-02T07:00:01Z"}, "endedAt"),
    ],
)
async def test_a_session_is_not_completed_with_numbers_out_of_bounds(
    workouts: SubgraphUnderTest, person: str, given: dict[str, Any], field: str
) -> None:
    workout_id = await started(workouts, person)
    told = {"id": workout_id, "endedAt": "2026-03-01T08:00:00Z"} | given
    result = await workouts.run(COMPLETE, person, {"input": told})
    assert errors_of(result.data or {}, "completeWorkout") == [("VALIDATION_ERROR", field)]
    told = {"id": workout_id, "endedAt": "2026-03-01T08:00:00Z", "activeMinutes": 60, "reportedKcal": 400}
    done = (await workouts.data(COMPLETE, person, {"input": told}))["completeWorkout"]["workout"]
    assert (done["durationMinutes"], done["activeMinutes"]) == (60.0, 60.0)
    assert done["caloriesBurned"] == {"kcal": 400.0, "netKcal": None, "method": "REPORTED"}


@pytest.mark.parametrize(
    ("given", "field"),
    [
        ({"reportedKcal": 20_001}, "reportedKcal"),
        ({"activeMinutes": -1}, "activeMinutes"),
        ({"activeMinutes": 31}, "activeMinutes"),
        ({"name": ""}, "name"),
        ({"name": None}, "name"),
        ({"startedAt": None}, "startedAt"),
    ],
)
async def test_a_workout_is_not_changed_to_numbers_out_of_bounds(
    workouts: SubgraphUnderTest, person: str, given: dict[str, Any], field: str
) -> None:
    workout = await logged(workouts, person)
    result = await workouts.run(UPDATE, person, {"input": {"id": workout["id"]} | given})
    assert errors_of(result.data or {}, "updateWorkout") == [("VALIDATION_ERROR", field)]


async def test_the_day_of_a_workout_follows_the_clock_that_was_set_a_moment_ago(
    workouts: SubgraphUnderTest, person: str
) -> None:
    """Neither the token nor what is replicated knows of it yet."""
    await tell(workouts, person, UserRegistered(email="x@example.com", display_name="X", time_zone="UTC"))
    assert (await logged(workouts, person))["localDate"] == "2026-03-01"
    await workouts.resources.recent_clocks.announce(
        person, 2, time_zone="America/Los_Angeles", day_start_hour=0, week_start=WeekStart.MONDAY
    )
    assert (await logged(workouts, person))["localDate"] == "2026-02-28"  # 23:00 the evening before


async def _replicate(workouts: SubgraphUnderTest, person: str, version: int, time_zone: str) -> None:
    """The account in this version comes by its event."""
    account = SettingsChanged(email="x@example.com", display_name="X", time_zone=time_zone)
    envelope = Envelope(
        event_id=f"{person}-{version}",
        type="SettingsChanged",
        schema_version=1,
        aggregate=Aggregate("user", person, version),
        user_id=person,
        occurred_at=utc_now(),
        recorded_at=utc_now(),
        payload=encode_payload(account),
    )
    async with workouts.database.transaction() as connection:
        await project_newer(subscription(None, utc_now), connection, [envelope])


async def test_a_clock_that_was_replicated_since_counts_more_than_an_older_announcement(
    workouts: SubgraphUnderTest, person: str
) -> None:
    """The announcement of version 3 was lost, as it is while Redis is away; its event came."""
    await _replicate(workouts, person, 1, "UTC")
    await workouts.resources.recent_clocks.announce(
        person, 2, time_zone="America/Los_Angeles", day_start_hour=0, week_start=WeekStart.MONDAY
    )
    assert (await logged(workouts, person))["localDate"] == "2026-02-28"
    await _replicate(workouts, person, 3, "Europe/Berlin")
    assert (await logged(workouts, person))["localDate"] == "2026-03-01"


async def test_no_workout_begins_or_ends_in_the_future(workouts: SubgraphUnderTest, person: str) -> None:
    later = {"startedAt": "2126-03-01T07:00:00Z", "endedAt": "2126-03-01T08:00:00Z"}
    result = await workouts.run(LOG, person, {"input": RUN | later})
    assert errors_of(result.data or {}, "logWorkout") == [
        ("VALIDATION_ERROR", "startedAt"),
        ("VALIDATION_ERROR", "endedAt"),
    ]


async def test_all_broken_rules_of_a_change_are_told_at_once(workouts: SubgraphUnderTest, person: str) -> None:
    workout = await logged(workouts, person)
    given = {"id": workout["id"], "name": " ", "reportedKcal": 1e9, "activeMinutes": -1}
    result = await workouts.run(UPDATE, person, {"input": given})
    assert sorted(field for _, field in errors_of(result.data or {}, "updateWorkout")) == [
        "activeMinutes",
        "name",
        "reportedKcal",
    ]


async def test_a_shorter_workout_must_hold_the_active_minutes_it_has(workouts: SubgraphUnderTest, person: str) -> None:
    workout = await logged(workouts, person, activeMinutes=30)
    shorter = {"id": workout["id"], "endedAt": "2026-03-01T07:20:00Z"}
    result = await workouts.run(UPDATE, person, {"input": shorter})
    assert errors_of(result.data or {}, "updateWorkout") == [("VALIDATION_ERROR", "activeMinutes")]
    await workouts.data(UPDATE, person, {"input": shorter | {"activeMinutes": 20}})


async def test_null_takes_a_reported_number_back_and_absence_keeps_it(workouts: SubgraphUnderTest, person: str) -> None:
    await tell(workouts, person, weighing(person, WINTER, "70"))
    workout = await logged(workouts, person, reportedKcal=500, activeMinutes=20, notes="hot")
    renamed = {"id": workout["id"], "name": "Run home"}
    kept = (await workouts.data(UPDATE, person, {"input": renamed}))["updateWorkout"]["workout"]
    assert (kept["name"], kept["notes"], kept["activeMinutes"]) == ("Run home", "hot", 20.0)
    assert kept["caloriesBurned"] == {"kcal": 500.0, "netKcal": 463.25, "method": "REPORTED"}
    back = {"id": workout["id"], "reportedKcal": None, "activeMinutes": None, "notes": None}
    cleared = (await workouts.data(UPDATE, person, {"input": back}))["updateWorkout"]["workout"]
    assert (cleared["notes"], cleared["activeMinutes"]) == (None, None)
    assert cleared["caloriesBurned"] == {"kcal": 360.15, "netKcal": 323.4, "method": "MET"}


async def test_the_net_of_a_reported_number_leaves_out_what_rest_would_have_burned(
    workouts: SubgraphUnderTest, person: str
) -> None:
    waiting = await logged(workouts, person, reportedKcal=500)
    assert waiting["caloriesBurned"] == {"kcal": 500.0, "netKcal": None, "method": "REPORTED", "bodyWeightKg": None}
    await tell(workouts, person, weighing(person, WINTER, "70"))
    query = "query ($id: ID!) { workout(id: $id) { caloriesBurned { kcal netKcal bodyWeightKg } } }"
    priced = (await workouts.data(query, person, {"id": waiting["id"]}))["workout"]["caloriesBurned"]
    assert priced == {"kcal": 500.0, "netKcal": 463.25, "bodyWeightKg": 70.0}  # 1 MET for half an hour: 36.75
    _, payload = await last_event(workouts, waiting["id"])
    assert isinstance(payload, WorkoutState)
    assert (payload.calories_kcal, payload.net_calories_kcal) == (Decimal(500), Decimal("463.25"))


@pytest.mark.parametrize("exercises", [[], [{"exerciseId": "unknown", "durationSeconds": 600}]])
async def test_a_workout_that_says_not_what_was_done_has_a_duration_and_no_energy(
    workouts: SubgraphUnderTest, person: str, exercises: list[dict[str, Any]]
) -> None:
    await tell(workouts, person, weighing(person, WINTER, "70"))
    workout = await logged(workouts, person, exercises=exercises)
    assert workout["durationMinutes"] == 30.0
    assert workout["caloriesBurned"] == {
        "kcal": None,
        "netKcal": None,
        "method": "UNKNOWN_EFFORT",
        "bodyWeightKg": 70.0,
    }


async def test_efforts_longer_than_the_session_are_shortened_to_it(workouts: SubgraphUnderTest, person: str) -> None:
    await tell(workouts, person, weighing(person, WINTER, "70"))
    day_long = [{"exerciseId": "run", "sets": [{"durationSeconds": 86_400}] * 20}] * 2
    workout = await logged(workouts, person, exercises=day_long)
    assert workout["caloriesBurned"]["kcal"] == 360.15


async def test_a_weight_that_helps_is_taken_off_the_body_and_less_help_is_a_record(
    workouts: SubgraphUnderTest, person: str
) -> None:
    await tell(workouts, person, weighing(person, WINTER, "80"))
    sets = [{"reps": 8, "weightKg": -30}, {"reps": 4, "weightKg": -90}]
    workout = await logged(workouts, person, exercises=[{"exerciseId": "pullups", "sets": sets}])
    query = "query ($id: ID!) { workout(id: $id) { volumeKg sets { id loadKg estimatedOneRepMaxKg } } }"
    found = (await workouts.data(query, person, {"id": workout["id"]}))["workout"]
    assert [one["loadKg"] for one in found["sets"]] == [50.0, 0.0]
    assert [one["estimatedOneRepMaxKg"] for one in found["sets"]] == [None, None]
    assert found["volumeKg"] == 8 * 50.0

    started = (await workouts.data('mutation { startWorkout(input: { name: "Help" }) { workout { id } } }', person))[
        "startWorkout"
    ]
    log = (
        """mutation ($input: LogSetInput!) { logSet(input: $input) { set { id } records userErrors { code field } } }"""
    )

    async def told(exercise: str, weight_kg: float) -> dict[str, Any]:
        given = {"workoutId": started["workout"]["id"], "exerciseId": exercise, "reps": 1, "weightKg": weight_kg}
        answer = await workouts.run(log, person, {"input": given})
        assert answer.data is not None, answer.errors
        return dict(answer.data["logSet"])

    records = [(await told("pullups", weight))["records"] for weight in (-40, -20, 0)]
    assert records == [[], ["MAX_WEIGHT"], ["MAX_WEIGHT"]]
    refused = [{"code": "VALIDATION_ERROR", "field": "weightKg"}]
    assert (await told("bench", -5))["userErrors"] == refused
    assert (await told("pullups", -501))["userErrors"] == refused
    edit = (
        """mutation ($input: EditSetInput!) { editSet(input: $input) { set { weightKg } userErrors { code field } } }"""
    )
    benched = (await told("bench", 50))["set"]["id"]
    given = {"workoutId": started["workout"]["id"], "setId": benched, "weightKg": -5}
    answer = await workouts.run(edit, person, {"input": given})
    assert answer.data is not None, answer.errors
    assert answer.data["editSet"]["userErrors"][0]["code"] == "VALIDATION_ERROR"


async def test_sets_with_the_body_count_volume_as_soon_as_its_weight_is_known(
    workouts: SubgraphUnderTest, person: str
) -> None:
    sets = [{"reps": 10}, {"reps": 5, "weightKg": 20}, {"reps": 10, "kind": "WARM_UP"}]
    workout = await logged(workouts, person, exercises=[{"exerciseId": "pullups", "sets": sets}])
    assert workout["volumeKg"] == 0.0
    await tell(workouts, person, weighing(person, WINTER, "80"))
    query = "query ($id: ID!) { workout(id: $id) { volumeKg sets { loadKg estimatedOneRepMaxKg } } }"
    found = (await workouts.data(query, person, {"id": workout["id"]}))["workout"]
    assert found["volumeKg"] == 10 * 80.0 + 5 * 100.0
    assert [one["loadKg"] for one in found["sets"]] == [80.0, 100.0, 80.0]
    assert [one["estimatedOneRepMaxKg"] for one in found["sets"]] == [None, None, None]
    records = (await workouts.data(RECORDS, person, {"id": person}))["_entities"][0]["personalRecords"]
    assert records["nodes"] == [
        {
            "exercise": {"id": "pullups"},
            "maxWeightKg": 20.0,
            "maxReps": 10,
            "bestSetVolumeKg": 800.0,
            "achievedOn": "2026-03-01",
        }
    ]


async def test_editing_a_set_keeps_what_is_not_sent_and_null_clears(workouts: SubgraphUnderTest, person: str) -> None:
    workout_id = await started(workouts, person)
    told = {"workoutId": workout_id, "exerciseId": "bench", "reps": 5, "weightKg": 100, "rpe": 8.5, "kind": "FAILURE"}
    one = (await workouts.data(LOG_SET, person, {"input": told}))["logSet"]["set"]
    which = {"workoutId": workout_id, "setId": one["id"]}
    edited = (await workouts.data(EDIT_SET, person, {"input": which | {"reps": 6}}))["editSet"]
    assert edited["set"] == {"kind": "FAILURE", "reps": 6, "weightKg": 100.0, "rpe": 8.5}
    assert edited["workout"]["volumeKg"] == 600.0
    edited = (await workouts.data(EDIT_SET, person, {"input": which | {"rpe": None}}))["editSet"]
    assert edited["set"] == {"kind": "FAILURE", "reps": 6, "weightKg": 100.0, "rpe": None}
    for change, field in (({"reps": None}, "reps"), ({"kind": None}, "kind"), ({"weightKg": 2001}, "weightKg")):
        result = await workouts.run(EDIT_SET, person, {"input": which | change})
        assert errors_of(result.data or {}, "editSet") == [("VALIDATION_ERROR", field)]


async def test_a_set_is_logged_once_for_a_key_and_other_content_is_refused(
    workouts: SubgraphUnderTest, person: str
) -> None:
    workout_id = await started(workouts, person)
    told = {"workoutId": workout_id, "exerciseId": "bench", "reps": 5, "weightKg": 100, "idempotencyKey": "one"}
    first = (await workouts.data(LOG_SET, person, {"input": told}))["logSet"]
    again = (await workouts.data(LOG_SET, person, {"input": told}))["logSet"]
    assert again == first
    result = await workouts.run(LOG_SET, person, {"input": told | {"reps": 6}})
    assert errors_of(result.data or {}, "logSet") == [("CONFLICT", "idempotencyKey")]


@pytest.mark.parametrize("name", ["logWorkout", "startWorkout", "createExercise"])
async def test_a_creation_happens_once_for_a_key_and_other_content_is_refused(
    workouts: SubgraphUnderTest, person: str, name: str
) -> None:
    times = ', startedAt: "2026-03-01T07:00:00Z", endedAt: "2026-03-01T07:30:00Z"'
    more = {"logWorkout": times, "startWorkout": "", "createExercise": ", category: CORE"}[name]
    shown = "exercise" if name == "createExercise" else "workout"
    create = f"""mutation ($name: String!) {{ {name}(input: {{name: $name, idempotencyKey: "k"{more}}}) {{
        userErrors {{ code field }} {shown} {{ id }} }} }}"""
    first = await workouts.data(create, person, {"name": "One"})
    assert await workouts.data(create, person, {"name": "One"}) == first
    result = await workouts.run(create, person, {"name": "Two"})
    assert errors_of(result.data or {}, name) == [("CONFLICT", "idempotencyKey")]


async def test_a_workout_has_room_for_so_many_sets_and_exercises(workouts: SubgraphUnderTest, person: str) -> None:
    full = [{"exerciseId": "bench", "sets": [{"reps": 1}] * 500}]
    workout = await logged(workouts, person, exercises=full)
    told = {"workoutId": workout["id"], "exerciseId": "bench", "reps": 1}
    result = await workouts.run(LOG_SET, person, {"input": told})
    assert errors_of(result.data or {}, "logSet") == [("VALIDATION_ERROR", "workoutId")]
    workout = await logged(workouts, person, exercises=[{"exerciseId": "bench"}] * 50)
    told = {"workoutId": workout["id"], "exerciseId": "squat", "reps": 1}
    result = await workouts.run(LOG_SET, person, {"input": told})
    assert errors_of(result.data or {}, "logSet") == [("VALIDATION_ERROR", "exerciseId")]
    await workouts.data(LOG_SET, person, {"input": told | {"exerciseId": "bench"}})


async def test_a_person_has_so_many_exercises_of_their_own(workouts: SubgraphUnderTest, person: str) -> None:
    fill = text(
        "INSERT INTO exercise (id, name, category, primary_muscles, secondary_muscles, level, tracking, created_by)"
        " SELECT :id || '-' || n, 'Mine', 'CORE', '{}', '{}', 'BEGINNER', 'TIME', :id FROM generate_series(1, 499) AS n"
    )
    async with workouts.database.transaction() as transaction:
        await transaction.execute(fill, {"id": person})
    create = """mutation { createExercise(input: {name: "One more", category: CORE}) {
        userErrors { code field } exercise { id } } }"""
    await workouts.data(create, person)
    result = await workouts.run(create, person)
    assert errors_of(result.data or {}, "createExercise") == [("CONFLICT", None)]


async def test_the_workouts_of_a_day_are_ordered_by_their_start(workouts: SubgraphUnderTest, person: str) -> None:
    for name, hour in (("Noon", 12), ("Morning", 7), ("Evening", 18)):
        times = {"startedAt": f"2026-03-01T{hour:02}:00:00Z", "endedAt": f"2026-03-01T{hour:02}:30:00Z"}
        await logged(workouts, person, name=name, **times)
    query = """query ($id: ID!, $first: Int, $after: String, $last: Int) {
        _entities(representations: [{__typename: "User", id: $id}]) { ... on User {
        workouts(first: $first, after: $after, last: $last) {
            totalCount nodes { name } pageInfo { endCursor } } } } }"""
    page = (await workouts.data(query, person, {"id": person}))["_entities"][0]["workouts"]
    assert [node["name"] for node in page["nodes"]] == ["Evening", "Noon", "Morning"]
    assert page["totalCount"] == 3
    first = (await workouts.data(query, person, {"id": person, "first": 2}))["_entities"][0]["workouts"]
    after = {"id": person, "first": 2, "after": first["pageInfo"]["endCursor"]}
    rest = (await workouts.data(query, person, after))["_entities"][0]["workouts"]
    assert [node["name"] for node in first["nodes"] + rest["nodes"]] == ["Evening", "Noon", "Morning"]
    last = (await workouts.data(query, person, {"id": person, "last": 2}))["_entities"][0]["workouts"]
    assert [node["name"] for node in last["nodes"]] == ["Noon", "Morning"]


async def test_records_rise_and_fall_with_the_workouts_that_hold_them(workouts: SubgraphUnderTest, person: str) -> None:
    async def record() -> tuple[float, int, str] | None:
        found = (await workouts.data(RECORDS, person, {"id": person}))["_entities"][0]["personalRecords"]["nodes"]
        return (found[0]["maxWeightKg"], found[0]["maxReps"], found[0]["achievedOn"]) if found else None

    def on(day: int, *sets: dict[str, Any]) -> dict[str, Any]:
        times = {"startedAt": f"2026-03-{day:02}T07:00:00Z", "endedAt": f"2026-03-{day:02}T07:30:00Z"}
        return times | {"exercises": [{"exerciseId": "bench", "sets": list(sets)}]}

    first = await logged(workouts, person, **on(2, {"reps": 5, "weightKg": 100}))
    assert await record() == (100.0, 5, "2026-03-02")
    same = await logged(workouts, person, **on(1, {"reps": 5, "weightKg": 100}))
    assert await record() == (100.0, 5, "2026-03-01")
    best = await logged(workouts, person, **on(3, {"reps": 3, "weightKg": 120}, {"reps": 13, "weightKg": 50}))
    assert await record() == (120.0, 13, "2026-03-03")
    moved = {"id": best["id"], "startedAt": "2026-03-04T07:00:00Z", "endedAt": "2026-03-04T07:30:00Z"}
    await workouts.data(UPDATE, person, {"input": moved})
    assert await record() == (120.0, 13, "2026-03-04")
    delete = "mutation ($id: ID!) { deleteWorkout(input: {id: $id}) { deletedId user { id } } }"
    gone = await workouts.data(delete, person, {"id": best["id"]})
    assert gone["deleteWorkout"] == {"deletedId": best["id"], "user": {"id": person}}
    assert await record() == (100.0, 5, "2026-03-01")
    for workout in (same, first):
        await workouts.data(delete, person, {"id": workout["id"]})
    assert await record() is None


async def test_two_hundred_sets_cost_as_many_statements_as_one(workouts: SubgraphUnderTest, person: str) -> None:
    counted = []
    for exercises, sets in ((1, 1), (20, 10)):
        session = RUN | {
            "exercises": [{"exerciseId": "bench", "sets": [{"reps": 5, "weightKg": 50}] * sets}] * exercises
        }
        with workouts.counted_statements() as statements:
            await workouts.data(
                "mutation ($input: LogWorkoutInput!) { logWorkout(input: $input) { workout { id } } }",
                person,
                {"input": session},
            )
        counted.append(len(statements))
    assert counted[0] == counted[1] <= 20, counted


async def test_workouts_of_older_rules_are_settled_anew_and_told(workouts: SubgraphUnderTest, person: str) -> None:
    await tell(workouts, person, weighing(person, WINTER, "70"))
    workout = await logged(workouts, person, reportedKcal=500)
    as_of_old = text("UPDATE workout SET rules = 1, net_calories_kcal = calories_kcal WHERE id = :id")
    async with workouts.database.transaction() as transaction:
        await transaction.execute(as_of_old, {"id": workout["id"]})
    async with workouts.database.transaction() as transaction:
        assert await settle_outdated_workouts(transaction, 10, utc_now()) == 1
        assert await settle_outdated_workouts(transaction, 10, utc_now()) == 0
    envelope, payload = await last_event(workouts, workout["id"])
    assert isinstance(payload, WorkoutState)
    assert (envelope.aggregate.version, payload.net_calories_kcal) == (workout["version"] + 1, Decimal("463.25"))


async def test_a_weight_that_comes_while_a_workout_is_written_counts_for_it(
    workouts: SubgraphUnderTest, person: str
) -> None:
    """Neither transaction sees what the other has not committed: one of them has to wait."""
    running = await started(workouts, other := f"{person}-runs")
    writing: list[asyncio.Task[Any]] = []

    async def log() -> None:
        writing.append(asyncio.create_task(workouts.data(LOG, person, {"input": RUN})))
        await asyncio.sleep(0.3)  # it is under way, and done by now if it did not wait

    async def complete() -> None:
        ended = {"id": running, "endedAt": "2026-03-01T07:30:00Z"}
        writing.append(asyncio.create_task(workouts.data(COMPLETE, other, {"input": ended})))
        await asyncio.sleep(0.3)

    await tell(workouts, person, weighing(person, WINTER, "70"), meanwhile=log)
    await tell(workouts, other, weighing(other, WINTER, "80"), meanwhile=complete)
    written, completed = await asyncio.gather(*writing)
    ids = [written["logWorkout"]["workout"]["id"], completed["completeWorkout"]["workout"]["id"]]
    statement = text("SELECT body_weight_kg FROM workout WHERE id = ANY(:ids) ORDER BY body_weight_kg")
    async with workouts.database.reading() as connection:
        assert list(await connection.scalars(statement, {"ids": ids})) == [70, 80]
