"""What analytics answers: days, weeks, goals, streaks and trends; whom it refuses; how many statements it costs."""

from collections.abc import AsyncIterator
from datetime import date, timedelta
from decimal import Decimal
from itertools import count

import pytest
from graphql import GraphQLObjectType, build_schema
from msgspec.structs import replace

from events.contracts.nutrition import MealDeleted
from events.contracts.users import StepsDeleted, UserRegistered, WeightDeleted
from events.contracts.workouts import ExerciseSummary, WorkoutCompleted, WorkoutDeleted
from subgraphs.analytics.schema import schema
from tests.testkit.analytics import analytics_subgraph, drink, meal, of_person, tell, walk, weighing, workout
from tests.testkit.servers import Postgres
from tests.testkit.subgraph import SubgraphUnderTest

_people = count(1)
MONDAY = date(2026, 3, 2)


@pytest.fixture(scope="module")
async def analytics(postgres: Postgres) -> AsyncIterator[SubgraphUnderTest]:
    async with analytics_subgraph(postgres, "analytics_api") as subgraph:
        yield subgraph


@pytest.fixture
def person() -> str:
    return f"person-{next(_people)}"


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


async def test_the_trend_of_weights_knows_of_missed_days(analytics: SubgraphUnderTest, person: str) -> None:
    await tell(analytics, person, weighing(person, MONDAY, "80"), weighing(person, MONDAY + timedelta(days=2), "70"))
    answer = await analytics.data(
        of_person('weightTrend(from: "2026-03-01", to: "2026-12-31") { date weightKg trendKg }'), person, {"id": person}
    )
    assert answer["_entities"][0]["weightTrend"] == [
        {"date": "2026-03-02", "weightKg": 80.0, "trendKg": 80.0},
        {"date": "2026-03-04", "weightKg": 70.0, "trendKg": 78.1},
    ]


async def test_the_trend_is_smoothed_anew_from_a_late_or_corrected_weighing_on(
    analytics: SubgraphUnderTest, person: str
) -> None:
    tuesday, thursday = MONDAY + timedelta(days=1), MONDAY + timedelta(days=3)
    await tell(analytics, person, weighing(person, thursday, "70"), weighing(person, MONDAY, "80"))
    await tell(analytics, person, weighing(person, tuesday, "70"))
    query = of_person('weightTrend(from: "2026-03-01", to: "2026-03-31") { trendKg }')
    points = (await analytics.data(query, person, {"id": person}))["_entities"][0]["weightTrend"]
    assert [point["trendKg"] for point in points] == [80.0, 79.0, 77.29]
    await tell(analytics, person, weighing(person, tuesday, "90"), version=2)
    points = (await analytics.data(query, person, {"id": person}))["_entities"][0]["weightTrend"]
    assert [point["trendKg"] for point in points] == [80.0, 81.0, 78.91]
    await tell(analytics, person, WeightDeleted(entry_id=f"{person}-{MONDAY}-kg", local_date=MONDAY), version=2)
    points = (await analytics.data(query, person, {"id": person}))["_entities"][0]["weightTrend"]
    assert [point["trendKg"] for point in points] == [90.0, 86.2]


async def test_net_calories_leave_only_what_was_burned_above_rest(analytics: SubgraphUnderTest, person: str) -> None:
    await tell(analytics, person, meal(person, MONDAY, 2000), workout(person, MONDAY, 500, 60, net_kcal=430))
    answer = await analytics.data(
        of_person(
            'day(date: "2026-03-02") { caloriesBurned netCaloriesBurned netCalories }'
            ' week(start: "2026-03-02") { caloriesBurned netCalories }'
        ),
        person,
        {"id": person},
    )
    assert answer["_entities"][0] == {
        "day": {"caloriesBurned": 500.0, "netCaloriesBurned": 430.0, "netCalories": 1570.0},
        "week": {"caloriesBurned": 500.0, "netCalories": 1570.0},
    }


