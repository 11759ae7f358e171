"""Live subscribers of a campaign, over WebSocket and server-sent events: what each was told last of every day."""

from __future__ import annotations

import asyncio
import itertools
import random
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager, suppress
from typing import Any

import aiohttp
import orjson

from tests.testkit.running_stack import Visitor

LIVE = """subscription($since: DateTime) { dailySummaryChanged(since: $since) {
  date mealsLogged caloriesConsumed caloriesBurned waterMl weightKg revision freshness { asOf } } }"""
PAUSE_SECONDS = 0.3
#: Every kind of subscriber: whether it resumes, and over what.
KINDS_OF_WATCHERS = tuple(itertools.product((False, True), ("websocket", "event stream")))


class Watcher:
    """A subscriber that connects again whenever its stream ends, as GraphQL clients do.

    One that `resumes` says what it has heard last; the others trust that a new stream looks back. `away_seconds` is the
    longest that it waits before it connects again.
    """

    def __init__(
        self, visitor: Visitor, transport: str, *, resumes: bool, away_seconds: float = PAUSE_SECONDS, seed: int = 0
    ) -> None:
        self.visitor = visitor
        self.transport = transport
        self.resumes = resumes
        self._away_seconds = away_seconds
        self._random = random.Random(seed)
        self.newest: str | None = None
        self.last_by_date: dict[str, Any] = {}
        self.connections = 0
        self.received = 0

    async def watch(self) -> None:
        """Until cancelled."""
        while True:
            self.connections += 1
            with suppress(aiohttp.ClientError, OSError, ValueError, AssertionError, TypeError):
                async for answer in self._answers():
                    data = answer.get("data")
                    if data:
                        day = data["dailySummaryChanged"]
                        self.received += 1
                        self.last_by_date[day["date"]] = day
                        self.newest = day["freshness"]["asOf"]
                    if "errors" in answer:
                        break
            await asyncio.sleep(self._random.uniform(PAUSE_SECONDS, self._away_seconds))

    def __str__(self) -> str:
        return f"{self.transport}{' that resumes' if self.resumes else ''}"

    @property
    def _operation(self) -> dict[str, Any]:
        return {"query": LIVE, "variables": {"since": self.newest if self.resumes else None}}

    def _answers(self) -> AsyncIterator[Any]:
        return self._websocket() if self.transport == "websocket" else self._event_stream()

    async def _websocket(self) -> AsyncIterator[Any]:
        stack = self.visitor.stack
        url = stack.state.router_url.replace("http://", "ws://", 1)
        async with stack.session.ws_connect(url, protocols=("graphql-transport-ws",), heartbeat=20) as socket:
            payload = {"Authorization": f"Bearer {self.visitor.access_token}"}
            await socket.send_json({"type": "connection_init", "payload": payload})
            async for message in socket:
                data = message.json()
                if data["type"] == "connection_ack":
                    await socket.send_json({"type": "subscribe", "id": "1", "payload": self._operation})
                elif data["type"] == "ping":
                    await socket.send_json({"type": "pong"})
                elif data["type"] == "next":
                    yield data["payload"]
                elif data["type"] in ("error", "complete"):
                    return

    async def _event_stream(self) -> AsyncIterator[Any]:
        headers = {"accept": "text/event-stream", "authorization": f"Bearer {self.visitor.access_token}"}
        stack = self.visitor.stack
        no_limit = aiohttp.ClientTimeout(total=None, sock_read=60)
        async with stack.session.post(
            stack.state.router_url, json=self._operation, headers=headers, timeout=no_limit
        ) as response:
            async for line in response.content:
                if line.startswith(b"data:") and line[5:].strip():
                    yield orjson.loads(line[5:])


@asynccontextmanager
async def watching(watchers: Iterable[Watcher]) -> AsyncIterator[None]:
    """They watch until the block ends."""
    tasks = [asyncio.create_task(watcher.watch()) for watcher in watchers]
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
