"""A bounded cache whose concurrent misses are computed once.

`loaded_graph` keeps prepared operations and compiled plans in it.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Awaitable, Callable, Hashable
from typing import Generic, TypeVar

from router.single_flight import SingleFlight

Key = TypeVar("Key", bound=Hashable)
Value = TypeVar("Value")


class BoundedCache(Generic[Key, Value]):
    """Least recently used entries go first. Failures are not kept: they reach everyone who waits, then are forgotten.

    With `weigh`, which gives the bytes of an entry, all together have at most `max_bytes`; a single one that has more is
    kept until the next comes.
    """

    def __init__(
        self, max_entries: int, *, max_bytes: int = 0, weigh: Callable[[Key, Value], int] | None = None
    ) -> None:
        self._max_entries = max_entries
        self._max_bytes = max_bytes
        self._weigh = weigh
        self._weights: dict[Key, int] = {}
        self.bytes = 0  # of all entries, as far as they are weighed
        self._entries: OrderedDict[Key, Value] = OrderedDict()
        self._computing: SingleFlight[Key, Value] = SingleFlight()
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
        if self._computing.get(key) is not None:
            self.coalesced += 1
        else:
            self.misses += 1
        return await self._computing.run(key, lambda: self._compute(key, compute))

    def compute_at_once(self, key: Key, compute: Callable[[], Value | None]) -> Value | None:
        """After `get` found nothing: what `compute` makes, which is kept; needs no flight, as nobody can ask meanwhile.

        None where `compute` gives nothing, or where the key is being computed already: `get_or_compute` goes on from there.
        """
        if key in self._computing:
            return None
        value = compute()
        if value is not None:
            self.misses += 1
            self.put(key, value)
        return value

    def put(self, key: Key, value: Value) -> None:
        if key in self._entries:
            self._entries.move_to_end(key)
        self._entries[key] = value
        if self._weigh is not None:
            weight = self._weigh(key, value)
            self.bytes += weight - self._weights.get(key, 0)
            self._weights[key] = weight
        while len(self._entries) > self._max_entries or (self.bytes > self._max_bytes and len(self._entries) > 1):
            oldest, _ = self._entries.popitem(last=False)
            self.bytes -= self._weights.pop(oldest, 0)

    def take_counts(self) -> dict[str, int]:
        """Look-ups by result since the last call."""
        counts = {"hit": self.hits, "miss": self.misses, "coalesced": self.coalesced}
        self.hits = self.misses = self.coalesced = 0
        return counts

    def keys(self) -> list[Key]:
        """From the least to the most recently used."""
        return list(self._entries)

    def __contains__(self, key: Key) -> bool:
        """Counts as no look-up."""
        return key in self._entries

    def __len__(self) -> int:
        return len(self._entries)

    async def _compute(self, key: Key, compute: Callable[[], Awaitable[Value]]) -> Value:
        value = await compute()
        self.put(key, value)
        return value
