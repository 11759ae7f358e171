"""GraphiQL in a real browser: a header, a query over three subgraphs, a live update, and a refused supergraph."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator

import pytest
from playwright.async_api import Page, expect

from tests.testkit.browser import PATIENCE_MILLISECONDS, watched_page
from tests.testkit.running_router import RunningRouter, StartRouter, router, shop, shop_servers, start_router, token
from tests.testkit.running_stack import PASSWORD, RunningStack

__all__ = ["router", "shop", "shop_servers", "start_router"]


@pytest.fixture
async def page() -> AsyncIterator[Page]:
    async with watched_page() as watched:
        yield watched.page


async def write(page: Page, editor: str, text: str) -> None:
    """Replaces what stands in a Monaco editor, as somebody who pastes."""
    await page.click(editor)
    await page.keyboard.press("Control+A")
    await page.keyboard.press("Delete")
    await page.keyboard.insert_text(text)


async def run(page: Page, operation: str) -> None:
    await write(page, ".graphiql-query-editor .monaco-editor", operation)
    await page.click(".graphiql-execute-button")


async def test_a_visitor_queries_subscribes_and_sees_what_is_wrong(start_router: StartRouter, page: Page) -> None:
    async with start_router(dev=True, watch=True) as router:
        addresses: list[str] = []
        complaints: list[str] = []
        page.on("request", lambda request: addresses.append(request.url))
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("console", lambda message: complaints.append(message.text) if message.type == "error" else None)
        await page.goto(router.url)
        results = page.locator(".result-window")

        await page.click('button:has-text("Headers")')
        await write(page, '[data-uri$="headers.json"]', f'{{"Authorization": "{token("u2")}"}}')
        await run(page, "{ me { name email } products { name inStock owner { name } } }")
        await expect(results).to_contain_text('"email": "u2@example.com"', timeout=PATIENCE_MILLISECONDS)
        await expect(results).to_contain_text('"inStock": 10')
        await expect(page.locator(".waterfall")).to_contain_text('Product.inStock by key "id"')

        await run(page, '{ me { name } ... @defer { user(id: "u1") { name } } products @stream { id } }')
        await expect(results).to_contain_text('"name": "Ann"', timeout=PATIENCE_MILLISECONDS)
        await expect(results).to_contain_text('"id": "2"')

        await run(page, "subscription { ticks(count: 3, pause: 0.2) { n owner { name } } }")
        await expect(results).to_contain_text('"n": 2', timeout=PATIENCE_MILLISECONDS)
        await expect(results).to_contain_text('"name": "Ben"')

        good = router.supergraph.read_text()
        router.supergraph.write_text(good + "\ntype Broken {")
        banner = page.locator(".router-banner")
        await expect(banner).to_contain_text("Syntax Error", timeout=PATIENCE_MILLISECONDS)
        router.supergraph.write_text(good)
        await expect(banner).to_have_count(0, timeout=PATIENCE_MILLISECONDS)

        async with page.expect_request(lambda request: "IntrospectionQuery" in (request.post_data or "")):
            router.supergraph.write_text(good + "\n# a new generation")

        assert {address for address in addresses if not address.startswith((router.origin, "data:"))} == set()
        assert complaints == []


async def test_a_person_signs_in_asks_four_subgraphs_and_sees_a_meal_arrive(stack: RunningStack, page: Page) -> None:
    person = await stack.register(displayName="Graphi Cal")
    await page.goto(stack.state.router_url)
    results = page.locator(".result-window")

    await run(
        page, f'mutation {{ login(input: {{email: "{person.email}", password: "{PASSWORD}"}}) {{ accessToken }} }}'
    )
    await expect(results).to_contain_text("accessToken", timeout=PATIENCE_MILLISECONDS)
    body = await page.evaluate(
        """async ([email, password]) => {
          const query = 'mutation($i: LoginInput!) { login(input: $i) { accessToken } }';
          const answer = await fetch(location.href, {
            method: 'POST', headers: {'content-type': 'application/json'},
            body: JSON.stringify({query, variables: {i: {email, password}}}),
          });
          return await answer.json();
        }""",
        [person.email, PASSWORD],
    )
    bearer = f"Bearer {body['data']['login']['accessToken']}"

    await page.click('button:has-text("Headers")')
    await write(page, '[data-uri$="headers.json"]', f'{{"Authorization": "{bearer}"}}')
    await run(
        page,
        "{ me { displayName recentMeals: meals(first: 1) { edges { node { id } } } "
        "workouts(first: 1) { edges { node { id } } } day { mealsLogged } } }",
    )
    await expect(results).to_contain_text('"displayName": "Graphi Cal"', timeout=PATIENCE_MILLISECONDS)
    await expect(results).to_contain_text('"mealsLogged": 0')

    await run(
        page,
        "subscription { dailySummaryChanged { mealsLogged user { displayName } diary { totals { energyKcal } } } }",
    )
    await page.wait_for_selector('button[aria-label*="Stop"]', timeout=PATIENCE_MILLISECONDS)
    food = await person.data(
        "mutation($input: CreateFoodInput!) { createFood(input: $input) { food { id } } }",
        {
            "input": {
                "name": "Oats of GraphiQL",
                "category": "GRAIN",
                "per100": {"energyKcal": 389, "proteinG": 17, "carbsG": 66, "fatG": 7},
            }
        },
    )
    item = {"foodId": food["createFood"]["food"]["id"], "grams": 100}
    await person.data(
        "mutation($input: LogMealInput!) { logMeal(input: $input) { meal { id } } }",
        {"input": {"slot": "LUNCH", "items": [item]}},
    )
    await expect(results).to_contain_text('"mealsLogged": 1', timeout=PATIENCE_MILLISECONDS)
    await expect(results).to_contain_text('"energyKcal": 389')
    if picture := os.environ.get("SCREENSHOT"):
        await page.screenshot(path=picture)


async def test_the_page_is_not_served_in_production(router: RunningRouter) -> None:
    async with router.session.get(router.url, headers={"accept": "text/html"}) as response:
        assert response.status == 406


async def test_the_scripts_reach_clients_without_gzip_too(start_router: StartRouter) -> None:
    async with start_router(graphiql=True) as router:
        url = f"{router.origin}/pages/graphiql.css"
        async with router.session.get(url, headers={"accept-encoding": "identity"}) as response:
            assert "content-encoding" not in response.headers
            assert b".graphiql-container" in await response.read()
        async with router.session.get(f"{router.origin}/pages/..%2f..%2fapp.py") as response:
            assert response.status == 404
