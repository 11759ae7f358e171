"""Workouts planned for days over a real database: the calendar, what a planned one becomes, and that nothing of it counts as done."""

from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime
from itertools import count
from typing import Any

import pytest
from sqlalchemy import text

from events.contracts.users import UserRegistered
from events.contracts.workouts import PlannedWorkoutState
from events.envelope import Envelope, Payload, decode_envelope
from events.upcast import read_payload
from subgraphs.shell.context import utc_now
from subgraphs.workouts.app import tell_plans_of_before
from subgraphs.workouts.commands import planned_workout as commands
from tests.testkit.servers import Postgres
from tests.testkit.subgraph import SubgraphUnderTest
from tests.testkit.workouts import errors_of, last_event, tell, told, workouts_subgraph

_people = count(1)
NOW = datetime(2026, 3, 28, 12, tzinfo=UTC)  # a Saturday; clocks in Europe go forward in the night after it
PLAN = """mutation ($input: PlanWorkoutInput!) { it: planWorkout(input: $input) {
  plannedWorkout { id date timeOfDay startsAt name notes minutes status version routine { id }
    exercises { position incrementKg exercise { id } plan { sets mostReps weightKg restSeconds superset } } }
  userErrors { code field } } }"""
CHANGE = """mutation ($input: NAMEInput!) { it: name(input: $input) {
  plannedWorkout { id date timeOfDay name minutes status version workout { id } } userErrors { code field } } }"""
START = """mutation ($input: StartPlannedWorkoutInput!) { it: startPlannedWorkout(input: $input) {
  workout { id name status localDate planned { id status } exercises { exercise { id } plan { sets weightKg restSeconds } } }
  userErrors { code field } } }"""
CLEAR = "mutation ($input: ClearPlannedWorkoutsInput!) { it: clearPlannedWorkouts(input: $input) { cleared userErrors { code field } } }"
CANCEL = "mutation ($input: CancelPlannedWorkoutInput!) { it: cancelPlannedWorkout(input: $input) { deletedId userErrors { code field } } }"
LOG_SET = "mutation ($input: LogSetInput!) { logSet(input: $input) { userErrors { code } } }"
COMPLETE = "mutation ($id: ID!) { completeWorkout(input: {id: $id}) { userErrors { code } } }"
GIVE_UP = "mutation ($id: ID!) { cancelWorkout(input: {id: $id}) { userErrors { code } } }"
DELETE = "mutation ($id: ID!) { deleteWorkout(input: {id: $id}) { userErrors { code } } }"
LOG = """mutation ($input: LogWorkoutInput!) { logWorkout(input: $input) { workout { id } userErrors { code } } }"""
TEMPLATE = """mutation { createTemplate(input: {name: "Push", notes: "Slowly", exercises: [
  {exerciseId: "bench", sets: 2, leastReps: 8, mostReps: 8, weightKg: 60, restSeconds: 120, incrementKg: 2.5}]}) {
  template { id } } }"""
CALENDAR = """query ($id: ID!, $from: LocalDate!, $to: LocalDate!) {
  _entities(representations: [{__typename: "User", id: $id}]) { ... on User { trainingCalendar(from: $from, to: $to) {
    date status planned { id name status } workouts { name status } } } } }"""
COUNTS = """query ($id: ID!) { _entities(representations: [{__typename: "User", id: $id}]) { ... on User {
  workouts { totalCount } activeWorkout { id } personalRecords { totalCount } plannedWorkouts { totalCount nodes { date } }
  trainingLoad(from: "2026-03-01", to: "2026-04-30") { load } trainingWeeks(from: "2026-03-01", to: "2026-04-30") { first }
} } }"""
BENCH = {"exerciseId": "bench", "sets": 2, "mostReps": 8, "weightKg": 60}


@pytest.fixture(scope="module")
async def workouts(postgres: Postgres) -> AsyncIterator[SubgraphUnderTest]:
    async with workouts_subgraph(postgres, "workouts_planned") as subgraph:
        yield subgraph


@pytest.fixture
def person() -> str:
    return f"person-{next(_people)}"


Clock = Callable[[datetime], None]


