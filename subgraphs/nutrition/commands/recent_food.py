"""What each person logged, how often and when last: a table kept in the transaction of every change of a meal.

Reading it from the diary would read all of a person's years for the ten foods that a page shows.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import datetime

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

# One statement for what came and what went, in order of foods: two changes of one person's meals at once wait for each other and
# never in a circle. What went is there to be counted down, unless its food was deleted.
_COUNT = text(
    "INSERT INTO recent_food (user_id, food_id, times, last_at)"
    " SELECT user_id, food_id, sum(times), max(at) FROM unnest(CAST(:user_ids AS text[]), CAST(:food_ids AS text[]),"
    "  CAST(:times AS integer[]), CAST(:ats AS timestamptz[])) AS changed (user_id, food_id, times, at)"
    " WHERE times > 0 OR EXISTS (SELECT FROM recent_food AS known"
    "  WHERE known.user_id = changed.user_id AND known.food_id = changed.food_id)"
    " GROUP BY user_id, food_id ORDER BY user_id, food_id"
    " ON CONFLICT (user_id, food_id) DO UPDATE SET times = recent_food.times + excluded.times,"
    " last_at = greatest(recent_food.last_at, excluded.last_at)"
    " RETURNING food_id, xmax = 0 AS is_first, times"
)
# After the rows of the meal went or moved; `recent_food` is this transaction's own by now.
_FIND_LAST = text(
    "UPDATE recent_food SET last_at = coalesce("
    "  (SELECT at FROM meal_item WHERE meal_item.user_id = recent_food.user_id"
    "   AND meal_item.food_id = recent_food.food_id ORDER BY at DESC LIMIT 1), recent_food.last_at)"
    " WHERE user_id = :user_id AND food_id = ANY(CAST(:food_ids AS text[]))"
)
_FORGET = text("DELETE FROM recent_food WHERE user_id = :user_id AND food_id = ANY(CAST(:food_ids AS text[]))")
# How many people use a food counts in search: a person counts once, for as long as a meal of theirs has it.
_COUNT_USERS = text(
    "WITH changed AS (SELECT food_id, sum(users) AS users FROM unnest(CAST(:food_ids AS text[]), CAST(:users AS integer[]))"
    "  AS one (food_id, users) GROUP BY food_id),"
    " locked AS (SELECT id FROM search_entry WHERE id IN (SELECT food_id FROM changed) AND owner IS NULL ORDER BY id"
    "  FOR NO KEY UPDATE)"
    " UPDATE search_entry SET users = greatest(search_entry.users + changed.users, 0) FROM locked, changed"
    " WHERE search_entry.id = locked.id AND changed.food_id = locked.id"
)


async def count_logged(transaction: AsyncConnection, logged: Sequence[tuple[str, str, datetime]]) -> None:
    """Items of new meals were written: (user id, food id, moment) of each."""
    if not logged:
        return
    parameters = {
        "user_ids": [user_id for user_id, _, _ in logged],
        "food_ids": [food_id for _, food_id, _ in logged],
        "times": [1] * len(logged),
        "ats": [at for _, _, at in logged],
    }
    rows = await transaction.execute(_COUNT, parameters)
    await _count_users(transaction, dict(Counter(row.food_id for row in rows if row.is_first)))


async def count_changed(transaction: AsyncConnection, user_id: str, times: Mapping[str, int], at: datetime) -> None:
    """Items of one meal came or went, after their rows did: of each food how many more or fewer there are, 0 for one that
    stayed while its meal was moved to the moment `at`.
    """
    if not times:
        return
    parameters = {
        "user_ids": [user_id] * len(times),
        "food_ids": list(times),
        "times": list(times.values()),
        "ats": [at] * len(times),
    }
    rows = (await transaction.execute(_COUNT, parameters)).all()
    gone = [row.food_id for row in rows if row.times <= 0]
    lasting = [row.food_id for row in rows if row.times > 0 and not row.is_first]
    if lasting:
        await transaction.execute(_FIND_LAST, {"user_id": user_id, "food_ids": lasting})
    if gone:
        await transaction.execute(_FORGET, {"user_id": user_id, "food_ids": gone})
    users = {row.food_id: 1 for row in rows if row.is_first} | dict.fromkeys(gone, -1)
    await _count_users(transaction, users)


async def _count_users(transaction: AsyncConnection, users: Mapping[str, int]) -> None:
    if users:
        parameters = {"food_ids": list(users), "users": list(users.values())}
        await transaction.execute(_COUNT_USERS, parameters)
