"""Bulk loading for samples: the exercise catalogue and whole training histories. Called by `fittracker sample-data`."""

from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Any

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from subgraphs.workouts.commands.exercise import INSERT_EXERCISE
from subgraphs.workouts.commands.workout import NewWorkout, add_workout

BATCH_ROWS = 500


async def load_exercises(connection: AsyncConnection, rows: Iterable[Mapping[str, Any]]) -> int:
    """Add catalogue exercises, in the caller's transaction; ids that exist are left alone. Returns how many came.

    A row has id, name, category, level, tracking and, where known, met, metCode, force, mechanic, equipment,
    primaryMuscles, secondaryMuscles, instructions.
    """
    parameters = [_exercise(row) for row in rows]
    before = await _count(connection)
    for first in range(0, len(parameters), BATCH_ROWS):
        await connection.execute(INSERT_EXERCISE, parameters[first : first + BATCH_ROWS])
    return await _count(connection) - before


async def load_workouts(connection: AsyncConnection, user_id: str, workouts: Iterable[NewWorkout]) -> int:
    """Log workouts of one person with their events, in the caller's transaction. Returns how many are new.

    A workout whose idempotency key is known already is left alone, so loading twice changes nothing.
    """
    statement = text("SELECT idempotency_key FROM workout WHERE user_id = :user_id AND idempotency_key IS NOT NULL")
    known = set((await connection.scalars(statement, {"user_id": user_id})).all())
    new = [workout for workout in workouts if workout.idempotency_key not in known]
    for workout in new:
        await add_workout(connection, user_id, workout)
    return len(new)


async def exercise_ids_by_name(connection: AsyncConnection) -> dict[str, str]:
    """The catalogue's names and ids, for histories that name their exercises."""
    rows = await connection.execute(text("SELECT name, id FROM exercise WHERE created_by IS NULL"))
    return {row.name: row.id for row in rows}


async def _count(connection: AsyncConnection) -> int:
    return int(await connection.scalar(text("SELECT count(*) FROM exercise")) or 0)


def _exercise(row: Mapping[str, Any]) -> dict[str, Any]:
    met = row.get("met")
    return {
        "id": row["id"],
        "name": row["name"],
        "category": row["category"],
        "level": row["level"],
        "tracking": row["tracking"],
        "primary_muscles": list(row.get("primaryMuscles") or ()),
        "secondary_muscles": list(row.get("secondaryMuscles") or ()),
        "equipment": row.get("equipment"),
        "force": row.get("force"),
        "mechanic": row.get("mechanic"),
        "met": None if met is None else Decimal(str(met)),
        "met_code": row.get("metCode"),
        "instructions": row.get("instructions"),
        "created_by": None,
    }
