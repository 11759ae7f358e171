"""The compiled projection against the plain one, and the plain one against the specification."""

from __future__ import annotations

from typing import Any

import orjson
import pytest
from graphql import (
    GraphQLEnumType,
    GraphQLError,
    GraphQLList,
    build_schema,
    execute_sync,
    get_nullable_type,
    is_composite_type,
    parse,
)
from hypothesis import given, settings
from hypothesis import strategies as st

from router.exact_json import is_nested_deeper
from router.executor.compiled_projection import IRREGULAR_ERRORS, NAMES, compile_projection
from router.executor.projection import MAX_SCALAR_DEPTH, Projection
from router.executor.typed_projection import compile_typed
from router.operation import Operation, normalize, parse_and_validate

SCHEMA = build_schema(
    """
    scalar JSON
    enum Color { RED GREEN }
    interface Named { id: ID! name: String }
    type User implements Named {
      id: ID! name: String age: Int score: Float active: Boolean! friends: [User!] best: User! color: Color meta: JSON tags: [JSON!]
    }
    type Team implements Named { id: ID! name: String members: [User]! grid: [[Int!]]! colors: [Color!] }
    union Found = User | Team
    type Query { me: User us: User! named: [Named] found: Found! teams: [Team!]! many: [[Named!]] }
    """
)

OPERATIONS = [
    "{ me { id name age score active color meta best { id } friends { name } } }",
    "{ us { friends { best { best { active } } } } }",
    "{ named { __typename id ... on User { age best { id } } ... on Team { colors } } found { ... on Named { name } } }",
    "{ teams { grid members { id } t: __typename } many { id ... on Team { grid } } }",
    "query ($v: Boolean!) { me @include(if: $v) { id } named @skip(if: $v) { id name } teams { id @skip(if: $v) } }",
    "query ($v: Boolean!) { me { best @include(if: $v) { id } ... @skip(if: $v) { best { name } } best { age } } }",
    "{ named { id name } }",
    "{ me { meta tags } us { meta friends { meta tags } } }",
]


#: Those whose every object has one type.
OF_ONE_TYPE = [
    "{ me { id name age score active color best { id __typename } friends { name } } }",
    "{ us { friends { best { best { active } } } } }",
    "{ teams { grid members { id } t: __typename } class: teams { name colors } }",
    "query ($v: Boolean!) { me @include(if: $v) { id } us @skip(if: $v) { id name } teams { id @skip(if: $v) name } }",
    "query ($v: Boolean!) { me { best @include(if: $v) { id } ... @skip(if: $v) { best { name } } best { age } } }",
]


def operation_of(text: str) -> Operation:
    return normalize(parse_and_validate(text, SCHEMA), None, SCHEMA)


def plainly(operation: Operation, tree: Any, variables: dict[str, Any] | None = None) -> tuple[Any, list[Any]]:
    projection = Projection(SCHEMA, variables or {}, [])
    return projection.project(operation.selections, "Query", tree), projection.errors


def nested(levels: int) -> Any:
    return [nested(levels - 1)] if levels else 1


leaf = st.sampled_from(["a", "RED", "PURPLE", 1, 2**31, 1.5, True, None, {"x": [1]}])
typename = st.sampled_from(["User", "Team", "Named", "Ghost", None])


def objects(depth: int) -> st.SearchStrategy[Any]:
    """Mostly what the schema promises, with a lie here and there."""
    if depth == 0:
        return leaf
    inner = objects(depth - 1)
    good = {
        "__typename": st.sampled_from(["User", "Team"]),
        "id": st.just("1"),
        "name": st.sampled_from(["n", None]),
        "age": st.sampled_from([3, None]),
        "score": st.sampled_from([1.5, 2]),
        "active": st.booleans(),
        "color": st.sampled_from(["RED", None]),
        "meta": st.sampled_from([{"any": [1]}, None, "x", *map(nested, (127, 128, 200, 300))]),
        "tags": st.sampled_from([["x", {"any": [1]}], None, [nested(128)], [nested(127)], [None], nested(128)]),
        "grid": st.just([[1, 2], None, []]),
        "colors": st.sampled_from([["RED"], None]),
        "best": inner,
        "friends": st.lists(inner, max_size=2),
        "members": st.lists(inner, max_size=2),
    }
    honest = st.fixed_dictionaries(good)
    lying = st.fixed_dictionaries({}, optional={**dict.fromkeys(good, leaf), "__typename": typename})
    return honest | honest | honest | lying | leaf


