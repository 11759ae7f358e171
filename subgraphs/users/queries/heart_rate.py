"""Heart rates as they are read: in pages, and all that formulas may have to choose from."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from functools import cache

from sqlalchemy import TextClause, text
from sqlalchemy.ext.asyncio import AsyncConnection

from subgraphs.shell.keyset import Page, PageShape, SortOrder
from subgraphs.shell.person_lists import count_of_each, list_of_each, page_of_each
from subgraphs.shell.read_pool import Reader, any_of

_COLUMNS = "id, user_id, kind, beats_per_minute, since, notes, version"


@dataclass(frozen=True, slots=True)
class HeartRateRecord:
    """A heart rate that holds from the day `since` until that of the next of its kind."""

    id: str
    user_id: str
    kind: str
    beats_per_minute: int
    since: date
    notes: str | None
    version: int


@dataclass(frozen=True, slots=True)
class HeartRatePage:
    """What a page asks for; without a kind it is both. Hashable: people with one page share a read."""

    kind: str | None
    page: Page


_BY_ID = text(f"SELECT {_COLUMNS} FROM heart_rate WHERE id = {any_of('ids')}")  # noqa: S608 - our names
_BY_DAY = text("SELECT id FROM heart_rate WHERE user_id = :user_id AND kind = :kind AND since = :since")
_ALL = text(
    f"SELECT {_COLUMNS} FROM heart_rate WHERE user_id = {any_of('user_ids')} ORDER BY user_id, since DESC, id DESC"  # noqa: S608
)
_COUNTS = text("SELECT user_id, count(*) FROM heart_rate WHERE user_id = ANY(:user_ids) GROUP BY user_id")
_ORDER = SortOrder(("since", "id"), descending=True)


@cache
def _pages(shape: PageShape) -> TextClause:
    return text(
        "SELECT found.* FROM unnest(CAST(:user_ids AS text[])) AS person (user_id) CROSS JOIN LATERAL ("  # noqa: S608
        f" SELECT {_COLUMNS} FROM heart_rate WHERE heart_rate.user_id = person.user_id"
        " AND (CAST(:kind AS text) IS NULL OR kind = :kind)"
        f" AND {_ORDER.beyond(shape)} ORDER BY {_ORDER.order_by(shape)} LIMIT :limit) AS found"
    )


async def heart_rates_by_id(connection: Reader, ids: Sequence[str]) -> dict[str, HeartRateRecord]:
    return {row[0]: HeartRateRecord(*row) for row in await connection.execute(_BY_ID, {"ids": list(ids)})}


async def heart_rate_of_day(connection: AsyncConnection, user_id: str, kind: str, since: date) -> str | None:
    """The id of what begins to hold on this very day; None if nothing of the kind does."""
    found: str | None = await connection.scalar(_BY_DAY, {"user_id": user_id, "kind": kind, "since": since})
    return found


async def all_heart_rates_by_user(connection: Reader, user_ids: Sequence[str]) -> dict[str, list[HeartRateRecord]]:
    """All of each person, of both kinds, the newest day first; the quota bounds them."""
    return await list_of_each(connection, _ALL, {"user_ids": list(user_ids)}, HeartRateRecord)


async def heart_rate_counts(connection: Reader, user_ids: Sequence[str]) -> dict[str, int]:
    """How many heart rates each person keeps, of both kinds."""
    return await count_of_each(connection, _COUNTS, user_ids)


async def heart_rates_by_user(
    connection: Reader, user_ids: Sequence[str], wanted: HeartRatePage
) -> dict[str, list[HeartRateRecord]]:
    """The same page for several people in one statement: nearest to the page's cursor first, up to its limit each."""
    return await page_of_each(
        connection, _pages(wanted.page.shape), user_ids, wanted.page, HeartRateRecord, kind=wanted.kind
    )
