"""Published foods as they are read: by id, by the food that one was made of, page by page, of one person, and those reported.

Of a person who is suspended nothing is shown, and of one who was erased nothing is there; what enough people reported is hidden.
"""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache

from sqlalchemy import TextClause, text

from subgraphs.shell.keyset import Page, PageShape, SortOrder
from subgraphs.shell.publication import REPORTS_THAT_HIDE
from subgraphs.shell.publication_reports import IS_OPEN, Reports
from subgraphs.shell.read_pool import Reader, any_of

REPORTS = Reports(table="published_food", reports="food_report", thing_id="published_food_id", things="foods")
_COLUMNS = (
    "shown.id, shown.food_id, shown.user_id, CASE WHEN shown.shows_author THEN person.display_name END AS author_name,"
    " shown.food_version, shown.audience, shown.name, shown.brand, shown.gtin, shown.category,"
    " CAST(shown.content AS text), shown.published_at, shown.withdrawn_at, shown.version, shown.reported_at, shown.reports"
)
# LIMIT makes the planner look each author up by the key instead of reading them all.
_FROM = (
    "published_food AS shown LEFT JOIN LATERAL (SELECT display_name, status FROM person"
    " WHERE person.user_id = shown.user_id LIMIT 1) AS person ON true"
)
_IS_SHOWN = f"{IS_OPEN} AND person.status = 'ACTIVE'"


@dataclass(frozen=True, slots=True)
class PublishedFoodRecord:
    """What others see of a food. `content` is encoded by `domain.published_food`; without `author_name` its person wants no
    name beside it, or is not known yet.
    """

    id: str
    food_id: str
    user_id: str
    author_name: str | None
    food_version: int
    audience: str
    name: str
    brand: str | None
    gtin: str | None
    category: str
    content: str
    published_at: datetime
    withdrawn_at: datetime | None
    version: int
    reported_at: datetime | None
    reports: int

    @property
    def is_hidden(self) -> bool:
        """Whether enough people reported it that nobody else sees it."""
        return self.reports >= REPORTS_THAT_HIDE


@dataclass(frozen=True, slots=True)
class PublishedFilter:
    """What the list of public foods is narrowed to: those with all of these labels, as `domain.published_food` makes them."""

    labels: tuple[str, ...] = ()


_BY_ID = text(f"SELECT {_COLUMNS} FROM {_FROM} WHERE shown.id = {any_of('ids')} AND {_IS_SHOWN}")  # noqa: S608 - our names
_ANY_BY_ID = text(f"SELECT {_COLUMNS} FROM {_FROM} WHERE shown.id = {any_of('ids')}")  # noqa: S608
_BY_FOOD = text(f"SELECT {_COLUMNS} FROM {_FROM} WHERE shown.food_id = {any_of('ids')}")  # noqa: S608
_NEWEST = SortOrder(("shown.published_at", "shown.id"), descending=True)
_REPORTED = SortOrder(("shown.reported_at", "shown.id"), descending=True)


@cache
def _page(shape: PageShape) -> TextClause:
    return text(
        f"SELECT {_COLUMNS} FROM {_FROM} WHERE shown.audience = 'EVERYBODY' AND {_IS_SHOWN}"  # noqa: S608
        " AND shown.labels @> CAST(:labels AS text[])"
        f" AND {_NEWEST.beyond(shape)} ORDER BY {_NEWEST.order_by(shape)} LIMIT :limit"
    )


@cache
def _of_people(shape: PageShape) -> TextClause:
    return text(
        "SELECT found.* FROM unnest(CAST(:user_ids AS text[])) AS wanted (id) CROSS JOIN LATERAL ("  # noqa: S608
        f" SELECT {_COLUMNS} FROM {_FROM} WHERE shown.user_id = wanted.id AND {_IS_SHOWN}"
        f" AND {_NEWEST.beyond(shape)} ORDER BY {_NEWEST.order_by(shape)} LIMIT :limit) AS found"
    )


@cache
def _reported_page(shape: PageShape) -> TextClause:
    return text(
        f"SELECT {_COLUMNS} FROM {_FROM} WHERE shown.reported_at IS NOT NULL"  # noqa: S608
        f" AND {_REPORTED.beyond(shape)} ORDER BY {_REPORTED.order_by(shape)} LIMIT :limit"
    )


async def published_foods_by_id(connection: Reader, ids: Sequence[str]) -> dict[str, PublishedFoodRecord]:
    """Those that are shown to anybody; whether to the viewer is for who asks to find out."""
    return {row[0]: PublishedFoodRecord(*row) for row in await connection.execute(_BY_ID, {"ids": list(ids)})}


async def moderated_foods_by_id(connection: Reader, ids: Sequence[str]) -> dict[str, PublishedFoodRecord]:
    """Withdrawn and hidden ones and those of suspended people too: for administrators."""
    return {row[0]: PublishedFoodRecord(*row) for row in await connection.execute(_ANY_BY_ID, {"ids": list(ids)})}


async def publications_by_food(connection: Reader, food_ids: Sequence[str]) -> dict[str, PublishedFoodRecord]:
    """What was published of each food, withdrawn or not: for the food's person."""
    rows = (PublishedFoodRecord(*row) for row in await connection.execute(_BY_FOOD, {"ids": list(food_ids)}))
    return {record.food_id: record for record in rows}


async def public_foods_page(
    connection: Reader, filters: Sequence[PublishedFilter], page: Page
) -> dict[PublishedFilter, list[PublishedFoodRecord]]:
    """For each filter the foods of a page that everybody may see, nearest to its cursor first."""
    pages: dict[PublishedFilter, list[PublishedFoodRecord]] = {}
    for wanted in filters:
        parameters = {"labels": list(wanted.labels), "limit": page.limit, **page.keys}
        rows = await connection.execute(_page(page.shape), parameters)
        pages[wanted] = [PublishedFoodRecord(*row) for row in rows]
    return pages


async def published_foods_by_user(
    connection: Reader, user_ids: Sequence[str], page: Page
) -> dict[str, list[PublishedFoodRecord]]:
    """What each person shows to readers or to everybody, newest first; a page of each, nearest to the cursor first."""
    by_user: defaultdict[str, list[PublishedFoodRecord]] = defaultdict(list)
    parameters = {"user_ids": list(user_ids), "limit": page.limit, **page.keys}
    for row in await connection.execute(_of_people(page.shape), parameters):
        record = PublishedFoodRecord(*row)
        by_user[record.user_id].append(record)
    return by_user


async def reported_foods_page(connection: Reader, page: Page) -> list[PublishedFoodRecord]:
    """Those with reports that nobody has decided about, nearest to the page's cursor first."""
    rows = await connection.execute(_reported_page(page.shape), {"limit": page.limit, **page.keys})
    return [PublishedFoodRecord(*row) for row in rows]


async def report_reasons(connection: Reader, ids: Sequence[str]) -> dict[str, list[tuple[str, int]]]:
    """How often each published food was reported for what, the most frequent first."""
    return await REPORTS.reasons(connection, ids)
