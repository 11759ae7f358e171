"""What interfaces ask for in the supergraph, so that a router that looks at one element only lets nobody around it."""

import re

from schema import SubgraphSource, compose

LINK = (
    'extend schema @link(url: "https://specs.apollo.dev/federation/v2.9", import: ["@key", "@shareable", '
    '"@interfaceObject", "@authenticated", "@requiresScopes", "@policy"])\n'
)


def rights(*sdls: str) -> dict[str, str]:
    """What each type and field asks for in the supergraph of subgraphs called a, b, c."""
    composition = compose([SubgraphSource(name, LINK + sdl) for name, sdl in zip("abc", sdls, strict=False)])
    assert [str(error) for error in composition.errors] == []
    asked, owner = {}, ""
    for line in (composition.supergraph_sdl or "").split("\n"):
        if declared := re.match(r"(?:type|interface) (\w+)", line):
            owner = declared[1]
        found = re.findall(r"@(?:authenticated|requiresScopes|policy)(?:\([^)]*\))?", line)
        if found and not line.startswith("directive"):
            field = re.match(r"  (\w+)[:(]", line)
            asked[f"{owner}.{field[1]}" if field else owner] = " ".join(found)
    return asked


def test_an_interface_and_its_fields_ask_for_all_that_their_objects_ask_for() -> None:
    assert rights(
        """
        type Query { i: I }
        interface I { n: Int }
        type A implements I @authenticated { n: Int @requiresScopes(scopes: [["x"], ["y"]]) }
        type B implements I { n: Int @requiresScopes(scopes: [["z"]]) }
        """
    ) == {
        "A": "@authenticated",
        "A.n": '@requiresScopes(scopes: [["x"], ["y"]])',
        "B.n": '@requiresScopes(scopes: [["z"]])',
        "I": "@authenticated",
        "I.n": '@requiresScopes(scopes: [["x", "z"], ["y", "z"]])',
    }


def test_interfaces_of_interfaces_ask_for_it_too() -> None:
    assert rights(
        """
        type Query { i: I }
        interface Top { n: Int }
        interface I implements Top { n: Int m: Int }
        type A implements I & Top { n: Int @authenticated m: Int @policy(policies: [["p"]]) }
        """
    ) == {
        "A.n": "@authenticated",
        "A.m": '@policy(policies: [["p"]])',
        "I.n": "@authenticated",
        "I.m": '@policy(policies: [["p"]])',
        "Top.n": "@authenticated",
    }


def test_what_an_interface_object_asks_for_cannot_be_got_around_by_asking_the_object() -> None:
    assert rights(
        """
        type Query { user: User }
        interface User @key(fields: "id") { id: ID! }
        type Member implements User @key(fields: "id") { id: ID! name: String @shareable @policy(policies: [["a"]]) }
        """,
        """
        type User @interfaceObject @key(fields: "id") {
          id: ID!
          name: String @shareable @policy(policies: [["b"]])
          salary: Int @authenticated
        }
        """,
    ) == {
        "Member.name": '@policy(policies: [["a", "b"]])',
        "Member.salary": "@authenticated",
        "User.name": '@policy(policies: [["a", "b"]])',
        "User.salary": "@authenticated",
    }


def test_what_another_subgraph_asks_of_an_object_counts() -> None:
    assert rights(
        "type Query { i: I } interface I { n: Int } type A implements I { n: Int @shareable }",
        "type A { n: Int @shareable @authenticated }",
    ) == {"A.n": "@authenticated", "I.n": "@authenticated"}


def test_an_empty_list_of_policies_asks_for_nothing_more() -> None:
    assert rights(
        """
        type Query { i: I }
        interface I { n: Int }
        type A implements I @policy(policies: []) { n: Int }
        type B implements I { n: Int }
        """
    ) == {"A": "@policy(policies: [])", "I": "@policy(policies: [])"}
