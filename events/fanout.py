"""Redis pub/sub between the processes that change things and the ones that hold subscriptions.

A message names only what changed (a channel and a key); the subscriber reads the newest state itself, so that messages
may be dropped, doubled or reordered without anyone seeing an old state.
"""

import asyncio
from collections import defaultdict
from collections.abc import AsyncIterator, Iterable
from contextlib import aclosing, suppress

import structlog
from redis.asyncio import Redis
from redis.asyncio.client import PubSub
from redis.exceptions import RedisError

from events.supervision import keep_running

_log = structlog.get_logger("events.fanout")

PREFIX = "fanout:"
# Subscribers are told everything on these when messages may have been missed.
EVERYTHING = "*"


class Fanout:
    """One process's link to the channels: publishes, and passes messages on to the local listeners.

    `run` must be running for listeners to hear anything; publishing needs only Redis.
    """

    def __init__(self, redis: "Redis") -> None:
        self._redis = redis
        self._listeners: defaultdict[str, set[_Listener]] = defaultdict(set)
        self._pubsub: PubSub | None = None

    async def publish(self, changes: Iterable[tuple[str, str]]) -> None:
        """Tell the listeners of each channel, in every process, that `key` changed."""
        async with self._redis.pipeline(transaction=False) as pipeline:
            for channel, key in changes:
                pipeline.publish(PREFIX + channel, key)
            await pipeline.execute()

    async def listen(self, channel: str) -> AsyncIterator[frozenset[str]]:
        """The keys that changed since the last step, without end. What a slow listener misses is folded together.

        A set that holds EVERYTHING says that messages may have been missed, as at the start: read the state anew.
        """
        listener = _Listener()
        self._listeners[channel].add(listener)
        try:
            if self._pubsub is not None:
                with suppress(RedisError, OSError):  # the next session subscribes to it
                    await self._pubsub.subscribe(PREFIX + channel)
                listener.tell(EVERYTHING)  # what happened since the caller began is not on the channel
            while True:
                yield await listener.take()
        finally:
            self._listeners[channel].discard(listener)
            if not self._listeners[channel]:
                del self._listeners[channel]
                if self._pubsub is not None:
                    with suppress(RedisError, OSError):
                        await self._pubsub.unsubscribe(PREFIX + channel)

    async def run(self) -> None:
        """Hold the subscription connection for ever; listeners are told EVERYTHING after each reconnect."""
        await keep_running("fanout", self._session)

    async def _session(self) -> None:
        async with aclosing(self._redis.pubsub(ignore_subscribe_messages=True)) as pubsub:
            # The idle channel keeps the connection in subscriber mode while nobody listens.
            await pubsub.subscribe(PREFIX + "idle")
            self._pubsub = pubsub  # from here on new listeners subscribe by themselves
            try:
                if self._listeners:
                    await pubsub.subscribe(*(PREFIX + channel for channel in self._listeners))
                self._tell_all(EVERYTHING)
                async for message in pubsub.listen():
                    channel = message["channel"].decode().removeprefix(PREFIX)
                    for listener in self._listeners.get(channel, ()):
                        listener.tell(message["data"].decode())
            finally:
                self._pubsub = None

    def _tell_all(self, key: str) -> None:
        for listeners in self._listeners.values():
            for listener in listeners:
                listener.tell(key)


class _Listener:
    """The changes that one subscriber has not yet taken."""

    def __init__(self) -> None:
        self._keys: set[str] = set()
        self._changed = asyncio.Event()

    def tell(self, key: str) -> None:
        self._keys.add(key)
        self._changed.set()

    async def take(self) -> frozenset[str]:
        await self._changed.wait()
        self._changed.clear()
        keys = frozenset(self._keys)
        self._keys.clear()
        return keys
