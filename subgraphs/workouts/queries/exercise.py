"""Exercises as they are read: by id in batches, and searched page by page."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from decimal import Decimal
from functools import cache
from typing import NamedTuple

from sqlalchemy import TextClause, text

from subgraphs.shell.keyset import Page, PageShape, SortOrder
from subgraphs.shell.read_pool import Reader, any_of

EXERCISE_COLUMNS = (
    "id, name, category, primary_muscles, secondary_muscles, equipment, level, tracking, force, mechanic, met,"
    " met_code, instructions, created_by, body_weight_share, one_sided, video_url, picture_url, version"
)


class ExerciseRecord(NamedTuple):
    """One exercise. `created_by` is None for the catalogue and a user id for a person's own. `one_sided` is None where its name says
    it, or nothing does.
    """

    id: str
    name: str
    category: str
    primary_muscles: list[str]
    secondary_muscles: list[str]
    equipment: str | None
    level: str
    tracking: str
    force: str | None
    mechanic: str | None
    met: Decimal | None
    met_code: str | None
    instructions: str | None
    created_by: str | None
    body_weight_share: Decimal
    one_sided: bool | None = None
    video_url: str | None = None
    picture_url: str | None = None
    version: int = 1

    def is_visible_to(self, viewer_id: str) -> bool:
        return self.created_by is None or self.created_by == viewer_id


@dataclass(frozen=True, slots=True, kw_only=True)
class ExerciseFilter:
    """What a list of exercises is narrowed to; None narrows nothing. Own ones of `viewer_id` stand beside the catalogue."""

    viewer_id: str
    muscle: str | None = None
    category: str | None = None
    level: str | None = None
    equipment: str | None = None
    force: str | None = None
    mechanic: str | None = None
    own: bool | None = None


#: Whether an exercise is one that an `ExerciseFilter` keeps; its fields are the parameters. Whose it is comes beside it.
IS_WANTED = (
    "(CAST(:muscle AS text) IS NULL OR primary_muscles @> ARRAY[CAST(:muscle AS text)]"
    "      OR secondary_muscles @> ARRAY[CAST(:muscle AS text)])"
    " AND (CAST(:category AS text) IS NULL OR category = :category)"
    " AND (CAST(:level AS text) IS NULL OR level = :level)"
    " AND (CAST(:equipment AS text) IS NULL OR equipment = :equipment)"
    " AND (CAST(:force AS text) IS NULL OR force = :force)"
    " AND (CAST(:mechanic AS text) IS NULL OR mechanic = :mechanic)"
    " AND (CAST(:own AS boolean) IS NULL OR (created_by IS NOT NULL) = :own)"
)
_BY_ID = text(f"SELECT {EXERCISE_COLUMNS} FROM exercise WHERE id = {any_of('ids')}")  # noqa: S608 - our names
_ORDER = SortOrder(("lower(name)", "id"))


@cache
def _page(shape: PageShape) -> TextClause:
    return text(
        f"SELECT {EXERCISE_COLUMNS} FROM exercise WHERE (created_by IS NULL OR created_by = :viewer_id)"  # noqa: S608
        f" AND {IS_WANTED} AND {_ORDER.beyond(shape)} ORDER BY {_ORDER.order_by(shape)} LIMIT :limit"
    )


async def exercises_by_id(connection: Reader, ids: Sequence[str]) -> dict[str, ExerciseRecord]:
    return {row[0]: ExerciseRecord(*row) for row in await connection.execute(_BY_ID, {"ids": list(ids)})}


async def exercises_by_name(
    connection: Reader, filters: Sequence[ExerciseFilter], page: Page
) -> dict[ExerciseFilter, list[ExerciseRecord]]:
    """For each filter the exercises of a page by name, nearest to its cursor first."""
    pages: dict[ExerciseFilter, list[ExerciseRecord]] = {}
    for wanted in filters:
        parameters = {**asdict(wanted), "limit": page.limit, **page.keys}
        pages[wanted] = [ExerciseRecord(*row) for row in await connection.execute(_page(page.shape), parameters)]
    return pages
