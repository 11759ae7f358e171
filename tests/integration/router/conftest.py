"""Fixtures of the router's integration tests."""

from tests.testkit.running_router import router, shop, shop_servers, start_router

__all__ = ["router", "shop", "shop_servers", "start_router"]
