"""Planned workouts: put on a day, moved, skipped, taken back, begun, and paired with what was done.

Each change is told as an event of the plan (`plan_event`); nothing of it is one of a workout before a workout begins.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, time
from typing import Any

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from events.contracts.workouts import (
    PlannedWorkoutBegun,
    PlannedWorkoutChanged,
    PlannedWorkoutSkipped,
    WorkoutPlanned,
)
from events.envelope import new_id
from subgraphs.shell.auth import Viewer
from subgraphs.shell.calendar import check_time_zone, local_date
from subgraphs.shell.database import Database, take_turns
from subgraphs.shell.errors import Checks, ConflictError, NotFoundError, ValidationError, expect_version
from subgraphs.shell.grant_area import PlanArea
from subgraphs.shell.idempotency import id_of_request, key_columns
from subgraphs.shell.inputs import RequestKey, made_id_of
from subgraphs.shell.plan_writing import PlanKind, PlanWriter, plan_writer, writer_of_row
from subgraphs.workouts.commands.exercise import check_exercises_exist
from subgraphs.workouts.commands.plan_event import BEGUN, GonePlan, tell_gone, tell_plans
from subgraphs.workouts.commands.template import grown_drafts, template_with_plans
from subgraphs.workouts.commands.workout import NewWorkout, lock_workout, new_row, write_workout
from subgraphs.workouts.commands.workout_rows import columns_of
from subgraphs.workouts.domain.plan import Plan
from subgraphs.workouts.domain.planned_workout import (
    MOST_A_DAY,
    MOST_PLANNED,
    PlannedExercise,
    PlannedExercises,
    Session,
    check_day,
    check_session,
    decode_exercises,
    encode_exercises,
)
from subgraphs.workouts.domain.routine import decode_days, slot_number
from subgraphs.workouts.domain.workout import check_workout
from subgraphs.workouts.queries.person import person_of
from subgraphs.workouts.queries.planned_workout import (
    PlannedWorkoutRecord,
    planned_by_workout,
    planned_workout_counts,
    planned_workouts_by_id,
)
from subgraphs.workouts.queries.routine import routines_by_id
from subgraphs.workouts.queries.workout import WorkoutRecord, workouts_by_id

#: For so long after its day a plan is kept.
DAYS_KEPT = 730
_NONE = "There is no such planned workout."

# Arrays, so that any number of rows is one statement.
_INSERT = text(
    "INSERT INTO planned_workout (id, user_id, local_date, time_of_day, name, notes, minutes, exercises, routine_id,"
    " routine_date, routine_slot, routine_day, created_at, planned_at, author_id, idempotency_key, idempotency_content) SELECT * FROM unnest("
    "CAST(:id AS text[]), CAST(:user_id AS text[]), CAST(:local_date AS date[]), CAST(:time_of_day AS time[]),"
    " CAST(:name AS text[]), CAST(:notes AS text[]), CAST(:minutes AS integer[]), CAST(CAST(:exercises AS text[]) AS jsonb[]),"
    " CAST(:routine_id AS text[]), CAST(:routine_date AS date[]), CAST(:routine_slot AS integer[]),"
    " CAST(:routine_day AS integer[]),"
    " CAST(:created_at AS timestamptz[]), CAST(:planned_at AS timestamptz[]),"
    " CAST(:author_id AS text[]), CAST(:idempotency_key AS text[]), CAST(:idempotency_content AS bytea[]))"
    " ON CONFLICT (routine_id, routine_date, routine_slot) WHERE routine_id IS NOT NULL DO NOTHING RETURNING id"
)
_LOCK = text("SELECT id FROM planned_workout WHERE id = :id AND user_id = :user_id FOR UPDATE")
_UPDATE = text(
    "UPDATE planned_workout SET local_date = :local_date, time_of_day = :time_of_day, name = :name, notes = :notes,"
    " minutes = :minutes, exercises = CAST(:exercises AS jsonb), planned_at = :planned_at,"
    " author_id = :author_id, version = version + 1 WHERE id = :id"
)
_SKIP = text("UPDATE planned_workout SET is_skipped = :is_skipped, version = version + 1 WHERE id = :id")
_PAIR = text("UPDATE planned_workout SET workout_id = :workout_id, version = version + 1 WHERE id = :id")
_DELETE = text("DELETE FROM planned_workout WHERE id = :id RETURNING id, user_id, local_date, version")
# What began stays: it says what was planned of what was done. So does what was skipped.
_CLEAR = text(
    "DELETE FROM planned_workout WHERE user_id = :user_id AND local_date BETWEEN :first AND :last AND NOT is_skipped"
    " AND (CAST(:routine_id AS text) IS NULL OR routine_id = :routine_id) AND NOT EXISTS (SELECT FROM workout"
    "  WHERE workout.id = planned_workout.workout_id AND workout.status <> 'CANCELLED')"
    " RETURNING id, user_id, local_date, version"
)
_OVERFULL = text(
    "SELECT local_date FROM planned_workout WHERE user_id = :user_id GROUP BY local_date HAVING count(*) > :most"
    " ORDER BY local_date LIMIT 1"
)
_FORGET = text(
    "WITH gone AS (DELETE FROM planned_workout WHERE id IN (SELECT id FROM planned_workout"
    "  WHERE local_date < CAST(now() AT TIME ZONE 'UTC' AS date) - CAST(:days AS integer) LIMIT :rows) RETURNING id),"
    " told AS (DELETE FROM outbox WHERE aggregate_type = 'planned_workout' AND aggregate_id IN (SELECT id FROM gone))"
    " SELECT count(*) FROM gone"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class NewPlanned:
    """A workout to plan for a day: as a template or a routine's day has it, (routine id, day from 1), or with `exercises`.

    What is told beside a source counts before what the source has. The same request again finds the first. It is for this
    person, who lets the viewer plan by a grant; for the viewer where None.
    """

    day: date
    name: str | None = None
    time_of_day: time | None = None
    minutes: int | None = None
    notes: str | None = None
    exercises: Sequence[tuple[str, Plan]] | None = None
    template_id: str | None = None
    routine_day: tuple[str, int] | None = None
    person_id: str | None = None
    request: RequestKey | None = None


@dataclass(frozen=True, slots=True)
class Origin:
    """Which workout of a routine's date a planned one is, which is unique; and which day of the routine, from 1, that was."""

    routine_id: str
    day: date
    number: int
    routine_day: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Beginning:
    """When and where a planned workout is begun; `time_zone` None is the person's own."""

    started_at: datetime
    time_zone: str | None = None


