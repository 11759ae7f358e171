"""A person's bar and plates over a real database: set, asked, forgotten, and what progression loads with them."""

from collections.abc import AsyncIterator
from itertools import count
from typing import Any

import pytest
from sqlalchemy import text

from events.contracts.users import UserErased
from tests.testkit.servers import Postgres
from tests.testkit.subgraph import SubgraphUnderTest
from tests.testkit.workouts import errors_of, tell, told, workouts_subgraph

_people = count(1)
SET = """mutation ($input: SetPlateInventoryInput!) { it: setPlateInventory(input: $input) {
  user { plateInventory { unit bar plates { weight pairs } } } userErrors { code field } } }"""
LOADING = """query ($who: [_Any!]!, $weight: Float!, $unit: MassUnit! = KG, $inventory: PlateInventoryInput) {
  _entities(representations: $who) { ... on User { plateLoading(weight: $weight, unit: $unit, inventory: $inventory) {
    isExact below { unit weight weightKg side { weight count } } above { weight } } } } }"""
KEEP = "mutation ($input: CreateTemplateInput!) { it: createTemplate(input: $input) { template { id } userErrors { code } } }"
START = "mutation ($input: StartWorkoutInput!) { it: startWorkout(input: $input) { workout { exercises { plan { weightKg } } } userErrors { code } } }"
KILOGRAMS = {"bar": 20, "plates": [{"weight": 20, "pairs": 2}, {"weight": 5, "pairs": 1}, {"weight": 2.5, "pairs": 1}]}
POUNDS = {"unit": "LB", "bar": 45, "plates": [{"weight": 45, "pairs": 2}, {"weight": 10, "pairs": 1}]}
ROW = "UPDATE exercise SET equipment = 'barbell' WHERE id = 'bench'"


@pytest.fixture(scope="module")
async def workouts(postgres: Postgres) -> AsyncIterator[SubgraphUnderTest]:
    async with workouts_subgraph(postgres, "workouts_plates") as subgraph:
        async with subgraph.database.transaction() as transaction:
            await transaction.execute(text(ROW))
        yield subgraph


@pytest.fixture
def person() -> str:
    return f"person-{next(_people)}"


async def loading(workouts: SubgraphUnderTest, person: str, **given: Any) -> Any:
    answer = await workouts.data(LOADING, person, {"who": [{"__typename": "User", "id": person}], **given})
    return answer["_entities"][0]["plateLoading"]


async def test_an_inventory_is_set_asked_and_forgotten(workouts: SubgraphUnderTest, person: str) -> None:
    assert await loading(workouts, person, weight=100) is None
    kept = await told(workouts, person, SET, inventory=KILOGRAMS)
    assert kept["user"]["plateInventory"] == {"unit": "KG", **KILOGRAMS}
    assert await loading(workouts, person, weight=75) == {
        "isExact": True,
        "below": {
            "unit": "KG",
            "weight": 75.0,
            "weightKg": 75.0,
            "side": [{"weight": 20.0, "count": 1}, {"weight": 5.0, "count": 1}, {"weight": 2.5, "count": 1}],
        },
        "above": {"weight": 75.0},
    }
    assert (await told(workouts, person, SET, inventory=None))["user"]["plateInventory"] is None
    assert await loading(workouts, person, weight=75) is None


async def test_pounds_answer_kilograms_and_others_plates_may_be_told(workouts: SubgraphUnderTest, person: str) -> None:
    await told(workouts, person, SET, inventory=KILOGRAMS)
    found = await loading(workouts, person, weight=65, inventory=POUNDS)
    assert (found["isExact"], found["above"]["weight"]) == (False, 155.0)
    assert found["below"] == {
        "unit": "LB",
        "weight": 135.0,
        "weightKg": 61.23,
        "side": [{"weight": 45.0, "count": 1}],
    }
    assert (await loading(workouts, person, weight=135, unit="LB", inventory=POUNDS))["isExact"]


async def test_what_is_no_inventory_or_no_weight_is_refused(workouts: SubgraphUnderTest, person: str) -> None:
    wrong = {"bar": 20.005, "plates": [{"weight": 20, "pairs": 0}]}
    refused = await told(workouts, person, SET, inventory=wrong)
    assert errors_of({"it": refused}, "it") == [
        ("VALIDATION_ERROR", "inventory.bar"),
        ("VALIDATION_ERROR", "inventory.plates.0.pairs"),
    ]
    who = {"who": [{"__typename": "User", "id": person}]}
    for given in ({"weight": 100, "inventory": wrong}, {"weight": -1, "inventory": KILOGRAMS}):
        assert await workouts.codes(LOADING, person, who | given) == ["VALIDATION_ERROR"]


async def test_a_percentage_is_rounded_down_to_what_can_be_loaded(workouts: SubgraphUnderTest, person: str) -> None:
    share = {"sets": 3, "mostReps": 5, "percentOfMax": 80, "trainingMaxKg": 91}  # 72.8 kg
    exercises = [
        {"exerciseId": "bench", **share},
        {"exerciseId": "bench", **share, "weightStepKg": 1},
        {"exerciseId": "press", **share},
    ]
    template = (await told(workouts, person, KEEP, name="Heavy", exercises=exercises))["template"]["id"]

    async def planned() -> list[float]:
        begun = await told(workouts, person, START, name="Now", templateId=template)
        await workouts.data(
            "mutation ($id: ID!) { it: cancelWorkout(input: {id: $id}) { userErrors { code } } }",
            person,
            {"id": await running(workouts, person)},
        )
        return [each["plan"]["weightKg"] for each in begun["workout"]["exercises"]]

    assert await planned() == [72.5, 72.0, 72.5]
    await told(workouts, person, SET, inventory=KILOGRAMS)
    assert await planned() == [70.0, 72.0, 72.5], "of the barbell alone, where the plan names no step"
    await told(workouts, person, SET, inventory=POUNDS)
    assert await planned() == [70.31, 72.0, 72.5]  # 155 lb


async def running(workouts: SubgraphUnderTest, person: str) -> str:
    query = "query ($who: [_Any!]!) { _entities(representations: $who) { ... on User { activeWorkout { id } } } }"
    answer = await workouts.data(query, person, {"who": [{"__typename": "User", "id": person}]})
    return str(answer["_entities"][0]["activeWorkout"]["id"])


async def test_nothing_is_left_of_who_was_erased(workouts: SubgraphUnderTest, person: str) -> None:
    await told(workouts, person, SET, inventory=POUNDS)
    await tell(workouts, person, UserErased())
    async with workouts.database.reading() as connection:
        left = text("SELECT count(*) FROM plate_inventory WHERE user_id = :id")
        assert await connection.scalar(left, {"id": person}) == 0
