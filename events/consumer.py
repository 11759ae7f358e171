"""The consumer loop: poll, read envelopes, handle what is new in one transaction, then commit the next offset.

Run by the subgraphs that project others' events. Infrastructure failures are waited out; a record that fails by itself
is tried a few times and then parked, so that it never holds up the ones behind it.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from typing import TypeAlias

import structlog
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, ConsumerRebalanceListener, TopicPartition
from aiokafka.errors import KafkaError
from aiokafka.structs import ConsumerRecord
from asyncpg.exceptions import InterfaceError, PostgresConnectionError
from sqlalchemy.exc import DBAPIError, OperationalError
from sqlalchemy.exc import InterfaceError as DBAPIInterfaceError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from events import metrics
from events.broker import Broker, BrokerReplacedError, KafkaSettings, connect_broker
from events.dead_letter import park
from events.envelope import Envelope, decode_envelope
from events.inbox import enter_epoch, take_newer
from events.supervision import keep_running
from events.topics import dead_letter_topic

_log = structlog.get_logger("events.consumer")

POLL_MS = 1000
POLL_TIMEOUT_SECONDS = 30.0
START_TIMEOUT_SECONDS = 60.0
BATCH_RECORDS = 500
EPOCH_CHECK_SECONDS = 1.0
UNREACHABLE_AFTER_SECONDS = 10.0
ATTEMPTS = 3

Record: TypeAlias = ConsumerRecord
# Projects envelopes, each the newest of its aggregate, in the transaction it is given. What it returns is awaited
# once that transaction is committed.
Handler = Callable[[AsyncConnection, Sequence[Envelope]], Awaitable[Callable[[], Awaitable[None]] | None]]


@dataclass(frozen=True, slots=True)
class Subscription:
    """What one group reads and what it does with it."""

    group: str
    topics: tuple[str, ...]
    handler: Handler


async def run_consumer(subscription: Subscription, engine: AsyncEngine, kafka: KafkaSettings) -> None:
    """Handle the subscription's events until cancelled, through any failure of Postgres or Kafka."""

    async def session() -> None:
        async with connect_broker(kafka) as broker, _producer(kafka) as producer:
            epoch = await broker.enter()
            await broker.ensure_topics([dead_letter_topic(subscription.group)])
            async with _group_member(subscription, engine, kafka, epoch) as consumer, asyncio.TaskGroup() as tasks:
                tasks.create_task(_watch_epoch(broker, epoch))
                tasks.create_task(_Session(subscription, engine, consumer, producer).run())

    await keep_running(f"consumer:{subscription.group}", session)


async def _watch_epoch(broker: Broker, epoch: str) -> None:
    """Raises BrokerReplacedError when the broker lost its records: aiokafka's group member would wait for ever."""
    last_seen = asyncio.get_running_loop().time()
    while True:
        await asyncio.sleep(EPOCH_CHECK_SECONDS)
        try:
            await broker.confirm_epoch(epoch)
        except BrokerReplacedError:
            raise
        except Exception:
            if asyncio.get_running_loop().time() - last_seen > UNREACHABLE_AFTER_SECONDS:
                raise
        else:
            last_seen = asyncio.get_running_loop().time()


class _Session:
    """One stretch of consuming as one group member; ends with the first failure of the infrastructure."""

    def __init__(
        self,
        subscription: Subscription,
        engine: AsyncEngine,
        consumer: AIOKafkaConsumer,
        producer: AIOKafkaProducer,
    ) -> None:
        self._subscription = subscription
        self._group = subscription.group
        self._engine = engine
        self._consumer = consumer
        self._producer = producer

    async def run(self) -> None:
        while True:
            async with asyncio.timeout(POLL_TIMEOUT_SECONDS):
                polled = await self._consumer.getmany(timeout_ms=POLL_MS, max_records=BATCH_RECORDS)
            records = [record for partition_records in polled.values() for record in partition_records]
            if records:
                await self._handle(records)
                await self._consumer.commit(_next_offsets(polled))
            await self._report_lag()

    async def _handle(self, records: Sequence[Record]) -> None:
        """All in one transaction if they let themselves; else one by one, so that only the bad ones are parked."""
        try:
            await self._project(records)
        except Exception as failure:
            if _is_infrastructure(failure):
                raise
            for record in records:
                await self._handle_alone(record)

    async def _handle_alone(self, record: Record) -> None:
        for attempt in range(1, ATTEMPTS + 1):
            try:
                await self._project([record])
            except Exception as failure:
                if _is_infrastructure(failure):
                    raise
                if attempt == ATTEMPTS:
                    await park(self._producer, self._group, record, failure, attempt)
                else:
                    await asyncio.sleep(0.05 * attempt)
            else:
                return

    async def _project(self, records: Sequence[Record]) -> None:
        envelopes = [decode_envelope(record.value or b"") for record in records]
        async with self._engine.begin() as connection:
            newer = await take_newer(connection, self._group, envelopes)
            after_commit = await self._subscription.handler(connection, newer) if newer else None
        metrics.CONSUMER_HANDLED.labels(self._group, "new").inc(len(newer))
        metrics.CONSUMER_HANDLED.labels(self._group, "known").inc(len(records) - len(newer))
        if after_commit is not None:
            await _tell(after_commit)

    async def _report_lag(self) -> None:
        lag_by_topic = dict.fromkeys(self._subscription.topics, 0)
        for partition in self._consumer.assignment():
            end = self._consumer.highwater(partition)
            if end is not None:
                lag_by_topic[partition.topic] += max(0, end - await self._consumer.position(partition))
        for topic, lag in lag_by_topic.items():
            metrics.CONSUMER_LAG.labels(self._group, topic).set(lag)


