"""Workouts that an older release stored are mended by the migration, and settled anew when the process starts."""

from collections.abc import AsyncIterator

import pytest
from sqlalchemy import text

from subgraphs.shell.context import utc_now
from subgraphs.shell.database import Database
from subgraphs.workouts.commands.settle import settle_outdated_workouts
from subgraphs.workouts.loaders import WorkoutsLoaders
from subgraphs.workouts.schema import schema
from tests.testkit.revisions import migrate_to
from tests.testkit.servers import Postgres
from tests.testkit.subgraph import SubgraphUnderTest, subgraph_under_test

_OLD_ROWS = (
    """
    INSERT INTO exercise (id, name, category, primary_muscles, secondary_muscles, equipment, level, tracking, met,
        created_by) VALUES
        ('pullups', 'Pullups', 'STRENGTH', '{lats}', '{biceps}', 'body only', 'BEGINNER', 'REPS', 3.8, NULL),
        ('own', 'Mine', 'STRENGTH', '{lats,wings}', '{}', 'my garden', 'BEGINNER', 'WEIGHT_REPS', 3.5, 'ann')
    """,
    """
    INSERT INTO workout (id, user_id, name, status, local_date, time_zone, started_at, ended_at, duration_minutes,
        active_minutes, reported_kcal, calories_kcal, net_calories_kcal, calories_method, body_weight_kg) VALUES
        ('w', 'ann', 'Old', 'COMPLETED', '2026-03-01', 'UTC', '2026-03-01T07:00:00Z', '2026-03-01T07:30:00Z', 30,
         -5, 9000000, 9000000, 9000000, 'REPORTED', 80)
    """,
    "INSERT INTO workout_exercise VALUES ('p', 'w', 'pullups', 1, NULL, NULL)",
    """
    INSERT INTO workout_set (id, workout_exercise_id, workout_id, user_id, exercise_id, position, kind, reps, weight_kg,
        logged_at) VALUES ('s', 'p', 'w', 'ann', 'pullups', 1, 'NORMAL', 10, NULL, '2026-03-01T07:10:00Z')
    """,
)


@pytest.fixture(scope="module")
async def workouts(postgres: Postgres) -> AsyncIterator[SubgraphUnderTest]:
    url = postgres.create_database("workouts_of_old")
    database = Database(url)
    await migrate_to(database, "workouts", "workouts_0001")
    async with database.transaction() as transaction:
        for statement in _OLD_ROWS:
            await transaction.execute(text(statement))
    await database.close()
    async with subgraph_under_test("workouts", url, schema, WorkoutsLoaders) as subgraph:
        yield subgraph


async def test_numbers_out_of_bounds_are_gone_and_the_rest_is_settled_anew(workouts: SubgraphUnderTest) -> None:
    async with workouts.database.transaction() as transaction:
        assert await settle_outdated_workouts(transaction, 10, utc_now()) == 1
    query = '{ workout(id: "w") { version activeMinutes volumeKg caloriesBurned { method kcal } sets { loadKg } } }'
    found = (await workouts.data(query, "ann"))["workout"]
    assert found == {
        "version": 2,
        "activeMinutes": None,
        "volumeKg": 800.0,
        "caloriesBurned": {"method": "MET", "kcal": 159.6},
        "sets": [{"loadKg": 80.0}],
    }


async def test_what_people_called_muscles_and_equipment_is_of_the_closed_sets(workouts: SubgraphUnderTest) -> None:
    found = (await workouts.data('{ exercise(id: "own") { primaryMuscles equipment } }', "ann"))["exercise"]
    assert found == {"primaryMuscles": ["LATS"], "equipment": "OTHER"}
