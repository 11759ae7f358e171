"""`fittracker up` while somebody edits the subgraphs: requests, a live subscription and GraphiQL go through it."""

from __future__ import annotations

import asyncio
import os
import shutil
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from playwright.async_api import Page, expect

from tests.e2e.test_graphiql import PATIENCE_MILLISECONDS, page, run, write
from tests.testkit.running_stack import ROOT, RunningStack, eventually, running_stack, subscribed

__all__ = ["page"]

ROOMS = ("deploy", "events", "loaders", "router", "schema", "subgraphs")
OF_FOUR = """{ me {
  displayName day { mealsLogged } meals(first: 1) { edges { node { id } } } workouts(first: 1) { edges { node { id } } }
} }"""
DRINK = "mutation { logWater(input: { amountMl: 10 }) { userErrors { message } } }"
LIVE = "subscription { dailySummaryChanged { waterMl user { displayName } } }"
LITRES = "{ dailySummary { litres } }"
DIARY = '    @strawberry.field(description="The meals behind the numbers.")\n'


@pytest.fixture(scope="module")
def code(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the rooms, to be changed."""
    folder = tmp_path_factory.mktemp("code")
    for room in ROOMS:
        shutil.copytree(ROOT / room, folder / room, ignore=shutil.ignore_patterns("node_modules"))
    return folder


@pytest.fixture(scope="module")
async def edited_stack(code: Path, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[RunningStack]:
    data = tmp_path_factory.mktemp("edited") / "data"
    async with running_stack(data, "--no-sample-data", code=code) as stack:
        log = stack.directory.logs / "stack.log"

        async def code_is_followed() -> bool:
            return log.exists() and "follows the subgraphs' code" in log.read_text()

        await eventually(code_is_followed)
        await asyncio.sleep(0.5)
        yield stack


@contextmanager
def changed(file: Path, old: str, new: str) -> Iterator[None]:
    """The file with other text in one place, until the block ends."""
    original = file.read_text()
    assert old in original
    file.write_text(original.replace(old, new, 1))
    try:
        yield
    finally:
        file.write_text(original)


@asynccontextmanager
async def constantly(ask: Callable[[], Awaitable[Any]], *, pause: float = 0.0) -> AsyncIterator[list[Any]]:
    """Asks again and again until the block ends: every answer, or the error in its place."""
    answers: list[Any] = []
    is_over = asyncio.Event()

    async def go_on() -> None:
        while not is_over.is_set():
            try:
                answers.append(await ask())
            except (aiohttp.ClientError, OSError, ValueError) as error:
                answers.append(error)
            await asyncio.sleep(pause)

    task = asyncio.create_task(go_on())
    try:
        yield answers
    finally:
        is_over.set()
        await task


@pytest.mark.timeout(400)
async def test_code_changes_twice_under_load_and_no_client_notices(edited_stack: RunningStack, code: Path) -> None:
    person = await edited_stack.register(displayName="Dev Elopa")
    analytics, nutrition = code / "subgraphs/analytics/api/summary.py", code / "subgraphs/nutrition/api/meal.py"

    async def litres_are_answered() -> bool:
        return "errors" not in await person.ask(LITRES)

    async def both_are_replaced() -> bool:
        pids = edited_stack.state.pids
        return all(pids.get(name, pid) != pid for name, pid in between.items())

    async with subscribed(person, LIVE) as events:
        async with (
            constantly(lambda: person.ask(OF_FOUR), pause=0.02) as some,
            constantly(lambda: person.ask(OF_FOUR), pause=0.02) as others,
            constantly(lambda: person.ask(DRINK), pause=0.5) as drinks,
        ):
            litres = "    @strawberry.field\n    def litres(self) -> float:\n        return self.water_ml / 1000\n\n"
            with changed(analytics, DIARY, litres + DIARY):
                await eventually(litres_are_answered, seconds=90)
                between = {name: edited_stack.state.pids[name] for name in ("analytics", "nutrition")}
            nutrition.write_text(nutrition.read_text() + "\n# changed\n")
            await eventually(both_are_replaced, seconds=90)
            await asyncio.sleep(0.5)
        refused = [each for each in some + others + drinks if not isinstance(each, dict) or "errors" in each]
        assert refused == []
        assert len(some + others) > 100
        drunk = sum(not each["data"]["logWater"]["userErrors"] for each in drinks)  # a day has room for a hundred
        assert drunk > 10
        assert (await person.ask(LITRES))["errors"][0]["extensions"]["code"] == "GRAPHQL_VALIDATION_FAILED"

        async with asyncio.timeout(150):  # a consumer that the broker forgot begins anew after twenty seconds
            while True:
                message = await events.get()
                assert (message["type"], message["payload"].get("errors")) == ("next", None), message
                if message["payload"]["data"]["dailySummaryChanged"] == {
                    "waterMl": 10 * drunk,
                    "user": {"displayName": "Dev Elopa"},
                }:
                    break


@pytest.mark.timeout(300)
async def test_graphiql_tells_what_does_not_compose_until_it_does(
    edited_stack: RunningStack, code: Path, page: Page
) -> None:
    person = await edited_stack.register(displayName="Graphi Cal")
    nutrition = code / "subgraphs/nutrition/api/user.py"
    await page.goto(edited_stack.state.router_url)
    await page.click('button:has-text("Headers")')
    await write(page, '[data-uri$="headers.json"]', f'{{"Authorization": "Bearer {person.access_token}"}}')
    banner, results = page.locator(".router-banner"), page.locator(".result-window")

    with changed(nutrition, "    display_name: str = ", "    email: int = 0\n    display_name: str = "):
        await expect(banner).to_contain_text("[FIELD_TYPE_MISMATCH]", timeout=PATIENCE_MILLISECONDS)
        await expect(banner).to_contain_text("User.email")
        await run(page, "{ me { displayName day { mealsLogged } } }")
        await expect(results).to_contain_text('"displayName": "Graphi Cal"', timeout=PATIENCE_MILLISECONDS)
        await expect(results).to_contain_text('"mealsLogged": 0')
        if picture := os.environ.get("SCREENSHOT"):
            await page.screenshot(path=picture)
    await expect(banner).to_have_count(0, timeout=PATIENCE_MILLISECONDS)
