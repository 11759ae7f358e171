"""Databases of products: loaded by COPY, told again, dropped; found beside the composition tables at a bounded price."""

import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from deploy.food_sources.load import Report, load_file_set
from deploy.food_sources.synthetic import records
from deploy.sample_data import read_everyday, read_foods, read_own_foods
from deploy.terminal import Terminal
from subgraphs.nutrition.commands.catalogue import drop_source, finish_load
from subgraphs.nutrition.commands.food_index import renew_food_index
from subgraphs.nutrition.domain.food_source import BulkSource
from subgraphs.nutrition.loaders import NutritionLoaders
from subgraphs.nutrition.queries.food import FoodFilter, foods_by_name
from subgraphs.nutrition.queries.food_search import search_foods
from subgraphs.nutrition.sample_data import load_foods
from subgraphs.nutrition.schema import schema
from subgraphs.shell.keyset import KeysetList
from subgraphs.shell.search.store import MOST_FOUND, MOST_OF_BANDS
from tests.testkit.explained import ExplainingReader
from tests.testkit.judged_search import assert_held, misses, read_judgements
from tests.testkit.servers import Postgres
from tests.testkit.subgraph import SubgraphUnderTest, subgraph_under_test

PRODUCTS = 9_000
FOOD = "query ($gtin: String!) { foodByBarcode(gtin: $gtin) { id name version source attribution { publisher licence licenceUrl url } } }"


