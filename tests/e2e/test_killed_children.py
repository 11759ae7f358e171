"""Whatever child is killed while people write, no acknowledged write is lost and the summaries end right."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.testkit.running_stack import RunningStack, Visitor, eventually, is_alive, running_stack

CHILDREN = ("users", "nutrition", "workouts", "analytics", "router", "broker", "valkey", "postgres")
LOG_WORKOUT = "mutation($input: LogWorkoutInput!) { logWorkout(input: $input) { id } }"
DAY = "query($date: Date!) { dailySummary(date: $date) { workoutsCompleted workoutMinutes } }"
NOON = datetime.now(UTC).replace(hour=12, minute=0, second=0, microsecond=0) - timedelta(days=1)


@pytest.fixture(scope="module")
async def own_stack(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[RunningStack]:
    """Not the shared one: other tests should not meet children that are being replaced."""
    async with running_stack(tmp_path_factory.mktemp("killed") / "data", "--no-sample-data") as stack:
        yield stack


@pytest.mark.timeout(180)
@pytest.mark.parametrize("name", CHILDREN)
async def test_nothing_acknowledged_is_lost(own_stack: RunningStack, name: str) -> None:
    person = await own_stack.register()
    is_over = asyncio.Event()
    writing = asyncio.create_task(_write_until(person, is_over))
    await asyncio.sleep(0.5)
    await own_stack.kill(name)
    await asyncio.sleep(0.5)
    is_over.set()
    written = await writing
    assert written > 0

    async def summary_is_right() -> bool:
        answer = await person.insist(DAY, {"date": NOON.date().isoformat()})
        return bool(answer["dailySummary"] == {"workoutsCompleted": written, "workoutMinutes": 10 * written})

    await eventually(summary_is_right, seconds=90)


async def _write_until(person: Visitor, is_over: asyncio.Event) -> int:
    """Ten-minute workouts, one after the other, each repeated until it is acknowledged; how many there are."""
    written = 0
    while not is_over.is_set() or written == 0:
        await person.insist(LOG_WORKOUT, {"input": _workout(written)})
        written += 1
    return written


def _workout(number: int) -> dict[str, Any]:
    start = NOON + timedelta(seconds=number)
    return {
        "name": f"Workout {number}",
        "startedAt": start.isoformat(),
        "endedAt": (start + timedelta(minutes=10)).isoformat(),
        "reportedKcal": 50,
        "timeZone": "UTC",
        "idempotencyKey": f"workout-{number}",
    }


@pytest.mark.timeout(180)
async def test_a_stop_leaves_no_process_and_a_second_start_finds_everything(tmp_path: Any) -> None:
    async with running_stack(tmp_path / "data", "--no-sample-data") as stack:
        person = await stack.register()
        await person.data(LOG_WORKOUT, {"input": _workout(0)})
        first_pids = list(stack.state.pids.values())
    assert not [pid for pid in first_pids if is_alive(pid)]
    async with running_stack(tmp_path / "data", "--no-sample-data") as stack:
        person.stack = stack

        async def summary_is_there() -> bool:
            answer = await person.insist(DAY, {"date": NOON.date().isoformat()})
            return bool(answer["dailySummary"]["workoutsCompleted"] == 1)

        await eventually(summary_is_there)
        stack.process.kill()
        await stack.process.wait()
        pids = list(stack.state.pids.values())

        async def nothing_is_left() -> bool:
            return not [pid for pid in pids if is_alive(pid)]

        await eventually(nothing_is_left)
