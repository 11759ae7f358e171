"""What administrators did, in pages."""

from dataclasses import dataclass
from datetime import datetime
from functools import cache

from sqlalchemy import TextClause, text

from subgraphs.shell.keyset import Page, PageShape, SortOrder
from subgraphs.shell.read_pool import Reader

_ORDER = SortOrder(("at", "id"), descending=True)


@dataclass(frozen=True, slots=True)
class AuditRecord:
    """One thing that was done to an account, or to what its person published."""

    id: str
    at: datetime
    action: str
    actor_id: str
    subject_id: str
    reason: str
    before: str
    after: str


@cache
def _pages(shape: PageShape, of_one: bool) -> TextClause:
    of = "subject_id = :subject_id" if of_one else "TRUE"
    return text(
        f"SELECT id, at, action, actor_id, subject_id, reason, before, after FROM audit_entry WHERE {of}"  # noqa: S608
        f" AND {_ORDER.beyond(shape)} ORDER BY {_ORDER.order_by(shape)} LIMIT :limit"
    )


async def audit_page(connection: Reader, subject_id: str | None, page: Page) -> list[AuditRecord]:
    """Nearest to the page's cursor first; about one account, or about all."""
    parameters = {"limit": page.limit, **page.keys}
    if subject_id is not None:
        parameters["subject_id"] = subject_id
    rows = await connection.execute(_pages(page.shape, subject_id is not None), parameters)
    return [AuditRecord(*row) for row in rows]
