"""With two thousand people and one of ten years, a page of workouts or records reads the rows that it shows."""

from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import date
from typing import Any

import pytest
from sqlalchemy import text

from events.contracts.workouts import SetLogged
from subgraphs.shell.context import utc_now
from subgraphs.shell.keyset import Page
from subgraphs.shell.replicated_person import people_by_id
from subgraphs.workouts.commands.settle import settle_workout
from subgraphs.workouts.loaders import WorkoutsLoaders
from subgraphs.workouts.queries.exercise import ExerciseFilter, exercises_by_id, exercises_by_name
from subgraphs.workouts.queries.gear import gear_by_id, gear_by_user, gear_counts, gear_uses
from subgraphs.workouts.queries.person import weights_on
from subgraphs.workouts.queries.personal_record import record_counts, record_marks, records_by_user
from subgraphs.workouts.queries.planned_workout import (
    planned_by_workout,
    planned_workout_counts,
    planned_workouts_by_id,
    planned_workouts_by_user,
    planned_workouts_of_days,
)
from subgraphs.workouts.queries.plates import plate_inventories
from subgraphs.workouts.queries.public_template import (
    TemplateFilter,
    public_templates_by_id,
    public_templates_page,
    publications_by_template,
    report_reasons,
)
from subgraphs.workouts.queries.rest import default_rests
from subgraphs.workouts.queries.routine import routine_counts, routines_by_id, routines_by_user
from subgraphs.workouts.queries.template import (
    exercises_by_template,
    template_counts,
    templates_by_id,
    templates_by_user,
)
from subgraphs.workouts.queries.track import (
    bests_by_workout,
    pace_records,
    rate_times_by_workout,
    series_by_workout,
    tracks_by_workout,
)
from subgraphs.workouts.queries.training import TrainedDays, muscle_work, session_loads
from subgraphs.workouts.queries.workout import (
    ALL_PARTS,
    WorkoutPage,
    active_workouts,
    exercises_by_workout,
    sets_by_id,
    sets_by_workout,
    workout_counts,
    workouts_by_user,
    workouts_of_days,
    workouts_with_parts,
)
from tests.testkit.explained import ExplainingReader, reads_of
from tests.testkit.servers import Postgres
from tests.testkit.subgraph import SubgraphUnderTest
from tests.testkit.workouts import workouts_subgraph

