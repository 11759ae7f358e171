"""What the cheap proof takes for valid is valid by graphql-core's rules, whatever is done to an operation's text."""

from __future__ import annotations

from random import Random

import pytest
from graphql import (
    GraphQLError,
    GraphQLSchema,
    Token,
    TokenKind,
    build_schema,
    parse,
    print_ast,
    specified_rules,
    validate,
)
from graphql.language import Lexer, Source

from benchmarks.compare import compose_shop
from benchmarks.shop.workloads import HEAVY, LIGHT, NO_HOP
from router.errors import RequestError
from router.operation.document import _RULES, parse_and_validate, with_incremental_directives
from router.operation.plain_validity import is_plainly_valid
from router.supergraph import read_supergraph
from tests.testkit.random_operation import random_operation

SDL = """
directive @note(text: String) on FIELD | FRAGMENT_DEFINITION | VARIABLE_DEFINITION | QUERY
enum Color { RED GREEN }
input Point { x: Int! y: Int = 0 next: Point }
input Choice @oneOf { one: Int other: String }
scalar Any
interface Node { id: ID! near(to: Point, first: Int = 3): [Node!]! }
type User implements Node { id: ID! near(to: Point, first: Int = 3): [Node!]! name(style: Color, x: Any): String friend: User pet: Pet }
type Cat implements Node { id: ID! near(to: Point, first: Int = 3): [Node!]! name: String lives: Int! owner: User }
type Dog { name: String! lives: [Int] owner: User }
union Pet = Cat | Dog
type Query { me: User node(id: ID!): Node users(ids: [ID!]! = [], first: Int!, color: Color): [User] pet(choice: Choice): Pet }
type Mutation { rename(id: ID!, name: String): User }
type Subscription { changed: User }
"""
SCHEMA = build_schema(SDL)
RULES = """
    DeferStreamDirectiveLabel DeferStreamDirectiveOnRootField DeferStreamDirectiveOnValidOperationsRule
    ExecutableDefinitionsRule FieldsOnCorrectTypeRule FragmentsOnCompositeTypesRule KnownArgumentNamesRule
    KnownDirectivesRule KnownFragmentNamesRule KnownOperationTypesRule KnownTypeNamesRule
    LoneAnonymousOperationRule MaxIntrospectionDepthRule NoFragmentCyclesRule NoUndefinedVariablesRule
    NoUnusedFragmentsRule NoUnusedVariablesRule OverlappingFieldsCanBeMergedRule PossibleFragmentSpreadsRule
    ProvidedRequiredArgumentsRule ScalarLeafsRule SingleFieldSubscriptionsRule StreamDirectiveOnListField
    UniqueArgumentNamesRule UniqueDirectivesPerLocationRule UniqueFragmentNamesRule UniqueInputFieldNamesRule
    UniqueOperationNamesRule UniqueVariableNamesRule ValuesOfCorrectTypeRule VariablesAreInputTypesRule
    VariablesInAllowedPositionRule
"""

PLAIN = [
    "{ me { id name __typename } }",
    "query A { me { id } } query B($id: ID!) { node(id: $id) { id } }",
    "query ($id: ID!, $skip: Boolean! = true) { node(id: $id) { id @skip(if: $skip) ... on User @include(if: true) { name } } }",
    '{ users(first: 1, ids: [1, "b"], color: RED) { ...F friend { ...F } } } fragment F on User { id name }',
    "{ me { id near(to: {x: 1, next: {x: 2}}) { id } } me { name(style: GREEN, x: [1, {a: true}]) } }",
    "{ pet { __typename ... on Cat { owner { id } } ... on Dog { owner { name } } } }",
    "mutation ($name: String) { rename(id: 1, name: $name) { id } }",
]
#: Each is invalid, by one rule after another.
INVALID = [
    "{ me }",
    "{ me { id { x } } }",
    "{ me { nothing } }",
    "{ nobody { id } }",
    "{ node { id } }",
    "{ node(id: true) { id } }",
    "{ node(id: null) { id } }",
    "{ node(id: 1, id: 2) { id } }",
    "{ node(id: 1, no: 2) { id } }",
    "{ users(first: 3000000000) { id } }",
    "{ users(first: 1, color: BLUE) { id } }",
    "{ me { near(to: {x: 1, x: 2}) { id } } }",
    "{ me { near(to: {y: 1}) { id } } }",
    '{ pet(choice: {one: 1, other: "b"}) { __typename } }',
    "{ pet { name } }",
    "{ me { ... on Dog { name } } }",
    "{ me { ... on Color { name } } }",
    "{ me { ... on Nowhere { name } } }",
    "{ me { ...F } }",
    "{ me { id } } fragment F on User { id }",
    "{ me { ...F } } fragment F on User { friend { ...F } }",
    "{ me { ...F } } fragment F on User { id ...G } fragment G on User { ...F }",
    "{ me { ...F } } fragment F on User { id } fragment F on User { name }",
    "{ me { id } } { me { name } }",
    "query A { me { id } } query A { me { name } }",
    "query A { me { id } } { me { name } }",
    "query ($a: Int) { me { id } }",
    "query ($a: Int, $a: Int) { users(first: $a) { id } }",
    "{ users(first: $a) { id } }",
    "query ($a: Int) { users(first: $a) { id } }",
    "query ($a: String!) { users(first: $a) { id } }",
    "query ($a: User) { me { id } }",
    'query ($a: Int = "b") { me { near(first: $a) { id } } }',
    "{ me { id @skip } }",
    "{ me { id @skip(if: 1) } }",
    "{ me { id @skip(if: true) @skip(if: false) } }",
    "query ($a: Boolean) { me { id @skip(if: $a) } }",
    "{ me { id @nothing } }",
    "query @note(text: 1) { me { id } }",
    "{ me { a: id a: name } }",
    "{ me { name name(style: RED) } }",
    "{ me { friend { a: id } friend { a: name } } }",
    "{ pet { ... on Cat { lives } ... on Dog { lives } } }",
    "{ pet { ... on Cat { a: name } ... on Dog { a: name } } }",
    "{ pet { ... on Cat { owner { a: id } } ... on Dog { owner { a: name } } } }",
    "{ me { id @defer } }",
    "{ me { id @stream } }",
    "{ pet { __typename @stream } }",
    "{ pet { __typename @stream(initialCount: 1) ... on Cat { lives @stream } } }",
    "subscription { changed { id } again: changed { id } }",
    "type A { a: Int } { me { id } }",
    "{ __schema { types { fields { type { fields { type { fields { name } } } } } } } }",
]