async def test_steps_of_a_day_are_of_the_source_that_counted_the_most(
    analytics: SubgraphUnderTest, person: str
) -> None:
    phone, watch = walk(person, MONDAY, 7000), walk(person, MONDAY, 7400, "Watch")
    await tell(analytics, person, phone, watch)
    query = of_person(
        f'day(date: "{MONDAY}") {{ steps caloriesBurned freshness {{ isEmpty }} rollingMeans {{ last7Days {{ steps daysWithEntries }} }} }}'
        f' weekReport(of: "{MONDAY}") {{ daysWithEntries steps {{ total daysCounted }} }} days {{ totalCount }}'
    )
    found = (await analytics.data(query, person, {"id": person}))["_entities"][0]
    assert found == {
        "day": {
            "steps": 7400,
            "caloriesBurned": 0.0,
            "freshness": {"isEmpty": False},
            "rollingMeans": {"last7Days": {"steps": 7400.0, "daysWithEntries": 0}},
        },
        "weekReport": {"daysWithEntries": 0, "steps": {"total": 7400.0, "daysCounted": 1}},
        "days": {"totalCount": 1},
    }
    gone = [StepsDeleted(entry_id=each.entry_id, local_date=MONDAY) for each in (watch, phone)]
    await tell(analytics, person, gone[0], version=2)
    found = (await analytics.data(query, person, {"id": person}))["_entities"][0]
    assert found["day"]["steps"] == 7000
    await tell(analytics, person, gone[1], version=2)
    found = (await analytics.data(query, person, {"id": person}))["_entities"][0]
    assert (found["day"]["steps"], found["day"]["freshness"], found["days"]["totalCount"]) == (
        None,
        {"isEmpty": True},
        0,
    )


async def test_a_day_emptied_is_no_day_with_anything_in_it(analytics: SubgraphUnderTest, person: str) -> None:
    tuesday = MONDAY + timedelta(days=1)
    await tell(analytics, person, meal(person, MONDAY, 500), drink(person, tuesday, 300))
    query = of_person(
        'days { totalCount nodes { id date } } day(date: "2026-03-02") { revision freshness { isEmpty } }'
    )
    found = (await analytics.data(query, person, {"id": person}))["_entities"][0]
    assert found["days"] == {
        "totalCount": 2,
        "nodes": [{"id": f"summary_{person}:{day}", "date": str(day)} for day in (tuesday, MONDAY)],
    }
    await tell(analytics, person, MealDeleted(meal_id=f"{person}-{MONDAY}-1", local_date=MONDAY), version=2)
    found = (await analytics.data(query, person, {"id": person}))["_entities"][0]
    assert (found["days"]["totalCount"], [node["date"] for node in found["days"]["nodes"]]) == (1, [str(tuesday)])
    assert found["day"] == {"revision": 2, "freshness": {"isEmpty": True}}


async def test_the_week_begins_on_the_persons_day(analytics: SubgraphUnderTest, person: str) -> None:
    account = UserRegistered(email="x@example.com", display_name="X", week_start="SUNDAY")
    await tell(analytics, person, account)
    week = (await analytics.data(of_person("week { first last }"), person, {"id": person}))["_entities"][0]["week"]
    assert date.fromisoformat(week["first"]).isoweekday() == 7
    assert date.fromisoformat(week["last"]).isoweekday() == 6


async def test_days_are_paged_both_ways(analytics: SubgraphUnderTest, person: str) -> None:
    days = [MONDAY + timedelta(days=offset) for offset in range(3)]
    await tell(analytics, person, *[meal(person, day, 100) for day in days])
    page = "{ nodes { date } pageInfo { hasNextPage hasPreviousPage startCursor endCursor } }"
    first = await analytics.data(of_person(f"days(first: 2) {page}"), person, {"id": person})
    last = await analytics.data(of_person(f"days(last: 2) {page}"), person, {"id": person})
    newest, oldest = (answer["_entities"][0]["days"] for answer in (first, last))
    assert [node["date"] for node in newest["nodes"]] == [str(days[2]), str(days[1])]
    assert [node["date"] for node in oldest["nodes"]] == [str(days[1]), str(days[0])]
    assert (newest["pageInfo"]["hasNextPage"], oldest["pageInfo"]["hasPreviousPage"]) == (True, True)
    cursor = newest["pageInfo"]["endCursor"]
    rest = await analytics.data(of_person(f'days(first: 2, after: "{cursor}") {page}'), person, {"id": person})
    assert [node["date"] for node in rest["_entities"][0]["days"]["nodes"]] == [str(days[0])]
    other = await analytics.run(of_person(f'goals(after: "{cursor}") {{ nodes {{ id }} }}'), person, {"id": person})
    assert [(error.extensions or {})["code"] for error in other.errors or []] == ["VALIDATION_ERROR"]


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


