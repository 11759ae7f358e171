"""Transactions that Postgres rolled back so that others could go on, a deadlock's victims above all, are begun anew.

`consumer` does so with a projection, the subgraphs' shell with a mutation. Such a failure says that nothing of its transaction
stands, so doing it again is safe wherever nothing else was committed (decision 0265).
"""

import asyncio
import random
from collections.abc import Awaitable, Callable
from typing import TypeVar

import structlog

from events.failures import is_conflict, reason_of

_log = structlog.get_logger("events.conflicts")

#: Each is drawn from half to one and a half of this: two that met shall not meet again.
PAUSES_SECONDS = (0.02, 0.1, 0.4)
_Result = TypeVar("_Result")


async def despite_conflicts(
    work: Callable[[], Awaitable[_Result]], may_be_repeated: Callable[[], bool] = lambda: True
) -> _Result:
    """What `work` returns, begun anew where it lost a conflict, up to three times. Raises what it does, the last time."""
    for pause in PAUSES_SECONDS:
        try:
            return await work()
        except Exception as failure:
            if not is_conflict(failure) or not may_be_repeated():
                raise
            _log.info("begun_anew_after_a_conflict", reason=reason_of(failure))
        await asyncio.sleep(pause * random.uniform(0.5, 1.5))  # noqa: S311 - spreads retries, hides nothing
    return await work()
