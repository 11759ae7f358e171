"""The consumer loop: poll, read envelopes, handle what is new in one transaction, then commit the next offset.

Run by the subgraphs that project others' events. Only a failure that is known to be the record's own parks it, so that
it holds up nobody; every other one is waited out, and one that nobody foresaw raises an alarm (see `failures`).
"""

import asyncio
import itertools
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Iterable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import partial
from math import nan
from typing import Any, TypeAlias

import structlog
from aiokafka import AIOKafkaConsumer, ConsumerRebalanceListener, TopicPartition
from aiokafka.structs import ConsumerRecord
from opentelemetry.context import Context, attach, detach
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from events import metrics
from events.announcements import Rest
from events.broker import Broker, BrokerReplacedError, connect_broker
from events.conflicts import despite_conflicts
from events.envelope import LARGEST_VALUE_BYTES, Envelope, decode_envelope
from events.failures import BadRecordError, Fault, fault_of, reason_of
from events.fanout import Fanout
from events.inbox import enter_epoch, lock_people, take_newer
from events.kafka_settings import KafkaSettings
from events.lineage import following
from events.parked import ParkedRecord, is_ordered_to_park, park
from events.supervision import Loop, Loops
from router.bounded_fetch import REFUSED, bound_fetches

_log = structlog.get_logger("events.consumer")

POLL_MS = 1000
ANNOUNCED_POLL_MS = 50  # for records that were announced, and are there
ANNOUNCED_TURN_MS = 10_000  # of aiokafka's fetching, which what is resumed, revoked or sought wakes besides
SESSION_MS = 6_000
#: The embedded broker, which is the one whose events are announced, never forgets a member that went without a word, so its heartbeats
#: only tell of others that join.
ANNOUNCED_SESSION_MS = 12_000
POLL_TIMEOUT_SECONDS = 30.0
#: A broker that lost sight of a member that joins never answers it (the embedded one does, when another leaves just then).
START_TIMEOUT_SECONDS = 20.0
STOP_SECONDS = 5.0
BATCH_RECORDS = 1000
EPOCH_CHECK_SECONDS = 2.0
UNREACHABLE_AFTER_SECONDS = 10.0
PATIENCE_SECONDS = 30.0
ATTEMPTS = 3
STAMP_BYTES = 1000  # more than what the relay adds to an event: the epoch of its source, and a trace

Record: TypeAlias = ConsumerRecord
# Projects envelopes, each the newest of its aggregate, in the transaction it is given. What it returns is awaited
# once that transaction is committed.
AfterCommit: TypeAlias = Callable[[], Awaitable[None]] | None
Handler = Callable[[AsyncConnection, Sequence[Envelope]], Awaitable[AfterCommit]]
# Makes everything that the group keeps of one person anew, from the newest envelopes of all aggregates of that person.
Rebuild = Callable[[AsyncConnection, str, Sequence[Envelope]], Awaitable[AfterCommit]]


@dataclass(frozen=True, slots=True)
class ProjectedTable:
    """A table that nothing but the group's events decides. It has a `user_id`; `ignored` columns say when, not what."""

    name: str
    ignored: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Subscription:
    """What one group reads and what it does with it. Without `rebuild` it is neither checked nor rebuilt."""

    group: str
    topics: tuple[str, ...]
    handler: Handler
    tables: tuple[ProjectedTable, ...] = ()
    rebuild: Rebuild | None = None


