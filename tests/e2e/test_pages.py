"""GraphiQL, the console and the demo of a whole stack in a real browser: on a desktop and a phone, in light and dark.

And what the README and the recipes have a reader type, over the same stack.
"""

from __future__ import annotations

import asyncio
import json
import os
import re
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from urllib.parse import quote

import pytest
from playwright.async_api import Page, expect

from tests.testkit.browser import WatchedPage, watched_page
from tests.testkit.running_stack import ROOT, RunningStack, eventually, running_stack

DESKTOP, PHONE = (1400, 900), (390, 844)


@pytest.fixture(scope="module")
async def people(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[RunningStack]:
    """A stack with the sample people."""
    async with running_stack(tmp_path_factory.mktemp("people") / "data", "--sample-data") as stack:
        yield stack


def origin_of(stack: RunningStack) -> str:
    return stack.state.router_url.removesuffix("/graphql")


async def is_sound(watched: WatchedPage, stack: RunningStack) -> None:
    """No complaint, nobody else asked, nothing wider than the screen, no serious finding of axe."""
    assert watched.complaints == []
    assert watched.away_from(origin_of(stack)) == set()
    assert await watched.page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    assert await watched.serious_findings() == []


async def picture(page: Page, name: str) -> None:
    """For people to look at: into the folder that SCREENSHOTS names."""
    if folder := os.environ.get("SCREENSHOTS"):
        await page.screenshot(path=f"{folder}/{name}.png", full_page=True)


async def choose(page: Page, label: str, option: str) -> None:
    await page.select_option(f'.page-header label:has-text("{label}") select', label=option)


async def run_sample(page: Page, title: str) -> None:
    await choose(page, "Sample", title)
    await expect(page.locator(".graphiql-query-editor .view-lines")).to_contain_text(
        title.partition(",")[0].replace(" ", "\xa0")
    )
    await page.click(".graphiql-execute-button")


@pytest.mark.timeout(300)
@pytest.mark.parametrize("size", [DESKTOP, PHONE], ids=["desktop", "phone"])
async def test_a_visitor_becomes_john_and_sees_how_his_week_came_about(
    people: RunningStack, size: tuple[int, int]
) -> None:
    async with watched_page(*size) as watched:
        page = watched.page
        await page.goto(people.state.router_url)
        await expect(page.locator(".start-pane")).to_contain_text("Query (")
        await choose(page, "Sign in as", "John Doe")
        await expect(page.locator('.card[aria-pressed="true"]')).to_contain_text("John Doe")
        await run_sample(page, "My week, from four subgraphs")
        await the_week_is_explained(page)
        await is_sound(watched, people)
        await picture(page, f"graphiql-{size[0]}-light")

        await page.emulate_media(color_scheme="dark")
        await page.goto(people.state.router_url)  # who was signed in, and the operation, are still there
        await expect(page.locator(".graphiql-query-editor .view-lines")).to_contain_text("MyWeek")
        await page.click(".graphiql-execute-button")
        await the_week_is_explained(page)
        await is_sound(watched, people)
        await picture(page, f"graphiql-{size[0]}-dark")


async def the_week_is_explained(page: Page) -> None:
    """Four fetches, of which the one to nutrition shows what was sent."""
    await expect(page.locator(".result-window")).to_contain_text("John\xa0Doe")
    rows = page.locator("button.waterfall-row")
    await expect(rows).to_have_count(4)
    await rows.filter(has_text="nutrition").click()
    await expect(page.locator(".fetch-detail")).to_contain_text("suggestedTarget")
    await expect(page.locator(".fetch-detail")).to_contain_text('"__typename": "User"')


@pytest.mark.timeout(300)
async def test_events_grow_into_a_list_and_refusals_are_told(people: RunningStack) -> None:
    async with watched_page() as watched, watched_page() as other:
        for each, title in ((watched, "The day, live"), (other, "Drink a glass of water")):
            await each.page.goto(people.state.router_url)
            await choose(each.page, "Sign in as", "Jane Smith")
            await expect(each.page.locator('.card[aria-pressed="true"]')).to_contain_text("Jane Smith")
            await run_sample(each.page, title)
        page = watched.page
        await page.click('button[role="tab"]:has-text("Events")')
        # the first glass may be drunk before the stream is open, or after
        for number in (1, 2):
            async with other.page.expect_response(lambda answer: answer.request.method == "POST"):
                await other.page.click(".graphiql-execute-button")
            await expect(page.locator(".events li").nth(number - 1)).to_be_attached()
        await expect(page.locator(".event-number").last).to_have_text("#1")  # the newest come first
        await expect(page.locator(".events pre").first).to_contain_text("Jane Smith")

        await run_sample(other.page, "What a refusal looks like")
        await expect(other.page.locator(".result-window")).to_contain_text("amountMl")
        await choose(other.page, "Sign in as", "nobody")
        await run_sample(other.page, "My week, from four subgraphs")
        await other.page.click('button[role="tab"]:has-text("Refused")')
        await expect(other.page.locator(".refused")).to_contain_text("UNAUTHENTICATED")
        assert watched.complaints == other.complaints == []


@pytest.mark.timeout(300)
async def test_an_address_holds_an_operation_and_headers_stay(people: RunningStack) -> None:
    async with watched_page() as watched:
        page = watched.page
        query = quote("query Linked($n: String!) { __type(name: $n) { kind } }")
        variables = quote('{"n": "Meal"}')
        await page.goto(f"{people.state.router_url}?query={query}&variables={variables}&operationName=Linked")
        await expect(page.locator(".graphiql-query-editor .view-lines")).to_contain_text("Linked")
        await page.click(".graphiql-execute-button")
        await expect(page.locator(".result-window")).to_contain_text("OBJECT")
        await page.click('button:has-text("Headers")')
        await page.click('[data-uri$="headers.json"]')
        await page.keyboard.insert_text('{"x-kept": "1"}')
        kept = "localStorage.getItem('graphiql:headers')?.includes('x-kept') ?? false"
        await eventually(lambda: page.evaluate(kept), seconds=60)
        await page.goto(people.state.router_url)
        await expect(page.locator('[data-uri$="headers.json"]')).to_contain_text("x-kept")
        await page.click('button[aria-label="Show GraphiQL Explorer"]')
        await expect(page.locator(".docExplorerWrap")).to_contain_text("exercises")
        assert watched.complaints == []


@pytest.mark.timeout(300)
@pytest.mark.parametrize("size", [DESKTOP, PHONE], ids=["desktop", "phone"])
async def test_the_console_shows_parts_traffic_events_and_the_graph(
    people: RunningStack, size: tuple[int, int]
) -> None:
    for _ in range(3):
        await people.post({"query": "query ForTheConsole { exercises(first: 2) { edges { node { name } } } }"})
        await people.post({"query": "{ noSuchField }"})
    async with watched_page(*size) as watched:
        page = watched.page
        await page.goto(f"{origin_of(people)}/")
        parts = page.locator('section[aria-label="Parts"]')
        for name in ("postgres", "broker", "users", "router"):
            await expect(parts.locator(f'tr:has(th:text-is("{name}")) .state')).to_have_text("up")
        await expect(page.locator('section[aria-label="Operations"]')).to_contain_text("ForTheConsole")
        await expect(page.locator('section[aria-label^="Errors"] .chart canvas')).to_be_visible()
        await expect(page.locator(".flow")).to_contain_text("outbox nutrition")
        await page.click('g[aria-label="Entity User"]')
        await expect(page.locator(".picture-detail")).to_contain_text("suggestedTarget")
        await parts.locator('tr:has(th:text-is("router")) button').click()
        await expect(page.locator(".log")).to_contain_text("supergraph_loaded")
        await page.locator(".slow summary").first.click()
        await expect(page.locator(".slow .waterfall").first).to_be_visible()
        for scheme in ("light", "dark"):
            await page.emulate_media(color_scheme="dark" if scheme == "dark" else "light")
            await is_sound(watched, people)
            await picture(page, f"console-{size[0]}-{scheme}")


@pytest.mark.timeout(300)
@pytest.mark.parametrize("size", [DESKTOP, PHONE], ids=["desktop", "phone"])
async def test_johns_week_is_two_clicks_away_in_the_demo(people: RunningStack, size: tuple[int, int]) -> None:
    async with watched_page(*size) as watched:
        page = watched.page
        await page.goto(f"{origin_of(people)}/demo")
        await page.get_by_role("button", name="John Doe").wait_for()
        await is_sound(watched, people)
        await picture(page, f"demo-sign-in-{size[0]}")
        await page.get_by_role("button", name="John Doe").click()
        for name, shown in (
            ("Today", page.get_by_test_id("eaten")),
            ("Diary", page.get_by_test_id("total")),
            ("Workout", page.locator('section[aria-label="Workouts before"]')),
            ("Weight", page.locator(".goal-name")),
            ("Week", page.locator(".week-chart")),
            ("Coaching", page.locator('section[aria-label="Readers"] li')),
        ):
            await page.click(f'nav a:has-text("{name}")')
            await expect(shown).to_be_visible()
            for scheme in ("light", "dark"):
                await page.emulate_media(color_scheme="dark" if scheme == "dark" else "light")
                await is_sound(watched, people)
                await picture(page, f"demo-{name.lower()}-{size[0]}-{scheme}")
        await page.click("header a.who")
        await expect(page.locator('section[aria-label="Account"]')).to_contain_text("john.doe@example.com")
        for scheme in ("light", "dark"):
            await page.emulate_media(color_scheme="dark" if scheme == "dark" else "light")
            await is_sound(watched, people)
            await picture(page, f"demo-settings-{size[0]}-{scheme}")
        await page.click('a:has-text("Endpoints and what was sent")')
        await expect(page.get_by_role("list", name="Deliveries").first).to_be_visible()
        await is_sound(watched, people)
        await picture(page, f"demo-webhooks-{size[0]}-dark")
        await page.click('nav a:has-text("Week")')
        await page.click('a[aria-label="The week before"]')  # of a week that begins today no day is over
        compared = page.locator('section[aria-label="Compared with the week before"]')
        await expect(compared.locator('tr:has-text("Eaten, kcal")')).to_contain_text(re.compile(r"[\d,]+.*%|steady"))
        await expect(page.locator('section[aria-label="Achievements"]')).to_contain_text("30 days in a row with a meal")
        await page.click('button:has-text("Sign out")')
        await page.get_by_role("button", name="Sarah").click()  # who coaches John
        await page.click('nav a:has-text("Coaching")')
        await page.click('section[aria-label="Clients"] a:has-text("John Doe")')
        for section in ("Days", "Training"):
            await expect(page.locator(f'section[aria-label="{section}"]')).to_be_visible()
        await is_sound(watched, people)
        await picture(page, f"demo-client-{size[0]}-dark")


@pytest.mark.timeout(300)
async def test_every_link_of_the_terminals_panel_leads_to_a_page(people: RunningStack) -> None:
    log = people.directory.path.with_name(f"{people.directory.path.name}.up.log").read_text(encoding="utf-8")
    steps, _, panel = log.partition("FitTracker Pro is up")
    assert {line[0] for line in steps.splitlines()} == {"✓", "╭"}, (
        "a start that goes well shows its steps and nothing else"
    )
    links = re.findall(r"https?://[^\s│]+", panel.partition("╰")[0])
    assert len(links) == 3
    for link in links:
        async with people.session.get(link, headers={"accept": "text/html"}) as response:
            assert (link, response.status, response.content_type) == (link, 200, "text/html")


@pytest.mark.timeout(300)
async def test_no_secret_of_the_stack_reaches_the_console(people: RunningStack) -> None:
    secrets = [people.directory.jwt_secret()]
    secrets += [url.split("@")[0].rsplit(":", 1)[1] for url in people.state.environment.values() if "@" in url]
    told = []
    paths = ["state.json", "graph.json", *(f"log/{name}" for name in people.state.ports)]
    for path in paths:
        async with people.session.get(f"{origin_of(people)}/console/{path}") as response:
            told.append(await response.text())
    assert len(secrets) > 1
    assert [secret for secret in secrets if any(secret in each for each in told)] == []


def _blocks(page: Path) -> str:
    """What a page has a reader type into a shell, one block after the other."""
    return "\n".join(re.findall(r"```sh\n(.*?)```", page.read_text(encoding="utf-8"), re.DOTALL))


async def _typed(stack: RunningStack, folder: Path, script: str) -> str:
    """What a shell prints; it stops at the first command that fails. The stack answers where the pages have the usual one."""
    (folder / ".fittracker").symlink_to(stack.directory.path)
    script = script.replace("localhost:8080", origin_of(stack).removeprefix("http://"))
    process = await asyncio.create_subprocess_exec(
        "bash", "-eo", "pipefail", "-c", f'fittracker() {{ "{sys.executable}" -m deploy "$@"; }}\n{script}',
        cwd=folder, env={**os.environ, "PYTHONPATH": str(ROOT)}, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT,
    )  # fmt: skip
    output, _ = await process.communicate()
    assert process.returncode == 0, output.decode()
    return output.decode()


@pytest.mark.timeout(300)
async def test_what_the_readme_has_a_reader_type_answers_as_it_says(people: RunningStack, tmp_path: Path) -> None:
    readme = ROOT / "README.md"
    printed = await _typed(people, tmp_path, _blocks(readme).replace("make up ", ": "))
    promised = re.findall(r"```(?:json)?\n(\{.*?)```", readme.read_text(encoding="utf-8"), re.DOTALL)
    lines = [line for block in promised for line in block.splitlines()]
    assert len(lines) == 4
    assert [part for line in lines for part in _in_any_order(line) if part not in printed] == []


def _in_any_order(line: str) -> list[str]:
    """The line; of a later payload what it tells, for which of two parts comes first is not promised."""
    told = json.loads(line)
    if "incremental" not in told:
        return [line]
    return [json.dumps(each, separators=(",", ":")) for each in told["incremental"]]


@pytest.mark.timeout(300)
async def test_the_recipes_work(people: RunningStack, tmp_path: Path) -> None:
    printed = await _typed(people, tmp_path, _blocks(ROOT / "deploy" / "docs" / "recipes.md"))
    assert '"errors"' not in printed
    meals = re.findall(r'\{"data":\{"logMeal":\{"meal":\{"id":"(meal_[^"]+)"\},"userErrors":\[\]\}\}\}', printed)
    assert len(meals) == 2
    assert meals[0] == meals[1]
    for told in ("event: next", '"queryPlan"', "everything is in", "✓ the stack runs", "outbox users", "A new sign-in"):
        assert told in printed, printed


@pytest.mark.timeout(300)
async def test_a_client_that_works_offline_is_told_what_its_page_says(people: RunningStack, tmp_path: Path) -> None:
    printed = await _typed(people, tmp_path, _blocks(ROOT / "deploy" / "docs" / "offline-first.md"))
    assert '"errors"' not in printed
    first, second, *_ = re.findall(r'"token":"([^"]+)"', printed)
    assert first != second
    made = re.findall(r'\{"logWater":\{"drink":\{"id":"(drink_[^"]+)","version":1\},"userErrors":\[\]\}\}', printed)
    assert len(made) == 2
    assert made[0] == made[1]
    assert '}1\n{"data":{"deleteWater"' in printed  # so many changed since the last page of the first copy
    assert '{"code":"STALE_VERSION","field":"expectedVersion","currentVersion":1}' in printed
    assert f'{{"deletedId":"{made[0]}"}}' in printed
    assert '"code":"CONFLICT","field":"id","message":"What had this id was deleted."' in printed
