"""Reading supergraphs of every join spec version."""

import pytest
from graphql import print_schema

from router.errors import SupergraphError
from router.query_graph import QueryGraph
from router.supergraph import TypeKind, parse_field_set, print_field_set, read_supergraph

JOIN = """
directive @join__graph(name: String!, url: String!) on ENUM_VALUE
enum join__Graph { A @join__graph(name: "a-service", url: "http://a") B @join__graph(name: "b", url: "http://b") }
scalar join__FieldSet
"""


def test_subgraphs_have_the_names_and_urls_of_join_graph() -> None:
    supergraph = read_supergraph(JOIN + "type Query @join__type(graph: A) { x: Int }")

    assert supergraph.subgraphs == {"a-service": "http://a", "b": "http://b"}
    assert supergraph.root_types == {"query": "Query"}


def test_a_field_without_join_field_belongs_to_every_subgraph_of_its_type() -> None:
    supergraph = read_supergraph(
        JOIN + "type Query @join__type(graph: A) @join__type(graph: B) { both: Int one: [Int!] @join__field(graph: B) }"
    )

    assert set(supergraph.views["a-service"]["Query"].fields) == {"both"}
    one = supergraph.views["b"]["Query"].fields["one"]
    assert (one.type, one.list_depth, one.type_text) == ("Int", 1, "[Int!]")


def test_a_field_that_only_interface_objects_resolve_belongs_to_nobody() -> None:
    supergraph = read_supergraph(JOIN + "type Query @join__type(graph: A) { x: Int @join__field y: Int }")

    assert set(supergraph.views["a-service"]["Query"].fields) == {"y"}


def test_join_v0_1_gives_unmarked_fields_of_an_entity_to_its_owner() -> None:
    supergraph = read_supergraph(
        JOIN
        + """
        type Query { user: User @join__field(graph: A) }
        type User @join__owner(graph: A) @join__type(graph: A, key: "id") @join__type(graph: B, key: "id")
        { id: ID! @join__field(graph: A) name: String age: Int @join__field(graph: B) }
        """
    )

    assert set(supergraph.views["a-service"]["User"].fields) == {"id", "name"}
    assert set(supergraph.views["b"]["User"].fields) == {"id", "age"}, "whoever has a key can tell its fields"
    assert [key.text for key in supergraph.views["b"]["User"].keys] == ["id"]


def test_keys_memberships_and_what_a_subgraph_says_of_a_field_are_read() -> None:
    supergraph = read_supergraph(
        JOIN
        + """
        type Query @join__type(graph: A) { u: U }
        interface N @join__type(graph: A) @join__type(graph: B, key: "id", isInterfaceObject: true) { id: ID! }
        union U @join__type(graph: A) @join__unionMember(graph: A, member: "T") = T
        type T implements N @join__implements(graph: A, interface: "N") @join__type(graph: A, key: "id", resolvable: false)
        {
          id: ID!
          x: Int @join__field(graph: A, external: true)
          y: Int @join__field(graph: A, requires: "x", provides: "z", override: "b", overrideLabel: "percent(1)")
        }
        """
    )
    view = supergraph.views["a-service"]

    assert view["T"].keys[0].resolvable is False
    assert view["N"].possible_types == view["U"].possible_types == {"T"}
    assert view["T"].fields["x"].external
    y = view["T"].fields["y"]
    assert (y.override_from, y.override_label) == ("b", "percent(1)")
    assert y.requires is not None
    assert print_field_set(y.requires) == "x"
    assert supergraph.views["b"]["N"].kind is TypeKind.OBJECT
    assert supergraph.views["b"]["N"].is_interface_object
    assert supergraph.override_labels == ("percent(1)",)


def test_clients_see_neither_machinery_nor_what_is_inaccessible() -> None:
    supergraph = read_supergraph(
        JOIN
        + """
        directive @inaccessible on FIELD_DEFINITION | OBJECT | ENUM_VALUE | ARGUMENT_DEFINITION
        directive @tag(name: String!) repeatable on FIELD_DEFINITION
        directive @live on FIELD
        type Query @join__type(graph: A)
        { a(x: Int, y: Int @inaccessible): E @tag(name: "t") hidden: Secret @inaccessible old: Int @deprecated(reason: "r") }
        type Secret @join__type(graph: A) @inaccessible { x: Int }
        enum E @join__type(graph: A) { ONE @join__enumValue(graph: A) TWO @inaccessible }
        """
    )

    assert print_schema(supergraph.api_schema) == (
        "directive @live on FIELD\n\n"
        'type Query {\n  a(x: Int): E\n  old: Int @deprecated(reason: "r")\n}\n\n'
        "enum E {\n  ONE\n}"
    )


