"""Subscriptions in one HTTP response: server-sent events and multipart."""

from __future__ import annotations

import asyncio
from typing import Any

import aiohttp
import orjson

from tests.testkit.running_router import RunningRouter, StartRouter, token
from tests.testkit.strawberry_shop import Shop

TICK = "subscription { ticks(count: 1) { n product { inStock } } }"
TICKS = "subscription { ticks(count: 1000, pause: 0.05) { n } }"
EVENTS = {"accept": "text/event-stream"}
MULTIPART = {"accept": "multipart/mixed;boundary=graphql;subscriptionSpec=1.0, application/json"}


async def test_events_are_named_next_and_the_last_complete(router: RunningRouter) -> None:
    async with router.session.post(router.url, json={"query": TICK}, headers=EVENTS) as response:
        assert response.status == 200
        assert response.content_type == "text/event-stream"
        assert await response.text() == (
            'event: next\ndata: {"data":{"ticks":{"n":0,"product":{"inStock":10}}}}\n\nevent: complete\ndata:\n\n'
        )


async def test_an_event_source_can_subscribe_and_query_with_get(router: RunningRouter) -> None:
    async with router.session.get(router.url, params={"query": TICK}, headers=EVENTS) as response:
        assert "event: next" in await response.text()
    async with router.session.get(router.url, params={"query": "{ __typename }"}, headers=EVENTS) as response:
        assert (
            await response.text() == 'event: next\ndata: {"data":{"__typename":"Query"}}\n\nevent: complete\ndata:\n\n'
        )


async def test_multipart_parts_carry_payloads_and_the_last_boundary_ends(router: RunningRouter) -> None:
    async with router.session.post(router.url, json={"query": TICK}, headers=MULTIPART) as response:
        assert response.headers["content-type"] == 'multipart/mixed;boundary="graphql";subscriptionSpec=1.0'
        assert await response.text() == (
            "\r\n--graphql\r\ncontent-type: application/json\r\n\r\n"
            '{"payload":{"data":{"ticks":{"n":0,"product":{"inStock":10}}}}}'
            "\r\n--graphql--\r\n"
        )


async def test_a_query_of_a_client_that_can_stream_is_answered_in_one_piece(router: RunningRouter) -> None:
    headers = {"accept": "application/json, multipart/mixed"}
    async with router.session.post(router.url, json={"query": "{ products { name } }"}, headers=headers) as response:
        assert response.content_type == "application/json"
        assert (await response.json())["data"]["products"][0] == {"name": "Product 1"}


async def test_heartbeats_keep_a_quiet_stream_open(start_router: StartRouter) -> None:
    async with start_router(subscriptions={"heartbeat_seconds": 0.02}) as router:
        query = {"query": "subscription { ticks(count: 1, pause: 0.3) { n } }"}
        async with router.session.post(router.url, json=query, headers=EVENTS) as response:
            assert (await response.text()).startswith(":\n\n")
        async with router.session.post(router.url, json=query, headers=MULTIPART) as response:
            assert "\r\n\r\n{}\r\n--graphql" in await response.text()


async def test_an_event_is_complete_on_the_wire_before_the_next_one_comes(router: RunningRouter) -> None:
    """A client takes a part for complete when it reads the boundary after it."""
    async with router.session.post(router.url, json={"query": TICKS}, headers=MULTIPART) as response:
        first, _ = await response.content.readchunk()
    assert first.startswith(b"\r\n--graphql\r\ncontent-type: application/json\r\n\r\n{")
    assert first.endswith(b"}\r\n--graphql")


async def test_a_reader_that_leaves_ends_the_subscription_at_the_subgraph(router: RunningRouter, shop: Shop) -> None:
    async with aiohttp.ClientSession() as session:
        response = await session.post(router.url, json={"query": TICKS}, headers=EVENTS)
        await response.content.readuntil(b"\n\n")
        assert shop.open_ticks == 1
        response.close()
    async with asyncio.timeout(60):
        while shop.open_ticks:
            await asyncio.sleep(0.01)


