"""Directives that composition does not interpret but hands on: connectors, cache tags, tags of the schema."""

from router.supergraph import read_supergraph
from schema import SubgraphSource, compose

CONNECTORS = (
    'extend schema @link(url: "https://specs.apollo.dev/federation/v2.11", import: ["@key"]) '
    '@link(url: "https://specs.apollo.dev/connect/v0.1", import: ["@connect", "@source"]) '
    '@source(name: "api", http: {baseURL: "http://api", headers: [{name: "X", from: "Y"}]}) '
    "type Query { "
    'user(id: ID!): User @connect(source: "api", http: {GET: "/users/{$args.id}"}, selection: "id name", entity: true) } '
    'type User @key(fields: "id") { id: ID! name: String }'
)
OTHER = (
    'extend schema @link(url: "https://specs.apollo.dev/federation/v2.3", import: ["@key"]) '
    'type User @key(fields: "id") { id: ID! age: Int }'
)


def supergraph_of(**sdls: str) -> str:
    composition = compose([SubgraphSource(name, sdl) for name, sdl in sdls.items()])
    assert [str(error) for error in composition.errors] == []
    return composition.supergraph_sdl or ""


def test_connectors_stand_where_they_stood() -> None:
    sdl = supergraph_of(a=CONNECTORS, b=OTHER)

    assert '@link(url: "https://specs.apollo.dev/connect/v0.3", for: EXECUTION)' in sdl
    assert (
        '@join__directive(graphs: [A], name: "source", args: {name: "api", http: {baseURL: "http://api", '
        'headers: [{name: "X", from: "Y"}]}})'
    ) in " ".join(sdl.split()).replace("{ ", "{").replace(" }", "}")
    assert (
        '@join__directive(graphs: [A], name: "link", args: {url: "https://specs.apollo.dev/connect/v0.1", '
        'import: ["@connect", "@source"]})'
    ) in sdl
    assert '  user(id: ID!): User @join__directive(graphs: [A], name: "connect", args: {source: "api", http: {' in sdl
    assert set(read_supergraph(sdl).api_schema.type_map["User"].fields) == {"id", "name", "age"}


def test_a_prefixed_connector_keeps_its_prefix() -> None:
    sdl = (
        'extend schema @link(url: "https://specs.apollo.dev/federation/v2.10") '
        '@link(url: "https://specs.apollo.dev/connect/v0.1", as: "c") @c__source(name: "api", http: {baseURL: "x"}) '
        'type Query { n: Int @c(source: "api", selection: "n") }'
    )

    text = supergraph_of(a=sdl)

    assert '  n: Int @join__directive(graphs: [A], name: "c", args: {source: "api", selection: "n"})\n' in text
    assert '@join__directive(graphs: [A], name: "c__source", args: {' in text
    assert 'name: "link", args: {url: "https://specs.apollo.dev/connect/v0.1", as: "c"})' in text


def test_equal_cache_tags_are_said_once_for_all_subgraphs() -> None:
    sdl = (
        'extend schema @link(url: "https://specs.apollo.dev/federation/v2.12", import: ["@shareable", "@cacheTag"]) '
        'type Query { n: Int @shareable @cacheTag(format: "n") }'
    )

    assert (
        '  n: Int @join__directive(graphs: [A, B], name: "federation__cacheTag", args: {format: "n"})\n'
    ) in supergraph_of(a=sdl, b=sdl)


def test_tags_of_the_schema_are_kept() -> None:
    link = 'extend schema @link(url: "https://specs.apollo.dev/federation/v2.3", import: ["@tag"])'

    sdl = supergraph_of(a=f'{link} @tag(name: "x") type Query {{ a: Int }}', b=f'{link} @tag(name: "y") scalar S')

    assert '  @tag(name: "x")\n  @tag(name: "y")\n{\n  query: Query\n}' in sdl
