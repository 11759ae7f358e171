"""Workouts as they are read: by id, by person page by page, with their exercises and sets."""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from functools import cache
from itertools import zip_longest
from typing import Any, NamedTuple

from sqlalchemy import TextClause, text

from subgraphs.shell.keyset import Page, PageShape, SortOrder
from subgraphs.shell.person_lists import count_of_each
from subgraphs.shell.read_pool import Reader, any_of, narrowing, opaque
from subgraphs.workouts.domain.pause import Pause, minutes_without_pauses
from subgraphs.workouts.domain.plan import Plan
from subgraphs.workouts.queries.exercise import EXERCISE_COLUMNS, ExerciseRecord
from subgraphs.workouts.queries.training import TrainedDays

#: Workouts of one day that a calendar shows.
MOST_SHOWN_A_DAY = 20
_COLUMNS = (
    "id, user_id, name, status, local_date, time_zone, started_at, ended_at, duration_minutes, active_minutes, notes,"
    " reported_kcal, calories_kcal, net_calories_kcal, calories_method, body_weight_kg, volume_kg, version, session_rpe,"
    " rest_started_at, rest_ends_at, rest_place_id, rest_version, paused_at, resumed_at, gear_id"
)


class WorkoutRecord(NamedTuple):
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


class WorkoutExerciseRecord(NamedTuple):
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


class SetRecord(NamedTuple):
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


#: What a page of workouts can bring of each in its own statement: the places of exercises in it, its sets, the exercises.
PLACES, SETS, EXERCISES = "places", "sets", "exercises"
ALL_PARTS = frozenset({PLACES, SETS, EXERCISES})


@dataclass(slots=True)
class WorkoutParts:
    """What workouts are made of, as far as it was asked for: places and sets by the workout's id, in order; exercises by their own."""

    places: dict[str, list[WorkoutExerciseRecord]] = field(default_factory=dict)
    sets: dict[str, list[SetRecord]] = field(default_factory=dict)
    exercises: dict[str, ExerciseRecord] = field(default_factory=dict)

    def add(self, workout_id: str, wanted: Collection[str], places: Any, sets: Any, exercises: Any) -> None:
        """What a statement brought of a workout: columns of rows, or None."""
        if PLACES in wanted:
            self.places[workout_id] = [WorkoutExerciseRecord(*place) for place in places or ()]
        if SETS in wanted:
            self.sets[workout_id] = [SetRecord(*one) for one in sets or ()]
        for exercise in exercises or ():
            if exercise[0] not in self.exercises:
                self.exercises[exercise[0]] = ExerciseRecord(*exercise)


