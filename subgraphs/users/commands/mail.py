"""Asking for mails, and taking the tokens back that they brought.

A mail is a row, written with the change that it belongs to; `mail_delivery` decides whom it goes to and makes its token. So
whoever asks waits as long, and is told the same, whether or not there is such an account. Tokens are stored as hashes; one
is deleted as it is used.
"""

import hashlib
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from events.envelope import new_id
from subgraphs.shell.errors import RateLimitedError, ValidationError
from subgraphs.users.domain.mail import MailKind

MOST_PENDING = 10_000
PENDING_DAYS = 2  # longer than any token would hold

_QUEUE = text(
    "INSERT INTO pending_mail (id, kind, recipient, user_id, registration_id, created_at, due_at, first_due_at)"
    " VALUES (:id, :kind, :recipient, :user_id, :registration_id, :now, :now, :now) ON CONFLICT DO NOTHING"
)
_PENDING = text("SELECT count(*) FROM (SELECT FROM pending_mail LIMIT :most) AS pending")
_TAKE = text(
    "DELETE FROM mailed_token WHERE token_hash = :hash AND purpose = ANY(:purposes) AND expires_at > :now"
    " RETURNING purpose, email, email_key, user_id, registration_id"
)
_HOLDS = text("SELECT 1 FROM mailed_token WHERE token_hash = :hash AND purpose = :purpose AND expires_at > :now")
_VOID = text("DELETE FROM mailed_token WHERE user_id = :user_id")


@dataclass(frozen=True, slots=True)
class MailedToken:
    """What a token proves: that whoever has it reads the mail of this address."""

    purpose: str
    email: str
    email_key: str
    user_id: str | None
    registration_id: str | None


async def queue_mail(
    transaction: AsyncConnection,
    kind: MailKind,
    recipient: str,
    now: datetime,
    *,
    user_id: str | None = None,
    registration_id: str | None = None,
) -> None:
    """Have a mail sent once this transaction is committed; the same one is not queued twice.

    Raises RateLimitedError while 10,000 wait.
    """
    if int(await transaction.scalar(_PENDING, {"most": MOST_PENDING}) or 0) >= MOST_PENDING:
        raise RateLimitedError("Too many mails wait to be sent. Try again later.", retry_after_seconds=60)
    row = {"id": new_id(), "kind": kind.value, "recipient": recipient, "now": now}
    await transaction.execute(_QUEUE, {**row, "user_id": user_id, "registration_id": registration_id})


async def take_token(transaction: AsyncConnection, token: str, now: datetime, *purposes: MailKind) -> MailedToken:
    """Use the token up, together with what this transaction does. Raises ValidationError unless it holds."""
    wanted = {"hash": token_hash(token), "purposes": [purpose.value for purpose in purposes], "now": now}
    row = (await transaction.execute(_TAKE, wanted)).one_or_none()
    if row is None:
        raise unusable()
    return MailedToken(*row)


async def check_token(transaction: AsyncConnection, token: str, now: datetime, purpose: MailKind) -> None:
    """Raises ValidationError unless the token holds, before anything costly is done for it."""
    wanted = {"hash": token_hash(token), "purpose": purpose.value, "now": now}
    if (await transaction.execute(_HOLDS, wanted)).one_or_none() is None:
        raise unusable()


async def void_tokens(transaction: AsyncConnection, user_id: str) -> None:
    """None of the account's tokens holds any more: it has another password or another address."""
    await transaction.execute(_VOID, {"user_id": user_id})


def unusable() -> ValidationError:
    """The same for what never was, was used, and is too old."""
    return ValidationError(("token", "does not hold: it was used, has expired, or never was one"))


def token_hash(token: str) -> bytes:
    return hashlib.sha256(token.encode()).digest()


async def forget_mail(connection: AsyncConnection, rows: int) -> int:
    """Delete what is of no use any more: expired tokens, and mails and registrations that are two days old."""
    deleted = 0
    for statement in _FORGET:
        result = await connection.execute(statement, {"rows": rows, "age": timedelta(days=PENDING_DAYS)})
        deleted += int(result.rowcount)
    return deleted


_FORGET = (
    text(
        "DELETE FROM mailed_token WHERE token_hash IN (SELECT token_hash FROM mailed_token"
        " WHERE expires_at < now() AND created_at < now() - CAST(:age AS interval) LIMIT :rows)"
    ),
    text(
        "DELETE FROM pending_mail WHERE id IN (SELECT id FROM pending_mail"
        " WHERE created_at < now() - CAST(:age AS interval) LIMIT :rows)"
    ),
    text(
        "DELETE FROM registration WHERE id IN (SELECT id FROM registration"
        " WHERE created_at < now() - CAST(:age AS interval) LIMIT :rows)"
    ),
)
