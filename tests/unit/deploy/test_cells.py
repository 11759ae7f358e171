"""Where a new person goes, and what a request says of its caller's cell."""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path
from typing import Any

import jwt
import pytest
from graphql import GraphQLInputObjectType, build_schema, get_named_type

from deploy.cells.cell_map import CellMap, read_cell_map
from deploy.cells.evidence import ENTRANCES, Evidence, of_header, of_operation
from deploy.errors import FriendlyError
from subgraphs.users.commands.cell import mark_of, marked

ROOT = Path(__file__).parents[3]
ADDRESSES = [f"person-{number}@example.com" for number in range(3000)]
LOGIN = "mutation($input: LoginInput!) { login(input: $input) { accessToken } }"


def cell_map(tmp_path: Path, **shares: float) -> CellMap:
    lines = [
        f"  - {{name: {name}, router: 'http://r', users: 'http://u', takes: {takes}}}" for name, takes in shares.items()
    ]
    file = tmp_path / "cells.yaml"
    file.write_text("\n".join(["cells:", *lines]))
    return read_cell_map(file)


def test_new_people_are_divided_by_the_cells_shares(tmp_path: Path) -> None:
    placed = Counter(cell_map(tmp_path, full=0, small=1, large=3).place(address).name for address in ADDRESSES)
    assert placed["full"] == 0
    assert 0.70 < placed["large"] / len(ADDRESSES) < 0.80


def test_a_further_cell_takes_from_all_and_moves_nobody_between_the_others(tmp_path: Path) -> None:
    before, after = cell_map(tmp_path, a=1, b=1), cell_map(tmp_path, a=1, b=1, c=1)
    moves = Counter((before.place(address).name, after.place(address).name) for address in ADDRESSES)
    assert moves["a", "b"] == moves["b", "a"] == 0
    assert min(moves["a", "c"], moves["b", "c"]) > len(ADDRESSES) / 8


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("cells: []", "is no map of cells"),
        ("cells: [{name: A b, router: 'http://r', users: 'http://u'}]", "is no map of cells"),
        ("cells: [{name: a, router: 'http://r/graphql', users: 'http://u'}]", "is no map of cells"),
        ("cells: [{name: a, router: 'http://r', users: 'http://u', url: x}]", "is no map of cells"),
        ("{", "is no map of cells"),
        ("cells: [{name: a, router: 'http://r', users: 'http://u', takes: 0}]", "takes new people"),
        ("cells: [" + "{name: a, router: 'http://r', users: 'http://u'}, " * 2 + "]", "names a twice"),
    ],
)
def test_a_map_that_is_wrong_is_told(tmp_path: Path, text: str, told: str) -> None:
    (tmp_path / "cells.yaml").write_text(text)
    with pytest.raises(FriendlyError, match=told):
        read_cell_map(tmp_path / "cells.yaml")


def test_every_mutation_that_nobody_may_call_is_an_entrance_with_a_field_that_tells_whose() -> None:
    schema = build_schema((ROOT / "schema/fittracker/api.graphql").read_text(encoding="utf-8"), assume_valid=True)
    mutations = schema.mutation_type.fields if schema.mutation_type else {}
    for entrance, name in ENTRANCES.items():
        given = get_named_type(mutations[entrance].args["input"].type)
        assert isinstance(given, GraphQLInputObjectType)
        assert name in given.fields, entrance
    # The first column of the matrix is nobody; those that ask for a secret ask nobody who they are by the same code.
    matrix = (ROOT / "tests/e2e/access_matrix.txt").read_text(encoding="utf-8")
    let_in = set(re.findall(r"^router +Mutation\.(\w+) +Y ", matrix, re.MULTILINE))
    assert let_in | {"login", "refresh", "exchangeApiKey", "loginWithPasskey"} == set(ENTRANCES)


@pytest.mark.parametrize(
    "operation",
    [
        {"query": LOGIN, "variables": {"input": {"email": "a@example.com", "password": "x"}}},
        {"query": 'mutation { login(input: {email: "a@example.com", password: "x"}) { accessToken } }'},
        {"query": "mutation($e: String!) { login(input: {email: $e}) { accessToken } }", "variables": {"e": "a@example.com"}},
        {"query": 'mutation { ... @include(if: true) { x: login(input: {email: "a@example.com"}) { accessToken } } }'},
        {"query": 'mutation { ...F } fragment F on Mutation { login(input: {email: "a@example.com"}) { accessToken } }'},
        {"query": f"query A {{ me {{ id }} }} {LOGIN.replace('mutation(', 'mutation B(')}", "operationName": "B", "variables": {"input": {"email": "a@example.com"}}},
        {"extensions": {"persistedQuery": {"sha256Hash": "0" * 64}}, "variables": {"input": {"email": "a@example.com"}}},
    ],
)  # fmt: skip
def test_the_address_that_is_signed_in_with_is_found(operation: Any) -> None:
    assert of_operation(operation, is_signed_in=False) == Evidence(email="a@example.com")


@pytest.mark.parametrize(
    "operation",
    [
        None,
        [],
        {"query": 5},
        {"query": "mutation login {"},
        {"query": "query login { login }", "variables": {"input": {"email": "a@example.com"}}},
        {"query": LOGIN, "variables": "none"},
        {"query": LOGIN, "variables": {"input": {"email": "no address \0"}}},
        {"query": LOGIN, "variables": {"input": {"email": f"{'a' * 100_000}@example.com"}}},
        {"query": LOGIN, "operationName": "Another", "variables": {"input": {"email": "a@example.com"}}},
        {"query": "mutation($input: X!) { requestEmailVerification(input: $input) { sentTo } }", "variables": {"input": {"email": "a@example.com"}}},
    ],
)  # fmt: skip
def test_what_enters_no_account_says_nothing(operation: Any) -> None:
    assert of_operation(operation, is_signed_in=False) == Evidence()


def test_a_persisted_document_of_who_is_signed_in_is_not_taken_for_an_entrance() -> None:
    operation = {"extensions": {"persistedQuery": {}}, "variables": {"input": {"email": "new@example.com"}}}
    assert of_operation(operation, is_signed_in=True) == Evidence()


def test_tokens_name_their_cell() -> None:
    assert marked("abc", None) == "abc"
    assert mark_of("abc-_9") is None
    token = marked("abc-_9", "eu-1")
    assert (token, mark_of(token)) == ("eu-1.abc-_9", "eu-1")
    for entrance, name in ((each, name) for each, name in ENTRANCES.items() if name != "email"):
        query = f'mutation {{ {entrance}(input: {{ {name}: "{token}" }}) {{ __typename }} }}'
        assert of_operation({"query": query}, is_signed_in=False) == Evidence(cell="eu-1")


def test_an_access_tokens_cell_is_read_and_nothing_else_believed() -> None:
    signed = jwt.encode({"sub": "x", "cell": "eu-2"}, "k" * 32, "HS256")
    assert of_header(f"Bearer {signed}") == Evidence(cell="eu-2")
    for other in (
        None,
        "",
        "Basic abc",
        "Bearer",
        "Bearer a.b.c",
        f"Bearer {jwt.encode({'cell': 5}, 'k' * 32, 'HS256')}",
    ):
        assert of_header(other) == Evidence()
