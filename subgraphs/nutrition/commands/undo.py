"""Brings back what a person deleted of late: a meal, a drink or a food of one's own, under the same id."""

from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncConnection

from events.contracts.nutrition import MealUpdated
from events.outbox import append_event
from subgraphs.nutrition.commands.deleted_entry import DeletedMeal, take_deleted
from subgraphs.nutrition.commands.food import restore_food
from subgraphs.nutrition.commands.meal import refuse_too_many
from subgraphs.nutrition.commands.meal_rows import NewRow, insert_meal, meal_event
from subgraphs.nutrition.commands.water import restore_drink
from subgraphs.nutrition.queries.food import FoodRecord
from subgraphs.nutrition.queries.meal import MealRecord, meals_by_id
from subgraphs.nutrition.queries.water import DrinkRecord, drinks_by_id
from subgraphs.shell.auth import Viewer
from subgraphs.shell.database import Database
from subgraphs.shell.errors import NotFoundError
from subgraphs.shell.node import NodeKind, kind_of


async def undo_delete(
    viewer: Viewer, node_id: str, *, database: Database, now: datetime
) -> MealRecord | DrinkRecord | FoodRecord:
    """What is there again, with a higher version; what is there already is answered as it is.

    Raises NotFoundError for what was not deleted of late, and ConflictError where there is no place for it any more.
    """
    async with database.transaction() as transaction:
        if kind_of(node_id) is NodeKind.FOOD:
            return await restore_food(transaction, viewer, node_id, now)
        deleted = await take_deleted(transaction, viewer.id, node_id)
        if deleted is None:
            return await _still_there(transaction, viewer, node_id)
        version, was = deleted[0] + 1, deleted[1]
        if isinstance(was, DeletedMeal):
            return await _restore_meal(transaction, viewer.id, node_id, version, was, now)
        return await restore_drink(transaction, viewer.id, node_id, version, was, now)


async def _restore_meal(
    transaction: AsyncConnection, user_id: str, meal_id: str, version: int, was: DeletedMeal, now: datetime
) -> MealRecord:
    row = NewRow(
        user_id=user_id,
        slot=was.slot,
        at=was.at,
        local_date=was.local_date,
        time_zone=was.time_zone,
        notes=was.notes,
        quick_adds=was.quick_adds,
        custom_slot=was.custom_slot,
    )
    await insert_meal(transaction, meal_id, row, was.items, version)
    await refuse_too_many(transaction, row)
    await append_event(transaction, meal_event(MealUpdated, meal_id, row, was.items, version, now))
    return (await meals_by_id(transaction, [meal_id]))[meal_id]


async def _still_there(transaction: AsyncConnection, viewer: Viewer, node_id: str) -> MealRecord | DrinkRecord:
    """Somebody who undoes twice finds it. Raises NotFoundError where there is nothing of the viewer."""
    found = (await meals_by_id(transaction, [node_id])).get(node_id)
    entry = found or (await drinks_by_id(transaction, [node_id])).get(node_id)
    if entry is None or entry.user_id != viewer.id:
        raise NotFoundError("You deleted nothing with this id of late.")
    return entry
