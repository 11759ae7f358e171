"""What analytics answers: days, weeks, goals, streaks and trends; whom it refuses; how many statements it costs."""

from collections.abc import AsyncIterator
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from itertools import count

import pytest
from graphql import GraphQLObjectType, build_schema

from events.contracts.nutrition import MealItem, MealLogged, Nutrients
from events.contracts.users import WeightLogged
from events.contracts.workouts import WorkoutCompleted
from events.envelope import Aggregate, Envelope, Payload, encode_payload
from subgraphs.analytics.loaders import AnalyticsLoaders
from subgraphs.analytics.projections.summary import summary_projector
from subgraphs.analytics.schema import schema
from tests.testkit.servers import Postgres
from tests.testkit.subgraph import SubgraphUnderTest, subgraph_under_test

_people = count(1)
MONDAY = date(2026, 3, 2)
NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)


@pytest.fixture(scope="module")
async def analytics(postgres: Postgres) -> AsyncIterator[SubgraphUnderTest]:
    url = postgres.create_database("analytics_api")
    async with subgraph_under_test("analytics", url, schema, AnalyticsLoaders) as subgraph:
        yield subgraph


@pytest.fixture
def person() -> str:
    return f"person-{next(_people)}"


async def tell(analytics: SubgraphUnderTest, person: str, *payloads: Payload) -> None:
    """Hand each event to the projector as version 1 of an aggregate of its own."""
    envelopes = [
        Envelope(
            event_id=f"{person}-{number}",
            type=type(payload).__name__,
            schema_version=1,
            aggregate=Aggregate(payload.aggregate_type, _id_of(payload), 1),
            user_id=person,
            occurred_at=NOON,
            recorded_at=NOON,
            payload=encode_payload(payload),
        )
        for number, payload in enumerate(payloads)
    ]
    async with analytics.database.transaction() as connection:
        await summary_projector(None)(connection, envelopes)


def _id_of(payload: Payload) -> str:
    return next(str(getattr(payload, name)) for name in ("meal_id", "workout_id", "entry_id") if hasattr(payload, name))


def meal(person: str, day: date, kcal: int, number: int = 1) -> MealLogged:
    totals = Nutrients(energy_kcal=Decimal(kcal), protein_g=Decimal(20), carbs_g=Decimal(30), fat_g=Decimal(10))
    items = (MealItem(food_id="apple", grams=Decimal(100), nutrients=totals),)
    return MealLogged(
        meal_id=f"{person}-{day}-{number}", slot="LUNCH", at=NOON, local_date=day, items=items, totals=totals
    )


def workout(person: str, day: date, kcal: int, minutes: int) -> WorkoutCompleted:
    return WorkoutCompleted(
        workout_id=f"{person}-{day}-w",
        name="Run",
        status="COMPLETED",
        local_date=day,
        started_at=NOON,
        duration_minutes=Decimal(minutes),
        calories_kcal=Decimal(kcal),
    )


def weighing(person: str, day: date, weight_kg: str) -> WeightLogged:
    return WeightLogged(entry_id=f"{person}-{day}-kg", weight_kg=Decimal(weight_kg), recorded_at=NOON, local_date=day)


def of_person(selection: str) -> str:
    return (
        'query ($id: ID!) { _entities(representations: [{__typename: "User", id: $id}]) { ... on User { '
        + selection
        + " } } }"
    )


async def test_johns_week_has_the_sums_of_the_sample(analytics: SubgraphUnderTest, person: str) -> None:
    week = [MONDAY + timedelta(days=offset) for offset in range(7)]
    meals = [meal(person, day, kcal, number) for day in week for number, kcal in enumerate((400, 500, 574, 200))]
    sessions = zip(week, [(450, 75), (480, 45), (550, 80), (420, 45), (180, 60)], strict=False)
    workouts = [workout(person, day, kcal, minutes) for day, (kcal, minutes) in sessions]
    await tell(analytics, person, *meals, *workouts)
    answer = await analytics.data(
        of_person(
            'week(start: "2026-03-02") { caloriesConsumed caloriesBurned netCalories mealsLogged workoutsCompleted'
            " workoutMinutes daysLogged meanDailyCalories days { date } }"
            ' day(date: "2026-03-02") { caloriesConsumed netCalories revision freshness { isEmpty } }'
        ),
        person,
        {"id": person},
    )
    week_answer = answer["_entities"][0]["week"]
    assert [day["date"] for day in week_answer.pop("days")] == [str(day) for day in week]
    assert week_answer == {
        "caloriesConsumed": 11718.0,
        "caloriesBurned": 2080.0,
        "netCalories": 9638.0,
        "mealsLogged": 28,
        "workoutsCompleted": 5,
        "workoutMinutes": 305.0,
        "daysLogged": 7,
        "meanDailyCalories": 1674.0,
    }
    assert answer["_entities"][0]["day"] == {
        "caloriesConsumed": 1674.0,
        "netCalories": 1224.0,
        "revision": 1,
        "freshness": {"isEmpty": False},
    }


