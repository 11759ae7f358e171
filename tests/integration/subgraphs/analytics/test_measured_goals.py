"""Goals of strength, of a tape's measure and of muscle: where they start and stand, when they are reached, and what takes that back."""

from collections.abc import AsyncIterator
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from itertools import count
from typing import Any

import pytest
from msgspec.structs import replace
from sqlalchemy import text

from events.contracts.users import MeasurementDeleted, MeasurementLogged, WeightLogged
from events.contracts.workouts import ExerciseSummary, WorkoutCompleted, WorkoutDeleted
from tests.testkit.analytics import analytics_subgraph, of_person, tell, weighing, workout
from tests.testkit.servers import Postgres
from tests.testkit.subgraph import SubgraphUnderTest, user_errors

SQUAT, BENCH = "exercise_squat", "exercise_bench"
MONDAY = date(2026, 3, 2)
CREATE = """mutation ($input: CreateGoalInput!) { createGoal(input: $input) {
  goal { id kind exerciseId measurement direction startValue } userErrors { code field } } }"""
GOALS = of_person(
    "goals { nodes { id kind status reachedOn direction startValue currentValue progress isOverdue projection { remainingKg }"
    " periods { first } pace { remaining perWeek reachedOn neededPerWeek isOnTrack } } }"
)
_people = count(1)


class Clock:
    """What time it is for the subgraph: the noon of a day."""

    def __init__(self) -> None:
        self.at(MONDAY)

    def at(self, day: date) -> None:
        self.now = noon(day)


@pytest.fixture(scope="module")
def clock() -> Clock:
    return Clock()


@pytest.fixture(scope="module")
async def analytics(postgres: Postgres, clock: Clock) -> AsyncIterator[SubgraphUnderTest]:
    async with analytics_subgraph(postgres, "analytics_measured") as subgraph:
        subgraph.resources.now = lambda: clock.now
        yield subgraph


@pytest.fixture
def person(clock: Clock) -> str:
    clock.at(MONDAY)
    return f"person-{next(_people)}"


def day(offset: int) -> date:
    return MONDAY + timedelta(days=offset)


def noon(on: date) -> datetime:
    return datetime.combine(on, time(12), UTC)


def waist(person: str, on: date, cm: str, kind: str = "WAIST", at: int = 12) -> MeasurementLogged:
    recorded_at = datetime.combine(on, time(at), UTC)
    return MeasurementLogged(
        entry_id=f"{person}-{on}-{kind}-{at}", kind=kind, value_cm=Decimal(cm), recorded_at=recorded_at, local_date=on
    )


def lifted(person: str, on: date, *best: tuple[str, str], status: str = "COMPLETED") -> WorkoutCompleted:
    """A workout with the best estimate of each exercise."""
    exercises = tuple(
        ExerciseSummary(
            exercise_id=exercise,
            name=exercise,
            category="STRENGTH",
            sets=3,
            reps=15,
            volume_kg=Decimal(900),
            best_one_rep_max_kg=Decimal(kg),
        )
        for exercise, kg in best
    )
    return replace(workout(person, on, 300, 60), exercises=exercises, status=status, started_at=noon(on))


def muscle(person: str, on: date, kg: str | None) -> WeightLogged:
    told = None if kg is None else Decimal(kg)
    return replace(weighing(person, on, "80"), muscle_mass_kg=told, recorded_at=noon(on))


async def create(analytics: SubgraphUnderTest, person: str, **given: Any) -> dict[str, Any]:
    goal: dict[str, Any] = (await analytics.data(CREATE, person, {"input": given}))["createGoal"]["goal"]
    return goal


async def only_goal(analytics: SubgraphUnderTest, person: str) -> dict[str, Any]:
    (goal,) = (await analytics.data(GOALS, person, {"id": person}))["_entities"][0]["goals"]["nodes"]
    return dict(goal)