async def plan_workout(viewer: Viewer, new: NewPlanned, *, database: Database, now: datetime) -> PlannedWorkoutRecord:
    """Plan a workout for a day. Raises ValidationError, NotFoundError, for a person for whom the viewer may not
    plan too, RateLimitedError, and ConflictError for too many, a key that was used
    otherwise, or what the routine has on that day already.
    """
    if new.template_id is not None and new.routine_day is not None:
        raise ValidationError(("templateId", "may not be told beside a routine"))
    async with database.transaction() as transaction:
        writer = await plan_writer(transaction, viewer, new.person_id, PlanArea.TRAINING)
        owner, request = writer.owner, writer.key(new.request)
        await take_turns(transaction, "planned_workout", owner.id)
        planned_id = await id_of_request(transaction, "planned_workout", owner.id, request)
        if planned_id is None:
            session, origin, told_at = await _from_source(transaction, owner, new)
            checks = Checks()
            check_session(checks, session)
            check_day(checks, new.day, await today_of(transaction, owner, now))
            checks.done()
            await check_exercises_exist(transaction, owner, [each.exercise_id for each in session.exercises])
            row = planned_row(writer, new.day, session, origin, now) | key_columns(request)
            row["id"] = made_id_of(request) or row["id"]
            if told_at is not None and new.exercises is None:
                row["planned_at"] = told_at
            if not await insert_planned(transaction, [row], now):
                raise ConflictError("The routine has this workout on that day already.", field="date")
            await check_room(transaction, owner.id)
            planned_id = str(row["id"])
            await writer.note(transaction, PlanKind.PLANNED_WORKOUT, planned_id, now)
        return await _read(transaction, planned_id)


