"""What the benchmarks' own subgraphs answer, and what is expected of a gateway in front of them."""

from __future__ import annotations

import jwt
import orjson
import pytest

from benchmarks.compiled_query import compile_query
from benchmarks.depot.facts import DEPOT, ITEMS, SPREAD, TRAIT_SUBGRAPHS
from benchmarks.depot.workloads import DEPOT_WORKLOADS, LARGE_AT_ONCE, MANY_PLANS
from benchmarks.gateways import Wanted
from benchmarks.load import joined
from benchmarks.shop.workloads import WORKLOADS
from benchmarks.signed_in import forged_authorization, key_set
from benchmarks.subgraph_server import Subgraphs
from benchmarks.workload import Workload
from router.loaded_graph import LoadedGraph
from schema import SubgraphSource, compose


def test_failures_stand_in_the_answer_as_null_with_an_error_each() -> None:
    query = "query ($of: [_Any!]!) { _entities(representations: $of) { ... on Item { discount } } }"
    body = {"query": query, "variables": {"of": [{"__typename": "Item", "sku": ITEMS[at]["sku"]} for at in (1, 3, 4)]}}
    answer = orjson.loads(Subgraphs(DEPOT).answer("/prices", orjson.dumps(body)))
    assert answer == {
        "data": {"_entities": [{"discount": 1}, {"discount": None}, {"discount": 4}]},
        "errors": [{"message": "it has none", "path": ["_entities", 1, "discount"]}],
    }


def test_the_depot_has_as_many_places_as_it_says() -> None:
    deep = next(each for each in DEPOT_WORKLOADS if each.name == "deep-lists")
    halls = deep.expected()["halls"]
    items = [
        item
        for hall in halls
        for aisle in hall["aisles"]
        for rack in aisle["racks"]
        for shelf in rack["shelves"]
        for item in shelf["items"]
    ]
    assert len(items) == SPREAD**5
    assert items[0] == {"sku": "sku-00000", "name": "Item 0", "quantity": 0, "price": 100}


@pytest.mark.parametrize("workload", [*WORKLOADS, *DEPOT_WORKLOADS], ids=lambda each: each.name)
async def test_every_operation_is_valid_in_its_graph(workload: Workload) -> None:
    sources = [SubgraphSource(name, sdl, url="http://127.0.0.1:1/") for name, sdl in workload.graph.sdl.items()]
    composed = compose(sources)
    assert composed.supergraph_sdl is not None, composed.errors
    graph = LoadedGraph.from_sdl(composed.supergraph_sdl)
    for each in workload.singly()[:20]:
        await graph.prepare(each.operation_text(), None)


def test_many_plans_are_many() -> None:
    workload = next(each for each in DEPOT_WORKLOADS if each.name == "many-plans")
    texts = [each.operation_text() for each in workload.singly()]
    assert len(set(texts)) == MANY_PLANS
    asked = {f"traits{number:02}" for number in range(TRAIT_SUBGRAPHS)}
    assert asked < set(DEPOT.sdl)
    compile_query(DEPOT, texts[-1], "monolith").answer({})


def test_a_workload_of_large_answers_takes_fewer_connections_and_never_more() -> None:
    large = next(each for each in DEPOT_WORKLOADS if each.name == "large-answer")
    assert large.connections(50) == LARGE_AT_ONCE
    assert large.connections(2) == 2
    assert all(each.connections(50) == 50 for each in WORKLOADS)


def test_parts_of_an_answer_are_put_together() -> None:
    parts = (
        b'{"data":{"list":[{"a":1},{"a":2}]},"hasNext":true}',
        b'{"incremental":[{"path":["list",1],"data":{"b":{"c":3}}}],"hasNext":true}',
        b'{"incremental":[{"path":["list",1],"data":{"b":{"d":4}}}],"hasNext":false}',
    )
    body = b"".join(b"\r\n---\r\ncontent-type: application/json\r\n\r\n" + part for part in parts) + b"\r\n-----\r\n"
    assert joined(body) == {"list": [{"a": 1}, {"a": 2, "b": {"c": 3, "d": 4}}]}


def test_parts_that_tell_their_place_by_what_is_pending_are_put_together_too() -> None:
    parts = (
        b'{"data":{"list":[{"a":1},{"a":2}]},"pending":[{"id":"7","path":["list"]}],"hasNext":true}',
        b'{"incremental":[{"id":"7","subPath":[1],"data":{"b":3}}],"completed":[{"id":"7"}],"hasNext":false}',
    )
    body = b"".join(b"--graphql\r\nContent-Type: application/json\r\n\r\n" + part + b"\r\n\r\n" for part in parts)
    assert joined(body + b"--graphql--") == {"list": [{"a": 1}, {"a": 2, "b": 3}]}


def test_the_deferred_form_asks_for_the_same_data() -> None:
    by_name = {each.name: each for each in WORKLOADS}
    assert by_name["heavy-deferred"].operation != by_name["heavy"].operation
    assert by_name["heavy-deferred"].expected() == by_name["heavy"].expected()
    assert by_name["heavy-deferred"].wanted(4200) == Wanted(defers=True)


def test_those_who_sign_in_have_a_token_each_that_the_key_set_of_the_subgraphs_verifies() -> None:
    workload = next(each for each in WORKLOADS if each.callers)
    url = workload.wanted(4200).jwks_url
    keys = jwt.PyJWKSet.from_json(Subgraphs(workload.graph, key_set().encode()).answer(url[-5:], b"").decode())
    tokens = [each.removeprefix("Bearer ") for each in workload.authorizations()]
    assert len(set(tokens)) == workload.callers
    claims = jwt.decode(tokens[-1], keys["benchmark"], algorithms=["RS256"])
    assert claims["sub"] == f"person-{workload.callers - 1}"
    with pytest.raises(jwt.InvalidSignatureError):
        jwt.decode(forged_authorization().removeprefix("Bearer "), keys["benchmark"], algorithms=["RS256"])
