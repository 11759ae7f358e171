"""Search over the whole catalogue of exercises: everyday ones first, other words and spellings, and own ones."""

from collections.abc import AsyncIterator
from typing import Any

import pytest
from sqlalchemy import text

from deploy.sample_data import read_catalogue, read_everyday
from subgraphs.shell.context import utc_now
from subgraphs.shell.search.store import MOST_FOUND
from subgraphs.workouts.commands.exercise_index import renew_exercise_index
from subgraphs.workouts.loaders import WorkoutsLoaders
from subgraphs.workouts.queries.exercise import ExerciseFilter
from subgraphs.workouts.queries.exercise_search import search_exercises
from subgraphs.workouts.sample_data import load_exercises
from subgraphs.workouts.schema import schema
from tests.testkit.explained import ExplainingReader
from tests.testkit.judged_search import assert_held, misses, read_judgements
from tests.testkit.servers import Postgres
from tests.testkit.subgraph import SubgraphUnderTest, subgraph_under_test

SEARCH = """query ($words: String, $first: Int, $muscle: Muscle) {
  exercises(search: $words, first: $first, muscle: $muscle) { edges { node { id name isOwn } } } }"""


@pytest.fixture(scope="module")
async def catalogue(postgres: Postgres) -> AsyncIterator[SubgraphUnderTest]:
    exercises = read_catalogue()
    url = postgres.create_database("exercise_search")
    async with subgraph_under_test("workouts", url, schema, WorkoutsLoaders) as subgraph:
        async with subgraph.database.transaction() as connection:
            everyday = read_everyday("exercises")
            assert await load_exercises(connection, exercises, utc_now(), everyday) == len(exercises)
            assert await load_exercises(connection, exercises, utc_now(), everyday) == 0
        yield subgraph


async def names_of(catalogue: SubgraphUnderTest, words: str, viewer: str = "somebody", **more: Any) -> list[str]:
    data = await catalogue.data(SEARCH, viewer, {"words": words, "first": 20} | more)
    return [edge["node"]["name"] for edge in data["exercises"]["edges"]]


async def test_what_people_type_finds_what_they_mean(catalogue: SubgraphUnderTest) -> None:
    judgements = read_judgements("exercise_queries")
    assert len(judgements) >= 80
    assert_held(judgements, *await misses(judgements, lambda words: names_of(catalogue, words)))


async def test_a_muscle_narrows_the_search(catalogue: SubgraphUnderTest) -> None:
    curls = await names_of(catalogue, "curl", muscle="HAMSTRINGS")
    assert "Lying Leg Curls" in curls
    assert "Barbell Curl" not in curls


async def test_own_exercises_are_found_by_their_maker_only(catalogue: SubgraphUnderTest) -> None:
    create = 'mutation { createExercise(input: {name: "Gürteltier crawl", category: CORE}) { exercise { id } } }'
    await catalogue.data(create, "maker")
    assert await names_of(catalogue, "gurteltier", "maker") == ["Gürteltier crawl"]
    assert await names_of(catalogue, "gürteltier", "other") == []
    async with catalogue.database.transaction() as connection:
        await connection.execute(text("DELETE FROM search_entry WHERE owner IS NOT NULL"))
    assert await renew_exercise_index(catalogue.database) == 1
    assert await names_of(catalogue, "gurteltier", "maker") == ["Gürteltier crawl"]


async def test_own_exercises_are_listed_and_searched_apart_from_the_catalogue(catalogue: SubgraphUnderTest) -> None:
    create = 'mutation { createExercise(input: {name: "Squat of mine", category: CORE}) { exercise { id } } }'
    await catalogue.data(create, "owner")
    ask = """query ($words: String, $own: Boolean) {
        exercises(search: $words, own: $own, first: 100) { nodes { name isOwn } } }"""

    async def listed(**arguments: Any) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = (await catalogue.data(ask, "owner", arguments))["exercises"]["nodes"]
        return found

    mine = {"name": "Squat of mine", "isOwn": True}
    assert await listed(own=True) == [mine]
    assert await listed(own=True, words="squat") == [mine]
    for words in (None, "squat"):
        assert mine not in (catalogues := await listed(own=False, words=words))
        assert len(catalogues) > 10
        assert mine in await listed(words=words) or words is None


