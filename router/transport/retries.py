"""Whether and when a failed query is sent to its subgraph again. `shared_requests` asks it after each answer, and failure.

Mutations never come here. A budget keeps retries a small share of all requests: a subgraph in trouble gets no more of it.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable

from router.errors import SubgraphHttpError
from router.settings import Retry
from router.transport.budget import Budget
from router.transport.protocol import GRAPHQL_RESPONSE, SubgraphAnswer

#: What proxies and servers say of themselves and not of the query.
PASSING_STATUSES = frozenset({502, 503, 504})


class Retries:
    """The budgets of all subgraphs; `settings_of` gives what holds for one by its name."""

    def __init__(self, settings_of: Callable[[str], Retry], on_retry: Callable[[str], None] = lambda _: None) -> None:
        self._settings_of = settings_of
        self._on_retry = on_retry
        self._budgets: dict[str, Budget] = {}

    def count(self, subgraph: str) -> None:
        """A query goes out for the first time."""
        self._budget(subgraph).earn()

    def pause_before(self, subgraph: str, attempt: int) -> float | None:
        """Seconds until attempt number `attempt` (the second is 2) after one that `may_pass`; None: what it said stands."""
        settings = self._settings_of(subgraph)
        if attempt > settings.max_attempts or not self._budget(subgraph).spend():
            return None
        self._on_retry(subgraph)
        longest: float = settings.pause_seconds * 2 ** (attempt - 2)
        return longest * random.uniform(0.5, 1)  # noqa: S311 - spreads retries, hides nothing

    def _budget(self, subgraph: str) -> Budget:
        budget = self._budgets.get(subgraph)
        if budget is None:
            budget = self._budgets[subgraph] = Budget(self._settings_of(subgraph).budget_percent)
        return budget


def may_pass(answer: asyncio.Future[SubgraphAnswer]) -> bool:
    """Whether it failed in passing. A time-out is none of these: the caller has waited long enough, and the subgraph may
    still be at work. Nor is a GraphQL answer with 504: the subgraph gave up at the deadline that it was told.
    """
    if answer.cancelled():
        return False
    error = answer.exception()
    if error is not None:
        return type(error) is SubgraphHttpError
    given = answer.result()
    if given.status not in PASSING_STATUSES:
        return False
    return not (given.status == 504 and given.content_type.startswith(GRAPHQL_RESPONSE))
