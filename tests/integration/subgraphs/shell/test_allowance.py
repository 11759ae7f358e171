"""What one operation may use of a subgraph: objects, bytes, and a database that works for nobody who left."""

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

import asyncpg
import pytest
from sqlalchemy import text

from subgraphs.nutrition.app import create_app
from subgraphs.shell.database import migrate
from subgraphs.shell.settings import Settings
from tests.integration.subgraphs.shell.test_app import Running, running
from tests.testkit.running_stack import eventually
from tests.testkit.servers import Postgres
from tests.testkit.subgraph import SECRET, sign_token

PERSON = "person-with-meals"
FOOD = {"id": "oats", "name": "Rolled oats", "category": "GRAIN", "source": "TEST"}
ENERGY = {"energy_kcal": 389, "protein_g": 16.9, "carbohydrate_g": 66.3, "fat_g": 6.9}
OF_PERSON = "query ($who: [_Any!]!) { _entities(representations: $who) { ... on User { %s } } }"
REPRESENTED = {"who": [{"__typename": "User", "id": PERSON}]}


@pytest.fixture(scope="module")
async def nutrition(postgres: Postgres) -> AsyncIterator[Running]:
    from subgraphs.nutrition.sample_data import load_foods

    url = postgres.create_database("nutrition_allowance")
    await migrate("nutrition", url)
    settings = Settings(subgraph="nutrition", database_url=url, jwt_secret=SECRET, log_level="ERROR")
    async with running(settings, create_app) as subgraph:
        resources = subgraph.app.resources
        async with resources.database.transaction() as connection:
            await load_foods(connection, [FOOD | ENERGY], resources.now())
        meal = 'logMeal(input: {slot: LUNCH, items: [{foodId: "oats", grams: 50}]}) { userErrors { message } }'
        written = await ask(subgraph, "mutation {" + " ".join(f"m{number}: {meal}" for number in range(30)) + "}")
        assert "errors" not in written, written
        yield subgraph


async def ask(subgraph: Running, query: str, variables: Any = None) -> Any:
    body = {"query": query, "variables": variables}
    return (await subgraph.post(body, authorization=f"Bearer {sign_token(PERSON)}"))[2]


def nested(levels: int) -> str:
    inner = "id"
    for _ in range(levels):
        inner = f"meals(first: 100) {{ nodes {{ user {{ {inner} }} }} }}"
    return OF_PERSON % inner


async def test_an_answer_has_a_bounded_number_of_objects(nutrition: Running) -> None:
    assert "errors" not in await ask(nutrition, nested(2), REPRESENTED)  # 30 * 30 people: 1,862 objects
    for levels in (3, 6):  # 27,000 and more
        answer = await ask(nutrition, nested(levels), REPRESENTED)
        assert answer["data"] is None
        assert [error["extensions"]["code"] for error in answer["errors"]] == ["ANSWER_TOO_LARGE"]