_BY_ID = text(f"SELECT {_COLUMNS} FROM workout WHERE id = {any_of('ids')}")  # noqa: S608 - our names
_ACTIVE = text(f"SELECT {_COLUMNS} FROM workout WHERE user_id = {any_of('user_ids')} AND status = 'IN_PROGRESS'")  # noqa: S608
_PLACE_COLUMNS = (
    "id, workout_id, exercise_id, position, duration_seconds, notes, superset, planned_sets, least_reps,"
    " most_reps, planned_weight_kg, rest_seconds, planned_percent, planned_max_kg, planned_rpe"
)
_EXERCISES = text(
    f"SELECT {_PLACE_COLUMNS} FROM workout_exercise WHERE workout_id = {any_of('ids')} ORDER BY workout_id, position"  # noqa: S608
)
_SET_COLUMNS = (
    "s.id, s.workout_exercise_id, s.workout_id, s.user_id, s.exercise_id, s.position, s.kind, s.reps,"
    " s.weight_kg, s.duration_seconds, s.distance_m, s.rpe, s.one_rep_max_kg, s.logged_at, s.load_kg, s.tempo,"
    " s.notes, s.side"
)
_SETS_BY_ID = text(f"SELECT {_SET_COLUMNS} FROM workout_set AS s WHERE s.id = {any_of('ids')}")  # noqa: S608 - our names
_SETS = text(
    f"SELECT {_SET_COLUMNS}"  # noqa: S608 - our names
    " FROM workout_exercise AS e JOIN workout_set AS s ON s.workout_exercise_id = e.id"
    f" WHERE e.workout_id = {any_of('ids')} ORDER BY e.workout_id, e.position, s.position"
)
# Of each workout that is `found`; null where they are not wanted, and where there are none.
_PARTS = (
    f"CASE WHEN asked.with_places THEN (SELECT array_agg(ROW({_PLACE_COLUMNS}) ORDER BY position)"  # noqa: S608 - our names
    "  FROM workout_exercise WHERE workout_id = found.id) END,"
    f" CASE WHEN asked.with_sets THEN (SELECT array_agg(ROW({_SET_COLUMNS}) ORDER BY e.position, s.position)"
    "  FROM workout_exercise AS e JOIN workout_set AS s ON s.workout_exercise_id = e.id WHERE e.workout_id = found.id) END,"
    f" CASE WHEN asked.with_exercises THEN (SELECT array_agg(ROW({EXERCISE_COLUMNS})) FROM exercise WHERE id IN"
    "  (SELECT exercise_id FROM workout_exercise WHERE workout_id = found.id)) END"
)
_WITH_PARTS = text(
    f"SELECT {_PARTS}, found.* FROM unnest({opaque('ids', 'text[]')}, {opaque('with_places', 'boolean[]')},"  # noqa: S608
    f" {opaque('with_sets', 'boolean[]')}, {opaque('with_exercises', 'boolean[]')})"
    "  AS asked (id, with_places, with_sets, with_exercises) CROSS JOIN LATERAL ("
    f" SELECT {_COLUMNS} FROM workout WHERE workout.id = asked.id) AS found"
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
_NARROWED = {
    "first_day": f"local_date >= {opaque('first_day', 'date')}",
    "last_day": f"local_date <= {opaque('last_day', 'date')}",
    "status": f"status = {opaque('status', 'text')}",
}


@cache
def _pages(shape: PageShape, narrowed: str) -> TextClause:
    people, limit = opaque("user_ids", "text[]"), opaque("limit", "bigint")
    wanted = ", ".join(opaque(name, "boolean") for name in ("with_places", "with_sets", "with_exercises"))
    return text(
        f"SELECT {_PARTS}, found.* FROM (SELECT person.id, {wanted} FROM unnest({people}) AS person (id))"  # noqa: S608
        "  AS asked (id, with_places, with_sets, with_exercises) CROSS JOIN LATERAL ("
        f" SELECT {_COLUMNS} FROM workout WHERE workout.user_id = asked.id"
        f" AND {narrowed} AND {_ORDER.beyond(shape)} ORDER BY {_ORDER.order_by(shape)} LIMIT {limit}) AS found"
    )


async def workouts_by_id(connection: Reader, ids: Sequence[str]) -> dict[str, WorkoutRecord]:
    return {row[0]: WorkoutRecord(*row) for row in await connection.execute(_BY_ID, {"ids": list(ids)})}


async def workouts_with_parts(
    connection: Reader, ids: Sequence[str], parts: Mapping[str, Collection[str]]
) -> tuple[dict[str, WorkoutRecord], WorkoutParts]:
    """The same, and of the workouts in `parts` what of PLACES, SETS and EXERCISES it says."""
    wanted = [parts.get(each, ()) for each in ids]
    parameters = {
        "ids": list(ids),
        "with_places": [PLACES in each for each in wanted],
        "with_sets": [SETS in each for each in wanted],
        "with_exercises": [EXERCISES in each for each in wanted],
    }
    workouts: dict[str, WorkoutRecord] = {}
    found = WorkoutParts()
    for places, sets, exercises, *columns in await connection.execute(_WITH_PARTS, parameters):
        workout = WorkoutRecord(*columns)
        workouts[workout.id] = workout
        found.add(workout.id, parts.get(workout.id, ()), places, sets, exercises)
    return workouts, found


async def workouts_by_user(
    connection: Reader, user_ids: Sequence[str], wanted: WorkoutPage, parts: Collection[str] = ()
) -> tuple[dict[str, list[WorkoutRecord]], WorkoutParts]:
    """The same page for several people in one statement: nearest to the page's cursor first, up to its limit each.

    `parts` says what of PLACES, SETS and EXERCISES is brought with it.
    """
    given = {"first_day": wanted.first_day, "last_day": wanted.last_day, "status": wanted.status}
    parameters = {
        **{name: value for name, value in given.items() if value is not None},
        "user_ids": list(user_ids),
        "limit": wanted.page.limit,
        "with_places": PLACES in parts,
        "with_sets": SETS in parts,
        "with_exercises": EXERCISES in parts,
        **wanted.page.keys,
    }
    by_user: defaultdict[str, list[WorkoutRecord]] = defaultdict(list)
    found = WorkoutParts()
    statement = _pages(wanted.page.shape, narrowing(_NARROWED, given))
    for places, sets, exercises, *columns in await connection.execute(statement, parameters):
        workout = WorkoutRecord(*columns)
        by_user[workout.user_id].append(workout)
        found.add(workout.id, parts, places, sets, exercises)
    return by_user, found


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
