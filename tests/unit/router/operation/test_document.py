from __future__ import annotations

import time

import pytest
from graphql import build_schema, parse, validate

from router.errors import DocumentInvalidError, DocumentSyntaxError, LimitExceededError
from router.operation import DocumentLimits, parse_and_validate, validate_document
from router.operation.document import with_incremental_directives

SCHEMA = build_schema("type Query { me: User } type User { id: ID! name: String friend: User }")


def limit_broken_by(text: str, limits: DocumentLimits | None = None) -> str:
    with pytest.raises(LimitExceededError) as caught:
        parse_and_validate(text, SCHEMA, limits or DocumentLimits())
    return caught.value.limit


def test_a_syntax_error_has_its_place() -> None:
    with pytest.raises(DocumentSyntaxError) as caught:
        parse_and_validate("{ me { ", SCHEMA)

    assert caught.value.entries()[0]["locations"] == [{"line": 1, "column": 8}]
    assert caught.value.entries()[0]["extensions"] == {"code": "GRAPHQL_PARSE_FAILED"}


def test_each_broken_rule_is_an_entry_with_its_place() -> None:
    with pytest.raises(DocumentInvalidError) as caught:
        parse_and_validate("{ me { nam } you }", SCHEMA)

    assert [(entry["locations"], entry["extensions"]["code"]) for entry in caught.value.entries()] == [
        ([{"line": 1, "column": 8}], "GRAPHQL_VALIDATION_FAILED"),
        ([{"line": 1, "column": 14}], "GRAPHQL_VALIDATION_FAILED"),
    ]


def test_suggestions_can_be_hidden() -> None:
    with pytest.raises(DocumentInvalidError, match="Did you mean 'name'"):
        parse_and_validate("{ me { nam } }", SCHEMA)
    with pytest.raises(DocumentInvalidError) as caught:
        parse_and_validate("{ me { nam } }", SCHEMA, hide_suggestions=True)
    assert "name" not in caught.value.message.replace("nam'", "")


def test_exponential_fragments_are_refused_at_once() -> None:
    fragments = "".join(
        f"fragment F{n} on User {{ a: friend {{ ...F{n + 1} }} b: friend {{ ...F{n + 1} }} }} " for n in range(50)
    )
    started = time.thread_time()

    assert limit_broken_by("{ me { ...F0 } } " + fragments + "fragment F50 on User { id }") == "FIELD"
    assert time.thread_time() - started < 0.5


def test_spreading_one_wide_fragment_often_counts_every_time() -> None:
    text = "{ " + " ".join(f"a{n}: me {{ ...W }}" for n in range(150)) + " } "
    wide = "fragment W on User { " + " ".join(f"b{n}: id" for n in range(100)) + " }"

    assert limit_broken_by(text + wide) in ("FIELD", "ALIAS")


def test_each_limit_has_its_name() -> None:
    assert limit_broken_by("{ me { id } }", DocumentLimits(tokens=3)) == "TOKEN"
    assert limit_broken_by("{ me { friend { id } } }", DocumentLimits(depth=2)) == "DEPTH"
    assert limit_broken_by("{ a: me { b: id } }", DocumentLimits(aliases=1)) == "ALIAS"
    assert limit_broken_by("{ me { id } me { id } }", DocumentLimits(root_fields=1)) == "ROOT_FIELD"
    assert limit_broken_by("{ me @include(if: true) { id @skip(if: true) } }", DocumentLimits(directives=1)) == (
        "DIRECTIVE"
    )
    assert limit_broken_by("{ me { id id id } }", DocumentLimits(repeats=2)) == "REPEATED_FIELD"


def test_nesting_beyond_the_parsers_stack_is_a_limit_and_not_a_crash() -> None:
    with pytest.raises((LimitExceededError, DocumentSyntaxError)):
        parse_and_validate("{ me " + "{ friend " * 4000 + "{ id }" + " }" * 4001, SCHEMA)


def test_a_fragment_cycle_is_a_validation_error() -> None:
    with pytest.raises(DocumentInvalidError, match="Cannot spread fragment 'F' within itself"):
        parse_and_validate("{ me { ...F } } fragment F on User { friend { ...F } }", SCHEMA)


BROKEN = [
    "{ me }",
    "{ me { id { x } } }",
    "{ you }",
    "{ me { id: name id } }",
    "{ me(id: 1) { id } }",
    "{ find { id } }",
    "{ find(id: 1, id: 2) { id } }",
    "{ find(id: {a: 1}) { id } }",
    "query A { me { id } } query A { me { id } }",
    "{ me { id } } { me { id } }",
    "{ me { ...F } }",
    "{ me { id } } fragment F on User { id }",
    "{ me { ...F } } fragment F on User { ...F }",
    "{ me { ... on Query { me { id } } } }",
    "{ me { ... on Int { id } } }",
    "{ me { ... on Nobody { id } } }",
    "query ($a: Int) { me { id } }",
    "query ($a: Int, $a: Int) { find(id: $a) { id } }",
    "query ($a: User) { find(id: $a) { id } }",
    "{ find(id: $a) { id } }",
    "query ($a: Boolean) { find(id: $a) { id } }",
    "{ me { id @nope } }",
    "{ me { id @skip(if: true) @skip(if: true) } }",
    "{ me { id @skip } }",
    '{ me { ... @defer(label: "a") { id } ... @defer(label: "a") { name } } }',
    "subscription { a: ticks b: ticks }",
    "mutation { x }",
    "type X { a: Int }",
    "{ __schema { types { fields { type { fields { type { fields { type { fields { name } } } } } } } } } }",
]


@pytest.mark.parametrize("text", BROKEN)
def test_leaving_rules_out_changes_no_verdict(text: str) -> None:
    schema = with_incremental_directives(
        build_schema(
            "type Query { me: User find(id: ID!): User } type User { id: ID! name: String } type Subscription { ticks: Int }"
        )
    )
    document = parse(text)
    all_rules = [error.message for error in validate(schema, document, max_errors=50)]
    if not all_rules:
        validate_document(document, schema)
        return
    with pytest.raises(DocumentInvalidError) as caught:
        validate_document(document, schema)
    assert [entry["message"] for entry in caught.value.entries()] == all_rules
