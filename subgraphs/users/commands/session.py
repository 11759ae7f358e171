"""Signing in and out, and the tokens of a session.

An access token is short-lived and says all that subgraphs need. A refresh token is stored as a hash and good for one use;
whoever shows a used one has stolen it or was stolen from, so the session ends for both. Only within a moment, and as
long as nobody has used its successor, is it taken for an answer that was lost or another tab, and answered the same.
"""

import hashlib
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, insert, select, text, update
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlmodel import col

from events.envelope import new_id
from subgraphs.shell.auth import Viewer
from subgraphs.shell.context import Resources
from subgraphs.shell.errors import (
    Checks,
    ConflictError,
    NobodyReason,
    NotFoundError,
    UnauthenticatedError,
)
from subgraphs.shell.key_scope import OWN_ACCOUNT, READ, WRITE
from subgraphs.users.commands.access_token import sign_access_token
from subgraphs.users.commands.account import NewAccount, make_account
from subgraphs.users.commands.api_key import end_sessions_and_keys_of
from subgraphs.users.commands.attempts import (
    REGISTRATIONS_FROM_ADDRESS,
    SESSIONS,
    WRONG_FROM_ADDRESS,
    count_attempt,
    counted_address,
    forget_attempts,
    is_known,
    note_known,
    take_back_attempt,
)
from subgraphs.users.commands.cell import marked
from subgraphs.users.commands.consent import check_consents_of_registration
from subgraphs.users.commands.ended_session import end_sessions
from subgraphs.users.commands.mail import queue_mail, void_tokens
from subgraphs.users.commands.notification import notify, tell_subscribers
from subgraphs.users.commands.own_password import check_own_password
from subgraphs.users.commands.password import hash_password, needs_rehash, verify_password
from subgraphs.users.commands.second_factor import has_factor, use_code
from subgraphs.users.domain.account import (
    LONGEST_PASSWORD,
    SCOPE_OF_ROLE,
    Role,
    check_device_name,
    check_password,
    email_key,
    roles_at,
)
from subgraphs.users.domain.mail import MailKind
from subgraphs.users.domain.notification import NewNotification, NotificationKind
from subgraphs.users.queries.account import (
    AccountRecord,
    accounts_by_id,
    credentials_by_email,
    registration_by_key,
)
from subgraphs.users.tables import AccountRow, RefreshTokenRow, SessionRow

_WRONG = "The e-mail address or the password is wrong."
#: For how long after its use a refresh token brings the same successor again.
GRACE = timedelta(seconds=60)


@dataclass(frozen=True, slots=True)
class SignIn:
    """A session's tokens; `expires_in` seconds for the access token."""

    access_token: str
    refresh_token: str
    expires_in: int
    account: AccountRecord
    session_id: str


async def register(
    new: NewAccount, *, resources: Resources, device: str | None = None, address: str | None = None
) -> SignIn:
    """Make an account and sign in; the same request again signs in to the account that the first one made.

    Raises ValidationError, RateLimitedError for too many from one network `address`, and ConflictError for an e-mail
    address that is taken or a key that was used otherwise.
    """
    check_device(device)
    if (counted := counted_address(address)) is not None:
        await count_attempt(resources.redis, f"register {counted}", REGISTRATIONS_FROM_ADDRESS)
    check_consents_of_registration(new.consents, resources.settings)
    record = await make_account(new, database=resources.database, now=resources.now())
    if record is None:
        record = await _account_of_request(new, resources)
    async with resources.database.transaction() as transaction:
        return await open_session(transaction, record, resources, device)


async def _account_of_request(new: NewAccount, resources: Resources) -> AccountRecord:
    """The account that this very request made. Guessed passwords are counted as those of `login` are."""
    taken = ConflictError("An account with this e-mail address exists.", field="email")
    if new.request is None:
        raise taken
    async with resources.database.transaction() as transaction:
        made = await registration_by_key(transaction, new.request.key)
    if made is None:
        raise taken
    new.request.refuse_other_content(made.content)
    await count_attempt(resources.redis, made.credentials.user_id)
    if not await verify_password(made.credentials.password_hash, new.password):
        raise ConflictError("This idempotency key was used with other content.", field="idempotencyKey")
    await forget_attempts(resources.redis, made.credentials.user_id)
    if made.credentials.status != "ACTIVE":
        raise taken
    async with resources.database.transaction() as transaction:
        account = (await accounts_by_id(transaction, [made.credentials.user_id]))[made.credentials.user_id]
    if account.totp_confirmed_at is not None:  # a registration that is repeated that late is no way around the code
        raise taken
    return account


