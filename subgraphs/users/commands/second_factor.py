"""The second factor: an authenticator app is enrolled, proven, asked for at sign-in, and taken away again.

The app's secret has to be known to check a code, so it stands in the database, sealed; recovery codes stand as hashes.
"""

import hashlib
import secrets
from dataclasses import dataclass

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from subgraphs.shell.auth import Viewer
from subgraphs.shell.context import Resources
from subgraphs.shell.errors import ConflictError, NotFoundError, ValidationError
from subgraphs.users.commands.attempts import count_attempt, forget_attempts
from subgraphs.users.commands.factor_sealing import factor_keys, opened_secret
from subgraphs.users.commands.own_password import check_own_password
from subgraphs.users.domain.one_time_password import SECRET_BYTES, enrolment_uri, matching_step, shown_secret

ISSUER = "FitTracker Pro"
RECOVERY_CODES = 10

_ENROL = text("UPDATE account SET totp_secret = :secret, totp_last_step = NULL WHERE id = :id RETURNING email")
_FACTOR = text("SELECT totp_secret, totp_confirmed_at, totp_last_step FROM account WHERE id = :id FOR UPDATE")
_CONFIRM = text("UPDATE account SET totp_confirmed_at = :now, totp_last_step = :step WHERE id = :id")
_USED = text("UPDATE account SET totp_last_step = :step WHERE id = :id")
_REMOVE = text("UPDATE account SET totp_secret = NULL, totp_confirmed_at = NULL, totp_last_step = NULL WHERE id = :id")
_ADD_CODE = text("INSERT INTO recovery_code (user_id, code_hash) VALUES (:id, :hash)")
_USE_CODE = text("DELETE FROM recovery_code WHERE user_id = :id AND code_hash = :hash RETURNING 1")
_FORGET_CODES = text("DELETE FROM recovery_code WHERE user_id = :id")


@dataclass(frozen=True, slots=True)
class Enrolment:
    """What an authenticator app is told: by hand, or by a QR code."""

    secret: str
    uri: str


async def begin_enrolment(viewer: Viewer, password: str, *, resources: Resources) -> Enrolment:
    """A secret for an app; it holds once a code of it was shown.

    Raises ValidationError, and ConflictError if there is a factor, or no key that seals it.
    """
    keys = factor_keys(resources.settings)
    await check_own_password(viewer, password, resources=resources)
    secret = secrets.token_bytes(SECRET_BYTES)
    async with resources.database.transaction() as transaction:
        factor = (await transaction.execute(_FACTOR, {"id": viewer.id})).one_or_none()
        if factor is not None and factor.totp_confirmed_at is not None:
            raise ConflictError("There is a second factor already: remove it first.")
        email = await transaction.scalar(_ENROL, {"id": viewer.id, "secret": keys.seal(secret, viewer.id)})
    return Enrolment(shown_secret(secret), enrolment_uri(secret, ISSUER, str(email)))


async def confirm_enrolment(viewer: Viewer, code: str, *, resources: Resources) -> list[str]:
    """Ask for codes from now on; returns the recovery codes, which nobody can read again. Raises ValidationError."""
    await count_attempt(resources.redis, f"enrol {viewer.id}")
    now = resources.now()
    async with resources.database.transaction() as transaction:
        factor = (await transaction.execute(_FACTOR, {"id": viewer.id})).one_or_none()
        if factor is None or factor.totp_secret is None or factor.totp_confirmed_at is not None:
            raise ConflictError("There is nothing to confirm: begin anew.")
        secret = opened_secret(resources.settings, factor.totp_secret, viewer.id)
        step = None if secret is None else matching_step(secret, code, now.timestamp(), None)
        if step is None:
            raise ValidationError(("code", "is wrong"))
        await transaction.execute(_CONFIRM, {"id": viewer.id, "now": now, "step": step})
        codes = [secrets.token_hex(8) for _ in range(RECOVERY_CODES)]
        await transaction.execute(_FORGET_CODES, {"id": viewer.id})
        await transaction.execute(_ADD_CODE, [{"id": viewer.id, "hash": _hash(each)} for each in codes])
    await forget_attempts(resources.redis, f"enrol {viewer.id}")
    return codes


async def remove_factor(viewer: Viewer, password: str, code: str, *, resources: Resources) -> None:
    """Ask for no codes any more. Raises ValidationError, and NotFoundError where there is no factor."""
    await check_own_password(viewer, password, resources=resources)
    await count_attempt(resources.redis, f"remove factor {viewer.id}")
    async with resources.database.transaction() as transaction:
        if not await has_factor(transaction, viewer.id):
            raise NotFoundError("There is no second factor.")
        if not await use_code(transaction, viewer.id, code, resources):
            raise ValidationError(("code", "is wrong"))
        await transaction.execute(_REMOVE, {"id": viewer.id})
        await transaction.execute(_FORGET_CODES, {"id": viewer.id})
    await forget_attempts(resources.redis, f"remove factor {viewer.id}")


async def has_factor(transaction: AsyncConnection, user_id: str) -> bool:
    factor = (await transaction.execute(_FACTOR, {"id": user_id})).one_or_none()
    return factor is not None and factor.totp_confirmed_at is not None


async def use_code(transaction: AsyncConnection, user_id: str, code: str, resources: Resources) -> bool:
    """Whether it is the app's code of now, or a recovery code; either holds once. The account's row is locked for it."""
    factor = (await transaction.execute(_FACTOR, {"id": user_id})).one_or_none()
    if factor is None or factor.totp_secret is None:
        return False
    given = "".join(code.split()).casefold()
    secret = opened_secret(resources.settings, factor.totp_secret, user_id)
    now = resources.now().timestamp()
    step = None if secret is None else matching_step(secret, given, now, factor.totp_last_step)
    if step is not None:
        await transaction.execute(_USED, {"id": user_id, "step": step})
        return True
    used = await transaction.execute(_USE_CODE, {"id": user_id, "hash": _hash(given)})
    return used.one_or_none() is not None


def _hash(code: str) -> bytes:
    """64 random bits need no slow hash."""
    return hashlib.sha256(code.encode()).digest()