async def test_a_waist_goal_starts_where_the_tape_stood_and_is_reached_on_its_day(
    analytics: SubgraphUnderTest, person: str
) -> None:
    await tell(analytics, person, waist(person, day(-3), "96"), waist(person, day(-1), "60", kind="NECK"))
    goal = await create(analytics, person, kind="MEASUREMENT_CM", measurement="WAIST", targetValue=90)
    told = {"measurement": "WAIST", "exerciseId": None, "direction": "AT_MOST", "startValue": 96.0}
    assert goal == goal | told
    # Of one day the first counts, as of weights.
    await tell(analytics, person, waist(person, day(2), "94.5"), waist(person, day(2), "80", at=20))
    goal = await only_goal(analytics, person)
    assert (goal["status"], goal["currentValue"], goal["progress"]) == ("ACTIVE", 94.5, 0.25)
    assert (goal["projection"], goal["periods"]) == (None, None)
    await tell(analytics, person, waist(person, day(9), "89.9"), waist(person, day(12), "93"))
    goal = await only_goal(analytics, person)
    assert (goal["status"], goal["reachedOn"], goal["progress"], goal["currentValue"]) == (
        "COMPLETED", str(day(9)), 1.0, 93.0,
    )  # fmt: skip
    wrong = waist(person, day(9), "89.9")
    await tell(analytics, person, MeasurementDeleted(entry_id=wrong.entry_id, local_date=day(9)), version=2)
    goal = await only_goal(analytics, person)
    assert (goal["status"], goal["reachedOn"], goal["progress"]) == ("ACTIVE", None, 0.5)


async def test_a_strength_goal_stands_at_the_best_estimate_of_its_exercise_since_its_start(
    analytics: SubgraphUnderTest, person: str
) -> None:
    await tell(analytics, person, lifted(person, day(-60), (SQUAT, "130")), lifted(person, day(-4), (SQUAT, "100")))
    goal = await create(analytics, person, kind="ONE_REP_MAX_KG", exerciseId=SQUAT, targetValue=120)
    assert (goal["exerciseId"], goal["direction"], goal["startValue"]) == (SQUAT, "AT_LEAST", 100.0)
    assert (await only_goal(analytics, person))["currentValue"] == 100.0  # the newest, for nothing was lifted since
    await tell(analytics, person, lifted(person, day(1), (SQUAT, "108"), (BENCH, "150")))
    await tell(analytics, person, lifted(person, day(3), (SQUAT, "70")))
    goal = await only_goal(analytics, person)
    assert (goal["status"], goal["currentValue"], goal["progress"]) == ("ACTIVE", 108.0, 0.4)
    await tell(analytics, person, lifted(person, day(5), (SQUAT, "125"), status="IN_PROGRESS"))
    assert (await only_goal(analytics, person))["status"] == "ACTIVE"
    await tell(analytics, person, lifted(person, day(5), (SQUAT, "119"), (SQUAT, "121.5")), version=2)
    goal = await only_goal(analytics, person)
    assert (goal["status"], goal["reachedOn"]) == ("COMPLETED", str(day(5)))
    done = lifted(person, day(5))
    await tell(analytics, person, WorkoutDeleted(workout_id=done.workout_id, local_date=day(5)), version=3)
    assert (await only_goal(analytics, person))["status"] == "ACTIVE"


async def test_a_muscle_goal_follows_what_weighings_tell_of_muscle(analytics: SubgraphUnderTest, person: str) -> None:
    await create(analytics, person, kind="MUSCLE_MASS_KG", targetValue=37)
    goal = await only_goal(analytics, person)
    assert (goal["startValue"], goal["direction"], goal["currentValue"], goal["pace"]) == (None, None, None, None)
    await tell(analytics, person, muscle(person, day(0), "35"), muscle(person, day(1), None))
    await tell(analytics, person, muscle(person, day(2), "36"))
    goal = await only_goal(analytics, person)
    assert (goal["startValue"], goal["direction"], goal["currentValue"], goal["progress"]) == (
        35.0, "AT_LEAST", 36.0, 0.5,
    )  # fmt: skip
    await tell(analytics, person, muscle(person, day(3), "37"))
    assert (await only_goal(analytics, person))["reachedOn"] == str(day(3))


