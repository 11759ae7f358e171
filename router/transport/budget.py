"""How much of a subgraph's traffic may be asked again, or twice. `retries` and `balanced_transport` each keep their own."""

from __future__ import annotations

CAPACITY = 10.0


class Budget:
    """Every query earns `percent` hundredths of a repetition; what is not spent is kept up to CAPACITY repetitions."""

    __slots__ = ("_left", "_share")

    def __init__(self, percent: float) -> None:
        self._share = percent / 100
        self._left = CAPACITY if self._share else 0.0

    def earn(self) -> None:
        self._left = min(CAPACITY, self._left + self._share)

    def spend(self) -> bool:
        """Whether there was one left."""
        if self._left < 1:
            return False
        self._left -= 1
        return True
