"""Counted steps as they are read: by id, by their day and source, and person by person in pages."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from functools import cache

from sqlalchemy import TextClause, text
from sqlalchemy.ext.asyncio import AsyncConnection

from subgraphs.shell.keyset import Page, PageShape, SortOrder
from subgraphs.shell.person_lists import count_of_each, page_of_each
from subgraphs.shell.read_pool import Reader, any_of

_COLUMNS = "id, user_id, local_date, source, steps, counted_at, version"


@dataclass(frozen=True, slots=True)
class StepCountRecord:
    """What one source counted of one day, until `counted_at`."""

    id: str
    user_id: str
    local_date: date
    source: str
    steps: int
    counted_at: datetime
    version: int


@dataclass(frozen=True, slots=True)
class StepCountPage:
    """What a page asks for; dates are local and included. Hashable: people with one page share a read."""

    first_day: date | None
    last_day: date | None
    page: Page


_BY_ID = text(f"SELECT {_COLUMNS} FROM step_count WHERE id = {any_of('ids')}")  # noqa: S608 - our names
_BY_SOURCE = text(
    f"SELECT {_COLUMNS} FROM step_count WHERE user_id = :user_id AND local_date = :local_date AND source = :source"  # noqa: S608
)
_COUNTS = text("SELECT user_id, count(*) FROM step_count WHERE user_id = ANY(:user_ids) GROUP BY user_id")
_ORDER = SortOrder(("local_date", "id"), descending=True)


@cache
def _pages(shape: PageShape) -> TextClause:
    return text(
        "SELECT found.* FROM unnest(CAST(:user_ids AS text[])) AS person (user_id) CROSS JOIN LATERAL ("  # noqa: S608
        f" SELECT {_COLUMNS} FROM step_count WHERE step_count.user_id = person.user_id"
        " AND (CAST(:first_day AS date) IS NULL OR local_date >= :first_day)"
        " AND (CAST(:last_day AS date) IS NULL OR local_date <= :last_day)"
        f" AND {_ORDER.beyond(shape)} ORDER BY {_ORDER.order_by(shape)} LIMIT :limit) AS found"
    )


async def step_counts_by_id(connection: Reader, ids: Sequence[str]) -> dict[str, StepCountRecord]:
    return {row[0]: StepCountRecord(*row) for row in await connection.execute(_BY_ID, {"ids": list(ids)})}


async def step_count_of_source(
    connection: AsyncConnection, user_id: str, local_date: date, source: str
) -> StepCountRecord | None:
    """What this source has told of this day so far."""
    parameters = {"user_id": user_id, "local_date": local_date, "source": source}
    row = (await connection.execute(_BY_SOURCE, parameters)).one_or_none()
    return None if row is None else StepCountRecord(*row)


async def step_count_counts(connection: Reader, user_ids: Sequence[str]) -> dict[str, int]:
    """How many counts each person has: one for each source of each day."""
    return await count_of_each(connection, _COUNTS, user_ids)


async def step_counts_by_user(
    connection: Reader, user_ids: Sequence[str], wanted: StepCountPage
) -> dict[str, list[StepCountRecord]]:
    """The same page for several people in one statement: nearest to the page's cursor first, up to its limit each."""
    return await page_of_each(
        connection,
        _pages(wanted.page.shape),
        user_ids,
        wanted.page,
        StepCountRecord,
        first_day=wanted.first_day,
        last_day=wanted.last_day,
    )
