"""Signing in and out, and the tokens: the only place that issues any.

An access token is short-lived and says all that subgraphs need. A refresh token is random, stored as a hash and good
for one use; whoever shows a used one has stolen it or was stolen from, so the session ends for both.
"""

import hashlib
import secrets
from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import insert, select, text, update
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlmodel import col

from events.envelope import new_id
from subgraphs.auth import AUDIENCE, ISSUER, Viewer
from subgraphs.context import Resources
from subgraphs.errors import Checks, NotFoundError, UnauthenticatedError, ValidationError
from subgraphs.users.commands.attempts import count_failure, forget_failures, refuse_too_many
from subgraphs.users.commands.password import hash_password, needs_rehash, verify_password
from subgraphs.users.domain.account import LONGEST_PASSWORD, check_password, email_key
from subgraphs.users.queries.account import (
    AccountRecord,
    Credentials,
    accounts_by_id,
    credentials_by_email,
    credentials_by_id,
)
from subgraphs.users.tables import AccountRow, RefreshTokenRow, SessionRow

_WRONG = "The e-mail address or the password is wrong."
_BAD_TOKEN = "The refresh token is not valid."  # noqa: S105 - a message


@dataclass(frozen=True, slots=True)
class SignIn:
    """A session's tokens; `expires_in` seconds for the access token."""

    access_token: str
    refresh_token: str
    expires_in: int
    account: AccountRecord


async def login(email: str, password: str, *, resources: Resources) -> SignIn:
    """Raises UnauthenticatedError, the same for every reason, and RateLimitedError after too many failures."""
    key = email_key(email)
    await refuse_too_many(resources.redis, key)
    async with resources.database.transaction() as transaction:
        credentials = await credentials_by_email(transaction, key)
    fits = await verify_password(credentials.password_hash if credentials else None, password[: LONGEST_PASSWORD + 1])
    if credentials is None or not fits or credentials.status != "ACTIVE":
        await count_failure(resources.redis, key)
        raise UnauthenticatedError(_WRONG)
    await forget_failures(resources.redis, key)
    new_hash = await hash_password(password) if needs_rehash(credentials.password_hash) else credentials.password_hash
    now = resources.now()
    async with resources.database.transaction() as transaction:
        entered = update(AccountRow).where(col(AccountRow.id) == credentials.user_id)
        await transaction.execute(entered.values(last_login_at=now, password_hash=new_hash))
        account = (await accounts_by_id(transaction, [credentials.user_id]))[credentials.user_id]
        return await open_session(transaction, account, resources)


async def open_session(transaction: AsyncConnection, account: AccountRecord, resources: Resources) -> SignIn:
    """A new session of an account that has shown who it is."""
    now, session_id = resources.now(), new_id()
    expires_at = now + timedelta(seconds=resources.settings.refresh_token_seconds)
    row = {"id": session_id, "user_id": account.id, "created_at": now, "expires_at": expires_at}
    await transaction.execute(insert(SessionRow).values(row))
    return await _issue(transaction, account, session_id, resources)


async def refresh(token: str, *, resources: Resources) -> SignIn:
    """New tokens for a refresh token, which ends with this. Raises UnauthenticatedError."""
    stolen_session: str | None = None
    async with resources.database.transaction() as transaction:
        found = (await transaction.execute(_TOKEN, {"hash": _hash(token)})).one_or_none()
        if found is None or found.revoked_at is not None or found.expires_at <= resources.now():
            raise UnauthenticatedError(_BAD_TOKEN)
        if found.used_at is None:
            account = (await accounts_by_id(transaction, [found.user_id]))[found.user_id]
            if account.status != "ACTIVE":
                raise UnauthenticatedError(_BAD_TOKEN)
            used = update(RefreshTokenRow).where(col(RefreshTokenRow.token_hash) == _hash(token))
            await transaction.execute(used.values(used_at=resources.now()))
            return await _issue(transaction, account, found.session_id, resources)
        stolen_session = found.session_id
    await _revoke([stolen_session], resources)
    raise UnauthenticatedError(_BAD_TOKEN)


