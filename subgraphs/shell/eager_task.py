"""A coroutine as a task of its own that begins at once. Used by `query_execution` for what resolvers return.

asyncio's tasks wait for the loop's next turn before they begin and after they end. Most resolvers wait once, for a loader, and
many not at all; those turns cost more than the resolvers. Python 3.12 has tasks that begin eagerly, 3.11 has not, and theirs
still end by a turn of the loop. This is the third-party task of asyncio's "Extending" chapter: it is the current task while its
coroutine runs, has a context of its own, and can be cancelled, so `asyncio.timeout`, task groups and tracing find what they need.
"""

import asyncio
from asyncio.tasks import _enter_task, _leave_task
from collections import deque
from collections.abc import Coroutine
from contextvars import Context, copy_context
from types import CoroutineType
from typing import Any, Protocol, TypeAlias

Awaited: TypeAlias = "Coroutine[Any, Any, Any] | asyncio.Future[Any]"


class Receiver(Protocol):
    """Is told what became of tasks that were waited for, each by the `place` that it was made with."""

    def returned_late(self, place: Any, value: Any, /) -> None:
        """The awaitable gave this."""

    def failed_late(self, place: Any, error: Exception, /) -> None:
        """The awaitable raised this."""


class EagerTasks:
    """The tasks of one piece of work, all run by one asyncio task: whoever calls `start` and awaits `finish`."""

    __slots__ = ("_host", "_is_cancelled", "_loop", "_reads", "_ready", "_running", "_wake")

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._host = asyncio.current_task()
        self._ready: deque[EagerTask | EagerValues] = deque()
        self._running: set[EagerTask | EagerValues] = set()
        self._reads: dict[int, EagerValues] = {}  # by identity of the read, which each keeps alive
        self._wake: asyncio.Future[None] | None = None
        self._is_cancelled = False

    def start(self, task: "EagerTask") -> Any:
        """Runs it until it waits for something, which gives WAITING; if it ends before that, what it gives. Raises what it raises."""
        value = task.step(self._loop, self._host)
        if value is WAITING:
            self._running.add(task)
        return value

    def await_value(self, read: object, future: "asyncio.Future[Any]", receiver: Receiver, place: Any) -> None:
        """As a task that waits for the future and gives what it gives, which is not there yet. `read` is the same for futures that
        come to their end together.
        """
        values = self._reads.get(id(read))
        if values is None:
            values = self._reads[id(read)] = EagerValues(self, read)
            self._running.add(values)
        values.add(future, receiver, place)

    async def finish(self) -> None:
        """Returns when all tasks have ended, those too that are started meanwhile.

        Cancelled itself, it cancels them, waits for their end, and raises CancelledError; a task's own CancelledError, which
        nobody asked for, and what is no Exception end the rest in the same way and are raised.
        """
        try:
            while self._running:
                await self._turn()
        except BaseException:
            await self.cancel()
            raise

    async def cancel(self) -> None:
        """Cancels all tasks and returns when they have ended. What they give is told to nobody."""
        self._is_cancelled = True
        self._cancel_running()
        while self._running:
            try:
                await self._turn()
            except asyncio.CancelledError:  # the host's, once more
                self._cancel_running()

    def _cancel_running(self) -> None:
        for task in tuple(self._running):
            task.cancel()

    async def _turn(self) -> None:
        if not self._ready:
            self._wake = self._loop.create_future()
            await self._wake
        while self._ready:
            ready = self._ready.popleft()
            if type(ready) is EagerTask:
                self._step(ready)
            elif type(ready) is EagerValues:
                self._hand_on(ready)

    def wake(self, waiting: "EagerTask | EagerValues") -> None:
        """What it waited for is there."""
        self._ready.append(waiting)
        if self._wake is not None and not self._wake.done():
            self._wake.set_result(None)

    def _step(self, task: "EagerTask") -> None:
        try:
            value = task.step(self._loop, self._host)
        except Exception as error:
            self._running.discard(task)
            if not self._is_cancelled:
                task.receiver.failed_late(task.place, error)
        except BaseException as error:
            self._running.discard(task)
            if not self._is_cancelled or not isinstance(error, asyncio.CancelledError):
                raise
        else:
            if value is not WAITING:
                self._running.discard(task)
                if not self._is_cancelled:
                    task.receiver.returned_late(task.place, value)

    def _hand_on(self, values: "EagerValues") -> None:
        coming = values.taken()
        while coming:
            future, receiver, place = coming.popleft()
            if not future.done():  # of a read in several parts
                values.add(future, receiver, place)
                continue
            try:
                value = future.result()
            except Exception as error:
                if not self._is_cancelled:
                    receiver.failed_late(place, error)
            except BaseException:
                if not self._is_cancelled:
                    for each in coming:
                        values.add(*each)
                    raise
            else:
                if not self._is_cancelled:
                    receiver.returned_late(place, value)
        if values.is_empty:
            self._running.discard(values)
            del self._reads[id(values.read)]


