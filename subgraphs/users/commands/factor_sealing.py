"""Secrets of authenticator apps stand sealed, under a key that the database does not have, each for its own account.

Those of before there was a key, and those that a former key has sealed, are sealed anew a while after a process has started.
"""

import asyncio
from math import inf

import structlog
from prometheus_client import Counter
from sqlalchemy import text

from subgraphs.shell.context import Resources
from subgraphs.shell.errors import ConflictError
from subgraphs.shell.sealing import SealingKeys
from subgraphs.shell.settings import Settings
from subgraphs.users.domain.one_time_password import SECRET_BYTES

_log = structlog.get_logger("users.second_factor")
UNREADABLE = Counter(
    "second_factor_unreadable_total", "Times that no key here opened the secret of an authenticator app"
)
#: Processes of the release, or with the keys, of before have ended by then: they cannot open what is sealed anew.
REST_SECONDS = 600.0
AT_ONCE = 100

# In the order of the key, so that all portions together are one walk through the table.
_OTHERS = text(
    "SELECT id, totp_secret FROM account WHERE id > :after AND totp_secret IS NOT NULL AND (octet_length(totp_secret) = :plain"
    " OR substr(totp_secret, 1, 4) <> CAST(:key_id AS bytea)) ORDER BY id LIMIT :most"
)
# Only what is still as it was read: its owner may have begun anew.
_SEAL = text("UPDATE account SET totp_secret = :sealed WHERE id = :id AND totp_secret = :before")
_PLAIN = text("SELECT count(*) FROM account WHERE octet_length(totp_secret) = :plain")


def factor_keys(settings: Settings) -> SealingKeys:
    """Raises ConflictError where this platform has no key for second factors, and so takes no new ones."""
    if settings.second_factor_key is None:
        raise ConflictError("This platform takes no second factors.")
    return SealingKeys(settings.second_factor_key, settings.second_factor_previous_keys)


def opened_secret(settings: Settings, stored: bytes, user_id: str) -> bytes | None:
    """The secret of what stands in the row of this account; None, an error in the log and an alert if none of the keys here
    opens it.
    """
    if len(stored) == SECRET_BYTES:  # of before there was a key: whatever is sealed is longer
        return stored
    try:
        return factor_keys(settings).open(stored, user_id)
    except (ConflictError, ValueError) as failure:
        UNREADABLE.inc()
        _log.error("second_factor_unreadable", reason=str(failure))
        return None


async def seal_factors(resources: Resources) -> None:
    """Seal with the newest key what stands otherwise, ten minutes after the start; without a key, say what stands unsealed."""
    loop = resources.loops.add("second-factors", patience_seconds=inf)  # it rests at first

    async def once() -> None:
        if resources.settings.second_factor_key is None:
            await _warn(resources)
            return
        await asyncio.sleep(REST_SECONDS)
        if sealed := await seal_factors_anew(resources):
            _log.info("second_factors_sealed", count=sealed)

    await loop.run_once(once)


async def seal_factors_anew(resources: Resources) -> int:
    """Seal with the newest key what stands unsealed or under another key; returns how many those were.

    What no key here opens stays as it is, and is an error in the log.
    """
    keys = factor_keys(resources.settings)
    wanted = {"plain": SECRET_BYTES, "key_id": keys.current_id, "most": AT_ONCE}
    sealed, after = 0, ""
    while True:
        async with resources.database.transaction() as transaction:
            rows = (await transaction.execute(_OTHERS, {"after": after, **wanted})).all()
            if not rows:
                return sealed
            for row in rows:
                secret = opened_secret(resources.settings, row.totp_secret, row.id)
                if secret is not None:
                    anew = {"id": row.id, "sealed": keys.seal(secret, row.id), "before": row.totp_secret}
                    sealed += int((await transaction.execute(_SEAL, anew)).rowcount)
            after = rows[-1].id


async def _warn(resources: Resources) -> None:
    async with resources.database.transaction() as transaction:
        unsealed = int(await transaction.scalar(_PLAIN, {"plain": SECRET_BYTES}) or 0)
    _log.warning("second_factor_key_missing", unsealed=unsealed, hint="`fittracker secrets` makes SECOND_FACTOR_KEY")
