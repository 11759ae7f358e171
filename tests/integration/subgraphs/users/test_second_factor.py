"""The second factor over a real database: enrolled, asked for, good once, and taken away; its secret stands sealed."""

import base64
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from prometheus_client import REGISTRY
from sqlalchemy import text

from subgraphs.users.commands import factor_sealing
from subgraphs.users.commands.factor_sealing import seal_factors, seal_factors_anew
from subgraphs.users.domain.one_time_password import code_at
from subgraphs.users.loaders import UsersLoaders
from subgraphs.users.schema import schema
from tests.testkit.servers import Postgres
from tests.testkit.subgraph import SubgraphUnderTest, subgraph_under_test, user_errors

PASSWORD = "Password123!"
KEY = "yfWPiYE-n46HLnH0KqZOF1fJJU3MYrct3AELtAQ-oRw"
OTHER_KEY = "Rm9yIHRlc3RzIG9ubHk6IGFub3RoZXIga2V5IGhlcmU"
REGISTER = """mutation ($email: String!, $key: IdempotencyKey) { register(input: { email: $email, password: "Password123!",
    displayName: "Some Body", idempotencyKey: $key }) { accessToken user { id } userErrors { code } } }"""
# The user is not asked for: a token of a clock that was put forward opens nothing yet.
LOGIN = """mutation ($email: String!, $code: String) {
    login(input: { email: $email, password: "Password123!", secondFactor: $code }) { accessToken } }"""
BEGIN = 'mutation { beginSecondFactor(input: { currentPassword: "Password123!" }) { secret uri userErrors { code field } } }'
CONFIRM = "mutation ($code: String!) { confirmSecondFactor(input: { code: $code }) { recoveryCodes user { hasSecondFactor } userErrors { code field } } }"
REMOVE = """mutation ($code: String!) { removeSecondFactor(input: { currentPassword: "Password123!", code: $code }) {
    user { hasSecondFactor } userErrors { code field } } }"""


@pytest.fixture(scope="module")
async def users(postgres: Postgres) -> AsyncIterator[SubgraphUnderTest]:
    async with subgraph_under_test("users", postgres.create_database("users_factor"), schema, UsersLoaders) as subgraph:
        with_keys(subgraph, KEY)
        yield subgraph


def with_keys(users: SubgraphUnderTest, key: str | None, *previous: str) -> None:
    users.resources.settings = replace(
        users.resources.settings, second_factor_key=key, second_factor_previous_keys=previous
    )


@pytest.fixture
def rotated(users: SubgraphUnderTest) -> Iterator[Callable[..., None]]:
    """Gives the process other keys, the first of which seals, until the test has ended."""
    yield lambda *keys: with_keys(users, *keys)
    with_keys(users, KEY)


async def stored(users: SubgraphUnderTest, owner: str) -> bytes:
    """What a dump of the database has of the owner's secret."""
    async with users.database.reading() as connection:
        return bytes(await connection.scalar(text("SELECT totp_secret FROM account WHERE id = :id"), {"id": owner}))


async def store(users: SubgraphUnderTest, owner: str, secret: bytes) -> None:
    async with users.database.transaction() as transaction:
        await transaction.execute(
            text("UPDATE account SET totp_secret = :secret, totp_last_step = NULL WHERE id = :id"),
            {"id": owner, "secret": secret},
        )


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


async def test_a_dump_of_the_database_yields_no_code(users: SubgraphUnderTest) -> None:
    owner, shown, _ = await enrolled(users, "dumped@example.com")
    secret = base64.b32decode(shown)
    sealed = await stored(users, owner)
    assert secret not in sealed
    async with users.database.reading() as connection:
        row = await connection.scalar(text("SELECT account::text FROM account WHERE id = :id"), {"id": owner})
    assert sealed.hex() in row  # it is the whole row, as a dump has it
    assert secret.hex() not in row
    assert shown not in row


async def test_a_secret_in_the_row_of_another_account_opens_nothing(
    users: SubgraphUnderTest, later: Callable[[int], None]
) -> None:
    victim, theirs, codes = await enrolled(users, "victim@example.com")
    attacker, own, _ = await enrolled(users, "attacker@example.com")
    before = await stored(users, victim)
    await store(users, victim, await stored(users, attacker))
    later(2)
    assert await reason(users, "victim@example.com", code_of(users, own)) == "SECOND_FACTOR"
    assert await reason(users, "victim@example.com", codes[0]) is None  # recovery codes need no secret
    await store(users, victim, before)
    assert await reason(users, "victim@example.com", code_of(users, theirs)) is None


def unreadable() -> float:
    return REGISTRY.get_sample_value("second_factor_unreadable_total") or 0.0


async def test_another_key_loses_nobody_and_the_one_before_it_can_go(
    users: SubgraphUnderTest, later: Callable[[int], None], rotated: Callable[..., None]
) -> None:
    email = "rotated@example.com"
    owner, shown, codes = await enrolled(users, email)
    sealed = await stored(users, owner)
    rotated(OTHER_KEY, KEY)
    later(2)
    assert await reason(users, email, code_of(users, shown)) is None
    await seal_factors_anew(users.resources)
    assert await stored(users, owner) != sealed
    assert await seal_factors_anew(users.resources) == 0
    rotated(OTHER_KEY)
    later(4)
    assert await reason(users, email, code_of(users, shown)) is None
    rotated(KEY)  # the key is lost: codes of the app are refused, and recovery codes hold
    later(6)
    before = unreadable()
    assert await reason(users, email, code_of(users, shown)) == "SECOND_FACTOR"
    assert unreadable() > before  # which is an alert
    assert await seal_factors_anew(users.resources) == 0  # what it cannot open stays as it is
    assert await reason(users, email, codes[0]) is None
    rotated(KEY, OTHER_KEY)
    await seal_factors_anew(users.resources)


async def test_secrets_of_before_there_was_a_key_hold_and_are_sealed_after_a_while(
    users: SubgraphUnderTest,
    later: Callable[[int], None],
    rotated: Callable[..., None],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    people = [(f"early{n}@example.com", *(await enrolled(users, f"early{n}@example.com"))[:2]) for n in range(3)]
    for _, owner, shown in people:
        await store(users, owner, base64.b32decode(shown))
    monkeypatch.setattr(factor_sealing, "AT_ONCE", 2)
    monkeypatch.setattr(factor_sealing, "REST_SECONDS", 0.0)
    email, owner, shown = people[0]
    rotated(None)
    await seal_factors(users.resources)  # without a key it only says what stands unsealed
    assert await stored(users, owner) == base64.b32decode(shown)
    later(2)
    assert await reason(users, email, code_of(users, shown)) is None
    nobody = (await users.data(REGISTER, None, {"email": "late@example.com"}))["register"]["user"]["id"]
    refused = await users.run(BEGIN, nobody)
    assert [(error["code"], error["field"]) for error in user_errors(refused)] == [("CONFLICT", None)]
    rotated(KEY)
    await seal_factors(users.resources)
    later(4)
    for email, owner, shown in people:
        assert base64.b32decode(shown) not in await stored(users, owner)
        assert await reason(users, email, code_of(users, shown)) is None
