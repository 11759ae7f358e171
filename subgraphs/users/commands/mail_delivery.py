"""The loop that sends mails: decides whom each goes to, makes its token, and tries again later what did not leave.

One is sent once its row is locked, and the row deleted after it left: a process that dies in between sends it again, and
the token of the first holds no more than if it had been lost.
"""

import secrets
from datetime import datetime, timedelta
from functools import partial
from typing import Any

import structlog
from prometheus_client import Counter
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from subgraphs.shell.context import Resources
from subgraphs.users.commands.cell import marked
from subgraphs.users.commands.due import Queue, is_due
from subgraphs.users.commands.mail import token_hash
from subgraphs.users.commands.mail_transport import Transport, UnwritableMailError, transport_of
from subgraphs.users.commands.notification_preference import unsubscribe_token
from subgraphs.users.domain.account import email_key
from subgraphs.users.domain.mail import (
    MOST_TOKENS_AN_HOUR,
    TOKEN_LIFE,
    Letter,
    MailKind,
    letter,
    letter_of_notification,
)
from subgraphs.users.domain.notification import NotificationKind, wording
from subgraphs.users.domain.notification_preference import OF_SECURITY, NotificationChannel
from subgraphs.users.queries.account import AccountRecord, account_by_email, accounts_by_id
from subgraphs.users.queries.notification_preference import PreferenceRecord, preferences_by_user

_log = structlog.get_logger("users.mail")

LONGEST_PAUSE = timedelta(hours=1)
PATIENCE_SECONDS = 120.0

MAILS = Counter(
    "mails_total", "Mails that were due, by what became of them: sent, later, unwanted, unwritable", ["outcome"]
)

_NEXT = text(
    "SELECT id, kind, recipient, user_id, registration_id, notification_id, attempts FROM pending_mail WHERE due_at <= :now"
    " ORDER BY due_at, id LIMIT 1 FOR UPDATE SKIP LOCKED"
)
_SENT = text("DELETE FROM pending_mail WHERE id = :id")
_LATER = text("UPDATE pending_mail SET attempts = attempts + 1, due_at = :due_at WHERE id = :id")
_GIVEN = text(
    "SELECT count(*) FROM mailed_token WHERE email_key = :email_key AND purpose = :purpose AND created_at > :since"
)
_GIVE = text(
    "INSERT INTO mailed_token"
    " (token_hash, purpose, email, email_key, user_id, registration_id, created_at, expires_at)"
    " VALUES (:hash, :purpose, :email, :email_key, :user_id, :registration_id, :now, :expires_at)"
)


async def deliver_mail(resources: Resources) -> None:
    """Send what is due, for ever; without a server or a folder for mails, nothing."""
    transport = transport_of(resources.settings)
    if transport is None:
        _log.warning("mail_waits", reason="neither SMTP_URL nor MAIL_SPOOL is set")
        return
    loop = resources.loops.add("mail", patience_seconds=PATIENCE_SECONDS)

    await loop.run(
        lambda: loop.work_off(partial(deliver_one, resources, transport), partial(is_due, resources, Queue.MAIL))
    )


async def deliver_one(resources: Resources, transport: Transport) -> bool:
    """Send the mail that is due first, put it off, or let go of what makes no mail; False where none is due."""
    now = resources.now()
    async with resources.database.transaction() as transaction:
        mail = (await transaction.execute(_NEXT, {"now": now})).one_or_none()
        if mail is None:
            return False
        try:
            async with transaction.begin_nested():
                written = await _write(transaction, mail, resources, now)
                if written is not None:
                    await transport(written)
                await transaction.execute(_SENT, {"id": mail.id})
            outcome = "unwanted" if written is None else "sent"
        except OSError as failure:  # smtplib's are; a recipient's address in it stays out of the log
            pause = min(timedelta(seconds=5 * 2 ** min(mail.attempts, 12)), LONGEST_PAUSE)
            _log.warning("mail_put_off", kind=mail.kind, attempts=mail.attempts + 1, reason=type(failure).__name__)
            await transaction.execute(_LATER, {"id": mail.id, "due_at": now + pause})
            outcome = "later"
        except UnwritableMailError as failure:  # tried again, it would stand before everybody else's for ever
            _log.error("mail_unwritable", kind=mail.kind, reason=str(failure))
            await transaction.execute(_SENT, {"id": mail.id})
            outcome = "unwritable"
    MAILS.labels(outcome).inc()
    return True


