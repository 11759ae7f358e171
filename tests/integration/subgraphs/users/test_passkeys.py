"""Passkeys over a real database and with real keys: added, used, copied, misused and taken away."""

import json
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from datetime import timedelta
from itertools import count
from typing import Any

import pytest
from sqlalchemy import text
from strawberry.types.execution import ExecutionResult

from events.retention import forget_in_batches
from subgraphs.shell.errors import RateLimitedError
from subgraphs.users.commands import passkey_challenge
from subgraphs.users.commands.passkey_challenge import forget_challenges
from subgraphs.users.commands.passkey_login import begin_passkey_login
from subgraphs.users.loaders import UsersLoaders
from subgraphs.users.schema import schema
from tests.testkit.authenticator import EDDSA, ES256, ES384, RS256, SoftAuthenticator
from tests.testkit.servers import Postgres
from tests.testkit.subgraph import SubgraphUnderTest, codes_of, subgraph_under_test, user_errors

_numbers = count(1)
REGISTER = """mutation ($email: String!) { register(input: { email: $email, password: "Password123!", displayName: "Some Body" }) {
    accessToken user { id } } }"""
LOGIN = 'mutation ($email: String!) { login(input: { email: $email, password: "Password123!" }) { accessToken } }'
BEGIN = "mutation ($password: String) { beginPasskey(input: { currentPassword: $password }) { challengeId options userErrors { code field } } }"
ADD = """mutation ($id: String!, $credential: String!, $name: String!) {
    addPasskey(input: { challengeId: $id, credential: $credential, name: $name }) {
        passkey { id name isSynced lastUsedAt blockedAt version } userErrors { code field } } }"""
RENAME = """mutation ($id: ID!, $name: String!, $version: Int) {
    renamePasskey(input: { id: $id, name: $name, expectedVersion: $version }) { passkey { name version } userErrors { code field } } }"""
REMOVE = """mutation ($id: ID!, $password: String) {
    removePasskey(input: { id: $id, currentPassword: $password }) { removedId userErrors { code field } } }"""
BEGIN_LOGIN = "mutation { beginPasskeyLogin(input: {}) { challengeId options userErrors { code } } }"
ENTER = """mutation ($id: String!, $credential: String!, $device: String) {
    loginWithPasskey(input: { challengeId: $id, credential: $credential, deviceName: $device }) { accessToken refreshToken user { id displayName } } }"""
LISTED = "{ me { passkeys { id name isSynced lastUsedAt blockedAt version } } }"
SESSIONS = "{ me { sessions { nodes { id usedPasskey usedSecondFactor isCurrent } } } }"
NEWS = "{ me { notifications { nodes { kind subjectId detail title body } } } }"


@pytest.fixture(scope="module")
async def users(postgres: Postgres) -> AsyncIterator[SubgraphUnderTest]:
    url = postgres.create_database("users_passkeys")
    async with subgraph_under_test("users", url, schema, UsersLoaders) as subgraph:
        subgraph.resources.settings = replace(subgraph.resources.settings, passkey_rp_id="localhost")
        yield subgraph


@pytest.fixture
def later(users: SubgraphUnderTest, monkeypatch: pytest.MonkeyPatch) -> Callable[[timedelta], None]:
    """Puts the clock forward from now."""
    now = users.resources.now()
    return lambda by: monkeypatch.setattr(users.resources, "now", lambda: now + by)


class Person:
    """Somebody who has just registered, with the token of that."""

    def __init__(self, users: SubgraphUnderTest, email: str, registered: dict[str, Any]) -> None:
        self.users, self.email = users, email
        self.id: str = registered["user"]["id"]
        self.token = f"Bearer {registered['accessToken']}"

    async def run(self, operation: str, **variables: Any) -> ExecutionResult:
        return await self.users.run_with(self.token, operation, variables)

    async def data(self, operation: str, **variables: Any) -> dict[str, Any]:
        result = await self.run(operation, **variables)
        assert codes_of(result) == []
        assert result.data is not None
        return result.data

    async def begun(self) -> dict[str, Any]:
        begun: dict[str, Any] = (await self.data(BEGIN))["beginPasskey"]
        return begun

    async def offered(self, authenticator: SoftAuthenticator) -> ExecutionResult:
        begun = await self.begun()
        credential = authenticator.create(begun["options"])
        return await self.run(ADD, id=begun["challengeId"], credential=credential, name="Phone")

    async def added(self, authenticator: SoftAuthenticator) -> dict[str, Any]:
        result = await self.offered(authenticator)
        assert codes_of(result) == []
        assert result.data is not None
        passkey: dict[str, Any] = result.data["addPasskey"]["passkey"]
        return passkey

    async def kinds(self) -> list[str]:
        return [each["kind"] for each in (await self.data(NEWS))["me"]["notifications"]["nodes"]]


