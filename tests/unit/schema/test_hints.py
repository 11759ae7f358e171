"""What composition only remarks: the smallest cause of every hint."""

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
        "INCONSISTENT_ARGUMENT_PRESENCE",
        {
            "a": LINK + "type Query { a(x: Int): Int @shareable }",
            "b": LINK + "type Query { a: Int @shareable }",
        },
        [
            '[INCONSISTENT_ARGUMENT_PRESENCE] Argument "Query.a(x:)" is left out of the graph: it does not exist in subgraph "b".',
        ],
    ),
    (
        "INCONSISTENT_INPUT_OBJECT_FIELD",
        {
            "a": LINK + "type Query { a(x: X): Int } input X { n: Int m: Int }",
            "b": LINK + "input X { n: Int }",
        },
        [
            '[INCONSISTENT_INPUT_OBJECT_FIELD] Input field "X.m" is left out of the graph: it does not exist in subgraph "b".',
        ],
    ),
    (
        "INCONSISTENT_ENUM_VALUE_FOR_INPUT_ENUM",
        {
            "a": LINK + "type Query { a(x: E): Int } enum E { A B }",
            "b": LINK + "enum E { A }",
        },
        [
            '[INCONSISTENT_ENUM_VALUE_FOR_INPUT_ENUM] Value "E.B" is not in subgraph "b" and cannot be used as input.',
        ],
    ),
    (
        "INCONSISTENT_ENUM_VALUE_FOR_OUTPUT_ENUM",
        {
            "a": LINK + "type Query { a: E } enum E { A B }",
            "b": LINK + "enum E { A }",
        },
        [
            '[INCONSISTENT_ENUM_VALUE_FOR_OUTPUT_ENUM] Value "E.B" of an output enum is not in subgraph "b".',
        ],
    ),
    (
        "INCONSISTENT_BUT_COMPATIBLE_FIELD_TYPE",
        {
            "a": LINK + "type Query { a: Int! @shareable }",
            "b": LINK + "type Query { a: Int @shareable }",
        },
        [
            '[INCONSISTENT_BUT_COMPATIBLE_FIELD_TYPE] Field "Query.a" has different types; the widest, "Int", is used.',
        ],
    ),
    (
        "INCONSISTENT_BUT_COMPATIBLE_ARGUMENT_TYPE",
        {
            "a": LINK + "type Query { a(x: Int!): Int @shareable }",
            "b": LINK + "type Query { a(x: Int): Int @shareable }",
        },
        [
            '[INCONSISTENT_BUT_COMPATIBLE_ARGUMENT_TYPE] Argument "Query.a(x:)" has different types; the strictest, "Int!", is used.',
        ],
    ),
    (
        "INCONSISTENT_DESCRIPTION",
        {
            "a": LINK + '"One." schema { query: Query } type Query { a: Int }',
            "b": LINK + '"Two." schema { query: Query } type Query { b: Int }',
        },
        [
            '[INCONSISTENT_DESCRIPTION] "schema" is described in different words: those of subgraph "a" are used, not those of subgraph "b".',
        ],
    ),
    (
        "INCONSISTENT_UNION_MEMBER",
        {
            "a": LINK + "type Query { u: U } union U = A | B type A @shareable { n: Int } type B { n: Int }",
            "b": LINK + "type A @shareable { n: Int } union U = A",
        },
        [
            '[INCONSISTENT_UNION_MEMBER] Union "U" has the member "B", which subgraph "b" does not know.',
        ],
    ),
    (
        "INCONSISTENT_EXECUTABLE_DIRECTIVE_PRESENCE",
        {
            "a": LINK + "directive @live on FIELD type Query { a: Int }",
            "b": LINK + "type Query { b: Int }",
        },
        [
            '[INCONSISTENT_EXECUTABLE_DIRECTIVE_PRESENCE] Executable directive "@live" is defined in subgraph "a" only and is left out of the graph.',
        ],
    ),
    (
        "INCONSISTENT_NON_REPEATABLE_DIRECTIVE_ARGUMENTS",
        {
            "a": LINK + 'type Query { a: Int @shareable @deprecated(reason: "x") }',
            "b": LINK + 'type Query { a: Int @shareable @deprecated(reason: "y") }',
        },
        [
            '[INCONSISTENT_NON_REPEATABLE_DIRECTIVE_ARGUMENTS] Directive "@deprecated" is applied to "Query.a" with different arguments; "@deprecated(reason: "x")" is used.',
        ],
    ),
    (
        "FROM_SUBGRAPH_DOES_NOT_EXIST",
        {
            "a": LINK + 'type Query { a: Int @override(from: "z") }',
        },
        [
            '[FROM_SUBGRAPH_DOES_NOT_EXIST] The @override of "Query.a" in subgraph "a" names the unknown subgraph "z".',
        ],
    ),
    (
        "OVERRIDDEN_FIELD_CAN_BE_REMOVED",
        {
            "a": LINK + 'type Query { a: Int @override(from: "b") }',
            "b": LINK + "type Query { a: Int b: Int }",
        },
        [
            '[OVERRIDDEN_FIELD_CAN_BE_REMOVED] "Query.a" in subgraph "b" is overridden by "a" and can be removed.',
        ],
    ),
    (
        "OVERRIDE_DIRECTIVE_CAN_BE_REMOVED",
        {
            "a": LINK + 'type Query { a: Int @override(from: "b") }',
            "b": LINK + "type Query { b: Int }",
        },
        [
            '[OVERRIDE_DIRECTIVE_CAN_BE_REMOVED] The @override of "Query.a" in subgraph "a" can be removed: subgraph "b" no longer has the field.',
        ],
    ),
    (
        "OVERRIDE_MIGRATION_IN_PROGRESS",
        {
            "a": LINK + 'type Query { a: Int @override(from: "b", label: "percent(5)") }',
            "b": LINK + "type Query { a: Int }",
        },
        [
            '[OVERRIDE_MIGRATION_IN_PROGRESS] "Query.a" is moving from subgraph "b" to "a" under the label "percent(5)".',
        ],
    ),
    (
        "UNUSED_ENUM_TYPE",
        {
            "a": LINK + "type Query { a: Int } enum E { A }",
        },
        [
            '[UNUSED_ENUM_TYPE] Enum "E" is used nowhere.',
        ],
    ),
    (
        "INCONSISTENT_DEFAULT_VALUE_PRESENCE",
        {
            "a": LINK + "type Query { a(x: Int = 1): Int @shareable }",
            "b": LINK + "type Query { a(x: Int): Int @shareable }",
        },
        [
            '[INCONSISTENT_DEFAULT_VALUE_PRESENCE] Argument "Query.a(x:)" has the default 1 in subgraph "a" but none in subgraph "b"; in the graph it has none.',
        ],
    ),
    (
        "INCONSISTENT_DESCRIPTION",
        {
            "a": LINK + 'type Query { "one" a: Int @shareable }',
            "b": LINK + 'type Query { "two" a: Int @shareable }',
            "c": LINK + 'type Query { "two" a: Int @shareable }',
        },
        [
            '[INCONSISTENT_DESCRIPTION] "Query.a" is described in different words: those of subgraphs "b" and "c" are used, not those of subgraph "a".',
        ],
    ),
    (
        "INCONSISTENT_ENTITY",
        {
            "a": LINK + 'type Query { a: T } type T @key(fields: "id") { id: ID! }',
            "b": LINK + "type Query { b: T } type T { id: ID! @shareable }",
        },
        [
            '[INCONSISTENT_ENTITY] "T" has a @key in some subgraphs, but not in subgraph "b".',
        ],
    ),
    (
        "INCONSISTENT_OBJECT_VALUE_TYPE_FIELD",
        {
            "a": LINK + "type Query { a: T } type T @shareable { n: Int m: Int }",
            "b": LINK + "type T @shareable { n: Int }",
        },
        [
            '[INCONSISTENT_OBJECT_VALUE_TYPE_FIELD] "T.m" is not in subgraph "b", where "T" is defined too.',
        ],
    ),
    (
        "INCONSISTENT_INTERFACE_VALUE_TYPE_FIELD",
        {
            "a": LINK
            + "type Query { a: T } interface I { n: Int m: Int } type T implements I @shareable { n: Int m: Int }",
            "b": LINK + "interface I { n: Int } type T implements I @shareable { n: Int m: Int }",
        },
        [
            '[INCONSISTENT_INTERFACE_VALUE_TYPE_FIELD] "I.m" is not in subgraph "b", where "I" is defined too.',
        ],
    ),
    (
        "INCONSISTENT_RUNTIME_TYPES_FOR_SHAREABLE_RETURN",
        {
            "a": LINK
            + "type Query { i: I @shareable } interface I { n: Int } type A implements I @shareable { n: Int }",
            "b": LINK
            + "type Query { i: I @shareable } interface I { n: Int } type A implements I @shareable { n: Int } type B implements I { n: Int }",
        },
        [
            '[INCONSISTENT_RUNTIME_TYPES_FOR_SHAREABLE_RETURN] Subgraphs share "Query.i", but not all object types of "I": in subgraph "a" A; in subgraph "b" A, B. Make sure that they return the same objects.',
        ],
    ),
    (
        "IMPLICITLY_UPGRADED_FEDERATION_VERSION",
        {
            "a": 'extend schema @link(url: "https://specs.apollo.dev/federation/v2.0") @link(url: "https://specs.apollo.dev/cost/v0.1") type Query { a: Int @cost(weight: 2) }',
        },
        [
            '[IMPLICITLY_UPGRADED_FEDERATION_VERSION] Subgraph "a" links https://specs.apollo.dev/cost/v0.1, which came with federation v2.9; the newest that a subgraph links is v2.0.',
        ],
    ),
    (
        "INCONSISTENT_EXECUTABLE_DIRECTIVE_LOCATIONS",
        {
            "a": LINK + "directive @live on FIELD | QUERY type Query { a: Int }",
            "b": LINK + "directive @live on FIELD type Query { b: Int }",
        },
        [
            '[INCONSISTENT_EXECUTABLE_DIRECTIVE_LOCATIONS] Executable directive "@live" has different locations; those in common, FIELD, are used.',
        ],
    ),
    (
        "INCONSISTENT_EXECUTABLE_DIRECTIVE_REPEATABLE",
        {
            "a": LINK + "directive @live repeatable on FIELD type Query { a: Int }",
            "b": LINK + "directive @live on FIELD type Query { b: Int }",
        },
        [
            '[INCONSISTENT_EXECUTABLE_DIRECTIVE_REPEATABLE] Executable directive "@live" is not repeatable, since it is not in subgraph "b".',
        ],
    ),
    (
        "NO_EXECUTABLE_DIRECTIVE_INTERSECTION",
        {
            "a": LINK + "directive @live on QUERY type Query { a: Int }",
            "b": LINK + "directive @live on FIELD type Query { b: Int }",
        },
        [
            '[NO_EXECUTABLE_DIRECTIVE_INTERSECTION] Executable directive "@live" has no location that all subgraphs give it and is left out of the graph.',
        ],
    ),
    (
        "DIRECTIVE_COMPOSITION_INFO",
        {
            "a": LINK + 'extend schema @composeDirective(name: "@tag") type Query { a: Int }',
        },
        [
            '[DIRECTIVE_COMPOSITION_INFO] [a] @composeDirective need not name "@tag": federation composes it by itself.',
        ],
    ),
    (
        "DIRECTIVE_COMPOSITION_WARN",
        {
            "a": LINK
            + 'extend schema @link(url: "https://x.dev/x/v1.0", import: ["@x"]) @composeDirective(name: "@x") directive @x on FIELD_DEFINITION type Query { a: Int @x }',
            "b": LINK
            + 'extend schema @link(url: "https://x.dev/x/v1.0", import: [{name: "@x", as: "@y"}]) directive @y on FIELD_DEFINITION type Query { b: Int @y }',
        },
        [
            '[DIRECTIVE_COMPOSITION_WARN] The composed directive "@x" is called "@y" in subgraph "b", which does not compose it: it will need the same name to do so.',
        ],
    ),
    (
        "MERGED_NON_REPEATABLE_DIRECTIVE_ARGUMENTS",
        {
            "a": LINK + "type Query { a: Int @shareable @cost(weight: 2) }",
            "b": LINK + "type Query { a: Int @shareable @cost(weight: 3) }",
        },
        [
            '[MERGED_NON_REPEATABLE_DIRECTIVE_ARGUMENTS] Directive "@cost" is applied to "Query.a" with different arguments, which are merged to "@cost(weight: 3)".',
        ],
    ),
]


@pytest.mark.parametrize(("code", "subgraphs", "expected"), CASES, ids=[case[0] for case in CASES])
def test_the_smallest_subgraphs_with_a_hint_give_exactly_it(
    code: str, subgraphs: dict[str, str], expected: list[str]
) -> None:
    composition = compose([SubgraphSource(name, sdl) for name, sdl in subgraphs.items()])

    assert [f"[{finding.code}] {finding.message}" for finding in composition.hints] == expected
    assert f"[{code}]" in expected[0]
    assert composition.supergraph_sdl is not None
