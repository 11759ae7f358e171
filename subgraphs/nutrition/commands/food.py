"""A person's own foods, beside the catalogue that everybody sees. Also writes the catalogue, for `sample_data`.

A change makes a new version; meals keep what they were logged with. A deleted food keeps its row for them.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from events.contracts import nutrition as contract
from events.outbox import NewEvent, append_event
from subgraphs.nutrition.commands.food_index import index_foods, unindex_food
from subgraphs.nutrition.domain.declaration import NOTHING_TOLD, Declaration, stored
from subgraphs.nutrition.domain.food import MOST_OWN_FOODS, FoodCategory, Portion, check_food
from subgraphs.nutrition.domain.gtin import normalise_gtin
from subgraphs.nutrition.domain.nutrients import Nutrients, decode_nutrients, encode
from subgraphs.nutrition.domain.recipe import SOURCE as RECIPE_SOURCE
from subgraphs.nutrition.queries.declaration import declarations_by_food
from subgraphs.nutrition.queries.food import FOOD_COLUMNS, FoodRecord, foods_by_id, portions_by_food
from subgraphs.shell.auth import Viewer
from subgraphs.shell.database import Database, take_turns
from subgraphs.shell.errors import Checks, ConflictError, NotFoundError, expect_version
from subgraphs.shell.idempotency import id_of_request, key_columns
from subgraphs.shell.inputs import RequestKey, made_id_of
from subgraphs.shell.node import NodeKind, new_node_id
from subgraphs.shell.telemetry import current_traceparent

OWN_SOURCE = "USER"
INSERT_FOOD = text(
    "INSERT INTO food (id, name, brand, gtin, category, source, verified, created_by, per_100, created_at,"
    " idempotency_key, idempotency_content, contains, free_from)"
    " VALUES (:id, :name, :brand, :gtin, :category, :source, :verified, :created_by, CAST(:per_100 AS jsonb),"
    " :created_at, :idempotency_key, :idempotency_content, CAST(:contains AS text[]), CAST(:free_from AS text[]))"
    " ON CONFLICT DO NOTHING"
)
INSERT_PORTIONS = text(
    "INSERT INTO food_portion (food_id, position, label, grams)"
    " SELECT * FROM unnest(CAST(:food_id AS text[]), CAST(:position AS integer[]), CAST(:label AS text[]),"
    " CAST(:grams AS numeric[])) ON CONFLICT DO NOTHING"
)
_UPDATE = text(
    "UPDATE food SET name = :name, brand = :brand, gtin = :gtin, category = :category,"
    " per_100 = CAST(:per_100 AS jsonb), contains = CAST(:contains AS text[]), free_from = CAST(:free_from AS text[]),"
    " version = version + 1 WHERE id = :id"
)
_DELETE = text("UPDATE food SET deleted_at = :now, version = version + 1 WHERE id = :id")
# One that administrators withdrew keeps its row, so that it is not published again once it is restored.
UNPUBLISH_FOOD = text("DELETE FROM published_food WHERE food_id = :id AND withdrawn_at IS NULL")
_RESTORE = text("UPDATE food SET deleted_at = NULL, version = version + 1 WHERE id = :id")
_COUNT_AGAIN = text(
    "INSERT INTO recent_food (user_id, food_id, times, last_at)"
    " SELECT user_id, food_id, count(*), max(at) FROM meal_item"
    " WHERE user_id = :user_id AND food_id = :food_id GROUP BY user_id, food_id"
    " ON CONFLICT (user_id, food_id) DO NOTHING"
)
_LOCK = text(
    f"SELECT {FOOD_COLUMNS} FROM food WHERE id = :id AND created_by = :user_id"  # noqa: S608 - our names
    " AND deleted_at IS NULL FOR UPDATE"
)
_BY_GTIN = text("SELECT id FROM food WHERE created_by = :user_id AND gtin = :gtin AND deleted_at IS NULL")
_IS_FULL = text(
    "SELECT EXISTS (SELECT FROM food WHERE created_by = :user_id AND deleted_at IS NULL OFFSET :most LIMIT 1)"
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
    declared: Declaration = NOTHING_TOLD
    request: RequestKey | None = None


async def create_food(viewer: Viewer, new: NewFood, *, database: Database, now: datetime) -> FoodRecord:
    """Store a food that only the viewer sees; one with the same own barcode is corrected instead.

    Raises ValidationError, ConflictError for a key used otherwise.
    """
    new = _checked(new)
    async with database.transaction() as transaction:
        await lock_maker(transaction, viewer.id)
        if earlier := await food_of_request(transaction, viewer.id, new.request):
            return earlier
        same = await _with_gtin(transaction, viewer.id, new.gtin)
        if same is not None:
            refuse_recipe(same, field="gtin")
            return await write_food_version(transaction, same, new, now)
        return await insert_food(transaction, viewer.id, new, OWN_SOURCE, now)


async def update_food(
    viewer: Viewer,
    food_id: str,
    changes: Mapping[str, Any],
    *,
    expected_version: int | None,
    database: Database,
    now: datetime,
) -> FoodRecord:
    """Correct a food of one's own; `changes` are fields of NewFood. Meals that had it keep what they were logged with.

    Raises NotFoundError, StaleVersionError, ValidationError, and ConflictError for another own food's barcode.
    """
    async with database.transaction() as transaction:
        await lock_maker(transaction, viewer.id)
        food = await locked_food(transaction, viewer, food_id, expected_version)
        refuse_recipe(food, field="id")
        new = _checked(replace(await _as_told(transaction, food), **changes))
        same = await _with_gtin(transaction, viewer.id, new.gtin)
        if same is not None and same.id != food_id:
            raise ConflictError(f"Your food {same.name!r} has this barcode.", field="gtin")
        return await write_food_version(transaction, food, new, now)


async def delete_food(
    viewer: Viewer, food_id: str, *, expected_version: int | None, database: Database, now: datetime
) -> None:
    """Take a food of one's own out of search and barcodes, and from whoever it was shown to. Raises NotFoundError, StaleVersionError."""
    async with database.transaction() as transaction:
        food = await locked_food(transaction, viewer, food_id, expected_version)
        await transaction.execute(UNPUBLISH_FOOD, {"id": food_id})  # first: it changes a food, which is then deleted
        await transaction.execute(_DELETE, {"id": food_id, "now": now})
        await transaction.execute(text("DELETE FROM recent_food WHERE food_id = :id"), {"id": food_id})
        await unindex_food(transaction, food_id)
        await append_event(
            transaction,
            NewEvent(
                payload=contract.FoodRetired(food_id=food_id),
                aggregate_id=food_id,
                version=food.version + 1,
                user_id=viewer.id,
                occurred_at=now,
                key=food_id,
                traceparent=current_traceparent(),
            ),
        )


