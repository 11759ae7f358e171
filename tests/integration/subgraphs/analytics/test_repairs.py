"""What an older release stored and nobody could answer is mended by the migration."""

from collections.abc import AsyncIterator

import pytest
from sqlalchemy import text

from subgraphs.analytics.loaders import AnalyticsLoaders
from subgraphs.analytics.schema import schema
from subgraphs.shell.database import Database
from tests.testkit.analytics import of_person
from tests.testkit.revisions import migrate_to
from tests.testkit.servers import Postgres
from tests.testkit.subgraph import SubgraphUnderTest, subgraph_under_test

_OLD_ROWS = (
    """
    INSERT INTO goal (id, user_id, kind, start_value, target_value, start_date, status, completed_at, created_at) VALUES
        ('huge', 'ann', 'WEIGHT_KG', 90, 1e30, '2026-03-02', 'ACTIVE', NULL, '2026-03-02T00:00:01Z'),
        ('from nothing', 'ann', 'WEIGHT_KG', 0, 85, '2026-03-02', 'COMPLETED', now(), '2026-03-02T00:00:02Z'),
        ('reached', 'ann', 'WEIGHT_KG', 95, 92, '2026-03-02', 'COMPLETED', now(), '2026-03-02T00:00:03Z'),
        ('habit', 'ann', 'WORKOUTS_PER_WEEK', 0, 3, '2026-03-02', 'COMPLETED', now(), '2026-03-02T00:00:04Z')
    """,
    """
    INSERT INTO weight_fact VALUES ('1', 'ann', '2026-03-02', '2026-03-02T07:00:00Z', 80),
        ('2', 'ann', '2026-03-04', '2026-03-04T07:00:00Z', 70), ('3', 'ann', '2026-03-04', '2026-03-04T08:00:00Z', 71)
    """,
    """
    INSERT INTO daily_summary VALUES
        ('ann', '2026-03-02', 500, 300, 1, 1, 1, 1, 1, 30, 30, 0, 80, 1, '2026-03-02T07:00:00Z')
    """,
)


@pytest.fixture(scope="module")
async def analytics(postgres: Postgres) -> AsyncIterator[SubgraphUnderTest]:
    url = postgres.create_database("analytics_of_old")
    database = Database(url)
    await migrate_to(database, "analytics", "analytics_0001")
    async with database.transaction() as transaction:
        for statement in _OLD_ROWS:
            await transaction.execute(text(statement))
    await database.close()
    async with subgraph_under_test("analytics", url, schema, AnalyticsLoaders) as subgraph:
        yield subgraph


async def test_every_stored_goal_is_answered_and_none_is_complete_by_mistake(analytics: SubgraphUnderTest) -> None:
    query = of_person("goals { nodes { id status startValue targetValue progress completedAt } }")
    goals = (await analytics.data(query, "ann", {"id": "ann"}))["_entities"][0]["goals"]["nodes"]
    found = {goal["id"]: (goal["status"], goal["startValue"], goal["targetValue"]) for goal in goals}
    assert found == {
        "huge": ("ABANDONED", 90.0, 500.0),
        "from nothing": ("ACTIVE", 80.0, 85.0),
        "reached": ("COMPLETED", 95.0, 92.0),
        "habit": ("ACTIVE", None, 3.0),
    }


async def test_the_trend_and_the_net_of_old_days_are_there(analytics: SubgraphUnderTest) -> None:
    query = of_person(
        'weightTrend(from: "2026-03-01", to: "2026-03-31") { date trendKg } day(date: "2026-03-02") { netCalories }'
    )
    found = (await analytics.data(query, "ann", {"id": "ann"}))["_entities"][0]
    assert [(point["date"], point["trendKg"]) for point in found["weightTrend"]] == [
        ("2026-03-02", 80.0),
        ("2026-03-04", 78.1),
    ]
    assert found["day"]["netCalories"] == 200.0