async def update_planned_workout(
    viewer: Viewer,
    planned_id: str,
    changes: Mapping[str, Any],
    *,
    expected_version: int | None,
    database: Database,
    now: datetime,
) -> PlannedWorkoutRecord:
    """Move a planned workout, of the viewer or of a person for whom the viewer may plan, to another `day`, or change its `name`,
    `time_of_day`, `minutes`, `notes` or `exercises`. Where that changes nothing, it is answered as it is.

    Raises ValidationError, NotFoundError, StaleVersionError, RateLimitedError, and ConflictError for one that has begun or a
    day that is full.
    """
    async with database.transaction() as transaction:
        writer = await writer_of_row(
            transaction, viewer, "planned_workout", planned_id, PlanArea.TRAINING, missing=_NONE
        )
        owner = writer.owner
        await take_turns(transaction, "planned_workout", owner.id)
        planned = await _locked(transaction, owner, planned_id, expected_version)
        told = dict(changes)
        day: date = told.pop("day", planned.local_date)
        if "exercises" in told:
            told["exercises"] = planned_exercises(told["exercises"])
        before = _session_of(planned)
        session = replace(before, **told)
        if (day, session) == (planned.local_date, before):
            return planned
        _must_be_open(planned)
        checks = Checks()
        check_session(checks, session)
        if day != planned.local_date:
            check_day(checks, day, await today_of(transaction, owner, now))
        checks.done()
        if "exercises" in told:  # what stays is not looked at again
            await check_exercises_exist(transaction, owner, [each.exercise_id for each in session.exercises])
        planned_at = now if "exercises" in told else planned.planned_at
        row = {"id": planned_id, "planned_at": planned_at, "author_id": writer.author_id, **_columns(day, session)}
        await transaction.execute(_UPDATE, row)
        await check_room(transaction, owner.id)
        await tell_plans(transaction, [planned_id], PlannedWorkoutChanged, now)
        await writer.note(transaction, PlanKind.PLANNED_WORKOUT, planned_id, now)
        return await _read(transaction, planned_id)


async def skip_planned_workout(
    viewer: Viewer,
    planned_id: str,
    is_skipped: bool,
    *,
    expected_version: int | None,
    database: Database,
    now: datetime,
) -> PlannedWorkoutRecord:
    """Say that it will not be done, or, with False, that it will. One that is so already is answered as it is.

    Raises NotFoundError, StaleVersionError, and ConflictError for one that has begun.
    """
    async with database.transaction() as transaction:
        planned = await _locked(transaction, viewer, planned_id, expected_version)
        _must_be_open(planned)
        if planned.is_skipped != is_skipped:
            await transaction.execute(_SKIP, {"id": planned_id, "is_skipped": is_skipped})
            await tell_plans(transaction, [planned_id], PlannedWorkoutSkipped, now)
        return await _read(transaction, planned_id)


async def cancel_planned_workout(
    viewer: Viewer, planned_id: str, *, expected_version: int | None, database: Database, now: datetime
) -> None:
    """Take it off the calendar. Raises NotFoundError, StaleVersionError, and ConflictError for one that has begun."""
    async with database.transaction() as transaction:
        _must_be_open(await _locked(transaction, viewer, planned_id, expected_version))
        gone = await transaction.execute(_DELETE, {"id": planned_id})
        await tell_gone(transaction, [GonePlan(*row) for row in gone], now)


async def clear_planned_workouts(
    viewer: Viewer, first: date, last: date, routine_id: str | None, *, database: Database, now: datetime
) -> int:
    """Take what is planned for these days, of one routine or all, off the calendar; returns how many that were.

    What has begun and what was skipped stays. Raises ValidationError.
    """
    checks = Checks()
    checks.require(first <= last, "to", f"must not be before `from`, {first}")
    checks.done()
    parameters = {"user_id": viewer.id, "first": first, "last": last, "routine_id": routine_id}
    async with database.transaction() as transaction:
        await take_turns(transaction, "planned_workout", viewer.id)
        gone = [GonePlan(*row) for row in await transaction.execute(_CLEAR, parameters)]
        await tell_gone(transaction, gone, now)
        return len(gone)


