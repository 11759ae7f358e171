"""The pictures of README and deploy/docs, taken anew of a stack with the sample people: `make pictures`.

Needs Chromium. They show the day on which they are taken; look at each before it is committed.
"""

from __future__ import annotations

import asyncio
import json
import sys
import tempfile
from datetime import date, timedelta
from pathlib import Path
from typing import Any

from playwright.async_api import Page, expect

from tests.testkit.browser import CHROMIUM, watched_page
from tests.testkit.running_stack import PASSWORD, ROOT, RunningStack, eventually, running_stack

FOLDER = ROOT / "deploy" / "docs"
PICTURES = ("console", "demo-today", "demo-week", "demo-workout", "graphiql", "supergraph")
OPERATIONS = ROOT / "deploy" / "workbench" / "operations"
LOGIN = "mutation ($input: LoginInput!) { login(input: $input) { accessToken } }"
COPY = "mutation ($input: CopyMealInput!) { copyMeal(input: $input) { userErrors { message } } }"
SUMMED = "{ me { days(first: 1) { edges { node { date caloriesConsumed } } } } }"
DRINK = "mutation ($input: LogWaterInput!) { logWater(input: $input) { userErrors { message } } }"
#: What the pointer was on fades.
SETTLED_MILLISECONDS = 500
#: So long is shown of what the console draws.
TRAFFIC_SECONDS = 75
#: What Jane asks: John's pictures stay as his sample data is.
TRAFFIC = ("01-week", "02-diary", "03-foods", "01-week", "04-water", "03-foods", "01-week")


async def take_all() -> None:
    with tempfile.TemporaryDirectory() as folder:
        async with running_stack(Path(folder) / "data", "--sample-data") as stack:
            await _eat(stack)
            await _demo(stack)
            traffic = asyncio.create_task(_use(stack))
            await asyncio.sleep(TRAFFIC_SECONDS)
            await _console(stack)
            traffic.cancel()
            await _graphiql(stack)


async def _eat(stack: RunningStack) -> None:
    """John's sample data end with yesterday; today he has had what he had then, but for dinner."""
    headers = await _signed_in(stack, "john.doe@example.com")

    async def ask(query: str, given: Any) -> Any:
        _, answer = await stack.post({"query": query, "variables": {"input": given}}, **headers)
        assert "errors" not in answer, answer
        return answer["data"]

    today = (await ask("{ me { diaryDay { date } } }", None))["me"]["diaryDay"]["date"]
    yesterday = date.fromisoformat(today) - timedelta(days=1)
    eaten = await ask(f'{{ me {{ diaryDay(date: "{yesterday}") {{ meals {{ id slot }} }} }} }}', None)
    for meal in eaten["me"]["diaryDay"]["meals"]:
        if meal["slot"] != "DINNER":
            await ask(COPY, {"mealId": meal["id"]})
    for amount in (500, 300, 500):
        await ask(DRINK, {"amountMl": amount})

    async def are_summed() -> bool:
        day = (await ask(SUMMED, None))["me"]["days"]["edges"][0]["node"]
        return bool(day["date"] == today and day["caloriesConsumed"] > 0)

    await eventually(are_summed)


async def _signed_in(stack: RunningStack, email: str) -> dict[str, str]:
    given = {"email": email, "password": PASSWORD}
    _, answer = await stack.post({"query": LOGIN, "variables": {"input": given}})
    return {"authorization": f"Bearer {answer['data']['login']['accessToken']}"}


def _origin(stack: RunningStack) -> str:
    return stack.state.router_url.removesuffix("/graphql")


async def _take(page: Page, name: str) -> None:
    await page.mouse.move(0, 0)
    await page.wait_for_timeout(SETTLED_MILLISECONDS)
    await page.screenshot(path=FOLDER / f"{name}.png", animations="disabled")


