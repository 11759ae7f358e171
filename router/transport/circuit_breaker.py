"""Stops asking a subgraph that keeps failing, and finds out by a few requests when it can be asked again.

`subgraph_monitor` has one for each subgraph whose settings want it. Pure: time is given.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable
from enum import IntEnum

from router.settings import CircuitBreaker as CircuitBreakerSettings

SLOTS = 10  # of the window: how finely old requests fall out of it


class CircuitState(IntEnum):
    """The numbers are the metric's."""

    CLOSED = 0
    HALF_OPEN = 1
    OPEN = 2


class CircuitBreaker:
    """Closed, until of at least `min_requests` in the window `error_percent` failed; then open for `open_seconds`.

    After that it is half open: `probes` requests may pass, one failure opens it again, `probes` successes close it.
    """

    def __init__(self, settings: CircuitBreakerSettings, now: Callable[[], float] = time.monotonic) -> None:
        self._settings = settings
        self._now = now
        self._state = CircuitState.CLOSED
        self._period = 0  # changes with the state: what was asked in an earlier one says nothing about this one
        self._opened_at = 0.0
        self._probing = 0
        self._succeeded = 0
        self._window: deque[list[int]] = deque()  # [slot, requests, failures]

    @property
    def state(self) -> CircuitState:
        return self._state

    def admit(self) -> int | None:
        """A ticket to give back to `note`, or None: do not ask."""
        if self._state is CircuitState.OPEN:
            if self._now() - self._opened_at < self._settings.open_seconds:
                return None
            self._enter(CircuitState.HALF_OPEN)
        if self._state is CircuitState.HALF_OPEN:
            if self._probing + self._succeeded >= self._settings.probes:
                return None
            self._probing += 1
        return self._period

    def note(self, ticket: int, *, is_failure: bool | None) -> None:
        """What came of an admitted request; None where it was broken off and nobody knows."""
        if ticket != self._period:
            return
        if self._state is CircuitState.HALF_OPEN:
            self._note_probe(is_failure)
        elif is_failure is not None:
            self._note_request(is_failure)

    def _note_probe(self, is_failure: bool | None) -> None:
        self._probing -= 1
        if is_failure:
            self._open()
        elif is_failure is not None:
            self._succeeded += 1
            if self._succeeded >= self._settings.probes:
                self._enter(CircuitState.CLOSED)

    def _note_request(self, is_failure: bool) -> None:
        slot = int(self._now() / self._settings.window_seconds * SLOTS)
        if not self._window or self._window[-1][0] != slot:
            self._window.append([slot, 0, 0])
            while self._window[0][0] <= slot - SLOTS:
                self._window.popleft()
        self._window[-1][1] += 1
        if not is_failure:
            return
        self._window[-1][2] += 1
        requests = sum(each[1] for each in self._window)
        failures = sum(each[2] for each in self._window)
        if requests >= self._settings.min_requests and failures * 100 >= requests * self._settings.error_percent:
            self._open()

    def _open(self) -> None:
        self._opened_at = self._now()
        self._enter(CircuitState.OPEN)

    def _enter(self, state: CircuitState) -> None:
        self._state = state
        self._period += 1
        self._probing = self._succeeded = 0
        self._window.clear()