@pytest.fixture
async def person(users: SubgraphUnderTest) -> Person:
    email = f"passkey-{next(_numbers)}@example.com"
    return Person(users, email, (await users.data(REGISTER, None, {"email": email}))["register"])


async def entering(users: SubgraphUnderTest, authenticator: SoftAuthenticator, **changed: Any) -> ExecutionResult:
    begun = (await users.data(BEGIN_LOGIN, None))["beginPasskeyLogin"]
    credential = authenticator.get(begun["options"])
    return await users.run(ENTER, None, {"id": begun["challengeId"], "credential": credential, **changed})


async def entered(users: SubgraphUnderTest, authenticator: SoftAuthenticator, **changed: Any) -> dict[str, Any]:
    result = await entering(users, authenticator, **changed)
    assert codes_of(result) == []
    assert result.data is not None
    session: dict[str, Any] = result.data["loginWithPasskey"]
    return session


async def waiting(users: SubgraphUnderTest) -> int:
    async with users.database.reading() as connection:
        return int((await connection.execute(text("SELECT count(*) FROM passkey_challenge"))).scalar_one())


@pytest.mark.parametrize("algorithm", [ES256, EDDSA, RS256])
async def test_a_passkey_is_added_and_signs_in_without_saying_who(
    users: SubgraphUnderTest, person: Person, algorithm: int
) -> None:
    authenticator = SoftAuthenticator(algorithm=algorithm)
    passkey = await person.added(authenticator)
    assert passkey == passkey | {
        "name": "Phone",
        "isSynced": False,
        "lastUsedAt": None,
        "blockedAt": None,
        "version": 1,
    }

    session = await entered(users, authenticator, device="Phone")
    assert session["user"] == {"id": person.id, "displayName": "Some Body"}
    assert session["refreshToken"]
    (listed,) = (await person.data(LISTED))["me"]["passkeys"]
    assert listed["id"] == passkey["id"]
    assert listed["lastUsedAt"]
    sessions = await users.run_with(f"Bearer {session['accessToken']}", SESSIONS)
    assert sessions.data is not None
    used = [(each["usedPasskey"], each["isCurrent"]) for each in sessions.data["me"]["sessions"]["nodes"]]
    assert used == [(True, True), (False, False)]
    assert sorted(await person.kinds()) == ["NEW_SIGN_IN", "PASSKEY_ADDED"]
    async with users.database.reading() as connection:
        mails = await connection.execute(text("SELECT kind FROM pending_mail WHERE user_id = :id"), {"id": person.id})
        assert [row[0] for row in mails if row[0] == "PASSKEY_ADDED"] == ["PASSKEY_ADDED"]


async def test_the_browser_is_asked_for_a_verified_person_and_a_passkey_that_is_found_by_itself(
    users: SubgraphUnderTest, person: Person
) -> None:
    authenticator = SoftAuthenticator()
    await person.added(authenticator)
    options = json.loads((await person.begun())["options"])
    chosen = options["authenticatorSelection"]
    assert (chosen["residentKey"], chosen["userVerification"]) == ("required", "required")
    assert options["rp"]["id"] == "localhost"
    assert [each["alg"] for each in options["pubKeyCredParams"]] == [-8, -7, -257]
    assert len(options["excludeCredentials"]) == 1
    assert person.email not in options["user"]["id"]

    first, second = [(await users.data(BEGIN_LOGIN, None))["beginPasskeyLogin"] for _ in range(2)]
    told, again = json.loads(first["options"]), json.loads(second["options"])
    assert told.pop("challenge") != again.pop("challenge")
    assert told == again
    assert "allowCredentials" not in told


