"""Which operations may be executed twice, and for how long somebody waits for a server that is away."""

from typing import Any

import pytest
from graphql import GraphQLError
from strawberry.types import ExecutionResult

from subgraphs.shell import repetition
from subgraphs.shell.errors import UnavailableError
from subgraphs.shell.repetition import Repetition, may_be_repeated

KEYED = 'mutation { logWeight(input: {weightKg: 80, idempotencyKey: "k"}) { entry { id } } }'
UNKEYED = "mutation { logWeight(input: {weightKg: 80}) { entry { id } } }"


@pytest.mark.parametrize(
    ("query", "variables", "repeatable"),
    [
        ("{ me { id } }", None, True),
        (KEYED, None, True),
        (UNKEYED, None, False),
        ("mutation { logWeight(input: {idempotencyKey: null}) { entry { id } } }", None, False),
        ("mutation($i: I!) { logWeight(input: $i) { entry { id } } }", {"i": {"idempotencyKey": "k"}}, True),
        ("mutation($i: I!) { logWeight(input: $i) { entry { id } } }", {"i": {"idempotencyKey": None}}, False),
        ("mutation($i: I!) { logWeight(input: $i) { entry { id } } }", {"i": {}}, False),
        ("mutation($k: K) { logWeight(input: {idempotencyKey: $k}) { entry { id } } }", {"k": "k"}, True),
        ("mutation($k: K) { logWeight(input: {idempotencyKey: $k}) { entry { id } } }", {}, False),
        ('mutation { ...F } fragment F on Mutation { a(input: {idempotencyKey: "k"}) { id } b { id } }', None, False),
        ('mutation { ... { a(input: {idempotencyKey: "k"}) { id } } }', None, True),
        ("mutation { logout { success } }", None, False),
        ("subscription { changed { id } }", None, False),
    ],
)  # fmt: skip
def test_only_reads_and_keyed_writes_are_repeated(query: str, variables: Any, repeatable: bool) -> None:
    assert may_be_repeated({"query": query, "variables": variables}) is repeatable


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(repetition, "PAUSES_SECONDS", (0.001,) * 7)


class Server:
    """Away for so many attempts."""

    def __init__(self, away: int) -> None:
        self.away = away
        self.attempts = 0

    async def execute(self) -> ExecutionResult:
        self.attempts += 1
        if self.attempts <= self.away:
            error = UnavailableError()
            return ExecutionResult(data=None, errors=[GraphQLError(str(error), extensions=dict(error.extensions))])
        return ExecutionResult(data={"me": None}, errors=None)


async def test_a_read_waits_for_a_server_that_comes_back() -> None:
    server = Server(away=3)
    result = await Repetition().until_available(server.execute, {"query": "{ me { id } }"})
    assert (result.errors, server.attempts) == (None, 4)


async def test_a_write_without_a_key_is_tried_once() -> None:
    server = Server(away=1)
    result = await Repetition().until_available(server.execute, {"query": UNKEYED})
    assert server.attempts == 1
    assert [error.extensions for error in result.errors or ()] == [{"code": "UNAVAILABLE", "retryAfterSeconds": 2}]


async def test_during_an_outage_nobody_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(repetition, "OUTAGE_AFTER_SECONDS", 0.0)
    patience, server = Repetition(), Server(away=100)
    for _ in range(2):
        await patience.until_available(server.execute, {"query": "{ me { id } }"})
    attempts = server.attempts
    await patience.until_available(server.execute, {"query": "{ me { id } }"})
    assert server.attempts == attempts + 1
