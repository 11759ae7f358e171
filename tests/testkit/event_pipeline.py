"""A database with an outbox and a projection of its own events, and the loops between the two, on real servers."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from datetime import UTC, date, datetime
from decimal import Decimal
from itertools import count
from typing import Any

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

from events.consumer import ProjectedTable, Subscription, run_consumer
from events.contracts.users import WeightDeleted, WeightLogged
from events.envelope import Envelope, Payload
from events.failures import BadRecordError
from events.inbox import INBOX_DDL, INBOX_EPOCH_DDL
from events.kafka_settings import KafkaSettings
from events.outbox import OUTBOX_DDL, OUTBOX_EPOCH_DDL, NewEvent, append_event
from events.parked import PARKED_DDL, ParkedRecord, parked_ids, read_parked
from events.relay import run_relay
from events.supervision import Loops
from events.topics import USERS_BODY
from events.upcast import read_payload
from tests.testkit.servers import Broker, Postgres

DAY = date(2026, 3, 1)
_names = count()
_DDL = (
    *OUTBOX_DDL,
    *OUTBOX_EPOCH_DDL,
    *INBOX_DDL,
    *INBOX_EPOCH_DDL,
    *PARKED_DDL,
    "CREATE TABLE weight (id text PRIMARY KEY, user_id text NOT NULL, weight_kg numeric NOT NULL)",
)


class Pipeline:
    """A database with an outbox and a projection of its own events, and the loops between the two."""

    def __init__(self, engine: AsyncEngine, url: str, kafka: KafkaSettings) -> None:
        self.engine = engine
        self.url = url
        self.kafka = kafka
        self.group = f"weights-{next(_names)}"
        self.handled: list[str] = []
        self.loops = Loops()
        self.is_broken = False

    async def write(self, entry_id: str, version: int, weight_kg: str | None, user_id: str = "u1") -> None:
        payload: Payload
        if weight_kg is None:
            payload = WeightDeleted(entry_id=entry_id, local_date=DAY)
        else:
            at = datetime(2026, 3, 1, 7, tzinfo=UTC)
            payload = WeightLogged(entry_id=entry_id, weight_kg=Decimal(weight_kg), recorded_at=at, local_date=DAY)
        async with self.engine.begin() as connection:
            await append_event(connection, NewEvent(payload, entry_id, version, user_id, datetime.now(UTC), DAY))

    async def project(self, connection: AsyncConnection, envelopes: Sequence[Envelope]) -> None:
        """Refuses what weighs less than nothing; fails for no known reason while `is_broken`."""
        for envelope in envelopes:
            if self.is_broken and envelope.aggregate.id == "odd":
                raise LookupError("a handler with a fault")
            payload = read_payload(envelope)
            self.handled.append(f"{envelope.aggregate.id}@{envelope.aggregate.version}")
            if isinstance(payload, WeightDeleted):
                await connection.execute(text("DELETE FROM weight WHERE id = :id"), {"id": payload.entry_id})
            elif isinstance(payload, WeightLogged):
                if payload.weight_kg < 0:
                    raise BadRecordError("nobody weighs less than nothing")
                await connection.execute(
                    text(
                        "INSERT INTO weight VALUES (:id, :user_id, :kg)"
                        " ON CONFLICT (id) DO UPDATE SET weight_kg = excluded.weight_kg"
                    ),
                    {"id": payload.entry_id, "user_id": envelope.user_id, "kg": payload.weight_kg},
                )

    async def rebuild(self, connection: AsyncConnection, user_id: str, envelopes: Sequence[Envelope]) -> None:
        await connection.execute(text("DELETE FROM weight WHERE user_id = :id"), {"id": user_id})
        await self.project(connection, envelopes)

    @property
    def subscription(self) -> Subscription:
        return Subscription(self.group, (USERS_BODY.name,), self.project, (ProjectedTable("weight"),), self.rebuild)

    @asynccontextmanager
    async def running(self, *, consumer: bool = True) -> AsyncIterator[None]:
        """A relay, and a consumer unless another is to have every partition."""
        tasks = [asyncio.create_task(run_relay("test", self.url, self.kafka, self.loops))]
        if consumer:
            tasks.append(asyncio.create_task(run_consumer(self.subscription, self.engine, self.kafka, self.loops)))
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

    async def parked(self) -> list[ParkedRecord]:
        async with self.engine.connect() as connection:
            ids = await parked_ids(connection, self.group)
        return [record async for record in read_parked(self.engine, ids)]

    async def send(self, value: bytes, key: bytes = b"u1") -> None:
        """A record that no outbox wrote."""
        servers = self.kafka.bootstrap_servers
        producer = AIOKafkaProducer(bootstrap_servers=servers, max_request_size=8_000_000)
        await producer.start()
        try:
            await producer.send_and_wait(USERS_BODY.name, value, key=key)
        finally:
            await producer.stop()

    async def records(self, at_least: int) -> list[Any]:
        """What the topic holds now, read without a group."""
        consumer = AIOKafkaConsumer(
            USERS_BODY.name,
            bootstrap_servers=self.kafka.bootstrap_servers,
            auto_offset_reset="earliest",
            fetch_max_wait_ms=20,
        )
        await consumer.start()
        records: list[Any] = []
        try:
            async with asyncio.timeout(60):
                while len(records) < at_least:
                    for polled in (await consumer.getmany(timeout_ms=300)).values():
                        records.extend(polled)
                for polled in (await consumer.getmany(timeout_ms=300)).values():
                    records.extend(polled)
        finally:
            await consumer.stop()
        return records


@asynccontextmanager
async def open_pipeline(postgres: Postgres, broker: Broker | KafkaSettings) -> AsyncIterator[Pipeline]:
    """A pipeline over a database of its own, and the embedded broker or one that the settings lead to."""
    url = postgres.create_database(f"events_{next(_names)}")
    engine = create_async_engine(url.replace("postgresql://", "postgresql+asyncpg://"), pool_pre_ping=True)
    async with engine.begin() as connection:
        for statement in _DDL:
            await connection.execute(text(statement))
    if not isinstance(broker, KafkaSettings):
        broker = KafkaSettings(broker.bootstrap_servers, idempotent=False, fetch_max_wait_ms=20)
    yield Pipeline(engine, url, broker)
    await engine.dispose()


async def eventually(claim: Callable[[], Awaitable[bool]], within_seconds: float = 45.0) -> None:
    async with asyncio.timeout(within_seconds):
        while not await claim():
            await asyncio.sleep(0.05)
