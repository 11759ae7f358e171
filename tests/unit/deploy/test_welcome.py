"""What the panel of a router alone tells of its settings."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from deploy.welcome import of_router
from router.settings import load_settings

SUBGRAPHS = {"products": "http://products:4001/graphql", "events": ""}


def rows(**settings: Any) -> dict[str, str]:
    loaded = load_settings(None, {}, supergraph=Path("a.graphql"), **settings)
    return {name: str(what) for name, what in of_router(loaded, SUBGRAPHS)}


def test_a_router_for_production_says_how_to_get_graphiql_and_asks_no_subgraph() -> None:
    assert rows() == {
        "GraphQL": "http://127.0.0.1:8080/graphql",
        "GraphiQL": "needs --dev, or `graphiql: true`",
        "health, metrics": "http://127.0.0.1:8080/ready, http://127.0.0.1:8080/actuator/prometheus",
        "products": "http://products:4001/graphql",
        "events": "found by discovery or by events",
        "changes": "need a new start, or --watch",
    }


@pytest.mark.parametrize(
    ("settings", "row", "expected"),
    [
        ({"graphiql": True}, "GraphQL, GraphiQL", "http://127.0.0.1:8080/graphql"),
        ({"host": "0.0.0.0", "port": 9}, "GraphQL", "http://127.0.0.1:9/graphql"),
        ({"host": "::"}, "GraphQL", "http://[::1]:8080/graphql"),
        ({"tls": {"certificate": "a", "key": "b"}, "path": "/"}, "GraphQL", "https://127.0.0.1:8080/"),
        ({"console": {"enabled": True}}, "console", "http://127.0.0.1:8080/"),
        ({"watch": True}, "changes", "are followed"),
        ({"subgraphs": {"products": {"url": "http://other/"}}}, "products", "http://other/"),
        ({"dev": True, "introspection": False}, "GraphiQL", "needs `introspection: true`"),
        ({"dev": True, "subgraphs": {"products": {"url": "http://127.0.0.1:1/"}}}, "products",
         "http://127.0.0.1:1/  cannot be reached: connection refused"),
    ],
)  # fmt: skip
def test_a_row_follows_the_settings(settings: dict[str, Any], row: str, expected: str) -> None:
    if settings.get("dev"):
        settings = {"subgraphs": {"products": {"url": "http://127.0.0.1:1/"}}, **settings}
    assert rows(**settings)[row] == expected


def test_of_several_instances_each_is_told() -> None:
    urls = ["http://one/graphql", "http://two/graphql"]
    loaded = load_settings(None, {}, supergraph=Path("a"), subgraphs={"products": {"urls": urls}})
    assert [str(what) for name, what in of_router(loaded, SUBGRAPHS) if name == "products"] == urls


def test_metrics_on_a_port_of_their_own_are_not_among_the_links() -> None:
    assert "health, metrics" not in rows(management={"port": 9080})