@pytest.mark.parametrize(
    "liar",
    [
        SoftAuthenticator(origin="https://evil.example"),
        SoftAuthenticator(origin="http://localhost.evil.example:8080"),
        SoftAuthenticator(origin="http://localhost:8080/demo"),
        SoftAuthenticator(rp_id="evil.example"),
        SoftAuthenticator(verifies_user=False),
        SoftAuthenticator(cross_origin=True),
        SoftAuthenticator(algorithm=ES384),
        SoftAuthenticator(credential_id=bytes(1024)),
    ],
)
async def test_no_other_site_frame_algorithm_or_unverified_person_adds_a_passkey(
    person: Person, liar: SoftAuthenticator
) -> None:
    refused = user_errors(await person.offered(replace(liar)))
    assert [(each["code"], each["field"]) for each in refused] == [("VALIDATION_ERROR", "credential")]
    assert (await person.data(LISTED))["me"]["passkeys"] == []


@pytest.mark.parametrize(
    "credential",
    ["", "null", "[]", "{}", "{" * 4_000, '{"a":' * 30 + "1" + "}" * 30, '{"id": 5, "rawId": "x", "response": []}'],
)
async def test_what_is_no_credential_is_refused(users: SubgraphUnderTest, person: Person, credential: str) -> None:
    begun = await person.begun()
    result = await person.run(ADD, id=begun["challengeId"], credential=credential, name="Phone")
    assert [each["code"] for each in user_errors(result)] == ["VALIDATION_ERROR"]
    begun = (await users.data(BEGIN_LOGIN, None))["beginPasskeyLogin"]
    variables = {"id": begun["challengeId"], "credential": credential}
    assert await users.codes(ENTER, None, variables) == ["UNAUTHENTICATED"]


@pytest.mark.parametrize(
    "change",
    [
        {"origin": "https://evil.example"},
        {"rp_id": "evil.example"},
        {"verifies_user": False},
        {"cross_origin": True},
        {"credential_id": b"nobody's"},
        {"user_handle": b"somebody else"},
        {"key": SoftAuthenticator().key},
    ],
)
async def test_who_signs_in_falsely_is_told_the_same_whatever_was_false(
    users: SubgraphUnderTest, person: Person, change: dict[str, Any]
) -> None:
    authenticator = SoftAuthenticator()
    await person.added(authenticator)
    if "key" in change:  # another one, which has never been here
        stranger = SoftAuthenticator()
        stranger.create((await person.begun())["options"])
        change = {"key": stranger.key}
    result = await entering(users, replace(authenticator, **change))
    assert result.errors is not None
    told = result.errors[0]
    assert (told.message, (told.extensions or {})["code"]) == ("The passkey does not hold.", "UNAUTHENTICATED")
    await entered(users, authenticator)


async def test_a_challenge_holds_once_for_five_minutes_and_for_its_own_person(
    users: SubgraphUnderTest, person: Person, later: Callable[[timedelta], None]
) -> None:
    authenticator = SoftAuthenticator()
    await person.added(authenticator)
    begun = (await users.data(BEGIN_LOGIN, None))["beginPasskeyLogin"]
    answer = {"id": begun["challengeId"], "credential": authenticator.get(begun["options"])}
    assert await users.codes(ENTER, None, answer) == []
    assert await users.codes(ENTER, None, answer) == ["UNAUTHENTICATED"]

    spoilt = (await users.data(BEGIN_LOGIN, None))["beginPasskeyLogin"]
    assert await users.codes(ENTER, None, {"id": spoilt["challengeId"], "credential": "{}"}) == ["UNAUTHENTICATED"]
    answer = {"id": spoilt["challengeId"], "credential": authenticator.get(spoilt["options"])}
    assert await users.codes(ENTER, None, answer) == ["UNAUTHENTICATED"]

    email = f"passkey-{next(_numbers)}@example.com"
    stranger = Person(users, email, (await users.data(REGISTER, None, {"email": email}))["register"])
    theirs, another = await person.begun(), SoftAuthenticator()
    credential = another.create(theirs["options"])
    result = await stranger.run(ADD, id=theirs["challengeId"], credential=credential, name="Mine")
    assert [each["field"] for each in user_errors(result)] == ["challengeId"]

    late = (await users.data(BEGIN_LOGIN, None))["beginPasskeyLogin"]
    later(timedelta(minutes=5, seconds=1))
    answer = {"id": late["challengeId"], "credential": authenticator.get(late["options"])}
    assert await users.codes(ENTER, None, answer) == ["UNAUTHENTICATED"]


