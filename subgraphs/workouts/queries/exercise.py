"""Exercises as they are read: by id in batches, and searched page by page."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

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


def _record(row: Any) -> ExerciseRecord:
    return ExerciseRecord(**row._asdict())


async def exercises_by_id(connection: AsyncConnection, ids: Sequence[str]) -> dict[str, ExerciseRecord]:
    statement = text(f"SELECT {_COLUMNS} FROM exercise WHERE id = ANY(:ids)")  # noqa: S608 - our names
    return {row.id: _record(row) for row in await connection.execute(statement, {"ids": list(ids)})}


async def exercises_page(
    connection: AsyncConnection, wanted: ExerciseFilter, after: tuple[str, str] | None, limit: int
) -> list[ExerciseRecord]:
    """Up to `limit` exercises by name, from behind the (lower-case name, id) of `after`."""
    statement = text(
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
    return [_record(row) for row in await connection.execute(statement, parameters)]


def _escape_like(words: str) -> str:
    return words.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
