"""Whether and when a failed query is sent to its subgraph again. `transport.SharedRequests` asks it after each failure.

Mutations never come here. A budget keeps retries a small share of all requests: a subgraph in trouble gets no more of it.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable
from typing import TYPE_CHECKING

from router.errors import SubgraphHttpError
from router.settings import Retry

if TYPE_CHECKING:
    from router.executor.transport import SubgraphAnswer

#: What proxies and servers say of themselves and not of the query.
PASSING_STATUSES = frozenset({502, 503, 504})
BUDGET_CAPACITY = 10.0


class Retries:
    """The budgets of all subgraphs; `settings_of` gives what holds for one by its name."""

    def __init__(self, settings_of: Callable[[str], Retry], on_retry: Callable[[str], None] = lambda _: None) -> None:
        self._settings_of = settings_of
        self._on_retry = on_retry
        self._budgets: dict[str, _Budget] = {}

    def count(self, subgraph: str) -> None:
        """A query goes out for the first time."""
        self._budget(subgraph).earn()

    def pause_before(self, subgraph: str, attempt: int, answer: asyncio.Future[SubgraphAnswer]) -> float | None:
        """Seconds until attempt number `attempt` (the second is 2), or None: what `answer` says stands."""
        budget = self._budget(subgraph)
        if attempt > budget.settings.max_attempts or not _may_pass(answer) or not budget.spend():
            return None
        self._on_retry(subgraph)
        longest: float = budget.settings.pause_seconds * 2 ** (attempt - 2)
        return longest * random.uniform(0.5, 1)  # noqa: S311 - spreads retries, hides nothing

    def _budget(self, subgraph: str) -> _Budget:
        budget = self._budgets.get(subgraph)
        if budget is None:
            budget = self._budgets[subgraph] = _Budget(self._settings_of(subgraph))
        return budget


class _Budget:
    """Every query earns a part of a retry; what is not spent is kept up to a bound."""

    __slots__ = ("_left", "_share", "settings")

    def __init__(self, settings: Retry) -> None:
        self.settings = settings
        self._share = settings.budget_percent / 100
        self._left = BUDGET_CAPACITY if self._share else 0.0

    def earn(self) -> None:
        self._left = min(BUDGET_CAPACITY, self._left + self._share)

    def spend(self) -> bool:
        if self._left < 1:
            return False
        self._left -= 1
        return True


def _may_pass(answer: asyncio.Future[SubgraphAnswer]) -> bool:
    """A time-out is none of these: the caller has waited long enough, and the subgraph may still be at work."""
    if answer.cancelled():
        return False
    error = answer.exception()
    if error is not None:
        return type(error) is SubgraphHttpError
    return answer.result().status in PASSING_STATUSES