async def test_a_stream_ends_with_the_token(start_router: StartRouter) -> None:
    async with start_router(jwt={"keys": [{"secret": "a secret of the tests that is long enough"}]}) as router:
        headers = {**EVENTS, "authorization": token(lifetime_seconds=0.3)}
        async with router.session.post(router.url, json={"query": TICKS}, headers=headers) as response:
            text = await response.text()
    # a comment and no `complete`: graphql-sse connects again, with the headers that its client gives then
    ending = text.rpartition("\n\n: ")[2]
    assert '"code":"UNAUTHENTICATED","reason":"EXPIRED"' in ending
    assert "complete" not in text


async def test_one_caller_has_so_many_subscriptions_over_all_its_connections(start_router: StartRouter) -> None:
    async with start_router(subscriptions={"max_per_caller": 1}) as router:
        ann, ben = ({**EVENTS, "authorization": token(subject)} for subject in ("ann", "ben"))
        async with router.session.post(router.url, json={"query": TICKS}, headers=ann) as first:
            await first.content.readuntil(b"\n\n")
            async with router.session.post(router.url, json={"query": TICK}, headers=ann) as second:
                refused = await second.read()
                assert b"TOO_MANY_OPERATIONS" in refused
            async with router.session.post(router.url, json={"query": TICK}, headers=ben) as another:
                assert b"TOO_MANY_OPERATIONS" not in await another.read()
        async with asyncio.timeout(60):
            while b"TOO_MANY_OPERATIONS" in refused:
                async with router.session.post(router.url, json={"query": TICK}, headers=ann) as again:
                    refused = await again.read()


async def test_there_is_room_for_so_many_streams(start_router: StartRouter) -> None:
    async with (
        start_router(subscriptions={"max_connections": 1}) as router,
        router.session.post(router.url, json={"query": TICKS}, headers=EVENTS) as first,
    ):
        await first.content.readuntil(b"\n\n")
        async with router.session.post(router.url, json={"query": TICKS}, headers=EVENTS) as second:
            assert second.status == 503
        first.close()


DEFERRED = '{ products { id ... @defer(label: "stock") { inStock } } }'
DEFERRED_PARTS: list[Any] = [
    {
        "data": {"products": [{"id": "1"}, {"id": "2"}]},
        "pending": [
            {"id": "0", "path": ["products", 0], "label": "stock"},
            {"id": "1", "path": ["products", 1], "label": "stock"},
        ],
        "hasNext": True,
    },
    {
        "incremental": [{"id": "0", "data": {"inStock": 10}}, {"id": "1", "data": {"inStock": 20}}],
        "completed": [{"id": "0"}, {"id": "1"}],
        "hasNext": False,
    },
]


def parts_of(text: str) -> list[Any]:
    """The JSON bodies of a multipart answer, checked for its frame."""
    assert text.endswith("\r\n-----\r\n")
    parts = text.removesuffix("\r\n-----\r\n").split("\r\n---\r\n")[1:]
    return [orjson.loads(part.partition("\r\n\r\n")[2]) for part in parts]


async def test_a_deferred_fragment_comes_in_parts_with_ids(router: RunningRouter) -> None:
    headers = {"accept": "multipart/mixed;incrementalSpec=v0.2, application/json"}
    async with router.session.post(router.url, json={"query": DEFERRED}, headers=headers) as response:
        assert response.headers["content-type"] == 'multipart/mixed; boundary="-"; incrementalSpec=v0.2'
        assert parts_of(await response.text()) == DEFERRED_PARTS


async def test_a_client_of_the_former_format_gets_paths(router: RunningRouter) -> None:
    headers = {"accept": "multipart/mixed;deferSpec=20220824, application/json"}
    async with router.session.post(router.url, json={"query": DEFERRED}, headers=headers) as response:
        first, second = parts_of(await response.text())
    assert first == {"data": {"products": [{"id": "1"}, {"id": "2"}]}, "hasNext": True}
    assert second == {
        "incremental": [
            {"data": {"inStock": 10}, "path": ["products", 0], "label": "stock"},
            {"data": {"inStock": 20}, "path": ["products", 1], "label": "stock"},
        ],
        "hasNext": False,
    }


async def test_a_client_without_multipart_gets_deferred_data_at_once(router: RunningRouter) -> None:
    answer = await router.ask(DEFERRED)
    assert answer == {"data": {"products": [{"id": "1", "inStock": 10}, {"id": "2", "inStock": 20}]}}
