"""What the open-loop load test counts, and when it says that the platform does not follow."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import pytest

from benchmarks.fittracker.app import App, RefusedError
from benchmarks.fittracker.real_servers import check_age
from benchmarks.load import Request
from benchmarks.product_load import MIXES, Listener, Step, bottleneck, percentiles, waiting
from deploy.errors import FriendlyError


class _Socket:
    """Stands where a WebSocket would be written to."""

    async def send_json(self, data: Any) -> None:
        raise AssertionError(data)


class _Stream:
    """A router's WebSocket that lets everybody in and says these messages to a subscriber."""

    def __init__(self, *messages: dict[str, Any]) -> None:
        self._messages = [aiohttp.WSMessage(aiohttp.WSMsgType.TEXT, json.dumps(each), None) for each in messages]

    async def send_json(self, data: Any) -> None:
        pass

    async def receive(self) -> aiohttp.WSMessage:
        return aiohttp.WSMessage(aiohttp.WSMsgType.TEXT, json.dumps({"type": "connection_ack"}), None)

    async def __aiter__(self) -> AsyncIterator[aiohttp.WSMessage]:
        for message in self._messages:
            yield message


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


async def _first_state(*messages: dict[str, Any]) -> None:
    async with aiohttp.ClientSession() as session:
        await _listener(session).app.first_state(_Stream(*messages))  # type: ignore[arg-type]


async def test_a_phone_is_connected_again_when_the_first_state_of_its_stream_is_there() -> None:
    await _first_state({"type": "ping"}, {"type": "next", "id": "1", "payload": {"data": {}}})


@pytest.mark.parametrize(
    "messages",
    [
        [],
        [{"type": "complete", "id": "1"}],
        [{"type": "error", "id": "1", "payload": []}],
        [{"type": "next", "id": "1", "payload": {"errors": [{"message": "no"}]}}],
    ],
)
async def test_a_stream_without_a_first_state_is_a_failure(messages: list[dict[str, Any]]) -> None:
    with pytest.raises(RefusedError):
        await _first_state(*messages)


def test_what_waits_is_read_from_the_metrics_of_a_subgraph() -> None:
    metrics = """\
# TYPE outbox_unpublished gauge
outbox_unpublished{service="users"} 3.0
# TYPE consumer_lag_messages gauge
consumer_lag_messages{group="a",topic="x"} 2.0
consumer_lag_messages{group="a",topic="y"} 5.0
consumer_lag_messages{group="b",topic="x"} 0.0
consumer_lag_messages{group="c",topic="x"} NaN
# TYPE outbox_oldest_age_seconds gauge
outbox_oldest_age_seconds{service="users"} 9.0
"""
    assert waiting(metrics) == {"outbox of users": 3, "a": 7}


def test_servers_that_are_too_old_are_refused() -> None:
    check_age("PostgreSQL", "15.18")
    check_age("Redis", "8.0.1")
    check_age("Valkey", "1.0")  # says nothing of Redis
    with pytest.raises(FriendlyError, match=r"Redis 6\.2\.7 is older than 7"):
        check_age("Redis", "6.2.7")


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
