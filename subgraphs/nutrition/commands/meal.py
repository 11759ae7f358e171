"""Logging, changing, copying and deleting meals. Each command checks, writes rows and event in one transaction."""

from collections.abc import Container, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from sqlalchemy.ext.asyncio import AsyncConnection

from events.contracts.nutrition import MealDeleted, MealLogged, MealUpdated
from events.outbox import NewEvent, append_event
from subgraphs.nutrition.commands.custom_slot import placed
from subgraphs.nutrition.commands.deleted_entry import keep_deleted_meal
from subgraphs.nutrition.commands.meal_rows import (
    NewRow,
    delete_meal_row,
    insert_meal,
    meal_event,
    read_items,
    replace_meal,
)
from subgraphs.nutrition.domain.meal import (
    MOST_MEALS_A_DAY,
    Item,
    ItemDraft,
    MealSlot,
    PricedFood,
    check_meal,
    check_quick_add,
    check_scale,
    price_items,
    scale_items,
)
from subgraphs.nutrition.domain.nutrients import QuickAdd, decode_nutrients, decode_quick_adds
from subgraphs.nutrition.queries.food import foods_by_id, portions_by_food
from subgraphs.nutrition.queries.meal import (
    MealRecord,
    count_meals_of_day,
    lock_meal,
    meals_by_id,
)
from subgraphs.nutrition.queries.person import person_of
from subgraphs.shell.auth import Viewer
from subgraphs.shell.calendar import check_instant, local_date
from subgraphs.shell.database import Database
from subgraphs.shell.errors import Checks, ConflictError, NotFoundError, expect_version
from subgraphs.shell.idempotency import id_made_before, id_of_request
from subgraphs.shell.inputs import RequestKey, made_id_of
from subgraphs.shell.node import NodeKind, new_node_id
from subgraphs.shell.replicated_person import PersonRecord
from subgraphs.shell.telemetry import current_traceparent


@dataclass(frozen=True, slots=True, kw_only=True)
class NewMeal:
    """A meal as it is told. `time_zone` is where the person was, if elsewhere than at home."""

    slot: MealSlot
    at: datetime
    items: Sequence[ItemDraft] = ()
    quick_adds: Sequence[QuickAdd] = ()
    notes: str | None = None
    time_zone: str | None = None
    request: RequestKey | None = None
    custom_slot: str | None = None  # one of the person's own, which says which slot it counts as


@dataclass(frozen=True, slots=True, kw_only=True)
class MealCopy:
    """Where a copy goes, and how much of everything it has."""

    at: datetime
    slot: MealSlot | None = None
    scale: Decimal = Decimal(1)
    request: RequestKey | None = None


async def log_meal(viewer: Viewer, new: NewMeal, *, database: Database, now: datetime) -> MealRecord:
    """Store a meal and announce it, or neither. Raises ValidationError, and ConflictError for a key used otherwise.

    The same request again returns the first meal.
    """
    checks = Checks()
    check_meal(checks, items=new.items, quick_adds=new.quick_adds, notes=new.notes, at=new.at, now=now)
    checks.done()
    async with database.transaction() as transaction:
        person = await person_of(transaction, viewer)
        slot, custom_slot = await placed(transaction, viewer.id, new.slot, new.custom_slot)
        items = price_items(new.items, await priced_foods(transaction, viewer.id, new.items))
        row = new_row(person, replace(new, slot=slot, custom_slot=custom_slot))
        return await write_meal(transaction, row, items, now)


async def log_quick_add(viewer: Viewer, new: NewMeal, *, database: Database, now: datetime) -> MealRecord:
    """A meal of one quick add. Raises as `log_meal`, with the places of the one quick add's own fields."""
    checks = Checks()
    check_quick_add(checks, new.quick_adds[0])
    check_instant(checks, new.at, now, "at")
    checks.done()
    async with database.transaction() as transaction:
        return await write_meal(transaction, new_row(await person_of(transaction, viewer), new), [], now)