@pytest.mark.parametrize(
    ("link", "name"),
    [
        (
            'url: "https://specs.apollo.dev/inaccessible/v0.2", import: [{name: "@inaccessible", as: "@hidden"}]',
            "hidden",
        ),
        ('url: "https://specs.apollo.dev/inaccessible/v0.2", as: "hidden"', "hidden"),
        ('url: "https://specs.apollo.dev/inaccessible/v0.2"', "inaccessible"),
    ],
)
def test_what_is_inaccessible_under_another_name_stays_hidden(link: str, name: str) -> None:
    supergraph = read_supergraph(
        f"schema @link({link}) {{ query: Query }} directive @{name} on FIELD_DEFINITION | ENUM_VALUE | ARGUMENT_DEFINITION "
        + JOIN
        + f"type Query @join__type(graph: A) {{ x(a: Int @{name}): E y: Int @{name} }} enum E {{ U V @{name} }}"
    )

    assert print_schema(supergraph.api_schema) == "type Query {\n  x: E\n}\n\nenum E {\n  U\n}"


@pytest.mark.parametrize(
    ("link", "name"),
    [
        # what composers make of a subgraph that writes @federation__context
        ('import: [{name: "@context", as: "@federation__context"}]', "federation__context"),
        ('as: "told"', "told"),
        ("", "context"),
    ],
)
def test_contexts_are_read_under_the_name_that_their_link_gives_them(link: str, name: str) -> None:
    supergraph = read_supergraph(
        f'schema @link(url: "https://specs.apollo.dev/context/v0.1", for: SECURITY, {link}) {{ query: Query }}'
        + JOIN
        + f'type Query @join__type(graph: A) @{name}(name: "above") {{ x: Int }}'
    )

    assert {*supergraph.views["a-service"]["Query"].contexts} == {"above"}


def test_join_is_read_under_the_name_that_its_link_gives_it() -> None:
    supergraph = read_supergraph(
        """
        schema @link(url: "https://specs.apollo.dev/link/v1.0")
          @link(url: "https://specs.apollo.dev/join/v0.5", as: "j", for: EXECUTION) { query: Query }
        directive @j__graph(name: String!, url: String!) on ENUM_VALUE
        directive @j__type(graph: j__Graph!, key: j__FieldSet) repeatable on OBJECT
        directive @j__field(graph: j__Graph, requires: j__FieldSet) on FIELD_DEFINITION
        scalar j__FieldSet
        enum j__Graph { A @j__graph(name: "a", url: "") B @j__graph(name: "b", url: "") }
        type Query @j__type(graph: A) { t: T }
        type T @j__type(graph: A, key: "id") @j__type(graph: B, key: "id") { id: ID! x: Int @j__field(graph: B) }
        """
    )

    assert supergraph.subgraphs == {"a": "", "b": ""}
    assert {name: [*view["T"].fields] for name, view in supergraph.views.items()} == {"a": ["id"], "b": ["id", "x"]}
    assert print_schema(supergraph.api_schema) == "type Query {\n  t: T\n}\n\ntype T {\n  id: ID!\n  x: Int\n}"


def test_a_label_repeated_on_the_source_of_an_override_is_the_takers() -> None:
    supergraph = read_supergraph(
        JOIN
        + "type Query @join__type(graph: A) @join__type(graph: B) { "
        + 'x: Int @join__field(graph: A, overrideLabel: "l") @join__field(graph: B, override: "a-service", overrideLabel: "l") }'
    )

    assert supergraph.override_labels == ("l",)
    assert supergraph.views["a-service"]["Query"].fields["x"].override_label is None
    assert supergraph.views["b"]["Query"].fields["x"].override_label == "l"


def test_a_field_in_use_is_resolved_by_its_source_as_long_as_the_label_is_off() -> None:
    supergraph = read_supergraph(
        JOIN
        + "type Query @join__type(graph: A) @join__type(graph: B) { "
        + 'x: Int @join__field(graph: A, overrideLabel: "l", usedOverridden: true) '
        + '@join__field(graph: B, override: "a-service", overrideLabel: "l") '
        + 'y: Int @join__field(graph: A, usedOverridden: true) @join__field(graph: B, override: "a-service") }'
    )

    assert QueryGraph(supergraph, frozenset()).subgraphs_resolving("Query", "x") == ("a-service",)
    assert QueryGraph(supergraph, frozenset({"l"})).subgraphs_resolving("Query", "x") == ("b",)
    assert QueryGraph(supergraph, frozenset()).subgraphs_resolving("Query", "y") == ("b",)


@pytest.mark.parametrize(
    ("sdl", "reason"),
    [
        ("type Query {", "cannot be parsed"),
        ("type Query { x: Int }", "no join__Graph enum"),
        (JOIN + "type Query @join__type(graph: C) { x: Int }", 'unknown subgraph "C"'),
        (JOIN + 'type Query @join__type(graph: A, key: "{") { x: Int }', "cannot be parsed"),
    ],
)
def test_a_text_that_is_no_supergraph_is_refused_with_the_reason(sdl: str, reason: str) -> None:
    with pytest.raises(SupergraphError, match=reason):
        read_supergraph(sdl)


@pytest.mark.parametrize("text", ["id", "id sku", "org { id } sku", "... on A { x(y: 1) }", 'price(in: "EUR")'])
def test_field_sets_print_as_they_are_written(text: str) -> None:
    assert print_field_set(parse_field_set(text)) == text


def test_braces_around_a_field_set_say_nothing() -> None:
    assert parse_field_set("{ id owner { id } }") == parse_field_set("id owner { id }")
