"""How many of a person's meal items are of a food, counted up and down as meals change. Called by `facts.apply_events`."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

Counts = Mapping[tuple[str, str], int]  # by user id and food id

_OF_MEALS = text("SELECT user_id, food_id, items FROM meal_food_fact WHERE meal_id = ANY(:ids)")
_ADD = text(
    "INSERT INTO food_count AS old (user_id, food_id, items) SELECT * FROM"
    " unnest(CAST(:user_ids AS text[]), CAST(:food_ids AS text[]), CAST(:items AS integer[]))"
    " ON CONFLICT (user_id, food_id) DO UPDATE SET items = old.items + excluded.items"
)
_TIDY = text(
    "DELETE FROM food_count WHERE items = 0 AND (user_id, food_id) IN"
    " (SELECT * FROM unnest(CAST(:user_ids AS text[]), CAST(:food_ids AS text[])))"
)


async def items_of_meals(connection: AsyncConnection, meal_ids: Sequence[str]) -> Counts:
    """What the facts of these meals add to the counts."""
    return _sum(tuple(row) for row in await connection.execute(_OF_MEALS, {"ids": list(meal_ids)}))


async def move_counts(connection: AsyncConnection, before: Counts, after: Counts) -> None:
    """Take off what some meals added before, and add what they add now."""
    changed = {key: after.get(key, 0) - before.get(key, 0) for key in sorted({*before, *after})}
    changed = {key: items for key, items in changed.items() if items}
    if not changed:
        return
    keys = {"user_ids": [user_id for user_id, _ in changed], "food_ids": [food_id for _, food_id in changed]}
    await connection.execute(_ADD, keys | {"items": list(changed.values())})
    await connection.execute(_TIDY, keys)


def _sum(rows: Iterable[tuple[str, str, int]]) -> Counts:
    counts: Counter[tuple[str, str]] = Counter()
    for user_id, food_id, items in rows:
        counts[(user_id, food_id)] += items
    return counts
