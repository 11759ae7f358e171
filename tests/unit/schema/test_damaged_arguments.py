"""Whatever constants a subgraph's directives are given, composition tells its findings and raises nothing."""

from __future__ import annotations

import json
from random import Random

import pytest
from graphql import ConstArgumentNode, Visitor, parse, parse_const_value, print_ast, visit

from schema import SubgraphSource, compose
from schema.codes import CODES
from schema.examples import example_of

LONG = "9" * 5_000
CONSTANTS = (
    *("3", "-1", "1.5", "1e999", "99999999999999999999", "true", "null", "FOO"),
    *(
        '""',
        '"x"',
        '"@"',
        '"@key"',
        '"a b"',
        '"é"',
        '"[1]"',
        '"1a"',
        '"{"',
        '"}"',
        '"a { "',
        '"id name"',
        '"$a { b }"',
        '"\\u0000"',
    ),
    *('"__typename"', '"a(b: 1)"', '"... on X { id }"', '"id @skip(if: true)"', '"""block"""'),
    *('"https://specs.apollo.dev/federation/v2.999"', f'"https://specs.apollo.dev/federation/v{LONG}.1"', f'"{LONG}"'),
    *("[]", "[3]", "[null]", "[[]]", '[["x"]]', '["@key", 3]', "{}", "{a: 1}", "[{}]", "[{name: 3}]"),
    *('[{name: "@key", as: 3}]', '[{name: "@key", as: "@1[]"}]', '[{name: "@key", as: "@"}]', '["Import]x"]'),
)
LINKED = 'url: "https://specs.apollo.dev/federation/v2.9", import: ["@key", "@composeDirective"]'


class _Arguments(Visitor):
    def __init__(self) -> None:
        super().__init__()
        self.found: list[ConstArgumentNode] = []

    def enter_argument(self, node: ConstArgumentNode, *_: object) -> None:
        self.found.append(node)


def damaged(sdl: str, random: Random) -> str:
    """The same with other constants for one or two of its directives' arguments."""
    document, arguments = parse(sdl, no_location=True), _Arguments()
    visit(document, arguments)
    for node in random.sample(arguments.found, min(len(arguments.found), random.choice((1, 1, 2)))):
        object.__setattr__(node, "value", parse_const_value(random.choice(CONSTANTS)))
    return print_ast(document)


@pytest.mark.parametrize("code", CODES)
def test_damaged_examples_are_composed_or_refused(code: str) -> None:
    random = Random(code)
    for _ in range(8):
        subgraphs = example_of(code)
        name = random.choice(sorted(subgraphs))
        subgraphs[name] = damaged(subgraphs[name], random)

        composition = compose([SubgraphSource(name, sdl) for name, sdl in subgraphs.items()])

        assert all(finding.code in CODES for finding in (*composition.errors, *composition.hints)), subgraphs[name]


@pytest.mark.parametrize("constant", CONSTANTS)
@pytest.mark.parametrize("argument", ["as", "import", "url", "for"])
def test_a_link_may_say_anything(argument: str, constant: str) -> None:
    for link in (
        f"@link({LINKED}, {argument}: {constant})" if argument in ("as", "for") else f"@link({argument}: {constant})",
        f'@link({LINKED}) @link(url: "https://example.com/acl/v1.0", {argument}: {constant}) @composeDirective(name: "@acl")',
        f'@link(url: "https://specs.apollo.dev/link/v1.0", {argument}: {constant}) @link({LINKED})',
    ):
        compose(
            [SubgraphSource("s", f"extend schema {link} directive @acl on FIELD_DEFINITION type Query {{ a: Int }}")]
        )


@pytest.mark.parametrize(
    ("link", "told"),
    [
        (f'@link({LINKED}, as: "[1]")', '"[1]", which a @link has under `as`, is no name'),
        (
            '@link(url: "https://specs.apollo.dev/federation/v2.9", import: ["@key", 3])',
            "3, which a @link imports, is no name and has none",
        ),
        (
            '@link(url: "https://specs.apollo.dev/federation/v2.9", import: [{name: "@key", as: "@1[]"}])',
            json.dumps({"name": "@key", "as": "@1[]"}) + ", which a @link imports, is no name and has none",
        ),
    ],
)
def test_what_is_no_name_is_told_with_its_place(link: str, told: str) -> None:
    composition = compose([SubgraphSource("s", f"extend schema\n  {link}\ntype Query {{ a: Int }}")])

    (finding,) = [each for each in composition.errors if each.code == "INVALID_LINK_DIRECTIVE_USAGE"]
    assert finding.message == f"[s] {told}."
    assert [(place.subgraph, place.line) for place in finding.locations] == [("s", 2)]


def test_one_import_is_a_list_of_one() -> None:
    sdl = """
        extend schema @link(url: "https://specs.apollo.dev/federation/v2.9", import: "@key")
        type Query { a: A }
        type A @key(fields: "id") { id: ID }
    """

    assert compose([SubgraphSource("s", sdl)]).errors == ()


@pytest.mark.parametrize(
    ("value", "is_refused"),
    [
        ("{}", False),
        ("{c: 2}", False),
        ("{e: [{}]}", False),
        ("{e: {}}", False),
        ("{c: null}", True),
        ("{d: 1}", True),
        ("1", True),
    ],
)
def test_fields_with_defaults_may_be_left_out_of_a_directive_s_argument(value: str, *, is_refused: bool) -> None:
    sdl = f"""
        directive @d(in: In) on FIELD_DEFINITION
        input In {{ c: Int! = 1 e: [In!] }}
        type Query {{ a: Int @d(in: {value}) }}
    """

    assert [each.code for each in compose([SubgraphSource("s", sdl)]).errors] == ["INVALID_GRAPHQL"] * is_refused
