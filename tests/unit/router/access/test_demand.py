"""What operations cost, by the weights and list sizes of the schema."""

from __future__ import annotations

from typing import Any

import pytest
from graphql import parse

from router.access.demand import CostModel, DemandControl, SlicingArgumentError, TooExpensiveError
from router.operation import Operation, VariableCoercion, normalize, parse_and_validate
from router.settings import DemandControl as Settings
from router.supergraph.api_schema import build_api_schema

SDL = """
schema @link(url: "https://specs.apollo.dev/link/v1.0") @link(url: "https://specs.apollo.dev/join/v0.5", for: EXECUTION)
  @link(url: "https://specs.apollo.dev/cost/v0.1", import: ["@cost", { name: "@listSize", as: "@sized" }])
{ query: Query mutation: Mutation }
directive @join__graph(name: String!, url: String!) on ENUM_VALUE
directive @link(url: String, as: String, for: link__Purpose, import: [link__Import]) repeatable on SCHEMA
directive @cost(weight: Int!) on ARGUMENT_DEFINITION | ENUM | FIELD_DEFINITION | INPUT_FIELD_DEFINITION | OBJECT | SCALAR
directive @sized(assumedSize: Int, slicingArguments: [String!], sizedFields: [String!],
  requireOneSlicingArgument: Boolean = true) on FIELD_DEFINITION
scalar link__Import
enum link__Purpose { SECURITY EXECUTION }
enum join__Graph { A @join__graph(name: "a", url: "http://a") }
type Query {
  name: String
  heavy: String @cost(weight: 5)
  coded: Code
  book: Book
  books: [Book!]!
  five: [Book] @sized(assumedSize: 5)
  first(first: Int = 3, last: Int): [Book] @sized(slicingArguments: ["first", "last"], requireOneSlicingArgument: false)
  strict(first: Int, last: Int): [Book] @sized(slicingArguments: ["first", "last"])
  paged(page: Page): Books @sized(slicingArguments: ["page.size"], sizedFields: ["items"])
  search(filter: Filter, limit: Int @cost(weight: 2)): String
  either: Either
  node: Node
}
type Mutation { write(filter: Filter): Book }
scalar Code @cost(weight: 7)
type Books { items: [Book] total: Int }
interface Node { id: ID }
type Book implements Node { id: ID title: String author: Author }
type Author implements Node @cost(weight: 4) { id: ID name: String books: [Book] }
union Either = Book | Author
input Page { size: Int }
input Filter { text: String @cost(weight: 3) also: [Filter] }
"""

SCHEMA = build_api_schema(parse(SDL))


def model(list_size: int = 10) -> CostModel:
    return CostModel.from_sdl(SDL, SCHEMA, list_size)


def prepared(query: str, variables: Any = None) -> tuple[Operation, dict[str, Any]]:
    operation = normalize(parse_and_validate(query, SCHEMA), None, SCHEMA, lift_literals=True)
    return operation, VariableCoercion.of(operation, SCHEMA).coerce(variables)


@pytest.mark.parametrize(
    ("query", "cost"),
    [
        ("{ name }", 0),
        ("{ __typename }", 0),
        ("{ heavy }", 5),
        ("{ coded }", 7),
        ("{ a: heavy b: heavy }", 10),
        ("{ book { id title } }", 1),
        ("{ book { author { name } } }", 5),
        ("{ books { title } }", 10),
        ("{ books { author { name } } }", 50),
        ("{ five { title } }", 5),
        ("{ first { title } }", 3),
        ("{ first(first: 7) { title } }", 7),
        ("{ first(first: 7, last: 8) { title } }", 8),
        ("{ first(first: -4) { title } }", 0),
        ("{ paged(page: {size: 6}) { total items { title } } }", 1 + 6 + 1),
        ("{ paged { items { title } } }", 1 + 10),
        ('{ search(filter: {text: "a"}) }', 1 + 3),
        ('{ search(filter: {text: "a", also: [{text: "b"}, {}]}, limit: 1) }', 1 + 3 + (1 + 3) + 1 + 2),
        ("{ search }", 0),
        ("{ either { ... on Book { author { id } } ... on Author { name } } }", 1 + 4),
        ("{ either { ... on Author { books { id } } } }", 4 + 10),
        ("{ node { id } }", 4),
        ("{ book { ...F } } fragment F on Book { author { id } }", 5),
        ("mutation { write { id } }", 10 + 1),
    ],
)
def test_the_estimate(query: str, cost: float) -> None:
    assert model().cost_of(*prepared(query)) == cost


def test_variables_count_as_the_values_they_have() -> None:
    query = "query($n: Int, $with: Boolean!) { first(first: $n) { author @include(if: $with) { id } } }"
    assert model().cost_of(*prepared(query, {"n": 4, "with": True})) == 4 * 5
    assert model().cost_of(*prepared(query, {"n": 4, "with": False})) == 4
    assert model().cost_of(*prepared(query, {"with": False})) == 3


