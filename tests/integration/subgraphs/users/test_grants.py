"""Grants of access in users: inviting, accepting, reading by one, and what ends it."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any, NamedTuple

import pytest
from sqlalchemy import text

from events.fanout import PREFIX, Fanout
from events.retention import forget_in_batches
from router.redis_client import open_redis
from subgraphs.shell.grants import CHANNEL, EndedGrants
from subgraphs.shell.node import NodeKind, new_node_id
from subgraphs.users.commands.grant import forget_grants
from subgraphs.users.commands.password import hash_password
from subgraphs.users.domain.grant import MOST_INVITATIONS
from subgraphs.users.loaders import UsersLoaders
from subgraphs.users.schema import schema
from tests.testkit.servers import Postgres, Valkey
from tests.testkit.subgraph import SubgraphUnderTest, codes_of, sign_token, subgraph_under_test, user_errors

_numbers = count(1)
INVITE = """mutation ($input: InviteReaderInput!) { inviteReader(input: $input) {
  code invitation { id areas days email expiresAt ownerName } userErrors { code field } } }"""
ACCEPT = """mutation ($input: AcceptInvitationInput!) { acceptInvitation(input: $input) {
  grant { id relation areas expiresAt ownerName readerName person { id displayName currentWeight { weightKg } } }
  userErrors { code field } } }"""
REVOKE = "mutation ($id: ID!) { revokeAccess(input: { id: $id }) { revokedId userErrors { code } } }"
READ = "query ($id: ID!) { user(id: $id) { displayName currentWeight { weightKg } } }"
EVENTS = "SELECT convert_from(value, 'UTF8')::jsonb ->> 'type' FROM outbox WHERE aggregate_id = :id ORDER BY seq"


class Person(NamedTuple):
    id: str
    email: str
    token: str


@pytest.fixture(scope="module")
async def users(postgres: Postgres) -> AsyncIterator[SubgraphUnderTest]:
    async with subgraph_under_test("users", postgres.create_database("users_grants"), schema, UsersLoaders) as subgraph:
        yield subgraph


async def register(users: SubgraphUnderTest, name: str) -> Person:
    """An account without a password, which takes its time; nobody signs in here."""
    email, user_id = f"{name.split(maxsplit=1)[0].lower()}{next(_numbers)}@example.com", new_node_id(NodeKind.USER)
    await execute(
        users,
        "INSERT INTO account (id, email, email_key, password_hash, display_name, roles, created_at)"
        " VALUES (:id, :email, :email, '', :name, '{USER}', now())",
        id=user_id,
        email=email,
        name=name,
    )
    return Person(user_id, email, f"Bearer {sign_token(user_id)}")


async def ask(users: SubgraphUnderTest, person: Person, operation: str, variables: Mapping[str, Any] = {}) -> Any:
    """The answer's data; any error or refusal fails the test."""
    result = await users.run_with(person.token, operation, variables)
    assert codes_of(result) == []
    return result.data


@pytest.fixture
async def owner(users: SubgraphUnderTest) -> Person:
    person = await register(users, "Olive Owner")
    await ask(users, person, "mutation { logWeight(input: { weightKg: 81.5 }) { weightEntry { id } } }")
    return person


@pytest.fixture
async def coach(users: SubgraphUnderTest) -> Person:
    return await register(users, "Carl Coach")


async def invite(users: SubgraphUnderTest, owner: Person, *areas: str, **more: Any) -> Any:
    given = {"relation": "COACH", "areas": list(areas), **more}
    return (await ask(users, owner, INVITE, {"input": given}))["inviteReader"]


async def befriend(users: SubgraphUnderTest, owner: Person, reader: Person, *areas: str) -> str:
    """The id of the grant that the reader has now."""
    code = (await invite(users, owner, *areas))["code"]
    accept = "mutation ($code: String!) { acceptInvitation(input: { code: $code }) { grant { id } } }"
    accepted = await ask(users, reader, accept, {"code": code})
    grant_id: str = accepted["acceptInvitation"]["grant"]["id"]
    return grant_id


