"""Addresses proven, changed and passwords replaced by mail: over SMTP, with tokens that hold once, and nobody told who exists."""

import re
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from datetime import timedelta
from itertools import count
from typing import Any

import pytest
from sqlalchemy import text

from events.retention import forget_in_batches
from subgraphs.users.commands.mail import PENDING_DAYS, forget_mail
from subgraphs.users.commands.mail_delivery import deliver_one
from subgraphs.users.commands.mail_transport import Transport, transport_of
from subgraphs.users.commands.queue_age import QUEUE_AGE, measure_queues
from subgraphs.users.domain.mail import MOST_TOKENS_AN_HOUR
from subgraphs.users.loaders import UsersLoaders
from subgraphs.users.schema import schema
from tests.testkit.servers import Postgres
from tests.testkit.smtp_server import SmtpServer, smtp_server
from tests.testkit.subgraph import SubgraphUnderTest, codes_of, subgraph_under_test, user_errors

PASSWORD, OTHER = "Password123!", "Different123!"
REGISTER = """mutation ($input: RegisterInput!) { register(input: $input) {
    accessToken refreshToken confirmationSentTo user { id emailVerified } userErrors { code field } } }"""
LOGIN = "mutation ($input: LoginInput!) { login(input: $input) { accessToken refreshToken user { id email } } }"
CONFIRM = """mutation ($input: ConfirmRegistrationInput!) { confirmRegistration(input: $input) {
    accessToken user { id displayName emailVerified profile { heightCm dateOfBirth } settings { timeZone } } userErrors { code field } } }"""
ASK_RESET = (
    "mutation ($email: String!) { requestPasswordReset(input: { email: $email }) { sentTo userErrors { code } } }"
)
RESET = "mutation ($input: ResetPasswordInput!) { resetPassword(input: $input) { endedSessions userErrors { code field } } }"
ASK_PROOF = """mutation ($input: RequestEmailVerificationInput!) { requestEmailVerification(input: $input) {
    sentTo userErrors { code field } } }"""
VERIFY = "mutation ($token: String!) { verifyEmail(input: { token: $token }) { isVerified user { email emailVerified } userErrors { code field } } }"
_numbers = count(1)


@pytest.fixture(scope="module")
async def users(postgres: Postgres) -> AsyncIterator[SubgraphUnderTest]:
    async with subgraph_under_test("users", postgres.create_database("users_mail"), schema, UsersLoaders) as subgraph:
        yield subgraph


