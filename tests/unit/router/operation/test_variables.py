from __future__ import annotations

from typing import Any

import pytest
from graphql import build_schema
from graphql.execution.values import get_variable_values
from hypothesis import given
from hypothesis import strategies as st

from router.errors import LimitExceededError, VariablesError
from router.operation import VariableCoercion, coerce_variables, normalize, parse_document

SDL = """
    scalar JSON
    enum Color { RED GREEN }
    input Size { width: Int = 3 color: Color! inner: Size }
    type Query { f(i: Int, s: String, b: Boolean, x: Float, id: ID, c: Color, l: [Int!], z: Size, j: JSON): Int }
    """
SCHEMA = build_schema(SDL)


def coerced(declarations: str, given_values: dict[str, Any] | None) -> dict[str, Any]:
    operation = normalize(parse_document(f"query ({declarations}) {{ __typename }}"), None, SCHEMA)
    return coerce_variables(operation, given_values, SCHEMA)


def test_absent_variables_stay_absent_and_defaults_are_filled_in() -> None:
    assert coerced("$a: Int, $b: Int = 5, $z: Size = {color: RED}", {}) == {"b": 5, "z": {"width": 3, "color": "RED"}}
    assert coerced("$a: Int, $b: Int = 5", {"a": None, "b": None, "unknown": 1}) == {"a": None, "b": None}


def test_values_are_coerced_as_the_specification_says() -> None:
    assert coerced("$id: ID, $x: Float, $l: [Int!]", {"id": 4, "x": 2, "l": 7}) == {"id": "4", "x": 2.0, "l": [7]}


@pytest.mark.parametrize(
    ("declaration", "value", "message"),
    [
        ("$v: Int!", None, "non-null"),
        ("$v: Int", "1", "Int cannot represent non-integer value"),
        ("$v: Int", 2**31, "Int cannot represent non 32-bit signed integer value"),
        ("$v: Int", True, "Int cannot represent non-integer value"),
        ("$v: Color", "BLUE", "BLUE"),
        ("$v: [Int!]", [1, None], "non-null"),
        ("$v: Size", {"width": 1}, "color"),
        ("$v: Size", {"color": "RED", "depth": 1}, "depth"),
    ],
)
def test_a_wrong_value_is_refused_with_a_code(declaration: str, value: Any, message: str) -> None:
    with pytest.raises(VariablesError, match=message) as caught:
        coerced(declaration, {"v": value})

    assert {entry["extensions"]["code"] for entry in caught.value.entries()} == {"BAD_USER_INPUT"}


def test_a_missing_required_variable_is_refused() -> None:
    with pytest.raises(VariablesError, match=r"\$v"):
        coerced("$v: Int!", {})


leaves = st.one_of(
    st.none(), st.booleans(), st.integers(-(2**33), 2**33), st.floats(allow_nan=False), st.text(max_size=3),
    st.sampled_from(["RED", "GREEN"]),
)  # fmt: skip
values = st.recursive(
    leaves,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["width", "color", "inner", "other"]), inner, max_size=3)
    ),
    max_leaves=6,
)
types = st.sampled_from(
    [
        "Int",
        "Int!",
        "String",
        "Boolean!",
        "Float",
        "ID!",
        "Color",
        "Color!",
        "[Int]",
        "[Int!]!",
        "[Color!]",
        "[[ID]]",
        "Size",
        "Size!",
        "JSON",
        "[Size!]",
    ]
)


#: Defaults of input fields are left to the subgraphs, and graphql-core fills them in.
WITHOUT_DEFAULTS = build_schema(SDL.replace("width: Int = 3", "width: Int"))


@given(types, values)
def test_values_are_coerced_as_graphql_core_does_it(type_text: str, value: Any) -> None:
    document = parse_document(f"query ($v: {type_text}) {{ __typename }}")
    expected = get_variable_values(WITHOUT_DEFAULTS, document.definitions[0].variable_definitions, {"v": value})  # type: ignore[attr-defined]
    operation = normalize(document, None, WITHOUT_DEFAULTS)
    try:
        result = coerce_variables(operation, {"v": value}, WITHOUT_DEFAULTS)
    except VariablesError:
        assert isinstance(expected, list)
    else:
        assert not isinstance(expected, list)
        assert result == expected.coerced


def test_too_many_values_are_refused_before_any_is_coerced() -> None:
    """A wrong value among them is not reported, so nothing was looked at; nesting hides none."""
    operation = normalize(parse_document("query ($l: [Int!], $j: JSON) { __typename }"), None, SCHEMA)
    coercion = VariableCoercion.of(operation, SCHEMA, most_values=10)
    assert coercion.coerce({"l": [1] * 9}) == {"l": [1] * 9}
    for too_many in ({"l": ["wrong"] * 10}, {"j": [[[{}] * 3] * 3]}, {"unknown": [1] * 10}):
        with pytest.raises(LimitExceededError) as refused:
            coercion.coerce(too_many)
        assert refused.value.entries()[0]["extensions"] == {"code": "VARIABLE_VALUE_LIMIT_EXCEEDED", "maximum": 10}
