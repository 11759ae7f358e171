"""Logging, changing, copying and deleting meals. Each command checks, writes rows and event in one transaction."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal

from sqlalchemy.ext.asyncio import AsyncConnection

from events.contracts.nutrition import MealDeleted, MealLogged, MealUpdated
from events.envelope import new_id
from events.outbox import NewEvent, append_event
from subgraphs.auth import Viewer
from subgraphs.database import Database
from subgraphs.errors import Checks, NotFoundError, StaleVersionError
from subgraphs.nutrition.commands.meal_rows import (
    NewRow,
    delete_meal_row,
    insert_meal,
    meal_event,
    read_items,
    replace_meal,
)
from subgraphs.nutrition.domain.meal import (
    Item,
    ItemDraft,
    MealSlot,
    PricedFood,
    check_instant,
    check_meal,
    price_items,
    scale_items,
)
from subgraphs.nutrition.domain.nutrients import decode_nutrients
from subgraphs.nutrition.queries.food import foods_by_id, portions_by_food
from subgraphs.nutrition.queries.meal import MealRecord, lock_meal, meal_by_idempotency_key, meals_by_id
from subgraphs.nutrition.queries.person import PersonRecord, person_of
from subgraphs.scalars import is_time_zone, local_date
from subgraphs.telemetry import current_traceparent


@dataclass(frozen=True, slots=True, kw_only=True)
class NewMeal:
    """A meal as it is told. `time_zone` is where the person was, if elsewhere than at home."""

    slot: MealSlot
    at: datetime
    items: Sequence[ItemDraft]
    notes: str | None = None
    time_zone: str | None = None
    idempotency_key: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class MealChanges:
    """What is to be different; None stays as it is, and `notes` "" takes them away."""

    slot: MealSlot | None = None
    at: datetime | None = None
    items: Sequence[ItemDraft] | None = None
    notes: str | None = None
    time_zone: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class MealCopy:
    """Where a copy goes, and how much of everything it has."""

    at: datetime
    slot: MealSlot | None = None
    scale: Decimal = Decimal(1)
    idempotency_key: str | None = None


async def log_meal(viewer: Viewer, new: NewMeal, *, database: Database, now: datetime) -> MealRecord:
    """Store a meal and announce it, or neither. Raises ValidationError.

    Logging twice with one idempotency key returns the first meal.
    """
    checks = Checks()
    check_meal(checks, items=new.items, notes=new.notes, at=new.at, now=now)
    _check_zone(checks, new.time_zone)
    checks.done()
    async with database.transaction() as transaction:
        person = await person_of(transaction, viewer)
        items = price_items(new.items, await priced_foods(transaction, viewer.id, new.items))
        return await write_meal(transaction, new_row(person, new), items, now)


async def copy_meal(viewer: Viewer, meal_id: str, copy: MealCopy, *, database: Database, now: datetime) -> MealRecord:
    """Log the same foods at the same prices again. Raises NotFoundError, ValidationError."""
    checks = Checks()
    check_instant(checks, copy.at, now)
    checks.require(Decimal("0.1") <= copy.scale <= 10, "scale", "must be from 0.1 to 10")
    checks.done()
    async with database.transaction() as transaction:
        source = (await meals_by_id(transaction, [meal_id])).get(meal_id)
        if source is None or source.user_id != viewer.id:
            raise NotFoundError("There is no such meal.")
        person = await person_of(transaction, viewer)
        items = scale_items(await read_items(transaction, meal_id), copy.scale)
        new = NewMeal(
            slot=copy.slot or MealSlot(source.slot),
            at=copy.at,
            items=(),
            notes=source.notes,
            idempotency_key=copy.idempotency_key,
        )
        return await write_meal(transaction, new_row(person, new), items, now)


async def update_meal(
    viewer: Viewer,
    meal_id: str,
    changes: MealChanges,
    *,
    expected_version: int | None,
    database: Database,
    now: datetime,
) -> MealRecord:
    """Change a meal; foods that it had keep their prices. Raises NotFoundError, StaleVersionError, ValidationError."""
    async with database.transaction() as transaction:
        meal = await _locked(transaction, viewer, meal_id, expected_version)
        earlier = await read_items(transaction, meal_id)
        at = changes.at or meal.at
        notes = meal.notes if changes.notes is None else changes.notes or None
        drafts = _drafts(earlier) if changes.items is None else changes.items
        checks = Checks()
        check_meal(checks, items=drafts, notes=notes, at=at, now=now)
        _check_zone(checks, changes.time_zone)
        checks.done()
        items = earlier
        if changes.items is not None:
            foods = await priced_foods(transaction, viewer.id, drafts)
            items = price_items(drafts, foods, {item.food_id: item for item in earlier})
        row = NewRow(
            user_id=viewer.id,
            slot=(changes.slot or MealSlot(meal.slot)).value,
            at=at,
            local_date=await _day_after_change(transaction, viewer, meal, changes),
            time_zone=changes.time_zone or meal.time_zone,
            notes=notes,
        )
        await replace_meal(transaction, meal, row, items)
        previous = meal.local_date if meal.local_date != row.local_date else None
        event = meal_event(MealUpdated, meal_id, row, items, meal.version + 1, now, previous)
        await append_event(transaction, event)
        return (await meals_by_id(transaction, [meal_id]))[meal_id]


async def delete_meal(
    viewer: Viewer, meal_id: str, *, expected_version: int | None, database: Database, now: datetime
) -> MealRecord:
    """Take a meal out of the diary and return what it was. Raises NotFoundError, StaleVersionError."""
    async with database.transaction() as transaction:
        meal = await _locked(transaction, viewer, meal_id, expected_version)
        await delete_meal_row(transaction, meal_id)
        await append_event(
            transaction,
            NewEvent(
                payload=MealDeleted(meal_id=meal_id, local_date=meal.local_date),
                aggregate_id=meal_id,
                version=meal.version + 1,
                user_id=viewer.id,
                occurred_at=now,
                local_date=meal.local_date,
                time_zone=meal.time_zone,
                traceparent=current_traceparent(),
            ),
        )
        return meal


async def write_meal(transaction: AsyncConnection, row: NewRow, items: Sequence[Item], now: datetime) -> MealRecord:
    """Write rows and event; an idempotency key used before writes nothing and returns the earlier meal."""
    meal_id = new_id()
    if not await insert_meal(transaction, meal_id, row, items):
        return await meal_by_idempotency_key(transaction, row.user_id, row.idempotency_key or "")
    await append_event(transaction, meal_event(MealLogged, meal_id, row, items, 1, now))
    return (await meals_by_id(transaction, [meal_id]))[meal_id]


async def priced_foods(
    transaction: AsyncConnection, viewer_id: str, drafts: Iterable[ItemDraft]
) -> dict[str, PricedFood]:
    """The foods that the drafts name, as far as the viewer may see them."""
    ids = sorted({draft.food_id for draft in drafts})
    foods = await foods_by_id(transaction, ids)
    portions = await portions_by_food(transaction, ids)
    return {
        food.id: PricedFood(food.id, food.name, food.version, decode_nutrients(food.per_100), portions.get(food.id, ()))
        for food in foods.values()
        if food.is_visible_to(viewer_id)
    }


async def _locked(
    transaction: AsyncConnection, viewer: Viewer, meal_id: str, expected_version: int | None
) -> MealRecord:
    meal = await lock_meal(transaction, viewer.id, meal_id)
    if meal is None:
        raise NotFoundError("There is no such meal.")
    if expected_version is not None and expected_version != meal.version:
        raise StaleVersionError("meal", expected=expected_version, current=meal.version)
    return meal


async def _day_after_change(
    transaction: AsyncConnection, viewer: Viewer, meal: MealRecord, changes: MealChanges
) -> date:
    """A meal keeps its day unless it is moved: a change of the person's clock moves no old entries."""
    if changes.at is None and changes.time_zone is None:
        return meal.local_date
    person = await person_of(transaction, viewer)
    return local_date(changes.at or meal.at, changes.time_zone or meal.time_zone, person.day_start_hour)


def new_row(person: PersonRecord, new: NewMeal) -> NewRow:
    """The columns of a new meal; its calendar day is the person's where it was eaten."""
    zone = new.time_zone or person.time_zone
    return NewRow(
        user_id=person.user_id,
        slot=new.slot.value,
        at=new.at,
        local_date=local_date(new.at, zone, person.day_start_hour),
        time_zone=zone,
        notes=new.notes or None,
        idempotency_key=new.idempotency_key,
    )


def _drafts(items: Iterable[Item]) -> list[ItemDraft]:
    return [ItemDraft(item.food_id, item.grams, item.portion, item.quantity) for item in items]


def _check_zone(checks: Checks, time_zone: str | None) -> None:
    valid = time_zone is None or is_time_zone(time_zone)
    checks.require(valid, "timeZone", "must be an IANA time zone such as Europe/Berlin")
