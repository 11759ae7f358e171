"""Routines over a real database: kept, put on weeks of the calendar once however often, and what is refused."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from itertools import count
from typing import Any

import pytest
from sqlalchemy import text

from subgraphs.workouts.commands import planned_workout as planning
from subgraphs.workouts.commands import routine as commands
from tests.testkit.servers import Postgres
from tests.testkit.subgraph import SubgraphUnderTest
from tests.testkit.workouts import errors_of, told, workouts_subgraph

_people = count(1)
NOW = datetime(2026, 3, 28, 12, tzinfo=UTC)  # a Saturday
ROUTINE = "routine { id name schedule version days { day weekday name timeOfDay minutes notes exercises { exercise { id } plan { sets } } } }"
CREATE = f"mutation ($input: CreateRoutineInput!) {{ it: createRoutine(input: $input) {{ {ROUTINE} userErrors {{ code field }} }} }}"
UPDATE = f"mutation ($input: UpdateRoutineInput!) {{ it: updateRoutine(input: $input) {{ {ROUTINE} userErrors {{ code field }} }} }}"
DELETE = "mutation ($input: DeleteRoutineInput!) { it: deleteRoutine(input: $input) { deletedId userErrors { code field } } }"
SCHEDULE = "mutation ($input: ScheduleRoutineInput!) { it: scheduleRoutine(input: $input) { added present user { id } userErrors { code field } } }"
PLAN = "mutation ($input: PlanWorkoutInput!) { it: planWorkout(input: $input) { plannedWorkout { id name timeOfDay routine { id } routineDay routineDate } userErrors { code field } } }"
MOVE = "mutation ($input: UpdatePlannedWorkoutInput!) { it: updatePlannedWorkout(input: $input) { plannedWorkout { date } userErrors { code } } }"
SKIP = "mutation ($input: SkipPlannedWorkoutInput!) { it: skipPlannedWorkout(input: $input) { plannedWorkout { status } userErrors { code } } }"
CANCEL = "mutation ($input: CancelPlannedWorkoutInput!) { it: cancelPlannedWorkout(input: $input) { deletedId userErrors { code } } }"
CLEAR = "mutation ($input: ClearPlannedWorkoutsInput!) { it: clearPlannedWorkouts(input: $input) { cleared userErrors { code } } }"
TEMPLATE = """mutation { createTemplate(input: {name: "Push", notes: "Slowly", exercises: [{exerciseId: "bench", sets: 2}]}) {
  template { id } } }"""
PLANNED = """query ($id: ID!) { _entities(representations: [{__typename: "User", id: $id}]) { ... on User {
  routines { totalCount nodes { name } } plannedWorkouts(first: 100) { nodes { id date name status routine { id } } } } } }"""
SPLIT = [
    {"weekday": "MONDAY", "name": "Push", "timeOfDay": "18:30", "minutes": 60},
    {"weekday": "WEDNESDAY", "name": "Pull"},
    {"weekday": "MONDAY", "name": "Core"},
]


@pytest.fixture(scope="module")
async def workouts(postgres: Postgres) -> AsyncIterator[SubgraphUnderTest]:
    async with workouts_subgraph(postgres, "workouts_routines") as subgraph:
        yield subgraph


@pytest.fixture(autouse=True)
def at_noon(workouts: SubgraphUnderTest, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(workouts.resources, "now", lambda: NOW)


@pytest.fixture
def person() -> str:
    return f"person-{next(_people)}"


async def create(workouts: SubgraphUnderTest, person: str, **changes: Any) -> Any:
    made = await told(workouts, person, CREATE, **({"name": "Split", "schedule": "WEEKDAYS", "days": SPLIT} | changes))
    assert made["userErrors"] == []
    return made["routine"]


async def schedule(workouts: SubgraphUnderTest, person: str, routine: str, start: str, weeks: int, **more: Any) -> Any:
    made = await told(workouts, person, SCHEDULE, id=routine, weeks=weeks, **{"from": start}, **more)
    assert made["userErrors"] == []
    return made["added"], made["present"]


async def planned(workouts: SubgraphUnderTest, person: str) -> Any:
    """By date, and of one date by name."""
    nodes = (await workouts.data(PLANNED, person, {"id": person}))["_entities"][0]["plannedWorkouts"]["nodes"]
    return sorted(nodes, key=lambda one: (one["date"], one["name"]))


async def test_a_routine_is_kept_once_for_a_key_listed_and_changed(workouts: SubgraphUnderTest, person: str) -> None:
    template = (await workouts.data(TEMPLATE, person))["createTemplate"]["template"]["id"]
    days = [*SPLIT, {"weekday": "FRIDAY", "templateId": template}]
    first = await create(workouts, person, days=days, idempotencyKey="split")
    assert await create(workouts, person, days=days, idempotencyKey="split") == first
    monday, _, _, friday = first["days"]
    assert monday == {
        "day": 1, "weekday": "MONDAY", "name": "Push", "timeOfDay": "18:30", "minutes": 60, "notes": None, "exercises": [],
    }  # fmt: skip
    assert (friday["name"], friday["notes"]) == ("Push", "Slowly")
    assert friday["exercises"] == [{"exercise": {"id": "bench"}, "plan": {"sets": 2}}]
    changed = await told(workouts, person, UPDATE, id=first["id"], name="Week", expectedVersion=1)
    assert (changed["routine"]["name"], changed["routine"]["version"]) == ("Week", 2)
    assert changed["routine"]["days"] == first["days"]
    stale = await told(workouts, person, UPDATE, id=first["id"], days=SPLIT, expectedVersion=1)
    assert errors_of({"it": stale}, "it") == [("STALE_VERSION", "expectedVersion")]
    listed = (await workouts.data(PLANNED, person, {"id": person}))["_entities"][0]["routines"]
    assert listed == {"totalCount": 1, "nodes": [{"name": "Week"}]}


async def test_weeks_of_a_routine_are_planned_once_however_often_and_keep_what_became_of_them(
    workouts: SubgraphUnderTest, person: str
) -> None:
    routine = (await create(workouts, person))["id"]
    assert await schedule(workouts, person, routine, "2026-03-29", 2) == (6, 0)
    before = await planned(workouts, person)
    assert [(one["date"], one["name"]) for one in before] == [
        ("2026-03-30", "Core"), ("2026-03-30", "Push"), ("2026-04-01", "Pull"),
        ("2026-04-06", "Core"), ("2026-04-06", "Push"), ("2026-04-08", "Pull"),
    ]  # fmt: skip
    assert await schedule(workouts, person, routine, "2026-03-29", 2) == (0, 6)
    assert await planned(workouts, person) == before
    core, push, pull, *_ = (one["id"] for one in before)
    await told(workouts, person, MOVE, id=push, date="2026-03-31")
    await told(workouts, person, SKIP, id=core)
    await told(workouts, person, CANCEL, id=pull)
    assert await schedule(workouts, person, routine, "2026-03-29", 3) == (4, 5)  # a third week, and what was cancelled
    now = {one["id"]: one for one in await planned(workouts, person)}
    assert (now[push]["date"], now[core]["status"], len(now)) == ("2026-03-31", "SKIPPED", 9)
    assert [one["date"] for one in now.values() if one["name"] == "Push"] == ["2026-03-31", "2026-04-06", "2026-04-13"]
    other = (await create(workouts, person, days=[{"weekday": "SUNDAY", "name": "Run"}]))["id"]
    assert await schedule(workouts, person, other, "2026-03-29", 1) == (1, 0)
    cleared = await told(workouts, person, CLEAR, **{"from": "2026-03-28", "to": "2026-12-31"}, routineId=routine)
    assert cleared["cleared"] == 8
    assert [one["name"] for one in await planned(workouts, person)] == ["Run", "Core"]
    await told(workouts, person, DELETE, id=routine)  # what it planned stays
    assert [(one["name"], one["routine"]) for one in await planned(workouts, person)] == [
        ("Run", {"id": other}), ("Core", None),
    ]  # fmt: skip


async def test_requests_at_once_plan_each_day_once(workouts: SubgraphUnderTest, person: str) -> None:
    routine = (await create(workouts, person))["id"]
    came = await asyncio.gather(*[schedule(workouts, person, routine, "2026-03-29", 4) for _ in range(5)])
    assert sorted(came) == [(0, 12)] * 4 + [(12, 0)]
    plans = await planned(workouts, person)
    async with workouts.database.reading() as connection:
        of_plans = text("SELECT aggregate_id FROM outbox WHERE key = :id AND topic = 'workouts.plan.v1'")
        events = (await connection.scalars(of_plans, {"id": person})).all()
    assert sorted(events) == sorted(one["id"] for one in plans)  # each is told once
    assert len(plans) == 12


async def test_a_cycle_is_put_on_a_calendar_from_any_of_its_days(workouts: SubgraphUnderTest, person: str) -> None:
    days = [{"name": "Push"}, {"name": "Pull"}, {}]
    routine = (await create(workouts, person, schedule="CYCLE", days=days))["id"]
    assert await schedule(workouts, person, routine, "2026-03-28", 1, firstDay=2) == (5, 0)
    assert [(one["date"][-2:], one["name"]) for one in await planned(workouts, person)] == [
        ("28", "Pull"), ("30", "Push"), ("31", "Pull"), ("02", "Push"), ("03", "Pull"),
    ]  # fmt: skip


async def test_one_day_of_a_routine_is_planned_by_itself_and_not_once_more(
    workouts: SubgraphUnderTest, person: str
) -> None:
    routine = (await create(workouts, person))["id"]
    one = await told(workouts, person, PLAN, date="2026-03-30", routineId=routine, name="Light push", exercises=[])
    assert (one["plannedWorkout"]["name"], one["plannedWorkout"]["timeOfDay"]) == ("Light push", "18:30")
    assert (one["plannedWorkout"]["routineDay"], one["plannedWorkout"]["routineDate"]) == (1, "2026-03-30")
    again = await told(workouts, person, PLAN, date="2026-03-30", routineId=routine, routineDay=1)
    assert errors_of({"it": again}, "it") == [("CONFLICT", "date")]
    assert await schedule(workouts, person, routine, "2026-03-30", 1) == (2, 1)
    none = await told(workouts, person, PLAN, date="2026-03-30", routineId=routine, routineDay=4)
    assert errors_of({"it": none}, "it") == [("VALIDATION_ERROR", "routineDay")]
    third = await told(workouts, person, PLAN, date="2026-04-06", routineId=routine, routineDay=3)
    assert third["plannedWorkout"]["routineDay"] == 3
    await told(workouts, person, UPDATE, id=routine, days=SPLIT[:2])
    days = 'query ($id: ID!) { _entities(representations: [{__typename: "User", id: $id}]) { ... on User { plannedWorkouts { nodes { name routineDay } } } } }'
    nodes = (await workouts.data(days, person, {"id": person}))["_entities"][0]["plannedWorkouts"]["nodes"]
    assert {(each["name"], each["routineDay"]) for each in nodes} == {
        ("Light push", 1), ("Pull", 2), ("Core", None),
    }  # fmt: skip


async def test_what_no_routine_can_be_and_no_calendar_can_take_is_refused(
    workouts: SubgraphUnderTest, person: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    theirs = await create(workouts, "somebody")
    template = (await workouts.data(TEMPLATE, "somebody"))["createTemplate"]["template"]["id"]
    monday = {"weekday": "MONDAY"}
    for changes, refusal in (
        ({"name": " "}, ("VALIDATION_ERROR", "name")),
        ({"days": []}, ("VALIDATION_ERROR", "days")),
        ({"days": [{"name": "x"}]}, ("VALIDATION_ERROR", "days.0.weekday")),
        ({"days": [monday | {"templateId": template}]}, ("NOT_FOUND", "days.0.templateId")),
        ({"days": [monday | {"name": "x", "exercises": [{"exerciseId": "x", "sets": 1}]}]},
         ("VALIDATION_ERROR", "days.0.exercises.0.exerciseId")),
    ):  # fmt: skip
        made = await told(workouts, person, CREATE, **({"name": "x", "schedule": "WEEKDAYS", "days": SPLIT} | changes))
        assert errors_of({"it": made}, "it") == [refusal]
    routine = (await create(workouts, person))["id"]
    for given, refusal in (
        ({"weeks": 27}, ("VALIDATION_ERROR", "weeks")),
        ({"from": "2026-03-27"}, ("VALIDATION_ERROR", "from")),
        ({"firstDay": 2}, ("VALIDATION_ERROR", "firstDay")),
    ):
        refused = await told(workouts, person, SCHEDULE, **({"id": routine, "from": "2026-03-28", "weeks": 1} | given))
        assert errors_of({"it": refused}, "it") == [refusal]
    for operation in (SCHEDULE, DELETE):
        given = {"id": theirs["id"]} | ({"from": "2026-03-28", "weeks": 1} if operation is SCHEDULE else {})
        assert await workouts.codes(operation, person, {"input": given}) == ["NOT_FOUND"]
    monkeypatch.setattr(planning, "MOST_PLANNED", 2)
    full = await told(workouts, person, SCHEDULE, id=routine, weeks=1, **{"from": "2026-03-28"})
    assert errors_of({"it": full}, "it") == [("CONFLICT", None)]
    assert await planned(workouts, person) == []  # all or nothing
    monkeypatch.setattr(commands, "MOST_ROUTINES", 1)
    more = await told(workouts, person, CREATE, name="x", schedule="WEEKDAYS", days=SPLIT)
    assert errors_of({"it": more}, "it") == [("CONFLICT", None)]
