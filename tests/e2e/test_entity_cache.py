"""The entity cache in front of the whole platform: what a reader sees after somebody logs a meal through another router."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from typing import Any

import pytest

from router.server.app import create_app
from router.settings import load_settings
from router.telemetry import REGISTRY
from tests.testkit.running_stack import RunningStack, Visitor
from tests.testkit.strawberry_shop import serving

DIARY = """query($date: LocalDate!) { me {
  diaryDay(date: $date) { totals { energyKcal } meals { id } summary { mealsLogged } } } }"""
TODAY = "{ me { diaryDay { date } } }"
CREATE = 'mutation { createFood(input: { name: "Oats", category: GRAIN, per100: {energyKcal: 389, proteinG: 17, carbsG: 66, fatG: 7} }) { food { id } } }'
LOG = """mutation($food: ID!) { logMeal(input: { slot: SNACK, items: [{ foodId: $food, grams: 100 }], idempotencyKey: "m" }) {
  meal { id } userErrors { code } } }"""
#: Longer than the test takes: only events can tell the reader.
LONG = 3_600
PERSON = {"type": "User", "key": {"id": "user_id"}}
DAY = {"type": "DiaryDay"}


@pytest.fixture
async def reading(stack: RunningStack) -> AsyncIterator[str]:
    """The URL of a second router over the running platform, which keeps entities for an hour."""
    types = (
        "Query.me",
        "User",
        "User.diaryDay",
        "DiaryDay",
        "DiaryDay.totals",
        "DiaryDay.meals",
        "DailySummary",
        "Meal",
    )
    environment = stack.state.environment
    settings: dict[str, Any] = {
        "supergraph": stack.directory.supergraph,
        "redis_url": environment["REDIS_URL"],
        "response_cache": {"enabled": False},
        "kafka": {"bootstrap_servers": environment["KAFKA_BOOTSTRAP_SERVERS"]},
        "jwt": {
            "keys": [{"secret": stack.directory.jwt_secret()}],
            "issuers": ["fittracker"],
            "audiences": ["fittracker"],
        },
        "entity_cache": {
            "enabled": True,
            "key_prefix": f"test-{time.time_ns()}",
            "max_ages": dict.fromkeys(types, LONG),
            "default_max_age_seconds": LONG,
            "invalidation": {
                "topics": {
                    "nutrition.diary.v1": [
                        PERSON,
                        {**DAY, "key": {"userId": "user_id", "date": "local_date"}},
                    ],
                    "analytics.derived.v1": [
                        {
                            **DAY,
                            "key": {"userId": "user_id", "date": "payload.date"},
                            "when": {"aggregate.type": "daily_summary"},
                        }
                    ],
                }
            },
        },
        "telemetry": {"log_level": "error"},
    }
    async with serving(create_app(load_settings(None, {}, **settings))) as port:
        yield f"http://127.0.0.1:{port}/graphql"


def requests_to_subgraphs() -> float:
    found = (sample.value for metric in REGISTRY.collect() for sample in metric.samples
             if sample.name == "router_subgraph_request_duration_seconds_count")  # fmt: skip
    total = sum(found)
    assert total > 0, "nothing is counted"
    return total


async def read(url: str, person: Visitor, date: str) -> Any:
    headers = {"authorization": f"Bearer {person.access_token}"}
    body = {"query": DIARY, "variables": {"date": date}}
    async with person.stack.session.post(url, json=body, headers=headers) as response:
        answer = await response.json()
    assert "errors" not in answer, answer
    return answer["data"]["me"]["diaryDay"]


async def test_after_log_meal_no_reader_sees_the_old_diary_longer_than_the_event_takes(
    stack: RunningStack, reading: str
) -> None:
    person = await stack.register()
    date = (await person.data(TODAY))["me"]["diaryDay"]["date"]
    food = (await person.data(CREATE))["createFood"]["food"]["id"]
    deadline = time.monotonic() + 90

    before = await read(reading, person, date)
    while True:  # until the whole is kept: a hit costs no request to a subgraph
        asked = requests_to_subgraphs()
        assert await read(reading, person, date) == before
        if requests_to_subgraphs() == asked:
            break
        assert time.monotonic() < deadline, "the answer is never kept whole"
        await asyncio.sleep(0.1)
    assert (before["totals"]["energyKcal"], before["meals"], before["summary"]["mealsLogged"]) == (0, [], 0)

    written = await person.data(LOG, {"food": food})  # through the platform's own router
    assert written["logMeal"]["userErrors"] == []
    while True:
        seen = await read(reading, person, date)
        if seen["meals"] and seen["summary"]["mealsLogged"] == 1:
            break
        assert time.monotonic() < deadline, seen
        await asyncio.sleep(0.1)
    assert seen["meals"] == [{"id": written["logMeal"]["meal"]["id"]}]
    assert seen["totals"]["energyKcal"] == 389
