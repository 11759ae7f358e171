"""Workouts that were there before the longest distance and time were records have them after the migration."""

from sqlalchemy import text

from events.contracts.workouts import WorkoutEdited
from subgraphs.shell.context import utc_now
from subgraphs.shell.database import Database
from subgraphs.workouts.commands.settle import settle_workout
from subgraphs.workouts.loaders import WorkoutsLoaders
from subgraphs.workouts.schema import schema
from tests.testkit.revisions import migrate_to
from tests.testkit.servers import Postgres
from tests.testkit.subgraph import subgraph_under_test

_OLD_ROWS = (
    """
    INSERT INTO exercise (id, name, category, primary_muscles, secondary_muscles, level, tracking, met) VALUES
        ('run', 'Running', 'CARDIO', '{}', '{}', 'BEGINNER', 'DISTANCE_TIME', 9.8),
        ('bench', 'Bench press', 'STRENGTH', '{}', '{}', 'BEGINNER', 'WEIGHT_REPS', 3.5),
        ('yoga', 'Yoga', 'FLEXIBILITY', '{}', '{}', 'BEGINNER', 'TIME', 2.5)
    """,
    """
    INSERT INTO workout (id, user_id, name, status, local_date, time_zone, started_at, ended_at, rules)
    SELECT 'w' || n, 'ann', 'Old', CASE n WHEN 4 THEN 'CANCELLED' ELSE 'COMPLETED' END, date '2026-03-01' + n, 'UTC',
        timestamptz '2026-03-01T07:00:00Z' + n * interval '1 day', timestamptz '2026-03-01T09:00:00Z' + n * interval '1 day', 2
    FROM generate_series(1, 4) AS n
    """,
    """
    INSERT INTO workout_exercise (id, workout_id, exercise_id, position, duration_seconds) VALUES
        ('p1', 'w1', 'run', 1, NULL), ('p2', 'w2', 'run', 1, NULL), ('p3', 'w2', 'bench', 2, 1800),
        ('p4', 'w3', 'yoga', 1, 3600), ('p5', 'w4', 'yoga', 1, 7200)
    """,
    """
    INSERT INTO workout_set (id, workout_exercise_id, workout_id, user_id, exercise_id, position, kind, reps, weight_kg,
        distance_m, duration_seconds, logged_at) VALUES
        ('s1', 'p1', 'w1', 'ann', 'run', 1, 'NORMAL', NULL, NULL, 10000, 3000, '2026-03-02T07:10:00Z'),
        ('s2', 'p2', 'w2', 'ann', 'run', 1, 'NORMAL', NULL, NULL, 8000, 3300, '2026-03-03T07:10:00Z'),
        ('s3', 'p2', 'w2', 'ann', 'run', 2, 'WARM_UP', NULL, NULL, 90000, 9000, '2026-03-03T07:10:00Z'),
        ('s4', 'p3', 'w2', 'ann', 'bench', 1, 'NORMAL', 5, 100, NULL, NULL, '2026-03-03T07:10:00Z')
    """,
    """
    INSERT INTO exercise_best (workout_id, exercise_id, user_id, local_date, max_weight_kg, max_reps) VALUES
        ('w1', 'run', 'ann', '2026-03-02', NULL, NULL), ('w2', 'run', 'ann', '2026-03-03', NULL, NULL),
        ('w2', 'bench', 'ann', '2026-03-03', 100, 5)
    """,
    """
    INSERT INTO personal_record (user_id, exercise_id, max_weight_kg, max_reps, achieved_on) VALUES
        ('ann', 'run', NULL, NULL, '2026-03-02'), ('ann', 'bench', 100, 5, '2026-03-03')
    """,
)
_RECORDS = text(
    "SELECT exercise_id, CAST(max_distance_m AS float), max_duration_seconds, CAST(achieved_on AS text)"
    " FROM personal_record ORDER BY exercise_id"
)
_EXPECTED = [
    ("bench", None, None, "2026-03-03"),
    ("run", 10_000.0, 3300, "2026-03-02"),
    ("yoga", None, 3600, "2026-03-04"),
]


async def test_the_longest_of_before_is_as_if_it_were_logged_now(postgres: Postgres) -> None:
    url = postgres.create_database("workouts_before_longest")
    database = Database(url)
    await migrate_to(database, "workouts", "workouts_0019")
    async with database.transaction() as transaction:
        for statement in _OLD_ROWS:
            await transaction.execute(text(statement))
    await database.close()
    async with (
        subgraph_under_test("workouts", url, schema, WorkoutsLoaders) as subgraph,
        subgraph.database.transaction() as transaction,
    ):
        assert [tuple(row) for row in await transaction.execute(_RECORDS)] == _EXPECTED
        for number in range(1, 5):
            await settle_workout(transaction, f"w{number}", WorkoutEdited, now=utc_now())
        assert [tuple(row) for row in await transaction.execute(_RECORDS)] == _EXPECTED
