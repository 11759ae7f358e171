"""What many want at the same moment is done a few at a time, so that the event loop reads other requests in between.

The loop runs everything that is ready before it looks at its sockets again. A thousand subscriptions that begin, are told
something or end at once would be one such piece of work: `server.websocket`, `server.single_connection` and `transport.shared_streams` take
turns.
"""

from __future__ import annotations

import asyncio
from collections import deque


class Turns:
    """Gives out `at_once` places in each turn of the loop, to whoever asked first.

    A place is for what runs until the next `await`; nobody gives one back.
    """

    def __init__(self, at_once: int) -> None:
        self._at_once = at_once
        self._left = at_once
        self._is_renewing = False
        self._waiting: deque[asyncio.Future[None]] = deque()

    async def next(self) -> None:
        """Returns when there is a place: at once while few ask. Whoever is cancelled meanwhile takes no place."""
        if not self._is_renewing:
            self._is_renewing = True
            asyncio.get_running_loop().call_soon(self._renew)
        if self._left and not self._waiting:
            self._left -= 1
            return
        place: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append(place)
        await place

    def _renew(self) -> None:
        """Called by the loop, once in each turn while there is somebody to be let in or a place was taken."""
        self._left = self._at_once
        while self._left and self._waiting:
            place = self._waiting.popleft()
            if not place.done():
                self._left -= 1
                place.set_result(None)
        self._is_renewing = self._left < self._at_once
        if self._is_renewing:
            asyncio.get_running_loop().call_soon(self._renew)
