"""What changed since a token: nothing is lost that commits late, and each decision about a person's table is taken."""

import asyncio
import importlib
import random
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any

import asyncpg
import pytest
from sqlalchemy import text

from subgraphs.nutrition.loaders import NutritionLoaders
from subgraphs.nutrition.schema import schema
from subgraphs.shell.change_log import (
    TOMBSTONE_DAYS,
    ChangePage,
    Place,
    changes_by_user,
    forget_tombstones,
    settle_changes,
)
from subgraphs.shell.changes import TOKEN_DAYS
from subgraphs.shell.database import migrate, synced_tables_of
from subgraphs.shell.synced_tables import NOT_SYNCED_ANYWHERE
from tests.testkit.explained import ExplainingReader
from tests.testkit.servers import Postgres
from tests.testkit.subgraph import SubgraphUnderTest, codes_of, subgraph_under_test

SUBGRAPHS = ("users", "nutrition", "workouts", "analytics")
CHANGES = """query ($id: ID!, $since: String, $first: Int) { _entities(representations: [{__typename: "User", id: $id}]) {
  ... on User { diaryChanges(since: $since, first: $first) { token hasMore changes {
    id entityType isDeleted entity { __typename ... on Drink { amountMl version } } } } } } }"""
LOG = "mutation ($ml: Int!) { logWater(input: {amountMl: $ml}) { drink { id } userErrors { code } } }"
DELETE = "mutation ($id: ID!) { deleteWater(input: {id: $id}) { deletedId userErrors { code } } }"
WRITE = "INSERT INTO water (id, user_id, amount_ml, at, local_date, time_zone) VALUES ($1, $2, 250, now(), current_date, 'UTC')"
_people = count(1)


@pytest.fixture(scope="module")
async def nutrition(postgres: Postgres) -> AsyncIterator[SubgraphUnderTest]:
    url = postgres.create_database("nutrition_changes")
    async with subgraph_under_test("nutrition", url, schema, NutritionLoaders) as subgraph:
        yield subgraph


@pytest.fixture
def person() -> str:
    return f"person-{next(_people)}"


async def page(nutrition: SubgraphUnderTest, person: str, since: str | None = None, first: int | None = None) -> Any:
    data = await nutrition.data(CHANGES, person, {"id": person, "since": since, "first": first})
    return data["_entities"][0]["diaryChanges"]


async def refusal(nutrition: SubgraphUnderTest, person: str, since: str) -> tuple[list[str], Any]:
    result = await nutrition.run(CHANGES, person, {"id": person, "since": since})
    return codes_of(result), (result.errors or [None])[0]


async def drink(nutrition: SubgraphUnderTest, person: str, ml: int = 250) -> str:
    made = await nutrition.data(LOG, person, {"ml": ml})
    return str(made["logWater"]["drink"]["id"])


@pytest.mark.parametrize("name", SUBGRAPHS)
async def test_every_table_is_synchronised_or_says_why_not(postgres: Postgres, name: str) -> None:
    url = postgres.create_database(f"changes_of_{name}")
    await migrate(name, url)
    connection = await asyncpg.connect(url)
    tables = {row[0] for row in await connection.fetch("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")}
    tracked = {
        row[0]
        for row in await connection.fetch(
            "SELECT DISTINCT tgrelid::regclass::text FROM pg_trigger WHERE tgname LIKE 'note_change_of_%'"
        )
    }
    await connection.close()
    declared = synced_tables_of(name)
    synced = {each.table for each in declared.tables}
    assert tracked == synced
    assert set(declared.parts.values()) <= synced
    lists = [synced, set(declared.parts), set(declared.not_synced), set(NOT_SYNCED_ANYWHERE)]
    assert sum(map(len, lists)) == len(set().union(*lists)), "a table is in two lists"
    assert tables - set().union(*lists) == set(), "declare it in synced.py, or say there why it is not synchronised"


@pytest.mark.parametrize("name", SUBGRAPHS)
def test_every_kind_has_a_type(name: str) -> None:
    types = importlib.import_module(f"subgraphs.{name}.api.changes").SYNCED_TYPES
    assert set(types) == {each.kind for each in synced_tables_of(name).tables}
    schema_of_types = importlib.import_module(f"subgraphs.{name}.schema").schema
    for synced in types.values():
        assert schema_of_types.get_type_by_name(synced.name) is not None


