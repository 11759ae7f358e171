"""Copies a day of the diary to another, meal by meal at the same hour and the same nutrients."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal

from asyncpg.exceptions import UniqueViolationError
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from events.outbox import append_events
from subgraphs.nutrition.commands.meal_rows import NewRow, copy_meals, items_of_meals
from subgraphs.nutrition.domain.meal import MOST_MEALS_A_DAY, MealSlot, check_scale, scale_items
from subgraphs.nutrition.domain.nutrients import decode_quick_adds
from subgraphs.nutrition.queries.meal import MealRecord, count_meals_of_day, meals_by_day, meals_by_id
from subgraphs.nutrition.queries.person import person_of
from subgraphs.shell.auth import Viewer
from subgraphs.shell.calendar import local_date, same_clock_on
from subgraphs.shell.database import Database, take_turns
from subgraphs.shell.errors import Checks, ConflictError, NotFoundError
from subgraphs.shell.inputs import RequestKey
from subgraphs.shell.node import NodeKind, new_node_id
from subgraphs.shell.replicated_person import PersonRecord
from subgraphs.shell.scalars import IdempotencyKey

_BY_KEYS = text(
    "SELECT id, idempotency_content FROM meal WHERE user_id = :user_id AND idempotency_key = ANY(CAST(:keys AS text[]))"
    " ORDER BY at, id"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class DayCopy:
    """Which day to copy, to which (None: the person's today), and what of it."""

    source: date
    target: date | None = None
    slots: Collection[MealSlot] = tuple(MealSlot)
    scale: Decimal = Decimal(1)
    request: RequestKey | None = None


async def copy_day(
    viewer: Viewer, copy: DayCopy, *, database: Database, now: datetime
) -> tuple[date, list[MealRecord]]:
    """The day that was copied to and the meals that came to it; the same request again finds those.

    Raises ValidationError for a day to come, the same day or a scale out of range, NotFoundError for a day without such
    meals, and ConflictError for too many meals or a key used otherwise.
    """
    checks = Checks()
    check_scale(checks, copy.scale)
    async with database.transaction() as transaction:
        person = await person_of(transaction, viewer)
        today = local_date(now, person.time_zone, person.day_start_hour)
        target = copy.target or today
        checks.require(target <= today, "to", "must not be in the future")
        checks.require(target != copy.source, "to", "must be another day than `from`")
        checks.done()
        await take_turns(transaction, "copy_day", viewer.id)
        earlier = await _of_request(transaction, viewer.id, copy.request)
        if earlier:
            return target, earlier
        day = (viewer.id, copy.source)
        meals = [meal for meal in (await meals_by_day(transaction, [day])).get(day, []) if meal.slot in copy.slots]
        if not meals:
            raise NotFoundError("There are no such meals on that day.", field="from")
        return target, await _write(transaction, person, copy, target, meals, now)


async def _write(
    transaction: AsyncConnection,
    person: PersonRecord,
    copy: DayCopy,
    target: date,
    meals: Sequence[MealRecord],
    now: datetime,
) -> list[MealRecord]:
    """A constant number of statements, however many meals there are."""
    items = await items_of_meals(transaction, [meal.id for meal in meals])
    new = [
        (
            new_node_id(NodeKind.MEAL),
            _row(person, copy, target, meal, number, now),
            scale_items(items.get(meal.id, ()), copy.scale),
        )
        for number, meal in enumerate(meals)
    ]
    try:
        await copy_meals(transaction, new, now, append_events)
    except UniqueViolationError:
        raise ConflictError("This idempotency key is in use.", field="idempotencyKey") from None
    if await count_meals_of_day(transaction, person.user_id, target) > MOST_MEALS_A_DAY:
        raise ConflictError(f"A day has at most {MOST_MEALS_A_DAY} meals.", field="to")
    written = await meals_by_id(transaction, [meal_id for meal_id, _, _ in new])
    return [written[meal_id] for meal_id, _, _ in new]


def _row(person: PersonRecord, copy: DayCopy, target: date, meal: MealRecord, number: int, now: datetime) -> NewRow:
    at = same_clock_on(target, meal.at, person.time_zone, person.day_start_hour, zone_of_at=meal.time_zone)
    request = copy.request
    if request is not None:
        request = RequestKey(_keys(request.key)[number], request.content)
    return NewRow(
        user_id=person.user_id,
        slot=meal.slot,
        at=min(at, now),  # what is to come on the day is logged as of now
        local_date=target,
        time_zone=person.time_zone,
        notes=meal.notes,
        quick_adds=[each.times(copy.scale) for each in decode_quick_adds(meal.quick_adds)],
        request=request,
        custom_slot=meal.custom_slot,
    )


async def _of_request(transaction: AsyncConnection, user_id: str, request: RequestKey | None) -> list[MealRecord]:
    """The meals that came of this request before, in order; empty if none did or none is left."""
    if request is None:
        return []
    rows = await transaction.execute(_BY_KEYS, {"user_id": user_id, "keys": _keys(request.key)})
    ids = []
    for row in rows:
        request.refuse_other_content(row.idempotency_content)
        ids.append(row.id)
    meals = await meals_by_id(transaction, ids)
    return [meals[meal_id] for meal_id in ids]


def _keys(key: str) -> list[IdempotencyKey]:
    """The key of each meal of a copied day: the client's own and, with a blank that no client's key has, more of it."""
    more = [IdempotencyKey(f"{key} {number}") for number in range(1, MOST_MEALS_A_DAY)]
    return [IdempotencyKey(key), *more]
