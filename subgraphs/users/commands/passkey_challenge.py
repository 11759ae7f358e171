"""Challenges of passkeys: random bytes that a passkey is to sign, kept here until they are used, once, or are too old."""

import secrets
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from events.envelope import new_id
from subgraphs.shell.context import Resources
from subgraphs.shell.errors import ConflictError, RateLimitedError
from subgraphs.shell.settings import Settings
from subgraphs.users.commands.cell import marked
from subgraphs.users.domain.passkey import CHALLENGE_BYTES, CHALLENGE_LIFE, RelyingParty

#: Of people who are about to sign in. Whoever asks for more than that fills no table, and signs in with a password.
MOST_WAITING = 20_000

_KEEP = text(
    "INSERT INTO passkey_challenge (id, challenge, user_id, expires_at) VALUES (:id, :challenge, :user_id, :expires_at)"
)
_TAKE = text(
    "DELETE FROM passkey_challenge WHERE id = :id AND user_id IS NOT DISTINCT FROM CAST(:user_id AS text)"
    " RETURNING challenge, expires_at"
)
_REPLACE = text("DELETE FROM passkey_challenge WHERE user_id = :user_id")
_WAITING = text("SELECT count(*) FROM (SELECT FROM passkey_challenge WHERE user_id IS NULL LIMIT :most) AS waiting")
# Two for each that is made: the table follows the traffic of five minutes. Rows that another such statement deletes are passed over.
_FORGET_TWO = text(
    "DELETE FROM passkey_challenge WHERE id IN (SELECT id FROM passkey_challenge WHERE expires_at < :now"
    " ORDER BY expires_at LIMIT 2 FOR UPDATE SKIP LOCKED)"
)
_OLD = text(
    "DELETE FROM passkey_challenge WHERE id IN (SELECT id FROM passkey_challenge WHERE expires_at < now() LIMIT :rows)"
)


@dataclass(frozen=True, slots=True)
class Challenge:
    """What is to be signed; `id` names it, behind the cell's name where there are several cells."""

    id: str
    challenge: bytes


def relying_party(settings: Settings) -> RelyingParty:
    """Whose passkeys these are. Raises ConflictError where the platform has none."""
    if settings.passkey_rp_id is None:
        raise ConflictError("This platform has no passkeys.")
    return RelyingParty(settings.passkey_rp_id, settings.passkey_origins)


async def make_challenge(transaction: AsyncConnection, user_id: str | None, resources: Resources) -> Challenge:
    """A challenge for a person who adds a passkey, in place of an earlier one, or, for None, for whoever signs in.

    Raises RateLimitedError while too many of those wait.
    """
    now = resources.now()
    await transaction.execute(_FORGET_TWO, {"now": now})
    if user_id is not None:
        await transaction.execute(_REPLACE, {"user_id": user_id})
    elif int(await transaction.scalar(_WAITING, {"most": MOST_WAITING}) or 0) >= MOST_WAITING:
        raise RateLimitedError("Too many people sign in at this moment. Try again shortly.", retry_after_seconds=60)
    made = Challenge(marked(new_id(), resources.settings.cell), secrets.token_bytes(CHALLENGE_BYTES))
    row = {"id": made.id, "challenge": made.challenge, "user_id": user_id, "expires_at": now + CHALLENGE_LIFE}
    await transaction.execute(_KEEP, row)
    return made


async def take_challenge(challenge_id: str, user_id: str | None, resources: Resources) -> bytes | None:
    """What was to be signed, which is gone with this whatever comes of it; None where it was used, is too old, or is not this person's."""
    now: datetime = resources.now()
    async with resources.database.transaction() as transaction:
        found = (await transaction.execute(_TAKE, {"id": challenge_id, "user_id": user_id})).one_or_none()
    return None if found is None or found.expires_at <= now else bytes(found.challenge)


async def forget_challenges(connection: AsyncConnection, rows: int) -> int:
    """Delete challenges that are too old; returns how many."""
    return int((await connection.execute(_OLD, {"rows": rows})).rowcount)
