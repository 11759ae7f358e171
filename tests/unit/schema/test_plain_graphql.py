"""Subgraphs that are proved to be valid are valid for graphql-core too; ordinary ones are proved."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from random import Random

import pytest

from schema import compose
from schema.subgraph import Subgraph, SubgraphSource
from schema.subgraph_reader import SubgraphInvalidError, read_subgraph
from schema.validation.definitions import given_definitions
from schema.validation.graphql import graphql_errors
from schema.validation.plain_graphql import is_plainly_valid
from tests.testkit.differences import make_trial
from tests.testkit.random_sdl import print_subgraphs

ROOT = Path(__file__).parents[3]
LINK = 'extend schema @link(url: "https://specs.apollo.dev/federation/v2.9", import: ["@key", "@shareable", "@tag"])\n'
#: Of each kind of definition some, with what the rules look at.
RICH = (
    LINK
    + """
schema { query: Q mutation: M }
directive @all(role: Role! = ADMIN, in: In, list: [Int!], any: Any) on
  | OBJECT | FIELD_DEFINITION | ARGUMENT_DEFINITION | INTERFACE | UNION | ENUM | ENUM_VALUE | INPUT_OBJECT | INPUT_FIELD_DEFINITION | SCALAR | SCHEMA
directive @many(a: Int) repeatable on OBJECT | FIELD_DEFINITION
type Q { a(b: In = {c: 1, d: [{c: 2}]}, role: Role = ADMIN, x: [Int] = 1): [Node!]! @all(in: {c: 1}) u: U! @deprecated }
type M { do(it: OneOf): Boolean @deprecated(reason: "so") }
extend type M @many @many(a: 1) { undo: Float! @all(role: USER, list: 3, any: {a: [1, "b", C, null]}) }
interface Node { id: ID! other(first: Int): Node list: [Node] }
interface Named implements Node @all { id: ID! other(first: Int): Node list: [Node] name: String! }
type A implements Named & Node @key(fields: "id") { id: ID! other(first: Int, more: Int): A! list: [A!]! name: String! @shareable }
type B implements Node { id: ID! other(first: Int @all): Node list: [B] }
union U @all = A | B
extend union U = Q
enum Role @all { ADMIN USER @deprecated @all }
extend enum Role { GUEST }
input In @all { c: Int! @all d: [In!] e: In f: Float = 1 g: ID = 3 h: Other i: String = "x" }
input Other { in: In! j: [Other!]! }
input OneOf @oneOf { a: Int b: String }
scalar Any @specifiedBy(url: "u")
scalar Date
"""
)


def sdls() -> Iterator[str]:
    for folder in ("schema/fittracker/subgraphs", "tests/conformance/cases"):
        for file in sorted((ROOT / folder).rglob("*.graphql")):
            yield file.read_text(encoding="utf-8")
    yield RICH


def read(sdl: str) -> Subgraph | None:
    try:
        return read_subgraph(SubgraphSource("s", sdl))
    except SubgraphInvalidError:
        return None


def is_proved(subgraph: Subgraph, rng: Random | None = None) -> bool:
    definitions = [*subgraph.document.definitions, *given_definitions(subgraph)]
    if rng is not None:  # in any order
        rng.shuffle(definitions)
    return is_plainly_valid(definitions)


def test_nearly_all_valid_subgraphs_are_proved() -> None:
    subgraphs = [subgraph for sdl in sdls() if (subgraph := read(sdl)) is not None]
    valid = [each for each in subgraphs if not graphql_errors(each.document, each)]
    assert len(valid) > 100
    assert sum(map(is_proved, valid)) > 0.9 * len(valid)
    assert is_proved(valid[-1])


_DIRECTIVES = (
    *(
        "@shareable",
        '@key(fields: "id")',
        "@tag",
        '@tag(name: "x")',
        "@tag(name: 3)",
        "@unknown",
        "@all",
        "@many @many",
    ),
    *("@all @all", "@all(role: NONE)", "@all(in: {})", "@all(in: {c: 1, c: 2})", "@all(list: [1, null])", "@oneOf"),
    *("@deprecated", "@deprecated(reason: 1)", "@all(more: 1)", "@all(role: null)", "@include(if: true)", "@key"),
)
_TYPES = (
    "Int",
    "ID!",
    "[Int!]!",
    "Nope",
    "Q",
    "Node",
    "A",
    "A!",
    "[A]",
    "U",
    "Role",
    "In",
    "In!",
    "Other!",
    "Any",
    "__Type",
)
_VALUES = (
    "1",
    "1.5",
    '"x"',
    "ADMIN",
    "true",
    "null",
    "{}",
    "{c: 1}",
    "[1]",
    '{c: "x"}',
    "99999999999",
    "[[1]]",
    "{e: {c: 2}}",
)
_DEFINITIONS = (
    "type Early implements Late { a: Int } interface Late { a: Nope }",
    "enum Late { A @deprecated(reason: 1) }",
    *("type A", "type C", "interface Node { id: ID! }", "extend type Q { a: Int }", "extend type Nope { id: ID }"),
    *("input Loop { loop: Loop! }", "input L1 { l: L2! } input L2 { l: L1! }", "scalar Int", "extend scalar ID @all"),
    *("type __X { a: Int }", "directive @all on FIELD", "directive @deprecated on FIELD", "directive @__d on FIELD"),
    *(
        "schema { query: Q }",
        "extend schema { query: A }",
        "extend schema { subscription: M }",
        "union Empty",
        "enum None",
    ),
    *(
        "union V = Role",
        "enum E2 { A A }",
        "extend enum Role { ADMIN }",
        "type Query { a: Int }",
        "type D implements D { a: Int }",
    ),
    *(
        "interface X implements Y { a: Int } interface Y implements X { a: Int }",
        "query { a }",
        "directive @n(a: A) on FIELD",
    ),
    *(
        "type F { a(b: Int, b: Int): Int }",
        "input O @oneOf { a: Int! }",
        "directive @o(a: Int = x) on FIELD",
        "extend schema @all @all",
    ),
)


def _between(rng: Random, sdl: str, pattern: str, group: int, texts: tuple[str, ...]) -> str:
    """One of what the pattern finds, and there the group, replaced."""
    found = list(re.finditer(pattern, sdl))
    if not found:
        return sdl
    one = rng.choice(found)
    return sdl[: one.start(group)] + rng.choice(texts) + sdl[one.end(group) :]


def damaged(sdl: str, rng: Random) -> str:
    head, sdl = (LINK, sdl.removeprefix(LINK)) if sdl.startswith(LINK) else ("", sdl)
    for _ in range(rng.choice((1, 1, 2))):
        match rng.randrange(7):
            case 0:
                sdl = _between(
                    rng, sdl, r"(?<=\w)()(?=[ \n][}{])|: \[*\w+[\]!]*()", 2, tuple(f" {each}" for each in _DIRECTIVES)
                )
            case 1:
                sdl = _between(rng, sdl, r": (\[*[A-Za-z_]+[\]!]*)", 1, _TYPES)
            case 2:
                sdl = _between(rng, sdl, r"(?:= |(?<!\bas): )(\w+|\"\w*\"|\{[^{}]*\})(?=[ ,)}])", 1, _VALUES)
            case 3:
                names = tuple(sorted(set(re.findall(r"\b[A-Za-z]\w*\b", sdl))))
                sdl = _between(rng, sdl, r"\b([A-Za-z]\w*)\b", 1, names)
            case 4:
                sdl = _between(rng, sdl, r"@\w+(?:\([^()]*\))?|\w+: \w+!?", 0, ("",))
            case 5:
                sdl = _between(
                    rng, sdl, r"(?:type|interface) \w+()", 1, (" implements Node", " @all", " @many", " implements A")
                )
            case _:
                sdl += "\n" + rng.choice(_DEFINITIONS)
    return head + sdl


@pytest.mark.parametrize("seed", range(8))
def test_what_is_proved_has_no_errors(seed: int) -> None:
    rng, proved, refused = Random(seed), 0, 0
    plain = [sdl for sdl in sdls() if len(sdl) < 3_000]
    trial = make_trial(seed)
    plain += list(print_subgraphs(trial.supergraph).values()) if trial is not None else []
    for _ in range(250):
        subgraph = read(damaged(rng.choice((RICH, rng.choice(plain))), rng))
        if subgraph is None:
            continue
        if is_proved(subgraph, rng):
            proved += 1
            assert graphql_errors(subgraph.document, subgraph) == [], subgraph.document.loc.source.body  # type: ignore[union-attr]
        else:
            refused += bool(graphql_errors(subgraph.document, subgraph))
    assert proved > 20
    assert refused > 20


@pytest.mark.parametrize("definition", _DEFINITIONS)
def test_a_definition_that_is_wrong_is_not_proved(definition: str) -> None:
    subgraph = read(f"{RICH}{definition}")
    assert subgraph is None or not is_proved(subgraph) or not graphql_errors(subgraph.document, subgraph)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("type Query { a: Int b: Int", "}"),
        ("type Query { a: E } enum E { A", "}"),
        ("input I { a: Int b: Int", "} type Query { a(b: I): Int }"),
        ("type Query { a(b: Int", "): Int }"),
    ],
)
def test_a_reason_that_is_no_string_is_told_with_its_place(before: str, after: str) -> None:
    (finding,) = compose([SubgraphSource("s", f"{before}\n @deprecated(reason: 3) {after}")]).errors
    assert str(finding) == (
        "[INVALID_GRAPHQL] s:2:22: [s] Argument 'reason' has invalid value: String cannot represent a non string value: 3"
    )


def test_errors_have_their_places_although_the_short_way_keeps_few() -> None:
    errors = compose([SubgraphSource("s", 'type Query {\n "of it"\n a(b: Nope): None\n}\n\r\nenum E { A\r A }')]).errors
    assert [str(each.locations[0]) for each in errors] == ["s:3:7", "s:3:14", "s:6:10"]
