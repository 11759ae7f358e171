"""A person's own workouts: begin, finish, give up, log after the fact, change, delete."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

from sqlalchemy import text
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from events.contracts.workouts import (
    WorkoutCancelled,
    WorkoutCompleted,
    WorkoutDeleted,
    WorkoutEdited,
    WorkoutStarted,
)
from events.envelope import new_id
from events.outbox import NewEvent, append_event
from subgraphs.auth import Viewer
from subgraphs.errors import ConflictError, NotFoundError, StaleVersionError, ValidationError
from subgraphs.scalars import local_date
from subgraphs.workouts.commands.settle import settle_workout
from subgraphs.workouts.commands.workout_set import NewSet, check_set, insert_sets
from subgraphs.workouts.domain.workout import LONGEST_WORKOUT, WorkoutStatus
from subgraphs.workouts.queries.exercise import exercises_by_id
from subgraphs.workouts.queries.person import people_by_id
from subgraphs.workouts.queries.workout import WorkoutRecord, workouts_by_id

CLOCK_SKEW = timedelta(minutes=5)


@dataclass(frozen=True, slots=True)
class NewWorkoutExercise:
    """An exercise of a workout that is logged in one call."""

    exercise_id: str
    sets: tuple[NewSet, ...] = ()
    duration_seconds: int | None = None
    notes: str | None = None


@dataclass(frozen=True, slots=True)
class NewWorkout:
    """A workout to begin (no `ended_at`) or to log. Zone and day are the person's own clock's where left out."""

    name: str
    started_at: datetime
    ended_at: datetime | None = None
    exercises: tuple[NewWorkoutExercise, ...] = ()
    notes: str | None = None
    reported_kcal: Decimal | None = None
    active_minutes: Decimal | None = None
    time_zone: str | None = None
    local_date: date | None = None
    idempotency_key: str | None = None


@dataclass(frozen=True, slots=True)
class WorkoutChange:
    """What to change of a workout; None leaves it."""

    name: str | None = None
    notes: str | None = None
    started_at: datetime | None = None
    ended_at: datetime | None = None
    reported_kcal: Decimal | None = None
    active_minutes: Decimal | None = None


async def start_workout(engine: AsyncEngine, viewer: Viewer, new: NewWorkout) -> str:
    """Begin a session and return its id. Raises ConflictError while another one is running."""
    return await _create(engine, viewer, new)


async def log_workout(engine: AsyncEngine, viewer: Viewer, new: NewWorkout) -> str:
    """Write a finished workout with its exercises and sets; returns its id."""
    if new.ended_at is None:
        raise ValidationError(("endedAt", "a logged workout needs its end"))
    return await _create(engine, viewer, new)


async def _create(engine: AsyncEngine, viewer: Viewer, new: NewWorkout) -> str:
    """The same idempotency key gives the workout of the first call."""
    _check_workout(new)
    try:
        async with engine.begin() as connection:
            known = await _of_key(connection, viewer.id, new.idempotency_key)
            return known or await add_workout(connection, viewer.id, await _on_clock(connection, viewer, new))
    except IntegrityError as conflict:
        async with engine.connect() as connection:
            known = await _of_key(connection, viewer.id, new.idempotency_key)
        if known is None:
            raise ConflictError("Another workout is in progress.") from conflict
        return known


async def add_workout(connection: AsyncConnection, viewer_id: str, new: NewWorkout) -> str:
    """The rows and the event of one new workout, in the caller's transaction."""
    workout_id = new_id()
    time_zone = new.time_zone or "UTC"
    day = new.local_date or local_date(new.started_at, time_zone, day_start_hour=0)
    status = WorkoutStatus.IN_PROGRESS if new.ended_at is None else WorkoutStatus.COMPLETED
    await connection.execute(
        text(
            "INSERT INTO workout (id, user_id, name, status, local_date, time_zone, started_at, ended_at, notes,"
            " reported_kcal, active_minutes, idempotency_key) VALUES (:id, :user_id, :name, :status, :local_date,"
            " :time_zone, :started_at, :ended_at, :notes, :reported_kcal, :active_minutes, :idempotency_key)"
        ),
        {
            "id": workout_id,
            "user_id": viewer_id,
            "name": new.name.strip(),
            "status": status.value,
            "local_date": day,
            "time_zone": time_zone,
            "started_at": new.started_at,
            "ended_at": new.ended_at,
            "notes": new.notes,
            "reported_kcal": new.reported_kcal,
            "active_minutes": new.active_minutes,
            "idempotency_key": new.idempotency_key,
        },
    )
    await _add_exercises(connection, viewer_id, workout_id, new.exercises, new.ended_at or new.started_at)
    event = WorkoutStarted if new.ended_at is None else WorkoutCompleted
    await settle_workout(connection, workout_id, event, is_new=True)
    return workout_id


