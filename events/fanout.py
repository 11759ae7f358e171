"""Redis pub/sub between the processes that change things and the ones that hold subscriptions.

A message names only what changed (a channel and a key); the subscriber reads the newest state itself, so that messages
may be dropped, doubled or reordered without anyone seeing an old state.
"""

import asyncio
from collections import defaultdict
from collections.abc import AsyncGenerator, Iterable
from contextlib import aclosing, suppress
from typing import Any

from redis.asyncio import Redis
from redis.asyncio.client import PubSub
from redis.exceptions import RedisError

from events.supervision import Loop, Loops
from events.tracing import note_delivery, telling

PREFIX = "fanout:"
# Which trace a message on a channel belongs to, beside the message and not in it: who does not know it reads on.
TRACES = "fanout-traces"
# Subscribers are told everything on these when messages may have been missed.
EVERYTHING = "*"
QUIET_SECONDS = 5.0
ANSWER_SECONDS = 3.0
PATIENCE_SECONDS = 15.0


class Fanout:
    """One process's link to the channels: publishes, and passes messages on to the local listeners.

    `run` must be running for listeners to hear anything; publishing needs only Redis. The client must not retry by
    itself: it would subscribe again without a word, and nobody would hear that messages were missed.
    """

    def __init__(self, redis: "Redis") -> None:
        self._redis = redis
        self._listeners: defaultdict[str, set[_Listener]] = defaultdict(set)
        self._pubsub: PubSub | None = None

    async def publish(self, changes: Iterable[tuple[str, str]]) -> None:
        """Tell the listeners of each channel, in every process, that `key` changed. Raises RedisError, OSError."""
        told = [(PREFIX + channel, key) for channel, key in changes]
        with telling(len(told)) as traceparent:
            if traceparent is not None:
                told += [(TRACES, f"{traceparent} {channel}") for channel in dict(told)]
            try:
                await self._publish(told)
            except (RedisError, OSError):  # of a connection that died while it lay idle, as the others did then
                await self._redis.connection_pool.disconnect(inuse_connections=False)
                await self._publish(told)

    async def _publish(self, messages: Iterable[tuple[str, str]]) -> None:
        async with self._redis.pipeline(transaction=False) as pipeline:
            for channel, message in messages:
                pipeline.publish(channel, message)
            await pipeline.execute()

    async def listen(self, channel: str) -> AsyncGenerator[frozenset[str], None]:
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

    async def run(self, loops: Loops | None = None) -> None:
        """Hold the subscription connection for ever; listeners are told EVERYTHING after each reconnect."""
        loop = (loops or Loops()).add("fanout", patience_seconds=PATIENCE_SECONDS)
        await loop.run(lambda: self._session(loop))

    async def _session(self, loop: Loop) -> None:
        async with aclosing(self._redis.pubsub()) as pubsub:
            # The idle channel keeps the connection in subscriber mode while nobody listens.
            await pubsub.subscribe(PREFIX + "idle", TRACES)
            self._pubsub = pubsub  # from here on new listeners subscribe by themselves
            try:
                if self._listeners:
                    await pubsub.subscribe(*(PREFIX + channel for channel in self._listeners))
                self._tell_all(EVERYTHING)
                while True:
                    message = await _next_message(pubsub)
                    loop.progress()
                    if message["type"] == "message":
                        self._hear(message["channel"].decode(), message["data"].decode())
            finally:
                self._pubsub = None

    def _hear(self, channel: str, message: str) -> None:
        if channel == TRACES:
            traceparent, _, channel = message.partition(" ")
            name = channel.removeprefix(PREFIX)
            if name in self._listeners:
                note_delivery(name.partition(":")[0], traceparent, len(self._listeners[name]))
            return
        for listener in self._listeners.get(channel.removeprefix(PREFIX), ()):
            listener.tell(message)

    def _tell_all(self, key: str) -> None:
        for listeners in self._listeners.values():
            for listener in listeners:
                listener.tell(key)


async def _next_message(pubsub: PubSub) -> dict[str, Any]:
    """The next message of any kind: an answer to a ping is one. Raises TimeoutError where Redis is silent."""
    message: dict[str, Any] | None = await pubsub.get_message(timeout=QUIET_SECONDS)
    if message is None:
        await pubsub.ping()
        message = await pubsub.get_message(timeout=ANSWER_SECONDS)
    if message is None:
        raise TimeoutError(f"Redis did not answer a ping within {ANSWER_SECONDS:g} s")
    return message


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