async def test_an_answer_has_a_bounded_number_of_bytes(nutrition: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("subgraphs.shell.graphql_http.LARGEST_ANSWER_BYTES", 1_000)
    answer = await ask(nutrition, nested(1), REPRESENTED)
    assert (answer["data"], answer["errors"][0]["extensions"]["code"]) == (None, "ANSWER_TOO_LARGE")


@pytest.mark.parametrize("argument", ['(search: "oats")', "", "(category: GRAIN)"])
async def test_an_equal_list_under_many_aliases_is_read_once(nutrition: Running, argument: str) -> None:
    query = "{" + " ".join(f"a{number}: foods{argument} {{ nodes {{ id }} }}" for number in range(200)) + "}"
    with nutrition.app.resources.database.watched_statements() as statements:
        answer = await ask(nutrition, query)
    assert "errors" not in answer
    assert len(answer["data"]) == 200
    assert len(statements) < 8


async def statements_waiting(watcher: asyncpg.Connection) -> int:
    found = await watcher.fetchval("SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'")
    return int(found)


async def test_the_database_stops_working_at_the_deadline_of_the_asker(nutrition: Running) -> None:
    """A lock makes the statement wait; the asker goes on waiting too, but told of a deadline."""
    url = nutrition.app.resources.database.url
    holder, watcher = await asyncpg.connect(url), await asyncpg.connect(url)
    body = {"query": nested(1), "variables": REPRESENTED}
    asker = {"authorization": f"Bearer {sign_token(PERSON)}", "x-deadline-ms": "700"}
    try:
        async with holder.transaction():
            await holder.execute("LOCK TABLE meal IN ACCESS EXCLUSIVE MODE")
            status, _, answer = await nutrition.post(body, **asker)

            async def is_idle() -> bool:
                return await statements_waiting(watcher) == 0

            await eventually(is_idle, seconds=60)
    finally:
        await holder.close()
        await watcher.close()
    assert (status, answer["data"]) == (504, None)
    assert [error["extensions"]["code"] for error in answer["errors"]] == ["DEADLINE_EXCEEDED"]
    assert "0.7 seconds" in answer["errors"][0]["message"]
    assert "errors" not in (await nutrition.post(body, **asker | {"x-deadline-ms": "60000"}))[2]
    assert "errors" not in (await nutrition.post(body, **asker | {"x-deadline-ms": "soon"}))[2]


async def test_a_mutation_does_not_begin_after_its_deadline_and_is_not_stopped_by_it(nutrition: Running) -> None:
    mutation = 'mutation { logMeal(input: {slot: LUNCH, items: [{foodId: "oats", grams: 50}]}) { meal { id } } }'
    other = {"authorization": f"Bearer {sign_token('person-in-a-hurry')}"}
    status, _, answer = await nutrition.post({"query": mutation}, **other, **{"x-deadline-ms": "0"})
    assert (status, answer["errors"][0]["extensions"]["code"]) == (504, "DEADLINE_EXCEEDED")
    status, _, answer = await nutrition.post({"query": mutation}, **other, **{"x-deadline-ms": "1"})
    assert (status, "errors" in answer) == (200, False)
    url = nutrition.app.resources.database.url
    reader = await asyncpg.connect(url)
    try:
        assert await reader.fetchval("SELECT count(*) FROM meal WHERE user_id = 'person-in-a-hurry'") == 1
    finally:
        await reader.close()


@pytest.mark.parametrize(
    "query", [nested(1), OF_PERSON % "recentFoods { nodes { timesLogged } }", "{ foods { nodes { id } } }"]
)
async def test_the_database_stops_working_for_who_left(nutrition: Running, postgres: Postgres, query: str) -> None:
    """A lock makes a statement wait as long as we like; whoever asked hangs up meanwhile."""
    url = nutrition.app.resources.database.url
    holder, watcher = await asyncpg.connect(url), await asyncpg.connect(url)

    async def is_waiting() -> bool:
        return await statements_waiting(watcher) > 0

    async def is_idle() -> bool:
        return await statements_waiting(watcher) == 0

    try:
        async with holder.transaction():
            await holder.execute("LOCK TABLE meal, recent_food, food IN ACCESS EXCLUSIVE MODE")
            body = json.dumps({"query": query, "variables": REPRESENTED if "$who" in query else None})
            asking = asyncio.create_task(nutrition.post(body.encode(), authorization=f"Bearer {sign_token(PERSON)}"))
            await eventually(is_waiting, seconds=60)
            asking.cancel()
            await eventually(is_idle, seconds=60)
    finally:
        await holder.close()
        await watcher.close()
    async with nutrition.app.resources.database.reading() as connection:  # the pools are as good as before
        meals = text("SELECT count(*) FROM meal WHERE user_id = :who")
        assert (await connection.execute(meals, {"who": PERSON})).scalar_one() == 30
    assert "errors" not in await ask(nutrition, query, REPRESENTED if "$who" in query else None)
