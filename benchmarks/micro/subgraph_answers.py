"""What answers of a real subgraph cost: nutrition over Postgres, from ASGI request to bytes, without a socket.

python -m benchmarks.micro.subgraph_answers [--rounds N] prints microseconds for growing operations, on the sample foods
and the demo week of 28 meals.
"""

import argparse
import asyncio
import gc
import time
from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import orjson
import uvloop

from deploy.sample_data import read_demo, read_foods
from subgraphs.app import SubgraphApp, close_resources
from subgraphs.database import migrate
from subgraphs.nutrition.app import create_app
from subgraphs.nutrition.commands.meal import NewMeal
from subgraphs.nutrition.domain.meal import ItemDraft, MealSlot
from subgraphs.nutrition.queries.person import PersonRecord
from subgraphs.nutrition.sample_data import load_foods, load_meals
from subgraphs.settings import Settings
from tests.testkit.servers import Postgres
from tests.testkit.subgraph import SECRET, sign_token

PERSON = "a-person"
DIARY_DAY = """
    query ($r: [_Any!]!, $day: Date!) { _entities(representations: $r) { ... on User {
      diaryDay(date: $day) {
        date waterMl totals { energyKcal proteinG carbsG fatG fiberG } target { energyKcal } remaining { energyKcal }
        meals { id slot at version totals { energyKcal proteinG carbsG fatG }
          items { foodName grams nutrients { energyKcal proteinG carbsG fatG } food { id name brand category } } } }
      suggestedTarget { energyKcal proteinG carbsG fatG }
      recentFoods(first: 5) { timesLogged food { id name } } } } }
"""
WEEK = """
    query ($r: [_Any!]!) { _entities(representations: $r) { ... on User { meals(first: 28) {
      edges { node { id slot at localDate totals { energyKcal proteinG carbsG fatG }
        items { grams foodName nutrients { energyKcal } food { id name } } } }
      pageInfo { hasNextPage endCursor } } } } }
"""
FOODS = """
    query ($r: [_Any!]!) { _entities(representations: $r) { ... on Food {
      name brand per100 { energyKcal proteinG carbsG fatG } } } }
"""


async def main(rounds: int) -> None:
    postgres = Postgres()
    postgres.start()
    try:
        url = postgres.create_database("benchmark")
        await migrate("nutrition", url)
        app = create_app(Settings(subgraph="nutrition", database_url=url, jwt_secret=SECRET, log_level="ERROR"))
        await _load(app)
        gc.collect()
        gc.freeze()
        gc.set_threshold(20_000, 20, 50)  # as the application's lifespan does
        for name, (query, variables) in _operations().items():
            microseconds, size = await _time(app, orjson.dumps({"query": query, "variables": variables}), rounds)
            print(f"{name:16} {microseconds:8.0f} us {size:8} B")
        await close_resources(app.resources)
    finally:
        postgres.stop()


def _operations() -> dict[str, tuple[str, Mapping[str, Any]]]:
    body = {"weightKg": 85, "heightCm": 180, "ageYears": 35, "sex": "MALE", "activityLevel": "MODERATE"}
    person = [{"__typename": "User", "id": PERSON, "physiology": body}]
    foods = [{"__typename": "Food", "id": food["id"]} for food in read_foods()[:50]]
    return {
        "nothing": ("{ __typename }", {}),
        "1 entity": (FOODS, {"r": foods[:1]}),
        "50 entities": (FOODS, {"r": foods}),
        "a search": ('{ foods(search: "greek yoghurt") { edges { node { id name brand } } } }', {}),
        "a diary day": (DIARY_DAY, {"r": person, "day": "2026-03-03"}),
        "a week's meals": (WEEK, {"r": person}),
    }


async def _load(app: SubgraphApp) -> None:
    demo = read_demo()
    ids = {food["name"]: food["id"] for food in demo["foods"]}
    meals = [
        NewMeal(
            slot=MealSlot(meal["slot"]),
            at=datetime.fromisoformat(f"2026-03-0{day}T{meal['time']}:00+00:00"),
            items=[ItemDraft(ids[name], Decimal(str(grams))) for name, grams in meal["items"]],
            idempotency_key=f"{day} {meal['slot']}",
        )
        for day in range(1, 8)
        for meal in demo["john"]["meals"]
    ]
    async with app.resources.database.transaction() as transaction:
        now = datetime.now(UTC)
        await load_foods(transaction, [*demo["foods"], *read_foods()], now)
        await load_meals(transaction, PersonRecord(PERSON, "Some Body", "UTC", 0), meals, now)


async def _time(app: SubgraphApp, body: bytes, rounds: int) -> tuple[float, int]:
    """(microseconds an answer, its bytes), after a warm-up. Raises ValueError for an answer with errors."""
    answer = b""
    for _ in range(20):
        answer = await _ask(app, body)
    if b'"errors"' in answer:
        raise ValueError(answer.decode())
    started = time.perf_counter()
    for _ in range(rounds):
        await _ask(app, body)
    return (time.perf_counter() - started) / rounds * 1e6, len(answer)


async def _ask(app: SubgraphApp, body: bytes) -> bytes:
    sent: list[Any] = []

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": body, "more_body": False}

    async def send(message: Any) -> None:
        await asyncio.sleep(0)
        sent.append(message)

    authorization = f"Bearer {_TOKEN}".encode()
    headers = [(b"content-type", b"application/json"), (b"authorization", authorization)]
    await app({"type": "http", "method": "POST", "path": "/graphql", "headers": headers}, receive, send)
    answer: bytes = sent[1]["body"]
    return answer


_TOKEN = sign_token(PERSON)

if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=300)
    uvloop.run(main(parser.parse_args().rounds))
