"""Records of topics to the subscribers that they are for. One consumer for all; each subscriber has a bounded queue.

`server.app` runs `BrokerEvents.run`; `broker_events.source` subscribes. The consumer belongs to no group: every router sees
every record, from the moment at which it began to listen. Where a consumer ends, for whatever reason, the next one goes on at
the first record that was not told; whoever listens is told where that cannot be done (decision 0186).
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Collection, Iterator, Mapping
from typing import TYPE_CHECKING, Any

import orjson
import structlog

from router.errors import SubgraphError
from router.exact_json import scalar_text, value_at
from router.settings import BrokerSubscription, BrokerSubscriptions, KafkaClient
from router.telemetry import BROKER_EVENTS
from router.transport.kafka import consuming
from router.transport.waiting_events import WaitingEvents

if TYPE_CHECKING:  # loaded only where a router listens to a broker
    from aiokafka import AIOKafkaConsumer, TopicPartition

log = structlog.get_logger(__name__)

POLL_SECONDS = 0.5
PAUSE_SECONDS = 1.0
#: For how long what was missed is told at the pace of the slowest; then as any other record is.
PATIENCE_SECONDS = 10.0
LOOK_SECONDS = 5.0
MOST_RECORDS = 500  # of one poll
ANY = object()

Pattern = tuple[Any, ...]


class EventsLostError(SubgraphError):
    """Records that a client should have been told are gone, or too many."""

    code = "EVENTS_LOST"


class BrokerEvents:
    """`fields` are the settings by coordinate, `Subscription.mealLogged`."""

    def __init__(self, settings: BrokerSubscriptions, kafka: KafkaClient) -> None:
        self.fields = settings.fields
        self._settings = settings
        self._kafka = kafka
        self._subscribers: dict[str, _Subscribers] = {name: _Subscribers() for name in settings.fields}
        self._by_topic: dict[str, list[str]] = {}
        for name, each in settings.fields.items():
            self._by_topic.setdefault(each.topic, []).append(name)
        self._next_offsets: dict[TopicPartition, int] = {}  # of the first record that was not told
        self._missed_until: dict[TopicPartition, int] = {}  # records before it came while nobody read
        self._has_begun = False
        self._patient_until = 0.0
        self._look_again_at = 0.0

    async def run(self) -> None:
        """Reads for ever."""
        from aiokafka.errors import KafkaError

        while True:
            try:
                await self._read()
            except (KafkaError, OSError, TimeoutError) as error:
                log.warning("broker_events_not_read", reason=repr(error))
            await asyncio.sleep(PAUSE_SECONDS)

    async def _read(self) -> None:
        async with consuming(self._kafka, *self._by_topic, group_id=None, auto_offset_reset="none") as consumer:
            await self._take_up(consumer, consumer.assignment())
            while True:
                await self._poll(consumer)

    async def _poll(self, consumer: AIOKafkaConsumer) -> None:
        """Hands on what has come. Positions that the consumer lacks, or that are no longer there, are found anew."""
        from aiokafka.errors import NoOffsetForPartitionError, OffsetOutOfRangeError

        try:
            batches = await consumer.getmany(timeout_ms=round(POLL_SECONDS * 1000), max_records=MOST_RECORDS)
        except (NoOffsetForPartitionError, OffsetOutOfRangeError):
            await self._take_up(consumer, consumer.assignment())
            return
        if not batches:
            await self._look_for_loss(consumer)
        for partition, records in batches.items():
            for record in records:
                content = _record_in(record.value)
                if record.offset < self._missed_until.get(partition, 0):
                    await self._wait_for_room(partition.topic, content)
                self._tell(partition.topic, content)
                self._next_offsets[partition] = record.offset + 1

    async def _look_for_loss(self, consumer: AIOKafkaConsumer) -> None:
        """While nothing comes, now and then: a broker that was emptied may wait for the position to be reached again."""
        now = asyncio.get_running_loop().time()
        if now < self._look_again_at:
            return
        self._look_again_at = now + LOOK_SECONDS
        ends = await consumer.end_offsets(consumer.assignment())
        if any(self._next_offsets.get(partition, 0) > end for partition, end in ends.items()):
            await self._take_up(consumer, consumer.assignment())

    async def _take_up(self, consumer: AIOKafkaConsumer, partitions: Collection[TopicPartition]) -> None:
        """Begins each partition at the first record that was not told; at its end where this process begins; at its start
        where it was added since. Where that record is gone, or more than `max_missed` came after it, its subscribers are
        told, and the rest is theirs who come from now on.
        """
        firsts, ends = await consumer.beginning_offsets(partitions), await consumer.end_offsets(partitions)
        lost: set[str] = set()
        for partition in partitions:
            first, end = firsts[partition], ends[partition]
            at = self._next_offsets.get(partition, first if self._has_begun else end)
            if not first <= at <= end or end - at > self._settings.max_missed:
                lost.add(partition.topic)
                at = end
            consumer.seek(partition, at)
            self._next_offsets[partition] = at
            self._missed_until[partition] = end
        self._has_begun = True
        self._patient_until = asyncio.get_running_loop().time() + PATIENCE_SECONDS
        for topic in sorted(lost):
            self._tell_of_loss(topic)

    def _tell_of_loss(self, topic: str) -> None:
        subscribers = [each for name in self._by_topic[topic] for each in self._subscribers[name].everybody()]
        log.warning("broker_events_lost", topic=topic, subscribers=len(subscribers))
        for subscriber in subscribers:
            subscriber.lose()
            BROKER_EVENTS.labels(topic, "lost").inc()

    async def _wait_for_room(self, topic: str, record: Any) -> None:
        """Of a backlog, clients take one event after another: what would overflow a queue waits, within a bound of time."""
        takers = list(self._takers(topic, record))
        while any(each.is_full for each in takers) and asyncio.get_running_loop().time() < self._patient_until:
            await asyncio.sleep(0.01)

    def publish(self, topic: str, value: bytes | None) -> None:
        """Hands a record to all that it is for."""
        self._tell(topic, _record_in(value))

    def _tell(self, topic: str, record: Any) -> None:
        if record is MALFORMED:
            BROKER_EVENTS.labels(topic, "malformed").inc()
            log.warning("broker_event_malformed", topic=topic)
            return
        for subscriber in self._takers(topic, record):
            BROKER_EVENTS.labels(topic, subscriber.take(record)).inc()

    def _takers(self, topic: str, record: Any) -> Iterator[_Subscriber]:
        """Whoever the record is for."""
        if record is MALFORMED:
            return
        for name in self._by_topic.get(topic, ()):
            field = self.fields[name]
            if all(scalar_text(value_at(record, place)) == wanted for place, wanted in field.when.items()):
                pattern = tuple(scalar_text(value_at(record, place)) for place in field.match)
                yield from self._subscribers[name].of(pattern)

    async def subscribe(self, name: str, wanted: Mapping[str, Any], subgraph: str) -> AsyncGenerator[Any]:
        """The records of a field for whose `match` places `wanted` has the values; None there is any value. Raises
        SubscriberTooSlowError and EventsLostError.
        """
        pattern = tuple(
            ANY if wanted[place] is None else scalar_text(wanted[place]) for place in self.fields[name].match
        )
        subscriber = _Subscriber(self._settings, subgraph)
        self._subscribers[name].add(pattern, subscriber)
        try:
            while True:
                yield await subscriber.next()
        finally:
            self._subscribers[name].remove(pattern, subscriber)


class _Subscribers:
    """Of one field. Found by the values that a record has, for each set of places that some subscriber leaves open."""

    def __init__(self) -> None:
        self._by_pattern: dict[Pattern, dict[_Subscriber, None]] = {}
        self._open: dict[tuple[bool, ...], int] = {}  # by which places are open: how many subscribers

    def add(self, pattern: Pattern, subscriber: _Subscriber) -> None:
        self._by_pattern.setdefault(pattern, {})[subscriber] = None
        places = tuple(value is ANY for value in pattern)
        self._open[places] = self._open.get(places, 0) + 1

    def remove(self, pattern: Pattern, subscriber: _Subscriber) -> None:
        found = self._by_pattern[pattern]
        del found[subscriber]
        if not found:
            del self._by_pattern[pattern]
        places = tuple(value is ANY for value in pattern)
        self._open[places] -= 1
        if not self._open[places]:
            del self._open[places]

    def everybody(self) -> list[_Subscriber]:
        return [each for found in self._by_pattern.values() for each in found]

    def of(self, values: Pattern) -> Iterator[_Subscriber]:
        for places in tuple(self._open):
            pattern = tuple(ANY if is_open else value for value, is_open in zip(values, places, strict=True))
            yield from tuple(self._by_pattern.get(pattern, ()))


class _Subscriber:
    """A client, and the records that wait for it."""

    def __init__(self, settings: BrokerSubscriptions, subgraph: str) -> None:
        self._drops_oldest = settings.when_full == "drop_oldest"
        self._subgraph = subgraph
        self._waiting = WaitingEvents[Any](subgraph, settings.max_waiting)

    @property
    def is_full(self) -> bool:
        return self._waiting.is_full

    def take(self, record: Any) -> str:
        """What became of it, or of the one that had to go for it."""
        drops_one = self._drops_oldest and self._waiting.is_full
        if drops_one:
            self._waiting.drop_oldest()
        is_taken = self._waiting.take(record)
        return "delivered" if is_taken and not drops_one else "dropped"

    def lose(self) -> None:
        """There were records for it, perhaps, that nobody can tell any more."""
        message = "Events came that can no longer be told; subscribe again and read the state anew."
        self._waiting.end(EventsLostError(message, self._subgraph))

    async def next(self) -> Any:
        """What waits comes first, then the news that the rest is lost."""
        return await self._waiting.next()


#: Of a record that is no JSON.
MALFORMED = object()


def _record_in(value: bytes | None) -> Any:
    try:
        return orjson.loads(value or b"null")
    except orjson.JSONDecodeError:
        return MALFORMED


def object_of(field: BrokerSubscription, record: Any) -> Any:
    """The field's value that a record stands for: the record, or what `value` takes from it."""
    if not field.value:
        return record
    made: dict[str, Any] = {}
    for path, place in field.value.items():
        *above, name = path.split(".")
        inner = made
        for each in above:
            inner = inner.setdefault(each, {})
        inner[name] = value_at(record, place)
    return made
