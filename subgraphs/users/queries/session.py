"""Sessions as their person sees them: those that can still be used, in pages."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache

from sqlalchemy import TextClause, text

from subgraphs.shell.keyset import Page, PageShape, SortOrder
from subgraphs.shell.person_lists import count_of_each, page_of_each
from subgraphs.shell.read_pool import Reader

_COLUMNS = (
    "id, user_id, device_name, created_at, COALESCE(last_used_at, created_at) AS last_used_at, expires_at, used_factor,"
    " passkey_id IS NOT NULL"
)
_IS_OPEN = "session.revoked_at IS NULL AND session.expires_at > now()"
_ORDER = SortOrder(("created_at", "id"), descending=True)
_COUNTS = text(
    f"SELECT user_id, count(*) FROM session WHERE user_id = ANY(:user_ids) AND {_IS_OPEN} GROUP BY user_id"  # noqa: S608
)


@dataclass(frozen=True, slots=True)
class SessionRecord:
    """A sign-in that goes on."""

    id: str
    user_id: str
    device_name: str | None
    created_at: datetime
    last_used_at: datetime
    expires_at: datetime
    used_factor: bool
    used_passkey: bool


@cache
def _pages(shape: PageShape) -> TextClause:
    return text(
        "SELECT found.* FROM unnest(CAST(:user_ids AS text[])) AS person (user_id) CROSS JOIN LATERAL ("  # noqa: S608
        f" SELECT {_COLUMNS} FROM session WHERE session.user_id = person.user_id AND {_IS_OPEN}"
        f" AND {_ORDER.beyond(shape)} ORDER BY {_ORDER.order_by(shape)} LIMIT :limit) AS found"
    )


async def sessions_by_user(connection: Reader, user_ids: Sequence[str], page: Page) -> dict[str, list[SessionRecord]]:
    """The same page for several people in one statement: nearest to the page's cursor first, up to its limit each."""
    return await page_of_each(connection, _pages(page.shape), user_ids, page, SessionRecord)


async def session_counts(connection: Reader, user_ids: Sequence[str]) -> dict[str, int]:
    """How many open sessions each person has."""
    return await count_of_each(connection, _COUNTS, user_ids)
