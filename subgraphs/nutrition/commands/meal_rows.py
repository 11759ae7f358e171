"""A meal's rows and its after-image: written and read here for `meal` and `sample_data`, decided there."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from events.contracts import nutrition as contract
from events.outbox import NewEvent
from subgraphs.nutrition.commands.food import nutrients_contract
from subgraphs.nutrition.domain.meal import Item
from subgraphs.nutrition.domain.nutrients import Totals, decode_nutrients, encode, total_of
from subgraphs.nutrition.queries.meal import MealRecord, items_by_meal
from subgraphs.telemetry import current_traceparent


@dataclass(frozen=True, slots=True, kw_only=True)
class NewRow:
    """A meal's own columns."""

    user_id: str
    slot: str
    at: datetime
    local_date: date
    time_zone: str
    notes: str | None
    idempotency_key: str | None = None


_INSERT = text(
    "INSERT INTO meal (id, user_id, slot, at, local_date, time_zone, notes, totals, idempotency_key) VALUES"
    " (:id, :user_id, :slot, :at, :local_date, :time_zone, :notes, CAST(:totals AS jsonb), :idempotency_key)"
    " ON CONFLICT DO NOTHING"
)
_UPDATE = text(
    "UPDATE meal SET slot = :slot, at = :at, local_date = :local_date, time_zone = :time_zone, notes = :notes,"
    " totals = CAST(:totals AS jsonb), version = version + 1 WHERE id = :id"
)
_INSERT_ITEM = text(
    "INSERT INTO meal_item (meal_id, position, user_id, food_id, food_name, food_version, grams, portion, quantity,"
    " nutrients) VALUES (:meal_id, :position, :user_id, :food_id, :food_name, :food_version, :grams, :portion,"
    " :quantity, CAST(:nutrients AS jsonb))"
)


async def insert_meal(transaction: AsyncConnection, meal_id: str, row: NewRow, items: Sequence[Item]) -> bool:
    """Whether the meal is new; its id or its idempotency key may be there already."""
    values = _values(meal_id, row, items) | {"idempotency_key": row.idempotency_key}
    if (await transaction.execute(_INSERT, values)).rowcount == 0:
        return False
    await transaction.execute(_INSERT_ITEM, _item_rows(meal_id, row.user_id, items))
    return True


async def insert_meals(transaction: AsyncConnection, meals: Sequence[tuple[str, NewRow, Sequence[Item]]]) -> None:
    """Write many meals, of which none may be there already, in two round trips."""
    await transaction.execute(
        _INSERT,
        [_values(meal_id, row, items) | {"idempotency_key": row.idempotency_key} for meal_id, row, items in meals],
    )
    await transaction.execute(
        _INSERT_ITEM, [values for meal_id, row, items in meals for values in _item_rows(meal_id, row.user_id, items)]
    )


async def replace_meal(transaction: AsyncConnection, meal: MealRecord, row: NewRow, items: Sequence[Item]) -> None:
    """Write the next version of a meal that the transaction has locked."""
    await transaction.execute(_UPDATE, _values(meal.id, row, items))
    await transaction.execute(text("DELETE FROM meal_item WHERE meal_id = :id"), {"id": meal.id})
    await transaction.execute(_INSERT_ITEM, _item_rows(meal.id, row.user_id, items))


async def delete_meal_row(transaction: AsyncConnection, meal_id: str) -> None:
    await transaction.execute(text("DELETE FROM meal WHERE id = :id"), {"id": meal_id})


async def read_items(transaction: AsyncConnection, meal_id: str) -> list[Item]:
    records = (await items_by_meal(transaction, [meal_id])).get(meal_id, [])
    return [
        Item(
            record.food_id,
            record.food_name,
            record.food_version,
            record.grams,
            record.portion,
            record.quantity,
            decode_nutrients(record.nutrients),
        )
        for record in records
    ]


def meal_event(
    kind: type[contract.MealState],
    meal_id: str,
    row: NewRow,
    items: Sequence[Item],
    version: int,
    at: datetime,
    previous_day: date | None = None,
) -> NewEvent:
    """The event of this kind that shows the whole meal as it is now."""
    payload = kind(
        meal_id=meal_id,
        slot=row.slot,
        at=row.at,
        local_date=row.local_date,
        items=tuple(
            contract.MealItem(
                food_id=item.food_id,
                grams=item.grams,
                nutrients=nutrients_contract(item.nutrients),
                food_name=item.food_name,
                food_version=item.food_version,
            )
            for item in items
        ),
        totals=nutrients_contract(_totals(items).nutrients),
        prev_local_date=previous_day,
    )
    return NewEvent(
        payload=payload,
        aggregate_id=meal_id,
        version=version,
        user_id=row.user_id,
        occurred_at=at,
        local_date=row.local_date,
        time_zone=row.time_zone,
        traceparent=current_traceparent(),
    )


def _item_rows(meal_id: str, user_id: str, items: Sequence[Item]) -> list[dict[str, object]]:
    return [
        {
            "meal_id": meal_id,
            "position": position,
            "user_id": user_id,
            "food_id": item.food_id,
            "food_name": item.food_name,
            "food_version": item.food_version,
            "grams": item.grams,
            "portion": item.portion,
            "quantity": item.quantity,
            "nutrients": encode(item.nutrients),
        }
        for position, item in enumerate(items)
    ]


def _values(meal_id: str, row: NewRow, items: Sequence[Item]) -> dict[str, object]:
    return {
        "id": meal_id,
        "user_id": row.user_id,
        "slot": row.slot,
        "at": row.at,
        "local_date": row.local_date,
        "time_zone": row.time_zone,
        "notes": row.notes,
        "totals": encode(_totals(items)),
    }


def _totals(items: Sequence[Item]) -> Totals:
    return total_of((item.grams, item.nutrients) for item in items)