async def login(
    email: str,
    password: str,
    *,
    resources: Resources,
    code: str | None = None,
    device: str | None = None,
    viewer: Viewer | None = None,
    address: str | None = None,
) -> SignIn:
    """Raises UnauthenticatedError, the same for every reason, and RateLimitedError after too many attempts.

    An account under attack stays open to whoever is signed in to it already (a `viewer`), or has been lately from this
    network `address`: their attempts count apart. All others of one address count together too.
    """
    check_device(device)
    key = email_key(email)
    async with resources.database.transaction() as transaction:
        credentials = await credentials_by_email(transaction, key)
    is_owner = (
        viewer is not None
        and not viewer.is_limited  # a program with the person's key is no person
        and credentials is not None
        and viewer.id == credentials.user_id
    )
    counted = counted_address(address)
    subject = f"owner {key}" if is_owner else await _count_strangers(key, counted, resources)
    await count_attempt(resources.redis, subject)
    fits = await verify_password(credentials.password_hash if credentials else None, password[: LONGEST_PASSWORD + 1])
    if credentials is None or not fits or credentials.status != "ACTIVE":
        raise UnauthenticatedError(_WRONG, NobodyReason.BAD_CREDENTIALS)
    used_factor = await _ask_second_factor(credentials.user_id, code, resources)
    await forget_attempts(resources.redis, subject)
    if counted is not None:
        if subject == key:
            await take_back_attempt(resources.redis, f"address {counted}")
        await note_known(resources.redis, key, counted)
    await count_attempt(resources.redis, f"session {credentials.user_id}", SESSIONS)
    new_hash = await hash_password(password) if needs_rehash(credentials.password_hash) else credentials.password_hash
    now = resources.now()
    async with resources.database.transaction() as transaction:
        # Only while the password is still the one that was judged: it may have been changed, or the account suspended.
        entered = update(AccountRow).where(
            col(AccountRow.id) == credentials.user_id,
            col(AccountRow.password_hash) == credentials.password_hash,
            col(AccountRow.status) == "ACTIVE",
        )
        if (await transaction.execute(entered.values(last_login_at=now, password_hash=new_hash))).rowcount == 0:
            raise UnauthenticatedError(_WRONG, NobodyReason.BAD_CREDENTIALS)
        account = (await accounts_by_id(transaction, [credentials.user_id]))[credentials.user_id]
        entered_as, told = await enter(transaction, account, resources, device, used_factor=used_factor)
    await tell_subscribers(resources.fanout, told)
    return entered_as


async def enter(
    transaction: AsyncConnection,
    account: AccountRecord,
    resources: Resources,
    device: str | None,
    *,
    used_factor: bool = False,
    passkey_id: str | None = None,
) -> tuple[SignIn, set[str]]:
    """As `open_session`, and where none of the account's sessions was on such a device, its person is notified.

    Returns whom `tell_subscribers` is to tell of that after the commit, too.
    """
    is_new = not await transaction.scalar(_KNOWN_DEVICE, {"user_id": account.id, "device": device})
    entered = await open_session(
        transaction, account, resources, device, used_factor=used_factor, passkey_id=passkey_id
    )
    told = await _notify_of_sign_in(transaction, entered, device, resources.now()) if is_new else set()
    return entered, told


# Open and ended sessions are each asked by an index of their own.
_OF_DEVICE = "SELECT FROM session WHERE user_id = :user_id AND device_name IS NOT DISTINCT FROM CAST(:device AS text)"
_KNOWN_DEVICE = text(
    f"SELECT EXISTS ({_OF_DEVICE} AND revoked_at IS NULL) OR EXISTS ({_OF_DEVICE} AND revoked_at IS NOT NULL)"
)


async def _notify_of_sign_in(
    transaction: AsyncConnection, entered: "SignIn", device: str | None, now: datetime
) -> set[str]:
    news = NewNotification(
        user_id=entered.account.id,
        kind=NotificationKind.NEW_SIGN_IN,
        cause=f"session:{entered.session_id}",
        subject_id=entered.session_id,
        detail=device,
    )
    return await notify(transaction, [news], now)


async def _ask_second_factor(user_id: str, code: str | None, resources: Resources) -> bool:
    """Whether the account has a factor, whose code this is then. Raises UnauthenticatedError for a wrong code, which stays
    counted, and for none where one is needed.
    """
    async with resources.database.transaction() as transaction:
        if not await has_factor(transaction, user_id):
            return False
        if code is None:
            raise UnauthenticatedError("A code of the second factor is needed.", NobodyReason.SECOND_FACTOR)
        if not await use_code(transaction, user_id, code, resources):
            raise UnauthenticatedError("The code is wrong, or was used.", NobodyReason.SECOND_FACTOR)
    return True


