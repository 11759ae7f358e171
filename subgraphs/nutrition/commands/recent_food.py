"""What each person logged, how often and when last: a table kept in the transaction of every change of a meal.

Reading it from the diary would read all of a person's years for the ten foods that a page shows.
"""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

# In order of foods, so that two meals of one person at once wait for each other and never in a circle.
_LOGGED = text(
    "INSERT INTO recent_food (user_id, food_id, times, last_at)"
    " SELECT user_id, food_id, count(*), max(at) FROM unnest("
    " CAST(:user_ids AS text[]), CAST(:food_ids AS text[]), CAST(:ats AS timestamptz[])) AS logged (user_id, food_id, at)"
    " GROUP BY user_id, food_id ORDER BY user_id, food_id"
    " ON CONFLICT (user_id, food_id) DO UPDATE SET times = recent_food.times + excluded.times,"
    " last_at = greatest(recent_food.last_at, excluded.last_at)"
    " RETURNING food_id, xmax = 0 AS is_first"
)
# How many people use a food counts in search; a person counts once, with the first meal that has it.
_NEW_USER = text(
    "WITH new AS (SELECT food_id, count(*) AS users FROM unnest(CAST(:food_ids AS text[])) AS food_id"
    "  GROUP BY food_id),"
    " locked AS (SELECT id FROM search_entry WHERE id IN (SELECT food_id FROM new) AND owner IS NULL ORDER BY id"
    "  FOR NO KEY UPDATE)"
    " UPDATE search_entry SET users = search_entry.users + new.users FROM locked, new"
    " WHERE search_entry.id = locked.id AND new.food_id = locked.id"
)
_UNLOGGED = text(
    "WITH gone AS (SELECT food_id, count(*) AS times FROM unnest(CAST(:food_ids AS text[])) AS food_id"
    "  GROUP BY food_id),"
    " locked AS (SELECT food_id FROM recent_food WHERE user_id = :user_id AND food_id IN (SELECT food_id FROM gone)"
    "  ORDER BY food_id FOR UPDATE)"
    " UPDATE recent_food SET times = recent_food.times - gone.times, last_at = coalesce("
    "  (SELECT at FROM meal_item WHERE meal_item.user_id = recent_food.user_id"
    "   AND meal_item.food_id = recent_food.food_id ORDER BY at DESC LIMIT 1), recent_food.last_at)"
    " FROM gone, locked WHERE recent_food.user_id = :user_id AND recent_food.food_id = gone.food_id"
    " AND locked.food_id = gone.food_id"
)
_FORGET_UNUSED = text(
    "DELETE FROM recent_food WHERE user_id = :user_id AND food_id = ANY(CAST(:food_ids AS text[])) AND times <= 0"
)


async def count_logged(transaction: AsyncConnection, logged: Sequence[tuple[str, str, datetime]]) -> None:
    """Items of meals were written: (user id, food id, moment) of each."""
    parameters = {
        "user_ids": [user_id for user_id, _, _ in logged],
        "food_ids": [food_id for _, food_id, _ in logged],
        "ats": [at for _, _, at in logged],
    }
    rows = await transaction.execute(_LOGGED, parameters)
    first = sorted(row.food_id for row in rows if row.is_first)
    if first:
        await transaction.execute(_NEW_USER, {"food_ids": first})


async def count_unlogged(transaction: AsyncConnection, user_id: str, food_ids: Sequence[str]) -> None:
    """Items were taken away, after the rows went."""
    if not food_ids:
        return
    parameters = {"user_id": user_id, "food_ids": list(food_ids)}
    await transaction.execute(_UNLOGGED, parameters)
    await transaction.execute(_FORGET_UNUSED, parameters)
