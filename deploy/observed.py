"""A subgraph's application with the process's own metrics beside it. `serve` puts it around what it serves."""

from __future__ import annotations

import asyncio
import contextlib

from prometheus_client import REGISTRY
from starlette.types import ASGIApp, Receive, Scope, Send

from router.process_metrics import add_process_metrics, watch_event_loop


class Observed:
    """Watches the event loop for as long as the application's lifespan lasts; requests go straight through."""

    def __init__(self, application: ASGIApp) -> None:
        self._application = application
        self._lag = add_process_metrics(REGISTRY)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "lifespan":
            await self._application(scope, receive, send)
            return
        watching = asyncio.create_task(watch_event_loop(self._lag), name="event loop lag")
        try:
            await self._application(scope, receive, send)
        finally:
            watching.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await watching
