"""Measurements as they are read: in pages, and the newest of each kind."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from functools import cache

from sqlalchemy import TextClause, text

from subgraphs.shell.keyset import Page, PageShape, SortOrder
from subgraphs.shell.measurement_kind import MeasurementKind
from subgraphs.shell.person_lists import count_of_each, list_of_each, page_of_each
from subgraphs.shell.read_pool import Reader, any_of

_COLUMNS = "id, user_id, kind, value_cm, notes, recorded_at, local_date"


@dataclass(frozen=True, slots=True)
class MeasurementRecord:
    """One measurement with a tape."""

    id: str
    user_id: str
    kind: str
    value_cm: Decimal
    notes: str | None
    recorded_at: datetime
    local_date: date


@dataclass(frozen=True, slots=True)
class MeasurementPage:
    """What a page asks for; without a kind it is all of them. Hashable: people with one page share a read."""

    kind: str | None
    page: Page


_GIRTHS_OF_FAT = (MeasurementKind.WAIST.value, MeasurementKind.NECK.value, MeasurementKind.HIP.value)
_BY_ID = text(f"SELECT {_COLUMNS} FROM measurement WHERE id = {any_of('ids')}")  # noqa: S608 - our names
_NEWEST = text(
    "SELECT found.* FROM unnest(CAST(:user_ids AS text[])) AS person (user_id)"  # noqa: S608
    " CROSS JOIN unnest(CAST(:kinds AS text[])) AS wanted (kind) CROSS JOIN LATERAL ("
    f" SELECT {_COLUMNS} FROM measurement WHERE measurement.user_id = person.user_id AND measurement.kind = wanted.kind"
    " ORDER BY recorded_at DESC, id DESC LIMIT 1) AS found"
)
_COUNTS = text("SELECT user_id, count(*) FROM measurement WHERE user_id = ANY(:user_ids) GROUP BY user_id")
_ORDER = SortOrder(("recorded_at", "id"), descending=True)


@cache
def _pages(shape: PageShape) -> TextClause:
    return text(
        "SELECT found.* FROM unnest(CAST(:user_ids AS text[])) AS person (user_id) CROSS JOIN LATERAL ("  # noqa: S608
        f" SELECT {_COLUMNS} FROM measurement WHERE measurement.user_id = person.user_id"
        " AND (CAST(:kind AS text) IS NULL OR kind = :kind)"
        f" AND {_ORDER.beyond(shape)} ORDER BY {_ORDER.order_by(shape)} LIMIT :limit) AS found"
    )


async def measurements_by_id(connection: Reader, ids: Sequence[str]) -> dict[str, MeasurementRecord]:
    return {row[0]: MeasurementRecord(*row) for row in await connection.execute(_BY_ID, {"ids": list(ids)})}


async def newest_girths(connection: Reader, user_ids: Sequence[str]) -> dict[str, list[MeasurementRecord]]:
    """The newest measurement of waist, neck and hip that each person has."""
    parameters = {"user_ids": list(user_ids), "kinds": list(_GIRTHS_OF_FAT)}
    return await list_of_each(connection, _NEWEST, parameters, MeasurementRecord)


async def measurement_counts(connection: Reader, user_ids: Sequence[str]) -> dict[str, int]:
    """How many measurements each person has, of any kind."""
    return await count_of_each(connection, _COUNTS, user_ids)


async def measurements_by_user(
    connection: Reader, user_ids: Sequence[str], wanted: MeasurementPage
) -> dict[str, list[MeasurementRecord]]:
    """The same page for several people in one statement: nearest to the page's cursor first, up to its limit each."""
    return await page_of_each(
        connection, _pages(wanted.page.shape), user_ids, wanted.page, MeasurementRecord, kind=wanted.kind
    )
