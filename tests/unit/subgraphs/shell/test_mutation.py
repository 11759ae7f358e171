"""One shape of mutations: refusals that a person can mend are the payload's, failures are errors, siblings go on."""

import enum
from datetime import UTC, datetime
from typing import Any

import pytest
import strawberry

from subgraphs.shell.context import Info
from subgraphs.shell.errors import (
    Checks,
    ConflictError,
    ForbiddenError,
    NotFoundError,
    RateLimitedError,
    StaleVersionError,
    SubgraphError,
    UnauthenticatedError,
)
from subgraphs.shell.graphql_schema import SubgraphSchema
from subgraphs.shell.inputs import expected_version, given, idempotency_key, request_key
from subgraphs.shell.mutation import Payload, mutation
from subgraphs.shell.scalars import IdempotencyKey


@strawberry.enum
class Colour(enum.StrEnum):
    RED = "RED"


@strawberry.input
class PartInput:
    label: str
    amount: float | None = None
    at: datetime | None = None
    colour: Colour | None = None


@strawberry.input
class WriteInput:
    text: str | None = strawberry.UNSET
    long_text: str | None = None
    parts: list[PartInput] | None = None
    fails_with: str | None = None
    idempotency_key: IdempotencyKey | None = idempotency_key()
    expected_version: int | None = expected_version()


@strawberry.type
class WritePayload(Payload):
    written: str | None = None


def broken_rules() -> SubgraphError:
    checks = Checks()
    checks.require(False, "text", "is wrong")
    checks.require(False, "parts.0.amount", "is wrong too")
    try:
        checks.done()
    except SubgraphError as error:
        return error
    raise AssertionError


FAILURES: dict[str, SubgraphError] = {
    "rules": broken_rules(),
    "conflict": ConflictError("Taken.", field="text"),
    "conflict of nothing": ConflictError("Running already."),
    "stale": StaleVersionError("thing", expected=1, current=2),
    "named": NotFoundError("No such food.", field="parts.1.label"),
    "guess": NotFoundError("No such thing."),
    "unauthenticated": UnauthenticatedError("Who?"),
    "forbidden": ForbiddenError("Not yours."),
    "too often": RateLimitedError("Wait.", retry_after_seconds=3),
}


@strawberry.type
class Query:
    @strawberry.field
    def nothing(self) -> str | None:
        return None


@strawberry.type
class Mutation:
    @mutation(description="Writes.", is_public=True)
    async def write(self, info: Info, input: WriteInput) -> WritePayload | None:  # noqa: A002, ARG002
        if input.fails_with == "bug":
            raise ZeroDivisionError
        if input.fails_with is not None:
            raise FAILURES[input.fails_with]
        return WritePayload(written=repr(input.text))


SCHEMA = SubgraphSchema(query=Query, mutation=Mutation)
WRITE = "mutation ($input: WriteInput!) { write(input: $input) { written userErrors { code field message } } }"


async def write(**given: Any) -> Any:
    return await SCHEMA.execute(WRITE, {"input": given})


@pytest.mark.parametrize(
    ("failure", "refusals"),
    [
        ("rules", [("VALIDATION_ERROR", "text"), ("VALIDATION_ERROR", "parts.0.amount")]),
        ("conflict", [("CONFLICT", "text")]),
        ("conflict of nothing", [("CONFLICT", None)]),
        ("stale", [("STALE_VERSION", "expectedVersion")]),
        ("named", [("NOT_FOUND", "parts.1.label")]),
    ],
)
async def test_what_a_person_can_mend_is_in_the_payload(failure: str, refusals: list[tuple[str, str | None]]) -> None:
    result = await write(failsWith=failure)
    assert result.errors is None
    payload = result.data["write"]
    assert payload["written"] is None
    assert [(error["code"], error["field"]) for error in payload["userErrors"]] == refusals
    assert all(error["message"] for error in payload["userErrors"])


@pytest.mark.parametrize(
    ("failure", "code"),
    [
        ("guess", "NOT_FOUND"),
        ("unauthenticated", "UNAUTHENTICATED"),
        ("forbidden", "FORBIDDEN"),
        ("too often", "RATE_LIMITED"),
        ("bug", "INTERNAL_SERVER_ERROR"),
    ],
)
async def test_failures_are_errors_and_null_their_field_alone(failure: str, code: str) -> None:
    query = f'mutation {{ a: write(input: {{ failsWith: "{failure}" }}) {{ written }} b: write(input: {{ text: "b" }}) {{ written }} }}'
    result: Any = await SCHEMA.execute(query)
    assert [error.extensions["code"] for error in result.errors] == [code]
    assert [error.path for error in result.errors] == [["a"]]
    assert result.data == {"a": None, "b": {"written": "'b'"}}


async def test_text_comes_in_one_form_and_without_what_nobody_types() -> None:
    composed = await write(text="Cafe\u0301")
    assert composed.data["write"]["written"] == "'Caf\u00e9'"
    kept = await write(text="two\nlines \U0001f469\u200d\U0001f680 \u05e9\u200f")
    assert kept.data["write"]["userErrors"] == []
    parts = [{"label": "fine"}, {"label": "turns\u202earound"}]
    refused = await write(text="bell\a", longText="\x85", parts=parts)
    fields = [error["field"] for error in refused.data["write"]["userErrors"]]
    assert fields == ["text", "longText", "parts.1.label"]


def test_absent_keeps_and_null_clears() -> None:
    assert given(WriteInput(), "text") == {}
    assert given(WriteInput(text=None), "text") == {"text": None}
    assert given(WriteInput(text="new"), never_null=("text",)) == {"text": "new"}
    assert given(WriteInput(), never_null=("text",)) == {}
    with pytest.raises(SubgraphError, match="text: cannot be cleared"):
        given(WriteInput(text=None), never_null=("text",))


def test_a_key_stands_for_its_content() -> None:
    key = IdempotencyKey("k")

    def part(amount: float) -> PartInput:
        return PartInput(label="a", amount=amount, at=datetime(2026, 3, 1, tzinfo=UTC), colour=Colour.RED)

    first = request_key(WriteInput(text="a", parts=[part(1)], idempotency_key=key))
    same = request_key(WriteInput(text="a", long_text=None, parts=[part(1)], idempotency_key=key))
    other = request_key(WriteInput(text="a", parts=[part(2)], idempotency_key=key))
    assert first is not None
    assert same is not None
    assert other is not None
    same.refuse_other_content(first.content)
    same.refuse_other_content(None)
    with pytest.raises(ConflictError):
        other.refuse_other_content(first.content)
    assert request_key(WriteInput(text="a")) is None


def test_a_secret_is_no_part_of_what_is_stored() -> None:
    one = request_key(WriteInput(text="secret", idempotency_key=IdempotencyKey("k")), without=("text",))
    two = request_key(WriteInput(text="other secret", idempotency_key=IdempotencyKey("k")), without=("text",))
    assert one == two
