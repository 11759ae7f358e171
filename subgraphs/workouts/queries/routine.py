"""Routines as they are read: by id, and page by page."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache

from sqlalchemy import TextClause, text

from subgraphs.shell.keyset import Page, PageShape, SortOrder
from subgraphs.shell.person_lists import count_of_each, page_of_each
from subgraphs.shell.read_pool import Reader, any_of

ROUTINE_COLUMNS = "id, user_id, name, schedule, CAST(days AS text) AS days, version, created_at, planned_at, author_id"


@dataclass(frozen=True, slots=True)
class RoutineRecord:
    """`days` is encoded by `domain.routine`; they were told at `planned_at`."""

    id: str
    user_id: str
    name: str
    schedule: str
    days: str
    version: int
    created_at: datetime
    planned_at: datetime
    author_id: str | None


_BY_ID = text(f"SELECT {ROUTINE_COLUMNS} FROM routine WHERE id = {any_of('ids')}")  # noqa: S608 - our names
_COUNTS = text("SELECT user_id, count(*) FROM routine WHERE user_id = ANY(:user_ids) GROUP BY user_id")
_ORDER = SortOrder(("created_at", "id"))


@cache
def _pages(shape: PageShape) -> TextClause:
    return text(
        "SELECT found.* FROM unnest(CAST(:user_ids AS text[])) AS person (id) CROSS JOIN LATERAL ("  # noqa: S608
        f" SELECT {ROUTINE_COLUMNS} FROM routine WHERE routine.user_id = person.id"
        f" AND {_ORDER.beyond(shape)} ORDER BY {_ORDER.order_by(shape)} LIMIT :limit) AS found"
    )


async def routines_by_id(connection: Reader, ids: Sequence[str]) -> dict[str, RoutineRecord]:
    return {row[0]: RoutineRecord(*row) for row in await connection.execute(_BY_ID, {"ids": list(ids)})}


async def routines_by_user(connection: Reader, user_ids: Sequence[str], page: Page) -> dict[str, list[RoutineRecord]]:
    """A page of each person's, the oldest first."""
    return await page_of_each(connection, _pages(page.shape), user_ids, page, RoutineRecord)


async def routine_counts(connection: Reader, user_ids: Sequence[str]) -> dict[str, int]:
    """How many routines each person has."""
    return await count_of_each(connection, _COUNTS, user_ids)
