"""Long and hostile operations: the event loop goes on, and each is answered or refused in bounded time."""

from __future__ import annotations

import asyncio
import gc
import time
from dataclasses import replace
from typing import Self

import orjson
import pytest

from router.errors import PlanningTimeoutError
from router.executor.transport import InProcessTransport
from router.loaded_graph import GraphOptions, LoadedGraph
from router.operation import DocumentLimits
from router.pipeline import OperationRequest, Response, Runtime, answer
from router.planning_process import PlanningProcess, PrepareJob
from schema import SubgraphSource, compose
from tests.integration.router.test_subscribe import SUPERGRAPH

MAX_BLOCKED_SECONDS = 0.05


class LoopWork:
    """The longest piece of work that the event loop did at once, in this thread's CPU time: others may run here too."""

    def __enter__(self) -> Self:
        self.worst = 0.0
        gc.collect()
        gc.freeze()  # what the tests before left behind is not this loop's to look through
        run = self._run = asyncio.Handle._run

        def measured(handle: asyncio.Handle) -> None:
            began = time.thread_time()
            run(handle)
            self.worst = max(self.worst, time.thread_time() - began)

        asyncio.Handle._run = measured  # type: ignore[method-assign]
        return self

    def __exit__(self, *_: object) -> None:
        asyncio.Handle._run = self._run  # type: ignore[method-assign]
        gc.unfreeze()


async def answered(graph: LoadedGraph, text: str) -> Response:
    async def live(_body: bytes) -> bytes:
        return b'{"data":{}}'

    return await answer(OperationRequest(text), graph, Runtime(InProcessTransport(functions={"live": live})))


def wide(fields: int) -> str:
    return "{ " + " ".join(f"a{number}: version" for number in range(fields)) + " }"


async def test_a_long_operation_is_planned_without_holding_up_the_loop() -> None:
    graph = LoadedGraph.from_sdl(SUPERGRAPH)
    await answered(graph, wide(151))  # starts the child
    with LoopWork() as work:
        response = await answered(graph, wide(480))
    graph.close()

    assert response.status == 200
    assert len(orjson.loads(response.body)["data"]) == 480
    assert 0 < work.worst < MAX_BLOCKED_SECONDS


async def test_a_graph_that_is_replaced_still_plans_what_was_asked_of_it() -> None:
    graph = LoadedGraph.from_sdl(SUPERGRAPH)
    await answered(graph, wide(151))  # starts the child
    under_way = [asyncio.create_task(answered(graph, wide(fields))) for fields in (480, 481)]
    await asyncio.sleep(0.01)
    child = graph._planning._child  # type: ignore[union-attr]
    graph.retire()
    assert [(await response).status for response in under_way] == [200, 200]
    assert child is not None
    assert await asyncio.wait_for(child.wait(), 5) != 0


def many_ways() -> str:
    """A graph of 12 subgraphs that share almost everything: there are very many ways to answer an operation."""
    link = (
        'extend schema @link(url: "https://specs.apollo.dev/federation/v2.8", '
        'import: ["@key", "@shareable", "@external", "@requires"])\n'
    )
    sources = [
        SubgraphSource(
            f"s{number}",
            f"{link} type Query {{ shared: T @shareable }} "
            f'type T @key(fields: "id") {{ id: ID! f{number}: Int t: T @shareable v: V @shareable '
            + (
                f"r{number - 1}: Int @external r{number - 2}: Int @external "
                f'r{number}: Int @requires(fields: "r{number - 1} r{number - 2}") }}'
                if number > 1
                else f"r{number}: Int }}"
            )
            + " type V @shareable { t: T }",
            f"http://s{number}",
        )
        for number in range(12)
    ]
    supergraph_sdl = compose(sources).supergraph_sdl
    assert supergraph_sdl is not None
    return supergraph_sdl


