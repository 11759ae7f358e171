"""A person's passkeys: added, renamed, removed.

Whoever adds or removes one has signed in just now or tells the password again, so that a browser somebody left open is not
enough. No passkey's private key ever comes here: there is nothing secret to keep.
"""

from dataclasses import dataclass

from sqlalchemy import text
from sqlmodel import col

from events.envelope import new_id
from subgraphs.shell.auth import Viewer
from subgraphs.shell.context import Resources
from subgraphs.shell.errors import Checks, ConflictError, NotFoundError, ValidationError, expect_version
from subgraphs.shell.text import check_line
from subgraphs.users.commands.ended_session import end_sessions
from subgraphs.users.commands.mail import queue_mail
from subgraphs.users.commands.notification import notify, tell_subscribers
from subgraphs.users.commands.own_password import check_own_password
from subgraphs.users.commands.passkey_challenge import make_challenge, relying_party, take_challenge
from subgraphs.users.domain.mail import MailKind
from subgraphs.users.domain.notification import NewNotification, NotificationKind
from subgraphs.users.domain.passkey import (
    FRESH_SIGN_IN,
    LONGEST_PASSKEY_NAME,
    MOST_PASSKEYS,
    NotProvenError,
    creation_options,
    read_new_passkey,
)
from subgraphs.users.queries.account import lock_existing_account
from subgraphs.users.queries.passkey import (
    PasskeyRecord,
    lock_passkey,
    passkey_by_credential_id,
    passkeys_by_user,
)
from subgraphs.users.tables import SessionRow

_SIGNED_IN_AT = text("SELECT created_at FROM session WHERE id = :id AND user_id = :user_id AND revoked_at IS NULL")
_ADD = text(
    "INSERT INTO passkey (id, user_id, name, credential_id, credential, sign_count, is_synced, version, created_at)"
    " VALUES (:id, :user_id, :name, :credential_id, :credential, :sign_count, :is_synced, 1, :now)"
    " ON CONFLICT (credential_id) DO NOTHING"
)
_RENAME = text("UPDATE passkey SET name = :name, version = version + 1 WHERE id = :id")
_REMOVE = text("DELETE FROM passkey WHERE id = :id")


@dataclass(frozen=True, slots=True)
class Ceremony:
    """What a browser is asked for: options in JSON, and the challenge that the answer belongs to."""

    challenge_id: str
    options: str


async def begin_passkey(viewer: Viewer, password: str | None, *, resources: Resources) -> Ceremony:
    """Ask the viewer's browser for a passkey.

    Raises ValidationError where the password is needed or wrong, RateLimitedError, and ConflictError for too many passkeys,
    or where the platform has none.
    """
    party = relying_party(resources.settings)
    await _check_fresh(viewer, password, resources)
    async with resources.database.transaction() as transaction:
        account = await lock_existing_account(transaction, viewer.id)
        known = (await passkeys_by_user(transaction, [viewer.id])).get(viewer.id, [])
        _check_quota(known)
        challenge = await make_challenge(transaction, viewer.id, resources)
    options = creation_options(
        party,
        challenge.challenge,
        user_id=viewer.id,
        email=account.email,
        display_name=account.display_name,
        known=[each.credential_id for each in known],
    )
    return Ceremony(challenge.id, options)