async def complete_workout(
    engine: AsyncEngine,
    viewer_id: str,
    workout_id: str,
    ended_at: datetime | None = None,
    reported_kcal: Decimal | None = None,
    expected_version: int | None = None,
) -> None:
    """End the running session; its energy is worked out now."""
    async with engine.begin() as connection:
        workout = await lock_workout(connection, viewer_id, workout_id, expected_version)
        _must_run(workout)
        end = ended_at or max(datetime.now(UTC), workout.started_at)
        _check_times(workout.started_at, end)
        await connection.execute(
            text(
                "UPDATE workout SET status = 'COMPLETED', ended_at = :ended_at, reported_kcal = :reported_kcal"
                " WHERE id = :id"
            ),
            {"id": workout_id, "ended_at": end, "reported_kcal": reported_kcal},
        )
        await settle_workout(connection, workout_id, WorkoutCompleted)


async def cancel_workout(
    engine: AsyncEngine, viewer_id: str, workout_id: str, expected_version: int | None = None
) -> None:
    """Give up the running session; it stays in the history and counts for nothing."""
    async with engine.begin() as connection:
        workout = await lock_workout(connection, viewer_id, workout_id, expected_version)
        _must_run(workout)
        await connection.execute(
            text("UPDATE workout SET status = 'CANCELLED', ended_at = :now WHERE id = :id"),
            {"id": workout_id, "now": max(datetime.now(UTC), workout.started_at)},
        )
        await settle_workout(connection, workout_id, WorkoutCancelled)


async def update_workout(
    engine: AsyncEngine, viewer_id: str, workout_id: str, change: WorkoutChange, expected_version: int | None = None
) -> None:
    """Change a workout's name, notes, times or reported energy; new times may move it to another day."""
    async with engine.begin() as connection:
        workout = await lock_workout(connection, viewer_id, workout_id, expected_version)
        started_at = change.started_at or workout.started_at
        ended_at = change.ended_at or workout.ended_at
        _check_text(change.name or workout.name, change.notes)
        _check_times(started_at, ended_at)
        if change.ended_at is not None and workout.status == WorkoutStatus.IN_PROGRESS:
            raise ConflictError("A workout in progress is ended by completing it.")
        day = workout.local_date
        if change.started_at is not None:
            person = (await people_by_id(connection, [viewer_id])).get(viewer_id)
            day = local_date(started_at, workout.time_zone, person.day_start_hour if person else 0)
        await connection.execute(
            text(
                "UPDATE workout SET name = :name, notes = :notes, started_at = :started_at, ended_at = :ended_at,"
                " reported_kcal = :reported_kcal, active_minutes = :active_minutes, local_date = :day WHERE id = :id"
            ),
            {
                "id": workout_id,
                "name": (change.name or workout.name).strip(),
                "notes": workout.notes if change.notes is None else change.notes,
                "started_at": started_at,
                "ended_at": ended_at,
                "reported_kcal": workout.reported_kcal if change.reported_kcal is None else change.reported_kcal,
                "active_minutes": workout.active_minutes if change.active_minutes is None else change.active_minutes,
                "day": day,
            },
        )
        moved_from = workout.local_date if day != workout.local_date else None
        await settle_workout(connection, workout_id, WorkoutEdited, prev_local_date=moved_from)


async def delete_workout(
    engine: AsyncEngine, viewer_id: str, workout_id: str, expected_version: int | None = None
) -> None:
    """Remove a workout and its sets for good."""
    async with engine.begin() as connection:
        workout = await lock_workout(connection, viewer_id, workout_id, expected_version)
        await connection.execute(text("DELETE FROM workout WHERE id = :id"), {"id": workout_id})
        payload = WorkoutDeleted(workout_id=workout_id, local_date=workout.local_date)
        event = NewEvent(
            payload,
            workout_id,
            workout.version + 1,
            viewer_id,
            datetime.now(UTC),
            workout.local_date,
            workout.time_zone,
        )
        await append_event(connection, event)


