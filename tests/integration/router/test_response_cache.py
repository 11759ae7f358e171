"""The response cache over a real Redis-protocol server: who shares what, and for how long."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest

from router.telemetry import REGISTRY
from tests.testkit.running_router import SECRET, RunningRouter, StartRouter, token
from tests.testkit.servers import Valkey
from tests.testkit.strawberry_shop import Shop

PRODUCTS = "{ products { name } }"
ME = "{ me { name } }"


def gets(result: str) -> float:
    return REGISTRY.get_sample_value("cache_gets_total", {"cache": "response", "result": result}) or 0.0


@pytest.fixture
async def cached(start_router: StartRouter, valkey: Valkey, tmp_path: Any) -> AsyncIterator[RunningRouter]:
    settings = {"redis_url": valkey.url, "response_cache": {"key_prefix": tmp_path.name, "settling_seconds": 0.3}}
    async with start_router(**settings) as router:
        yield router


async def test_public_answers_are_shared_and_counted(cached: RunningRouter, shop: Shop) -> None:
    hits = gets("hit")
    first = await cached.ask(PRODUCTS)
    assert await cached.ask(PRODUCTS, authorization=token("u2")) == first
    assert shop.requests["catalog"] == 1
    assert gets("hit") == hits + 1


async def test_private_answers_are_for_their_viewer_only(cached: RunningRouter, shop: Shop) -> None:
    for _ in range(2):
        assert (await cached.ask(ME, authorization=token("u1")))["data"]["me"] == {"name": "Ann"}
        assert (await cached.ask(ME, authorization=token("u2")))["data"]["me"] == {"name": "Ben"}
        assert (await cached.ask(ME))["data"]["me"] is None
    assert shop.requests["accounts"] == 4  # one for each viewer, and one for each time nobody in particular asked


async def test_a_token_with_fewer_rights_is_told_nothing_that_another_of_the_same_person_was(
    cached: RunningRouter, shop: Shop
) -> None:
    full, limited = {"scope": "read write"}, {"scope": "key read:diary"}
    for claims in (full, limited, {"roles": ["ADMIN"], **full}, {**full, "act": "as ann"}):
        before = shop.requests.get("accounts", 0)
        await cached.ask(ME, authorization=token("u1", **claims))
        assert shop.requests["accounts"] == before + 1, claims
        renewed = token("u1", lifetime_seconds=70, jti="another", iat=1, **claims)
        await cached.ask(ME, authorization=renewed)
        assert shop.requests["accounts"] == before + 1, claims


async def test_equal_subjects_of_two_issuers_are_two_viewers(
    start_router: StartRouter, shop: Shop, valkey: Valkey, tmp_path: Any
) -> None:
    issuers = {"keys": [{"secret": SECRET, "kid": "new"}], "issuers": ["shop", "club"], "audiences": ["shop"]}
    cache = {"key_prefix": tmp_path.name}
    async with start_router(redis_url=valkey.url, response_cache=cache, jwt=issuers) as router:
        for _ in range(2):
            assert (await router.ask(ME, authorization=token("u1")))["data"]["me"] == {"name": "Ann"}
            assert (await router.ask(ME, authorization=token("u1", iss="club")))["data"]["me"] == {"name": "Ann"}
    assert shop.requests["accounts"] == 2


async def test_the_client_is_told_how_long_and_for_whom(cached: RunningRouter) -> None:
    async def cache_control(query: str, **headers: str) -> str:
        async with cached.session.post(cached.url, json={"query": query}, headers=headers) as response:
            return response.headers.get("cache-control", "")

    assert await cache_control(PRODUCTS) == "max-age=60, public"
    assert await cache_control("{ products { inStock } }") == "max-age=30, public"
    assert await cache_control(ME, authorization=token()) == "max-age=60, private"
    assert await cache_control("{ products { name } me { name } }", authorization=token()) == "max-age=60, private"
    assert await cache_control('{ user(id: "u1") { name } }') == "max-age=60, public"
    assert await cache_control("{ broken }") == "no-store"


async def test_a_write_is_seen_by_its_author_at_once_and_kept_again_later(cached: RunningRouter, shop: Shop) -> None:
    mine, others = token("u1"), token("u2")
    await cached.ask(ME, authorization=mine)
    await cached.ask(ME, authorization=others)
    await cached.ask('mutation { rename(name: "Eve") { name } }', authorization=mine)
    assert (await cached.ask(ME, authorization=mine))["data"]["me"] == {"name": "Eve"}
    shop.requests.clear()
    await cached.ask(ME, authorization=others)
    assert shop.requests == {}  # another viewer's answers stay
    await asyncio.sleep(0.4)
    await cached.ask(ME, authorization=mine)
    shop.requests.clear()
    assert (await cached.ask(ME, authorization=mine))["data"]["me"] == {"name": "Eve"}
    assert shop.requests == {}


async def test_errors_and_mutations_are_never_kept(cached: RunningRouter, shop: Shop) -> None:
    for _ in range(2):
        await cached.ask("{ broken }")
    assert shop.requests["catalog"] == 2
    for _ in range(2):
        await cached.ask('mutation { rename(name: "Ann") { name } }', authorization=token())
    assert shop.requests["accounts"] == 2


async def test_what_a_caller_may_not_see_is_part_of_the_key(cached: RunningRouter) -> None:
    query = '{ user(id: "u2") { name email } }'
    assert (await cached.ask(query, authorization=token()))["data"]["user"]["email"] == "u2@example.com"
    assert (await cached.ask(query))["data"]["user"]["email"] is None


async def test_variables_are_part_of_the_key(cached: RunningRouter) -> None:
    query = "query($id: ID!) { user(id: $id) { name } }"
    assert (await cached.ask(query, {"id": "u1"}))["data"]["user"] == {"name": "Ann"}
    assert (await cached.ask(query, {"id": "u2"}))["data"]["user"] == {"name": "Ben"}


async def test_a_crowd_asks_the_subgraphs_once(cached: RunningRouter, shop: Shop) -> None:
    answers = await asyncio.gather(*(cached.ask(PRODUCTS) for _ in range(20)))
    assert all(answer == answers[0] for answer in answers)
    assert shop.requests["catalog"] == 1


async def test_without_redis_everything_is_answered(start_router: StartRouter, shop: Shop) -> None:
    server = Valkey()
    server.start()
    async with start_router(redis_url=server.url) as router:
        await router.ask(PRODUCTS)
        server.kill()
        assert (await router.ask(PRODUCTS))["data"]["products"][0] == {"name": "Product 1"}
        assert shop.requests["catalog"] == 2
        async with router.session.get(f"{router.origin}/actuator/health") as response:
            health = await response.json()
            assert (health["status"], health["components"]["redis"]["status"]) == ("UP", "DOWN")


async def test_the_rate_is_counted_in_redis_and_forgiven_without_it(start_router: StartRouter) -> None:
    server = Valkey()
    server.start()
    settings = {"redis_url": server.url, "limits": {"rate": "1/day"}}
    async with start_router(**settings) as first, start_router(**settings) as second:
        assert "errors" not in await first.ask("{ __typename }")
        refused = await second.ask("{ __typename }")
        assert refused["errors"][0]["extensions"]["code"] == "RATE_LIMITED"
        server.kill()
        assert "errors" not in await second.ask("{ __typename }")
