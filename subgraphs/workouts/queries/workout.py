"""Workouts as they are read: by id, by person page by page, with their exercises and sets; and the records they hold."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal

from sqlalchemy import text

from subgraphs.read_pool import Reader

_COLUMNS = (
    "id, user_id, name, status, local_date, time_zone, started_at, ended_at, duration_minutes, active_minutes, notes,"
    " reported_kcal, calories_kcal, net_calories_kcal, calories_method, body_weight_kg, volume_kg, version"
)


@dataclass(frozen=True, slots=True)
class WorkoutRecord:
    """One workout without its sets. The calories are those it had when it was last priced."""

    id: str
    user_id: str
    name: str
    status: str
    local_date: date
    time_zone: str
    started_at: datetime
    ended_at: datetime | None
    duration_minutes: Decimal | None
    active_minutes: Decimal | None
    notes: str | None
    reported_kcal: Decimal | None
    calories_kcal: Decimal | None
    net_calories_kcal: Decimal | None
    calories_method: str | None
    body_weight_kg: Decimal | None
    volume_kg: Decimal
    version: int


@dataclass(frozen=True, slots=True)
class WorkoutExerciseRecord:
    """One exercise's place in a workout."""

    id: str
    workout_id: str
    exercise_id: str
    position: int
    duration_seconds: int | None
    notes: str | None


@dataclass(frozen=True, slots=True)
class SetRecord:
    """One set. `one_rep_max_kg` is estimated, and None where an estimate would mislead."""

    id: str
    workout_exercise_id: str
    workout_id: str
    user_id: str
    exercise_id: str
    position: int
    kind: str
    reps: int | None
    weight_kg: Decimal | None
    duration_seconds: int | None
    distance_m: Decimal | None
    rpe: Decimal | None
    one_rep_max_kg: Decimal | None
    logged_at: datetime


@dataclass(frozen=True, slots=True)
class PersonalRecord:
    """A person's best of one exercise, each number from a working set that still exists."""

    user_id: str
    exercise_id: str
    max_weight_kg: Decimal | None
    max_reps: int | None
    best_one_rep_max_kg: Decimal | None
    best_set_volume_kg: Decimal | None
    achieved_on: date


@dataclass(frozen=True, slots=True)
class WorkoutPage:
    """What a page of workouts asks for; dates are local and included."""

    first: date | None = None
    last: date | None = None
    status: str | None = None
    after: tuple[date, str] | None = None
    limit: int = 20


_BY_ID = text(f"SELECT {_COLUMNS} FROM workout WHERE id = ANY(:ids)")  # noqa: S608 - our names
_PAGES = text(
    f"SELECT {', '.join('found.' + name.strip() for name in _COLUMNS.split(','))}"  # noqa: S608 - our names
    " FROM unnest(CAST(:user_ids AS text[])) AS person (user_id) CROSS JOIN LATERAL ("
    f" SELECT {_COLUMNS} FROM workout WHERE workout.user_id = person.user_id"
    " AND (CAST(:first AS date) IS NULL OR local_date >= :first)"
    " AND (CAST(:last AS date) IS NULL OR local_date <= :last)"
    " AND (CAST(:status AS text) IS NULL OR status = :status)"
    " AND (CAST(:after_date AS date) IS NULL OR (local_date, id) < (:after_date, :after_id))"
    " ORDER BY local_date DESC, id DESC LIMIT :limit) AS found"
)
_ACTIVE = text(f"SELECT {_COLUMNS} FROM workout WHERE user_id = ANY(:user_ids) AND status = 'IN_PROGRESS'")  # noqa: S608
_EXERCISES = text(
    "SELECT id, workout_id, exercise_id, position, duration_seconds, notes FROM workout_exercise"
    " WHERE workout_id = ANY(:ids) ORDER BY workout_id, position"
)
_SETS = text(
    "SELECT s.id, s.workout_exercise_id, s.workout_id, s.user_id, s.exercise_id, s.position, s.kind, s.reps,"
    " s.weight_kg, s.duration_seconds, s.distance_m, s.rpe, s.one_rep_max_kg, s.logged_at"
    " FROM workout_exercise AS e JOIN workout_set AS s ON s.workout_exercise_id = e.id"
    " WHERE e.workout_id = ANY(:ids) ORDER BY e.workout_id, e.position, s.position"
)
_RECORDS = text(
    "SELECT s.user_id, s.exercise_id, max(s.weight_kg) AS max_weight_kg, max(s.reps) AS max_reps,"
    " max(s.one_rep_max_kg) AS best_one_rep_max_kg, max(s.weight_kg * s.reps) AS best_set_volume_kg,"
    " (array_agg(w.local_date ORDER BY s.one_rep_max_kg DESC NULLS LAST, s.weight_kg DESC NULLS LAST,"
    "  s.reps DESC NULLS LAST, w.local_date))[1] AS achieved_on"
    " FROM workout_set AS s JOIN workout AS w ON w.id = s.workout_id"
    " WHERE s.user_id = ANY(:user_ids) AND s.kind <> 'WARM_UP' AND w.status <> 'CANCELLED'"
    " GROUP BY s.user_id, s.exercise_id ORDER BY s.user_id, s.exercise_id"
)