async def start_planned_workout(
    viewer: Viewer, planned_id: str, beginning: Beginning, *, database: Database, now: datetime
) -> WorkoutRecord:
    """Begin it, on whatever day it is planned for, with what is planned grown by what was done last.

    One that was begun already is answered with its workout, as it is. Raises ValidationError, NotFoundError, and
    ConflictError while another session is running.
    """
    checks = Checks()
    if beginning.time_zone is not None:
        check_time_zone(checks, beginning.time_zone, "timeZone")
    async with database.transaction() as transaction:
        planned = await _locked(transaction, viewer, planned_id, None)
        if planned.workout_id is not None and planned.workout_status in BEGUN:
            return (await workouts_by_id(transaction, [planned.workout_id]))[planned.workout_id]
        new = NewWorkout(
            name=planned.name,
            started_at=beginning.started_at,
            notes=planned.notes,
            time_zone=beginning.time_zone,
        )
        check_workout(checks, new, now)
        checks.done()
        plans = [(each.exercise_id, each.plan) for each in decode_exercises(planned.exercises)]
        exercises = await grown_drafts(transaction, viewer.id, plans, planned_at=planned.planned_at, now=now)
        person = await person_of(transaction, viewer)
        row = new_row(viewer.id, new, time_zone=person.time_zone, day_start_hour=person.day_start_hour)
        workout = await write_workout(transaction, row, exercises, now)
        if workout is None:
            raise ConflictError("Another workout is in progress.")
        await transaction.execute(_PAIR, {"id": planned_id, "workout_id": workout.id})
        await tell_plans(transaction, [planned_id], PlannedWorkoutBegun, now)
        return workout


async def pair_planned_workout(
    viewer: Viewer,
    planned_id: str,
    workout_id: str,
    *,
    expected_version: int | None,
    database: Database,
    now: datetime,
) -> PlannedWorkoutRecord:
    """Say which workout, logged or imported, it was done as. The same again changes nothing.

    Raises NotFoundError, StaleVersionError, and ConflictError where either has another, or the workout was given up.
    """
    async with database.transaction() as transaction:
        known = (await planned_workouts_by_id(transaction, [planned_id])).get(planned_id)
        if known is None or known.user_id != viewer.id:
            raise NotFoundError(_NONE)
        try:  # the workout's lock comes first, as where a workout is deleted and its plan with it changes
            workout = await lock_workout(transaction, viewer, workout_id, None)
        except NotFoundError:
            raise NotFoundError("There is no such workout.", field="workoutId") from None
        planned = await _locked(transaction, viewer, planned_id, expected_version)
        if planned.workout_id != workout_id:
            _must_be_open(planned)
            if workout.status not in BEGUN:
                raise ConflictError("The workout was given up.", field="workoutId")
            if workout_id in await planned_by_workout(transaction, [workout_id]):
                raise ConflictError("The workout is what another planned one was done as.", field="workoutId")
            await transaction.execute(_PAIR, {"id": planned_id, "workout_id": workout_id})
            await tell_plans(transaction, [planned_id], PlannedWorkoutBegun, now)
        return await _read(transaction, planned_id)


async def forget_planned(connection: AsyncConnection, rows: int) -> int:
    """Delete what was planned for days more than two years ago, at most so many, and what was told of it; returns how many went."""
    gone: Any = await connection.scalar(_FORGET, {"days": DAYS_KEPT, "rows": rows})
    return int(gone)


async def insert_planned(transaction: AsyncConnection, rows: Sequence[Mapping[str, Any]], now: datetime) -> int:
    """Write and tell planned workouts, but none that its routine has on that date already; returns how many came."""
    if not rows:
        return 0
    ids = list(await transaction.scalars(_INSERT, columns_of(rows)))
    await tell_plans(transaction, ids, WorkoutPlanned, now)
    return len(ids)


async def check_room(transaction: AsyncConnection, user_id: str) -> None:
    """Raises ConflictError where more is planned than may be; the caller's transaction takes it back."""
    if (await planned_workout_counts(transaction, [user_id])).get(user_id, 0) > MOST_PLANNED:
        raise ConflictError(f"There may be at most {MOST_PLANNED} planned workouts: take some back first.")
    day = await transaction.scalar(_OVERFULL, {"user_id": user_id, "most": MOST_A_DAY})
    if day is not None:
        raise ConflictError(f"There may be at most {MOST_A_DAY} planned workouts a day; {day} would have more.")