async def test_a_day_nobody_logged_is_empty_and_not_an_error(analytics: SubgraphUnderTest, person: str) -> None:
    answer = await analytics.data('{ dailySummary(date: "2020-01-01") { revision mealsLogged weightKg } }', person)
    assert answer["dailySummary"] == {"revision": 0, "mealsLogged": 0, "weightKg": None}


async def test_losing_weight_makes_progress_and_reaching_the_target_completes(
    analytics: SubgraphUnderTest, person: str
) -> None:
    await tell(analytics, person, weighing(person, MONDAY, "90"))
    create = (
        "mutation { createGoal(input: {kind: WEIGHT_KG, targetValue: 85}) { id startValue progress currentValue } }"
    )
    goal = (await analytics.data(create, person))["createGoal"]
    assert (goal["startValue"], goal["progress"], goal["currentValue"]) == (90.0, 0.0, 90.0)
    await tell(analytics, person, weighing(person, MONDAY + timedelta(days=1), "80"))
    query = of_person("goals { status progress currentValue }")
    found = (await analytics.data(query, person, {"id": person}))["_entities"][0]["goals"]
    assert found == [{"status": "ACTIVE", "progress": 0.2, "currentValue": 89.0}]
    await tell(analytics, person, weighing(person, MONDAY + timedelta(days=400), "84"))
    found = (await analytics.data(query, person, {"id": person}))["_entities"][0]["goals"]
    assert (found[0]["status"], found[0]["progress"]) == ("COMPLETED", 1.0)
    reopen = "mutation ($id: ID!) { setGoalStatus(id: $id, status: ACTIVE) { id } }"
    assert await analytics.codes(reopen, person, {"id": goal["id"]}) == ["CONFLICT"]


async def test_the_trend_of_weights_knows_of_missed_days(analytics: SubgraphUnderTest, person: str) -> None:
    await tell(analytics, person, weighing(person, MONDAY, "80"), weighing(person, MONDAY + timedelta(days=2), "70"))
    answer = await analytics.data(of_person("weightTrend { date weightKg trendKg }"), person, {"id": person})
    assert answer["_entities"][0]["weightTrend"] == [
        {"date": "2026-03-02", "weightKg": 80.0, "trendKg": 80.0},
        {"date": "2026-03-04", "weightKg": 70.0, "trendKg": 78.1},
    ]


async def test_others_entities_learn_from_the_facts(analytics: SubgraphUnderTest, person: str) -> None:
    first, second = MONDAY, MONDAY + timedelta(days=1)
    await tell(
        analytics, person, meal(person, first, 100), meal(person, second, 100),
        workout(person, first, 200, 30), workout(person, second, 300, 30),
    )  # fmt: skip
    query = """query ($w: ID!) { _entities(representations: [
        {__typename: "Food", id: "apple"}, {__typename: "Food", id: "pear"}, {__typename: "Workout", id: $w}])
        { ... on Food { timesLogged } ... on Workout { relativeEffort } } }"""
    answer = await analytics.data(query, person, {"w": f"{person}-{second}-w"})
    assert answer["_entities"] == [{"timesLogged": 2}, {"timesLogged": 0}, {"relativeEffort": 1.5}]


async def test_thirty_days_cost_as_many_statements_as_one(analytics: SubgraphUnderTest, person: str) -> None:
    days = [MONDAY + timedelta(days=offset) for offset in range(30)]
    await tell(analytics, person, *[meal(person, day, 100) for day in days])
    query = """query ($r: [_Any!]!) { _entities(representations: $r) {
        ... on DailySummary { caloriesConsumed } ... on DiaryDay { summary { mealsLogged } } } }"""
    for chosen in (days[:1], days):
        references = [
            {"__typename": name, "userId": person, "date": str(day)}
            for name in ("DailySummary", "DiaryDay")
            for day in chosen
        ]
        with analytics.counted_statements() as statements:
            answer = await analytics.data(query, person, {"r": references})
        assert len(answer["_entities"]) == 2 * len(chosen)
        assert len(statements) == 1, statements


def _stranger(selection: str) -> str:
    return f'{{ _entities(representations: [{{__typename: "User", id: "owner"}}]) {{ ...on User {{ {selection} }} }} }}'


