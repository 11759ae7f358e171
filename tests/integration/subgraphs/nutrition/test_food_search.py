"""Search over the whole catalogue: staples first, other words and spellings, habits, and what a search may cost."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Any

import pytest
from sqlalchemy import text

from deploy.sample_data import read_everyday, read_foods, read_own_foods
from subgraphs.nutrition.commands.food_index import index_foods, renew_food_index
from subgraphs.nutrition.loaders import NutritionLoaders
from subgraphs.nutrition.queries.food import FoodFilter
from subgraphs.nutrition.queries.food_search import search_foods
from subgraphs.nutrition.sample_data import load_foods
from subgraphs.nutrition.schema import schema
from subgraphs.shell.bulk import copy_rows
from subgraphs.shell.search.store import MOST_FOUND
from tests.testkit.explained import ExplainingReader
from tests.testkit.judged_search import assert_held, misses, read_judgements
from tests.testkit.servers import Postgres
from tests.testkit.subgraph import SubgraphUnderTest, subgraph_under_test

SEARCH = """query ($words: String, $first: Int, $after: String, $category: FoodCategory) {
  foods(search: $words, first: $first, after: $after, category: $category) {
    edges { node { id name } } pageInfo { endCursor hasNextPage } } }"""


@pytest.fixture(scope="module")
async def catalogue(postgres: Postgres) -> AsyncIterator[SubgraphUnderTest]:
    foods = [*read_own_foods(), *read_foods()]
    names = read_everyday("foods")
    everyday = [food["id"] for food in foods if food["name"] in names]
    async with subgraph_under_test(
        "nutrition", postgres.create_database("food_search"), schema, NutritionLoaders
    ) as subgraph:
        async with subgraph.database.transaction() as connection:
            assert await load_foods(connection, foods, datetime.now(UTC), everyday) == len(foods)
        yield subgraph


async def names_of(catalogue: SubgraphUnderTest, words: str, viewer: str | None = None, **more: Any) -> list[str]:
    data = await catalogue.data(SEARCH, viewer, {"words": words, "first": 20} | more)
    return [edge["node"]["name"] for edge in data["foods"]["edges"]]


async def test_what_people_type_finds_what_they_mean(catalogue: SubgraphUnderTest) -> None:
    judgements = read_judgements("food_queries")
    assert len(judgements) >= 150
    assert_held(judgements, *await misses(judgements, lambda words: names_of(catalogue, words)))


async def test_pages_of_a_search_join_without_gap_or_overlap(catalogue: SubgraphUnderTest) -> None:
    joined: list[str] = []
    after: str | None = None
    while True:
        page = (await catalogue.data(SEARCH, None, {"words": "cheese", "first": 37, "after": after}))["foods"]
        joined += [edge["node"]["id"] for edge in page["edges"]]
        if not page["pageInfo"]["hasNextPage"]:
            break
        after = page["pageInfo"]["endCursor"]
    assert len(joined) == len(set(joined)) > 100


async def test_a_category_narrows_the_search(catalogue: SubgraphUnderTest) -> None:
    assert (await names_of(catalogue, "orange"))[0].startswith("Orange")
    drinks = await names_of(catalogue, "orange", category="BEVERAGE")
    assert drinks
    assert all("raw" not in name for name in drinks)


async def test_what_a_person_eats_comes_first_for_this_person_only(catalogue: SubgraphUnderTest) -> None:
    before = await names_of(catalogue, "yogurt", "regular")
    found = await catalogue.data(SEARCH, "regular", {"words": "yogurt greek strawberry", "first": 1})
    (edge,) = found["foods"]["edges"]
    log = "mutation ($id: ID!) { logMeal(input: {slot: SNACK, items: [{foodId: $id, grams: 150}]}) { meal { id } } }"
    for _ in range(3):
        await catalogue.data(log, "regular", {"id": edge["node"]["id"]})
    assert (await names_of(catalogue, "yogurt", "regular"))[0] == edge["node"]["name"]
    assert await names_of(catalogue, "yogurt", "somebody else") == before


async def test_own_foods_are_found_by_their_own_words_and_by_nobody_else(catalogue: SubgraphUnderTest) -> None:
    create = "mutation ($input: CreateFoodInput!) { createFood(input: $input) { food { id } } }"
    per100 = {"energyKcal": 240, "proteinG": 4, "carbsG": 38, "fatG": 8}
    for name in ("Омлет бабушки", "Oma's Zwetschgenkuchen"):
        await catalogue.data(create, "baker", {"input": {"name": name, "category": "SWEET", "per100": per100}})
    assert await names_of(catalogue, "бабушки", "baker") == ["Омлет бабушки"]
    assert await names_of(catalogue, "omas zwetschgenk", "baker") == ["Oma's Zwetschgenkuchen"]
    assert await names_of(catalogue, "om", "baker") != await names_of(catalogue, "om", "other")
    assert await names_of(catalogue, "zwetschgenkuchen", "other") == []


@pytest.mark.parametrize("words", ["b", "x" * 101, "banana " * 70_000])
async def test_searches_that_are_too_short_or_too_long_are_refused(catalogue: SubgraphUnderTest, words: str) -> None:
    (code,) = await catalogue.codes(SEARCH, None, {"words": words})
    assert code in {"VALIDATION_ERROR", "BAD_USER_INPUT"}


@pytest.mark.parametrize("words", ["%%", "'; DROP", "\\\\", "((", "a&b|!c", "'':*", "100%", "🍌🍌", "to the"])
async def test_signs_are_no_words(catalogue: SubgraphUnderTest, words: str) -> None:
    assert isinstance(await names_of(catalogue, words), list)


async def test_forty_searches_at_once_hold_one_connection_each_in_turn(catalogue: SubgraphUnderTest) -> None:
    words = ["ch", "chi", "chicken", "chocolate cake", "zzzzqqq", "bannana", "of", "sugar free cola"]
    aliases = " ".join(
        f'a{number}: foods(search: "{words[number % 8]}", first: 5) {{ edges {{ node {{ name }} }} }}'
        for number in range(40)
    )
    data = await catalogue.data(f"{{ {aliases} }}", None)
    assert len(data) == 40
    assert data["a0"]["edges"]


async def test_foods_indexed_by_other_rules_are_indexed_anew(catalogue: SubgraphUnderTest) -> None:
    async with catalogue.database.transaction() as connection:
        await connection.execute(text("UPDATE search_entry SET index_version = 0, rank = -9 WHERE name LIKE 'banana%'"))
        await connection.execute(text("DELETE FROM search_entry WHERE name LIKE 'banana%' AND favour = 0"))
    assert (await names_of(catalogue, "banana pudding"))[0] != "Banana pudding"
    assert await renew_food_index(catalogue.database) == 10
    assert (await names_of(catalogue, "banana pudding"))[0] == "Banana pudding"
    assert await renew_food_index(catalogue.database) == 0


async def test_what_others_made_costs_a_search_nothing(catalogue: SubgraphUnderTest) -> None:
    foods = [
        {
            "id": f"crowd-{number}",
            "name": f"Zebra cake of person {number}",
            "brand": None,
            "category": "SWEET",
            "source": "USER",
            "created_by": f"person-{number}",
        }
        for number in range(3000)
    ]
    async with catalogue.database.transaction() as connection:
        stored = {"per_100": "{}", "created_at": datetime.now(UTC)}
        await copy_rows(connection, "food", [food | stored for food in foods])
        await index_foods(connection, foods)
    async with catalogue.database.reading() as connection:
        for viewer, found in (("somebody", 0), ("person-7", 1)):
            for words in ("zebra cake", "zebra cakes of person", "ze"):
                reader = ExplainingReader(connection)
                foods_found = (await search_foods(reader, [words], FoodFilter(viewer_id=viewer)))[words]
                assert len([each for each in foods_found if each.name.startswith("zebra")]) == found
                if found:  # else words are tried as they may have been meant
                    assert sum(each.rows_read for each in reader.explained) <= 20


@pytest.mark.parametrize("words", ["ch", "me", "zz", "banana", "greek yogurt", "bannana", "a b c d e f g h"])
async def test_a_search_reads_what_it_may_show_and_never_the_table(catalogue: SubgraphUnderTest, words: str) -> None:
    async with catalogue.database.reading() as connection:
        total = (await connection.execute(text("SELECT count(*) FROM search_entry"))).scalar_one()
        reader = ExplainingReader(connection)
        await search_foods(reader, [words], FoodFilter(viewer_id="somebody"))
    for each in reader.explained:
        assert each.whole_tables <= {"search_word"}, each
        assert each.rows_read <= MOST_FOUND + 20 < total / 10, each
    if len(words) == 2:
        assert len(reader.explained) == 1
        assert "search_word" not in reader.explained[0].whole_tables
