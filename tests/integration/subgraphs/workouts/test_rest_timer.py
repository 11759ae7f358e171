"""The rest after a set: begun by the server, told to both devices, made longer, skipped, and bounded."""

from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any

import pytest

from tests.testkit.live_fields import streaming, with_live_updates
from tests.testkit.servers import Postgres, Valkey
from tests.testkit.subgraph import SubgraphUnderTest
from tests.testkit.workouts import errors_of, last_event, workouts_subgraph

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
REST = "rest { startedAt endsAt version exercise { exercise { id } } }"
TEMPLATE = """mutation { createTemplate(input: {name: "Push", exercises: [
  {exerciseId: "bench", sets: 2, restSeconds: 120}, {exerciseId: "squat", sets: 2},
  {exerciseId: "press", sets: 1, restSeconds: 0}]}) { template { id } } }"""
START = """mutation ($template: ID!) { startWorkout(input: {name: "Push", templateId: $template}) {
  workout { id rest { version } exercises { id } } } }"""
LOG_SET = """mutation ($input: LogSetInput!) { logSet(input: $input) {
  workout { version REST } userErrors { code } } }""".replace("REST", REST)
CHANGE = """mutation ($input: NAMEInput!) { it: name(input: $input) {
  workout { version REST } userErrors { code field } } }""".replace("REST", REST)
DEFAULT = "mutation ($input: SetDefaultRestInput!) { setDefaultRest(input: $input) { user { defaultRestSeconds } userErrors { code field } } }"
COMPLETE = "mutation ($id: ID!) { completeWorkout(input: {id: $id}) { workout { rest { version } } } }"
REOPEN = "mutation ($id: ID!) { reopenWorkout(input: {id: $id}) { workout { rest { version } } } }"
SESSION = "subscription ($id: ID!) { workoutSession(id: $id) { version sets { reps } rest { endsAt version } } }"
_people = count(1)


@pytest.fixture(scope="module")
async def workouts(postgres: Postgres, valkey: Valkey) -> AsyncIterator[SubgraphUnderTest]:
    async with workouts_subgraph(postgres, "workouts_rest") as subgraph, with_live_updates(subgraph, valkey):
        yield subgraph


@pytest.fixture
def person() -> str:
    return f"person-{next(_people)}"


Clock = Callable[[int], None]


@pytest.fixture
def clock(workouts: SubgraphUnderTest, monkeypatch: pytest.MonkeyPatch) -> Clock:
    """Sets the server's clock so many seconds after noon."""

    def at(seconds: int) -> None:
        monkeypatch.setattr(workouts.resources, "now", lambda: NOON + timedelta(seconds=seconds))

    at(0)
    return at


def after_noon(seconds: int) -> str:
    return (NOON + timedelta(seconds=seconds)).strftime("%Y-%m-%dT%H:%M:%SZ")


async def session(workouts: SubgraphUnderTest, person: str) -> dict[str, Any]:
    """A running session of bench (120 s of rest), squat (none told) and press (0 s)."""
    template = (await workouts.data(TEMPLATE, person))["createTemplate"]["template"]["id"]
    started: dict[str, Any] = (await workouts.data(START, person, {"template": template}))["startWorkout"]["workout"]
    assert started["rest"] is None
    return started


async def log(workouts: SubgraphUnderTest, person: str, workout: str, exercise: str, **more: Any) -> Any:
    told = {"workoutId": workout, "exerciseId": exercise, "reps": 5} | more
    return (await workouts.data(LOG_SET, person, {"input": told}))["logSet"]["workout"]["rest"]


async def change(workouts: SubgraphUnderTest, person: str, name: str, **told: Any) -> Any:
    operation = CHANGE.replace("NAME", name[0].upper() + name[1:]).replace("name(", f"{name}(")
    result = await workouts.run(operation, person, {"input": told})
    assert result.errors is None, result.errors
    return (result.data or {})["it"]


async def test_a_set_begins_the_rest_that_is_planned_or_the_default(
    workouts: SubgraphUnderTest, person: str, clock: Clock
) -> None:
    workout = (await session(workouts, person))["id"]
    first = await log(workouts, person, workout, "bench", idempotencyKey="set-1")
    assert (first["startedAt"], first["endsAt"]) == (after_noon(0), after_noon(120))
    assert first["exercise"]["exercise"]["id"] == "bench"
    clock(30)
    assert await log(workouts, person, workout, "bench", idempotencyKey="set-1") == first  # told again, begun once
    assert await log(workouts, person, workout, "squat") is None  # nothing is planned, and whoever lifts rests no more
    set_it = (await workouts.data(DEFAULT, person, {"input": {"seconds": 90}}))["setDefaultRest"]
    assert set_it["user"] == {"defaultRestSeconds": 90}
    assert (await log(workouts, person, workout, "squat"))["endsAt"] == after_noon(120)
    assert await log(workouts, person, workout, "press") is None  # planned without a rest
    cleared = (await workouts.data(DEFAULT, person, {"input": {"seconds": None}}))["setDefaultRest"]
    assert cleared["user"] == {"defaultRestSeconds": None}


