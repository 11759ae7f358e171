"""The time by which a process that serves judges tokens, sessions and what is due (decision 0238).

A machine's clock can leap: it is set wrong by hand, by a virtual machine that wakes, by a time server that errs. A process
that follows it for a minute refuses everybody's token and puts reminders off for years. So a leap is followed only when
another clock agrees with it: that of a subgraph's database, or for the router that of the subgraph that tells of ended
sessions. Until then time goes on as it did. What is adjusted by less than `LEAP_SECONDS` is followed at once, and so is
everything by a process that compares its clock with nobody's.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime

import structlog

log = structlog.get_logger(__name__)

LEAP_SECONDS = 30.0


def seconds_since_boot() -> float:
    """Goes on evenly, where the system says so through a suspension too, and nobody can set it."""
    return time.clock_gettime(time.CLOCK_BOOTTIME) if hasattr(time, "CLOCK_BOOTTIME") else time.monotonic()


class ServiceClock:
    """Called, it gives the present instant in UTC."""

    def __init__(self, wall: Callable[[], float] = time.time, steady: Callable[[], float] = seconds_since_boot) -> None:
        """`wall` gives seconds since the epoch and may leap, `steady` seconds since whenever and never does."""
        self._wall = wall
        self._steady = steady
        self._offset = wall() - steady()
        self._is_compared = False
        self._has_leapt = False

    def __call__(self) -> datetime:
        return datetime.fromtimestamp(self.seconds(), UTC)

    def seconds(self) -> float:
        """Since the epoch."""
        wall, going_on = self._wall(), self._steady() + self._offset
        if self._is_compared and abs(wall - going_on) > LEAP_SECONDS:
            if not self._has_leapt:
                self._has_leapt = True
                log.warning("clock_leapt", seconds=round(wall - going_on, 3))
            return going_on
        if self._has_leapt:
            self._has_leapt = False
            log.warning("clock_is_back")
        self._offset += wall - going_on
        return wall

    @property
    def is_in_doubt(self) -> bool:
        """Whether `compare` should be told what another clock says: nobody has yet, or the machine's has leapt."""
        self.seconds()
        return self._has_leapt or not self._is_compared

    def compare(self, other_seconds: float) -> None:
        """What another machine's clock shows now, in seconds since the epoch. It settles whether a leap is followed; and at
        the start, when there is no earlier time to go on with, what the time is.
        """
        steady = self._steady()
        if abs(self._wall() - other_seconds) <= LEAP_SECONDS:
            self._offset = self._wall() - steady
        elif not self._is_compared:
            log.warning("clock_differs_at_start", seconds=round(self._wall() - other_seconds, 3))
            self._offset = other_seconds - steady
        self._is_compared = True