async def test_challenges_are_bounded(
    users: SubgraphUnderTest, person: Person, monkeypatch: pytest.MonkeyPatch, later: Callable[[timedelta], None]
) -> None:
    for _ in range(3):
        await person.begun()  # one of a person: each takes the place of the one before
    async with users.database.transaction() as transaction:
        mine = "SELECT count(*) FROM passkey_challenge WHERE user_id = :id"
        assert await transaction.scalar(text(mine), {"id": person.id}) == 1
        await transaction.execute(text("DELETE FROM passkey_challenge"))
    monkeypatch.setattr(passkey_challenge, "MOST_WAITING", 3)
    answers = [await users.codes(BEGIN_LOGIN, None) for _ in range(5)]
    assert answers == [[], [], [], ["RATE_LIMITED"], ["RATE_LIMITED"]]
    later(timedelta(minutes=6))
    assert await users.codes(BEGIN_LOGIN, None) == []  # those that are too old make room
    assert await waiting(users) == 2
    async with users.database.transaction() as transaction:
        await transaction.execute(text("UPDATE passkey_challenge SET expires_at = now() - interval '1 second'"))
    assert await forget_in_batches(users.database.transaction, forget_challenges) == 2


async def test_one_network_address_asks_for_so_many_challenges(users: SubgraphUnderTest) -> None:
    async def begun() -> bool:
        try:
            await begin_passkey_login(resources=users.resources, address="198.51.100.7")
        except RateLimitedError:
            return False
        return True

    assert [await begun() for _ in range(205)].count(False) > 0


async def test_a_copy_is_found_out_by_the_counter_and_shuts_the_passkey(
    users: SubgraphUnderTest, person: Person
) -> None:
    authenticator = SoftAuthenticator()
    passkey = await person.added(authenticator)
    copy = authenticator.copy()
    await entered(users, authenticator)
    assert codes_of(await entering(users, copy)) == ["UNAUTHENTICATED"]
    assert codes_of(await entering(users, authenticator)) == [
        "UNAUTHENTICATED"
    ]  # nobody knows which of both is the person's
    (listed,) = (await person.data(LISTED))["me"]["passkeys"]
    assert listed["blockedAt"]
    assert (await person.kinds()).count("PASSKEY_BLOCKED") == 1
    await person.data(REMOVE, id=passkey["id"])
    await person.added(SoftAuthenticator())


async def test_a_passkey_that_is_synced_has_no_counter_and_signs_in_from_every_device(
    users: SubgraphUnderTest, person: Person
) -> None:
    phone = SoftAuthenticator(synced=True)
    assert (await person.added(phone))["isSynced"]
    tablet = phone.copy()
    for device in (phone, tablet, phone):
        await entered(users, device)


async def test_an_old_sign_in_needs_the_password_to_add_and_to_remove(
    users: SubgraphUnderTest, person: Person, later: Callable[[timedelta], None]
) -> None:
    passkey = await person.added(SoftAuthenticator())
    later(timedelta(minutes=10, seconds=5))

    async def refused(operation: str, **variables: Any) -> list[tuple[str, str]]:
        return [(each["code"], each["field"]) for each in user_errors(await person.run(operation, **variables))]

    needed = [("VALIDATION_ERROR", "currentPassword")]
    assert await refused(BEGIN) == needed
    assert await refused(BEGIN, password="Wrong123!") == needed
    assert await refused(BEGIN, password="Password123!") == []
    assert await refused(REMOVE, id=passkey["id"]) == needed
    assert await refused(REMOVE, id=passkey["id"], password="Wrong123!") == needed
    renamed = await person.data(RENAME, id=passkey["id"], name="Old phone", version=1)
    assert renamed["renamePasskey"]["passkey"] == {"name": "Old phone", "version": 2}
    assert [each["code"] for each in user_errors(await person.run(RENAME, id=passkey["id"], name="x", version=1))] == [
        "STALE_VERSION"
    ]
    removed = await person.data(REMOVE, id=passkey["id"], password="Password123!")
    assert removed["removePasskey"]["removedId"] == passkey["id"]
    assert codes_of(await person.run(REMOVE, id=passkey["id"], password="Password123!")) == ["NOT_FOUND"]


