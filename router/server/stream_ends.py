"""What happens to a stream while it waits for its next payload: its client leaves, its token ends, the server stops, or nothing comes
for so long that a sign of life is due. `event_stream` sends within both.

Neither costs a payload anything: a task or a wait for each would cost more than to write it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from types import TracebackType
from typing import ClassVar, Self

from router.access.authentication import UnauthenticatedError, session_ended
from router.access.caller import Refusal
from router.errors import RequestError
from router.server.request import Receive, until_disconnected


class StreamInterruptedError(RequestError):
    """The server leaves before the stream is over: the same subscription can be begun anew elsewhere, or in a moment."""

    code: ClassVar[str] = "STREAM_INTERRUPTED"
    status: ClassVar[int] = 503


class StreamEnds:
    """`async with` a block that is cut off as `asyncio.timeout` cuts one off.

    It is over, with nothing raised, when the client leaves. It raises UnauthenticatedError when the caller's token expires, in
    `seconds_left`, or its session is over (`ending`), and StreamInterruptedError at `closing`.
    """

    def __init__(
        self,
        receive: Receive,
        closing: asyncio.Event | None,
        seconds_left: float | None,
        ending: asyncio.Future[None] | None,
    ) -> None:
        self._receive = receive
        self._closing = closing
        self._seconds_left = seconds_left
        self._ending = ending
        self._watching: list[asyncio.Task[None]] = []
        self._timer: asyncio.TimerHandle | None = None
        self._is_cut_off = False
        self._error: RequestError | None = None

    async def __aenter__(self) -> Self:
        task = asyncio.current_task()
        assert task is not None
        self._task = task
        self._cancelling = task.cancelling()
        self._watching.append(asyncio.ensure_future(self._watch_client()))
        if self._closing is not None:
            self._watching.append(asyncio.ensure_future(self._watch_server(self._closing)))
        if self._seconds_left is not None:
            expired = UnauthenticatedError("The token has expired.", Refusal.EXPIRED)
            self._timer = asyncio.get_running_loop().call_later(max(self._seconds_left, 0), self._cut_off, expired)
        if self._ending is not None:
            self._ending.add_done_callback(self._end_with_session)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> bool:
        for each in self._watching:
            each.cancel()
        if self._timer is not None:
            self._timer.cancel()
        if self._ending is not None:
            self._ending.remove_done_callback(self._end_with_session)
        if not self._is_cut_off or self._task.uncancel() > self._cancelling or kind is not asyncio.CancelledError:
            return False  # it ended by itself, or somebody else cancels the whole request
        if self._error is not None:
            raise self._error from None
        return True

    def _cut_off(self, error: RequestError | None) -> None:
        if not self._is_cut_off:
            self._is_cut_off, self._error = True, error
            self._task.cancel()

    def _end_with_session(self, _: asyncio.Future[None]) -> None:
        self._cut_off(session_ended())

    async def _watch_client(self) -> None:
        with suppress(Exception):  # what a connection raises that is no more
            await until_disconnected(self._receive)
        self._cut_off(None)

    async def _watch_server(self, closing: asyncio.Event) -> None:
        await closing.wait()
        self._cut_off(StreamInterruptedError("The server is stopping; subscribe again."))


class Heartbeats:
    """`async with` a block in which `beat` is called whenever nothing was written for `seconds`, as `note_writing` tells."""

    def __init__(self, seconds: float, beat: Callable[[], Awaitable[None]]) -> None:
        self._seconds = seconds
        self._beat = beat
        self._now = asyncio.get_running_loop().time
        self._written_at = self._now()

    async def __aenter__(self) -> Self:
        self._beating = asyncio.ensure_future(self._keep_beating())
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._beating.cancel()
        await asyncio.wait([self._beating])

    def note_writing(self) -> None:
        self._written_at = self._now()

    async def _keep_beating(self) -> None:
        with suppress(OSError):  # as ASGI says it of a client that has gone, of which the request hears too
            while True:
                left = self._written_at + self._seconds - self._now()
                if left > 0:
                    await asyncio.sleep(left)
                else:
                    self.note_writing()
                    await self._beat()