@pytest.fixture(autouse=True)
def clock(workouts: SubgraphUnderTest, monkeypatch: pytest.MonkeyPatch) -> Clock:
    """Sets the server's clock."""

    def at(now: datetime) -> None:
        monkeypatch.setattr(workouts.resources, "now", lambda: now)

    at(NOW)
    return at


async def plan(workouts: SubgraphUnderTest, person: str, date: str, **more: Any) -> Any:
    made = await told(workouts, person, PLAN, date=date, **({"name": "Legs"} | more))
    assert made["userErrors"] == []
    return made["plannedWorkout"]


async def change(workouts: SubgraphUnderTest, person: str, name: str, /, **given: Any) -> Any:
    operation = CHANGE.replace("NAME", name[0].upper() + name[1:]).replace("name(", f"{name}(")
    return await told(workouts, person, operation, **given)


async def calendar(workouts: SubgraphUnderTest, person: str, first: str, last: str, **context: Any) -> Any:
    given = {"id": person, "from": first, "to": last}
    return (await workouts.data(CALENDAR, context.pop("viewer", person), given, **context))["_entities"][0][
        "trainingCalendar"
    ]


async def facts(workouts: SubgraphUnderTest, person: str) -> Any:
    return (await workouts.data(COUNTS, person, {"id": person}))["_entities"][0]


async def events_of(workouts: SubgraphUnderTest, person: str) -> int:
    """How many events of workouts there are; what is planned is told on a topic of its own."""
    async with workouts.database.reading() as connection:
        statement = text("SELECT count(*) FROM outbox WHERE key = :id AND topic = 'workouts.session.v1'")
        return int(await connection.scalar(statement, {"id": person}) or 0)


async def plans_told(workouts: SubgraphUnderTest, person: str) -> list[tuple[Any, ...]]:
    """Each event of what the person plans, in order: its type, version, day and time, and whether it is to be done."""
    async with workouts.database.reading() as connection:
        statement = text("SELECT value FROM outbox WHERE key = :id AND topic = 'workouts.plan.v1' ORDER BY seq")
        envelopes = [decode_envelope(value) for value in await connection.scalars(statement, {"id": person})]
    return [_told(envelope, read_payload(envelope)) for envelope in envelopes]


def _told(envelope: Envelope, payload: Payload) -> tuple[Any, ...]:
    version = envelope.aggregate.version
    if isinstance(payload, PlannedWorkoutState):
        clock = payload.time_of_day and payload.time_of_day.isoformat("minutes")
        is_open = not payload.is_skipped and not payload.has_begun
        return envelope.type, version, str(payload.local_date), clock, is_open
    assert envelope.tombstone
    return envelope.type, version, str(envelope.local_date), None, False


async def test_a_calendar_shows_what_is_planned_done_missed_and_skipped(
    workouts: SubgraphUnderTest, person: str, clock: Clock
) -> None:
    await plan(workouts, person, "2026-03-26", name="Missed")
    skipped = await plan(workouts, person, "2026-03-27", name="Skipped")
    await change(workouts, person, "skipPlannedWorkout", id=skipped["id"])
    await plan(workouts, person, "2026-03-28", name="Evening", timeOfDay="18:00")
    await plan(workouts, person, "2026-03-28", name="Morning", timeOfDay="07:00")
    await plan(workouts, person, "2026-03-28", name="Any time")
    run = {"name": "Run", "startedAt": "2026-03-25T07:00:00Z", "endedAt": "2026-03-25T07:30:00Z"}
    await workouts.data(LOG, person, {"input": run})
    shown = await calendar(workouts, person, "2026-03-24", "2026-03-29")
    assert [
        (day["date"], day["status"], [(one["name"], one["status"]) for one in day["planned"]]) for day in shown
    ] == [
        ("2026-03-24", "REST", []),
        ("2026-03-25", "DONE", []),
        ("2026-03-26", "MISSED", [("Missed", "MISSED")]),
        ("2026-03-27", "REST", [("Skipped", "SKIPPED")]),
        ("2026-03-28", "PLANNED", [("Morning", "PLANNED"), ("Evening", "PLANNED"), ("Any time", "PLANNED")]),
        ("2026-03-29", "REST", []),
    ]
    assert shown[1]["workouts"] == [{"name": "Run", "status": "COMPLETED"}]
    clock(datetime(2026, 3, 29, 0, 1, tzinfo=UTC))
    assert (await calendar(workouts, person, "2026-03-28", "2026-03-28"))[0]["status"] == "MISSED"
    assert await workouts.codes(CALENDAR, person, {"id": person, "from": "2026-01-01", "to": "2026-04-03"}) == [
        "VALIDATION_ERROR"
    ]
    assert len(await calendar(workouts, person, "2026-01-01", "2026-04-02")) == 92


