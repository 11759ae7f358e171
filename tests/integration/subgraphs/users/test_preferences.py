"""What people want where: hidden in the list, mailed or not, held back while it is to be quiet, and ended by the link of a mail."""

import re
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from datetime import UTC, datetime, time, timedelta
from itertools import count
from typing import Any

import pytest
from sqlalchemy import text

from subgraphs.users.commands.mail_delivery import deliver_one
from subgraphs.users.commands.mail_transport import transport_of
from subgraphs.users.commands.notification import notify
from subgraphs.users.commands.notification_channels import MOST_PENDING
from subgraphs.users.domain.notification import NewNotification, NotificationKind
from subgraphs.users.domain.notification_preference import MOST_MAILS_A_DAY, Quiet, send_at
from subgraphs.users.loaders import UsersLoaders
from subgraphs.users.schema import schema
from tests.testkit.servers import Postgres
from tests.testkit.smtp_server import SmtpServer, smtp_server
from tests.testkit.subgraph import SubgraphUnderTest, subgraph_under_test

_numbers = count(1)
CHOOSE = """mutation ($input: UpdateNotificationPreferencesInput!) { updateNotificationPreferences(input: $input) {
  preferences { choices { kind channel isOn } quietStart quietEnd version } userErrors { code field } } }"""
READ = "{ me { notificationPreferences { id choices { kind channel isOn } quietStart quietEnd version } } }"
LIST = "query ($first: Int) { me { notifications(first: $first) { nodes { id kind } } } }"
UNSUBSCRIBE = (
    """mutation ($input: UnsubscribeInput!) { unsubscribe(input: $input) { kind userErrors { code field } } }"""
)
MARK = "mutation { markNotificationsRead(input: {}) { userErrors { code } } }"
DELETE = "mutation ($id: ID!) { deleteNotification(input: { id: $id }) { userErrors { code } } }"
#: Noon in Berlin.
NOON = datetime(2026, 3, 23, 11, tzinfo=UTC)
GOAL, SIGN_IN, REMINDER = NotificationKind.GOAL_COMPLETED, NotificationKind.NEW_SIGN_IN, NotificationKind.REMINDER


@pytest.fixture(scope="module")
async def users(postgres: Postgres) -> AsyncIterator[SubgraphUnderTest]:
    url = postgres.create_database("users_preferences")
    async with subgraph_under_test("users", url, schema, UsersLoaders) as subgraph:
        yield subgraph


