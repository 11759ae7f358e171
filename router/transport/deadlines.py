"""How long the answer of a request to a subgraph is waited for, told to the subgraph in a header of the request.

`server.front_door` says when an operation ends, `server.app` puts `Deadlines` between the shared requests and the monitor.
"""

from __future__ import annotations

import asyncio
import math
from collections.abc import Callable
from contextvars import ContextVar

from router.transport.protocol import DEADLINE_MS, SubgraphAnswer, SubgraphRequest, SubgraphTransport

#: What the answer needs for its way back, so that a subgraph's own word of its giving up comes before ours.
WAY_BACK_SECONDS = 0.1

#: Seconds of the event loop's clock; infinite for what has no end of its own, as a subscription's events.
_operation_ends_at: ContextVar[float] = ContextVar("operation_ends_at", default=math.inf)


class ending_at:  # noqa: N801 - every request enters one: contextlib's generators take four calls more
    """What is sent to subgraphs within is of no use after `instant`, by the event loop's clock."""

    __slots__ = ("_instant", "_token")

    def __init__(self, instant: float) -> None:
        self._instant = instant

    def __enter__(self) -> None:
        self._token = _operation_ends_at.set(self._instant)

    def __exit__(self, *_: object) -> None:
        _operation_ends_at.reset(self._token)


def operation_ends_at() -> float:
    """When whoever sends now stops waiting for everything, by the event loop's clock; infinite where never."""
    return _operation_ends_at.get()


class Deadlines:
    """A `SubgraphTransport` around another. `seconds_of` gives the time for one attempt at a subgraph by its name, or None
    where the subgraph is told nothing.
    """

    def __init__(self, transport: SubgraphTransport, seconds_of: Callable[[str], float | None]) -> None:
        self._transport = transport
        self._seconds_of = seconds_of
        #: by subgraph: the time for one attempt, and the header that tells of all of it, which is the usual one
        self._times: dict[str, tuple[float, tuple[str, str]] | None] = {}

    def send(self, request: SubgraphRequest) -> asyncio.Future[SubgraphAnswer]:
        subgraph = request.subgraph
        time = self._times[subgraph] if subgraph in self._times else self._look_up(subgraph)
        if time is not None:
            seconds, header = time
            left = _operation_ends_at.get() - asyncio.get_running_loop().time()
            if left < seconds:
                header = (DEADLINE_MS, milliseconds_to_tell(left))
            request = request.with_headers((*request.headers, header))
        return self._transport.send(request)

    def _look_up(self, subgraph: str) -> tuple[float, tuple[str, str]] | None:
        seconds = self._seconds_of(subgraph)
        time = (seconds, (DEADLINE_MS, milliseconds_to_tell(seconds))) if seconds is not None else None
        self._times[subgraph] = time
        return time


def milliseconds_to_tell(seconds: float) -> str:
    """Of what is left, less the way back; the way back is a tenth at most."""
    return str(max(0, int((seconds - min(WAY_BACK_SECONDS, seconds / 10)) * 1000)))
