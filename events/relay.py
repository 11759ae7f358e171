"""The relay: committed outbox rows go to Kafka, at least once and in order per key. One loop per database.

Woken by NOTIFY, with polling as the fallback; a row counts as published only when the broker that acknowledged it is
still the same one afterwards. A broker that comes back empty is filled again from the retained rows.
"""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress

import asyncpg
import structlog
from aiokafka import AIOKafkaProducer

from events import metrics
from events.broker import Broker, KafkaSettings, connect_broker
from events.outbox import NOTIFY_CHANNEL
from events.supervision import keep_running

_log = structlog.get_logger("events.relay")

BATCH_ROWS = 500
POLL_SECONDS = 1.0
SEND_TIMEOUT_SECONDS = 20.0
# One relay at a time publishes a database's outbox; the others wait for this lock.
_LEADER_LOCK = 0x0F17_0B0C

_UNPUBLISHED = "SELECT seq, topic, key, value FROM outbox WHERE published_at IS NULL ORDER BY seq LIMIT $1"
_MARK_PUBLISHED = "UPDATE outbox SET published_at = now() WHERE seq = ANY($1::bigint[])"
_TO_REFILL = (
    "SELECT seq, topic, key, value FROM outbox, outbox_relay"
    " WHERE seq > refill_after AND seq <= refill_until AND published_at IS NOT NULL ORDER BY seq LIMIT $1"
)
_MARK_REFILLED = "UPDATE outbox_relay SET refill_after = $1"
_END_REFILL = "UPDATE outbox_relay SET refill_after = NULL, refill_until = NULL"
_ENTER_EPOCH = (
    "UPDATE outbox_relay SET broker_epoch = $1, refill_after = 0,"
    " refill_until = (SELECT coalesce(max(seq), 0) FROM outbox) WHERE broker_epoch IS DISTINCT FROM $1 RETURNING 1"
)
_STATE = (
    "SELECT count(*) AS unpublished,"
    " coalesce(extract(epoch FROM clock_timestamp() - min(created_at)), 0)::float AS oldest_age_seconds"
    " FROM outbox WHERE published_at IS NULL"
)


async def run_relay(service: str, database_url: str, kafka: KafkaSettings) -> None:
    """Publish one service's outbox until cancelled, through any failure of Postgres or Kafka."""

    async def session() -> None:
        async with (
            _leading_connection(database_url) as connection,
            connect_broker(kafka) as broker,
            _producer(kafka) as producer,
        ):
            await _Session(service, connection, broker, producer).run()

    await keep_running(f"relay:{service}", session)


class _Session:
    """One stretch of publishing over one database connection and one producer; ends with the first failure."""

    def __init__(
        self, service: str, connection: asyncpg.Connection, broker: Broker, producer: AIOKafkaProducer
    ) -> None:
        self._service = service
        self._connection = connection
        self._broker = broker
        self._producer = producer
        self._epoch = ""
        self._woken = asyncio.Event()

    async def run(self) -> None:
        await self._connection.add_listener(NOTIFY_CHANNEL, lambda *_: self._woken.set())
        self._epoch = await self._broker.enter()
        if await self._connection.fetchval(_ENTER_EPOCH, self._epoch):
            metrics.OUTBOX_REFILLS.labels(self._service).inc()
            _log.info("broker_refill_begins", service=self._service, epoch=self._epoch)
        await self._refill()
        while True:
            self._woken.clear()
            published = await self._publish_waiting()
            await self._report()
            if published < BATCH_ROWS:
                await self._rest()

    async def _refill(self) -> None:
        """Send the rows that an earlier broker had, from where an interrupted refill stopped."""
        while rows := await self._connection.fetch(_TO_REFILL, BATCH_ROWS):
            await self._send(rows)
            await self._connection.execute(_MARK_REFILLED, rows[-1]["seq"])
        await self._connection.execute(_END_REFILL)

    async def _publish_waiting(self) -> int:
        rows = await self._connection.fetch(_UNPUBLISHED, BATCH_ROWS)
        if rows:
            await self._send(rows)
            await self._connection.execute(_MARK_PUBLISHED, [row["seq"] for row in rows])
            metrics.OUTBOX_PUBLISHED.labels(self._service).inc(len(rows))
        return len(rows)

    async def _send(self, rows: Sequence[asyncpg.Record]) -> None:
        """Returns when the broker acknowledged every row, and is known not to have lost them since.

        Without the question at the end a broker that restarted empty a moment ago would take the rows of this batch,
        create the topics on the fly, and the rows before them would stay lost.
        """
        async with asyncio.timeout(SEND_TIMEOUT_SECONDS):
            acknowledgements = [
                await self._producer.send(row["topic"], row["value"], key=row["key"].encode()) for row in rows
            ]
            await asyncio.gather(*acknowledgements)
        await self._broker.confirm_epoch(self._epoch)

    async def _rest(self) -> None:
        with suppress(TimeoutError):
            await asyncio.wait_for(self._woken.wait(), POLL_SECONDS)
            return
        await self._broker.confirm_epoch(self._epoch)

    async def _report(self) -> None:
        state = await self._connection.fetchrow(_STATE)
        if state is not None:
            metrics.OUTBOX_UNPUBLISHED.labels(self._service).set(state["unpublished"])
            metrics.OUTBOX_OLDEST_AGE_SECONDS.labels(self._service).set(state["oldest_age_seconds"])


@asynccontextmanager
async def _leading_connection(database_url: str) -> AsyncIterator[asyncpg.Connection]:
    """A connection that holds the relay lock; waits for as long as another relay holds it."""
    connection = await asyncpg.connect(database_url, timeout=10, server_settings={"application_name": "relay"})
    try:
        while not await connection.fetchval("SELECT pg_try_advisory_lock($1)", _LEADER_LOCK):
            await asyncio.sleep(POLL_SECONDS)
        yield connection
    finally:
        with suppress(Exception):
            await connection.close(timeout=2)


@asynccontextmanager
async def _producer(kafka: KafkaSettings) -> AsyncIterator[AIOKafkaProducer]:
    producer = AIOKafkaProducer(
        bootstrap_servers=kafka.bootstrap_servers,
        acks="all",
        enable_idempotence=kafka.idempotent,
        compression_type="gzip",
        request_timeout_ms=10_000,
        linger_ms=0,
    )
    try:
        await producer.start()
        yield producer
    finally:
        with suppress(Exception):
            await asyncio.wait_for(producer.stop(), 5)
