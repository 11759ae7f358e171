"""What one operation costs each part of the platform: CPU time, stored bytes, events. `python -m benchmarks.unit_costs`.

The platform runs whole (`fittracker up` with sample data). The operations are those of an app, one kind at a time, one after
another: equal queries that are under way together would run once. CPU time is read from /proc, and what the idle platform uses
meanwhile is taken off; other programs on the machine make it a little dearer and no more. `fittracker capacity` reckons with the result.
"""

from __future__ import annotations

import argparse
import asyncio
import tempfile
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import aiohttp
import asyncpg
import orjson

from benchmarks.fittracker.app import App
from benchmarks.fittracker.product import Product, running_product
from benchmarks.processes import resident_mib
from benchmarks.report import machine
from deploy.embedded import DOMAINS

RESULT = Path(__file__).parents[1] / "deploy" / "capacity" / "unit-costs.json"
WARM_UP = 20
IDLE_SECONDS = 20.0
#: After the last answer: the relays, the consumers and the fan-out have still to do what the operations left them.
SETTLE_SECONDS = 4.0

OPERATIONS = ("dashboard", "day", "search", "meal", "water", "weight", "workout")


@dataclass(frozen=True, slots=True)
class UnitCost:
    """One operation's: milliseconds of CPU by part, bytes that each database grew by, events that it leaves."""

    cpu_ms: dict[str, float]
    stored_bytes: dict[str, float]
    events: float


async def measure(product: Product, count: int) -> dict[str, Any]:
    """`{"idle_cpu_share": ..., "resident_mib": ..., "operations": {name: UnitCost}}`."""
    async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=60)) as session:
        app = App(product.state.router_url, product.requests[0], session)
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
    cpu, began = product.cpu_seconds(), time.monotonic()
    await _many(app, operation, range(WARM_UP, WARM_UP + count))
    await asyncio.sleep(SETTLE_SECONDS)
    elapsed = time.monotonic() - began
    used = {part: seconds - cpu[part] - idle[part] * elapsed for part, seconds in product.cpu_seconds().items()}
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
    before = product.cpu_seconds()
    await asyncio.sleep(IDLE_SECONDS)
    return {part: round((seconds - before[part]) / IDLE_SECONDS, 4) for part, seconds in product.cpu_seconds().items()}


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
