"""Workouts as they are read: by id, by person page by page, with their exercises and sets."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from functools import cache
from itertools import zip_longest

from sqlalchemy import TextClause, text

from subgraphs.shell.keyset import Page, PageShape, SortOrder
from subgraphs.shell.person_lists import count_of_each, page_of_each
from subgraphs.shell.read_pool import Reader
from subgraphs.workouts.domain.pause import Pause, minutes_without_pauses
from subgraphs.workouts.domain.plan import Plan
from subgraphs.workouts.queries.training import TrainedDays

#: Workouts of one day that a calendar shows.
MOST_SHOWN_A_DAY = 20
_COLUMNS = (
    "id, user_id, name, status, local_date, time_zone, started_at, ended_at, duration_minutes, active_minutes, notes,"
    " reported_kcal, calories_kcal, net_calories_kcal, calories_method, body_weight_kg, volume_kg, version, session_rpe,"
    " rest_started_at, rest_ends_at, rest_place_id, rest_version, paused_at, resumed_at, gear_id"
)


@dataclass(frozen=True, slots=True)
class WorkoutRecord:
    """One workout without its sets. The calories are those it had when it was last priced.

    The rest is the latest one, after a set of the exercise's place `rest_place_id`; it may be over.
    """

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
    session_rpe: Decimal | None
    rest_started_at: datetime | None = None
    rest_ends_at: datetime | None = None
    rest_place_id: str | None = None
    rest_version: int = 0
    paused_at: Sequence[datetime] = ()
    resumed_at: Sequence[datetime] = ()
    gear_id: str | None = None

    @property
    def pauses(self) -> list[Pause]:
        """As they were told, in order; the last has no end while it goes on, or where the workout's end ended it."""
        return [Pause(*pair) for pair in zip_longest(self.paused_at, self.resumed_at)]

    @property
    def unpaused_minutes(self) -> Decimal | None:
        """From start to end without the pauses; None while it is in progress."""
        return None if self.ended_at is None else minutes_without_pauses(self.pauses, self.started_at, self.ended_at)

    @property
    def motion_minutes(self) -> Decimal | None:
        """As told, or else what the pauses leave; None where neither is known."""
        return self.unpaused_minutes if self.active_minutes is None and self.paused_at else self.active_minutes


@dataclass(frozen=True, slots=True)
class WorkoutExerciseRecord:
    """One exercise's place in a workout, and what a template planned of it; without one the plan is None."""

    id: str
    workout_id: str
    exercise_id: str
    position: int
    duration_seconds: int | None
    notes: str | None
    superset: int | None = None
    planned_sets: int | None = None
    least_reps: int | None = None
    most_reps: int | None = None
    planned_weight_kg: Decimal | None = None
    rest_seconds: int | None = None
    planned_percent: Decimal | None = None
    planned_max_kg: Decimal | None = None
    planned_rpe: Decimal | None = None

    @property
    def plan(self) -> Plan | None:
        """What was planned of it; None for an exercise that joined the workout by itself."""
        if self.planned_sets is None:
            return None
        return Plan(
            sets=self.planned_sets,
            least_reps=self.least_reps,
            most_reps=self.most_reps,
            weight_kg=self.planned_weight_kg,
            rest_seconds=self.rest_seconds,
            superset=self.superset,
            percent=self.planned_percent,
            training_max_kg=self.planned_max_kg,
            target_rpe=self.planned_rpe,
        )


@dataclass(frozen=True, slots=True)
class SetRecord:
    """One set. `load_kg` is what a repetition moves, and None where that is not known; `one_rep_max_kg` is estimated, and
    None where an estimate would mislead.
    """

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
    load_kg: Decimal | None
    tempo: str | None = None
    notes: str | None = None
    side: str | None = None


@dataclass(frozen=True, slots=True)
class WorkoutPage:
    """What a page of workouts asks for; dates are local and included. Hashable: people with one page share a read."""

    first_day: date | None
    last_day: date | None
    status: str | None
    page: Page


