"""API keys: making them, ending them, and the short-lived tokens that programs get for them.

A key is 256 random bits, so a fast hash of it is stored, and nobody can guess one: wrong keys are not counted. Its tokens have
its id for their session: so a key that ends is refused everywhere as an ended session is, by the same rows and events.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlmodel import col

from events.envelope import new_id
from subgraphs.shell.auth import Viewer
from subgraphs.shell.context import Resources
from subgraphs.shell.errors import ConflictError, NobodyReason, NotFoundError, UnauthenticatedError
from subgraphs.shell.key_scope import KEY, KeyScope
from subgraphs.users.commands.access_token import sign_access_token
from subgraphs.users.commands.attempts import Pace, count_attempt
from subgraphs.users.commands.cell import marked
from subgraphs.users.commands.ended_session import end_sessions, tell_ended
from subgraphs.users.commands.mail import queue_mail
from subgraphs.users.commands.own_password import check_own_password
from subgraphs.users.domain.api_key import HINT_CHARACTERS, MOST_KEYS, NewKey, is_well_formed, make_secret
from subgraphs.users.domain.mail import MailKind
from subgraphs.users.queries.account import accounts_by_id, lock_account
from subgraphs.users.queries.api_key import ApiKeyRecord, api_key_by_hash, api_keys_by_user
from subgraphs.users.tables import SessionRow

EXPIRED_DAYS = 30
#: Tokens of one key: a program that keeps its token asks for one in a quarter of an hour.
EXCHANGES = Pace(free=100, longest_wait=60, forgiven_after=10)

_MAKE = text(
    "INSERT INTO api_key (id, user_id, name, scopes, key_hash, hint, created_at, expires_at)"
    " VALUES (:id, :user_id, :name, :scopes, :key_hash, :hint, :now, :expires_at)"
)
_USED = text("UPDATE api_key SET last_used_on = :today WHERE id = :id AND last_used_on IS DISTINCT FROM :today")
_REVOKE = text("DELETE FROM api_key WHERE id = :id AND user_id = :user_id RETURNING id")
_REVOKE_ALL = text("DELETE FROM api_key WHERE user_id = :user_id RETURNING id")
_OLD = text(
    "DELETE FROM api_key WHERE id IN (SELECT id FROM api_key"
    " WHERE expires_at < now() - make_interval(days => :days) LIMIT :rows)"
)


@dataclass(frozen=True, slots=True)
class KeyToken:
    """An access token that may do what its key may; `expires_in` seconds."""

    access_token: str
    expires_in: int
    scopes: list[str]


async def create_api_key(
    viewer: Viewer, new: NewKey, password: str, *, resources: Resources
) -> tuple[ApiKeyRecord, str]:
    """Make a key; returns it, and the secret that nobody can read again. The person is told by mail.

    Raises ValidationError for a wrong password, RateLimitedError, and ConflictError while there are as many as there may be.
    """
    await check_own_password(viewer, password, resources=resources)
    now = resources.now()
    secret = marked(make_secret(), resources.settings.cell)
    record = ApiKeyRecord(
        id=new_id(),
        user_id=viewer.id,
        name=new.name,
        scopes=[scope.name for scope in new.scopes],
        hint=secret[-HINT_CHARACTERS:],
        created_at=now,
        expires_at=now + timedelta(days=new.days),
        last_used_on=None,
    )
    row = {"id": record.id, "user_id": viewer.id, "name": record.name, "scopes": record.scopes, "hint": record.hint}
    async with resources.database.transaction() as transaction:
        account = await lock_account(transaction, viewer.id)  # and calls of one person take turns, for the quota
        if account is None:
            raise NotFoundError("This account does not exist.")
        if len((await api_keys_by_user(transaction, [viewer.id])).get(viewer.id, ())) >= MOST_KEYS:
            raise ConflictError(f"A person may have at most {MOST_KEYS} API keys: revoke one first.")
        times = {"now": now, "expires_at": record.expires_at}
        await transaction.execute(_MAKE, {**row, "key_hash": _hash(secret), **times})
        await queue_mail(transaction, MailKind.API_KEY_CREATED, account.email, now, user_id=viewer.id)
    return record, secret


async def exchange_api_key(key: str, *, resources: Resources) -> KeyToken:
    """An access token for a key. Raises UnauthenticatedError, the same for every reason, and RateLimitedError."""
    now = resources.now()
    refused = UnauthenticatedError("The API key does not hold.", NobodyReason.BAD_CREDENTIALS)
    if not is_well_formed(key):
        raise refused
    async with resources.database.transaction() as transaction:
        record = await api_key_by_hash(transaction, _hash(key))
    if record is None or record.expires_at <= now:
        raise refused
    await count_attempt(resources.redis, f"key {record.id}", EXCHANGES)
    async with resources.database.transaction() as transaction:
        account = (await accounts_by_id(transaction, [record.user_id])).get(record.user_id)
        if account is None or account.status != "ACTIVE":
            raise refused
        await transaction.execute(_USED, {"id": record.id, "today": now.astimezone(UTC).date()})
    left = int((record.expires_at - now).total_seconds())
    lifetime = max(1, min(resources.settings.access_token_seconds, left))
    scopes = (KEY, *(KeyScope[name].value for name in record.scopes))
    token = sign_access_token(account, record.id, scopes=scopes, roles=(), lifetime=lifetime, resources=resources)
    return KeyToken(token, lifetime, record.scopes)


async def revoke_api_key(viewer: Viewer, key_id: str, *, resources: Resources) -> None:
    """End a key and its tokens. Raises NotFoundError where there is none of the viewer's."""
    async with resources.database.transaction() as transaction:
        ended = (await transaction.execute(_REVOKE, {"id": key_id, "user_id": viewer.id})).scalars().all()
        if not ended:
            raise NotFoundError("There is no such API key.")
        await tell_ended(transaction, dict.fromkeys(ended, viewer.id), resources.now())
    await resources.revoked_sessions.announce(ended)


async def end_keys_of(transaction: AsyncConnection, user_id: str, now: datetime) -> Sequence[str]:
    """End all keys of a person and their tokens; returns their ids, to be announced after the commit."""
    ended = (await transaction.execute(_REVOKE_ALL, {"user_id": user_id})).scalars().all()
    await tell_ended(transaction, dict.fromkeys(ended, user_id), now)
    return ended


async def end_sessions_and_keys_of(transaction: AsyncConnection, user_id: str, now: datetime) -> Sequence[str]:
    """End all sessions and keys of a person; returns the ids of both, to be announced after the commit."""
    ended = await end_sessions(transaction, col(SessionRow.user_id) == user_id, now)
    return [*ended, *await end_keys_of(transaction, user_id, now)]


async def forget_api_keys(connection: AsyncConnection, rows: int) -> int:
    """Delete keys a month after they expired; returns how many."""
    return int((await connection.execute(_OLD, {"rows": rows, "days": EXPIRED_DAYS})).rowcount)


def _hash(key: str) -> bytes:
    """256 random bits need no slow hash."""
    return hashlib.sha256(key.encode()).digest()
