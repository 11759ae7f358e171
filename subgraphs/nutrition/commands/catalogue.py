"""Foods of databases of products, taken into the catalogue by COPY: told again, they change only where they differ.

They have no events: the topic of foods is for what people here make and cook with, and nobody who follows it wants half a
million products of elsewhere (decision 0207).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from subgraphs.nutrition.commands.food import declared_columns
from subgraphs.nutrition.commands.food_index import index_foods
from subgraphs.nutrition.domain.catalogue_food import CatalogueFood
from subgraphs.nutrition.domain.food import is_plausible
from subgraphs.nutrition.domain.food_source import BulkSource
from subgraphs.nutrition.domain.nutrients import encode
from subgraphs.nutrition.queries.food_search import FOOD_INDEX
from subgraphs.shell.bulk import copy_rows
from subgraphs.shell.database import Database
from subgraphs.shell.search.store import recount_words

DROPPED_AT_ONCE = 5000
_INCOMING = text(
    "CREATE TEMPORARY TABLE incoming_food (id text PRIMARY KEY, name text, brand text, gtin text, category text, source text,"
    " verified boolean, per_100 text, digest bytea, contains text[], free_from text[]) ON COMMIT DROP"
)
# What the file tells as it is here already is not looked at any further.
_FORGET_UNCHANGED = text(
    "DELETE FROM incoming_food USING food WHERE food.id = incoming_food.id AND food.digest = incoming_food.digest"
    " AND food.deleted_at IS NULL"
)
_MERGE = text(
    "INSERT INTO food (id, name, brand, gtin, category, source, verified, per_100, digest, contains, free_from, created_at)"
    " SELECT id, name, brand, gtin, category, source, verified, CAST(per_100 AS jsonb), digest, contains, free_from, :now FROM incoming_food"
    " ORDER BY id"
    " ON CONFLICT (id) DO UPDATE SET name = excluded.name, brand = excluded.brand, gtin = excluded.gtin,"
    " category = excluded.category, verified = excluded.verified, per_100 = excluded.per_100, digest = excluded.digest,"
    " contains = excluded.contains, free_from = excluded.free_from,"
    " deleted_at = NULL, version = food.version + 1"
    " RETURNING id, version"
)
_FORGET_PORTIONS = text("DELETE FROM food_portion WHERE food_id = ANY(CAST(:ids AS text[]))")
# What a diary or a recipe has keeps its row, emptied of all that the source told: their own numbers are in themselves.
_EMPTY = text(
    "UPDATE food SET name = 'Food of a source that was dropped', brand = NULL, gtin = NULL, digest = NULL, verified = false,"
    " contains = NULL, free_from = NULL,"
    ' per_100 = CAST(\'{"energy_kcal": 0, "protein_g": 0, "carbs_g": 0, "fat_g": 0}\' AS jsonb),'
    " deleted_at = :now, version = version + 1 WHERE id = ANY(CAST(:ids AS text[]))"
)
_OF_SOURCE = text(
    "SELECT id, EXISTS (SELECT FROM meal_item WHERE food_id = food.id) FROM food"
    " WHERE source = :source AND digest IS NOT NULL ORDER BY id LIMIT :limit FOR UPDATE"
)


@dataclass(frozen=True, slots=True)
class Merged:
    """What came of a batch."""

    added: int
    changed: int
    unchanged: int


async def merge_foods(connection: AsyncConnection, foods: Sequence[CatalogueFood], now: datetime) -> Merged:
    """Add foods to the catalogue in the caller's transaction, and renew those that differ. The foods' ids are distinct."""
    await connection.execute(_INCOMING)
    by_id = {food.id: food for food in foods}
    rows = {food_id: _row(food_id, food) for food_id, food in by_id.items()}
    await copy_rows(connection, "incoming_food", list(rows.values()))
    unchanged = (await connection.execute(_FORGET_UNCHANGED)).rowcount
    written = (await connection.execute(_MERGE, {"now": now})).all()
    changed = [food_id for food_id, version in written if version > 1]
    if changed:
        await connection.execute(_FORGET_PORTIONS, {"ids": changed})
    portions = [
        {"food_id": food_id, "position": position, "label": portion.label, "grams": portion.grams}
        for food_id, _ in written
        for position, portion in enumerate(by_id[food_id].portions)
    ]
    await copy_rows(connection, "food_portion", portions)
    await index_foods(connection, [rows[food_id] | {"created_by": None} for food_id, _ in written])
    await connection.execute(text("DROP TABLE incoming_food"))
    return Merged(len(written) - len(changed), len(changed), unchanged)


async def finish_load(database: Database) -> None:
    """After the last batch of a load or a drop: count the words that searches are corrected by, and let the planner know."""
    async with database.transaction() as connection:
        await recount_words(connection, FOOD_INDEX)
        await connection.execute(text("ANALYZE food, food_portion, search_entry, search_word"))


async def drop_source(database: Database, source: BulkSource, now: datetime) -> int:
    """Take every food of the source out of this database, batch by batch. Returns how many.

    Diaries keep what was eaten: meals hold the names and nutrients of their items.
    """
    dropped = 0
    while True:
        async with database.transaction() as connection:
            rows = (await connection.execute(_OF_SOURCE, {"source": source, "limit": DROPPED_AT_ONCE})).all()
            kept = [food_id for food_id, is_eaten in rows if is_eaten]
            await connection.execute(_EMPTY, {"ids": kept, "now": now})
            await connection.execute(_FORGET_PORTIONS, {"ids": kept})
            for table, column in (("search_entry", "id"), ("recent_food", "food_id"), ("favourite_food", "food_id")):
                statement = text(f"DELETE FROM {table} WHERE {column} = ANY(CAST(:ids AS text[]))")  # noqa: S608 - our names
                await connection.execute(statement, {"ids": kept})
            others = [food_id for food_id, is_eaten in rows if not is_eaten]
            await connection.execute(text("DELETE FROM food WHERE id = ANY(CAST(:ids AS text[]))"), {"ids": others})
        if not rows:
            return dropped
        dropped += len(rows)


def _row(food_id: str, food: CatalogueFood) -> dict[str, object]:
    return {
        "id": food_id,
        "name": food.name,
        "brand": food.brand,
        "gtin": food.gtin,
        "category": food.category.value,
        "source": food.source.value,
        "verified": is_plausible(food.per_100),
        "per_100": encode(food.per_100),
        "digest": food.digest,
        **declared_columns(food.declared),
    }
