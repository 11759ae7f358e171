"""Whole training histories at once: settled in memory by the rules of `settle`, written by COPY. For `sample_data`."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from sqlalchemy.ext.asyncio import AsyncConnection

from events.contracts.workouts import WorkoutCompleted
from events.envelope import new_id
from subgraphs.shell.bulk import copy_events, copy_rows
from subgraphs.shell.idempotency import key_columns
from subgraphs.shell.node import NodeKind, new_node_id
from subgraphs.workouts.commands.personal_record import recompute_records
from subgraphs.workouts.commands.settle import RULES, Settled, settle, state_of, workout_event
from subgraphs.workouts.commands.workout_rows import NewRow, own_columns
from subgraphs.workouts.domain.personal_record import Best
from subgraphs.workouts.domain.workout import ExerciseDraft
from subgraphs.workouts.queries.exercise import ExerciseRecord
from subgraphs.workouts.queries.workout import SetRecord, WorkoutExerciseRecord, WorkoutRecord


@dataclass(frozen=True, slots=True)
class CompletedWorkout:
    """A finished workout about to be written, with the body weight in force on its day, None where none is known."""

    row: NewRow
    exercises: Sequence[ExerciseDraft]
    body_weight_kg: Decimal | None


async def copy_workouts(
    transaction: AsyncConnection,
    workouts: Sequence[CompletedWorkout],
    exercises: Mapping[str, ExerciseRecord],
    now: datetime,
) -> None:
    """Write workouts with their sets, bests and events; none may be there already. Brings their people's records up."""
    requests = {}
    settled: list[Settled] = []
    for each in workouts:
        workout, placed, sets = _records(each)
        requests[workout.id] = each.row
        settled.append(settle(workout, placed, sets, exercises, each.body_weight_kg))
    await copy_rows(transaction, "workout", [_workout_row(one, requests[one.workout.id], now) for one in settled])
    await copy_rows(transaction, "workout_exercise", [_place_row(place) for one in settled for place in one.placed])
    await copy_rows(transaction, "workout_set", [_set_row(each) for one in settled for each in one.sets])
    bests = [_best_row(one.workout, *best) for one in settled for best in one.bests.items()]
    await copy_rows(transaction, "exercise_best", bests)
    await recompute_records(transaction, sorted({one.workout.user_id for one in settled}))
    events = (workout_event(state_of(WorkoutCompleted, one), one.workout, now) for one in settled)
    await copy_events(transaction, events)


def _records(told: CompletedWorkout) -> tuple[WorkoutRecord, list[WorkoutExerciseRecord], list[SetRecord]]:
    """As they would be read after the rows were written and before anything was settled."""
    row, workout_id = told.row, new_node_id(NodeKind.WORKOUT)
    workout = WorkoutRecord(
        id=workout_id,
        user_id=row.user_id,
        name=row.name.strip(),
        status=row.status.value,
        local_date=row.local_date,
        time_zone=row.time_zone,
        started_at=row.started_at,
        ended_at=row.ended_at,
        duration_minutes=None,
        active_minutes=row.active_minutes,
        notes=row.notes,
        reported_kcal=row.reported_kcal,
        calories_kcal=None,
        net_calories_kcal=None,
        calories_method=None,
        body_weight_kg=None,
        volume_kg=Decimal(0),
        version=1,
        session_rpe=row.session_rpe,
        paused_at=[pause.started_at for pause in row.pauses],
        resumed_at=[pause.ended_at for pause in row.pauses if pause.ended_at is not None],
    )
    placed = [
        WorkoutExerciseRecord(new_id(), workout_id, one.exercise_id, position, one.duration_seconds, one.notes)
        for position, one in enumerate(told.exercises, start=1)
    ]
    sets = [
        SetRecord(
            id=new_node_id(NodeKind.WORKOUT_SET),
            workout_exercise_id=place.id,
            workout_id=workout_id,
            user_id=row.user_id,
            exercise_id=one.exercise_id,
            position=position,
            kind=each.kind.value,
            reps=each.reps,
            weight_kg=each.weight_kg,
            duration_seconds=each.duration_seconds,
            distance_m=each.distance_m,
            rpe=each.rpe,
            one_rep_max_kg=None,
            logged_at=row.ended_at or row.started_at,
            load_kg=None,
            tempo=each.tempo,
            notes=each.notes,
            side=None if each.side is None else each.side.value,
        )
        for place, one in zip(placed, told.exercises, strict=True)
        for position, each in enumerate(one.sets, start=1)
    ]
    return workout, placed, sets


def _workout_row(one: Settled, row: NewRow, now: datetime) -> dict[str, Any]:
    workout = one.workout
    return {
        **own_columns(workout.id, row),
        **key_columns(row.request),
        "created_at": now,
        "duration_minutes": workout.duration_minutes,
        "volume_kg": workout.volume_kg,
        "calories_kcal": workout.calories_kcal,
        "net_calories_kcal": workout.net_calories_kcal,
        "calories_method": workout.calories_method,
        "body_weight_kg": workout.body_weight_kg,
        "rules": RULES,
    }


def _place_row(place: WorkoutExerciseRecord) -> dict[str, Any]:
    return place._asdict()


def _set_row(one: SetRecord) -> dict[str, Any]:
    return one._asdict()


def _best_row(workout: WorkoutRecord, exercise_id: str, best: Best) -> dict[str, Any]:
    measures = {name: getattr(best, name) for name in Best.__slots__}
    key = {"workout_id": workout.id, "exercise_id": exercise_id, "user_id": workout.user_id}
    return key | {"local_date": workout.local_date} | measures
