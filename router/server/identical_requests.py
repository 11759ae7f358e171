"""Equal queries of equal callers that are under way at the same time run once. `FrontDoor` asks here before it runs one.

Nothing is kept: whoever asks after an answer was given starts a new run. See decision 0050.
"""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Hashable
from typing import Generic, TypeVar

from router.single_flight import Flight, SingleFlight

ResponseT = TypeVar("ResponseT")

#: A run waited for subgraphs, and not for this process, where it took longer than so much for each who gets its answer: more than
#: it takes to write one of 90 kB. Then the next run should not wait until all those are written.
ANSWERING_SECONDS = 0.0002
#: So many get it in one turn of the loop then; between turns new requests are read.
AT_ONCE = 4


class IdenticalRequests(Generic[ResponseT]):
    """Keys are equal where everything is equal that a response may depend on."""

    def __init__(self) -> None:
        self._flights: SingleFlight[Hashable, ResponseT | None] = SingleFlight()

    async def respond(self, key: Hashable, run: Callable[[], Awaitable[ResponseT]]) -> ResponseT:
        """What `run` gives, or gave to the asker whose run is under way. Raises what the asker's own `run` raises."""
        while (flight := self._flights.get(key)) is not None:
            shared = await flight.join()
            if shared is not None:
                return shared
            # whoever ran it was cut off: the first to wake up runs it, the others wait again
        # run in the asker's own task, which is the cheapest: most requests have no equal under way
        flight = self._flights[key] = Flight()
        response: ResponseT | None = None
        began = time.monotonic()
        try:
            response = await run()
            return response
        finally:
            self._flights.end(key, flight)
            if flight.waiting > AT_ONCE and time.monotonic() - began > flight.waiting * ANSWERING_SECONDS:
                flight.succeed_in_turns(response, AT_ONCE)
            else:
                flight.succeed(response)

    def forget(self) -> None:
        """After a write: who asks from now on must not get a response that was begun before it."""
        self._flights.clear()
