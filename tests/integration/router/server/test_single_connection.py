"""graphql-sse in single connection mode, request by request."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import aiohttp
import orjson
import pytest

from router.server.single_connection import AT_ONCE
from tests.testkit.loop_turns import measured_each_turn
from tests.testkit.running_router import RunningRouter, StartRouter, token
from tests.testkit.strawberry_shop import Shop

TICKS = "subscription($n: Int!) { ticks(count: $n, pause: 0.02) { n } }"
QUIET = "subscription($n: Int!) { ticks(count: $n, pause: 30) { n } }"
EVENTS = {"accept": "text/event-stream"}


@dataclass
class Stream:
    """A reserved stream and what its client sends."""

    router: RunningRouter
    headers: dict[str, str]
    response: aiohttp.ClientResponse | None = None

    async def request(self, method: str, **options: Any) -> tuple[int, Any]:
        async with self.router.session.request(method, self.router.url, headers=self.headers, **options) as response:
            body = await response.read()
            return response.status, orjson.loads(body)["errors"][0]["extensions"]["code"] if body else None

    async def start(self, operation_id: Any, query: str, variables: Any = None) -> tuple[int, Any]:
        body = {"query": query, "variables": variables, "extensions": {"operationId": operation_id}}
        return await self.request("POST", json=body)

    async def next(self) -> tuple[str, Any]:
        """The name and the data of the next event."""
        assert self.response is not None
        async with asyncio.timeout(60):
            event = await self.response.content.readuntil(b"\n\n")
        if event.startswith(b":"):
            return await self.next()
        name, data = event.decode().strip().split("\n")
        return name.removeprefix("event: "), orjson.loads(data.removeprefix("data: "))


async def reserve(router: RunningRouter, **headers: str) -> Stream:
    async with router.session.put(router.url, headers=headers) as response:
        assert response.status == 201
        return Stream(router, {**headers, "x-graphql-event-stream-token": await response.text()})


@asynccontextmanager
async def opened(router: RunningRouter, **headers: str) -> AsyncIterator[Stream]:
    stream = await reserve(router, **headers)
    async with router.session.get(router.url, headers={**stream.headers, **EVENTS}) as response:
        assert (response.status, response.content_type) == (200, "text/event-stream")
        stream.response = response
        yield stream


async def until_open(shop: Shop, subscriptions: int) -> None:
    async with asyncio.timeout(60):
        while shop.open_ticks != subscriptions:
            await asyncio.sleep(0.02)


async def test_results_of_all_operations_come_on_one_stream(router: RunningRouter, shop: Shop) -> None:
    async with opened(router, authorization=token("u2")) as stream:
        assert await stream.start("me", "{ me { name } }") == (202, None)
        assert await stream.next() == ("next", {"id": "me", "payload": {"data": {"me": {"name": "Ben"}}}})
        assert await stream.next() == ("complete", {"id": "me"})

        assert await stream.start("a", TICKS, {"n": 2}) == (202, None)
        assert await stream.start("b", TICKS, {"n": 2}) == (202, None)
        events = [await stream.next() for _ in range(6)]
        for operation_id in ("a", "b"):
            own = [(name, data.get("payload")) for name, data in events if data["id"] == operation_id]
            ticks = [("next", {"data": {"ticks": {"n": number}}}) for number in range(2)]
            assert own == [*ticks, ("complete", None)]
        await until_open(shop, 0)


async def test_an_operation_is_stopped_alone_and_all_end_with_the_stream(router: RunningRouter, shop: Shop) -> None:
    async with opened(router) as stream:
        for number, operation_id in enumerate(("a", "b", "c")):  # equal ones would share one stream of the subgraph
            await stream.start(operation_id, TICKS, {"n": 1000 + number})
        assert await stream.request("DELETE", params={"operationId": "a"}) == (200, None)
        while await stream.next() != ("complete", {"id": "a"}):
            pass
        await until_open(shop, 2)
    await until_open(shop, 0)
    assert await stream.start("d", "{ __typename }") == (404, "STREAM_NOT_FOUND")


async def test_what_cannot_run_is_answered_at_once(router: RunningRouter) -> None:
    async with opened(router) as stream:
        assert (await stream.start("a", "{ nope }"))[1] == "GRAPHQL_VALIDATION_FAILED"
        assert await stream.start(None, "{ __typename }") == (400, "MISSING_OPERATION_ID")
        assert await stream.start("a", TICKS, {"n": 1000}) == (202, None)
        assert await stream.start("a", "{ __typename }") == (409, "OPERATION_ID_IN_USE")
        assert await stream.request("DELETE") == (400, "MISSING_OPERATION_ID")
        assert await stream.request("GET") == (400, "MISSING_QUERY")
        stream.headers |= EVENTS
        assert await stream.request("GET") == (409, "STREAM_ALREADY_OPEN")


async def test_a_token_is_of_use_to_its_own_caller_only(router: RunningRouter) -> None:
    async with opened(router, authorization=token("u1")) as stream:
        stolen = Stream(router, {**stream.headers, "authorization": token("u2")})
        assert await stolen.start("a", "{ me { name } }") == (404, "STREAM_NOT_FOUND")
        assert await stolen.request("DELETE", params={"operationId": "a"}) == (404, "STREAM_NOT_FOUND")


async def test_an_event_source_gives_its_token_in_the_address(router: RunningRouter) -> None:
    stream = await reserve(router)
    parameters = {"token": stream.headers["x-graphql-event-stream-token"]}
    async with router.session.get(router.url, params=parameters, headers=EVENTS) as response:
        assert response.status == 200
        stream.response = response
        await stream.start("a", "{ __typename }")
        assert await stream.next() == ("next", {"id": "a", "payload": {"data": {"__typename": "Query"}}})


async def test_operations_may_begin_before_the_stream_is_opened(router: RunningRouter) -> None:
    stream = await reserve(router)
    assert await stream.start("a", "{ __typename }") == (202, None)
    async with router.session.get(router.url, headers={**stream.headers, **EVENTS}) as response:
        stream.response = response
        assert (await stream.next())[0] == "next"


async def test_a_reader_that_is_slow_slows_the_source_and_loses_nothing(router: RunningRouter) -> None:
    stream = await reserve(router)
    fast = "subscription { ticks(count: 200) { n } }"
    await stream.start("a", fast)
    await asyncio.sleep(0.3)
    async with router.session.get(router.url, headers={**stream.headers, **EVENTS}) as response:
        stream.response = response
        numbers = [(await stream.next())[1]["payload"]["data"]["ticks"]["n"] for _ in range(200)]
        assert numbers == list(range(200))
        assert await stream.next() == ("complete", {"id": "a"})


@pytest.mark.parametrize(
    ("settings", "status"),
    [({"subscriptions": {"max_connections": 1}}, 503), ({"workers": 2}, 405)],
    ids=["no room", "many processes"],
)
async def test_a_reservation_needs_room_and_a_single_process(
    start_router: StartRouter, settings: dict[str, Any], status: int
) -> None:
    async with start_router(**settings) as router:
        if status == 503:
            await reserve(router)
        async with router.session.put(router.url) as response:
            assert response.status == status


async def test_a_reservation_that_nobody_uses_expires(start_router: StartRouter) -> None:
    settings = {"max_connections": 1, "init_timeout_seconds": 0.1}
    async with start_router(subscriptions=settings) as router:
        unused = await reserve(router)
        async with asyncio.timeout(60):
            while (await unused.start("a", "{ __typename }"))[0] != 404:
                await asyncio.sleep(0.05)
        await reserve(router)  # there is room again


async def test_a_stream_has_so_many_operations_and_no_more(start_router: StartRouter) -> None:
    async with start_router(subscriptions={"max_per_connection": 1}) as router:
        stream = await reserve(router)
        await stream.start("a", TICKS, {"n": 1000})
        assert await stream.start("b", TICKS, {"n": 1000}) == (429, "TOO_MANY_OPERATIONS")


async def test_many_operations_of_one_stream_begin_and_end_a_few_in_each_turn_of_the_loop(
    router: RunningRouter, shop: Shop
) -> None:
    """What begins is counted by the door that each operation goes through, what ends by its being cancelled."""
    begun = 0
    door = router.app.door
    begin = door.begin

    async def counted(*arguments: Any, **named: Any) -> Any:
        nonlocal begun
        begun += 1
        return await begin(*arguments, **named)

    door.begin = counted  # type: ignore[method-assign]
    async with opened(router) as stream:
        # Each of its own variables: equal ones would share one stream to the subgraph.
        requests = [stream.start(str(number), QUIET, {"n": 1000 + number}) for number in range(100)]
        with measured_each_turn(lambda: begun) as beginning:
            assert set(await asyncio.gather(*requests)) == {(202, None)}
        await until_open(shop, 100)
        operations = [task for task in asyncio.all_tasks() if "_Connection._run" in repr(task)]
        assert len(operations) == 100

        def ended() -> int:
            return sum(task.cancelling() for task in operations)

        with measured_each_turn(ended) as ending:
            assert stream.response is not None
            stream.response.close()
            async with asyncio.timeout(60):
                while not all(task.done() for task in operations):
                    await asyncio.sleep(0)
    assert 0 < beginning.most <= 2 * AT_ONCE  # those let in, and those who ask when they are
    assert 0 < ending.most <= 2 * AT_ONCE
