"""Whatever order, repetition and grouping the events come in, the summaries are those of the newest facts."""

import asyncio
import random
from collections import Counter, defaultdict
from collections.abc import AsyncIterator
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any, cast

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

from events.contracts.nutrition import MealDeleted, MealItem, MealLogged, MealUpdated, Nutrients, WaterLogged
from events.contracts.users import (
    MeasurementDeleted,
    MeasurementLogged,
    StepsCounted,
    StepsDeleted,
    UserErased,
    UserRegistered,
    WeightDeleted,
    WeightLogged,
)
from events.contracts.workouts import WorkoutCompleted, WorkoutDeleted
from events.envelope import Aggregate, Envelope, Payload, encode_payload
from events.inbox import take_newer
from events.upcast import read_payload
from subgraphs.analytics.domain.streak import Habit
from subgraphs.analytics.domain.weight_trend import weight_trend
from subgraphs.analytics.projections.summary import summary_projector, summary_rebuilder
from subgraphs.shell.context import utc_now
from subgraphs.shell.database import migrate
from tests.testkit.servers import Postgres

DAYS = [date(2026, 3, 1) + timedelta(days=offset) for offset in range(3)]
AT = datetime(2026, 3, 1, 12, tzinfo=UTC)
USERS = ("ann", "bob")


def nutrients(kcal: int) -> Nutrients:
    return Nutrients(energy_kcal=Decimal(kcal), protein_g=Decimal(kcal) / 10, carbs_g=Decimal(1), fat_g=Decimal("0.5"))


def envelope(payload: Payload, aggregate_id: str, version: int, user_id: str) -> Envelope:
    return Envelope(
        event_id=f"{aggregate_id}-{version}",
        type=type(payload).__name__,
        schema_version=payload.schema_version,
        aggregate=Aggregate(payload.aggregate_type, aggregate_id, version),
        user_id=user_id,
        occurred_at=AT,
        recorded_at=AT,
        tombstone=payload.tombstone,
        payload=encode_payload(payload),
    )


@st.composite
def histories(draw: st.DrawFn) -> list[Envelope]:
    """Every version of a few aggregates, in the order they happened."""
    told: list[Envelope] = []
    for number in range(draw(st.integers(1, 5))):
        kind = draw(st.sampled_from(["meal", "workout", "weight", "water", "steps", "tape"]))
        user_id = draw(st.sampled_from(USERS))
        for version in range(1, draw(st.integers(1, 4)) + 1):
            day = draw(st.sampled_from(DAYS))
            amount = draw(st.integers(1, 900))
            deleted = version > 1 and draw(st.booleans())
            payload = _payload(kind, f"{kind}{number}", day, amount, deleted=deleted)
            told.append(envelope(payload, f"{kind}{number}", version, user_id))
    return told


def _payload(kind: str, entity_id: str, day: date, amount: int, *, deleted: bool) -> Payload:
    match kind, deleted:
        case "meal", True:
            return MealDeleted(meal_id=entity_id, local_date=day)
        case "meal", False:
            item = MealItem(food_id="apple", grams=Decimal(100), nutrients=nutrients(amount))
            kinds = (MealLogged, MealUpdated)
            return kinds[amount % 2](
                meal_id=entity_id, slot="LUNCH", at=AT, local_date=day, items=(item,), totals=nutrients(amount)
            )
        case "workout", True:
            return WorkoutDeleted(workout_id=entity_id, local_date=day)
        case "workout", False:
            return WorkoutCompleted(
                workout_id=entity_id,
                name="Run",
                status="COMPLETED",
                local_date=day,
                started_at=AT,
                duration_minutes=Decimal(amount),
                calories_kcal=Decimal(amount * 3),
            )
        case "weight", True:
            return WeightDeleted(entry_id=entity_id, local_date=day)
        case "weight", False:
            at = AT + timedelta(seconds=amount)
            return WeightLogged(entry_id=entity_id, weight_kg=Decimal(amount), recorded_at=at, local_date=day)
        case "tape", True:
            return MeasurementDeleted(entry_id=entity_id, local_date=day)
        case "tape", False:
            return MeasurementLogged(
                entry_id=entity_id, kind="WAIST", value_cm=Decimal(amount), recorded_at=AT, local_date=day
            )
        case "steps", True:
            return StepsDeleted(entry_id=entity_id, local_date=day)
        case "steps", False:
            return StepsCounted(entry_id=entity_id, local_date=day, source=entity_id, steps=amount, counted_at=AT)
        case _:
            return WaterLogged(entry_id=entity_id, amount_ml=amount, at=AT, local_date=day)


