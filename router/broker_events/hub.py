"""Records of topics to the subscribers that they are for. One consumer for all; each subscriber has a bounded queue.

`server.app` runs `BrokerEvents.run`; `broker_events.source` subscribes. The consumer belongs to no group: every router sees
every record, from the moment at which it began to listen, and goes on where it was when the broker comes back.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncGenerator, Iterator, Mapping
from typing import Any

import orjson
import structlog
from aiokafka import AIOKafkaConsumer
from aiokafka.errors import KafkaError

from router.exact_json import scalar_text, value_at
from router.settings import BrokerSubscription, BrokerSubscriptions, KafkaClient
from router.telemetry import BROKER_EVENTS
from router.transport.kafka import client_settings
from router.transport.subscription_source import SubscriberTooSlowError

log = structlog.get_logger(__name__)

POLL_SECONDS = 0.5
PAUSE_SECONDS = 1.0
ANY = object()

Pattern = tuple[Any, ...]


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

    async def run(self) -> None:
        """Reads for ever."""
        while True:
            try:
                await self._read()
            except (KafkaError, OSError, TimeoutError) as error:
                log.warning("broker_events_not_read", reason=repr(error))
            await asyncio.sleep(PAUSE_SECONDS)

    async def _read(self) -> None:
        consumer = AIOKafkaConsumer(
            *self._by_topic, **client_settings(self._kafka), group_id=None, auto_offset_reset="latest"
        )
        await consumer.start()
        try:
            while True:
                batches = await consumer.getmany(timeout_ms=round(POLL_SECONDS * 1000))
                for partition, records in batches.items():
                    for record in records:
                        self.publish(partition.topic, record.value)
        finally:
            await consumer.stop()

    def publish(self, topic: str, value: bytes | None) -> None:
        """Hands a record to all that it is for."""
        try:
            record = orjson.loads(value or b"null")
        except orjson.JSONDecodeError:
            BROKER_EVENTS.labels(topic, "malformed").inc()
            log.warning("broker_event_malformed", topic=topic)
            return
        for name in self._by_topic.get(topic, ()):
            field = self.fields[name]
            if all(scalar_text(value_at(record, place)) == wanted for place, wanted in field.when.items()):
                pattern = tuple(scalar_text(value_at(record, place)) for place in field.match)
                for subscriber in self._subscribers[name].of(pattern):
                    result = subscriber.take(record)
                    BROKER_EVENTS.labels(topic, result).inc()

    async def subscribe(self, name: str, wanted: Mapping[str, Any], subgraph: str) -> AsyncGenerator[Any]:
        """The records of a field for whose `match` places `wanted` has the values; None there is any value. Raises
        SubscriberTooSlowError.
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

    def of(self, values: Pattern) -> Iterator[_Subscriber]:
        for places in tuple(self._open):
            pattern = tuple(ANY if is_open else value for value, is_open in zip(values, places, strict=True))
            yield from tuple(self._by_pattern.get(pattern, ()))


class _Subscriber:
    """The records that wait for one client."""

    def __init__(self, settings: BrokerSubscriptions, subgraph: str) -> None:
        self._settings = settings
        self._subgraph = subgraph
        self._waiting: deque[Any] = deque()
        self._is_too_slow = False
        self._has_news = asyncio.Event()

    def take(self, record: Any) -> str:
        """What became of it, or of the one that had to go for it."""
        if self._is_too_slow:
            return "dropped"
        self._has_news.set()
        if len(self._waiting) < self._settings.max_waiting:
            self._waiting.append(record)
            return "delivered"
        if self._settings.when_full == "drop_oldest":
            self._waiting.popleft()
            self._waiting.append(record)
        else:
            self._is_too_slow = True
        return "dropped"

    async def next(self) -> Any:
        """What waits comes first, then the news that the rest is lost."""
        while not self._waiting:
            if self._is_too_slow:
                raise SubscriberTooSlowError(
                    "More events came than were taken; subscribe again and read the state anew.", self._subgraph
                )
            self._has_news.clear()
            await self._has_news.wait()
        return self._waiting.popleft()


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
