"""A person's own foods, beside the catalogue that everybody sees. Also writes the catalogue, for `sample_data`."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from events.contracts import nutrition as contract
from events.envelope import new_id
from events.outbox import NewEvent, append_event
from subgraphs.auth import Viewer
from subgraphs.database import Database
from subgraphs.errors import Checks, ConflictError
from subgraphs.nutrition.domain.food import FoodCategory, Portion, check_food
from subgraphs.nutrition.domain.gtin import normalise_gtin
from subgraphs.nutrition.domain.nutrients import Nutrients, encode
from subgraphs.nutrition.queries.food import FoodRecord, foods_by_id
from subgraphs.telemetry import current_traceparent

INSERT_FOOD = text(
    "INSERT INTO food (id, name, brand, gtin, category, source, verified, created_by, per_100, created_at)"
    " VALUES (:id, :name, :brand, :gtin, :category, :source, :verified, :created_by, CAST(:per_100 AS jsonb),"
    " :created_at) ON CONFLICT DO NOTHING"
)
INSERT_PORTION = text(
    "INSERT INTO food_portion (food_id, position, label, grams) VALUES (:food_id, :position, :label, :grams)"
    " ON CONFLICT DO NOTHING"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class NewFood:
    """A food of one's own; amounts are per 100 g."""

    name: str
    category: FoodCategory
    per_100: Nutrients
    brand: str | None = None
    gtin: str | None = None
    portions: Sequence[Portion] = ()


async def create_food(viewer: Viewer, new: NewFood, *, database: Database, now: datetime) -> FoodRecord:
    """Store a food that only the viewer sees. Raises ValidationError, and ConflictError for a barcode twice."""
    checks = Checks()
    check_food(checks, new.name, new.brand, new.per_100, new.portions)
    gtin = None if new.gtin is None else normalise_gtin(new.gtin)
    fits = new.gtin is None or gtin is not None
    checks.require(fits, "gtin", "must be a GTIN of 8, 12, 13 or 14 digits with its check digit")
    checks.done()
    food_id = new_id()
    row = {
        "id": food_id,
        "name": new.name.strip(),
        "brand": (new.brand or "").strip() or None,
        "gtin": gtin,
        "category": new.category.value,
        "source": "USER",
        "verified": False,
        "created_by": viewer.id,
        "per_100": encode(new.per_100),
        "created_at": now,
    }
    async with database.transaction() as transaction:
        if (await transaction.execute(INSERT_FOOD, row)).rowcount == 0:
            raise ConflictError("You have a food with this barcode.", field="gtin")
        await insert_portions(transaction, food_id, new.portions)
        await append_event(transaction, food_event(row, new.per_100, now, viewer.id))
        return (await foods_by_id(transaction, [food_id]))[food_id]


async def insert_portions(transaction: AsyncConnection, food_id: str, portions: Sequence[Portion]) -> None:
    rows = [
        {"food_id": food_id, "position": position, "label": portion.label.strip(), "grams": portion.grams}
        for position, portion in enumerate(portions)
    ]
    if rows:
        await transaction.execute(INSERT_PORTION, rows)


def food_event(row: Mapping[str, object], per_100: Nutrients, at: datetime, actor: str) -> NewEvent:
    """The food's after-image, keyed by the food."""
    food_id = str(row["id"])
    payload = contract.FoodUpserted(
        food_id=food_id,
        name=str(row["name"]),
        per_100=nutrients_contract(per_100),
        brand=str(row["brand"]) if row["brand"] else None,
        gtin=str(row["gtin"]) if row["gtin"] else None,
        category=str(row["category"]),
    )
    return NewEvent(
        payload=payload,
        aggregate_id=food_id,
        version=1,
        user_id=actor,
        occurred_at=at,
        key=food_id,
        traceparent=current_traceparent(),
    )


def nutrients_contract(nutrients: Nutrients) -> contract.Nutrients:
    """The part of the nutrients that events carry."""
    return contract.Nutrients(
        energy_kcal=nutrients.energy_kcal,
        protein_g=nutrients.protein_g,
        carbs_g=nutrients.carbs_g,
        fat_g=nutrients.fat_g,
        fiber_g=nutrients.fiber_g,
        sugar_g=nutrients.sugar_g,
        sodium_mg=nutrients.sodium_mg,
    )
