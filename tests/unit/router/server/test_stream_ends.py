"""What cuts a stream off while it waits, and what keeps a quiet one open."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from router.access.authentication import UnauthenticatedError
from router.access.caller import Refusal
from router.errors import SubgraphHttpError
from router.server.stream_ends import Heartbeats, StreamEnds, StreamInterruptedError

PATIENCE_SECONDS = 60


class Client:
    """Connected until it leaves."""

    def __init__(self) -> None:
        self.has_left = asyncio.Event()

    async def receive(self) -> dict[str, Any]:
        await self.has_left.wait()
        return {"type": "http.disconnect"}


def ends(
    client: Client,
    closing: asyncio.Event | None = None,
    seconds_left: float | None = None,
    ending: asyncio.Future[None] | None = None,
) -> StreamEnds:
    return StreamEnds(client.receive, closing, seconds_left, ending)


async def waiting(block: StreamEnds) -> str:
    async with block:
        await asyncio.sleep(PATIENCE_SECONDS)
        return "waited in vain"
    return "cut off"


async def test_a_client_that_leaves_ends_it_and_raises_nothing() -> None:
    client = Client()
    stream = asyncio.ensure_future(waiting(ends(client)))
    await asyncio.sleep(0)
    client.has_left.set()

    assert await stream == "cut off"
    assert stream.cancelling() == 0


async def test_a_connection_that_is_broken_is_a_client_that_left() -> None:
    async def receive() -> dict[str, Any]:
        raise OSError("broken")

    assert await waiting(StreamEnds(receive, None, None, None)) == "cut off"


async def test_a_server_that_stops_says_so() -> None:
    closing = asyncio.Event()
    stream = asyncio.ensure_future(waiting(ends(Client(), closing)))
    await asyncio.sleep(0)
    closing.set()

    with pytest.raises(StreamInterruptedError):
        await stream


async def test_a_token_that_expires_and_a_session_that_is_over_are_told_apart() -> None:
    ending: asyncio.Future[None] = asyncio.get_running_loop().create_future()
    of_session = asyncio.ensure_future(waiting(ends(Client(), ending=ending)))
    of_another = asyncio.ensure_future(waiting(ends(Client(), ending=ending)))
    await asyncio.sleep(0)
    ending.set_result(None)

    for stream in (of_session, of_another):
        with pytest.raises(UnauthenticatedError) as over:
            await stream
        assert over.value.reason is Refusal.SESSION_ENDED
    with pytest.raises(UnauthenticatedError) as expired:
        await waiting(ends(Client(), seconds_left=-1))
    assert expired.value.reason is Refusal.EXPIRED


async def test_whoever_cancels_the_request_cancels_it_also_when_the_client_left() -> None:
    client = Client()
    stream = asyncio.ensure_future(waiting(ends(client)))
    await asyncio.sleep(0)
    client.has_left.set()
    stream.cancel()

    with pytest.raises(asyncio.CancelledError):
        await stream


async def test_what_the_stream_itself_raises_and_its_end_are_its_own() -> None:
    client = Client()
    with pytest.raises(SubgraphHttpError):
        async with ends(client):
            raise SubgraphHttpError("broken", "live")
    async with ends(client):
        pass
    client.has_left.set()
    await asyncio.sleep(0)  # nobody looks at it any more


async def test_silence_is_broken_and_a_stream_that_speaks_needs_no_heartbeat() -> None:
    now = asyncio.get_running_loop().time
    silent_for: list[float] = []
    written_at = now()

    async def beat() -> None:
        nonlocal written_at
        silent_for.append(now() - written_at)
        written_at = now()

    async with Heartbeats(0.2, beat) as heartbeats:
        began = now()
        while now() < began + 0.5:
            written_at = now()
            heartbeats.note_writing()
            await asyncio.sleep(0)
        async with asyncio.timeout(PATIENCE_SECONDS):
            while len(silent_for) < 2:
                await asyncio.sleep(0.01)

    assert min(silent_for) >= 0.19  # the clock of a timer is a coarse one
    silent_for.clear()
    await asyncio.sleep(0.3)
    assert not silent_for


async def test_a_client_that_is_gone_is_no_failure_of_its_heartbeat() -> None:
    tried = asyncio.Event()

    async def beat() -> None:
        tried.set()
        raise OSError("gone")

    async with Heartbeats(0, beat):
        async with asyncio.timeout(PATIENCE_SECONDS):
            await tried.wait()
