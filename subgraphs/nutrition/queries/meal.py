"""Meals as they are read: by id, by day, person by person in pages, and what they are made of."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from functools import cache

from sqlalchemy import TextClause, text
from sqlalchemy.ext.asyncio import AsyncConnection

from subgraphs.shell.day_range import WITHIN_DAYS, DayRange
from subgraphs.shell.keyset import Page, PageShape, SortOrder
from subgraphs.shell.person_lists import page_of_each
from subgraphs.shell.read_pool import Reader

_COLUMNS = (
    "id, user_id, slot, at, local_date, time_zone, notes, CAST(totals AS text) AS totals, version,"
    " CAST(quick_adds AS text) AS quick_adds, custom_slot"
)


@dataclass(frozen=True, slots=True)
class MealRecord:
    """One meal without its items; `totals` and `quick_adds` are encoded."""

    id: str
    user_id: str
    slot: str
    at: datetime
    local_date: date
    time_zone: str
    notes: str | None
    totals: str
    version: int
    quick_adds: str
    custom_slot: str | None


@dataclass(frozen=True, slots=True)
class MealItemRecord:
    """A portion of a food in a meal; `nutrients` is encoded and as of when it was logged."""

    meal_id: str
    position: int
    food_id: str
    food_name: str
    food_version: int
    grams: Decimal
    portion: str | None
    quantity: Decimal | None
    nutrients: str


@dataclass(frozen=True, slots=True)
class MealPage:
    """What a page of meals asks for. Hashable: people with one page share a read."""

    days: DayRange
    slot: str | None
    page: Page


_BY_ID = text(f"SELECT {_COLUMNS} FROM meal WHERE id = ANY(:ids)")  # noqa: S608 - our names
_LOCK = text(f"SELECT {_COLUMNS} FROM meal WHERE id = :id AND user_id = :user_id FOR UPDATE")  # noqa: S608
_COUNT_OF_DAY = text("SELECT count(*) FROM meal WHERE user_id = :user_id AND local_date = :day")
_BY_DAY = text(
    f"SELECT {_COLUMNS} FROM meal WHERE (user_id, local_date) IN"  # noqa: S608 - our names
    " (SELECT * FROM unnest(CAST(:user_ids AS text[]), CAST(:days AS date[]))) ORDER BY at, id"
)
_ORDER = SortOrder(("at", "id"), descending=True)
_ITEMS = text(
    "SELECT meal_id, position, food_id, food_name, food_version, grams, portion, quantity,"
    " CAST(nutrients AS text)"
    " FROM meal_item WHERE meal_id = ANY(:ids) ORDER BY meal_id, position"
)


@cache
def _pages(shape: PageShape, with_slot: bool) -> TextClause:
    slot = "slot = :slot" if with_slot else "true"
    return text(
        "SELECT found.* FROM unnest(CAST(:user_ids AS text[])) AS person (user_id) CROSS JOIN LATERAL ("  # noqa: S608
        f" SELECT {_COLUMNS} FROM meal WHERE meal.user_id = person.user_id AND {WITHIN_DAYS} AND {slot}"
        f" AND {_ORDER.beyond(shape)} ORDER BY {_ORDER.order_by(shape)} LIMIT :limit) AS found"
    )


async def meals_by_id(connection: Reader, ids: Sequence[str]) -> dict[str, MealRecord]:
    return {row[0]: MealRecord(*row) for row in await connection.execute(_BY_ID, {"ids": list(ids)})}


async def lock_meal(connection: AsyncConnection, user_id: str, meal_id: str) -> MealRecord | None:
    """The person's meal, which nobody else changes until the transaction ends."""
    row = (await connection.execute(_LOCK, {"id": meal_id, "user_id": user_id})).one_or_none()
    return None if row is None else MealRecord(*row)


async def count_meals_of_day(connection: AsyncConnection, user_id: str, day: date) -> int:
    return int((await connection.execute(_COUNT_OF_DAY, {"user_id": user_id, "day": day})).scalar_one())


async def meals_by_day(
    connection: Reader, days: Sequence[tuple[str, date]]
) -> dict[tuple[str, date], list[MealRecord]]:
    """The meals of each (user id, local date), in the order they were eaten."""
    parameters = {"user_ids": [user_id for user_id, _ in days], "days": [day for _, day in days]}
    by_day: defaultdict[tuple[str, date], list[MealRecord]] = defaultdict(list)
    for row in await connection.execute(_BY_DAY, parameters):
        by_day[(row[1], row[4])].append(MealRecord(*row))
    return by_day


async def meals_by_user(connection: Reader, user_ids: Sequence[str], wanted: MealPage) -> dict[str, list[MealRecord]]:
    """The same page for several people in one statement: up to its limit each, nearest to the cursor first."""
    return await page_of_each(
        connection,
        _pages(wanted.page.shape, wanted.slot is not None),
        user_ids,
        wanted.page,
        MealRecord,
        slot=wanted.slot,
        **wanted.days.keys,
    )


async def items_by_meal(connection: Reader, meal_ids: Sequence[str]) -> dict[str, list[MealItemRecord]]:
    """The items of each meal, in order."""
    by_meal: defaultdict[str, list[MealItemRecord]] = defaultdict(list)
    for row in await connection.execute(_ITEMS, {"ids": list(meal_ids)}):
        by_meal[row[0]].append(MealItemRecord(*row))
    return by_meal
