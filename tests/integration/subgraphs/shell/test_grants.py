"""Grants in a subgraph that only hears of them: what events open and shut, and that each read is noted or refused."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any

import pytest
from sqlalchemy import text

from events.contracts.users import AccessEnded, AccessGranted, UserErased
from events.envelope import new_id
from events.retention import forget_in_batches
from subgraphs.nutrition.loaders import NutritionLoaders
from subgraphs.nutrition.projections.person import subscription
from subgraphs.nutrition.schema import schema
from subgraphs.shell.grants import forget_reads
from tests.testkit.grants import hearing_of_ends, tell
from tests.testkit.servers import Postgres, Valkey
from tests.testkit.subgraph import SubgraphUnderTest, codes_of, subgraph_under_test

_numbers = count(1)
ENTITIES = "query ($of: [_Any!]!) { _entities(representations: $of) { ... on User { %s } ... on Drink { amountMl } } }"
DIARY = 'diaryDay(date: "2026-05-01") { waterMl } drinks { nodes { amountMl } }'


@pytest.fixture(scope="module")
async def nutrition(postgres: Postgres) -> AsyncIterator[SubgraphUnderTest]:
    url = postgres.create_database("nutrition_grants")
    async with subgraph_under_test("nutrition", url, schema, NutritionLoaders) as subgraph:
        yield subgraph


def granted(reader_id: str, *areas: str, ends_in: timedelta = timedelta(days=1)) -> AccessGranted:
    now = datetime.now(UTC)
    return AccessGranted(reader_id=reader_id, relation="COACH", areas=areas, granted_at=now, expires_at=now + ends_in)


async def read(nutrition: SubgraphUnderTest, reader: str, owner: str, fields: str = DIARY) -> Any:
    """The person as the reader sees it, and the codes of what is refused."""
    variables = {"of": [{"__typename": "User", "id": owner}]}
    result = await nutrition.run(ENTITIES % fields, reader, variables)
    assert result.data is not None
    return result.data["_entities"][0], codes_of(result)


async def log_water(nutrition: SubgraphUnderTest, owner: str) -> str:
    log = 'mutation { logWater(input: { amountMl: 333, at: "2026-05-01T12:00:00Z" }) { drink { id } } }'
    drink_id: str = (await nutrition.data(log, owner))["logWater"]["drink"]["id"]
    return drink_id


async def rows(nutrition: SubgraphUnderTest, table: str) -> list[Any]:
    async with nutrition.database.reading() as connection:
        return list(await connection.execute(text(f"SELECT * FROM {table} ORDER BY 1, 2")))


async def test_what_was_not_heard_of_is_shut_and_what_was_is_open_until_it_ends(
    nutrition: SubgraphUnderTest, owner: str, coach: str
) -> None:
    drink_id = await log_water(nutrition, owner)
    assert await read(nutrition, coach, owner) == (None, ["FORBIDDEN"])
    drink = {"of": [{"__typename": "Drink", "id": drink_id}]}
    assert (await nutrition.data(ENTITIES % "id", coach, drink))["_entities"] == [None]

    await tell(nutrition, subscription, (granted(coach, "DIARY"), "grant-1", 1, owner))
    seen = {"diaryDay": {"waterMl": 333}, "drinks": {"nodes": [{"amountMl": 333}]}}
    assert await read(nutrition, coach, owner) == (seen, [])
    assert (await nutrition.data(ENTITIES % "id", coach, drink))["_entities"] == [{"amountMl": 333}]
    assert await read(nutrition, "somebody else", owner) == (None, ["FORBIDDEN"])

    await tell(nutrition, subscription, (AccessEnded(), "grant-1", 2, owner))
    assert await read(nutrition, coach, owner) == (None, ["FORBIDDEN"])
    assert (await nutrition.data(ENTITIES % "id", coach, drink))["_entities"] == [None]


@pytest.mark.parametrize(
    "grant", [granted("?", "BODY", "TRAINING", "PROGRESS"), granted("?", "DIARY", ends_in=timedelta(seconds=-1))]
)
async def test_a_grant_of_another_area_and_one_that_has_expired_open_nothing(
    nutrition: SubgraphUnderTest, owner: str, coach: str, grant: AccessGranted
) -> None:
    told = AccessGranted(**{name: getattr(grant, name) for name in grant.__struct_fields__} | {"reader_id": coach})
    await tell(nutrition, subscription, (told, new_id(), 1, owner))
    assert await read(nutrition, coach, owner) == (None, ["FORBIDDEN"])


@pytest.mark.parametrize(
    "field", ["savedMeals { nodes { id } }", "recentFoods { nodes { timesLogged } }", "diaryReads { what }"]
)
async def test_a_field_without_the_directive_is_the_owners_alone(
    nutrition: SubgraphUnderTest, owner: str, coach: str, field: str
) -> None:
    await tell(nutrition, subscription, (granted(coach, "DIARY"), new_id(), 1, owner))
    assert await read(nutrition, coach, owner, field) == (None, ["FORBIDDEN"])
    assert (await read(nutrition, owner, owner, field))[1] == []


async def test_a_reader_changes_nothing(nutrition: SubgraphUnderTest, owner: str, coach: str) -> None:
    drink_id = await log_water(nutrition, owner)
    await tell(nutrition, subscription, (granted(coach, "DIARY"), new_id(), 1, owner))
    delete = "mutation ($id: ID!) { deleteWater(input: { id: $id }) { deletedId } }"
    assert await nutrition.codes(delete, coach, {"id": drink_id}) == ["NOT_FOUND"]


async def test_each_read_is_noted_for_its_hour_and_for_the_owner_to_see(
    nutrition: SubgraphUnderTest, owner: str, coach: str
) -> None:
    grant_id = new_id()
    await tell(nutrition, subscription, (granted(coach, "DIARY"), grant_id, 1, owner))
    for _ in range(2):
        await read(nutrition, coach, owner)
    await read(nutrition, owner, owner)
    seen, _ = await read(nutrition, owner, owner, "diaryReads { grantId readerId readerName what }")
    who = {"grantId": grant_id, "readerId": coach, "readerName": f"Name of {coach}"}
    assert seen["diaryReads"] == [who | {"what": what} for what in ("User.diaryDay", "User.drinks")]


async def test_what_cannot_be_noted_is_not_read(nutrition: SubgraphUnderTest, owner: str, coach: str) -> None:
    await tell(nutrition, subscription, (granted(coach, "DIARY"), new_id(), 1, owner))
    async with nutrition.database.transaction() as transaction:
        await transaction.execute(text("ALTER TABLE access_read RENAME TO away"))
    try:
        assert await read(nutrition, coach, owner) == (None, ["INTERNAL_SERVER_ERROR"])
        assert (await read(nutrition, owner, owner))[1] == []
    finally:
        async with nutrition.database.transaction() as transaction:
            await transaction.execute(text("ALTER TABLE away RENAME TO access_read"))


async def test_a_hundred_clients_are_admitted_by_one_statement(nutrition: SubgraphUnderTest, coach: str) -> None:
    clients = [f"client-{next(_numbers)}" for _ in range(100)]
    await tell(nutrition, subscription, *((granted(coach, "DIARY"), new_id(), 1, client) for client in clients))
    counted = []
    for some in (clients[:1], clients):
        variables = {"of": [{"__typename": "User", "id": client} for client in some]}
        with nutrition.counted_statements() as statements:
            found = await nutrition.data(ENTITIES % DIARY, coach, variables)
        assert len([each for each in found["_entities"] if each is not None]) == len(some)
        counted.append(len(statements))
    assert counted[0] == counted[1]
    assert sum("access_grant" in statement for statement in statements) == 1


async def test_an_owner_costs_no_statement_more(nutrition: SubgraphUnderTest, owner: str) -> None:
    with nutrition.counted_statements() as statements:
        await read(nutrition, owner, owner)
    assert not any("access_grant" in statement for statement in statements)


async def test_without_a_broker_a_process_hears_of_an_end_over_redis(
    nutrition: SubgraphUnderTest, owner: str, coach: str, valkey: Valkey
) -> None:
    grant_id, other_id = new_id(), new_id()
    await tell(
        nutrition,
        subscription,
        (granted(coach, "DIARY"), grant_id, 1, owner),
        (granted(coach, "BODY"), other_id, 1, owner),
    )
    assert (await read(nutrition, coach, owner))[1] == []
    async with hearing_of_ends(nutrition, valkey) as ended, asyncio.timeout(60):
        while (await read(nutrition, coach, owner))[1] == []:
            await ended.announce([grant_id])
            await asyncio.sleep(0.05)
    assert other_id in str(await rows(nutrition, "access_grant"))


@pytest.mark.parametrize("erased", ["owner", "coach"])
async def test_grants_and_notes_go_with_a_person_who_is_erased(
    nutrition: SubgraphUnderTest, owner: str, coach: str, erased: str
) -> None:
    await tell(nutrition, subscription, (granted(coach, "DIARY"), new_id(), 1, owner))
    await read(nutrition, coach, owner)
    gone = owner if erased == "owner" else coach
    assert gone in str(await rows(nutrition, "access_read"))
    await tell(nutrition, subscription, (UserErased(), gone, 2, gone))
    assert gone not in str(await rows(nutrition, "access_read") + await rows(nutrition, "access_grant"))


async def test_notes_are_kept_for_ninety_days(nutrition: SubgraphUnderTest, owner: str, coach: str) -> None:
    await tell(nutrition, subscription, (granted(coach, "DIARY"), new_id(), 1, owner))
    await read(nutrition, coach, owner)
    async with nutrition.database.transaction() as transaction:
        aged = "UPDATE access_read SET hour = hour - interval '91 days' WHERE owner_id = :id AND what = 'User.drinks'"
        await transaction.execute(text(aged), {"id": owner})
    assert await forget_in_batches(nutrition.database.transaction, forget_reads) == 1
    seen, _ = await read(nutrition, owner, owner, "diaryReads { what }")
    assert seen["diaryReads"] == [{"what": "User.diaryDay"}]
