"""The rows of workouts, their exercises and sets: written here for `workout`, `workout_set` and `workout_copy`."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from events.envelope import new_id
from subgraphs.shell.idempotency import key_columns
from subgraphs.shell.inputs import RequestKey, made_id_of
from subgraphs.shell.node import NodeKind, new_node_id
from subgraphs.workouts.domain.pause import Pause
from subgraphs.workouts.domain.workout import ExerciseDraft, WorkoutStatus
from subgraphs.workouts.domain.workout_set import SetDraft
from subgraphs.workouts.queries.workout import WorkoutRecord


@dataclass(frozen=True, slots=True, kw_only=True)
class NewRow:
    """A workout's own columns."""

    user_id: str
    name: str
    status: WorkoutStatus
    local_date: date
    time_zone: str
    started_at: datetime
    ended_at: datetime | None
    notes: str | None
    reported_kcal: Decimal | None
    active_minutes: Decimal | None
    session_rpe: Decimal | None = None
    pauses: Sequence[Pause] = ()
    gear_id: str | None = None
    request: RequestKey | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SetPlace:
    """Where a set goes: an exercise's place in a workout, and the set's position there."""

    user_id: str
    workout_id: str
    exercise_id: str
    place_id: str
    position: int


_INSERT = text(
    "INSERT INTO workout (id, user_id, name, status, local_date, time_zone, started_at, ended_at, notes,"
    " reported_kcal, active_minutes, session_rpe, gear_id, paused_at, resumed_at, idempotency_key, idempotency_content, created_at) VALUES (:id, :user_id, :name, :status, :local_date,"
    " :time_zone, :started_at, :ended_at, :notes, :reported_kcal, :active_minutes, :session_rpe, :gear_id, CAST(:paused_at AS timestamptz[]),"
    " CAST(:resumed_at AS timestamptz[]), :idempotency_key,"
    " :idempotency_content, :created_at)"
    " ON CONFLICT DO NOTHING"
)
_UPDATE = text(
    "UPDATE workout SET name = :name, status = :status, local_date = :local_date, time_zone = :time_zone,"
    " started_at = :started_at, ended_at = :ended_at, notes = :notes, reported_kcal = :reported_kcal,"
    " active_minutes = :active_minutes, session_rpe = :session_rpe, gear_id = :gear_id,"
    " paused_at = CAST(:paused_at AS timestamptz[]), resumed_at = CAST(:resumed_at AS timestamptz[]),"
    " rest_started_at = CASE WHEN :is_running THEN rest_started_at END,"
    " rest_ends_at = CASE WHEN :is_running THEN rest_ends_at END,"
    " rest_place_id = CASE WHEN :is_running THEN rest_place_id END WHERE id = :id"
)
_DELETE = text("DELETE FROM workout WHERE id = :id")
# Arrays, so that any number of rows is one statement.
_INSERT_PLACES = text(
    "INSERT INTO workout_exercise (id, workout_id, exercise_id, position, duration_seconds, notes, superset,"
    " planned_sets, least_reps, most_reps, planned_weight_kg, rest_seconds, planned_percent, planned_max_kg, planned_rpe)"
    " SELECT * FROM unnest(CAST(:id AS text[]), CAST(:workout_id AS text[]), CAST(:exercise_id AS text[]),"
    " CAST(:position AS integer[]), CAST(:duration_seconds AS integer[]), CAST(:notes AS text[]),"
    " CAST(:superset AS integer[]), CAST(:planned_sets AS integer[]), CAST(:least_reps AS integer[]),"
    " CAST(:most_reps AS integer[]), CAST(:planned_weight_kg AS numeric[]), CAST(:rest_seconds AS integer[]),"
    " CAST(:planned_percent AS numeric[]), CAST(:planned_max_kg AS numeric[]), CAST(:planned_rpe AS numeric[]))"
)
_INSERT_SETS = text(
    "INSERT INTO workout_set (id, workout_exercise_id, workout_id, user_id, exercise_id, position, logged_at, kind,"
    " reps, weight_kg, duration_seconds, distance_m, rpe, tempo, notes, side, idempotency_key, idempotency_content) SELECT * FROM unnest(CAST(:id AS text[]),"
    " CAST(:place_id AS text[]), CAST(:workout_id AS text[]), CAST(:user_id AS text[]), CAST(:exercise_id AS text[]),"
    " CAST(:position AS integer[]), CAST(:logged_at AS timestamptz[]), CAST(:kind AS text[]), CAST(:reps AS integer[]),"
    " CAST(:weight_kg AS numeric[]), CAST(:duration_seconds AS integer[]), CAST(:distance_m AS numeric[]),"
    " CAST(:rpe AS numeric[]), CAST(:tempo AS text[]), CAST(:notes AS text[]), CAST(:side AS text[]), CAST(:idempotency_key AS text[]),"
    " CAST(:idempotency_content AS bytea[]))"
)
_UPDATE_SET = text(
    "UPDATE workout_set SET kind = :kind, reps = :reps, weight_kg = :weight_kg,"
    " duration_seconds = :duration_seconds, distance_m = :distance_m, rpe = :rpe, tempo = :tempo, notes = :notes,"
    " side = :side WHERE id = :id"
)
_DELETE_SET = text("DELETE FROM workout_set WHERE id = :id AND workout_id = :workout_id")


def row_of(workout: WorkoutRecord) -> NewRow:
    """The columns that a workout has now, for a change to replace some of them."""
    return NewRow(
        user_id=workout.user_id,
        name=workout.name,
        status=WorkoutStatus(workout.status),
        local_date=workout.local_date,
        time_zone=workout.time_zone,
        started_at=workout.started_at,
        ended_at=workout.ended_at,
        notes=workout.notes,
        reported_kcal=workout.reported_kcal,
        active_minutes=workout.active_minutes,
        session_rpe=workout.session_rpe,
        pauses=workout.pauses,
        gear_id=workout.gear_id,
    )


