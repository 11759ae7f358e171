"""Events survive the death of every server between the outbox and the projection."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from datetime import UTC, date, datetime
from decimal import Decimal
from itertools import count

import msgspec
import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

from events.broker import KafkaSettings
from events.consumer import Subscription, run_consumer
from events.contracts.users import WeightDeleted, WeightLogged
from events.envelope import Envelope, Payload
from events.inbox import INBOX_DDL
from events.outbox import OUTBOX_DDL, NewEvent, append_event
from events.relay import run_relay
from events.topics import USERS_BODY, dead_letter_topic
from events.upcast import read_payload
from tests.testkit.servers import Broker, Postgres

DAY = date(2026, 3, 1)
_names = count()


class Pipeline:
    """A database with an outbox and a projection of its own events, and the loops between the two."""

    def __init__(self, engine: AsyncEngine, url: str, kafka: KafkaSettings) -> None:
        self.engine = engine
        self.url = url
        self.kafka = kafka
        self.group = f"weights-{next(_names)}"
        self.handled: list[str] = []

    async def write(self, entry_id: str, version: int, weight_kg: str | None) -> None:
        payload: Payload
        if weight_kg is None:
            payload = WeightDeleted(entry_id=entry_id, local_date=DAY)
        else:
            at = datetime(2026, 3, 1, 7, tzinfo=UTC)
            payload = WeightLogged(entry_id=entry_id, weight_kg=Decimal(weight_kg), recorded_at=at, local_date=DAY)
        async with self.engine.begin() as connection:
            await append_event(connection, NewEvent(payload, entry_id, version, "u1", datetime.now(UTC), DAY))

    async def project(self, connection: AsyncConnection, envelopes: Sequence[Envelope]) -> None:
        for envelope in envelopes:
            payload = read_payload(envelope)
            self.handled.append(f"{envelope.aggregate.id}@{envelope.aggregate.version}")
            if isinstance(payload, WeightDeleted):
                await connection.execute(text("DELETE FROM weight WHERE id = :id"), {"id": payload.entry_id})
            elif isinstance(payload, WeightLogged):
                if payload.weight_kg < 0:
                    raise ValueError("nobody weighs less than nothing")
                await connection.execute(
                    text(
                        "INSERT INTO weight VALUES (:id, :kg)"
                        " ON CONFLICT (id) DO UPDATE SET weight_kg = excluded.weight_kg"
                    ),
                    {"id": payload.entry_id, "kg": payload.weight_kg},
                )

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        subscription = Subscription(self.group, (USERS_BODY.name,), self.project)
        tasks = [
            asyncio.create_task(run_relay("test", self.url, self.kafka)),
            asyncio.create_task(run_consumer(subscription, self.engine, self.kafka)),
        ]
        try:
            yield
        finally:
            for task in tasks:
                task.cancel()
            for task in tasks:
                with suppress(asyncio.CancelledError):
                    await task

    async def weights(self) -> dict[str, str]:
        async with self.engine.connect() as connection:
            rows = await connection.execute(text("SELECT id, weight_kg FROM weight ORDER BY id"))
            return {row.id: str(row.weight_kg) for row in rows}

    async def unpublished(self) -> int:
        async with self.engine.connect() as connection:
            statement = text("SELECT count(*) FROM outbox WHERE published_at IS NULL")
            return int((await connection.execute(statement)).scalar_one())


@pytest.fixture
def own_broker() -> "AsyncIterator[Broker]":
    server = Broker()
    server.start()
    yield server
    server.kill()


@pytest.fixture
async def pipeline(postgres: Postgres, own_broker: Broker) -> AsyncIterator[Pipeline]:
    url = postgres.create_database(f"events_{next(_names)}")
    engine = create_async_engine(url.replace("postgresql://", "postgresql+asyncpg://"), pool_pre_ping=True)
    async with engine.begin() as connection:
        for statement in (*OUTBOX_DDL, *INBOX_DDL, "CREATE TABLE weight (id text PRIMARY KEY, weight_kg numeric)"):
            await connection.execute(text(statement))
    yield Pipeline(engine, url, KafkaSettings(own_broker.bootstrap_servers, idempotent=False, fetch_max_wait_ms=20))
    await engine.dispose()


async def eventually(claim: Callable[[], Awaitable[bool]], within_seconds: float = 45.0) -> None:
    async with asyncio.timeout(within_seconds):
        while not await claim():
            await asyncio.sleep(0.05)


async def test_a_committed_event_reaches_the_projection(pipeline: Pipeline) -> None:
    async with pipeline.running():
        await pipeline.write("w1", 1, "80.5")

        async def arrived() -> bool:
            return await pipeline.weights() == {"w1": "80.5"}

        await eventually(arrived)


async def test_a_broker_killed_during_load_and_back_empty_loses_nothing(pipeline: Pipeline, own_broker: Broker) -> None:
    async with pipeline.running():
        for number in range(40):
            await pipeline.write(f"w{number:03}", 1, f"{60 + number}")

        async def first_arrived() -> bool:
            return "w000" in await pipeline.weights()

        await eventually(first_arrived)
        own_broker.kill()
        for number in range(40, 60):
            await pipeline.write(f"w{number:03}", 1, f"{60 + number}")
        own_broker.start()
        for number in range(60, 80):
            await pipeline.write(f"w{number:03}", 1, f"{60 + number}")
        await pipeline.write("w000", 2, "99")

        async def all_arrived() -> bool:
            return len(await pipeline.weights()) == 80 and (await pipeline.weights())["w000"] == "99"

        await eventually(all_arrived)
        assert await pipeline.unpublished() == 0
    expected = {f"w{number:03}": f"{60 + number}" for number in range(80)} | {"w000": "99"}
    assert await pipeline.weights() == expected
    # The new broker holds the whole history, so a group that comes later reads all of it.
    assert len(await _all_records(pipeline, USERS_BODY.name, 81)) >= 81


async def test_postgres_killed_during_load_keeps_every_acknowledged_write(
    pipeline: Pipeline, postgres: Postgres
) -> None:
    acknowledged: dict[str, str] = {}
    async with pipeline.running():
        for number in range(60):
            if number == 30:
                postgres.kill()
                postgres.start()
            try:
                await pipeline.write(f"w{number:03}", 1, f"{60 + number}")
            except Exception:
                continue
            acknowledged[f"w{number:03}"] = f"{60 + number}"

        async def all_arrived() -> bool:
            return acknowledged.items() <= (await pipeline.weights()).items()

        await eventually(all_arrived)
    assert len(acknowledged) >= 55


async def test_a_record_that_cannot_be_handled_is_parked_and_blocks_nobody(pipeline: Pipeline) -> None:
    producer = AIOKafkaProducer(bootstrap_servers=pipeline.kafka.bootstrap_servers)
    async with pipeline.running():
        await pipeline.write("w1", 1, "80")
        await pipeline.write("bad", 1, "-1")

        async def published() -> bool:
            return await pipeline.unpublished() == 0

        await eventually(published)
        await producer.start()
        await producer.send_and_wait(USERS_BODY.name, b"no envelope", key=b"u1")
        await producer.stop()
        await pipeline.write("w2", 1, "81")

        async def good_ones_arrived() -> bool:
            return await pipeline.weights() == {"w1": "80", "w2": "81"}

        await eventually(good_ones_arrived)
        parked = await _all_records(pipeline, dead_letter_topic(pipeline.group).name, 2)
    # Parking is at least once, like all that travels: the same coordinates may come again.
    headers = [{name: value.decode() for name, value in record.headers} for record in parked]
    by_error = {
        told["dead-letter-error"].partition(":")[0]: (told, record)
        for told, record in zip(headers, parked, strict=True)
    }
    assert set(by_error) == {"ValueError", msgspec.DecodeError.__name__}
    refused, _ = by_error["ValueError"]
    assert refused["dead-letter-error"] == "ValueError: nobody weighs less than nothing"
    assert (refused["dead-letter-topic"], refused["dead-letter-attempts"]) == ("users.body.v1", "3")
    _, unreadable = by_error[msgspec.DecodeError.__name__]
    assert (unreadable.key, unreadable.value) == (b"u1", b"no envelope")


async def test_duplicates_old_versions_and_late_creates_change_nothing(pipeline: Pipeline) -> None:
    await pipeline.write("a", 3, "83")
    await pipeline.write("a", 2, "82")
    await pipeline.write("a", 3, "83")
    await pipeline.write("gone", 2, None)
    await pipeline.write("gone", 1, "70")
    async with pipeline.running():
        await pipeline.write("last", 1, "60")

        async def last_arrived() -> bool:
            return "last" in await pipeline.weights()

        await eventually(last_arrived)
    assert await pipeline.weights() == {"a": "83", "last": "60"}


async def test_two_relays_publish_each_row_once(pipeline: Pipeline) -> None:
    async with pipeline.running(), pipeline.running():
        for number in range(50):
            await pipeline.write(f"w{number:03}", 1, "70")

        async def published() -> bool:
            return await pipeline.unpublished() == 0 and len(await pipeline.weights()) == 50

        await eventually(published)
        records = await _all_records(pipeline, USERS_BODY.name, 50)
    keys_in_order = [msgspec.json.decode(record.value)["aggregate"]["id"] for record in records]
    assert keys_in_order == [f"w{number:03}" for number in range(50)]


async def _all_records(pipeline: Pipeline, topic: str, at_least: int) -> list:  # type: ignore[type-arg]
    """What the topic holds now, read without a group."""
    consumer = AIOKafkaConsumer(
        topic, bootstrap_servers=pipeline.kafka.bootstrap_servers, auto_offset_reset="earliest", fetch_max_wait_ms=20
    )
    await consumer.start()
    records = []
    try:
        async with asyncio.timeout(20):
            while len(records) < at_least:
                for polled in (await consumer.getmany(timeout_ms=300)).values():
                    records.extend(polled)
            for polled in (await consumer.getmany(timeout_ms=300)).values():
                records.extend(polled)
    finally:
        await consumer.stop()
    return records