async def restore_food(transaction: AsyncConnection, viewer: Viewer, food_id: str, now: datetime) -> FoodRecord:
    """Bring a deleted food of one's own back. Raises NotFoundError, and ConflictError for its barcode or too many."""
    await lock_maker(transaction, viewer.id)
    food = (await foods_by_id(transaction, [food_id])).get(food_id)
    if food is None or food.created_by != viewer.id:
        raise NotFoundError("You have no such food.")
    if not food.is_deleted:
        return food
    if await _with_gtin(transaction, viewer.id, food.gtin) is not None:
        raise ConflictError("Another food of yours has its barcode by now.", field="id")
    await _refuse_too_many(transaction, viewer.id)
    await transaction.execute(_RESTORE, {"id": food_id})
    await transaction.execute(_COUNT_AGAIN, {"user_id": viewer.id, "food_id": food_id})
    row = {name: getattr(food, name) for name in ("id", "name", "brand", "gtin", "category", "source", "created_by")}
    await index_foods(transaction, [row])
    event = food_event(row, decode_nutrients(food.per_100), now, viewer.id, food.version + 1)
    await append_event(transaction, event)
    return (await foods_by_id(transaction, [food_id]))[food_id]


def food_event(row: Mapping[str, object], per_100: Nutrients, at: datetime, actor: str, version: int = 1) -> NewEvent:
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
        version=version,
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


def declared_columns(told: Declaration) -> dict[str, list[str] | None]:
    """The columns of a food that say what is in it."""
    return {"contains": stored(told.contains), "free_from": stored(told.free_from)}


def portion_columns(portions: Sequence[tuple[str, int, Portion]]) -> dict[str, list[Any]]:
    """(food id, position, portion) as columns, which one statement takes."""
    return {
        "food_id": [food_id for food_id, _, _ in portions],
        "position": [position for _, position, _ in portions],
        "label": [portion.label.strip() for _, _, portion in portions],
        "grams": [portion.grams for _, _, portion in portions],
    }


def _checked(new: NewFood) -> NewFood:
    """With its barcode in 14 digits and texts trimmed. Raises ValidationError."""
    checks = Checks()
    check_food(checks, new.name, new.brand, new.per_100, new.portions)
    gtin = None if new.gtin is None else normalise_gtin(new.gtin)
    fits = new.gtin is None or gtin is not None
    checks.require(fits, "gtin", "must be a GTIN of 8, 12, 13 or 14 digits with its check digit")
    checks.done()
    return replace(new, gtin=gtin, name=new.name.strip(), brand=(new.brand or "").strip() or None)


async def lock_maker(transaction: AsyncConnection, user_id: str) -> None:
    """People who make foods take turns with themselves, so that a barcode or a key made twice at once is seen."""
    await take_turns(transaction, "own_food", user_id)


