"""The short way through the grammar of schemas against graphql-core's parser: what it takes is what that one makes of it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from graphql import (
    DirectiveNode,
    EnumValueDefinitionNode,
    FieldDefinitionNode,
    GraphQLError,
    InputValueDefinitionNode,
    Node,
    TokenKind,
    TypeSystemDefinitionNode,
    parse,
)

from router.supergraph import plain_sdl
from router.supergraph.plain_sdl import MAX_DEPTH
from tests.testkit.damaged_text import damaged

TEXTS = [
    '"said" schema @link(url: "u", import: ["@key", {name: "@tag", as: "@mark"}]) { query: Q mutation: M subscription: S }',
    'extend schema @a extend schema { query: Q } extend schema @link(url: "https://x/v2.9", import: []) { mutation: M }',
    '"""\n  of\n    it\n  """ type T implements & A & B @key(fields: "id { x }") @key(fields: "y") { "f" a(b: [Int!]! = [1, -2], "c" d: E = RED @x): [T!]! @y z: Int! }',
    "type T implements A & B type U @d interface I implements J { a: Int } interface K type type { type: type input(input: input): enum }",
    'union U @a = | A | B union V = A union W enum E @b { A @deprecated(reason: "no") "d" B on type } enum F scalar S @specifiedBy(url: "a\\"b\\n/\\u0041")',
    'input I @a { a: Int! = 1 @x, b: P = {a: 1.5e-3, b: [true, null, {}], c: "", d: RED} } input J directive @d(a: Int = 3 @x, b: [B!]) repeatable on FIELD | OBJECT',
    "directive @e on | SCHEMA extend type T { a: Int } extend type T implements A extend union U = C extend enum E { C } extend input I { c: Int } extend scalar S @a",
    '# said\nextend interface I @a "" type Q { a: Int } """""" type R { """ "b" \\ """ a: Int "x" b: Int }',
]
ROOT = Path(__file__).parents[4]
PLACED = (
    TypeSystemDefinitionNode,
    FieldDefinitionNode,
    InputValueDefinitionNode,
    EnumValueDefinitionNode,
    DirectiveNode,
)


def agrees(text: str) -> bool:
    """Whether the text was taken; then as graphql-core's parser takes it, and with its places."""
    document = plain_sdl(text)
    if document is None:
        assert plain_sdl(text, with_places=True) is None
        return False
    assert document.definitions == parse(text, no_location=True).definitions
    assert document.loc is not None
    assert document.loc.source.body == text
    placed = plain_sdl(text, with_places=True)
    assert placed is not None
    assert list(places_of(placed.definitions)) == list(places_of(parse(text).definitions))
    return True


def places_of(value: Any) -> Iterator[tuple[str, int]]:
    """Where each node begins that has a place both ways, behind its description."""
    if isinstance(value, tuple):
        for each in value:
            yield from places_of(each)
    elif isinstance(value, Node):
        if isinstance(value, PLACED):
            assert value.loc is not None
            assert value.loc.end > value.loc.start
            yield value.kind, begin_of(value)
        for key in value.keys:
            if key != "loc":
                yield from places_of(getattr(value, key))


def begin_of(node: Any) -> int:
    description = getattr(node, "description", None)
    if description is None or description.loc is None:
        return int(node.loc.start)
    token = description.loc.end_token.next
    while token.kind is TokenKind.COMMENT:
        token = token.next
    return int(token.start)


@pytest.mark.parametrize("text", TEXTS)
def test_ordinary_texts_are_taken(text: str) -> None:
    text = text.replace("\\u0041", "A")
    assert agrees(text)
    assert agrees("\ufeff" + text.replace(" } ", "\r\n}\t,# a comment }\r"))
    assert agrees(text + "\n# the end")


def test_the_products_schema_is_taken() -> None:
    files = [*(ROOT / "schema/fittracker").rglob("*.graphql"), *(ROOT / "tests/conformance/cases").rglob("*.graphql")]
    assert len(files) > 100
    for file in files:
        assert agrees(file.read_text(encoding="utf-8")), file


#: What a text is damaged with.
PIECES = [
    *'{}():,.#"\\ \n\r\t@$!=[]|&-+é\ufeff\u00a0\ud800',
    '"""',
    '""',
    "#c\n",
    "a",
    "on",
    "type T",
    "extend",
    "implements",
    "repeatable",
    "1",
    "0",
    "e5",
    "a:",
    "@d",
    "{x: Y}",
    "$v",
    "null",
    "true",
]


@pytest.mark.parametrize("text", TEXTS)
def test_what_the_parser_refuses_is_left_to_it_and_the_rest_is_read_as_it_reads_it(text: str) -> None:
    taken = [each for each in damaged(text, PIECES, 1_500) if agrees(each)]
    assert len(taken) < 1_200
    if "\\u0041" not in text:
        assert len(taken) > 40


@pytest.mark.parametrize(
    "text",
    [
        "",
        "#",
        "type",
        "type T {",
        "type T { }",
        "type T { a }",
        "type T @",
        "type T @a(",
        "type T @a()",
        "type T @a(b: 1",
        "type T { a: [Int }",
        "type T { a(b: 01): Int }",
        "type T { a(b: Int = $c): Int }",
        "type T implements { a: Int }",
        "extend type T",
        "extend union U",
        "extend scalar S",
        "extend schema",
        "extend",
        '"of" extend type T @a',
        '"of"',
        '" type T { a: Int }',
        'type T { " a: Int }',
        'type T { a(b: String = "): Int }',
        "enum E { true }",
        "directive @d on NOWHERE",
        "directive @d repeatable FIELD",
        "schema @a",
        "schema { query: Q, é: R }",
        'type T @a(b: ["" """x"])',
        'type T { a: Int @deprecated(reason: "\\q") }',
        "type é",
    ],
)
def test_what_is_wrong_is_left_to_the_parser_that_words_it(text: str) -> None:
    assert plain_sdl(text) is None
    with pytest.raises(GraphQLError):
        parse(text)


@pytest.mark.parametrize(
    "text",
    [
        "query { a }",
        "extend directive @d @e",
        'type T { a: Int @deprecated(reason: "\\u0041") }',
        'type T { a(b: [String] = ["" """x\\""" y"""]): Int }',
        "type T { a: " + "[" * (MAX_DEPTH + 1) + "Int" + "]" * (MAX_DEPTH + 1) + " }",
        "type T @a(b: " + "[" * (MAX_DEPTH + 1) + "]" * (MAX_DEPTH + 1) + ")",
    ],
)
def test_what_is_rare_is_left_to_the_parser_too(text: str) -> None:
    assert plain_sdl(text) is None
    parse(text)


def test_depth_is_of_what_is_open_and_not_of_all_that_was() -> None:
    assert agrees("type T { a(b: [Int] = [[1], [2]], c: P = {a: {b: 1}}): [[Int]] }" + " type U { a: [[T!]!]! }" * 40)
