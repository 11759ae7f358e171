"""Equal queries of equal callers that are under way at the same time run once. `FrontDoor` asks here before it runs one.

Nothing is kept: whoever asks after an answer was given starts a new run. See decision 0050.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Hashable
from typing import Generic, TypeVar

AnswerT = TypeVar("AnswerT")


class IdenticalRequests(Generic[AnswerT]):
    """Keys are equal where everything is equal that an answer may depend on."""

    def __init__(self) -> None:
        self._under_way: dict[Hashable, list[asyncio.Future[AnswerT | None]]] = {}

    async def answer(self, key: Hashable, run: Callable[[], Awaitable[AnswerT]]) -> AnswerT:
        """What `run` gives, or gave to the asker whose run is under way. Raises what the asker's own `run` raises."""
        while (waiting := self._under_way.get(key)) is not None:
            # A future of its own: an asker that goes away must not take the answer from the others.
            own: asyncio.Future[AnswerT | None] = asyncio.get_running_loop().create_future()
            waiting.append(own)
            shared = await own
            if shared is not None:
                return shared
            # whoever ran it was cut off: the first to wake up runs it, the others wait again
        waiting = self._under_way[key] = []
        answer: AnswerT | None = None
        try:
            answer = await run()
            return answer
        finally:
            if self._under_way.get(key) is waiting:
                del self._under_way[key]
            for own in waiting:
                if not own.done():
                    own.set_result(answer)

    def forget(self) -> None:
        """After a write: who asks from now on must not get an answer that was begun before it."""
        self._under_way.clear()