@pytest.fixture(scope="module")
async def market(postgres: Postgres, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[SubgraphUnderTest]:
    """The composition tables, and more made-up products than these have foods."""
    foods = [*read_own_foods(), *read_foods()]
    names = read_everyday("foods")
    url = postgres.create_database("food_products")
    async with subgraph_under_test("nutrition", url, schema, NutritionLoaders) as subgraph:
        async with subgraph.database.transaction() as connection:
            await load_foods(
                connection, foods, datetime.now(UTC), [food["id"] for food in foods if food["name"] in names]
            )
        await load(subgraph, tmp_path_factory.mktemp("market"), list(records(PRODUCTS, seed=3)))
        yield subgraph


async def load(subgraph: SubgraphUnderTest, folder: Path, told: list[dict[str, Any]]) -> Report:
    path = folder / "foods.json"
    path.write_text(json.dumps({"BrandedFoods": told}), encoding="utf-8")
    scratch = folder / f"scratch-{len(list(folder.iterdir()))}"
    scratch.mkdir()
    return await load_file_set([path], subgraph.database.url, scratch, Terminal())


async def count(subgraph: SubgraphUnderTest, statement: str) -> int:
    async with subgraph.database.reading() as connection:
        return int((await connection.execute(text(statement))).scalar_one())


async def test_a_load_told_again_writes_nothing_and_one_that_differs_only_that(
    nutrition: SubgraphUnderTest, tmp_path: Path
) -> None:
    told = list(records(300, seed=1))
    first = await load(nutrition, tmp_path, told)
    assert first.added + first.refused.total() == 300
    assert first.refused.total() > 0
    state = "SELECT hashtextextended(string_agg(id || xmin || version, ',' ORDER BY id), 0) FROM food"
    before = await count(nutrition, state)
    second = await load(nutrition, tmp_path, told)
    assert (second.added, second.changed, second.unchanged) == (0, 0, first.added)
    assert await count(nutrition, state) == before  # not one row was written

    good = told[0]
    changed = [{**good, "description": "CLOUDBERRY WAFERS", "publicationDate": "2/2/2026"}, *told[1:]]
    third = await load(nutrition, tmp_path, changed)
    assert (third.added, third.changed, third.unchanged) == (0, 1, first.added - 1)
    food = (await nutrition.data(FOOD, None, {"gtin": good["gtinUpc"]}))["foodByBarcode"]
    assert (food["name"], food["version"], food["source"]) == ("Cloudberry wafers", 2, "USDA_BRANDED")
    assert food["attribution"]["licence"] == "CC0 1.0"
    found = await nutrition.data('{ foods(search: "cloudberry waf") { nodes { id } } }', None)
    assert found["foods"]["nodes"] == [{"id": food["id"]}]


async def test_a_dropped_source_leaves_the_catalogue_and_diaries_keep_what_was_eaten(
    nutrition: SubgraphUnderTest, tmp_path: Path
) -> None:
    await drop_source(nutrition.database, BulkSource.USDA_BRANDED, datetime.now(UTC))  # of the other tests
    told = list(records(40, seed=9))
    await load(nutrition, tmp_path, told)
    nodes = await nutrition.data(
        '{ foods(search: "pizza bread yogurt cheese milk") { nodes { id name source } } }', None
    )
    eaten = next(node for node in nodes["foods"]["nodes"] if node["source"] == "USDA_BRANDED")
    log = (
        "mutation ($id: ID!) { logMeal(input: {slot: SNACK, items: [{foodId: $id, grams: 50}]})"
        " { meal { id } userErrors { code } } }"
    )
    meal = (await nutrition.data(log, "eater", {"id": eaten["id"]}))["logMeal"]["meal"]
    await nutrition.data(
        "mutation ($id: ID!) { setFavouriteFood(input: {foodId: $id, isFavourite: true}) { food { id } } }",
        "eater",
        {"id": eaten["id"]},
    )

    own_before = await count(nutrition, "SELECT count(*) FROM food WHERE source <> 'USDA_BRANDED'")
    dropped = await drop_source(nutrition.database, BulkSource.USDA_BRANDED, datetime.now(UTC))
    await finish_load(nutrition.database)
    assert dropped > 30
    assert await count(nutrition, "SELECT count(*) FROM food WHERE digest IS NOT NULL") == 0
    assert await count(nutrition, "SELECT count(*) FROM food WHERE source <> 'USDA_BRANDED'") == own_before
    assert (
        await count(nutrition, "SELECT count(*) FROM search_entry JOIN food USING (id) WHERE source = 'USDA_BRANDED'")
        == 0
    )
    ask = "query ($id: ID!) { meal(id: $id) { items { foodName grams food { id } } } }"
    kept = await nutrition.data(ask, "eater", {"id": meal["id"]})
    assert kept["meal"]["items"] == [{"foodName": eaten["name"], "grams": 50.0, "food": None}]
    assert (await nutrition.data("query ($id: ID!) { food(id: $id) { id } }", "eater", {"id": eaten["id"]}))[
        "food"
    ] is None

    again = await load(nutrition, tmp_path, told)
    assert (again.added, again.changed) == (dropped - 1, 1)
    back = await nutrition.data("query ($id: ID!) { food(id: $id) { name } }", "eater", {"id": eaten["id"]})
    assert back["food"] == {"name": eaten["name"]}


@pytest.mark.parametrize("judged", ["food_queries", "brand_queries"])
async def test_among_products_people_find_what_they_mean(market: SubgraphUnderTest, judged: str) -> None:
    async with market.database.reading() as connection:

        async def names(words: str) -> list[str]:
            found = (await search_foods(connection, [words], FoodFilter(viewer_id="somebody")))[words]
            return [each.name for each in found]

        judgements = read_judgements(judged)
        assert_held(judgements, *await misses(judgements, names))


async def test_a_product_is_found_by_its_name_and_maker(market: SubgraphUnderTest) -> None:
    told = next(each for each in records(PRODUCTS, seed=3) if each["gtinUpc"])
    food = (await market.data(FOOD, None, {"gtin": told["gtinUpc"]}))["foodByBarcode"]
    words = f"{told['brandOwner']} {food['name']}"
    nodes = await market.data(
        "query ($w: String!) { foods(search: $w, first: 5) { nodes { name } } }", None, {"w": words}
    )
    assert food["name"] in [node["name"] for node in nodes["foods"]["nodes"]]


@pytest.mark.parametrize(
    "words", ["ch", "bread", "cheese", "chocolate yogurt", "organic", "o", "yogurrt", "bel foods milk"]
)
async def test_a_search_among_products_reads_what_it_may_show(market: SubgraphUnderTest, words: str) -> None:
    async with market.database.reading() as connection:
        reader = ExplainingReader(connection)
        await search_foods(reader, [words], FoodFilter(viewer_id="somebody"))
    for each in reader.explained:
        assert each.whole_tables <= {"search_word"}, each
        assert each.rows_read <= 2 * MOST_FOUND + MOST_OF_BANDS + 20, each
    if len(words) == 2:
        assert len(reader.explained) == 1


@pytest.mark.parametrize("category", ["BABY_FOOD", "FAT", "SWEET"])
async def test_a_search_of_a_kind_reads_foods_of_that_kind(market: SubgraphUnderTest, category: str) -> None:
    async with market.database.reading() as connection:
        reader = ExplainingReader(connection)
        wanted = FoodFilter("somebody", category=category)
        await search_foods(reader, ["organic chocolate"], wanted)
        fitting = text(
            "SELECT count(*) FROM search_entry JOIN food USING (id)"
            " WHERE category = :category AND words @> ARRAY['organic', 'chocolate']"
        )
        matches = (await connection.execute(fitting, {"category": category})).scalar_one()
    first = reader.explained[0]
    assert first.whole_tables <= {"food"}, first
    assert first.rows_read <= 2 * matches + 20, first  # its entry, and the food that says its kind


async def test_pages_of_a_kind_read_the_rows_of_the_page(market: SubgraphUnderTest) -> None:
    page = KeysetList("foods", "", (str, str)).page(20, None, None, None)
    async with market.database.reading() as connection:
        for category in ("BABY_FOOD", "FAT", None):
            reader = ExplainingReader(connection)
            (foods,) = (await foods_by_name(reader, [FoodFilter("somebody", category=category)], page)).values()
            (explained,) = reader.explained
            assert len(foods) == page.limit
            assert explained.rows_read <= 3 * page.limit, explained


async def test_products_are_indexed_anew_by_other_rules_once_each(market: SubgraphUnderTest) -> None:
    async with market.database.transaction() as connection:
        statement = text(
            "UPDATE search_entry SET index_version = 0 WHERE id IN (SELECT id FROM food WHERE source = 'USDA_BRANDED'"
            " ORDER BY id LIMIT 1200)"
        )
        await connection.execute(statement)
    assert await renew_food_index(market.database) == 1200