async def add_passkey(
    viewer: Viewer, challenge_id: str, credential: str, name: str, *, resources: Resources
) -> PasskeyRecord:
    """Keep the passkey that a browser made; the person is told by mail and in the list. The same one again is kept once.

    Raises ValidationError for a name or a credential that does not hold, ConflictError for too many and one that is another account's.
    """
    party = relying_party(resources.settings)
    checks = Checks()
    check_line(checks, name, "name", longest=LONGEST_PASSKEY_NAME)
    checks.done()
    challenge = await take_challenge(challenge_id, viewer.id, resources)
    if challenge is None:
        raise ValidationError(("challengeId", "does not hold: it was used, has expired, or never was one"))
    try:
        made = read_new_passkey(party, challenge, credential)
    except NotProvenError:
        raise ValidationError(("credential", "is no answer of a browser to this challenge")) from None
    now = resources.now()
    row = {"user_id": viewer.id, "name": name.strip(), "credential_id": made.credential_id, "now": now}
    kept = {"credential": made.credential, "sign_count": made.sign_count, "is_synced": made.is_synced}
    told: set[str] = set()
    async with resources.database.transaction() as transaction:
        account = await lock_existing_account(
            transaction, viewer.id
        )  # and calls of one person take turns, for the quota
        _check_quota((await passkeys_by_user(transaction, [viewer.id])).get(viewer.id, []))
        is_new = (await transaction.execute(_ADD, row | kept | {"id": new_id()})).rowcount
        record = await passkey_by_credential_id(transaction, made.credential_id)
        if record is None or record.user_id != viewer.id:
            raise ConflictError("This passkey belongs to an account already.", field="credential")
        if is_new:
            await queue_mail(transaction, MailKind.PASSKEY_ADDED, account.email, now, user_id=viewer.id)
            told = await notify(transaction, [_news(NotificationKind.PASSKEY_ADDED, record)], now)
    await tell_subscribers(resources.fanout, told)
    return record


def _news(kind: NotificationKind, record: PasskeyRecord) -> NewNotification:
    return NewNotification(
        user_id=record.user_id,
        kind=kind,
        cause=f"{kind.value.lower()}:{record.id}",
        subject_id=record.id,
        detail=record.name,
    )


async def rename_passkey(
    viewer: Viewer, passkey_id: str, name: str, expected_version: int | None, *, resources: Resources
) -> PasskeyRecord:
    """Raises ValidationError, NotFoundError, for others' too, and StaleVersionError."""
    checks = Checks()
    check_line(checks, name, "name", longest=LONGEST_PASSKEY_NAME)
    checks.done()
    async with resources.database.transaction() as transaction:
        found = await lock_passkey(transaction, viewer.id, passkey_id)
        if found is None:
            raise NotFoundError("There is no such passkey.")
        expect_version("passkey", expected=expected_version, current=found.version)
        await transaction.execute(_RENAME, {"id": passkey_id, "name": name.strip()})
        renamed = await lock_passkey(transaction, viewer.id, passkey_id)
        assert renamed is not None  # its row is locked
    return renamed


async def remove_passkey(viewer: Viewer, passkey_id: str, password: str | None, *, resources: Resources) -> None:
    """Take a passkey away; the sessions that it opened end with it, but for the viewer's own.

    Raises ValidationError where the password is needed or wrong, RateLimitedError, and NotFoundError, for others' too.
    """
    await _check_fresh(viewer, password, resources)
    async with resources.database.transaction() as transaction:
        if await lock_passkey(transaction, viewer.id, passkey_id) is None:
            raise NotFoundError("There is no such passkey.")
        await transaction.execute(_REMOVE, {"id": passkey_id})
        opened_by_it = (col(SessionRow.user_id) == viewer.id) & (col(SessionRow.passkey_id) == passkey_id)
        ended = await end_sessions(
            transaction, opened_by_it & (col(SessionRow.id) != viewer.session_id), resources.now()
        )
    await resources.revoked_sessions.announce(ended)


async def _check_fresh(viewer: Viewer, password: str | None, resources: Resources) -> None:
    """Raises ValidationError of `currentPassword` unless it is right, or the viewer's sign-in is no older than ten minutes."""
    if password is not None:
        return await check_own_password(viewer, password, resources=resources)
    async with resources.database.transaction() as transaction:
        since = await transaction.scalar(_SIGNED_IN_AT, {"id": viewer.session_id, "user_id": viewer.id})
    if since is None or resources.now() - since > FRESH_SIGN_IN:
        raise ValidationError(("currentPassword", "is needed, for the sign-in is older than ten minutes"))
    return None


def _check_quota(known: list[PasskeyRecord]) -> None:
    if len(known) >= MOST_PASSKEYS:
        raise ConflictError(f"A person may have at most {MOST_PASSKEYS} passkeys: remove one first.")
