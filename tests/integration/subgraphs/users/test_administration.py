"""What administrators do to accounts, and that nobody else does."""

from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from typing import Any

import jwt
import pytest
from sqlalchemy import text
from strawberry.types.base import StrawberryObjectDefinition

from events.contracts.users import StatusChanged
from events.envelope import decode_envelope
from events.upcast import read_payload
from subgraphs.shell.scopes import ADMINISTRATORS_ONLY, PREMIUM_ONLY, required_scopes
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
PREMIUM = "mutation ($input: SetPremiumInput!) { setPremium(input: $input) { user { roles premiumUntil version } userErrors { code field } } }"
REFRESH = "mutation ($token: String!) { refresh(input: { refreshToken: $token }) { accessToken refreshToken expiresIn user { roles } } }"
# The user is not asked for: a token of a clock that was put forward opens nothing yet.
RENEW = REFRESH.replace(" user { roles }", "")
TRAIL = """query ($id: ID, $after: String) { auditTrail(userId: $id, first: 2, after: $after) {
    nodes { action actorId subjectId reason before after } pageInfo { hasNextPage endCursor } } }"""

PEOPLE = """query ($status: AccountStatus, $role: Role, $first: Int, $after: String, $last: Int) {
  people(status: $status, role: $role, first: $first, after: $after, last: $last) {
    totalCount nodes { id email status roles } pageInfo { hasNextPage endCursor } } }"""


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
    assert asked == {"audit_trail", "people", "set_user_status", "set_user_roles", "set_premium"}
    assert await users.codes(TRAIL, "somebody") == ["FORBIDDEN"]
    assert await users.codes(TRAIL, None) == ["UNAUTHENTICATED"]


def scopes_in(token: str) -> set[str]:
    return set(str(jwt.decode(token, options={"verify_signature": False})["scope"]).split())


async def test_premium_is_in_the_next_token_and_ends_by_itself(
    users: SubgraphUnderTest, monkeypatch: pytest.MonkeyPatch
) -> None:
    session = await registered(users, "premium@example.com")
    now = users.resources.now()
    given = {"userId": session["user"]["id"], "reason": "Pays for it", "until": (now + timedelta(days=10)).isoformat()}
    told = (await as_boss(users, PREMIUM, input=given | {"expectedVersion": 1})).data["setPremium"]
    assert (told["userErrors"], told["user"]["roles"], told["user"]["version"]) == ([], ["USER", "PREMIUM"], 2)
    assert datetime.fromisoformat(told["user"]["premiumUntil"]) == now + timedelta(days=10)

    assert codes_of(await users.run_with(f"Bearer {session['accessToken']}", "{ me { id } }")) == []  # stays signed in
    assert "premium" not in scopes_in(session["accessToken"])
    renewed = (await users.data(REFRESH, None, {"token": session["refreshToken"]}))["refresh"]
    assert renewed["user"]["roles"] == ["USER", "PREMIUM"]
    assert scopes_in(renewed["accessToken"]) == {"read", "write", "premium"}

    monkeypatch.setattr(users.resources, "now", lambda: now + timedelta(days=10, seconds=-60))
    last = (await users.data(RENEW, None, {"token": renewed["refreshToken"]}))["refresh"]
    assert (last["expiresIn"], "premium" in scopes_in(last["accessToken"])) == (60, True)  # no token outlives the role
    monkeypatch.setattr(users.resources, "now", lambda: now + timedelta(days=10, seconds=1))
    over = (await users.data(RENEW, None, {"token": last["refreshToken"]}))["refresh"]
    assert (over["expiresIn"], scopes_in(over["accessToken"])) == (900, {"read", "write"})


