"""Meals and drinks that were deleted of late, as they were: kept for 30 days, the newest 100 of a person."""

from collections.abc import Sequence
from datetime import date, datetime

import msgspec
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from subgraphs.nutrition.domain.meal import Item
from subgraphs.nutrition.domain.nutrients import QuickAdd, decode_quick_adds
from subgraphs.nutrition.queries.meal import MealRecord
from subgraphs.nutrition.queries.water import DrinkRecord

DAYS_KEPT = 30
MOST_KEPT = 100

_KEEP = text(
    "INSERT INTO deleted_entry (id, user_id, version, deleted_at, content)"
    " VALUES (:id, :user_id, :version, :now, CAST(:content AS jsonb))"
    " ON CONFLICT (id) DO UPDATE SET version = excluded.version, deleted_at = excluded.deleted_at,"
    " content = excluded.content"
)
_FORGET_BEYOND = text(
    "DELETE FROM deleted_entry WHERE id IN (SELECT id FROM deleted_entry WHERE user_id = :user_id"
    " ORDER BY deleted_at DESC, id OFFSET :most)"
)
_TAKE = text(
    "DELETE FROM deleted_entry WHERE id = :id AND user_id = :user_id RETURNING version, CAST(content AS text) AS content"
)
_FORGET_OLD = text(
    "DELETE FROM deleted_entry WHERE id IN (SELECT id FROM deleted_entry"
    " WHERE deleted_at < now() - make_interval(days => :days) LIMIT :rows)"
)


class DeletedMeal(msgspec.Struct, frozen=True, kw_only=True, tag="meal"):
    """A meal's own columns and its items."""

    slot: str
    at: datetime
    local_date: date
    time_zone: str
    notes: str | None
    quick_adds: tuple[QuickAdd, ...]
    items: tuple[Item, ...]
    custom_slot: str | None = None


class DeletedDrink(msgspec.Struct, frozen=True, kw_only=True, tag="drink"):
    amount_ml: int
    at: datetime
    local_date: date
    time_zone: str


_encoder = msgspec.json.Encoder(decimal_format="number")
_decoder = msgspec.json.Decoder(DeletedMeal | DeletedDrink)


async def keep_deleted_meal(
    transaction: AsyncConnection, meal: MealRecord, items: Sequence[Item], now: datetime
) -> None:
    content = DeletedMeal(
        slot=meal.slot,
        at=meal.at,
        local_date=meal.local_date,
        time_zone=meal.time_zone,
        notes=meal.notes,
        quick_adds=decode_quick_adds(meal.quick_adds),
        items=tuple(items),
        custom_slot=meal.custom_slot,
    )
    await _keep(transaction, meal, content, now)


async def keep_deleted_drink(transaction: AsyncConnection, drink: DrinkRecord, time_zone: str, now: datetime) -> None:
    content = DeletedDrink(amount_ml=drink.amount_ml, at=drink.at, local_date=drink.local_date, time_zone=time_zone)
    await _keep(transaction, drink, content, now)


async def take_deleted(
    transaction: AsyncConnection, user_id: str, entry_id: str
) -> tuple[int, DeletedMeal | DeletedDrink] | None:
    """(the version of its deletion, what it was), which is kept no longer; None where there is none of the person."""
    row = (await transaction.execute(_TAKE, {"id": entry_id, "user_id": user_id})).one_or_none()
    return None if row is None else (row.version, _decoder.decode(row.content))


async def forget_deleted(connection: AsyncConnection, rows: int) -> int:
    """Entries that were deleted more than 30 days ago, at most so many; returns how many went."""
    return int((await connection.execute(_FORGET_OLD, {"days": DAYS_KEPT, "rows": rows})).rowcount)


async def _keep(
    transaction: AsyncConnection,
    entry: MealRecord | DrinkRecord,
    content: DeletedMeal | DeletedDrink,
    now: datetime,
) -> None:
    row = {
        "id": entry.id,
        "user_id": entry.user_id,
        "version": entry.version + 1,
        "now": now,
        "content": _encoder.encode(content).decode(),
    }
    await transaction.execute(_KEEP, row)
    await transaction.execute(_FORGET_BEYOND, {"user_id": entry.user_id, "most": MOST_KEPT})
