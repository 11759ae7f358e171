"""Clocks that people set a moment ago: the day of an entry follows them in every subgraph at once.

Users is the truth, and its event tells the others within a second or so; a token knows what was set when it was issued.
Until both have caught up, each process remembers what users announced over Redis, and prefers it: commands until the
version that was announced, or a later one, is replicated. Without Redis an entry that is written in that second belongs
to the day of the clock before (decisions 0074 and 0191).
"""

import time
from collections.abc import Callable
from contextlib import aclosing
from dataclasses import replace
from functools import partial
from math import inf
from typing import TYPE_CHECKING

import orjson
import structlog
from sqlalchemy.ext.asyncio import AsyncConnection

from events.inbox import has_handled
from events.supervision import Loop, Loops
from subgraphs.shell.auth import Viewer
from subgraphs.shell.calendar import WeekStart
from subgraphs.shell.hastening import hasten

if TYPE_CHECKING:
    from events.fanout import Fanout

_log = structlog.get_logger("subgraphs.shell.recent_clocks")

CHANNEL = "clocks"
#: Longer than an event takes to every subgraph, unless the broker is away.
REMEMBER_SECONDS = 300.0
MOST_REMEMBERED = 10_000


async def is_ahead_of(connection: AsyncConnection, group: str, viewer: Viewer) -> bool:
    """Whether the viewer's clock was set a moment ago, and the consumer group that replicates people has not got it yet."""
    version = viewer.clock_version
    return version is not None and not await has_handled(connection, group, "user", viewer.id, version)


class RecentClocks:
    """What this process heard lately. `watch` must run for it to hear of other processes."""

    def __init__(self, fanout: "Fanout | None" = None, seconds: Callable[[], float] = time.monotonic) -> None:
        self._fanout = fanout
        self._seconds = seconds
        # user id -> (account version, time zone, day start hour, week start, until when it is remembered)
        self._clocks: dict[str, tuple[int, str, int, WeekStart, float]] = {}

    def on(self, viewer: Viewer) -> Viewer:
        """The viewer with the clock that was set a moment ago, if one was."""
        found = self._clocks.get(viewer.id)
        if found is None or found[4] < self._seconds():
            return viewer
        version, time_zone, day_start_hour, week_start, _ = found
        return replace(
            viewer, time_zone=time_zone, day_start_hour=day_start_hour, week_start=week_start, clock_version=version
        )

    async def announce(
        self, user_id: str, version: int, *, time_zone: str, day_start_hour: int, week_start: WeekStart
    ) -> None:
        """Remember a clock here, and have every other process do so. The account is committed already."""
        told = orjson.dumps([user_id, version, time_zone, day_start_hour, week_start]).decode()
        self._keep(told)
        await hasten(self._fanout, [(CHANNEL, told)], _log, "clock_not_announced")

    async def watch(self, loops: Loops) -> None:
        """Hear what other processes announce, until cancelled."""
        if self._fanout is not None:
            loop = loops.add("clocks", patience_seconds=inf)  # there is no news while nobody sets one
            await loop.run(partial(self._hear, self._fanout, loop))

    async def _hear(self, fanout: "Fanout", loop: Loop) -> None:
        async with aclosing(fanout.listen(CHANNEL)) as announced:
            async for messages in announced:
                loop.progress()
                for told in messages:
                    self._keep(told)

    def _keep(self, told: str) -> None:
        try:
            user_id, version, time_zone, day_start_hour, week_start = orjson.loads(told)
        except ValueError:  # "read everything anew": there is nothing to read
            return
        known = self._clocks.pop(user_id, None)
        newer = (version, time_zone, day_start_hour, WeekStart(week_start), self._seconds() + REMEMBER_SECONDS)
        self._clocks[user_id] = known if known is not None and known[0] > version else newer
        while len(self._clocks) > MOST_REMEMBERED:
            del self._clocks[next(iter(self._clocks))]
