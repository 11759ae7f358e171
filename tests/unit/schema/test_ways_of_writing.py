"""Subgraphs that say the same with other words: renamed imports, prefixes, other root names, braces, older versions."""

import pytest

from schema import SubgraphSource, compose

FEDERATION = "https://specs.apollo.dev/federation/v2.9"
OTHER = (
    f'extend schema @link(url: "{FEDERATION}", import: ["@key", "@shareable"])\n'
    'type T @key(fields: "id") { id: ID! n: Int s: Int @shareable }'
)


def composed(*sdls: str) -> str:
    """The supergraph of subgraphs called a, b, c."""
    composition = compose([SubgraphSource(name, sdl) for name, sdl in zip("abc", sdls, strict=False)])
    assert [str(error) for error in composition.errors] == []
    return composition.supergraph_sdl or ""


@pytest.mark.parametrize(
    ("link", "key", "external", "requires", "shareable"),
    [
        (
            f'@link(url: "{FEDERATION}", import: ["@key", "@external", "@requires", "@shareable"])',
            *("key", "external", "requires", "shareable"),
        ),
        (
            (
                f'@link(url: "{FEDERATION}", import: [{{name: "@key", as: "@k"}}, {{name: "@external", as: "@e"}}, '
                '{name: "@requires", as: "@r"}, {name: "@shareable", as: "@s"}])'
            ),
            *("k", "e", "r", "s"),
        ),
        (
            f'@link(url: "{FEDERATION}")',
            *("federation__key", "federation__external", "federation__requires", "federation__shareable"),
        ),
        (
            f'@link(url: "{FEDERATION}", as: "fed", import: ["@key"])',
            *("key", "fed__external", "fed__requires", "fed__shareable"),
        ),
        (
            (
                f'@lk(url: "https://specs.apollo.dev/link/v1.0", as: "lk") @lk(url: "{FEDERATION}", '
                'import: ["@key", "@external", "@requires", "@shareable"])'
            ),
            *("key", "external", "requires", "shareable"),
        ),
    ],
)
def test_names_of_directives_make_no_difference(
    link: str, key: str, external: str, requires: str, shareable: str
) -> None:
    sdl = composed(
        f"schema {link} {{ query: Query }} type Query {{ t: T }}"
        f'type T @{key}(fields: "id") {{ id: ID! n: Int @{external} m: Int @{requires}(fields: "n") s: Int @{shareable} }}',
        OTHER,
    )

    assert sdl[sdl.index("type T\n") :] == (
        "type T\n"
        '  @join__type(graph: A, key: "id")\n'
        '  @join__type(graph: B, key: "id")\n'
        "{\n"
        "  id: ID!\n"
        "  n: Int @join__field(graph: A, external: true) @join__field(graph: B)\n"
        '  m: Int @join__field(graph: A, requires: "n")\n'
        "  s: Int\n"
        "}\n"
    )


def test_root_types_merge_under_their_common_names() -> None:
    first = "schema { query: Q mutation: M } type Q { a: Int self: Q } type M { m: Int }"
    second = "extend schema { query: Root } type Root { b: Int } type Mutation { n: Int } type Subscription { s: Int }"

    sdl = composed(first, second)

    assert "{\n  query: Query\n  mutation: Mutation\n  subscription: Subscription\n}" in sdl
    assert "  self: Query @join__field(graph: A)\n" in sdl
    assert "  n: Int @join__field(graph: B)\n" in sdl


def test_braces_around_a_field_set_are_left_out() -> None:
    assert '@join__type(graph: A, key: "id")' in composed(
        'type Query { t: T } type T @key(fields: "{ id }") { id: ID! }'
    )


def test_a_type_of_another_specification_stays_in_the_api() -> None:
    sdl = (
        f'extend schema @link(url: "{FEDERATION}") @link(url: "https://specs.example/my/v1.0") '
        "type Query { a: my__Level } enum my__Level { LOW }"
    )

    assert "enum my__Level" in (compose([SubgraphSource("a", sdl)]).api_sdl or "")


