"""Linked specifications: which of them stop the router, and whose names they own."""

import pytest
from graphql import print_schema

from router.errors import SupergraphError, UnsupportedLinkedFeatureError
from router.loaded_graph import LoadedGraph
from router.supergraph import read_supergraph

JOIN = """
directive @join__graph(name: String!, url: String!) on ENUM_VALUE
enum join__Graph { A @join__graph(name: "a", url: "") }
type Query @join__type(graph: A) { a: Int }
"""
LINK = '@link(url: "https://specs.apollo.dev/link/v1.0")'
JOINED = f'{LINK} @link(url: "https://specs.apollo.dev/join/v0.5", for: EXECUTION)'
CORE = '@core(feature: "https://specs.apollo.dev/core/v0.1") @core(feature: "https://specs.apollo.dev/join/v0.1")'


def read(schema_directives: str, more: str = "") -> str:
    supergraph = read_supergraph(f"schema {schema_directives} {{ query: Query }}\n{JOIN}{more}")
    return print_schema(supergraph.api_schema)


@pytest.mark.parametrize(
    ("links", "named"),
    [
        (f'{JOINED} @link(url: "https://example.com/acl/v1.0", for: SECURITY)', "https://example.com/acl/v1.0"),
        (f'{JOINED} @link(url: "https://example.com/acl", for: EXECUTION)', "https://example.com/acl"),
        (f'{JOINED} @link(url: "https://specs.apollo.dev/unheard/v0.1", for: SECURITY)', "unheard/v0.1"),
        (f'{JOINED} @link(url: "https://specs.apollo.dev/policy/v0.9", for: SECURITY)', "policy/v0.9"),
        (f'{JOINED} @link(url: "https://example.com/inaccessible/v0.2", for: SECURITY)', "example.com/inaccessible"),
        (f'{LINK} @link(url: "https://specs.apollo.dev/join/v9.9", for: EXECUTION)', "join/v9.9"),
        (f'{LINK} @link(url: "https://specs.apollo.dev/join/v1.0")', "join/v1.0"),
        ('@link(url: "https://specs.apollo.dev/link/v2.0")', "link/v2.0"),
        (f'{CORE} @core(feature: "https://example.com/acl/v1.0", for: SECURITY)', "https://example.com/acl/v1.0"),
        (
            '@at(url: "https://specs.apollo.dev/link/v1.0", as: "at") @at(url: "https://example.com/acl/v1.0", for: SECURITY)',
            "https://example.com/acl/v1.0",
        ),
        (
            (
                '@at(url: "https://specs.apollo.dev/link/v1.0", import: [{name: "@link", as: "@at"}]) '
                '@at(url: "https://example.com/acl/v1.0", for: SECURITY)'
            ),
            "https://example.com/acl/v1.0",
        ),
    ],
)
def test_what_must_not_be_passed_over_and_is_not_known_stops_the_router(links: str, named: str) -> None:
    with pytest.raises(UnsupportedLinkedFeatureError, match=named.replace(".", r"\.")) as refused:
        read(links)

    assert isinstance(refused.value, SupergraphError)
    assert refused.value.code == "UNSUPPORTED_LINKED_FEATURE"


def test_a_schema_extension_links_too() -> None:
    with pytest.raises(UnsupportedLinkedFeatureError):
        read(JOINED, 'extend schema @link(url: "https://example.com/acl/v1.0", for: SECURITY)')


@pytest.mark.parametrize(
    "links",
    [
        JOINED,
        CORE,
        f'{JOINED} @link(url: "https://example.com/notes/v1.0")',
        f'{JOINED} @link(url: "https://specs.apollo.dev/tag/v0.9")',
        f'{JOINED} @link(url: "https://specs.apollo.dev/inaccessible/v0.2", for: SECURITY)',
        f'{JOINED} @link(url: "https://specs.apollo.dev/context/v0.1", for: SECURITY)',
    ],
)
def test_what_is_known_or_has_no_purpose_is_read(links: str) -> None:
    assert read(links) == "type Query {\n  a: Int\n}"


def test_names_of_a_linked_specification_are_none_of_clients() -> None:
    notes = '@link(url: "https://example.com/notes/v1.0", import: ["@note", "Colour"])'
    assert read(
        f"{JOINED} {notes}",
        """
        directive @note(colour: Colour) on FIELD
        directive @notes(size: notes__Size) on FIELD
        directive @notes__mark on FIELD
        directive @live(for: Period) on FIELD
        enum Colour { RED }
        enum notes__Size { XL }
        enum Period { DAY }
        """,
    ) == ("directive @live(for: Period) on FIELD\n\ntype Query {\n  a: Int\n}\n\nenum Period {\n  DAY\n}")


def test_hidden_mutations_and_subscriptions_are_no_part_of_the_api() -> None:
    supergraph = read_supergraph(
        "schema { query: Query mutation: M subscription: S }"
        + JOIN
        + "type M @join__type(graph: A) @inaccessible { m: Int } type S @join__type(graph: A) @inaccessible { s: Int }"
    )

    assert print_schema(supergraph.api_schema) == "type Query {\n  a: Int\n}"
    assert supergraph.api_schema.mutation_type is None
    assert supergraph.api_schema.subscription_type is None


def test_a_graph_of_connectors_is_read_and_not_served() -> None:
    """Composition passes connectors on and reads its own result; the router would ask their subgraphs as GraphQL servers."""
    sdl = (
        f'schema {JOINED} @link(url: "https://specs.apollo.dev/connect/v0.3", for: EXECUTION) {{ query: Query }}{JOIN}'
    )
    assert read_supergraph(sdl).has_connectors
    with pytest.raises(UnsupportedLinkedFeatureError, match="connectors describe"):
        LoadedGraph.from_sdl(sdl)
    assert LoadedGraph.from_sdl(sdl.replace(", for: EXECUTION) {", ") {")).supergraph is not None
