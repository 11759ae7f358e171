"""For a broker at which a fetch cannot wait, as the embedded one: relays announce over Redis what they published.

Consumers fetch nothing until they hear of it, instead of asking fifty times a second. What was announced to nobody is found
after `LONGEST_REST_SECONDS`, or as soon as Redis is back.
"""

import asyncio
from collections.abc import Collection, Iterable
from contextlib import suppress

from aiokafka import AIOKafkaConsumer
from redis.exceptions import RedisError

from events.fanout import EVERYTHING, Fanout

CHANNEL = "published"
FIRST_REST_SECONDS = 0.25  # twice as long after each one that ended without news
LONGEST_REST_SECONDS = 10.0


class Announcer:
    """The relay's side. `tell` never waits: a Redis that hangs holds up no event."""

    def __init__(self, fanout: Fanout) -> None:
        self._fanout = fanout
        self._topics: set[str] = set()
        self._told = asyncio.Event()

    def tell(self, topics: Iterable[str]) -> None:
        self._topics.update(topics)
        self._told.set()

    async def run(self) -> None:
        """Announces for ever."""
        while True:
            await self._told.wait()
            self._told.clear()
            topics, self._topics = self._topics, set()
            with suppress(RedisError, OSError):
                await self._fanout.publish((CHANNEL, topic) for topic in topics)


class Rest:
    """One consumer's side."""

    def __init__(self, fanout: Fanout, topics: Collection[str]) -> None:
        self._fanout = fanout
        self._wanted = {*topics, EVERYTHING}
        self._news = asyncio.Event()
        self._seconds = FIRST_REST_SECONDS

    async def listen(self) -> None:
        """Hears announcements for ever."""
        async for topics in self._fanout.listen(CHANNEL):
            if not self._wanted.isdisjoint(topics):
                self._news.set()

    async def until_news(self, consumer: AIOKafkaConsumer) -> None:
        """Nothing is fetched meanwhile. News that came since the last call end it at once."""
        consumer.pause(*consumer.assignment())
        try:
            async with asyncio.timeout(self._seconds):
                await self._news.wait()
        except TimeoutError:
            self._seconds = min(2 * self._seconds, LONGEST_REST_SECONDS)
        else:
            self._seconds = FIRST_REST_SECONDS  # a fetch may come back too late, so the next rest is short
        self._news.clear()
        consumer.resume(*consumer.paused())
