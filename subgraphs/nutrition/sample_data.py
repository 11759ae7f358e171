"""Bulk loading for samples: the food catalogue and whole diaries. Called by `fittracker sample-data`.

Everything goes through the same rows and events as the commands write; loading twice changes nothing.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from itertools import islice
from typing import Any, TypeVar

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from events.outbox import append_events
from subgraphs.nutrition.commands.food import (
    INSERT_FOOD,
    INSERT_PORTIONS,
    declared_columns,
    food_event,
    portion_columns,
)
from subgraphs.nutrition.commands.food_index import index_foods
from subgraphs.nutrition.commands.meal import NewMeal, new_row, priced_foods
from subgraphs.nutrition.commands.meal_rows import copy_meals
from subgraphs.nutrition.commands.water import INSERT_DRINK, drink_event
from subgraphs.nutrition.domain.declaration import Allergen, Declaration, Diet, declare
from subgraphs.nutrition.domain.food import FoodCategory, Portion, is_plausible
from subgraphs.nutrition.domain.gtin import normalise_gtin
from subgraphs.nutrition.domain.meal import ItemDraft, PricedFood, price_items
from subgraphs.nutrition.domain.nutrients import NUTRIENT_NAMES, Nutrients, encode
from subgraphs.nutrition.queries.water import drinks_by_id
from subgraphs.shell.bulk import copy_events
from subgraphs.shell.idempotency import key_columns
from subgraphs.shell.inputs import RequestKey
from subgraphs.shell.node import NodeKind, new_node_id
from subgraphs.shell.replicated_person import PersonRecord

BATCH_ROWS = 500
# What the sample files call differently.
_COLUMNS = {"carbs_g": "carbohydrate_g"}
_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class NewDrink:
    """A drink of the moment `at`, on the person's day `local_date`."""

    amount_ml: int
    at: datetime
    local_date: date
    request: RequestKey


async def load_foods(
    connection: AsyncConnection, rows: Iterable[Mapping[str, Any]], now: datetime, everyday: Collection[str] = ()
) -> int:
    """Add catalogue foods in the caller's transaction; ids that exist are left alone. Returns how many came. Their events are kept as
    `copy_events` keeps them.

    `everyday` are ids of foods that a search for few words likely means.

    A row has id, name, category, source and amounts per 100 g by column (energy_kcal, protein_g, carbohydrate_g, fat_g
    and what else is known; empty is unknown), perhaps brand, gtin, and portions: `label:grams|label:grams`, or a list
    of {label, grams}; and perhaps lists `contains`, `free_from`, `suits` and `suits_not` of allergens and diets.
    """
    known = set((await connection.scalars(text("SELECT id FROM food"))).all())
    loaded = 0
    for batch in _batches(row for row in rows if row["id"] not in known):
        foods = [_food(row, now) for row in batch]
        await connection.execute(INSERT_FOOD, [food for food, _ in foods])
        await index_foods(connection, [food for food, _ in foods], everyday)
        portions = [portion for row in batch for portion in _portions(row)]
        if portions:
            await connection.execute(INSERT_PORTIONS, portion_columns(portions))
        await copy_events(connection, [food_event(food, per_100, now, "system") for food, per_100 in foods])
        loaded += len(batch)
    if loaded:  # else the planner believes the table empty for the first minute, and reads all of it for each page
        await connection.execute(text("ANALYZE food, food_portion, search_entry, search_word"))
    return loaded


async def priced_catalogue(connection: AsyncConnection, food_ids: Iterable[str]) -> dict[str, PricedFood]:
    """These foods of the catalogue as meals need them, once for many people; those that are not there are left out."""
    return await priced_foods(connection, "", [ItemDraft(food_id) for food_id in food_ids])


async def load_meals(
    connection: AsyncConnection,
    diaries: Sequence[tuple[PersonRecord, Iterable[NewMeal]]],
    foods: Mapping[str, PricedFood],
    now: datetime,
) -> int:
    """Log meals of people in the caller's transaction, by COPY. Returns how many are new, by idempotency key."""
    statement = text(
        "SELECT user_id, idempotency_key FROM meal WHERE user_id = ANY(:ids) AND idempotency_key IS NOT NULL"
    )
    rows = await connection.execute(statement, {"ids": [person.user_id for person, _ in diaries]})
    known = {(row.user_id, row.idempotency_key) for row in rows}
    meals = [
        (new_node_id(NodeKind.MEAL), new_row(person, meal), price_items(meal.items, foods))
        for person, told in diaries
        for meal in told
        if meal.request is None or (person.user_id, meal.request.key) not in known
    ]
    if meals:
        await copy_meals(connection, meals, now, copy_events)
    return len(meals)


async def load_drinks(
    connection: AsyncConnection, person: PersonRecord, drinks: Iterable[NewDrink], now: datetime
) -> int:
    """Log a person's drinks in the caller's transaction. Returns how many are new, by idempotency key."""
    statement = text("SELECT idempotency_key FROM water WHERE user_id = :user_id AND idempotency_key IS NOT NULL")
    known = set((await connection.scalars(statement, {"user_id": person.user_id})).all())
    rows = [_drink(person, drink) for drink in drinks if drink.request.key not in known]
    for batch in _batches(rows):
        await connection.execute(INSERT_DRINK, batch)
        made = await drinks_by_id(connection, [row["id"] for row in batch])
        await append_events(connection, [drink_event(drink, person.time_zone, now) for drink in made.values()])
    return len(rows)


def _drink(person: PersonRecord, drink: NewDrink) -> dict[str, Any]:
    return {
        "id": new_node_id(NodeKind.DRINK),
        "user_id": person.user_id,
        "amount_ml": drink.amount_ml,
        "at": drink.at,
        "local_date": drink.local_date,
        "time_zone": person.time_zone,
        "version": 1,
        **key_columns(drink.request),
    }


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
        **key_columns(None),
        **declared_columns(_declared(row)),
    }
    return food, per_100


def _declared(row: Mapping[str, Any]) -> Declaration:
    return declare(
        contains=[Allergen(each) for each in row.get("contains") or ()],
        free_from=[Allergen(each) for each in row.get("free_from") or ()],
        suits=[Diet(each) for each in row.get("suits") or ()],
        suits_not=[Diet(each) for each in row.get("suits_not") or ()],
    )


def _portions(row: Mapping[str, Any]) -> list[tuple[str, int, Portion]]:
    given = row.get("portions") or ()
    pairs = (
        [part.rpartition(":")[::2] for part in given.split("|")]
        if isinstance(given, str)
        else [(each["label"], each["grams"]) for each in given]
    )
    return [(row["id"], position, Portion(label, Decimal(str(grams)))) for position, (label, grams) in enumerate(pairs)]


def _batches(things: Iterable[_T]) -> Iterator[Sequence[_T]]:
    remaining = iter(things)
    while batch := list(islice(remaining, BATCH_ROWS)):
        yield batch
