"""With two thousand people of half a year and one of ten years, each page reads the days that it shows."""

from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import text

from subgraphs.analytics.commands.achievement import Changed, judge_achievements
from subgraphs.analytics.domain.achievement import AchievementKind
from subgraphs.analytics.loaders import AnalyticsLoaders
from subgraphs.analytics.projections.streak import refresh_streaks
from subgraphs.analytics.projections.weight_trend import refresh_trend
from subgraphs.analytics.queries.achievement import (
    achievement_counts,
    achievements_by_user,
    goals_reached,
    training_totals,
)
from subgraphs.analytics.queries.food import times_logged
from subgraphs.analytics.queries.goal import (
    GoalPage,
    goal_counts,
    goals_by_id,
    goals_by_user,
    measured_days,
    periods_by_goal,
    standings,
)
from subgraphs.analytics.queries.person import clocks_by_user
from subgraphs.analytics.queries.report import days_of_reports, trend_of_reports
from subgraphs.analytics.queries.streak import protections, streak_facts
from subgraphs.analytics.queries.summary import (
    SummaryPage,
    changed_summaries,
    count_of_changed,
    summaries_by_day,
    summaries_by_user,
    summaries_of_span,
    summary_counts,
)
from subgraphs.analytics.queries.timeline import TimelinePage, entries_by_user
from subgraphs.analytics.queries.weight import Span, trend_by_user
from subgraphs.analytics.queries.workout import kinds_of_exercise, workout_efforts
from subgraphs.shell.day_range import DayRange
from subgraphs.shell.keyset import Page
from tests.testkit.analytics import analytics_subgraph
from tests.testkit.explained import ExplainingReader, reads_of
from tests.testkit.servers import Postgres
from tests.testkit.subgraph import SubgraphUnderTest