async def test_missed_is_of_the_day_of_the_person_whose_it_is_on_a_day_of_23_hours(
    workouts: SubgraphUnderTest, person: str, clock: Clock
) -> None:
    account = UserRegistered(email="x@example.com", display_name="X", time_zone="Europe/Berlin", day_start_hour=4)
    await tell(workouts, person, account)
    clock(datetime(2026, 3, 28, 20, tzinfo=UTC))
    planned = await plan(workouts, person, "2026-03-28", timeOfDay="20:30")
    night = await plan(workouts, person, "2026-03-29", timeOfDay="02:30")
    assert planned["startsAt"] == "2026-03-28T19:30:00Z"
    assert night["startsAt"] == "2026-03-29T01:00:00Z"  # clocks skip half past two: the first moment after
    for now, status in (
        (datetime(2026, 3, 29, 1, 59, tzinfo=UTC), "PLANNED"),  # 03:59 in Berlin: the night belongs to the 28th
        (datetime(2026, 3, 29, 2, tzinfo=UTC), "MISSED"),
    ):
        clock(now)
        for viewer, roles in ((person, ("USER",)), ("an administrator", ("ADMIN",))):  # whose own day is another
            shown = await calendar(workouts, person, "2026-03-28", "2026-03-28", viewer=viewer, roles=roles)
            assert [one["status"] for one in shown[0]["planned"]] == [status]


async def test_a_planned_workout_becomes_the_running_one_and_stands_beside_what_was_done(
    workouts: SubgraphUnderTest, person: str
) -> None:
    template = (await workouts.data(TEMPLATE, person))["createTemplate"]["template"]["id"]
    weights = []
    for day in ("2026-03-27", "2026-03-28", "2026-03-30"):  # one that was missed, today's, and one ahead of its day
        planned = await plan(workouts, person, day, name=None, templateId=template)
        assert (planned["name"], planned["notes"]) == ("Push", "Slowly")
        assert planned["exercises"][0]["plan"] == {
            "sets": 2, "mostReps": 8, "weightKg": 60.0, "restSeconds": 120, "superset": None,
        }  # fmt: skip
        started = await told(workouts, person, START, id=planned["id"])
        workout = started["workout"]
        assert (workout["status"], workout["localDate"]) == ("IN_PROGRESS", "2026-03-28")
        assert workout["planned"] == {"id": planned["id"], "status": "IN_PROGRESS"}
        assert (await told(workouts, person, START, id=planned["id"]))["workout"]["id"] == workout["id"]  # twice: once
        weights.append(workout["exercises"][0]["plan"]["weightKg"])
        for _ in range(2):
            one = {"workoutId": workout["id"], "exerciseId": "bench", "reps": 8, "weightKg": weights[-1]}
            await workouts.data(LOG_SET, person, {"input": one})
        await workouts.data(COMPLETE, person, {"id": workout["id"]})
        assert (await told(workouts, person, START, id=planned["id"]))["workout"]["status"] == "COMPLETED"
        for name, given in (("updatePlannedWorkout", {"minutes": 5}), ("skipPlannedWorkout", {})):
            refused = await change(workouts, person, name, id=planned["id"], **given)
            assert errors_of({"it": refused}, "it") == [("CONFLICT", None)]
        assert errors_of({"it": await told(workouts, person, CANCEL, id=planned["id"])}, "it") == [("CONFLICT", None)]
    assert weights == [60.0, 62.5, 65.0]  # as a template's: the plan is what it begins from, what was done leads on
    shown = await calendar(workouts, person, "2026-03-27", "2026-03-30")
    assert [day["status"] for day in shown] == ["DONE", "DONE", "REST", "DONE"]