async def _demo(stack: RunningStack) -> None:
    async with watched_page(390, 690, "dark") as phone, watched_page(1100, 660) as desk:
        for each in (phone, desk):
            await each.page.goto(f"{_origin(stack)}/demo")
            await each.page.get_by_role("button", name="John Doe").click()
            await expect(each.page.get_by_test_id("eaten")).to_be_visible()
        page = phone.page
        await page.click('nav a:has-text("Workout")')
        await page.fill('input[maxlength="100"]', "Leg day")
        await page.click('button:has-text("Start")')
        await page.fill('input[type="search"]', "barbell squat")
        await page.click('.foods button:has(span:text-is("Barbell Squat"))')
        for number, weight in enumerate((60, 65, 75), 1):
            await page.fill('label:has-text("Weight") input', str(weight))
            await page.click('button:has-text("Log the set")')
            await expect(page.get_by_test_id("sets")).to_have_text(str(number))
        await page.click('button:has-text("Another exercise")')
        await expect(page.locator('[role="timer"]')).to_be_visible()  # John rests after each set
        await page.evaluate("scrollTo(0, 0)")
        await _take(page, "demo-workout")

        page = desk.page
        await page.reload()
        await expect(page.locator("main")).to_contain_text("Leg day is under way")
        await expect(page.get_by_test_id("eaten")).not_to_have_text("0")
        await _take(page, "demo-today")
        await page.click('nav a:has-text("Week")')
        await page.click('a[aria-label="The week before"]')  # which is a whole one, whatever day it is
        await expect(page.locator(".numbers").first).to_contain_text("mean of 7")
        await expect(page.locator(".week-chart")).to_be_visible()
        await _take(page, "demo-week")


async def _graphiql(stack: RunningStack) -> None:
    async with watched_page(1360, 840) as watched:
        page = watched.page
        await page.goto(stack.state.router_url)
        await page.select_option('.page-header label:has-text("Sign in as") select', label="John Doe")
        await expect(page.locator('.card[aria-pressed="true"]')).to_contain_text("John Doe")
        await page.select_option('.page-header label:has-text("Sample") select', label="My week, from four subgraphs")
        await expect(page.locator(".graphiql-query-editor .view-lines")).to_contain_text("MyWeek")
        for _ in range(3):  # the plan is known then, as for everybody but the first
            async with page.expect_response(lambda answer: answer.request.method == "POST"):
                await page.click(".graphiql-execute-button")
            await expect(page.locator("button.waterfall-row")).to_have_count(4)
        await page.locator("button.waterfall-row").filter(has_text="nutrition").click()
        await expect(page.locator(".fetch-detail")).to_contain_text("suggestedTarget")
        await expect(page.get_by_text("Signed in as John Doe.")).to_be_hidden()
        await _take(page, "graphiql")


async def _console(stack: RunningStack) -> None:
    """While somebody has the demo open, whose day is followed."""
    async with watched_page(1360, 1130, "dark") as dark, watched_page(1360, 1130) as light, watched_page() as demo:
        await demo.page.goto(f"{_origin(stack)}/demo")
        await demo.page.get_by_role("button", name="Jane Smith").click()
        await expect(demo.page.get_by_test_id("eaten")).to_be_visible()
        for each in (dark, light):
            await each.page.goto(f"{_origin(stack)}/")
            await expect(each.page.locator('section[aria-label="Operations"]')).to_contain_text("MyWeek")
            await expect(each.page.locator('section[aria-label^="Errors"] .chart canvas')).to_be_visible()
        await expect(dark.page.locator('section[aria-label="Parts"]')).to_contain_text("analytics")
        await _take(dark.page, "console")
        page = light.page
        await page.click('g[aria-label="Entity User"]')
        await expect(page.locator(".picture-detail")).to_contain_text("suggestedTarget")
        await page.mouse.move(0, 0)
        await page.locator('section[aria-label="The supergraph"]').screenshot(path=FOLDER / "supergraph.png")


async def _use(stack: RunningStack) -> None:
    """Three operations a second, and now and then one that nobody understands."""
    headers = await _signed_in(stack, "jane.smith@example.com")
    while True:
        for name in TRAFFIC * 3:
            await stack.post(_operation(name), **headers)
            await asyncio.sleep(0.3)
        await stack.post({"query": "{ noSuchField }"}, **headers)


def _operation(name: str) -> dict[str, Any]:
    """A sample of GraphiQL's."""
    variables = OPERATIONS / f"{name}.json"
    return {
        "query": (OPERATIONS / f"{name}.graphql").read_text(encoding="utf-8"),
        "variables": json.loads(variables.read_text(encoding="utf-8")) if variables.exists() else {},
    }


if __name__ == "__main__":
    if CHROMIUM is None:
        sys.exit("needs Chromium (Debian's package `chromium`, or its path in CHROMIUM)")
    asyncio.run(take_all())
