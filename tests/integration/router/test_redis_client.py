"""A task that is cancelled while it talks to Redis ends, whatever the moment; a connection that is lost is told as such."""

from __future__ import annotations

import asyncio

import pytest
import uvloop
from redis.exceptions import ConnectionError as RedisConnectionError

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


def test_a_connection_that_was_just_reset_is_a_lost_one_on_uvloop_too(valkey: Valkey) -> None:
    async def write_after_a_reset() -> None:
        async with open_redis(valkey.url, 5.0) as redis:
            await redis.ping()
            (connection,) = redis.connection_pool._available_connections
            connection._writer.transport.abort()
            with pytest.raises(RedisConnectionError, match="closed"):
                await connection.send_command("PING")
            assert await redis.echo("what is asked") == b"what is asked"

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(write_after_a_reset())