async def test_what_is_given_up_or_deleted_leaves_the_plan_as_it_was(workouts: SubgraphUnderTest, person: str) -> None:
    planned = (await plan(workouts, person, "2026-03-28"))["id"]
    other = (await plan(workouts, person, "2026-03-28"))["id"]
    for end, left in ((GIVE_UP, "CANCELLED"), (DELETE, None)):
        workout = (await told(workouts, person, START, id=planned))["workout"]["id"]
        second = await told(workouts, person, START, id=other)
        assert errors_of({"it": second}, "it") == [("CONFLICT", None)]  # another one is running
        await workouts.data(end, person, {"id": workout})
        now = await change(workouts, person, "skipPlannedWorkout", id=planned, isSkipped=False)
        assert now["plannedWorkout"]["status"] == "PLANNED"
        assert (now["plannedWorkout"]["workout"] is None) == (left is None)


async def test_a_workout_that_was_logged_is_what_a_planned_one_was_done_as(
    workouts: SubgraphUnderTest, person: str
) -> None:
    planned, other = [(await plan(workouts, person, "2026-03-26"))["id"] for _ in range(2)]
    run = {"name": "Run", "startedAt": "2026-03-26T07:00:00Z", "endedAt": "2026-03-26T07:30:00Z"}
    workout, second = [(await workouts.data(LOG, person, {"input": run}))["logWorkout"]["workout"]["id"] for _ in "ab"]
    for _ in range(2):  # the same again changes nothing
        paired = (await change(workouts, person, "pairPlannedWorkout", id=planned, workoutId=workout))["plannedWorkout"]
        assert (paired["status"], paired["workout"], paired["version"]) == ("DONE", {"id": workout}, 2)
    theirs = (await workouts.data(LOG, "somebody", {"input": run}))["logWorkout"]["workout"]["id"]
    for which, of, refusal in (
        (other, workout, ("CONFLICT", "workoutId")),
        (planned, second, ("CONFLICT", None)),
        (other, theirs, ("NOT_FOUND", "workoutId")),
    ):
        refused = await change(workouts, person, "pairPlannedWorkout", id=which, workoutId=of)
        assert errors_of({"it": refused}, "it") == [refusal]


async def test_planned_workouts_are_moved_cancelled_and_taken_back(workouts: SubgraphUnderTest, person: str) -> None:
    first = await plan(workouts, person, "2026-03-28", idempotencyKey="legs", exercises=[BENCH], minutes=45)
    assert await plan(workouts, person, "2026-03-28", idempotencyKey="legs", exercises=[BENCH], minutes=45) == first
    moved = await change(
        workouts, person, "updatePlannedWorkout",
        id=first["id"], date="2026-04-02", timeOfDay="18:30", expectedVersion=1,
    )  # fmt: skip
    now = moved["plannedWorkout"]
    assert (now["date"], now["timeOfDay"], now["minutes"], now["version"]) == ("2026-04-02", "18:30", 45, 2)
    same = await change(workouts, person, "updatePlannedWorkout", id=first["id"], date="2026-04-02", minutes=45)
    assert same["plannedWorkout"]["version"] == 2  # nothing is different
    stale = await change(workouts, person, "updatePlannedWorkout", id=first["id"], name="x", expectedVersion=1)
    assert errors_of({"it": stale}, "it") == [("STALE_VERSION", "expectedVersion")]
    assert (await told(workouts, person, CANCEL, id=first["id"]))["deletedId"] == first["id"]
    assert await workouts.codes(CANCEL, person, {"input": {"id": first["id"]}}) == ["NOT_FOUND"]

    kept = (await plan(workouts, person, "2026-03-28"))["id"]
    skipped = (await plan(workouts, person, "2026-03-29"))["id"]
    await plan(workouts, person, "2026-03-30")
    await plan(workouts, person, "2026-03-31")
    await told(workouts, person, START, id=kept)
    await change(workouts, person, "skipPlannedWorkout", id=skipped)
    back = await told(workouts, person, CLEAR, **{"from": "2026-03-28", "to": "2026-03-30"})
    assert back["cleared"] == 1  # what has begun and what was skipped stays
    refused = await told(workouts, person, CLEAR, **{"from": "2026-03-30", "to": "2026-03-28"})
    assert errors_of({"it": refused}, "it") == [("VALIDATION_ERROR", "to")]


