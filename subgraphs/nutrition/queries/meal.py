"""Meals as they are read: by id, by day, person by person in pages, and what they are made of."""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from functools import cache
from typing import Any, NamedTuple

from sqlalchemy import TextClause, text
from sqlalchemy.ext.asyncio import AsyncConnection

from subgraphs.nutrition.queries.food import FOOD_COLUMNS, FoodRecord
from subgraphs.shell.day_range import WITHIN_DAYS, DayRange
from subgraphs.shell.keyset import Page, PageShape, SortOrder
from subgraphs.shell.read_pool import Reader, any_of, opaque

_COLUMNS = (
    "id, user_id, slot, at, local_date, time_zone, notes, CAST(totals AS text) AS totals, version,"
    " CAST(quick_adds AS text) AS quick_adds, custom_slot"
)


class MealRecord(NamedTuple):
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


class MealItemRecord(NamedTuple):
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


#: What the statement that reads meals can bring of each: its items, and their foods.
ITEMS, FOODS = "items", "foods"
ALL_PARTS = frozenset({ITEMS, FOODS})


@dataclass(slots=True)
class MealParts:
    """What meals are made of, as far as it was asked for: items by the meal's id, in order, and foods by their own."""

    items: dict[str, list[MealItemRecord]] = field(default_factory=dict)
    foods: dict[str, FoodRecord] = field(default_factory=dict)

    def add(self, meal_id: str, wanted: Collection[str], items: Any, foods: Any) -> None:
        """What a statement brought of a meal: columns of rows, or None."""
        if ITEMS in wanted:
            self.items[meal_id] = [MealItemRecord(*item) for item in items or ()]
        for food in foods or ():
            if food[0] not in self.foods:
                self.foods[food[0]] = FoodRecord(*food)


_BY_ID = text(f"SELECT {_COLUMNS} FROM meal WHERE id = {any_of('ids')}")  # noqa: S608 - our names
_LOCK = text(f"SELECT {_COLUMNS} FROM meal WHERE id = :id AND user_id = :user_id FOR UPDATE")  # noqa: S608
_COUNT_OF_DAY = text("SELECT count(*) FROM meal WHERE user_id = :user_id AND local_date = :day")
_ITEM_COLUMNS = "meal_id, position, food_id, food_name, food_version, grams, portion, quantity, CAST(nutrients AS text)"
# Of each meal that is `found`; null where they are not wanted, and where there are none.
_PARTS = (
    f"CASE WHEN asked.with_items THEN (SELECT array_agg(ROW({_ITEM_COLUMNS}) ORDER BY position)"  # noqa: S608 - our names
    "  FROM meal_item WHERE meal_id = found.id) END,"
    f" CASE WHEN asked.with_foods THEN (SELECT array_agg(ROW({FOOD_COLUMNS})) FROM food WHERE id IN"
    "  (SELECT food_id FROM meal_item WHERE meal_id = found.id)) END"
)
_BY_DAY = text(
    f"SELECT {_PARTS}, found.* FROM unnest({opaque('user_ids', 'text[]')}, {opaque('days', 'date[]')},"  # noqa: S608 - our names
    f" {opaque('with_items', 'boolean[]')}, {opaque('with_foods', 'boolean[]')})"
    "  AS asked (user_id, day, with_items, with_foods) CROSS JOIN LATERAL ("
    f" SELECT {_COLUMNS} FROM meal WHERE user_id = asked.user_id AND local_date = asked.day) AS found ORDER BY at, id"
)
_WITH_PARTS = text(
    f"SELECT {_PARTS}, found.* FROM unnest({opaque('ids', 'text[]')}, {opaque('with_items', 'boolean[]')},"  # noqa: S608
    f" {opaque('with_foods', 'boolean[]')}) AS asked (id, with_items, with_foods) CROSS JOIN LATERAL ("
    f" SELECT {_COLUMNS} FROM meal WHERE meal.id = asked.id) AS found"
)
_ORDER = SortOrder(("at", "id"), descending=True)
_ITEMS = text(f"SELECT {_ITEM_COLUMNS} FROM meal_item WHERE meal_id = {any_of('ids')} ORDER BY meal_id, position")  # noqa: S608


