"""Fasts over a real database: one at a time, ended and corrected, none overlapping."""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.testkit.subgraph import SubgraphUnderTest, codes_of, user_errors

FAST = "fast { id startedAt endedAt targetMinutes minutes isReached version } userErrors { code field }"
START = f"mutation ($input: StartFastInput!) {{ startFast(input: $input) {{ {FAST} }} }}"
END = f"mutation ($input: EndFastInput!) {{ endFast(input: $input) {{ {FAST} }} }}"
UPDATE = f"mutation ($input: UpdateFastInput!) {{ updateFast(input: $input) {{ {FAST} }} }}"
DELETE = "mutation ($id: ID!) { deleteFast(input: { id: $id }) { deletedId userErrors { code } } }"
LIST = """query ($id: ID!, $after: String) { _entities(representations: [{ __typename: "User", id: $id }]) { ... on User {
    currentFast { id } fasts(first: 1, after: $after) { nodes { id } pageInfo { endCursor hasNextPage } } } } }"""
NOW = datetime.now(UTC).replace(microsecond=0)


def ago(**span: float) -> str:
    return (NOW - timedelta(**span)).isoformat()


async def start(nutrition: SubgraphUnderTest, person: str, **told: Any) -> dict[str, Any]:
    fast: dict[str, Any] = (await nutrition.data(START, person, {"input": told}))["startFast"]["fast"]
    return fast


async def test_a_fast_runs_ends_and_is_corrected(nutrition: SubgraphUnderTest, person: str) -> None:
    fast = await start(nutrition, person, startedAt=ago(hours=17), targetMinutes=960, idempotencyKey="f")
    assert fast == await start(nutrition, person, startedAt=ago(hours=17), targetMinutes=960, idempotencyKey="f")
    assert (fast["endedAt"], fast["isReached"], fast["version"]) == (None, True, 1)
    assert fast["minutes"] >= 17 * 60
    ended = {"id": fast["id"], "endedAt": ago(hours=1), "expectedVersion": 1}
    done = (await nutrition.data(END, person, {"input": ended}))["endFast"]["fast"]
    assert (done["minutes"], done["isReached"], done["version"]) == (960, True, 2)
    assert await nutrition.codes(END, person, {"input": ended}) == ["STALE_VERSION"]
    shorter = {"id": fast["id"], "startedAt": ago(hours=16), "targetMinutes": None}
    corrected = (await nutrition.data(UPDATE, person, {"input": shorter}))["updateFast"]["fast"]
    assert (corrected["minutes"], corrected["isReached"]) == (900, None)
    newer = await start(nutrition, person, startedAt=ago(minutes=30))
    first = (await nutrition.data(LIST, person, {"id": person}))["_entities"][0]
    assert (first["currentFast"], first["fasts"]["nodes"]) == ({"id": newer["id"]}, [{"id": newer["id"]}])
    after = {"id": person, "after": first["fasts"]["pageInfo"]["endCursor"]}
    second = (await nutrition.data(LIST, person, after))["_entities"][0]["fasts"]
    assert (second["nodes"], second["pageInfo"]["hasNextPage"]) == ([{"id": fast["id"]}], False)
    assert await nutrition.codes(DELETE, person, {"id": newer["id"]}) == []
    assert await nutrition.codes(DELETE, person, {"id": newer["id"]}) == ["NOT_FOUND"]
    assert (await nutrition.data(LIST, person, {"id": person}))["_entities"][0]["currentFast"] is None


async def test_no_two_fasts_overlap_however_they_come(nutrition: SubgraphUnderTest, person: str) -> None:
    at_once = await asyncio.gather(*(nutrition.run(START, person, {"input": {}}) for _ in range(4)))
    assert sorted(code for result in at_once for code in codes_of(result)) == ["CONFLICT"] * 3
    (fast,) = [
        result.data["startFast"]["fast"] for result in at_once if result.data and result.data["startFast"]["fast"]
    ]
    await nutrition.data(
        UPDATE, person, {"input": {"id": fast["id"], "startedAt": ago(hours=40), "endedAt": ago(hours=20)}}
    )
    later = await start(nutrition, person, startedAt=ago(hours=20))
    # reaching over the end of the one before, over the begin of the one after, and over all of it
    assert await nutrition.codes(UPDATE, person, {"input": {"id": later["id"], "startedAt": ago(hours=21)}}) == [
        "CONFLICT"
    ]
    over = {"id": fast["id"], "endedAt": ago(hours=19)}
    assert await nutrition.codes(UPDATE, person, {"input": over}) == ["CONFLICT"]
    assert await nutrition.codes(UPDATE, person, {"input": {"id": fast["id"], "endedAt": None}}) == ["CONFLICT"]
    assert await nutrition.codes(UPDATE, person, {"input": {"id": later["id"], "startedAt": ago(hours=60)}}) == [
        "CONFLICT"
    ]


@pytest.mark.parametrize(
    ("told", "field"),
    [
        ({"startedAt": (NOW + timedelta(hours=1)).isoformat()}, "startedAt"),
        ({"startedAt": ago(days=8)}, "startedAt"),
        ({"targetMinutes": 59}, "targetMinutes"),
        ({"targetMinutes": 4321}, "targetMinutes"),
    ],
)
async def test_impossible_fasts_are_refused(
    nutrition: SubgraphUnderTest, person: str, told: dict[str, Any], field: str
) -> None:
    assert [error["field"] for error in user_errors(await nutrition.run(START, person, {"input": told}))] == [field]
    fast = await start(nutrition, person, startedAt=ago(hours=5))
    for ended, place in ((ago(hours=6), "endedAt"), ((NOW + timedelta(hours=1)).isoformat(), "endedAt")):
        result = await nutrition.run(END, person, {"input": {"id": fast["id"], "endedAt": ended}})
        assert [error["field"] for error in user_errors(result)] == [place]
