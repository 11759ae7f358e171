"""Histories loaded by COPY are the same rows and events as workouts written one by one."""

from collections.abc import AsyncIterator
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy import text

from deploy.sample_data import read_catalogue, read_exercises, read_instructions
from events.envelope import decode_envelope
from events.upcast import read_payload
from subgraphs.shell.context import utc_now
from subgraphs.shell.inputs import RequestKey
from subgraphs.shell.scalars import IdempotencyKey
from subgraphs.workouts.commands.workout import NewWorkout, new_row, write_workout
from subgraphs.workouts.domain.workout import ExerciseDraft
from subgraphs.workouts.domain.workout_set import SetDraft
from subgraphs.workouts.loaders import WorkoutsLoaders
from subgraphs.workouts.queries.exercise import ExerciseRecord
from subgraphs.workouts.sample_data import TrainingHistory, catalogue_by_name, load_exercises, load_workouts
from subgraphs.workouts.schema import schema
from tests.testkit.servers import Postgres
from tests.testkit.subgraph import SubgraphUnderTest, subgraph_under_test

NOW = datetime(2026, 3, 10, tzinfo=UTC)
_MADE_UP = {"id", "workout_id", "workout_exercise_id", "user_id", "event_id", "idempotency_content"}


@pytest.fixture(scope="module")
async def workouts(postgres: Postgres) -> AsyncIterator[SubgraphUnderTest]:
    url = postgres.create_database("workouts_by_copy")
    async with subgraph_under_test("workouts", url, schema, WorkoutsLoaders) as subgraph:
        async with subgraph.database.transaction() as connection:
            await load_exercises(connection, read_exercises(), utc_now())
        yield subgraph


def _history(exercises: dict[str, ExerciseRecord]) -> list[NewWorkout]:
    squat, pullups, run = (exercises[name].id for name in ("Barbell Squat", "Pullups", "Running, general"))
    return [
        NewWorkout(
            name=f"Workout {day}",
            started_at=datetime(2026, 3, day, 10, tzinfo=UTC),
            ended_at=datetime(2026, 3, day, 11, 7, tzinfo=UTC),
            exercises=(
                ExerciseDraft(exercise_id=squat, sets=[SetDraft(reps=5, weight_kg=Decimal(60 + day))] * 3),
                ExerciseDraft(exercise_id=pullups, sets=[SetDraft(reps=8)]),
                ExerciseDraft(
                    exercise_id=run,
                    sets=[SetDraft(duration_seconds=1234, distance_m=Decimal(4000))],
                    duration_seconds=1234,
                ),
            ),
            reported_kcal=Decimal(500) if day == 2 else None,
            time_zone="Europe/Berlin",
            request=RequestKey(IdempotencyKey(f"day-{day}")),
        )
        for day in (1, 2, 3)
    ]


async def _rows(workouts: SubgraphUnderTest, person: str) -> dict[str, list[dict[str, Any]]]:
    order = {
        "workout": "local_date",
        "workout_exercise": "(SELECT local_date FROM workout WHERE id = workout_id), position",
        "workout_set": "logged_at, exercise_id, position",
        "exercise_best": "local_date, exercise_id",
        "personal_record": "exercise_id",
    }
    found = {}
    async with workouts.database.reading() as connection:
        for table, ordering in order.items():
            owner = (
                "workout_id IN (SELECT id FROM workout WHERE user_id = :id)"
                if table == "workout_exercise"
                else "user_id = :id"
            )
            rows = await connection.execute(
                text(f"SELECT * FROM {table} WHERE {owner} ORDER BY {ordering}"), {"id": person}
            )
            found[table] = [
                {name: value for name, value in row.items() if name not in _MADE_UP} for row in rows.mappings()
            ]
        rows = await connection.execute(text("SELECT value FROM outbox WHERE key = :id ORDER BY seq"), {"id": person})
        payloads = [read_payload(decode_envelope(row.value)) for row in rows]
    found["events"] = [
        {name: getattr(payload, name) for name in payload.__struct_fields__ if name != "workout_id"}
        for payload in payloads
    ]
    return found


async def test_copied_histories_equal_those_written_one_by_one(workouts: SubgraphUnderTest) -> None:
    weights = {date(2026, 3, 1): Decimal("80.00"), date(2026, 3, 3): Decimal("79.50")}
    async with workouts.database.transaction() as connection:
        exercises = await catalogue_by_name(connection)
        for day, weight in weights.items():
            await connection.execute(
                text("INSERT INTO person_weight VALUES (:entry, 'single', :day, :at, :weight)"),
                {
                    "entry": f"w{day}",
                    "day": day,
                    "at": datetime(day.year, day.month, day.day, tzinfo=UTC),
                    "weight": weight,
                },
            )
        for new in _history(exercises):
            await write_workout(
                connection, new_row("single", new, time_zone="UTC", day_start_hour=0), new.exercises, NOW
            )
    by_id = {exercise.id: exercise for exercise in exercises.values()}
    history = TrainingHistory("copied", _history(exercises), weights)
    for expected in (3, 0):
        async with workouts.database.transaction() as connection:
            assert await load_workouts(connection, [history], by_id, NOW) == expected
    single, copied = await _rows(workouts, "single"), await _rows(workouts, "copied")
    # nobody is told of records of long ago, which are new to the database only
    told = [[event.pop("new_records") for event in rows["events"]] for rows in (single, copied)]
    assert [len(each) > 0 for each in told[0]] == [False, True, True]
    assert told[1] == [(), (), ()]
    assert copied == single
    assert [len(copied[name]) for name in ("workout", "workout_set", "personal_record", "events")] == [3, 15, 3, 3]


async def test_a_catalogue_that_was_loaded_without_instructions_gets_them(workouts: SubgraphUnderTest) -> None:
    """Once; a text that is there already and an own exercise stay as they are, whatever a row of the same id says."""
    rows = read_catalogue()
    plank, squat = ({row["name"]: row["id"] for row in rows}[name] for name in ("Plank", "Barbell Squat"))
    create = 'mutation { createExercise(input: {name: "Plank", category: CORE}) { exercise { id } } }'
    own = (await workouts.data(create, "maker"))["createExercise"]["exercise"]["id"]
    ask = text("SELECT id, name, instructions, xmin::text FROM exercise")
    async with workouts.database.transaction() as connection:
        await connection.execute(text("UPDATE exercise SET instructions = NULL WHERE created_by IS NULL"))
        await connection.execute(text("UPDATE exercise SET instructions = 'Ours.' WHERE id = :id"), {"id": squat})
    rows.append(next(row for row in rows if row["id"] == plank) | {"id": own})
    async with workouts.database.transaction() as connection:
        await load_exercises(connection, rows, NOW)
    async with workouts.database.transaction() as connection:
        first = (await connection.execute(ask)).all()
    told = {row.id: row.instructions for row in first}
    texts = read_instructions()
    assert told[squat] == "Ours."
    assert told[own] is None
    assert {row.name: row.instructions for row in first if row.instructions} == texts | {"Barbell Squat": "Ours."}
    seen = await workouts.data("query ($id: ID!) { exercise(id: $id) { instructions } }", "maker", {"id": plank})
    assert seen == {"exercise": {"instructions": texts["Plank"]}}
    async with workouts.database.transaction() as connection:
        assert await load_exercises(connection, rows, NOW) == 0
        assert (await connection.execute(ask)).all() == first
