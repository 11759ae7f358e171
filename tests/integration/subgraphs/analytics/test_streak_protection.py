"""Days on which streaks rest are set as a whole, by the version that one has seen, and count at once."""

from collections.abc import AsyncIterator
from datetime import UTC, date, datetime, timedelta
from itertools import count
from typing import Any

import pytest
from msgspec.structs import replace
from sqlalchemy import text

from events.contracts.users import UserErased
from tests.testkit.analytics import analytics_subgraph, meal, of_person, tell, workout
from tests.testkit.servers import Postgres
from tests.testkit.subgraph import SubgraphUnderTest, codes_of

_people = count(1)
MONDAY = date(2026, 3, 2)
NOW = datetime(2026, 3, 30, 12, tzinfo=UTC)
STREAKS = of_person("streaks { meals { current longest last } workouts { current longest last } }")
PROGRESS = of_person("achievementProgress { kind value }")
_ROWS = text("SELECT user_id FROM streak_protection WHERE user_id = :id")
SET = """mutation($spans: [StreakRestInput!]!, $version: Int) {
  setStreakProtection(input: {spans: $spans, expectedVersion: $version}) {
    streakProtection { spans { first last reason } version } user { streaks { meals { current } } }
    userErrors { code field } } }"""


@pytest.fixture(scope="module")
async def analytics(postgres: Postgres) -> AsyncIterator[SubgraphUnderTest]:
    async with analytics_subgraph(postgres, "analytics_streak_protection") as subgraph:
        subgraph.resources.now = lambda: NOW
        yield subgraph


@pytest.fixture
def person() -> str:
    return f"person-{next(_people)}"


def day(offset: int) -> date:
    return MONDAY + timedelta(days=offset)


def rest(first: int, last: int, reason: str = "HOLIDAY") -> dict[str, str]:
    return {"first": str(day(first)), "last": str(day(last)), "reason": reason}


async def protect(analytics: SubgraphUnderTest, person: str, *spans: dict[str, str], version: int | None = None) -> Any:
    result = await analytics.run(SET, person, {"spans": list(spans), "version": version})
    return codes_of(result) or (result.data or {})["setStreakProtection"]


async def streaks(analytics: SubgraphUnderTest, person: str) -> dict[str, Any]:
    found: dict[str, Any] = (await analytics.data(STREAKS, person, {"id": person}))["_entities"][0]["streaks"]
    return found


async def test_protected_days_keep_a_streak_at_once_and_a_change_is_undone_by_what_there_was(
    analytics: SubgraphUnderTest, person: str
) -> None:
    await tell(analytics, person, *[meal(person, day(offset), 500) for offset in (*range(15, 21), 26, 27)])
    assert (await streaks(analytics, person))["meals"] == {"current": 2, "longest": 6, "last": str(day(27))}
    made = await protect(analytics, person, rest(24, 25, "ILLNESS"), rest(21, 23), version=0)
    assert made == {
        "streakProtection": {"spans": [rest(21, 23), rest(24, 25, "ILLNESS")], "version": 1},
        "user": {"streaks": {"meals": {"current": 8}}},
        "userErrors": [],
    }
    assert (await streaks(analytics, person))["meals"] == {"current": 8, "longest": 8, "last": str(day(27))}
    progress = (await analytics.data(PROGRESS, person, {"id": person}))["_entities"][0]["achievementProgress"]
    assert {each["kind"]: each["value"] for each in progress}["MEALS_7_DAYS"] == 2  # seven days with a meal are seven
    again = await protect(analytics, person, rest(21, 23), rest(24, 25, "ILLNESS"), version=0)
    assert again["streakProtection"]["version"] == 1  # what it is already changes nothing
    assert await protect(analytics, person, rest(21, 23), version=0) == ["STALE_VERSION"]
    undone = await protect(analytics, person, version=1)
    assert (undone["streakProtection"], undone["user"]) == (
        {"spans": [], "version": 2},
        {"streaks": {"meals": {"current": 2}}},
    )


async def test_a_meal_that_comes_late_counts_and_one_of_a_protected_day_does_too(
    analytics: SubgraphUnderTest, person: str
) -> None:
    await protect(analytics, person, rest(20, 26))
    await tell(analytics, person, meal(person, day(27), 500))
    assert (await streaks(analytics, person))["meals"]["current"] == 1
    await tell(analytics, person, meal(person, day(19), 500), meal(person, day(23), 500))
    assert (await streaks(analytics, person))["meals"] == {"current": 3, "longest": 3, "last": str(day(27))}


async def test_a_week_away_keeps_the_weeks_of_workouts(analytics: SubgraphUnderTest, person: str) -> None:
    trained = [0, 1, 2, 7, 8, 9, 21, 22, 23]
    await tell(
        analytics,
        person,
        *[replace(workout(person, day(offset), 300, 60), workout_id=f"{person}-{offset}") for offset in trained],
    )
    assert (await streaks(analytics, person))["workouts"]["current"] == 1
    await protect(analytics, person, rest(16, 18))
    assert (await streaks(analytics, person))["workouts"]["current"] == 1
    await protect(analytics, person, rest(16, 19))
    assert (await streaks(analytics, person))["workouts"] == {"current": 3, "longest": 3, "last": str(day(21))}


async def test_what_may_not_be_protected_is_refused_with_its_place(analytics: SubgraphUnderTest, person: str) -> None:
    result = await analytics.run(SET, person, {"spans": [rest(0, 0), rest(9, 5)], "version": None})
    assert (result.data or {})["setStreakProtection"]["userErrors"] == [
        {"code": "VALIDATION_ERROR", "field": "spans.1.last"}
    ]
    assert await protect(analytics, person, rest(0, 40), rest(60, 70)) == ["VALIDATION_ERROR"]


async def test_who_is_erased_leaves_no_protected_days(analytics: SubgraphUnderTest, person: str) -> None:
    await protect(analytics, person, rest(0, 1, "ILLNESS"))
    await tell(analytics, person, UserErased())
    async with analytics.database.reading() as connection:
        rows = await connection.execute(_ROWS, {"id": person})
        assert rows.all() == []
