"""A session that is paused and resumed: told to both devices, left out of motion and energy, and right after every change."""

from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any

import pytest

from events.contracts.workouts import WorkoutState
from subgraphs.workouts.commands import pause as commands
from tests.testkit.live_fields import streaming, with_live_updates
from tests.testkit.servers import Postgres, Valkey
from tests.testkit.subgraph import SubgraphUnderTest
from tests.testkit.workouts import errors_of, last_event, told, workouts_subgraph

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
START = 'mutation { startWorkout(input: {name: "Bench"}) { workout { id } } }'
SHOWN = "version status isPaused activeMinutes pauses { startedAt endedAt } caloriesBurned { method }"
CHANGE = (
    "mutation ($input: INPUT!) { it: NAME(input: $input) { workout { SHOWN } userErrors { code field } } }".replace(
        "SHOWN", SHOWN
    )
)
LOG = """mutation ($input: LogWorkoutInput!) { logWorkout(input: $input) { workout { id durationMinutes activeMinutes
  pauses { startedAt endedAt } caloriesBurned { kcal } } userErrors { code field } } }"""
SESSION = "subscription ($id: ID!) { workoutSession(id: $id) { version isPaused } }"
_people = count(1)


@pytest.fixture(scope="module")
async def workouts(postgres: Postgres, valkey: Valkey) -> AsyncIterator[SubgraphUnderTest]:
    async with workouts_subgraph(postgres, "workouts_pauses") as subgraph, with_live_updates(subgraph, valkey):
        yield subgraph


@pytest.fixture
def person() -> str:
    return f"person-{next(_people)}"


Clock = Callable[[int], None]


@pytest.fixture
def clock(workouts: SubgraphUnderTest, monkeypatch: pytest.MonkeyPatch) -> Clock:
    """Sets the server's clock so many minutes after noon."""

    def at(minutes: int) -> None:
        monkeypatch.setattr(workouts.resources, "now", lambda: NOON + timedelta(minutes=minutes))

    at(0)
    return at


def after_noon(minutes: int) -> str:
    return (NOON + timedelta(minutes=minutes)).strftime("%Y-%m-%dT%H:%M:%SZ")


async def started(workouts: SubgraphUnderTest, person: str) -> str:
    return str((await workouts.data(START, person))["startWorkout"]["workout"]["id"])


async def change(workouts: SubgraphUnderTest, person: str, name: str, **given: Any) -> Any:
    operation = CHANGE.replace("NAME", name).replace("INPUT", f"{name[0].upper()}{name[1:]}Input")
    return await told(workouts, person, operation, **given)


async def test_a_pause_counts_neither_as_motion_nor_for_energy(
    workouts: SubgraphUnderTest, person: str, clock: Clock
) -> None:
    workout = await started(workouts, person)
    clock(10)
    paused = (await change(workouts, person, "pauseWorkout", id=workout, expectedVersion=1))["workout"]
    assert (paused["version"], paused["isPaused"]) == (2, True)
    again = (await change(workouts, person, "pauseWorkout", id=workout))["workout"]
    assert again == paused
    clock(25)
    resumed = (await change(workouts, person, "resumeWorkout", id=workout))["workout"]
    assert resumed["pauses"] == [{"startedAt": after_noon(10), "endedAt": after_noon(25)}]
    assert (await change(workouts, person, "resumeWorkout", id=workout))["workout"] == resumed
    clock(50)
    await change(workouts, person, "pauseWorkout", id=workout)
    clock(60)
    done = (await change(workouts, person, "completeWorkout", id=workout))["workout"]
    assert (done["isPaused"], done["activeMinutes"]) == (False, 60 - 15 - 10)
    assert done["pauses"][1] == {"startedAt": after_noon(50), "endedAt": after_noon(60)}
    _, event = await last_event(workouts, workout)
    assert isinstance(event, WorkoutState)
    assert event.active_minutes == 35

    # The end that ended the last pause moves it; a session that is taken up again is paused as it was.
    shorter = (await change(workouts, person, "updateWorkout", id=workout, endedAt=after_noon(55)))["workout"]
    assert (shorter["activeMinutes"], shorter["pauses"][1]["endedAt"]) == (35, after_noon(55))
    as_told = (await change(workouts, person, "updateWorkout", id=workout, activeMinutes=20))["workout"]
    assert as_told["activeMinutes"] == 20
    await change(workouts, person, "updateWorkout", id=workout, activeMinutes=None)
    reopened = (await change(workouts, person, "reopenWorkout", id=workout))["workout"]
    assert (reopened["isPaused"], reopened["pauses"][1]["endedAt"]) == (True, None)
    clock(70)
    await change(workouts, person, "resumeWorkout", id=workout)
    clock(80)
    assert (await change(workouts, person, "completeWorkout", id=workout))["workout"]["activeMinutes"] == 80 - 15 - 20


