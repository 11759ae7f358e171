"""Custom executable directives: wherever a client writes one, the subgraphs are asked with it."""

from __future__ import annotations

from typing import Any

import orjson
import pytest

from router.loaded_graph import LoadedGraph
from router.pipeline import run
from router.prepared_request import OperationRequest, Runtime
from router.transport.in_process import InProcessTransport
from schema import SubgraphSource, compose

DIRECTIVES = """
extend schema @link(url: "https://specs.apollo.dev/federation/v2.3", import: ["@key", "@external", "@requires", "@shareable"])
directive @fmt(as: F! = SHORT, n: Int) on FIELD
directive @mark(of: String!) repeatable on FIELD | INLINE_FRAGMENT | FRAGMENT_SPREAD
directive @spread on FRAGMENT_SPREAD
directive @live(for: Int) on QUERY | SUBSCRIPTION
directive @safe on MUTATION
directive @secret on VARIABLE_DEFINITION
enum F { SHORT LONG }
"""
C = (
    DIRECTIVES
    + 'type Query { day(n: Int): String e: E } type Mutation { move: E } type E @key(fields: "id") { id: ID! zone: String }'
)
D = (
    DIRECTIVES
    + 'type E @key(fields: "id") { id: ID! born(n: Int): String zone: String @external at: String @requires(fields: "zone") }'
)
DATA = {
    "day": "Friday",
    "e": {"__typename": "E", "id": "1", "zone": "z", "__k0_zone": "z"},
    "move": {"__typename": "E", "id": "1", "zone": "z"},
}


async def asked(operation: str, variables: Any = None) -> list[tuple[str, Any]]:
    """What the subgraphs are asked, in order."""
    sent: list[tuple[str, Any]] = []

    async def answer(body: bytes) -> bytes:
        request = orjson.loads(body)
        sent.append((request["query"], request["variables"]))
        entities = [{"__typename": "E", "born": "1990", "at": "here"}]
        return orjson.dumps({"data": {**DATA, "_entities": entities}})

    composition = compose([SubgraphSource("c", C), SubgraphSource("d", D)])
    assert composition.supergraph_sdl is not None, composition.errors
    graph = LoadedGraph.from_sdl(composition.supergraph_sdl)
    transport = InProcessTransport(functions={"c": answer, "d": answer})
    response = await run(OperationRequest(operation, variables), graph, Runtime(transport))
    assert not response.has_errors, response.body
    return sent


ENTITIES = "_entities(representations:$representations)"
CASES: dict[str, list[str]] = {
    "{ day @fmt(as: LONG) e { born @fmt(as: LONG) } }": [
        "query{day@fmt(as: LONG) e{id}}",
        f"query($representations:[_Any!]!){{{ENTITIES}{{...on E{{born@fmt(as: LONG)}}}}}}",
    ],
    "{ a: day @fmt b: day }": ["query{a:day@fmt b:day}"],
    "{ day day @fmt(n: 1) day @fmt(n: 2) }": ["query{day@fmt(n: 1)}"],
    '{ day @mark(of: "a") ... { day @mark(of: "b") } }': ['query{day@mark(of: "a")@mark(of: "b")}'],
    '{ ... @mark(of: "a") { day e { zone } } }': ['query{...@mark(of: "a"){day} ...@mark(of: "a"){e{zone}}}'],
    '{ ...Q @mark(of: "a") @spread } fragment Q on Query { day @fmt }': ['query{...@mark(of: "a"){day@fmt}}'],
    '{ e { ... on E @mark(of: "x") { born } } }': [
        "query{e{id}}",
        f'query($representations:[_Any!]!){{{ENTITIES}{{...on E{{...@mark(of: "x"){{born}}}}}}}}',
    ],
    "query Q @live(for: 5) { day e { born } }": [
        "query@live(for: 5){day e{id}}",
        f"query($representations:[_Any!]!)@live(for: 5){{{ENTITIES}{{...on E{{born}}}}}}",
    ],
    "mutation @safe { move { born } }": [
        "mutation@safe{move{id}}",
        f"query($representations:[_Any!]!){{{ENTITIES}{{...on E{{born}}}}}}",
    ],
    'query ($v: Boolean = true) { day day @mark(of: "a") @include(if: $v) }': [
        'query($v:Boolean=true){day day@mark(of: "a")@include(if:$v)}'
    ],
    'query ($v: Boolean = true) { day @mark(of: "a") @skip(if: $v) day @mark(of: "b") @include(if: $v) }': [
        'query($v:Boolean=true){day@mark(of: "a")@skip(if:$v) day@mark(of: "b")@include(if:$v)}'
    ],
    "{ e { zone @fmt(as: LONG) at } }": [
        "query{e{zone@fmt(as: LONG) id __k0_zone:zone}}",
        f"query($representations:[_Any!]!){{{ENTITIES}{{...on E{{at}}}}}}",
    ],
}


@pytest.mark.parametrize("operation", CASES)
async def test_subgraphs_are_asked_with_the_directives(operation: str) -> None:
    assert [query for query, _ in await asked(operation)] == CASES[operation]


async def test_variables_of_directives_go_with_them() -> None:
    operation = (
        "query ($n: Int = 3 @secret, $l: Int, $f: F!) @live(for: $l) { day(n: 1) @fmt(as: $f, n: $n) e { born } }"
    )
    first, second = await asked(operation, {"l": 7, "f": "LONG"})
    assert first[0].startswith("query(")
    assert "$n:Int=3@secret" in first[0]
    assert first[0].endswith(")@live(for: $l){day(n:$_0)@fmt(as: $f,n: $n) e{id}}")
    assert first[1] == {"n": 3, "l": 7, "f": "LONG", "_0": 1}
    assert second[0] == f"query($representations:[_Any!]!,$l:Int)@live(for: $l){{{ENTITIES}{{...on E{{born}}}}}}"
    assert {name for name in second[1] if name != "representations"} == {"l"}


async def test_conditions_and_directives_stand_together() -> None:
    ((query, _),) = await asked(
        'query ($v: Boolean!) { day @include(if: $v) @fmt ... @include(if: $v) @mark(of: "a") { b: day } }', {"v": True}
    )
    assert query == 'query($v:Boolean!){day@fmt@include(if:$v) ...@mark(of: "a"){b:day@include(if:$v)}}'
