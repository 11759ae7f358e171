"""How long requests may take, under one timer of the event loop: `front_door` runs every operation in a `TimeLimit`.

A timer for each request would be begun and cancelled by nearly all of them. Those of one length end in the order in which they
began, so one timer, for the oldest, is enough.
"""

from __future__ import annotations

import asyncio
from types import TracebackType
from typing import Self

#: The event loop counts milliseconds: what is due in less is due now.
RESOLUTION_SECONDS = 0.001


class TimeLimit:
    """`with limit.running() as run:` raises TimeoutError where the block takes longer than `seconds`, as `asyncio.timeout` does.

    For one event loop at a time.
    """

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        self._running: dict[Run, None] = {}  # from the oldest to the newest
        self._timer: asyncio.TimerHandle | None = None
        self._loop: asyncio.AbstractEventLoop | None = None

    def running(self) -> Run:
        """To be entered at once, by the task that is to be cancelled."""
        loop = asyncio.get_running_loop()
        run = Run(loop.time() + self.seconds, self._running)
        if self._timer is None or self._loop is not loop:
            self._loop = loop
            self._timer = loop.call_at(run.ends_at, self._end_late_ones)
        return run

    def _end_late_ones(self) -> None:
        assert self._loop is not None
        self._timer = None
        now = self._loop.time() + RESOLUTION_SECONDS
        late = []
        for run in self._running:
            if run.ends_at > now:
                self._timer = self._loop.call_at(run.ends_at, self._end_late_ones)
                break
            late.append(run)
        for run in late:
            run.end()


class Run:
    """One block that runs. `ends_at` is an instant of the event loop's clock."""

    __slots__ = ("_cancelling", "_is_late", "_running", "_task", "ends_at")

    def __init__(self, ends_at: float, running: dict[Run, None]) -> None:
        self.ends_at = ends_at
        self._running = running
        self._is_late = False

    def __enter__(self) -> Self:
        task = asyncio.current_task()
        assert task is not None
        self._task = task
        self._cancelling = task.cancelling()
        self._running[self] = None
        return self

    def end(self) -> None:
        """It is late."""
        del self._running[self]
        self._is_late = True
        self._task.cancel()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Raises TimeoutError in place of the cancellation that is this limit's own."""
        if not self._is_late:
            del self._running[self]
            return
        if self._task.uncancel() <= self._cancelling and kind is asyncio.CancelledError:
            raise TimeoutError from error
