"""Contract variants: what tags leave of a graph, and what they must not leave."""

import pytest

from schema import SubgraphSource, compose
from schema.contract import contract_of

LINK = 'extend schema @link(url: "https://specs.apollo.dev/federation/v2.9", import: ["@tag", "@inaccessible"]) '


def api(sdl: str, **tags: list[str]) -> str:
    """The variant's API, one definition a line in the order of their names, or its error codes."""
    variant = contract_of(compose([SubgraphSource("a", LINK + sdl)]), **tags)
    if variant.api_sdl is None:
        return " ".join(sorted(error.code for error in variant.errors))
    return "\n".join(sorted(" ".join(each.split()) for each in variant.api_sdl.split("\n\n")))


MUTATION = 'type Mutation { m: Int @tag(name: "x") } type Subscription @tag(name: "x") { s: Int }'
UNION = 'union U = A | B type A @tag(name: "x") { x: Int } type B { y: Int @tag(name: "x") }'


def test_excluding_all_fields_of_a_root_excludes_the_root() -> None:
    assert api("type Query { a: Int } " + MUTATION, exclude=["x"]) == "type Query { a: Int }"


def test_a_root_of_which_nothing_is_included_is_left_out() -> None:
    sdl = 'type Query { a: Int @tag(name: "y") } ' + MUTATION

    assert api(sdl, include=["y"]) == "type Query { a: Int }"
    assert "type Mutation { m: Int }" in api(sdl, include=["x", "y"])


def test_only_the_query_root_has_to_be_there() -> None:
    assert api('type Query { a: Int @tag(name: "x") } type Mutation { m: Int }', exclude=["x"]) == (
        "ONLY_INACCESSIBLE_CHILDREN"
    )


def test_excluding_all_members_of_a_union_excludes_the_union() -> None:
    assert api('type Query { a: Int u: U @tag(name: "x") } ' + UNION, exclude=["x"]) == "type Query { a: Int }"


def test_a_union_keeps_the_members_that_are_left() -> None:
    sdl = "type Query { u: U } " + UNION.replace('y: Int @tag(name: "x")', "y: Int")

    assert api(sdl, exclude=["x"]) == "type B { y: Int }\ntype Query { u: U }\nunion U = B"


def test_a_visible_field_of_an_excluded_union_is_a_hole() -> None:
    assert api("type Query { a: Int u: U } " + UNION, exclude=["x"]) == "REFERENCED_INACCESSIBLE"


@pytest.mark.parametrize(
    "emptied",
    [
        'interface I { a: Int @tag(name: "x") } type T implements I { a: Int b: Int }',
        'enum T { A @tag(name: "x") }',
        'input T { a: Int @tag(name: "x") }',
    ],
)
def test_whatever_has_nothing_left_to_see_is_left_out(emptied: str) -> None:
    shown = api("type Query { a: Int t(i: Int): Int t2: Int } type Other { x: String } " + emptied, exclude=["x"])

    assert " I " not in shown
    assert "enum" not in shown
    assert "input" not in shown


def test_what_clients_send_and_leaf_types_need_no_tag_to_be_included() -> None:
    sdl = (
        'type Query { a(in: In, e: E): S @tag(name: "x") b: Int } scalar S enum E { A B @tag(name: "y") } '
        "input In { e: E s: S } union U = Query"
    )

    assert api(sdl, include=["x"]) == (
        "enum E { A B }\ninput In { e: E s: S }\nscalar S\ntype Query { a(in: In, e: E): S }"
    )
    assert "enum E { A }" in api(sdl, include=["x"], exclude=["y"])