# The operation on OWNER's data, and what a stranger gets: an error code, or null. "own" touches the caller's own only.
OPERATIONS = {
    "Query.dailySummary": ("{ dailySummary { revision } }", "own"),
    "Query.goal": ('{ goal(id: "GOAL") { kind } }', None),
    "Mutation.createGoal": ("mutation { createGoal(input: {kind: WEIGHT_KG, targetValue: 1}) { id } }", "own"),
    "Mutation.updateGoal": ('mutation { updateGoal(input: {id: "GOAL", targetValue: 1}) { id } }', "NOT_FOUND"),
    "Mutation.setGoalStatus": ('mutation { setGoalStatus(id: "GOAL", status: PAUSED) { id } }', "NOT_FOUND"),
    "Mutation.deleteGoal": ('mutation { deleteGoal(id: "GOAL") }', "NOT_FOUND"),
    "Goal": ('{ _entities(representations: [{__typename: "Goal", id: "GOAL"}]) { ...on Goal { kind } } }', None),
    "DailySummary": (
        (
            '{ _entities(representations: [{__typename: "DailySummary", userId: "owner", date: "2026-03-02"}])'
            " { ...on DailySummary { revision } } }"
        ),
        "FORBIDDEN",
    ),
    "DiaryDay": (
        (
            '{ _entities(representations: [{__typename: "DiaryDay", userId: "owner", date: "2026-03-02"}])'
            " { ...on DiaryDay { summary { revision } } } }"
        ),
        "FORBIDDEN",
    ),
    "Workout": (
        (
            '{ _entities(representations: [{__typename: "Workout", id: "owner-2026-03-02-w"}])'
            " { ...on Workout { relativeEffort } } }"
        ),
        None,
    ),
    "Food": (
        '{ _entities(representations: [{__typename: "Food", id: "apple"}]) { ...on Food { timesLogged } } }',
        "own",
    ),
    "User.day": (_stranger("day { revision }"), "FORBIDDEN"),
    "User.days": (_stranger("days { edges { cursor } }"), "FORBIDDEN"),
    "User.week": (_stranger("week { mealsLogged }"), "FORBIDDEN"),
    "User.period": (_stranger('period(from: "2026-03-01", to: "2026-03-02") { mealsLogged }'), "FORBIDDEN"),
    "User.goals": (_stranger("goals { kind }"), "FORBIDDEN"),
    "User.streaks": (_stranger("streaks { meals { current } }"), "FORBIDDEN"),
    "User.weightTrend": (_stranger("weightTrend { trendKg }"), "FORBIDDEN"),
}


def test_the_table_names_every_operation_and_every_entity() -> None:
    sdl = build_schema(schema.as_str(), assume_valid=True)
    roots = [sdl.query_type, sdl.mutation_type]
    named = {f"{root.name}.{field}" for root in roots if root for field in root.fields if not field.startswith("_")}
    user = sdl.type_map["User"]
    assert isinstance(user, GraphQLObjectType)
    named |= {f"User.{field}" for field in user.fields if field != "id"}
    assert set(OPERATIONS) == named | {"Goal", "DailySummary", "DiaryDay", "Workout", "Food"}


@pytest.fixture(scope="module")
async def goal_id(analytics: SubgraphUnderTest) -> str:
    await tell(analytics, "owner", meal("owner", MONDAY, 100), workout("owner", MONDAY, 100, 10))
    create = "mutation { createGoal(input: {kind: WORKOUTS_PER_WEEK, targetValue: 5}) { id } }"
    return str((await analytics.data(create, "owner"))["createGoal"]["id"])


@pytest.mark.parametrize("name", OPERATIONS)
async def test_a_caller_without_a_token_is_refused(analytics: SubgraphUnderTest, goal_id: str, name: str) -> None:
    operation, _ = OPERATIONS[name]
    assert await analytics.codes(operation.replace("GOAL", goal_id), None) == ["UNAUTHENTICATED"]


@pytest.mark.parametrize("name", [name for name, (_, outcome) in OPERATIONS.items() if outcome != "own"])
async def test_a_stranger_gets_nothing(analytics: SubgraphUnderTest, goal_id: str, name: str) -> None:
    operation, outcome = OPERATIONS[name]
    result = await analytics.run(operation.replace("GOAL", goal_id), "stranger")
    codes = [(error.extensions or {})["code"] for error in result.errors or []]
    assert codes == ([] if outcome is None else [outcome])
    if outcome is None:
        assert list((result.data or {}).values()) in ([None], [[None]], [[{"relativeEffort": None}]])


async def test_the_facts_behind_a_food_are_the_viewers_own(analytics: SubgraphUnderTest, goal_id: str) -> None:
    operation, _ = OPERATIONS["Food"]
    assert (await analytics.data(operation, "stranger"))["_entities"] == [{"timesLogged": 0}]
    assert (await analytics.data(operation, "owner"))["_entities"] == [{"timesLogged": 1}]