async def test_sessions_of_a_removed_passkey_end_and_it_signs_in_nobody(
    users: SubgraphUnderTest, person: Person
) -> None:
    lost = SoftAuthenticator()
    passkey = await person.added(lost)
    stolen = await entered(users, lost)
    await person.data(REMOVE, id=passkey["id"])
    assert codes_of(await users.run_with(f"Bearer {stolen['accessToken']}", LISTED)) == ["UNAUTHENTICATED"]
    assert codes_of(await entering(users, lost)) == ["UNAUTHENTICATED"]
    assert codes_of(await person.run(LISTED)) == []


async def test_a_passkey_belongs_to_one_account_and_an_account_has_so_many(
    users: SubgraphUnderTest, person: Person
) -> None:
    email = f"passkey-{next(_numbers)}@example.com"
    other = Person(users, email, (await users.data(REGISTER, None, {"email": email}))["register"])
    first = SoftAuthenticator()
    await person.added(first)
    taken = await other.offered(SoftAuthenticator(credential_id=first.credential_id))
    assert [(each["code"], each["field"]) for each in user_errors(taken)] == [("CONFLICT", "credential")]
    again = await person.added(SoftAuthenticator(credential_id=first.credential_id))
    assert [each["id"] for each in (await person.data(LISTED))["me"]["passkeys"]] == [again["id"]]
    for _ in range(19):
        await person.added(SoftAuthenticator())
    assert codes_of(await person.run(BEGIN)) == ["CONFLICT"]


async def test_a_second_factor_is_not_asked_for_beside_a_passkey_and_a_closed_account_lets_nobody_in(
    users: SubgraphUnderTest, person: Person
) -> None:
    authenticator = SoftAuthenticator()
    await person.added(authenticator)
    async with users.database.transaction() as transaction:
        factor = "UPDATE account SET totp_secret = '\\x00', totp_confirmed_at = now() WHERE id = :id"
        await transaction.execute(text(factor), {"id": person.id})
    assert codes_of(await users.run(LOGIN, None, {"email": person.email})) == ["UNAUTHENTICATED"]
    session = await entered(users, authenticator)
    listed = await users.run_with(f"Bearer {session['accessToken']}", SESSIONS)
    assert listed.data is not None
    assert [each["usedSecondFactor"] for each in listed.data["me"]["sessions"]["nodes"]] == [False, False]
    suspend = """mutation ($id: ID!, $status: AccountStatus!) {
        setUserStatus(input: { userId: $id, status: $status, reason: "trouble" }) { user { id } } }"""
    await users.data(suspend, "admin", {"id": person.id, "status": "SUSPENDED"}, roles=("USER", "ADMIN"))
    assert codes_of(await entering(users, authenticator)) == ["UNAUTHENTICATED"]
    await users.data(suspend, "admin", {"id": person.id, "status": "ACTIVE"}, roles=("USER", "ADMIN"))
    await entered(users, authenticator)


async def test_a_platform_without_a_domain_has_no_passkeys(users: SubgraphUnderTest, person: Person) -> None:
    settings = users.resources.settings
    users.resources.settings = replace(settings, passkey_rp_id=None)
    try:
        assert codes_of(await person.run(BEGIN)) == ["CONFLICT"]
        assert await users.codes(BEGIN_LOGIN, None) == ["CONFLICT"]
        enter = 'mutation { loginWithPasskey(input: { challengeId: "x", credential: "{}" }) { userErrors { code } } }'
        assert await users.codes(enter, None) == ["CONFLICT"]
    finally:
        users.resources.settings = settings
