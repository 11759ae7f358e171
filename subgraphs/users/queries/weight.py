"""Weighings as they are read: by id, the newest of each person, and person by person in pages."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal

from sqlalchemy import text

from subgraphs.read_pool import Reader

_COLUMNS = "id, user_id, weight_kg, body_fat_percent, notes, recorded_at, local_date, version"


@dataclass(frozen=True, slots=True)
class WeightRecord:
    """One weighing."""

    id: str
    user_id: str
    weight_kg: Decimal
    body_fat_percent: Decimal | None
    notes: str | None
    recorded_at: datetime
    local_date: date
    version: int


@dataclass(frozen=True, slots=True)
class WeightPage:
    """What a page of weighings asks for; dates are local and included. Hashable: people with one page share a read."""

    first_day: date | None
    last_day: date | None
    after: tuple[datetime, str] | None
    limit: int


_BY_ID = text(f"SELECT {_COLUMNS} FROM weight_entry WHERE id = ANY(:ids)")  # noqa: S608 - our names
_NEWEST = text(
    f"SELECT entry.* FROM unnest(CAST(:user_ids AS text[])) AS person (user_id) CROSS JOIN LATERAL ("  # noqa: S608
    f" SELECT {_COLUMNS} FROM weight_entry WHERE weight_entry.user_id = person.user_id"
    " ORDER BY recorded_at DESC, id DESC LIMIT 1) AS entry"
)
_PAGES = text(
    f"SELECT entry.* FROM unnest(CAST(:user_ids AS text[])) AS person (user_id) CROSS JOIN LATERAL ("  # noqa: S608
    f" SELECT {_COLUMNS} FROM weight_entry WHERE weight_entry.user_id = person.user_id"
    " AND (CAST(:first_day AS date) IS NULL OR local_date >= :first_day)"
    " AND (CAST(:last_day AS date) IS NULL OR local_date <= :last_day)"
    " AND (CAST(:after_at AS timestamptz) IS NULL OR (recorded_at, id) < (:after_at, :after_id))"
    " ORDER BY recorded_at DESC, id DESC LIMIT :limit) AS entry"
)


async def weights_by_id(connection: Reader, ids: Sequence[str]) -> dict[str, WeightRecord]:
    return {row[0]: WeightRecord(*row) for row in await connection.execute(_BY_ID, {"ids": list(ids)})}


async def newest_weights(connection: Reader, user_ids: Sequence[str]) -> dict[str, WeightRecord]:
    """The latest weighing of each person who has one."""
    return {row[1]: WeightRecord(*row) for row in await connection.execute(_NEWEST, {"user_ids": list(user_ids)})}


async def weights_by_user(
    connection: Reader, user_ids: Sequence[str], page: WeightPage
) -> dict[str, list[WeightRecord]]:
    """The same page for several people in one statement: newest first, up to `limit` each."""
    after_at, after_id = page.after or (None, "")
    parameters = {
        "user_ids": list(user_ids),
        "first_day": page.first_day,
        "last_day": page.last_day,
        "after_at": after_at,
        "after_id": after_id,
        "limit": page.limit,
    }
    by_user: defaultdict[str, list[WeightRecord]] = defaultdict(list)
    for row in await connection.execute(_PAGES, parameters):
        by_user[row[1]].append(WeightRecord(*row))
    return by_user