trees = st.fixed_dictionaries(
    {
        "me": objects(3),
        "us": objects(3),
        "named": st.lists(objects(2), max_size=3) | leaf,
        "found": objects(2),
        "teams": st.lists(objects(2), max_size=2),
        "many": st.lists(st.lists(objects(2), max_size=2) | leaf, max_size=2),
    }
)


@settings(max_examples=300, deadline=None)
@given(st.sampled_from(OPERATIONS), trees, st.booleans())
def test_what_the_compiled_form_accepts_is_what_the_plain_form_makes(text: str, tree: Any, decision: bool) -> None:
    operation = operation_of(text)
    variables = {"v": decision}
    shared = frozenset({("me",), ("teams",), ("named",), ("us", "friends")})
    compiled = compile_projection(SCHEMA, "Query", operation.selections, variables, shared)
    try:
        made = orjson.dumps(compiled(tree, {}))
    except IRREGULAR_ERRORS:
        return
    data, errors = plainly(operation, tree, variables)
    assert made == orjson.dumps(data)  # the bytes: the order of keys is part of the promise
    assert errors == []


@pytest.mark.parametrize("value", [None, "x", 1, {}, [], {"a": [None]}, *map(nested, (127, 128, 200, 300))], ids=str)
@pytest.mark.parametrize("field", ["meta: JSON", "meta: JSON!", "meta: [JSON]", "meta: [JSON!]", "meta: [[JSON!]!]"])
def test_custom_scalars_are_taken_by_the_compiled_form_as_by_the_plain_form(field: str, value: Any) -> None:
    schema = build_schema(f"scalar JSON type Query {{ {field} }}")
    for _ in range(field.count("[")):
        value = [value]
    tree = {"meta": value}
    operation = normalize(parse_and_validate("{ meta }", schema), None, schema)
    projection = Projection(schema, {}, [])
    data = projection.project(operation.selections, "Query", tree)

    try:
        made = compile_projection(schema, "Query", operation.selections, {})(tree, {})
    except IRREGULAR_ERRORS:
        assert projection.errors != []
    else:
        assert (made, projection.errors) == (data, [])


@settings(max_examples=300, deadline=None)
@given(st.sampled_from(OF_ONE_TYPE), trees, st.booleans())
def test_what_the_typed_form_accepts_is_what_the_plain_form_makes(text: str, tree: Any, decision: bool) -> None:
    operation = operation_of(text)
    typed = compile_typed(SCHEMA, "Query", operation.selections, {"v": decision})
    assert typed is not None
    written = typed.written(tree)
    data, errors = plainly(operation, tree, {"v": decision})
    assert written is None or (written, []) == (orjson.dumps(data), errors)


@pytest.mark.parametrize("text", OF_ONE_TYPE)
def test_the_typed_form_accepts_well_formed_data(text: str) -> None:
    user: dict[str, Any] = {**USER, "friends": [USER | {"best": {**USER, "best": USER}}], "best": USER}
    team = {
        "__typename": "Team",
        "id": "2",
        "name": 'n"\u2028',
        "members": [user, None],
        "grid": [[1], None],
        "colors": [],
    }
    tree = {"me": user, "us": user, "teams": [team], "class": [team]}
    operation = operation_of(text)
    for decision in (True, False):
        typed = compile_typed(SCHEMA, "Query", operation.selections, {"v": decision})
        assert typed is not None
        assert typed.written(tree) == orjson.dumps(plainly(operation, tree, {"v": decision})[0])


@pytest.mark.parametrize("text", ["{ me { meta } }", "{ named { name } }", "{ __schema { __typename } me { id } }"])
def test_what_depends_on_more_than_the_schema_has_no_typed_form(text: str) -> None:
    assert compile_typed(SCHEMA, "Query", operation_of(text).selections, {}) is None


