"""Keeps children alive: starts them in order, restarts one that died, stops them all in reverse order.

Used by `stack` and the `fleet` it owns, by `embedded` and `backup.restore`. Nothing here knows what the children are.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
from collections.abc import Callable, Sequence
from types import TracebackType
from typing import Self

from deploy.child import Child, ChildError, ChildSpec

FIRST_BACKOFF_SECONDS = 0.2
LONGEST_BACKOFF_SECONDS = 10.0
HEALTHY_AFTER_SECONDS = 30.0  # a child that lived this long is not in a crash loop

#: Called with a child's name and one line of its output, or of the supervisor's own news about it.
Reporter = Callable[[str, str], None]


class Supervisor:
    """A stack of children. `async with` stops them at the end, whatever happened."""

    def __init__(self, report_line: Reporter, report_news: Reporter) -> None:
        self._report_line = report_line
        self._report_news = report_news
        self._specs: dict[str, ChildSpec] = {}
        self._children: dict[str, Child] = {}
        self._watchers: dict[str, asyncio.Task[None]] = {}
        self._leaving: set[Child] = set()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.stop()

    @property
    def pids(self) -> dict[str, int]:
        """The process id of every child that runs now, by name, in start order."""
        return {name: child.pid for name, child in self._children.items()}

    @property
    def ports(self) -> dict[str, int]:
        return {name: spec.port for name, spec in self._specs.items()}

    async def start(self, spec: ChildSpec) -> None:
        """Start one child, wait until it is ready, and from then on keep it alive. Raises ChildError."""
        self._adopt(spec, await Child.start(spec, self._sink(spec.name)))

    async def start_together(self, specs: list[ChildSpec]) -> None:
        """Start several that do not need each other. Raises the first ChildError once all have settled."""
        outcomes = await asyncio.gather(*(self.start(spec) for spec in specs), return_exceptions=True)
        for outcome in outcomes:
            if isinstance(outcome, BaseException):
                raise outcome

    async def replace(self, names: Sequence[str]) -> None:
        """Put successors in the place of children that have a listener, as after a change of their code.

        They start beside their predecessors, which are asked to end when all successors are ready: no connection is
        refused in between. Raises ChildError where one does not get ready; then no predecessor ends.
        """
        successors: list[Child] = []

        async def start(name: str) -> None:
            successors.append(await Child.start(self._specs[name], self._sink(name)))

        outcomes: list[BaseException | None] = []
        try:
            outcomes = await asyncio.gather(*(start(name) for name in names), return_exceptions=True)
        finally:
            if len(successors) < len(names):
                await asyncio.gather(*(child.stop() for child in successors))
        for outcome in outcomes:
            if outcome is not None:
                raise outcome
        await asyncio.gather(*[self._hand_over(child) for child in successors])

    async def stop(self) -> None:
        """Stop all in reverse order of start; each has its own grace."""
        for name in reversed(list(self._specs)):
            await self._stop_one(name)
        await asyncio.gather(*(child.stop() for child in self._leaving))
        self._specs.clear()

    async def end(self, name: str) -> None:
        """Stop one child for good; nothing happens where there is none of that name."""
        await self._stop_one(name)
        self._specs.pop(name, None)

    def signal_child(self, name: str, number: signal.Signals) -> None:
        """Send a signal to one child's process: SIGHUP to reload, or SIGKILL to see it come back."""
        with contextlib.suppress(ProcessLookupError, KeyError):
            os.kill(self._children[name].pid, number)

    def _adopt(self, spec: ChildSpec, child: Child) -> None:
        self._specs[spec.name] = spec
        self._children[spec.name] = child
        self._watchers[spec.name] = asyncio.create_task(self._watch(spec, child), name=f"watch {spec.name}")

    async def _hand_over(self, successor: Child) -> None:
        name = successor.spec.name
        watcher, predecessor = self._watchers.pop(name), self._children.pop(name, None)
        self._adopt(successor.spec, successor)
        if predecessor is not None:
            self._leaving.add(predecessor)
        watcher.cancel()
        await asyncio.wait([watcher])
        if predecessor is not None:
            await predecessor.stop()
            self._leaving.discard(predecessor)

    async def _stop_one(self, name: str) -> None:
        watcher = self._watchers.pop(name, None)
        if watcher is not None:
            watcher.cancel()
            await asyncio.wait([watcher])
        child = self._children.pop(name, None)
        if child is not None:
            await child.stop()

    async def _watch(self, spec: ChildSpec, child: Child) -> None:
        backoff = FIRST_BACKOFF_SECONDS
        clock = asyncio.get_running_loop().time
        while True:
            started = clock()
            code = await child.wait()
            self._children.pop(spec.name, None)
            # Its workers or backends, if any, must be gone before a successor takes the port and the data.
            await child.stop()
            if clock() - started > HEALTHY_AFTER_SECONDS:
                backoff = FIRST_BACKOFF_SECONDS
            self._report_news(spec.name, f"{_ending(code)}; starting again in {backoff:g} s")
            while True:
                await asyncio.sleep(backoff)
                backoff = min(backoff * 2, LONGEST_BACKOFF_SECONDS)
                try:
                    child = await Child.start(spec, self._sink(spec.name))
                except ChildError as error:
                    self._report_news(spec.name, f"{error}; trying again in {backoff:g} s")
                else:
                    break
            self._children[spec.name] = child
            self._report_news(spec.name, f"is back (pid {child.pid})")

    def _sink(self, name: str) -> Callable[[str], None]:
        return lambda line: self._report_line(name, line)


def _ending(code: int) -> str:
    if code >= 0:
        return f"ended with code {code}"
    return f"was killed by {signal.Signals(-code).name}"
