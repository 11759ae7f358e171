"""API keys over a real database: shown once, exchanged for tokens, bounded, and ended at once."""

from collections.abc import AsyncIterator
from datetime import UTC, timedelta
from itertools import count
from typing import Any

import pytest
from sqlalchemy import text

from events.retention import forget_in_batches
from subgraphs.users.commands.api_key import forget_api_keys
from subgraphs.users.loaders import UsersLoaders
from subgraphs.users.schema import schema
from tests.testkit.servers import Postgres
from tests.testkit.subgraph import SubgraphUnderTest, codes_of, subgraph_under_test, user_errors

_numbers = count(1)
REGISTER = """mutation ($email: String!) { register(input: { email: $email, password: "Password123!", displayName: "Some Body" }) {
    accessToken user { id } } }"""
CREATE = """mutation ($input: CreateApiKeyInput!) { createApiKey(input: $input) {
    secret apiKey { id name scopes hint expiresAt lastUsedOn } userErrors { code field } } }"""
EXCHANGE = "mutation ($key: String!) { exchangeApiKey(input: { key: $key }) { accessToken expiresIn scopes } }"
REVOKE = "mutation ($id: ID!) { revokeApiKey(input: { id: $id }) { revokedId } }"
KEYS = "{ me { apiKeys { id name scopes hint lastUsedOn } } }"
WEIGH = "mutation { logWeight(input: { weightKg: 81.5 }) { weightEntry { id } user { displayName } } }"
WEIGHTS = "{ me { weights { nodes { weightKg } } } }"


@pytest.fixture(scope="module")
async def users(postgres: Postgres) -> AsyncIterator[SubgraphUnderTest]:
    async with subgraph_under_test("users", postgres.create_database("users_keys"), schema, UsersLoaders) as subgraph:
        yield subgraph


@pytest.fixture
async def owner(users: SubgraphUnderTest) -> str:
    registered = await users.data(REGISTER, None, {"email": f"key-{next(_numbers)}@example.com"})
    return str(registered["register"]["user"]["id"])


def wanted(*scopes: str, **others: Any) -> dict[str, Any]:
    return {"input": {"name": "Scales", "scopes": list(scopes), "currentPassword": "Password123!", **others}}


async def make(users: SubgraphUnderTest, owner: str, *scopes: str, **others: Any) -> dict[str, Any]:
    made: dict[str, Any] = (await users.data(CREATE, owner, wanted(*scopes, **others)))["createApiKey"]
    return made


async def token_for(users: SubgraphUnderTest, key: str) -> str:
    return "Bearer " + str((await users.data(EXCHANGE, None, {"key": key}))["exchangeApiKey"]["accessToken"])


async def rows(users: SubgraphUnderTest, owner: str) -> list[Any]:
    async with users.database.reading() as connection:
        found = await connection.execute(text("SELECT * FROM api_key WHERE user_id = :id"), {"id": owner})
        return list(found)


async def test_a_program_does_what_its_key_was_made_for_and_nothing_else(users: SubgraphUnderTest, owner: str) -> None:
    made = await make(users, owner, "WRITE_BODY", "WRITE_BODY")
    assert made["apiKey"]["scopes"] == ["WRITE_BODY"]
    assert made["secret"].endswith(made["apiKey"]["hint"])
    assert made["secret"] not in str(await rows(users, owner))

    token = await token_for(users, made["secret"])
    weighed = await users.run_with(token, WEIGH)
    assert weighed.errors is None
    assert weighed.data is not None
    assert weighed.data["logWeight"]["user"] == {"displayName": "Some Body"}
    assert codes_of(await users.run_with(token, WEIGHTS)) == ["FORBIDDEN"]
    assert codes_of(await users.run_with(token, "{ me { email } }")) == ["FORBIDDEN"]
    entry = weighed.data["logWeight"]["weightEntry"]["id"]
    node = f'query {{ node(id: "{entry}") {{ id }} }}'
    assert codes_of(await users.run_with(token, node)) == ["NOT_FOUND"]

    reader = await token_for(users, (await make(users, owner, "READ_BODY"))["secret"])
    assert (await users.run_with(reader, WEIGHTS)).data == {"me": {"weights": {"nodes": [{"weightKg": 81.5}]}}}
    assert (await users.run_with(reader, node)).errors is None
    assert codes_of(await users.run_with(reader, WEIGH)) == ["FORBIDDEN"]


async def test_a_key_of_an_administrator_reads_nobody_elses(users: SubgraphUnderTest, owner: str) -> None:
    admin = (await users.data(REGISTER, None, {"email": f"key-{next(_numbers)}@example.com"}))["register"]["user"]["id"]
    made = await make(users, admin, "READ_BODY", "READ_DIARY", "READ_TRAINING", "READ_PROGRESS")
    async with users.database.transaction() as transaction:
        await transaction.execute(text("UPDATE account SET roles = '{USER,ADMIN}' WHERE id = :id"), {"id": admin})
    token = await token_for(users, made["secret"])
    assert (await users.run_with(token, f'query {{ user(id: "{owner}") {{ id }} }}')).data == {"user": None}
    assert codes_of(await users.run_with(token, "{ auditTrail { nodes { id } } }")) == ["FORBIDDEN"]


