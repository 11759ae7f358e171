"""Bulk loading for samples: the food catalogue and whole diaries. Called by `fittracker sample-data`.

Everything goes through the same rows and events as the commands write; loading twice changes nothing.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from itertools import islice
from typing import Any, TypeVar

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from events.contracts.nutrition import MealLogged
from events.envelope import new_id
from events.outbox import append_events
from subgraphs.nutrition.commands.food import INSERT_FOOD, INSERT_PORTION, food_event
from subgraphs.nutrition.commands.meal import NewMeal, new_row, priced_foods
from subgraphs.nutrition.commands.meal_rows import insert_meals, meal_event
from subgraphs.nutrition.domain.food import FoodCategory, is_plausible
from subgraphs.nutrition.domain.gtin import normalise_gtin
from subgraphs.nutrition.domain.meal import price_items
from subgraphs.nutrition.domain.nutrients import NUTRIENT_NAMES, Nutrients, encode
from subgraphs.nutrition.queries.person import PersonRecord

BATCH_ROWS = 500
# What the sample files call differently.
_COLUMNS = {"carbs_g": "carbohydrate_g"}
_T = TypeVar("_T")


async def load_foods(connection: AsyncConnection, rows: Iterable[Mapping[str, Any]], now: datetime) -> int:
    """Add catalogue foods in the caller's transaction; ids that exist are left alone. Returns how many came.

    A row has id, name, category, source and amounts per 100 g by column (energy_kcal, protein_g, carbohydrate_g, fat_g
    and what else is known; empty is unknown), perhaps brand, gtin, and portions: `label:grams|label:grams`, or a list
    of {label, grams}.
    """
    known = set((await connection.scalars(text("SELECT id FROM food"))).all())
    loaded = 0
    for batch in _batches(row for row in rows if row["id"] not in known):
        foods = [_food(row, now) for row in batch]
        await connection.execute(INSERT_FOOD, [food for food, _ in foods])
        portions = [portion for row in batch for portion in _portions(row)]
        if portions:
            await connection.execute(INSERT_PORTION, portions)
        await append_events(connection, [food_event(food, per_100, now, "system") for food, per_100 in foods])
        loaded += len(batch)
    if loaded:  # else the planner believes the table empty for the first minute, and reads all of it for each page
        await connection.execute(text("ANALYZE food, food_portion"))
    return loaded


async def load_meals(connection: AsyncConnection, person: PersonRecord, meals: Iterable[NewMeal], now: datetime) -> int:
    """Log meals of one person in the caller's transaction. Returns how many are new, by idempotency key."""
    statement = text("SELECT idempotency_key FROM meal WHERE user_id = :id AND idempotency_key IS NOT NULL")
    known = set((await connection.scalars(statement, {"id": person.user_id})).all())
    new = [meal for meal in meals if meal.idempotency_key not in known]
    foods = await priced_foods(connection, person.user_id, [draft for meal in new for draft in meal.items])
    for batch in _batches(new):
        priced = [(new_id(), new_row(person, meal), price_items(meal.items, foods)) for meal in batch]
        await insert_meals(connection, priced)
        await append_events(
            connection, [meal_event(MealLogged, meal_id, row, items, 1, now) for meal_id, row, items in priced]
        )
    return len(new)


def _food(row: Mapping[str, Any], now: datetime) -> tuple[dict[str, Any], Nutrients]:
    amounts = {name: row.get(_COLUMNS.get(name, name)) for name in NUTRIENT_NAMES}
    known = {name: Decimal(str(amount)) for name, amount in amounts.items() if amount not in (None, "")}
    per_100 = Nutrients(**known)
    food = {
        "id": row["id"],
        "name": row["name"],
        "brand": row.get("brand") or None,
        "gtin": normalise_gtin(row["gtin"]) if row.get("gtin") else None,
        "category": FoodCategory(row["category"]).value,
        "source": row["source"],
        "verified": is_plausible(per_100),
        "created_by": None,
        "per_100": encode(per_100),
        "created_at": now,
    }
    return food, per_100


def _portions(row: Mapping[str, Any]) -> list[dict[str, Any]]:
    given = row.get("portions") or ()
    pairs = (
        [part.rpartition(":")[::2] for part in given.split("|")]
        if isinstance(given, str)
        else [(each["label"], each["grams"]) for each in given]
    )
    return [
        {"food_id": row["id"], "position": position, "label": label, "grams": Decimal(str(grams))}
        for position, (label, grams) in enumerate(pairs)
    ]


def _batches(things: Iterable[_T]) -> Iterator[Sequence[_T]]:
    remaining = iter(things)
    while batch := list(islice(remaining, BATCH_ROWS)):
        yield batch
