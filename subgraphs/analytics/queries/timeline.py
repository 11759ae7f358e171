"""The timeline as it is read: what a person logged, by its moment, page by page."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from functools import cache

from sqlalchemy import TextClause, text

from subgraphs.shell.day_range import WITHIN_DAYS, DayRange
from subgraphs.shell.keyset import Page, PageShape, SortOrder
from subgraphs.shell.person_lists import page_of_each
from subgraphs.shell.read_pool import Reader


class EntryKind(StrEnum):
    """What an entry is of."""

    MEAL = "MEAL"
    DRINK = "DRINK"
    WEIGHT_ENTRY = "WEIGHT_ENTRY"
    WORKOUT = "WORKOUT"


@dataclass(frozen=True, slots=True)
class EntryRecord:
    """One thing that a person logged; its own subgraph knows the rest."""

    entry_id: str
    user_id: str
    kind: str
    at: datetime
    local_date: date


@dataclass(frozen=True, slots=True)
class TimelinePage:
    """What a page of the timeline asks for. Hashable: people with one page share a read."""

    days: DayRange
    page: Page


_ORDER = SortOrder(("at", "entry_id"), descending=True)


@cache
def _pages(shape: PageShape) -> TextClause:
    return text(
        "SELECT found.* FROM unnest(CAST(:user_ids AS text[])) AS person (id) CROSS JOIN LATERAL ("  # noqa: S608
        " SELECT entry_id, user_id, kind, at, local_date FROM timeline_entry WHERE user_id = person.id"
        f" AND {WITHIN_DAYS} AND {_ORDER.beyond(shape)} ORDER BY {_ORDER.order_by(shape)} LIMIT :limit) AS found"
    )


async def entries_by_user(
    connection: Reader, user_ids: Sequence[str], wanted: TimelinePage
) -> dict[str, list[EntryRecord]]:
    """The same page for several people in one statement: nearest to the cursor first, up to its limit each."""
    return await page_of_each(
        connection, _pages(wanted.page.shape), user_ids, wanted.page, EntryRecord, **wanted.days.keys
    )