async def workouts_by_id(connection: Reader, ids: Sequence[str]) -> dict[str, WorkoutRecord]:
    return {row[0]: WorkoutRecord(*row) for row in await connection.execute(_BY_ID, {"ids": list(ids)})}


async def workouts_by_user(
    connection: Reader, user_ids: Sequence[str], page: WorkoutPage
) -> dict[str, list[WorkoutRecord]]:
    """The same page for several people in one statement: newest first, up to `limit` each."""
    after_date, after_id = page.after or (None, "")
    parameters = {
        "user_ids": list(user_ids),
        "first": page.first,
        "last": page.last,
        "status": page.status,
        "after_date": after_date,
        "after_id": after_id,
        "limit": page.limit,
    }
    by_user: defaultdict[str, list[WorkoutRecord]] = defaultdict(list)
    for row in await connection.execute(_PAGES, parameters):
        by_user[row[1]].append(WorkoutRecord(*row))
    return by_user


async def active_workouts(connection: Reader, user_ids: Sequence[str]) -> dict[str, WorkoutRecord]:
    rows = await connection.execute(_ACTIVE, {"user_ids": list(user_ids)})
    return {row[1]: WorkoutRecord(*row) for row in rows}


async def exercises_by_workout(
    connection: Reader, workout_ids: Sequence[str]
) -> dict[str, list[WorkoutExerciseRecord]]:
    """The exercises of each workout, in order."""
    by_workout: defaultdict[str, list[WorkoutExerciseRecord]] = defaultdict(list)
    for row in await connection.execute(_EXERCISES, {"ids": list(workout_ids)}):
        by_workout[row[1]].append(WorkoutExerciseRecord(*row))
    return by_workout


async def sets_by_workout(connection: Reader, workout_ids: Sequence[str]) -> dict[str, list[SetRecord]]:
    """The sets of each workout, exercise by exercise, in order."""
    by_workout: defaultdict[str, list[SetRecord]] = defaultdict(list)
    for row in await connection.execute(_SETS, {"ids": list(workout_ids)}):
        by_workout[row[2]].append(SetRecord(*row))
    return by_workout


async def records_by_user(connection: Reader, user_ids: Sequence[str]) -> dict[str, list[PersonalRecord]]:
    """Each person's best per exercise, from working sets of workouts that were not cancelled.

    Computed from the sets, so that deleting the set that held a record brings back the next best.
    """
    by_user: defaultdict[str, list[PersonalRecord]] = defaultdict(list)
    for row in await connection.execute(_RECORDS, {"user_ids": list(user_ids)}):
        by_user[row[0]].append(PersonalRecord(*row))
    return by_user