VETERAN = "p0"
MEASURED = "p1"  # with two of everything a day, long ago, and a month of late
LAST = date(2026, 3, 1)
NOW = datetime(2026, 3, 1, 20, tzinfo=UTC)
PEOPLE, DAYS, YEARS_OF_DAYS = 2000, 180, 3650
_KINDS = ("WEIGHT_KG", "WORKOUTS_PER_WEEK", "DAILY_CALORIES", "DAILY_WATER_ML")
_PEOPLE_DAYS = f"""
    generate_series(0, {PEOPLE}) AS person CROSS JOIN LATERAL (
        SELECT date '{LAST}' - n AS day
        FROM generate_series(0, CASE person WHEN 0 THEN {YEARS_OF_DAYS} ELSE {DAYS} END - 1) AS n) AS told
"""
# Of tables with many rows a day: indices do not care how many people more there are.
_SOME_PEOPLES_DAYS = f"(SELECT person, day FROM {_PEOPLE_DAYS} WHERE person < 60) AS some_people"
_POPULATION = (
    f"INSERT INTO person SELECT 'p' || person, 'UTC', 0, 'MONDAY' FROM generate_series(0, {PEOPLE}) AS person",
    f"""
    INSERT INTO daily_summary (user_id, local_date, calories_consumed, calories_burned, net_calories_burned, protein_g,
        carbs_g, fat_g, meals_logged, workouts_completed, workout_minutes, active_minutes, water_ml, weight_kg, revision,
        computed_at)
    SELECT 'p' || person, day, 2000, 300, 250, 100, 200, 70, 3, 1, 45, 40, 1500, 80, 1, day + interval '20 hours'
    FROM {_PEOPLE_DAYS}
    """,
    f"INSERT INTO weight_trend SELECT 'p' || person, day, 80, 80 FROM {_PEOPLE_DAYS}",
    f"""
    INSERT INTO workout_fact (workout_id, user_id, local_date, status, calories_kcal, net_calories_kcal, volume_kg, exercise_kinds)
    SELECT 'p' || person || '-' || day, 'p' || person, day, 'COMPLETED', 300, 250, 0, '{{"CORE": 2}}' FROM {_PEOPLE_DAYS}
    """,
    f"""
    INSERT INTO goal (id, user_id, kind, target_value, start_date, counts_from, status)
    SELECT 'p' || person || kind, 'p' || person, kind, 70, '2017-01-01', '2017-01-01', 'ACTIVE'
    FROM generate_series(0, {PEOPLE}) AS person, unnest(CAST('{{{",".join(_KINDS)}}}' AS text[])) AS kind
    """,
    f"""
    INSERT INTO measure_fact (entry_id, measure, user_id, local_date, recorded_at, value)
    SELECT 'p' || person || '-' || day, measure, 'p' || person, day, day, 60
    FROM {_SOME_PEOPLES_DAYS} CROSS JOIN unnest(CAST('{{TAPE:WAIST,ONE_REP_MAX:squat}}' AS text[])) AS told (measure)
    """,
    f"""
    INSERT INTO goal (id, user_id, kind, measure, target_value, start_date, counts_from, status) VALUES
        ('waist', '{MEASURED}', 'MEASUREMENT_CM', 'TAPE:WAIST', 50, date '{LAST}' - 30, date '{LAST}' - 30, 'ACTIVE'),
        ('squat', '{MEASURED}', 'ONE_REP_MAX_KG', 'ONE_REP_MAX:squat', 70, date '{LAST}' - 30, date '{LAST}' - 30, 'ACTIVE')
    """,
    f"""
    INSERT INTO measure_fact SELECT '{MEASURED}-' || day || '-' || n, measure, '{MEASURED}', date '2005-01-01' + day, now(), 60
    FROM generate_series(0, {YEARS_OF_DAYS}) AS day CROSS JOIN generate_series(1, 2) AS n
    CROSS JOIN unnest(CAST('{{TAPE:WAIST,ONE_REP_MAX:squat}}' AS text[])) AS told (measure)
    """,
    f"""
    INSERT INTO timeline_entry SELECT 'p' || person || '-' || day || '-' || n, 'p' || person, 'MEAL', day + n * interval '1 hour', day
    FROM {_SOME_PEOPLES_DAYS} CROSS JOIN generate_series(8, 20, 3) AS meal (n)
    """,
    # Every other day, and every other week: as many runs as there can be.
    f"""
    INSERT INTO streak_run SELECT 'p' || person, habit, day, day, 1 + (day - date '{LAST}') % 9 + 9
    FROM {_SOME_PEOPLES_DAYS} CROSS JOIN unnest(CAST('{{MEALS,WORKOUTS_MONDAY,WORKOUTS_SUNDAY}}' AS text[])) AS habit
    WHERE (day - date '{LAST}') % CASE habit WHEN 'MEALS' THEN 2 ELSE 14 END = 0
    """,
    f"""
    INSERT INTO streak_protection SELECT 'p' || person, ARRAY[date '2018-05-01', date '2025-07-01'],
        ARRAY[date '2018-05-10', date '2025-07-10'], ARRAY['HOLIDAY', 'ILLNESS'], 1
    FROM generate_series(0, {PEOPLE}) AS person
    """,
    f"""
    INSERT INTO food_count SELECT 'p' || person, 'food' || n, n
    FROM generate_series(0, {PEOPLE}) AS person, generate_series(1, 20) AS n
    """,
    f"""
    INSERT INTO achievement SELECT 'p' || person, kind, '2017-06-01', now()
    FROM generate_series(0, {PEOPLE}) AS person, unnest(CAST('{{{",".join(AchievementKind)}}}' AS text[])) AS kind
    """,
    "ANALYZE",
)
GOALS = [f"{VETERAN}{kind}" for kind in _KINDS]
YEAR = Span(LAST - timedelta(days=365), LAST)
LONG_AGO = DayRange(date(2018, 1, 1), date(2018, 1, 7))
FOUR_WEEKS = Span(LAST - timedelta(days=27), LAST)
WEEK = Span(LAST - timedelta(days=6), LAST)
TWO_MONTHS = Span(date(2026, 1, 1), date(2026, 2, 28))
LONG_AGO_TOO = Span(date(2018, 1, 1), date(2018, 1, 14))
READS: dict[str, tuple[Callable[..., Awaitable[Any]], tuple[Any, ...], int, int]] = {
    # read, its arguments, the most rows and the most pages of 8 kB that it may look at
    "today": (summaries_by_day, ([(VETERAN, LAST)],), 1, 8),
    "a page of days": (summaries_by_user, ([VETERAN], SummaryPage(None, None, Page(20))), 21, 60),
    "the oldest days": (summaries_by_user, ([VETERAN], SummaryPage(None, None, Page(20, backward=True))), 21, 60),
    "a page of the timeline": (entries_by_user, ([VETERAN], TimelinePage(DayRange(), Page(20))), 21, 40),
    "a week of the timeline, years ago": (entries_by_user, ([VETERAN], TimelinePage(LONG_AGO, Page(20))), 36, 40),
    # the newest and the longest run of three habits; then of each rest of ten days the runs that end in it or in the 13 days before, and
    # the next ones
    "streaks": (streak_facts, ([VETERAN],), 2 + 2 * 3 + 2 * (12 + 2 * 2 + 3), 120),
    "protected days": (protections, ([VETERAN],), 1, 8),
    "how often a food was logged": (times_logged, ([(VETERAN, "food7")],), 1, 8),
    "a week": (summaries_of_span, ([VETERAN], WEEK), 7, 20),
    "reports of a month and of a week, years ago": (
        days_of_reports,
        ([(VETERAN, TWO_MONTHS), (VETERAN, LONG_AGO_TOO)],),
        59 + 14,
        40,
    ),
    "the trend of reports of a month and of a week, years ago": (
        trend_of_reports,
        ([(VETERAN, TWO_MONTHS), (VETERAN, LONG_AGO_TOO)],),
        59 + 14,
        40,
    ),
    "a year of the trend": (trend_by_user, ([VETERAN], YEAR), 366, 60),
    "a page of goals": (goals_by_user, ([VETERAN], GoalPage(None, Page(20))), 4, 12),
    "where goals stand": (standings, (GOALS, NOW), 4 + 4 + 2 + 3 * 8, 80),
    # Of the waist the days at the start and now, of the squat each day since the start too; Postgres sorts 32 rows at a time.
    "where goals of what is measured stand": (standings, (["waist", "squat"], NOW), 2 + 2 + 3 * 33 + 31, 80),
    "the measured days of goals": (measured_days, (["waist", "squat"], FOUR_WEEKS), 2 + 2 * 28, 80),
    "the periods of habits": (periods_by_goal, (GOALS, NOW), 4 + 4 + 2 + 90 + 2 * 12, 120),
    "a page of achievements": (achievements_by_user, ([VETERAN], Page(20)), len(AchievementKind), 40),
    "how many achievements there are": (achievement_counts, ([VETERAN],), len(AchievementKind), 40),
    "kinds of exercise of a week and of two months": (
        kinds_of_exercise,
        ([(VETERAN, WEEK), (VETERAN, TWO_MONTHS)],),
        2 * (7 + 59) + 2,
        60,
    ),
    "what all workouts come to": (training_totals, ([VETERAN],), YEARS_OF_DAYS, 120),
    "how many goals were reached": (goals_reached, ([VETERAN],), 4, 12),
    "a goal": (goals_by_id, (GOALS[:1],), 1, 8),
    "how many goals there are": (goal_counts, ([VETERAN],), 4, 12),
    "how many days there are": (summary_counts, ([VETERAN],), YEARS_OF_DAYS, 260),
    "a clock": (clocks_by_user, ([VETERAN],), 1, 8),
    "the effort of a workout": (workout_efforts, ([f"{VETERAN}-{LAST}"],), 1 + 57, 30),
}