async def insert_workout(
    transaction: AsyncConnection, workout_id: str, row: NewRow, exercises: Sequence[ExerciseDraft], now: datetime
) -> bool:
    """Write a workout with its exercises and sets, in three statements however many there are.

    False, and nothing written, where its idempotency key is known already or another session is in progress.
    """
    values = own_columns(workout_id, row) | key_columns(row.request) | {"created_at": now}
    if (await transaction.execute(_INSERT, values)).rowcount == 0:
        return False
    place_ids = await insert_exercises(transaction, workout_id, exercises)
    sets = [
        (
            SetPlace(
                user_id=row.user_id,
                workout_id=workout_id,
                exercise_id=one.exercise_id,
                place_id=place_id,
                position=position,
            ),
            one_set,
        )
        for place_id, one in zip(place_ids, exercises, strict=True)
        for position, one_set in enumerate(one.sets, start=1)
    ]
    await insert_sets(transaction, sets, row.ended_at or row.started_at)
    return True


async def update_workout_row(transaction: AsyncConnection, workout_id: str, row: NewRow) -> None:
    """The workout's own columns anew; the rest ends with the session."""
    is_running = row.status == WorkoutStatus.IN_PROGRESS
    await transaction.execute(_UPDATE, own_columns(workout_id, row) | {"is_running": is_running})


async def delete_workout_row(transaction: AsyncConnection, workout_id: str) -> None:
    """Exercises and sets go with it."""
    await transaction.execute(_DELETE, {"id": workout_id})


async def insert_exercises(
    transaction: AsyncConnection, workout_id: str, exercises: Sequence[ExerciseDraft], first_position: int = 1
) -> list[str]:
    """Give exercises their places in a workout, one after the other; returns the places' ids."""
    rows = [
        {
            "id": new_id(),
            "workout_id": workout_id,
            "exercise_id": one.exercise_id,
            "position": position,
            "duration_seconds": one.duration_seconds,
            "notes": one.notes,
            "superset": one.plan.superset if one.plan else one.superset,
            "planned_sets": one.plan.sets if one.plan else None,
            "least_reps": one.plan.least_reps if one.plan else None,
            "most_reps": one.plan.most_reps if one.plan else None,
            "planned_weight_kg": one.plan.weight_kg if one.plan else None,
            "rest_seconds": one.plan.rest_seconds if one.plan else None,
            "planned_percent": one.plan.percent if one.plan else None,
            "planned_max_kg": one.plan.training_max_kg if one.plan else None,
            "planned_rpe": one.plan.target_rpe if one.plan else None,
        }
        for position, one in enumerate(exercises, start=first_position)
    ]
    if rows:
        await transaction.execute(_INSERT_PLACES, columns_of(rows))
    return [str(row["id"]) for row in rows]


async def insert_sets(
    transaction: AsyncConnection,
    sets: Sequence[tuple[SetPlace, SetDraft]],
    logged_at: datetime,
    request: RequestKey | None = None,
) -> list[str]:
    """Write sets, in one statement; returns their ids. `request` is what logged a single one."""
    rows = [
        {
            "id": made_id_of(request) or new_node_id(NodeKind.WORKOUT_SET),
            "place_id": place.place_id,
            "workout_id": place.workout_id,
            "user_id": place.user_id,
            "exercise_id": place.exercise_id,
            "position": place.position,
            "logged_at": logged_at,
            **_measures(one),
            **key_columns(request),
        }
        for place, one in sets
    ]
    if rows:
        await transaction.execute(_INSERT_SETS, columns_of(rows))
    return [str(row["id"]) for row in rows]


async def update_set_row(transaction: AsyncConnection, set_id: str, one: SetDraft) -> None:
    await transaction.execute(_UPDATE_SET, _measures(one) | {"id": set_id})


async def delete_set_row(transaction: AsyncConnection, workout_id: str, set_id: str) -> bool:
    """Take a set out of this workout; False if it has no such set."""
    result = await transaction.execute(_DELETE_SET, {"id": set_id, "workout_id": workout_id})
    return bool(result.rowcount)


def columns_of(rows: Sequence[Mapping[str, Any]]) -> dict[str, list[Any]]:
    """For a statement that takes an array for each column. There must be a row."""
    return {name: [row[name] for row in rows] for name in rows[0]}


def own_columns(workout_id: str, row: NewRow) -> dict[str, object]:
    """What was told of the workout itself; its numbers are `settle`'s."""
    return {
        "id": workout_id,
        "user_id": row.user_id,
        "name": row.name.strip(),
        "status": row.status.value,
        "local_date": row.local_date,
        "time_zone": row.time_zone,
        "started_at": row.started_at,
        "ended_at": row.ended_at,
        "notes": row.notes,
        "reported_kcal": row.reported_kcal,
        "active_minutes": row.active_minutes,
        "session_rpe": row.session_rpe,
        "paused_at": [pause.started_at for pause in row.pauses],
        "resumed_at": [pause.ended_at for pause in row.pauses if pause.ended_at is not None],
        "gear_id": row.gear_id,
    }


def _measures(one: SetDraft) -> dict[str, object]:
    return {
        "kind": one.kind.value,
        "reps": one.reps,
        "weight_kg": one.weight_kg,
        "duration_seconds": one.duration_seconds,
        "distance_m": one.distance_m,
        "rpe": one.rpe,
        "tempo": one.tempo,
        "notes": one.notes,
        "side": None if one.side is None else one.side.value,
    }