async def _tell(after_commit: Callable[[], Awaitable[None]]) -> None:
    """The projection stands already; whoever was to hear of it can read it, so a failure here is only logged."""
    try:
        await after_commit()
    except Exception as failure:
        _log.warning("change_not_told", reason=f"{type(failure).__name__}: {failure}")


def _next_offsets(polled: dict[TopicPartition, list[Record]]) -> dict[TopicPartition, int]:
    return {partition: records[-1].offset + 1 for partition, records in polled.items() if records}


def _is_infrastructure(failure: Exception) -> bool:
    """Whether waiting may help: Postgres went away or is starting, rather than the record being bad."""
    if isinstance(failure, DBAPIError):
        return failure.connection_invalidated or isinstance(failure, OperationalError | DBAPIInterfaceError)
    return isinstance(failure, OSError | TimeoutError | KafkaError | PostgresConnectionError | InterfaceError)


class _BeginAtNewEpoch(ConsumerRebalanceListener):  # type: ignore[misc]  # aiokafka is untyped
    """Reads a partition from its start when its broker's epoch is new to the group.

    An offset that the group committed belongs to the records of one epoch and means nothing in the next.
    """

    def __init__(self, group: str, engine: AsyncEngine, epoch: str) -> None:
        self._group = group
        self._engine = engine
        self._epoch = epoch
        self.consumer: AIOKafkaConsumer | None = None

    async def on_partitions_revoked(self, revoked: Iterable[TopicPartition]) -> None:
        pass

    async def on_partitions_assigned(self, assigned: Iterable[TopicPartition]) -> None:
        async with self._engine.begin() as connection:
            fresh = [
                partition
                for partition in sorted(assigned)
                if await enter_epoch(connection, self._group, partition.topic, partition.partition, self._epoch)
            ]
        if fresh and self.consumer is not None:
            await self.consumer.seek_to_beginning(*fresh)


@asynccontextmanager
async def _group_member(
    subscription: Subscription, engine: AsyncEngine, kafka: KafkaSettings, epoch: str
) -> AsyncIterator[AIOKafkaConsumer]:
    consumer: AIOKafkaConsumer = AIOKafkaConsumer(
        bootstrap_servers=kafka.bootstrap_servers,
        group_id=subscription.group,
        enable_auto_commit=False,
        auto_offset_reset="earliest",
        fetch_max_wait_ms=kafka.fetch_max_wait_ms,
        session_timeout_ms=6_000,
        heartbeat_interval_ms=1_000,
    )
    listener = _BeginAtNewEpoch(subscription.group, engine, epoch)
    listener.consumer = consumer
    consumer.subscribe(topics=list(subscription.topics), listener=listener)
    try:
        async with asyncio.timeout(START_TIMEOUT_SECONDS):
            await consumer.start()
        yield consumer
    finally:
        with suppress(Exception):
            await asyncio.wait_for(consumer.stop(), 5)


@asynccontextmanager
async def _producer(kafka: KafkaSettings) -> AsyncIterator[AIOKafkaProducer]:
    producer = AIOKafkaProducer(
        bootstrap_servers=kafka.bootstrap_servers, acks="all", enable_idempotence=kafka.idempotent
    )
    try:
        await producer.start()
        yield producer
    finally:
        with suppress(Exception):
            await asyncio.wait_for(producer.stop(), 5)
