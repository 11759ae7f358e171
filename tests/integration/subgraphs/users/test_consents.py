"""What people agree to: asked at registration, read back, asked again by a new text, and withdrawn with what follows from that."""

from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from datetime import datetime, timedelta
from itertools import count
from typing import Any

import pytest
from prometheus_client import REGISTRY
from sqlalchemy import text

from subgraphs.users.commands import people_count
from subgraphs.users.commands.health_data import erase_some
from subgraphs.users.commands.mail_delivery import deliver_one
from subgraphs.users.commands.mail_transport import transport_of
from subgraphs.users.commands.notification import notify
from subgraphs.users.domain.consent import ERASED_AFTER
from subgraphs.users.domain.notification import NewNotification, NotificationKind
from subgraphs.users.loaders import UsersLoaders
from subgraphs.users.schema import schema
from tests.testkit.servers import Postgres
from tests.testkit.smtp_server import SmtpServer, smtp_server
from tests.testkit.subgraph import SubgraphUnderTest, codes_of, subgraph_under_test

PASSWORD = "Password123!"
REGISTER = """mutation ($input: RegisterInput!) { register(input: $input) {
  accessToken refreshToken user { id email } confirmationSentTo userErrors { code field message } } }"""
CONFIRM = """mutation ($token: String!) { confirmRegistration(input: { token: $token, password: "Password123!" }) {
  accessToken user { id } userErrors { code field } } }"""
REFRESH = "mutation ($token: String!) { refresh(input: { refreshToken: $token }) { accessToken refreshToken } }"
UPDATE = """mutation ($consents: [ConsentInput!]!) { updateConsents(input: { consents: $consents }) {
  user { consents { purpose isGiven } } userErrors { code field } } }"""
WITHDRAW = """mutation { withdrawHealthDataConsent(input: { confirm: true }) {
  accessToken refreshToken user { erasureDueAt } userErrors { code field } } }"""
READ = """{ me { erasureDueAt consents { purpose isGiven version versionInForce isMissing }
  consentHistory { totalCount nodes { purpose isGiven version way decidedAt } } } }"""
LOG = "mutation { logWeight(input: { weightKg: 80 }) { weightEntry { id } userErrors { code } } }"
WEIGHTS = "{ me { weights { nodes { weightKg } } } }"
INVITE = """mutation ($email: String!) { inviteReader(input: { relation: COACH, areas: [BODY], email: $email }) {
  invitation { id } userErrors { code } } }"""
ACCEPT = "mutation ($id: ID!) { acceptInvitation(input: { id: $id }) { grant { id } userErrors { code field } } }"
INVITATIONS = "{ me { receivedInvitations { id } } }"
TEXTS = {"terms": "2026-11", "health_data": "1", "statistics": "1"}
AGREED = [
    {"purpose": "TERMS", "isGiven": True, "version": "2026-11"},
    {"purpose": "HEALTH_DATA", "isGiven": True, "version": "1"},
]
GOAL, SIGN_IN = NotificationKind.GOAL_COMPLETED, NotificationKind.NEW_SIGN_IN
_numbers = count(1)


@pytest.fixture(scope="module")
async def users(postgres: Postgres) -> AsyncIterator[SubgraphUnderTest]:
    async with subgraph_under_test(
        "users", postgres.create_database("users_consents"), schema, UsersLoaders
    ) as subgraph:
        yield subgraph