async def _count_strangers(key: str, address: str | None, resources: Resources) -> str:
    """Count an attempt of somebody who shows no session by their address; returns what it counts as beside that."""
    if address is None:
        return key
    if await is_known(resources.redis, key, address):
        return f"known {key} {address}"
    await count_attempt(resources.redis, f"address {address}", WRONG_FROM_ADDRESS)
    return key


def check_device(name: str | None) -> None:
    """Raises ValidationError."""
    checks = Checks()
    check_device_name(checks, name)
    checks.done()


async def open_session(
    transaction: AsyncConnection,
    account: AccountRecord,
    resources: Resources,
    device: str | None = None,
    *,
    used_factor: bool = False,
    passkey_id: str | None = None,
) -> SignIn:
    """A new session of an account that has shown who it is, with a code of the second factor, a passkey or neither, on the
    device of this name.
    """
    now, session_id = resources.now(), new_id()
    expires_at = now + timedelta(seconds=resources.settings.refresh_token_seconds)
    row = {"id": session_id, "user_id": account.id, "device_name": device, "created_at": now, "expires_at": expires_at}
    shown = {"used_factor": used_factor, "passkey_id": passkey_id}
    await transaction.execute(insert(SessionRow).values(row | shown))
    refresh_token = marked(secrets.token_urlsafe(32), resources.settings.cell)
    await _keep_refresh_token(transaction, session_id, refresh_token, resources)
    return _sign_in(account, session_id, refresh_token, resources)


async def open_session_like(
    transaction: AsyncConnection, former_id: str, account: AccountRecord, resources: Resources
) -> SignIn:
    """A new session of the account in place of this one: on its device, with what its person has shown then."""
    former = select(col(SessionRow.device_name), col(SessionRow.used_factor), col(SessionRow.passkey_id))
    found = (await transaction.execute(former.where(col(SessionRow.id) == former_id))).one_or_none()
    device, used_factor, passkey_id = (None, False, None) if found is None else found
    return await open_session(transaction, account, resources, device, used_factor=used_factor, passkey_id=passkey_id)


async def refresh(token: str, *, resources: Resources) -> SignIn:
    """New tokens for a refresh token, which ends with this. Raises UnauthenticatedError."""
    successors = tuple(marked(each, resources.settings.cell) for each in resources.key_ring.successors(token))
    async with resources.database.transaction() as transaction:
        found = (await transaction.execute(_TOKEN, {"hash": _hash(token)})).one_or_none()
        if found is None:
            raise UnauthenticatedError("The refresh token is not valid.")
        if found.revoked_at is not None:
            raise UnauthenticatedError("The session has ended.", NobodyReason.SESSION_ENDED)
        if found.expires_at <= resources.now():
            raise UnauthenticatedError("The session has expired.", NobodyReason.EXPIRED)
        account = (await accounts_by_id(transaction, [found.user_id]))[found.user_id]
        if account.status != "ACTIVE":
            raise UnauthenticatedError("The session has ended.", NobodyReason.SESSION_ENDED)
        if found.used_at is None:
            used = update(RefreshTokenRow).where(col(RefreshTokenRow.token_hash) == _hash(token))
            await transaction.execute(used.values(used_at=resources.now()))
            await _keep_refresh_token(transaction, found.session_id, successors[0], resources)
            renewed = update(SessionRow).where(col(SessionRow.id) == found.session_id)
            await transaction.execute(renewed.values(last_used_at=resources.now()))
            await transaction.execute(_FORGET_OLDEST, {"session_id": found.session_id, "most": MOST_REFRESH_TOKENS})
            return _sign_in(account, found.session_id, successors[0], resources)
        given = await _given_before(transaction, successors) if resources.now() - found.used_at <= GRACE else None
        if given is not None:
            return _sign_in(account, found.session_id, given, resources)
    await _revoke([found.session_id], resources)
    raise UnauthenticatedError("The refresh token was used before: its session has ended.", NobodyReason.REUSED)


async def _given_before(transaction: AsyncConnection, successors: tuple[str, ...]) -> str | None:
    """The one of a token's possible successors that was given, unless it has been used since."""
    token_hash = col(RefreshTokenRow.token_hash)
    unused = select(token_hash).where(
        token_hash.in_([_hash(each) for each in successors]), col(RefreshTokenRow.used_at).is_(None)
    )
    hashes = set((await transaction.execute(unused)).scalars())
    return next((each for each in successors if _hash(each) in hashes), None)


# The row lock makes two uses at once one after the other, so that the second is seen as the reuse it is.
_TOKEN = text(
    "SELECT t.session_id, t.used_at, s.user_id, s.expires_at, s.revoked_at FROM refresh_token AS t"
    " JOIN session AS s ON s.id = t.session_id WHERE t.token_hash = :hash FOR UPDATE"
)


