"""A person's notifications as they are read: in pages, counted, and those that are new."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache

from sqlalchemy import TextClause, text

from subgraphs.shell.keyset import Page, PageShape, SortOrder
from subgraphs.shell.person_lists import count_of_each, page_of_each
from subgraphs.shell.read_pool import Reader

#: The consumer group that makes notifications of everybody's events, `projections.notification`.
GROUP = "users-notifications"

_COLUMNS = "id, user_id, kind, subject_id, detail, created_at, read_at"
_ORDER = SortOrder(("created_at", "id"), descending=True)
_COUNTS = text(
    "SELECT user_id, count(*) FROM notification WHERE user_id = ANY(:user_ids) AND hidden_at IS NULL GROUP BY user_id"
)
_UNREAD_COUNTS = text(
    "SELECT user_id, count(*) FROM notification WHERE user_id = ANY(:user_ids) AND hidden_at IS NULL"
    " AND read_at IS NULL GROUP BY user_id"
)
_SINCE = text(
    f"SELECT {_COLUMNS} FROM notification WHERE user_id = :user_id AND hidden_at IS NULL AND created_at >= :since"  # noqa: S608
    " ORDER BY created_at DESC, id DESC LIMIT :most"
)


@dataclass(frozen=True, slots=True)
class NotificationRecord:
    """Something that a person was told. `read_at` is None until the person has read it."""

    id: str
    user_id: str
    kind: str
    subject_id: str | None
    detail: str | None
    created_at: datetime
    read_at: datetime | None


@dataclass(frozen=True, slots=True)
class NotificationPage:
    """A page of a person's notifications, of all or of those that are unread."""

    unread_only: bool
    page: Page


@cache
def _pages(unread_only: bool, shape: PageShape) -> TextClause:
    unread = " AND read_at IS NULL" if unread_only else ""
    return text(
        "SELECT found.* FROM unnest(CAST(:user_ids AS text[])) AS person (id) CROSS JOIN LATERAL ("  # noqa: S608
        f" SELECT {_COLUMNS} FROM notification WHERE user_id = person.id AND hidden_at IS NULL{unread}"
        f" AND {_ORDER.beyond(shape)} ORDER BY {_ORDER.order_by(shape)} LIMIT :limit) AS found"
    )


async def notifications_by_user(
    connection: Reader, user_ids: Sequence[str], wanted: NotificationPage
) -> dict[str, list[NotificationRecord]]:
    """The same page for several people in one statement: nearest to the page's cursor first, up to its limit each."""
    return await page_of_each(
        connection, _pages(wanted.unread_only, wanted.page.shape), user_ids, wanted.page, NotificationRecord
    )


async def notification_counts(connection: Reader, user_ids: Sequence[str]) -> dict[str, int]:
    """How many notifications each person has."""
    return await count_of_each(connection, _COUNTS, user_ids)


async def unread_counts(connection: Reader, user_ids: Sequence[str]) -> dict[str, int]:
    """How many of them each person has not read."""
    return await count_of_each(connection, _UNREAD_COUNTS, user_ids)


async def notifications_since(connection: Reader, user_id: str, since: datetime, most: int) -> list[NotificationRecord]:
    """The newest `most` of those that came from an instant on, the oldest first."""
    rows = await connection.execute(_SINCE, {"user_id": user_id, "since": since, "most": most})
    return [NotificationRecord(*row) for row in rows][::-1]
