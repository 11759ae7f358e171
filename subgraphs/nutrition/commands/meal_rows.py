"""A meal's rows and its after-image: written and read here for `meal` and `sample_data`, decided there."""

from collections import Counter
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime

import msgspec
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from events.contracts import nutrition as contract
from events.outbox import NewEvent
from subgraphs.nutrition.commands.food import nutrients_contract
from subgraphs.nutrition.commands.recent_food import count_changed, count_logged
from subgraphs.nutrition.domain.meal import Item
from subgraphs.nutrition.domain.nutrients import QuickAdd, Totals, decode_nutrients, encode, total_of
from subgraphs.nutrition.queries.meal import MealRecord, items_by_meal
from subgraphs.shell.bulk import copy_rows
from subgraphs.shell.idempotency import key_columns
from subgraphs.shell.inputs import RequestKey
from subgraphs.shell.telemetry import current_traceparent


@dataclass(frozen=True, slots=True, kw_only=True)
class NewRow:
    """A meal's own columns."""

    user_id: str
    slot: str
    at: datetime
    local_date: date
    time_zone: str
    notes: str | None
    quick_adds: Sequence[QuickAdd] = ()
    request: RequestKey | None = None
    custom_slot: str | None = None


_INSERT = text(
    "INSERT INTO meal (id, user_id, slot, at, local_date, time_zone, notes, totals, quick_adds, version,"
    " idempotency_key, idempotency_content, custom_slot) VALUES (:id, :user_id, :slot, :at, :local_date, :time_zone,"
    " :notes, CAST(:totals AS jsonb), CAST(:quick_adds AS jsonb), :version, :idempotency_key, :idempotency_content,"
    " :custom_slot)"
    " ON CONFLICT DO NOTHING"
)
_UPDATE = text(
    "UPDATE meal SET slot = :slot, custom_slot = :custom_slot, at = :at, local_date = :local_date, time_zone = :time_zone, notes = :notes,"
    " totals = CAST(:totals AS jsonb), quick_adds = CAST(:quick_adds AS jsonb), version = version + 1 WHERE id = :id"
)
# All items of all meals in one statement, however many they are.
_INSERT_ITEMS = text(
    "INSERT INTO meal_item (meal_id, position, user_id, at, food_id, food_name, food_version, grams, portion, quantity,"
    " nutrients) SELECT meal_id, position, user_id, at, food_id, food_name, food_version, grams, portion, quantity,"
    " CAST(nutrients AS jsonb) FROM unnest(CAST(:meal_id AS text[]), CAST(:position AS integer[]),"
    " CAST(:user_id AS text[]), CAST(:at AS timestamptz[]), CAST(:food_id AS text[]), CAST(:food_name AS text[]),"
    " CAST(:food_version AS integer[]), CAST(:grams AS numeric[]), CAST(:portion AS text[]),"
    " CAST(:quantity AS numeric[]), CAST(:nutrients AS text[])) AS item (meal_id, position, user_id, at, food_id,"
    " food_name, food_version, grams, portion, quantity, nutrients)"
)


async def insert_meal(
    transaction: AsyncConnection, meal_id: str, row: NewRow, items: Sequence[Item], version: int = 1
) -> bool:
    """Whether the meal is new; its id or its idempotency key may be there already."""
    values = _new_values(meal_id, row, items, version=version)
    if (await transaction.execute(_INSERT, values)).rowcount == 0:
        return False
    await _insert_items(transaction, meal_id, row, items)
    await count_logged(transaction, _logged(row, items))
    return True


async def copy_meals(
    transaction: AsyncConnection,
    meals: Sequence[tuple[str, NewRow, Sequence[Item]]],
    now: datetime,
    write_events: Callable[[AsyncConnection, Iterable[NewEvent]], Awaitable[object]],
) -> None:
    """Write very many meals and, by `write_events`, their events: `append_events` has them published, `copy_events` leaves that
    to whoever loads a history. None of the meals may be there already.
    """
    totals = [_totals(row, items) for _, row, items in meals]
    pairs = list(zip(meals, totals, strict=True))
    await copy_rows(transaction, "meal", [_new_values(*meal, totals=each) for meal, each in pairs])
    kind = contract.MealLogged
    events = (meal_event(kind, meal_id, row, items, 1, now, totals=each) for (meal_id, row, items), each in pairs)
    await write_events(transaction, events)
    await copy_rows(transaction, "meal_item", _item_rows(meals))
    await count_logged(transaction, [each for _, row, items in meals for each in _logged(row, items)])


