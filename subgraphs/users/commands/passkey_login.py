"""Signing in with a passkey: the browser finds out who it is, and nobody is told who exists.

A passkey is two factors at once, the device and what unlocks it, which is why no code is asked for beside it. Guessing is no
danger; attempts count by network address only, as wrong passwords do, so that nobody makes us verify without end.
"""

import structlog
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from subgraphs.shell.context import Resources
from subgraphs.shell.errors import Checks, NobodyReason, UnauthenticatedError
from subgraphs.users.commands.attempts import (
    SESSIONS,
    WRONG_FROM_ADDRESS,
    Pace,
    count_attempt,
    counted_address,
    take_back_attempt,
)
from subgraphs.users.commands.notification import notify, tell_subscribers
from subgraphs.users.commands.passkey import Ceremony
from subgraphs.users.commands.passkey_challenge import make_challenge, relying_party, take_challenge
from subgraphs.users.commands.session import SignIn, check_device, enter
from subgraphs.users.domain.account import check_email
from subgraphs.users.domain.notification import NewNotification, NotificationKind
from subgraphs.users.domain.passkey import (
    NotProvenError,
    is_copied,
    read_assertion,
    request_options,
    verify_assertion,
)
from subgraphs.users.queries.account import accounts_by_id
from subgraphs.users.queries.passkey import PasskeyRecord, lock_passkey, passkey_by_credential_id

_log = structlog.get_logger("users.passkey")

#: Challenges for one network address: a page may ask for one whenever it shows its form.
CHALLENGES_FOR_ADDRESS = Pace(free=200, longest_wait=60, forgiven_after=3)
_USED = text("UPDATE passkey SET sign_count = :sign_count, is_synced = :is_synced, last_used_at = :now WHERE id = :id")
_BLOCK = text("UPDATE passkey SET blocked_at = :now WHERE id = :id")
_SIGNED_IN = text("UPDATE account SET last_login_at = :now WHERE id = :id AND status = 'ACTIVE'")


async def begin_passkey_login(
    email: str | None = None, *, resources: Resources, address: str | None = None
) -> Ceremony:
    """Ask a browser for any passkey of this site. The `email` is the cell router's, and is looked up by nobody here.

    Raises ValidationError for what is no address, RateLimitedError, and ConflictError where the platform has no passkeys.
    """
    party = relying_party(resources.settings)
    checks = Checks()
    if email is not None:
        check_email(checks, email)
    checks.done()
    if (counted := counted_address(address)) is not None:
        await count_attempt(resources.redis, f"passkey challenge {counted}", CHALLENGES_FOR_ADDRESS)
    async with resources.database.transaction() as transaction:
        challenge = await make_challenge(transaction, None, resources)
    return Ceremony(challenge.id, request_options(party, challenge.challenge))


async def login_with_passkey(
    challenge_id: str, credential: str, *, resources: Resources, device: str | None = None, address: str | None = None
) -> SignIn:
    """Raises UnauthenticatedError, the same for every reason, RateLimitedError, and ConflictError where the platform has no passkeys."""
    party = relying_party(resources.settings)
    check_device(device)
    counted = counted_address(address)
    if counted is not None:
        await count_attempt(resources.redis, f"address {counted}", WRONG_FROM_ADDRESS)
    challenge = await take_challenge(challenge_id, None, resources)
    if challenge is None:
        raise _refused()
    try:
        assertion = read_assertion(credential)
        async with resources.database.transaction() as transaction:
            passkey = await passkey_by_credential_id(transaction, assertion.credential_id)
        if passkey is None or assertion.user_handle != passkey.user_id.encode():
            raise _refused()
        sign_count, is_synced = verify_assertion(party, challenge, assertion, passkey.credential)
    except NotProvenError as error:
        _log.info("passkey_refused", reason=str(error))
        raise _refused() from None
    await count_attempt(resources.redis, f"session {passkey.user_id}", SESSIONS)
    async with resources.database.transaction() as transaction:
        entered, told = await _enter(transaction, passkey, sign_count, is_synced, resources, device)
    await tell_subscribers(resources.fanout, told)
    if entered is None:
        raise _refused()
    if counted is not None:
        await take_back_attempt(resources.redis, f"address {counted}")
    return entered


async def _enter(
    transaction: AsyncConnection,
    shown: PasskeyRecord,
    sign_count: int,
    is_synced: bool,
    resources: Resources,
    device: str | None,
) -> tuple[SignIn | None, set[str]]:
    """A session, or None where the passkey or the account is closed meanwhile; and whom there is something to tell of."""
    now = resources.now()
    passkey = await lock_passkey(
        transaction, shown.user_id, shown.id
    )  # sign-ins of one passkey take turns, for its counter
    if passkey is None or passkey.blocked_at is not None:
        return None, set()
    if is_copied(passkey.sign_count, sign_count):
        _log.warning("passkey_copied", passkey_id=passkey.id, kept=passkey.sign_count, shown=sign_count)
        await transaction.execute(_BLOCK, {"id": passkey.id, "now": now})
        news = NewNotification(
            user_id=passkey.user_id,
            kind=NotificationKind.PASSKEY_BLOCKED,
            cause=f"passkey_blocked:{passkey.id}",
            subject_id=passkey.id,
            detail=passkey.name,
        )
        return None, await notify(transaction, [news], now)
    if (await transaction.execute(_SIGNED_IN, {"id": passkey.user_id, "now": now})).rowcount == 0:
        return None, set()
    used = {"id": passkey.id, "sign_count": sign_count, "is_synced": is_synced, "now": now}
    await transaction.execute(_USED, used)
    account = (await accounts_by_id(transaction, [passkey.user_id]))[passkey.user_id]
    return await enter(transaction, account, resources, device, passkey_id=passkey.id)


def _refused() -> UnauthenticatedError:
    return UnauthenticatedError("The passkey does not hold.", NobodyReason.BAD_CREDENTIALS)
