"""What administrators do to accounts, and that nobody else does."""

from collections.abc import AsyncIterator
from typing import Any

import pytest
from sqlalchemy import text
from strawberry.types.base import StrawberryObjectDefinition

from events.contracts.users import StatusChanged
from events.envelope import decode_envelope
from events.upcast import read_payload
from subgraphs.shell.scopes import ADMINISTRATORS_ONLY, required_scopes
from subgraphs.users.commands.administration import set_roles_by_operator
from subgraphs.users.domain.account import Role
from subgraphs.users.loaders import UsersLoaders
from subgraphs.users.schema import schema
from tests.testkit.servers import Postgres
from tests.testkit.subgraph import SubgraphUnderTest, codes_of, subgraph_under_test, user_errors

PASSWORD = "Password123!"
REGISTER = """mutation ($email: String!) { register(input: { email: $email, password: "Password123!", displayName: "Some Body" }) {
    accessToken refreshToken user { id } } }"""
LOGIN = 'mutation ($email: String!) { login(input: { email: $email, password: "Password123!" }) { accessToken user { roles } } }'
STATUS = "mutation ($input: SetUserStatusInput!) { setUserStatus(input: $input) { user { status version } userErrors { code field } } }"
ROLES = (
    "mutation ($input: SetUserRolesInput!) { setUserRoles(input: $input) { user { roles } userErrors { code field } } }"
)
TRAIL = """query ($id: ID, $after: String) { auditTrail(userId: $id, first: 2, after: $after) {
    nodes { action actorId subjectId reason before after } pageInfo { hasNextPage endCursor } } }"""


@pytest.fixture(scope="module")
async def users(postgres: Postgres) -> AsyncIterator[SubgraphUnderTest]:
    async with subgraph_under_test("users", postgres.create_database("users_admin"), schema, UsersLoaders) as subgraph:
        yield subgraph


async def as_boss(users: SubgraphUnderTest, operation: str, **variables: Any) -> Any:
    return await users.run(operation, "boss", variables, roles=("USER", "ADMIN"))


async def registered(users: SubgraphUnderTest, email: str) -> dict[str, Any]:
    session: dict[str, Any] = (await users.data(REGISTER, None, {"email": email}))["register"]
    return session


async def test_a_suspended_person_is_signed_out_and_stays_out(users: SubgraphUnderTest) -> None:
    email = "suspended@example.com"
    session = await registered(users, email)
    given = {"userId": session["user"]["id"], "status": "SUSPENDED", "reason": "Sells spam"}
    told = await as_boss(users, STATUS, input=given | {"expectedVersion": 1})

    assert told.data == {"setUserStatus": {"user": {"status": "SUSPENDED", "version": 2}, "userErrors": []}}
    assert codes_of(await users.run_with(f"Bearer {session['accessToken']}", "{ me { id } }")) == ["UNAUTHENTICATED"]
    assert await users.codes(LOGIN, None, {"email": email}) == ["UNAUTHENTICATED"]
    async with users.database.reading() as connection:
        rows = await connection.execute(
            text("SELECT value FROM outbox WHERE key = :id ORDER BY seq"), {"id": given["userId"]}
        )
        events = [read_payload(decode_envelope(row.value)) for row in rows]
    assert [event.status for event in events if isinstance(event, StatusChanged)] == ["SUSPENDED"]

    await as_boss(users, STATUS, input=given | {"status": "ACTIVE", "reason": "It was a mistake"})
    assert await users.codes(LOGIN, None, {"email": email}) == []
    trail = (await as_boss(users, TRAIL, id=given["userId"])).data["auditTrail"]
    mine = {"actorId": "boss", "subjectId": given["userId"]}
    assert trail["nodes"] == [
        {**mine, "action": "REINSTATED", "reason": "It was a mistake", "before": "SUSPENDED", "after": "ACTIVE"},
        {**mine, "action": "SUSPENDED", "reason": "Sells spam", "before": "ACTIVE", "after": "SUSPENDED"},
    ]


async def test_roles_hold_from_the_next_sign_in_and_the_former_sessions_end(users: SubgraphUnderTest) -> None:
    email = "promoted@example.com"
    session = await registered(users, email)
    given = {"userId": session["user"]["id"], "roles": ["ADMIN"], "reason": "Joins the support"}
    assert (await as_boss(users, ROLES, input=given)).data["setUserRoles"]["user"] == {"roles": ["USER", "ADMIN"]}

    assert codes_of(await users.run_with(f"Bearer {session['accessToken']}", "{ me { id } }")) == ["UNAUTHENTICATED"]
    entered = (await users.data(LOGIN, None, {"email": email}))["login"]
    token = f"Bearer {entered['accessToken']}"
    assert codes_of(await users.run_with(token, TRAIL)) == []
    own = await users.run_with(token, ROLES, {"input": given | {"roles": []}})
    assert [error["field"] for error in user_errors(own)] == ["userId"]
    assert codes_of(await as_boss(users, ROLES, input=given | {"roles": []})) == []
    assert codes_of(await users.run_with(token, TRAIL)) == ["UNAUTHENTICATED"]


async def test_what_cannot_be_done_is_refused_and_leaves_no_entry(users: SubgraphUnderTest) -> None:
    session = await registered(users, "left@example.com")
    given = {"userId": session["user"]["id"], "status": "SUSPENDED", "reason": "x"}
    assert codes_of(await as_boss(users, STATUS, input=given)) == ["VALIDATION_ERROR"]
    stale = given | {"reason": "Sells spam", "expectedVersion": 7}
    assert codes_of(await as_boss(users, STATUS, input=stale)) == ["STALE_VERSION"]
    assert codes_of(await as_boss(users, STATUS, input=stale | {"userId": "user_nobody"})) == ["NOT_FOUND"]
    same = {"userId": given["userId"], "status": "ACTIVE", "reason": "Nothing to do"}
    assert codes_of(await as_boss(users, STATUS, input=same)) == []
    assert (await as_boss(users, TRAIL, id=given["userId"])).data["auditTrail"]["nodes"] == []


async def test_an_operator_makes_the_first_administrator(users: SubgraphUnderTest) -> None:
    await registered(users, "first@example.com")
    async with users.database.transaction() as transaction:
        account = await set_roles_by_operator(transaction, "first@example.com", [Role.ADMIN], users.resources.now())
        assert (
            await set_roles_by_operator(transaction, "nobody@example.com", [Role.ADMIN], users.resources.now()) is None
        )
    assert account is not None
    assert (await users.data(LOGIN, None, {"email": "first@example.com"}))["login"]["user"]["roles"] == [
        "USER",
        "ADMIN",
    ]
    (entry,) = (await as_boss(users, TRAIL, id=account.id)).data["auditTrail"]["nodes"]
    assert (entry["actorId"], entry["after"]) == ("operator", "USER, ADMIN")


async def test_every_field_for_administrators_refuses_whoever_is_none(users: SubgraphUnderTest) -> None:
    asked = {
        field.python_name
        for concrete in schema.schema_converter.type_map.values()
        if isinstance(concrete.definition, StrawberryObjectDefinition)
        for field in concrete.definition.fields
        if required_scopes(field) == ADMINISTRATORS_ONLY.scopes
    }
    assert asked == {"audit_trail", "set_user_status", "set_user_roles"}
    assert await users.codes(TRAIL, "somebody") == ["FORBIDDEN"]
    assert await users.codes(TRAIL, None) == ["UNAUTHENTICATED"]
