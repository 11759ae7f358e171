"""Achievements as they are read: those that the facts bear now, the newest first."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from functools import cache

from sqlalchemy import TextClause, text

from subgraphs.shell.keyset import Page, PageShape, SortOrder
from subgraphs.shell.person_lists import count_of_each, page_of_each
from subgraphs.shell.read_pool import Reader


@dataclass(frozen=True, slots=True)
class AchievementRecord:
    """`reached_on` is the facts' word and may move with them; `unlocked_at` is when it was first known, and stays."""

    user_id: str
    kind: str
    reached_on: date
    unlocked_at: datetime


_ORDER = SortOrder(("reached_on", "kind"), descending=True)
_COUNTS = text(
    "SELECT user_id, count(*) FROM achievement WHERE user_id = ANY(:user_ids) AND reached_on IS NOT NULL GROUP BY user_id"
)
_UNLOCKED_SINCE = text(
    "SELECT user_id, kind, reached_on, unlocked_at FROM achievement WHERE user_id = :user_id AND unlocked_at >= :since"
    " AND reached_on IS NOT NULL ORDER BY unlocked_at, reached_on, kind"
)


@cache
def _pages(shape: PageShape) -> TextClause:
    return text(
        "SELECT found.* FROM unnest(CAST(:user_ids AS text[])) AS person (id) CROSS JOIN LATERAL ("  # noqa: S608
        " SELECT user_id, kind, reached_on, unlocked_at FROM achievement WHERE user_id = person.id"
        f" AND reached_on IS NOT NULL AND {_ORDER.beyond(shape)} ORDER BY {_ORDER.order_by(shape)} LIMIT :limit) AS found"
    )


async def achievements_by_user(
    connection: Reader, user_ids: Sequence[str], page: Page
) -> dict[str, list[AchievementRecord]]:
    """The same page for several people in one statement: nearest to the page's cursor first, up to its limit each."""
    return await page_of_each(connection, _pages(page.shape), user_ids, page, AchievementRecord, owner=0)


async def achievement_counts(connection: Reader, user_ids: Sequence[str]) -> dict[str, int]:
    """How many each person has."""
    return await count_of_each(connection, _COUNTS, user_ids)


async def unlocked_since(connection: Reader, user_id: str, since: datetime) -> list[AchievementRecord]:
    """What was first known from an instant on and the facts bear now, the oldest first."""
    rows = await connection.execute(_UNLOCKED_SINCE, {"user_id": user_id, "since": since})
    return [AchievementRecord(*row) for row in rows]
