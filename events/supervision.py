"""Background loops that run for ever, and what each says of itself: `relay`, `consumer` and `fanout` run in one each.

Health and metrics ask a loop when they are asked themselves, so that a loop that is stuck cannot report that it is well.
"""

import asyncio
import random
import time
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass, field

import structlog

from events.failures import reason_of

_log = structlog.get_logger("events")

FIRST_PAUSE_SECONDS = 0.1
LONGEST_PAUSE_SECONDS = 5.0
STEADY_AFTER_SECONDS = 30.0


@dataclass(slots=True, eq=False)
class Loop:
    """One loop. It tells `progress` whenever it got something done, at least every `patience_seconds` while it is well."""

    name: str
    patience_seconds: float = 30.0
    restarts: int = 0
    last_failure: str | None = None
    is_done: bool = False  # of something that is to be done once
    group: str | None = None  # the consumer group, of a consumer
    lag: Callable[[], Awaitable[dict[str, float]]] | None = None  # and its records behind, by topic
    _started_at: float = field(default_factory=time.monotonic)
    _progress_at: float | None = None
    _failed_at: float | None = None

    def progress(self) -> None:
        self._progress_at = time.monotonic()

    @property
    def seconds_since_progress(self) -> float:
        """Since its last progress; since its start if it made none."""
        return time.monotonic() - (self._progress_at if self._progress_at is not None else self._started_at)

    @property
    def is_well(self) -> bool:
        """Whether it made progress lately, and after its last failure; or is done."""
        if self.is_done:
            return True
        has_recovered = self._failed_at is None or (self._progress_at or 0.0) > self._failed_at
        return has_recovered and self.seconds_since_progress < self.patience_seconds

    async def run(self, session: Callable[[], Awaitable[None]]) -> None:
        """Run `session` again whenever it ends or fails, until this task is cancelled.

        The pause doubles with each failure and starts over once a session has lasted a while.
        """
        pause = FIRST_PAUSE_SECONDS
        while True:
            started = time.monotonic()
            try:
                await session()
                if self.is_done:
                    return
                self._note("it ended")
            except asyncio.CancelledError:
                task = asyncio.current_task()
                if task is None or task.cancelling():
                    raise
                # Nobody cancelled this loop: something within it waited for a task that was, as aiokafka does when it closes.
                self._note("a cancellation within it came out")
            except Exception as failure:
                self._note(reason_of(failure))
            if time.monotonic() - started > STEADY_AFTER_SECONDS:
                pause = FIRST_PAUSE_SECONDS
            await asyncio.sleep(pause * random.uniform(0.8, 1.2))  # noqa: S311 - spreads retries, hides nothing
            pause = min(pause * 2, LONGEST_PAUSE_SECONDS)

    async def work_off(self, some: Callable[[], Awaitable[bool]], is_due: Callable[[], Awaitable[bool]]) -> None:
        """For a session of `run`: whenever `is_due`, which takes its time to answer, says so, call `some`, which handles a few
        things that are due, and again while it says that there may be more. Ends only with what they raise.
        """
        while True:
            while not await is_due():
                self.progress()
            while await some():
                self.progress()
            self.progress()

    async def run_once(self, work: Callable[[], Awaitable[None]]) -> None:
        """Try again until it was done once."""

        async def session() -> None:
            await work()
            self.is_done = True

        await self.run(session)

    def _note(self, reason: str) -> None:
        self.restarts += 1
        self.last_failure = reason
        self._failed_at = time.monotonic()
        _log.warning("background_loop_restarts", loop=self.name, reason=reason)


class Loops:
    """The loops of one service, by name and group."""

    def __init__(self) -> None:
        self._by_name: dict[tuple[str, str | None], Loop] = {}

    def add(self, name: str, *, group: str | None = None, patience_seconds: float = 30.0) -> Loop:
        """A new loop; it takes the place of one with its name and group."""
        loop = Loop(name, patience_seconds, group=group)
        self._by_name[name, group] = loop
        return loop

    def __iter__(self) -> Iterator[Loop]:
        return iter(self._by_name.values())
