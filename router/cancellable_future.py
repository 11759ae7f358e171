"""A future that tells at once when whoever waits for it has left.

`single_flight` gives one to each who waits, `transport.pending_answer` one for each request to a subgraph.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any, TypeVar

ValueT = TypeVar("ValueT")

#: Of all futures; to call them by `super` costs as much as what they do.
_begin = asyncio.Future.__init__
_cancel = asyncio.Future.cancel


class CancellableFuture(asyncio.Future[ValueT]):
    """Calls `on_cancel` when it is cancelled, once: by an override, as a done callback would cost every wait a turn of the loop. It is of
    the loop that runs.
    """

    __slots__ = ("on_cancel",)

    def __init__(self, on_cancel: Callable[[], object] | None = None) -> None:
        _begin(self)
        self.on_cancel = on_cancel

    def cancel(self, msg: Any = None) -> bool:
        was_cancelled = _cancel(self, msg)
        on_cancel, self.on_cancel = self.on_cancel, None
        if was_cancelled and on_cancel is not None:
            on_cancel()
        return was_cancelled
