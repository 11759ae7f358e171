"""Sets of a session as it goes on: log, correct, remove. Finished workouts may be corrected the same way."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from typing import TypedDict

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from events.contracts.workouts import SetEdited, SetLogged, SetRemoved
from subgraphs.shell.auth import Viewer
from subgraphs.shell.database import Database
from subgraphs.shell.errors import Checks, ConflictError, NotFoundError, expect_version
from subgraphs.shell.idempotency import id_of_request
from subgraphs.shell.inputs import RequestKey
from subgraphs.workouts.commands.rest import rest_after_set
from subgraphs.workouts.commands.settle import settle_stored, settle_workout
from subgraphs.workouts.commands.workout import lock_workout
from subgraphs.workouts.commands.workout_rows import (
    SetPlace,
    delete_set_row,
    insert_exercises,
    insert_sets,
    update_set_row,
)
from subgraphs.workouts.domain.personal_record import RecordKind, best_by_exercise, records_over
from subgraphs.workouts.domain.workout import ExerciseDraft, WorkoutStatus, check_room
from subgraphs.workouts.domain.workout_set import STRENGTH_KINDS, SetDraft, SetKind, SetSide, check_help, check_set
from subgraphs.workouts.queries.exercise import exercises_by_id
from subgraphs.workouts.queries.personal_record import best_of_other_workouts
from subgraphs.workouts.queries.workout import SetRecord, WorkoutRecord, exercises_by_workout, sets_by_workout

_SET = text(
    "SELECT exercise_id, kind, reps, weight_kg, duration_seconds, distance_m, rpe, tempo, notes, side FROM workout_set"
    " WHERE id = :id AND workout_id = :workout_id"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class WhichSet:
    """A set of a workout, and the version the workout is expected to have; None expects nothing."""

    workout_id: str
    set_id: str
    expected_version: int | None = None


class SetChanges(TypedDict, total=False):
    """What is to be different; what is absent stays as it is, and None takes it away."""

    kind: SetKind
    reps: int | None
    weight_kg: Decimal | None
    duration_seconds: int | None
    distance_m: Decimal | None
    rpe: Decimal | None
    tempo: str | None
    notes: str | None
    side: SetSide | None


@dataclass(frozen=True, slots=True, kw_only=True)
class NewSet:
    """A set of an exercise to add to a workout."""

    workout_id: str
    exercise_id: str
    one: SetDraft
    expected_version: int | None = None
    request: RequestKey | None = None


@dataclass(frozen=True, slots=True)
class ChangedSet:
    """A workout as it is with a set that was logged or changed, and the kinds of record that this set is."""

    workout: WorkoutRecord
    set_id: str
    records: Sequence[RecordKind] = ()


async def log_set(viewer: Viewer, new: NewSet, *, database: Database, now: datetime) -> ChangedSet:
    """Add a set of an exercise, which joins the workout with its first set. The same request again finds the first.

    In a session that runs, the rest after it begins now, or the one that was on ends.

    Raises ValidationError, NotFoundError, StaleVersionError, and ConflictError for a cancelled workout or a key that
    was used otherwise.
    """
    _check(new.one)
    workout_id, exercise_id = new.workout_id, new.exercise_id
    async with database.transaction() as transaction:
        workout = await lock_workout(transaction, viewer, workout_id, None)
        earlier = await id_of_request(transaction, "workout_set", viewer.id, new.request)
        if earlier is not None:
            sets = (await sets_by_workout(transaction, [workout.id])).get(workout.id, [])
            return await _changed(transaction, workout, sets, earlier)
        expect_version("workout", expected=new.expected_version, current=workout.version)
        if workout.status == WorkoutStatus.CANCELLED:
            raise ConflictError("The workout is cancelled.")
        exercise = (await exercises_by_id(transaction, [exercise_id])).get(exercise_id)
        if exercise is None or not exercise.is_visible_to(viewer.id):
            raise NotFoundError("There is no such exercise.", field="exerciseId")
        _check_help(new.one, exercise.body_weight_share)
        place, rest_seconds = await _place(transaction, viewer.id, workout_id, exercise_id)
        (set_id,) = await insert_sets(transaction, [(place, new.one)], now, new.request)
        if workout.status == WorkoutStatus.IN_PROGRESS:
            await rest_after_set(transaction, workout, place.place_id, rest_seconds, now)
        settled = await settle_stored(transaction, workout_id, SetLogged, now=now)
        return await _changed(transaction, settled.workout, settled.sets, set_id)


async def edit_set(
    viewer: Viewer, which: WhichSet, changes: SetChanges, *, database: Database, now: datetime
) -> ChangedSet:
    """Change what a set says. Raises ValidationError, NotFoundError, StaleVersionError."""
    async with database.transaction() as transaction:
        await lock_workout(transaction, viewer, which.workout_id, which.expected_version)
        found = await transaction.execute(_SET, {"id": which.set_id, "workout_id": which.workout_id})
        row = found.one_or_none()
        if row is None:
            raise NotFoundError("There is no such set.")
        stored = SetDraft(
            **{name: value for name, value in row._asdict().items() if name != "exercise_id"}
            | {"kind": SetKind(row.kind), "side": None if row.side is None else SetSide(row.side)}
        )
        one = replace(stored, **changes)
        _check(one)
        exercise = (await exercises_by_id(transaction, [row.exercise_id]))[row.exercise_id]
        _check_help(one, exercise.body_weight_share)
        await update_set_row(transaction, which.set_id, one)
        settled = await settle_stored(transaction, which.workout_id, SetEdited, now=now)
        return await _changed(transaction, settled.workout, settled.sets, which.set_id)


async def delete_set(viewer: Viewer, which: WhichSet, *, database: Database, now: datetime) -> WorkoutRecord:
    """Take a set out; records that it held fall back to the next best. Raises NotFoundError, StaleVersionError."""
    async with database.transaction() as transaction:
        await lock_workout(transaction, viewer, which.workout_id, which.expected_version)
        if not await delete_set_row(transaction, which.workout_id, which.set_id):
            raise NotFoundError("There is no such set.")
        return await settle_workout(transaction, which.workout_id, SetRemoved, now=now)


async def _changed(
    transaction: AsyncConnection, workout: WorkoutRecord, sets: Sequence[SetRecord], set_id: str
) -> ChangedSet:
    """With the records that the set is over all other workouts, and over the sets logged before it in this one.
    `sets` are all of the workout's.
    """
    told = next((one for one in sets if one.id == set_id), None)
    if told is None or told.kind not in STRENGTH_KINDS:
        return ChangedSet(workout, set_id)
    earlier = [
        one
        for one in sets
        if one.exercise_id == told.exercise_id
        and one.kind in STRENGTH_KINDS
        and (one.logged_at, one.position) < (told.logged_at, told.position)
    ]
    before = [await best_of_other_workouts(transaction, workout, told.exercise_id), *best_by_exercise(earlier).values()]
    return ChangedSet(workout, set_id, records_over(best_by_exercise([told])[told.exercise_id], before))


def _check(one: SetDraft) -> None:
    checks = Checks()
    check_set(checks, one)
    checks.done()


def _check_help(one: SetDraft, body_weight_share: Decimal) -> None:
    checks = Checks()
    check_help(checks, one, body_weight_share)
    checks.done()


async def _place(
    transaction: AsyncConnection, user_id: str, workout_id: str, exercise_id: str
) -> tuple[SetPlace, int | None]:
    """Where the next set of an exercise goes, its latest place in the workout, made if there is none; and the seconds of rest
    that are planned there.
    """
    places = (await exercises_by_workout(transaction, [workout_id])).get(workout_id, [])
    sets = (await sets_by_workout(transaction, [workout_id])).get(workout_id, [])
    place = next((each for each in reversed(places) if each.exercise_id == exercise_id), None)
    checks = Checks()
    check_room(checks, exercises=len(places) if place is None else 0, sets=len(sets))
    checks.done()
    if place is None:
        first = max((each.position for each in places), default=0) + 1
        draft = ExerciseDraft(exercise_id=exercise_id)
        (place_id,) = await insert_exercises(transaction, workout_id, [draft], first)
    else:
        place_id = place.id
    taken = [each.position for each in sets if each.workout_exercise_id == place_id]
    found = SetPlace(
        user_id=user_id,
        workout_id=workout_id,
        exercise_id=exercise_id,
        place_id=place_id,
        position=max(taken, default=0) + 1,
    )
    return found, None if place is None else place.rest_seconds
