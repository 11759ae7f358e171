"""Exercises as they are read: by id in batches, and searched page by page."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from sqlalchemy import text

from subgraphs.read_pool import Reader

_COLUMNS = (
    "id, name, category, primary_muscles, secondary_muscles, equipment, level, tracking, force, mechanic, met,"
    " met_code, instructions, created_by"
)


@dataclass(frozen=True, slots=True)
class ExerciseRecord:
    """One exercise. `created_by` is None for the catalogue and a user id for a person's own."""

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


@dataclass(frozen=True, slots=True)
class ExerciseFilter:
    """What a search asks for; None asks for nothing. `search` matches anywhere in the name."""

    viewer_id: str
    search: str | None = None
    muscle: str | None = None
    category: str | None = None
    level: str | None = None
    equipment: str | None = None


_BY_ID = text(f"SELECT {_COLUMNS} FROM exercise WHERE id = ANY(:ids)")  # noqa: S608 - our names
_PAGE = text(
    f"SELECT {_COLUMNS} FROM exercise WHERE (created_by IS NULL OR created_by = :viewer_id)"  # noqa: S608
    " AND (CAST(:search AS text) IS NULL OR name ILIKE :search)"
    " AND (CAST(:muscle AS text) IS NULL OR primary_muscles @> ARRAY[CAST(:muscle AS text)]"
    "      OR secondary_muscles @> ARRAY[CAST(:muscle AS text)])"
    " AND (CAST(:category AS text) IS NULL OR category = :category)"
    " AND (CAST(:level AS text) IS NULL OR level = :level)"
    " AND (CAST(:equipment AS text) IS NULL OR equipment = :equipment)"
    " AND (CAST(:after_name AS text) IS NULL OR (lower(name), id) > (:after_name, :after_id))"
    " ORDER BY lower(name), id LIMIT :limit"
)


async def exercises_by_id(connection: Reader, ids: Sequence[str]) -> dict[str, ExerciseRecord]:
    return {row[0]: ExerciseRecord(*row) for row in await connection.execute(_BY_ID, {"ids": list(ids)})}


async def exercises_page(
    connection: Reader, wanted: ExerciseFilter, after: tuple[str, str] | None, limit: int
) -> list[ExerciseRecord]:
    """Up to `limit` exercises by name, from behind the (lower-case name, id) of `after`."""
    after_name, after_id = after or (None, "")
    parameters = {
        "viewer_id": wanted.viewer_id,
        "search": f"%{_escape_like(wanted.search)}%" if wanted.search else None,
        "muscle": wanted.muscle,
        "category": wanted.category,
        "level": wanted.level,
        "equipment": wanted.equipment,
        "after_name": after_name,
        "after_id": after_id,
        "limit": limit,
    }
    return [ExerciseRecord(*row) for row in await connection.execute(_PAGE, parameters)]


def _escape_like(words: str) -> str:
    return words.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