async def replace_meal(
    transaction: AsyncConnection, meal: MealRecord, row: NewRow, items: Sequence[Item], earlier: Sequence[Item]
) -> None:
    """Write the next version of a meal that the transaction has locked; `earlier` are the items it had."""
    await transaction.execute(_UPDATE, _values(meal.id, row, _totals(row, items)))
    await transaction.execute(text("DELETE FROM meal_item WHERE meal_id = :id"), {"id": meal.id})
    await _insert_items(transaction, meal.id, row, items)
    changed = _times(items)
    changed.subtract(_times(earlier))
    is_moved = row.at != meal.at
    times = {food_id: number for food_id, number in changed.items() if number or is_moved}
    await count_changed(transaction, meal.user_id, times, row.at)


async def delete_meal_row(transaction: AsyncConnection, meal: MealRecord, items: Sequence[Item]) -> None:
    await transaction.execute(text("DELETE FROM meal WHERE id = :id"), {"id": meal.id})
    gone = {food_id: -number for food_id, number in _times(items).items()}
    await count_changed(transaction, meal.user_id, gone, meal.at)


async def _insert_items(transaction: AsyncConnection, meal_id: str, row: NewRow, items: Sequence[Item]) -> None:
    if items:
        await transaction.execute(_INSERT_ITEMS, _item_columns([(meal_id, row, items)]))


async def read_items(transaction: AsyncConnection, meal_id: str) -> list[Item]:
    return (await items_of_meals(transaction, [meal_id])).get(meal_id, [])


async def items_of_meals(transaction: AsyncConnection, meal_ids: Sequence[str]) -> dict[str, list[Item]]:
    """As they were logged, in order; a meal of quick adds alone is left out."""
    return {
        meal_id: [
            Item(
                record.food_id,
                record.food_name,
                record.food_version,
                grams=record.grams,
                portion=record.portion,
                quantity=record.quantity,
                nutrients=decode_nutrients(record.nutrients),
            )
            for record in records
        ]
        for meal_id, records in (await items_by_meal(transaction, meal_ids)).items()
    }


def meal_event(
    kind: type[contract.MealState],
    meal_id: str,
    row: NewRow,
    items: Sequence[Item],
    version: int,
    at: datetime,
    *,
    previous_day: date | None = None,
    totals: Totals | None = None,
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
        totals=nutrients_contract((totals or _totals(row, items)).nutrients),
        quick_adds=tuple(contract.QuickAdd(**msgspec.structs.asdict(each)) for each in row.quick_adds),
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


def _times(items: Sequence[Item]) -> Counter[str]:
    """How often each food is among them."""
    return Counter(item.food_id for item in items)


def _logged(row: NewRow, items: Sequence[Item]) -> list[tuple[str, str, datetime]]:
    return [(row.user_id, item.food_id, row.at) for item in items]


def _item_columns(meals: Sequence[tuple[str, NewRow, Sequence[Item]]]) -> dict[str, list[object]]:
    """The items of meals as columns, which one statement takes."""
    rows = _item_rows(meals)
    return {name: [row[name] for row in rows] for name in rows[0]}


def _item_rows(meals: Sequence[tuple[str, NewRow, Sequence[Item]]]) -> list[dict[str, object]]:
    return [
        {
            "meal_id": meal_id,
            "position": position,
            "user_id": row.user_id,
            "at": row.at,
            "food_id": item.food_id,
            "food_name": item.food_name,
            "food_version": item.food_version,
            "grams": item.grams,
            "portion": item.portion,
            "quantity": item.quantity,
            "nutrients": encode(item.nutrients),
        }
        for meal_id, row, items in meals
        for position, item in enumerate(items)
    ]


def _new_values(
    meal_id: str, row: NewRow, items: Sequence[Item], totals: Totals | None = None, version: int = 1
) -> dict[str, object]:
    return _values(meal_id, row, totals or _totals(row, items)) | {
        "version": version,
        **key_columns(row.request),
    }


def _values(meal_id: str, row: NewRow, totals: Totals) -> dict[str, object]:
    return {
        "id": meal_id,
        "user_id": row.user_id,
        "slot": row.slot,
        "custom_slot": row.custom_slot,
        "at": row.at,
        "local_date": row.local_date,
        "time_zone": row.time_zone,
        "notes": row.notes,
        "totals": encode(totals),
        "quick_adds": encode(row.quick_adds),
    }


def _totals(row: NewRow, items: Sequence[Item]) -> Totals:
    return total_of(((item.grams, item.nutrients) for item in items), row.quick_adds)
