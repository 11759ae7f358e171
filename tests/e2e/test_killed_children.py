"""Whatever child is killed while people write, no acknowledged write is lost, the summaries end right and front ends go on."""

from __future__ import annotations

import asyncio
import signal
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from datetime import UTC, datetime, timedelta
from typing import Any

import asyncpg
import jwt
import pytest

from tests.testkit.campaign_watchers import KINDS_OF_WATCHERS, Watcher, watching
from tests.testkit.kotlin_client import compiled_kotlin_client
from tests.testkit.npm_clients import TalkingClient, compile_relay, talking_client
from tests.testkit.running_stack import RunningStack, Visitor, eventually, is_alive, running_stack

CHILDREN = ("users", "nutrition", "workouts", "analytics", "router", "broker", "valkey", "postgres")
LOG_WORKOUT = "mutation($input: LogWorkoutInput!) { logWorkout(input: $input) { workout { id } } }"
DAY = "query($date: LocalDate!) { dailySummary(date: $date) { workoutsCompleted workoutMinutes } }"
NOON = datetime.now(UTC).replace(hour=12, minute=0, second=0, microsecond=0) - timedelta(days=1)


@pytest.fixture(scope="module")
async def own_stack(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[RunningStack]:
    """Not the shared one: other tests should not meet children that are being replaced."""
    async with running_stack(tmp_path_factory.mktemp("killed") / "data", "--no-sample-data") as stack:
        yield stack


@pytest.mark.timeout(300)
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


@pytest.mark.timeout(300)
async def test_what_is_projected_between_two_streams_is_told_by_the_second(own_stack: RunningStack) -> None:
    """Analytics is killed under its subscribers and has caught up before they come back: two soon, two after ten minutes."""
    person = await own_stack.register()
    watchers = [Watcher(person, transport, resumes=resumes) for resumes, transport in KINDS_OF_WATCHERS]
    soon, late = watchers[:2], watchers[2:]
    date = NOON.date().isoformat()

    async def log_until_projected(number: int) -> None:
        await person.insist(LOG_WORKOUT, {"input": _workout(number)})

        async def is_projected() -> bool:
            answer = await person.insist(DAY, {"date": date})
            return bool(answer["dailySummary"]["workoutsCompleted"] == number + 1)

        await eventually(is_projected, seconds=90)

    async def know(some: list[Watcher], calories: float) -> bool:
        return all(each.last_by_date.get(date, {}).get("caloriesBurned") == calories for each in some)

    await log_until_projected(0)
    async with watching(watchers):
        await eventually(lambda: know(watchers, 50))
        killing = asyncio.create_task(own_stack.kill("analytics"))
        await asyncio.sleep(0)  # the signal is sent; nobody may be there again before it has caught up
    await killing
    await log_until_projected(1)
    async with watching(soon):
        await eventually(lambda: know(soon, 100))
    await _let_ten_minutes_pass(own_stack, person, late)
    async with watching(late):
        await eventually(lambda: know(late, 100))


async def _let_ten_minutes_pass(stack: RunningStack, person: Visitor, watchers: list[Watcher]) -> None:
    """For the person's days and what the watchers know of them."""
    ten_minutes = timedelta(minutes=10)
    database = await asyncpg.connect(stack.state.environment["DATABASE_URL_ANALYTICS"])
    try:
        earlier = "UPDATE daily_summary SET computed_at = computed_at - $1::interval WHERE user_id = $2"
        await database.execute(earlier, ten_minutes, person.id)
    finally:
        await database.close()
    for watcher in watchers:
        assert watcher.newest is not None
        watcher.newest = (datetime.fromisoformat(watcher.newest) - ten_minutes).isoformat()


NPM_CLIENTS = ("graphql-ws", "graphql-sse", "apollo", "urql")
RELAY_PAGE = 3  # workouts that relay_client.mjs asks for at a time
CHANGED = "subscription { dailySummaryChanged { date workoutsCompleted } }"


@pytest.mark.timeout(300)
async def test_front_ends_cross_an_expiry_and_restarts_without_signing_in_again(own_stack: RunningStack) -> None:
    """Unmodified clients of npm and Maven, six devices of one session: they have one refresh token between them."""
    kotlin, _ = await asyncio.gather(asyncio.to_thread(compiled_kotlin_client), asyncio.to_thread(compile_relay))
    person = await own_stack.register()
    date = NOON.date().isoformat()
    query = f'{{ dailySummary(date: "{date}") {{ date workoutsCompleted }} }}'
    written = 0

    async def write() -> None:
        nonlocal written
        await person.insist(LOG_WORKOUT, {"input": _workout(written)})
        written += 1

    async def write_until_all_hear(clients: list[TalkingClient]) -> None:
        """Until every client has heard of a workout that was logged from now on."""
        already = [len(client.all("event")) for client in clients]
        deadline = time.monotonic() + 90
        while any(len(client.all("event")) <= before for client, before in zip(clients, already, strict=True)):
            assert time.monotonic() < deadline, [client.told[-3:] for client in clients]
            assert not any(client.all("ended") for client in clients), [client.all("ended") for client in clients]
            await write()
            await asyncio.sleep(0.5)

    for _ in range(2 * RELAY_PAGE + 1):
        await write()
    async with AsyncExitStack() as stack:
        expiring, expires_at = _expiring(own_stack, person, seconds=10)
        tokens = (own_stack.state.router_url, expiring, person.refresh_token)
        commands = [
            *(("node", "session_client.mjs", kind, *tokens, CHANGED, query) for kind in NPM_CLIENTS),
            ("node", "relay_client.mjs", *tokens, date),
            (*kotlin, *tokens, CHANGED, query),
        ]
        clients = [await stack.enter_async_context(talking_client(*command)) for command in commands]
        await write_until_all_hear(clients)
        await asyncio.sleep(max(0.0, expires_at - time.time()))
        await write_until_all_hear(clients)
        for name, kind in (("router", signal.SIGKILL), ("analytics", signal.SIGTERM)):
            await own_stack.kill(name, kind)
            await write_until_all_hear(clients)

        async def all_are_right() -> bool:
            for client in clients:
                client.say("ask")
            await asyncio.sleep(0.5)
            answers = [client.all("answer")[-1:] for client in clients]
            return all(answer and answer[0]["dailySummary"]["workoutsCompleted"] == written for answer in answers)

        await eventually(all_are_right, seconds=60)
        assert [client.all("ended") for client in clients] == [[]] * len(clients)
        assert [client.all("refreshed") for client in clients] == [[1]] * len(clients)
        _check_pages(clients[len(NPM_CLIENTS)].all("answer")[-1]["workouts"])


def _check_pages(names: list[str]) -> None:
    """Pages of which the first came before the token's end and the restarts: no workout is missing or there twice."""
    assert len(names) > 2 * RELAY_PAGE
    assert names == [f"Workout {number}" for number in reversed(range(len(names)))]


def _expiring(stack: RunningStack, person: Visitor, *, seconds: int) -> tuple[str, float]:
    """The person's access token as it would be shortly before its end, and that end."""
    claims = jwt.decode(person.access_token, options={"verify_signature": False})
    expires_at = int(time.time()) + seconds
    return jwt.encode({**claims, "exp": expires_at}, stack.directory.jwt_secret(), "HS256"), expires_at


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


@pytest.mark.timeout(300)
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