async def test_changes_and_deletions_come_in_pages(nutrition: SubgraphUnderTest, person: str) -> None:
    drinks = [await drink(nutrition, person, ml) for ml in (100, 200, 300)]
    await drink(nutrition, f"not-{person}")
    told = await page(nutrition, person, first=2)
    assert [each["id"] for each in told["changes"]] == drinks[:2]
    assert told["changes"][1]["entity"] == {"__typename": "Drink", "amountMl": 200, "version": 1}
    assert told["hasMore"] is True
    told = await page(nutrition, person, told["token"], 2)
    assert ([each["id"] for each in told["changes"]], told["hasMore"]) == (drinks[2:], False)
    token = told["token"]
    assert (await page(nutrition, person, token))["changes"] == []
    await nutrition.data(DELETE, person, {"id": drinks[0]})
    told = await page(nutrition, person, token)
    assert told["changes"] == [{"id": drinks[0], "entityType": "Drink", "isDeleted": True, "entity": None}]
    assert (await page(nutrition, person, token))["changes"] == told["changes"], "a token can be used again"


async def test_a_transaction_that_commits_after_a_younger_one_is_told(
    nutrition: SubgraphUnderTest, person: str
) -> None:
    """A counter alone would lose it: the younger one's number is higher, and is told first."""
    late = await asyncpg.connect(nutrition.database.url)
    transaction = late.transaction()
    await transaction.start()
    await late.execute(WRITE, f"drink_late-{person}", person)
    young = await drink(nutrition, person)
    told = await page(nutrition, person)
    assert told["changes"] == []  # not yet: the older one may still come
    await transaction.commit()
    await late.close()
    told = await page(nutrition, person, told["token"])
    assert [each["id"] for each in told["changes"]] == [f"drink_late-{person}", young]


async def test_nothing_is_lost_while_many_write_and_one_reads(nutrition: SubgraphUnderTest, person: str) -> None:
    """Writers that hold their transactions open for random times; a reader that takes small pages all the while."""
    seed = random.randrange(2**32)
    chance = random.Random(seed)
    written: set[str] = set()
    pauses = {f"drink_{person}-{n}": chance.uniform(0, 0.05) for n in range(120)}
    queue = list(pauses)

    async def write() -> None:
        connection = await asyncpg.connect(nutrition.database.url)
        while queue:
            name = queue.pop()
            async with connection.transaction():
                await connection.execute(WRITE, name, person)
                await asyncio.sleep(pauses[name])
            if chance.random() < 0.3:
                async with connection.transaction():
                    await connection.execute("DELETE FROM water WHERE id = $1", name)
                    await asyncio.sleep(chance.uniform(0, 0.03))
            else:
                written.add(name)
        await connection.close()

    known: set[str] = set()
    token: str | None = None

    async def read() -> bool:
        nonlocal token
        told = await page(nutrition, person, token, 7)
        token = told["token"]
        for change in told["changes"]:
            (known.discard if change["entity"] is None else known.add)(change["id"])
        return bool(told["hasMore"])

    writers = [asyncio.create_task(write()) for _ in range(6)]
    while not all(writer.done() for writer in writers):
        await read()
    await asyncio.gather(*writers)
    while await read():
        pass
    assert known == written, f"seed {seed}"


async def test_what_a_rolled_back_transaction_wrote_is_not_told(nutrition: SubgraphUnderTest, person: str) -> None:
    connection = await asyncpg.connect(nutrition.database.url)
    transaction = connection.transaction()
    await transaction.start()
    await connection.execute(WRITE, f"drink_never-{person}", person)
    await transaction.rollback()
    await connection.close()
    assert (await page(nutrition, person))["changes"] == []


async def test_tokens_are_one_persons(nutrition: SubgraphUnderTest, person: str) -> None:
    token = (await page(nutrition, f"not-{person}"))["token"]
    assert (await refusal(nutrition, person, token))[0] == ["VALIDATION_ERROR"]
    assert (await refusal(nutrition, person, "no token"))[0] == ["VALIDATION_ERROR"]
    assert await nutrition.codes(CHANGES, f"not-{person}", {"id": person}) == ["FORBIDDEN"]
    assert await nutrition.codes(CHANGES, None, {"id": person}) == ["UNAUTHENTICATED"]


