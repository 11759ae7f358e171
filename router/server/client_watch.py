"""Notices that a client leaves while a request of ASGI is worked at. Of one that arrived whole the connection tells (`whole_request`).

`graphql_http` runs operations in a `ClientWatch`.
"""

from __future__ import annotations

import asyncio
from typing import Self

from router.server.request import Receive, until_disconnected

#: A request that takes longer is worth a task that waits for its client to go away.
WATCH_AFTER_SECONDS = 0.2


class ClientWatch:
    """Cancels the request of a client that went away, so that nobody works for nobody."""

    def __init__(self, receive: Receive, *, may_cancel: bool) -> None:
        self._receive = receive
        self._may_cancel = may_cancel
        self._timer: asyncio.TimerHandle | None = None
        self._task: asyncio.Task[None] | None = None
        self.is_gone = False

    def __enter__(self) -> Self:
        if self._may_cancel:
            request = asyncio.current_task()
            assert request is not None
            self._timer = asyncio.get_running_loop().call_later(WATCH_AFTER_SECONDS, self._start, request)
        return self

    def __exit__(self, kind: object, *_: object) -> bool:
        if self._timer is not None:
            self._timer.cancel()
        if self._task is not None:
            self._task.cancel()
        if not self.is_gone or kind is not asyncio.CancelledError:
            return False
        request = asyncio.current_task()
        assert request is not None
        request.uncancel()
        return True

    def _start(self, request: asyncio.Task[None]) -> None:
        self._task = asyncio.ensure_future(self._wait(request))

    async def _wait(self, request: asyncio.Task[None]) -> None:
        await until_disconnected(self._receive)
        self.is_gone = True
        request.cancel()