_BY_ID = text(f"SELECT {_COLUMNS} FROM workout WHERE id = ANY(:ids)")  # noqa: S608 - our names
_ACTIVE = text(f"SELECT {_COLUMNS} FROM workout WHERE user_id = ANY(:user_ids) AND status = 'IN_PROGRESS'")  # noqa: S608
_EXERCISES = text(
    "SELECT id, workout_id, exercise_id, position, duration_seconds, notes, superset, planned_sets, least_reps,"
    " most_reps, planned_weight_kg, rest_seconds, planned_percent, planned_max_kg, planned_rpe FROM workout_exercise"
    " WHERE workout_id = ANY(:ids) ORDER BY workout_id, position"
)
_SET_COLUMNS = (
    "s.id, s.workout_exercise_id, s.workout_id, s.user_id, s.exercise_id, s.position, s.kind, s.reps,"
    " s.weight_kg, s.duration_seconds, s.distance_m, s.rpe, s.one_rep_max_kg, s.logged_at, s.load_kg, s.tempo,"
    " s.notes, s.side"
)
_SETS_BY_ID = text(f"SELECT {_SET_COLUMNS} FROM workout_set AS s WHERE s.id = ANY(:ids)")  # noqa: S608 - our names
_SETS = text(
    f"SELECT {_SET_COLUMNS}"  # noqa: S608 - our names
    " FROM workout_exercise AS e JOIN workout_set AS s ON s.workout_exercise_id = e.id"
    " WHERE e.workout_id = ANY(:ids) ORDER BY e.workout_id, e.position, s.position"
)
_OF_DAYS = text(
    "SELECT found.* FROM unnest(CAST(:user_ids AS text[])) AS person (id)"  # noqa: S608 - our names
    " CROSS JOIN generate_series(CAST(:first AS date), CAST(:last AS date), interval '1 day') AS day (day)"
    f" CROSS JOIN LATERAL (SELECT {_COLUMNS} FROM workout WHERE workout.user_id = person.id"
    " AND local_date = CAST(day.day AS date) AND status <> 'CANCELLED' ORDER BY started_at, id LIMIT :most) AS found"
    " ORDER BY local_date, started_at, id"
)
_COUNTS = text("SELECT user_id, count(*) FROM workout WHERE user_id = ANY(:user_ids) GROUP BY user_id")
_ORDER = SortOrder(("local_date", "started_at", "id"), descending=True)


@cache
def _pages(shape: PageShape) -> TextClause:
    return text(
        "SELECT found.* FROM unnest(CAST(:user_ids AS text[])) AS person (id) CROSS JOIN LATERAL ("  # noqa: S608
        f" SELECT {_COLUMNS} FROM workout WHERE workout.user_id = person.id"
        " AND (CAST(:first_day AS date) IS NULL OR local_date >= :first_day)"
        " AND (CAST(:last_day AS date) IS NULL OR local_date <= :last_day)"
        " AND (CAST(:status AS text) IS NULL OR status = :status)"
        f" AND {_ORDER.beyond(shape)} ORDER BY {_ORDER.order_by(shape)} LIMIT :limit) AS found"
    )


async def workouts_by_id(connection: Reader, ids: Sequence[str]) -> dict[str, WorkoutRecord]:
    return {row[0]: WorkoutRecord(*row) for row in await connection.execute(_BY_ID, {"ids": list(ids)})}


async def workouts_by_user(
    connection: Reader, user_ids: Sequence[str], wanted: WorkoutPage
) -> dict[str, list[WorkoutRecord]]:
    """The same page for several people in one statement: nearest to the page's cursor first, up to its limit each."""
    return await page_of_each(
        connection,
        _pages(wanted.page.shape),
        user_ids,
        wanted.page,
        WorkoutRecord,
        first_day=wanted.first_day,
        last_day=wanted.last_day,
        status=wanted.status,
    )


async def workouts_of_days(
    connection: Reader, user_ids: Sequence[str], days: TrainedDays
) -> dict[str, list[WorkoutRecord]]:
    """What was or is being done on each of these days, in order: the first 20 of a day, those given up left out."""
    parameters = {"user_ids": list(user_ids), "first": days.first, "last": days.last, "most": MOST_SHOWN_A_DAY}
    by_user: defaultdict[str, list[WorkoutRecord]] = defaultdict(list)
    for row in await connection.execute(_OF_DAYS, parameters):
        by_user[row[1]].append(WorkoutRecord(*row))
    return by_user


async def workout_counts(connection: Reader, user_ids: Sequence[str]) -> dict[str, int]:
    """How many workouts each person has, of any day and status."""
    return await count_of_each(connection, _COUNTS, user_ids)


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


async def sets_by_id(connection: Reader, ids: Sequence[str]) -> dict[str, SetRecord]:
    return {row[0]: SetRecord(*row) for row in await connection.execute(_SETS_BY_ID, {"ids": list(ids)})}


async def sets_by_workout(connection: Reader, workout_ids: Sequence[str]) -> dict[str, list[SetRecord]]:
    """The sets of each workout, exercise by exercise, in order."""
    by_workout: defaultdict[str, list[SetRecord]] = defaultdict(list)
    for row in await connection.execute(_SETS, {"ids": list(workout_ids)}):
        by_workout[row[2]].append(SetRecord(*row))
    return by_workout
