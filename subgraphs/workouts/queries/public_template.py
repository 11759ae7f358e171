"""Public templates as they are read: by id, by the template that one was made of, page by page, and those that were reported.

Of a person who is suspended nothing is public, and of one who was erased nothing is there; what enough people reported is hidden.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache

from sqlalchemy import TextClause, text

from subgraphs.shell.keyset import Page, PageShape, SortOrder
from subgraphs.shell.publication_reports import IS_OPEN, Reports
from subgraphs.shell.read_pool import Reader, any_of

_COLUMNS = (
    "shown.id, shown.template_id, shown.user_id, CASE WHEN shown.shows_author THEN person.display_name END, shown.name, shown.kind, shown.level,"
    " shown.muscles, CAST(shown.exercises AS text), shown.published_at, shown.withdrawn_at, shown.version,"
    " shown.reported_at, shown.reports"
)
# LIMIT makes the planner look each author up by the key instead of reading them all.
_FROM = (
    "public_template AS shown LEFT JOIN LATERAL (SELECT display_name, status FROM person"
    " WHERE person.user_id = shown.user_id LIMIT 1) AS person ON true"
)
_IS_SHOWN = f"{IS_OPEN} AND (shown.user_id IS NULL OR person.status = 'ACTIVE')"
REPORTS = Reports(table="public_template", reports="template_report", thing_id="public_template_id", things="templates")


@dataclass(frozen=True, slots=True)
class PublicTemplateRecord:
    """What is public of a template. `exercises` is encoded by `domain.planned_workout`.

    Without `user_id` it is the catalogue's; `author_name` is None there too, and where its person does not want to be named.
    `template_id` is what its person made it of.
    """

    id: str
    template_id: str | None
    user_id: str | None
    author_name: str | None
    name: str
    kind: str
    level: str
    muscles: list[str]
    exercises: str
    published_at: datetime
    withdrawn_at: datetime | None
    version: int
    reported_at: datetime | None
    reports: int


@dataclass(frozen=True, slots=True, kw_only=True)
class TemplateFilter:
    """What the list of public templates is narrowed to: those with all of these labels, as `domain.public_template` makes
    them.
    """

    labels: tuple[str, ...] = ()


_BY_ID = text(f"SELECT {_COLUMNS} FROM {_FROM} WHERE shown.id = {any_of('ids')} AND {_IS_SHOWN}")  # noqa: S608 - our names
_ANY_BY_ID = text(f"SELECT {_COLUMNS} FROM {_FROM} WHERE shown.id = {any_of('ids')}")  # noqa: S608
_BY_TEMPLATE = text(f"SELECT {_COLUMNS} FROM {_FROM} WHERE shown.template_id = {any_of('ids')}")  # noqa: S608
_NEWEST = SortOrder(("shown.published_at", "shown.id"), descending=True)
_REPORTED = SortOrder(("shown.reported_at", "shown.id"), descending=True)


@cache
def _page(shape: PageShape) -> TextClause:
    return text(
        f"SELECT {_COLUMNS} FROM {_FROM} WHERE {_IS_SHOWN}"  # noqa: S608
        " AND shown.labels @> CAST(:labels AS text[])"
        f" AND {_NEWEST.beyond(shape)} ORDER BY {_NEWEST.order_by(shape)} LIMIT :limit"
    )


@cache
def _reported_page(shape: PageShape) -> TextClause:
    return text(
        f"SELECT {_COLUMNS} FROM {_FROM} WHERE shown.reported_at IS NOT NULL"  # noqa: S608
        f" AND {_REPORTED.beyond(shape)} ORDER BY {_REPORTED.order_by(shape)} LIMIT :limit"
    )


async def public_templates_by_id(connection: Reader, ids: Sequence[str]) -> dict[str, PublicTemplateRecord]:
    """Those that everybody may see."""
    rows = await connection.execute(_BY_ID, {"ids": list(ids)})
    return {row[0]: PublicTemplateRecord(*row) for row in rows}


async def moderated_templates_by_id(connection: Reader, ids: Sequence[str]) -> dict[str, PublicTemplateRecord]:
    """Withdrawn ones and those of suspended people too: for administrators."""
    rows = await connection.execute(_ANY_BY_ID, {"ids": list(ids)})
    return {row[0]: PublicTemplateRecord(*row) for row in rows}


async def publications_by_template(connection: Reader, template_ids: Sequence[str]) -> dict[str, PublicTemplateRecord]:
    """What was published of each template, withdrawn or not: for the template's readers."""
    rows = (PublicTemplateRecord(*row) for row in await connection.execute(_BY_TEMPLATE, {"ids": list(template_ids)}))
    return {record.template_id: record for record in rows if record.template_id is not None}


async def public_templates_page(
    connection: Reader, filters: Sequence[TemplateFilter], page: Page
) -> dict[TemplateFilter, list[PublicTemplateRecord]]:
    """For each filter the templates of a page, nearest to its cursor first."""
    pages: dict[TemplateFilter, list[PublicTemplateRecord]] = {}
    for wanted in filters:
        parameters = {"labels": list(wanted.labels), "limit": page.limit, **page.keys}
        rows = await connection.execute(_page(page.shape), parameters)
        pages[wanted] = [PublicTemplateRecord(*row) for row in rows]
    return pages


async def reported_templates_page(connection: Reader, page: Page) -> list[PublicTemplateRecord]:
    """Those with reports that nobody has decided about, nearest to the page's cursor first."""
    rows = await connection.execute(_reported_page(page.shape), {"limit": page.limit, **page.keys})
    return [PublicTemplateRecord(*row) for row in rows]


async def report_reasons(connection: Reader, ids: Sequence[str]) -> dict[str, list[tuple[str, int]]]:
    """How often each public template was reported for what, the most frequent first."""
    return await REPORTS.reasons(connection, ids)
