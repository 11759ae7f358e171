"""Foods as they are read: by id and barcode in batches, their portions, and searched page by page."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from functools import cache
from typing import Any

from sqlalchemy import TextClause, text
from sqlalchemy.ext.asyncio import AsyncConnection

from subgraphs.nutrition.domain.food import Portion
from subgraphs.read_pool import Reader

_NAMES = "id, name, brand, gtin, category, source, verified, created_by, per_100, version"
# As text: decoded by `domain.nutrients`, exactly, and only where an answer wants it.
_COLUMNS = "id, name, brand, gtin, category, source, verified, created_by, CAST(per_100 AS text) AS per_100, version"


@dataclass(frozen=True, slots=True)
class FoodRecord:
    """One food. `per_100` is encoded; most answers never read it. `created_by` is None for the catalogue."""

    id: str
    name: str
    brand: str | None
    gtin: str | None
    category: str
    source: str
    verified: bool
    created_by: str | None
    per_100: str
    version: int

    def is_visible_to(self, viewer_id: str | None) -> bool:
        return self.created_by is None or self.created_by == viewer_id


@dataclass(frozen=True, slots=True)
class FoodSearch:
    """What a search asks for; None asks for nothing. Own foods of `viewer_id` are found beside the catalogue."""

    viewer_id: str | None
    words: str | None = None
    category: str | None = None
    verified: bool | None = None


@dataclass(frozen=True, slots=True)
class FoundFood:
    """A food with how well it fits the words searched for, 0 without words."""

    food: FoodRecord
    score: Decimal


@dataclass(frozen=True, slots=True)
class RecentFood:
    """A food that a person logged, how often and when last."""

    food_id: str
    times: int
    last_at: datetime


_BY_ID = text(f"SELECT {_COLUMNS} FROM food WHERE id = ANY(:ids)")  # noqa: S608 - our names
_BY_GTIN = text(f"SELECT {_COLUMNS} FROM food WHERE gtin = ANY(:gtins) AND created_by IS NULL")  # noqa: S608
_PORTIONS = text("SELECT food_id, label, grams FROM food_portion WHERE food_id = ANY(:ids) ORDER BY food_id, position")
_FILTER = (
    " (created_by IS NULL OR created_by = :viewer_id)"
    " AND (CAST(:category AS text) IS NULL OR category = :category)"
    " AND (CAST(:verified AS boolean) IS NULL OR verified = :verified)"
)
_BY_NAME = text(
    f"SELECT {_COLUMNS}, 0.0 AS score FROM food WHERE {_FILTER}"  # noqa: S608 - our names
    " AND (CAST(:after_name AS text) IS NULL OR (lower(name), id) > (:after_name, :after_id))"
    " ORDER BY lower(name), id LIMIT :limit"
)
MOST_WORDS = 8


@cache
def _by_words(count: int) -> TextClause:
    """The search for so many words. The trigram index finds the candidates: foods that hold them all, or that nearly
    hold a misspelt one. LIKE ALL of an array would say the same, but reads every food.
    """
    holds_all = " AND ".join(f"search_text LIKE :word_{number}" for number in range(count))
    return text(
        "WITH found AS MATERIALIZED ("  # noqa: S608 - our names
        f" SELECT {_COLUMNS}, round(CAST(word_similarity(:words, search_text) + similarity(:words, search_text)"
        " AS numeric), 4) AS score FROM food"
        f" WHERE (({holds_all}) OR search_text %> :words) AND {_FILTER})"
        f" SELECT {_NAMES}, score FROM found"
        " WHERE CAST(:after_score AS numeric) IS NULL OR score < :after_score"
        " OR (score = :after_score AND (lower(name), id) > (:after_name, :after_id))"
        " ORDER BY score DESC, lower(name), id LIMIT :limit"
    )


_RECENT = text(
    "SELECT found.* FROM unnest(CAST(:user_ids AS text[])) AS person (user_id) CROSS JOIN LATERAL ("
    " SELECT person.user_id, item.food_id, count(*) AS times, max(meal.at) AS last_at"
    " FROM meal JOIN meal_item AS item ON item.meal_id = meal.id WHERE meal.user_id = person.user_id"
    " GROUP BY item.food_id ORDER BY last_at DESC, item.food_id LIMIT :limit) AS found"
)


async def foods_by_id(connection: Reader, ids: Sequence[str]) -> dict[str, FoodRecord]:
    return {row[0]: FoodRecord(*row) for row in await connection.execute(_BY_ID, {"ids": list(ids)})}


async def foods_by_gtin(connection: Reader, gtins: Sequence[str]) -> dict[str, FoodRecord]:
    """Foods of the catalogue by their 14-digit barcode."""
    return {row[3]: FoodRecord(*row) for row in await connection.execute(_BY_GTIN, {"gtins": list(gtins)})}


async def portions_by_food(connection: Reader, food_ids: Sequence[str]) -> dict[str, list[Portion]]:
    by_food: defaultdict[str, list[Portion]] = defaultdict(list)
    for food_id, label, grams in await connection.execute(_PORTIONS, {"ids": list(food_ids)}):
        by_food[food_id].append(Portion(label, grams))
    return by_food


async def search_foods(
    connection: AsyncConnection, wanted: FoodSearch, after: tuple[Any, ...] | None, limit: int
) -> list[FoundFood]:
    """Up to `limit` foods from behind `after` = (score, lower-case name, id): best fit first, else by name."""
    after_score, after_name, after_id = after or (None, None, "")
    parameters: dict[str, Any] = {
        "viewer_id": wanted.viewer_id,
        "category": wanted.category,
        "verified": wanted.verified,
        "after_name": after_name,
        "after_id": after_id,
        "limit": limit,
    }
    statement = _BY_NAME
    if wanted.words is not None:
        words = " ".join(wanted.words.lower().split())
        patterns = [f"%{_escape_like(word)}%" for word in words.split()[:MOST_WORDS]]
        statement = _by_words(len(patterns))
        parameters["words"] = words
        parameters |= {f"word_{number}": pattern for number, pattern in enumerate(patterns)}
        parameters["after_score"] = None if after_score is None else Decimal(after_score)
    return [FoundFood(FoodRecord(*row[:-1]), row[-1]) for row in await connection.execute(statement, parameters)]


async def recent_foods(connection: Reader, user_ids: Sequence[str], limit: int) -> dict[str, list[RecentFood]]:
    """The foods that each person logged last, newest first."""
    by_user: defaultdict[str, list[RecentFood]] = defaultdict(list)
    parameters = {"user_ids": list(user_ids), "limit": limit}
    for user_id, food_id, times, last_at in await connection.execute(_RECENT, parameters):
        by_user[user_id].append(RecentFood(food_id, times, last_at))
    return by_user


def _escape_like(words: str) -> str:
    return words.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
