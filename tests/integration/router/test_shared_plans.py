"""Plans that took long are made once for all routers of a graph, and whoever can write to Redis can do no more than waste them."""

from __future__ import annotations

import random
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import msgspec
import pytest
from redis.asyncio import Redis

from router import loaded_graph, shared_plans
from router.loaded_graph import GraphOptions, LoadedGraph
from router.operation import DocumentLimits
from router.planning_process import PlanningProcess
from router.redis_client import open_redis
from router.server.app import create_app
from router.settings import SettingsError, SharedPlans, load_settings
from router.shared_plans import decoded, encoded
from router.telemetry import SHARED_PLANS
from tests.testkit.differences import make_trial
from tests.testkit.hard_supergraphs import wide_interface
from tests.testkit.random_operation import random_operation
from tests.testkit.servers import Valkey

SUPERGRAPH = wide_interface(members=8)
LONG = "query ($g: Boolean!) { nodes { g1 @include(if: $g) n2 { g0 n1 { g2 } } ... on M3 { own0_3 own1_3 } } }"


@pytest.fixture
async def redis(valkey: Valkey) -> AsyncIterator[Redis]:
    client = open_redis(valkey.url, 0.5)
    await client.flushdb()
    yield client
    await client.aclose()


@pytest.fixture(autouse=True)
def everything_is_long(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(loaded_graph, "MAX_INLINE_SECONDS", 0.0)


@pytest.fixture
def made(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """The jobs that planning processes got."""
    jobs: list[Any] = []
    plan = PlanningProcess.plan

    async def counted(self: PlanningProcess, job: Any) -> Any:
        jobs.append(job)
        return await plan(self, job)

    monkeypatch.setattr(PlanningProcess, "plan", counted)
    return jobs


def graph_of(redis: Redis, sdl: str = SUPERGRAPH, **settings: Any) -> LoadedGraph:
    return LoadedGraph.from_sdl(
        sdl, GraphOptions(shared_plans=shared_plans.SharedPlans(SharedPlans(**settings), redis))
    )


async def planned(graph: LoadedGraph, text: str = LONG) -> Any:
    try:
        prepared = await graph.prepare(text, None)
        return (await graph.plan(prepared, prepared.plannable)).plan
    finally:
        graph.close()


async def test_a_second_router_takes_the_plan_of_the_first(redis: Redis, made: list[Any]) -> None:
    own = {"key_prefix": "shop", "ttl_seconds": 90_000}
    first = await planned(graph_of(redis, **own))
    second = await planned(graph_of(redis, **own), "query Named($g: Boolean!) " + LONG[LONG.index("{ nodes") :])
    assert second == first
    assert len(made) == 1
    (key,) = await redis.keys("*")
    assert key.startswith(b"shop:plan:")
    assert 86_400 < await redis.ttl(key) <= 90_000


async def test_other_graphs_operations_and_planners_have_other_plans(
    redis: Redis, made: list[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    await planned(graph_of(redis))
    await planned(graph_of(redis, wide_interface(members=9)))
    await planned(graph_of(redis), LONG.replace("include", "skip"))
    monkeypatch.setattr(shared_plans, "source_digest", lambda: b"another version")
    await planned(graph_of(redis))
    assert len(made) == 4
    assert len(await redis.keys("*")) == 4


@pytest.mark.parametrize(
    "stored",
    [
        b"", b"\xc1", b"\x80\x04c__builtin__\neval\n", msgspec.msgpack.encode([0]), msgspec.msgpack.encode([99, 1]),
        msgspec.msgpack.encode({"a": 1}), msgspec.msgpack.encode([-2, [1]]), msgspec.msgpack.encode("x"), b"\x91" * 100_000,
    ],
)  # fmt: skip
async def test_what_is_no_plan_is_made_anew(redis: Redis, made: list[Any], stored: bytes) -> None:
    plan = await planned(graph_of(redis))
    (key,) = await redis.keys("*")
    await redis.set(key, stored)
    assert await planned(graph_of(redis)) == plan
    assert len(made) == 2
    assert decoded(await redis.get(key)) == plan


async def test_without_redis_and_beyond_the_bound_plans_are_made_as_ever(redis: Redis, made: list[Any]) -> None:
    plan = await planned(graph_of(redis, max_bytes=10))
    assert await redis.keys("*") == []
    failed = SHARED_PLANS.labels("failed")._value.get()
    nobody = open_redis("redis://127.0.0.1:1", 0.5)
    assert await planned(graph_of(nobody)) == plan
    await nobody.aclose()
    assert len(made) == 2
    assert SHARED_PLANS.labels("failed")._value.get() == failed + 2


async def test_a_plan_is_the_same_when_it_is_read_again() -> None:
    read = 0
    for seed in range(12):
        trial = make_trial(seed)
        if trial is None:
            continue
        try:
            graph = trial.compose().graph
        except Exception:  # a random graph that does not compose is another test's
            continue
        graph.options = replace(graph.options, limits=DocumentLimits(fields=100_000))
        for number in range(4):
            operation = random_operation(graph.api_schema, random.Random(f"{seed}/{number}"))
            prepared = await graph.prepare(operation.text, None)
            assert graph.planner is not None
            plan = graph.planner.plan(prepared.plannable)
            assert decoded(encoded(plan)) == plan
            read += 1
    assert read > 12


async def test_the_settings_turn_it_on(tmp_path: Path, valkey: Valkey) -> None:
    (tmp_path / "supergraph.graphql").write_text(SUPERGRAPH)
    with pytest.raises(SettingsError, match="shared_plans needs redis_url"):
        load_settings(None, {}, supergraph=tmp_path, shared_plans={"enabled": True})
    for is_on in (True, False):
        settings = load_settings(
            None,
            {},
            supergraph=tmp_path / "supergraph.graphql",
            redis_url=valkey.url,
            shared_plans={"enabled": is_on},
        )
        app = create_app(settings)
        await app.graph_file.load()
        assert (app.graph_file.current.graph.options.shared_plans is not None) is is_on
        app.graph_file.close()