async def execute(users: SubgraphUnderTest, statement: str, **parameters: Any) -> Any:
    async with users.database.transaction() as transaction:
        return await transaction.execute(text(statement), parameters)


async def test_a_code_is_accepted_once_and_opens_what_was_offered(
    users: SubgraphUnderTest, owner: Person, coach: Person
) -> None:
    offered = await invite(users, owner, "PROGRESS", "BODY", days=30)
    assert offered["invitation"]["areas"] == ["BODY", "PROGRESS"]
    assert (offered["invitation"]["days"], offered["invitation"]["ownerName"]) == (30, "Olive Owner")
    assert (await ask(users, coach, READ, {"id": owner.id}))["user"] is None

    accepted = (await ask(users, coach, ACCEPT, {"input": {"code": offered["code"]}}))["acceptInvitation"]["grant"]
    assert (accepted["ownerName"], accepted["readerName"]) == ("Olive Owner", "Carl Coach")
    assert accepted["person"]["currentWeight"]["weightKg"] == 81.5
    ends = datetime.fromisoformat(accepted["expiresAt"]) - datetime.now(UTC)
    assert timedelta(days=29, hours=23) < ends <= timedelta(days=30)

    empty = await users.run_with(coach.token, ACCEPT, {"input": {"code": ""}})
    assert user_errors(empty) == [{"code": "VALIDATION_ERROR", "field": "code"}]
    again = await users.run_with(
        (await register(users, "Late Comer")).token, ACCEPT, {"input": {"code": offered["code"]}}
    )
    assert user_errors(again) == [{"code": "VALIDATION_ERROR", "field": "code"}]
    events = await execute(users, EVENTS, id=accepted["id"])
    assert events.scalars().all() == ["AccessGranted"]


async def test_both_sides_see_the_grant_and_nobody_else(users: SubgraphUnderTest, owner: Person, coach: Person) -> None:
    grant_id = await befriend(users, owner, coach, "BODY")
    given = await ask(
        users, owner, "{ me { readers { totalCount nodes { id readerName relation } } sentInvitations { id } } }"
    )
    assert given["me"]["readers"] == {
        "totalCount": 1,
        "nodes": [{"id": grant_id, "readerName": "Carl Coach", "relation": "COACH"}],
    }
    assert given["me"]["sentInvitations"] == []
    seen = await ask(
        users, coach, "{ me { clients { totalCount nodes { id person { id bmi weights { nodes { weightKg } } } } } } }"
    )
    (client,) = seen["me"]["clients"]["nodes"]
    assert client["person"] == {"id": owner.id, "bmi": None, "weights": {"nodes": [{"weightKg": 81.5}]}}
    assert (await ask(users, owner, "{ me { clients { totalCount nodes { id } } } }"))["me"]["clients"]["nodes"] == []


@pytest.mark.parametrize(
    "field", ["email", "roles", "sessions { totalCount }", "readers { totalCount }", "bodyReads { what }"]
)
async def test_a_reader_of_everything_reads_nothing_that_is_not_shared(
    users: SubgraphUnderTest, owner: Person, coach: Person, field: str
) -> None:
    await befriend(users, owner, coach, "BODY", "DIARY", "TRAINING", "PROGRESS")
    result = await users.run_with(coach.token, f"query ($id: ID!) {{ user(id: $id) {{ {field} }} }}", {"id": owner.id})
    assert codes_of(result) == ["FORBIDDEN"]
    assert result.data == {"user": None}
    entity = "query ($of: [_Any!]!) { _entities(representations: $of) { ... on User { email } } }"
    result = await users.run_with(coach.token, entity, {"of": [{"__typename": "User", "id": owner.id}]})
    assert codes_of(result) == ["FORBIDDEN"]


async def test_a_grant_of_another_area_names_the_person_and_opens_no_weight(
    users: SubgraphUnderTest, owner: Person, coach: Person
) -> None:
    await befriend(users, owner, coach, "DIARY")
    query = "query ($id: ID!) { user(id: $id) { displayName settings { timeZone } } }"
    named = await ask(users, coach, query, {"id": owner.id})
    assert named["user"] == {"displayName": "Olive Owner", "settings": {"timeZone": "UTC"}}
    result = await users.run_with(coach.token, READ, {"id": owner.id})
    assert codes_of(result) == ["FORBIDDEN"]
    assert result.data == {"user": {"displayName": "Olive Owner", "currentWeight": None}}


