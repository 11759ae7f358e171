"""Ten minutes of a watched platform in use, as each panel of the dashboards shows them; three things go wrong meanwhile.

`python -m deploy.rehearsals.dashboard_samples FILE` writes what `tests.testkit.dashboard_pictures` draws.
"""

from __future__ import annotations

import asyncio
import itertools
import os
import signal
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable, Sequence
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import aiohttp
import msgspec

from deploy.dashboards.catalog import DASHBOARDS
from deploy.dashboards.model import Panel
from deploy.rehearsals.platform import going_on
from deploy.rehearsals.scene import Scene
from deploy.rehearsals.troubles import TROUBLES
from deploy.rehearsals.visitors import arrivals, usual_visits, watch
from deploy.rehearsals.watched_platform import Monitoring, watched_platform

SECONDS = 600.0
#: Rates are means of five minutes: before what is shown, people have come for as long.
WARM_UP_SECONDS = 300.0
STEP_SECONDS = 10.0
PAUSE_SECONDS, BUSY_PAUSE_SECONDS = 0.2, 0.1
#: From when until when twice as many people come.
BUSY = (120.0, 210.0)
#: When each of those who follow their day begins to.
WATCHERS = (20.0, 60.0, 100.0, 180.0)


class Line(msgspec.Struct, frozen=True):
    """One series of a panel; `values` are a step apart, None where Prometheus has none."""

    legend: str
    values: tuple[float | None, ...]


class Samples(msgspec.Struct, frozen=True):
    """`start` and `step` are seconds, since 1970 and between two values. `lines`: dashboard's uid -> panel's title -> its series.

    `events`: what happened, each with its second since the start.
    """

    start: float
    step: float
    events: tuple[tuple[float, str], ...]
    lines: dict[str, dict[str, tuple[Line, ...]]]

    @property
    def end(self) -> float:
        """When the last values are of, in seconds since 1970."""
        steps = max(
            (len(line.values) for panels in self.lines.values() for each in panels.values() for line in each), default=2
        )
        return self.start + (steps - 1) * self.step


async def take(seconds: float = SECONDS, warm_up: float = WARM_UP_SECONDS) -> Samples:
    """What is told of so many seconds, the events at their shares of them. Raises FriendlyError where a tool is absent."""
    with tempfile.TemporaryDirectory(prefix="fittracker-samples-") as name:
        async with watched_platform(Path(name)) as (scene, monitoring), AsyncExitStack() as people:
            start, began, share = time.time() + warm_up, time.monotonic() + warm_up, seconds / SECONDS
            visits = usual_visits(scene.platform)

            def pause() -> float:
                is_busy = BUSY[0] * share < time.monotonic() - began < BUSY[1] * share
                return BUSY_PAUSE_SECONDS if is_busy else PAUSE_SECONDS

            await people.enter_async_context(going_on(arrivals(lambda: itertools.islice(visits, 1), pause)))
            for second in WATCHERS:
                await people.enter_async_context(going_on(watch(scene.platform, warm_up + second * share)))
            for second, what, happen in STORY:
                await asyncio.sleep(began + second * share - time.monotonic())
                sys.stdout.write(f"{second * share:.0f} s: {what}\n")
                sys.stdout.flush()
                await happen(scene)
            await asyncio.sleep(began + seconds - time.monotonic())
            events = tuple((second * share, what) for second, what, _ in STORY)
            return Samples(start, STEP_SECONDS, events, await _ask_all(monitoring, start, start + seconds))


async def _ask_all(monitoring: Monitoring, start: float, end: float) -> dict[str, dict[str, tuple[Line, ...]]]:
    async with aiohttp.ClientSession() as session:
        return {
            dashboard.uid: {
                panel.title: tuple(await _lines(monitoring, session, panel, start, end)) for panel in dashboard.panels
            }
            for dashboard in DASHBOARDS
        }


async def _lines(
    monitoring: Monitoring, session: aiohttp.ClientSession, panel: Panel, start: float, end: float
) -> list[Line]:
    found = []
    for query in panel.queries:
        for series in await monitoring.ask_range(session, query.expression, start, end, STEP_SECONDS):
            values = on_the_grid(series["values"], start, end, STEP_SECONDS)
            found.append(Line(query.legend_of(series["metric"]), values))
    return found


def on_the_grid(values: Sequence[tuple[float, str]], start: float, end: float, step: float) -> tuple[float | None, ...]:
    """Prometheus' pairs of a time and a number in a text as one number a step; None where there is none, or no finite one."""
    known = {round((at - start) / step): float(value) for at, value in values}
    finite = {place: value for place, value in known.items() if abs(value) < float("inf")}
    return tuple(finite.get(place) for place in range(int((end - start) / step) + 1))


async def _nothing(_scene: Scene) -> None:
    """More people come, or fewer: `pause` sees to it."""


def _lasts(what: str, seconds: float) -> Callable[[Scene], Awaitable[None]]:
    """A trouble of the monitoring rehearsal, for so long."""
    (trouble,) = (each for each in TROUBLES if each.what == what)

    async def happen(scene: Scene) -> None:
        async with trouble.make(scene):
            await asyncio.sleep(seconds)

    return happen


async def _users_dies(scene: Scene) -> None:
    os.kill(scene.pid("users"), signal.SIGKILL)


Happening = tuple[float, str, Callable[[Scene], Awaitable[Any]]]
STORY: tuple[Happening, ...] = (
    (BUSY[0], "twice as many people come, for a minute and a half", _nothing),
    (270.0, "nutrition hangs for 20 seconds", _lasts("a subgraph with a circuit breaker hangs", 20.0)),
    (360.0, "users is killed, and started again by its supervisor", _users_dies),
    (430.0, "the broker hangs for 30 seconds", _lasts("the broker hangs", 30.0)),
)


def main(arguments: list[str]) -> int:
    if len(arguments) != 1:
        sys.stderr.write("usage: python -m deploy.rehearsals.dashboard_samples FILE\n")
        return 2
    Path(arguments[0]).write_bytes(msgspec.json.format(msgspec.json.encode(asyncio.run(take())), indent=1))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
