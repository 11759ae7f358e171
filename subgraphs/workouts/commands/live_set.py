"""Sets of a session as it goes on: log, correct, remove. Finished workouts may be corrected the same way."""

from datetime import UTC, datetime

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from events.contracts.workouts import SetEdited, SetLogged, SetRemoved
from subgraphs.errors import ConflictError, NotFoundError
from subgraphs.workouts.commands.settle import settle_workout
from subgraphs.workouts.commands.workout import NewWorkoutExercise, add_exercise, lock_workout
from subgraphs.workouts.commands.workout_set import NewSet, check_set, insert_sets, remove_set, replace_set
from subgraphs.workouts.domain.workout import WorkoutStatus
from subgraphs.workouts.queries.exercise import exercises_by_id


async def log_set(
    engine: AsyncEngine,
    viewer_id: str,
    workout_id: str,
    exercise_id: str,
    one: NewSet,
    expected_version: int | None = None,
) -> str:
    """Add a set of an exercise, which joins the workout with its first set; returns the set's id."""
    check_set(one)
    async with engine.begin() as connection:
        workout = await lock_workout(connection, viewer_id, workout_id, expected_version)
        if workout.status == WorkoutStatus.CANCELLED:
            raise ConflictError("The workout is cancelled.")
        exercise = (await exercises_by_id(connection, [exercise_id])).get(exercise_id)
        if exercise is None or exercise.created_by not in (None, viewer_id):
            raise NotFoundError(f"There is no exercise {exercise_id}.")
        place_id, position = await _place(connection, workout_id, exercise_id)
        (set_id,) = await insert_sets(
            connection, viewer_id, workout_id, place_id, exercise_id, [one], datetime.now(UTC), position
        )
        await settle_workout(connection, workout_id, SetLogged)
        return set_id


async def edit_set(
    engine: AsyncEngine,
    viewer_id: str,
    workout_id: str,
    set_id: str,
    one: NewSet,
    expected_version: int | None = None,
) -> None:
    """Replace what a set says."""
    check_set(one)
    async with engine.begin() as connection:
        await lock_workout(connection, viewer_id, workout_id, expected_version)
        if not await replace_set(connection, workout_id, set_id, one):
            raise NotFoundError(f"There is no set {set_id}.")
        await settle_workout(connection, workout_id, SetEdited)


async def delete_set(
    engine: AsyncEngine, viewer_id: str, workout_id: str, set_id: str, expected_version: int | None = None
) -> None:
    """Take a set out; records that it held fall back to the next best."""
    async with engine.begin() as connection:
        await lock_workout(connection, viewer_id, workout_id, expected_version)
        if not await remove_set(connection, workout_id, set_id):
            raise NotFoundError(f"There is no set {set_id}.")
        await settle_workout(connection, workout_id, SetRemoved)


async def _place(connection: AsyncConnection, workout_id: str, exercise_id: str) -> tuple[str, int]:
    """Where the next set of an exercise goes: its latest place in the workout, made if there is none."""
    statement = text(
        "SELECT e.id, coalesce(max(s.position), 0) + 1 AS next FROM workout_exercise AS e"
        " LEFT JOIN workout_set AS s ON s.workout_exercise_id = e.id"
        " WHERE e.workout_id = :workout_id AND e.exercise_id = :exercise_id"
        " GROUP BY e.id, e.position ORDER BY e.position DESC LIMIT 1"
    )
    row = (await connection.execute(statement, {"workout_id": workout_id, "exercise_id": exercise_id})).one_or_none()
    if row is not None:
        return row.id, row.next
    last = text("SELECT coalesce(max(position), 0) FROM workout_exercise WHERE workout_id = :workout_id")
    position = int(await connection.scalar(last, {"workout_id": workout_id}) or 0) + 1
    return await add_exercise(connection, workout_id, NewWorkoutExercise(exercise_id), position), 1