#: Of one session: one that is renewed as its access tokens end makes 2,880 in its 30 days.
MOST_REFRESH_TOKENS = 5_000
_FORGET_OLDEST = text(
    "DELETE FROM refresh_token WHERE token_hash IN (SELECT token_hash FROM refresh_token"
    " WHERE session_id = :session_id ORDER BY issued_at DESC OFFSET :most)"
)


async def logout(viewer: Viewer, *, everywhere: bool, resources: Resources) -> int:
    """End the viewer's session, or all of the viewer's sessions; returns how many."""
    if everywhere:
        return await _revoke_all(viewer.id, resources)
    await _revoke([viewer.session_id], resources)
    return 1


async def revoke_session(viewer: Viewer, session_id: str, *, resources: Resources) -> None:
    """End one of the viewer's sessions. Raises NotFoundError for one that is over, and for another person's."""
    which = (col(SessionRow.id) == session_id) & (col(SessionRow.user_id) == viewer.id)
    if await _end(which, resources) == 0:
        raise NotFoundError("There is no such session.")


async def change_password(viewer: Viewer, current: str, new: str, *, resources: Resources) -> SignIn:
    """Change it, end every session and open a new one. Raises ValidationError, UnauthenticatedError."""
    checks = Checks()
    check_password(checks, new, "newPassword")
    checks.require(new != current, "newPassword", "must differ from the current password")
    checks.done()
    await check_own_password(viewer, current, resources=resources)
    new_hash = await hash_password(new)
    async with resources.database.transaction() as transaction:
        ended = await replace_password(transaction, viewer.id, new_hash, resources.now())
        account = (await accounts_by_id(transaction, [viewer.id]))[viewer.id]
        entered = await open_session_like(transaction, viewer.session_id, account, resources)
    await resources.revoked_sessions.announce(ended)
    await tell_subscribers(resources.fanout, [viewer.id])
    return entered


async def replace_password(transaction: AsyncConnection, user_id: str, new_hash: str, now: datetime) -> Sequence[str]:
    """Store another password; sessions, API keys and mailed tokens end with the one before, and the person is told.

    Returns the ids of the sessions and keys, to be announced once the transaction is committed.
    """
    changed = update(AccountRow).where(col(AccountRow.id) == user_id).values(password_hash=new_hash)
    email = await transaction.scalar(changed.returning(col(AccountRow.email)))
    await void_tokens(transaction, user_id)
    await queue_mail(transaction, MailKind.PASSWORD_CHANGED, str(email), now, user_id=user_id)
    kind = NotificationKind.PASSWORD_CHANGED
    await notify(transaction, [NewNotification(user_id=user_id, kind=kind, cause=f"password:{new_id()}")], now)
    return await end_sessions_and_keys_of(transaction, user_id, now)


async def _keep_refresh_token(
    transaction: AsyncConnection, session_id: str, refresh_token: str, resources: Resources
) -> None:
    row = {"token_hash": _hash(refresh_token), "session_id": session_id, "issued_at": resources.now()}
    await transaction.execute(insert(RefreshTokenRow).values(row))


def _sign_in(account: AccountRecord, session_id: str, refresh_token: str, resources: Resources) -> SignIn:
    """No token outlives a role that ends: the next `refresh` says what holds then. Whoever has withdrawn the consent to health
    data reads everything and changes nothing but the account itself.
    """
    now, lifetime = resources.now(), resources.settings.access_token_seconds
    roles = roles_at(account.roles, account.premium_until, now)
    if Role.PREMIUM in roles and account.premium_until is not None:
        lifetime = max(1, min(lifetime, int((account.premium_until - now).total_seconds())))
    if account.erase_at is None:
        scopes = [READ, WRITE, *(SCOPE_OF_ROLE[role] for role in roles if role in SCOPE_OF_ROLE)]
    else:
        scopes = [READ, OWN_ACCOUNT]
    token = sign_access_token(account, session_id, scopes=scopes, roles=roles, lifetime=lifetime, resources=resources)
    return SignIn(token, refresh_token, lifetime, account, session_id)


async def _revoke_all(user_id: str, resources: Resources) -> int:
    return await _end(col(SessionRow.user_id) == user_id, resources)


async def _revoke(session_ids: list[str], resources: Resources) -> None:
    await _end(col(SessionRow.id).in_(session_ids), resources)


async def _end(which: ColumnElement[bool], resources: Resources) -> int:
    """End sessions; returns how many.

    No refresh from now on; their access tokens are refused here at once, elsewhere as soon as the news arrives.
    """
    async with resources.database.transaction() as transaction:
        ended = await end_sessions(transaction, which, resources.now())
    await resources.revoked_sessions.announce(ended)
    return len(ended)


def _hash(token: str) -> bytes:
    return hashlib.sha256(token.encode()).digest()
