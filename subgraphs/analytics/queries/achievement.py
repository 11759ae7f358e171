"""Achievements as they are read: those that the facts bear now, the newest first; and what is counted towards them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from functools import cache

from sqlalchemy import TextClause, text

from subgraphs.analytics.domain.achievement import (
    COMEBACK_DAYS,
    EARLY_BEFORE_HOUR,
    LATE_FROM_HOUR,
    TRAINING_MEASURES,
    Measure,
)
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


#: Of several people, :user_ids, their completed workouts, each with the day of the one before it.
SESSIONS = (
    "SELECT user_id, local_date, volume_kg, started_hour, records,"
    " lag(local_date) OVER (PARTITION BY user_id ORDER BY local_date) AS earlier"
    " FROM workout_fact WHERE user_id = ANY(:user_ids) AND status = 'COMPLETED'"
)
#: What a session adds to each measure. Of a day that is counted once, its first session does.
AMOUNTS: Mapping[Measure, str] = {
    Measure.WORKOUTS: "1",
    Measure.VOLUME_KG: "volume_kg",
    Measure.WEEKEND_WORKOUTS: "(extract(isodow FROM local_date) >= 6)::integer",
    Measure.EARLY_WORKOUTS: f"(started_hour < {EARLY_BEFORE_HOUR})::integer",
    Measure.LATE_WORKOUTS: f"(started_hour >= {LATE_FROM_HOUR})::integer",
    Measure.NEW_YEARS_DAYS: "(extract(doy FROM local_date) = 1 AND local_date IS DISTINCT FROM earlier)::integer",
    Measure.COMEBACKS: f"(local_date - earlier >= {COMEBACK_DAYS})::integer",
    Measure.RECORDS: "records",
}
_TOTALS = text(
    f"SELECT user_id, {', '.join(f'coalesce(sum({AMOUNTS[each]}), 0)' for each in TRAINING_MEASURES)}"  # noqa: S608 - our names
    f" FROM ({SESSIONS}) AS session GROUP BY user_id"
)
_GOALS_REACHED = text(
    "SELECT user_id, count(*) FROM goal WHERE user_id = ANY(:user_ids) AND reached_on IS NOT NULL GROUP BY user_id"
)


async def training_totals(connection: Reader, user_ids: Sequence[str]) -> dict[str, dict[Measure, Decimal]]:
    """What the completed workouts of each person who has one come to, by each of the measures of training."""
    rows = await connection.execute(_TOTALS, {"user_ids": list(user_ids)})
    return {user_id: dict(zip(TRAINING_MEASURES, map(Decimal, totals), strict=True)) for user_id, *totals in rows}


async def goals_reached(connection: Reader, user_ids: Sequence[str]) -> dict[str, int]:
    """How many weight goals each person has that the trend came to."""
    return await count_of_each(connection, _GOALS_REACHED, user_ids)