@pytest.fixture
async def server(users: SubgraphUnderTest, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[SmtpServer]:
    """A mail server that the subgraph is told of; nothing of an earlier test waits for it."""
    async with smtp_server() as server, users.database.transaction() as transaction:
        await transaction.execute(text("DELETE FROM pending_mail"))
        await transaction.commit()
        settings = replace(users.resources.settings, smtp_url=f"smtp://127.0.0.1:{server.port}")
        monkeypatch.setattr(users.resources, "settings", settings)
        yield server


@pytest.fixture
def confirming(users: SubgraphUnderTest, server: SmtpServer, monkeypatch: pytest.MonkeyPatch) -> SmtpServer:
    """The same where registrations wait for their mail."""
    monkeypatch.setattr(users.resources, "settings", replace(users.resources.settings, confirm_registration=True))
    return server


@pytest.fixture
def later(users: SubgraphUnderTest, monkeypatch: pytest.MonkeyPatch) -> Callable[[timedelta], None]:
    """Puts the subgraph's clock forward."""
    now = users.resources.now
    return lambda by: monkeypatch.setattr(users.resources, "now", lambda: now() + by)


def transport(users: SubgraphUnderTest) -> Transport:
    sender = transport_of(users.resources.settings)
    assert sender is not None
    return sender


async def mails(users: SubgraphUnderTest, server: SmtpServer) -> list[tuple[str, str, str]]:
    """Recipient, subject and text of what is sent now."""
    server.mails.clear()
    while await deliver_one(users.resources, transport(users)):
        pass
    return [(str(each["To"]), str(each["Subject"]), each.get_content().replace("\r\n", "\n")) for each in server.mails]


async def token_for(users: SubgraphUnderTest, server: SmtpServer, address: str) -> str:
    """The token in the only mail that is sent now."""
    ((recipient, _, body),) = await mails(users, server)
    assert recipient == address
    found = re.search(r"^[\w-]{43}$", body, re.MULTILINE)
    assert found is not None, body
    return found.group()


async def registered(users: SubgraphUnderTest, server: SmtpServer) -> tuple[str, dict[str, Any], str]:
    """Address, session and the token of the first mail of somebody new."""
    email = f"person{next(_numbers)}@example.com"
    given = {"email": email, "password": PASSWORD, "displayName": "Some Body"}
    session = (await users.data(REGISTER, None, {"input": given}))["register"]
    return email, session, await token_for(users, server, email)


async def refused(users: SubgraphUnderTest, operation: str, variables: dict[str, Any]) -> list[str]:
    """The places that were refused."""
    return [error["field"] for error in user_errors(await users.run(operation, None, variables))]


async def login(users: SubgraphUnderTest, email: str, password: str) -> list[str]:
    return await users.codes(LOGIN, None, {"input": {"email": email, "password": password}})


async def test_an_address_is_proven_by_the_mail_of_its_registration_and_only_once(
    users: SubgraphUnderTest, server: SmtpServer
) -> None:
    _, session, token = await registered(users, server)
    assert session["user"]["emailVerified"] is False

    told = await users.data(VERIFY, None, {"token": token})
    assert told["verifyEmail"] == {"isVerified": True, "user": None, "userErrors": []}
    assert (await users.data("{ me { emailVerified } }", session["user"]["id"])) == {"me": {"emailVerified": True}}
    assert await refused(users, VERIFY, {"token": token}) == ["token"]


async def test_tokens_are_stored_as_hashes(users: SubgraphUnderTest, server: SmtpServer) -> None:
    _, _, token = await registered(users, server)
    async with users.database.reading() as connection:
        for table in ("mailed_token", "pending_mail", "registration"):
            rows = await connection.execute(text(f"SELECT t::text FROM {table} AS t"))
            assert not any(token in str(row) for row in rows)


async def test_a_forgotten_password_is_replaced_and_every_session_ends(
    users: SubgraphUnderTest, server: SmtpServer
) -> None:
    email, session, _ = await registered(users, server)
    async with users.database.transaction() as transaction:  # one that whoever knew the old password left behind
        await transaction.execute(
            text(
                "INSERT INTO passkey (id, user_id, name, credential_id, credential, sign_count, is_synced, version, created_at)"
                " SELECT 'left', id, 'Phone', '', '', 0, false, 1, now() FROM account WHERE email = :email"
            ),
            {"email": email},
        )
    await users.data(ASK_RESET, None, {"email": email.upper()})
    token = await token_for(users, server, email)

    weak = {"token": token, "newPassword": "weak"}
    assert await refused(users, RESET, {"input": weak}) == ["newPassword"]
    told = await users.data(RESET, None, {"input": {"token": token, "newPassword": OTHER}})

    assert told["resetPassword"]["endedSessions"] == 1
    async with users.database.reading() as connection:
        assert (await connection.execute(text("SELECT count(*) FROM passkey"))).scalar_one() == 0
    assert await refused(users, RESET, {"input": {"token": token, "newPassword": PASSWORD}}) == ["token"]
    access = await users.run_with(f"Bearer {session['accessToken']}", "{ me { id } }")
    assert codes_of(access) == ["UNAUTHENTICATED"]
    renew = "mutation ($token: String!) { refresh(input: { refreshToken: $token }) { accessToken } }"
    assert await users.codes(renew, None, {"token": session["refreshToken"]}) == ["UNAUTHENTICATED"]
    assert await login(users, email, PASSWORD) == ["UNAUTHENTICATED"]
    assert await login(users, email, OTHER) == []
    assert [(to, subject) for to, subject, _ in await mails(users, server)] == [(email, "Your password was changed")]


async def test_asking_for_a_new_password_tells_nobody_who_exists(users: SubgraphUnderTest, server: SmtpServer) -> None:
    email, _, _ = await registered(users, server)
    with users.counted_statements() as known:
        first = await users.run(ASK_RESET, None, {"email": email})
    with users.counted_statements() as unknown:
        second = await users.run(ASK_RESET, None, {"email": "nobody@example.com"})

    assert known == unknown
    assert first.errors is second.errors is None
    assert first.data == {"requestPasswordReset": {"sentTo": email, "userErrors": []}}
    assert second.data == {"requestPasswordReset": {"sentTo": "nobody@example.com", "userErrors": []}}
    assert [to for to, _, _ in await mails(users, server)] == [email]


async def test_a_token_of_yesterday_and_one_for_another_use_do_not_hold(
    users: SubgraphUnderTest, server: SmtpServer, later: Callable[[timedelta], None]
) -> None:
    email, _, proof = await registered(users, server)
    await users.data(ASK_RESET, None, {"email": email})
    token = await token_for(users, server, email)

    assert await refused(users, RESET, {"input": {"token": proof, "newPassword": OTHER}}) == ["token"]
    assert await refused(users, VERIFY, {"token": token}) == ["token"]
    assert await refused(users, VERIFY, {"token": "guess"}) == ["token"]
    later(timedelta(minutes=31))
    assert await refused(users, RESET, {"input": {"token": token, "newPassword": OTHER}}) == ["token"]
    later(timedelta(hours=25))
    assert await refused(users, VERIFY, {"token": proof}) == ["token"]


async def test_nobodys_mailbox_is_filled(
    users: SubgraphUnderTest, server: SmtpServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    email, _, _ = await registered(users, server)
    sent = 0
    for _ in range(MOST_TOKENS_AN_HOUR + 3):
        assert (await users.data(ASK_RESET, None, {"email": email}))["requestPasswordReset"]["sentTo"] == email
        sent += len(await mails(users, server))
    assert sent == MOST_TOKENS_AN_HOUR

    monkeypatch.setattr("subgraphs.users.commands.mail.MOST_PENDING", 1)
    answers = [await users.codes(ASK_RESET, None, {"email": f"{n}@example.com"}) for n in range(2)]
    assert answers == [[], ["RATE_LIMITED"]]


async def test_an_address_changes_with_the_password_and_the_mail_and_the_old_one_is_told(
    users: SubgraphUnderTest, server: SmtpServer
) -> None:
    email, session, _ = await registered(users, server)
    new, owner = f"new-{email}", session["user"]["id"]

    async def ask(password: str | None) -> Any:
        return await users.run(ASK_PROOF, owner, {"input": {"email": new, "currentPassword": password}})

    assert [error["field"] for error in user_errors(await ask(None))] == ["currentPassword"]
    assert [error["field"] for error in user_errors(await ask("Wrong123!"))] == ["currentPassword"]
    assert user_errors(await ask(PASSWORD)) == []
    token = await token_for(users, server, new)
    assert (await users.data("{ me { email } }", owner))["me"]["email"] == email

    told = await users.run_with(f"Bearer {session['accessToken']}", VERIFY, {"token": token})
    assert told.data is not None
    assert told.data["verifyEmail"]["user"] == {"email": new, "emailVerified": True}
    assert [(to, subject) for to, subject, _ in await mails(users, server)] == [
        (email, "Your e-mail address was changed")
    ]
    assert await login(users, email, PASSWORD) == ["UNAUTHENTICATED"]
    assert await login(users, new, PASSWORD) == []


async def test_an_address_that_another_account_has_is_neither_taken_nor_told(
    users: SubgraphUnderTest, server: SmtpServer
) -> None:
    taken, _, _ = await registered(users, server)
    email, session, _ = await registered(users, server)
    wanted = f"free-{email}"
    for address in (taken, wanted):
        given = {"email": address, "currentPassword": PASSWORD}
        told = await users.data(ASK_PROOF, session["user"]["id"], {"input": given})
        assert told["requestEmailVerification"] == {"sentTo": address, "userErrors": []}
    token = await token_for(users, server, wanted)

    async with users.database.transaction() as transaction:  # somebody takes it before the mail is read
        await transaction.execute(
            text("UPDATE account SET email_key = :key WHERE email = :email"), {"key": wanted, "email": taken}
        )
    assert await refused(users, VERIFY, {"token": token}) == ["token"]
    assert await login(users, email, PASSWORD) == []


async def test_a_registration_that_waits_for_its_mail_tells_nobody_who_exists(
    users: SubgraphUnderTest, confirming: SmtpServer
) -> None:
    first = {"email": "new@example.com", "password": PASSWORD, "displayName": "New Body", "heightCm": 171.5}
    first |= {"timeZone": "Asia/Kolkata", "dateOfBirth": "1990-05-15"}
    nobody = {"accessToken": None, "refreshToken": None, "user": None, "userErrors": []}
    with users.counted_statements() as unknown:
        told = await users.data(REGISTER, None, {"input": first})
    assert told["register"] == {**nobody, "confirmationSentTo": "new@example.com"}
    token = await token_for(users, confirming, "new@example.com")
    assert await login(users, "new@example.com", PASSWORD) == ["UNAUTHENTICATED"]

    assert await refused(users, CONFIRM, {"input": {"token": token, "password": OTHER}}) == ["password"]
    entered = (await users.data(CONFIRM, None, {"input": {"token": token, "password": PASSWORD}}))[
        "confirmRegistration"
    ]
    assert entered["user"] | {"id": ""} == {
        "id": "",
        "displayName": "New Body",
        "emailVerified": True,
        "profile": {"heightCm": 171.5, "dateOfBirth": "1990-05-15"},
        "settings": {"timeZone": "Asia/Kolkata"},
    }
    assert await refused(users, CONFIRM, {"input": {"token": token, "password": PASSWORD}}) == ["token"]

    with users.counted_statements() as known:
        told = await users.data(REGISTER, None, {"input": first | {"password": OTHER}})
    assert told["register"] == {**nobody, "confirmationSentTo": "new@example.com"}
    assert known == unknown
    ((to, subject, _),) = await mails(users, confirming)
    assert (to, subject) == ("new@example.com", "You have an account of FitTracker Pro")
    assert await login(users, "new@example.com", OTHER) == ["UNAUTHENTICATED"]


async def test_a_repeated_registration_sends_one_mail(users: SubgraphUnderTest, confirming: SmtpServer) -> None:
    given = {"email": "once@example.com", "password": PASSWORD, "displayName": "Once", "idempotencyKey": "once"}
    for _ in range(2):
        assert await users.codes(REGISTER, None, {"input": given}) == []
    assert await users.codes(REGISTER, None, {"input": given | {"displayName": "Twice"}}) == ["CONFLICT"]
    assert len(await mails(users, confirming)) == 1


async def test_a_mail_that_does_not_leave_is_tried_again_later(
    users: SubgraphUnderTest, server: SmtpServer, later: Callable[[timedelta], None]
) -> None:
    email, _, _ = await registered(users, server)
    await users.data(ASK_RESET, None, {"email": email})
    server.is_busy = True
    assert await deliver_one(users.resources, transport(users)) is True
    assert await deliver_one(users.resources, transport(users)) is False  # put off
    server.is_busy = False
    later(timedelta(minutes=1))
    token = await token_for(users, server, email)
    assert await users.codes(RESET, None, {"input": {"token": token, "newPassword": OTHER}}) == []


async def test_mails_are_late_however_often_their_server_puts_them_off(
    users: SubgraphUnderTest, server: SmtpServer, later: Callable[[timedelta], None]
) -> None:
    async def age() -> float:
        await measure_queues(users.resources)
        return float(QUEUE_AGE.labels("mail")._value.get())

    email, _, _ = await registered(users, server)
    assert await age() == 0
    await users.data(ASK_RESET, None, {"email": email})
    server.is_busy = True
    for minutes in (2, 4, 6, 8):  # each longer than the pause before
        later(timedelta(minutes=minutes))
        assert await deliver_one(users.resources, transport(users)) is True
    assert 480 <= await age() < 540
    server.is_busy = False
    later(timedelta(minutes=10))
    assert await deliver_one(users.resources, transport(users)) is True
    assert await age() == 0


async def test_a_link_carries_the_token_behind_a_hash(
    users: SubgraphUnderTest, server: SmtpServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    email, _, _ = await registered(users, server)
    settings = replace(users.resources.settings, mail_link="https://app.example.org/account/")
    monkeypatch.setattr(users.resources, "settings", settings)
    await users.data(ASK_RESET, None, {"email": email})
    ((_, _, body),) = await mails(users, server)
    assert re.search(r"^https://app\.example\.org/account/reset-password#token=[\w-]{43}$", body, re.MULTILINE)


async def test_what_is_of_no_use_any_more_is_deleted(users: SubgraphUnderTest, confirming: SmtpServer) -> None:
    given = {"email": "old@example.com", "password": PASSWORD, "displayName": "Old"}
    await users.data(REGISTER, None, {"input": given})
    await users.data(ASK_RESET, None, {"email": "nobody@example.com"})
    tables = ("registration", "pending_mail", "mailed_token")
    async with users.database.transaction() as transaction:
        age = f"interval '{PENDING_DAYS} days 1 hour'"
        for table in tables:
            await transaction.execute(text(f"UPDATE {table} SET created_at = created_at - {age}"))
        await transaction.execute(text("UPDATE mailed_token SET expires_at = now() - interval '1 hour'"))
    assert await forget_in_batches(users.database.transaction, forget_mail) >= 3
    async with users.database.reading() as connection:
        assert [await connection.scalar(text(f"SELECT count(*) FROM {table}")) for table in tables] == [0, 0, 0]


async def test_a_mail_that_cannot_be_written_holds_up_nobody_else(users: SubgraphUnderTest, server: SmtpServer) -> None:
    """An address that was taken once, and that makes a line's end of the head."""
    email, _, _ = await registered(users, server)
    async with users.database.transaction() as transaction:
        queued = text(
            "INSERT INTO pending_mail (id, kind, recipient, created_at, due_at)"
            " VALUES ('first', 'GRANT_INVITATION', '=?utf-8?q?a=0d=0ab?=@example.com', now(), now() - interval '1 hour')"
        )
        await transaction.execute(queued)
    await users.data(ASK_RESET, None, {"email": email})
    assert [recipient for recipient, _, _ in await mails(users, server)] == [email]
