"""Subscriptions with the clients that front ends use: graphql-ws and graphql-sse from npm."""

from __future__ import annotations

from tests.testkit.npm_clients import run_client
from tests.testkit.running_router import RunningRouter, router, shop, shop_servers, start_router, token

__all__ = ["router", "shop", "shop_servers", "start_router"]

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