async def lock_workout(
    connection: AsyncConnection, viewer_id: str, workout_id: str, expected_version: int | None
) -> WorkoutRecord:
    """The viewer's workout, locked until the transaction ends. Another person's is not found."""
    locked = text("SELECT id FROM workout WHERE id = :id AND user_id = :user_id FOR UPDATE")
    if await connection.scalar(locked, {"id": workout_id, "user_id": viewer_id}) is None:
        raise NotFoundError(f"There is no workout {workout_id}.")
    workout = (await workouts_by_id(connection, [workout_id]))[workout_id]
    if expected_version is not None and expected_version != workout.version:
        raise StaleVersionError("workout", expected=expected_version, current=workout.version)
    return workout


async def _of_key(connection: AsyncConnection, viewer_id: str, key: str | None) -> str | None:
    if key is None:
        return None
    statement = text("SELECT id FROM workout WHERE user_id = :user_id AND idempotency_key = :key")
    workout_id: str | None = await connection.scalar(statement, {"user_id": viewer_id, "key": key})
    return workout_id


async def _on_clock(connection: AsyncConnection, viewer: Viewer, new: NewWorkout) -> NewWorkout:
    """Put the workout on the person's own clock: as replicated, else as the token tells."""
    person = (await people_by_id(connection, [viewer.id])).get(viewer.id)
    time_zone = new.time_zone or (person.time_zone if person else viewer.time_zone)
    day_start_hour = person.day_start_hour if person else viewer.day_start_hour
    day = new.local_date or local_date(new.started_at, time_zone, day_start_hour)
    return replace(new, time_zone=time_zone, local_date=day)


async def _add_exercises(
    connection: AsyncConnection,
    viewer_id: str,
    workout_id: str,
    exercises: Sequence[NewWorkoutExercise],
    logged_at: datetime,
) -> None:
    known = await exercises_by_id(connection, sorted({one.exercise_id for one in exercises}))
    for position, one in enumerate(exercises, start=1):
        exercise = known.get(one.exercise_id)
        if exercise is None or exercise.created_by not in (None, viewer_id):
            raise NotFoundError(f"There is no exercise {one.exercise_id}.")
        place_id = await add_exercise(connection, workout_id, one, position)
        await insert_sets(connection, viewer_id, workout_id, place_id, one.exercise_id, one.sets, logged_at)


async def add_exercise(connection: AsyncConnection, workout_id: str, one: NewWorkoutExercise, position: int) -> str:
    place_id = new_id()
    await connection.execute(
        text(
            "INSERT INTO workout_exercise (id, workout_id, exercise_id, position, duration_seconds, notes)"
            " VALUES (:id, :workout_id, :exercise_id, :position, :duration_seconds, :notes)"
        ),
        {
            "id": place_id,
            "workout_id": workout_id,
            "exercise_id": one.exercise_id,
            "position": position,
            "duration_seconds": one.duration_seconds,
            "notes": one.notes,
        },
    )
    return place_id


def _check_workout(new: NewWorkout) -> None:
    _check_text(new.name, new.notes)
    _check_times(new.started_at, new.ended_at)
    if new.reported_kcal is not None and not 0 <= new.reported_kcal <= 20_000:
        raise ValidationError(("caloriesKcal", "must be between 0 and 20000"))
    for one in new.exercises:
        for one_set in one.sets:
            check_set(one_set)


def _check_text(name: str, notes: str | None) -> None:
    if not 1 <= len(name.strip()) <= 255:
        raise ValidationError(("name", "must have 1 to 255 characters"))
    if notes is not None and len(notes) > 500:
        raise ValidationError(("notes", "must have at most 500 characters"))


def _check_times(started_at: datetime, ended_at: datetime | None) -> None:
    if started_at > datetime.now(UTC) + CLOCK_SKEW:
        raise ValidationError(("startedAt", "must not be in the future"))
    if ended_at is not None and not timedelta(0) <= ended_at - started_at <= LONGEST_WORKOUT:
        raise ValidationError(("endedAt", "must be within 24 hours after the start"))


def _must_run(workout: WorkoutRecord) -> None:
    if workout.status != WorkoutStatus.IN_PROGRESS:
        raise ConflictError(f"The workout is not in progress: its status is {workout.status}.")