@pytest.mark.parametrize(
    ("defaults", "expected"),
    [
        (["", ""], ""),
        ([" = 1", " = 1"], " = 1"),
        ([" = 1", ""], ""),
        ([" = {a: 1, b: [A, null]}", " = {b: [A, null], a: 1}"], " = { a: 1, b: [A, null] }"),
        ([' = "x\\ny"', ' = """x\ny"""'], ' = "x\\ny"'),
    ],
)
def test_default_values(defaults: list[str], expected: str) -> None:
    sdls = [
        f'extend schema @link(url: "{FEDERATION}", import: ["@shareable"]) scalar J type Query {{ a(x: J{default}): Int @shareable }}'
        for default in defaults
    ]

    assert f" a(x: J{expected}): Int }}" in " ".join(composed(*sdls).split())


def test_a_label_without_a_source_is_no_migration() -> None:
    first = (
        f'extend schema @link(url: "{FEDERATION}", import: ["@override"]) type Query {{ '
        'gone: Int @override(from: "nobody", label: "x") here: Int @override(from: "b", label: "x") }'
    )

    sdl = composed(first, "type Query { here: Int }")

    assert '  gone: Int @join__field(graph: A, override: "nobody")\n' in sdl
    assert (
        '  here: Int @join__field(graph: A, override: "b", overrideLabel: "x") '
        '@join__field(graph: B, overrideLabel: "x")\n'
    ) in sdl


@pytest.mark.parametrize(
    ("given", "problem"),
    [
        ("w", 'field "T.w" needs the argument "unit"'),
        ("w(unit: KG, no: 1)", 'field "T.w" has no argument "no"'),
        ("w(unit: G)", 'field "T.w" takes a "Unit!" as "unit", not G'),
        ("w(unit: null)", 'field "T.w" takes a "Unit!" as "unit", not null'),
        ('w(unit: KG, to: "x")', 'field "T.w" takes a "Int" as "to", not "x"'),
        ("w(unit: KG, by: {n: 1.5})", 'field "T.w" takes a "[By]" as "by", not { n: 1.5 }'),
        ("w(unit: KG, by: [{}])", 'field "T.w" takes a "[By]" as "by", not [{ }]'),
    ],
)
def test_arguments_of_a_required_field_are_those_that_it_has(given: str, problem: str) -> None:
    first = (
        f'extend schema @link(url: "{FEDERATION}", import: ["@key", "@external", "@requires"]) '
        'type Query { t: T } type T @key(fields: "id") { id: ID! '
        "w(unit: Unit!, to: Int, by: [By]): Int @external m: Int @requires(fields: %s) } "
        "enum Unit { KG } input By { n: Int! m: Float = 1.5 }"
    )
    literal = '"""' + given + '"""'

    (error,) = compose([SubgraphSource("a", first % literal)]).errors

    assert error.code == "REQUIRES_INVALID_FIELDS"
    assert problem in error.message


def test_an_interface_object_leaves_no_room_for_implementations() -> None:
    link = f'extend schema @link(url: "{FEDERATION}", import: ["@key", "@interfaceObject", "@override"]) '
    first = link + (
        'type Query { i: I } interface I @key(fields: "id") { id: ID! } '
        'type T implements I @key(fields: "id") { id: ID! }'
    )
    second = link + 'type I @interfaceObject @key(fields: "id") { id: ID! } type T @key(fields: "id") { id: ID! }'

    (error,) = compose([SubgraphSource("a", first), SubgraphSource("b", second)]).errors

    assert str(error).startswith('[INTERFACE_OBJECT_USAGE_ERROR] b:1:121, b:1:176: [b] "I" is an @interfaceObject')


def test_an_argument_hidden_on_an_implementation_is_an_error() -> None:
    sdl = (
        f'extend schema @link(url: "{FEDERATION}", import: ["@inaccessible"]) type Query {{ i: I }} '
        "interface I { a(x: Int): Int } type T implements I { a(x: Int @inaccessible): Int }"
    )

    assert [error.code for error in compose([SubgraphSource("a", sdl)]).errors] == ["IMPLEMENTED_BY_INACCESSIBLE"]


def test_an_extension_holds_the_nested_fields_of_its_key() -> None:
    first = (
        f'extend schema @link(url: "{FEDERATION}", import: ["@key", "@external", "@extends"]) type Query {{ t: T }} '
        'type T @extends @key(fields: "o { n }") { o: O! @external m: Int } type O { n: ID! @external }'
    )

    assert not compose([SubgraphSource("a", first)]).errors


