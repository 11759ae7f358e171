"""Equal subscriptions of one caller share a stream from the subgraph, a real WebSocket server that counts its clients."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import Any

import orjson
import pytest
from websockets.asyncio.server import ServerConnection
from websockets.asyncio.server import serve as serve_websockets
from websockets.exceptions import ConnectionClosed

from router.transport import shared_streams
from router.transport.protocol import SubgraphRequest
from router.transport.shared_event import TOLD_AT_ONCE
from router.transport.shared_streams import SharedStreams
from router.transport.subscription_source import PROTOCOL, SubscriberTooSlowError, TooManyStreamsError, WebSocketSource
from tests.testkit.loop_turns import measured_each_turn

BODY = b'{"query":"subscription{counted(to:9){id}}"}'
PATIENCE_SECONDS = 60


@dataclass
class Live:
    """A subgraph whose events are told by the test."""

    url: str = ""
    sockets: list[ServerConnection] = field(default_factory=list)
    told: dict[ServerConnection, str] = field(default_factory=dict)  # the Authorization of each connection_init

    async def serve(self, socket: ServerConnection) -> None:
        init = orjson.loads(await socket.recv())
        await socket.send('{"type":"connection_ack"}')
        await socket.recv()
        self.told[socket] = init.get("payload", {}).get("authorization", "")
        self.sockets.append(socket)
        with suppress(ConnectionClosed):
            while True:
                await socket.recv()

    async def tell(self, number: int, socket: ServerConnection | None = None) -> None:
        event = {"id": "1", "type": "next", "payload": {"data": {"counted": {"id": str(number)}}}}
        for each in [socket] if socket else self.sockets:
            await each.send(orjson.dumps(event).decode())

    async def has(self, connections: int) -> None:
        async with asyncio.timeout(PATIENCE_SECONDS):
            while len([each for each in self.sockets if each.close_code is None]) != connections:
                await asyncio.sleep(0.01)


@pytest.fixture
async def live() -> AsyncIterator[Live]:
    live = Live()
    subprotocols: Any = [PROTOCOL]
    async with serve_websockets(live.serve, "127.0.0.1", 0, subprotocols=subprotocols) as server:
        live.url = f"http://127.0.0.1:{next(iter(server.sockets)).getsockname()[1]}/graphql"
        yield live


@pytest.fixture
async def streams(live: Live) -> AsyncIterator[SharedStreams]:
    source = WebSocketSource({"live": live.url})
    yield SharedStreams(source)
    await source.close()


def request(token: str = "Bearer a", number: int = 0) -> SubgraphRequest:
    """`number` tells requests apart that ask for the same."""
    headers = (("authorization", token), ("x-request-id", f"r{number}"), ("x-client-address", f"203.0.113.{number}"))
    return SubgraphRequest("live", "http://unused", BODY, headers, is_query=False)


@asynccontextmanager
async def listening(streams: SharedStreams, *requests: SubgraphRequest) -> AsyncIterator[list[asyncio.Queue[Any]]]:
    """What each of them is told, as it comes; the failure that ends it too."""
    queues: list[asyncio.Queue[Any]] = [asyncio.Queue() for _ in requests]

    async def listen(asked: SubgraphRequest, queue: asyncio.Queue[Any]) -> None:
        try:
            async for payload in streams.open(asked):
                queue.put_nowait(payload["data"]["counted"]["id"])
        except SubscriberTooSlowError as error:
            queue.put_nowait(error)

    tasks = [asyncio.create_task(listen(*each)) for each in zip(requests, queues, strict=True)]
    try:
        yield queues
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.wait(tasks)


async def told(queue: asyncio.Queue[Any]) -> Any:
    async with asyncio.timeout(PATIENCE_SECONDS):
        return await queue.get()


async def test_five_hundred_equal_subscriptions_are_one_upstream_and_each_is_told(
    live: Live, streams: SharedStreams
) -> None:
    async with listening(streams, *(request(number=number) for number in range(500))) as queues:
        await live.has(1)
        for number in (1, 2):
            await live.tell(number)
            assert [await told(queue) for queue in queues] == [str(number)] * 500
        assert len(live.sockets) == 1
    await live.has(0)  # with the last of them it is closed


async def test_an_event_is_told_to_a_few_in_each_turn_of_the_loop(live: Live, streams: SharedStreams) -> None:
    async with listening(streams, *(request(number=number) for number in range(500))) as queues:
        await live.has(1)
        with measured_each_turn(lambda: sum(queue.qsize() for queue in queues)) as turns:
            for number in (1, 2):
                await live.tell(number)
            async with asyncio.timeout(PATIENCE_SECONDS):
                while turns.values[-1] < 1_000:
                    await asyncio.sleep(0)
        assert 0 < turns.most <= 2 * TOLD_AT_ONCE  # those let in, and those who ask when they are


async def test_other_callers_have_a_stream_of_their_own(live: Live, streams: SharedStreams) -> None:
    async with listening(streams, request("Bearer a"), request("Bearer b"), request("")) as queues:
        await live.has(3)
        assert sorted(live.told.values()) == ["", "Bearer a", "Bearer b"]
        by_token = {token: socket for socket, token in live.told.items()}
        for number, token in enumerate(("Bearer a", "Bearer b", "")):
            await live.tell(number, by_token[token])
        assert [await told(queue) for queue in queues] == ["0", "1", "2"]
        assert all(queue.empty() for queue in queues)


async def test_who_comes_after_the_first_event_misses_nothing_of_an_own_stream(
    live: Live, streams: SharedStreams
) -> None:
    async with listening(streams, request()) as (first,):
        await live.has(1)
        await live.tell(1)
        assert await told(first) == "1"
        async with listening(streams, request()) as (second,):
            await live.has(2)
            await live.tell(7, live.sockets[1])
            assert await told(second) == "7"
        await live.has(1)
        await live.tell(2, live.sockets[0])
        assert await told(first) == "2"


async def test_one_that_leaves_takes_nothing_from_the_others(live: Live, streams: SharedStreams) -> None:
    async with listening(streams, request()) as (stays,):
        async with listening(streams, request(number=1)):
            await live.has(1)
        await live.tell(1)
        assert await told(stays) == "1"
        assert len(live.sockets) == 1


async def test_one_that_takes_nothing_is_told_and_slows_nobody(
    live: Live, streams: SharedStreams, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shared_streams, "MAX_WAITING", 3)
    slow = streams.open(request())
    first = asyncio.ensure_future(anext(slow))
    async with listening(streams, request(number=1)) as (quick,):
        await live.has(1)
        for number in range(6):
            await live.tell(number)
            assert await told(quick) == str(number)
    assert (await first)["data"]["counted"]["id"] == "0"
    assert [(await anext(slow))["data"]["counted"]["id"] for _ in range(3)] == ["1", "2", "3"]
    with pytest.raises(SubscriberTooSlowError):
        await anext(slow)
    await live.has(0)


async def test_an_end_and_a_failure_reach_all(live: Live, streams: SharedStreams) -> None:
    waiting = [asyncio.ensure_future(anext(streams.open(request(number=number)), "ended")) for number in range(3)]
    await live.has(1)
    await live.sockets[0].send('{"id":"1","type":"complete"}')
    async with asyncio.timeout(PATIENCE_SECONDS):
        assert await asyncio.gather(*waiting) == ["ended"] * 3
    waiting = [asyncio.ensure_future(anext(streams.open(request(number=number)))) for number in range(3)]
    await live.has(1)
    await live.sockets[1].close(4000)
    async with asyncio.timeout(PATIENCE_SECONDS):
        failures = await asyncio.gather(*waiting, return_exceptions=True)
    assert [str(failure) for failure in failures] == ["The subgraph closed the subscription."] * 3


async def test_so_many_streams_are_open_and_those_that_are_go_on(live: Live) -> None:
    source = WebSocketSource({"live": live.url}, max_connections=2)
    streams = SharedStreams(source)
    async with listening(streams, request("Bearer a"), request("Bearer b")) as queues:
        await live.has(2)
        with pytest.raises(TooManyStreamsError):
            await anext(streams.open(request("Bearer c")))
        await live.tell(1)
        assert [await told(queue) for queue in queues] == ["1", "1"]
    await live.has(0)
    async with listening(streams, request("Bearer c")):
        await live.has(1)
    await source.close()
