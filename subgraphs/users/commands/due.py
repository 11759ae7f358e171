"""Which queues have something due: one statement a second asks it for the loops of all of them, instead of one for each.

Most looks find nothing, and a transaction costs three round trips and a claim where this is one small read. What a look finds
anybody may have handled before the queue's own loop claims it.
"""

import asyncio
from collections.abc import Awaitable
from datetime import datetime
from enum import IntEnum
from functools import partial
from math import inf
from typing import Any

from sqlalchemy import text

from router.single_flight import SingleFlight
from subgraphs.shell.context import Resources
from subgraphs.shell.read_pool import Reader

LOOK_EVERY_SECONDS = 1.0
_OWN = "due_looks"


class Queue(IntEnum):
    """What a loop works off, by its place in what the statement selects."""

    MAIL = 0
    REMINDERS = 1
    PUSHES = 2
    WEBHOOKS = 3
    ERASURES = 4


# Of the webhooks of endpoints that answer, and of the slow ones, each by the index.
_FIRST_WEBHOOK = (
    "(SELECT min(next_at) FROM webhook_endpoint WHERE is_slow = {is_slow}"
    " AND (claimed_until IS NULL OR claimed_until <= :now))"
)
# Each least instant, and not whether there is one that has come: to Postgres, which plans for any `now`, a third of a table
# would have come, and looking at it row by row until one is found would seem cheap.
_DUE = text(
    "SELECT (SELECT min(due_at) FROM pending_mail) <= :now,"  # noqa: S608 - our own words
    " least((SELECT min(next_at) FROM reminder), (SELECT min(remind_at) FROM plan_ahead WHERE NOT is_done),"
    "  (SELECT min(due_at) FROM report_due)) <= :now,"
    " (SELECT min(due_at) FROM pending_push) <= :now,"
    f" least({_FIRST_WEBHOOK.format(is_slow='false')}, {_FIRST_WEBHOOK.format(is_slow='true')}) <= :now,"
    " (SELECT min(erase_at) FROM account) <= :now"
)


async def is_due(resources: Resources, queue: Queue) -> bool:
    """What the process's next look finds: at once where the last one was long ago. Raises what asyncpg does."""
    looks: _Looks = resources.own.setdefault(_OWN, _Looks())
    return bool((await looks.next(resources))[queue])


class _Looks:
    """LOOK_EVERY_SECONDS after each other, each for all that wait for it."""

    def __init__(self) -> None:
        self._flights: SingleFlight[None, tuple[Any, ...]] = SingleFlight()
        self._looked_at = -inf

    def next(self, resources: Resources) -> Awaitable[tuple[Any, ...]]:
        return self._flights.run(None, partial(self._look, resources))

    async def _look(self, resources: Resources) -> tuple[Any, ...]:
        seconds = asyncio.get_running_loop().time
        await asyncio.sleep(max(0.0, self._looked_at + LOOK_EVERY_SECONDS - seconds()))
        if not self._flights[None].is_wanted:  # the loops have ended, and the database may be closed
            return ()
        self._looked_at = seconds()
        ask = resources.database.primary().batch_reader(_ask)  # a replica may be behind
        return await ask(resources.now())


async def _ask(connection: Reader, now: datetime) -> tuple[Any, ...]:
    (row,) = await connection.execute(_DUE, {"now": now})
    return tuple(row)
