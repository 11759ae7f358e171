"""Whole compositions: what is printed, that order does not matter, and contract variants."""

import pytest

from router.supergraph import read_supergraph
from schema import SubgraphSource, compose
from schema.contract import ContractError, contract_variant

LINK = (
    'extend schema @link(url: "https://specs.apollo.dev/federation/v2.7", import: ['
    '"@key", "@external", "@requires", "@shareable", "@tag", "@inaccessible", {name: "@override", as: "@takes"}])\n'
)
USERS = SubgraphSource(
    "users",
    LINK
    + """
    type Query { me: User }
    "A person"
    type User @key(fields: "id") { id: ID! name: String @tag(name: "public") email: String }
    """,
    "http://users/graphql",
)
ORDERS = SubgraphSource(
    "orders-2",
    LINK
    + """
    type User @key(fields: "id") {
      id: ID!
      name: String @external
      greeting: String @requires(fields: "name")
      email: String @takes(from: "users")
    }
    """,
    "http://orders/graphql",
)


def supergraph_of(*sources: SubgraphSource) -> str:
    composition = compose(sources)
    assert composition.errors == ()
    assert composition.supergraph_sdl is not None
    return composition.supergraph_sdl


def test_a_type_says_who_has_which_of_its_fields() -> None:
    sdl = supergraph_of(USERS, ORDERS)

    assert sdl[sdl.index('"""A person"""') :] == (
        '"""A person"""\n'
        "type User\n"
        '  @join__type(graph: ORDERS_2_, key: "id")\n'
        '  @join__type(graph: USERS, key: "id")\n'
        "{\n"
        "  id: ID!\n"
        '  name: String @join__field(graph: ORDERS_2_, external: true) @join__field(graph: USERS) @tag(name: "public")\n'
        '  greeting: String @join__field(graph: ORDERS_2_, requires: "name")\n'
        '  email: String @join__field(graph: ORDERS_2_, override: "users")\n'
        "}\n"
    )


def test_names_of_subgraphs_become_valid_and_unique_enum_values() -> None:
    sources = [
        SubgraphSource(name, f"type Query {{ f{index}: Int }}") for index, name in enumerate(["a-b", "a_b", "1x"])
    ]
    sdl = supergraph_of(*sources)

    assert [line.split()[0] for line in sdl.splitlines() if line.startswith("  ") and " @join__graph(" in line] == [
        "A_B_1",
        "A_B_2",
        "_1X",
    ]


def test_the_order_of_subgraphs_does_not_matter() -> None:
    assert supergraph_of(USERS, ORDERS) == supergraph_of(ORDERS, USERS)


def test_what_is_printed_can_be_read_back_by_the_router() -> None:
    supergraph = read_supergraph(supergraph_of(USERS, ORDERS))

    assert supergraph.subgraphs == {"orders-2": "http://orders/graphql", "users": "http://users/graphql"}
    assert set(supergraph.api_schema.type_map["User"].fields) == {"id", "name", "greeting", "email"}


def test_a_subgraph_of_federation_1_needs_no_shareable() -> None:
    first = SubgraphSource("a", "type Query { p: Point } type Point { x: Int }")
    second = SubgraphSource("b", "extend type Query { q: Point } type Point { x: Int }")

    assert "type Point" in supergraph_of(first, second)


def test_machinery_of_subgraphs_is_no_part_of_the_graph() -> None:
    sdl = (
        "scalar _Any union _Entity = T type _Service { sdl: String } "
        "type Query { t: T _service: _Service! _entities(representations: [_Any!]!): [_Entity]! } "
        'type T @key(fields: "id") { id: ID! }'
    )

    composition = compose([SubgraphSource("a", sdl)])

    assert composition.api_sdl == "type Query {\n  t: T\n}\n\ntype T {\n  id: ID!\n}\n"


def test_the_schema_is_described_in_the_graph_and_in_the_api() -> None:
    described = SubgraphSource("a", '"All about trees." schema { query: Query } type Query { a: Int }')

    supergraph = read_supergraph(supergraph_of(described))

    assert supergraph.api_schema.description == "All about trees."


def test_a_field_moves_although_an_interface_object_requires_it() -> None:
    link = LINK.replace('"@tag"', '"@tag", "@interfaceObject"')
    sdl = supergraph_of(
        SubgraphSource(
            "a",
            link + 'type Query { m: M } interface M @key(fields: "id") { id: ID! title: String } '
            'type A implements M @key(fields: "id") { id: ID! title: String @takes(from: "c") }',
        ),
        SubgraphSource(
            "b",
            link + 'type M @key(fields: "id") @interfaceObject '
            '{ id: ID! title: String @external x: String @requires(fields: "title") }',
        ),
        SubgraphSource("c", link + 'type A @key(fields: "id") { id: ID! title: String }'),
    )

    assert 'title: String @join__field(graph: A, override: "c")' in sdl


def test_a_contract_shows_only_what_carries_its_tags() -> None:
    tagged = USERS.sdl.replace("me: User", 'me: User @tag(name: "public")')
    sdl = supergraph_of(SubgraphSource("users", tagged))

    public = read_supergraph(contract_variant(sdl, include=["public"])).api_schema

    assert set(public.type_map["User"].fields) == {"name"}


def test_a_contract_that_leaves_a_hole_is_refused() -> None:
    sdl = supergraph_of(SubgraphSource("a", LINK + 'type Query { t: T } type T @tag(name: "x") { n: Int }'))

    with pytest.raises(ContractError, match="REFERENCED_INACCESSIBLE"):
        contract_variant(sdl, exclude=["x"])
