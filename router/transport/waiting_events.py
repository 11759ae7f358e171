"""The events of a subscription that wait for its client, within bounds; what ends it is told after those that wait.

Clients of `shared_streams`, of `callback_inbox` and of `broker_events.hub` each have one.
"""

from __future__ import annotations

import asyncio
from collections import deque
from math import inf
from typing import Generic, TypeVar

from router.transport.subscription_source import SubscriberTooSlowError

Event = TypeVar("Event")


class WaitingEvents(Generic[Event]):
    """At most `most` events, of `most_bytes` together where there is more than one."""

    def __init__(self, subgraph: str, most: int, most_bytes: float = inf) -> None:
        self._subgraph = subgraph
        self._most = most
        self._most_bytes = most_bytes
        self._waiting: deque[tuple[Event, int]] = deque()
        self._bytes = 0
        self._failure: Exception | None = None
        self._has_news = asyncio.Event()
        self.has_ended = False

    @property
    def is_empty(self) -> bool:
        return not self._waiting

    @property
    def is_full(self) -> bool:
        """Whether one more would end it."""
        return not self.has_ended and len(self._waiting) >= self._most

    def take(self, event: Event, size: int = 0) -> bool:
        """Whether it waits now. For one that finds no room the client is too slow: that ends it."""
        if self.has_ended:
            return False
        if len(self._waiting) >= self._most or (self._waiting and self._bytes + size > self._most_bytes):
            self.end(SubscriberTooSlowError(self._subgraph))
            return False
        self._waiting.append((event, size))
        self._bytes += size
        self._has_news.set()
        return True

    def drop_oldest(self) -> None:
        """Makes room for one."""
        self._bytes -= self._waiting.popleft()[1]

    def end(self, failure: Exception | None = None, *, last: Event | None = None) -> None:
        """Nothing is taken any more. `last` is told before that, whether or not there is room."""
        if self.has_ended:
            return
        if last is not None:
            self._waiting.append((last, 0))
        self.has_ended, self._failure = True, failure
        self._has_news.set()

    async def next(self) -> Event | None:
        """What waits comes first, then the failure, or None at the end. Cancelled, it loses nothing."""
        while not self._waiting:
            if self._failure is not None:
                raise self._failure.with_traceback(None)
            if self.has_ended:
                return None
            self._has_news.clear()
            await self._has_news.wait()
        event, size = self._waiting.popleft()
        self._bytes -= size
        return event