@pytest.mark.parametrize(
    ("number", "is_written"), [(1, True), (1.0, True), (-(2**63), True), (2**63, False), (10**400, False)]
)
def test_the_typed_form_leaves_integers_as_they_are_where_a_double_is_promised(number: float, is_written: bool) -> None:
    operation, tree = operation_of("{ me { score } }"), {"me": {"score": number}}
    typed = compile_typed(SCHEMA, "Query", operation.selections, {})
    assert typed is not None
    assert (typed.written(tree) == b'{"me":{"score":%b}}' % str(number).encode()) is is_written


@settings(max_examples=200, deadline=None)
@given(st.sampled_from(OPERATIONS), trees, st.sets(st.sampled_from(["id", "me", "us", "friends", "name", "teams"])))
def test_both_forms_write_the_keys_that_a_client_has_in_place_of_others(
    text: str, tree: Any, renamed: set[str]
) -> None:
    operation, names = operation_of(text), {key: f"client_{key}" for key in renamed}
    shared = frozenset({("me",), ("teams",), ("named",), ("us", "friends")})
    compiled = compile_projection(
        SCHEMA, "Query", operation.selections, {"v": True}, shared, renamed=frozenset(renamed)
    )
    try:
        made = orjson.dumps(compiled(tree, {NAMES: names}))
    except IRREGULAR_ERRORS:
        return
    plain = Projection(SCHEMA, {"v": True}, [], names).project(operation.selections, "Query", tree)
    assert made == orjson.dumps(plain)


def fitting(value: Any, type_: Any) -> Any:
    """The value, with an error in place of everything that is not of the type: graphql-core takes it from there."""
    type_ = get_nullable_type(type_)
    wrong = GraphQLError("a wrong value")
    if value is None:
        return None
    if isinstance(type_, GraphQLList):
        return [fitting(item, type_.of_type) for item in value] if value.__class__ is list else wrong
    if is_composite_type(type_):
        return value if value.__class__ is dict else wrong
    if isinstance(type_, GraphQLEnumType):
        return value if value.__class__ is str and value in type_.values else wrong
    match type_.name:
        case "Int":
            return value if value.__class__ is int and -(2**31) <= value < 2**31 else wrong
        case "Float":
            return value if value.__class__ in (int, float) else wrong
        case "Boolean" | "String" | "ID":
            kinds = {"Boolean": (bool,), "String": (str,), "ID": (str, int)}
            return value if value.__class__ in kinds[type_.name] else wrong
        case "JSON":
            return wrong if is_nested_deeper(value, MAX_SCALAR_DEPTH) else value
    return value


def by_specification(text: str, tree: Any, variables: dict[str, Any]) -> tuple[Any, set[str]]:
    """What graphql-core makes of the tree, and the paths of its errors."""

    def type_of(value: Any, _info: Any, type_: Any) -> str:
        typename = value.get("__typename")
        if typename in (None, "Named") and "{ id name }" in text:
            return "User"  # as good as any other: the same is asked of all
        possible = SCHEMA.get_possible_types(type_)
        return str(typename) if typename in [each.name for each in possible] else "Nothing"

    result = execute_sync(
        SCHEMA,
        parse(text),
        root_value=tree,
        variable_values=variables,
        field_resolver=lambda source, info, **_: fitting(source.get(info.path.key), info.return_type),
        type_resolver=type_of,
    )
    return result.data, {str(error.path) for error in result.errors or ()}


@settings(max_examples=400, deadline=None)
@given(st.sampled_from(OPERATIONS), trees, st.booleans())
def test_the_plain_form_makes_what_the_specification_says(text: str, tree: Any, decision: bool) -> None:
    variables = {"v": decision} if "$v" in text else {}
    data, errors = plainly(operation_of(text), tree, variables)
    expected, paths = by_specification(text, tree, variables)
    assert data == expected
    assert {str(error["path"]) for error in errors} <= paths
    assert bool(errors) == bool(paths)


USER = {
    "__typename": "User", "id": "1", "name": "n", "age": 3, "score": 2, "active": True, "color": "RED", "meta": {"a": 1},
}  # fmt: skip


