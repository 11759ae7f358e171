"""What the open-loop load test counts, and when it says that the platform does not follow."""

from __future__ import annotations

import asyncio
import json
import time
from typing import Any

import aiohttp

from benchmarks.fittracker.app import App
from benchmarks.load import Request
from benchmarks.product_load import MIXES, Listener, Step, bottleneck, percentiles


class _Socket:
    """Stands where a WebSocket would be written to."""

    async def send_json(self, data: Any) -> None:
        raise AssertionError(data)


async def _told(listener: Listener, local_date: str) -> None:
    event = {"type": "next", "payload": {"data": {"dailySummaryChanged": {"date": local_date, "mealsLogged": 1}}}}
    await listener.take(_Socket(), json.loads(json.dumps(event)))  # type: ignore[arg-type]


def _listener(session: aiohttp.ClientSession) -> Listener:
    return Listener(App("http://127.0.0.1:1/graphql", Request({}), session))


def test_percentiles_are_of_what_was_measured() -> None:
    seconds = [number / 1000 for number in range(1, 1001)]
    assert percentiles(seconds) == {"p50": 501.0, "p90": 901.0, "p99": 991.0, "p99.9": 1000.0, "max": 1000.0}
    assert percentiles([]) == {}


async def test_a_meal_is_told_by_the_next_event_of_its_day() -> None:
    async with aiohttp.ClientSession() as session:
        listener = _listener(session)
        listener.expect("2026-03-01", time.monotonic())
        await _told(listener, "2026-03-02")
        assert (listener.untold(), listener.event_seconds) == (1, [])
        await _told(listener, "2026-03-01")
        assert listener.untold() == 0
        assert len(listener.event_seconds) == 1


async def test_an_event_may_come_before_the_answer() -> None:
    async with aiohttp.ClientSession() as session:
        listener = _listener(session)
        sent = time.monotonic()
        await asyncio.sleep(0.001)
        await _told(listener, "2026-03-01")
        listener.expect("2026-03-01", sent)
        assert listener.untold() == 0
        assert listener.event_seconds[0] > 0


def test_a_step_is_saturated_by_slowness_by_failures_and_by_silence() -> None:
    fine = {"rate": 10, "seconds": 10, "arrived": 100, "all_ms": {"p99": 900.0}}
    assert not Step(**fine).is_saturated
    assert not Step(**fine, failed={"day": 1}).is_saturated
    assert Step(**fine, failed={"day": 1, "meal": 1}).is_saturated
    assert Step(**fine, untold=1).is_saturated
    assert Step(**{**fine, "all_ms": {"p99": 2_100.0}}).is_saturated


def test_the_bottleneck_is_the_busiest_part() -> None:
    assert bottleneck({"router": 0.2, "nutrition": 0.7}).startswith("nutrition uses 0.70 cores, all together 0.90 of ")


def test_the_mix_is_a_hundred_requests() -> None:
    assert sum(MIXES["people"].values()) == 100