@pytest.mark.parametrize(
    ("words", "code"),
    [("b", "VALIDATION_ERROR"), ("x" * 101, "VALIDATION_ERROR"), ("squat " * 80_000, "BAD_USER_INPUT")],
)
async def test_searches_that_are_too_short_or_too_long_are_refused(
    catalogue: SubgraphUnderTest, words: str, code: str
) -> None:
    assert await catalogue.codes(SEARCH, "somebody", {"words": words}) == [code]


async def test_what_is_found_is_paged_both_ways(catalogue: SubgraphUnderTest) -> None:
    query = """query ($first: Int, $after: String, $last: Int, $before: String) {
        exercises(search: "squat", first: $first, after: $after, last: $last, before: $before) {
            nodes { name } pageInfo { startCursor endCursor hasNextPage hasPreviousPage } } }"""

    async def page(**arguments: Any) -> dict[str, Any]:
        found: dict[str, Any] = (await catalogue.data(query, "somebody", arguments))["exercises"]
        return found

    four = await page(first=4)
    two = await page(first=2)
    rest = await page(first=2, after=two["pageInfo"]["endCursor"])
    assert two["nodes"] + rest["nodes"] == four["nodes"]
    back = await page(last=2, before=rest["pageInfo"]["startCursor"])
    assert (back["nodes"], back["pageInfo"]["hasNextPage"]) == (two["nodes"], True)
    assert (await page(last=1))["pageInfo"] | {"startCursor": "", "endCursor": ""} == {
        "startCursor": "",
        "endCursor": "",
        "hasNextPage": False,
        "hasPreviousPage": True,
    }


@pytest.mark.parametrize("words", ["sq", "pu", "zz"])
async def test_two_letters_read_what_they_may_show_and_never_the_table(
    catalogue: SubgraphUnderTest, words: str
) -> None:
    async with catalogue.database.reading() as connection:
        reader = ExplainingReader(connection)
        await search_exercises(reader, [words], ExerciseFilter(viewer_id="somebody"))
    for each in reader.explained:
        assert "search_entry" not in each.whole_tables, each
        assert each.rows_read <= MOST_FOUND, each


async def test_exercises_are_narrowed_by_force_and_mechanic_with_words_and_without(
    catalogue: SubgraphUnderTest,
) -> None:
    ask = """query ($words: String, $force: ExerciseForce, $mechanic: ExerciseMechanic, $own: Boolean) {
        exercises(search: $words, force: $force, mechanic: $mechanic, own: $own, first: 100) { nodes { name force mechanic } } }"""

    async def listed(**given: Any) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = (await catalogue.data(ask, "mover", given))["exercises"]["nodes"]
        return found

    pushed = {each["name"]: each for each in await listed(words="bench press", force="PUSH", mechanic="COMPOUND")}
    assert pushed["Barbell Bench Press - Medium Grip"] == {
        "name": "Barbell Bench Press - Medium Grip",
        "force": "PUSH",
        "mechanic": "COMPOUND",
    }
    assert await listed(words="barbell bench press medium grip", force="STATIC") == []
    for narrowed in ({"force": "STATIC"}, {"mechanic": "ISOLATION"}, {"force": "PULL", "mechanic": "ISOLATION"}):
        found = await listed(**narrowed)
        assert len(found) == 100
        assert all(each | narrowed == each for each in found)

    create = """mutation { createExercise(input: {name: "Towel hang", category: STRENGTH, force: STATIC, mechanic: ISOLATION}) {
        exercise { force mechanic } } }"""
    made = (await catalogue.data(create, "mover"))["createExercise"]["exercise"]
    assert made == {"force": "STATIC", "mechanic": "ISOLATION"}
    mine = [{"name": "Towel hang", **made}]
    assert await listed(own=True, force="STATIC") == await listed(words="towel", own=True, force="STATIC") == mine
    assert await listed(own=True, force="PUSH") == []
