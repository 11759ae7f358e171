"""Weighings to the trend: from the first day that changed on, it is smoothed anew. Called by `summary.project`.

What is stored is what smoothing all weighings from the first would give, in whatever order they were told.
"""

from collections.abc import Collection
from datetime import date

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from subgraphs.analytics.domain.weight_trend import TrendPoint, weight_trend
from subgraphs.analytics.projections.facts import Day

_BEFORE = text(
    "SELECT local_date, weight_kg, trend_kg FROM weight_trend WHERE user_id = :user_id AND local_date < :day"
    " ORDER BY local_date DESC LIMIT 1"
)
_WEIGHINGS = text(
    "SELECT DISTINCT ON (local_date) local_date, weight_kg FROM weight_fact WHERE user_id = :user_id"
    " AND local_date >= :day ORDER BY local_date, recorded_at, entry_id"
)
_FORGET = text("DELETE FROM weight_trend WHERE user_id = :user_id AND local_date >= :day")
_KEEP = text(
    "INSERT INTO weight_trend (user_id, local_date, weight_kg, trend_kg) SELECT :user_id, *"
    " FROM unnest(CAST(:days AS date[]), CAST(:weights AS numeric[]), CAST(:trends AS numeric[]))"
)


async def refresh_trend(connection: AsyncConnection, weighed: Collection[Day]) -> None:
    """Smooth each person's weights anew from the earliest of these days on."""
    first_days: dict[str, date] = {}
    for user_id, day in weighed:
        first_days[user_id] = min(day, first_days.get(user_id, day))
    for user_id, day in sorted(first_days.items()):
        key = {"user_id": user_id, "day": day}
        before = (await connection.execute(_BEFORE, key)).one_or_none()
        weighings = [(row[0], row[1]) for row in await connection.execute(_WEIGHINGS, key)]
        points = weight_trend(weighings, None if before is None else TrendPoint(*before))
        await connection.execute(_FORGET, key)
        if points:
            await connection.execute(
                _KEEP,
                {
                    "user_id": user_id,
                    "days": [point.local_date for point in points],
                    "weights": [point.weight_kg for point in points],
                    "trends": [point.trend_kg for point in points],
                },
            )
