"""Unknown barcodes are looked up at Open Food Facts: over real HTTP, at a server that answers as its API (v2) does, with our products."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any

import pytest
from aiohttp import web

from subgraphs.nutrition.commands.catalogue import drop_source
from subgraphs.nutrition.commands.product_lookup import KEPT_SECONDS, ProductLookup, product_lookup_of
from subgraphs.nutrition.domain.food_source import BulkSource
from subgraphs.nutrition.domain.gtin import check_digit
from subgraphs.nutrition.loaders import NutritionLoaders
from subgraphs.nutrition.schema import schema
from tests.testkit.servers import Postgres
from tests.testkit.subgraph import SubgraphUnderTest, subgraph_under_test

ASK = "query ($gtin: String!) { foodByBarcode(gtin: $gtin) { id name brand source attribution { licence url } } }"
NUTRIMENTS = {"energy-kcal_100g": 358, "proteins_100g": 10, "carbohydrates_100g": 60, "fat_100g": 8.5}


def barcode(number: int) -> str:
    """A GTIN-13 for use within shops."""
    digits = f"2{number:011}"
    return f"{digits}{check_digit(digits)}"


@dataclass
class OpenFoodFacts:
    """Answers as the API does; `asked` are the requests, `fails` makes it answer otherwise."""

    products: dict[str, dict[str, Any]] = field(default_factory=dict)
    asked: list[web.Request] = field(default_factory=list)
    status: int = 200
    body: str | None = None
    waits_seconds: float = 0.0

    async def answer(self, request: web.Request) -> web.Response:
        self.asked.append(request)
        await asyncio.sleep(self.waits_seconds)
        code = request.match_info["code"]
        if self.body is not None or self.status != 200:
            return web.Response(status=self.status, text=self.body or "")
        product = self.products.get(code)
        if product is None:
            told = {"code": code, "status": 0, "status_verbose": "product not found"}
            return web.json_response(told, status=404)
        return web.json_response({"code": code, "status": 1, "status_verbose": "product found", "product": product})


@asynccontextmanager
async def serving(facts: OpenFoodFacts) -> AsyncIterator[str]:
    application = web.Application()
    application.router.add_get("/api/v2/product/{code}", facts.answer)
    runner = web.AppRunner(application)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    try:
        host, port = runner.addresses[0][:2]
        yield f"http://{host}:{port}"
    finally:
        await runner.cleanup()


@dataclass
class Shop:
    subgraph: SubgraphUnderTest
    facts: OpenFoodFacts
    seconds: float = 0.0

    async def scan(self, gtin: str, viewer: str | None = "shopper") -> dict[str, Any] | None:
        found: dict[str, Any] | None = (await self.subgraph.data(ASK, viewer, {"gtin": gtin}))["foodByBarcode"]
        return found

    @property
    def lookup(self) -> ProductLookup:
        lookup = product_lookup_of(self.subgraph.resources)
        assert lookup is not None
        return lookup


@pytest.fixture(scope="module")
async def subgraph(postgres: Postgres) -> AsyncIterator[SubgraphUnderTest]:
    url = postgres.create_database("product_lookup")
    async with subgraph_under_test("nutrition", url, schema, NutritionLoaders) as each:
        yield each


@pytest.fixture
async def shop(subgraph: SubgraphUnderTest) -> AsyncIterator[Shop]:
    facts = OpenFoodFacts()
    resources = subgraph.resources
    before = resources.settings
    async with serving(facts) as url:
        resources.own.clear()
        resources.settings = replace(
            before,
            open_food_facts_url=url,
            open_food_facts_contact="ops@fittracker.example",
            open_food_facts_timeout_seconds=0.5,
            open_food_facts_per_minute=5,
        )
        shop = Shop(subgraph, facts)
        shop.lookup.clock = lambda: shop.seconds
        yield shop
    resources.settings = before
    resources.own.clear()


async def test_a_product_is_looked_up_once_and_kept_with_its_licence(shop: Shop) -> None:
    gtin = barcode(1)
    shop.facts.products[gtin] = {"product_name": "Morgenmüsli", "brands": "Mühle", "nutriments": NUTRIMENTS}
    food = await shop.scan(gtin)
    assert food is not None
    assert (food["name"], food["brand"], food["source"]) == ("Morgenmüsli", "Mühle", "OPEN_FOOD_FACTS")
    assert "ODbL" in food["attribution"]["licence"]
    assert food["attribution"]["url"].endswith(f"/product/{gtin}")
    assert await shop.scan(gtin, "somebody else") == food
    assert await shop.scan(gtin, None) == food
    (request,) = shop.facts.asked
    agent = request.headers["user-agent"]
    assert agent.startswith("FitTrackerPro/")
    assert agent.endswith("(ops@fittracker.example)")
    assert "nutriments" in request.query["fields"]
    found = await shop.subgraph.data('{ foods(search: "morgenmusli") { nodes { id } } }', None)
    assert found["foods"]["nodes"] == [{"id": food["id"]}]


async def test_an_unknown_barcode_is_asked_for_again_only_after_a_while(shop: Shop) -> None:
    gtin = barcode(2)
    assert [await shop.scan(gtin) for _ in range(3)] == [None] * 3
    assert len(shop.facts.asked) == 1
    shop.facts.products[gtin] = {"product_name": "Late comer", "nutriments": NUTRIMENTS}
    shop.seconds += KEPT_SECONDS
    food = await shop.scan(gtin)
    assert food is not None
    assert food["name"] == "Late comer"
    assert len(shop.facts.asked) == 2


async def test_a_product_without_its_numbers_is_no_food_and_is_not_asked_for_again(shop: Shop) -> None:
    gtin = barcode(3)
    shop.facts.products[gtin] = {"product_name": "Riddle", "nutriments": {}}
    assert await shop.scan(gtin) is None
    assert await shop.scan(gtin) is None
    assert len(shop.facts.asked) == 1


async def test_many_who_scan_one_barcode_at_once_are_one_request(shop: Shop) -> None:
    gtin = barcode(4)
    shop.facts.products[gtin] = {"product_name": "Offer of the day", "nutriments": NUTRIMENTS}
    shop.facts.waits_seconds = 0.1
    foods = await asyncio.gather(*(shop.scan(gtin, f"shopper-{number}") for number in range(20)))
    assert {food["name"] for food in foods if food} == {"Offer of the day"}
    assert len(foods) == 20
    assert len(shop.facts.asked) == 1


async def test_a_minute_has_so_many_requests(shop: Shop) -> None:
    gtins = [barcode(100 + number) for number in range(8)]
    assert [await shop.scan(gtin) for gtin in gtins] == [None] * 8
    assert len(shop.facts.asked) == 5
    shop.seconds += 61
    await shop.scan(gtins[-1])  # was not asked, and so is not known to be unknown
    assert len(shop.facts.asked) == 6


@pytest.mark.parametrize(
    ("status", "body", "waits_seconds"),
    [
        (500, "", 0.0),
        (429, "", 0.0),
        (200, "<html>", 0.0),
        (200, "[]", 0.0),
        (200, "x" * 2_000_000, 0.0),
        (200, None, 2.0),
    ],
)
async def test_what_fails_is_nothing_found_and_rests_for_a_moment(
    shop: Shop, status: int, body: str | None, waits_seconds: float
) -> None:
    gtin = barcode(200)
    shop.facts.status, shop.facts.body, shop.facts.waits_seconds = status, body, waits_seconds
    assert await shop.scan(gtin) is None
    assert await shop.scan(barcode(201)) is None
    assert len(shop.facts.asked) == 1
    shop.facts.status, shop.facts.body, shop.facts.waits_seconds = 200, None, 0.0
    shop.seconds += 31
    assert await shop.scan(gtin) is None
    assert len(shop.facts.asked) == 2


async def test_nobody_and_what_is_switched_off_ask_for_nothing(shop: Shop) -> None:
    assert await shop.scan(barcode(5), None) is None
    shop.subgraph.resources.own.clear()
    shop.subgraph.resources.settings = replace(shop.subgraph.resources.settings, open_food_facts_url=None)
    assert await shop.scan(barcode(5)) is None
    assert shop.facts.asked == []


async def test_another_kind_of_product_is_no_food(shop: Shop) -> None:
    shop.facts.status = 302
    assert await shop.scan(barcode(6)) is None
    assert await shop.scan(barcode(7)) is None
    assert len(shop.facts.asked) == 2


async def test_its_foods_are_dropped_as_a_whole_and_no_others(shop: Shop) -> None:
    gtin = barcode(8)
    shop.facts.products[gtin] = {"product_name": "Short stay", "nutriments": NUTRIMENTS}
    assert await shop.scan(gtin) is not None
    database = shop.subgraph.database
    assert await drop_source(database, BulkSource.USDA_BRANDED, datetime.now(UTC)) == 0
    assert await drop_source(database, BulkSource.OPEN_FOOD_FACTS, datetime.now(UTC)) >= 1
    assert await shop.scan(gtin, None) is None
