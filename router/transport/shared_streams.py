"""Equal subscriptions share one stream from their subgraph, as long as it has told nothing yet (decision 0166).

`server.app` puts it around what opens streams; equal means what it means in `shared_requests`: same subgraph, same body,
same forwarded headers, the token among them.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable

from router.transport.protocol import Headers, SubgraphRequest, telling_apart
from router.transport.shared_event import TOLD_AT_ONCE, SharedEvent
from router.transport.subscription_source import Payload, SubscriptionSource
from router.transport.waiting_events import WaitingEvents
from router.turns import Turns

#: Events that may wait for one client while another of the same stream takes them.
MAX_WAITING = 256
_Key = tuple[str, str, bytes, Headers]


class SharedStreams:
    """A `SubscriptionSource` around another."""

    def __init__(self, source: SubscriptionSource) -> None:
        self._source = source
        self._untold: dict[_Key, _Stream] = {}
        self._turns = Turns(TOLD_AT_ONCE)

    async def open(self, request: SubgraphRequest) -> AsyncIterator[Payload]:
        """What the stream tells, from its first event: a `SharedEvent` where others are told of it too. Raises what it raises, and
        SubscriberTooSlowError.
        """
        key = (request.subgraph, request.url, request.body, telling_apart(request.headers))
        stream = self._untold.get(key)
        if stream is None:
            stream = self._untold[key] = _Stream(
                self._source.open(request), lambda: self._untold.pop(key, None), self._turns
            )
        seat = stream.join(request.subgraph)
        try:
            while (payload := await seat.next()) is not None:
                yield payload
        finally:
            await stream.leave(seat)


class _Stream:
    """One stream and those who listen. The next event is read when one of them has taken all that there was: whoever is
    alone slows the source as if the stream were its own.
    """

    def __init__(self, events: AsyncIterator[Payload], close_entry: Callable[[], object], turns: Turns) -> None:
        self._events = events
        self._close_entry = close_entry
        self._turns = turns
        self._seats: list[_Seat] = []
        self._is_wanted = asyncio.Event()
        self._reading = asyncio.create_task(self._read())

    def join(self, subgraph: str) -> _Seat:
        seat = _Seat(self._is_wanted, subgraph)
        self._seats.append(seat)
        return seat

    async def leave(self, seat: _Seat) -> None:
        self._seats.remove(seat)
        if not self._seats:
            self._close_entry()
            self._reading.cancel()
            await asyncio.wait([self._reading])

    async def _read(self) -> None:
        failure: Exception | None = None
        try:
            async for payload in self._events:
                self._close_entry()
                self._is_wanted.clear()  # before anybody is told: who is told first may want the next at once
                await self._tell(payload)
                await self._is_wanted.wait()
        except Exception as error:
            failure = error
        finally:
            self._close_entry()
            close = getattr(self._events, "aclose", None)
            if close is not None:
                await close()
        for seat in self._seats:
            seat.waiting.end(failure)

    async def _tell(self, payload: Payload) -> None:
        """To those who sit there: nobody joins once there is an event, and some may leave while others are told."""
        seats = tuple(self._seats)
        told = payload if len(seats) == 1 else SharedEvent(payload)
        for seat in seats:
            await self._turns.next()
            seat.waiting.take(told)


class _Seat:
    """A client of the stream, and the events that wait for it."""

    def __init__(self, is_wanted: asyncio.Event, subgraph: str) -> None:
        self._is_wanted = is_wanted
        self.waiting = WaitingEvents[Payload](subgraph, MAX_WAITING)

    async def next(self) -> Payload | None:
        """What waits comes first, then the failure, or None at the end."""
        if self.waiting.is_empty:
            self._is_wanted.set()
        return await self.waiting.next()
