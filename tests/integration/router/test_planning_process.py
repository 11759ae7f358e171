"""Long and hostile operations: the event loop goes on, and each is answered or refused in bounded time."""

from __future__ import annotations

import asyncio
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
from tests.integration.router.test_subscribe import SUPERGRAPH

MAX_LAG_SECONDS = 0.05


class LoopLag:
    """Measures how late the event loop runs what should run at once."""

    async def __aenter__(self) -> Self:
        self.worst = 0.0
        self._task = asyncio.create_task(self._watch())
        return self

    async def __aexit__(self, *_: object) -> None:
        self._task.cancel()

    async def _watch(self) -> None:
        while True:
            began = time.perf_counter()
            await asyncio.sleep(0.005)
            self.worst = max(self.worst, time.perf_counter() - began - 0.005)


async def answered(graph: LoadedGraph, text: str) -> Response:
    async def live(_body: bytes) -> bytes:
        return b'{"data":{}}'

    return await answer(OperationRequest(text), graph, Runtime(InProcessTransport(functions={"live": live})))


def wide(fields: int) -> str:
    return "{ " + " ".join(f"a{number}: version" for number in range(fields)) + " }"


async def test_a_long_operation_is_planned_without_holding_up_the_loop() -> None:
    graph = LoadedGraph.from_sdl(SUPERGRAPH)
    await answered(graph, wide(151))  # starts the child
    async with LoopLag() as lag:
        response = await answered(graph, wide(480))
    graph.close()

    assert response.status == 200
    assert len(orjson.loads(response.body)["data"]) == 480
    assert lag.worst < MAX_LAG_SECONDS * 3  # two cores shared with everything else that runs here


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
    hostile = PrepareJob(wide(40_000), None, keep_defer=False, limits=no_limits, hide_suggestions=False)
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
