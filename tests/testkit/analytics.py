"""An analytics subgraph, what is told to it and asked of it. Used by its integration tests."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import UTC, date, datetime
from decimal import Decimal

from events.contracts.nutrition import MealItem, MealLogged, Nutrients, WaterLogged
from events.contracts.users import StepsCounted, WeightLogged
from events.contracts.workouts import WorkoutCompleted
from events.envelope import Aggregate, Envelope, Payload, encode_payload
from events.inbox import lock_people
from subgraphs.analytics.loaders import AnalyticsLoaders
from subgraphs.analytics.projections.summary import summary_projector
from subgraphs.analytics.queries.person import GROUP
from subgraphs.analytics.schema import schema
from tests.testkit.servers import Postgres
from tests.testkit.subgraph import SubgraphUnderTest, subgraph_under_test

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)


@asynccontextmanager
async def analytics_subgraph(postgres: Postgres, name: str) -> AsyncIterator[SubgraphUnderTest]:
    """Over a database of that name."""
    async with subgraph_under_test("analytics", postgres.create_database(name), schema, AnalyticsLoaders) as subgraph:
        yield subgraph


async def tell(
    analytics: SubgraphUnderTest,
    person: str,
    *payloads: Payload,
    version: int = 1,
    meanwhile: Callable[[], Awaitable[None]] | None = None,
) -> None:
    """Hand each event to the projector as this version of an aggregate of its own.

    `meanwhile` runs before its transaction ends.
    """
    envelopes = [
        Envelope(
            event_id=f"{person}-{number}",
            type=type(payload).__name__,
            schema_version=1,
            aggregate=Aggregate(payload.aggregate_type, _id_of(payload, person), version),
            user_id=person,
            occurred_at=NOON,
            recorded_at=NOON,
            payload=encode_payload(payload),
        )
        for number, payload in enumerate(payloads)
    ]
    async with analytics.database.transaction() as connection:
        await lock_people(connection, GROUP, [person])
        await summary_projector(None, analytics.resources.now)(connection, envelopes)
        if meanwhile is not None:
            await meanwhile()


def _id_of(payload: Payload, person: str) -> str:
    names = ("meal_id", "workout_id", "entry_id")
    return next((str(getattr(payload, name)) for name in names if hasattr(payload, name)), person)


def meal(person: str, day: date, kcal: int, number: int = 1) -> MealLogged:
    totals = Nutrients(energy_kcal=Decimal(kcal), protein_g=Decimal(20), carbs_g=Decimal(30), fat_g=Decimal(10))
    items = (MealItem(food_id="apple", grams=Decimal(100), nutrients=totals),)
    return MealLogged(
        meal_id=f"{person}-{day}-{number}", slot="LUNCH", at=NOON, local_date=day, items=items, totals=totals
    )


def workout(person: str, day: date, kcal: int, minutes: int, net_kcal: int | None = None) -> WorkoutCompleted:
    return WorkoutCompleted(
        workout_id=f"{person}-{day}-w",
        name="Run",
        status="COMPLETED",
        local_date=day,
        started_at=NOON,
        duration_minutes=Decimal(minutes),
        calories_kcal=Decimal(kcal),
        net_calories_kcal=None if net_kcal is None else Decimal(net_kcal),
    )


def weighing(person: str, day: date, weight_kg: str) -> WeightLogged:
    return WeightLogged(entry_id=f"{person}-{day}-kg", weight_kg=Decimal(weight_kg), recorded_at=NOON, local_date=day)


def drink(person: str, day: date, amount_ml: int) -> WaterLogged:
    return WaterLogged(entry_id=f"{person}-{day}-ml", amount_ml=amount_ml, at=NOON, local_date=day)


def walk(person: str, day: date, steps: int, source: str = "Phone") -> StepsCounted:
    return StepsCounted(
        entry_id=f"{person}-{day}-{source}", local_date=day, source=source, steps=steps, counted_at=NOON
    )


def of_person(selection: str) -> str:
    return (
        'query ($id: ID!) { _entities(representations: [{__typename: "User", id: $id}]) { ... on User { '
        + selection
        + " } } }"
    )
