"""What people agreed to, as it is read: what holds of each purpose, and every decision in pages."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache

from sqlalchemy import TextClause, text
from sqlalchemy.ext.asyncio import AsyncConnection

from subgraphs.shell.keyset import Page, PageShape, SortOrder
from subgraphs.shell.person_lists import count_of_each, list_of_each, page_of_each
from subgraphs.shell.read_pool import Reader, any_of

_COLUMNS = "id, user_id, purpose, is_given, version, decided_at, way"


@dataclass(frozen=True, slots=True)
class ConsentRecord:
    """One decision of a person about a purpose."""

    id: str
    user_id: str
    purpose: str
    is_given: bool
    version: str | None
    decided_at: datetime
    way: str


_CURRENT = text(f"SELECT {_COLUMNS} FROM consent WHERE user_id = {any_of('user_ids')} AND is_current")  # noqa: S608 - our names
_COUNTS = text("SELECT user_id, count(*) FROM consent WHERE user_id = ANY(:user_ids) GROUP BY user_id")
_ORDER = SortOrder(("decided_at", "id"), descending=True)


@cache
def _pages(shape: PageShape) -> TextClause:
    return text(
        "SELECT found.* FROM unnest(CAST(:user_ids AS text[])) AS person (user_id) CROSS JOIN LATERAL ("  # noqa: S608
        f" SELECT {_COLUMNS} FROM consent WHERE consent.user_id = person.user_id"
        f" AND {_ORDER.beyond(shape)} ORDER BY {_ORDER.order_by(shape)} LIMIT :limit) AS found"
    )


async def consents_by_user(
    connection: Reader | AsyncConnection, user_ids: Sequence[str]
) -> dict[str, list[ConsentRecord]]:
    """The last decision of each person about each purpose that the person decided about."""
    return await list_of_each(connection, _CURRENT, {"user_ids": list(user_ids)}, ConsentRecord)


async def consent_counts(connection: Reader, user_ids: Sequence[str]) -> dict[str, int]:
    """How many decisions of each person are kept."""
    return await count_of_each(connection, _COUNTS, user_ids)


async def consent_history_by_user(
    connection: Reader, user_ids: Sequence[str], page: Page
) -> dict[str, list[ConsentRecord]]:
    """The same page for several people in one statement: nearest to the page's cursor first, up to its limit each."""
    return await page_of_each(connection, _pages(page.shape), user_ids, page, ConsentRecord)