async def test_nothing_of_a_planned_workout_counts_as_done(workouts: SubgraphUnderTest, person: str) -> None:
    before, events = await facts(workouts, person), await events_of(workouts, person)
    planned = [(await plan(workouts, person, day, exercises=[BENCH]))["id"] for day in ("2026-03-27", "2026-03-28")]
    await change(workouts, person, "skipPlannedWorkout", id=planned[0])
    await change(workouts, person, "updatePlannedWorkout", id=planned[1], date="2026-03-29")
    after = await facts(workouts, person)
    assert after.pop("plannedWorkouts") == {"totalCount": 2, "nodes": [{"date": "2026-03-27"}, {"date": "2026-03-29"}]}
    assert after == {name: value for name, value in before.items() if name != "plannedWorkouts"}
    assert await events_of(workouts, person) == events == 0  # analytics, and whoever else listens, hears of nothing
    workout = (await told(workouts, person, START, id=planned[1]))["workout"]
    envelope, begun = await last_event(workouts, workout["id"])
    assert (envelope.type, begun.status) == ("WorkoutStarted", "IN_PROGRESS")  # the first that anybody hears
    assert (begun.volume_kg, begun.calories_kcal, [each.sets for each in begun.exercises]) == (0, None, [0])
    assert await events_of(workouts, person) == 1