@pytest.mark.parametrize("text", OPERATIONS)
def test_well_formed_data_never_needs_the_plain_form(text: str) -> None:
    user: dict[str, Any] = {**USER, "friends": [USER | {"best": {**USER, "best": USER}}], "best": USER}
    team = {"__typename": "Team", "id": "2", "name": None, "members": [user, None], "grid": [[1], None], "colors": None}
    tree = {"me": user, "us": user, "named": [user, None, team], "found": team, "teams": [team], "many": [[team], None]}
    operation = operation_of(text)
    for decision in (True, False):
        compiled = compile_projection(SCHEMA, "Query", operation.selections, {"v": decision})
        assert compiled(tree, {}) == plainly(operation, tree, {"v": decision})[0]


def test_a_shared_object_is_encoded_once_and_stands_everywhere() -> None:
    team = {"id": "t", "members": [USER]}
    operation = operation_of("{ teams { id members { name } } }")
    compiled = compile_projection(SCHEMA, "Query", operation.selections, {}, frozenset({("teams",)}))
    memo: dict[str, Any] = {}

    assert orjson.loads(orjson.dumps(compiled({"teams": [team, team]}, memo))) == {
        "teams": [{"id": "t", "members": [{"name": "n"}]}] * 2
    }
    assert len(memo) == 1


def test_null_rises_to_the_nearest_nullable_position_with_one_error() -> None:
    data, errors = plainly(operation_of("{ me { name best { best { id } } } }"), {"me": {"name": "n", "best": {}}})

    assert data == {"me": None}
    assert errors == [
        {
            "message": "Cannot return null for non-nullable field User.best.",
            "path": ["me", "best", "best"],
            "extensions": {"code": "NULL_FOR_NON_NULL"},
        }
    ]


def test_null_that_reaches_the_top_leaves_no_data() -> None:
    data, errors = plainly(operation_of("{ us { id } me { name } }"), {"us": None, "me": {"name": "n"}})

    assert data is None
    assert [error["path"] for error in errors] == [["us"]]


def test_a_null_item_of_a_list_of_non_null_makes_the_list_null() -> None:
    data, errors = plainly(operation_of("{ us { friends { name } } }"), {"us": {"friends": [{"name": "n"}, None]}})

    assert data == {"us": {"friends": None}}
    assert [error["path"] for error in errors] == [["us", "friends", 1]]


def test_a_null_which_a_fetch_explained_gets_no_second_error() -> None:
    projection = Projection(SCHEMA, {}, [{"message": "subgraph is down", "path": ["us"]}])

    assert projection.project(operation_of("{ us { id } }").selections, "Query", {}) is None
    assert projection.errors == []


@pytest.mark.parametrize(
    ("field", "value"),
    [("name", 5), ("age", "x"), ("age", 2**31), ("age", 1.5), ("active", 1), ("score", "1"), ("color", "PURPLE")],
)
def test_a_value_of_the_wrong_type_is_null_with_an_error_that_does_not_tell_it(field: str, value: Any) -> None:
    data, errors = plainly(operation_of(f"{{ named {{ id ... on User {{ {field} }} }} }}"), {
        "named": [{"__typename": "User", "id": "1", field: value}]
    })  # fmt: skip

    expected = None if field == "active" else {"id": "1", field: None}
    assert data == {"named": [expected]}
    assert errors[0]["extensions"] == {"code": "INVALID_VALUE"}
    assert errors[0]["path"] == ["named", 0, field]
    assert "PURPLE" not in errors[0]["message"]


def test_an_unknown_type_name_is_null_and_is_not_told() -> None:
    data, errors = plainly(
        operation_of("{ named { __typename id } }"), {"named": [{"__typename": "Secret", "id": "1"}]}
    )

    assert data == {"named": [None]}
    assert "Secret" not in str(errors)


def test_numbers_are_coerced_as_results() -> None:
    data, errors = plainly(operation_of("{ me { id age } }"), {"me": {"id": 7, "age": 3.0}})

    assert (data, errors) == ({"me": {"id": "7", "age": 3}}, [])


def test_an_interface_object_whose_type_nobody_asks_is_answered_as_it_is() -> None:
    operation = operation_of("{ named { id name } }")
    tree = {"named": [{"id": "1", "name": "a"}, {"__typename": "Named", "id": "2", "name": None}]}
    expected = {"named": [{"id": "1", "name": "a"}, {"id": "2", "name": None}]}

    assert plainly(operation, tree) == (expected, [])
    assert compile_projection(SCHEMA, "Query", operation.selections, {})(tree, {}) == expected
