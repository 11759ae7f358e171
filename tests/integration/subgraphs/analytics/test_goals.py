"""Goals over a real database: what they start from, what completes them, what takes that back, and what is refused."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, date, datetime, timedelta
from itertools import count
from typing import Any

import pytest
from sqlalchemy import text

from events.contracts.users import UserRegistered, WeightDeleted
from subgraphs.analytics.projections.weight_trend import refresh_trend
from tests.testkit.analytics import analytics_subgraph, drink, meal, of_person, tell, walk, weighing, workout
from tests.testkit.servers import Postgres
from tests.testkit.subgraph import SubgraphUnderTest

_people = count(1)
MONDAY = date(2026, 3, 2)
CREATE = """
    mutation ($input: CreateGoalInput!) { createGoal(input: $input) {
      userErrors { code field } goal { id status startValue direction currentValue progress version } } }
"""
UPDATE = """
    mutation ($input: UpdateGoalInput!) { updateGoal(input: $input) {
      userErrors { code field } goal { status startValue targetValue targetDate description direction progress } } }
"""
SET_STATUS = """
    mutation ($input: SetGoalStatusInput!) { setGoalStatus(input: $input) {
      userErrors { code } goal { status completedAt reachedOn } } }
"""
GOALS = of_person("goals { totalCount nodes { id status startValue direction currentValue progress reachedOn } }")


class Clock:
    """What time it is for the subgraph."""

    def __init__(self) -> None:
        self.at(MONDAY)

    def at(self, day: date) -> None:
        self.now = datetime(day.year, day.month, day.day, 12, tzinfo=UTC)


@pytest.fixture(scope="module")
def clock() -> Clock:
    return Clock()


@pytest.fixture(scope="module")
async def analytics(postgres: Postgres, clock: Clock) -> AsyncIterator[SubgraphUnderTest]:
    async with analytics_subgraph(postgres, "analytics_goals") as subgraph:
        subgraph.resources.now = lambda: clock.now
        yield subgraph


@pytest.fixture
def person(clock: Clock) -> str:
    clock.at(MONDAY)
    return f"person-{next(_people)}"


def day(offset: int) -> date:
    return MONDAY + timedelta(days=offset)


async def create(analytics: SubgraphUnderTest, person: str, **given: Any) -> dict[str, Any]:
    goal: dict[str, Any] = (await analytics.data(CREATE, person, {"input": given}))["createGoal"]["goal"]
    return goal


async def refused(analytics: SubgraphUnderTest, person: str, operation: str, **given: Any) -> list[tuple[str, str]]:
    result = await analytics.run(operation, person, {"input": given})
    assert result.errors is None
    (payload,) = (result.data or {}).values()
    return [(each["code"], each["field"]) for each in payload["userErrors"]]


async def only_goal(analytics: SubgraphUnderTest, person: str) -> dict[str, Any]:
    (goal,) = (await analytics.data(GOALS, person, {"id": person}))["_entities"][0]["goals"]["nodes"]
    return dict(goal)


async def test_a_weight_goal_set_before_any_weighing_starts_with_the_first(
    analytics: SubgraphUnderTest, person: str
) -> None:
    goal = await create(analytics, person, kind="WEIGHT_KG", targetValue=85)
    assert (goal["status"], goal["startValue"], goal["direction"], goal["progress"]) == ("ACTIVE", None, None, 0.0)
    await tell(analytics, person, weighing(person, day(1), "90"))
    goal = await only_goal(analytics, person)
    assert (goal["status"], goal["startValue"], goal["direction"], goal["progress"]) == ("ACTIVE", 90.0, "AT_MOST", 0.0)
    await tell(analytics, person, weighing(person, day(2), "80"))
    goal = await only_goal(analytics, person)
    assert (goal["currentValue"], goal["progress"]) == (89.0, 0.2)


async def test_losing_and_gaining_complete_on_the_day_that_the_trend_comes_to_the_target(
    analytics: SubgraphUnderTest, person: str
) -> None:
    await tell(analytics, person, weighing(person, day(-1), "90"))
    await create(analytics, person, kind="WEIGHT_KG", targetValue=89)
    await tell(analytics, person, weighing(person, day(5), "80"), weighing(person, day(6), "95"))
    goal = await only_goal(analytics, person)
    assert (goal["status"], goal["progress"], goal["reachedOn"]) == ("COMPLETED", 1.0, str(day(5)))
    gaining = f"{person}-gains"
    await tell(analytics, gaining, weighing(gaining, day(-1), "60"))
    goal = await create(analytics, gaining, kind="WEIGHT_KG", targetValue=65)
    assert goal["direction"] == "AT_LEAST"
    await tell(analytics, gaining, weighing(gaining, day(200), "65.1"))
    assert (await only_goal(analytics, gaining))["status"] == "COMPLETED"


async def test_a_goal_is_overdue_from_the_day_after_its_target_date_while_it_is_active(
    analytics: SubgraphUnderTest, person: str, clock: Clock
) -> None:
    goal = await create(analytics, person, kind="WEIGHT_KG", targetValue=85, targetDate=str(day(7)))
    await create(analytics, person, kind="DAILY_WATER_ML", targetValue=2000)
    query = of_person("goals { nodes { kind isOverdue } }")

    async def overdue() -> dict[str, bool]:
        nodes = (await analytics.data(query, person, {"id": person}))["_entities"][0]["goals"]["nodes"]
        return {each["kind"]: each["isOverdue"] for each in nodes}

    clock.at(day(7))
    assert await overdue() == {"WEIGHT_KG": False, "DAILY_WATER_ML": False}
    clock.at(day(8))
    assert await overdue() == {"WEIGHT_KG": True, "DAILY_WATER_ML": False}
    assert await refused(analytics, person, SET_STATUS, id=goal["id"], status="ABANDONED") == []
    assert await overdue() == {"WEIGHT_KG": False, "DAILY_WATER_ML": False}


async def test_what_was_before_the_goal_does_not_complete_it(analytics: SubgraphUnderTest, person: str) -> None:
    await tell(analytics, person, weighing(person, day(-30), "80"), weighing(person, day(-1), "120"))
    await create(analytics, person, kind="WEIGHT_KG", targetValue=85, startValue=120, startDate=str(day(1)))
    assert (await only_goal(analytics, person))["status"] == "ACTIVE"


async def test_a_corrected_weighing_takes_a_completion_back_and_a_later_one_does_not(
    analytics: SubgraphUnderTest, person: str
) -> None:
    await tell(analytics, person, weighing(person, day(0), "90"))
    await create(analytics, person, kind="WEIGHT_KG", targetValue=89)
    await tell(analytics, person, weighing(person, day(3), "20"))  # a slip of the finger
    assert (await only_goal(analytics, person))["status"] == "COMPLETED"
    await tell(analytics, person, weighing(person, day(4), "150"))
    assert (await only_goal(analytics, person))["status"] == "COMPLETED"
    await tell(analytics, person, weighing(person, day(3), "90"), version=2)
    goal = await only_goal(analytics, person)
    assert (goal["status"], goal["reachedOn"]) == ("ACTIVE", None)
    await tell(analytics, person, weighing(person, day(3), "20"), version=3)
    await tell(analytics, person, WeightDeleted(entry_id=f"{person}-{day(3)}-kg", local_date=day(3)), version=4)
    assert (await only_goal(analytics, person))["status"] == "ACTIVE"


@pytest.mark.parametrize("order", [(0, 1, 2), (2, 1, 0), (1, 2, 0)])
async def test_a_goal_ends_the_same_in_whatever_order_the_weights_come(
    analytics: SubgraphUnderTest, person: str, order: tuple[int, ...]
) -> None:
    await create(analytics, person, kind="WEIGHT_KG", targetValue=89)
    told = [weighing(person, day(0), "90"), weighing(person, day(4), "80"), weighing(person, day(6), "99")]
    for place in order:
        await tell(analytics, person, told[place])
    goal = await only_goal(analytics, person)
    assert (goal["status"], goal["startValue"], goal["reachedOn"]) == ("COMPLETED", 90.0, str(day(4)))


async def test_a_completed_goal_is_reopened_and_reached_again_from_the_next_day_on(
    analytics: SubgraphUnderTest, person: str, clock: Clock
) -> None:
    await tell(analytics, person, weighing(person, day(-1), "90"))
    goal = await create(analytics, person, kind="WEIGHT_KG", targetValue=89)
    clock.at(day(9))
    await tell(analytics, person, weighing(person, day(9), "60"))
    reopened = await analytics.data(SET_STATUS, person, {"input": {"id": goal["id"], "status": "ACTIVE"}})
    assert reopened["setGoalStatus"]["goal"] == {"status": "ACTIVE", "completedAt": None, "reachedOn": None}
    await tell(analytics, person, weighing(person, day(9), "61"), version=2)
    assert (await only_goal(analytics, person))["status"] == "ACTIVE"
    await tell(analytics, person, weighing(person, day(10), "60"))
    assert (await only_goal(analytics, person))["reachedOn"] == str(day(10))


async def test_what_a_person_says_of_a_goal_stays(analytics: SubgraphUnderTest, person: str) -> None:
    await tell(analytics, person, weighing(person, day(-1), "90"))
    goal = await create(analytics, person, kind="WEIGHT_KG", targetValue=80)
    done = await analytics.data(SET_STATUS, person, {"input": {"id": goal["id"], "status": "COMPLETED"}})
    assert done["setGoalStatus"]["goal"]["reachedOn"] is None
    await tell(analytics, person, weighing(person, day(1), "95"))
    assert (await only_goal(analytics, person))["status"] == "COMPLETED"
    await analytics.data(SET_STATUS, person, {"input": {"id": goal["id"], "status": "PAUSED"}})
    await tell(analytics, person, weighing(person, day(300), "50"))
    assert (await only_goal(analytics, person))["status"] == "PAUSED"
    resumed = await analytics.data(SET_STATUS, person, {"input": {"id": goal["id"], "status": "ACTIVE"}})
    assert resumed["setGoalStatus"]["goal"]["status"] == "COMPLETED"


async def test_workouts_per_week_have_a_value_and_recur(
    analytics: SubgraphUnderTest, person: str, clock: Clock
) -> None:
    await create(analytics, person, kind="WORKOUTS_PER_WEEK", targetValue=2)
    await tell(analytics, person, workout(person, day(0), 300, 30), workout(person, day(1), 300, 30))
    clock.at(day(2))
    goal = await only_goal(analytics, person)
    assert (goal["status"], goal["currentValue"], goal["progress"]) == ("ACTIVE", 2.0, 1.0)
    clock.at(day(7))
    goal = await only_goal(analytics, person)
    assert (goal["status"], goal["currentValue"], goal["progress"]) == ("ACTIVE", 0.0, 0.0)
    query = of_person("goals { nodes { periods { first last value isKept } } }")
    (found,) = (await analytics.data(query, person, {"id": person}))["_entities"][0]["goals"]["nodes"]
    assert found["periods"] == [
        {"first": str(day(7)), "last": str(day(13)), "value": 0.0, "isKept": None},
        {"first": str(day(0)), "last": str(day(6)), "value": 2.0, "isKept": True},
    ]


async def test_a_day_that_is_not_over_does_not_count_for_a_daily_habit(
    analytics: SubgraphUnderTest, person: str, clock: Clock
) -> None:
    await create(analytics, person, kind="DAILY_CALORIES", targetValue=2000)
    await create(analytics, person, kind="DAILY_WATER_ML", targetValue=2000)
    await tell(analytics, person, meal(person, day(-1), 9000), meal(person, day(0), 300), drink(person, day(0), 250))
    query = of_person("goals { nodes { kind status currentValue progress } }")
    found = (await analytics.data(query, person, {"id": person}))["_entities"][0]["goals"]["nodes"]
    assert [(goal["currentValue"], goal["progress"]) for goal in found] == [(None, 0.0), (None, 0.0)]
    clock.at(day(1))
    found = (await analytics.data(query, person, {"id": person}))["_entities"][0]["goals"]["nodes"]
    assert [(goal["currentValue"], goal["progress"]) for goal in found] == [(300.0, 1.0), (250.0, 0.125)]
    assert {goal["status"] for goal in found} == {"ACTIVE"}
    clock.at(day(30))
    found = (await analytics.data(query, person, {"id": person}))["_entities"][0]["goals"]["nodes"]
    assert [goal["currentValue"] for goal in found] == [None, None]


async def test_steps_of_a_day_are_a_habit_that_each_counted_day_keeps_or_not(
    analytics: SubgraphUnderTest, person: str, clock: Clock
) -> None:
    goal = await create(analytics, person, kind="DAILY_STEPS", targetValue=8000)
    assert goal["direction"] == "AT_LEAST"
    days = [walk(person, day(0), 9000), walk(person, day(1), 6000), walk(person, day(1), 6500, "Watch")]
    await tell(analytics, person, *days, walk(person, day(3), 8000))
    clock.at(day(3))
    query = of_person("goals { nodes { currentValue progress periods { first value isKept } } }")
    (found,) = (await analytics.data(query, person, {"id": person}))["_entities"][0]["goals"]["nodes"]
    assert (found["currentValue"], found["progress"]) == (
        7750.0,
        0.9688,
    )  # of the two days that are over and were counted
    assert [(each["value"], each["isKept"]) for each in found["periods"]] == [
        (8000.0, True),  # today: enough stays enough
        (None, None),
        (6500.0, False),
        (9000.0, True),
    ]


async def test_the_week_of_a_habit_is_the_persons_own(analytics: SubgraphUnderTest, person: str, clock: Clock) -> None:
    account = UserRegistered(email="x@example.com", display_name="X", week_start="SUNDAY", time_zone="Pacific/Auckland")
    await tell(analytics, person, account, workout(person, day(-1), 300, 30), workout(person, day(0), 300, 30))
    await create(analytics, person, kind="WORKOUTS_PER_WEEK", targetValue=3, startDate=str(day(-20)))
    assert (await only_goal(analytics, person))["currentValue"] == 2.0


async def test_a_workout_of_tomorrow_counts_in_the_running_week_after_a_flight_to_the_west(
    analytics: SubgraphUnderTest, person: str
) -> None:
    await tell(analytics, person, workout(person, day(-1), 300, 30), workout(person, day(1), 300, 30))
    await create(analytics, person, kind="WORKOUTS_PER_WEEK", targetValue=3, startDate=str(day(-20)))
    query = of_person("goals { nodes { currentValue periods { first value } } }")
    (found,) = (await analytics.data(query, person, {"id": person}))["_entities"][0]["goals"]["nodes"]
    assert (found["currentValue"], found["periods"][0]) == (1.0, {"first": str(day(0)), "value": 1.0})


@pytest.mark.parametrize(
    ("given", "field"),
    [
        ({"kind": "WEIGHT_KG", "targetValue": 1}, "targetValue"),
        ({"kind": "WORKOUTS_PER_WEEK", "targetValue": 1e14}, "targetValue"),
        ({"kind": "DAILY_WATER_ML", "targetValue": -0.0}, "targetValue"),
        ({"kind": "WEIGHT_KG", "targetValue": 80, "startValue": 0}, "startValue"),
        ({"kind": "DAILY_CALORIES", "targetValue": 2000, "startValue": 3000}, "startValue"),
        ({"kind": "WEIGHT_KG", "targetValue": 80, "targetDate": "2026-03-01"}, "targetDate"),
        ({"kind": "WEIGHT_KG", "targetValue": 80, "startDate": "2199-01-01"}, "startDate"),
        ({"kind": "WEIGHT_KG", "targetValue": 80, "description": "x" * 501}, "description"),
    ],
)
async def test_what_cannot_be_a_goal_is_refused_with_its_field(
    analytics: SubgraphUnderTest, person: str, given: dict[str, Any], field: str
) -> None:
    errors = await refused(analytics, person, CREATE, **given)
    assert {place for _, place in errors} == {field}


async def test_a_change_keeps_what_is_absent_and_null_clears(analytics: SubgraphUnderTest, person: str) -> None:
    goal = await create(
        analytics, person, kind="WEIGHT_KG", targetValue=80, startValue=90, targetDate="2026-06-01", description="slim"
    )
    changed = (await analytics.data(UPDATE, person, {"input": {"id": goal["id"], "targetValue": 82.5}}))["updateGoal"]
    assert changed["goal"] | {"status": "ACTIVE"} == {
        "status": "ACTIVE",
        "startValue": 90.0,
        "targetValue": 82.5,
        "targetDate": "2026-06-01",
        "description": "slim",
        "direction": "AT_MOST",
        "progress": 0.0,
    }
    given = {"id": goal["id"], "startValue": None, "targetDate": None, "description": None}
    cleared = (await analytics.data(UPDATE, person, {"input": given}))["updateGoal"]["goal"]
    assert (cleared["startValue"], cleared["targetDate"], cleared["description"]) == (None, None, None)
    assert await refused(analytics, person, UPDATE, id=goal["id"], targetValue=None) == [
        ("VALIDATION_ERROR", "targetValue")
    ]
    stale = await refused(analytics, person, UPDATE, id=goal["id"], targetValue=81, expectedVersion=1)
    assert stale == [("STALE_VERSION", "expectedVersion")]


async def test_a_goal_is_set_once_for_a_key_and_a_person_has_so_many(analytics: SubgraphUnderTest, person: str) -> None:
    given = {"kind": "WEIGHT_KG", "targetValue": 80, "idempotencyKey": "k"}
    first = await create(analytics, person, **given)
    assert (await create(analytics, person, **given))["id"] == first["id"]
    other = await refused(analytics, person, CREATE, **(given | {"targetValue": 81}))
    assert other == [("CONFLICT", "idempotencyKey")]
    for _ in range(99):
        await create(analytics, person, kind="DAILY_WATER_ML", targetValue=2000)
    assert await refused(analytics, person, CREATE, kind="DAILY_WATER_ML", targetValue=2000) == [("CONFLICT", None)]
    page = (await analytics.data(GOALS, person, {"id": person}))["_entities"][0]["goals"]
    assert (page["totalCount"], len(page["nodes"])) == (100, 20)


async def test_a_hundred_goals_cost_as_many_statements_as_one(analytics: SubgraphUnderTest, person: str) -> None:
    query = of_person("goals(first: 100) { nodes { currentValue progress startValue periods { value } } }")
    counted = []
    for goals in (1, 20):
        for _ in range(goals):
            await create(analytics, person, kind="DAILY_WATER_ML", targetValue=2000)
        await create(analytics, person, kind="WEIGHT_KG", targetValue=80)
        with analytics.counted_statements() as statements:
            await analytics.data(query, person, {"id": person})
        counted.append(len(statements))
    assert counted[0] == counted[1], counted


async def test_what_is_stored_can_always_be_answered(analytics: SubgraphUnderTest, person: str) -> None:
    """The database itself refuses a number that no answer can show."""
    goal = await create(analytics, person, kind="WEIGHT_KG", targetValue=80)
    with pytest.raises(Exception, match="numeric field overflow"):
        async with analytics.database.transaction() as transaction:
            await transaction.execute(text("UPDATE goal SET target_value = 1e30 WHERE id = :id"), {"id": goal["id"]})


async def test_refreshing_the_trend_twice_changes_nothing(analytics: SubgraphUnderTest, person: str) -> None:
    await tell(analytics, person, *[weighing(person, day(offset), str(80 + offset % 3)) for offset in range(30)])
    points = text("SELECT local_date, trend_kg FROM weight_trend WHERE user_id = :id ORDER BY local_date")
    async with analytics.database.transaction() as transaction:
        before = (await transaction.execute(points, {"id": person})).all()
        await refresh_trend(transaction, {(person, day(7)), (person, day(20))})
        assert (await transaction.execute(points, {"id": person})).all() == before


async def test_a_weight_that_comes_while_a_goal_is_set_or_taken_up_counts_for_it(
    analytics: SubgraphUnderTest, person: str
) -> None:
    """Neither transaction sees what the other has not committed: one of them has to wait."""
    goal = {"kind": "WEIGHT_KG", "targetValue": 70, "startValue": 80, "startDate": MONDAY.isoformat()}
    paused = (await analytics.data(CREATE, person, {"input": goal}))["createGoal"]["goal"]["id"]
    await analytics.data(SET_STATUS, person, {"input": {"id": paused, "status": "PAUSED"}})
    writing: list[asyncio.Task[Any]] = []

    async def write() -> None:
        resumed = {"id": paused, "status": "ACTIVE"}
        writing.append(asyncio.create_task(analytics.data(SET_STATUS, person, {"input": resumed})))
        writing.append(asyncio.create_task(analytics.data(CREATE, person, {"input": goal})))
        await asyncio.sleep(0.3)  # they are under way, and done by now if they did not wait

    await tell(analytics, person, weighing(person, MONDAY, "69"), meanwhile=write)
    await asyncio.gather(*writing)
    goals = (await analytics.data(GOALS, person, {"id": person}))["_entities"][0]["goals"]["nodes"]
    assert [each["status"] for each in goals] == ["COMPLETED", "COMPLETED"]