async def today_of(transaction: AsyncConnection, viewer: Viewer, now: datetime) -> date:
    """The viewer's day, by zone and beginning of the day."""
    person = await person_of(transaction, viewer)
    return local_date(now, person.time_zone, person.day_start_hour)


def planned_exercises(told: Sequence[tuple[str, Plan]]) -> PlannedExercises:
    """From (exercise id, plan) in order."""
    return tuple(PlannedExercise(exercise_id=exercise_id, plan=plan) for exercise_id, plan in told)


def planned_row(
    writer: PlanWriter, day: date, session: Session, origin: Origin | None, now: datetime
) -> dict[str, Any]:
    """The columns of a new planned workout; those of its request are none."""
    return {
        "id": new_id(),
        "user_id": writer.owner.id,
        "author_id": writer.author_id,
        **_columns(day, session),
        "routine_id": origin.routine_id if origin else None,
        "routine_date": origin.day if origin else None,
        "routine_slot": origin.number if origin else None,
        "routine_day": origin.routine_day if origin else None,
        "created_at": now,
        "planned_at": now,
        **key_columns(None),
    }


def _columns(day: date, session: Session) -> dict[str, Any]:
    return {
        "local_date": day,
        "time_of_day": session.time_of_day,
        "name": session.name.strip(),
        "notes": session.notes,
        "minutes": session.minutes,
        "exercises": encode_exercises(session.exercises),
    }


def _session_of(planned: PlannedWorkoutRecord) -> Session:
    return Session(
        name=planned.name,
        time_of_day=planned.time_of_day,
        minutes=planned.minutes,
        notes=planned.notes,
        exercises=decode_exercises(planned.exercises),
    )


async def _from_source(
    transaction: AsyncConnection, viewer: Viewer, new: NewPlanned
) -> tuple[Session, Origin | None, datetime | None]:
    """What is to be done, of which routine's day it is, and when its source told the exercises. Raises NotFoundError, and ValidationError for a day of rest."""
    source, origin, told_at = Session(name=""), None, None
    if new.template_id is not None:
        template, plans = await template_with_plans(transaction, viewer, new.template_id)
        source = Session(name=template.name, notes=template.notes, exercises=planned_exercises(plans))
        told_at = template.planned_at
    elif new.routine_day is not None:
        routine_id, number = new.routine_day
        routine = (await routines_by_id(transaction, [routine_id])).get(routine_id)
        if routine is None or routine.user_id != viewer.id:
            raise NotFoundError("There is no such routine.", field="routineId")
        days = decode_days(routine.days)
        session = days[number - 1].session if 1 <= number <= len(days) else None
        if session is None:
            raise ValidationError(("routineDay", f"must be a day with a workout, from 1 to {len(days)}"))
        told_at = routine.planned_at
        source, origin = session, Origin(routine_id, new.day, slot_number(days, number - 1), number)
    told = {name: getattr(new, name) for name in ("name", "time_of_day", "minutes", "notes")}
    if new.exercises is not None:
        told["exercises"] = planned_exercises(new.exercises)
    return replace(source, **{name: value for name, value in told.items() if value is not None}), origin, told_at


async def _read(transaction: AsyncConnection, planned_id: str) -> PlannedWorkoutRecord:
    return (await planned_workouts_by_id(transaction, [planned_id]))[planned_id]


async def _locked(
    transaction: AsyncConnection, viewer: Viewer, planned_id: str, expected_version: int | None
) -> PlannedWorkoutRecord:
    """The viewer's planned workout, locked until the transaction ends. Raises NotFoundError, StaleVersionError."""
    if await transaction.scalar(_LOCK, {"id": planned_id, "user_id": viewer.id}) is None:
        raise NotFoundError(_NONE)
    planned = await _read(transaction, planned_id)
    expect_version("planned workout", expected=expected_version, current=planned.version)
    return planned


def _must_be_open(planned: PlannedWorkoutRecord) -> None:
    if planned.workout_status in BEGUN:
        raise ConflictError("It has begun: what is done is changed at its workout.")