async def copy_meal(viewer: Viewer, meal_id: str, copy: MealCopy, *, database: Database, now: datetime) -> MealRecord:
    """Log the same foods at the same prices again. Raises NotFoundError, ValidationError, ConflictError."""
    checks = Checks()
    check_instant(checks, copy.at, now, "at")
    check_scale(checks, copy.scale)
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
            quick_adds=[each.times(copy.scale) for each in decode_quick_adds(source.quick_adds)],
            notes=source.notes,
            request=copy.request,
            custom_slot=source.custom_slot if copy.slot is None else None,
        )
        return await write_meal(transaction, new_row(person, new), items, now)


async def update_meal(
    viewer: Viewer,
    meal_id: str,
    changes: Mapping[str, Any],
    *,
    expected_version: int | None,
    database: Database,
    now: datetime,
) -> tuple[MealRecord, date | None]:
    """Change a meal; `changes` are fields of NewMeal, and foods that it had keep their prices.

    Returns the meal, and the day that it left if it left one. Raises NotFoundError, StaleVersionError, ValidationError.
    """
    async with database.transaction() as transaction:
        meal = await locked_meal(transaction, viewer, meal_id, expected_version)
        earlier = await read_items(transaction, meal_id)
        told = NewMeal(
            slot=MealSlot(meal.slot),
            at=meal.at,
            quick_adds=decode_quick_adds(meal.quick_adds),
            notes=meal.notes,
            time_zone=meal.time_zone,
        )
        new = await _moved(transaction, meal, replace(told, **changes), changes)
        drafts = new.items if "items" in changes else None
        checks = Checks()
        check_meal(checks, items=drafts, quick_adds=new.quick_adds, notes=new.notes, at=new.at, now=now)
        holds_something = bool(new.quick_adds or drafts or (drafts is None and earlier))
        checks.require(holds_something or drafts is not None, "quickAdds", "cannot be empty: the meal has no items")
        checks.done()
        items = earlier
        if drafts is not None:
            known = {item.food_id: item for item in earlier}
            items = price_items(drafts, await priced_foods(transaction, viewer.id, drafts, known), known)
        row = await _changed_row(transaction, viewer, meal, new)
        await replace_meal(transaction, meal, row, items, earlier)
        await refuse_too_many(transaction, row)
        previous = meal.local_date if meal.local_date != row.local_date else None
        event = meal_event(MealUpdated, meal_id, row, items, meal.version + 1, now, previous_day=previous)
        await append_event(transaction, event)
        return (await meals_by_id(transaction, [meal_id]))[meal_id], previous


async def delete_meal(
    viewer: Viewer, meal_id: str, *, expected_version: int | None, database: Database, now: datetime
) -> MealRecord:
    """Take a meal out of the diary and return what it was. Raises NotFoundError, StaleVersionError."""
    async with database.transaction() as transaction:
        meal = await locked_meal(transaction, viewer, meal_id, expected_version)
        items = await read_items(transaction, meal_id)
        await keep_deleted_meal(transaction, meal, items, now)
        await drop_meal(transaction, meal, items, now)
        return meal


async def drop_meal(transaction: AsyncConnection, meal: MealRecord, items: Sequence[Item], now: datetime) -> None:
    """Take the rows of a meal that the transaction has locked, and announce it."""
    await delete_meal_row(transaction, meal, items)
    await append_event(
        transaction,
        NewEvent(
            payload=MealDeleted(meal_id=meal.id, local_date=meal.local_date),
            aggregate_id=meal.id,
            version=meal.version + 1,
            user_id=meal.user_id,
            occurred_at=now,
            local_date=meal.local_date,
            time_zone=meal.time_zone,
            traceparent=current_traceparent(),
        ),
    )


async def write_meal(transaction: AsyncConnection, row: NewRow, items: Sequence[Item], now: datetime) -> MealRecord:
    """Write rows and event; a key used before writes nothing and returns the earlier meal. Raises ConflictError."""
    if earlier := await id_made_before(transaction, "meal", row.user_id, row.request):
        return (await meals_by_id(transaction, [earlier]))[earlier]
    meal_id = made_id_of(row.request) or new_node_id(NodeKind.MEAL)
    if not await insert_meal(transaction, meal_id, row, items):
        earlier = await id_of_request(transaction, "meal", row.user_id, row.request)
        assert earlier is not None  # a new id is nobody else's, so the key is
        return (await meals_by_id(transaction, [earlier]))[earlier]
    await refuse_too_many(transaction, row)
    await append_event(transaction, meal_event(MealLogged, meal_id, row, items, 1, now))
    return (await meals_by_id(transaction, [meal_id]))[meal_id]


