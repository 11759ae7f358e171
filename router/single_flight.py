"""Work that several ask for at the same time is done once, and all of them get its outcome.

A key names the work: equal keys mean that the outcome of one is as good for the other. Nothing is kept: whoever asks
after the outcome is there starts anew.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Hashable
from functools import partial
from typing import Generic, TypeVar

from router.cancellable_future import CancellableFuture

KeyT = TypeVar("KeyT", bound=Hashable)
ValueT = TypeVar("ValueT")


class Flight(Generic[ValueT]):
    """One piece of work under way, and who waits for it.

    Each waits on a future of its own: one that is cancelled takes the outcome from nobody else.
    """

    __slots__ = ("_waiting",)

    def __init__(self) -> None:
        self._waiting: list[CancellableFuture[ValueT]] = []

    def join(self) -> asyncio.Future[ValueT]:
        """The outcome to come."""
        seat: CancellableFuture[ValueT] = CancellableFuture(self._let_go)
        self._waiting.append(seat)
        return seat

    @property
    def is_wanted(self) -> bool:
        for seat in self._waiting:  # noqa: SIM110 - a generator costs more than the whole loop
            if not seat.cancelled():
                return True
        return False

    def _let_go(self) -> None:
        if not self.is_wanted:
            self.when_deserted()

    def when_deserted(self) -> None:
        """The last of those who waited has been cancelled. The work goes on, unless a kind of flight says otherwise."""

    @property
    def waiting(self) -> int:
        """How many joined, those who have left among them."""
        return len(self._waiting)

    # Flight and seats let go of each other when it lands: an outcome must not live on in a circle of objects.

    def succeed(self, value: ValueT) -> None:
        waiting, self._waiting = self._waiting, []
        for seat in waiting:
            if not seat.done():
                seat.set_result(value)

    def succeed_in_turns(self, value: ValueT, at_once: int) -> None:
        """As `succeed`, but so many in each turn of the loop, which does between turns what has come up meanwhile."""
        later = self._waiting[at_once:]
        del self._waiting[at_once:]
        self.succeed(value)
        self._waiting = later
        if later:
            asyncio.get_running_loop().call_soon(self.succeed_in_turns, value, at_once)

    def fail(self, error: BaseException) -> None:
        waiting, self._waiting = self._waiting, []
        for seat in waiting:
            if not seat.done():
                seat.set_exception(error)

    def cancel(self) -> None:
        waiting, self._waiting = self._waiting, []
        for seat in waiting:
            seat.cancel()


class SingleFlight(dict[KeyT, Flight[ValueT]]):
    """The flights under way by key. Whoever enters one has to `end` it, and to hand out its outcome.

    A dictionary, as every request looks into two of them. To `clear` it after a write is to say that whoever asks from
    now on must not get an outcome that was begun before.
    """

    def end(self, key: KeyT, flight: Flight[ValueT]) -> None:
        """Nobody joins it from now on."""
        known = self.pop(key, None)  # in nearly all cases it is this one, and a key is hashed anew each time
        if known is not None and known is not flight:
            self[key] = known

    def run(
        self, key: KeyT, work: Callable[[], Awaitable[ValueT]], at_once: int | None = None
    ) -> asyncio.Future[ValueT]:
        """The outcome of `work`, or of the one under way. It goes on to its end, whoever leaves meanwhile. With `at_once` so many are
        told in each turn of the loop.
        """
        flight = self.get(key)
        if flight is None:
            flight = self[key] = Flight()
            # a task of its own: the first to ask may be cancelled while others wait for the same
            asyncio.ensure_future(work()).add_done_callback(partial(self._land, key, flight, at_once))
        return flight.join()

    def _land(self, key: KeyT, flight: Flight[ValueT], at_once: int | None, task: asyncio.Future[ValueT]) -> None:
        self.end(key, flight)
        if task.cancelled():
            flight.cancel()
        elif (error := task.exception()) is not None:
            flight.fail(error)
        elif at_once is None:
            flight.succeed(task.result())
        else:
            flight.succeed_in_turns(task.result(), at_once)