async def run_consumer(
    subscription: Subscription,
    engine: AsyncEngine,
    kafka: KafkaSettings,
    loops: Loops | None = None,
    fanout: Fanout | None = None,
) -> None:
    """Handle the subscription's events until cancelled, through any failure of Postgres or Kafka.

    With a `fanout`, and a broker whose relays announce over it, the consumer rests until it hears of events.
    """
    rest = Rest(fanout, subscription.topics) if fanout is not None and kafka.announced else None
    loop = (loops or Loops()).add("consumer", group=subscription.group, patience_seconds=PATIENCE_SECONDS)
    lag = _Lag(subscription.topics)
    loop.lag = lag.by_topic
    group = subscription.group
    further_groups = (f"{subscription.group}.{number}" for number in itertools.count(1))

    async def session() -> None:
        nonlocal group
        async with connect_broker(kafka) as broker:
            epoch = await broker.enter()
            listener = _BeginAtNewEpoch(subscription.group, engine, epoch)
            try:
                async with (
                    _group_member(group, subscription.topics, kafka, listener) as consumer,
                    asyncio.TaskGroup() as tasks,
                ):
                    tasks.create_task(_watch_epoch(broker, epoch))
                    tasks.create_task(listener.watch())
                    if rest is not None:
                        tasks.create_task(rest.listen())
                    lag.consumer, lag.in_hand = consumer, Counter()
                    tasks.create_task(_Session(subscription, engine, consumer, loop, rest, lag).run())
            except JoinUnansweredError:
                # The embedded broker, the one without idempotent producers, never forgets a member that went without a
                # word, and answers nobody who joins after it. In a new group everything is read from the start, and the
                # inbox knows what was handled.
                if not kafka.idempotent:
                    group = next(further_groups)
                raise

    await loop.run(session)


async def handle_parked(subscription: Subscription, connection: AsyncConnection, parked: ParkedRecord) -> bool:
    """Handle a parked record in this transaction; whether it told anything new. Raises what the handler does."""
    envelope = _read(parked.key, parked.value)
    newer, after_commit = await project_newer(subscription, connection, [envelope])
    if after_commit is not None:
        await _tell(after_commit)
    return bool(newer)


async def _watch_epoch(broker: Broker, epoch: str) -> None:
    """Raises BrokerReplacedError when the broker lost its records: aiokafka's group member would wait for ever."""
    last_seen = asyncio.get_running_loop().time()
    while True:
        await asyncio.sleep(EPOCH_CHECK_SECONDS)
        try:
            await broker.watch_epoch(epoch)
        except BrokerReplacedError:
            raise
        except Exception:
            if asyncio.get_running_loop().time() - last_seen > UNREACHABLE_AFTER_SECONDS:
                raise
        else:
            last_seen = asyncio.get_running_loop().time()


class _Session:
    """One stretch of consuming as one group member; ends with the first failure that is not a record's own."""

    def __init__(
        self,
        subscription: Subscription,
        engine: AsyncEngine,
        consumer: AIOKafkaConsumer,
        loop: Loop,
        rest: Rest | None,
        lag: "_Lag",
    ) -> None:
        self._subscription = subscription
        self._group = subscription.group
        self._engine = engine
        self._consumer = consumer
        self._loop = loop
        self._rest = rest
        self._lag = lag
        # A counter that begins with its first event has no increase in Prometheus, and its alert stays quiet.
        metrics.CONSUMER_BLOCKED.labels(self._group)

    async def run(self) -> None:
        wait_ms = POLL_MS if self._rest is None else ANNOUNCED_POLL_MS
        while True:
            async with asyncio.timeout(POLL_TIMEOUT_SECONDS):
                polled = await self._consumer.getmany(timeout_ms=wait_ms, max_records=BATCH_RECORDS)
            records = [record for partition_records in polled.values() for record in partition_records]
            if records:
                self._lag.in_hand = Counter(record.topic for record in records)
                await self._handle(records)
                await self._consumer.commit(_next_offsets(polled))
                self._lag.in_hand.clear()
            self._loop.progress()
            if not records and self._rest is not None:
                await self._rest.until_news(self._consumer)

    async def _handle(self, records: Sequence[Record]) -> None:
        """All in one transaction if they let themselves; else one by one, so that only the bad ones are parked."""
        try:
            await self._project(records)
        except Exception as failure:
            if fault_of(failure) is Fault.INFRASTRUCTURE:
                raise
            for record in records:
                await self._handle_alone(record)
                self._lag.in_hand[record.topic] -= 1
                self._loop.progress()  # a thousand bad ones take minutes, in which this loop is well

    async def _handle_alone(self, record: Record) -> None:
        for attempt in range(1, ATTEMPTS + 1):
            try:
                await self._project([record])
            except Exception as failure:
                fault = fault_of(failure)
                if fault is Fault.INFRASTRUCTURE:
                    raise
                if attempt < ATTEMPTS:
                    await asyncio.sleep(0.05 * attempt)
                elif fault is Fault.RECORD or await is_ordered_to_park(self._engine, self._group, record):
                    await park(self._engine, self._group, record, failure, attempt)
                else:
                    self._alarm(record, failure)
                    raise
            else:
                return

    def _alarm(self, record: Record, failure: Exception) -> None:
        metrics.CONSUMER_BLOCKED.labels(self._group).inc()
        place = f"{record.topic} {record.partition} {record.offset}"
        _log.error(
            "consumer_blocked",
            group=self._group,
            record=place,
            error=reason_of(failure),
            way_out=f"mend the handler, or let it go: fittracker events park {self._group} {place}",
        )

    async def _project(self, records: Sequence[Record]) -> None:
        envelopes = [_read(record.key, record.value, record.headers) for record in records]

        async def project() -> tuple[list[Envelope], AfterCommit]:
            async with self._engine.begin() as connection:
                return await project_newer(self._subscription, connection, envelopes)

        newer, after_commit = await despite_conflicts(project)
        metrics.CONSUMER_HANDLED.labels(self._group, "new").inc(len(newer))
        metrics.CONSUMER_HANDLED.labels(self._group, "known").inc(len(records) - len(newer))
        if after_commit is not None:
            await _tell(after_commit)


