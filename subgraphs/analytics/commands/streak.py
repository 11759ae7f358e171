"""The days on which a person's streaks rest: set as a whole, so that they are never half changed."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from subgraphs.analytics.domain.streak_protection import ProtectedSpan, Protection, check_spans
from subgraphs.analytics.queries.person import clock_of
from subgraphs.analytics.queries.streak import protections
from subgraphs.shell.auth import Viewer
from subgraphs.shell.database import Database, take_turns
from subgraphs.shell.errors import Checks, expect_version

_KEEP = text(
    "INSERT INTO streak_protection (user_id, firsts, lasts, reasons, version)"
    " VALUES (:user_id, CAST(:firsts AS date[]), CAST(:lasts AS date[]), CAST(:reasons AS text[]), 1)"
    " ON CONFLICT (user_id) DO UPDATE SET firsts = excluded.firsts, lasts = excluded.lasts, reasons = excluded.reasons,"
    " version = streak_protection.version + 1"
)


async def set_streak_protection(
    viewer: Viewer,
    spans: Sequence[ProtectedSpan],
    *,
    expected_version: int | None,
    database: Database,
    now: datetime,
) -> Protection:
    """Have these in place of those before; what they are already changes nothing. Raises ValidationError, StaleVersionError."""
    async with database.transaction() as transaction:
        await take_turns(transaction, "streak_protection", viewer.id)
        checks = Checks()
        check_spans(checks, spans, (await clock_of(transaction, viewer)).today(now))
        checks.done()
        before = await _protection_of(transaction, viewer.id)
        ordered = sorted(spans)
        if tuple(ordered) == before.spans:
            return before
        expect_version("streak protection", expected=expected_version, current=before.version)
        row = {
            "user_id": viewer.id,
            "firsts": [span.first for span in ordered],
            "lasts": [span.last for span in ordered],
            "reasons": [span.reason.value for span in ordered],
        }
        await transaction.execute(_KEEP, row)
        return await _protection_of(transaction, viewer.id)


async def _protection_of(transaction: AsyncConnection, user_id: str) -> Protection:
    return (await protections(transaction, [user_id])).get(user_id, Protection())
