"""Plans of meals and the meals that are planned, as they are read."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from functools import cache

from sqlalchemy import TextClause, text

from subgraphs.shell.keyset import Page, PageShape, SortOrder
from subgraphs.shell.person_lists import page_of_each
from subgraphs.shell.read_pool import Reader, any_of

PLAN_COLUMNS = "id, user_id, name, CAST(days AS text) AS days, version, created_at, author_id"
PLANNED_COLUMNS = (
    "id, user_id, local_date, position, slot, custom_slot, CAST(content AS text) AS content, meal_id, author_id"
)


@dataclass(frozen=True, slots=True)
class MealPlanRecord:
    """`days` is encoded by `domain.meal_plan`."""

    id: str
    user_id: str
    name: str
    days: str
    version: int
    created_at: datetime
    author_id: str | None


@dataclass(frozen=True, slots=True)
class PlannedMealRecord:
    """A meal that is planned for a day; `content` is encoded, `meal_id` what it was logged as."""

    id: str
    user_id: str
    local_date: date
    position: int
    slot: str
    custom_slot: str | None
    content: str
    meal_id: str | None
    author_id: str | None


_BY_ID = text(f"SELECT {PLAN_COLUMNS} FROM meal_plan WHERE id = {any_of('ids')}")  # noqa: S608 - our names
_PLANNED_BY_ID = text(f"SELECT {PLANNED_COLUMNS} FROM planned_meal WHERE id = {any_of('ids')}")  # noqa: S608 - our names
_PLANNED_BY_DAY = text(
    f"SELECT {PLANNED_COLUMNS} FROM planned_meal WHERE (user_id, local_date) IN"  # noqa: S608
    " (SELECT * FROM unnest(CAST(:user_ids AS text[]), CAST(:days AS date[]))) ORDER BY local_date, position, id"
)
_NEWEST = SortOrder(("created_at", "id"), descending=True)
_BY_DATE = SortOrder(("local_date", "position", "id"))


@cache
def _plans(shape: PageShape) -> TextClause:
    return text(
        "SELECT found.* FROM unnest(CAST(:user_ids AS text[])) AS person (user_id) CROSS JOIN LATERAL ("  # noqa: S608
        f" SELECT {PLAN_COLUMNS} FROM meal_plan WHERE meal_plan.user_id = person.user_id"
        f" AND {_NEWEST.beyond(shape)} ORDER BY {_NEWEST.order_by(shape)} LIMIT :limit) AS found"
    )


@cache
def _planned(shape: PageShape) -> TextClause:
    return text(
        "SELECT found.* FROM unnest(CAST(:user_ids AS text[])) AS person (user_id) CROSS JOIN LATERAL ("  # noqa: S608
        f" SELECT {PLANNED_COLUMNS} FROM planned_meal WHERE planned_meal.user_id = person.user_id"
        f" AND {_BY_DATE.beyond(shape)} ORDER BY {_BY_DATE.order_by(shape)} LIMIT :limit) AS found"
    )


async def meal_plans_by_id(connection: Reader, ids: Sequence[str]) -> dict[str, MealPlanRecord]:
    return {row[0]: MealPlanRecord(*row) for row in await connection.execute(_BY_ID, {"ids": list(ids)})}


async def meal_plans_by_user(
    connection: Reader, user_ids: Sequence[str], page: Page
) -> dict[str, list[MealPlanRecord]]:
    """A page of each person's, nearest to the cursor first."""
    return await page_of_each(connection, _plans(page.shape), user_ids, page, MealPlanRecord)


async def planned_meals_by_id(connection: Reader, ids: Sequence[str]) -> dict[str, PlannedMealRecord]:
    return {row[0]: PlannedMealRecord(*row) for row in await connection.execute(_PLANNED_BY_ID, {"ids": list(ids)})}


async def planned_meals_by_user(
    connection: Reader, user_ids: Sequence[str], page: Page
) -> dict[str, list[PlannedMealRecord]]:
    """A page of each person's, by date, nearest to the cursor first."""
    return await page_of_each(connection, _planned(page.shape), user_ids, page, PlannedMealRecord)


async def planned_meals_by_day(
    connection: Reader, days: Sequence[tuple[str, date]]
) -> dict[tuple[str, date], list[PlannedMealRecord]]:
    """What is planned for each (user id, local date), in the plan's order."""
    parameters = {"user_ids": [user_id for user_id, _ in days], "days": [day for _, day in days]}
    by_day: defaultdict[tuple[str, date], list[PlannedMealRecord]] = defaultdict(list)
    for row in await connection.execute(_PLANNED_BY_DAY, parameters):
        by_day[(row[1], row[2])].append(PlannedMealRecord(*row))
    return by_day
