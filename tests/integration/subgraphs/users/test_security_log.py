"""Each security event is a line of the log: what, of whom, by whom, with which outcome, and in which request."""

from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest
from structlog.testing import capture_logs

from router.log_lines import shown_subject
from subgraphs.shell.auth import KeyRing
from subgraphs.shell.security_log import Recorded, recorded_mutations
from subgraphs.users.loaders import UsersLoaders
from subgraphs.users.schema import schema
from tests.testkit.accounts import an_account
from tests.testkit.servers import Postgres
from tests.testkit.subgraph import SubgraphUnderTest, subgraph_under_test

# What a person keeps, and what says how the person is told and shown: no way in, no right, and nobody's data leaves by it.
ORDINARY = {
    "beginPasskey", "beginPasskeyLogin", "createReminder", "deleteHeartRate", "deleteMeasurement", "deleteNotification",
    "deleteReminder", "deleteSteps", "deleteWeight", "editHeartRate", "editWeight", "logHeartRate", "logMeasurement",
    "logSteps", "logWeight", "markNotificationsRead", "redeliverWebhook", "registerPushSubscription",
    "removePushSubscription", "sendTestWebhook", "unsubscribe", "updateNotificationPreferences", "updateProfile",
    "updateReminder", "updateSettings",
}  # fmt: skip
REGISTER = """mutation { register(input: { email: "Some@Example.com", password: "Password123!", displayName: "Some Body" }) {
    accessToken user { id } userErrors { code } } }"""
LOGIN = """mutation ($password: String!) { login(input: { email: "some@example.com", password: $password }) {
    accessToken user { id } userErrors { code } } }"""
CHANGE = """mutation ($current: String!) { changePassword(input: { currentPassword: $current, newPassword: "Another123!" }) {
    userErrors { code } } }"""
ROLES = """mutation ($id: ID!) { setUserRoles(input: { userId: $id, roles: [ADMIN], reason: "for a test" }) {
    user { id } userErrors { code } } }"""
REFRESH = "mutation ($token: String!) { refresh(input: { refreshToken: $token }) { accessToken } }"


@pytest.fixture(scope="module")
async def users(postgres: Postgres) -> AsyncIterator[SubgraphUnderTest]:
    async with subgraph_under_test("users", postgres.create_database("users_log"), schema, UsersLoaders) as subgraph:
        yield subgraph


@pytest.fixture
def lines() -> Iterator[list[dict[str, Any]]]:
    with capture_logs() as captured:
        yield captured  # type: ignore[misc]


def told(lines: list[dict[str, Any]]) -> list[tuple[Any, ...]]:
    events = [line for line in lines if line["event"] == "security_event"]
    lines.clear()
    assert all(line["correlation_id"] for line in events)
    assert len({line["correlation_id"] for line in events}) == len(events)  # each request's own
    return [(line["action"], line["outcome"], line["reason"], line["by"], line["account"]) for line in events]


def test_every_mutation_is_an_event_or_known_to_be_ordinary() -> None:
    mutation = schema._schema.mutation_type
    assert mutation is not None
    recorded = recorded_mutations(schema)
    assert ORDINARY.isdisjoint(recorded)
    assert set(mutation.fields) == ORDINARY | set(recorded)
    assert {name for name, when in recorded.items() if when is Recorded.REFUSALS} == {"refresh", "exchangeApiKey"}


async def test_signing_in_and_failing_to_are_told_by_the_same_account(
    users: SubgraphUnderTest, lines: list[dict[str, Any]]
) -> None:
    made = (await users.data(REGISTER, None))["register"]
    person = shown_subject(made["user"]["id"])
    address = users.resources.key_ring.pseudonym("some@example.com")
    await users.codes(LOGIN, None, {"password": "Wrong123!"})
    await users.data(LOGIN, None, {"password": "Password123!"})
    assert told(lines) == [
        ("register", "DONE", None, person, address),
        ("login", "UNAUTHENTICATED", "BAD_CREDENTIALS", None, address),
        ("login", "DONE", None, person, address),
    ]
    await users.codes(CHANGE, made["user"]["id"], {"current": "Wrong123!"})
    ((action, outcome, _, by, account),) = told(lines)
    assert (action, outcome != "DONE", by, account) == ("changePassword", True, person, None)
    await users.codes(REFRESH, None, {"token": "guessed"})
    assert [event[:2] for event in told(lines)] == [("refresh", "UNAUTHENTICATED")]


async def test_who_may_not_change_roles_and_who_may_are_told(
    users: SubgraphUnderTest, lines: list[dict[str, Any]]
) -> None:
    person, boss = await an_account(users), await an_account(users)
    await users.codes(ROLES, person, {"id": boss})
    await users.codes(ROLES, None, {"id": boss})
    await users.data(ROLES, boss, {"id": person}, roles=("USER", "ADMIN"))
    assert told(lines) == [
        ("setUserRoles", "FORBIDDEN", None, shown_subject(person), shown_subject(boss)),
        ("setUserRoles", "UNAUTHENTICATED", "NO_TOKEN", None, shown_subject(boss)),
        ("setUserRoles", "DONE", None, shown_subject(boss), shown_subject(person)),
    ]


async def test_no_line_has_a_secret_or_a_name(users: SubgraphUnderTest, lines: list[dict[str, Any]]) -> None:
    await users.codes(LOGIN, None, {"password": "Secret-of-Mine1!"})
    await users.codes(REFRESH, None, {"token": "a-token-of-mine"})
    shown = repr(lines)
    assert lines
    assert "mine" not in shown.lower()
    assert "example" not in shown


async def test_addresses_are_not_found_again_by_trying_them_all(
    users: SubgraphUnderTest, lines: list[dict[str, Any]]
) -> None:
    """There are four thousand million addresses of networks: whoever has the log has tried them in minutes."""
    context = users.context(None)
    context.client_address = "192.0.2.7"
    for _ in range(2):
        await users.schema.execute(LOGIN, {"password": "Wrong123!"}, context_value=context)
    first, second = (line for line in lines if line["event"] == "security_event")
    assert first["from_network"] == second["from_network"] == users.resources.key_ring.pseudonym("192.0.2.7")
    assert first["from_network"] != KeyRing("another secret that is long enough for it").pseudonym("192.0.2.7")
    guessed = {shown_subject("192.0.2.7"), shown_subject("some@example.com")}
    assert guessed.isdisjoint({first["from_network"], first["account"]})
