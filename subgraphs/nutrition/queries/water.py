"""Drinks as they are read: by id, by day, and person by person in pages."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from functools import cache

from sqlalchemy import TextClause, text

from subgraphs.shell.day_range import WITHIN_DAYS, DayRange
from subgraphs.shell.keyset import Page, PageShape, SortOrder
from subgraphs.shell.person_lists import page_of_each
from subgraphs.shell.read_pool import Reader, any_of

DRINK_COLUMNS = "id, user_id, amount_ml, at, local_date, version"


@dataclass(frozen=True, slots=True)
class DrinkRecord:
    """A drink, on the person's calendar day of its moment."""

    id: str
    user_id: str
    amount_ml: int
    at: datetime
    local_date: date
    version: int


@dataclass(frozen=True, slots=True)
class DrinkPage:
    """What a page of drinks asks for. Hashable: people with one page share a read."""

    days: DayRange
    page: Page


_BY_ID = text(f"SELECT {DRINK_COLUMNS} FROM water WHERE id = {any_of('ids')}")  # noqa: S608 - our names
_BY_DAY = text(
    f"SELECT {DRINK_COLUMNS} FROM water WHERE (user_id, local_date) IN"  # noqa: S608 - our names
    " (SELECT * FROM unnest(CAST(:user_ids AS text[]), CAST(:days AS date[]))) ORDER BY at, id"
)
_ORDER = SortOrder(("at", "id"), descending=True)


@cache
def _pages(shape: PageShape) -> TextClause:
    return text(
        "SELECT found.* FROM unnest(CAST(:user_ids AS text[])) AS person (user_id) CROSS JOIN LATERAL ("  # noqa: S608
        f" SELECT {DRINK_COLUMNS} FROM water WHERE water.user_id = person.user_id AND {WITHIN_DAYS}"
        f" AND {_ORDER.beyond(shape)} ORDER BY {_ORDER.order_by(shape)} LIMIT :limit) AS found"
    )


async def drinks_by_id(connection: Reader, ids: Sequence[str]) -> dict[str, DrinkRecord]:
    return {row[0]: DrinkRecord(*row) for row in await connection.execute(_BY_ID, {"ids": list(ids)})}


async def drinks_by_day(
    connection: Reader, days: Sequence[tuple[str, date]]
) -> dict[tuple[str, date], list[DrinkRecord]]:
    """The drinks of each (user id, local date), in the order they were drunk."""
    parameters = {"user_ids": [user_id for user_id, _ in days], "days": [day for _, day in days]}
    by_day: defaultdict[tuple[str, date], list[DrinkRecord]] = defaultdict(list)
    for row in await connection.execute(_BY_DAY, parameters):
        by_day[(row[1], row[4])].append(DrinkRecord(*row))
    return by_day


async def drinks_by_user(
    connection: Reader, user_ids: Sequence[str], wanted: DrinkPage
) -> dict[str, list[DrinkRecord]]:
    """The same page for several people in one statement: up to its limit each, nearest to the cursor first."""
    return await page_of_each(
        connection, _pages(wanted.page.shape), user_ids, wanted.page, DrinkRecord, **wanted.days.keys
    )