def errors_of(schema: GraphQLSchema, text: str) -> list[GraphQLError]:
    """By all rules, as `document.validate_document` asks them where the proof fails."""
    return validate(with_incremental_directives(schema), parse(text), _RULES)


def refusals_of(schema: GraphQLSchema, text: str) -> list[tuple[str, list[tuple[int, int]]]]:
    """What the router says of it, with its places."""
    try:
        parse_and_validate(text, schema)
    except RequestError as error:
        entries = error.entries()
        return [(each["message"], [(p["line"], p["column"]) for p in each.get("locations", ())]) for each in entries]
    return []


@pytest.mark.parametrize("text", PLAIN)
def test_an_ordinary_document_is_proven_valid(text: str) -> None:
    assert errors_of(SCHEMA, text) == []
    assert is_plainly_valid(parse(text), SCHEMA)


@pytest.mark.parametrize("text", INVALID)
def test_an_invalid_document_is_left_to_the_rules(text: str) -> None:
    assert errors_of(SCHEMA, text)
    assert not is_plainly_valid(parse(text), SCHEMA)


def test_the_rules_are_those_that_the_proof_was_written_for() -> None:
    """A rule more needs a look at `plain_validity`: what of it can an ordinary document break?"""
    assert {rule.__name__ for rule in specified_rules} == set(RULES.split())
    assert len(_RULES) == len(specified_rules)


@pytest.mark.parametrize("text", [HEAVY, LIGHT, NO_HOP])
def test_the_benchmarks_operations_are_proven_valid(text: str) -> None:
    assert is_plainly_valid(parse(text), read_supergraph(compose_shop(1)).api_schema)


def test_fragments_that_stand_for_very_many_fields_are_left_to_the_rules_soon() -> None:
    doubled = " ".join(f"fragment F{n} on User {{ ...F{n + 1} ...F{n + 1} }}" for n in range(60))
    text = f"{{ me {{ ...F0 }} }} {doubled} fragment F60 on User {{ id }}"
    assert not is_plainly_valid(parse(text), SCHEMA)


@pytest.mark.parametrize("seed", range(3))
def test_what_is_proven_valid_is_valid_also_after_mutations(seed: int) -> None:
    """Tokens are left out, doubled, exchanged or taken from elsewhere in the text: most results are invalid by one rule or
    another, some remain valid.
    """
    rng = Random(seed)
    shop = read_supergraph(compose_shop(1)).api_schema
    texts = [(text, SCHEMA) for text in PLAIN] + [(random_operation(shop, rng).text, shop) for _ in range(3)]
    proven = 0
    for text, schema in texts:
        for mutated in [text, *(_mutated(text, rng) for _ in range(30))]:
            try:
                document = parse(mutated, allow_empty_selection_sets=False)
            except GraphQLError:
                continue
            errors = errors_of(schema, mutated)
            told = [(each.message, [(p.line, p.column) for p in each.locations or ()]) for each in errors]
            assert refusals_of(schema, mutated) == told, mutated
            if is_plainly_valid(document, schema):
                proven += 1
                assert errors == [], mutated
    assert proven > 10


def _mutated(text: str, rng: Random) -> str:
    tokens = _tokens(print_ast(parse(text)))
    for _ in range(rng.choice((1, 1, 2, 3))):
        at = rng.randrange(len(tokens))
        other = rng.choice(
            [
                *tokens,
                "null",
                "1",
                "RED",
                "Cat",
                "User",
                "id",
                "@include(if: true)",
                "@skip",
                "@stream",
                "@defer",
                "friend",
            ]
        )
        match rng.randrange(4):
            case 0:
                tokens[at : at + 1] = []
            case 1:
                tokens[at:at] = [other]
            case 2:
                tokens[at] = other
            case 3:
                end = at + rng.randrange(1, 6)
                tokens[at:at] = tokens[at:end]
    return " ".join(tokens)


def _tokens(text: str) -> list[str]:
    lexer = Lexer(Source(text))
    found = []
    token: Token = lexer.advance()
    while token.kind is not TokenKind.EOF:
        found.append(text[token.start : token.end])
        token = lexer.advance()
    return found
