"""Proving an address by mail, taking another one, and choosing a new password with nothing but the mailbox."""

from datetime import datetime

from sqlalchemy import text
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection

from events.contracts.users import ProfileChanged
from events.envelope import new_id
from events.outbox import append_event
from subgraphs.shell.auth import Viewer
from subgraphs.shell.context import Resources
from subgraphs.shell.errors import Checks, NotFoundError, ValidationError
from subgraphs.users.commands.account_event import account_event
from subgraphs.users.commands.attempts import (
    REGISTRATIONS_FROM_ADDRESS,
    count_attempt,
    counted_address,
    forget_attempts,
)
from subgraphs.users.commands.mail import (
    MailedToken,
    check_token,
    queue_mail,
    take_token,
    unusable,
    void_tokens,
)
from subgraphs.users.commands.notification import notify, tell_subscribers
from subgraphs.users.commands.own_password import check_own_password
from subgraphs.users.commands.password import hash_password
from subgraphs.users.commands.session import replace_password
from subgraphs.users.domain.account import check_email, check_password, email_key
from subgraphs.users.domain.mail import MailKind
from subgraphs.users.domain.notification import NewNotification, NotificationKind
from subgraphs.users.queries.account import AccountRecord, accounts_by_id, lock_account

_VERIFIED = text("UPDATE account SET email_verified_at = COALESCE(email_verified_at, :now) WHERE id = :id")
_REMOVE_PASSKEYS = text("DELETE FROM passkey WHERE user_id = :id")
_MOVED = text(
    "UPDATE account SET email = :email, email_key = :email_key, email_verified_at = :now, version = version + 1"
    " WHERE id = :id"
)


async def request_verification(
    viewer: Viewer, email: str, current_password: str | None, *, resources: Resources
) -> None:
    """Have a mail sent that proves the viewer's address, or a new one, for which the password is asked.

    Raises ValidationError, NotFoundError, RateLimitedError.
    """
    checks = Checks()
    check_email(checks, email)
    checks.done()
    async with resources.database.transaction() as transaction:
        account = (await accounts_by_id(transaction, [viewer.id])).get(viewer.id)
    if account is None:
        raise NotFoundError("This account does not exist.")
    kind = MailKind.VERIFY_EMAIL
    if email_key(email) != email_key(account.email):
        kind = MailKind.CHANGE_EMAIL
        if current_password is None:
            raise ValidationError(("currentPassword", "is needed for another address"))
        await check_own_password(viewer, current_password, resources=resources)
    async with resources.database.transaction() as transaction:
        await queue_mail(transaction, kind, email.strip(), resources.now(), user_id=viewer.id)


async def verify_email(token: str, *, resources: Resources) -> str:
    """Take an address as proven, and where it is a new one, as the account's; returns the account's id.

    Raises ValidationError for a token that does not hold, or whose address another account took meanwhile.
    """
    now = resources.now()
    try:
        async with resources.database.transaction() as transaction:
            proof = await take_token(transaction, token, now, MailKind.VERIFY_EMAIL, MailKind.CHANGE_EMAIL)
            account = await lock_account(transaction, proof.user_id or "")
            if account is None or account.status != "ACTIVE":
                raise unusable()
            if proof.purpose == MailKind.CHANGE_EMAIL:
                await _move(transaction, account, proof, now)
            elif email_key(account.email) == proof.email_key:
                await transaction.execute(_VERIFIED, {"id": account.id, "now": now})
            else:
                raise unusable()
    except IntegrityError:
        raise unusable() from None
    await tell_subscribers(resources.fanout, [account.id])
    return account.id


async def _move(transaction: AsyncConnection, account: AccountRecord, proof: MailedToken, now: datetime) -> None:
    """Raises IntegrityError where another account has the address."""
    moved = {"id": account.id, "email": proof.email, "email_key": proof.email_key, "now": now}
    await transaction.execute(_MOVED, moved)
    await void_tokens(transaction, account.id)
    written = (await accounts_by_id(transaction, [account.id]))[account.id]
    await append_event(transaction, account_event(ProfileChanged, written, now))
    await queue_mail(transaction, MailKind.EMAIL_CHANGED, account.email, now, user_id=account.id)
    kind = NotificationKind.EMAIL_CHANGED
    await notify(transaction, [NewNotification(user_id=account.id, kind=kind, cause=f"email:{new_id()}")], now)


async def request_password_reset(email: str, *, resources: Resources, address: str | None = None) -> None:
    """Have a mail sent to the address of an account, if there is one; whoever asks learns nothing of it.

    Raises ValidationError for what is no address, and RateLimitedError for too many of one e-mail or network `address`.
    """
    checks = Checks()
    check_email(checks, email)
    checks.done()
    if (counted := counted_address(address)) is not None:
        await count_attempt(resources.redis, f"reset from {counted}", REGISTRATIONS_FROM_ADDRESS)
    await count_attempt(resources.redis, f"reset {email_key(email)}")
    async with resources.database.transaction() as transaction:
        await queue_mail(transaction, MailKind.RESET_PASSWORD, email.strip(), resources.now())


async def reset_password(token: str, new_password: str, *, resources: Resources) -> int:
    """Store another password for whoever reads the account's mail; returns how many sessions ended with it.

    Passkeys go with the old password, for whoever got in may have left one behind.
    Raises ValidationError for a token that does not hold or a password that is too weak; the token is kept then.
    """
    checks = Checks()
    check_password(checks, new_password, "newPassword")
    checks.done()
    now = resources.now()
    async with resources.database.transaction() as transaction:
        await check_token(transaction, token, now, MailKind.RESET_PASSWORD)
    new_hash = await hash_password(new_password)
    async with resources.database.transaction() as transaction:
        proof = await take_token(transaction, token, now, MailKind.RESET_PASSWORD)
        account = await lock_account(transaction, proof.user_id or "")
        if account is None or account.status != "ACTIVE" or email_key(account.email) != proof.email_key:
            raise unusable()
        await transaction.execute(_VERIFIED, {"id": account.id, "now": now})
        ended = await replace_password(transaction, account.id, new_hash, now)
        await transaction.execute(_REMOVE_PASSKEYS, {"id": account.id})
    await resources.revoked_sessions.announce(ended)
    await tell_subscribers(resources.fanout, [account.id])
    await forget_attempts(resources.redis, proof.email_key)
    await forget_attempts(resources.redis, account.id)
    return len(ended)
