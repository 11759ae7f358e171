"""What is wrong between subgraphs: the smallest cause of every code, with its exact message."""

import pytest

from schema import SubgraphSource, compose

LINK = (
    'extend schema @link(url: "https://specs.apollo.dev/federation/v2.9", import: ['
    '"@key", "@external", "@requires", "@provides", "@shareable", "@inaccessible", "@override", "@interfaceObject", '
    '"@composeDirective", "@context", "@fromContext", "@tag", "@cost", "@listSize", "@authenticated", '
    '"@requiresScopes", "@policy", "@extends"])\n'
)

CASES: list[tuple[str, dict[str, str], list[str]]] = [
    (
        "QUERY_ROOT_TYPE_INACCESSIBLE",
        {
            "a": LINK + "type Query @inaccessible { a: Int }",
        },
        [
            '[QUERY_ROOT_TYPE_INACCESSIBLE] "Query" is @inaccessible, but clients need the query root: hide its fields instead.',
        ],
    ),
    (
        "NO_QUERIES",
        {
            "a": LINK + "type T { n: Int }",
        },
        [
            "[NO_QUERIES] No queries found in any subgraph: give one a `type Query` with a field.",
        ],
    ),
    (
        "TYPE_KIND_MISMATCH",
        {
            "a": LINK + "type Query { a: Int } scalar T",
            "b": LINK + "type T { n: Int }",
        },
        [
            '[TYPE_KIND_MISMATCH] Type "T" is scalar in subgraph "a", object in subgraph "b": give the types different names or make them of one kind.',
        ],
    ),
    (
        "FIELD_TYPE_MISMATCH",
        {
            "a": LINK + "type Query { a: Int @shareable }",
            "b": LINK + "type Query { a: String @shareable }",
        },
        [
            '[FIELD_TYPE_MISMATCH] Type of field "Query.a" is incompatible across subgraphs: it is "Int" in subgraph "a", "String" in subgraph "b". Use one type; types may differ only where one of them has room for all the others, as a nullable type or an interface has.',
        ],
    ),
    (
        "FIELD_ARGUMENT_TYPE_MISMATCH",
        {
            "a": LINK + "type Query { a(x: Int): Int @shareable }",
            "b": LINK + "type Query { a(x: String): Int @shareable }",
        },
        [
            '[FIELD_ARGUMENT_TYPE_MISMATCH] Argument "Query.a(x:)" has incompatible types: "Int" in subgraph "a", "String" in subgraph "b". Use one type; they may only differ in being mandatory.',
        ],
    ),
    (
        "FIELD_ARGUMENT_DEFAULT_MISMATCH",
        {
            "a": LINK + "type Query { a(x: Int = 1): Int @shareable }",
            "b": LINK + "type Query { a(x: Int = 2): Int @shareable }",
        },
        [
            '[FIELD_ARGUMENT_DEFAULT_MISMATCH] Argument "Query.a(x:)" has different default values: 1 in subgraph "a", 2 in subgraph "b". Use one.',
        ],
    ),
    (
        "INPUT_FIELD_DEFAULT_MISMATCH",
        {
            "a": LINK + "type Query { a(x: X): Int } input X { n: Int = 1 }",
            "b": LINK + "input X { n: Int = 2 }",
        },
        [
            '[INPUT_FIELD_DEFAULT_MISMATCH] Input field "X.n" has different default values: 1 in subgraph "a", 2 in subgraph "b". Use one.',
        ],
    ),
    (
        "REQUIRED_ARGUMENT_MISSING_IN_SOME_SUBGRAPH",
        {
            "a": LINK + "type Query { a(x: Int!): Int @shareable }",
            "b": LINK + "type Query { a: Int @shareable }",
        },
        [
            '[REQUIRED_ARGUMENT_MISSING_IN_SOME_SUBGRAPH] Argument "Query.a(x:)" is required in subgraph "a" but does not exist in subgraph "b": add it there or make it optional.',
        ],
    ),
    (
        "REQUIRED_INPUT_FIELD_MISSING_IN_SOME_SUBGRAPH",
        {
            "a": LINK + "type Query { a(x: X): Int } input X { n: Int! m: Int }",
            "b": LINK + "input X { m: Int }",
        },
        [
            '[REQUIRED_INPUT_FIELD_MISSING_IN_SOME_SUBGRAPH] Input field "X.n" is required in subgraph "a" but does not exist in subgraph "b": add it there or make it optional.',
        ],
    ),
    (
        "EMPTY_MERGED_INPUT_TYPE",
        {
            "a": LINK + "type Query { a(x: X): Int } input X { n: Int }",
            "b": LINK + "input X { m: Int }",
        },
        [
            '[EMPTY_MERGED_INPUT_TYPE] Input type "X" has no field that subgraphs "a" and "b" have in common.',
        ],
    ),
    (
        "EMPTY_MERGED_ENUM_TYPE",
        {
            "a": LINK + "type Query { a(x: E): Int } enum E { A }",
            "b": LINK + "type Query { b(x: E): Int } enum E { B }",
        },
        [
            '[EMPTY_MERGED_ENUM_TYPE] Enum "E" is used as input and subgraphs "a" and "b" have no value in common.',
        ],
    ),
    (
        "ENUM_VALUE_MISMATCH",
        {
            "a": LINK + "type Query { a(x: E): E } enum E { A B }",
            "b": LINK + "enum E { A }",
        },
        [
            '[ENUM_VALUE_MISMATCH] Enum "E" is used as input and as output, so all subgraphs must have the same values: "B" is in subgraph "a" but not in subgraph "b".',
        ],
    ),
    (
        "INVALID_FIELD_SHARING",
        {
            "a": LINK + "type Query { a: Int }",
            "b": LINK + "type Query { a: Int }",
        },
        [
            '[INVALID_FIELD_SHARING] Non-shareable field "Query.a" is resolved from multiple subgraphs: it is resolved from subgraphs "a" and "b" and defined as non-shareable in subgraphs "a" and "b". Mark it @shareable there, or let one subgraph @override it.',
        ],
    ),
    (
        "INVALID_FIELD_SHARING",
        {
            "a": LINK + 'type Query { t: T } type T @key(fields: "x y") { x: ID! y: ID! }',
            "b": LINK + "type T { x: ID! y: ID! n: Int }",
        },
        [
            '[INVALID_FIELD_SHARING] Non-shareable fields "T.x", "T.y" are resolved from multiple subgraphs: they are resolved from subgraphs "a" and "b" and defined as non-shareable in subgraph "b". Add @key(fields: "x y") to "T" there, as subgraph "a" has it; or mark the fields @shareable, or let one subgraph @override them.',
        ],
    ),
    (
        "INVALID_FIELD_SHARING",
        {
            "a": LINK + 'type Query { t: T } type T @key(fields: "id") { id: ID! }',
            "b": LINK + 'type T @key(fields: "sku") { id: ID! sku: ID! }',
            "c": LINK + 'type T @key(fields: "id") { id: ID! n: Int @shareable }',
            "d": LINK + 'type T @key(fields: "id m") { id: ID! m: ID! n: Int }',
            "e": LINK + 'type T @key(fields: "m") { m: ID! }',
        },
        [
            '[INVALID_FIELD_SHARING] Non-shareable field "T.n" is resolved from multiple subgraphs: it is resolved from subgraphs "c" and "d" and defined as non-shareable in subgraph "d". Mark it @shareable there, or let one subgraph @override it.',
            '[INVALID_FIELD_SHARING] Non-shareable field "T.id" is resolved from multiple subgraphs: it is resolved from subgraphs "a", "b", "c" and "d" and defined as non-shareable in subgraph "b". Add @key(fields: "id") to "T" there, as subgraphs "a" and "c" have it; or mark the field @shareable, or let one subgraph @override it.',
        ],
    ),
    (
        "EXTERNAL_MISSING_ON_BASE",
        {
            "a": LINK
            + 'type Query { a: Int }  type T @key(fields: "id") { id: ID! m: Int @external n: Int @requires(fields: "m") }',
        },
        [
            '[EXTERNAL_MISSING_ON_BASE] Field "T.m" is marked @external in subgraph "a", but no other subgraph resolves it: remove the mark in the subgraph that does.',
        ],
    ),
    (
        "EXTERNAL_TYPE_MISMATCH",
        {
            "a": LINK
            + 'type Query { t: T } type T @key(fields: "id") { id: ID! m: Int @external n: Int @requires(fields: "m") }',
            "b": LINK + 'type T @key(fields: "id") { id: ID! m: String }',
        },
        [
            '[EXTERNAL_TYPE_MISMATCH] Field "T.m" has type "Int" where it is @external, in subgraph "a", but "String" where it is resolved, in subgraph "b": repeat the latter.',
        ],
    ),
    (
        "EXTERNAL_ARGUMENT_MISSING",
        {
            "a": LINK
            + 'type Query { t: T } type T @key(fields: "id") { id: ID! m: Int @external n: Int @requires(fields: "m") }',
            "b": LINK + 'type T @key(fields: "id") { id: ID! m(x: Int): Int }',
        },
        [
            '[EXTERNAL_ARGUMENT_MISSING] Field "T.m" lacks the argument "T.m(x:)" where it is @external, in subgraph "a".',
        ],
    ),
    (
        "EXTERNAL_ARGUMENT_TYPE_MISMATCH",
        {
            "a": LINK
            + 'type Query { t: T } type T @key(fields: "id") { id: ID! m(x: String): Int @external n: Int @requires(fields: "m") }',
            "b": LINK + 'type T @key(fields: "id") { id: ID! m(x: Int): Int }',
        },
        [
            '[EXTERNAL_ARGUMENT_TYPE_MISMATCH] Argument "T.m(x:)" has type "String" where the field is @external, in subgraph "a", but "Int" where it is resolved, in subgraph "b": repeat the latter.',
        ],
    ),
    (
        "EXTERNAL_ARGUMENT_DEFAULT_MISMATCH",
        {
            "a": LINK
            + 'type Query { t: T } type T @key(fields: "id") { id: ID! m(x: Int = 1): Int @external n: Int @requires(fields: "m") }',
            "b": LINK + 'type T @key(fields: "id") { id: ID! m(x: Int = 2): Int }',
        },
        [
            '[EXTERNAL_ARGUMENT_DEFAULT_MISMATCH] Argument "T.m(x:)" has the default 1 where the field is @external, in subgraph "a", but 2 where it is resolved, in subgraph "b": repeat the latter.',
        ],
    ),
    (
        "EXTENSION_WITH_NO_BASE",
        {
            "a": LINK + "type Query { a: Int } extend type T { n: Int }",
        },
        [
            '[EXTENSION_WITH_NO_BASE] Type "T" is extended in subgraph "a" but defined in no subgraph: write it without `extend` in the one that owns it.',
        ],
    ),
    (
        "INTERFACE_FIELD_NO_IMPLEM",
        {
            "a": LINK + "type Query { i: I } interface I { n: Int } type T implements I { n: Int }",
            "b": LINK + "interface I { m: Int }",
        },
        [
            "[INTERFACE_FIELD_NO_IMPLEM] Interface field I.m expected but T does not provide it.",
        ],
    ),
    (
        "REFERENCED_INACCESSIBLE",
        {
            "a": LINK + "type Query { t: T } type T @inaccessible { n: Int }",
        },
        [
            '[REFERENCED_INACCESSIBLE] "Query.t" is in the API, but its type "T" is @inaccessible: hide both or neither.',
        ],
    ),
    (
        "DEFAULT_VALUE_USES_INACCESSIBLE",
        {
            "a": LINK + "type Query { a(e: E = A): Int } enum E { A @inaccessible B }",
        },
        [
            '[DEFAULT_VALUE_USES_INACCESSIBLE] The default value of "Query.a(e:)" uses "E.A", which is @inaccessible: choose another default.',
        ],
    ),
    (
        "REQUIRED_INACCESSIBLE",
        {
            "a": LINK + "type Query { a(x: Int! @inaccessible): Int }",
        },
        [
            '[REQUIRED_INACCESSIBLE] The argument "Query.a(x:)" is @inaccessible but mandatory, so that nobody could give it: make it optional.',
        ],
    ),
    (
        "IMPLEMENTED_BY_INACCESSIBLE",
        {
            "a": LINK
            + "type Query { i: I } interface I { n: Int } type T implements I { n: Int @inaccessible m: Int }",
        },
        [
            '[IMPLEMENTED_BY_INACCESSIBLE] "T.n" is @inaccessible, but "I.n", which it implements, is in the API: hide that field too.',
        ],
    ),
    (
        "ONLY_INACCESSIBLE_CHILDREN",
        {
            "a": LINK + "type Query { a: Int } type T { n: Int @inaccessible }",
        },
        [
            '[ONLY_INACCESSIBLE_CHILDREN] "T" is in the API, but all its fields are @inaccessible: hide the type too, or show one.',
        ],
    ),
    (
        "MISSING_TRANSITIVE_AUTH_REQUIREMENTS",
        {
            "a": LINK
            + 'type Query { t: T } type T @key(fields: "id") { id: ID! m: Int @external n: Int @requires(fields: "m") }',
            "b": LINK + 'type T @key(fields: "id") { id: ID! m: Int @authenticated }',
        },
        [
            '[MISSING_TRANSITIVE_AUTH_REQUIREMENTS] "T.n" @requires "T.m" without asking for the rights that "T.m" asks for: repeat its @authenticated, @requiresScopes or @policy on the field.',
        ],
    ),
    (
        "MISSING_TRANSITIVE_AUTH_REQUIREMENTS",
        {
            "a": LINK
            + 'type Query { t: T } interface I { n: Int } type T @key(fields: "id") { id: ID! i: I @external n: Int @requires(fields: "i { n }") }',
            "b": LINK
            + 'interface I { n: Int } type A implements I @authenticated { n: Int } type T @key(fields: "id") { id: ID! i: I }',
        },
        [
            '[MISSING_TRANSITIVE_AUTH_REQUIREMENTS] "T.n" @requires "T.i" without asking for the rights that "T.i" asks for: repeat its @authenticated, @requiresScopes or @policy on the field.',
        ],
    ),
    (
        "MISSING_TRANSITIVE_AUTH_REQUIREMENTS",
        {
            "a": LINK
            + 'type Query { i: I } type I @interfaceObject @key(fields: "id") { id: ID! m: Int @external n: Int @requires(fields: "m") }',
            "b": LINK
            + 'interface I @key(fields: "id") { id: ID! m: Int } type T implements I @key(fields: "id") { id: ID! m: Int @authenticated }',
        },
        [
            '[MISSING_TRANSITIVE_AUTH_REQUIREMENTS] "I.n" @requires "I.m" without asking for the rights that "I.m" asks for: repeat its @authenticated, @requiresScopes or @policy on the field.',
        ],
    ),
    (
        "MISSING_TRANSITIVE_AUTH_REQUIREMENTS",
        {
            "a": LINK
            + 'type Query { t: T } type T @context(name: "c") { m: Int @authenticated u: U } type U @key(fields: "id") { id: ID! n(m: Int @fromContext(field: "$c { m }")): Int }',
            "b": LINK + "type Query { b: Int }",
        },
        [
            '[MISSING_TRANSITIVE_AUTH_REQUIREMENTS] "U.n" uses @fromContext of "T.m" without asking for the rights that "T.m" asks for: repeat its @authenticated, @requiresScopes or @policy on the field.',
        ],
    ),
    (
        "MISSING_TRANSITIVE_AUTH_REQUIREMENTS",
        {
            "a": LINK
            + 'type Query { s: S t: T } type S @context(name: "c") { m: Int u: U } type T @context(name: "c") @authenticated { m: Int u: U } type U @key(fields: "id") { id: ID! n(m: Int @fromContext(field: "$c { m }")): Int }',
            "b": LINK + "type Query { b: Int }",
        },
        [
            '[MISSING_TRANSITIVE_AUTH_REQUIREMENTS] "U.n" uses @fromContext of "T" without asking for the rights that "T" asks for: repeat its @authenticated, @requiresScopes or @policy on the field.',
        ],
    ),
    (
        "EXTENSION_WITH_NO_BASE",
        {
            "a": LINK + 'type Query { a: S } extend scalar S @specifiedBy(url: "https://s")',
        },
        [
            '[EXTENSION_WITH_NO_BASE] Type "S" is extended in subgraph "a" but defined in no subgraph: write it without `extend` in the one that owns it.',
        ],
    ),
    (
        "INTERFACE_FIELD_NO_IMPLEM",
        {
            "a": LINK
            + 'type Query { i: I } interface I @key(fields: "id") { id: ID! } interface J implements I { id: ID! } type T implements I & J @key(fields: "id") { id: ID! }',
            "b": LINK + 'type I @interfaceObject @key(fields: "id") { id: ID! n: Int }',
        },
        [
            '[INTERFACE_FIELD_NO_IMPLEM] "I" has the field "n" as an @interfaceObject in subgraph "b", but the interface "J", which implements it, does not: add the field to "J" as an @interfaceObject there too, both @shareable.',
        ],
    ),
    (
        "INVALID_FIELD_SHARING",
        {
            "a": LINK
            + 'type Query { i: I } interface I @key(fields: "id") { id: ID! } interface J implements I @key(fields: "id") { id: ID! } type T implements I & J @key(fields: "id") { id: ID! }',
            "b": LINK
            + 'type I @interfaceObject @key(fields: "id") { id: ID! n: Int } type J @interfaceObject @key(fields: "id") { id: ID! n: Int @shareable }',
        },
        [
            '[INVALID_FIELD_SHARING] Non-shareable field "T.n" is resolved from multiple subgraphs: it is resolved from subgraph "b" on "I", subgraph "b" on "J" and defined as non-shareable in subgraph "b". Mark it @shareable there, or let one subgraph @override it.',
        ],
    ),
    (
        "INVALID_FIELD_SHARING",
        {
            "a": LINK
            + 'type Query { i: I } interface I @key(fields: "id") { id: ID! } interface J @key(fields: "id") { id: ID! } type T implements I & J @key(fields: "id") { id: ID! }',
            "b": LINK + 'type I @interfaceObject @key(fields: "id") { id: ID! n: Int }',
            "c": LINK + 'type J @interfaceObject @key(fields: "id") { id: ID! n: Int }',
        },
        [
            '[INVALID_FIELD_SHARING] Non-shareable field "T.n" is resolved from multiple subgraphs: it is resolved from subgraphs "b" and "c" and defined as non-shareable in subgraphs "b" and "c". Mark it @shareable there, or let one subgraph @override it.',
        ],
    ),
    (
        "OVERRIDE_COLLISION_WITH_ANOTHER_DIRECTIVE",
        {
            "a": LINK
            + 'type Query { i: I } interface I @key(fields: "id") { id: ID! n: Int } type T implements I @key(fields: "id") { id: ID! n: Int @shareable @override(from: "b") }',
            "b": LINK + 'type I @interfaceObject @key(fields: "id") { id: ID! n: Int @shareable }',
        },
        [
            '[OVERRIDE_COLLISION_WITH_ANOTHER_DIRECTIVE] @override cannot be used on field "T.n" in subgraph "a": subgraph "b" resolves it on the @interfaceObject "I", for all that implement it.',
        ],
    ),
    (
        "REQUIRES_INVALID_FIELDS",
        {
            "a": LINK
            + 'type Query { t: T } type T @key(fields: "id") { id: ID! m(x: Int): Int @external n: Int @requires(fields: "m") }',
            "b": LINK + 'type T @key(fields: "id") { id: ID! m(x: Int!): Int }',
        },
        [
            '[REQUIRES_INVALID_FIELDS] [a] On "T.n", in @requires(fields: "m"): "T.m" needs the argument "x", which is mandatory in the graph: give it.',
        ],
    ),
    (
        "REQUIRES_INVALID_FIELDS",
        {
            "a": LINK
            + 'type Query { t: T } type T @key(fields: "id") { id: ID! m(x: Int): Int @external n: Int @requires(fields: "m(x: 1)") }',
            "b": LINK + 'type T @key(fields: "id") { id: ID! m: Int }',
        },
        [
            '[REQUIRES_INVALID_FIELDS] [a] On "T.n", in @requires(fields: "m(x: 1)"): "T.m" has no argument "x" in the graph, for not every subgraph that resolves it has one: add it there, or do not give it.',
        ],
    ),
    (
        "INTERFACE_FIELD_NO_IMPLEM",
        {
            "a": LINK
            + "type Query { i: I } interface I { n: Int } interface J implements I { n: Int m: Int } type S implements I & J { n: Int m: Int }",
            "b": LINK + "interface J { m: Int } type T implements J { m: Int }",
        },
        [
            "[INTERFACE_FIELD_NO_IMPLEM] Interface field J.n expected but T does not provide it.",
        ],
    ),
    (
        "INVALID_FIELD_SHARING",
        {
            "a": LINK
            + 'type Query { t: T @provides(fields: "n") } type T @key(fields: "id") { id: ID! n: Int @external }',
            "b": LINK + 'type T @key(fields: "id") { id: ID! n: Int }',
        },
        [
            '[INVALID_FIELD_SHARING] Non-shareable field "T.n" is resolved from multiple subgraphs: it is resolved from subgraphs "a" and "b" and defined as non-shareable in subgraph "b". Mark it @shareable there, or let one subgraph @override it.',
        ],
    ),
    (
        "SATISFIABILITY_ERROR",
        {
            "a": LINK + "type Query { t: T } type T @shareable { n: Int }",
            "b": LINK + "type T @shareable { n: Int m: Int }",
        },
        [
            """\
[SATISFIABILITY_ERROR] Field "T.m" cannot be resolved for an operation that is valid in the API:
query {
  t {
    m
  }
}
  - the object comes from "a"
  - subgraph "b" resolves it, but "T" has no resolvable @key there""",
        ],
    ),
    (
        "INVALID_GRAPHQL",
        {
            "a": LINK
            + "type Query { i: I } interface I { n(x: Int): Int } type T implements I @shareable { n(x: Int): Int }",
            "b": LINK + "type T @shareable { n: Int }",
        },
        [
            "[INVALID_GRAPHQL] Interface field argument I.n(x:) expected but T.n does not provide it.",
        ],
    ),
    (
        "CONTEXTUAL_ARGUMENT_NOT_CONTEXTUAL_IN_ALL_SUBGRAPHS",
        {
            "a": LINK
            + 'type Query { t: T } type T @key(fields: "id") @context(name: "c") { id: ID! p: Int u: U } type U @key(fields: "id") { id: ID! f(x: Int @fromContext(field: "$c { p }")): Int @shareable }',
            "b": LINK + 'type U @key(fields: "id") { id: ID! f(x: Int!): Int @shareable }',
        },
        [
            '[CONTEXTUAL_ARGUMENT_NOT_CONTEXTUAL_IN_ALL_SUBGRAPHS] Argument "U.f(x:)" is filled from a context in subgraph "a" and so is no argument of the graph, but it is mandatory in subgraph "b": use @fromContext there too or make it optional.',
        ],
    ),
    (
        "LINK_IMPORT_NAME_MISMATCH",
        {
            "a": LINK + 'type Query { a: Int @tag(name: "x") }',
            "b": 'extend schema @link(url: "https://specs.apollo.dev/federation/v2.9") type Query { b: Int @federation__tag(name: "x") }',
        },
        [
            '[LINK_IMPORT_NAME_MISMATCH] Federation\'s @tag has different names: "@tag" in subgraph "a", "@federation__tag" in subgraph "b". Import it under one name everywhere.',
        ],
    ),
    (
        "SHAREABLE_HAS_MISMATCHED_RUNTIME_TYPES",
        {
            "a": LINK + "type Query { u: U @shareable } union U = A type A { n: Int }",
            "b": LINK + "type Query { u: U @shareable } union U = B type B { n: Int }",
        },
        [
            '[SHAREABLE_HAS_MISMATCHED_RUNTIME_TYPES] Subgraphs share "Query.u", but no object type of "U" is known to all of them: in subgraph "a" A; in subgraph "b" B. The answer would depend on who is asked:\nquery {\n  u {\n    __typename\n  }\n}',
        ],
    ),
    (
        "DISALLOWED_INACCESSIBLE",
        {
            "a": LINK
            + 'extend schema @link(url: "https://x.dev/x/v1.0", import: ["@x"]) @composeDirective(name: "@x") directive @x(a: Int @inaccessible) on FIELD_DEFINITION type Query { a: Int @x }',
        },
        [
            '[DISALLOWED_INACCESSIBLE] [a] The argument "a" of the composed directive "@x" cannot be @inaccessible.',
        ],
    ),
]


@pytest.mark.parametrize(("code", "subgraphs", "expected"), CASES, ids=[case[0] for case in CASES])
def test_the_smallest_subgraphs_with_an_error_give_exactly_it(
    code: str, subgraphs: dict[str, str], expected: list[str]
) -> None:
    composition = compose([SubgraphSource(name, sdl) for name, sdl in subgraphs.items()])

    assert [f"[{finding.code}] {finding.message}" for finding in composition.errors] == expected
    assert f"[{code}]" in expected[0]
    assert composition.supergraph_sdl is None
