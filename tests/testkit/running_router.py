"""The router over the Strawberry shop, both on real ports in the tests' event loop: fixtures and what they hand out."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp
import jwt
import pytest

from router.server.app import RouterApp, create_app
from router.settings import load_settings
from tests.testkit.strawberry_shop import Shop, running_shop, serving

SECRET = "a secret of the tests that is long enough"


def token(subject: str = "u1", *, lifetime_seconds: float = 60, kid: str | None = "new", **claims: Any) -> str:
    """An Authorization value."""
    payload = {"sub": subject, "exp": time.time() + lifetime_seconds, "iss": "shop", "aud": "shop", **claims}
    headers = {"kid": kid} if kid else None
    return "Bearer " + jwt.encode(payload, claims.pop("secret", SECRET), "HS256", headers=headers)


@dataclass
class RunningRouter:
    """`url` is the GraphQL endpoint."""

    app: RouterApp
    port: int
    supergraph: Path
    session: aiohttp.ClientSession

    @property
    def origin(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def url(self) -> str:
        return f"{self.origin}/graphql"

    async def ask(self, query: str, variables: Any = None, **headers: str) -> Any:
        """The parsed answer to a POST."""
        body = {"query": query, "variables": variables}
        async with self.session.post(self.url, json=body, headers=headers) as response:
            return await response.json(content_type=None)


StartRouter = Callable[..., AbstractAsyncContextManager[RunningRouter]]


@pytest.fixture(scope="session")
async def shop_servers() -> AsyncIterator[Shop]:
    async with running_shop() as shop:
        yield shop


@pytest.fixture
def shop(shop_servers: Shop) -> Shop:
    shop_servers.reset()
    return shop_servers


@pytest.fixture
def start_router(shop: Shop, tmp_path: Path) -> StartRouter:
    @asynccontextmanager
    async def start(**settings: Any) -> AsyncIterator[RunningRouter]:
        supergraph = tmp_path / "supergraph.graphql"
        if not supergraph.exists():
            supergraph.write_text(shop.supergraph)
        values: dict[str, Any] = {
            "supergraph": supergraph,
            "telemetry": {"log_level": "error"},
            "jwt": {"keys": [{"secret": SECRET, "kid": "new"}], "issuers": ["shop"], "audiences": ["shop"]},
            "shutdown_grace_seconds": 0.2,
            **settings,
        }
        app = create_app(load_settings(None, {}, **values))
        async with serving(app) as port, aiohttp.ClientSession() as session:
            yield RunningRouter(app, port, supergraph, session)

    return start


@pytest.fixture
async def router(start_router: StartRouter) -> AsyncIterator[RunningRouter]:
    async with start_router() as running:
        yield running