async def test_last_use_is_told_by_day_and_written_once_a_day(
    users: SubgraphUnderTest, owner: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = await make(users, owner, "READ_DIARY")
    assert made["apiKey"]["lastUsedOn"] is None
    await token_for(users, made["secret"])
    first = await rows(users, owner)
    await token_for(users, made["secret"])
    assert await rows(users, owner) == first
    (listed,) = (await users.data(KEYS, owner))["me"]["apiKeys"]
    assert listed["lastUsedOn"] == users.resources.now().astimezone(UTC).date().isoformat()

    now = users.resources.now()
    monkeypatch.setattr(users.resources, "now", lambda: now + timedelta(days=1))
    await token_for(users, made["secret"])
    assert await rows(users, owner) != first


async def test_a_revoked_key_and_its_tokens_end_at_once(users: SubgraphUnderTest, owner: str) -> None:
    made = await make(users, owner, "READ_BODY")
    token = await token_for(users, made["secret"])
    assert (await users.run_with(token, WEIGHTS)).errors is None
    stranger = (await users.data(REGISTER, None, {"email": f"key-{next(_numbers)}@example.com"}))["register"]["user"]
    assert await users.codes(REVOKE, stranger["id"], {"id": made["apiKey"]["id"]}) == ["NOT_FOUND"]

    await users.data(REVOKE, owner, {"id": made["apiKey"]["id"]})
    assert codes_of(await users.run_with(token, WEIGHTS)) == ["UNAUTHENTICATED"]
    assert await users.codes(EXCHANGE, None, {"key": made["secret"]}) == ["UNAUTHENTICATED"]
    assert (await users.data(KEYS, owner))["me"]["apiKeys"] == []
    async with users.database.reading() as connection:  # and the other subgraphs hear of it as of an ended session
        told = "SELECT count(*) FROM outbox WHERE aggregate_id = :id AND aggregate_type = 'session'"
        assert await connection.scalar(text(told), {"id": made["apiKey"]["id"]}) == 1


async def test_a_token_ends_with_its_key(users: SubgraphUnderTest, owner: str, monkeypatch: pytest.MonkeyPatch) -> None:
    made = await make(users, owner, "READ_BODY", days=1)
    now = users.resources.now()
    monkeypatch.setattr(users.resources, "now", lambda: now + timedelta(days=1, seconds=-30))
    exchanged = (await users.data(EXCHANGE, None, {"key": made["secret"]}))["exchangeApiKey"]
    assert exchanged["expiresIn"] <= 30
    monkeypatch.setattr(users.resources, "now", lambda: now + timedelta(days=1, seconds=5))
    assert await users.codes(EXCHANGE, None, {"key": made["secret"]}) == ["UNAUTHENTICATED"]


async def test_keys_end_with_the_password(users: SubgraphUnderTest, owner: str) -> None:
    made = await make(users, owner, "READ_BODY")
    token = await token_for(users, made["secret"])
    change = """mutation { changePassword(input: { currentPassword: "Password123!", newPassword: "Different123!" }) {
        userErrors { code } } }"""
    assert await users.codes(change, owner) == []
    assert codes_of(await users.run_with(token, WEIGHTS)) == ["UNAUTHENTICATED"]
    assert await rows(users, owner) == []


async def test_what_cannot_be_made_is_refused_with_its_field(users: SubgraphUnderTest, owner: str) -> None:
    async def refused(**given: Any) -> list[tuple[str, str]]:
        result = await users.run(CREATE, owner, {"input": {**wanted("READ_BODY")["input"], **given}})
        return [(error["code"], error["field"]) for error in user_errors(result)]

    assert await refused(currentPassword="Guess123!") == [("VALIDATION_ERROR", "currentPassword")]
    assert await refused(name=" ", scopes=[], days=366) == [
        ("VALIDATION_ERROR", "name"),
        ("VALIDATION_ERROR", "scopes"),
        ("VALIDATION_ERROR", "days"),
    ]
    assert await rows(users, owner) == []


async def test_nobody_has_more_keys_than_twenty_and_expired_ones_are_forgotten(
    users: SubgraphUnderTest, owner: str
) -> None:
    for _ in range(20):
        await make(users, owner, "READ_BODY")
    assert await users.codes(CREATE, owner, wanted("READ_BODY")) == ["CONFLICT"]
    old = "UPDATE api_key SET expires_at = now() - make_interval(days => n.days) FROM (SELECT id, CAST(20 + 2 * row_number() OVER () AS integer) AS days FROM api_key WHERE user_id = :id) AS n WHERE n.id = api_key.id"
    async with users.database.transaction() as transaction:
        await transaction.execute(text(old), {"id": owner})
    assert (await users.data(KEYS, owner))["me"]["apiKeys"] == []
    await make(users, owner, "READ_BODY")
    await forget_in_batches(users.database.transaction, forget_api_keys)
    assert len(await rows(users, owner)) == 1 + 4  # those of 22 to 28 days ago; one of 30 days and more is gone


@pytest.mark.parametrize("key", ["", "guess", "ftkey_" + "a" * 43 + "_00000000"])
async def test_what_is_no_key_is_refused_without_a_reason(users: SubgraphUnderTest, key: str) -> None:
    with users.counted_statements() as statements:
        assert await users.codes(EXCHANGE, None, {"key": key}) == ["UNAUTHENTICATED"]
    assert statements == []
