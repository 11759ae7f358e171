"""A target that is another on days of training: which days those are follows what workouts tells, whenever it does."""

from collections.abc import AsyncIterator
from datetime import UTC, date, datetime
from itertools import count
from typing import Any

import pytest
from sqlalchemy import text

from events.contracts.workouts import (
    PlannedWorkoutBegun,
    PlannedWorkoutCancelled,
    PlannedWorkoutFreed,
    PlannedWorkoutSkipped,
    TemplateModerated,
    WorkoutCancelled,
    WorkoutCompleted,
    WorkoutDeleted,
    WorkoutEdited,
    WorkoutPlanned,
    WorkoutStarted,
)
from events.envelope import Aggregate, Envelope, Payload, encode_payload
from subgraphs.nutrition.commands.training_entry import TrainingEntry, forget_training, keep_training
from subgraphs.nutrition.loaders import NutritionLoaders
from subgraphs.nutrition.projections.training import project_training, rebuild_training
from subgraphs.nutrition.schema import schema
from tests.integration.subgraphs.nutrition.conftest import tell_settings
from tests.testkit.servers import Postgres
from tests.testkit.subgraph import SubgraphUnderTest, subgraph_under_test

_people = count(1)
MONDAY, SATURDAY = date(2026, 3, 2), date(2026, 3, 7)
TRAINING = {"energyKcal": 2800, "proteinG": 160, "carbsG": 350}
SET = """mutation ($input: SetNutritionTargetInput!) { setNutritionTarget(input: $input) {
  target { energyKcal basis trainingDay { energyKcal proteinG carbsG fatG } } userErrors { code field } } }"""
DAY = """query ($id: ID!, $day: LocalDate!) { _entities(representations: [{ __typename: "User", id: $id }]) { ... on User {
  nutritionTarget(date: $day) { energyKcal carbsG waterMl basis usual { energyKcal } }
  diaryDay(date: $day) { target { energyKcal } remaining { energyKcal carbsG } nutrientProgress { isMet } } } } }"""
EAT = 'mutation { quickAdd(input: { slot: LUNCH, energyKcal: 500, at: "2026-03-02T12:00:00Z" }) { meal { id } } }'


@pytest.fixture(scope="module")
async def nutrition(postgres: Postgres) -> AsyncIterator[SubgraphUnderTest]:
    url = postgres.create_database("nutrition_training_days")
    async with subgraph_under_test("nutrition", url, schema, NutritionLoaders) as subgraph:
        yield subgraph


@pytest.fixture
async def person(nutrition: SubgraphUnderTest) -> str:
    """Somebody who eats 2,000 kcal, 2,300 on Saturdays, and 2,800 on days of training."""
    who = f"athlete-{next(_people)}"
    weekend = [{"weekdays": ["SATURDAY"], "energyKcal": 2300}]
    told = await set_target(nutrition, who, weekdays=weekend, trainingDay=TRAINING, waterMl=2500)
    assert told["target"]["trainingDay"] == TRAINING | {"fatG": None}
    return who


async def set_target(nutrition: SubgraphUnderTest, person: str, **given: Any) -> Any:
    result = await nutrition.run(SET, person, {"input": {"energyKcal": 2000, "effectiveFrom": "2026-03-01"} | given})
    assert result.errors is None, result.errors
    return (result.data or {})["setNutritionTarget"]


def workout(kind: type[Payload], day: date = MONDAY, status: str = "COMPLETED") -> Payload:
    start = datetime(day.year, day.month, day.day, 18, tzinfo=UTC)
    return kind(workout_id="w", name="Squats", status=status, local_date=day, started_at=start)  # type: ignore[call-arg]


def plan(kind: type[Payload], day: date = MONDAY, **more: Any) -> Payload:
    return kind(planned_id="p", name="Squats", local_date=day, **more)  # type: ignore[call-arg]


def told(person: str, payload: Payload, version: int = 1) -> Envelope:
    """An event of workouts about the person's one workout, or the one plan."""
    at = datetime(2026, 3, 1, tzinfo=UTC)
    return Envelope(
        event_id=f"{person}-{payload.aggregate_type}-{version}",
        type=type(payload).__name__,
        schema_version=1,
        aggregate=Aggregate(payload.aggregate_type, f"{payload.aggregate_type}-of-{person}", version),
        user_id=person,
        occurred_at=at,
        recorded_at=at,
        payload=encode_payload(payload),
    )


async def tell(nutrition: SubgraphUnderTest, person: str, *payloads: Payload) -> None:
    async with nutrition.database.transaction() as connection:
        await project_training(connection, [told(person, payload) for payload in payloads])


async def target_of(nutrition: SubgraphUnderTest, person: str, day: date = MONDAY) -> tuple[float, str]:
    """Its energy, and which set of values that is."""
    found = (await nutrition.data(DAY, person, {"id": person, "day": day.isoformat()}))["_entities"][0]
    assert found["diaryDay"]["target"]["energyKcal"] == found["nutritionTarget"]["energyKcal"]
    assert (found["nutritionTarget"]["waterMl"], found["nutritionTarget"]["usual"]) == (2500, {"energyKcal": 2000})
    return found["nutritionTarget"]["energyKcal"], found["nutritionTarget"]["basis"]


