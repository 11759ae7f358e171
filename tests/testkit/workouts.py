"""A workouts subgraph with a few exercises, what is told to it and asked of it. Used by its integration tests."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import text

from events.contracts.users import WeightLogged
from events.envelope import Aggregate, Envelope, Payload, decode_envelope, encode_payload
from events.inbox import lock_people
from events.upcast import read_payload
from subgraphs.shell.context import utc_now
from subgraphs.workouts.loaders import WorkoutsLoaders
from subgraphs.workouts.projections.person import person_projector
from subgraphs.workouts.queries.person import GROUP
from subgraphs.workouts.sample_data import load_exercises
from subgraphs.workouts.schema import schema
from tests.testkit.servers import Postgres
from tests.testkit.subgraph import SubgraphUnderTest, subgraph_under_test

EXERCISES = [
    {
        "id": "bench",
        "name": "Bench press",
        "category": "STRENGTH",
        "level": "BEGINNER",
        "tracking": "WEIGHT_REPS",
        "met": 3.5,
    },
    {
        "id": "squat",
        "name": "Squat",
        "category": "STRENGTH",
        "level": "BEGINNER",
        "tracking": "WEIGHT_REPS",
        "met": 6.0,
    },
    {
        "id": "run",
        "name": "Running, 6 mph",
        "category": "CARDIO",
        "level": "BEGINNER",
        "tracking": "DISTANCE_TIME",
        "met": 9.8,
    },
    {
        "id": "pullups",
        "name": "Pullups",
        "category": "STRENGTH",
        "level": "BEGINNER",
        "tracking": "REPS",
        "equipment": "body only",
        "met": 3.8,
    },
    {
        "id": "press",
        "name": "Machine chest press",
        "category": "STRENGTH",
        "level": "BEGINNER",
        "tracking": "WEIGHT_REPS",
        "met": 3.5,
        "primaryMuscles": ["chest"],
        "secondaryMuscles": ["triceps"],
    },
    {
        "id": "unknown",
        "name": "Something new",
        "category": "STRENGTH",
        "level": "BEGINNER",
        "tracking": "WEIGHT_REPS",
    },
]
LOG = """
    mutation ($input: LogWorkoutInput!) { logWorkout(input: $input) { userErrors { code field message } workout {
      id version status localDate durationMinutes volumeKg
      caloriesBurned { kcal netKcal method bodyWeightKg }
      exercises { position exercise { id name } sets { position reps weightKg estimatedOneRepMaxKg } }
    } } }
"""
RUN = {
    "name": "Run",
    "startedAt": "2026-03-01T07:00:00Z",
    "endedAt": "2026-03-01T07:30:00Z",
    "exercises": [{"exerciseId": "run", "durationSeconds": 1800}],
}


@asynccontextmanager
async def workouts_subgraph(postgres: Postgres, name: str) -> AsyncIterator[SubgraphUnderTest]:
    """Over a database of that name, with the exercises above."""
    async with subgraph_under_test("workouts", postgres.create_database(name), schema, WorkoutsLoaders) as subgraph:
        async with subgraph.database.transaction() as connection:
            assert await load_exercises(connection, EXERCISES, utc_now()) == len(EXERCISES)
        yield subgraph


async def tell(
    workouts: SubgraphUnderTest,
    person: str,
    *payloads: Payload,
    meanwhile: Callable[[], Awaitable[None]] | None = None,
) -> None:
    """Hand events of the users subgraph to the projection, each as version 1 of its aggregate.

    `meanwhile` runs before its transaction ends.
    """
    at = datetime(2026, 1, 1, tzinfo=UTC)
    envelopes = [
        Envelope(
            event_id=f"{person}-{number}",
            type=type(payload).__name__,
            schema_version=1,
            aggregate=Aggregate(payload.aggregate_type, f"{person}-{number}", 1),
            user_id=person,
            occurred_at=at,
            recorded_at=at,
            payload=encode_payload(payload),
        )
        for number, payload in enumerate(payloads)
    ]
    async with workouts.database.transaction() as connection:
        await lock_people(connection, GROUP, [person])
        await person_projector(utc_now)(connection, envelopes)
        if meanwhile is not None:
            await meanwhile()


def weighing(person: str, day: date, weight_kg: str) -> WeightLogged:
    at = datetime(day.year, day.month, day.day, 6, tzinfo=UTC)
    return WeightLogged(entry_id=f"{person}-{day}", weight_kg=Decimal(weight_kg), recorded_at=at, local_date=day)


async def last_event(workouts: SubgraphUnderTest, workout_id: str) -> tuple[Envelope, Payload]:
    statement = text("SELECT value FROM outbox WHERE aggregate_id = :id ORDER BY seq DESC LIMIT 1")
    async with workouts.database.reading() as connection:
        envelope = decode_envelope(await connection.scalar(statement, {"id": workout_id}))
    return envelope, read_payload(envelope)


async def told(workouts: SubgraphUnderTest, person: str, operation: str, **given: Any) -> Any:
    """What the mutation answers that the operation calls `it`, with what it refuses; `given` is its input."""
    result = await workouts.run(operation, person, {"input": given})
    assert result.errors is None, result.errors
    return (result.data or {})["it"]


def errors_of(answer: dict[str, Any], field: str) -> list[tuple[str, str]]:
    """(code, field) of each refusal of a mutation."""
    return [(each["code"], each["field"]) for each in answer[field]["userErrors"]]