async def test_the_pace_is_the_line_through_the_measured_days(
    analytics: SubgraphUnderTest, person: str, clock: Clock
) -> None:
    await tell(analytics, person, waist(person, day(0), "100"))
    target = {"targetValue": 94, "targetDate": str(day(42))}
    await create(analytics, person, kind="MEASUREMENT_CM", measurement="WAIST", **target)
    await tell(analytics, person, waist(person, day(7), "99"), waist(person, day(14), "98"))
    clock.at(day(14))
    assert (await only_goal(analytics, person))["pace"] == {
        "remaining": -4.0,
        "perWeek": -1.0,
        "reachedOn": str(day(42)),
        "neededPerWeek": -1.0,
        "isOnTrack": True,
    }
    clock.at(day(43))
    goal = await only_goal(analytics, person)
    assert (goal["isOverdue"], goal["pace"]) == (True, None)  # nothing was measured in 28 days


async def test_a_weight_has_a_pace_as_its_projection_says(analytics: SubgraphUnderTest, person: str) -> None:
    await tell(analytics, person, weighing(person, day(-1), "90"))
    await create(analytics, person, kind="WEIGHT_KG", targetValue=85)
    goal = await only_goal(analytics, person)
    assert (goal["pace"]["remaining"], goal["projection"]["remainingKg"]) == (-5.0, -5.0)
    await tell(analytics, person, weighing(person, day(1), "80"))  # of tomorrow, before a flight to the west
    goal = await only_goal(analytics, person)
    assert (goal["currentValue"], goal["pace"]["remaining"], goal["projection"]["remainingKg"]) == (88.1, -3.1, -3.1)


async def test_a_goal_that_is_reached_is_told_once(analytics: SubgraphUnderTest, person: str) -> None:
    await create(analytics, person, kind="MEASUREMENT_CM", measurement="RIGHT_UPPER_ARM", targetValue=40)
    arm = waist(person, day(0), "38", kind="RIGHT_UPPER_ARM"), waist(person, day(7), "40", kind="RIGHT_UPPER_ARM")
    await tell(analytics, person, *arm)
    await tell(analytics, person, *arm)
    async with analytics.database.reading() as connection:
        told = await connection.scalar(
            text("SELECT count(*) FROM outbox WHERE key = :id AND convert_from(value, 'UTF8') LIKE '%GoalCompleted%'"),
            {"id": person},
        )
    assert told == 1


async def test_what_a_goal_follows_is_told_where_it_belongs(analytics: SubgraphUnderTest, person: str) -> None:
    for given, fields in (
        ({"kind": "ONE_REP_MAX_KG", "targetValue": 100}, ["exerciseId"]),
        ({"kind": "ONE_REP_MAX_KG", "targetValue": 100, "exerciseId": "food_1"}, ["exerciseId"]),
        ({"kind": "ONE_REP_MAX_KG", "targetValue": 100, "exerciseId": SQUAT, "direction": "AT_MOST"}, ["direction"]),
        ({"kind": "ONE_REP_MAX_KG", "targetValue": 1001, "exerciseId": SQUAT}, ["targetValue"]),
        ({"kind": "MEASUREMENT_CM", "targetValue": 90}, ["measurement"]),
        ({"kind": "MEASUREMENT_CM", "targetValue": 4, "measurement": "WAIST"}, ["targetValue"]),
        ({"kind": "MUSCLE_MASS_KG", "targetValue": 40, "measurement": "WAIST"}, ["measurement"]),
        ({"kind": "WEIGHT_KG", "targetValue": 80, "exerciseId": SQUAT}, ["exerciseId"]),
    ):
        result = await analytics.run(CREATE, person, {"input": given})
        found = [(each["code"], each["field"]) for each in user_errors(result)]
        assert found == [("VALIDATION_ERROR", field) for field in fields], given