async def test_both_devices_are_told_of_a_rest_begun_made_longer_and_skipped(
    workouts: SubgraphUnderTest, person: str, clock: Clock
) -> None:
    workout = (await session(workouts, person))["id"]
    which = {"id": workout}
    async with (
        streaming(workouts, SESSION, person, which) as phone,
        streaming(workouts, SESSION, person, which) as watch,
    ):
        for device in (phone, watch):
            assert await device.next() == {"version": 1, "sets": [], "rest": None}
        rest = await log(workouts, person, workout, "bench")
        for device in (phone, watch):
            told = await device.next()
            assert (told["sets"], told["rest"]["endsAt"]) == ([{"reps": 5}], after_noon(120))
        clock(60)
        longer = await change(
            workouts, person, "extendRest", workoutId=workout, seconds=30, expectedVersion=rest["version"]
        )
        assert longer["workout"]["rest"]["startedAt"] == after_noon(0)
        for device in (phone, watch):
            told = await device.next()
            assert (told["version"], told["rest"]["endsAt"]) == (2, after_noon(150))  # the workout is the same
        stale = await change(
            workouts, person, "extendRest", workoutId=workout, seconds=30, expectedVersion=rest["version"]
        )
        assert errors_of({"it": stale}, "it") == [("STALE_VERSION", "expectedVersion")]
        await change(workouts, person, "skipRest", workoutId=workout)
        for device in (phone, watch):
            assert (await device.next())["rest"] is None
        again = await change(workouts, person, "skipRest", workoutId=workout, expectedVersion=1)
        assert again["workout"]["rest"] is None  # what is over may be skipped again
        await change(workouts, person, "startRest", workoutId=workout, seconds=45)
        for device in (phone, watch):
            assert (await device.next())["rest"]["endsAt"] == after_noon(105)


async def test_a_rest_is_bounded_and_ends_with_the_session(
    workouts: SubgraphUnderTest, person: str, clock: Clock
) -> None:
    begun = await session(workouts, person)
    workout = begun["id"]
    untold = await change(workouts, person, "startRest", workoutId=workout)
    assert errors_of({"it": untold}, "it") == [("VALIDATION_ERROR", "seconds")]
    for name, told, refusal in (
        ("startRest", {"seconds": 0}, ("VALIDATION_ERROR", "seconds")),
        ("startRest", {"seconds": 3601}, ("VALIDATION_ERROR", "seconds")),
        ("startRest", {"workoutExerciseId": "x"}, ("NOT_FOUND", "workoutExerciseId")),
        ("extendRest", {"seconds": 30}, ("CONFLICT", None)),
    ):
        assert errors_of({"it": await change(workouts, person, name, workoutId=workout, **told)}, "it") == [refusal]
    for seconds in (0, 3601):
        result = await workouts.run(DEFAULT, person, {"input": {"seconds": seconds}})
        assert errors_of(result.data or {}, "setDefaultRest") == [("VALIDATION_ERROR", "seconds")]

    bench = begun["exercises"][0]["id"]
    planned = await change(workouts, person, "startRest", workoutId=workout, workoutExerciseId=bench)
    assert planned["workout"]["rest"]["endsAt"] == after_noon(120)
    clock(100)
    for seconds, refusal in ((0, "seconds"), (3601, "seconds"), (-3601, "seconds"), (3600, "seconds")):
        refused = await change(workouts, person, "extendRest", workoutId=workout, seconds=seconds)
        assert errors_of({"it": refused}, "it") == [("VALIDATION_ERROR", refusal)]
    shorter = await change(workouts, person, "extendRest", workoutId=workout, seconds=-3600)
    assert shorter["workout"]["rest"]["endsAt"] == after_noon(100)  # at once, and not before now
    over = await change(workouts, person, "extendRest", workoutId=workout, seconds=30)
    assert errors_of({"it": over}, "it") == [("CONFLICT", None)]

    before = await last_event(workouts, workout)
    await change(workouts, person, "startRest", workoutId=workout, seconds=60)
    assert await last_event(workouts, workout) == before  # a rest is no event
    completed = (await workouts.data(COMPLETE, person, {"id": workout}))["completeWorkout"]["workout"]
    assert completed["rest"] is None
    late = await change(workouts, person, "startRest", workoutId=workout, seconds=60)
    assert errors_of({"it": late}, "it") == [("CONFLICT", None)]
    assert await log(workouts, person, workout, "bench") is None  # a set that is added afterwards
    assert (await workouts.data(REOPEN, person, {"id": workout}))["reopenWorkout"]["workout"]["rest"] is None