#: What `EagerTask.step` gives while the coroutine waits for something.
WAITING = object()


class EagerTask:
    """One awaitable, whose value or error belongs to a place that its receiver knows."""

    __slots__ = (
        "__weakref__",
        "_cancels",
        "_context",
        "_coroutine",
        "_fut_waiter",
        "_must_cancel",
        "_tasks",
        "place",
        "receiver",
    )

    def __init__(self, tasks: EagerTasks, awaited: Awaited, receiver: Receiver, place: Any) -> None:
        """The two names that are asyncio's own are those that anyio asks its tasks for."""
        self._tasks = tasks
        self.receiver = receiver
        self.place = place
        self._cancels = 0
        self._must_cancel = False
        self._context: Context | None = None
        if type(awaited) is CoroutineType or not asyncio.isfuture(awaited):
            self._coroutine: Any = awaited
            self._fut_waiter: asyncio.Future[Any] | None = None
        else:
            self._coroutine = None
            self._fut_waiter = awaited

    def step(self, loop: asyncio.AbstractEventLoop, host: "asyncio.Task[Any] | None") -> Any:
        """What the awaitable gives, or WAITING. Raises what it raises. `host` is the current task, in whose turn this runs."""
        if self._coroutine is None:
            return self._step_future()
        self._fut_waiter = None
        if self._context is None:
            self._context = copy_context()
        _leave_task(loop, host)  # type: ignore[arg-type]
        _enter_task(loop, self)  # type: ignore[arg-type]
        try:
            if self._must_cancel:
                self._must_cancel = False
                waited_for = self._context.run(self._coroutine.throw, asyncio.CancelledError())
            else:
                waited_for = self._context.run(self._coroutine.send, None)
        except StopIteration as stop:
            return stop.value
        finally:
            _leave_task(loop, self)  # type: ignore[arg-type]
            _enter_task(loop, host)  # type: ignore[arg-type]
        self._wait(loop, waited_for)
        return WAITING

    def _step_future(self) -> Any:
        future = self._fut_waiter
        assert future is not None
        if future.done():
            return future.result()
        future.add_done_callback(self._wake)
        return WAITING

    def _wait(self, loop: asyncio.AbstractEventLoop, waited_for: Any) -> None:
        """`waited_for` is what the coroutine yielded: a future that it awaits, or None to be called again in the next turn."""
        if waited_for is None:
            loop.call_soon(self._wake, None)
            return
        if getattr(waited_for, "_asyncio_future_blocking", None) is not True:
            raise RuntimeError(f"A resolver waits for something that is not asyncio's: {waited_for!r}.")
        waited_for._asyncio_future_blocking = False  # noqa: SLF001 - asyncio's protocol between futures and tasks
        waited_for.add_done_callback(self._wake, context=self._context)
        self._fut_waiter = waited_for
        if self._must_cancel and waited_for.cancel():
            self._must_cancel = False

    def _wake(self, _future: Any) -> None:
        self._tasks.wake(self)

    def cancel(self, msg: Any = None) -> bool:
        """As of asyncio's Task: CancelledError is raised in the coroutine where it waits."""
        self._cancels += 1
        if self._fut_waiter is None or not self._fut_waiter.cancel(msg=msg):
            self._must_cancel = True
        return True

    def cancelling(self) -> int:
        return self._cancels

    def uncancel(self) -> int:
        self._cancels = max(0, self._cancels - 1)
        return self._cancels

    def get_coro(self) -> Any:
        return self._coroutine

    def get_loop(self) -> asyncio.AbstractEventLoop:
        return asyncio.get_running_loop()

    def done(self) -> bool:
        """False: nobody meets a task of this kind but while it runs."""
        return False


class EagerValues:
    """Values of one read of a loader, each for a place of its own. They come together: one of them is waited for, and all are handed on."""

    __slots__ = ("_coming", "_tasks", "read")

    def __init__(self, tasks: EagerTasks, read: object) -> None:
        self._tasks = tasks
        self.read = read
        self._coming: deque[tuple[asyncio.Future[Any], Receiver, Any]] = deque()

    @property
    def is_empty(self) -> bool:
        return not self._coming

    def add(self, future: "asyncio.Future[Any]", receiver: Receiver, place: Any) -> None:
        if not self._coming:
            future.add_done_callback(self._wake)
        self._coming.append((future, receiver, place))

    def taken(self) -> deque[tuple["asyncio.Future[Any]", Receiver, Any]]:
        coming, self._coming = self._coming, deque()
        return coming

    def _wake(self, _future: Any) -> None:
        self._tasks.wake(self)

    def cancel(self, msg: Any = None) -> bool:
        """As of a task that waits for each of them."""
        for future, _, _ in self._coming:
            future.cancel(msg=msg)
        return True