async def _write(transaction: AsyncConnection, mail: Any, resources: Resources, now: datetime) -> Letter | None:
    """The mail with its token; None where there is nobody to write to, or nothing to say any more."""
    kind, settings = MailKind(mail.kind), resources.settings
    if kind is MailKind.NOTIFICATION:
        return await _of_notification(transaction, mail.notification_id, resources)
    if kind not in TOKEN_LIFE:
        return await _without_token(transaction, kind, mail.recipient)
    account = await _account_of(transaction, mail, kind)
    recipient, purpose = mail.recipient, kind
    match kind:
        case MailKind.CONFIRM_REGISTRATION if account is not None:
            kind, purpose, recipient = MailKind.ALREADY_REGISTERED, MailKind.RESET_PASSWORD, account.email
        case MailKind.CHANGE_EMAIL if await account_by_email(transaction, email_key(recipient)) is not None:
            return None
        case MailKind.VERIFY_EMAIL if account is None or account.email_verified_at is not None:
            return None
        case MailKind.VERIFY_EMAIL | MailKind.RESET_PASSWORD if account is not None:
            recipient = account.email  # as it is now, and not as somebody typed it
    if purpose is not MailKind.CONFIRM_REGISTRATION and (account is None or account.status != "ACTIVE"):
        return None
    proof = {"email": recipient, "email_key": email_key(recipient), "purpose": purpose.value, "now": now}
    if int(await transaction.scalar(_GIVEN, proof | {"since": now - timedelta(hours=1)}) or 0) >= MOST_TOKENS_AN_HOUR:
        return None
    token = marked(secrets.token_urlsafe(32), settings.cell)
    whose = {"user_id": account.id if account else None, "registration_id": None if account else mail.registration_id}
    expires = {"hash": token_hash(token), "expires_at": now + TOKEN_LIFE[purpose]}
    await transaction.execute(_GIVE, proof | whose | expires)
    return letter(kind, recipient, token, settings.mail_link)


async def _without_token(transaction: AsyncConnection, kind: MailKind, recipient: str) -> Letter | None:
    """None for the invitation of somebody who is not to be invited by address."""
    if kind is MailKind.GRANT_INVITATION:
        invited = await account_by_email(transaction, email_key(recipient))
        if invited is not None and not invited.invitable_by_email:
            return None
    return letter(kind, recipient)


_NOTIFICATION = text(
    "SELECT notification.user_id, notification.kind, notification.detail, account.email FROM notification"
    " JOIN account ON account.id = notification.user_id LEFT JOIN consent ON consent.user_id = account.id"
    " AND consent.purpose = 'EMAILS' AND consent.is_current WHERE notification.id = :id AND notification.read_at IS NULL"
    " AND account.status = 'ACTIVE' AND account.email_verified_at IS NOT NULL"
    " AND (notification.kind = ANY(:of_security) OR (account.erase_at IS NULL AND consent.is_given IS NOT FALSE))"
)


async def _of_notification(transaction: AsyncConnection, notification_id: str, resources: Resources) -> Letter | None:
    """None for one that was read meanwhile, and where mails of its kind are wanted no more."""
    found = (
        await transaction.execute(_NOTIFICATION, {"id": notification_id, "of_security": sorted(OF_SECURITY)})
    ).one_or_none()
    if found is None:
        return None
    kind = NotificationKind(found.kind)
    chosen = (await preferences_by_user(transaction, [found.user_id])).get(found.user_id, PreferenceRecord())
    if not chosen.preferences.wants(kind, NotificationChannel.EMAIL):
        return None
    words, token = wording(kind, found.detail), unsubscribe_token(found.user_id, kind, resources)
    return letter_of_notification(found.email, words.title, words.body, token, resources.settings.mail_link)


async def _account_of(transaction: AsyncConnection, mail: Any, kind: MailKind) -> AccountRecord | None:
    """Whose mail it is: who asked while signed in, else who has the address."""
    if mail.user_id is not None:
        return (await accounts_by_id(transaction, [mail.user_id])).get(mail.user_id)
    if kind in (MailKind.RESET_PASSWORD, MailKind.CONFIRM_REGISTRATION):
        return await account_by_email(transaction, email_key(mail.recipient))
    return None