async def test_what_cannot_be_planned_is_refused_with_its_place(
    workouts: SubgraphUnderTest, person: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    template = (await workouts.data(TEMPLATE, "somebody"))["createTemplate"]["template"]["id"]
    planned = (await plan(workouts, person, "2026-03-28"))["id"]
    for given, refusal in (
        ({"date": "2027-03-30"}, ("VALIDATION_ERROR", "date")),
        ({"date": "2025-03-26"}, ("VALIDATION_ERROR", "date")),
        ({"name": " "}, ("VALIDATION_ERROR", "name")),
        ({"name": None}, ("VALIDATION_ERROR", "name")),
        ({"minutes": 0}, ("VALIDATION_ERROR", "minutes")),
        ({"notes": "x" * 501}, ("VALIDATION_ERROR", "notes")),
        ({"exercises": [BENCH] * 51}, ("VALIDATION_ERROR", "exercises")),
        ({"exercises": [BENCH | {"sets": 0}]}, ("VALIDATION_ERROR", "exercises.0.sets")),
        ({"exercises": [BENCH | {"exerciseId": "x"}]}, ("VALIDATION_ERROR", "exercises.0.exerciseId")),
        ({"templateId": template}, ("NOT_FOUND", "templateId")),
        ({"routineId": "x"}, ("NOT_FOUND", "routineId")),
        ({"templateId": template, "routineId": "x"}, ("VALIDATION_ERROR", "templateId")),
    ):
        made = await told(workouts, person, PLAN, **({"date": "2026-03-28", "name": "Legs"} | given))
        assert errors_of({"it": made}, "it") == [refusal], given
    for given, refusal in (
        ({"date": "2027-03-30"}, ("VALIDATION_ERROR", "date")),
        ({"name": None}, ("VALIDATION_ERROR", "name")),
        ({"exercises": [BENCH | {"exerciseId": "x"}]}, ("VALIDATION_ERROR", "exercises.0.exerciseId")),
    ):
        refused = await change(workouts, person, "updatePlannedWorkout", id=planned, **given)
        assert errors_of({"it": refused}, "it") == [refusal], given
    monkeypatch.setattr(commands, "MOST_A_DAY", 1)
    for date, refusals in (("2026-03-28", [("CONFLICT", None)]), ("2026-03-29", [])):
        made = await told(workouts, person, PLAN, date=date, name="Legs")
        assert errors_of({"it": made}, "it") == refusals
    refused = await change(workouts, person, "updatePlannedWorkout", id=planned, date="2026-03-29")
    assert errors_of({"it": refused}, "it") == [("CONFLICT", None)]
    monkeypatch.setattr(commands, "MOST_PLANNED", 1)
    assert errors_of({"it": await told(workouts, person, PLAN, date="2026-03-30", name="x")}, "it") == [
        ("CONFLICT", None)
    ]


async def test_plans_of_two_years_ago_are_forgotten(workouts: SubgraphUnderTest, person: str, clock: Clock) -> None:
    clock(utc_now())
    today = utc_now().date()
    kept = (await plan(workouts, person, str(today)))["id"]
    old = (await plan(workouts, person, str(today)))["id"]
    async with workouts.database.transaction() as transaction:
        await transaction.execute(
            text("UPDATE planned_workout SET local_date = current_date - 731 WHERE id = :id"), {"id": old}
        )
        assert await commands.forget_planned(transaction, 100) >= 1  # other tests plan for days that pass
        left = await transaction.scalars(text("SELECT id FROM planned_workout WHERE user_id = :id"), {"id": person})
        assert left.all() == [kept]
        told = await transaction.scalars(
            text("SELECT aggregate_id FROM outbox WHERE key = :id AND topic = 'workouts.plan.v1'"), {"id": person}
        )
        assert told.all() == [kept]  # what was told of it goes with it


async def test_each_change_of_a_plan_is_told_with_what_it_is_then(workouts: SubgraphUnderTest, person: str) -> None:
    one = (await plan(workouts, person, "2026-03-30", timeOfDay="18:00"))["id"]
    await change(workouts, person, "updatePlannedWorkout", id=one, date="2026-03-31", timeOfDay="06:30")
    await change(workouts, person, "updatePlannedWorkout", id=one, date="2026-03-31")  # nothing is different
    for is_skipped in (True, True, False):
        await change(workouts, person, "skipPlannedWorkout", id=one, isSkipped=is_skipped)
    for end in (GIVE_UP, DELETE):
        workout = (await told(workouts, person, START, id=one))["workout"]["id"]
        await workouts.data(end, person, {"id": workout})
    await told(workouts, person, CANCEL, id=one)
    day = "2026-03-31"
    assert await plans_told(workouts, person) == [
        ("WorkoutPlanned", 1, "2026-03-30", "18:00", True),
        ("PlannedWorkoutChanged", 2, day, "06:30", True),
        ("PlannedWorkoutSkipped", 3, day, "06:30", False),
        ("PlannedWorkoutSkipped", 4, day, "06:30", True),
        ("PlannedWorkoutBegun", 5, day, "06:30", False),
        ("PlannedWorkoutFreed", 6, day, "06:30", True),
        ("PlannedWorkoutBegun", 7, day, "06:30", False),
        ("PlannedWorkoutFreed", 8, day, "06:30", True),
        ("PlannedWorkoutCancelled", 9, day, None, False),
    ]


async def test_what_is_paired_or_cleared_is_told_and_so_is_what_an_earlier_release_planned(
    workouts: SubgraphUnderTest, person: str, clock: Clock
) -> None:
    clock(utc_now())
    today = str(utc_now().date())
    one, two = [(await plan(workouts, person, today))["id"] for _ in range(2)]
    run = {"name": "Run", "startedAt": "2026-03-26T07:00:00Z", "endedAt": "2026-03-26T07:30:00Z"}
    workout = (await workouts.data(LOG, person, {"input": run}))["logWorkout"]["workout"]["id"]
    await change(workouts, person, "pairPlannedWorkout", id=one, workoutId=workout)
    async with workouts.database.transaction() as transaction:
        await transaction.execute(text("DELETE FROM outbox WHERE aggregate_id = :id"), {"id": two})
    for _ in range(2):  # once, however often a process starts
        await tell_plans_of_before(workouts.resources)
    await told(workouts, person, CLEAR, **{"from": today, "to": today})
    assert await plans_told(workouts, person) == [
        ("WorkoutPlanned", 1, today, None, True),
        ("PlannedWorkoutBegun", 2, today, None, False),
        ("WorkoutPlanned", 1, today, None, True),
        ("PlannedWorkoutCancelled", 2, today, None, False),
    ]