async def write_items(
    transaction: AsyncConnection, meal: MealRecord, earlier: Sequence[Item], items: Sequence[Item], now: datetime
) -> None:
    """The next version of a meal that the transaction has locked, with these items in place of those it had."""
    row = NewRow(
        user_id=meal.user_id,
        slot=meal.slot,
        at=meal.at,
        local_date=meal.local_date,
        time_zone=meal.time_zone,
        notes=meal.notes,
        quick_adds=decode_quick_adds(meal.quick_adds),
        custom_slot=meal.custom_slot,
    )
    await replace_meal(transaction, meal, row, items, earlier)
    await append_event(transaction, meal_event(MealUpdated, meal.id, row, items, meal.version + 1, now))


async def priced_foods(
    transaction: AsyncConnection, viewer_id: str, drafts: Iterable[ItemDraft], earlier: Container[str] = ()
) -> dict[str, PricedFood]:
    """The foods that the drafts name, as far as the viewer may see them or `earlier` holds their ids."""
    ids = sorted({draft.food_id for draft in drafts})
    foods = await foods_by_id(transaction, ids)
    portions = await portions_by_food(transaction, ids)
    return {
        food.id: PricedFood(food.id, food.name, food.version, decode_nutrients(food.per_100), portions.get(food.id, ()))
        for food in foods.values()
        if food.is_visible_to(viewer_id) or food.id in earlier
    }


async def locked_meal(
    transaction: AsyncConnection, viewer: Viewer, meal_id: str, expected_version: int | None
) -> MealRecord:
    """The viewer's meal until the transaction ends. Raises NotFoundError, StaleVersionError."""
    meal = await lock_meal(transaction, viewer.id, meal_id)
    if meal is None:
        raise NotFoundError("There is no such meal.")
    expect_version("meal", expected=expected_version, current=meal.version)
    return meal


async def _moved(transaction: AsyncConnection, meal: MealRecord, new: NewMeal, changes: Mapping[str, Any]) -> NewMeal:
    """In another slot if one is told; a meal that stays where it is keeps the name of a slot that there is no more."""
    if new.custom_slot is not None:
        slot, custom_slot = await placed(transaction, meal.user_id, new.slot, new.custom_slot)
        return replace(new, slot=slot, custom_slot=custom_slot)
    return new if "slot" in changes or "custom_slot" in changes else replace(new, custom_slot=meal.custom_slot)


async def _changed_row(transaction: AsyncConnection, viewer: Viewer, meal: MealRecord, new: NewMeal) -> NewRow:
    """A meal keeps its day unless it is moved: a change of the person's clock moves no old entries."""
    zone, day = meal.time_zone, meal.local_date
    if (new.at, new.time_zone) != (meal.at, meal.time_zone):
        person = await person_of(transaction, viewer)
        zone = new.time_zone or person.time_zone
        day = local_date(new.at, zone, person.day_start_hour)
    return NewRow(
        user_id=viewer.id,
        slot=new.slot.value,
        at=new.at,
        local_date=day,
        time_zone=zone,
        notes=new.notes or None,
        quick_adds=new.quick_adds,
        custom_slot=new.custom_slot,
    )


async def refuse_too_many(transaction: AsyncConnection, row: NewRow) -> None:
    """After the row was written; raising takes it back."""
    if await count_meals_of_day(transaction, row.user_id, row.local_date) > MOST_MEALS_A_DAY:
        raise ConflictError(f"A day has at most {MOST_MEALS_A_DAY} meals.", field="at")


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
        quick_adds=new.quick_adds,
        request=new.request,
        custom_slot=new.custom_slot,
    )