VETERAN = "p0"
PEOPLE, WORKOUTS, YEARS_OF_WORKOUTS, EXERCISES = 2000, 26, 1500, 100
_POPULATION = (
    f"""
    INSERT INTO exercise (id, name, category, primary_muscles, secondary_muscles, level, tracking, met)
    SELECT 'e' || n, 'Exercise ' || n, 'STRENGTH', '{{}}', '{{}}', 'BEGINNER', 'WEIGHT_REPS', 3.5
    FROM generate_series(1, {EXERCISES + 2000}) AS n
    """,
    f"""
    INSERT INTO workout (id, user_id, name, status, local_date, time_zone, started_at, ended_at, rules)
    SELECT 'p' || person || '-' || n, 'p' || person, 'Workout', 'COMPLETED', day, 'UTC', day, day + interval '1 hour', 2
    FROM generate_series(0, {PEOPLE}) AS person CROSS JOIN LATERAL (
        SELECT n, date '2026-03-01' - 2 * n AS day
        FROM generate_series(1, CASE person WHEN 0 THEN {YEARS_OF_WORKOUTS} ELSE {WORKOUTS} END) AS n) AS told
    """,
    f"""
    INSERT INTO workout_exercise (id, workout_id, exercise_id, position)
    SELECT id || '-e', id, 'e' || 1 + row_number() OVER (PARTITION BY user_id) % {EXERCISES}, 1 FROM workout
    """,
    """
    INSERT INTO workout_set (id, workout_exercise_id, workout_id, user_id, exercise_id, position, kind, reps, weight_kg,
        load_kg, logged_at)
    SELECT place.id || '-' || n, place.id, workout_id, user_id, exercise_id, n, 'NORMAL', 5, 100, 100, now()
    FROM workout_exercise AS place JOIN workout ON workout.id = workout_id CROSS JOIN generate_series(1, 2) AS n
    """,
    """
    INSERT INTO exercise_best SELECT workout.id, exercise_id, user_id, local_date, 100, 5, 116.667, 500
    FROM workout JOIN workout_exercise ON workout_id = workout.id
    """,
    """
    INSERT INTO personal_record SELECT user_id, exercise_id, max(max_weight_kg), max(max_reps), max(best_one_rep_max_kg),
        max(best_set_volume_kg), max(local_date) FROM exercise_best GROUP BY user_id, exercise_id
    """,
    f"INSERT INTO person (user_id, display_name, time_zone, day_start_hour) SELECT 'p' || n, 'P', 'UTC', 0 FROM generate_series(0, {PEOPLE}) AS n",
    f"""
    INSERT INTO person_weight (entry_id, user_id, local_date, recorded_at, weight_kg)
    SELECT 'p' || person || '-' || n, 'p' || person, date '2026-03-01' - n, date '2026-03-01' - n, 80
    FROM generate_series(0, {PEOPLE}) AS person
    CROSS JOIN LATERAL generate_series(1, CASE person WHEN 0 THEN {YEARS_OF_WORKOUTS} ELSE {WORKOUTS} END) AS n
    """,
    f"""
    INSERT INTO workout_template (id, user_id, name, created_at)
    SELECT 't' || p || '-' || n, 'p' || p, 'T', '2026-01-01'::timestamptz + n * interval '1 hour'
    FROM generate_series(0, {PEOPLE}) AS p, generate_series(1, 30) AS n WHERE p % 20 = 0
    """,
    """
    INSERT INTO template_exercise (id, template_id, exercise_id, position, sets)
    SELECT id || '-' || n, id, 'e' || n, n, 3 FROM workout_template, generate_series(1, 8) AS n
    """,
    """
    INSERT INTO public_template (id, template_id, user_id, name, kind, level, labels, muscles, exercises, published_at)
    SELECT 's-' || id, id, user_id, 'T', CASE WHEN hashtext(id) % 5 = 0 THEN 'HIIT' ELSE 'STRENGTH' END, 'BEGINNER',
        ARRAY['template', CASE WHEN id LIKE 't0-%' THEN 'rare' ELSE id END, 'kind=' || CASE WHEN hashtext(id) % 5 = 0 THEN 'HIIT' ELSE 'STRENGTH' END], ARRAY['chest'], '[]', created_at
    FROM workout_template
    """,
    """
    INSERT INTO public_template (id, name, kind, level, labels, muscles, exercises, published_at)
    SELECT 'c-' || n, 'T', 'STRENGTH', 'BEGINNER', ARRAY['template', 'kind=STRENGTH'], ARRAY['chest'], '[]',
        '2025-01-01'::timestamptz + n * interval '1 minute' FROM generate_series(1, 30000) AS n
    """,
    """
    INSERT INTO template_report (public_template_id, reporter_id, reason, at)
    SELECT id, 'p' || n, 'SPAM', now() FROM public_template, generate_series(1, 3) AS n WHERE template_id IS NOT NULL
    """,
    f"""
    INSERT INTO gear (id, user_id, name, kind, created_at)
    SELECT 'g' || p || '-' || n, 'p' || p, 'G', 'SHOES', '2026-01-01'::timestamptz + n * interval '1 hour'
    FROM generate_series(0, {PEOPLE}) AS p, generate_series(1, 10) AS n
    """,
    "UPDATE workout SET gear_id = 'g' || substr(user_id, 2) || '-7' WHERE id LIKE '%0'",
    f"INSERT INTO plate_inventory SELECT 'p' || n, 'KG', 20, '[]' FROM generate_series(0, {PEOPLE}) AS n",
    f"INSERT INTO default_rest SELECT 'p' || n, 90 FROM generate_series(0, {PEOPLE}) AS n",
    f"""
    INSERT INTO routine (id, user_id, name, schedule, days, created_at, planned_at)
    SELECT 'r' || p || '-' || n, 'p' || p, 'R', 'CYCLE', '[]', '2026-01-01'::timestamptz + n * interval '1 hour', '2026-01-01'
    FROM generate_series(0, {PEOPLE}) AS p, generate_series(1, 30) AS n WHERE p % 20 = 0
    """,
    f"""
    INSERT INTO planned_workout (id, user_id, local_date, name, exercises, created_at, planned_at, workout_id)
    SELECT 'l' || p || '-' || n, 'p' || p, '2025-01-01'::date + n, 'L', '[]', '2026-01-01', '2026-01-01', workout.id
    FROM generate_series(0, {PEOPLE}) AS p CROSS JOIN generate_series(1, 700) AS n
    LEFT JOIN workout ON workout.id = 'p' || p || '-' || n WHERE p % 20 = 0
    """,
    """
    INSERT INTO workout_track (workout_id, distance_m, km_splits, mile_splits) SELECT id, 5000, '[]', '[]' FROM workout
    WHERE CAST(substr(user_id, 2) AS integer) % 20 = 0
    """,
    """
    INSERT INTO track_best (workout_id, distance, user_id, exercise_id, seconds)
    SELECT workout.id, told.distance, user_id, exercise_id, 240 + random() * 60
    FROM workout JOIN workout_track AS track ON track.workout_id = workout.id
    JOIN workout_exercise AS place ON place.workout_id = workout.id
    CROSS JOIN unnest(ARRAY['M400', 'KM1', 'KM5']) AS told (distance)
    """,
    """
    INSERT INTO workout_series (workout_id, seconds, heart_rate, rates, rate_seconds)
    SELECT workout_id, told.seconds, told.rates, '{120,150}', '{1200,2400}' FROM workout_track CROSS JOIN (
        SELECT array_agg(10 * n) AS seconds, array_agg(CAST(100 + n % 50 AS smallint)) AS rates
        FROM generate_series(1, 360) AS n) AS told
    """,
    "ANALYZE",
)
READS: dict[str, tuple[Callable[..., Awaitable[Any]], tuple[Any, ...], int, int]] = {
    # read, its arguments, the most rows and the most pages of 8 kB that it may look at
    "a page of workouts": (workouts_by_user, ([VETERAN], WorkoutPage(None, None, None, Page(20))), 21, 60),
    # Twenty-one with a place, two sets and an exercise each; places are read for themselves, for the sets and for the exercises.
    "a page of workouts with all that is in them": (
        workouts_by_user,
        ([VETERAN], WorkoutPage(None, None, None, Page(20)), ALL_PARTS),
        21 * (1 + 3 + 2 + 1),
        21 * 30,
    ),
    "the weight of a day": (weights_on, ([VETERAN], date(2025, 6, 1)), 3, 16),
    "a page far back": (
        workouts_by_user,
        ([VETERAN], WorkoutPage(None, date(2019, 1, 1), None, Page(20))),
        21,
        60,
    ),
    "the oldest page": (
        workouts_by_user,
        ([VETERAN], WorkoutPage(None, None, None, Page(20, backward=True))),
        21,
        60,
    ),
    "the session in progress": (active_workouts, ([VETERAN],), 0, 5),
    "one workout": (workouts_with_parts, (["p0-7"], {}), 1, 8),
    "one workout with all that is in it": (workouts_with_parts, (["p0-7"], {"p0-7": ALL_PARTS}), 1 + 3 + 2 + 1, 40),
    "an exercise": (exercises_by_id, (["e7"],), 1, 8),
    "a page of exercises": (exercises_by_name, ([ExerciseFilter(viewer_id=VETERAN)], Page(20)), 21, 60),
    "a person": (people_by_id, ([VETERAN],), 1, 8),
    "how many workouts there are": (workout_counts, ([VETERAN],), YEARS_OF_WORKOUTS, 120),
    "how many records there are": (record_counts, ([VETERAN],), EXERCISES, 120),
    "how one record came about": (record_marks, ([(VETERAN, "e7")],), 60, 240),
    "the muscles of four weeks": (muscle_work, ([VETERAN], TrainedDays(date(2026, 1, 1), date(2026, 1, 28))), 400, 800),
    "the loads of four weeks": (session_loads, ([VETERAN], TrainedDays(date(2026, 1, 1), date(2026, 1, 28))), 60, 120),
    "a template": (templates_by_id, (["none"],), 1, 8),
    "a page of templates": (templates_by_user, ([VETERAN], Page(20)), 30, 60),
    "how many templates there are": (template_counts, ([VETERAN],), 200, 60),
    "the exercises of a template": (exercises_by_template, (["t0-7"],), 8, 60),
    "a public template": (public_templates_by_id, (["s-t0-7"],), 3, 20),
    "what is public of twenty templates": (
        publications_by_template,
        ([f"t0-{n}" for n in range(1, 21)],),
        60,
        240,
    ),
    "a page of public templates": (public_templates_page, ([TemplateFilter()], Page(20)), 60, 240),
    "a page of one kind of public templates": (
        public_templates_page,
        ([TemplateFilter(labels=("kind=HIIT",))], Page(20)),
        500,
        500,
    ),
    "public templates by a rare word": (
        public_templates_page,
        ([TemplateFilter(labels=("rare",))], Page(20)),
        100,
        240,
    ),
    "for what a public template was reported": (report_reasons, (["s-t0-7"],), 6, 20),
    "a page of planned workouts": (planned_workouts_by_user, ([VETERAN], Page(20)), 42, 120),
    "a calendar of three months": (
        planned_workouts_of_days,
        ([VETERAN], TrainedDays(date(2026, 1, 1), date(2026, 3, 31))),
        180,
        540,
    ),
    "what was done in three months": (
        workouts_of_days,
        ([VETERAN], TrainedDays(date(2026, 1, 1), date(2026, 3, 31))),
        200,
        700,
    ),
    "how many planned workouts there are": (planned_workout_counts, ([VETERAN],), 700, 120),
    "a planned workout": (planned_workouts_by_id, (["l0-7"],), 2, 12),
    "what twenty workouts were planned as": (planned_by_workout, ([f"p0-{n}" for n in range(1, 21)],), 60, 240),
    "a page of routines": (routines_by_user, ([VETERAN], Page(20)), 30, 60),
    "how many routines there are": (routine_counts, ([VETERAN],), 200, 60),
    "a routine": (routines_by_id, (["r0-7"],), 1, 8),
    "a piece of gear": (gear_by_id, (["g0-7"],), 1, 8),
    "a page of gear": (gear_by_user, ([VETERAN], Page(20)), 30, 60),
    "how much gear there is": (gear_counts, ([VETERAN],), 200, 60),
    "how far shoes went in five years": (gear_uses, (["g0-7"],), 800, 3000),
    "the plates of a person": (plate_inventories, ([VETERAN],), 1, 8),
    "how long one rests": (default_rests, ([VETERAN],), 1, 8),
    "a page of records": (records_by_user, ([VETERAN], Page(20)), 21, 60),
    "the exercises of twenty workouts": (exercises_by_workout, ([f"p0-{n}" for n in range(1, 21)],), 20, 120),
    "the recordings of twenty workouts": (tracks_by_workout, ([f"p0-{n}" for n in range(1, 21)],), 20, 120),
    "twenty workouts over time": (series_by_workout, ([f"p0-{n}" for n in range(1, 21)],), 20, 160),
    "the hearts of twenty workouts": (rate_times_by_workout, ([f"p0-{n}" for n in range(1, 21)],), 20, 160),
    "the fastest stretches of twenty": (bests_by_workout, ([f"p0-{n}" for n in range(1, 21)],), 120, 480),
    "the fastest stretches of an exercise": (pace_records, ([(VETERAN, "e7")],), 6, 60),
    "a set": (sets_by_id, (["p0-7-e-1"],), 1, 8),
    "the sets of twenty workouts": (sets_by_workout, ([f"p0-{n}" for n in range(1, 21)],), 60, 240),
}


