"""The short way through the grammar against graphql-core's parser: what it takes is what that one makes of it."""

from __future__ import annotations

from pathlib import Path

import pytest
from graphql import GraphQLError, parse

from router.operation.plain_parser import MAX_DEPTH, plain_document
from tests.testkit.damaged_text import damaged

MAX_TOKENS = 1_000
TEXTS = [
    "{ a: me { b: id } }",
    "query Q($x: [Int!]! = [1, -2], $y: P = {a: 1, b: [true, null]} @d(e: RED), $z: T!) @u { a: f(x: $x) { id } }",
    '{ f(x: 1.5e-3, y: {a: $v, b: [$w, "c:#d", ""]}, z: -0) @include(if: true) @x { ...F @y on: id } } fragment F on T { on: id }',
    "{ ... on T @a { x: y, z } ... @skip(if: false) { q: y } ... { query: fragment } ...mutation }",
    "mutation { do { id } } #said:so",
    "subscription query { on { true null } } query mutation { type(input: true, enum: null) }",
]
ROOT = Path(__file__).parents[4]


def agrees(text: str, max_tokens: int = MAX_TOKENS) -> bool:
    """Whether the text was taken; then as graphql-core's parser takes it."""
    document = plain_document(text, max_tokens)
    if document is None:
        return False
    expected = parse(text, no_location=True, allow_empty_selection_sets=False, max_tokens=max_tokens)
    assert document.definitions == expected.definitions
    assert document.loc is not None
    assert document.loc.source.body == text
    return True


@pytest.mark.parametrize("text", TEXTS)
def test_ordinary_texts_are_taken(text: str) -> None:
    assert agrees(text)
    assert agrees("\ufeff" + text.replace(" ", "\r\n\t,# a comment\n"))


def test_the_products_operations_are_taken() -> None:
    files = [
        *(ROOT / "tests/e2e/clients/operations").rglob("*.graphql"),
        *(ROOT / "benchmarks/fittracker").rglob("*.graphql"),
    ]
    assert len(files) > 2
    for file in files:
        assert agrees(file.read_text(encoding="utf-8"), 15_000), file


#: What a text is damaged with.
PIECES = [
    *'{}():,.#"\\ \n\r\t@$!=[]|&-+é\ufeff\u00a0',
    "...",
    '"""',
    "a",
    "on",
    "1",
    "0",
    "e5",
    "a:",
    "{x}",
    "$v",
    "null",
]


@pytest.mark.parametrize("text", TEXTS)
def test_what_the_parser_refuses_is_left_to_it_and_the_rest_is_read_as_it_reads_it(text: str) -> None:
    taken = [each for each in damaged(text, PIECES, 3_000) if agrees(each)]
    assert len(taken) > 150
    assert len(taken) < 2_900


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{ }",
        "{ me { } }",
        "{ a(x: 01) }",
        "{ a(x: 1a) }",
        "{ a(x: 1.) }",
        "{ a(x: ) }",
        "{ a() }",
        "{ ...on }",
        "query ($x: Int = $y) { a }",
        "query ($x: Int @d(e: $y)) { a }",
        "query () { a }",
        "fragment on on T { a }",
        "{ a } }",
        "type T { a: Int }",
        "{ a | b }",
    ],
)
def test_what_is_wrong_is_left_to_the_parser_that_words_it(text: str) -> None:
    assert plain_document(text, MAX_TOKENS) is None
    with pytest.raises(GraphQLError):
        # an operation with type definitions is refused by the rules, not by the grammar
        parse(text if "type" not in text else "type {", allow_empty_selection_sets=False)


@pytest.mark.parametrize(
    "text",
    [
        "{ __schema { types { name } } }",
        '{ a: __type(name: "T") { name } }',
        '{ a(x: "\\n") }',
        '{ a(x: """b""") }',
        '"said of it" query { a }',
        "{ a " * (MAX_DEPTH + 1) + "{ b }" + " }" * (MAX_DEPTH + 1),
        "{ a(x: " + "[" * (MAX_DEPTH + 1) + "]" * (MAX_DEPTH + 1) + ") }",
        "{" + " a" * (MAX_TOKENS - 3) + "}",
    ],
)
def test_what_is_rare_is_left_to_the_parser_too(text: str) -> None:
    assert plain_document(text, MAX_TOKENS) is None
    parse(text, max_tokens=MAX_TOKENS)


def test_depth_is_of_what_is_open_and_not_of_all_that_was() -> None:
    assert agrees("{ a(x: [[1], [2]]) { b } c { d } }" + " fragment F on T { a { b(x: {y: {z: 1}}) } }" * 20)
