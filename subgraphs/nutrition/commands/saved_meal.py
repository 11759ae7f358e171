"""Meals that a person keeps to log again: kept, changed, deleted, logged at the nutrients that their foods have then."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from events.envelope import new_id
from subgraphs.nutrition.commands.meal import NewMeal, new_row, priced_foods, write_meal
from subgraphs.nutrition.commands.meal_rows import read_items
from subgraphs.nutrition.domain.meal import (
    MOST_ITEMS,
    ItemDraft,
    MealSlot,
    check_amounts,
    check_quick_adds,
    check_scale,
    price_items,
)
from subgraphs.nutrition.domain.nutrients import QuickAdd, decode_quick_adds
from subgraphs.nutrition.domain.saved_meal import (
    MOST_SAVED_MEALS,
    SavedContent,
    check_name,
    decode_content,
    draft_of,
    encode_content,
)
from subgraphs.nutrition.queries.meal import MealRecord, meals_by_id
from subgraphs.nutrition.queries.person import person_of
from subgraphs.nutrition.queries.saved_meal import SAVED_MEAL_COLUMNS, SavedMealRecord, saved_meals_by_id
from subgraphs.shell.auth import Viewer
from subgraphs.shell.calendar import check_instant
from subgraphs.shell.database import Database, take_turns
from subgraphs.shell.errors import Checks, ConflictError, NotFoundError, expect_version
from subgraphs.shell.idempotency import id_of_request, key_columns
from subgraphs.shell.inputs import RequestKey, made_id_of

_COUNT = text("SELECT count(*) FROM saved_meal WHERE user_id = :user_id")
_INSERT = text(
    "INSERT INTO saved_meal (id, user_id, name, slot, content, created_at, idempotency_key, idempotency_content)"
    " VALUES (:id, :user_id, :name, :slot, CAST(:content AS jsonb), :created_at, :idempotency_key,"
    " :idempotency_content)"
)
_UPDATE = text(
    "UPDATE saved_meal SET name = :name, slot = :slot, content = CAST(:content AS jsonb), version = version + 1"
    " WHERE id = :id"
)
_LOCK = text(f"SELECT {SAVED_MEAL_COLUMNS} FROM saved_meal WHERE id = :id AND user_id = :user_id FOR UPDATE")  # noqa: S608


@dataclass(frozen=True, slots=True, kw_only=True)
class NewSavedMeal:
    """A meal to keep: of what it is made, or which meal it is like."""

    name: str
    slot: MealSlot | None = None
    items: Sequence[ItemDraft] = ()
    quick_adds: Sequence[QuickAdd] = ()
    meal_id: str | None = None
    request: RequestKey | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SavedMealLog:
    """When and as what a saved meal is logged, and how much of everything. `slot` None: as it was saved, else a snack."""

    at: datetime
    slot: MealSlot | None = None
    time_zone: str | None = None
    scale: Decimal = Decimal(1)
    request: RequestKey | None = None


async def save_meal(viewer: Viewer, new: NewSavedMeal, *, database: Database, now: datetime) -> SavedMealRecord:
    """Keep a meal. Raises ValidationError, NotFoundError, and ConflictError for too many or a key used otherwise."""
    checks = Checks()
    one = (new.meal_id is None) != (not new.items and not new.quick_adds)
    checks.require(one, "mealId", "must be told, or items or quickAdds, and not both")
    _check(checks, new)
    checks.done()
    async with database.transaction() as transaction:
        await take_turns(transaction, "saved_meal", viewer.id)
        earlier = await id_of_request(transaction, "saved_meal", viewer.id, new.request)
        if earlier is None:
            if (await transaction.execute(_COUNT, {"user_id": viewer.id})).scalar_one() >= MOST_SAVED_MEALS:
                raise ConflictError(f"There may be at most {MOST_SAVED_MEALS} saved meals: delete one first.")
            earlier = made_id_of(new.request) or new_id()
            row = {
                "id": earlier,
                "user_id": viewer.id,
                **await _row(transaction, viewer, new),
                "created_at": now,
                **key_columns(new.request),
            }
            await transaction.execute(_INSERT, row)
        return (await saved_meals_by_id(transaction, [earlier]))[earlier]


async def update_saved_meal(
    viewer: Viewer, saved_id: str, changes: Mapping[str, Any], *, expected_version: int | None, database: Database
) -> SavedMealRecord:
    """Change a saved meal; `changes` are fields of NewSavedMeal. Raises NotFoundError, StaleVersionError, ValidationError."""
    async with database.transaction() as transaction:
        saved = await _locked(transaction, viewer, saved_id, expected_version)
        content = decode_content(saved.content)
        slot = None if saved.slot is None else MealSlot(saved.slot)
        told = NewSavedMeal(name=saved.name, slot=slot, items=content.items, quick_adds=content.quick_adds)
        new = replace(told, **changes)
        checks = Checks()
        checks.require(bool(new.items or new.quick_adds), "items", "cannot be empty without quickAdds")
        _check(checks, new)
        checks.done()
        row = {"id": saved_id, "name": new.name.strip(), "slot": new.slot.value if new.slot else None}
        if "items" in changes:
            row |= await _row(transaction, viewer, new)
        else:  # what stays is not looked at again: a food of it may be gone by now
            row["content"] = encode_content(SavedContent(items=content.items, quick_adds=tuple(new.quick_adds)))
        await transaction.execute(_UPDATE, row)
        return (await saved_meals_by_id(transaction, [saved_id]))[saved_id]


async def delete_saved_meal(viewer: Viewer, saved_id: str, *, expected_version: int | None, database: Database) -> None:
    """Meals that were logged from it stay. Raises NotFoundError, StaleVersionError."""
    async with database.transaction() as transaction:
        await _locked(transaction, viewer, saved_id, expected_version)
        await transaction.execute(text("DELETE FROM saved_meal WHERE id = :id"), {"id": saved_id})


async def log_saved_meal(
    viewer: Viewer, saved_id: str, log: SavedMealLog, *, database: Database, now: datetime
) -> MealRecord:
    """Log it at today's nutrients. Raises NotFoundError, ConflictError, and ValidationError for foods that are gone."""
    checks = Checks()
    check_instant(checks, log.at, now, "at")
    check_scale(checks, log.scale)
    checks.done()
    async with database.transaction() as transaction:
        saved = (await saved_meals_by_id(transaction, [saved_id])).get(saved_id)
        if saved is None or saved.user_id != viewer.id:
            raise NotFoundError("There is no such saved meal.")
        content = decode_content(saved.content).times(log.scale)
        items = price_items(content.items, await priced_foods(transaction, viewer.id, content.items))
        new = NewMeal(
            slot=log.slot or MealSlot(saved.slot or MealSlot.SNACK),
            at=log.at,
            quick_adds=content.quick_adds,
            time_zone=log.time_zone,
            request=log.request,
        )
        return await write_meal(transaction, new_row(await person_of(transaction, viewer), new), items, now)


