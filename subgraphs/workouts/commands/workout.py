"""A person's own workouts: begin, finish, give up, log after the fact, change, delete.

Each command checks, then writes rows and event in one transaction.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from decimal import Decimal
from typing import TypedDict

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from events.contracts.workouts import (
    WorkoutCancelled,
    WorkoutCompleted,
    WorkoutDeleted,
    WorkoutEdited,
    WorkoutStarted,
)
from events.inbox import hold_projection
from events.outbox import append_event
from subgraphs.shell.auth import Viewer
from subgraphs.shell.calendar import check_time_zone, local_date
from subgraphs.shell.database import Database
from subgraphs.shell.errors import Checks, ConflictError, NotFoundError, ValidationError, expect_version
from subgraphs.shell.idempotency import id_made_before, id_of_request
from subgraphs.shell.inputs import RequestKey, made_id_of
from subgraphs.shell.node import NodeKind, new_node_id
from subgraphs.workouts.commands.exercise import check_exercises_exist
from subgraphs.workouts.commands.gear import DEFAULT_GEAR, WantedGear, gear_of_workout, require_gear
from subgraphs.workouts.commands.personal_record import keep_records
from subgraphs.workouts.commands.plan_event import free_plan_of
from subgraphs.workouts.commands.settle import settle_workout, workout_event
from subgraphs.workouts.commands.track import insert_track
from subgraphs.workouts.commands.workout_rows import (
    NewRow,
    delete_workout_row,
    insert_workout,
    row_of,
    update_workout_row,
)
from subgraphs.workouts.domain.pause import Pause, check_pauses
from subgraphs.workouts.domain.track import TrackDraft, check_track
from subgraphs.workouts.domain.workout import (
    LONGEST_WORKOUT,
    MOST_WORKOUTS,
    ExerciseDraft,
    WorkoutStatus,
    check_exercises,
    check_workout,
)
from subgraphs.workouts.domain.workout_set import check_help
from subgraphs.workouts.queries.exercise import exercises_by_id
from subgraphs.workouts.queries.person import GROUP, person_of
from subgraphs.workouts.queries.workout import (
    WorkoutRecord,
    exercises_by_workout,
    sets_by_workout,
    workout_counts,
    workouts_by_id,
)

_LOCK = text("SELECT id FROM workout WHERE id = :id AND user_id = :user_id FOR UPDATE")


@dataclass(frozen=True, slots=True, kw_only=True)
class NewWorkout:
    """A workout to begin (no `ended_at`) or to log. Zone and day are the person's own clock's where left out."""

    name: str
    started_at: datetime
    ended_at: datetime | None = None
    exercises: Sequence[ExerciseDraft] = ()
    notes: str | None = None
    reported_kcal: Decimal | None = None
    active_minutes: Decimal | None = None
    session_rpe: Decimal | None = None
    pauses: Sequence[Pause] = ()
    time_zone: str | None = None
    local_date: date | None = None
    track: TrackDraft | None = None
    gear: WantedGear = DEFAULT_GEAR
    request: RequestKey | None = None


class WorkoutChanges(TypedDict, total=False):
    """What is to be different; what is absent stays as it is, and None takes it away."""

    name: str
    notes: str | None
    started_at: datetime
    ended_at: datetime
    reported_kcal: Decimal | None
    active_minutes: Decimal | None
    session_rpe: Decimal | None
    gear_id: str | None


class Completion(TypedDict, total=False):
    """How a session ended; what is absent stays as it is, and the end is then now."""

    ended_at: datetime
    reported_kcal: Decimal | None
    active_minutes: Decimal | None
    session_rpe: Decimal | None


async def start_workout(viewer: Viewer, new: NewWorkout, *, database: Database, now: datetime) -> WorkoutRecord:
    """Begin a session. Raises ValidationError, and ConflictError while another one is running."""
    return await _create(viewer, new, database=database, now=now)


async def log_workout(viewer: Viewer, new: NewWorkout, *, database: Database, now: datetime) -> WorkoutRecord:
    """Write a finished workout with its exercises and sets. Raises ValidationError."""
    if new.ended_at is None:
        raise ValidationError(("endedAt", "a logged workout needs its end"))
    return await _create(viewer, new, database=database, now=now)


async def complete_workout(
    viewer: Viewer,
    workout_id: str,
    completion: Completion,
    *,
    expected_version: int | None,
    database: Database,
    now: datetime,
) -> WorkoutRecord:
    """End the running session; its energy is worked out now. Where it goes a distance without gear, it gets what its first
    exercise has by default. One left running for longer than a workout may last needs
    to be told its end.

    Raises ValidationError, NotFoundError, StaleVersionError, and ConflictError for one that is not running.
    """
    async with database.transaction() as transaction:
        await hold_projection(transaction, GROUP, viewer.id)  # a weight that comes now is to find it, or to be found
        workout = await lock_workout(transaction, viewer, workout_id, expected_version)
        must_run(workout)
        ended = replace(row_of(workout), status=WorkoutStatus.COMPLETED, ended_at=max(now, workout.started_at))
        row = replace(ended, **completion)
        if row.gear_id is None:
            row = replace(row, gear_id=await _default_gear(transaction, workout))
        _check(row, now)
        await update_workout_row(transaction, workout_id, row)
        return await settle_workout(transaction, workout_id, WorkoutCompleted, now=now)


async def cancel_workout(
    viewer: Viewer, workout_id: str, *, expected_version: int | None, database: Database, now: datetime
) -> WorkoutRecord:
    """Give up the running session; it stays in the history and counts for nothing. One left running for longer than a workout
    may last ended when it had lasted so long.

    Raises NotFoundError, StaleVersionError, and ConflictError for one that is not running.
    """
    async with database.transaction() as transaction:
        workout = await lock_workout(transaction, viewer, workout_id, expected_version)
        must_run(workout)
        ended_at = max(min(now, workout.started_at + LONGEST_WORKOUT), workout.started_at)
        row = replace(row_of(workout), status=WorkoutStatus.CANCELLED, ended_at=ended_at)
        await update_workout_row(transaction, workout_id, row)
        await free_plan_of(transaction, workout_id, now)
        return await settle_workout(transaction, workout_id, WorkoutCancelled, now=now)


async def update_workout(
    viewer: Viewer,
    workout_id: str,
    changes: WorkoutChanges,
    *,
    expected_version: int | None,
    database: Database,
    now: datetime,
) -> WorkoutRecord:
    """Change a workout's name, notes, times or reported numbers; a new start may move it to another day.

    Raises ValidationError, NotFoundError, StaleVersionError, and ConflictError for the end of a running one.
    """
    async with database.transaction() as transaction:
        workout = await lock_workout(transaction, viewer, workout_id, expected_version)
        if "ended_at" in changes and workout.status == WorkoutStatus.IN_PROGRESS:
            raise ConflictError("A workout in progress is ended by completing it.")
        if changes.get("gear_id") is not None:
            await require_gear(transaction, viewer.id, str(changes["gear_id"]))
        row = await _changed_row(transaction, viewer, workout, changes)
        _check(row, now)
        await update_workout_row(transaction, workout_id, row)
        moved_from = workout.local_date if row.local_date != workout.local_date else None
        return await settle_workout(transaction, workout_id, WorkoutEdited, now=now, prev_local_date=moved_from)


async def delete_workout(
    viewer: Viewer, workout_id: str, *, expected_version: int | None, database: Database, now: datetime
) -> WorkoutRecord:
    """Remove a workout and its sets for good, and return what it was. Raises NotFoundError, StaleVersionError."""
    async with database.transaction() as transaction:
        workout = await lock_workout(transaction, viewer, workout_id, expected_version)
        await keep_records(transaction, workout, {})
        await free_plan_of(transaction, workout_id, now, is_gone=True)
        await delete_workout_row(transaction, workout_id)
        payload = WorkoutDeleted(workout_id=workout_id, local_date=workout.local_date)
        gone = workout._replace(version=workout.version + 1)
        await append_event(transaction, workout_event(payload, gone, now))
        return workout


async def lock_workout(
    transaction: AsyncConnection, viewer: Viewer, workout_id: str, expected_version: int | None
) -> WorkoutRecord:
    """The viewer's workout, locked until the transaction ends. Another person's is not found.

    Raises NotFoundError, StaleVersionError.
    """
    if await transaction.scalar(_LOCK, {"id": workout_id, "user_id": viewer.id}) is None:
        raise NotFoundError("There is no such workout.")
    workout = (await workouts_by_id(transaction, [workout_id]))[workout_id]
    expect_version("workout", expected=expected_version, current=workout.version)
    return workout


def must_run(workout: WorkoutRecord) -> None:
    """Raises ConflictError for a workout that is over or was given up."""
    if workout.status != WorkoutStatus.IN_PROGRESS:
        raise ConflictError(f"The workout is not in progress: its status is {workout.status}.")


async def write_workout(
    transaction: AsyncConnection, row: NewRow, exercises: Sequence[ExerciseDraft], now: datetime
) -> WorkoutRecord | None:
    """The rows and the event of a new workout; None, and nothing written, where `insert_workout` refuses it.

    Raises ConflictError for more than a person may have; the caller's transaction takes the rows back.
    """
    workout_id = made_id_of(row.request) or new_node_id(NodeKind.WORKOUT)
    await hold_projection(transaction, GROUP, row.user_id)  # a weight that comes now is to find it, or to be found
    if not await insert_workout(transaction, workout_id, row, exercises, now):
        return None
    if (await workout_counts(transaction, [row.user_id])).get(row.user_id, 0) > MOST_WORKOUTS:
        raise ConflictError(f"There may be at most {MOST_WORKOUTS} workouts: delete one first.")
    event = WorkoutStarted if row.ended_at is None else WorkoutCompleted
    return await settle_workout(transaction, workout_id, event, now=now, is_new=True)


def new_row(user_id: str, new: NewWorkout, *, time_zone: str, day_start_hour: int) -> NewRow:
    """The columns of a new workout. Zone and day are as told, else those of the clock given."""
    zone = new.time_zone or time_zone
    return NewRow(
        user_id=user_id,
        name=new.name,
        status=WorkoutStatus.IN_PROGRESS if new.ended_at is None else WorkoutStatus.COMPLETED,
        local_date=new.local_date or local_date(new.started_at, zone, day_start_hour),
        time_zone=zone,
        started_at=new.started_at,
        ended_at=new.ended_at,
        notes=new.notes,
        reported_kcal=new.reported_kcal,
        active_minutes=new.active_minutes,
        session_rpe=new.session_rpe,
        pauses=new.pauses,
        request=new.request,
    )


async def _create(viewer: Viewer, new: NewWorkout, *, database: Database, now: datetime) -> WorkoutRecord:
    """The same request again gives the workout of the first. Raises ConflictError for a key used otherwise."""
    checks = Checks()
    if new.time_zone is not None:
        check_time_zone(checks, new.time_zone, "timeZone")
    check_workout(checks, new, now)
    check_exercises(checks, new.exercises)
    check_pauses(checks, new.pauses, new.started_at, new.ended_at)
    if new.track is not None and new.ended_at is not None:
        check_track(checks, new.track, Decimal((new.ended_at - new.started_at).total_seconds()))
    checks.done()
    async with database.transaction() as transaction:
        if earlier := await id_made_before(transaction, "workout", viewer.id, new.request):
            return (await workouts_by_id(transaction, [earlier]))[earlier]
        await check_exercises_exist(transaction, viewer, [one.exercise_id for one in new.exercises])
        await _check_help(transaction, new.exercises)
        person = await person_of(transaction, viewer)
        told = new_row(viewer.id, new, time_zone=person.time_zone, day_start_hour=person.day_start_hour)
        done = [one.exercise_id for one in new.exercises] if _goes_a_distance(new) else []
        row = replace(told, gear_id=await gear_of_workout(transaction, viewer.id, new.gear, done))
        written = await write_workout(transaction, row, new.exercises, now)
        if written is not None:
            if new.track is not None:
                first = new.exercises[0].exercise_id if new.exercises else None
                await insert_track(transaction, written.id, viewer.id, first, new.track)
            return written
        earlier = await id_of_request(transaction, "workout", viewer.id, new.request)
        if earlier is None:
            raise ConflictError("Another workout is in progress.")
        return (await workouts_by_id(transaction, [earlier]))[earlier]


async def _check_help(transaction: AsyncConnection, exercises: Sequence[ExerciseDraft]) -> None:
    """Raises ValidationError with the place of each weight that helps where the exercise lifts nothing of the body."""
    helped = {each.exercise_id for each in exercises if any((one.weight_kg or 0) < 0 for one in each.sets)}
    if not helped:
        return
    known = await exercises_by_id(transaction, sorted(helped))
    checks = Checks()
    for position, each in enumerate(exercises):
        for number, one in enumerate(each.sets):
            if each.exercise_id in helped:
                share = known[each.exercise_id].body_weight_share
                check_help(checks, one, share, f"exercises.{position}.sets.{number}.")
    checks.done()


async def _changed_row(
    transaction: AsyncConnection, viewer: Viewer, workout: WorkoutRecord, changes: WorkoutChanges
) -> NewRow:
    """A workout keeps its day unless its start is moved: a change of the person's clock moves no old entries."""
    day = workout.local_date
    if "started_at" in changes:
        person = await person_of(transaction, viewer)
        day = local_date(changes["started_at"], workout.time_zone, person.day_start_hour)
    return replace(row_of(workout), local_date=day, **changes)


def _goes_a_distance(new: NewWorkout) -> bool:
    return new.track is not None or any(one.distance_m for each in new.exercises for one in each.sets)


async def _default_gear(transaction: AsyncConnection, workout: WorkoutRecord) -> str | None:
    """What a session is done with whose person named nothing: nothing, where no set of it goes a distance."""
    sets = (await sets_by_workout(transaction, [workout.id])).get(workout.id, [])
    if not any(one.distance_m for one in sets):
        return None
    places = (await exercises_by_workout(transaction, [workout.id])).get(workout.id, [])
    return await gear_of_workout(transaction, workout.user_id, DEFAULT_GEAR, [place.exercise_id for place in places])


def _check(row: NewRow, now: datetime) -> None:
    checks = Checks()
    check_workout(checks, row, now)
    checks.done()
