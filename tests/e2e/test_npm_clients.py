"""Subscriptions and answers in pieces with the clients that front ends use: graphql-ws, graphql-sse, Apollo and urql from npm."""

from __future__ import annotations

import asyncio

import pytest

from tests.integration.router.server.test_incremental import HeldSubgraph, held
from tests.testkit.npm_clients import run_client
from tests.testkit.running_router import (
    RunningRouter,
    StartRouter,
    router,
    shop,
    shop_servers,
    start_router,
    token,
)

__all__ = ["held", "router", "shop", "shop_servers", "start_router"]

TICKS = "subscription { ticks(count: 3) { n owner { name } } }"
EVENTS = [{"data": {"ticks": {"n": number, "owner": {"name": "Ben"}}}} for number in range(3)]


async def test_graphql_ws_gets_every_event(router: RunningRouter) -> None:
    assert await run_client("ws_client.mjs", router.url.replace("http", "ws"), TICKS) == {"results": EVENTS}


async def test_graphql_ws_queries_with_its_token(router: RunningRouter) -> None:
    url = router.url.replace("http", "ws")
    answer = await run_client("ws_client.mjs", url, "{ me { name email } }", token("u2"))
    assert answer == {"results": [{"data": {"me": {"name": "Ben", "email": "u2@example.com"}}}]}


async def test_graphql_ws_understands_our_refusals(router: RunningRouter) -> None:
    url = router.url.replace("http", "ws")
    assert (await run_client("ws_client.mjs", url, TICKS, "Bearer nonsense"))["closed"] == 4403
    errors = (await run_client("ws_client.mjs", url, "{ nope }"))["errors"]
    assert errors[0]["extensions"]["code"] == "GRAPHQL_VALIDATION_FAILED"


async def test_graphql_sse_gets_every_event(router: RunningRouter) -> None:
    assert await run_client("sse_client.mjs", router.url, TICKS) == {"results": EVENTS}


async def test_graphql_sse_gets_every_event_over_its_single_connection(router: RunningRouter) -> None:
    assert await run_client("sse_client.mjs", router.url, TICKS, "single") == {"results": EVENTS}


PAUSE_SECONDS = 1.0  # between two parts; a client that needs the second to see the first shows both after it
CURRENT = 'multipart/mixed; boundary="-"; incrementalSpec=v0.2'
FORMER = 'multipart/mixed; boundary="-"; deferSpec=20220824'
PRODUCTS = [{"id": "1", "owner": {"name": "Ann"}}, {"id": "2", "owner": {"name": "Ann"}}]


@pytest.mark.parametrize(("reader", "content_type"), [("current", CURRENT), ("former", FORMER), ("urql", CURRENT)])
async def test_apollo_and_urql_put_deferred_fields_in_their_places(
    router: RunningRouter, reader: str, content_type: str
) -> None:
    query = (
        '{ products { id ... @defer(label: "o") { owner { name } } } ... @defer { user(id: "u2") { name } } broken }'
    )
    answer = await run_client("incremental_client.mjs", router.url, query, reader)

    assert answer["contentType"] == content_type
    assert answer["states"][0] == {"products": [{"id": "1"}, {"id": "2"}], "broken": None}
    assert answer["states"][-1] == {"products": PRODUCTS, "broken": None, "user": {"name": "Ben"}}
    assert answer["errors"] == ["out of order"]


@pytest.mark.parametrize("reader", ["current", "former"])  # urql knows items by the former format's paths only
async def test_apollo_appends_the_items_of_a_streamed_list(router: RunningRouter, reader: str) -> None:
    query = "{ products @stream(initialCount: 1) { id owner { name } } }"
    answer = await run_client("incremental_client.mjs", router.url, query, reader)

    assert answer["states"][0] == {"products": PRODUCTS[:1]}
    assert answer["states"][-1] == {"products": PRODUCTS}
    assert answer["errors"] == []


@pytest.mark.parametrize("reader", ["current", "former", "urql"])
async def test_apollo_and_urql_show_the_first_part_before_the_next_one_comes(
    start_router: StartRouter, held: HeldSubgraph, reader: str
) -> None:
    async with start_router(subgraphs={"stock": {"url": held.url}}) as router:
        query = '{ products { id ... @defer(label: "s") { inStock } } }'
        asked = asyncio.create_task(run_client("incremental_client.mjs", router.url, query, reader))
        await held.asked.wait()
        await asyncio.sleep(PAUSE_SECONDS)
        held.let_go.set()
        answer = await asked

    assert answer["states"][0] == {"products": [{"id": "1"}, {"id": "2"}]}
    assert answer["states"][-1] == {"products": [{"id": "1", "inStock": 10}, {"id": "2", "inStock": 20}]}
    assert answer["times"][-1] - answer["times"][0] > PAUSE_SECONDS * 1000 * 0.8


async def test_apollo_shows_each_event_before_the_next_one_comes(router: RunningRouter) -> None:
    query = f"subscription {{ ticks(count: 2, pause: {PAUSE_SECONDS}) {{ n }} }}"
    answer = await run_client("incremental_client.mjs", router.url, query, "apollo-subscription")

    assert answer["states"] == [{"ticks": {"n": 0}}, {"ticks": {"n": 1}}]
    assert answer["contentType"] == 'multipart/mixed;boundary="graphql";subscriptionSpec=1.0'
    assert answer["times"][1] - answer["times"][0] > PAUSE_SECONDS * 1000 * 0.8
