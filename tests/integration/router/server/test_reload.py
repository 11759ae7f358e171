"""A supergraph that changes on disk while the router serves it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path

from tests.integration.router.server.test_websocket import connected
from tests.testkit.running_router import RunningRouter, StartRouter, token


async def until(claim: Callable[[], bool]) -> None:
    async with asyncio.timeout(60):
        while not claim():
            await asyncio.sleep(0.02)


def add_field(sdl: str) -> str:
    """The supergraph with `User.nickname`, which no subgraph was asked for before."""
    return sdl.replace("  email: String ", "  nickname: String @join__field(graph: ACCOUNTS)\n  email: String ")


async def test_a_new_supergraph_is_served_without_losing_a_request(start_router: StartRouter) -> None:
    async with start_router(watch=True) as router:
        answers: list[object] = []

        async def keep_asking() -> None:
            while True:
                answers.append(await router.ask("{ products { name inStock } }"))

        asking = [asyncio.create_task(keep_asking()) for _ in range(4)]
        sdl = router.supergraph.read_text()
        for round_ in range(3):
            await asyncio.sleep(0.3)
            router.supergraph.write_text(sdl + f"\n# {round_}")
            await until(lambda expected=round_ + 2: router.app.graph_file.current.generation == expected)  # type: ignore[misc]
        for task in asking:
            task.cancel()
        await asyncio.gather(*asking, return_exceptions=True)
        expected = {"data": {"products": [{"name": "Product 1", "inStock": 10}, {"name": "Product 2", "inStock": 20}]}}
        assert len(answers) > 20
        assert all(answer == expected for answer in answers)


async def test_a_live_subscription_survives_the_change(start_router: StartRouter) -> None:
    async with start_router(watch=True) as router:
        socket = await connected(router)
        query = "subscription { ticks(count: 1000, pause: 0.02) { n owner { name } } }"
        await socket.send_json({"id": "a", "type": "subscribe", "payload": {"query": query}})
        before = (await socket.receive_json(timeout=60))["payload"]["data"]["ticks"]["n"]
        router.supergraph.write_text(add_field(router.supergraph.read_text()))
        await until(lambda: router.app.graph_file.current.generation == 2)
        assert (await router.ask('{ __type(name: "User") { fields { name } } }'))["data"]["__type"]["fields"][2] == {
            "name": "nickname"
        }
        events = [(await socket.receive_json(timeout=60))["payload"]["data"]["ticks"] for _ in range(20)]
        assert [event["n"] for event in events] == list(range(before + 1, before + 21))
        assert events[-1]["owner"] == {"name": "Ben"}
        await socket.close()


async def test_a_broken_file_leaves_the_last_good_graph_and_is_told(start_router: StartRouter) -> None:
    async with start_router(watch=True, dev=True) as router:
        good = router.supergraph.read_text()
        router.supergraph.write_text(good + "\ntype Broken {")
        await until(lambda: router.app.graph_file.error is not None)
        assert await router.ask("{ __typename }") == {"data": {"__typename": "Query"}}
        async with router.session.get(f"{router.origin}/ready") as response:
            details = (await response.json())["components"]["supergraph"]["details"]
            assert response.status == 200
            assert "Syntax Error" in details["error"]
            assert details["generation"] == 1
        router.supergraph.write_text(good)
        await until(lambda: router.app.graph_file.error is None)


async def test_a_link_that_is_turned_to_another_file_is_followed(start_router: StartRouter, tmp_path: Path) -> None:
    """As Kubernetes does it with a ConfigMap: the folder behind the name is another one."""
    async with start_router(watch=True) as router:
        for version in ("1", "2"):
            (tmp_path / version).mkdir()
            (tmp_path / version / "graph").write_text(router.supergraph.read_text() + f"\n# {version}")
        (tmp_path / "data").symlink_to(tmp_path / "1")
        router.supergraph.unlink()
        router.supergraph.symlink_to(tmp_path / "data" / "graph")
        await until(lambda: router.app.graph_file.current.generation == 2)
        (tmp_path / "turned").symlink_to(tmp_path / "2")
        (tmp_path / "turned").rename(tmp_path / "data")
        await until(lambda: router.app.graph_file.current.generation == 3)


async def test_a_complaint_of_whoever_composes_is_told_until_it_is_gone(start_router: StartRouter) -> None:
    async with start_router(watch=True, dev=True) as router:
        complaint = router.supergraph.with_name(router.supergraph.name + ".error")
        await asyncio.sleep(0.2)
        complaint.write_text("FIELD_TYPE_MISMATCH: ...")
        await until(lambda: router.app.graph_file.error == "FIELD_TYPE_MISMATCH: ...")
        assert router.app.graph_file.current.generation == 1
        complaint.unlink()
        await until(lambda: router.app.graph_file.error is None)


async def test_probes_tell_what_is_served(router: RunningRouter) -> None:
    await router.ask("{ products { inStock } }")
    async with router.session.get(f"{router.origin}/live") as response:
        assert await response.json() == {"status": "UP"}
    async with router.session.get(f"{router.origin}/actuator/health") as response:
        health = await response.json()
        assert (response.status, health["status"]) == (200, "UP")
        assert set(health["components"]) == {"supergraph", "subgraphs", "loops", "diskSpace", "ping"}
    async with router.session.get(f"{router.origin}/actuator/registry") as response:
        rows = {row["name"]: row for row in (await response.json())["subgraphs"]}
        assert {name: row["status"] for name, row in rows.items()} == {
            "accounts": "UP",  # asked by the probe, since no client did
            "catalog": "UP",
            "stock": "UP",
        }
    async with router.session.get(f"{router.origin}/actuator/prometheus") as response:
        text = await response.text()
        assert 'http_server_requests_seconds_count{method="POST",outcome="SUCCESS"' in text
        assert 'router_subgraph_request_duration_seconds_count{outcome="ok",subgraph="stock"}' in text


async def test_metrics_count_what_the_caches_of_the_graph_were_asked(router: RunningRouter) -> None:
    async def scraped() -> dict[str, float]:
        async with router.session.get(f"{router.origin}/actuator/prometheus") as response:
            lines = [line.rpartition(" ") for line in (await response.text()).splitlines() if line.startswith("cache_")]
        return {name: float(value) for name, _, value in lines}

    before = await scraped()
    for subject in ("u1", "u2"):
        await router.ask(f"{{ {subject}: me {{ name }} }}", authorization=token())
        await asyncio.gather(*(router.ask("{ products { name } }", authorization=token(subject)) for _ in range(3)))
    after = await scraped()

    def grown(cache: str, result: str) -> float:
        name = f'cache_gets_total{{cache="{cache}",result="{result}"}}'
        return after[name] - before.get(name, 0)

    assert (grown("operation", "miss"), grown("plan", "miss")) == (3, 3)
    assert grown("operation", "hit") >= 2
    assert grown("operation", "hit") + grown("operation", "coalesced") >= 4
    assert (after['cache_size{cache="operation"}'], after['cache_size{cache="plan"}']) == (3, 3)


async def test_a_router_that_stops_is_alive_and_not_ready(router: RunningRouter) -> None:
    async def statuses() -> dict[str, int]:
        found = {}
        for path in ("/live", "/ready", "/health", "/health?live", "/health?ready"):
            async with router.session.get(router.origin + path) as response:
                found[path] = response.status
        return found

    assert set((await statuses()).values()) == {200}
    router.app._probes.is_stopping = True
    assert await statuses() == {"/live": 200, "/ready": 503, "/health": 200, "/health?live": 200, "/health?ready": 503}
