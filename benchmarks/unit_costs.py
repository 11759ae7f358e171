"""What one operation costs each part of the platform: CPU time, stored bytes, events. `python -m benchmarks.unit_costs`.

The platform runs whole (`fittracker up` with sample data). The operations are those of an app, one kind at a time, one after
another: equal queries that are under way together would run once. CPU time is read from /proc, and what the idle platform uses meanwhile is taken off; other programs on the machine
make it a little dearer and no more. `fittracker capacity` reckons with the result.
"""

from __future__ import annotations

import argparse
import asyncio
import tempfile
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import aiohttp
import asyncpg
import orjson

from benchmarks.fittracker.product import Product, running_product
from benchmarks.processes import cpu_seconds, own_cpu_seconds, resident_mib
from benchmarks.report import machine
from deploy.embedded import DOMAINS

RESULT = Path(__file__).parents[1] / "deploy" / "capacity" / "unit-costs.json"
WARM_UP = 20
IDLE_SECONDS = 20.0
#: After the last answer: the relays, the consumers and the fan-out have still to do what the operations left them.
SETTLE_SECONDS = 4.0

FOODS = (
    "query Foods($search: String!) { foods(search: $search, first: 10) { nodes { id name per100 { energyKcal } } } }"
)
DAY = """query Day($date: LocalDate!) { me { diaryDay(date: $date) { totals { energyKcal proteinG carbsG fatG }
  meals { slot items { grams foodName nutrients { energyKcal } } } } } }"""
LOG_MEAL = "mutation Meal($input: LogMealInput!) { logMeal(input: $input) { meal { id } userErrors { code } } }"
LOG_WATER = "mutation Water($input: LogWaterInput!) { logWater(input: $input) { drink { id } userErrors { code } } }"
LOG_WEIGHT = (
    "mutation Weight($input: LogWeightInput!) { logWeight(input: $input) { weightEntry { id } userErrors { code } } }"
)
LOG_WORKOUT = (
    "mutation Workout($input: LogWorkoutInput!) { logWorkout(input: $input) { workout { id } userErrors { code } } }"
)
SETS = [{"reps": 8, "weightKg": 60.0}, {"reps": 8, "weightKg": 62.5}, {"reps": 6, "weightKg": 65.0}]


@dataclass(frozen=True, slots=True)
class UnitCost:
    """One operation's: milliseconds of CPU by part, bytes that each database grew by, events that it leaves."""

    cpu_ms: dict[str, float]
    stored_bytes: dict[str, float]
    events: float


class App:
    """Somebody's app: John's token, and ids that the operations need."""

    def __init__(self, product: Product, session: aiohttp.ClientSession) -> None:
        self._product = product
        self._session = session
        self._authorization = str(product.requests[0].authorization)
        self._food = self._exercise = ""

    async def begin(self) -> None:
        found = await self.ask(
            '{ foods(search: "rice", first: 1) { nodes { id } } exercises(search: "squat", first: 1) { nodes { id } } }'
        )
        self._food = found["foods"]["nodes"][0]["id"]
        self._exercise = found["exercises"]["nodes"][0]["id"]

    async def ask(self, query: str, given: Mapping[str, Any] | None = None) -> dict[str, Any]:
        """The data. Raises RuntimeError where something was refused: a refusal costs something else."""
        body = {"query": query, "variables": given or {}}
        headers = {"authorization": self._authorization}
        async with self._session.post(self._product.state.router_url, json=body, headers=headers) as response:
            answer = await response.json(content_type=None)
        data: dict[str, Any] = answer.get("data") or {}
        if answer.get("errors") or any(
            (each or {}).get("userErrors") for each in data.values() if isinstance(each, dict)
        ):
            raise RuntimeError(orjson.dumps(answer).decode()[:600])
        return data

    async def use(self, operation: str, number: int) -> None:
        """The operation once more; `number` makes its texts and times differ from others'."""
        now = datetime.now(UTC)
        # A day takes a bounded number of entries, so that they are spread over those of a month.
        at = (now - timedelta(days=1 + number % 28, minutes=number % 600)).isoformat()
        key = str(uuid4())
        match operation:
            case "dashboard":
                request = self._product.requests[0].content
                await self.ask(str(request["query"]), request["variables"])
            case "day":
                await self.ask(DAY, {"date": (now - timedelta(days=number % 7)).date().isoformat()})
            case "search":
                await self.ask(
                    FOODS, {"search": ("banana", "brown rice", "greek yogurt", "chicken breast")[number % 4]}
                )
            case "meal":
                items = [{"foodId": self._food, "grams": 100.0 + number % 50} for _ in range(3)]
                await self.ask(LOG_MEAL, {"input": {"slot": "LUNCH", "at": at, "items": items, "idempotencyKey": key}})
            case "water":
                await self.ask(LOG_WATER, {"input": {"amountMl": 250, "at": at, "idempotencyKey": key}})
            case "weight":
                weight = 80 + number % 40 / 10
                await self.ask(LOG_WEIGHT, {"input": {"weightKg": weight, "recordedAt": at, "idempotencyKey": key}})
            case "workout":
                exercises = [{"exerciseId": self._exercise, "sets": SETS} for _ in range(5)]
                times = {"startedAt": at, "endedAt": (datetime.fromisoformat(at) + timedelta(minutes=9)).isoformat()}
                given = {"name": "Legs", **times, "exercises": exercises, "idempotencyKey": key}
                await self.ask(LOG_WORKOUT, {"input": given})


