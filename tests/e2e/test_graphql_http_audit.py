"""Every check of the public GraphQL-over-HTTP audit, against the real server."""

from __future__ import annotations

from tests.testkit.npm_clients import run_client
from tests.testkit.running_router import RunningRouter, router, shop, shop_servers, start_router

__all__ = ["router", "shop", "shop_servers", "start_router"]


async def test_the_graphql_over_http_audit_finds_nothing(router: RunningRouter) -> None:
    results = await run_client("audit.mjs", router.url)
    assert len(results) >= 61
    assert [each for each in results if each["status"] != "ok"] == []
