"""An event that several clients of one stream are told: nobody changes it, and clients who ask for the same get one response body.

`shared_streams` makes it, `executor.subscribe` completes it.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Hashable
from copy import deepcopy
from typing import Any

from router.single_flight import SingleFlight

#: So many clients are told of an event in one turn of the loop, of all streams.
TOLD_AT_ONCE = 16


class SharedEvent(dict[str, Any]):
    """A payload, with the bodies that came of it by audience: clients of an equal audience get equal bodies."""

    __slots__ = ("_bodies", "_under_way")

    def __init__(self, payload: dict[str, Any]) -> None:
        super().__init__(payload)
        self._bodies: dict[Hashable, bytes] = {}
        self._under_way = SingleFlight[Hashable, bytes]()

    def to_complete(self) -> dict[str, Any]:
        """A payload for whoever changes it."""
        return deepcopy(dict(self))

    async def body(self, audience: Hashable, complete: Callable[[dict[str, Any]], Awaitable[bytes]]) -> bytes:
        """What `complete` makes of the payload, or made of it for the first of this audience. Raises what it raises."""
        known = self._bodies.get(audience)
        if known is not None:
            return known

        async def completed() -> bytes:
            body = self._bodies[audience] = await complete(self.to_complete())
            return body

        return await self._under_way.run(audience, completed, TOLD_AT_ONCE)