async def test_premium_that_is_taken_back_signs_out_and_everything_is_in_the_trail(users: SubgraphUnderTest) -> None:
    email = "refunded@example.com"
    session = await registered(users, email)
    now = users.resources.now()
    until, longer = now + timedelta(days=30), now + timedelta(days=60)
    given = {"userId": session["user"]["id"], "reason": "Pays for it"}
    for end in (until, longer):  # more of it signs nobody out
        await as_boss(users, PREMIUM, input=given | {"until": end.isoformat()})
        assert codes_of(await users.run_with(f"Bearer {session['accessToken']}", "{ me { id } }")) == []
    taken = await as_boss(users, PREMIUM, input=given | {"until": now.isoformat(), "reason": "Was paid back"})
    assert taken.data["setPremium"]["user"]["roles"] == ["USER"]
    assert codes_of(await users.run_with(f"Bearer {session['accessToken']}", "{ me { id } }")) == ["UNAUTHENTICATED"]
    entered = (await users.data(LOGIN, None, {"email": email}))["login"]
    assert (entered["user"]["roles"], "premium" in scopes_in(entered["accessToken"])) == (["USER"], False)
    trail = (await as_boss(users, TRAIL, id=given["userId"])).data["auditTrail"]["nodes"]
    assert [(each["action"], each["before"], each["after"]) for each in trail] == [
        ("PREMIUM_SET", longer.isoformat(), now.isoformat()),
        ("PREMIUM_SET", until.isoformat(), longer.isoformat()),
    ]


@pytest.mark.parametrize(
    ("operation", "change", "field"),
    [
        (PREMIUM, {"until": "2199-01-01T00:00:00Z"}, "until"),
        (PREMIUM, {"until": "2026-01-01T00:00:00Z", "reason": "x"}, "reason"),
        (PREMIUM, {"until": "2026-01-01T00:00:00Z", "userId": "boss"}, "userId"),
        (ROLES, {"roles": ["PREMIUM"]}, "roles"),
    ],
)
async def test_premium_has_an_end_and_a_reason_and_is_given_by_somebody_else(
    users: SubgraphUnderTest, operation: str, change: dict[str, Any], field: str
) -> None:
    refused = user_errors(await as_boss(users, operation, input={"userId": "ann", "reason": "Pays for it"} | change))
    assert [(each["code"], each["field"]) for each in refused] == [("VALIDATION_ERROR", field)]


def test_no_program_and_nobody_without_the_role_is_asked_to_have_it() -> None:
    """Of this subgraph no field asks for PREMIUM: nothing that was there before it is taken from anybody."""
    definitions = [each.definition for each in schema.schema_converter.type_map.values()]
    fields = [f for each in definitions if isinstance(each, StrawberryObjectDefinition) for f in each.fields]
    assert [each.python_name for each in fields if required_scopes(each) == PREMIUM_ONLY.scopes] == []


async def test_an_administrator_pages_through_all_people_by_status_and_role(users: SubgraphUnderTest) -> None:
    made = [(await registered(users, f"listed-{number}@example.com"))["user"]["id"] for number in range(3)]
    await as_boss(users, STATUS, input={"userId": made[1], "status": "SUSPENDED", "reason": "Sells spam"})
    await as_boss(users, ROLES, input={"userId": made[0], "roles": ["ADMIN"], "reason": "Joins the support"})
    until = (users.resources.now() + timedelta(days=9)).isoformat()
    await as_boss(users, PREMIUM, input={"userId": made[2], "until": until, "reason": "Paid for it"})

    async def ids(**given: Any) -> list[str]:
        return [each["id"] for each in (await as_boss(users, PEOPLE, **given)).data["people"]["nodes"]]

    first = (await as_boss(users, PEOPLE, first=2)).data["people"]
    assert ([each["id"] for each in first["nodes"]], first["totalCount"]) == ([made[2], made[1]], None)
    assert (await ids(first=1, after=first["pageInfo"]["endCursor"])) == [made[0]]
    everybody = await ids(first=100)
    assert len(everybody) == len(set(everybody)) > 3
    assert await ids(role="USER", first=100) == everybody
    assert await ids(last=1) == everybody[-1:]
    assert (await ids(status="SUSPENDED"))[0] == made[1]
    assert made[1] not in await ids(status="ACTIVE", first=100)
    assert (await ids(role="ADMIN"))[0] == made[0]
    assert await ids(role="ADMIN", status="SUSPENDED") == []
    assert (await ids(role="PREMIUM"))[0] == made[2]
    other_list = await as_boss(users, PEOPLE, role="ADMIN", after=first["pageInfo"]["endCursor"])
    assert codes_of(other_list) == ["VALIDATION_ERROR"]
    assert codes_of(await as_boss(users, PEOPLE, first=101)) == ["VALIDATION_ERROR"]