def _check(checks: Checks, new: NewSavedMeal) -> None:
    check_name(checks, new.name)
    check_quick_adds(checks, new.quick_adds)
    if checks.require(len(new.items) <= MOST_ITEMS, "items", f"may have at most {MOST_ITEMS} entries"):
        check_amounts(checks, new.items)


async def _row(transaction: AsyncConnection, viewer: Viewer, new: NewSavedMeal) -> dict[str, Any]:
    """Its own columns, with the grams of each item. Raises ValidationError, NotFoundError."""
    if new.meal_id is not None:
        meal = (await meals_by_id(transaction, [new.meal_id])).get(new.meal_id)
        if meal is None or meal.user_id != viewer.id:
            raise NotFoundError("There is no such meal.", field="mealId")
        items = await read_items(transaction, meal.id)
        new = replace(new, slot=new.slot or MealSlot(meal.slot), quick_adds=decode_quick_adds(meal.quick_adds))
    else:
        items = price_items(new.items, await priced_foods(transaction, viewer.id, new.items))
    content = SavedContent(items=tuple(draft_of(item) for item in items), quick_adds=tuple(new.quick_adds))
    return {
        "name": new.name.strip(),
        "slot": new.slot.value if new.slot else None,
        "content": encode_content(content),
    }


async def _locked(
    transaction: AsyncConnection, viewer: Viewer, saved_id: str, expected_version: int | None
) -> SavedMealRecord:
    row = (await transaction.execute(_LOCK, {"id": saved_id, "user_id": viewer.id})).one_or_none()
    if row is None:
        raise NotFoundError("There is no such saved meal.")
    saved = SavedMealRecord(*row)
    expect_version("saved meal", expected=expected_version, current=saved.version)
    return saved