def test_weights_may_be_strings_and_a_namesake_without_any_is_passed_over() -> None:
    sdl = """
    directive @cost(weight: String, value: Int) on FIELD_DEFINITION
    type Query { a: Int @cost(weight: "2.5") b: Int @cost(value: 7) c: Int @cost(weight: "much") d: Int @cost(weight: "-1") }
    """
    schema = build_api_schema(parse(sdl))
    operation = normalize(parse_and_validate("{ a b c d }", schema), None, schema)
    assert CostModel.from_sdl(sdl, schema, 10).cost_of(operation, {}) == 1.5


def test_lists_the_schema_says_nothing_about_have_the_configured_size() -> None:
    assert model(list_size=2).cost_of(*prepared("{ books { title } }")) == 2


def test_a_wide_union_of_deep_selections_is_judged_in_a_moment() -> None:
    inner = "id"
    for _ in range(30):
        inner = f"... on Author {{ books {{ author {{ {inner} }} }} }}"
    assert model().cost_of(*prepared(f"{{ either {{ {inner} }} }}")) > 10**30


def test_enforcing_refuses_what_is_over_the_maximum_and_measuring_nothing() -> None:
    over = prepared("{ books { author { name } } }")
    DemandControl(SDL, SCHEMA, Settings(enabled=True, max=49)).check(*over)
    DemandControl(SDL, SCHEMA, Settings(enabled=True, mode="enforce", max=50)).check(*over)
    with pytest.raises(TooExpensiveError) as caught:
        DemandControl(SDL, SCHEMA, Settings(enabled=True, mode="enforce", max=49)).check(*over)
    assert caught.value.entries() == [
        {
            "message": "The operation's estimated cost of 50 is more than the maximum of 49. "
            "Ask for fewer fields, or for fewer entries of lists (`first`).",
            "extensions": {"code": "COST_ESTIMATED_TOO_EXPENSIVE", "cost.estimated": 50, "cost.max": 49},
        }
    ]


def test_the_one_slicing_argument_that_a_list_needs_is_asked_for_where_costs_are_enforced() -> None:
    for query in ("{ strict { id } }", "{ strict(first: 1, last: 1) { id } }"):
        DemandControl(SDL, SCHEMA, Settings(enabled=True)).check(*prepared(query))
        with pytest.raises(SlicingArgumentError, match=r"Query\.strict needs exactly one"):
            DemandControl(SDL, SCHEMA, Settings(enabled=True, mode="enforce")).check(*prepared(query))


def walked(monkeypatch: pytest.MonkeyPatch) -> list[Operation]:
    """Each walk that is made over an operation from here on."""
    walks: list[Operation] = []
    estimate = CostModel.cost_of

    def counted(self: CostModel, operation: Operation, variables: Any, *, is_strict: bool = False) -> float:
        walks.append(operation)
        return estimate(self, operation, variables, is_strict=is_strict)

    monkeypatch.setattr(CostModel, "cost_of", counted)
    return walks


def test_an_operation_is_walked_once_for_all_values_that_cost_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    walks = walked(monkeypatch)
    control = DemandControl(SDL, SCHEMA, Settings(enabled=True))
    operation, _ = prepared(
        "query($n: Int, $t: Boolean!) { first(first: $n) { title @include(if: $t) author { id } } }", {"t": True}
    )
    asked = [{"n": 3, "t": True}, {"n": 3, "t": True}, {"n": 40, "t": True}, {"n": None, "t": True}]
    assert [control.cost_of(operation, each) for each in asked] == [15, 15, 200, 15]
    assert len(walks) == 3
    text, limit = prepared("query($text: String) { search(limit: 1, filter: { text: $text }) }")
    assert {control.cost_of(text, limit | {"text": each}) for each in ("a", "b", "c")} == {6}
    assert control.cost_of(text, limit | {"text": None}) == 3
    assert len(walks) == 5


def test_lists_and_objects_are_counted_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    walks = walked(monkeypatch)
    control = DemandControl(SDL, SCHEMA, Settings(enabled=True))
    operation, _ = prepared("query($page: Page) { paged(page: $page) { items { id } } }")
    assert [control.cost_of(operation, {"page": {"size": each}}) for each in (2, 30, 2)] == [4, 32, 4]
    assert len(walks) == 3


def test_a_cost_that_is_known_is_of_that_operation_alone() -> None:
    control = DemandControl(SDL, SCHEMA, Settings(enabled=True))
    for number in range(1, 3_000):  # made and gone: later ones come to stand where earlier ones stood
        operation, variables = prepared(
            "{ " + " ".join(f"b{each}: book {{ id }}" for each in range(1 + number % 3)) + " }"
        )
        assert control.cost_of(operation, variables) == 1 + number % 3


def test_what_was_refused_for_its_arguments_is_refused_again() -> None:
    control = DemandControl(SDL, SCHEMA, Settings(enabled=True, mode="enforce"))
    operation, variables = prepared("{ strict { title } }")
    for _ in range(2):
        with pytest.raises(SlicingArgumentError):
            control.check(operation, variables)
