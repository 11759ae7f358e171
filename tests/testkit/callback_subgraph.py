"""A subgraph that speaks the HTTP callback protocol for subscriptions, over a Strawberry schema: an ASGI application.

What a library would do for a real one: it checks the callback before it answers, then tells each event, the end, and every
heartbeat that it is there, each in a POST of its own; an answer other than 2xx ends the subscription.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import aiohttp
import strawberry
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from tests.testkit.strawberry_shop import serving

VERSION = {"subscription-protocol": "callback/1.0"}


@dataclass
class Asked:
    """One subscription as the router asked for it; `statuses` are the router's answers to what was told."""

    url: str
    id: str
    verifier: str
    heartbeat_seconds: float
    accept: str
    statuses: list[int] = field(default_factory=list)

    def message(self, action: str, **more: Any) -> dict[str, Any]:
        return {"kind": "subscription", "action": action, "id": self.id, "verifier": self.verifier, **more}

    async def post(self, message: dict[str, Any]) -> int:
        """On a connection of its own, as load balancers make of any."""
        async with (
            aiohttp.ClientSession() as session,
            session.post(self.url, json=message, headers=VERSION) as response,
        ):
            self.statuses.append(response.status)
            return response.status

    async def tell(self, action: str, **more: Any) -> int:
        return await self.post(self.message(action, **more))


class CallbackSubgraph:
    """`asked` has what the router subscribed to. With `emits` off the test tells the events itself."""

    def __init__(self, schema: strawberry.Schema, *, emits: bool = True, checks: bool = True) -> None:
        self.asked: asyncio.Queue[Asked] = asyncio.Queue()
        self.answer: dict[str, Any] = {"data": None}
        self._schema = schema
        self._emits = emits
        self._checks = checks
        self._tasks: set[asyncio.Task[None]] = set()
        self.app = Starlette(routes=[Route("/graphql", self._subscribe, methods=["POST"])])

    @property
    def running(self) -> int:
        """Subscriptions that it still emits."""
        return len(self._tasks)

    async def close(self) -> None:
        for task in tuple(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _subscribe(self, request: Request) -> Response:
        body = await request.json()
        told = body["extensions"]["subscription"]
        asked = Asked(
            told["callbackUrl"],
            told["subscriptionId"],
            told["verifier"],
            told["heartbeatIntervalMs"] / 1000,
            request.headers["accept"],
        )
        if self._checks and await asked.tell("check") != 204:
            return JSONResponse({"errors": [{"message": "The callback was not confirmed."}]}, 400)
        if self._emits:
            task = asyncio.create_task(self._emit(asked, body["query"], body.get("variables")))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
        self.asked.put_nowait(asked)
        return JSONResponse(self.answer)

    async def _emit(self, asked: Asked, query: str, variables: Any) -> None:
        heart = asyncio.create_task(self._beat(asked))
        try:
            results: Any = await self._schema.subscribe(query, variables)
            async for result in results:
                errors = [error.formatted for error in result.errors or ()]
                payload = {"data": result.data, **({"errors": errors} if errors else {})}
                if not 200 <= await asked.tell("next", payload=payload) < 300:
                    return
            await asked.tell("complete")
        finally:
            heart.cancel()

    async def _beat(self, asked: Asked) -> None:
        while asked.heartbeat_seconds:
            await asyncio.sleep(asked.heartbeat_seconds)
            await asked.tell("check")


@asynccontextmanager
async def callback_subgraph(schema: strawberry.Schema, **kind: Any) -> AsyncIterator[tuple[CallbackSubgraph, str]]:
    """The subgraph on a real port, and the address of its operations."""
    subgraph = CallbackSubgraph(schema, **kind)
    async with serving(subgraph.app) as port:
        try:
            yield subgraph, f"http://127.0.0.1:{port}/graphql"
        finally:
            await subgraph.close()