@pytest.mark.parametrize("side", ["owner", "coach"])
async def test_either_side_ends_it_at_once(users: SubgraphUnderTest, owner: Person, coach: Person, side: str) -> None:
    grant_id = await befriend(users, owner, coach, "BODY")
    stranger = await register(users, "Some Stranger")
    assert codes_of(await users.run_with(stranger.token, REVOKE, {"id": grant_id})) == ["NOT_FOUND"]
    assert (await ask(users, coach, READ, {"id": owner.id}))["user"] is not None

    ended = await ask(users, owner if side == "owner" else coach, REVOKE, {"id": grant_id})
    assert ended["revokeAccess"]["revokedId"] == grant_id
    assert (await ask(users, coach, READ, {"id": owner.id}))["user"] is None
    events = await execute(users, EVENTS, id=grant_id)
    assert events.scalars().all() == ["AccessGranted", "AccessEnded"]
    assert codes_of(await users.run_with(owner.token, REVOKE, {"id": grant_id})) == ["NOT_FOUND"]


async def test_its_end_is_announced_to_every_process(
    users: SubgraphUnderTest, owner: Person, coach: Person, valkey: Valkey, monkeypatch: pytest.MonkeyPatch
) -> None:
    grant_id = await befriend(users, owner, coach, "BODY")
    async with open_redis(valkey.url, 2.0) as redis, redis.pubsub() as heard:
        await heard.subscribe(f"{PREFIX}{CHANNEL}")
        monkeypatch.setattr(users.resources, "ended_grants", EndedGrants(fanout=Fanout(redis)))
        await ask(users, coach, REVOKE, {"id": grant_id})
        async with asyncio.timeout(60):
            while (message := await heard.get_message(ignore_subscribe_messages=True, timeout=1)) is None:
                pass
    assert message["data"] in (grant_id, grant_id.encode())


async def test_a_grant_ends_by_itself_and_is_forgotten_a_month_later(
    users: SubgraphUnderTest, owner: Person, coach: Person
) -> None:
    grant_id = await befriend(users, owner, coach, "BODY")
    await execute(users, "UPDATE access_grant SET expires_at = now() WHERE id = :id", id=grant_id)
    assert (await ask(users, coach, READ, {"id": owner.id}))["user"] is None
    assert (await ask(users, owner, "{ me { readers { nodes { id } } } }"))["me"]["readers"]["nodes"] == []

    await forget_in_batches(users.database.transaction, forget_grants)
    assert (await execute(users, "SELECT count(*) FROM access_grant WHERE id = :id", id=grant_id)).scalar_one() == 1
    await execute(users, "UPDATE access_grant SET expires_at = now() - interval '31 days' WHERE id = :id", id=grant_id)
    await forget_in_batches(users.database.transaction, forget_grants)
    events = await execute(users, EVENTS, id=grant_id)
    assert events.scalars().all() == ["AccessGranted", "AccessEnded"]


PLANS = """query { me { clients { nodes { id areas plans } } readers { nodes { id plans } } sentInvitations { plans }
  notifications(first: 1) { nodes { kind subjectId detail body } } } }"""
END_PLANS = (
    "mutation ($id: ID!) { revokeAccess(input: { id: $id, plansOnly: true }) { revokedId userErrors { code } } }"
)


