"""Sessions that a person sees and ends one by one."""

from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from typing import Any

import pytest

from subgraphs.users.loaders import UsersLoaders
from subgraphs.users.schema import schema
from tests.testkit.servers import Postgres
from tests.testkit.subgraph import SubgraphUnderTest, codes_of, subgraph_under_test

PASSWORD = "Password123!"
EMAIL = "many@example.com"
REGISTER = """mutation { register(input: { email: "many@example.com", password: "Password123!", displayName: "Many", deviceName: "Laptop" }) {
    accessToken refreshToken user { id } } }"""
LOGIN = "mutation ($input: LoginInput!) { login(input: $input) { accessToken refreshToken userErrors { field } } }"
REFRESH = "mutation ($token: String!) { refresh(input: { refreshToken: $token }) { accessToken } }"
SESSIONS = (
    "{ me { sessions(first: 10) { totalCount nodes { id deviceName createdAt lastUsedAt expiresAt isCurrent } } } }"
)
REVOKE = "mutation ($id: ID!) { revokeSession(input: { id: $id }) { revokedId user { sessions { totalCount } } } }"


@pytest.fixture(scope="module")
async def users(postgres: Postgres) -> AsyncIterator[SubgraphUnderTest]:
    url = postgres.create_database("users_sessions")
    async with subgraph_under_test("users", url, schema, UsersLoaders) as subgraph:
        yield subgraph


async def as_session(users: SubgraphUnderTest, session: dict[str, Any], operation: str, **variables: Any) -> Any:
    return await users.run_with(f"Bearer {session['accessToken']}", operation, variables)


async def test_a_lost_phones_session_is_ended_by_itself(
    users: SubgraphUnderTest, monkeypatch: pytest.MonkeyPatch
) -> None:
    laptop = (await users.data(REGISTER, None))["register"]
    given = {"email": EMAIL, "password": PASSWORD, "deviceName": "Phone"}
    phone = (await users.data(LOGIN, None, {"input": given}))["login"]
    now = users.resources.now
    monkeypatch.setattr(users.resources, "now", lambda: now() + timedelta(minutes=10))
    await users.data(REFRESH, None, {"token": phone["refreshToken"]})

    listed = (await as_session(users, laptop, SESSIONS)).data["me"]["sessions"]
    assert listed["totalCount"] == 2
    first, second = listed["nodes"]
    assert [(each["deviceName"], each["isCurrent"]) for each in (first, second)] == [("Phone", False), ("Laptop", True)]
    used, began = (datetime.fromisoformat(first[name]) for name in ("lastUsedAt", "createdAt"))
    assert timedelta(minutes=9) < used - began < timedelta(minutes=20)
    assert second["lastUsedAt"] == second["createdAt"]

    ended = (await as_session(users, laptop, REVOKE, id=first["id"])).data["revokeSession"]
    assert ended == {"revokedId": first["id"], "user": {"sessions": {"totalCount": 1}}}
    assert codes_of(await as_session(users, phone, "{ me { id } }")) == ["UNAUTHENTICATED"]
    assert codes_of(await as_session(users, laptop, REVOKE, id=first["id"])) == ["NOT_FOUND"]
    assert codes_of(await as_session(users, laptop, REVOKE, id=second["id"])) == []
    assert codes_of(await as_session(users, laptop, "{ me { id } }")) == ["UNAUTHENTICATED"]


async def test_a_device_has_a_name_of_one_line(users: SubgraphUnderTest) -> None:
    given = {"email": EMAIL, "password": PASSWORD, "deviceName": "x" * 101}
    assert (await users.run(LOGIN, None, {"input": given})).data == {
        "login": {"accessToken": None, "refreshToken": None, "userErrors": [{"field": "deviceName"}]}
    }
