"""What no field takes is refused before anything is coerced, in variables and in the document alike."""

from typing import Annotated, Any

import pytest
import strawberry
from graphql import GraphQLList, GraphQLScalarType, parse

from subgraphs.shell.graphql_schema import SubgraphSchema
from subgraphs.shell.input_bounds import (
    DEEPEST_VALUE,
    LONGEST_ID,
    LONGEST_LIST,
    LONGEST_TEXT,
    MOST_VALUES,
    DeclaredVariable,
    check_variables,
)


@strawberry.input
class Leaf:
    word: str | None = None
    amount: float | None = None
    more: list["Leaf"] | None = None


@strawberry.type
class Query:
    @strawberry.field
    def echo(
        self,
        id_: Annotated[strawberry.ID | None, strawberry.argument(name="id")] = None,
        word: str | None = None,
        amount: float | None = None,
        words: list[str] | None = None,
        leaf: Leaf | None = None,
    ) -> str:
        return repr((id_, word, amount, words, leaf))


SCHEMA = SubgraphSchema(query=Query)
ASK = """query ($id: ID, $word: String, $amount: Float, $words: [String!], $leaf: Leaf) {
    echo(id: $id, word: $word, amount: $amount, words: $words, leaf: $leaf) }"""


async def refusal_of(query: str, variables: dict[str, Any] | None = None) -> tuple[str, str] | None:
    """The code and message of the only error, None for an answer."""
    result: Any = await SCHEMA.execute(query, variables)
    if not result.errors:
        return None
    (error,) = result.errors
    return error.extensions["code"], error.message


@pytest.mark.parametrize(
    ("variables", "place"),
    [
        ({"word": "a\0b"}, "$word"),
        ({"word": "x" * (LONGEST_TEXT + 1)}, "$word"),
        ({"id": "x" * (LONGEST_ID + 1)}, "$id"),
        ({"id": ""}, "$id"),
        ({"id": "a\nb"}, "$id"),
        ({"amount": 1e26}, "$amount"),
        ({"amount": float("nan")}, "$amount"),
        ({"amount": float("inf")}, "$amount"),
        ({"amount": 10**400}, "$amount"),
        ({"words": ["a"] * (LONGEST_LIST + 1)}, "$words"),
        ({"words": ["a", "\0"]}, "$words.1"),
        ({"leaf": {"more": [{}, {"word": "\0"}]}}, "$leaf.more.1.word"),
        ({"leaf": {"amount": -1e15}}, "$leaf.amount"),
        ({"leaf": {"x" * (LONGEST_ID + 1): 1}}, "$leaf"),
    ],
    ids=str,
)
async def test_a_variable_out_of_bounds_is_named(variables: dict[str, Any], place: str) -> None:
    refusal = await refusal_of(ASK, variables)
    assert refusal is not None
    code, message = refusal
    assert code == "BAD_USER_INPUT"
    assert place in message


@pytest.mark.parametrize(
    "arguments",
    [
        r'word: "a\u0000b"',
        f'word: "{"x" * (LONGEST_TEXT + 1)}"',
        f'id: "{"x" * (LONGEST_ID + 1)}"',
        'id: ""',
        "amount: 1e26",
        "amount: 1e999",
        f"amount: {'9' * 400}",
        "words: [" + '"a" ' * (LONGEST_LIST + 1) + "]",
        r'leaf: { more: [{ word: "\u0000" }] }',
    ],
    ids=lambda text: text[:20],
)
async def test_a_literal_out_of_bounds_is_refused_alike(arguments: str) -> None:
    refusal = await refusal_of(f"{{ echo({arguments}) }}")
    assert refusal is not None
    assert refusal[0] == "BAD_USER_INPUT"


async def test_lists_within_bounds_inside_each_other_are_counted_together() -> None:
    many: dict[str, Any] = {"more": [{"more": [{"word": "a"}] * 100}] * (MOST_VALUES // 100)}
    refusal = await refusal_of(ASK, {"leaf": many})
    assert refusal is not None
    assert refusal[0] == "BAD_USER_INPUT"


async def test_values_nested_without_end_are_refused() -> None:
    nested: dict[str, Any] = {}
    for _ in range(DEEPEST_VALUE * 50):
        nested = {"more": [nested]}
    refusal = await refusal_of(ASK, {"leaf": nested})
    assert refusal is not None
    assert refusal[0] == "BAD_USER_INPUT"


async def test_the_largest_values_within_bounds_are_answered() -> None:
    variables = {
        "id": "x" * LONGEST_ID,
        "word": "ü" * LONGEST_TEXT,
        "amount": 9.99e14,
        "words": ["a"] * LONGEST_LIST,
        "leaf": {"more": [{"word": "\n\t"}]},
    }
    assert await refusal_of(ASK, variables) is None


REPRESENTATIONS = DeclaredVariable(
    "r",
    GraphQLList(GraphQLScalarType("_Any")),
    parse("query ($r: [_Any!]!) { a }").definitions[0],
    True,  # type: ignore[arg-type]
)


@pytest.mark.parametrize("several", [1, 200], ids=["few", "many"])
@pytest.mark.parametrize(
    ("required", "told"),
    [
        ({"weightKg": 80.5, "ageYears": 36, "sex": "MALE", "bodyFat": None}, None),
        ({"known": True, "lists": [1, 2.5], "deep": {"er": {"word": "a"}}}, None),
        ({"word": "a" * (LONGEST_TEXT + 1)}, "$r.0.body.word may have at most 5000 characters"),
        ({"word": "a\0"}, "$r.0.body.word must not have the character U+0000"),
        ({"amount": float("nan")}, "$r.0.body.amount must be a number between -10^15 and 10^15"),
        ({"amount": 10**15}, "$r.0.body.amount must be a number between -10^15 and 10^15"),
        ({"a\nb": 1}, "A name in $r.0.body is no id"),
        ({"": 1}, "A name in $r.0.body is no id"),
        ({"deep": {"er": {"word": "a\0"}}}, "$r.0.body.deep.er.word must not have the character U+0000"),
    ],
    ids=["plain", "others", "long", "zero", "nan", "huge", "name", "no-name", "deep"],
)
def test_what_a_representation_requires_has_the_same_bounds(required: Any, told: str | None, several: int) -> None:
    representations = [{"__typename": "User", "id": "u", "body": required}] * several
    errors = check_variables([REPRESENTATIONS], {"r": representations})
    assert [error.message for error in errors] == ([] if told is None else [f"Variable {told}."])
