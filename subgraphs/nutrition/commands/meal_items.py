"""Moves items between meals at the nutrients they were logged with: to another meal, or to a new one of another slot."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncConnection

from subgraphs.nutrition.commands.meal import drop_meal, locked_meal, write_items, write_meal
from subgraphs.nutrition.commands.meal_rows import NewRow, read_items
from subgraphs.nutrition.domain.meal import MOST_ITEMS, Item, MealSlot
from subgraphs.nutrition.domain.nutrients import decode_quick_adds
from subgraphs.nutrition.queries.meal import MealRecord, meals_by_id
from subgraphs.shell.auth import Viewer
from subgraphs.shell.database import Database
from subgraphs.shell.errors import Checks, NotFoundError, ValidationError


@dataclass(frozen=True, slots=True)
class Move:
    """Which items go, by their places from 0, and where to: `to_slot` makes a new meal at the same moment."""

    positions: Sequence[int]
    to_meal_id: str | None = None
    to_slot: MealSlot | None = None


async def move_items(
    viewer: Viewer, meal_id: str, move: Move, *, expected_version: int | None, database: Database, now: datetime
) -> tuple[MealRecord, MealRecord | None, MealRecord]:
    """The meal as it was, the meal that is left (None: everything went, and so did it), and the meal that took the items.

    Raises NotFoundError, StaleVersionError, ValidationError, and ConflictError for a day with too many meals.
    """
    checks = Checks()
    one = (move.to_meal_id is None) != (move.to_slot is None)
    checks.require(one, "toMealId", "must be told, or toSlot, and not both")
    checks.require(move.to_meal_id != meal_id, "toMealId", "must be another meal")
    checks.require(1 <= len(move.positions) <= MOST_ITEMS, "positions", f"must have 1 to {MOST_ITEMS} entries")
    checks.require(len(set(move.positions)) == len(move.positions), "positions", "must name each item once")
    checks.done()
    async with database.transaction() as transaction:
        meal, target = await _lock_both(transaction, viewer, meal_id, move.to_meal_id, expected_version)
        items = await read_items(transaction, meal_id)
        going = [_item_at(items, place, number) for number, place in enumerate(move.positions)]
        staying = [item for place, item in enumerate(items) if place not in move.positions]
        left = await _take_away(transaction, meal, items, staying, now)
        if target is None:
            return meal, left, await _new_meal(transaction, meal, move.to_slot or MealSlot(meal.slot), going, now)
        return meal, left, await _add(transaction, target, going, now)


async def _lock_both(
    transaction: AsyncConnection, viewer: Viewer, meal_id: str, to_meal_id: str | None, expected_version: int | None
) -> tuple[MealRecord, MealRecord | None]:
    """In the order of their ids, so that two moves at once wait for each other and never in a circle."""
    locked = {}
    for each in sorted({meal_id, to_meal_id or meal_id}):
        try:
            version = expected_version if each == meal_id else None
            locked[each] = await locked_meal(transaction, viewer, each, version)
        except NotFoundError as error:
            if each == meal_id:
                raise
            raise NotFoundError(str(error), field="toMealId") from None
    return locked[meal_id], None if to_meal_id is None else locked[to_meal_id]


def _item_at(items: Sequence[Item], place: int, number: int) -> Item:
    if not 0 <= place < len(items):
        raise ValidationError((f"positions.{number}", f"names no item: the meal has {len(items)}, counted from 0"))
    return items[place]


async def _take_away(
    transaction: AsyncConnection, meal: MealRecord, items: Sequence[Item], staying: Sequence[Item], now: datetime
) -> MealRecord | None:
    if not staying and not decode_quick_adds(meal.quick_adds):
        await drop_meal(transaction, meal, items, now)
        return None
    return await _rewrite(transaction, meal, items, staying, now)


async def _add(transaction: AsyncConnection, target: MealRecord, coming: Sequence[Item], now: datetime) -> MealRecord:
    there = await read_items(transaction, target.id)
    if len(there) + len(coming) > MOST_ITEMS:
        raise ValidationError(("toMealId", f"would have {len(there) + len(coming)} items; it may have {MOST_ITEMS}"))
    return await _rewrite(transaction, target, there, [*there, *coming], now)


async def _rewrite(
    transaction: AsyncConnection, meal: MealRecord, earlier: Sequence[Item], items: Sequence[Item], now: datetime
) -> MealRecord:
    """The meal's next version with these items."""
    await write_items(transaction, meal, earlier, items, now)
    return (await meals_by_id(transaction, [meal.id]))[meal.id]


async def _new_meal(
    transaction: AsyncConnection, meal: MealRecord, slot: MealSlot, items: Sequence[Item], now: datetime
) -> MealRecord:
    row = NewRow(
        user_id=meal.user_id,
        slot=slot.value,
        at=meal.at,
        local_date=meal.local_date,
        time_zone=meal.time_zone,
        notes=None,
    )
    return await write_meal(transaction, row, items, now)
