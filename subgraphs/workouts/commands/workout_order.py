"""A workout put otherwise: taken up again, its exercises in another order, one exercise for another.

Each command checks, then writes rows and event in one transaction.
"""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from decimal import Decimal

from sqlalchemy import text
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection

from events.contracts.workouts import WorkoutEdited
from subgraphs.shell.auth import Viewer
from subgraphs.shell.database import Database
from subgraphs.shell.errors import ConflictError, NotFoundError, ValidationError
from subgraphs.workouts.commands.settle import settle_workout
from subgraphs.workouts.commands.track import swap_exercise_of_bests
from subgraphs.workouts.commands.workout import lock_workout
from subgraphs.workouts.commands.workout_rows import row_of, update_workout_row
from subgraphs.workouts.domain.workout import WorkoutStatus
from subgraphs.workouts.queries.exercise import exercises_by_id
from subgraphs.workouts.queries.workout import WorkoutRecord, exercises_by_workout

_PLACE = text(
    "UPDATE workout_exercise AS place SET position = told.position"
    " FROM unnest(CAST(:ids AS text[]), CAST(:positions AS integer[])) AS told (id, position) WHERE place.id = told.id"
)
_SWAP_PLACE = text("UPDATE workout_exercise SET exercise_id = :exercise_id WHERE id = :id")
_IS_HELPED = text("SELECT EXISTS (SELECT FROM workout_set WHERE workout_exercise_id = :id AND weight_kg < 0)")
_SWAP_SETS = text("UPDATE workout_set SET exercise_id = :exercise_id WHERE workout_exercise_id = :id")


async def reopen_workout(
    viewer: Viewer, workout_id: str, *, expected_version: int | None, database: Database, now: datetime
) -> WorkoutRecord:
    """Take up a completed session again; it has no end and no energy until it is completed anew.

    Raises NotFoundError, StaleVersionError, and ConflictError for one that is not completed or while another runs.
    """
    async with database.transaction() as transaction:
        workout = await lock_workout(transaction, viewer, workout_id, expected_version)
        if workout.status != WorkoutStatus.COMPLETED:
            raise ConflictError(f"Only a completed workout is reopened: its status is {workout.status}.")
        running = replace(row_of(workout), status=WorkoutStatus.IN_PROGRESS, ended_at=None)
        try:
            await update_workout_row(transaction, workout_id, running)
        except IntegrityError:  # of `workout_one_active`, which sees sessions that begin at the same time too
            raise ConflictError("Another workout is in progress.") from None
        return await settle_workout(transaction, workout_id, WorkoutEdited, now=now)


async def reorder_exercises(
    viewer: Viewer,
    workout_id: str,
    order: Sequence[str],
    *,
    expected_version: int | None,
    database: Database,
    now: datetime,
) -> WorkoutRecord:
    """Put the exercises of a workout into this order of their places, all of which it has to name once.

    Raises ValidationError, NotFoundError, StaleVersionError.
    """
    async with database.transaction() as transaction:
        await lock_workout(transaction, viewer, workout_id, expected_version)
        places = (await exercises_by_workout(transaction, [workout_id])).get(workout_id, [])
        if sorted(order) != sorted(place.id for place in places):
            raise ValidationError(("order", "must name each exercise of the workout once"))
        await transaction.execute(_PLACE, {"ids": list(order), "positions": list(range(1, len(order) + 1))})
        return await settle_workout(transaction, workout_id, WorkoutEdited, now=now)


async def swap_exercise(
    viewer: Viewer,
    workout_id: str,
    swap: tuple[str, str],
    *,
    expected_version: int | None,
    database: Database,
    now: datetime,
) -> WorkoutRecord:
    """Make the exercise of a place another one, (place id, exercise id): its sets were, or will be, of that one.

    Raises NotFoundError and StaleVersionError.
    """
    place_id, exercise_id = swap
    async with database.transaction() as transaction:
        await lock_workout(transaction, viewer, workout_id, expected_version)
        places = (await exercises_by_workout(transaction, [workout_id])).get(workout_id, [])
        before = next((place.exercise_id for place in places if place.id == place_id), None)
        if before is None:
            raise NotFoundError("The workout has no such exercise.", field="workoutExerciseId")
        share = await _share_of_visible(transaction, viewer, exercise_id)
        if share == 0 and await transaction.scalar(_IS_HELPED, {"id": place_id}):
            raise ValidationError(
                ("exerciseId", "lifts nothing of the body that the weights of these sets could help with")
            )
        for statement in (_SWAP_PLACE, _SWAP_SETS):
            await transaction.execute(statement, {"id": place_id, "exercise_id": exercise_id})
        await swap_exercise_of_bests(transaction, workout_id, instead_of=before, exercise_id=exercise_id)
        return await settle_workout(transaction, workout_id, WorkoutEdited, now=now)


async def _share_of_visible(transaction: AsyncConnection, viewer: Viewer, exercise_id: str) -> Decimal:
    """What the exercise lifts of the body. Raises NotFoundError unless the viewer may see it."""
    exercise = (await exercises_by_id(transaction, [exercise_id])).get(exercise_id)
    if exercise is None or not exercise.is_visible_to(viewer.id):
        raise NotFoundError("There is no such exercise.", field="exerciseId")
    return exercise.body_weight_share