@pytest.fixture
async def server(users: SubgraphUnderTest, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[SmtpServer]:
    """A mail server that the subgraph is told of, at noon; nothing of an earlier test waits for it."""
    async with smtp_server() as server, users.database.transaction() as transaction:
        await transaction.execute(text("DELETE FROM pending_mail"))
        await transaction.commit()
        settings = replace(users.resources.settings, smtp_url=f"smtp://127.0.0.1:{server.port}")
        monkeypatch.setattr(users.resources, "settings", settings)
        monkeypatch.setattr(users.resources, "now", lambda: NOON)
        yield server


@pytest.fixture
def clock(users: SubgraphUnderTest, monkeypatch: pytest.MonkeyPatch) -> Callable[[datetime], None]:
    return lambda moment: monkeypatch.setattr(users.resources, "now", lambda: moment)


@pytest.fixture
async def person(users: SubgraphUnderTest, server: SmtpServer) -> str:
    """Somebody in Berlin who has proven the address, and wants goals by mail."""
    user_id = f"person-{next(_numbers)}"
    async with users.database.transaction() as transaction:
        await transaction.execute(
            text(
                "INSERT INTO account (id, email, email_key, password_hash, display_name, roles, time_zone, created_at,"
                " email_verified_at) VALUES (:id, :email, :email, '', 'Some Body', '{USER}', 'Europe/Berlin', now(), now())"
            ),
            {"id": user_id, "email": f"{user_id}@example.com"},
        )
    await choose(users, user_id, (GOAL, "EMAIL", True))
    return user_id


async def choose(users: SubgraphUnderTest, person: str, *choices: tuple[Any, str, bool], **more: Any) -> dict[str, Any]:
    given = [{"kind": kind, "channel": channel, "isOn": is_on} for kind, channel, is_on in choices]
    answer = await users.data(CHOOSE, person, {"input": {"choices": given} | more})
    return dict(answer["updateNotificationPreferences"]["preferences"])


async def tell(users: SubgraphUnderTest, person: str, *kinds: NotificationKind) -> None:
    news = [NewNotification(user_id=person, kind=kind, cause=f"cause:{next(_numbers)}") for kind in kinds]
    async with users.database.transaction() as transaction:
        await notify(transaction, news, users.resources.now())


async def mailed(users: SubgraphUnderTest, server: SmtpServer) -> list[tuple[str, str, str]]:
    """Recipient, subject and text of what is sent now."""
    server.mails.clear()
    transport = transport_of(users.resources.settings)
    assert transport is not None
    while await deliver_one(users.resources, transport):
        pass
    return [(str(each["To"]), str(each["Subject"]), each.get_content()) for each in server.mails]


def token_in(body: str) -> str:
    found = re.search(r"^[\w~-]{60,}$", body.replace("\r\n", "\n"), re.MULTILINE)
    assert found is not None, body
    return found.group()


async def kinds_listed(users: SubgraphUnderTest, person: str, **page: int) -> list[str]:
    return [each["kind"] for each in (await users.data(LIST, person, page))["me"]["notifications"]["nodes"]]


async def test_what_is_wanted_by_mail_is_mailed_once_to_a_proven_address(
    users: SubgraphUnderTest, server: SmtpServer, person: str
) -> None:
    await tell(users, person, GOAL, REMINDER)
    ((recipient, subject, body),) = await mailed(users, server)
    assert (recipient, subject) == (f"{person}@example.com", "You have reached a goal")
    assert "no more of these" in body
    assert await mailed(users, server) == []
    async with users.database.transaction() as transaction:
        await transaction.execute(text("UPDATE account SET email_verified_at = NULL WHERE id = :id"), {"id": person})
    await tell(users, person, GOAL)
    assert await mailed(users, server) == []


async def test_by_default_only_a_new_sign_in_and_a_shut_passkey_are_mailed_and_everything_is_listed(
    users: SubgraphUnderTest, server: SmtpServer, person: str
) -> None:
    read = (await users.data(READ, person))["me"]["notificationPreferences"]
    on = {(each["kind"], each["channel"]) for each in read["choices"] if each["isOn"]}
    assert {kind for kind, channel in on if channel == "IN_APP"} == set(NotificationKind)
    assert {kind for kind, channel in on if channel == "EMAIL"} == {
        "NEW_SIGN_IN",
        "PASSKEY_BLOCKED",
        "GOAL_COMPLETED",  # which was chosen
    }
    assert (read["version"], read["quietStart"], read["quietEnd"]) == (2, None, None)
    await tell(users, person, *NotificationKind)
    assert sorted(subject for _, subject, _ in await mailed(users, server)) == [
        "A new sign-in",
        "A passkey was shut",
        "You have reached a goal",
    ]


async def test_what_is_not_wanted_in_the_list_may_still_be_mailed(
    users: SubgraphUnderTest, server: SmtpServer, person: str
) -> None:
    await choose(users, person, (GOAL, "IN_APP", False))
    await tell(users, person, GOAL, REMINDER)
    assert await kinds_listed(users, person) == ["REMINDER"]
    assert len(await mailed(users, server)) == 1


async def test_quiet_holds_mails_back_until_it_is_over_but_for_what_cannot_wait(
    users: SubgraphUnderTest, server: SmtpServer, person: str, clock: Callable[[datetime], None]
) -> None:
    await choose(users, person, (REMINDER, "EMAIL", True), quietStart="22:00", quietEnd="07:30")
    clock(datetime(2026, 3, 28, 22, 30, tzinfo=UTC))  # half past eleven in the night in which summer time begins
    await tell(users, person, GOAL, SIGN_IN, REMINDER)
    assert sorted(subject for _, subject, _ in await mailed(users, server)) == [
        "A new sign-in",
        "You wanted to be reminded",
    ]
    assert len(await kinds_listed(users, person)) == 3
    clock(datetime(2026, 3, 29, 5, 29, tzinfo=UTC))
    assert await mailed(users, server) == []
    clock(datetime(2026, 3, 29, 5, 30, tzinfo=UTC))
    assert [subject for _, subject, _ in await mailed(users, server)] == ["You have reached a goal"]


async def test_what_was_read_or_deleted_or_is_wanted_no_more_meanwhile_is_not_mailed(
    users: SubgraphUnderTest, server: SmtpServer, person: str
) -> None:
    await tell(users, person, GOAL)
    await users.data(MARK, person)
    assert await mailed(users, server) == []
    await tell(users, person, GOAL)
    newest = (await users.data(LIST, person))["me"]["notifications"]["nodes"][0]["id"]
    await users.data(DELETE, person, {"id": newest})
    assert await mailed(users, server) == []
    await tell(users, person, GOAL)
    await choose(users, person, (GOAL, "EMAIL", False))
    assert await mailed(users, server) == []


async def test_a_person_gets_so_many_mails_in_a_day_and_all_people_together_so_many_wait(
    users: SubgraphUnderTest, server: SmtpServer, person: str, clock: Callable[[datetime], None]
) -> None:
    for _ in range(3):
        await tell(users, person, *[GOAL] * 10)
    assert len(await mailed(users, server)) == MOST_MAILS_A_DAY
    clock(NOON + timedelta(days=1, minutes=1))
    await tell(users, person, GOAL)
    async with users.database.transaction() as transaction:
        await transaction.execute(
            text(
                "INSERT INTO pending_mail (id, kind, recipient, user_id, notification_id, created_at, due_at)"
                " SELECT 'w' || n, 'NOTIFICATION', n, :id, (SELECT id FROM notification WHERE user_id = :id LIMIT 1), now(),"
                " now() + interval '1 year' FROM generate_series(1, :most) AS n"
            ),
            {"id": person, "most": MOST_PENDING},
        )
    await tell(users, person, GOAL)
    assert len(await mailed(users, server)) == 1
    assert len(await kinds_listed(users, person, first=100)) == 32  # the list has them all


async def test_the_link_of_a_mail_ends_its_kind_or_all_without_signing_in(
    users: SubgraphUnderTest, server: SmtpServer, person: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    link = "https://app.example.org/account"
    await choose(users, person, (REMINDER, "EMAIL", True))
    await tell(users, person, GOAL)
    token = token_in((await mailed(users, server))[0][2])
    ended = (await users.data(UNSUBSCRIBE, None, {"input": {"token": token}}))["unsubscribe"]
    assert ended["kind"] == "GOAL_COMPLETED"
    monkeypatch.setattr(users.resources, "settings", replace(users.resources.settings, mail_link=link))
    await tell(users, person, GOAL, REMINDER, SIGN_IN)
    found = await mailed(users, server)
    assert sorted(subject for _, subject, _ in found) == ["A new sign-in", "You wanted to be reminded"]
    assert f"{link}/unsubscribe#token=" in found[0][2]
    assert str(server.mails[0]["List-Unsubscribe"]).replace("\n ", "").startswith(f"<{link}/unsubscribe#token=")
    await users.data(UNSUBSCRIBE, None, {"input": {"token": token, "everything": True}})
    await tell(users, person, GOAL, REMINDER, SIGN_IN)
    assert await mailed(users, server) == []


async def test_a_token_of_another_kind_person_or_key_does_nothing(
    users: SubgraphUnderTest, server: SmtpServer, person: str
) -> None:
    await tell(users, person, GOAL)
    token = token_in((await mailed(users, server))[0][2])
    digest, kind, _ = token.split("~")
    wrong = (
        "",
        "x",
        "~~",
        f"{digest}~REMINDER~{person}",
        f"{digest}~{kind}~another",
        f"{digest[::-1]}~{kind}~{person}",
        "ä~ö~ü",
    )
    for each in wrong:
        codes = await users.codes(UNSUBSCRIBE, None, {"input": {"token": each}})
        assert codes == ["VALIDATION_ERROR"], each
    async with users.database.transaction() as transaction:
        await transaction.execute(text("DELETE FROM account WHERE id = :id"), {"id": person})
    assert await users.codes(UNSUBSCRIBE, None, {"input": {"token": token}}) == []


async def test_what_cannot_be_chosen_is_told_with_its_place(
    users: SubgraphUnderTest, server: SmtpServer, person: str
) -> None:
    async def refused(**given: Any) -> Any:
        errors = (await users.run(CHOOSE, person, {"input": given})).data or {}
        return [(each["code"], each["field"]) for each in errors["updateNotificationPreferences"]["userErrors"]]

    ok = {"kind": "REMINDER", "channel": "EMAIL", "isOn": True}
    hide = {"kind": "NEW_SIGN_IN", "channel": "IN_APP", "isOn": False}
    assert await refused(choices=[ok, hide]) == [("VALIDATION_ERROR", "choices.1")]
    assert await refused(choices=[ok | {"kind": "PASSWORD_CHANGED"}]) == [("VALIDATION_ERROR", "choices.0")]
    assert await refused(quietStart="22:00") == [("VALIDATION_ERROR", "quietEnd")]
    assert await refused(quietStart="22:00", quietEnd="22:00") == [("VALIDATION_ERROR", "quietEnd")]
    assert await refused(choices=[ok] * 500) == [("VALIDATION_ERROR", "choices")]
    assert await refused(choices=None) == [("VALIDATION_ERROR", "choices")]
    assert await refused(choices=[ok], expectedVersion=1) == [("STALE_VERSION", "expectedVersion")]
    kept = await choose(users, person, quietStart="22:00", quietEnd="07:00")
    assert (kept["quietStart"], kept["version"]) == ("22:00", 3)
    assert (await choose(users, person, quietStart=None, quietEnd=None))["quietEnd"] is None


@pytest.mark.parametrize(
    ("clock", "quiet", "expected"),
    [
        ("12:00", ("22:00", "07:00"), "12:00"),
        ("22:00", ("22:00", "07:00"), "07:00+1"),
        ("06:59", ("22:00", "07:00"), "07:00"),
        ("07:00", ("22:00", "07:00"), "07:00"),
        ("13:30", ("13:00", "14:00"), "14:00"),
        ("14:00", ("13:00", "14:00"), "14:00"),
        ("23:59", ("00:00", "06:00"), "23:59"),
        ("00:00", ("00:00", "06:00"), "06:00"),
    ],
)
def test_quiet_ends_by_the_clock(clock: str, quiet: tuple[str, str], expected: str) -> None:
    def at(told: str) -> datetime:
        shown, _, later = told.partition("+")
        return datetime.combine(NOON.date(), time.fromisoformat(shown), UTC) + timedelta(days=int(later or 0))

    found = send_at(GOAL, Quiet(*map(time.fromisoformat, quiet)), "UTC", at(clock))
    assert found == at(expected)