async def insert_food(
    transaction: AsyncConnection, user_id: str, new: NewFood, source: str, now: datetime
) -> FoodRecord:
    """Write and announce a checked food of one's own. Raises ConflictError for more than there may be."""
    await _refuse_too_many(transaction, user_id)
    row = _new_row(user_id, new, source, now)
    await transaction.execute(INSERT_FOOD, row)
    await _write_portions(transaction, row["id"], new.portions)
    await index_foods(transaction, [row])
    await append_event(transaction, food_event(row, new.per_100, now, user_id))
    return (await foods_by_id(transaction, [row["id"]]))[row["id"]]


def refuse_recipe(food: FoodRecord, field: str) -> None:
    """Raises ConflictError for a food that a recipe makes: its numbers are its ingredients'."""
    if food.source == RECIPE_SOURCE:
        raise ConflictError(f"{food.name!r} is a recipe: change it with updateRecipe.", field=field)


async def write_food_version(
    transaction: AsyncConnection, food: FoodRecord, new: NewFood, now: datetime, *, even_if_same: bool = False
) -> FoodRecord:
    """Write and announce the food's next version, unless it says the same as this one."""
    if not even_if_same and replace(new, request=None) == await _as_told(transaction, food):
        return food
    row = {
        "id": food.id,
        "name": new.name,
        "brand": new.brand,
        "gtin": new.gtin,
        "category": new.category.value,
        "source": food.source,
        "created_by": food.created_by,
        "per_100": encode(new.per_100),
        **declared_columns(new.declared),
    }
    await transaction.execute(_UPDATE, row)
    await transaction.execute(text("DELETE FROM food_portion WHERE food_id = :id"), {"id": food.id})
    await _write_portions(transaction, food.id, new.portions)
    await index_foods(transaction, [row])
    await append_event(transaction, food_event(row, new.per_100, now, food.created_by or "", food.version + 1))
    return (await foods_by_id(transaction, [food.id]))[food.id]


async def _write_portions(transaction: AsyncConnection, food_id: str, portions: Sequence[Portion]) -> None:
    if portions:
        placed = [(food_id, position, portion) for position, portion in enumerate(portions)]
        await transaction.execute(INSERT_PORTIONS, portion_columns(placed))


async def _as_told(transaction: AsyncConnection, food: FoodRecord) -> NewFood:
    return NewFood(
        name=food.name,
        category=FoodCategory(food.category),
        per_100=decode_nutrients(food.per_100),
        brand=food.brand,
        gtin=food.gtin,
        portions=(await portions_by_food(transaction, [food.id])).get(food.id, []),
        declared=(await declarations_by_food(transaction, [food.id])).get(food.id, NOTHING_TOLD),
    )


async def locked_food(
    transaction: AsyncConnection, viewer: Viewer, food_id: str, expected_version: int | None
) -> FoodRecord:
    """The viewer's own food until the transaction ends. Raises NotFoundError, StaleVersionError."""
    row = (await transaction.execute(_LOCK, {"id": food_id, "user_id": viewer.id})).one_or_none()
    if row is None:
        raise NotFoundError("You have no such food.")
    food = FoodRecord(*row)
    expect_version("food", expected=expected_version, current=food.version)
    return food


async def _refuse_too_many(transaction: AsyncConnection, user_id: str) -> None:
    if (await transaction.execute(_IS_FULL, {"user_id": user_id, "most": MOST_OWN_FOODS - 1})).scalar_one():
        raise ConflictError(f"You have {MOST_OWN_FOODS} foods of your own, as many as there may be.")


async def food_of_request(transaction: AsyncConnection, user_id: str, request: RequestKey | None) -> FoodRecord | None:
    """The food or recipe that the same request made before. Raises ConflictError for a key used otherwise."""
    food_id = await id_of_request(transaction, "food", user_id, request, owner="created_by")
    return None if food_id is None else (await foods_by_id(transaction, [food_id]))[food_id]


async def _with_gtin(transaction: AsyncConnection, user_id: str, gtin: str | None) -> FoodRecord | None:
    if gtin is None:
        return None
    food_id = (await transaction.execute(_BY_GTIN, {"user_id": user_id, "gtin": gtin})).scalar_one_or_none()
    return None if food_id is None else (await foods_by_id(transaction, [food_id]))[food_id]


def _new_row(user_id: str, new: NewFood, source: str, now: datetime) -> dict[str, Any]:
    return {
        "id": made_id_of(new.request) or new_node_id(NodeKind.FOOD),
        "name": new.name,
        "brand": new.brand,
        "gtin": new.gtin,
        "category": new.category.value,
        "source": source,
        "verified": False,
        "created_by": user_id,
        "per_100": encode(new.per_100),
        "created_at": now,
        **key_columns(new.request),
        **declared_columns(new.declared),
    }