@pytest.fixture(scope="module")
async def analytics(postgres: Postgres) -> AsyncIterator[SubgraphUnderTest]:
    async with analytics_subgraph(postgres, "analytics_at_size") as subgraph:
        for statement in _POPULATION:
            async with subgraph.database.transaction() as transaction:
                await transaction.execute(text(statement))
        yield subgraph


def test_no_read_of_the_api_is_left_out() -> None:
    """`reads_by_owner` and `writes_by_owner` have their bounds in users' test, `changes_by_user` in the shell's test_changes."""
    assert {read.__name__ for read, *_ in READS.values()} == reads_of(AnalyticsLoaders) - {
        "reads_by_owner",
        "writes_by_owner",
        "changes_by_user",
    }


@pytest.mark.parametrize("name", READS)
async def test_a_page_reads_the_rows_that_it_shows(analytics: SubgraphUnderTest, name: str) -> None:
    read, arguments, most_rows, most_buffers = READS[name]
    async with analytics.database.reading() as connection:
        reader = ExplainingReader(connection)
        await read(reader, *arguments)
    for each in reader.explained:
        assert each.whole_tables == set(), each
    assert sum(each.rows_read for each in reader.explained) <= most_rows, reader.explained
    assert sum(each.buffers for each in reader.explained) <= most_buffers, reader.explained


