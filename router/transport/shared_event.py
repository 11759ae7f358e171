"""An event that several clients of one stream are told: nobody changes it, and clients who ask for the same get one response body.

`shared_streams` makes it, `executor.subscribe` completes it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Hashable
from copy import deepcopy
from functools import partial
from typing import Any

from router.single_flight import Flight

#: So many clients are told of an event in one turn of the loop, of all streams.
TOLD_AT_ONCE = 16


class SharedEvent(dict[str, Any]):
    """A payload, with the bodies that came of it by audience: clients of an equal audience get equal bodies."""

    __slots__ = ("_bodies", "_under_way")

    def __init__(self, payload: dict[str, Any]) -> None:
        super().__init__(payload)
        self._bodies: dict[Hashable, bytes] = {}
        self._under_way: dict[Hashable, Flight[bytes]] = {}

    def to_complete(self) -> dict[str, Any]:
        """A payload for whoever changes it."""
        return deepcopy(dict(self))

    async def body(self, audience: Hashable, complete: Callable[[dict[str, Any]], Awaitable[bytes]]) -> bytes:
        """What `complete` makes of the payload, or made of it for the first of this audience. Raises what it raises."""
        known = self._bodies.get(audience)
        if known is not None:
            return known
        flight = self._under_way.get(audience)
        if flight is None:
            flight = self._under_way[audience] = Flight()
            # a task of its own: the first client may leave while others wait for the same
            completing = asyncio.ensure_future(complete(self.to_complete()))
            completing.add_done_callback(partial(self._land, audience, flight))
        return await flight.join()

    def _land(self, audience: Hashable, flight: Flight[bytes], completing: asyncio.Future[bytes]) -> None:
        del self._under_way[audience]
        if completing.cancelled():
            flight.cancel()
        elif (error := completing.exception()) is not None:
            flight.fail(error)
        else:
            body = self._bodies[audience] = completing.result()
            flight.succeed_in_turns(body, TOLD_AT_ONCE)
