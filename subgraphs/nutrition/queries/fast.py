"""Fasts as they are read: a person's, newest first, and the one that runs."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache

from sqlalchemy import TextClause, text

from subgraphs.shell.keyset import Page, PageShape, SortOrder
from subgraphs.shell.person_lists import page_of_each
from subgraphs.shell.read_pool import Reader, any_of

FAST_COLUMNS = "id, user_id, started_at, ended_at, target_minutes, version"


@dataclass(frozen=True, slots=True)
class FastRecord:
    """`ended_at` is None while it runs."""

    id: str
    user_id: str
    started_at: datetime
    ended_at: datetime | None
    target_minutes: int | None
    version: int


_BY_ID = text(f"SELECT {FAST_COLUMNS} FROM fast WHERE id = {any_of('ids')}")  # noqa: S608 - our names
_RUNNING = text(
    f"SELECT {FAST_COLUMNS} FROM fast WHERE user_id = ANY(CAST(:user_ids AS text[])) AND ended_at IS NULL"  # noqa: S608
)
_NEWEST = SortOrder(("started_at", "id"), descending=True)


@cache
def _of_people(shape: PageShape) -> TextClause:
    return text(
        "SELECT found.* FROM unnest(CAST(:user_ids AS text[])) AS person (user_id) CROSS JOIN LATERAL ("  # noqa: S608
        f" SELECT {FAST_COLUMNS} FROM fast WHERE fast.user_id = person.user_id"
        f" AND {_NEWEST.beyond(shape)} ORDER BY {_NEWEST.order_by(shape)} LIMIT :limit) AS found"
    )


async def fasts_by_id(connection: Reader, ids: Sequence[str]) -> dict[str, FastRecord]:
    return {row[0]: FastRecord(*row) for row in await connection.execute(_BY_ID, {"ids": list(ids)})}


async def running_fasts(connection: Reader, user_ids: Sequence[str]) -> dict[str, FastRecord]:
    """The fast that runs, of those people who fast."""
    return {row[1]: FastRecord(*row) for row in await connection.execute(_RUNNING, {"user_ids": list(user_ids)})}


async def fasts_by_user(connection: Reader, user_ids: Sequence[str], page: Page) -> dict[str, list[FastRecord]]:
    """A page of each person's, nearest to the cursor first."""
    return await page_of_each(connection, _of_people(page.shape), user_ids, page, FastRecord)
