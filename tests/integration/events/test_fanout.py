"""Subscribers are told that they may have missed something whenever Redis was away, however shortly."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress

import pytest

from events.fanout import EVERYTHING, Fanout
from subgraphs.shell.app import close_resources, open_resources
from subgraphs.shell.settings import Settings
from tests.testkit.servers import Valkey
from tests.testkit.subgraph import SECRET


@pytest.fixture
async def own_valkey() -> AsyncIterator[Valkey]:
    server = Valkey()
    server.start()
    yield server
    server.kill()


@pytest.fixture
async def fanout(own_valkey: Valkey) -> AsyncIterator[Fanout]:
    """As a subgraph makes it."""
    settings = Settings(
        subgraph="users",
        database_url="postgresql://nobody@127.0.0.1:1/none",
        jwt_secret=SECRET,
        redis_url=own_valkey.url,
    )
    resources = open_resources(settings)
    assert resources.fanout is not None
    running = asyncio.create_task(resources.fanout.run())
    yield resources.fanout
    running.cancel()
    with suppress(asyncio.CancelledError):
        await running
    await close_resources(resources)


async def heard(listening: AsyncIterator[frozenset[str]], key: str) -> None:
    async with asyncio.timeout(60):
        async for keys in listening:
            if key in keys:
                return


@pytest.mark.parametrize("seconds_away", [0.0, 0.4, 1.5])
async def test_a_redis_that_was_away_is_told_as_everything_may_have_changed(
    fanout: Fanout, own_valkey: Valkey, seconds_away: float
) -> None:
    listening = fanout.listen("channel")
    first = asyncio.create_task(heard(listening, EVERYTHING))
    await first
    await fanout.publish([("channel", "a")])
    await heard(listening, "a")
    own_valkey.kill()
    await asyncio.sleep(seconds_away)
    own_valkey.start()
    await heard(listening, EVERYTHING)
    await fanout.publish([("channel", "b")])  # over a connection that died meanwhile
    await heard(listening, "b")


async def test_a_redis_that_hangs_is_noticed(fanout: Fanout, own_valkey: Valkey) -> None:
    listening = fanout.listen("channel")
    await heard(listening, EVERYTHING)
    own_valkey.pause()
    await asyncio.sleep(9)  # longer than it may be quiet and then not answer
    own_valkey.resume()
    await heard(listening, EVERYTHING)