async def test_energy_is_of_the_minutes_that_the_pauses_leave(workouts: SubgraphUnderTest, person: str) -> None:
    async with workouts.database.transaction() as transaction:
        await transaction.exec_driver_sql(
            "INSERT INTO person_weight (entry_id, user_id, local_date, recorded_at, weight_kg) VALUES"
            f" ('w-{person}', '{person}', '2026-01-01', '2026-01-01', 80)"
        )
    given = {
        "name": "Bench",
        "startedAt": after_noon(-120),
        "exercises": [{"exerciseId": "bench", "sets": [{"reps": 5}]}],
    }
    pauses = [{"startedAt": after_noon(-110), "endedAt": after_noon(-90)}]
    with_pause = {"input": given | {"endedAt": after_noon(-60), "pauses": pauses}}
    paused = (await workouts.data(LOG, person, with_pause))["logWorkout"]["workout"]
    assert (paused["durationMinutes"], paused["activeMinutes"], paused["pauses"]) == (60, 40, pauses)
    shorter = (await workouts.data(LOG, person, {"input": given | {"endedAt": after_noon(-80)}}))["logWorkout"][
        "workout"
    ]
    assert paused["caloriesBurned"]["kcal"] == shorter["caloriesBurned"]["kcal"] > 0


async def test_two_devices_are_in_step(workouts: SubgraphUnderTest, person: str, clock: Clock) -> None:
    workout = await started(workouts, person)
    async with streaming(workouts, SESSION, person, {"id": workout}) as phone:
        assert await phone.next() == {"version": 1, "isPaused": False}
        clock(5)
        await change(workouts, person, "pauseWorkout", id=workout, expectedVersion=1)
        assert await phone.next() == {"version": 2, "isPaused": True}
        stale = await change(workouts, person, "resumeWorkout", id=workout, expectedVersion=1)
        assert errors_of({"it": stale}, "it") == [("STALE_VERSION", "expectedVersion")]
        await change(workouts, person, "resumeWorkout", id=workout, expectedVersion=2)
        assert await phone.next() == {"version": 3, "isPaused": False}


async def test_a_device_tells_afterwards_when_it_was_and_no_more_than_there_may_be(
    workouts: SubgraphUnderTest, person: str, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    workout = await started(workouts, person)
    clock(30)
    for wrong in (-1, 40):
        refused = await change(workouts, person, "pauseWorkout", id=workout, at=after_noon(wrong))
        assert errors_of({"it": refused}, "it") == [("VALIDATION_ERROR", "at")]
    await change(workouts, person, "pauseWorkout", id=workout, at=after_noon(10))
    early = await change(workouts, person, "resumeWorkout", id=workout, at=after_noon(9))
    assert errors_of({"it": early}, "it") == [("VALIDATION_ERROR", "at")]
    resumed = await change(workouts, person, "resumeWorkout", id=workout, at=after_noon(20))
    assert resumed["workout"]["pauses"] == [{"startedAt": after_noon(10), "endedAt": after_noon(20)}]
    monkeypatch.setattr(commands, "MOST_PAUSES", 1)
    assert errors_of({"it": await change(workouts, person, "pauseWorkout", id=workout)}, "it") == [("CONFLICT", None)]
    await change(workouts, person, "completeWorkout", id=workout)
    for name in ("pauseWorkout", "resumeWorkout"):
        assert errors_of({"it": await change(workouts, person, name, id=workout)}, "it") == [("CONFLICT", None)]
