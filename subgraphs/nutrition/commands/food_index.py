"""Keeps the search index of foods: written with each food, and renewed when names are read in another way."""

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from subgraphs.nutrition.domain.food import FoodCategory
from subgraphs.nutrition.domain.food_name import read_name
from subgraphs.nutrition.domain.food_source import BulkSource
from subgraphs.nutrition.queries.food_search import FOOD_INDEX
from subgraphs.shell.database import Database
from subgraphs.shell.search.renewal import renew_index
from subgraphs.shell.search.store import Entry, write_entries

EVERYDAY = 2.0  # what a food is preferred by that people eat every day
_IN_BANDS = frozenset(BulkSource)
_OUTDATED = text(
    "SELECT food.id, food.name, brand, category, source, created_by FROM food"
    " LEFT JOIN search_entry ON search_entry.id = food.id"
    " WHERE food.id > :after AND food.deleted_at IS NULL AND index_version IS DISTINCT FROM :version"
    " ORDER BY food.id LIMIT :limit"
    " FOR UPDATE OF food SKIP LOCKED"
)


async def index_foods(
    connection: AsyncConnection, rows: Sequence[Mapping[str, Any]], everyday: Collection[str] = ()
) -> None:
    """Make foods findable. Rows have id, name, brand, category, source, created_by; `everyday` holds ids."""
    await write_entries(connection, FOOD_INDEX, [_entry(row, everyday) for row in rows])


async def unindex_food(connection: AsyncConnection, food_id: str) -> None:
    await connection.execute(text("DELETE FROM search_entry WHERE id = :id"), {"id": food_id})


async def renew_food_index(database: Database) -> int:
    """Index every food that is not, or was by another version of the rules, batch by batch. Returns how many."""
    return await renew_index(database.transaction, FOOD_INDEX, _OUTDATED, index_foods)


def _entry(row: Mapping[str, Any], everyday: Collection[str]) -> Entry:
    named = read_name(row["name"], row["brand"], FoodCategory(row["category"]), row["source"])
    return Entry(
        id=row["id"],
        owner=row["created_by"],
        name=row["name"],
        words=named.words,
        heads=named.heads,
        rank=named.rank,
        favour=EVERYDAY if row["id"] in everyday else 0.0,
        tags=(row["category"],),
        band=named.band if row["source"] in _IN_BANDS else 0,
    )
