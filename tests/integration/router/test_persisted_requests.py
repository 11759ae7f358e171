"""Queries by hash towards a subgraph on a real port: another router of ours, whose clients may register hashes."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from router.server.app import create_app
from router.settings import load_settings
from tests.testkit.running_router import StartRouter, token
from tests.testkit.strawberry_shop import Shop, serving

ONE_SUBGRAPH = """
schema @link(url: "https://specs.apollo.dev/link/v1.0") @link(url: "https://specs.apollo.dev/join/v0.3", for: EXECUTION)
{ query: Query }
directive @join__field(graph: join__Graph) repeatable on FIELD_DEFINITION
directive @join__graph(name: String!, url: String!) on ENUM_VALUE
directive @join__type(graph: join__Graph!, key: join__FieldSet) repeatable on OBJECT
directive @link(url: String, as: String, for: link__Purpose, import: [link__Import]) repeatable on SCHEMA
scalar join__FieldSet
scalar link__Import
enum link__Purpose { SECURITY EXECUTION }
enum join__Graph { SHOP @join__graph(name: "shop", url: "URL") }
type Query @join__type(graph: SHOP) { user(id: ID!): User products: [Product!]! }
type User @join__type(graph: SHOP) { name: String! }
type Product @join__type(graph: SHOP) { name: String! }
"""
QUERY = "query($id: ID!) { user(id: $id) { name } }"


class Front:
    """The shop's router as a subgraph; notes what reaches it."""

    def __init__(self, app: Any) -> None:
        self._app = app
        self.seen: list[tuple[str, bool]] = []  # method, and whether the text came along

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        event = await receive()
        text = scope["query_string"] + event.get("body", b"")
        self.seen.append((scope["method"], b"query%22" in text or b'"query":' in text))
        events = iter([event])

        async def again() -> Any:
            return next(events, None) or await receive()

        await self._app(scope, again, send)


@pytest.fixture
async def front(start_router: StartRouter) -> AsyncIterator[tuple[Front, str]]:
    async with start_router() as router:
        front = Front(router.app)
        # the application runs already; what is served here in front of it starts nothing
        async with serving(_without_lifespan(front)) as port:
            yield front, f"http://127.0.0.1:{port}/graphql"


def _without_lifespan(app: Any) -> Any:
    async def wrapped(scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] != "lifespan":
            await app(scope, receive, send)
            return
        for kind in ("startup", "shutdown"):
            await receive()
            await send({"type": f"lifespan.{kind}.complete"})

    return wrapped


@pytest.mark.parametrize("method", ["post", "get"])
async def test_the_text_travels_once(
    front: tuple[Front, str], start_router: StartRouter, shop: Shop, tmp_path: Path, method: str
) -> None:
    seen, url = front
    supergraph = tmp_path / "one.graphql"
    supergraph.write_text(ONE_SUBGRAPH.replace("URL", url))
    async with start_router(supergraph=supergraph, traffic_shaping={"all": {"persisted_queries": method}}) as router:
        for who, name in (("u1", "Ann"), ("u2", "Ben"), ("u1", "Ann")):
            answer = await router.ask(QUERY, {"id": who}, authorization=token("u1"))
            assert answer == {"data": {"user": {"name": name}}}
        sent = method.upper()
        assert seen.seen == [(sent, False), ("POST", True), (sent, False), (sent, False)]


async def test_a_subgraph_that_knows_no_hashes_is_sent_texts(
    shop: Shop, start_router: StartRouter, tmp_path: Path
) -> None:
    supergraph = tmp_path / "one.graphql"
    settings = load_settings(
        None, {}, supergraph=tmp_path / "supergraph.graphql", persisted_documents={"automatic": False},
        telemetry={"log_level": "error"},
    )  # fmt: skip
    (tmp_path / "supergraph.graphql").write_text(shop.supergraph)
    front = Front(create_app(settings))
    async with serving(front) as port:
        supergraph.write_text(ONE_SUBGRAPH.replace("URL", f"http://127.0.0.1:{port}/graphql"))
        traffic = {"all": {"persisted_queries": "get"}}
        async with start_router(supergraph=supergraph, traffic_shaping=traffic) as router:
            for _ in range(2):
                assert (await router.ask(QUERY, {"id": "u1"}))["data"] == {"user": {"name": "Ann"}}
            assert front.seen == [("GET", False), ("POST", True), ("POST", True)]
