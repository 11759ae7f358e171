"""Two finished workouts of a person made one, by the rules of `domain.workout_merge`: one stays, the other goes into it.

One transaction has all of it: rows, records, the after-image of the one that stays, the deletion of the other.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from events.contracts.workouts import PlannedWorkoutChanged, WorkoutDeleted, WorkoutEdited
from events.outbox import append_event
from subgraphs.shell.auth import Viewer
from subgraphs.shell.calendar import local_date
from subgraphs.shell.database import Database
from subgraphs.shell.errors import Checks, ConflictError, NotFoundError, ValidationError, expect_version
from subgraphs.workouts.commands.personal_record import keep_records
from subgraphs.workouts.commands.plan_event import free_plan_of, tell_plans
from subgraphs.workouts.commands.settle import settle_workout, workout_event
from subgraphs.workouts.commands.track import insert_track
from subgraphs.workouts.commands.workout import lock_workout
from subgraphs.workouts.commands.workout_rows import (
    NewRow,
    delete_workout_row,
    row_of,
    update_set_row,
    update_workout_row,
)
from subgraphs.workouts.domain.pause import check_pauses
from subgraphs.workouts.domain.track import TrackDraft, check_track
from subgraphs.workouts.domain.track_merge import Recorded, completed, joined, shifted
from subgraphs.workouts.domain.workout import MOST_EXERCISES, MOST_SETS, WorkoutStatus, check_workout
from subgraphs.workouts.domain.workout_merge import Relation, Told, joined_set, merged, relation
from subgraphs.workouts.domain.workout_set import SetDraft, SetKind, SetSide, check_set
from subgraphs.workouts.queries.person import person_of
from subgraphs.workouts.queries.track import drafts_by_workout
from subgraphs.workouts.queries.workout import (
    SetRecord,
    WorkoutExerciseRecord,
    WorkoutRecord,
    exercises_by_workout,
    sets_by_workout,
)

_NEITHER = (
    "must overlap by half of the shorter workout, as two recordings of one activity do, or begin at most two hours after the"
    " other one's end, or end as long before its start"
)
_MOVE_PLACES = text(
    "UPDATE workout_exercise AS place SET workout_id = :workout_id, position = told.position,"
    " superset = place.superset + told.supersets"
    " FROM unnest(CAST(:ids AS text[]), CAST(:positions AS integer[]), CAST(:supersets AS integer[]))"
    " AS told (id, position, supersets) WHERE place.id = told.id"
)
_MOVE_SETS = text("UPDATE workout_set SET workout_id = :workout_id WHERE workout_exercise_id = ANY(:places)")
_DELETE_PLACE = text("DELETE FROM workout_exercise WHERE id = :id")
_LENGTHEN_PLACE = text("UPDATE workout_exercise SET duration_seconds = :seconds WHERE id = :id")
_FORGET_TRACKS = text("DELETE FROM workout_track WHERE workout_id = ANY(:ids)")
# At most one plan is of a workout; that of the one that stays goes first.
_MOVE_PLAN = text(
    "UPDATE planned_workout SET workout_id = :workout_id, version = version + 1 WHERE workout_id = :other_id"
    " AND NOT EXISTS (SELECT FROM planned_workout WHERE workout_id = :workout_id) RETURNING id"
)


@dataclass(frozen=True, slots=True)
class MergeOf:
    """Which workout goes into which, and the versions that whoever asks for it has seen."""

    kept_id: str
    other_id: str
    kept_version: int | None = None
    other_version: int | None = None


@dataclass(frozen=True, slots=True)
class _Content:
    workout: WorkoutRecord
    places: Sequence[WorkoutExerciseRecord]
    sets: Sequence[SetRecord]
    track: TrackDraft | None


async def merge_workouts(viewer: Viewer, of: MergeOf, *, database: Database, now: datetime) -> WorkoutRecord:
    """Put the other workout into the one that stays, which is returned; the other is gone, and nothing brings it back.

    Raises NotFoundError, StaleVersionError, ConflictError for workouts that are not completed, and ValidationError for two that
    are neither one activity recorded twice nor its parts, or that are more together than a workout may be.
    """
    async with database.transaction() as transaction:
        kept, other = await _lock_both(transaction, viewer, of)
        how = relation(_told(kept.workout), _told(other.workout))
        if how is None:
            raise ValidationError(("otherId", _NEITHER))
        whole = merged(_told(kept.workout), _told(other.workout), how)
        day = kept.workout.local_date
        if whole.started_at != kept.workout.started_at:
            person = await person_of(transaction, viewer)
            day = local_date(whole.started_at, kept.workout.time_zone, person.day_start_hour)
        changes = {name: getattr(whole, name) for name in whole.__slots__}
        row = replace(row_of(kept.workout), local_date=day, **changes)
        track = _track(kept, other, how, whole.started_at)
        _check(row, track, kept, other, now)
        await transaction.execute(_FORGET_TRACKS, {"ids": [of.kept_id, of.other_id]})
        first = await _put_places(transaction, kept, other, how)
        if track is not None:
            await insert_track(transaction, of.kept_id, viewer.id, first, track)
        await update_workout_row(transaction, of.kept_id, row)
        await _remove(transaction, other.workout, of.kept_id, now)
        moved_from = kept.workout.local_date if day != kept.workout.local_date else None
        return await settle_workout(transaction, of.kept_id, WorkoutEdited, now=now, prev_local_date=moved_from)


async def _lock_both(transaction: AsyncConnection, viewer: Viewer, of: MergeOf) -> tuple[_Content, _Content]:
    """In the order of their ids, so that two merges of the same workouts wait for one another."""
    found = {}
    for workout_id in sorted({of.kept_id, of.other_id}):
        is_kept = workout_id == of.kept_id
        try:
            workout = await lock_workout(transaction, viewer, workout_id, None)
        except NotFoundError:
            if is_kept:
                raise
            raise NotFoundError("There is no such workout.", field="otherId") from None
        expected, field = (
            (of.kept_version, "expectedVersion") if is_kept else (of.other_version, "otherExpectedVersion")
        )
        expect_version("workout", expected=expected, current=workout.version, field=field)
        if workout.status != WorkoutStatus.COMPLETED:
            raise ConflictError(f"Only completed workouts are made one: the status of one is {workout.status}.")
        found[workout_id] = workout
    if of.kept_id == of.other_id:
        raise ValidationError(("otherId", "must be another workout"))
    ids = [of.kept_id, of.other_id]
    places = await exercises_by_workout(transaction, ids)
    sets = await sets_by_workout(transaction, ids)
    tracks = await drafts_by_workout(transaction, ids)
    kept, other = (_Content(found[each], places.get(each, []), sets.get(each, []), tracks.get(each)) for each in ids)
    return kept, other


def _told(workout: WorkoutRecord) -> Told:
    assert workout.ended_at is not None  # it is completed
    return Told(
        started_at=workout.started_at,
        ended_at=workout.ended_at,
        pauses=workout.pauses,
        active_minutes=workout.active_minutes,
        motion_minutes=workout.motion_minutes,
        reported_kcal=workout.reported_kcal,
        calories_kcal=workout.calories_kcal,
        session_rpe=workout.session_rpe,
        notes=workout.notes,
        gear_id=workout.gear_id,
    )


def _track(kept: _Content, other: _Content, how: Relation, started_at: datetime) -> TrackDraft | None:
    def recorded(one: _Content, track: TrackDraft) -> Recorded:
        began = round((one.workout.started_at - started_at).total_seconds())
        return Recorded(track, began, _told(one.workout).minutes)

    if kept.track is None or other.track is None:
        alone = next((one for one in (kept, other) if one.track is not None), None)
        return None if alone is None or alone.track is None else shifted(recorded(alone, alone.track))
    if how is Relation.SAME:
        return completed(recorded(kept, kept.track), recorded(other, other.track))
    first, second = (kept, other) if kept.workout.started_at <= other.workout.started_at else (other, kept)
    assert first.track is not None
    assert second.track is not None
    return joined(recorded(first, first.track), recorded(second, second.track))


def _check(row: NewRow, track: TrackDraft | None, kept: _Content, other: _Content, now: datetime) -> None:
    """What is more than a workout may be is said of the one that was to go into it."""
    assert row.ended_at is not None
    checks = Checks()
    check_workout(checks, row, now)
    check_pauses(checks, row.pauses, row.started_at, row.ended_at)
    if track is not None:
        check_track(checks, track, Decimal((row.ended_at - row.started_at).total_seconds()))
    places, sets = len(kept.places) + len(other.places), len(kept.sets) + len(other.sets)
    checks.require(places <= MOST_EXERCISES, "exercises", f"must have at most {MOST_EXERCISES} entries")
    checks.require(sets <= MOST_SETS, "exercises", f"must have at most {MOST_SETS} sets together")
    if checks.violations:
        told = "; ".join(f"{name} {message}" for name, message in checks.violations)
        raise ValidationError(("otherId", f"is too much for one workout: {told}"))


async def _put_places(transaction: AsyncConnection, kept: _Content, other: _Content, how: Relation) -> str | None:
    """Move the exercises that are taken over, in order; returns the first exercise of the workout then."""
    is_first = how is Relation.PARTS and other.workout.started_at < kept.workout.started_at
    taken = list(other.places) if how is Relation.PARTS else _new_places(kept, other)
    first, second = (taken, list(kept.places)) if is_first else (list(kept.places), taken)
    supersets = max((place.superset or 0 for place in first), default=0)
    ordered = [*first, *second]
    if ordered:
        moved = {
            "workout_id": kept.workout.id,
            "ids": [place.id for place in ordered],
            "positions": list(range(1, len(ordered) + 1)),
            "supersets": [0] * len(first) + [supersets] * len(second),
        }
        await transaction.execute(_MOVE_PLACES, moved)
        await transaction.execute(_MOVE_SETS, {"workout_id": kept.workout.id, "places": [place.id for place in taken]})
    if how is Relation.PARTS and first and second:
        await _join_at_seam(transaction, first[-1], second[0], [*kept.sets, *other.sets])
    return ordered[0].exercise_id if ordered else None


def _new_places(kept: _Content, other: _Content) -> list[WorkoutExerciseRecord]:
    """Of another recording of the same activity: all where nothing else is told, else whatever was counted and is not there."""
    known = {place.exercise_id for place in kept.places}
    counted = {one.workout_exercise_id for one in other.sets if one.reps is not None}
    return [place for place in other.places if not known or (place.exercise_id not in known and place.id in counted)]


async def _join_at_seam(
    transaction: AsyncConnection,
    before: WorkoutExerciseRecord,
    after: WorkoutExerciseRecord,
    sets: Sequence[SetRecord],
) -> None:
    """Two halves of a ride are one ride: where each has one stretch of the same exercise, they become one stretch."""
    of_each = [[one for one in sets if one.workout_exercise_id == place.id] for place in (before, after)]
    if before.exercise_id != after.exercise_id or any(len(one) != 1 for one in of_each):
        return
    (one,), (other,) = of_each
    together = joined_set(_draft(one), _draft(other))
    if together is None:
        return
    checks = Checks()
    check_set(checks, together)
    checks.done()
    await update_set_row(transaction, one.id, together)
    if before.duration_seconds or after.duration_seconds:
        lasts = [
            place.duration_seconds or one_set.duration_seconds or 0
            for place, one_set in ((before, one), (after, other))
        ]
        await transaction.execute(_LENGTHEN_PLACE, {"id": before.id, "seconds": sum(lasts)})
    await transaction.execute(_DELETE_PLACE, {"id": after.id})


def _draft(one: SetRecord) -> SetDraft:
    return SetDraft(
        kind=SetKind(one.kind),
        reps=one.reps,
        weight_kg=one.weight_kg,
        duration_seconds=one.duration_seconds,
        distance_m=one.distance_m,
        rpe=one.rpe,
        tempo=one.tempo,
        notes=one.notes,
        side=None if one.side is None else SetSide(one.side),
    )


async def _remove(transaction: AsyncConnection, other: WorkoutRecord, kept_id: str, now: datetime) -> None:
    """The other workout goes as a deleted one does; what it was planned as is the one that stays."""
    moved = list(await transaction.scalars(_MOVE_PLAN, {"workout_id": kept_id, "other_id": other.id}))
    if moved:
        await tell_plans(transaction, moved, PlannedWorkoutChanged, now)
    await free_plan_of(transaction, other.id, now, is_gone=True)
    await keep_records(transaction, other, {})
    await delete_workout_row(transaction, other.id)
    payload = WorkoutDeleted(workout_id=other.id, local_date=other.local_date)
    await append_event(transaction, workout_event(payload, other._replace(version=other.version + 1), now))