# -- federation 1 ------------------------------------------------------------------------------------------------------


def test_federation_1_requires_and_provides_what_is_external_only() -> None:
    first = """
        type Query { t: T @provides(fields: "m n") own: T @provides(fields: "n") }
        extend type T @key(fields: "id") {
          id: ID @external
          m: Int @external
          n: Int
          x: Int @requires(fields: "id m n")
          y: Int @requires(fields: "id")
        }
    """

    sdl = composed(first, 'type T @key(fields: "id") { id: ID! m: Int n: Int }')

    assert '  t: T @join__field(graph: A, provides: "m")\n' in sdl
    assert "  own: T\n" in sdl
    assert '  x: Int @join__field(graph: A, requires: "m")\n' in sdl
    assert "  y: Int @join__field(graph: A)\n" in sdl


def test_federation_1_never_read_field_sets_of_interfaces_nor_provides_of_scalars() -> None:
    first = """
        type Query { i: I n: Int @provides(fields: "nothing") }
        interface I @key(fields: "nothing") { a: Int b: Int @requires(fields: "nothing") c: T @provides(fields: "no") }
        type T implements I { a: Int b: Int c: T }
    """

    sdl = composed(first)

    assert "requires:" not in sdl.partition("type Query")[2]
    assert "provides:" not in sdl.partition("type Query")[2]


def test_a_federation_1_extension_without_a_key_holds_those_of_the_others() -> None:
    sdl = composed(
        "type Query { t: T } extend type T { id: ID @external n: Int }",
        'type T @key(fields: "id") { id: ID! m: Int }',
    )

    assert '  id: ID @join__field(graph: A) @join__field(graph: B, type: "ID!")\n' in sdl


@pytest.mark.parametrize(
    ("written", "is_marked"),
    [("extend type T", False), ("type T @extends", True), ("type T", False)],
)
def test_extend_says_nothing_in_federation_1(written: str, is_marked: bool) -> None:
    sdl = composed(f'type Query {{ t: T }} {written} @key(fields: "id") {{ id: ID }}', "type T { id: ID }")

    assert ('@join__type(graph: A, key: "id", extension: true)' in sdl) is is_marked


# -- hidden, moving ----------------------------------------------------------------------------------------------------


def test_hidden_input_fields_and_values_need_not_be_known_to_all() -> None:
    link = f'extend schema @link(url: "{FEDERATION}", import: ["@inaccessible"])\n'
    sdl = composed(
        link + "type Query { a(i: I, e: E): Int } input I { n: Int m: Int @inaccessible } enum E { X Y @inaccessible }",
        link + "type Query { b(i: I, e: E): Int } input I { n: Int } enum E { X }",
    )

    assert "  m: Int @join__field(graph: A) @inaccessible\n" in sdl
    assert "  Y @join__enumValue(graph: A) @inaccessible\n" in sdl


def test_a_field_that_moves_under_a_label_and_is_used_by_its_source_says_so() -> None:
    link = f'extend schema @link(url: "{FEDERATION}", import: ["@key", "@override", "@shareable"])\n'
    sdl = composed(
        link + 'type T @key(fields: "k") { k: ID! id: ID! @override(from: "b", label: "l") }',
        link + 'type Query { t: T } type T @key(fields: "id") @key(fields: "k") { k: ID! id: ID! }',
    )

    assert '@join__field(graph: B, overrideLabel: "l", usedOverridden: true)' in sdl


@pytest.mark.parametrize(
    ("sdl", "place", "type_text"),
    [
        ("input I { o: O! = {} }", "I.o", "O!"),
        ("type P { n(o: O = {a: 1}): Int }", "P.n(o:)", "O"),
        ("directive @x(o: [O!] = []) on OBJECT", "@x(o:)", "[O!]"),
    ],
)
def test_a_default_value_of_a_type_for_output_is_an_error(sdl: str, place: str, type_text: str) -> None:
    composition = compose([SubgraphSource("a", f"type Query {{ a: Int }} type O {{ a: Int }} {sdl}")])

    assert [error.message for error in composition.errors] == [
        f"[a] The type of {place} must be for input, but {type_text} is for output."
    ]
