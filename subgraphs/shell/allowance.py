"""What one operation may use of a subgraph: so many objects, so long an answer, so much time, and only while its asker waits.

`query_execution` and `lean_executor` count objects while they run; `graphql_http` runs operations inside `Stoppable` and bounds their answers.
"""

import asyncio
import time
from collections.abc import Coroutine
from typing import Any, TypeVar

from starlette.types import Receive

from loaders.dataloader import running_batches
from subgraphs.shell.errors import SubgraphError

#: Of one answer. The largest shipped operation has some 500; a page of 100 meals with foods and portions has some 8,000.
MOST_OBJECTS = 10_000
LARGEST_ANSWER_BYTES = 8 * 1024 * 1024
#: For queries. The router gives up after fifteen and lets go of its connection, which ends the work sooner.
LONGEST_SECONDS = 30.0
#: Most operations are answered before anybody need look whether their asker is still there.
WATCH_AFTER_SECONDS = 0.02

_Result = TypeVar("_Result")


class AnswerTooLargeError(SubgraphError):
    """The answer would have more objects, or bytes, than one answer may have."""

    code = "ANSWER_TOO_LARGE"

    @classmethod
    def of_objects(cls) -> "AnswerTooLargeError":
        return cls(f"An answer may have at most {MOST_OBJECTS:,} objects. Ask for fewer at a time.")

    @classmethod
    def of_bytes(cls) -> "AnswerTooLargeError":
        return cls(f"An answer may have at most {LARGEST_ANSWER_BYTES:,} bytes. Ask for less at a time.")


class TookTooLongError(SubgraphError):
    """The operation was stopped after `LONGEST_SECONDS`, and what it asked of the database with it."""

    code = "TOOK_TOO_LONG"

    def __init__(self) -> None:
        super().__init__(f"There was no answer within {LONGEST_SECONDS:g} seconds. Ask for less at a time.")


class DeadlineExceededError(SubgraphError):
    """The time that the asker gave is over, and the work that was under way for it was stopped, in the database too."""

    code = "DEADLINE_EXCEEDED"

    def __init__(self, seconds: float) -> None:
        super().__init__(
            f"There was no answer within the {seconds:g} seconds that were left for it. Ask for less at a time."
        )


class AskerLeftError(Exception):
    """Nobody waits for the answer any more."""


class Stoppable:
    """One operation that can be stopped from outside and from within, together with the reads of its loaders.

    A mutation is not stopped by its asker's leaving or by time: half of several changes is worse than an unread answer,
    and each of its statements has a time limit of its own. It does not begin where the asker's time is over already.
    """

    def __init__(self, receive: Receive | None, *, is_query: bool, seconds: float | None = None) -> None:
        """`seconds` is how long the asker waits, where it said so. Without `receive` somebody else sees whether it leaves."""
        self._receive = receive
        self.is_query = is_query
        self._seconds = seconds
        self._began_at = time.monotonic()
        self._reason: Exception | None = None
        self._task: asyncio.Task[Any] | None = None
        self._cancels = 0  # of the task, by `stop`
        self._watching: asyncio.Task[None] | None = None
        self._limit: asyncio.TimerHandle | None = None
        self._batches: set[asyncio.Task[Any]] = set()

    def is_over(self) -> bool:
        """Whether the asker's time has passed."""
        return self._seconds is not None and time.monotonic() - self._began_at >= self._seconds

    def refuse(self, reason: Exception) -> None:
        """What the work gives is not wanted; it comes to its end by itself. The first reason is the one that is raised."""
        if self._reason is None:
            self._reason = reason

    def stop(self, reason: Exception) -> None:
        """End the work where it stands, and what it asked of the database."""
        self.refuse(reason)
        if self._task is not None:
            self._cancels += 1
            self._task.cancel()
        self.end_reads()

    def end_reads(self) -> None:
        for batch in self._batches:
            batch.cancel()

    async def run(self, work: Coroutine[Any, Any, _Result]) -> _Result:
        """What the work gives. Raises what `refuse` or `stop` was told, and DeadlineExceededError without beginning it.

        The work is done in the task that calls this: one of its own would cost more than a small answer.
        """
        if self._seconds == 0:
            work.close()
            raise DeadlineExceededError(0)
        running_batches.set(self._batches)
        self._task = task = asyncio.current_task()
        assert task is not None, "a request is answered in a task"
        cancelled_before = task.cancelling()
        timer = self._first_look() if self.is_query else None
        try:
            result = await work
        except asyncio.CancelledError:
            others = self._taken_back(task) - cancelled_before  # the server, which stops, or whoever runs us
            if self._reason is None or others:
                raise
            raise self._reason from None
        finally:
            self._taken_back(task)
            self._task = None
            if timer is not None:
                timer.cancel()
            if self._limit is not None:
                self._limit.cancel()
            if self._watching is not None:
                self._watching.cancel()
        if self._reason is not None:
            raise self._reason
        return result

    def _taken_back(self, task: "asyncio.Task[Any]") -> int:
        """How many others have asked for the task's end; what `stop` asked for is over and done with."""
        while self._cancels:
            self._cancels -= 1
            task.uncancel()
        return task.cancelling()

    def _first_look(self) -> asyncio.TimerHandle:
        """One timer for what most operations come to the end of before anything has to be watched."""
        loop = asyncio.get_running_loop()
        if self._seconds is not None and self._seconds <= WATCH_AFTER_SECONDS:
            return loop.call_later(self._seconds, self.stop, DeadlineExceededError(self._seconds))
        return loop.call_later(WATCH_AFTER_SECONDS, self._watch, loop)

    def _watch(self, loop: asyncio.AbstractEventLoop) -> None:
        if self._receive is not None:
            self._watching = asyncio.ensure_future(self._wait_until_gone(self._receive))
        reason: SubgraphError
        if self._seconds is not None and self._seconds < LONGEST_SECONDS:
            seconds, reason = self._seconds, DeadlineExceededError(self._seconds)
        else:
            seconds, reason = LONGEST_SECONDS, TookTooLongError()
        self._limit = loop.call_later(self._began_at + seconds - time.monotonic(), self.stop, reason)

    async def _wait_until_gone(self, receive: Receive) -> None:
        while (await receive())["type"] != "http.disconnect":
            pass
        self.stop(AskerLeftError())


def too_many_objects(context: Any) -> AnswerTooLargeError:
    """The error to raise from now on for each object of the request, so that what was begun comes to its end soon.

    Nothing of it is answered: the operation of the context, where it runs inside a `Stoppable`, is refused.
    """
    error = AnswerTooLargeError.of_objects()
    stoppable = getattr(context, "stoppable", None)
    if stoppable is not None:
        stoppable.refuse(error)
    return error
