"""A running session paused and resumed. Each is a change of the workout: it counts its version and tells its watchers."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncConnection

from events.contracts.workouts import WorkoutEdited
from subgraphs.shell.auth import Viewer
from subgraphs.shell.calendar import check_instant
from subgraphs.shell.database import Database
from subgraphs.shell.errors import Checks, ConflictError
from subgraphs.workouts.commands.settle import settle_workout
from subgraphs.workouts.commands.workout import lock_workout, must_run
from subgraphs.workouts.commands.workout_rows import row_of, update_workout_row
from subgraphs.workouts.domain.pause import MOST_PAUSES, Pause, is_paused
from subgraphs.workouts.queries.workout import WorkoutRecord


async def pause_workout(
    viewer: Viewer,
    workout_id: str,
    at: datetime | None,
    *,
    expected_version: int | None,
    database: Database,
    now: datetime,
) -> WorkoutRecord:
    """Let the running session stand still from `at`, or now; one that does so already is answered as it is.

    Raises ValidationError for an instant in the future or before what happened last, NotFoundError, StaleVersionError, and
    ConflictError for a workout that does not run or has the most pauses.
    """
    async with database.transaction() as transaction:
        workout = await lock_workout(transaction, viewer, workout_id, expected_version)
        must_run(workout)
        if is_paused(workout.pauses):
            return workout
        if len(workout.pauses) >= MOST_PAUSES:
            raise ConflictError(f"A workout may have at most {MOST_PAUSES} pauses.")
        began = _instant(workout, at, now)
        return await _write(transaction, workout, [*workout.pauses, Pause(began)], now)


async def resume_workout(
    viewer: Viewer,
    workout_id: str,
    at: datetime | None,
    *,
    expected_version: int | None,
    database: Database,
    now: datetime,
) -> WorkoutRecord:
    """Go on with a paused session from `at`, or now; one that is not paused is answered as it is. Raises as `pause_workout`."""
    async with database.transaction() as transaction:
        workout = await lock_workout(transaction, viewer, workout_id, expected_version)
        must_run(workout)
        if not is_paused(workout.pauses):
            return workout
        *earlier, last = workout.pauses
        ended = _instant(workout, at, now)
        return await _write(transaction, workout, [*earlier, replace(last, ended_at=ended)], now)


def _instant(workout: WorkoutRecord, at: datetime | None, now: datetime) -> datetime:
    """When it happens: not before the workout began or was last paused or resumed. Raises ValidationError."""
    last = workout.started_at
    if workout.pauses:
        last = max(last, workout.pauses[-1].ended_at or workout.pauses[-1].started_at)
    if at is None:
        return max(now, last)
    checks = Checks()
    check_instant(checks, at, now, "at")
    checks.require(at >= last, "at", "must not be before the workout began, or was last paused or resumed")
    checks.done()
    return at


async def _write(
    transaction: AsyncConnection, workout: WorkoutRecord, pauses: Sequence[Pause], now: datetime
) -> WorkoutRecord:
    await update_workout_row(transaction, workout.id, replace(row_of(workout), pauses=pauses))
    return await settle_workout(transaction, workout.id, WorkoutEdited, now=now)