@pytest.fixture(scope="module")
async def workouts(postgres: Postgres) -> AsyncIterator[SubgraphUnderTest]:
    async with workouts_subgraph(postgres, "workouts_at_size") as subgraph:
        for statement in _POPULATION:
            async with subgraph.database.transaction() as transaction:
                await transaction.execute(text(statement))
        yield subgraph


def test_no_read_of_the_api_is_left_out() -> None:
    """`search_exercises` has its own bounds, in test_exercise_search, `changes_by_user` too, in the shell's test_changes, and
    `reads_by_owner` and `writes_by_owner` those of users' test.
    """
    named = {read.__name__ for read, *_ in READS.values()}
    assert named == reads_of(WorkoutsLoaders) - {
        "search_exercises",
        "changes_by_user",
        "reads_by_owner",
        "writes_by_owner",
    }


@pytest.mark.parametrize("name", READS)
async def test_a_page_reads_the_rows_that_it_shows(workouts: SubgraphUnderTest, name: str) -> None:
    read, arguments, most_rows, most_buffers = READS[name]
    async with workouts.database.reading() as connection:
        reader = ExplainingReader(connection)
        await read(reader, *arguments)
    (explained,) = reader.explained
    assert explained.whole_tables == set(), explained
    assert explained.rows_read <= most_rows, (explained.rows_read, explained)
    assert explained.buffers <= most_buffers, (explained.buffers, explained)


async def test_a_set_more_reads_no_other_workouts(workouts: SubgraphUnderTest) -> None:
    """A new best is compared with the record alone, whatever years of workouts are behind it."""
    rows = text(
        "SELECT sum(idx_tup_fetch + seq_tup_read) FROM pg_stat_xact_user_tables WHERE relname IN"
        " ('workout', 'workout_set', 'workout_exercise', 'exercise_best', 'personal_record')"
    )
    async with workouts.database.transaction() as transaction:
        before = int(await transaction.scalar(rows) or 0)  # what earlier transactions of the connection still count
        await settle_workout(transaction, "p0-7", SetLogged, now=utc_now())
        assert int(await transaction.scalar(rows) or 0) - before <= 60