@pytest.fixture(scope="module")
def analytics_url(postgres: Postgres) -> str:
    url = postgres.create_database("analytics_projector")
    asyncio.run(migrate("analytics", url))
    return url


@pytest.fixture
async def engine(analytics_url: str) -> AsyncIterator[AsyncEngine]:
    engine = create_async_engine(analytics_url.replace("postgresql://", "postgresql+asyncpg://"))
    yield engine
    await engine.dispose()


async def project(connection: AsyncConnection, batches: list[list[Envelope]]) -> None:
    handle = summary_projector(None, utc_now)
    for batch in batches:
        newer = await take_newer(connection, "analytics-service", batch)
        if newer:
            await handle(connection, newer)


async def summaries(connection: AsyncConnection) -> dict[tuple[str, date], tuple[object, ...]]:
    """The non-empty days; a day that was emptied says the same as one that was never touched."""
    rows = await connection.execute(
        text(
            "SELECT user_id, local_date, calories_consumed, calories_burned, protein_g, meals_logged,"
            " workouts_completed, workout_minutes, water_ml, weight_kg, steps FROM daily_summary"
        )
    )
    days = {(row.user_id, row.local_date): tuple(row)[2:] for row in rows}
    return {day: numbers for day, numbers in days.items() if any(numbers)}


async def trend(connection: AsyncConnection) -> list[tuple[object, ...]]:
    rows = await connection.execute(
        text("SELECT user_id, local_date, weight_kg, trend_kg FROM weight_trend ORDER BY user_id, local_date")
    )
    return [tuple(row) for row in rows]


def trend_of_newest(history: list[Envelope]) -> list[tuple[object, ...]]:
    """The oracle: the newest weighings, the first of each day, smoothed from the first one on."""
    newest = {told.aggregate.id: told for told in history}
    weighings: dict[str, list[WeightLogged]] = {user_id: [] for user_id in USERS}
    for told in newest.values():
        payload = read_payload(told)
        if isinstance(payload, WeightLogged):
            weighings[told.user_id].append(payload)
    return [
        (user_id, point.local_date, point.weight_kg, point.trend_kg)
        for user_id, of_person in sorted(weighings.items())
        for point in weight_trend(
            (each.local_date, each.weight_kg)
            for each in sorted(of_person, key=lambda each: (each.local_date, each.recorded_at, each.entry_id))
        )
    ]


async def timeline(connection: AsyncConnection) -> set[tuple[object, ...]]:
    rows = await connection.execute(text("SELECT entry_id, user_id, kind, at, local_date FROM timeline_entry"))
    return {tuple(row) for row in rows}


def timeline_of_newest(history: list[Envelope]) -> set[tuple[object, ...]]:
    """The oracle: the newest version of each aggregate, unless it was deleted."""
    kinds = {"meal": "MEAL", "water": "DRINK", "weight_entry": "WEIGHT_ENTRY", "workout": "WORKOUT"}
    entries = set()
    for entity_id, told in {told.aggregate.id: told for told in history}.items():
        payload: Any = read_payload(told)
        if not payload.tombstone and told.aggregate.type in kinds:  # steps are of a day and no moment
            at = payload.recorded_at if isinstance(payload, WeightLogged) else AT
            entries.add((entity_id, told.user_id, kinds[told.aggregate.type], at, payload.local_date))
    return entries


async def measures(connection: AsyncConnection) -> set[tuple[object, ...]]:
    rows = await connection.execute(text("SELECT entry_id, measure, user_id, local_date, value FROM measure_fact"))
    return {tuple(row) for row in rows}