OPERATIONS = ("dashboard", "day", "search", "meal", "water", "weight", "workout")


async def measure(product: Product, count: int) -> dict[str, Any]:
    """`{"idle_cpu_share": ..., "resident_mib": ..., "operations": {name: UnitCost}}`."""
    async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=60)) as session:
        app = App(product, session)
        await app.begin()
        idle = await _idle(product)
        operations = {}
        for operation in OPERATIONS:
            cost = await _cost_of(product, app, operation, count, idle)
            print(operation, {part: round(ms, 2) for part, ms in cost.cpu_ms.items()}, flush=True)
            operations[operation] = asdict(cost)
    resident = {part: round(resident_mib(pid)) for part, pid in product.state.pids.items()}
    return {"idle_cpu_share": idle, "resident_mib": resident, "operations": operations}


async def _cost_of(product: Product, app: App, operation: str, count: int, idle: Mapping[str, float]) -> UnitCost:
    await _many(app, operation, range(WARM_UP))
    await asyncio.sleep(SETTLE_SECONDS)
    sizes, events = await _stored(product)
    cpu, began = _cpu(product), time.monotonic()
    await _many(app, operation, range(WARM_UP, WARM_UP + count))
    await asyncio.sleep(SETTLE_SECONDS)
    elapsed = time.monotonic() - began
    used = {part: seconds - cpu[part] - idle[part] * elapsed for part, seconds in _cpu(product).items()}
    grown, left = await _stored(product)
    return UnitCost(
        {part: round(max(0.0, seconds) * 1000 / count, 3) for part, seconds in used.items()},
        {domain: round(max(0, grown[domain] - sizes[domain]) / count) for domain in DOMAINS},
        round((left - events) / count, 2),
    )


async def _many(app: App, operation: str, numbers: range) -> None:
    for number in numbers:
        await app.use(operation, number)


async def _idle(product: Product) -> dict[str, float]:
    """Of one core, what each part uses while nobody asks anything."""
    before = _cpu(product)
    await asyncio.sleep(IDLE_SECONDS)
    return {part: round((seconds - before[part]) / IDLE_SECONDS, 4) for part, seconds in _cpu(product).items()}


def _cpu(product: Product) -> dict[str, float]:
    """Seconds so far. The router runs in the process of `fittracker up` itself, whose children are the other parts."""
    parts = {part: cpu_seconds(pid) for part, pid in product.state.pids.items() if part != "router"}
    router = product.state.pids.get("router")
    return {"router": own_cpu_seconds(product.state.supervisor_pid) if router is None else cpu_seconds(router), **parts}


async def _stored(product: Product) -> tuple[dict[str, int], int]:
    """Bytes of each database's tables and indexes, and how many events all outboxes hold."""
    sizes, events = {}, 0
    for domain in DOMAINS:
        connection = await asyncpg.connect(product.state.environment[f"DATABASE_URL_{domain.upper()}"])
        try:
            sizes[domain] = await connection.fetchval(
                "SELECT sum(pg_total_relation_size(oid))::bigint FROM pg_class"
                " WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace"
            )
            events += await connection.fetchval("SELECT count(*) FROM outbox")
        finally:
            await connection.close()
    return sizes, events


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.unit_costs", description=__doc__)
    parser.add_argument("--count", type=int, default=400, help="operations of each kind")
    options = parser.parse_args()
    with (
        tempfile.TemporaryDirectory(prefix="fittracker-unit-costs-") as folder,
        running_product(Path(folder) / "data", people=1) as product,
    ):
        measured = asyncio.run(measure(product, options.count))
    content = {"day": datetime.now(UTC).date().isoformat(), "machine": machine(), "count": options.count, **measured}
    RESULT.parent.mkdir(exist_ok=True)
    RESULT.write_bytes(orjson.dumps(content, option=orjson.OPT_INDENT_2) + b"\n")
    print(f"{RESULT} written")


if __name__ == "__main__":
    main()
