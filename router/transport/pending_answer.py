"""An answer of a subgraph that is on its way: who is told when it lands, and who of it when nobody waits for it any more.

Every transport gives a future. Who wants to know that it has landed asks `when_landed`, and is told in the call that reads the
answer where the future is a CancellableAnswer.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextvars import Context, copy_context
from dataclasses import replace
from typing import Any

from router.cancellable_future import CancellableFuture
from router.errors import SubgraphError
from router.transport.protocol import SubgraphAnswer, SubgraphRequest

#: Is told of an answer that has come, has failed or was cancelled.
Landed = Callable[[asyncio.Future[SubgraphAnswer]], None]

_set_result = asyncio.Future.set_result
_set_exception = asyncio.Future.set_exception


class CancellableAnswer(CancellableFuture[SubgraphAnswer]):
    """An answer that tells when nobody waits for it any more: a client left, or ran out of time; and, at once, when it has
    landed (`when_landed`).

    Overrides and not done callbacks, which would cost every request a turn of the loop for each layer. An answer that is
    there forgets whom it would have told: they know the answer and the request's body, and such a circle would keep both
    until the collector, which runs seldom, comes to them.
    """

    __slots__ = ("asked", "when_landed")

    def __init__(self) -> None:
        super().__init__()
        self.asked: tuple[str, ...] = ()  # the addresses of the instances that were asked, where there are several
        self.when_landed: tuple[tuple[Landed, Context], ...] = ()

    def cancel(self, msg: Any = None) -> bool:
        was_cancelled = super().cancel(msg)
        if was_cancelled:
            self._tell()
        return was_cancelled

    def set_result(self, result: SubgraphAnswer) -> None:
        self.on_cancel = None
        _set_result(self, result)
        self._tell()

    def set_exception(self, exception: type | BaseException) -> None:
        self.on_cancel = None
        _set_exception(self, exception)
        self._tell()

    def _tell(self) -> None:
        told, self.when_landed = self.when_landed, ()
        for tell, context in told:
            try:
                context.run(tell, self)
            except Exception as error:  # as of a done callback: the others are told all the same
                told_of = {"message": "One who was told of an answer failed.", "exception": error, "future": self}
                self.get_loop().call_exception_handler(told_of)


def when_landed(answer: asyncio.Future[SubgraphAnswer], tell: Landed) -> None:
    """Has `tell` called when the answer has landed: as soon as it has, where it is a CancellableAnswer that has not yet, and
    otherwise in a later turn of the loop. Who is told first, and in the order in which they asked for it, are these; then
    who awaits the answer goes on. Like a done callback, `tell` runs in the context of whoever asks for it now: an answer is
    read in that of the request which opened the connection.
    """
    if isinstance(answer, CancellableAnswer) and not answer.done():
        answer.when_landed = (*answer.when_landed, (tell, copy_context()))
    else:
        answer.add_done_callback(tell)


def failed(error: SubgraphError) -> asyncio.Future[SubgraphAnswer]:
    """The answer of a request that was not even sent."""
    answer: asyncio.Future[SubgraphAnswer] = asyncio.get_running_loop().create_future()
    answer.set_exception(error)
    return answer


def again(request: SubgraphRequest, failure: asyncio.Future[SubgraphAnswer]) -> SubgraphRequest:
    """The same query for its next attempt, which is to go to another instance where there is one."""
    asked = failure.asked if isinstance(failure, CancellableAnswer) else ()
    return replace(request, avoided=(*request.avoided, *asked)) if asked else request


def look_at_error(answer: asyncio.Future[SubgraphAnswer]) -> None:
    """Of an answer that may have been given up: asyncio logs an error that nobody looks at."""
    if not answer.cancelled():
        answer.exception()
