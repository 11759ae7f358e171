"""Saved meals as they are read: by id, and a person's, newest first."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache

from sqlalchemy import TextClause, text

from subgraphs.shell.keyset import Page, PageShape, SortOrder
from subgraphs.shell.person_lists import page_of_each
from subgraphs.shell.read_pool import Reader, any_of

SAVED_MEAL_COLUMNS = "id, user_id, name, slot, CAST(content AS text) AS content, version, created_at"


@dataclass(frozen=True, slots=True)
class SavedMealRecord:
    """`content` is encoded."""

    id: str
    user_id: str
    name: str
    slot: str | None
    content: str
    version: int
    created_at: datetime


_BY_ID = text(f"SELECT {SAVED_MEAL_COLUMNS} FROM saved_meal WHERE id = {any_of('ids')}")  # noqa: S608 - our names
_NEWEST = SortOrder(("created_at", "id"), descending=True)


@cache
def _of_people(shape: PageShape) -> TextClause:
    return text(
        "SELECT found.* FROM unnest(CAST(:user_ids AS text[])) AS person (user_id) CROSS JOIN LATERAL ("  # noqa: S608
        f" SELECT {SAVED_MEAL_COLUMNS} FROM saved_meal WHERE saved_meal.user_id = person.user_id"
        f" AND {_NEWEST.beyond(shape)} ORDER BY {_NEWEST.order_by(shape)} LIMIT :limit) AS found"
    )


async def saved_meals_by_id(connection: Reader, ids: Sequence[str]) -> dict[str, SavedMealRecord]:
    return {row[0]: SavedMealRecord(*row) for row in await connection.execute(_BY_ID, {"ids": list(ids)})}


async def saved_meals_by_user(
    connection: Reader, user_ids: Sequence[str], page: Page
) -> dict[str, list[SavedMealRecord]]:
    """A page of each person's, nearest to the cursor first."""
    return await page_of_each(connection, _of_people(page.shape), user_ids, page, SavedMealRecord)