def measures_of_newest(history: list[Envelope]) -> set[tuple[object, ...]]:
    """The oracle: the newest version of each measurement, unless it was deleted."""
    newest = {told.aggregate.id: told for told in history}.values()
    payloads = [(told.user_id, read_payload(told)) for told in newest]
    return {
        (payload.entry_id, "TAPE:WAIST", user_id, payload.local_date, payload.value_cm)
        for user_id, payload in payloads
        if isinstance(payload, MeasurementLogged)
    }


async def food_counts(connection: AsyncConnection) -> dict[tuple[str, str], int]:
    rows = await connection.execute(text("SELECT user_id, food_id, items FROM food_count"))
    return {(row[0], row[1]): row[2] for row in rows}


def food_counts_of_newest(history: list[Envelope]) -> dict[tuple[str, str], int]:
    """The oracle: each meal that is there has one item, an apple."""
    newest = {told.aggregate.id: told for told in history}.values()
    owners = [told.user_id for told in newest if isinstance(read_payload(told), MealLogged | MealUpdated)]
    return {(user_id, "apple"): number for user_id, number in Counter(owners).items()}


async def runs(connection: AsyncConnection) -> set[tuple[object, ...]]:
    return {tuple(row) for row in await connection.execute(text("SELECT * FROM streak_run"))}


