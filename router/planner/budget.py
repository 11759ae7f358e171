"""How much one plan may cost: steps, past which an operation is refused, and seconds, past which it goes elsewhere.

Made by whoever plans, spent by `choose` and `build`.
"""

from __future__ import annotations

from time import perf_counter, thread_time

from router.errors import PlanningLimitError

MAX_STEPS = 200_000
#: Ways that may only be faster are looked for until then: of 1,045 plans of the tests none takes more than 520 steps.
MAX_STEPS_FOR_SPEED = 2_000
_STEPS_BETWEEN_LOOKS = 4  # at the clock


class PlanningOverrunError(Exception):
    """The plan takes longer than its caller has time for; nothing is wrong with the operation."""


class PlanningBudget:
    """`max_seconds` are of this thread's own CPU time; None is without bound."""

    def __init__(self, max_seconds: float | None = None, max_steps: int = MAX_STEPS) -> None:
        self._steps_left = max_steps
        self._generous_above = max_steps - MAX_STEPS_FOR_SPEED
        self._until = thread_time() + max_seconds if max_seconds is not None else None
        # no thread uses more CPU time than passes on the clock on the wall, which is read sixty times as fast
        self._not_before = perf_counter() + max_seconds if max_seconds is not None else 0.0
        self._looks_left = _STEPS_BETWEEN_LOOKS

    @property
    def is_generous(self) -> bool:
        """Whether so little of the budget is spent that a better way may be looked for where one is known already."""
        return self._steps_left > self._generous_above

    def spend(self) -> None:
        """One step of the search. Raises PlanningLimitError and what `look` raises."""
        self._steps_left -= 1
        if self._steps_left < 0:
            raise PlanningLimitError(
                "There are more ways to answer this operation than the router looks through. Ask for fewer fields at once."
            )
        self._looks_left -= 1
        if self._looks_left <= 0:
            self.look()

    def look(self) -> None:
        """To be called every few microseconds of work. Raises PlanningOverrunError when time is up."""
        self._looks_left -= 1
        if self._looks_left <= 0:
            self._looks_left = _STEPS_BETWEEN_LOOKS
            if self._until is not None and perf_counter() > self._not_before and thread_time() > self._until:
                raise PlanningOverrunError
