"""Live through the router: two devices on one session, goals that come along as days change, what is achieved, and what is to be
reminded of.
"""

from __future__ import annotations

import asyncio
from datetime import UTC, date, datetime, timedelta
from typing import Any

from tests.testkit.running_stack import RunningStack, eventually, subscribed

START = 'mutation { startWorkout(input: {name: "Legs"}) { workout { id version } } }'
EXERCISE = """mutation { createExercise(input: {name: "Squat", category: STRENGTH, tracking: WEIGHT_REPS, met: 5}) {
  exercise { id } } }"""
LOG_SET = """mutation($workout: ID!, $exercise: ID!) {
  logSet(input: {workoutId: $workout, exerciseId: $exercise, reps: 5, weightKg: 100}) { records userErrors { code } } }"""
COMPLETE = "mutation($id: ID!) { completeWorkout(input: {id: $id}) { userErrors { code } } }"
DELETE = "mutation($id: ID!) { deleteWorkout(input: {id: $id}) { deletedId } }"
SESSION = """subscription($id: ID!) { workoutSession(id: $id) {
  status version sets { reps weightKg } user { email } } }"""
GOAL = """mutation { createGoal(input: {kind: DAILY_WATER_ML, targetValue: 2000}) { goal { id } userErrors { code } }
  weekly: createGoal(input: {kind: WORKOUTS_PER_WEEK, targetValue: 3}) { goal { id } userErrors { code } } }"""
GOALS = "subscription { goalProgress { kind currentValue progress status } }"
ACHIEVED = "subscription { achievementUnlocked { kind reachedOn } }"
LOG_WORKOUT = """mutation($start: DateTime!, $end: DateTime!) {
  logWorkout(input: {name: "Row", startedAt: $start, endedAt: $end}) { userErrors { code } } }"""
PLAN = """mutation($date: LocalDate!, $name: String!, $time: LocalTime) {
  planWorkout(input: {date: $date, name: $name, timeOfDay: $time}) { plannedWorkout { id } userErrors { code } } }"""
SKIP = "mutation($id: ID!) { skipPlannedWorkout(input: {id: $id}) { userErrors { code } } }"
BEGIN = "mutation($id: ID!) { startPlannedWorkout(input: {id: $id}) { workout { id } userErrors { code } } }"
REMINDERS = "{ me { workoutReminders { plannedWorkoutId at } } }"


WAIST_GOAL = """mutation($before: DateTime!) {
  logMeasurement(input: {kind: WAIST, valueCm: 95, recordedAt: $before}) { userErrors { code } }
  logSteps(input: {source: "Phone", steps: 4321}) { stepCount { date } userErrors { code } }
  createGoal(input: {kind: MEASUREMENT_CM, measurement: WAIST, targetValue: 90, direction: AT_MOST}) { userErrors { code } } }"""
THINNER = "mutation { logMeasurement(input: {kind: WAIST, valueCm: 89.5}) { userErrors { code } } }"
COUNTED = "query($date: LocalDate!) { me { day(date: $date) { steps } notifications { nodes { kind } } } }"


async def _next(events: asyncio.Queue[Any]) -> Any:
    async with asyncio.timeout(90):
        return await events.get()


async def test_two_devices_see_one_session_in_step_and_a_stranger_sees_nothing(stack: RunningStack) -> None:
    person, stranger = await stack.register(), await stack.register()
    workout = (await person.data(START))["startWorkout"]["workout"]["id"]
    exercise = (await person.data(EXERCISE))["createExercise"]["exercise"]["id"]
    which = {"id": workout}
    async with (
        subscribed(person, SESSION, which) as phone,
        subscribed(person, SESSION, which) as watch,
        subscribed(stranger, SESSION, which) as refused,
    ):
        for device in (phone, watch):
            first = (await _next(device))["payload"]["data"]["workoutSession"]
            assert first == {"status": "IN_PROGRESS", "version": 1, "sets": [], "user": {"email": person.email}}
        assert "NOT_FOUND" in str(await _next(refused))

        await person.data(LOG_SET, {"workout": workout, "exercise": exercise})
        await person.data(COMPLETE, which)
        for device in (phone, watch):
            told: Any = None
            while told is None or told["status"] != "COMPLETED":  # what happens at once may be told at once
                told = (await _next(device))["payload"]["data"]["workoutSession"]
            assert told["sets"] == [{"reps": 5, "weightKg": 100}]

        await person.data(DELETE, which)
        assert (await _next(phone))["type"] == "complete"


