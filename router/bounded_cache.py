"""A bounded cache whose concurrent misses are computed once.

`loaded_graph` keeps prepared operations and compiled plans in it.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Hashable
from typing import Generic, TypeVar

Key = TypeVar("Key", bound=Hashable)
Value = TypeVar("Value")


class BoundedCache(Generic[Key, Value]):
    """Least recently used entries go first. Failures are not kept: they reach everyone who waits, then are forgotten."""

    def __init__(self, max_entries: int) -> None:
        self._max_entries = max_entries
        self._entries: OrderedDict[Key, Value] = OrderedDict()
        self._computing: dict[Key, asyncio.Future[Value]] = {}
        self.hits = 0
        self.misses = 0
        self.coalesced = 0  # misses that waited for another's computation

    def get(self, key: Key) -> Value | None:
        found = self._entries.get(key)
        if found is not None:
            self.hits += 1
            self._entries.move_to_end(key)
        return found

    async def get_or_compute(self, key: Key, compute: Callable[[], Awaitable[Value]]) -> Value:
        found = self.get(key)
        if found is not None:
            return found
        under_way = self._computing.get(key)
        if under_way is not None:
            self.coalesced += 1
        else:
            self.misses += 1
            # a task of its own: the asker that came first may be cancelled while others wait for the same value
            under_way = asyncio.ensure_future(compute())
            self._computing[key] = under_way
            under_way.add_done_callback(lambda done: self._keep(key, done))
        return await asyncio.shield(under_way)

    def put(self, key: Key, value: Value) -> None:
        self._entries[key] = value
        self._entries.move_to_end(key)
        while len(self._entries) > self._max_entries:
            self._entries.popitem(last=False)

    def take_counts(self) -> dict[str, int]:
        """Look-ups by result since the last call."""
        counts = {"hit": self.hits, "miss": self.misses, "coalesced": self.coalesced}
        self.hits = self.misses = self.coalesced = 0
        return counts

    def keys(self) -> list[Key]:
        """From the least to the most recently used."""
        return list(self._entries)

    def __len__(self) -> int:
        return len(self._entries)

    def _keep(self, key: Key, done: asyncio.Future[Value]) -> None:
        self._computing.pop(key, None)
        if not done.cancelled() and done.exception() is None:
            self.put(key, done.result())
