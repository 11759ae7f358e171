"""A task that is cancelled while it talks to Redis ends, whatever the moment."""

from __future__ import annotations

import asyncio

import pytest

from router.redis_client import open_redis
from tests.testkit.servers import Valkey


@pytest.mark.parametrize("ticks", range(40))
async def test_no_moment_of_a_command_loses_a_cancellation(valkey: Valkey, ticks: int) -> None:
    async with open_redis(valkey.url, 5.0) as redis:
        await redis.ping()

        async def works_for_ever() -> None:
            await redis.publish("news", "of today")
            await asyncio.Event().wait()

        working = asyncio.create_task(works_for_ever())
        for _ in range(ticks):
            await asyncio.sleep(0)
        working.cancel()
        await asyncio.wait([working], timeout=1.0)
        assert working.cancelled()
        assert await redis.echo("what is asked") == b"what is asked"  # and nobody gets another's answer