@pytest.fixture
def texts(users: SubgraphUnderTest, monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Puts versions into force."""

    def put(**versions: str) -> None:
        settings = users.resources.settings
        in_force = replace(settings.consents, **versions)
        monkeypatch.setattr(users.resources, "settings", replace(settings, consents=in_force))

    return put


@pytest.fixture
async def server(users: SubgraphUnderTest, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[SmtpServer]:
    """A mail server that the subgraph is told of; nothing of an earlier test waits for it."""
    async with smtp_server() as server, users.database.transaction() as transaction:
        await transaction.execute(text("DELETE FROM pending_mail"))
        await transaction.commit()
        settings = replace(users.resources.settings, smtp_url=f"smtp://127.0.0.1:{server.port}")
        monkeypatch.setattr(users.resources, "settings", settings)
        yield server


class Person:
    """Somebody with a session of their own."""

    def __init__(self, users: SubgraphUnderTest, session: dict[str, Any]) -> None:
        self._users = users
        self.session = session
        self.id: str = session["user"]["id"]
        self.email: str = session["user"]["email"]

    async def run(self, operation: str, **variables: Any) -> Any:
        return await self._users.run_with(f"Bearer {self.session['accessToken']}", operation, variables)

    async def data(self, operation: str, **variables: Any) -> Any:
        result = await self.run(operation, **variables)
        assert codes_of(result) == [], result.errors
        return result.data

    async def decide(self, purpose: str, is_given: bool, version: str | None = None) -> None:
        await self.data(UPDATE, consents=[{"purpose": purpose, "isGiven": is_given, "version": version}])

    async def prove_address(self) -> None:
        async with self._users.database.transaction() as transaction:
            proven = text("UPDATE account SET email_verified_at = now() WHERE id = :id")
            await transaction.execute(proven, {"id": self.id})

    async def told(self, *kinds: NotificationKind) -> None:
        news = [NewNotification(user_id=self.id, kind=kind, cause=f"cause:{next(_numbers)}") for kind in kinds]
        async with self._users.database.transaction() as transaction:
            await notify(transaction, news, self._users.resources.now())


def registering(*consents: dict[str, Any]) -> dict[str, Any]:
    email = f"consenting-{next(_numbers)}@example.com"
    return {"email": email, "password": PASSWORD, "displayName": "Some Body", "consents": list(consents)}


async def registered(users: SubgraphUnderTest, *consents: dict[str, Any]) -> Person:
    return Person(users, (await users.data(REGISTER, None, {"input": registering(*consents)}))["register"])


async def mails_to(users: SubgraphUnderTest, server: SmtpServer, person: Person) -> list[str]:
    """The subjects of what is sent now."""
    server.mails.clear()
    transport = transport_of(users.resources.settings)
    assert transport is not None
    while await deliver_one(users.resources, transport):
        pass
    return [str(each["Subject"]) for each in server.mails if person.email in str(each["To"])]


async def counted(users: SubgraphUnderTest) -> dict[str, float]:
    users.resources.own.pop(people_count._OWN, None)
    await people_count.measure_people(users.resources)
    found = {
        within: REGISTRY.get_sample_value("consenting_people", {"signed_in": within}) for within in ("ever", "30", "7")
    }
    return {within: value for within, value in found.items() if value is not None}


async def test_without_texts_in_force_nobody_is_asked_and_anybody_may_decide(users: SubgraphUnderTest) -> None:
    assert (await users.data("{ consentTexts { purpose } }", None))["consentTexts"] == []
    person = await registered(users)
    states = (await person.data(READ))["me"]["consents"]
    assert [each["purpose"] for each in states] == ["TERMS", "HEALTH_DATA", "EMAILS", "STATISTICS"]
    assert all(each["isGiven"] is None and not each["isMissing"] for each in states)
    await person.decide("STATISTICS", True)
    refused = await person.run(UPDATE, consents=[{"purpose": "EMAILS", "isGiven": True, "version": "1"}])
    assert refused.data["updateConsents"]["userErrors"] == [{"code": "VALIDATION_ERROR", "field": "consents.0.version"}]


async def test_who_registers_agrees_to_what_is_required_in_the_version_in_force(
    users: SubgraphUnderTest, texts: Callable[..., None]
) -> None:
    texts(**TEXTS)
    asked = (await users.data("{ consentTexts { purpose version isRequired } }", None))["consentTexts"]
    assert [(each["purpose"], each["version"], each["isRequired"]) for each in asked] == [
        ("TERMS", "2026-11", True),
        ("HEALTH_DATA", "1", True),
        ("STATISTICS", "1", False),
    ]
    asked = (await users.data("{ consentTexts(purpose: STATISTICS) { purpose } }", None))["consentTexts"]
    assert asked == [{"purpose": "STATISTICS"}]
    older = AGREED[0] | {"version": "2025-01"}
    for consents, fields in (
        ([], {"consents"}),
        (AGREED[:1], {"consents"}),
        ([*AGREED, AGREED[0]], {"consents.2.purpose"}),
        ([older, AGREED[1]], {"consents.0.version"}),
        ([AGREED[0], AGREED[1] | {"isGiven": False}], {"consents"}),
    ):
        refused = (await users.run(REGISTER, None, {"input": registering(*consents)})).data
        assert refused is not None
        assert {error["field"] for error in refused["register"]["userErrors"]} == fields, consents
        assert refused["register"]["user"] is None
    person = await registered(users, *AGREED)
    me = (await person.data(READ))["me"]
    assert {each["purpose"]: each["isMissing"] for each in me["consents"]} == {
        "TERMS": False, "HEALTH_DATA": False, "EMAILS": False, "STATISTICS": True,
    }  # fmt: skip
    assert {(each["purpose"], each["version"], each["way"]) for each in me["consentHistory"]["nodes"]} == {
        ("TERMS", "2026-11", "REGISTRATION"),
        ("HEALTH_DATA", "1", "REGISTRATION"),
    }


async def test_a_registration_that_is_confirmed_later_keeps_when_it_was_agreed(
    users: SubgraphUnderTest, texts: Callable[..., None], server: SmtpServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    texts(**TEXTS)
    settings = replace(users.resources.settings, confirm_registration=True)
    monkeypatch.setattr(users.resources, "settings", settings)
    assert (await users.run(REGISTER, None, {"input": registering()})).data["register"]["userErrors"] != []  # type: ignore[index]
    given = registering(*AGREED)
    agreed_at = users.resources.now() - timedelta(hours=2)
    with monkeypatch.context() as earlier:
        earlier.setattr(users.resources, "now", lambda: agreed_at)
        await users.data(REGISTER, None, {"input": given})
    transport = transport_of(users.resources.settings)
    assert transport is not None
    while await deliver_one(users.resources, transport):
        pass
    (mail,) = [each for each in server.mails if given["email"] in str(each["To"])]
    token = max(mail.get_content().split(), key=len)
    session = (await users.data(CONFIRM, None, {"token": token}))["confirmRegistration"]
    person = Person(users, {**session, "user": session["user"] | {"email": given["email"]}})
    for decision in (await person.data(READ))["me"]["consentHistory"]["nodes"]:
        assert abs(datetime.fromisoformat(decision["decidedAt"]) - agreed_at) < timedelta(hours=1)


async def test_a_new_version_asks_again_and_a_refusal_is_asked_once(
    users: SubgraphUnderTest, texts: Callable[..., None]
) -> None:
    texts(**TEXTS)
    person = await registered(users, *AGREED, {"purpose": "STATISTICS", "isGiven": False, "version": "1"})

    async def missing() -> list[str]:
        return [each["purpose"] for each in (await person.data(READ))["me"]["consents"] if each["isMissing"]]

    assert await missing() == []
    texts(terms="2027-01", statistics="2")
    assert await missing() == ["TERMS", "STATISTICS"]
    await person.decide("TERMS", True, "2027-01")
    await person.decide("STATISTICS", False, "2")
    await person.decide("STATISTICS", False, "2")
    assert await missing() == []
    history = (await person.data(READ))["me"]["consentHistory"]
    assert history["totalCount"] == len(history["nodes"]) == 5
    assert [(each["purpose"], each["isGiven"], each["version"]) for each in history["nodes"][:2]] == [
        ("STATISTICS", False, "2"),
        ("TERMS", True, "2027-01"),
    ]


async def test_the_terms_and_health_data_are_not_withdrawn_in_passing(users: SubgraphUnderTest) -> None:
    person = await registered(users)
    for purpose in ("TERMS", "HEALTH_DATA"):
        refused = await person.run(UPDATE, consents=[{"purpose": purpose, "isGiven": False}])
        errors = refused.data["updateConsents"]["userErrors"]
        assert errors == [{"code": "VALIDATION_ERROR", "field": "consents.0.isGiven"}]
    unsure = await person.run(WITHDRAW.replace("true", "false"))
    assert unsure.data["withdrawHealthDataConsent"]["userErrors"][0]["field"] == "confirm"
    assert (await person.data(READ))["me"]["consentHistory"]["totalCount"] == 0


async def test_without_consent_to_mails_only_those_of_safety_are_sent(
    users: SubgraphUnderTest, server: SmtpServer
) -> None:
    person = await registered(users)
    await person.prove_address()
    await person.data(
        """mutation { updateNotificationPreferences(input: { choices: [{ kind: GOAL_COMPLETED, channel: EMAIL, isOn: true }] }) {
        preferences { id } userErrors { code } } }"""
    )
    await mails_to(users, server, person)
    await person.told(GOAL)
    assert len(await mails_to(users, server, person)) == 1
    await person.told(GOAL)  # waits when the consent goes
    await person.decide("EMAILS", False)
    await person.told(GOAL, SIGN_IN)
    assert await mails_to(users, server, person) == ["A new sign-in"]
    await person.decide("EMAILS", True)
    await person.told(GOAL)
    assert await mails_to(users, server, person) == ["You have reached a goal"]


async def test_statistics_count_whoever_agreed_and_nobody_else(users: SubgraphUnderTest) -> None:
    before = await counted(users)
    person, other = await registered(users), await registered(users)
    assert await counted(users) == before
    await person.decide("STATISTICS", True)
    await other.decide("STATISTICS", True)
    assert (await counted(users))["ever"] == before["ever"] + 2
    async with users.database.transaction() as transaction:
        entered = text("UPDATE account SET last_login_at = now() - interval '9 days' WHERE id = :id")
        await transaction.execute(entered, {"id": person.id})
    found = await counted(users)
    assert (found["30"], found["7"]) == (before["30"] + 1, before["7"])
    await person.decide("STATISTICS", False)
    assert await counted(users) == before | {"ever": before["ever"] + 1}


async def test_who_withdraws_health_data_reads_exports_and_writes_nothing_until_the_erasure(
    users: SubgraphUnderTest, server: SmtpServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    person = await registered(users)
    former = dict(person.session)
    await person.prove_address()
    await person.data(LOG)
    await mails_to(users, server, person)
    now = users.resources.now()
    withdrawn = (await person.data(WITHDRAW))["withdrawHealthDataConsent"]
    due = datetime.fromisoformat(withdrawn["user"]["erasureDueAt"])
    assert abs(due - now - ERASED_AFTER) < timedelta(hours=1)
    assert await mails_to(users, server, person) == ["Your account will be erased in 14 days"]
    assert codes_of(await person.run(WEIGHTS)) == ["UNAUTHENTICATED"]
    assert codes_of(await users.run(REFRESH, None, {"token": former["refreshToken"]})) == ["UNAUTHENTICATED"]

    renewed = (await users.data(REFRESH, None, {"token": withdrawn["refreshToken"]}))["refresh"]
    for token in (withdrawn["accessToken"], renewed["accessToken"]):
        person.session = {"accessToken": token}
        assert [each["weightKg"] for each in (await person.data(WEIGHTS))["me"]["weights"]["nodes"]] == [80]
        assert codes_of(await person.run(LOG)) == ["FORBIDDEN"]
        assert codes_of(await person.run('mutation { updateProfile(input: { displayName: "X Y" }) { userErrors { code } } }')) == ["FORBIDDEN"]  # fmt: skip
    await person.told(GOAL, SIGN_IN)
    kinds = (await person.data("{ me { notifications { nodes { kind } } } }"))["me"]["notifications"]["nodes"]
    assert [each["kind"] for each in kinds] == ["NEW_SIGN_IN"]

    assert await erase_some(users.resources) == 0
    monkeypatch.setattr(users.resources, "now", lambda: due + timedelta(seconds=1))
    assert await erase_some(users.resources) == 1
    async with users.database.transaction() as transaction:
        for table, column in (("account", "id"), ("consent", "user_id"), ("weight_entry", "user_id")):
            left = text(f"SELECT count(*) FROM {table} WHERE {column} = :id")
            assert await transaction.scalar(left, {"id": person.id}) == 0
        told = text(
            "SELECT count(*) FROM outbox WHERE aggregate_id = :id AND convert_from(value, 'UTF8') LIKE '%UserErased%'"
        )
        assert await transaction.scalar(told, {"id": person.id}) == 1
    assert "Your account is gone" in await mails_to(users, server, person)


async def test_who_agrees_again_in_time_keeps_the_account(
    users: SubgraphUnderTest, monkeypatch: pytest.MonkeyPatch
) -> None:
    person = await registered(users)
    await person.data(LOG)
    withdrawn = (await person.data(WITHDRAW))["withdrawHealthDataConsent"]
    person.session = withdrawn
    await person.decide("HEALTH_DATA", True)
    assert (await person.data(READ))["me"]["erasureDueAt"] is None
    person.session = (await users.data(REFRESH, None, {"token": withdrawn["refreshToken"]}))["refresh"]
    await person.data(LOG)
    monkeypatch.setattr(users.resources, "now", lambda: datetime.fromisoformat(withdrawn["user"]["erasureDueAt"]))
    assert await erase_some(users.resources) == 0


async def test_who_withdrew_health_data_may_erase_at_once(users: SubgraphUnderTest) -> None:
    person = await registered(users)
    person.session = (await person.data(WITHDRAW))["withdrawHealthDataConsent"]
    erase = 'mutation { deleteAccount(input: { currentPassword: "Password123!" }) { deletedId userErrors { code } } }'
    assert (await person.data(erase))["deleteAccount"]["deletedId"] == person.id


async def test_who_is_not_to_be_invited_by_address_is_told_of_no_invitation_and_nobody_else_is(
    users: SubgraphUnderTest, server: SmtpServer
) -> None:
    owner, reader = await registered(users), await registered(users)
    await reader.prove_address()
    await mails_to(users, server, reader)
    await reader.data("mutation { updateSettings(input: { invitableByEmail: false }) { userErrors { code } } }")
    made = (await owner.data(INVITE, email=reader.email))["inviteReader"]["invitation"]
    assert await mails_to(users, server, reader) == []
    assert (await reader.data(INVITATIONS))["me"]["receivedInvitations"] == []
    assert codes_of(await reader.run(ACCEPT, id=made["id"])) == ["VALIDATION_ERROR"]
    await reader.data("mutation { updateSettings(input: { invitableByEmail: true }) { userErrors { code } } }")
    assert (await reader.data(INVITATIONS))["me"]["receivedInvitations"] == [{"id": made["id"]}]
    assert codes_of(await reader.run(ACCEPT, id=made["id"])) == []