class _Lag:
    """How far the group member of the moment is behind, asked whenever somebody wants to know."""

    def __init__(self, topics: Sequence[str]) -> None:
        self._topics = topics
        self.consumer: AIOKafkaConsumer | None = None
        #: Of each topic, how many records were fetched and are not handled yet.
        self.in_hand: Counter[str] = Counter()

    async def by_topic(self) -> dict[str, float]:
        """Records that are not handled up to the end of the partitions held, as of the last fetch; NaN before the first."""
        if self.consumer is None:
            return dict.fromkeys(self._topics, nan)
        lag = {topic: float(self.in_hand[topic]) for topic in self._topics}
        for partition in self.consumer.assignment():
            end = self.consumer.highwater(partition)
            if end is not None:
                lag[partition.topic] += max(0, end - await self.consumer.position(partition))
        return lag


def _read(key: bytes | None, value: bytes | None, headers: Iterable[tuple[str, bytes | None]] = ()) -> Envelope:
    """Raises BadRecordError and msgspec's errors for what is no event, or is under another's key: out of order there."""
    for name, reason in headers:
        if name == REFUSED:
            raise BadRecordError((reason or b"").decode(errors="replace"))
    if value is not None and len(value) > LARGEST_VALUE_BYTES + STAMP_BYTES:
        raise BadRecordError(f"{len(value)} bytes, more than any relay sends")
    envelope = decode_envelope(value or b"")
    if (key or b"").decode(errors="replace") not in (envelope.user_id, envelope.aggregate.id):
        raise BadRecordError(
            f"the record's key is {key!r:.200} and its event is of the person {envelope.user_id!r:.200}"
        )
    return envelope


async def project_newer(
    subscription: Subscription, connection: AsyncConnection, envelopes: Sequence[Envelope]
) -> tuple[list[Envelope], AfterCommit]:
    """Hand over what is new to the group, in the transaction; returns it, and what is to be awaited after the commit."""
    await lock_people(connection, subscription.group, (envelope.user_id for envelope in envelopes))
    newer = await take_newer(connection, subscription.group, envelopes)
    if not newer:
        return newer, None
    with following(subscription.group, newer) as context:
        after_commit = await subscription.handler(connection, newer)
    return newer, partial(_within, context, after_commit) if after_commit is not None else None


async def _within(context: Context, after_commit: Callable[[], Awaitable[None]]) -> None:
    """Telling of a projection belongs to the trace of what was projected, though that is over."""
    token = attach(context)
    try:
        await after_commit()
    finally:
        detach(token)


async def _tell(after_commit: Callable[[], Awaitable[None]]) -> None:
    """The projection stands already; whoever was to hear of it can read it, so a failure here is only logged."""
    try:
        await after_commit()
    except Exception as failure:
        _log.warning("change_not_told", reason=f"{type(failure).__name__}: {failure}")


