"""How much is done in one turn of the event loop: in each it calls what was ready when the turn began, then reads its sockets."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import pairwise


class Measured:
    """What `measure` gave in each turn."""

    def __init__(self, measure: Callable[[], float]) -> None:
        self._measure = measure
        self.values: list[float] = []
        self._note()

    def _note(self) -> None:
        self.values.append(self._measure())
        self._next = asyncio.get_running_loop().call_soon(self._note)

    @property
    def number(self) -> int:
        """Of the present turn."""
        return len(self.values)

    @property
    def most(self) -> float:
        """The largest difference between a turn and the next."""
        return max(abs(after - before) for before, after in pairwise(self.values))

    def stop(self) -> None:
        self._next.cancel()


@contextmanager
def measured_each_turn(measure: Callable[[], float]) -> Iterator[Measured]:
    """While the block runs. The loop never waits meanwhile, for there is always something to call."""
    measured = Measured(measure)
    try:
        yield measured
    finally:
        measured.stop()
