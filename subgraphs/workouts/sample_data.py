"""Bulk loading for samples: the catalogue of exercises and templates, and whole training histories. Called by `fittracker sample-data`."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from subgraphs.shell.idempotency import key_columns
from subgraphs.workouts.commands.exercise import INSERT_EXERCISE
from subgraphs.workouts.commands.exercise_index import index_exercises
from subgraphs.workouts.commands.public_template import ShownTemplate, write_public_template
from subgraphs.workouts.commands.workout import NewWorkout, new_row
from subgraphs.workouts.commands.workout_copy import CompletedWorkout, copy_workouts
from subgraphs.workouts.domain.exercise import ExerciseLevel, body_weight_share
from subgraphs.workouts.domain.plan import Plan
from subgraphs.workouts.domain.planned_workout import PlannedExercise
from subgraphs.workouts.domain.public_template import TemplateKind
from subgraphs.workouts.queries.exercise import ExerciseRecord, exercises_by_id

BATCH_ROWS = 500
# What a catalogue that was loaded before lacks; own exercises and texts that are there already stay as they are.
_ADD_INSTRUCTIONS = text(
    "UPDATE exercise SET instructions = told.instructions"
    " FROM unnest(CAST(:ids AS text[]), CAST(:instructions AS text[])) AS told (id, instructions)"
    " WHERE exercise.id = told.id AND created_by IS NULL AND exercise.instructions IS NULL"
)


async def load_exercises(
    connection: AsyncConnection, rows: Iterable[Mapping[str, Any]], now: datetime, everyday: Collection[str] = ()
) -> int:
    """Add catalogue exercises, in the caller's transaction. Returns how many came.

    Ids that exist are left alone, but for instructions: an exercise of the catalogue that has none gets those of its row.

    `everyday` are names of exercises that a search for few words likely means.

    A row has id, name, category, level, tracking and, where known, met, metCode, force, mechanic, equipment,
    primaryMuscles, secondaryMuscles, instructions.
    """
    parameters = [_exercise(row, now) for row in rows]
    before = await _count(connection)
    for first in range(0, len(parameters), BATCH_ROWS):
        await connection.execute(INSERT_EXERCISE, parameters[first : first + BATCH_ROWS])
    told = [row for row in parameters if row["instructions"]]
    texts = {"ids": [row["id"] for row in told], "instructions": [row["instructions"] for row in told]}
    await connection.execute(_ADD_INSTRUCTIONS, texts)
    known = set((await connection.scalars(text("SELECT id FROM search_entry"))).all())
    await index_exercises(connection, [row for row in parameters if row["id"] not in known], everyday)
    await connection.execute(text("ANALYZE search_entry, search_word"))  # else the planner believes them empty
    return await _count(connection) - before


async def load_public_templates(connection: AsyncConnection, rows: Iterable[Mapping[str, Any]], now: datetime) -> None:
    """Bring the catalogue's public templates to what the rows say, in the caller's transaction; exercises are there already.

    A row has id, name, kind, level and exercises, each with the name `exercise` of one of the catalogue, sets and, where
    planned, leastReps, mostReps, restSeconds, superset, incrementKg and targetRpe, as text. Raises KeyError for an unknown one.
    """
    known = await catalogue_by_name(connection)
    catalogue = {exercise.id: exercise for exercise in known.values()}
    for row in rows:
        exercises = tuple(
            PlannedExercise(exercise_id=known[each["exercise"]].id, plan=_plan(each)) for each in row["exercises"]
        )
        shown = ShownTemplate(
            id=row["id"],
            name=row["name"],
            kind=TemplateKind(row["kind"]),
            level=ExerciseLevel(row["level"]),
            exercises=exercises,
        )
        await write_public_template(connection, shown, catalogue, now)


def _plan(told: Mapping[str, str]) -> Plan:
    def whole(name: str) -> int | None:
        return int(told[name]) if name in told else None

    def exact(name: str) -> Decimal | None:
        return Decimal(told[name]) if name in told else None

    return Plan(
        sets=int(told["sets"]),
        least_reps=whole("leastReps"),
        most_reps=whole("mostReps"),
        rest_seconds=whole("restSeconds"),
        superset=whole("superset"),
        increment_kg=exact("incrementKg"),
        target_rpe=exact("targetRpe"),
    )


@dataclass(frozen=True, slots=True)
class TrainingHistory:
    """A person's finished workouts, and the body weights that they are priced with, by day."""

    user_id: str
    workouts: Sequence[NewWorkout]
    weights: Mapping[date, Decimal]


async def load_workouts(
    connection: AsyncConnection,
    histories: Sequence[TrainingHistory],
    exercises: Mapping[str, ExerciseRecord],
    now: datetime,
) -> int:
    """Log workouts of people with their events, in the caller's transaction, by COPY. Returns how many are new.

    A workout whose idempotency key is known already is left alone, so loading twice changes nothing.
    """
    statement = text(
        "SELECT user_id, idempotency_key FROM workout WHERE user_id = ANY(:ids) AND idempotency_key IS NOT NULL"
    )
    rows = await connection.execute(statement, {"ids": [history.user_id for history in histories]})
    known = {(row.user_id, row.idempotency_key) for row in rows}
    completed = [
        _completed(history, workout)
        for history in histories
        for workout in history.workouts
        if workout.request is None or (history.user_id, workout.request.key) not in known
    ]
    if completed:
        await copy_workouts(connection, completed, exercises, now)
    return len(completed)


async def catalogue_by_name(connection: AsyncConnection) -> dict[str, ExerciseRecord]:
    """The catalogue's exercises, for histories that name theirs."""
    ids = (await connection.scalars(text("SELECT id FROM exercise WHERE created_by IS NULL"))).all()
    return {exercise.name: exercise for exercise in (await exercises_by_id(connection, ids)).values()}


def _completed(history: TrainingHistory, workout: NewWorkout) -> CompletedWorkout:
    row = new_row(history.user_id, workout, time_zone="UTC", day_start_hour=0)
    return CompletedWorkout(row, workout.exercises, _weight_on(history.weights, row.local_date))


def _weight_on(weights: Mapping[date, Decimal], day: date) -> Decimal | None:
    """The latest up to the day, else the earliest after it."""
    until = max((each for each in weights if each <= day), default=None)
    chosen = until or min(weights, default=None)
    return None if chosen is None else weights[chosen]


async def _count(connection: AsyncConnection) -> int:
    return int(await connection.scalar(text("SELECT count(*) FROM exercise")) or 0)


def _exercise(row: Mapping[str, Any], now: datetime) -> dict[str, Any]:
    met = row.get("met")
    return {
        "id": row["id"],
        "name": row["name"],
        "category": row["category"],
        "level": row["level"],
        "tracking": row["tracking"],
        "primary_muscles": list(row.get("primaryMuscles") or ()),
        "secondary_muscles": list(row.get("secondaryMuscles") or ()),
        "equipment": row.get("equipment"),
        "force": row.get("force"),
        "mechanic": row.get("mechanic"),
        "met": None if met is None else Decimal(str(met)),
        "met_code": row.get("metCode"),
        "instructions": row.get("instructions"),
        "created_by": None,
        "created_at": now,
        "one_sided": None,
        "video_url": None,
        "picture_url": None,
        "body_weight_share": body_weight_share(row["name"], row["tracking"], row.get("equipment")),
        **key_columns(None),
    }
