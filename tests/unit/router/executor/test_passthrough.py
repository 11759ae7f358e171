"""Bytes may pass only where the projection would have changed nothing."""

from __future__ import annotations

from typing import Any

import orjson
import pytest
from graphql import build_schema
from hypothesis import given, settings
from hypothesis import strategies as st

from router.executor.passthrough import Passthrough, compile_passthrough
from router.executor.projection import Projection
from router.operation import Operation, normalize, parse_document
from router.query_plan import Fetch
from router.transport.graphql_result import graphql_result
from router.transport.protocol import SubgraphAnswer

SCHEMA = build_schema(
    """
    scalar JSON
    enum Color { RED GREEN }
    interface Named { name: String }
    type User implements Named {
      id: ID! name: String age: Int score: Float ok: Boolean! color: Color tags: [String!] grid: [[Int]!] best: User meta: JSON
    }
    type Query { me: User named: Named users: [User!]! }
    """
)


def operation_of(text: str) -> Operation:
    return normalize(parse_document(text), None, SCHEMA)


def passthrough_of(text: str) -> Passthrough | None:
    selections = operation_of(text).selections
    return compile_passthrough(Fetch("a", "query", selections), selections, SCHEMA)


@pytest.mark.parametrize(
    "text",
    [
        "{ named { name } }",  # the type decides
        "{ me { meta } }",  # any JSON
        "query ($v: Boolean!) { me { id @include(if: $v) } }",
        "{ me { ... on Named { name } } ... @include(if: true) { __schema { __typename } } }",
    ],
)
def test_shapes_that_depend_on_more_than_the_schema_never_pass(text: str) -> None:
    assert passthrough_of(text) is None


def test_a_plan_that_asks_for_more_than_the_client_never_passes() -> None:
    more = operation_of("{ me { id name } }").selections
    assert compile_passthrough(Fetch("a", "query", more), operation_of("{ me { name } }").selections, SCHEMA) is None


TEXT = "{ me { id class: name age score ok color tags grid best { id ok __typename } } users { id ok } }"

USER = {
    "id": "1", "class": "n", "age": 3, "score": 2, "ok": True, "color": "RED", "tags": ["a"], "grid": [[1, None]],
    "best": None,
}  # fmt: skip


def passed(data: Any, **envelope: Any) -> bytes | None:
    check = passthrough_of(TEXT)
    assert check is not None
    return check.body(SubgraphAnswer(envelope.pop("status", 200), orjson.dumps({"data": data, **envelope})))


def test_well_formed_bytes_pass_and_extensions_stay_behind() -> None:
    data = {"me": USER, "users": []}

    assert passed(data, extensions={"trace": "secret"}) == orjson.dumps({"data": data})


def test_bytes_that_are_data_only_are_not_copied() -> None:
    check = passthrough_of(TEXT)
    answer = SubgraphAnswer(200, orjson.dumps({"data": {"me": USER, "users": []}}))

    assert check is not None
    assert check.body(answer) is answer.body


@pytest.mark.parametrize(
    "extensions",
    [b'{"a":"\xff"}', b'{"\xed\xa0\x80":1}', b'"\\ud800"', b"01", b"[1,]", b'"\n"', b"[" * 2_000 + b"]" * 2_000],
)
def test_what_is_no_json_does_not_pass_wherever_it_is(extensions: bytes) -> None:
    check = passthrough_of("{ me { name } }")
    body = b'{"data":{"me":null},"extensions":%b}' % extensions

    assert check is not None
    assert graphql_result(body, is_exact=False) is None
    assert check.body(SubgraphAnswer(200, body)) is None


@pytest.mark.parametrize(
    "envelope", [{"errors": [{"message": "x"}]}, {"errors": []}, {"errors": None}, {"status": 500}]
)
def test_errors_and_other_statuses_go_the_ordinary_way(envelope: dict[str, Any]) -> None:
    assert passed({"me": USER, "users": []}, **envelope) is None


leaf = st.sampled_from(["1", "RED", "PINK", 3, 2**31, 1.5, True, None, [], {}, ["a"], [[1]], [None]])
lying_user = st.fixed_dictionaries(
    {name: st.just(value) | leaf for name, value in USER.items()}, optional={"extra": leaf}
) | st.just(USER)
lying_data = st.fixed_dictionaries({"me": lying_user | leaf, "users": st.just([]) | st.lists(lying_user) | leaf})


@settings(max_examples=300, deadline=None)
@given(lying_data)
def test_what_passes_is_what_the_plain_projection_makes(data: Any) -> None:
    body = passed(data)
    if body is None:
        return
    projection = Projection(SCHEMA, {}, [])
    projected = projection.project(operation_of(TEXT).selections, "Query", data)
    assert orjson.loads(body) == {"data": projected}
    assert projection.errors == []
