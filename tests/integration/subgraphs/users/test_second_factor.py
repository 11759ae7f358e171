"""The second factor over a real database: enrolled, asked for, good once, and taken away."""

import base64
from collections.abc import AsyncIterator, Callable
from datetime import timedelta
from typing import Any

import pytest

from subgraphs.users.domain.one_time_password import code_at
from subgraphs.users.loaders import UsersLoaders
from subgraphs.users.schema import schema
from tests.testkit.servers import Postgres
from tests.testkit.subgraph import SubgraphUnderTest, subgraph_under_test, user_errors

PASSWORD = "Password123!"
REGISTER = """mutation ($email: String!, $key: IdempotencyKey) { register(input: { email: $email, password: "Password123!",
    displayName: "Some Body", idempotencyKey: $key }) { accessToken user { id } userErrors { code } } }"""
# The user is not asked for: a token of a clock that was put forward opens nothing yet.
LOGIN = """mutation ($email: String!, $code: String) {
    login(input: { email: $email, password: "Password123!", secondFactor: $code }) { accessToken } }"""
BEGIN = 'mutation { beginSecondFactor(input: { currentPassword: "Password123!" }) { secret uri userErrors { code } } }'
CONFIRM = "mutation ($code: String!) { confirmSecondFactor(input: { code: $code }) { recoveryCodes user { hasSecondFactor } userErrors { code field } } }"
REMOVE = """mutation ($code: String!) { removeSecondFactor(input: { currentPassword: "Password123!", code: $code }) {
    user { hasSecondFactor } userErrors { code field } } }"""


@pytest.fixture(scope="module")
async def users(postgres: Postgres) -> AsyncIterator[SubgraphUnderTest]:
    async with subgraph_under_test("users", postgres.create_database("users_factor"), schema, UsersLoaders) as subgraph:
        yield subgraph


@pytest.fixture
def later(users: SubgraphUnderTest, monkeypatch: pytest.MonkeyPatch) -> Callable[[int], None]:
    """Puts the clock so many steps of half a minute forward from now."""
    now = users.resources.now()
    monkeypatch.setattr(users.resources, "now", lambda: now)
    return lambda steps: monkeypatch.setattr(users.resources, "now", lambda: now + timedelta(seconds=30 * steps))


def code_of(users: SubgraphUnderTest, secret: str) -> str:
    """What an app shows now."""
    return code_at(base64.b32decode(secret), int(users.resources.now().timestamp() // 30))


async def reason(users: SubgraphUnderTest, email: str, code: str | None) -> str | None:
    """Why a sign-in is refused; None if it is not."""
    result = await users.run(LOGIN, None, {"email": email, "code": code})
    return None if result.errors is None else str((result.errors[0].extensions or {})["reason"])


async def enrolled(users: SubgraphUnderTest, email: str) -> tuple[str, str, list[str]]:
    """Id, secret and recovery codes of somebody new with a factor."""
    registered = (await users.data(REGISTER, None, {"email": email, "key": email}))["register"]
    owner = registered["user"]["id"]
    secret = (await users.data(BEGIN, owner))["beginSecondFactor"]["secret"]
    assert await reason(users, email, None) is None  # not before it is confirmed
    told = (await users.data(CONFIRM, owner, {"code": code_of(users, secret)}))["confirmSecondFactor"]
    assert told["user"] == {"hasSecondFactor": True}
    return owner, secret, told["recoveryCodes"]


async def test_sign_in_asks_for_a_code_that_holds_once(users: SubgraphUnderTest, later: Callable[[int], None]) -> None:
    email = "careful@example.com"
    owner, secret, codes = await enrolled(users, email)
    assert len(set(codes)) == 10

    assert await reason(users, email, None) == "SECOND_FACTOR"
    assert await reason(users, email, "000000") == "SECOND_FACTOR"
    assert await reason(users, email, code_of(users, secret)) == "SECOND_FACTOR"  # it has confirmed the enrolment
    later(2)
    assert await reason(users, email, code_of(users, secret)) is None
    assert await reason(users, email, code_of(users, secret)) == "SECOND_FACTOR"
    assert await reason(users, email, codes[0].upper()) is None
    listed = (await users.data("{ me { sessions { nodes { usedSecondFactor } } } }", owner))["me"]["sessions"]["nodes"]
    assert [each["usedSecondFactor"] for each in listed] == [True, True, False, False]  # the latest first
    assert await reason(users, email, codes[0]) == "SECOND_FACTOR"
    again = await users.run(REGISTER, None, {"email": email, "key": email})
    assert [error["code"] for error in user_errors(again)] == ["CONFLICT"]


async def test_codes_cannot_be_guessed(users: SubgraphUnderTest) -> None:
    email = "guessed@example.com"
    await enrolled(users, email)
    answers = [await users.codes(LOGIN, None, {"email": email, "code": f"{n:06}"}) for n in range(12)]
    assert answers[0] == ["UNAUTHENTICATED"]
    assert answers[-1] == ["RATE_LIMITED"]


async def test_a_factor_is_taken_away_with_password_and_code(
    users: SubgraphUnderTest, later: Callable[[int], None]
) -> None:
    email = "done@example.com"
    owner, secret, _ = await enrolled(users, email)

    async def refused(operation: str, **variables: Any) -> list[str]:
        return [error["code"] for error in user_errors(await users.run(operation, owner, variables))]

    assert await refused(BEGIN) == ["CONFLICT"]
    assert await refused(CONFIRM, code="000000") == ["CONFLICT"]
    assert await refused(REMOVE, code="000000") == ["VALIDATION_ERROR"]
    later(2)
    told = await users.data(REMOVE, owner, {"code": code_of(users, secret)})
    assert told["removeSecondFactor"]["user"] == {"hasSecondFactor": False}
    assert await reason(users, email, None) is None
    assert await users.codes(REMOVE, owner, {"code": "000000"}) == ["NOT_FOUND"]


async def test_an_app_without_the_secret_is_not_taken(users: SubgraphUnderTest) -> None:
    owner = (await users.data(REGISTER, None, {"email": "wrong@example.com"}))["register"]["user"]["id"]
    await users.data(BEGIN, owner)
    result = await users.run(CONFIRM, owner, {"code": "123"})
    assert [(error["code"], error["field"]) for error in user_errors(result)] == [("VALIDATION_ERROR", "code")]
    assert await reason(users, "wrong@example.com", None) is None
