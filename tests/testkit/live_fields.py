"""Live fields of a subgraph: streams that are opened, listened to and ended, without a server, and a server. For integration tests."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import aclosing, asynccontextmanager
from typing import Any

from events.fanout import Fanout
from router.redis_client import open_redis
from subgraphs.shell.app import SubgraphApp
from subgraphs.shell.command_line import draining_server, server_config
from tests.testkit.servers import Valkey
from tests.testkit.subgraph import SubgraphUnderTest

PATIENCE_SECONDS = 60.0


@asynccontextmanager
async def with_live_updates(subgraph: SubgraphUnderTest, valkey: Valkey) -> AsyncIterator[None]:
    """Its process's fan-out over Redis, as long as the block lasts."""
    redis = open_redis(valkey.url, 2.0)
    subgraph.resources.fanout = fanout = Fanout(redis)
    listening = asyncio.create_task(fanout.run())
    try:
        yield
    finally:
        listening.cancel()
        await asyncio.wait([listening])
        subgraph.resources.fanout = None
        await redis.aclose()


@asynccontextmanager
async def serving(app: SubgraphApp, port: int) -> AsyncIterator[None]:
    """The subgraph as its process serves it, until the block ends; then streams are closed with 1012."""
    server = draining_server(server_config(app, "127.0.0.1", port, app.resources.settings, app), app)
    task = asyncio.create_task(server.serve())
    while not server.started:
        await asyncio.sleep(0.02)
    try:
        yield
    finally:
        server.should_exit = True
        await task


class Stream:
    """One subscription of one person."""

    def __init__(self, results: AsyncIterator[Any]) -> None:
        self._results = results

    async def next(self) -> Any:
        """What the field tells next. Fails on an error, and at the end."""
        async with asyncio.timeout(PATIENCE_SECONDS):
            result = await anext(self._results)
        assert result.errors is None, result.errors
        (told,) = result.data.values()
        return told

    async def code(self) -> str:
        """The code of the error that comes next."""
        async with asyncio.timeout(PATIENCE_SECONDS):
            (error,) = (await anext(self._results)).errors
        return str(error.extensions["code"])

    async def is_over(self) -> bool:
        """Whether it ends instead of telling more."""
        async with asyncio.timeout(PATIENCE_SECONDS):
            return await anext(self._results, None) is None


@asynccontextmanager
async def streaming(
    subgraph: SubgraphUnderTest, operation: str, person: str | None, variables: Mapping[str, Any] | None = None
) -> AsyncIterator[Stream]:
    """A subscription of a person, or of nobody, that is open until the block ends."""
    context = subgraph.context(person)
    results: Any = await subgraph.schema.subscribe(operation, dict(variables or {}), context_value=context)
    async with aclosing(results):
        yield Stream(results)
