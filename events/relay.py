"""The relay: committed outbox rows go to Kafka, at least once and in order per key. One loop per database.

Woken by NOTIFY, with polling as the fallback; a row counts as published only when the broker that acknowledged it is
still the same one afterwards. A broker that comes back empty is filled again from the retained rows, and so is every
broker when the database is found to be another one than before: restored, or promoted from a replica.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import ExitStack, asynccontextmanager, suppress

import asyncpg
import msgspec
import structlog
from aiokafka import AIOKafkaProducer
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from events import metrics
from events.announcements import Announcer
from events.broker import Broker, connect_broker
from events.envelope import decode_envelope, encode_envelope
from events.fanout import Fanout
from events.kafka_settings import KafkaSettings
from events.outbox import INCARNATION, NOTIFY_CHANNEL
from events.supervision import Loop, Loops
from events.tracing import start_publishing, traceparent_of

_log = structlog.get_logger("events.relay")

APPLICATION_NAME = "relay"  # of its database connection
BATCH_ROWS = 500
POLL_SECONDS = 5.0  # NOTIFY wakes it; this is for one that was lost, and for a broker that lost its records
LEADER_POLL_SECONDS = 1.0
SEND_TIMEOUT_SECONDS = 20.0
PRODUCER_STOP_SECONDS = 5.0
PATIENCE_SECONDS = 30.0
# One relay at a time publishes a database's outbox; the others wait for this lock.
_LEADER_LOCK = 0x0F17_0B0C

_UNPUBLISHED = "SELECT seq, topic, key, value FROM outbox WHERE published_at IS NULL ORDER BY seq LIMIT $1"
# Each mark is for the life of the database that was told: where a new one began meanwhile, all is to be told again.
_MARK_PUBLISHED = (
    "UPDATE outbox SET published_at = now()"
    " WHERE seq = ANY($2::bigint[]) AND $1 = (SELECT source_epoch FROM outbox_relay)"
)
# With its bounds as parameters: joined to the row that holds them, each batch would read every row before it once more.
TO_REFILL = (
    "SELECT seq, topic, key, value FROM outbox"
    " WHERE seq > $1 AND seq <= $2 AND published_at IS NOT NULL ORDER BY seq LIMIT $3"
)
# Neither mark stands where the refill was ordered anew meanwhile, up to a later row: it then begins where it was told to.
_MARK_REFILLED = "UPDATE outbox_relay SET refill_after = $3 WHERE source_epoch = $1 AND refill_until = $2"
_END_REFILL = (
    "UPDATE outbox_relay SET refill_after = NULL, refill_until = NULL WHERE source_epoch = $1 AND refill_until = $2"
)
_RELAY_STATE = "SELECT source_epoch, refill_after, refill_until FROM outbox_relay"
_REFILL_ALL = "refill_after = 0, refill_until = (SELECT coalesce(max(seq), 0) FROM outbox)"
_TELL_FROM = text(
    "UPDATE outbox_relay SET refill_after = least(refill_after, :after),"
    " refill_until = greatest(refill_until, (SELECT coalesce(max(seq), 0) FROM outbox))"
)
_ENTER_EPOCH = (
    f"UPDATE outbox_relay SET broker_epoch = $1, {_REFILL_ALL} WHERE broker_epoch IS DISTINCT FROM $1 RETURNING 1"  # noqa: S608
)
_NEXT_SOURCE_EPOCH = "source_epoch = greatest((extract(epoch FROM clock_timestamp()) * 1000)::bigint, source_epoch + 1)"
# The first relay of a database only gives it a name: what it published before is of this life.
_NAME_INCARNATION = f"UPDATE outbox_relay SET incarnation = $1, {_NEXT_SOURCE_EPOCH} WHERE incarnation IS NULL"  # noqa: S608
_ENTER_INCARNATION = (
    f"UPDATE outbox_relay SET incarnation = $1, {_NEXT_SOURCE_EPOCH}, {_REFILL_ALL}"  # noqa: S608 - our own words
    " WHERE incarnation <> $1 RETURNING source_epoch"
)


_INCARNATION_NOW = "SELECT incarnation FROM outbox_relay"
_CLOCK = "SELECT extract(epoch FROM clock_timestamp())::float"
MOST_SECONDS_APART = 300.0


class ClocksDisagreeError(Exception):
    """The database's clock and this machine's differ so much that one is wrong. An epoch of years to come cannot be taken back:
    after another restore, with the right time, every consumer would take what the database says for outdated.
    """

    def __init__(self, seconds: float) -> None:
        super().__init__(f"the database's clock is {seconds:+.0f} s from this machine's, so no epoch can be given")


async def run_relay(
    service: str, database_url: str, kafka: KafkaSettings, loops: Loops | None = None, fanout: Fanout | None = None
) -> None:
    """Publish one service's outbox until cancelled, through any failure of Postgres or Kafka.

    What was published is announced over `fanout` where the broker's consumers wait for that.
    """
    loop = (loops or Loops()).add("relay", patience_seconds=PATIENCE_SECONDS)

    announcer = Announcer(fanout) if fanout is not None and kafka.announced else None

    async def session() -> None:
        async with (
            _leading_connection(database_url, loop) as connection,
            connect_broker(kafka) as broker,
            _producer(kafka) as producer,
            asyncio.TaskGroup() as tasks,
        ):
            if announcer is not None:
                tasks.create_task(announcer.run())
            tasks.create_task(_Session(service, connection, broker, producer, loop, announcer).run())

    await loop.run(session)


async def begin_source_epoch(connection: asyncpg.Connection) -> int:
    """Give the database a new life by hand, where nothing can tell that it was rolled back; returns its epoch.

    The relay then tells everybody the whole state anew. Raises ClocksDisagreeError.
    """
    await _compare_clocks(connection)
    statement = f"UPDATE outbox_relay SET {_NEXT_SOURCE_EPOCH}, {_REFILL_ALL} RETURNING source_epoch"  # noqa: S608
    return int(await connection.fetchval(statement))


async def _compare_clocks(connection: asyncpg.Connection) -> None:
    apart = await connection.fetchval(_CLOCK) - time.time()
    if abs(apart) > MOST_SECONDS_APART:
        raise ClocksDisagreeError(apart)


async def tell_from(connection: AsyncConnection, after: int) -> None:
    """Have the relay publish once more, in the background, what is marked as published with a number above `after`.

    For rows that were written with that mark: nobody waits for them. See decision 0190.
    """
    await connection.execute(_TELL_FROM, {"after": after})
    await connection.execute(text(f"NOTIFY {NOTIFY_CHANNEL}"))


class _Session:
    """One stretch of publishing over one database connection and one producer; ends with the first failure."""

    def __init__(
        self,
        service: str,
        connection: asyncpg.Connection,
        broker: Broker,
        producer: AIOKafkaProducer,
        loop: Loop,
        announcer: Announcer | None,
    ) -> None:
        self._service = service
        self._connection = connection
        self._broker = broker
        self._producer = producer
        self._loop = loop
        self._announcer = announcer
        self._epoch = ""
        self._source_epoch = 0
        self._woken = asyncio.Event()
        # A counter that begins with its first event has no increase in Prometheus, and its alert stays quiet.
        metrics.OUTBOX_REFILLS.labels(service)

    async def run(self) -> None:
        await self._connection.add_listener(NOTIFY_CHANNEL, lambda *_: self._woken.set())
        self._epoch = await self._broker.enter()
        if await self._connection.fetchval(_ENTER_EPOCH, self._epoch):
            metrics.OUTBOX_REFILLS.labels(self._service).inc()
            _log.info("broker_refill_begins", service=self._service, epoch=self._epoch)
        await self._enter_incarnation()
        while True:
            await self._refill()
            self._woken.clear()
            published = await self._publish_waiting()
            self._loop.progress()
            if published < BATCH_ROWS:
                await self._rest()

    async def _enter_incarnation(self) -> None:
        """Learn which life of the database this is; a new one tells everybody its whole state. Raises ClocksDisagreeError."""
        incarnation = await self._connection.fetchval(INCARNATION)
        if await self._connection.fetchval(_INCARNATION_NOW) != incarnation:
            await _compare_clocks(self._connection)
        await self._connection.execute(_NAME_INCARNATION, incarnation)
        if epoch := await self._connection.fetchval(_ENTER_INCARNATION, incarnation):
            metrics.OUTBOX_REFILLS.labels(self._service).inc()
            _log.warning("database_was_restored", service=self._service, incarnation=incarnation, source_epoch=epoch)

    async def _refill(self) -> None:
        """Send the rows that were published before once more, from where an interrupted refill stopped."""
        while True:
            state = await self._connection.fetchrow(_RELAY_STATE)
            self._source_epoch = state["source_epoch"]
            until = state["refill_until"]
            if until is None:
                return
            rows = await self._connection.fetch(TO_REFILL, state["refill_after"], until, BATCH_ROWS)
            if rows:
                await self._send(rows)
                await self._connection.execute(_MARK_REFILLED, self._source_epoch, until, rows[-1]["seq"])
                self._loop.progress()
            else:
                await self._connection.execute(_END_REFILL, self._source_epoch, until)

    async def _publish_waiting(self) -> int:
        rows = await self._connection.fetch(_UNPUBLISHED, BATCH_ROWS)
        if rows:
            await self._send(rows)
            await self._connection.execute(_MARK_PUBLISHED, self._source_epoch, [row["seq"] for row in rows])
            metrics.OUTBOX_PUBLISHED.labels(self._service).inc(len(rows))
        return len(rows)

    async def _send(self, rows: Sequence[asyncpg.Record]) -> None:
        """Returns when the broker acknowledged every row, and is known not to have lost them since.

        Without the question at the end a broker that restarted empty a moment ago would take the rows of this batch,
        create the topics on the fly, and the rows before them would stay lost.
        """
        with ExitStack() as spans:
            async with asyncio.timeout(SEND_TIMEOUT_SECONDS):
                acknowledgements = [
                    await self._producer.send(row["topic"], self._stamped(row, spans), key=row["key"].encode())
                    for row in rows
                ]
                await asyncio.gather(*acknowledgements)
        await self._broker.confirm_epoch(self._epoch)
        if self._announcer is not None:
            self._announcer.tell({row["topic"] for row in rows})

    async def _rest(self) -> None:
        with suppress(TimeoutError):
            async with asyncio.timeout(POLL_SECONDS):
                await self._woken.wait()
            return
        await self._broker.watch_epoch(self._epoch)

    def _stamped(self, row: asyncpg.Record, spans: ExitStack) -> bytes:
        """The event with the epoch of this life of the database: known only now, for a restored row is of the new one.

        Who reads it continues the span of its publishing, which ends with `spans`.
        """
        envelope = decode_envelope(row["value"])
        traceparent = envelope.traceparent
        span = start_publishing(envelope, row["topic"])
        if span.is_recording():
            spans.callback(span.end)
            traceparent = traceparent_of(span)
        return encode_envelope(
            msgspec.structs.replace(envelope, source_epoch=self._source_epoch, traceparent=traceparent)
        )


@asynccontextmanager
async def _leading_connection(database_url: str, loop: Loop) -> AsyncIterator[asyncpg.Connection]:
    """A connection that holds the relay lock; waits for as long as another relay holds it."""
    connection = await asyncpg.connect(database_url, timeout=10, server_settings={"application_name": APPLICATION_NAME})
    try:
        while not await connection.fetchval("SELECT pg_try_advisory_lock($1)", _LEADER_LOCK):
            loop.progress()  # another one leads
            await asyncio.sleep(LEADER_POLL_SECONDS)
        yield connection
    finally:
        with suppress(Exception):
            await connection.close(timeout=2)


@asynccontextmanager
async def _producer(kafka: KafkaSettings) -> AsyncIterator[AIOKafkaProducer]:
    producer = AIOKafkaProducer(
        **kafka.arguments(),
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
            async with asyncio.timeout(PRODUCER_STOP_SECONDS):
                await producer.stop()
