"""What the app of one person asks the platform, an operation at a time. Used by `unit_costs` and `product_load`."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import aiohttp
import orjson

from benchmarks.load import Request

FOODS = (
    "query Foods($search: String!) { foods(search: $search, first: 10) { nodes { id name per100 { energyKcal } } } }"
)
SEARCHES = ("banana", "brown rice", "greek yogurt", "chicken breast")
DAY = """query Day($date: LocalDate!) { me { diaryDay(date: $date) { totals { energyKcal proteinG carbsG fatG }
  meals { slot items { grams foodName nutrients { energyKcal } } } } } }"""
LOG_MEAL = """mutation Meal($input: LogMealInput!) {
  logMeal(input: $input) { meal { id localDate } userErrors { code } } }"""
LOG_WATER = "mutation Water($input: LogWaterInput!) { logWater(input: $input) { drink { id } userErrors { code } } }"
LOG_WEIGHT = (
    "mutation Weight($input: LogWeightInput!) { logWeight(input: $input) { weightEntry { id } userErrors { code } } }"
)
LOG_WORKOUT = (
    "mutation Workout($input: LogWorkoutInput!) { logWorkout(input: $input) { workout { id } userErrors { code } } }"
)
LIVE_DAYS = "subscription { dailySummaryChanged { date mealsLogged } }"
SETS = [{"reps": 8, "weightKg": 60.0}, {"reps": 8, "weightKg": 62.5}, {"reps": 6, "weightKg": 65.0}]
SPREAD_DAYS = 28


class RefusedError(Exception):
    """The platform answered with errors, or with a refusal: the message is the answer's beginning."""


class App:
    """One signed-in person's. `dashboard` is the request of the first page, whose token all others carry too."""

    def __init__(self, url: str, dashboard: Request, session: aiohttp.ClientSession) -> None:
        self.authorization = dashboard.authorization
        self._url = url
        self._dashboard = dashboard.content
        self._session = session
        self._food = self._exercise = ""

    async def begin(self) -> None:
        """Finds the food and the exercise that later operations log. Raises RefusedError, aiohttp.ClientError."""
        found = await self.ask(
            '{ foods(search: "rice", first: 1) { nodes { id } } exercises(search: "squat", first: 1) { nodes { id } } }'
        )
        self._food = found["foods"]["nodes"][0]["id"]
        self._exercise = found["exercises"]["nodes"][0]["id"]

    async def ask(self, query: str, given: Mapping[str, Any] | None = None) -> dict[str, Any]:
        """The data. Raises RefusedError where something was refused, for a refusal costs something else."""
        body = {"query": query, "variables": given or {}}
        headers = {"authorization": self.authorization}
        async with self._session.post(self._url, json=body, headers=headers) as response:
            answer = await response.json(content_type=None)
        data: dict[str, Any] = answer.get("data") or {}
        if answer.get("errors") or any(
            (each or {}).get("userErrors") for each in data.values() if isinstance(each, dict)
        ):
            raise RefusedError(orjson.dumps(answer).decode()[:600])
        return data

    async def use(self, operation: str, number: int) -> dict[str, Any]:
        """The operation once more: its data. `number` makes its texts and times differ from others'. Raises as `ask`.

        A day takes a bounded number of entries, so that they are spread over those of a month.
        """
        now = datetime.now(UTC)
        at = now - timedelta(days=1 + number % SPREAD_DAYS, minutes=number % 600)
        when = {"idempotencyKey": str(uuid4()), "at": at.isoformat()}
        match operation:
            case "dashboard":
                return await self.ask(str(self._dashboard["query"]), self._dashboard["variables"])
            case "day":
                return await self.ask(DAY, {"date": (now - timedelta(days=number % 7)).date().isoformat()})
            case "search":
                return await self.ask(FOODS, {"search": SEARCHES[number % len(SEARCHES)]})
            case "meal":
                items = [{"foodId": self._food, "grams": 100.0 + number % 50} for _ in range(3)]
                return await self.ask(LOG_MEAL, {"input": {"slot": "LUNCH", "items": items, **when}})
            case "water":
                return await self.ask(LOG_WATER, {"input": {"amountMl": 250, **when}})
            case "weight":
                given = {"weightKg": 80 + number % 40 / 10, "recordedAt": when["at"]}
                return await self.ask(LOG_WEIGHT, {"input": {**given, "idempotencyKey": when["idempotencyKey"]}})
            case "workout":
                return await self.ask(LOG_WORKOUT, {"input": self._workout(at, when["idempotencyKey"])})
        raise ValueError(f"{operation} is none of an app's operations")

    async def live(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        """Signs in over a WebSocket and subscribes to the person's days. Raises RefusedError where it is not let in."""
        await socket.send_json({"type": "connection_init", "payload": {"Authorization": self.authorization}})
        message = await socket.receive()
        if message.type is not aiohttp.WSMsgType.TEXT or json.loads(message.data)["type"] != "connection_ack":
            raise RefusedError(f"no connection_ack: {message!r}")
        await socket.send_json({"type": "subscribe", "id": "1", "payload": {"query": LIVE_DAYS}})

    async def first_state(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        """As `live`, and waits for the state with which the stream begins. Raises RefusedError where none comes."""
        await self.live(socket)
        async for message in socket:
            told = json.loads(message.data)
            if told["type"] == "next" and not told["payload"].get("errors"):
                return
            if told["type"] != "ping":
                raise RefusedError(f"no first state: {message.data[:600]}")
        raise RefusedError("the stream ended before its first state")

    def connect(self) -> Any:
        """A WebSocket to the router, as an asynchronous context manager."""
        return self._session.ws_connect(self._url.replace("http", "ws", 1), protocols=("graphql-transport-ws",))

    def _workout(self, at: datetime, key: str) -> dict[str, Any]:
        exercises = [{"exerciseId": self._exercise, "sets": SETS} for _ in range(5)]
        times = {"startedAt": at.isoformat(), "endedAt": (at + timedelta(minutes=9)).isoformat()}
        return {"name": "Legs", **times, "exercises": exercises, "idempotencyKey": key}
