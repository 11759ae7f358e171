"""The console of a router: there in development only, true about what was asked, bounded, without anybody's values."""

from __future__ import annotations

import gzip
from typing import Any

import pytest

from router.server.recent_operations import MOST_NAMES, OTHER
from router.settings import SettingsError
from tests.testkit.running_router import RunningRouter, StartRouter, token
from tests.testkit.running_stack import eventually

PATHS = ("/", "/console/state.json", "/console/graph.json", "/console/log/router", "/pages/console_page.js")


async def get(router: RunningRouter, path: str) -> Any:
    async with router.session.get(router.origin + path) as response:
        assert response.status == 200
        return await response.json()


async def statuses(router: RunningRouter) -> list[int]:
    found = []
    for path in PATHS:
        async with router.session.get(router.origin + path) as response:
            found.append(response.status)
    return found


def operation(state: dict[str, Any], name: str) -> dict[str, Any]:
    found: dict[str, Any] = next(each for each in state["operations"] if each["name"] == name)
    return found


async def test_the_console_is_there_in_development_only(start_router: StartRouter) -> None:
    async with start_router() as production:
        assert await statuses(production) == [404] * 5
    async with start_router(dev=True, console={"enabled": False}) as without:
        assert (await statuses(without))[:4] == [404] * 4
    async with start_router(dev=True) as development:
        assert await statuses(development) == [200, 200, 200, 404, 200]


async def test_what_an_open_console_asks_for_is_compressed(start_router: StartRouter) -> None:
    async with start_router(dev=True, compress_from_bytes=100) as router:
        for path in ("/", "/console/state.json", "/console/graph.json"):
            headers = {"accept-encoding": "zstd;q=0.2, gzip"}
            async with router.session.get(router.origin + path, headers=headers, auto_decompress=False) as response:
                body = await response.read()
            assert response.headers["content-encoding"] == "gzip"
            assert response.headers["vary"] == "accept-encoding"
            assert len(gzip.decompress(body)) > len(body)


async def test_operations_are_counted_with_their_errors_and_times(start_router: StartRouter) -> None:
    async with start_router(dev=True) as router:
        for _ in range(3):
            await router.ask("query Names { products { name } }")
        await router.ask("query Private { me { name } user(id: 1) { email } }")
        await router.ask("{ nonsense }")
        await router.ask("{ products { id } }")
        state = await get(router, "/console/state.json")
    assert (operation(state, "Names")["count"], operation(state, "Names")["errorCount"]) == (3, 0)
    assert operation(state, "Names")["median"] > 0
    assert operation(state, "Private")["codes"] == {"UNAUTHENTICATED": 1}
    assert operation(state, "not understood")["errorCount"] == 1
    assert operation(state, "{ products }")["count"] == 1


async def test_rates_are_of_two_seconds_each(start_router: StartRouter) -> None:
    async with start_router(dev=True) as router:
        for _ in range(4):
            await router.ask("query Names { products { name } }")

        async def are_there() -> bool:
            state = await get(router, "/console/state.json")
            assert len(state["times"]) == len(operation(state, "Names")["rates"])
            return bool(sum(operation(state, "Names")["rates"]) * 2 == 4)

        await eventually(are_there, seconds=60)


async def test_the_slowest_are_kept_with_their_fetches_and_without_values(start_router: StartRouter) -> None:
    async with start_router(dev=True) as router:
        for number in range(8):
            await router.ask(f"query Fast {{ products {{ name inStock }} a{number}: __typename }}")
        await router.ask('query Slow { slow(seconds: 0.3) user(id: "the-secret") { name } }')
        await router.ask("query Given($id: ID!) { user(id: $id) { name } }", {"id": "the-secret"})
        async with router.session.get(f"{router.origin}/console/state.json") as response:
            assert "the-secret" not in await response.text()
            state = await response.json()
    slowest = state["slow"][0]
    assert (slowest["name"], slowest["milliseconds"] >= 300) == ("Slow", True)
    assert {each["subgraph"] for each in slowest["trace"]["fetches"]} == {"accounts", "catalog"}
    assert [each["name"] for each in state["slow"]].count("Fast") == 3


async def test_names_that_clients_make_up_do_not_fill_the_memory(start_router: StartRouter) -> None:
    async with start_router(dev=True) as router:
        for number in range(MOST_NAMES + 20):
            await router.ask(f"query Made{number} {{ __typename }}")
        state = await get(router, "/console/state.json")
    assert len(state["operations"]) == MOST_NAMES + 1
    assert operation(state, OTHER)["count"] == 20


async def test_the_picture_says_who_adds_what_to_which_entity(start_router: StartRouter) -> None:
    async with start_router(dev=True) as router:
        picture = await get(router, "/console/graph.json")
    product, user = picture["entities"]
    assert (product["name"], user["name"]) == ("Product", "User")
    assert [(part["subgraph"], part["fields"], part["isReference"]) for part in product["parts"]] == [
        ("catalog", ["name", "owner"], False),
        ("stock", ["inStock"], False),
    ]
    assert [(part["subgraph"], part["isReference"]) for part in user["parts"]] == [
        ("accounts", False),
        ("catalog", True),
    ]
    accounts = next(each for each in picture["subgraphs"] if each["name"] == "accounts")
    assert accounts["roots"]["mutation"] == ["rename"]


async def test_live_events_and_cache_hits_are_told(start_router: StartRouter) -> None:
    async with start_router(dev=True) as router:
        before = await get(router, "/console/state.json")
        async with router.session.ws_connect(router.url, protocols=("graphql-transport-ws",)) as socket:
            await socket.send_json({"type": "connection_init", "payload": {"authorization": token()}})
            await socket.receive_json(timeout=60)
            query = "subscription Live { ticks(count: 3) { n } }"
            await socket.send_json({"id": "1", "type": "subscribe", "payload": {"query": query}})
            while (await socket.receive_json(timeout=60))["type"] != "complete":
                pass
        for _ in range(2):
            await router.ask("{ products { name } }")
        after = await get(router, "/console/state.json")
    assert after["live"]["delivered"] - before["live"]["delivered"] == 3
    assert operation(after, "Live")["type"] == "subscription"

    def hits(state: dict[str, Any]) -> float:
        return sum(each["counts"]["hit"] for each in state["caches"] if each["name"] == "plan")

    assert hits(after) > hits(before)


async def test_panels_of_the_product_are_shown_and_may_fail(start_router: StartRouter) -> None:
    panels = [
        {"provider": "tests.testkit.console_panels:Kitchen", "arguments": {"oven": "stove"}},
        {"provider": "tests.testkit.console_panels:Ruin"},
    ]
    async with start_router(dev=True, console={"panels": panels}) as router:
        state = await get(router, "/console/state.json")
        log = await get(router, "/console/log/stove")
    assert state["panels"][0]["parts"][0]["name"] == "stove"
    assert state["panels"][1] == {
        "kind": "failed",
        "title": "tests.testkit.console_panels:Ruin",
        "error": "RuntimeError",
    }
    assert (len(log["lines"]), log["lines"][-1]) == (200, "line 999")


async def test_panels_that_cannot_be_made_stop_the_start(start_router: StartRouter) -> None:
    with pytest.raises(
        SettingsError, match=r"the console's panels 'tests\.testkit\.console_panels:Attic' cannot be made"
    ):
        async with start_router(dev=True, console={"panels": [{"provider": "tests.testkit.console_panels:Attic"}]}):
            pass
