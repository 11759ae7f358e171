"""Weighings as they are read: by id, the newest of each person, and person by person in pages."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from functools import cache
from typing import NamedTuple

from sqlalchemy import TextClause, text

from subgraphs.shell.keyset import Page, PageShape, SortOrder
from subgraphs.shell.person_lists import count_of_each, page_of_each
from subgraphs.shell.read_pool import Reader, any_of

WEIGHT_COLUMNS = "id, user_id, weight_kg, body_fat_percent, notes, recorded_at, local_date, version, muscle_mass_kg"


class WeightRecord(NamedTuple):
    """One weighing."""

    id: str
    user_id: str
    weight_kg: Decimal
    body_fat_percent: Decimal | None
    notes: str | None
    recorded_at: datetime
    local_date: date
    version: int
    muscle_mass_kg: Decimal | None


@dataclass(frozen=True, slots=True)
class WeightPage:
    """What a page of weighings asks for; dates are local and included. Hashable: people with one page share a read."""

    first_day: date | None
    last_day: date | None
    page: Page


_BY_ID = text(f"SELECT {WEIGHT_COLUMNS} FROM weight_entry WHERE id = {any_of('ids')}")  # noqa: S608 - our names
_NEWEST = text(
    f"SELECT entry.* FROM unnest(CAST(:user_ids AS text[])) AS person (user_id) CROSS JOIN LATERAL ("  # noqa: S608
    f" SELECT {WEIGHT_COLUMNS} FROM weight_entry WHERE weight_entry.user_id = person.user_id"
    " ORDER BY recorded_at DESC, id DESC LIMIT 1) AS entry"
)
_COUNTS = text("SELECT user_id, count(*) FROM weight_entry WHERE user_id = ANY(:user_ids) GROUP BY user_id")
_ORDER = SortOrder(("recorded_at", "id"), descending=True)


@cache
def _pages(shape: PageShape) -> TextClause:
    return text(
        f"SELECT entry.* FROM unnest(CAST(:user_ids AS text[])) AS person (user_id) CROSS JOIN LATERAL ("  # noqa: S608
        f" SELECT {WEIGHT_COLUMNS} FROM weight_entry WHERE weight_entry.user_id = person.user_id"
        " AND (CAST(:first_day AS date) IS NULL OR local_date >= :first_day)"
        " AND (CAST(:last_day AS date) IS NULL OR local_date <= :last_day)"
        f" AND {_ORDER.beyond(shape)} ORDER BY {_ORDER.order_by(shape)} LIMIT :limit) AS entry"
    )


async def weights_by_id(connection: Reader, ids: Sequence[str]) -> dict[str, WeightRecord]:
    return {row[0]: WeightRecord(*row) for row in await connection.execute(_BY_ID, {"ids": list(ids)})}


async def newest_weights(connection: Reader, user_ids: Sequence[str]) -> dict[str, WeightRecord]:
    """The latest weighing of each person who has one."""
    return {row[1]: WeightRecord(*row) for row in await connection.execute(_NEWEST, {"user_ids": list(user_ids)})}


async def weight_counts(connection: Reader, user_ids: Sequence[str]) -> dict[str, int]:
    """How many weighings each person has who has one."""
    return await count_of_each(connection, _COUNTS, user_ids)


async def weights_by_user(
    connection: Reader, user_ids: Sequence[str], wanted: WeightPage
) -> dict[str, list[WeightRecord]]:
    """The same page for several people in one statement: nearest to the page's cursor first, up to its limit each."""
    return await page_of_each(
        connection,
        _pages(wanted.page.shape),
        user_ids,
        wanted.page,
        WeightRecord,
        first_day=wanted.first_day,
        last_day=wanted.last_day,
    )