def runs_of_summaries(days: dict[tuple[str, date], tuple[object, ...]]) -> set[tuple[object, ...]]:
    """The oracle: all that is kept, split where one is missing."""
    kept: defaultdict[tuple[str, Habit], Counter[date]] = defaultdict(Counter)
    for (user_id, day), numbers in days.items():
        meals, workouts = cast("tuple[int, int]", (numbers[3], numbers[4]))
        for habit in Habit:
            kept[(user_id, habit)][habit.unit_of(day)] += meals * 3 if habit is Habit.MEALS else workouts
    found: set[tuple[object, ...]] = set()
    for (user_id, habit), numbers_of_units in kept.items():
        units = {unit for unit, number in numbers_of_units.items() if number >= 3}
        starts = sorted(unit for unit in units if unit - habit.step not in units)
        ends = sorted(unit for unit in units if unit + habit.step not in units)
        for first, last in zip(starts, ends, strict=True):
            found.add((user_id, habit.value, first, last, (last - first) // habit.step + 1))
    return found


def sums_of_newest(history: list[Envelope]) -> dict[tuple[str, date], tuple[object, ...]]:
    """The oracle: take the newest version of each aggregate and add up by hand."""
    newest = {told.aggregate.id: told for told in history}
    numbers: dict[tuple[str, date], list[object]] = {}
    weighed: dict[tuple[str, date], tuple[datetime, str]] = {}
    for told in newest.values():
        payload = read_payload(told)
        if payload.tombstone:
            continue
        day = (told.user_id, payload.local_date)  # type: ignore[attr-defined]
        sums = numbers.setdefault(day, [Decimal(0), Decimal(0), Decimal(0), 0, 0, Decimal(0), 0, None, None])
        if isinstance(payload, MealLogged | MealUpdated):
            sums[0] += payload.totals.energy_kcal  # type: ignore[operator]
            sums[2] += payload.totals.protein_g  # type: ignore[operator]
            sums[3] += 1  # type: ignore[operator]
        elif isinstance(payload, WorkoutCompleted):
            sums[1] += payload.calories_kcal  # type: ignore[operator]
            sums[4] += 1  # type: ignore[operator]
            sums[5] += payload.duration_minutes  # type: ignore[operator]
        elif isinstance(payload, WaterLogged):
            sums[6] += payload.amount_ml  # type: ignore[operator]
        elif isinstance(payload, WeightLogged):
            moment = (payload.recorded_at, payload.entry_id)
            if day not in weighed or moment < weighed[day]:
                weighed[day] = moment
                sums[7] = payload.weight_kg
        elif isinstance(payload, StepsCounted):
            sums[8] = max(payload.steps, cast("int | None", sums[8]) or 0)  # of two sources, not their sum
    return {day: tuple(sums) for day, sums in numbers.items() if any(sums)}


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(history=histories(), seed=st.integers(0, 2**32))
async def test_any_permutation_with_duplicates_gives_the_summaries_of_the_newest_facts(
    engine: AsyncEngine, history: list[Envelope], seed: int
) -> None:
    shuffler = random.Random(seed)
    told = history + shuffler.choices(history, k=len(history))
    shuffler.shuffle(told)
    cuts = sorted(shuffler.sample(range(len(told) + 1), k=2))
    batches = [told[: cuts[0]], told[cuts[0] : cuts[1]], told[cuts[1] :]]
    async with engine.connect() as connection, connection.begin() as transaction:
        await project(connection, batches)
        assert await summaries(connection) == sums_of_newest(history)
        assert await trend(connection) == trend_of_newest(history)
        assert await timeline(connection) == timeline_of_newest(history)
        assert await measures(connection) == measures_of_newest(history)
        assert await food_counts(connection) == food_counts_of_newest(history)
        assert await runs(connection) == runs_of_summaries(await summaries(connection))
        before = await connection.scalar(text("SELECT sum(revision) FROM daily_summary"))
        await project(connection, [history])  # a replay from the earliest offset
        assert await trend(connection) == trend_of_newest(history)
        assert await connection.scalar(text("SELECT sum(revision) FROM daily_summary")) == before
        await transaction.rollback()


async def test_replay_into_an_empty_inbox_gives_the_same_summaries(engine: AsyncEngine) -> None:
    history = [
        envelope(_payload("meal", "m1", DAYS[0], 300, deleted=False), "m1", 1, "ann"),
        envelope(_payload("meal", "m1", DAYS[1], 200, deleted=False), "m1", 2, "ann"),
        envelope(_payload("workout", "w1", DAYS[1], 30, deleted=False), "w1", 1, "ann"),
    ]
    async with engine.connect() as connection, connection.begin() as transaction:
        await project(connection, [history])
        first = await summaries(connection)
        await connection.execute(text("DELETE FROM inbox"))
        await project(connection, [[told] for told in history])
        assert await summaries(connection) == first
        assert first == {
            ("ann", DAYS[1]): (Decimal(200), Decimal(90), Decimal(20), 1, 1, Decimal(30), 0, None, None),
        }
        await transaction.rollback()


async def test_an_erased_person_leaves_nothing_and_later_events_about_them_are_dropped(engine: AsyncEngine) -> None:
    meal = envelope(_payload("meal", "m1", DAYS[0], 300, deleted=False), "m1", 1, "ann")
    registered = envelope(UserRegistered(email="a@example.com", display_name="Ann"), "ann", 1, "ann")
    erased = envelope(UserErased(), "ann", 2, "ann")
    stray = envelope(_payload("water", "x", DAYS[0], 300, deleted=False), "x", 1, "ann")
    async with engine.connect() as connection, connection.begin() as transaction:
        await project(connection, [[registered, meal], [erased], [stray]])
        assert await summaries(connection) == {}
        facts = "SELECT (SELECT count(*) FROM meal_fact) + (SELECT count(*) FROM water_fact)"
        assert await connection.scalar(text(facts)) == 0
        await transaction.rollback()


async def test_a_person_made_anew_has_the_same_trend(engine: AsyncEngine) -> None:
    first = envelope(_payload("weight", "w1", DAYS[0], 80, deleted=False), "w1", 1, "ann")
    moved = [
        envelope(_payload("weight", "w2", day, 90, deleted=False), "w2", version, "ann")
        for version, day in enumerate(DAYS[1:], start=1)
    ]
    async with engine.connect() as connection, connection.begin() as transaction:
        await project(connection, [[first, *moved]])
        before = await trend(connection)
        assert before == trend_of_newest([first, *moved])
        await summary_rebuilder(None, utc_now)(connection, "ann", [moved[-1], first])
        assert await trend(connection) == before
        await transaction.rollback()
