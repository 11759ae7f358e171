"""Recipes as they are read: the version that holds, the earlier ones, and a person's, newest first."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache

from sqlalchemy import TextClause, text

from subgraphs.nutrition.queries.food import FOOD_COLUMNS, FoodRecord
from subgraphs.shell.keyset import Page, PageShape, SortOrder
from subgraphs.shell.read_pool import Reader


@dataclass(frozen=True, slots=True)
class RecipeRecord:
    """One version of what a food is made of; `content` is encoded."""

    food_id: str
    version: int
    written_at: datetime
    content: str


_COLUMNS = "food_id, version, written_at, CAST(content AS text) AS content"
_CURRENT = text(
    "SELECT found.* FROM unnest(CAST(:food_ids AS text[])) AS wanted (id) CROSS JOIN LATERAL ("  # noqa: S608
    f" SELECT {_COLUMNS} FROM recipe_version WHERE food_id = wanted.id ORDER BY version DESC LIMIT 1) AS found"
)
_VERSIONS = text(
    f"SELECT {_COLUMNS} FROM recipe_version"  # noqa: S608 - our names
    " WHERE food_id = ANY(CAST(:food_ids AS text[])) ORDER BY food_id, version DESC"
)
_NEWEST = SortOrder(("id",), descending=True)


@cache
def _of_people(shape: PageShape) -> TextClause:
    return text(
        "SELECT found.* FROM unnest(CAST(:user_ids AS text[])) AS person (user_id) CROSS JOIN LATERAL ("  # noqa: S608
        f" SELECT {FOOD_COLUMNS} FROM food WHERE created_by = person.user_id AND source = 'RECIPE' AND deleted_at IS NULL"
        f" AND {_NEWEST.beyond(shape)} ORDER BY {_NEWEST.order_by(shape)} LIMIT :limit) AS found"
    )


async def recipes_by_food(connection: Reader, food_ids: Sequence[str]) -> dict[str, RecipeRecord]:
    """What each food is made of now; foods that no recipe makes are left out."""
    return {row[0]: RecipeRecord(*row) for row in await connection.execute(_CURRENT, {"food_ids": list(food_ids)})}


async def recipe_versions_by_food(connection: Reader, food_ids: Sequence[str]) -> dict[str, list[RecipeRecord]]:
    """All versions that are kept, newest first."""
    by_food: defaultdict[str, list[RecipeRecord]] = defaultdict(list)
    for row in await connection.execute(_VERSIONS, {"food_ids": list(food_ids)}):
        by_food[row[0]].append(RecipeRecord(*row))
    return by_food


async def recipes_by_user(connection: Reader, user_ids: Sequence[str], page: Page) -> dict[str, list[FoodRecord]]:
    """The foods that each person has a recipe of, newest first; a page of each, nearest to the cursor first."""
    by_user: defaultdict[str, list[FoodRecord]] = defaultdict(list)
    parameters = {"user_ids": list(user_ids), "limit": page.limit, **page.keys}
    for row in await connection.execute(_of_people(page.shape), parameters):
        food = FoodRecord(*row)
        by_user[food.created_by or ""].append(food)
    return by_user
