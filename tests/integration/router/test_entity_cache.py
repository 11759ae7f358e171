"""The entity cache over a real Redis-protocol server and a real broker: what is asked again, when, and for whom."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import orjson
import pytest
from aiokafka import AIOKafkaProducer
from redis.asyncio import Redis

from router.server import entity_changes
from router.telemetry import REGISTRY
from tests.testkit.kafka_clients import NOBODY_LISTENS, every_client_is_stopped
from tests.testkit.running_router import RunningRouter, StartRouter, token
from tests.testkit.servers import Broker, Valkey
from tests.testkit.strawberry_shop import Shop

PRODUCTS = "{ products { name inStock owner { name } } }"
NAME = '{ user(id: "u1") { name } }'
OWNER = "{ products { owner { name } } }"
CHANGES_TOKEN = "a token of the tests for changes"
USERS = {"type": "User", "key": {"id": "user.id"}, "when": {"kind": "renamed"}}


def gets(type_name: str, result: str, subgraph: str = "accounts") -> float:
    labels = {"subgraph": subgraph, "type": type_name, "result": result}
    return REGISTRY.get_sample_value("entity_cache_gets_total", labels) or 0.0


def settings_for(valkey: Valkey, prefix: str, **cache: Any) -> dict[str, Any]:
    return {
        "redis_url": valkey.url,
        "response_cache": {"enabled": False},
        "entity_cache": {
            "enabled": True,
            "key_prefix": prefix,
            "settling_seconds": 0.3,
            "invalidation": {"token": CHANGES_TOKEN},
            **cache,
        },
    }


@pytest.fixture
async def cached(start_router: StartRouter, valkey: Valkey, tmp_path: Any) -> AsyncIterator[RunningRouter]:
    async with start_router(**settings_for(valkey, tmp_path.name)) as router:
        yield router


async def change(router: RunningRouter, *changes: Any, secret: str = CHANGES_TOKEN) -> tuple[int, Any]:
    headers = {"authorization": f"Bearer {secret}"}
    url = f"{router.origin}/actuator/entity-cache"
    async with router.session.post(url, json={"changes": list(changes)}, headers=headers) as response:
        return response.status, await response.json(content_type=None) if response.status != 204 else None


async def eventually(holds: Callable[[], Awaitable[bool]], *, seconds: float = 60) -> None:
    deadline = time.monotonic() + seconds
    while not await holds():
        assert time.monotonic() < deadline, "it did not come true"
        await asyncio.sleep(0.02)


async def kept(router: RunningRouter, shop: Shop, query: str, **headers: str) -> Any:
    """The answer, once it comes without a request to any subgraph: entries are written behind the answer."""
    answer: Any = None

    async def asks_nobody() -> bool:
        nonlocal answer
        shop.requests.clear()
        answer = await router.ask(query, **headers)
        return not shop.requests

    await eventually(asks_nobody)
    return answer


async def test_a_hit_costs_no_request_and_is_counted_by_type(cached: RunningRouter, shop: Shop) -> None:
    first = await cached.ask(PRODUCTS, authorization=token("u2"))
    hits = gets("Product", "hit", "stock"), gets("User", "hit"), gets("Query", "hit", "catalog")
    assert await kept(cached, shop, PRODUCTS, authorization=token("u2")) == first
    now = gets("Product", "hit", "stock"), gets("User", "hit"), gets("Query", "hit", "catalog")
    assert all(after > before for before, after in zip(hits, now, strict=True))


async def test_an_entity_is_kept_for_every_operation_that_asks_the_same_of_it(
    cached: RunningRouter, shop: Shop
) -> None:
    await kept(cached, shop, OWNER)
    shop.requests.clear()
    await cached.ask("{ products { id owner { name } } }")
    assert shop.requests.get("accounts", 0) == 0


async def test_who_asks_for_the_plan_sees_what_was_kept(
    start_router: StartRouter, valkey: Valkey, shop: Shop, tmp_path: Any
) -> None:
    async with start_router(dev=True, **settings_for(valkey, tmp_path.name)) as router:
        await kept(router, shop, NAME)
        answer = await router.ask(NAME, **{"x-query-plan": "1"})
    assert answer["extensions"]["trace"]["fetches"] == []
    assert [each["subgraph"] for each in answer["extensions"]["trace"]["kept"]] == ["accounts"]


async def test_only_the_entities_that_are_not_kept_are_asked_for(cached: RunningRouter, shop: Shop) -> None:
    await kept(cached, shop, "{ products { inStock } }")
    assert (await change(cached, {"type": "Product", "key": {"id": "2"}}))[0] == 204
    misses, hits = gets("Product", "miss", "stock"), gets("Product", "hit", "stock")
    answer = await cached.ask("{ products { inStock } }")
    assert answer == {"data": {"products": [{"inStock": 10}, {"inStock": 20}]}}
    assert gets("Product", "miss", "stock") == misses + 1
    assert gets("Product", "hit", "stock") == hits + 1


@pytest.mark.parametrize(
    "told",
    [{"type": "User", "key": {"id": "u1"}}, {"type": "User"}, {"subgraph": "accounts"}],
    ids=["entity", "type", "subgraph"],
)
async def test_a_change_that_is_told_over_http_is_seen_at_once(
    cached: RunningRouter, shop: Shop, told: dict[str, Any]
) -> None:
    queries = (OWNER, NAME)  # an entity, and a root field that holds it
    for query in queries:
        await kept(cached, shop, query)
    shop.names["u1"] = "Eve"
    assert "Ann" in str(await cached.ask(OWNER))
    assert await change(cached, told) == (204, None)
    for query in queries:
        assert "Eve" in str(await cached.ask(query, authorization=token("u2")))


async def test_a_change_of_another_entity_leaves_the_entry(cached: RunningRouter, shop: Shop) -> None:
    await kept(cached, shop, OWNER)
    assert (await change(cached, {"type": "User", "key": {"id": "u2"}}, {"subgraph": "stock"}))[0] == 204
    shop.requests.clear()
    await cached.ask(OWNER)
    assert shop.requests == {}


async def test_who_may_not_tell_and_what_is_no_change_is_refused(cached: RunningRouter) -> None:
    assert (await change(cached, {"type": "User"}, secret="a guess"))[0] == 401
    assert (await change(cached, {"type": "Unicorn"})) == (
        404,
        {"error": {"code": "UNKNOWN_ENTITY", "message": "There is no entity type 'Unicorn'."}},
    )
    assert (await change(cached, {"subgraph": "attic"}))[0] == 404
    for wrong in ({}, {"type": "User", "subgraph": "stock"}, {"key": {"id": "1"}}, {"typ": "User"}):
        assert (await change(cached, wrong))[0] == 400


async def test_private_values_are_for_their_viewer_only(cached: RunningRouter, shop: Shop) -> None:
    query = "{ me { name } }"
    assert (await kept(cached, shop, query, authorization=token("u1")))["data"]["me"] == {"name": "Ann"}
    assert (await cached.ask(query, authorization=token("u2")))["data"]["me"] == {"name": "Ben"}
    assert (await cached.ask(query))["data"]["me"] is None


async def test_private_values_are_for_tokens_of_the_same_rights_only(cached: RunningRouter, shop: Shop) -> None:
    query = "{ me { name } }"
    await kept(cached, shop, query, authorization=token("u1", scope="read write"))
    before = shop.requests.get("accounts", 0)
    await cached.ask(query, authorization=token("u1", scope="key read:diary"))
    assert shop.requests["accounts"] == before + 1


async def test_a_viewer_reads_past_what_was_kept_before_its_write(cached: RunningRouter, shop: Shop) -> None:
    await kept(cached, shop, OWNER, authorization=token("u1"))
    await cached.ask('mutation { rename(name: "Eve") { name } }', authorization=token("u1"))
    assert "Eve" in str(await cached.ask(OWNER, authorization=token("u1")))


async def test_an_entity_that_its_subgraph_does_not_know_is_not_asked_for_again(
    cached: RunningRouter, shop: Shop
) -> None:
    known = gets("Query", "hit")
    assert (await kept(cached, shop, '{ user(id: "nobody") { name } }'))["data"] == {"user": None}
    assert gets("Query", "hit") > known


async def test_a_crowd_asks_for_an_entity_once(cached: RunningRouter, shop: Shop) -> None:
    queries = [f"{{ products {{ {alias}: id owner {{ name }} }} }}" for alias in "abcdefghij"]
    await asyncio.gather(*(cached.ask(query) for query in queries))
    assert shop.requests["accounts"] == 1


async def test_a_request_that_was_begun_before_a_change_answers_nobody_who_asks_after_it(
    start_router: StartRouter, shop: Shop, valkey: Valkey, tmp_path: Any
) -> None:
    async with start_router(**settings_for(valkey, tmp_path.name, max_ages={"Query.slow": 60})) as router:
        before = asyncio.ensure_future(router.ask("query Before { slow(seconds: 2) }"))

        async def is_asked() -> bool:
            return shop.requests.get("catalog", 0) == 1

        await eventually(is_asked)
        assert (await change(router, {"subgraph": "catalog"}))[0] == 204
        after = asyncio.ensure_future(router.ask("query After { slow(seconds: 2) }"))
        assert await before == await after == {"data": {"slow": "done"}}
        assert shop.requests["catalog"] == 2


async def test_records_of_a_topic_void_what_they_are_about(
    start_router: StartRouter, shop: Shop, valkey: Valkey, broker: Broker, tmp_path: Any
) -> None:
    topic = f"accounts-{time.time_ns()}"
    invalidation = {"topics": {topic: [USERS]}}
    settings = settings_for(valkey, tmp_path.name, invalidation=invalidation)
    producer = AIOKafkaProducer(bootstrap_servers=broker.bootstrap_servers)
    await producer.start()
    try:
        await producer.send_and_wait(topic, b"{}")
        async with start_router(**settings, kafka={"bootstrap_servers": broker.bootstrap_servers}) as router:
            await kept(router, shop, OWNER)  # nothing is believed before the topic is heard
            shop.names["u1"] = "Eve"
            await producer.send_and_wait(topic, b"no JSON")
            await producer.send_and_wait(topic, orjson.dumps({"kind": "other", "user": {"id": "u1"}}))
            await producer.send_and_wait(topic, orjson.dumps({"kind": "renamed", "user": {"id": "u1"}}))
            await eventually(lambda: says(router, OWNER, "Eve"))
    finally:
        await producer.stop()


async def test_a_broker_that_cannot_be_reached_leaves_no_client_behind(
    start_router: StartRouter, valkey: Valkey, tmp_path: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(entity_changes, "PAUSE_SECONDS", 0.01)
    settings = settings_for(valkey, tmp_path.name, invalidation={"topics": {"accounts": [USERS]}})
    with every_client_is_stopped():
        async with start_router(**settings, kafka={"bootstrap_servers": NOBODY_LISTENS}) as router:
            await asyncio.sleep(0.1)
            assert (await router.ask(OWNER))["data"]


async def test_messages_of_a_channel_void_what_they_are_about(
    start_router: StartRouter, shop: Shop, valkey: Valkey, tmp_path: Any
) -> None:
    ruled, plain = f"{tmp_path.name}-ruled", f"{tmp_path.name}-plain"
    invalidation = {"channels": {ruled: [USERS], plain: []}}
    async with (
        start_router(**settings_for(valkey, tmp_path.name, invalidation=invalidation)) as router,
        Redis.from_url(valkey.url) as redis,
    ):
        await kept(router, shop, OWNER)
        for name, channel, message in (
            ("Eve", ruled, {"kind": "renamed", "user": {"id": "u1"}}),
            ("Zoe", plain, {"changes": [{"type": "User", "key": {"id": "u1"}}]}),
        ):
            shop.names["u1"] = name
            assert await redis.publish(channel, orjson.dumps(message)) == 1
            await eventually(lambda name=name: says(router, OWNER, name))
            await kept(router, shop, OWNER)


async def says(router: RunningRouter, query: str, text: str) -> bool:
    return text in str(await router.ask(query))


async def test_a_redis_that_hangs_or_dies_means_no_cache_and_no_failure(start_router: StartRouter, shop: Shop) -> None:
    server = Valkey()
    server.start()
    try:
        async with start_router(**settings_for(server, "hanging")) as router:
            first = await kept(router, shop, PRODUCTS)
            bypassed = gets("User", "bypass")
            server.pause()
            assert await router.ask(PRODUCTS) == first
            assert gets("User", "bypass") > bypassed
            server.resume()
            server.kill()
            assert await router.ask(PRODUCTS) == first
            assert (await change(router, {"type": "User"}))[0] == 503
    finally:
        server.resume()
        server.kill()


@pytest.mark.parametrize(
    ("settings", "query", "asked"),
    [
        ({}, OWNER, set()),
        ({"max_bytes": 1}, OWNER, {"catalog", "accounts"}),
        ({"max_entities": 1}, "{ products { inStock } }", {"stock"}),
        ({"subgraphs": {"accounts": {"enabled": False}}}, OWNER, {"accounts"}),
        ({"max_ages": {"Query.products": 0}}, OWNER, {"catalog"}),
        ({}, "{ headers }", {"accounts"}),
        ({"default_max_age_seconds": 60}, "{ headers }", set()),
        ({"subgraphs": {"accounts": {"default_max_age_seconds": 60}}}, "{ headers }", set()),
        ({"max_ages": {"Query.headers": 60}}, "{ headers }", set()),
    ],
)
async def test_the_settings_say_what_is_kept(
    start_router: StartRouter, shop: Shop, valkey: Valkey, tmp_path: Any, settings: Any, query: str, asked: set[str]
) -> None:
    async with start_router(**settings_for(valkey, tmp_path.name, **settings)) as router:
        await router.ask(query)

        async def asks_as_expected() -> bool:
            shop.requests.clear()
            await router.ask(query)
            return shop.requests.keys() == asked

        await eventually(asks_as_expected)


async def test_nothing_is_kept_longer_than_the_settings_say(
    start_router: StartRouter, shop: Shop, valkey: Valkey, tmp_path: Any
) -> None:
    async with start_router(**settings_for(valkey, tmp_path.name, max_age_seconds=1)) as router:
        await kept(router, shop, OWNER)
        shop.names["u1"] = "Eve"
        await eventually(lambda: says(router, OWNER, "Eve"))