async def test_each_day_has_the_means_of_the_days_up_to_it_in_as_many_statements_as_one(
    analytics: SubgraphUnderTest, person: str
) -> None:
    days = [MONDAY + timedelta(days=offset) for offset in range(30)]
    await tell(analytics, person, *[meal(person, day, 1000 + 10 * n) for n, day in enumerate(days) if n != 25])
    query = """query ($r: [_Any!]!) { _entities(representations: $r) { ... on DailySummary { rollingMeans {
        last7Days { first last daysWithMeals energyKcal } last28Days { first daysWithMeals energyKcal waterMl } } } } }"""
    for chosen in (days[-1:], days):
        references = [{"__typename": "DailySummary", "userId": person, "date": str(day)} for day in chosen]
        with analytics.counted_statements() as statements:
            answer = await analytics.data(query, person, {"r": references})
        assert answer["_entities"][-1]["rollingMeans"] == {
            "last7Days": {
                "first": str(days[23]),
                "last": str(days[29]),
                "daysWithMeals": 6,
                "energyKcal": round(1000 + 10 * (23 + 24 + 26 + 27 + 28 + 29) / 6, 2),
            },
            "last28Days": {
                "first": str(days[2]),
                "daysWithMeals": 27,
                "energyKcal": round(1000 + 10 * (sum(range(2, 30)) - 25) / 27, 2),
                "waterMl": None,
            },
        }
        assert len(statements) == 3, statements  # the days, the clock, the days of the means
    assert answer["_entities"][0]["rollingMeans"]["last28Days"]["energyKcal"] == 1000


async def test_a_period_has_its_kinds_of_exercise_the_one_trained_most_first(
    analytics: SubgraphUnderTest, person: str
) -> None:
    def done(offset: int, *kinds: str, status: str = "COMPLETED") -> WorkoutCompleted:
        exercises = tuple(
            ExerciseSummary(exercise_id=f"e{n}", name=kind, category=kind, sets=3, reps=9, volume_kg=Decimal(0))
            for n, kind in enumerate(kinds)
        )
        return replace(workout(person, MONDAY + timedelta(days=offset), 200, 30), exercises=exercises, status=status)

    run = done(4, "CARDIO")
    await tell(
        analytics, person, done(-1, "HIIT"), done(0, "CARDIO"), done(1, "STRENGTH", "STRENGTH", "CORE"),
        done(2, "STRENGTH"), done(3, "PLYOMETRICS", status="CANCELLED"), run, done(6, "CORE"), done(7, "HIIT"),
    )  # fmt: skip
    week = of_person(f'week(start: "{MONDAY}") {{ exerciseKinds {{ kind workouts exercises }} }}')
    found = (await analytics.data(week, person, {"id": person}))["_entities"][0]["week"]["exerciseKinds"]
    assert [(each["kind"], each["workouts"], each["exercises"]) for each in found] == [
        ("STRENGTH", 2, 3),
        ("CARDIO", 2, 2),
        ("CORE", 2, 2),
    ]
    gone = WorkoutDeleted(workout_id=run.workout_id, local_date=run.local_date)
    await tell(analytics, person, gone, version=2)
    found = (await analytics.data(week, person, {"id": person}))["_entities"][0]["week"]["exerciseKinds"]
    assert [each["kind"] for each in found] == ["STRENGTH", "CORE", "CARDIO"]


def _stranger(selection: str) -> str:
    return f'{{ _entities(representations: [{{__typename: "User", id: "owner"}}]) {{ ...on User {{ {selection} }} }} }}'


