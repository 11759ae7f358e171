"""The nutrition subgraph over a database with five foods of known numbers."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from itertools import count
from typing import Any

import pytest
from sqlalchemy import text

from events.contracts.users import SettingsChanged
from events.envelope import Aggregate, Envelope, decode_envelope, encode_payload
from events.upcast import read_payload
from subgraphs.nutrition.loaders import NutritionLoaders
from subgraphs.nutrition.projections.person import project_people
from subgraphs.nutrition.sample_data import load_foods
from subgraphs.nutrition.schema import schema
from tests.testkit.servers import Postgres
from tests.testkit.subgraph import SubgraphUnderTest, subgraph_under_test

_numbers = count(1)


def food(food_id: str, name: str, kcal: float, protein: float, carbs: float, fat: float, **more: Any) -> dict[str, Any]:
    amounts = {"energy_kcal": kcal, "protein_g": protein, "carbohydrate_g": carbs, "fat_g": fat}
    return {"id": food_id, "name": name, "category": "GRAIN", "source": "TEST"} | amounts | more


FOODS = [
    food(
        "oats",
        "Rolled oats",
        389,
        16.9,
        66.3,
        6.9,
        fiber_g=10.6,
        brand="Morning Mill",
        gtin="4006381333931",
        portions="cup:80|spoon:10",
    ),
    food(
        "banana",
        "Banana, fresh",
        89,
        1.1,
        22.8,
        0.3,
        fiber_g=2.6,
        category="FRUIT",
        vitamin_c_mg=8.7,
        portions="medium:118",
    ),
    food("milk", "Milk, 2 %", 50, 3.3, 4.8, 2.0, category="DAIRY", sodium_mg=47),
    food("bread", "Banana bread", 326, 4.3, 54.6, 10.5),
    food("oil", "Olive oil", 884, 0, 0, 100, category="FAT"),
]


@pytest.fixture(scope="module")
async def nutrition(postgres: Postgres) -> AsyncIterator[SubgraphUnderTest]:
    url = postgres.create_database(f"nutrition_api_{next(_numbers)}")
    async with subgraph_under_test("nutrition", url, schema, NutritionLoaders) as subgraph:
        async with subgraph.database.transaction() as connection:
            assert await load_foods(connection, FOODS, datetime.now(UTC)) == 5
            assert await load_foods(connection, FOODS, datetime.now(UTC)) == 0
        yield subgraph


@pytest.fixture
def person() -> str:
    return f"person-{next(_numbers)}"


async def tell_settings(
    nutrition: SubgraphUnderTest, person: str, time_zone: str, day_start_hour: int = 0, name: str = "Replicated Name"
) -> None:
    """Hand an event of users to the projection."""
    payload = SettingsChanged(
        email="x@example.com", display_name=name, time_zone=time_zone, day_start_hour=day_start_hour
    )
    at = datetime(2026, 1, 1, tzinfo=UTC)
    envelope = Envelope(
        event_id=f"{person}-settings",
        type="SettingsChanged",
        schema_version=1,
        aggregate=Aggregate("user", person, 2),
        user_id=person,
        occurred_at=at,
        recorded_at=at,
        payload=encode_payload(payload),
    )
    async with nutrition.database.transaction() as connection:
        await project_people(connection, [envelope])


async def events_of(nutrition: SubgraphUnderTest, person: str) -> list[tuple[int, Any]]:
    """(version, payload) of the person's events, oldest first."""
    async with nutrition.database.reading() as connection:
        rows = await connection.execute(text("SELECT value FROM outbox WHERE key = :id ORDER BY seq"), {"id": person})
        envelopes = [decode_envelope(row.value) for row in rows]
    return [(envelope.aggregate.version, read_payload(envelope)) for envelope in envelopes]
