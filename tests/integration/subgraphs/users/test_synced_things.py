"""An account is told where its version changes, and not for a sign-in; an erased person leaves nothing behind."""

from collections.abc import AsyncIterator
from typing import Any

import pytest
from sqlalchemy import text

from subgraphs.users.loaders import UsersLoaders
from subgraphs.users.schema import schema
from tests.testkit.servers import Postgres
from tests.testkit.subgraph import SubgraphUnderTest, subgraph_under_test

REGISTER = """mutation { register(input: {email: "copy@example.com", password: "Password123!", displayName: "A Copy"}) {
  accessToken user { id } } }"""
LOGIN = 'mutation { login(input: {email: "copy@example.com", password: "Password123!"}) { accessToken userErrors { code } } }'
CHANGES = """query ($since: String) { me { accountChanges(since: $since) { token changes { id entityType isDeleted entity {
  __typename ... on User { settings { units } version } ... on WeightEntry { weightKg } ... on Reminder { isOn }
  ... on NotificationPreferences { quietStart } } } } } }"""


@pytest.fixture(scope="module")
async def users(postgres: Postgres) -> AsyncIterator[SubgraphUnderTest]:
    async with subgraph_under_test("users", postgres.create_database("users_synced"), schema, UsersLoaders) as subgraph:
        yield subgraph


async def test_an_account_and_what_it_has(users: SubgraphUnderTest) -> None:
    registered = (await users.data(REGISTER, None))["register"]
    token, since = f"Bearer {registered['accessToken']}", None

    async def told_after(operation: str) -> list[Any]:
        nonlocal since
        result = await users.run_with(token, f"mutation {{ {operation} {{ userErrors {{ code }} }} }}")
        assert result.errors is None, result.errors
        return await told()

    async def told() -> list[Any]:
        nonlocal since
        result = await users.run_with(token, CHANGES, {"since": since})
        assert result.errors is None, result.errors
        page = (result.data or {})["me"]["accountChanges"]
        since = page["token"]
        return [(each["entityType"], each["isDeleted"], each["entity"]) for each in page["changes"]]

    ((kind, _, account),) = await told()
    assert (kind, account["settings"]["units"]) == ("User", "METRIC")
    await users.data(LOGIN, None)
    assert await told() == []
    ((kind, _, account),) = await told_after("updateSettings(input: {units: IMPERIAL})")
    assert (kind, account["settings"]["units"], account["version"]) == ("User", "IMPERIAL", 2)
    ((kind, _, weight),) = await told_after("logWeight(input: {weightKg: 80})")
    assert (kind, weight["weightKg"]) == ("WeightEntry", 80.0)
    ((kind, _, reminder),) = await told_after(
        'createReminder(input: {kind: DRINK, timeOfDay: "10:00", weekdays: [MONDAY]})'
    )
    assert (kind, reminder["isOn"]) == ("Reminder", True)
    quiet = 'updateNotificationPreferences(input: {quietStart: "22:00", quietEnd: "06:00"})'
    ((kind, _, preferences),) = await told_after(quiet)
    assert (kind, preferences["quietStart"]) == ("NotificationPreferences", "22:00")
    erase = 'mutation { deleteAccount(input: {currentPassword: "Password123!"}) { userErrors { code } } }'
    result = await users.run_with(token, erase)
    assert result.errors is None, result.errors
    async with users.database.reading() as connection:
        left = text("SELECT count(*) FROM entity_change WHERE user_id = :id")
        assert await connection.scalar(left, {"id": registered["user"]["id"]}) == 0