async def test_a_workout_that_is_logged_after_the_meals_makes_theirs_a_day_of_training(
    nutrition: SubgraphUnderTest, person: str
) -> None:
    await nutrition.data(EAT, person)
    asked = {"id": person, "day": MONDAY.isoformat()}
    before = (await nutrition.data(DAY, person, asked))["_entities"][0]["diaryDay"]["remaining"]
    assert before == {"energyKcal": 1500, "carbsG": None}
    await tell(nutrition, person, workout(WorkoutCompleted))
    after = (await nutrition.data(DAY, person, asked))["_entities"][0]["diaryDay"]["remaining"]
    assert after == {"energyKcal": 2300, "carbsG": 350}
    assert await target_of(nutrition, person) == (2800, "TRAINING_DAY")
    again = await set_target(nutrition, person, effectiveFrom=MONDAY.isoformat(), trainingDay=TRAINING)
    assert (again["target"]["energyKcal"], again["target"]["basis"]) == (2800, "TRAINING_DAY")


async def test_training_comes_before_the_weekday_and_moves_with_the_workout(
    nutrition: SubgraphUnderTest, person: str
) -> None:
    assert await target_of(nutrition, person, SATURDAY) == (2300, "WEEKDAY")
    assert await target_of(nutrition, person) == (2000, "USUAL")
    await tell(nutrition, person, workout(WorkoutStarted, status="IN_PROGRESS"))
    assert await target_of(nutrition, person) == (2800, "TRAINING_DAY")
    await tell(nutrition, person, workout(WorkoutEdited, SATURDAY))
    assert await target_of(nutrition, person) == (2000, "USUAL")
    assert await target_of(nutrition, person, SATURDAY) == (2800, "TRAINING_DAY")
    await tell(nutrition, person, WorkoutDeleted(workout_id="w", local_date=SATURDAY))
    assert await target_of(nutrition, person, SATURDAY) == (2300, "WEEKDAY")


async def test_a_plan_counts_until_it_is_skipped_taken_back_or_done_on_another_day(
    nutrition: SubgraphUnderTest, person: str
) -> None:
    trained, rested = (2800, "TRAINING_DAY"), (2000, "USUAL")
    for payload, expected in (
        (plan(WorkoutPlanned), trained),
        (plan(PlannedWorkoutSkipped, is_skipped=True), rested),
        (plan(PlannedWorkoutSkipped), trained),
        (plan(PlannedWorkoutBegun, has_begun=True), rested),  # its workout tells the day
        (plan(PlannedWorkoutFreed), trained),
        (PlannedWorkoutCancelled(planned_id="p", local_date=MONDAY), rested),
    ):
        await tell(nutrition, person, payload)
        assert await target_of(nutrition, person) == expected, type(payload).__name__
    await tell(
        nutrition, person, plan(PlannedWorkoutBegun, has_begun=True), workout(WorkoutStarted, status="IN_PROGRESS")
    )
    assert await target_of(nutrition, person) == trained
    await tell(nutrition, person, workout(WorkoutCancelled, status="CANCELLED"))
    assert await target_of(nutrition, person) == rested


async def test_a_target_without_values_for_training_is_the_same_on_all_days(
    nutrition: SubgraphUnderTest, person: str
) -> None:
    await tell(nutrition, person, workout(WorkoutCompleted))
    await set_target(nutrition, person, waterMl=2500)
    assert await target_of(nutrition, person) == (2000, "USUAL")
    refused = await set_target(nutrition, person, trainingDay={"energyKcal": 999, "fatG": -1})
    assert [each["field"] for each in refused["userErrors"]] == ["trainingDay.energyKcal", "trainingDay.fatG"]


async def test_it_is_made_anew_from_the_events_and_others_are_passed_over(
    nutrition: SubgraphUnderTest, person: str
) -> None:
    await tell(nutrition, person, workout(WorkoutCompleted, SATURDAY))
    decided = TemplateModerated(actor_id="a", decision="KEEP", reason="Fine", before="PUBLIC", after="PUBLIC")
    async with nutrition.database.transaction() as connection:
        await rebuild_training(connection, person, [told(person, decided), told(person, workout(WorkoutCompleted))])
    assert await target_of(nutrition, person) == (2800, "TRAINING_DAY")
    assert await target_of(nutrition, person, SATURDAY) == (2300, "WEEKDAY")


async def test_what_is_told_of_people_who_are_not_known_goes_after_a_day(
    nutrition: SubgraphUnderTest, person: str
) -> None:
    await tell_settings(nutrition, person, "UTC")
    ids = [f"known-{person}", f"new-{person}", f"old-{person}"]
    entries = [
        TrainingEntry(id=each, user_id=person if each == ids[0] else f"erased-{person}", local_date=MONDAY)
        for each in ids
    ]
    async with nutrition.database.transaction() as connection:
        await keep_training(connection, entries, [])
        aged = "UPDATE training_entry SET kept_at = now() - interval '30 hours' WHERE id = ANY(:ids)"
        await connection.execute(text(aged), {"ids": [ids[0], ids[2]]})
        assert await forget_training(connection, 100) == 1
        left = await connection.execute(text("SELECT id FROM training_entry WHERE id = ANY(:ids)"), {"ids": ids})
        assert {row.id for row in left} == {ids[0], ids[1]}