# The operation on OWNER's data, and what a stranger gets: an error code, or null. "own" touches the caller's own only.
OPERATIONS = {
    "Query.me": ("{ me { id } }", "own"),
    "Query.rangeReport": ('{ rangeReport(from: "2026-03-01", to: "2026-03-09") { revision } }', "FORBIDDEN"),
    "Query.dailySummary": ("{ dailySummary { revision } }", "own"),
    "Query.goal": ('{ goal(id: "GOAL") { kind } }', None),
    "Mutation.createGoal": (
        "mutation { createGoal(input: {kind: WEIGHT_KG, targetValue: 80}) { goal { id } } }",
        "own",
    ),
    "Mutation.updateGoal": (
        'mutation { updateGoal(input: {id: "GOAL", targetValue: 1}) { goal { id } } }',
        "NOT_FOUND",
    ),
    "Mutation.setGoalStatus": (
        'mutation { setGoalStatus(input: {id: "GOAL", status: PAUSED}) { goal { id } } }',
        "NOT_FOUND",
    ),
    "Mutation.deleteGoal": ('mutation { deleteGoal(input: {id: "GOAL"}) { deletedId } }', "NOT_FOUND"),
    "Mutation.setStreakProtection": (
        "mutation { setStreakProtection(input: {spans: []}) { streakProtection { version } } }",
        "own",
    ),
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
    "User.weekReport": (_stranger("weekReport { revision }"), "FORBIDDEN"),
    "User.monthReport": (_stranger("monthReport { revision }"), "FORBIDDEN"),
    "User.week": (_stranger("week { mealsLogged }"), "FORBIDDEN"),
    "User.period": (_stranger('period(from: "2026-03-01", to: "2026-03-02") { mealsLogged }'), "FORBIDDEN"),
    "User.goals": (_stranger("goals { nodes { kind } }"), "FORBIDDEN"),
    "User.goalChanges": (_stranger("goalChanges { token }"), "FORBIDDEN"),
    "User.achievements": (_stranger("achievements { nodes { kind } }"), "FORBIDDEN"),
    "User.achievementProgress": (_stranger("achievementProgress { kind }"), "FORBIDDEN"),
    "User.timeline": (_stranger("timeline { nodes { id } }"), "FORBIDDEN"),
    "User.progressReads": (_stranger("progressReads { what }"), "FORBIDDEN"),
    "User.progressWrites": (_stranger("progressWrites { what }"), "FORBIDDEN"),
    "User.streaks": (_stranger("streaks { meals { current } }"), "FORBIDDEN"),
    "User.streakProtection": (_stranger("streakProtection { version }"), "FORBIDDEN"),
    "User.weightTrend": (_stranger("weightTrend { trendKg }"), "FORBIDDEN"),
    "User.energyExpenditure": (_stranger("energyExpenditure { confidence }"), "FORBIDDEN"),
    "User.weeklyCheckIn": (_stranger("weeklyCheckIn { __typename }"), "FORBIDDEN"),
}


def test_the_table_names_every_operation_and_every_entity() -> None:
    sdl = build_schema(schema.as_str(), assume_valid=True)
    roots = [sdl.query_type, sdl.mutation_type]
    named = {f"{root.name}.{field}" for root in roots if root for field in root.fields if not field.startswith("_")}
    user = sdl.type_map["User"]
    assert isinstance(user, GraphQLObjectType)
    external = {"id", "maintenanceKcal"}  # the key, and what is handed in
    named |= {f"User.{field}" for field in user.fields if field not in external}
    assert set(OPERATIONS) == named | {"Goal", "DailySummary", "DiaryDay", "Workout", "Food"}


@pytest.fixture(scope="module")
async def goal_id(analytics: SubgraphUnderTest) -> str:
    await tell(analytics, "owner", meal("owner", MONDAY, 100), workout("owner", MONDAY, 100, 10))
    create = "mutation { createGoal(input: {kind: WORKOUTS_PER_WEEK, targetValue: 5}) { goal { id } } }"
    return str((await analytics.data(create, "owner"))["createGoal"]["goal"]["id"])


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