@pytest.mark.parametrize("side", ["owner", "coach"])
async def test_what_was_offered_to_plan_is_granted_and_ends_by_itself_while_reading_goes_on(
    users: SubgraphUnderTest, owner: Person, coach: Person, side: str
) -> None:
    offered = await invite(users, owner, "BODY", "TRAINING", "DIARY", plans=["TRAINING", "MEALS"])
    assert (await ask(users, owner, PLANS))["me"]["sentInvitations"] == [{"plans": ["MEALS", "TRAINING"]}]
    accepted = await ask(users, coach, ACCEPT, {"input": {"code": offered["code"]}})
    grant_id = accepted["acceptInvitation"]["grant"]["id"]
    mine = (await ask(users, coach, PLANS))["me"]["clients"]["nodes"]
    assert mine == [{"id": grant_id, "areas": ["BODY", "DIARY", "TRAINING"], "plans": ["MEALS", "TRAINING"]}]

    stranger = await register(users, "Some Stranger")
    assert codes_of(await users.run_with(stranger.token, END_PLANS, {"id": grant_id})) == ["NOT_FOUND"]
    for _ in range(2):  # and again, which is no news
        ended = await ask(users, owner if side == "owner" else coach, END_PLANS, {"id": grant_id})
        assert ended["revokeAccess"]["revokedId"] == grant_id
    assert (await ask(users, owner, PLANS))["me"]["readers"]["nodes"] == [{"id": grant_id, "plans": []}]
    assert (await ask(users, coach, READ, {"id": owner.id}))["user"]["currentWeight"] is not None
    other = coach if side == "owner" else owner
    (told,) = (await ask(users, other, PLANS))["me"]["notifications"]["nodes"]
    assert (told["kind"], told["subjectId"], told["detail"]) == ("PLANNING_ENDED", grant_id, "COACH")

    await ask(users, owner, REVOKE, {"id": grant_id})
    versions = "SELECT version, convert_from(value, 'UTF8')::jsonb -> 'payload' ->> 'plans' FROM outbox WHERE aggregate_id = :id ORDER BY seq"
    assert (await execute(users, versions, id=grant_id)).all() == [
        (1, '["MEALS", "TRAINING"]'),
        (2, "[]"),
        (3, None),
    ]


async def test_who_plans_has_to_read_what_is_planned(users: SubgraphUnderTest, owner: Person) -> None:
    offer = {"relation": "COACH", "areas": ["TRAINING"], "plans": ["TRAINING", "MEALS", "GOALS"]}
    refused = await users.run_with(owner.token, INVITE, {"input": offer})
    assert user_errors(refused) == [
        {"code": "VALIDATION_ERROR", "field": "plans.1"},
        {"code": "VALIDATION_ERROR", "field": "plans.2"},
    ]


async def test_an_invitation_to_an_address_is_for_the_account_that_has_proven_it(
    users: SubgraphUnderTest, owner: Person, coach: Person
) -> None:
    offered = await invite(users, owner, "BODY", email=coach.email.upper())
    assert offered["code"] is None
    mails = await execute(users, "SELECT kind FROM pending_mail WHERE recipient = :to", to=coach.email.upper())
    assert mails.scalars().all() == ["GRANT_INVITATION"]
    listing = "{ me { receivedInvitations { id ownerName areas } } }"
    by_id = {"input": {"id": offered["invitation"]["id"]}}
    assert (await ask(users, coach, listing))["me"]["receivedInvitations"] == []
    assert user_errors(await users.run_with(coach.token, ACCEPT, by_id)) == [
        {"code": "VALIDATION_ERROR", "field": "id"}
    ]

    await execute(users, "UPDATE account SET email_verified_at = now() WHERE id = :id", id=coach.id)
    (received,) = (await ask(users, coach, listing))["me"]["receivedInvitations"]
    assert received == {"id": offered["invitation"]["id"], "ownerName": "Olive Owner", "areas": ["BODY"]}
    other = await register(users, "Other Person")
    assert codes_of(await users.run_with(other.token, ACCEPT, by_id)) == ["VALIDATION_ERROR"]
    assert (await ask(users, coach, ACCEPT, by_id))["acceptInvitation"]["grant"]["areas"] == ["BODY"]


@pytest.mark.parametrize(
    ("given", "field"),
    [({"areas": []}, "areas"), ({"days": 0}, "days"), ({"days": 366}, "days"), ({"email": "nobody"}, "email")],
)
async def test_what_cannot_be_offered_is_refused_with_its_place(
    users: SubgraphUnderTest, owner: Person, given: dict[str, Any], field: str
) -> None:
    offer = {"relation": "FAMILY", "areas": ["BODY"], **given}
    refused = await users.run_with(owner.token, INVITE, {"input": offer})
    assert user_errors(refused) == [{"code": "VALIDATION_ERROR", "field": field}]


