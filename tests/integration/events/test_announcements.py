"""At a broker where a fetch cannot wait, consumers fetch nothing until relays tell them over Redis that there is something."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import replace

import pytest
from aiokafka import AIOKafkaConsumer
from redis.asyncio import Redis

from events import announcements
from events.consumer import run_consumer
from events.fanout import Fanout
from events.relay import run_relay
from tests.testkit.event_pipeline import Pipeline, eventually
from tests.testkit.servers import Valkey


@asynccontextmanager
async def resting_consumer(pipeline: Pipeline, valkey: Valkey, *, relay_announces: bool) -> AsyncIterator[None]:
    """Relay and consumer, each with a fanout of its own, as in two processes."""
    kafka = replace(pipeline.kafka, announced=True)
    clients = [Redis.from_url(valkey.url) for _ in range(2)]
    relays, consumers = map(Fanout, clients)
    work = [
        consumers.run(),
        run_relay("test", pipeline.url, kafka, fanout=relays if relay_announces else None),
        run_consumer(pipeline.subscription, pipeline.engine, kafka, fanout=consumers),
    ]
    tasks = [asyncio.create_task(each) for each in work]
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()
        for task in tasks:
            with suppress(asyncio.CancelledError):
                await task
        for client in clients:
            await client.aclose()


async def _arrives(pipeline: Pipeline, entry_id: str) -> None:
    await pipeline.write(entry_id, 1, "80")

    async def is_there() -> bool:
        return entry_id in await pipeline.weights()

    await eventually(is_there, within_seconds=60)


async def test_announced_events_end_a_rest_that_would_last_for_ever(
    pipeline: Pipeline, valkey: Valkey, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(announcements, "FIRST_REST_SECONDS", 3600.0)
    is_resting = asyncio.Event()
    until_news = announcements.Rest.until_news

    async def seen(rest: announcements.Rest, consumer: AIOKafkaConsumer) -> None:
        is_resting.set()
        await until_news(rest, consumer)
        is_resting.clear()

    monkeypatch.setattr(announcements.Rest, "until_news", seen)
    async with resting_consumer(pipeline, valkey, relay_announces=True):
        for number in range(3):
            await asyncio.wait_for(is_resting.wait(), 60)
            await _arrives(pipeline, f"w{number}")


async def test_events_that_nobody_announced_are_found_all_the_same(
    pipeline: Pipeline, valkey: Valkey, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(announcements, "LONGEST_REST_SECONDS", 0.5)
    async with resting_consumer(pipeline, valkey, relay_announces=False):
        for number in range(2):
            await _arrives(pipeline, f"w{number}")
