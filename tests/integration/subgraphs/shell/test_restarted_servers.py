"""Servers restart while people use a subgraph: what a retry hides costs nobody anything, and the rest is said honestly."""

import asyncio
import itertools
from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest

from subgraphs.shell import repetition
from subgraphs.shell.database import migrate
from subgraphs.shell.settings import Settings
from tests.integration.subgraphs.shell.test_app import Running, running
from tests.testkit.servers import Postgres
from tests.testkit.subgraph import SECRET

LOG = """mutation ($input: LogWeightInput!) {
  logWeight(input: $input) { userErrors { code } weightEntry { id } }
}"""
COUNT = "{ me { weights(first: 100) { totalCount } } }"
REGISTER = "mutation ($input: RegisterInput!) { register(input: $input) { accessToken } }"


@pytest.fixture
def own_postgres() -> Iterator[Postgres]:
    server = Postgres()
    server.start()
    yield server
    server.stop()


@pytest.fixture(autouse=True)
def a_patience_that_outlasts_any_restart(monkeypatch: pytest.MonkeyPatch) -> None:
    """A busy machine starts Postgres in more than the seconds for which the product waits."""
    monkeypatch.setattr(repetition, "PAUSES_SECONDS", repetition.PAUSES_SECONDS + (1.2,) * 100)
    monkeypatch.setattr(repetition, "OUTAGE_AFTER_SECONDS", 120.0)


@pytest.fixture
async def users(own_postgres: Postgres) -> AsyncIterator[Running]:
    url = own_postgres.create_database("users")
    await migrate("users", url)
    settings = Settings(subgraph="users", database_url=url, jwt_secret=SECRET, log_level="CRITICAL")
    async with running(settings) as subgraph:
        yield subgraph


async def test_a_restart_of_postgres_is_hidden_from_reads_and_keyed_writes(
    users: Running, own_postgres: Postgres
) -> None:
    given = {"email": "restart@example.com", "password": "Password123!", "displayName": "Some Body"}
    _, _, answer = await users.post({"query": REGISTER, "variables": {"input": given}})
    bearer = f"Bearer {answer['data']['register']['accessToken']}"
    failures: list[Any] = []
    codes: set[str] = set()
    written = itertools.count()
    over = asyncio.Event()

    async def ask(query: str, **weighing: Any) -> Any:
        body = {"query": query, "variables": {"input": {"weightKg": 80, **weighing}} if weighing else None}
        _, _, answer = await users.post(body, authorization=bearer)
        return answer

    async def use(number: int) -> None:
        while not over.is_set():
            if "errors" in (answer := await ask(COUNT)):
                failures.append(answer["errors"])
            key = f"{number}-{next(written)}"
            if "errors" in (answer := await ask(LOG, idempotencyKey=key)):
                failures.append(answer["errors"])
            for error in (await ask(LOG, notes="without a key")).get("errors", ()):
                codes.add(error["extensions"]["code"])
                assert error["extensions"].get("retryAfterSeconds") == 2, error
            await asyncio.sleep(0.01)

    people = [asyncio.create_task(use(number)) for number in range(4)]
    for _ in range(2):
        await asyncio.sleep(0.5)
        await asyncio.to_thread(own_postgres.kill)
        await asyncio.to_thread(own_postgres.start)
    await asyncio.sleep(0.5)
    over.set()
    await asyncio.gather(*people)
    assert failures == []
    assert codes <= {"UNAVAILABLE"}
    keyed = next(written)
    answer = await ask(COUNT)
    assert answer["data"]["me"]["weights"]["totalCount"] >= keyed  # each of them once, and those without a key
    assert keyed > 4


async def test_during_an_outage_the_answer_is_unavailable_with_a_time_to_come_back(
    users: Running, own_postgres: Postgres
) -> None:
    await asyncio.to_thread(own_postgres.kill)
    given = {"email": "outage@example.com", "password": "Password123!", "displayName": "Some Body"}
    status, _, answer = await users.post({"query": REGISTER, "variables": {"input": given}})
    assert status == 200
    (error,) = answer["errors"]
    assert error["extensions"] == {"code": "UNAVAILABLE", "retryAfterSeconds": 2}
    await asyncio.to_thread(own_postgres.start)
    _, _, answer = await users.post({"query": REGISTER, "variables": {"input": given}})
    assert "errors" not in answer
