"""The rows of sets: checked, written, replaced, removed. Called by `workout` and `live_set` in their transactions."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from events.envelope import new_id
from subgraphs.errors import ValidationError
from subgraphs.workouts.domain.strength import one_rep_max_kg
from subgraphs.workouts.domain.workout import WORKING_KINDS, SetKind


@dataclass(frozen=True, slots=True)
class NewSet:
    """What was done in one set; at least one of repetitions, time and distance."""

    kind: SetKind = SetKind.NORMAL
    reps: int | None = None
    weight_kg: Decimal | None = None
    duration_seconds: int | None = None
    distance_m: Decimal | None = None
    rpe: Decimal | None = None


def check_set(one: NewSet) -> None:
    """Raises ValidationError with the field that cannot be."""
    if one.reps is None and one.duration_seconds is None and one.distance_m is None:
        raise ValidationError(("reps", "a set needs repetitions, a duration or a distance"))
    _check_range("reps", one.reps, 1, 10_000)
    _check_range("weightKg", one.weight_kg, 0, 2_000)
    _check_range("durationSeconds", one.duration_seconds, 1, 86_400)
    _check_range("distanceM", one.distance_m, 0, 1_000_000)
    _check_range("rpe", one.rpe, 1, 10)


def _check_range(field: str, value: int | Decimal | None, least: int, most: int) -> None:
    if value is not None and not least <= value <= most:
        raise ValidationError((field, f"must be between {least} and {most}"))


async def insert_sets(
    connection: AsyncConnection,
    user_id: str,
    workout_id: str,
    place_id: str,
    exercise_id: str,
    sets: Sequence[NewSet],
    logged_at: datetime,
    first_position: int = 1,
) -> list[str]:
    """The rows of these sets, in order; returns their ids."""
    rows = [
        _measures(one)
        | {
            "id": new_id(),
            "place_id": place_id,
            "workout_id": workout_id,
            "user_id": user_id,
            "exercise_id": exercise_id,
            "position": position,
            "logged_at": logged_at,
        }
        for position, one in enumerate(sets, start=first_position)
    ]
    if rows:
        await connection.execute(
            text(
                "INSERT INTO workout_set (id, workout_exercise_id, workout_id, user_id, exercise_id, position, kind,"
                " reps, weight_kg, duration_seconds, distance_m, rpe, one_rep_max_kg, logged_at) VALUES (:id, :place_id,"
                " :workout_id, :user_id, :exercise_id, :position, :kind, :reps, :weight_kg, :duration_seconds,"
                " :distance_m, :rpe, :one_rep_max_kg, :logged_at)"
            ),
            rows,
        )
    return [str(row["id"]) for row in rows]


async def replace_set(connection: AsyncConnection, workout_id: str, set_id: str, one: NewSet) -> bool:
    """Put new measures into a set of this workout; False if it has no such set."""
    result = await connection.execute(
        text(
            "UPDATE workout_set SET kind = :kind, reps = :reps, weight_kg = :weight_kg,"
            " duration_seconds = :duration_seconds, distance_m = :distance_m, rpe = :rpe,"
            " one_rep_max_kg = :one_rep_max_kg WHERE id = :id AND workout_id = :workout_id"
        ),
        _measures(one) | {"id": set_id, "workout_id": workout_id},
    )
    return bool(result.rowcount)


async def remove_set(connection: AsyncConnection, workout_id: str, set_id: str) -> bool:
    """Take a set out of this workout; False if it has no such set."""
    result = await connection.execute(
        text("DELETE FROM workout_set WHERE id = :id AND workout_id = :workout_id"),
        {"id": set_id, "workout_id": workout_id},
    )
    return bool(result.rowcount)


def _measures(one: NewSet) -> dict[str, object]:
    counts = one.kind in WORKING_KINDS
    return {
        "kind": one.kind.value,
        "reps": one.reps,
        "weight_kg": one.weight_kg,
        "duration_seconds": one.duration_seconds,
        "distance_m": one.distance_m,
        "rpe": one.rpe,
        "one_rep_max_kg": one_rep_max_kg(one.weight_kg, one.reps) if counts else None,
    }
