"""`@fromContext`: entities that stand in many contexts."""

from __future__ import annotations

import json

from router.executor.contextual import MAX_LOOKUPS_OF_REQUEST
from tests.testkit.federated_graph import FederatedGraph, world_of_sdls

SDL = """
extend schema @link(url: "https://specs.apollo.dev/federation/v2.8", import: ["@key", "@context", "@fromContext"])
type Query { shops: [Shop!]! }
type Shop @key(fields: "id") @context(name: "shop") { id: ID! currency: String best: Article }
type Article @key(fields: "id") { id: ID! price(in: String @fromContext(field: "$shop { currency }")): String }
"""


async def test_many_contexts_are_asked_for_in_few_requests_and_equal_ones_once() -> None:
    count = 2 * MAX_LOOKUPS_OF_REQUEST + 10
    article = {"__typename": "Article", "id": "a", "price": "9"}
    shops = {
        f"s{i}": {"__typename": "Shop", "id": f"{i}", "currency": f"{i // 2}", "best": "@a"} for i in range(2 * count)
    }
    data = json.dumps({"objects": {"a": article, **shops}, "Query": {"shops": [f"@{name}" for name in shops]}})
    graph = FederatedGraph.compose({"shops": SDL}, world_of_sdls(data, {"shops": SDL}))

    answer = await graph.answer("{ shops { best { price } } }", {})

    prices = [shop["best"]["price"] for shop in answer["data"]["shops"]]
    assert prices == [f'9{{"in":"{i // 2}"}}' for i in range(2 * count)]
    texts = [request["query"] for request in graph.stubs["shops"].requests]
    assert sum(text.count("_entities(") for text in texts) == count
    assert len(texts) == 1 + 3