def _next_offsets(polled: dict[TopicPartition, list[Record]]) -> dict[TopicPartition, int]:
    return {partition: records[-1].offset + 1 for partition, records in polled.items() if records}


class _BeginAtNewEpoch(ConsumerRebalanceListener):  # type: ignore[misc]  # aiokafka is untyped
    """Reads a partition from its start when its broker's epoch is new to the group.

    An offset that the group committed belongs to the records of one epoch and means nothing in the next. What hinders it ends
    the session by `watch`: aiokafka logs what a listener raises, and goes on from the committed offsets.
    """

    def __init__(self, group: str, engine: AsyncEngine, epoch: str) -> None:
        self._group = group
        self._engine = engine
        self._epoch = epoch
        self.consumer: AIOKafkaConsumer | None = None
        self._failure: Exception | None = None
        self._has_failed = asyncio.Event()

    async def watch(self) -> None:
        """Raises what an assignment of partitions failed with, once one does."""
        await self._has_failed.wait()
        assert self._failure is not None
        raise self._failure

    async def on_partitions_revoked(self, revoked: Iterable[TopicPartition]) -> None:
        pass

    async def on_partitions_assigned(self, assigned: Iterable[TopicPartition]) -> None:
        try:
            await self._begin(assigned)
        except Exception as failure:
            self._failure = failure
            self._has_failed.set()
            raise

    async def _begin(self, assigned: Iterable[TopicPartition]) -> None:
        async with self._engine.begin() as connection:
            fresh = [
                partition
                for partition in sorted(assigned)
                if await enter_epoch(connection, self._group, partition.topic, partition.partition, self._epoch)
            ]
            if fresh and self.consumer is not None:  # before the epoch counts as entered
                await self.consumer.seek_to_beginning(*fresh)


class JoinUnansweredError(TimeoutError):
    """The broker did not let a member into its group in time."""


@asynccontextmanager
async def _group_member(
    group: str, topics: Sequence[str], kafka: KafkaSettings, listener: _BeginAtNewEpoch
) -> AsyncIterator[AIOKafkaConsumer]:
    """Raises JoinUnansweredError, and what aiokafka raises."""
    session_ms = ANNOUNCED_SESSION_MS if kafka.announced else SESSION_MS
    consumer: AIOKafkaConsumer = AIOKafkaConsumer(
        **kafka.arguments(),
        **({"consumer_timeout_ms": ANNOUNCED_TURN_MS} if kafka.announced else {}),
        group_id=group,
        enable_auto_commit=False,
        auto_offset_reset="earliest",
        fetch_max_wait_ms=kafka.fetch_max_wait_ms,
        session_timeout_ms=session_ms,
        heartbeat_interval_ms=session_ms // 3,
    )
    bound_fetches(consumer)
    listener.consumer = consumer
    consumer.subscribe(topics=list(topics), listener=listener)
    try:
        try:
            async with asyncio.timeout(START_TIMEOUT_SECONDS):
                await consumer.start()
        except TimeoutError as failure:
            raise JoinUnansweredError(f"{group} did not let a member in for {START_TIMEOUT_SECONDS:g} s") from failure
        yield consumer
    finally:
        await _stop(consumer)


async def _stop(consumer: AIOKafkaConsumer) -> None:
    """Aiokafka waits for the answer to a join before it closes connections, and cut off it leaves them open."""
    await _try_to_close(consumer.stop())
    for part in (consumer._fetcher, consumer._client):  # noqa: SLF001 - nothing public closes them after that
        if part is not None:
            await _try_to_close(part.close())


async def _try_to_close(closing: Coroutine[Any, Any, None]) -> None:
    """Waits STOP_SECONDS for it at most, whatever comes of it.

    In a task of its own: aiokafka waits for tasks that it cancelled, and their cancellation would end our own.
    """
    task = asyncio.create_task(closing)
    try:
        done, _ = await asyncio.wait({task}, timeout=STOP_SECONDS)
        if done and not task.cancelled() and (failure := task.exception()) is not None:
            _log.debug("kafka_client_did_not_close_well", reason=reason_of(failure))
    finally:
        task.cancel()
