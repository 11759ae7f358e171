"""Whose a name is, and what of a directive's definition reaches the graph."""

from schema import SubgraphSource, compose

FEDERATION = 'extend schema @link(url: "https://specs.apollo.dev/federation/v2.9", import: [{}]) '
LINK = FEDERATION.format(
    '"@key", "@shareable", "@tag", "@inaccessible", "@composeDirective", "@cost", "@interfaceObject"'
)
NOTES = '@link(url: "https://example.com/notes/v1.0", import: ["@tag"]) @composeDirective(name: "@tag") '


def supergraph(**subgraphs: str) -> str:
    composition = compose([SubgraphSource(name, sdl) for name, sdl in subgraphs.items()])
    assert composition.supergraph_sdl is not None, composition.errors
    return " ".join(composition.supergraph_sdl.split())


def codes(**subgraphs: str) -> list[str]:
    return [error.code for error in compose([SubgraphSource(name, sdl) for name, sdl in subgraphs.items()]).errors]


TAG_OF_NOTES = (
    FEDERATION.format('"@composeDirective"')
    + NOTES
    + 'directive @tag(name: String) on FIELD_DEFINITION type Query { a: Int @tag(name: "u") }'
)


def test_a_directive_imported_from_elsewhere_is_not_federations_of_that_name() -> None:
    text = supergraph(a=TAG_OF_NOTES)

    assert 'a: Int @tag(name: "u")' in text
    assert "specs.apollo.dev/tag" not in text


def test_one_name_has_one_definition_in_the_graph() -> None:
    assert codes(a=TAG_OF_NOTES, b=LINK + 'type Query { b: Int @tag(name: "t") }') == ["DIRECTIVE_COMPOSITION_ERROR"]


def test_a_key_of_another_specification_makes_no_entity() -> None:
    text = supergraph(
        a=FEDERATION.format('"@shareable"')
        + 'extend schema @link(url: "https://example.com/x/v1.0", import: ["@key"]) '
        + 'directive @key(name: String) on OBJECT type Query { t: T } type T @key(name: "g") { id: ID }'
    )

    assert "type T @join__type(graph: A) {" in text


def test_a_definition_may_use_the_scalar_under_the_name_it_is_imported_by() -> None:
    link = FEDERATION.format('"@key", {name: "FieldSet", as: "Fields"}')
    key = "scalar Fields directive @key(fields: Fields!, resolvable: Boolean = true) repeatable on OBJECT | INTERFACE "

    assert codes(a=link + key + 'type Query { t: T } type T @key(fields: "id") { id: ID! }') == []


def test_a_composed_directive_is_named_with_its_at_sign() -> None:
    bare = TAG_OF_NOTES.replace('@composeDirective(name: "@tag")', '@composeDirective(name: "tag")')

    assert codes(a=bare) == ["DIRECTIVE_COMPOSITION_ERROR"]


def test_an_executable_directives_arguments_keep_what_is_said_of_them() -> None:
    fmt = 'directive @fmt("how" as: F! = SHORT, old: Int @deprecated(reason: "no"), x: Int @inaccessible) on FIELD '
    text = supergraph(a=LINK + fmt + "enum F { SHORT LONG } type Query { a: Int }")

    assert '"""how""" as: F! = SHORT, old: Int @deprecated(reason: "no"), x: Int @inaccessible) on FIELD' in text
    api = compose([SubgraphSource("a", LINK + fmt + "enum F { SHORT LONG } type Query { a: Int }")]).api_sdl
    assert api is not None
    assert "old: Int @deprecated" in api
    assert "x: Int" not in api


ACL = 'extend schema @link(url: "https://example.com/acl/v1.0", import: ["@acl"]) @composeDirective(name: "@acl") '


def test_a_composed_directives_default_has_to_be_in_the_graph() -> None:
    defining = LINK + ACL + "directive @acl(role: Role = ADMIN) on FIELD_DEFINITION enum Role { USER ADMIN } "

    assert codes(a=defining + "type Query { a: Int @acl }") == []
    assert codes(a=defining + "type Query { a: Int @acl }", b=LINK + "enum Role { USER } type Query { b: Int }") == [
        "INVALID_GRAPHQL"
    ]


def test_a_composed_directives_argument_has_to_be_in_the_graph() -> None:
    assert codes(
        a=LINK
        + ACL
        + "directive @acl(role: Role) on FIELD_DEFINITION enum Role { USER ADMIN } type Query { a: Int @acl(role: ADMIN) }",
        b=LINK + "enum Role { USER } type Query { b: Int }",
    ) == ["INVALID_GRAPHQL"]


def test_the_cost_of_an_interface_object_is_that_of_the_objects() -> None:
    text = supergraph(
        a=LINK
        + 'interface I @key(fields: "id") { id: ID! } type Query { i: I } '
        + 'type S implements I @key(fields: "id") @cost(weight: 9) { id: ID! } '
        + 'type T implements I @key(fields: "id") { id: ID! }',
        b=LINK + 'type I @interfaceObject @key(fields: "id") @cost(weight: 5) { id: ID! n: Int }',
    )

    assert "isInterfaceObject: true) { id" in text
    assert '@join__type(graph: A, key: "id") @cost(weight: 9) {' in text
    assert '@join__type(graph: A, key: "id") @cost(weight: 5) {' in text