@cache
def _pages(shape: PageShape, with_slot: bool) -> TextClause:
    slot = "slot = :slot" if with_slot else "true"
    return text(
        f"SELECT {_PARTS}, found.* FROM (SELECT user_id, CAST(:with_items AS boolean), CAST(:with_foods AS boolean)"  # noqa: S608
        "  FROM unnest(CAST(:user_ids AS text[])) AS person (user_id)) AS asked (user_id, with_items, with_foods) CROSS JOIN LATERAL ("
        f" SELECT {_COLUMNS} FROM meal WHERE meal.user_id = asked.user_id AND {WITHIN_DAYS} AND {slot}"
        f" AND {_ORDER.beyond(shape)} ORDER BY {_ORDER.order_by(shape)} LIMIT :limit) AS found"
    )


async def meals_by_id(connection: Reader, ids: Sequence[str]) -> dict[str, MealRecord]:
    return {row[0]: MealRecord(*row) for row in await connection.execute(_BY_ID, {"ids": list(ids)})}


async def meals_with_parts(
    connection: Reader, ids: Sequence[str], parts: Mapping[str, Collection[str]]
) -> tuple[dict[str, MealRecord], MealParts]:
    """The same, and of the meals in `parts` what of ITEMS and FOODS it says."""
    parameters = {
        "ids": list(ids),
        "with_items": [ITEMS in parts.get(each, ()) for each in ids],
        "with_foods": [FOODS in parts.get(each, ()) for each in ids],
    }
    meals: dict[str, MealRecord] = {}
    found = MealParts()
    for items, foods, *columns in await connection.execute(_WITH_PARTS, parameters):
        meal = MealRecord(*columns)
        meals[meal.id] = meal
        found.add(meal.id, parts.get(meal.id, ()), items, foods)
    return meals, found


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
    return (await meals_of_days(connection, days, {}))[0]


async def meals_of_days(
    connection: Reader, days: Sequence[tuple[str, date]], parts: Mapping[tuple[str, date], Collection[str]]
) -> tuple[dict[tuple[str, date], list[MealRecord]], MealParts]:
    """The same, and of the days in `parts` what of ITEMS and FOODS it says."""
    parameters = {
        "user_ids": [user_id for user_id, _ in days],
        "days": [day for _, day in days],
        "with_items": [ITEMS in parts.get(day, ()) for day in days],
        "with_foods": [FOODS in parts.get(day, ()) for day in days],
    }
    by_day: defaultdict[tuple[str, date], list[MealRecord]] = defaultdict(list)
    found = MealParts()
    for items, foods, *columns in await connection.execute(_BY_DAY, parameters):
        meal = MealRecord(*columns)
        day = (meal.user_id, meal.local_date)
        by_day[day].append(meal)
        found.add(meal.id, parts.get(day, ()), items, foods)
    return by_day, found


async def meals_by_user(
    connection: Reader, user_ids: Sequence[str], wanted: MealPage, parts: Collection[str] = ()
) -> tuple[dict[str, list[MealRecord]], MealParts]:
    """The same page for several people in one statement: up to its limit each, nearest to the cursor first.

    `parts` says what of ITEMS and FOODS is brought with it.
    """
    parameters = {
        "user_ids": list(user_ids),
        "limit": wanted.page.limit,
        "slot": wanted.slot,
        "with_items": ITEMS in parts,
        "with_foods": FOODS in parts,
        **wanted.days.keys,
        **wanted.page.keys,
    }
    by_user: defaultdict[str, list[MealRecord]] = defaultdict(list)
    found = MealParts()
    for items, foods, *columns in await connection.execute(
        _pages(wanted.page.shape, wanted.slot is not None), parameters
    ):
        meal = MealRecord(*columns)
        by_user[meal.user_id].append(meal)
        found.add(meal.id, parts, items, foods)
    return by_user, found


async def items_by_meal(connection: Reader, meal_ids: Sequence[str]) -> dict[str, list[MealItemRecord]]:
    """The items of each meal, in order."""
    by_meal: defaultdict[str, list[MealItemRecord]] = defaultdict(list)
    for row in await connection.execute(_ITEMS, {"ids": list(meal_ids)}):
        by_meal[row[0]].append(MealItemRecord(*row))
    return by_meal
