"""One HTTP request to a subgraph on its way, and the answer that its asker waits for. `http_client` sends it and settles it."""

from __future__ import annotations

import asyncio
from typing import Any

from router.errors import SubgraphError
from router.transport.pending_answer import CancellableAnswer
from router.transport.protocol import SubgraphAnswer, SubgraphRequest

#: Of all futures; to call them by `super` costs as much as what they do.
_begin = asyncio.Future.__init__
_set_result = asyncio.Future.set_result


class HttpExchange(CancellableAnswer):
    """The bytes of a request and the answer to come, in one object. It is among those `under_way` until it has landed or was given up."""

    __slots__ = ("ends_at", "is_retried", "payload", "request", "socket", "under_way")

    def __init__(
        self, under_way: dict[HttpExchange, None], request: SubgraphRequest, payload: bytes, ends_at: float
    ) -> None:
        _begin(self)
        self.on_cancel = None
        self.asked = ()
        self.when_landed = ()
        self.under_way = under_way
        self.request = request
        self.payload = payload
        self.ends_at = ends_at  # by the loop's clock
        self.is_retried = False
        self.socket: asyncio.Transport | None = None  # while the answer is to come from it
        under_way[self] = None

    def cancel(self, msg: Any = None) -> bool:
        was_cancelled = super().cancel(msg)
        if was_cancelled:
            self.give_up()
        return was_cancelled

    def set_result(self, result: SubgraphAnswer) -> None:
        self.under_way.pop(self, None)
        _set_result(self, result)
        self._tell()

    def fail(self, error: SubgraphError) -> None:
        if not self.done():
            self.under_way.pop(self, None)
            self.set_exception(error)

    def give_up(self) -> None:
        """Its answer is of no use any more, and its connection with it."""
        self.under_way.pop(self, None)
        socket, self.socket = self.socket, None
        if socket is not None:
            socket.abort()
