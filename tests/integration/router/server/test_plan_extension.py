"""What a response's `extensions` tell of its plan, of every fetch and of what was withheld, in development."""

from __future__ import annotations

from typing import Any

import aiohttp

from tests.testkit.running_router import RunningRouter, StartRouter, token

WANTED = {"x-query-plan": "1"}
PRODUCTS = "{ products { name inStock owner { name } } }"


def fetch_nodes(node: dict[str, Any]) -> list[dict[str, Any]]:
    if "serviceName" in node:
        return [node]
    inner = [node.get("node"), node.get("primary"), node.get("rest"), *node.get("nodes", ())]
    return [found for each in inner if each is not None for found in fetch_nodes(each)]


async def test_every_fetch_is_told_with_its_node_time_size_and_what_was_sent(start_router: StartRouter) -> None:
    async with start_router(dev=True) as router:
        extensions = (await router.ask(PRODUCTS, **WANTED))["extensions"]
    nodes = {each["number"]: each for each in fetch_nodes(extensions["queryPlan"]["node"])}
    fetches = extensions["trace"]["fetches"]
    assert sorted(each["subgraph"] for each in fetches) == ["accounts", "catalog", "stock"]
    for fetch in fetches:
        assert nodes[fetch["node"]]["serviceName"] == fetch["subgraph"]
        assert nodes[fetch["node"]]["operation"] == fetch["operation"]
        assert fetch["status"] == 200
        assert fetch["milliseconds"] > 0
        assert 0 <= fetch["startMilliseconds"] <= extensions["trace"]["milliseconds"]
        assert fetch["bytesReceived"] > 0
    stock = next(each for each in fetches if each["subgraph"] == "stock")
    assert stock["representationCount"] == 2
    assert stock["variables"]["representations"][0] == {"__typename": "Product", "id": "1"}
    assert '+ a fetch from stock by key "id"' in extensions["choices"]


async def test_the_second_request_finds_its_plan_made(start_router: StartRouter) -> None:
    async with start_router(dev=True) as router:
        known = [
            [each["cached"] for each in (await router.ask(PRODUCTS, **WANTED))["extensions"]["trace"]["stages"]]
            for _ in range(2)
        ]
    assert known == [[False, False], [True, True]]


async def test_what_a_caller_may_not_have_is_told_with_the_reason(start_router: StartRouter) -> None:
    async with start_router(dev=True) as router:
        stranger = await router.ask('{ user(id: "u1") { name email salary } }', **WANTED)
        known = await router.ask('{ user(id: "u1") { name email salary } }', authorization=token(), **WANTED)
    assert stranger["extensions"]["trace"]["withheld"] == [
        {"path": "user.email", "coordinate": "User.email", "reason": "nobody is signed in"},
        {"path": "user.salary", "coordinate": "User.salary", "reason": "nobody is signed in"},
    ]
    assert [each["coordinate"] for each in known["extensions"]["trace"]["withheld"]] == ["User.salary"]


async def test_a_fetch_that_failed_tells_its_code(start_router: StartRouter) -> None:
    async with start_router(dev=True, subgraphs={"stock": {"url": "http://127.0.0.1:1/graphql"}}) as router:
        answer = await router.ask("{ products { inStock } }", **WANTED)
    stock = next(each for each in answer["extensions"]["trace"]["fetches"] if each["subgraph"] == "stock")
    assert (stock["error"], stock["status"]) == (answer["errors"][0]["extensions"]["code"], None)


async def test_every_event_of_a_subscription_has_a_trace_of_its_own(start_router: StartRouter) -> None:
    async with start_router(dev=True) as router:
        payloads = await events(router, {"x-query-plan": "1"})
        plain = await events(router, {})
    traces = [each["extensions"]["trace"] for each in payloads]
    assert [[fetch["subgraph"] for fetch in trace["fetches"]] for trace in traces] == [["accounts"], ["accounts"]]
    assert all("extensions" not in each for each in plain)


async def test_each_deferred_part_tells_its_plan_and_all_fetches_so_far(start_router: StartRouter) -> None:
    async with start_router(dev=True) as router:
        headers = {**WANTED, "accept": "multipart/mixed"}
        body = {"query": "{ products { name ... @defer { inStock } } }"}
        async with router.session.post(router.url, json=body, headers=headers) as response:
            text = await response.text()
    first, second = text.split('"trace"')[1:3]
    assert '"stock"' not in first.split('"choices"')[0].split('"withheld"')[0]
    assert '"subgraph":"stock"' in second


async def test_without_development_nobody_is_told(router: RunningRouter) -> None:
    assert "extensions" not in await router.ask(PRODUCTS, **WANTED)


async def events(router: RunningRouter, initial: dict[str, Any]) -> list[dict[str, Any]]:
    """The payloads of a subscription over WebSocket whose first message is `initial`."""
    payloads = []
    async with router.session.ws_connect(router.url, protocols=("graphql-transport-ws",)) as socket:
        await socket.send_json({"type": "connection_init", "payload": initial})
        await socket.receive_json(timeout=60)
        query = "subscription { ticks(count: 2) { n owner { name } } }"
        await socket.send_json({"id": "1", "type": "subscribe", "payload": {"query": query}})
        while (message := await socket.receive(timeout=60)).type is aiohttp.WSMsgType.TEXT:
            told = message.json()
            if told["type"] != "next":
                break
            payloads.append(told["payload"])
    return payloads
