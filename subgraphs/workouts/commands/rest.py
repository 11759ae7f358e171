"""The rest after a set: begun, made longer or shorter, skipped; and the person's default.

A rest is no change of the workout: it counts a version of its own and tells no event.
"""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from subgraphs.shell.auth import Viewer
from subgraphs.shell.database import Database
from subgraphs.shell.errors import Checks, ConflictError, NotFoundError, ValidationError, expect_version
from subgraphs.workouts.commands.workout import lock_workout, must_run
from subgraphs.workouts.domain.rest import Rest, check_rest_seconds, extended, rest_from
from subgraphs.workouts.queries.rest import default_rests
from subgraphs.workouts.queries.workout import (
    WorkoutExerciseRecord,
    WorkoutRecord,
    exercises_by_workout,
    sets_by_workout,
    workouts_by_id,
)

_SET = text(
    "UPDATE workout SET rest_started_at = :started_at, rest_ends_at = :ends_at, rest_place_id = :place_id,"
    " rest_version = rest_version + 1 WHERE id = :id"
)
_SET_DEFAULT = text(
    "INSERT INTO default_rest (user_id, seconds) VALUES (:user_id, :seconds)"
    " ON CONFLICT (user_id) DO UPDATE SET seconds = excluded.seconds"
)
_NO_DEFAULT = text("DELETE FROM default_rest WHERE user_id = :user_id")


async def start_rest(
    viewer: Viewer, workout_id: str, seconds: int | None, place_id: str | None, *, database: Database, now: datetime
) -> WorkoutRecord:
    """Begin a rest now, in place of one that is on: of so many seconds, or as planned of the exercise, or the default.

    `place_id` None is the exercise of the latest set. Raises NotFoundError, ConflictError for a workout that does not run,
    and ValidationError, also where nothing says how long.
    """
    checks = Checks()
    if seconds is not None:
        check_rest_seconds(checks, seconds)
    checks.done()
    async with database.transaction() as transaction:
        workout = await lock_workout(transaction, viewer, workout_id, None)
        must_run(workout)
        place = await _place(transaction, workout_id, place_id)
        planned = None if place is None else place.rest_seconds
        lasts = seconds if seconds is not None else await _planned(transaction, viewer.id, planned)
        rest = rest_from(now, lasts, None if place is None else place.id)
        if rest is None:
            raise ValidationError(("seconds", "must be told: no rest is planned, and there is no default"))
        return await _write(transaction, workout_id, rest)


async def extend_rest(
    viewer: Viewer,
    workout_id: str,
    seconds: int,
    *,
    expected_version: int | None,
    database: Database,
    now: datetime,
) -> WorkoutRecord:
    """Put the end of the rest that is on so many seconds off, or forward where that is negative, but not before now.

    Raises ValidationError, NotFoundError, StaleVersionError, and ConflictError where no rest is on.
    """
    async with database.transaction() as transaction:
        workout = await lock_workout(transaction, viewer, workout_id, None)
        expect_version("rest", expected=expected_version, current=workout.rest_version)
        rest = _rest_of(workout)
        if rest is None or rest.ends_at <= now:
            raise ConflictError("No rest is on.")
        checks = Checks()
        longer = extended(checks, rest, seconds, now)
        checks.done()
        return await _write(transaction, workout_id, longer)


async def skip_rest(
    viewer: Viewer, workout_id: str, *, expected_version: int | None, database: Database
) -> WorkoutRecord:
    """Take the rest away; a workout without one is answered as it is. Raises NotFoundError, StaleVersionError."""
    async with database.transaction() as transaction:
        workout = await lock_workout(transaction, viewer, workout_id, None)
        if _rest_of(workout) is None:
            return workout
        expect_version("rest", expected=expected_version, current=workout.rest_version)
        return await _write(transaction, workout_id, None)


async def set_default_rest(viewer: Viewer, seconds: int | None, *, database: Database) -> None:
    """How long the viewer rests where nothing else is planned; None: only planned rests begin. Raises ValidationError."""
    if seconds is None:
        async with database.transaction() as transaction:
            await transaction.execute(_NO_DEFAULT, {"user_id": viewer.id})
        return
    checks = Checks()
    check_rest_seconds(checks, seconds)
    checks.done()
    async with database.transaction() as transaction:
        await transaction.execute(_SET_DEFAULT, {"user_id": viewer.id, "seconds": seconds})


async def rest_after_set(
    transaction: AsyncConnection, workout: WorkoutRecord, place_id: str, rest_seconds: int | None, now: datetime
) -> None:
    """What a set of a running session begins: the rest that is planned of its exercise, which `rest_seconds` is, or the
    default. Without either a rest ends.
    """
    rest = rest_from(now, await _planned(transaction, workout.user_id, rest_seconds), place_id)
    if rest is not None or workout.rest_ends_at is not None:
        await _write(transaction, workout.id, rest)


async def _place(transaction: AsyncConnection, workout_id: str, place_id: str | None) -> WorkoutExerciseRecord | None:
    """The place of an exercise, or of the latest set where none is named; None before any set. Raises NotFoundError."""
    places: Sequence[WorkoutExerciseRecord] = (await exercises_by_workout(transaction, [workout_id])).get(
        workout_id, []
    )
    wanted = place_id
    if wanted is None:
        sets = (await sets_by_workout(transaction, [workout_id])).get(workout_id, [])
        latest = max(sets, key=lambda one: (one.logged_at, one.id), default=None)
        wanted = None if latest is None else latest.workout_exercise_id
    place = next((one for one in places if one.id == wanted), None)
    if place is None and place_id is not None:
        raise NotFoundError("The workout has no such exercise.", field="workoutExerciseId")
    return place


async def _planned(transaction: AsyncConnection, user_id: str, rest_seconds: int | None) -> int | None:
    """The seconds that are planned of an exercise, which may be 0, or else the person's default."""
    if rest_seconds is not None:
        return rest_seconds
    return (await default_rests(transaction, [user_id])).get(user_id)


def _rest_of(workout: WorkoutRecord) -> Rest | None:
    if workout.rest_started_at is None or workout.rest_ends_at is None:
        return None
    return Rest(workout.rest_started_at, workout.rest_ends_at, workout.rest_place_id)


async def _write(transaction: AsyncConnection, workout_id: str, rest: Rest | None) -> WorkoutRecord:
    row = {
        "id": workout_id,
        "started_at": rest.started_at if rest else None,
        "ends_at": rest.ends_at if rest else None,
        "place_id": rest.place_id if rest else None,
    }
    await transaction.execute(_SET, row)
    return (await workouts_by_id(transaction, [workout_id]))[workout_id]