@pytest.mark.parametrize(
    "text",
    [
        "{ shared { " + "t { f1 f2 f3 f4 f5 " * 12 + "} " * 12 + "} }",
        "{ shared { v { t { " + " ".join(f"f{number}" for number in range(12)) + " } } } }",
        "{ shared { " + "".join(f"t {{ f{n} v {{ t {{ f{n + 1} " for n in range(6)) + "} } } " * 6 + "} }",
        "{ shared { r11 t { r11 t { r11 } } } }",
    ],
)
async def test_a_short_operation_with_very_many_ways_holds_up_nothing(text: str) -> None:
    names = [f"s{number}" for number in range(12)]

    async def silent(_body: bytes) -> bytes:
        return b'{"data":{"shared":null}}'

    graph = LoadedGraph.from_sdl(many_ways())
    runtime = Runtime(InProcessTransport(functions=dict.fromkeys(names, silent)))
    await answer(OperationRequest("{ shared { id } }"), graph, runtime)
    began = time.monotonic()
    with LoopWork() as work:
        response = await answer(OperationRequest(text), graph, runtime)
    graph.close()

    assert orjson.loads(response.body) == {"data": {"shared": None}}
    assert 0 < work.worst < MAX_BLOCKED_SECONDS
    assert time.monotonic() - began < graph.options.planning_timeout_seconds


async def test_what_a_long_operation_breaks_is_told_as_for_a_short_one() -> None:
    graph = LoadedGraph.from_sdl(SUPERGRAPH)
    long = await answered(graph, wide(200).replace("a199: version", "nothing"))
    short = await answered(graph, "{ nothing }")
    graph.close()

    assert long.status == short.status == 400
    (entry,) = orjson.loads(long.body)["errors"]
    assert entry["message"] == orjson.loads(short.body)["errors"][0]["message"]
    assert entry["extensions"] == {"code": "GRAPHQL_VALIDATION_FAILED"}


async def test_an_operation_that_takes_too_long_is_refused_and_the_next_one_served() -> None:
    process = PlanningProcess(SUPERGRAPH, timeout_seconds=1.5)
    no_limits = DocumentLimits(tokens=10**6, aliases=10**6, fields=10**6, root_fields=10**6)
    hostile = PrepareJob(wide(40_000), None, keep_incremental=False, limits=no_limits, hide_suggestions=False)
    with pytest.raises(PlanningTimeoutError):
        await process.prepare(hostile)
    operation = await process.prepare(replace(hostile, text="{ version }"))
    process.close()

    assert len(operation.selections.items) == 1


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("{ " + "version " * 10_000 + "}", "ROOT_FIELD_LIMIT_EXCEEDED"),
        ("{ " + "version " * 400 + "}", "REPEATED_FIELD_LIMIT_EXCEEDED"),
        (wide(3_000), "ALIAS_LIMIT_EXCEEDED"),
        ("{ version " * 3_000 + "}" * 3_000, "DEPTH_LIMIT_EXCEEDED"),
        ("{ version " + "@include(if: true) " * 1_500 + "}", "DIRECTIVE_LIMIT_EXCEEDED"),
        (wide(10_000), "TOKEN_LIMIT_EXCEEDED"),
        ("{ version }" + " # " + "x" * 5_000_000, "TOKEN_LIMIT_EXCEEDED"),
        ("{ ...F0 }" + "".join(f" fragment F{n} on Query {{ ...F{n + 1} ...F{n + 1} }}" for n in range(40))
         + " fragment F40 on Query { version }", "FIELD_LIMIT_EXCEEDED"),
    ],
)  # fmt: skip
async def test_hostile_text_is_refused_quickly(text: str, code: str) -> None:
    graph = LoadedGraph.from_sdl(SUPERGRAPH, GraphOptions(planning_timeout_seconds=5))
    began = time.perf_counter()
    response = await answered(graph, text)
    graph.close()

    assert {entry["extensions"]["code"] for entry in orjson.loads(response.body)["errors"]} == {code}
    assert time.perf_counter() - began < 3