async def test_a_token_that_is_too_old_says_to_begin_anew(nutrition: SubgraphUnderTest, person: str) -> None:
    then = datetime.now(UTC) - timedelta(days=TOKEN_DAYS, hours=1)
    now, nutrition.resources.now = nutrition.resources.now, lambda: then
    try:
        token = (await page(nutrition, person))["token"]
    finally:
        nutrition.resources.now = now
    codes, error = await refusal(nutrition, person, token)
    assert (codes, error.extensions["reason"]) == (["SYNC_TOKEN_EXPIRED"], "TOO_OLD")


async def test_deletions_are_kept_for_longer_than_tokens_hold(nutrition: SubgraphUnderTest, person: str) -> None:
    assert TOMBSTONE_DAYS > TOKEN_DAYS
    gone = [await drink(nutrition, person) for _ in range(2)]
    there = await drink(nutrition, person)
    for each in gone:
        await nutrition.data(DELETE, person, {"id": each})
    async with nutrition.database.transaction() as connection:
        old = "UPDATE entity_change SET changed_at = now() - make_interval(days => :days) WHERE entity_id = ANY(:ids)"
        await connection.execute(text(old), {"days": TOMBSTONE_DAYS + 1, "ids": [gone[0], there]})
        assert await forget_tombstones(connection, 100) == 1
    assert [each["id"] for each in (await page(nutrition, person))["changes"]] == [there, gone[1]]


async def test_a_restored_database_tells_everybody_to_begin_anew_and_loses_nothing(postgres: Postgres) -> None:
    """As after a restore into a new server: its transactions count from low numbers, and the rows bring high ones."""
    url = postgres.create_database("changes_before")
    async with subgraph_under_test("nutrition", url, schema, NutritionLoaders) as before:
        first = await drink(before, "p")
        token = (await page(before, "p"))["token"]
    copy = postgres.create_database("changes_restored", template="changes_before")
    async with subgraph_under_test("nutrition", copy, schema, NutritionLoaders) as restored:
        async with restored.database.transaction() as connection:
            await connection.execute(text("UPDATE entity_change SET changed_in = changed_in + 1000000000"))
        second = await drink(restored, "p")
        assert (await refusal(restored, "p", token))[0] == ["UNAVAILABLE"]
        await settle_changes(restored.database)
        codes, error = await refusal(restored, "p", token)
        assert (codes, error.extensions["reason"]) == (["SYNC_TOKEN_EXPIRED"], "OTHER_EPOCH")
        told = await page(restored, "p")
        assert {each["id"] for each in told["changes"]} == {first, second}
        await settle_changes(restored.database)  # in a life that goes on it does nothing
        assert (await page(restored, "p", told["token"]))["changes"] == []


async def test_a_table_that_joins_brings_its_rows_of_before(postgres: Postgres) -> None:
    """As after an update: the rows are there, and no trigger has seen them."""
    url = postgres.create_database("changes_joining")
    await migrate("nutrition", url)
    connection = await asyncpg.connect(url)
    await connection.execute("DROP FUNCTION note_change_of_water() CASCADE")
    for number in range(3):
        await connection.execute(WRITE, f"drink_{number}", "p")
    await connection.close()
    async with subgraph_under_test("nutrition", url, schema, NutritionLoaders) as nutrition:
        assert [each["id"] for each in (await page(nutrition, "p"))["changes"]] == ["drink_0", "drink_1", "drink_2"]
        await migrate("nutrition", url)
        assert [each["isDeleted"] for each in (await page(nutrition, "p"))["changes"]] == [False] * 3


async def test_a_page_reads_what_it_shows_among_two_hundred_thousand(nutrition: SubgraphUnderTest) -> None:
    async with nutrition.database.transaction() as connection:
        await connection.execute(
            text(
                "INSERT INTO entity_change SELECT 'reader-' || (n % 50), 'drink', 'drink_' || n, n / 400, now(), n % 9 = 0"
                " FROM generate_series(1, 200000) AS n"
            )
        )
    async with nutrition.database.reading() as connection:
        await connection.execute(text("ANALYZE entity_change"))
        for after in (Place(), Place(300, "drink", "")):
            reader = ExplainingReader(connection)
            await changes_by_user(reader, ["reader-7"], ChangePage(after, 20))
            (explained,) = reader.explained
            # of 4,000: the page, one more, and who the database is, among all that the tests have made
            assert explained.rows_read < 400
            assert explained.buffers < 100
