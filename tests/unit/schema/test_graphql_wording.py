"""graphql-core's sentences, provoked one by one: what is read out of them is still in them."""

import pytest
from graphql import GraphQLError, build_schema, find_schema_changes, parse, validate_schema
from graphql.validation.validate import validate_sdl

from schema.graphql_wording import (
    coordinates_in,
    coordinates_of_change,
    is_tolerated,
    lacks_interface_field,
    lacks_interface_of_interface,
    unknown_directive,
)


def errors_of(sdl: str) -> list[GraphQLError]:
    return list(validate_schema(build_schema(sdl, assume_valid_sdl=True)))


@pytest.mark.parametrize(
    "sdl",
    [
        "type T { a: Int }",
        "type Query",
        "type Query { a(b: Int! @deprecated): Int }",
        "type Query { a(in: In): Int } input In { b: Int! @deprecated }",
        'type Query { a(role: Role = "ADMIN"): Int } enum Role { ADMIN }',
        'type Query { a(in: In): Int } input In { role: Role = "ADMIN" } enum Role { ADMIN }',
    ],
)
def test_what_a_subgraph_may_do_is_told_by_a_sentence_that_is_known(sdl: str) -> None:
    errors = errors_of(sdl)

    assert errors
    assert all(is_tolerated(error, ["Query"]) for error in errors), errors


@pytest.mark.parametrize(
    "sdl",
    [
        "type Query { t: T } type T",
        'type Query { a(role: Role = "USER"): Int } enum Role { ADMIN }',
        "type Query { a(role: Role = 1): Int } enum Role { ADMIN }",
    ],
)
def test_all_else_is_an_error(sdl: str) -> None:
    assert not any(is_tolerated(error, ["Query"]) for error in errors_of(sdl))


def test_a_directive_that_nothing_defines() -> None:
    (error,) = validate_sdl(parse("type Query { a: Int @shareable }"))

    assert unknown_directive(error.message) == "shareable"
    assert unknown_directive("Unknown type 'shareable'.") is None


def test_a_field_that_an_interface_asks_for() -> None:
    (error,) = errors_of("type Query { i: I } interface I { a: Int } type T implements I { b: Int }")

    assert lacks_interface_field(error.message)
    assert {"I.a", "T"} <= set(coordinates_in(error.message))


def test_an_argument_that_an_interface_asks_for_is_something_else() -> None:
    (error,) = errors_of("type Query { i: I } interface I { a(b: Int): Int } type T implements I { a: Int }")

    assert not lacks_interface_field(error.message)


def test_an_interface_that_an_interface_asks_for() -> None:
    (error,) = errors_of(
        "type Query { i: I } interface I { a: Int } interface J implements I { a: Int } type T implements J { a: Int }"
    )

    assert lacks_interface_of_interface(error.message)
    assert not lacks_interface_field(error.message)


OLD = "type Query { a: Int e(x: In): E u: U } enum E { A B } union U = S | T type S { s: Int } type T { t: Int } input In { i: Int }"


@pytest.mark.parametrize(
    ("old", "new", "coordinates"),
    [
        ("a: Int ", "", {"Query.a"}),
        ("a: Int ", "a: String ", {"Query.a"}),
        ("e(x: In)", "e", {"Query.e(x:)"}),
        ("e(x: In)", "e(x: In, y: Int!)", {"Query.e"}),
        ("e(x: In)", "e(x: In, y: Int)", {"Query.e"}),
        ("{ A B }", "{ A }", {"E"}),
        ("{ A B }", "{ A B C }", {"E"}),
        ("{ i: Int }", "{ i: Int j: Int! }", {"In"}),
        ("S | T", "S", {"T", "U"}),
        ("type S {", "interface I { s: Int } type S implements I {", {"S", "I"}),
    ],
)
def test_what_a_change_touches(old: str, new: str, coordinates: set[str]) -> None:
    changes = find_schema_changes(build_schema(OLD), build_schema(OLD.replace(old, new)))

    assert coordinates in [coordinates_of_change(change) for change in changes], [each.description for each in changes]
