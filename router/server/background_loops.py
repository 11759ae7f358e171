"""The loops that run as long as the application does: begun anew when they fail, and told in health and metrics.

`app` starts them with its lifespan; `probes` shows how they are.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

import structlog

from router.telemetry import LOOP_RESTARTS, LOOPS_DOWN

log = structlog.get_logger(__name__)

FIRST_PAUSE_SECONDS = 0.5
LONGEST_PAUSE_SECONDS = 15.0
#: A loop that has run for so long since its last failure is well again.
STEADY_AFTER_SECONDS = 30.0


@dataclass(slots=True, eq=False)
class _Loop:
    name: str
    restarts: int = 0
    failed_at: float | None = None

    @property
    def is_well(self) -> bool:
        return self.failed_at is None or time.monotonic() - self.failed_at > STEADY_AFTER_SECONDS

    async def run(self, work: Callable[[], Awaitable[None]]) -> None:
        """For ever. Whatever ends the work, an error of ours too, is logged, and it begins anew after a pause."""
        pause = FIRST_PAUSE_SECONDS
        while True:
            began = time.monotonic()
            try:
                await work()
                log.error("background_loop_ended", loop=self.name)
            except Exception:
                log.exception("background_loop_failed", loop=self.name)
            self.restarts += 1
            self.failed_at = time.monotonic()
            LOOP_RESTARTS.labels(self.name).inc()
            if self.failed_at - began > STEADY_AFTER_SECONDS:
                pause = FIRST_PAUSE_SECONDS
            await asyncio.sleep(pause)
            pause = min(2 * pause, LONGEST_PAUSE_SECONDS)


class BackgroundLoops:
    """The loops of one application."""

    def __init__(self) -> None:
        self._loops: dict[str, _Loop] = {}
        self._tasks: list[asyncio.Task[None]] = []

    def start(self, name: str, work: Callable[[], Awaitable[None]]) -> None:
        """`work` is not meant to end."""
        loop = self._loops[name] = _Loop(name)
        LOOP_RESTARTS.labels(name)  # an increase can only be seen of a counter that was there before
        LOOPS_DOWN.labels(name).set_function(lambda: 0.0 if loop.is_well else 1.0)
        self._tasks.append(asyncio.create_task(loop.run(work), name=name))

    async def stop(self) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self._tasks.clear()

    def states(self) -> dict[str, dict[str, object]]:
        """For the health of the process, by name."""
        return {
            loop.name: {"status": "UP" if loop.is_well else "DOWN", "details": {"restarts": loop.restarts}}
            for loop in self._loops.values()
        }