async def test_a_stream_of_days_reads_those_that_changed_since_then(analytics: SubgraphUnderTest) -> None:
    a_week_ago = NOW - timedelta(days=7)
    async with analytics.database.reading() as connection:
        reader = ExplainingReader(connection)
        assert len(await changed_summaries(reader, VETERAN, (a_week_ago, date.min), 100)) == 8
        assert await count_of_changed(reader, VETERAN, a_week_ago, 367) == 8
    for each in reader.explained:
        assert (each.whole_tables, each.rows_read) == (set(), 8), each
        assert each.buffers <= 20, each


async def test_a_weighing_more_reads_no_older_ones(analytics: SubgraphUnderTest) -> None:
    """The trend goes on from its last point, whatever years of weighings are behind it."""
    read = text("SELECT sum(idx_tup_fetch + seq_tup_read) FROM pg_stat_xact_user_tables WHERE relname = 'weight_trend'")
    async with analytics.database.transaction() as transaction:
        before = int(await transaction.scalar(read) or 0)  # what earlier transactions of the connection still count
        await refresh_trend(transaction, {(VETERAN, LAST + timedelta(days=1))})
        assert int(await transaction.scalar(read) or 0) - before <= 2


async def test_a_meal_more_settles_the_runs_next_to_it_only(analytics: SubgraphUnderTest) -> None:
    read = text("SELECT sum(idx_tup_fetch + seq_tup_read) FROM pg_stat_xact_user_tables WHERE relname = 'streak_run'")
    async with analytics.database.transaction() as transaction:
        before = int(await transaction.scalar(read) or 0)
        await refresh_streaks(transaction, {(VETERAN, LAST)})
        assert int(await transaction.scalar(read) or 0) - before <= 12


async def test_a_meal_and_a_workout_more_are_judged_without_reading_the_years_before(
    analytics: SubgraphUnderTest,
) -> None:
    """What was reached before them stays reached, and a run that is not long enough is not looked at."""
    tables = "'streak_run', 'workout_fact', 'goal'"
    read = text(f"SELECT sum(idx_tup_fetch + seq_tup_read) FROM pg_stat_xact_user_tables WHERE relname IN ({tables})")
    async with analytics.database.transaction() as transaction:
        await transaction.execute(
            text("DELETE FROM achievement WHERE user_id = :id AND kind = 'MEALS_365_DAYS'"), {"id": VETERAN}
        )
        before = int(await transaction.scalar(read) or 0)
        changed = {VETERAN: Changed(fed=LAST, trained=LAST)}
        assert await judge_achievements(transaction, changed, NOW) == []
        assert int(await transaction.scalar(read) or 0) - before == 0
        await transaction.rollback()
