"""From a logged workout to a subscriber of another process: outbox, relay, broker, projector, Redis, WebSocket."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import aiohttp
import pytest
from sqlalchemy import text

from events.kafka_settings import KafkaSettings
from subgraphs.analytics.app import create_app as create_analytics
from subgraphs.shell.context import Resources, utc_now
from subgraphs.shell.database import migrate
from subgraphs.shell.settings import Settings
from subgraphs.workouts.app import create_app as create_workouts
from subgraphs.workouts.sample_data import load_exercises
from tests.testkit.servers import Broker, Postgres, Valkey
from tests.testkit.strawberry_shop import serving
from tests.testkit.subgraph import SECRET, sign_token

LOG = """mutation ($name: String!, $kcal: Float!) { logWorkout(input: {
    name: $name, startedAt: "2026-03-01T07:00:00Z", endedAt: "2026-03-01T07:30:00Z", reportedKcal: $kcal,
    exercises: [{exerciseId: "run", durationSeconds: 1800}] }) {
    workout { id localDate } } }"""
CHANGED = """subscription ($date: LocalDate) { dailySummaryChanged(date: $date) {
    date caloriesBurned workoutsCompleted revision user { id } diary { date } } }"""


@dataclass(slots=True)
class Stack:
    """The two subgraphs over servers that can be killed."""

    workouts: str
    analytics: str
    analytics_resources: Resources
    broker: Broker
    valkey: Valkey
    postgres: Postgres
    http: aiohttp.ClientSession

    async def log_workout(self, person: str, kcal: float) -> None:
        body = {"query": LOG, "variables": {"name": "Run", "kcal": kcal}}
        headers = {"Authorization": f"Bearer {sign_token(person)}"}
        async with self.http.post(self.workouts, json=body, headers=headers) as response:
            answer = await response.json(content_type=None)
        assert "errors" not in answer, answer

    async def summary(self, person: str) -> dict[str, Any]:
        body = {"query": '{ dailySummary(date: "2026-03-01") { caloriesBurned workoutsCompleted } }'}
        headers = {"Authorization": f"Bearer {sign_token(person)}"}
        async with self.http.post(self.analytics, json=body, headers=headers) as response:
            answer = await response.json(content_type=None)
        assert "errors" not in answer, answer
        summary: dict[str, Any] = answer["data"]["dailySummary"]
        return summary

    async def until_burned(self, person: str, kcal: float) -> None:
        async with asyncio.timeout(60):
            while (await self.summary(person))["caloriesBurned"] != kcal:
                await asyncio.sleep(0.1)

    @asynccontextmanager
    async def subscribed(self, person: str | None, date: str | None = None) -> AsyncIterator["Updates"]:
        payload = {"Authorization": f"Bearer {sign_token(person)}"} if person else {}
        async with self.http.ws_connect(self.analytics, protocols=["graphql-transport-ws"]) as socket:
            await socket.send_json({"type": "connection_init", "payload": payload})
            assert (await socket.receive_json())["type"] == "connection_ack"
            request = {"query": CHANGED, "variables": {"date": date}}
            await socket.send_json({"id": "1", "type": "subscribe", "payload": request})
            await asyncio.sleep(0.2)
            yield Updates(socket)


class Updates:
    """What the server says over one subscription."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        self._socket = socket

    async def next_message(self) -> dict[str, Any]:
        message: dict[str, Any] = json.loads(await self._socket.receive_str(timeout=60))
        return message

    async def next(self) -> dict[str, Any]:
        message = await self.next_message()
        assert message["type"] == "next", message
        changed: dict[str, Any] = message["payload"]["data"]["dailySummaryChanged"]
        return changed


def _endpoint(port: int) -> str:
    return f"http://127.0.0.1:{port}/graphql"


@pytest.fixture(scope="module")
async def stack() -> AsyncIterator[Stack]:
    postgres, broker, valkey = Postgres(), Broker(), Valkey()
    for server in (postgres, broker, valkey):
        server.start()
    settings = {}
    for name in ("workouts", "analytics"):
        url = postgres.create_database(f"fittracker_{name}")
        await migrate(name, url)
        settings[name] = Settings(
            subgraph=name,
            database_url=url,
            jwt_secret=SECRET,
            redis_url=valkey.url,
            kafka=KafkaSettings(broker.bootstrap_servers, idempotent=False, fetch_max_wait_ms=20),
        )
    workouts, analytics = create_workouts(settings["workouts"]), create_analytics(settings["analytics"])
    async with workouts.resources.database.transaction() as connection:
        run = {"id": "run", "name": "Run", "category": "CARDIO", "level": "BEGINNER", "tracking": "TIME", "met": 9.8}
        await load_exercises(connection, [run], utc_now())
    async with (
        serving(workouts) as workouts_port,
        serving(analytics) as analytics_port,
        aiohttp.ClientSession() as http,
    ):
        yield Stack(
            _endpoint(workouts_port), _endpoint(analytics_port), analytics.resources, broker, valkey, postgres, http
        )
    for server in (valkey, broker):
        server.kill()
    postgres.stop()


async def test_a_logged_workout_reaches_the_subscribers_of_the_day(stack: Stack) -> None:
    async with stack.subscribed("ann") as every_day, stack.subscribed("ann", "2026-03-01") as one_day:
        assert (await one_day.next())["revision"] == 0
        await stack.log_workout("ann", 300)
        for updates in (every_day, one_day):
            assert await updates.next() == {
                "date": "2026-03-01",
                "caloriesBurned": 300.0,
                "workoutsCompleted": 1,
                "revision": 1,
                "user": {"id": "ann"},
                "diary": {"date": "2026-03-01"},
            }


async def test_nobody_hears_of_anothers_days(stack: Stack) -> None:
    async with stack.subscribed("bob") as bobs:
        await stack.log_workout("cid", 100)
        await stack.until_burned("cid", 100)
        await stack.log_workout("bob", 200)
        assert (await bobs.next())["caloriesBurned"] == 200.0


async def test_a_subscription_without_a_token_is_refused(stack: Stack) -> None:
    async with stack.subscribed(None) as updates:
        message = await updates.next_message()
    errors = message["payload"] if message["type"] == "error" else message["payload"]["errors"]
    assert errors[0]["extensions"]["code"] == "UNAUTHENTICATED"


async def test_redis_killed_and_back_a_subscriber_is_told_what_it_missed(stack: Stack) -> None:
    async with stack.subscribed("dee") as updates:
        stack.valkey.kill()
        await stack.log_workout("dee", 100)
        await stack.until_burned("dee", 100)
        stack.valkey.start()
        assert (await updates.next())["caloriesBurned"] == 100.0
        await stack.log_workout("dee", 50)
        assert (await updates.next())["caloriesBurned"] == 150.0


async def test_broker_killed_during_load_and_back_empty_the_summaries_end_right(stack: Stack) -> None:
    async with stack.subscribed("eve") as updates:
        for number in range(15):
            await stack.log_workout("eve", 10)
            if number == 5:
                stack.broker.kill()
            if number == 10:
                stack.broker.start()
        await stack.until_burned("eve", 150)
        seen = [await updates.next()]
        while seen[-1]["caloriesBurned"] != 150.0:
            seen.append(await updates.next())
    revisions = [update["revision"] for update in seen]
    assert revisions == sorted(set(revisions))
    assert (await stack.summary("eve"))["workoutsCompleted"] == 15
    async with stack.analytics_resources.database.reading() as connection:
        facts = await connection.scalar(text("SELECT count(*) FROM workout_fact WHERE user_id = 'eve'"))
    assert facts == 15