async def test_a_goal_is_told_as_it_comes_along(stack: RunningStack) -> None:
    person = await stack.register()
    made = await person.data(GOAL)
    assert made["createGoal"]["userErrors"] == made["weekly"]["userErrors"] == []
    async with subscribed(person, GOALS) as events:
        first = [(await _next(events))["payload"]["data"]["goalProgress"] for _ in range(2)]
        assert {goal["kind"]: goal["progress"] for goal in first} == {"DAILY_WATER_ML": 0, "WORKOUTS_PER_WEEK": 0}
        now = (await person.data("{ me { id day { freshness { asOf } } } }"))["me"]["day"]["freshness"]["asOf"]
        await person.data(LOG_WORKOUT, {"start": now, "end": now})
        told = (await _next(events))["payload"]["data"]["goalProgress"]
        assert told == {"kind": "WORKOUTS_PER_WEEK", "currentValue": 1, "progress": 0.3333, "status": "ACTIVE"}


async def test_what_is_achieved_is_told_once(stack: RunningStack) -> None:
    person = await stack.register()
    day = (await person.data("{ me { id day { date freshness { asOf } } } }"))["me"]["day"]
    today, now = date.fromisoformat(day["date"]), datetime.fromisoformat(day["freshness"]["asOf"])
    if (today.month, today.day) == (1, 1):  # which would be told beside it
        today, now = today - timedelta(days=1), now - timedelta(days=1)
    times = {"start": now.isoformat(), "end": now.isoformat()}
    async with subscribed(person, ACHIEVED) as events:
        await person.data(LOG_WORKOUT, times)
        told = (await _next(events))["payload"]["data"]["achievementUnlocked"]
        assert told == {"kind": "FIRST_WORKOUT", "reachedOn": today.isoformat()}
        for _ in range(9):
            await person.data(LOG_WORKOUT, times)
        told = (await _next(events))["payload"]["data"]["achievementUnlocked"]
        assert told["kind"] == "WORKOUTS_10"  # and nothing of the nine before
        assert events.empty()
    kept = await person.data("{ me { achievements { totalCount nodes { kind } } } }")
    assert kept["me"]["achievements"] == {
        "totalCount": 2,
        "nodes": [{"kind": "WORKOUTS_10"}, {"kind": "FIRST_WORKOUT"}],
    }


async def test_what_is_planned_is_reminded_of_until_it_is_skipped_or_begun(stack: RunningStack) -> None:
    """From workouts through the broker to users, whose reminders these are."""
    person = await stack.register()
    day = (datetime.now(UTC) + timedelta(days=1)).date().isoformat()
    legs, run = [
        (await person.data(PLAN, {"date": day, "name": name, "time": time}))["planWorkout"]["plannedWorkout"]["id"]
        for name, time in (("Legs", "18:00"), ("Run", None))
    ]

    async def shown() -> list[tuple[str, str]]:
        found = (await person.data(REMINDERS))["me"]["workoutReminders"]
        return [(each["plannedWorkoutId"], each["at"]) for each in found]

    async def is_shown(*expected: tuple[str, str]) -> None:
        async def holds() -> bool:
            return await shown() == list(expected)

        await eventually(holds)

    await is_shown((run, f"{day}T08:00:00Z"), (legs, f"{day}T17:30:00Z"))
    await person.data(SKIP, {"id": run})
    workout = (await person.data(BEGIN, {"id": legs}))["startPlannedWorkout"]["workout"]["id"]
    await is_shown()
    await person.data(DELETE, {"id": workout})
    await is_shown((legs, f"{day}T17:30:00Z"))


async def test_a_tape_completes_a_goal_which_is_told_and_steps_come_to_the_day(stack: RunningStack) -> None:
    person = await stack.register()
    before = (datetime.now(UTC) - timedelta(days=3)).isoformat()
    made = await person.data(WAIST_GOAL, {"before": before})
    assert [each["userErrors"] for each in made.values()] == [[], [], []]
    async with subscribed(person, GOALS) as events:
        goal: Any = None
        while goal is None or goal["currentValue"] != 95:  # what was measured before may be told before or after
            goal = (await _next(events))["payload"]["data"]["goalProgress"]
        assert (goal["kind"], goal["status"]) == ("MEASUREMENT_CM", "ACTIVE")
        await person.data(THINNER)
        while goal["status"] != "COMPLETED":
            goal = (await _next(events))["payload"]["data"]["goalProgress"]
        assert (goal["currentValue"], goal["progress"]) == (89.5, 1)

    async def is_told() -> bool:
        me = (await person.data(COUNTED, {"date": made["logSteps"]["stepCount"]["date"]}))["me"]
        return me["day"]["steps"] == 4321 and "GOAL_COMPLETED" in [
            each["kind"] for each in me["notifications"]["nodes"]
        ]

    await eventually(is_told, seconds=90)