async def test_nobody_reads_by_an_own_invitation_and_so_many_may_wait(users: SubgraphUnderTest, owner: Person) -> None:
    offered = await invite(users, owner, "BODY")
    refused = await users.run_with(owner.token, ACCEPT, {"input": {"code": offered["code"]}})
    assert user_errors(refused) == [{"code": "CONFLICT", "field": "code"}]
    await execute(
        users,
        "INSERT INTO grant_invitation (id, owner_id, relation, areas, days, created_at, expires_at)"
        " SELECT :owner || n, :owner, 'COACH', '{BODY}', 1, now(), now() + interval '1 day' FROM generate_series(2, :most) n",
        owner=owner.id,
        most=MOST_INVITATIONS,
    )
    given = {"relation": "COACH", "areas": ["BODY"]}
    refused = await users.run_with(owner.token, INVITE, {"input": given})
    assert user_errors(refused) == [{"code": "CONFLICT", "field": None}]
    await ask(users, owner, REVOKE, {"id": offered["invitation"]["id"]})
    await invite(users, owner, "BODY")


async def test_the_owner_sees_who_read_what_in_which_hour(
    users: SubgraphUnderTest, owner: Person, coach: Person
) -> None:
    grant_id = await befriend(users, owner, coach, "BODY")
    await execute(users, "DELETE FROM access_read WHERE grant_id = :id", id=grant_id)
    for _ in range(2):
        await ask(users, coach, READ, {"id": owner.id})
    reads = await _reads(users, owner)
    (hour,) = {each["hour"] for each in reads}
    assert timedelta(0) <= datetime.now(UTC) - datetime.fromisoformat(hour) < timedelta(hours=1, minutes=1)
    assert [(each["what"], each["readerName"], each["readerId"], each["grantId"]) for each in reads] == [
        (what, f"Name of {coach.id}", coach.id, grant_id) for what in ("User", "User.currentWeight")
    ]
    await ask(users, owner, REVOKE, {"id": grant_id})
    assert await _reads(users, owner) == reads


async def _reads(users: SubgraphUnderTest, owner: Person) -> list[dict[str, Any]]:
    asked = await ask(users, owner, "{ me { bodyReads { grantId readerId readerName what hour } } }")
    reads: list[dict[str, Any]] = asked["me"]["bodyReads"]
    return reads


async def test_many_clients_are_read_with_one_statement_a_level(users: SubgraphUnderTest, coach: Person) -> None:
    query = (
        "{ me { clients(first: 100) { nodes { ownerName person { displayName currentWeight { weightKg } bmi } } } } }"
    )
    counted = []
    for number in range(3):
        await befriend(users, await register(users, f"Client {number}"), coach, "BODY")
        with users.counted_statements() as statements:
            seen = await ask(users, coach, query)
        assert len(seen["me"]["clients"]["nodes"]) == number + 1
        counted.append(len(statements))
    assert counted[0] == counted[2], statements


async def test_grants_go_with_an_account_that_is_erased(users: SubgraphUnderTest, owner: Person, coach: Person) -> None:
    client = await register(users, "Other Client")
    given, taken = await befriend(users, owner, coach, "BODY"), await befriend(users, client, owner, "BODY")
    await invite(users, owner, "BODY")
    await ask(users, coach, READ, {"id": owner.id})
    await execute(
        users,
        "UPDATE account SET password_hash = :hash WHERE id = :id",
        hash=await hash_password("Password123!"),
        id=owner.id,
    )
    erase = 'mutation { deleteAccount(input: { currentPassword: "Password123!" }) { deletedId } }'
    await ask(users, owner, erase)
    for table in ("access_grant", "access_read", "grant_invitation"):
        rows = await execute(users, f"SELECT * FROM {table}")
        assert owner.id not in str(rows.all())
    for grant_id in (given, taken):
        events = await execute(users, EVENTS, id=grant_id)
        assert events.scalars().all() == ["AccessEnded"]
    assert (await ask(users, coach, "{ me { clients { nodes { id } } } }"))["me"]["clients"]["nodes"] == []