# The row lock makes two uses at once one after the other, so that the second is seen as the reuse it is.
_TOKEN = text(
    "SELECT t.session_id, t.used_at, s.user_id, s.expires_at, s.revoked_at FROM refresh_token AS t"
    " JOIN session AS s ON s.id = t.session_id WHERE t.token_hash = :hash FOR UPDATE"
)


async def logout(viewer: Viewer, *, everywhere: bool, resources: Resources) -> None:
    """End the viewer's session, or all of the viewer's sessions."""
    if everywhere:
        await _revoke_all(viewer.id, resources)
    else:
        await _revoke([viewer.session_id], resources)


async def change_password(viewer: Viewer, current: str, new: str, *, resources: Resources) -> SignIn:
    """Change it, end every session and open a new one. Raises ValidationError, UnauthenticatedError."""
    checks = Checks()
    check_password(checks, new, "newPassword")
    checks.require(new != current, "newPassword", "must differ from the current password")
    checks.done()
    async with resources.database.transaction() as transaction:
        credentials = await _own_credentials(transaction, viewer)
    await refuse_too_many(resources.redis, viewer.id)
    if not await verify_password(credentials.password_hash, current):
        await count_failure(resources.redis, viewer.id)
        raise ValidationError(("currentPassword", "is wrong"))
    new_hash = await hash_password(new)
    await _revoke_all(viewer.id, resources)
    async with resources.database.transaction() as transaction:
        changed = update(AccountRow).where(col(AccountRow.id) == viewer.id)
        await transaction.execute(changed.values(password_hash=new_hash))
        account = (await accounts_by_id(transaction, [viewer.id]))[viewer.id]
        return await open_session(transaction, account, resources)


async def _own_credentials(transaction: AsyncConnection, viewer: Viewer) -> Credentials:
    credentials = await credentials_by_id(transaction, viewer.id)
    if credentials is None:
        raise NotFoundError("This account does not exist.")
    return credentials


async def _issue(transaction: AsyncConnection, account: AccountRecord, session_id: str, resources: Resources) -> SignIn:
    now, lifetime = resources.now(), resources.settings.access_token_seconds
    claims = {
        "sub": account.id,
        "name": account.display_name,
        "roles": account.roles,
        "scope": " ".join(["read", "write", *(["admin"] if "ADMIN" in account.roles else [])]),
        "zoneinfo": account.time_zone,
        "day_start": account.day_start_hour,
        "iss": ISSUER,
        "aud": AUDIENCE,
        "iat": int(now.timestamp()),
        "exp": int(now.timestamp()) + lifetime,
        "jti": new_id(),
        "sid": session_id,
        "use": "access",
    }
    refresh_token = secrets.token_urlsafe(32)
    row = {"token_hash": _hash(refresh_token), "session_id": session_id, "issued_at": now}
    await transaction.execute(insert(RefreshTokenRow).values(row))
    return SignIn(resources.key_ring.sign(claims), refresh_token, lifetime, account)


async def _revoke_all(user_id: str, resources: Resources) -> None:
    async with resources.database.transaction() as transaction:
        mine = select(col(SessionRow.id)).where(
            col(SessionRow.user_id) == user_id, col(SessionRow.revoked_at).is_(None)
        )
        session_ids = list((await transaction.execute(mine)).scalars())
    await _revoke(session_ids, resources)


async def _revoke(session_ids: list[str], resources: Resources) -> None:
    """End these sessions: no refresh from now on, and their access tokens are refused as soon as the news arrives."""
    async with resources.database.transaction() as transaction:
        ended = update(SessionRow).where(col(SessionRow.id).in_(session_ids), col(SessionRow.revoked_at).is_(None))
        await transaction.execute(ended.values(revoked_at=resources.now()))
    await resources.revoked_sessions.announce(session_ids)


def _hash(token: str) -> bytes:
    return hashlib.sha256(token.encode()).digest()
