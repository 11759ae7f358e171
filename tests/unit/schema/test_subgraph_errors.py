"""What is wrong with one subgraph: the smallest cause of every code, with its exact message."""

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
        "INVALID_GRAPHQL",
        {
            "a": LINK + "type Query { a: Int } type T { a: Unknown }",
        },
        [
            "[INVALID_GRAPHQL] [a] Unknown type 'Unknown'.",
        ],
    ),
    (
        "INVALID_SUBGRAPH_NAME",
        {
            "__": LINK + "type Query { a: Int }",
        },
        [
            '[INVALID_SUBGRAPH_NAME] "__" cannot be the name of a subgraph.',
        ],
    ),
    (
        "UNKNOWN_FEDERATION_LINK_VERSION",
        {
            "a": 'extend schema @link(url: "https://specs.apollo.dev/federation/v2.99", import: ["@key"]) type Query { a: Int } ',
        },
        [
            "[UNKNOWN_FEDERATION_LINK_VERSION] [a] federation v2.99 is not known; the latest is v2.14.",
        ],
    ),
    (
        "UNKNOWN_LINK_VERSION",
        {
            "a": 'extend schema @link(url: "https://specs.apollo.dev/link/v6.9") type Query { a: Int } ',
        },
        [
            "[UNKNOWN_LINK_VERSION] [a] version 6.9 of the link specification is not known.",
        ],
    ),
    (
        "INVALID_LINK_DIRECTIVE_USAGE",
        {
            "a": 'extend schema @link(url: "https://specs.apollo.dev/federation/v2.0", import: ["@interfaceObject"]) type Query { a: Int } ',
        },
        [
            '[INVALID_LINK_DIRECTIVE_USAGE] [a] cannot import "@interfaceObject", which federation v2.0 does not have: link v2.3 or a newer one.',
        ],
    ),
    (
        "INVALID_LINK_IDENTIFIER",
        {
            "a": 'extend schema @link(url: "https://specs.apollo.dev/federation") type Query { a: Int } ',
        },
        [
            '[INVALID_LINK_IDENTIFIER] [a] the url "https://specs.apollo.dev/federation" of a @link has no name and version.',
        ],
    ),
    (
        "DIRECTIVE_DEFINITION_INVALID",
        {
            "a": "directive @override on FIELD_DEFINITION directive @policy(own: Int) on OBJECT type Query { a: Int }",
        },
        [
            '[DIRECTIVE_DEFINITION_INVALID] [a] The definition of @override contradicts federation\'s: argument "from" is missing. Remove it, composition knows the directive.',
        ],
    ),
    (
        "DIRECTIVE_DEFINITION_INVALID",
        {
            "a": LINK + "directive @key(fields: Int!) on OBJECT type Query { a: Int }",
        },
        [
            '[DIRECTIVE_DEFINITION_INVALID] [a] The definition of @key contradicts federation\'s: argument "fields" must be "fields: federation__FieldSet!", not "fields: Int!". Remove it, composition knows the directive.',
        ],
    ),
    (
        "TYPE_DEFINITION_INVALID",
        {
            "a": LINK + "input federation__FieldSet { a: Int } type Query { a: Int }",
        },
        [
            '[TYPE_DEFINITION_INVALID] [a] "federation__FieldSet" is a scalar of federation and cannot be defined as something else.',
        ],
    ),
    (
        "KEY_INVALID_FIELDS",
        {
            "a": LINK + 'type Query { a: Int } type T @key(fields: "no") { id: ID! }',
        },
        [
            '[KEY_INVALID_FIELDS] [a] On "T", in @key(fields: "no"): cannot query field "no" on type "T"; if another subgraph resolves it, add it to this one with @external.',
        ],
    ),
    (
        "KEY_INVALID_FIELDS_TYPE",
        {
            "a": LINK + "type Query { a: Int } type T @key(fields: 1) { id: ID! }",
        },
        [
            '[KEY_INVALID_FIELDS_TYPE] [a] On "T", in @key(fields: 1): "fields" must be a string.',
        ],
    ),
    (
        "KEY_FIELDS_HAS_ARGS",
        {
            "a": LINK + 'type Query { a: Int } type T @key(fields: "id") { id(x: Int): ID! }',
        },
        [
            '[KEY_FIELDS_HAS_ARGS] [a] On "T", in @key(fields: "id"): field "T.id" has arguments, which this directive cannot give: select another field.',
        ],
    ),
    (
        "KEY_FIELDS_SELECT_INVALID_TYPE",
        {
            "a": LINK + 'type Query { a: Int } interface I { id: ID! } type T @key(fields: "i { id }") { i: I }',
        },
        [
            '[KEY_FIELDS_SELECT_INVALID_TYPE] [a] On "T", in @key(fields: "i { id }"): field "T.i" is of the interface type "I"; a key needs objects.',
        ],
    ),
    (
        "KEY_DIRECTIVE_IN_FIELDS_ARG",
        {
            "a": LINK + 'type Query { a: Int } type T @key(fields: "id @include(if: true)") { id: ID! }',
        },
        [
            '[KEY_DIRECTIVE_IN_FIELDS_ARG] [a] On "T", in @key(fields: "id @include(if: true)"): a field set cannot carry directives, but this has @include.',
        ],
    ),
    (
        "KEY_UNSUPPORTED_ON_INTERFACE",
        {
            "a": 'extend schema @link(url: "https://specs.apollo.dev/federation/v2.2", import: ["@key"]) type Query { a: Int } interface I @key(fields: "id") { id: ID! }',
        },
        [
            '[KEY_UNSUPPORTED_ON_INTERFACE] [a] @key on the interface "I" needs federation v2.3 or newer; the subgraph links v2.2.',
        ],
    ),
    (
        "PROVIDES_INVALID_FIELDS",
        {
            "a": LINK + 'type Query { t: T @provides(fields: "no") } type T @key(fields: "id") { id: ID! }',
        },
        [
            '[PROVIDES_INVALID_FIELDS] [a] On "Query.t", in @provides(fields: "no"): cannot query field "no" on type "T"; if another subgraph resolves it, add it to this one with @external.',
        ],
    ),
    (
        "PROVIDES_INVALID_FIELDS_TYPE",
        {
            "a": LINK + 'type Query { t: T @provides(fields: 1) } type T @key(fields: "id") { id: ID! }',
        },
        [
            '[PROVIDES_INVALID_FIELDS_TYPE] [a] On "Query.t", in @provides(fields: 1): "fields" must be a string.',
        ],
    ),
    (
        "PROVIDES_FIELDS_HAS_ARGS",
        {
            "a": LINK
            + 'type Query { t: T @provides(fields: "n") } type T @key(fields: "id") { id: ID! n(x: Int): Int @external }',
            "b": LINK + 'type T @key(fields: "id") { id: ID! n(x: Int): Int }',
        },
        [
            '[PROVIDES_FIELDS_HAS_ARGS] [a] On "Query.t", in @provides(fields: "n"): field "T.n" has arguments, which this directive cannot give: select another field.',
        ],
    ),
    (
        "PROVIDES_FIELDS_MISSING_EXTERNAL",
        {
            "a": LINK + 'type Query { t: T @provides(fields: "n") } type T @key(fields: "id") { id: ID! n: Int }',
        },
        [
            '[PROVIDES_FIELDS_MISSING_EXTERNAL] [a] On "Query.t", in @provides(fields: "n"): field "T.n" is resolved by this subgraph: mark it @external, or leave it out.',
        ],
    ),
    (
        "PROVIDES_ON_NON_OBJECT_FIELD",
        {
            "a": LINK + 'type Query { a: Int @provides(fields: "n") }',
        },
        [
            '[PROVIDES_ON_NON_OBJECT_FIELD] [a] @provides stands on "Query.a" of type "Int", which has no fields to provide: remove it.',
        ],
    ),
    (
        "PROVIDES_DIRECTIVE_IN_FIELDS_ARG",
        {
            "a": LINK
            + 'type Query { t: T @provides(fields: "n @skip(if: true)") } type T @key(fields: "id") { id: ID! n: Int @external }',
            "b": LINK + 'type T @key(fields: "id") { id: ID! n: Int }',
        },
        [
            '[PROVIDES_DIRECTIVE_IN_FIELDS_ARG] [a] On "Query.t", in @provides(fields: "n @skip(if: true)"): a field set cannot carry directives, but this has @skip.',
        ],
    ),
    (
        "PROVIDES_UNSUPPORTED_ON_INTERFACE",
        {
            "a": LINK
            + 'type Query { a: Int } interface I { t: T @provides(fields: "n") } type T @key(fields: "id") { id: ID! n: Int @external }',
            "b": LINK + 'type T @key(fields: "id") { id: ID! n: Int }',
        },
        [
            '[PROVIDES_UNSUPPORTED_ON_INTERFACE] [a] @provides cannot stand on "I.t", a field of an interface: put it on the fields of the types that implement it.',
        ],
    ),
    (
        "REQUIRES_INVALID_FIELDS",
        {
            "a": LINK + 'type Query { a: Int }  type T @key(fields: "id") { id: ID! n: Int @requires(fields: "no") }',
        },
        [
            '[REQUIRES_INVALID_FIELDS] [a] On "T.n", in @requires(fields: "no"): cannot query field "no" on type "T"; did you mean "n"? If another subgraph resolves it, add it to this one with @external.',
        ],
    ),
    (
        "REQUIRES_INVALID_FIELDS_TYPE",
        {
            "a": LINK + 'type Query { a: Int }  type T @key(fields: "id") { id: ID! n: Int @requires(fields: 1) }',
        },
        [
            '[REQUIRES_INVALID_FIELDS_TYPE] [a] On "T.n", in @requires(fields: 1): "fields" must be a string.',
        ],
    ),
    (
        "REQUIRES_FIELDS_MISSING_EXTERNAL",
        {
            "a": LINK
            + 'type Query { a: Int }  type T @key(fields: "id") { id: ID! m: Int n: Int @requires(fields: "m") }',
        },
        [
            '[REQUIRES_FIELDS_MISSING_EXTERNAL] [a] On "T.n", in @requires(fields: "m"): field "T.m" is resolved by this subgraph: mark it @external, or leave it out.',
        ],
    ),
    (
        "REQUIRES_DIRECTIVE_IN_FIELDS_ARG",
        {
            "a": LINK
            + 'type Query { a: Int }  type T @key(fields: "id") { id: ID! m: Int @external n: Int @requires(fields: "m @skip(if: true)") }',
            "b": LINK + 'type T @key(fields: "id") { id: ID! m: Int }',
        },
        [
            '[REQUIRES_DIRECTIVE_IN_FIELDS_ARG] [a] On "T.n", in @requires(fields: "m @skip(if: true)"): a field set cannot carry directives, but this has @skip.',
        ],
    ),
    (
        "REQUIRES_UNSUPPORTED_ON_INTERFACE",
        {
            "a": LINK + 'type Query { a: Int } interface I { m: Int n: Int @requires(fields: "m") }',
        },
        [
            '[REQUIRES_UNSUPPORTED_ON_INTERFACE] [a] @requires cannot stand on "I.n", a field of an interface: put it on the fields of the types that implement it.',
        ],
    ),
    (
        "EXTERNAL_UNUSED",
        {
            "a": LINK + 'type Query { a: Int }  type T @key(fields: "id") { id: ID! n: Int @external }',
            "b": LINK + 'type T @key(fields: "id") { id: ID! n: Int }',
        },
        [
            '[EXTERNAL_UNUSED] [a] "T.n" is @external, but no @key, @requires or @provides of this subgraph and no interface uses it: remove the field, or the @external.',
        ],
    ),
    (
        "EXTERNAL_ON_INTERFACE",
        {
            "a": LINK + "type Query { a: Int } interface I { n: Int @external }",
        },
        [
            '[EXTERNAL_ON_INTERFACE] [a] "I.n" is a field of an interface and cannot be @external: mark the fields of the types that implement it.',
            '[EXTERNAL_UNUSED] [a] "I.n" is @external, but no @key, @requires or @provides of this subgraph and no interface uses it: remove the field, or the @external.',
        ],
    ),
    (
        "MERGED_DIRECTIVE_APPLICATION_ON_EXTERNAL",
        {
            "a": LINK
            + 'type Query { a: Int }  type T @key(fields: "id") { id: ID! m: Int @external @tag(name: "x") n: Int @requires(fields: "m") }',
            "b": LINK + 'type T @key(fields: "id") { id: ID! m: Int }',
        },
        [
            '[MERGED_DIRECTIVE_APPLICATION_ON_EXTERNAL] [a] @tag cannot be applied to the @external field "T.m": apply it in the subgraph that resolves the field.',
        ],
    ),
    (
        "AUTH_REQUIREMENTS_APPLIED_ON_INTERFACE",
        {
            "a": LINK + "type Query { a: Int } interface I { n: Int @authenticated }",
        },
        [
            '[AUTH_REQUIREMENTS_APPLIED_ON_INTERFACE] [a] @authenticated cannot stand on "I.n": put it on the object types that implement the interface, whose demands it inherits.',
        ],
    ),
    (
        "INVALID_SHAREABLE_USAGE",
        {
            "a": LINK + "type Query { a: Int } interface I { n: Int @shareable }",
        },
        [
            '[INVALID_SHAREABLE_USAGE] [a] @shareable cannot stand on "I.n", a field of an interface: put it on the fields of the types that implement it.',
        ],
    ),
    (
        "OVERRIDE_ON_INTERFACE",
        {
            "a": LINK + 'type Query { a: Int } interface I { n: Int @override(from: "b") }',
        },
        [
            '[OVERRIDE_ON_INTERFACE] [a] @override cannot stand on "I.n", a field of an interface: put it on the fields of the types that implement it.',
        ],
    ),
    (
        "OVERRIDE_FROM_SELF_ERROR",
        {
            "a": LINK + 'type Query { a: Int @override(from: "a") }',
        },
        [
            '[OVERRIDE_FROM_SELF_ERROR] Source and destination subgraphs "a" are the same for overridden field "Query.a".',
        ],
    ),
    (
        "OVERRIDE_SOURCE_HAS_OVERRIDE",
        {
            "a": LINK + 'type Query { a: Int }  type T @key(fields: "id") { id: ID! n: Int @override(from: "b") }',
            "b": LINK + 'type T @key(fields: "id") { id: ID! n: Int @override(from: "a") }',
        },
        [
            '[OVERRIDE_SOURCE_HAS_OVERRIDE] Field "T.n" on subgraph "a" is also marked with directive @override in subgraph "b". Only one subgraph can take a field: keep the @override of the one that is to resolve it.',
            '[OVERRIDE_SOURCE_HAS_OVERRIDE] Field "T.n" on subgraph "b" is also marked with directive @override in subgraph "a". Only one subgraph can take a field: keep the @override of the one that is to resolve it.',
            '[INVALID_FIELD_SHARING] Non-shareable field "T.n" is resolved from multiple subgraphs: it is resolved from subgraphs "a" and "b" and defined as non-shareable in subgraphs "a" and "b". Mark it @shareable there, or let one subgraph @override it.',
        ],
    ),
    (
        "OVERRIDE_COLLISION_WITH_ANOTHER_DIRECTIVE",
        {
            "a": LINK + 'type Query { a: Int }  type T @key(fields: "id") { id: ID! n: Int @override(from: "b") }',
            "b": LINK + 'type T @key(fields: "id") { id: ID! m: Int @external n: Int @requires(fields: "m") }',
            "c": LINK + 'type T @key(fields: "id") { id: ID! m: Int }',
        },
        [
            '[OVERRIDE_COLLISION_WITH_ANOTHER_DIRECTIVE] @override cannot be used on field "T.n" in subgraph "a": it is marked @requires in subgraph "b". Remove one of the two.',
            '[INVALID_FIELD_SHARING] Non-shareable field "T.n" is resolved from multiple subgraphs: it is resolved from subgraphs "a" and "b" and defined as non-shareable in subgraphs "a" and "b". Mark it @shareable there, or let one subgraph @override it.',
        ],
    ),
    (
        "OVERRIDE_LABEL_INVALID",
        {
            "a": LINK
            + 'type Query { t: T } type T @key(fields: "id") { id: ID! n: Int @override(from: "b", label: "percent(101)") }',
            "b": LINK + 'type T @key(fields: "id") { id: ID! n: Int }',
        },
        [
            '[OVERRIDE_LABEL_INVALID] The label "percent(101)" of the @override of "T.n" in subgraph "a" must be "percent(x)" with x from 0 to 100, or a name that starts with a letter.',
        ],
    ),
    (
        "INTERFACE_OBJECT_USAGE_ERROR",
        {
            "a": LINK + "type Query { a: Int } type I @interfaceObject { n: Int }",
        },
        [
            '[INTERFACE_OBJECT_USAGE_ERROR] [a] "I" is an @interfaceObject without @key: give it a key of the interface.',
        ],
    ),
    (
        "INTERFACE_KEY_NOT_ON_IMPLEMENTATION",
        {
            "a": LINK
            + 'type Query { a: Int } interface I @key(fields: "id") { id: ID! } type T implements I { id: ID! }',
        },
        [
            '[INTERFACE_KEY_NOT_ON_IMPLEMENTATION] [a] The key "id" of the interface "I" is missing on "T", which implements it: add @key(fields: "id") there.',
        ],
    ),
    (
        "INTERFACE_KEY_MISSING_IMPLEMENTATION_TYPE",
        {
            "a": LINK + 'type Query { a: Int } interface I @key(fields: "id") { id: ID! }',
            "b": LINK + 'interface I { id: ID! } type T implements I @key(fields: "id") { id: ID! }',
        },
        [
            '[INTERFACE_KEY_MISSING_IMPLEMENTATION_TYPE] [a] Interface "I" has a resolvable @key, but this subgraph does not define T, which implement it elsewhere: define them here too.',
        ],
    ),
    (
        "ROOT_QUERY_USED",
        {
            "a": "schema { query: Root } type Root { a: Int } type Query { b: Int }",
        },
        [
            '[ROOT_QUERY_USED] [a] the type "Query" is not the query root, which is called "Root"; rename it.',
        ],
    ),
    (
        "ROOT_MUTATION_USED",
        {
            "a": "schema { query: Query mutation: Root } type Root { a: Int } type Mutation { b: Int } type Query { a: Int } ",
        },
        [
            '[ROOT_MUTATION_USED] [a] the type "Mutation" is not the mutation root, which is called "Root"; rename it.',
        ],
    ),
    (
        "ROOT_SUBSCRIPTION_USED",
        {
            "a": "schema { query: Query subscription: Root } type Root { a: Int } type Subscription { b: Int } type Query { a: Int } ",
        },
        [
            '[ROOT_SUBSCRIPTION_USED] [a] the type "Subscription" is not the subscription root, which is called "Root"; rename it.',
        ],
    ),
    (
        "DIRECTIVE_COMPOSITION_ERROR",
        {
            "a": LINK
            + 'extend schema @composeDirective(name: "@own") directive @own on FIELD_DEFINITION type Query { a: Int }',
        },
        [
            '[DIRECTIVE_COMPOSITION_ERROR] [a] "@own" cannot be composed: no @link of the subgraph imports it.',
        ],
    ),
    (
        "CONTEXT_NAME_INVALID",
        {
            "a": LINK + 'type Query { p: P } type P @key(fields: "id") @context(name: "1x") { id: ID! }',
        },
        [
            '[CONTEXT_NAME_INVALID] [a] On "P": "1x" is not a name.',
        ],
    ),
    (
        "CONTEXT_NAME_CONTAINS_UNDERSCORE",
        {
            "a": LINK + 'type Query { p: P } type P @key(fields: "id") @context(name: "a_b") { id: ID! }',
        },
        [
            '[CONTEXT_NAME_CONTAINS_UNDERSCORE] [a] On "P": "a_b" has an underscore.',
        ],
    ),
    (
        "CONTEXT_NO_RESOLVABLE_KEY",
        {
            "a": LINK
            + 'type Query { p: P } type P @context(name: "ctx") { n: Int c: C } '
            + 'type C { f(x: Int @fromContext(field: "$ctx { n }")): Int }',
        },
        ['[CONTEXT_NO_RESOLVABLE_KEY] [a] On "C": a type that uses a context needs a resolvable @key.'],
    ),
    (
        "CONTEXT_NOT_SET",
        {
            "a": LINK
            + 'type Query { p: P } type P @key(fields: "id") @context(name: "ctx") { id: ID! n: Int c: C } type C @key(fields: "id") { id: ID! f(x: Int @fromContext(field: "$no { n }")): Int }',
        },
        [
            '[CONTEXT_NOT_SET] [a] On "C.f(x:)": no type of this subgraph has @context(name: "no").',
        ],
    ),
    (
        "NO_CONTEXT_IN_SELECTION",
        {
            "a": LINK
            + 'type Query { p: P } type P @key(fields: "id") @context(name: "ctx") { id: ID! n: Int c: C } type C @key(fields: "id") { id: ID! f(x: Int @fromContext(field: "{ n }")): Int }',
        },
        [
            '[NO_CONTEXT_IN_SELECTION] [a] On "C.f(x:)": "{ n }" names no context, such as "$name { id }".',
        ],
    ),
    (
        "NO_SELECTION_FOR_CONTEXT",
        {
            "a": LINK
            + 'type Query { p: P } type P @key(fields: "id") @context(name: "ctx") { id: ID! n: Int c: C } type C @key(fields: "id") { id: ID! f(x: Int @fromContext(field: "$ctx")): Int }',
        },
        [
            '[NO_SELECTION_FOR_CONTEXT] [a] On "C.f(x:)": "$ctx" selects nothing of the context.',
        ],
    ),
    (
        "CONTEXT_INVALID_SELECTION",
        {
            "a": LINK
            + 'type Query { p: P } type P @key(fields: "id") @context(name: "ctx") { id: ID! n: Int c: C } type C @key(fields: "id") { id: ID! f(x: Int @fromContext(field: "$ctx { no }")): Int }',
        },
        [
            '[CONTEXT_INVALID_SELECTION] [a] On "C.f(x:)": "P" has no field "no".',
        ],
    ),
    (
        "COST_APPLIED_TO_INTERFACE_FIELD",
        {
            "a": LINK + "type Query { a: Int } interface I { n: Int @cost(weight: 1) }",
        },
        [
            '[COST_APPLIED_TO_INTERFACE_FIELD] [a] @cost cannot stand on "I.n" of an interface: weigh the fields of the types that implement it.',
        ],
    ),
    (
        "LIST_SIZE_APPLIED_TO_NON_LIST",
        {
            "a": LINK + "type Query { a: Int @listSize(assumedSize: 1) }",
        },
        [
            '[LIST_SIZE_APPLIED_TO_NON_LIST] [a] @listSize on "Query.a": the type "Int" is no list; name its `sizedFields`.',
        ],
    ),
    (
        "LIST_SIZE_INVALID_ASSUMED_SIZE",
        {
            "a": LINK + "type Query { a: [Int] @listSize(assumedSize: -1) }",
        },
        [
            '[LIST_SIZE_INVALID_ASSUMED_SIZE] [a] @listSize on "Query.a": the assumed size -1 is negative.',
        ],
    ),
    (
        "LIST_SIZE_INVALID_SLICING_ARGUMENT",
        {
            "a": LINK + 'type Query { a(n: String): [Int] @listSize(slicingArguments: ["n"]) }',
        },
        [
            '[LIST_SIZE_INVALID_SLICING_ARGUMENT] [a] @listSize on "Query.a": the slicing argument "n" must be an Int.',
        ],
    ),
    (
        "LIST_SIZE_INVALID_SIZED_FIELD",
        {
            "a": LINK + 'type Query { a: P @listSize(assumedSize: 1, sizedFields: ["no"]) } type P { n: [Int] }',
        },
        [
            '[LIST_SIZE_INVALID_SIZED_FIELD] [a] @listSize on "Query.a": "P" has no field "no".',
        ],
    ),
    (
        "EXTERNAL_COLLISION_WITH_ANOTHER_DIRECTIVE",
        {
            "a": LINK
            + 'type Query { t: T } type T @key(fields: "u { n }") { u: U @external @provides(fields: "n") } type U { n: Int @external }',
        },
        [
            '[EXTERNAL_COLLISION_WITH_ANOTHER_DIRECTIVE] [a] "T.u" is @external and has @provides, but who does not resolve a field cannot provide anything with it: remove one of the two.',
        ],
    ),
    (
        "TYPE_WITH_ONLY_UNUSED_EXTERNAL",
        {
            "a": "type Query { t: T } type T { n: Int @external }",
        },
        [
            '[TYPE_WITH_ONLY_UNUSED_EXTERNAL] [a] "Query.t" returns "T", all fields of which are @external and unused here: give it a @key, or resolve its fields.',
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
