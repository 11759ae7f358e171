"""Where a request's time and memory go inside the router: `python -m benchmarks.micro.router_stages`.

Subgraphs answer at once from memory, so what is measured is parse to encode without any I/O; one line a stage.
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import time
import tracemalloc
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

import orjson

from benchmarks.compare import compose_shop
from benchmarks.shop.subgraph_server import Subgraphs
from benchmarks.shop.workloads import WORKLOADS, Workload
from router.executor.execute import CompiledPlan, SequenceStep, compile_plan
from router.executor.fetch import EntityFetchStep, Execution
from router.executor.merge import copy_tree, merge_object
from router.executor.transport import SubgraphAnswer, SubgraphRequest
from router.loaded_graph import LoadedGraph, PreparedOperation
from router.operation import normalize, parse_and_validate


@dataclass(frozen=True, slots=True)
class Cost:
    """Of one call: its time, and the most memory that it held at once."""

    microseconds: float
    peak_kib: float


class RememberedSubgraphs:
    """A transport that computes each distinct answer once."""

    def __init__(self) -> None:
        self._subgraphs = Subgraphs()
        self._answers: dict[tuple[str, bytes], SubgraphAnswer] = {}

    def send(self, request: SubgraphRequest) -> asyncio.Future[SubgraphAnswer]:
        key = (request.subgraph, request.body)
        if key not in self._answers:
            self._answers[key] = SubgraphAnswer(200, self._subgraphs.answer(request.subgraph, request.body))
        future: asyncio.Future[SubgraphAnswer] = asyncio.get_running_loop().create_future()
        future.set_result(self._answers[key])
        return future


async def measure(workload: Workload, seconds: float) -> dict[str, Cost]:
    """By stage."""
    graph, transport, text = LoadedGraph.from_sdl(compose_shop(4200)), RememberedSubgraphs(), workload.operation_text()
    prepared = await graph.prepare(text, None)
    compiled = await graph.plan(prepared, prepared.plannable)

    async def whole() -> bytes:
        return await compiled.answer(Execution(transport, {**prepared.coercion.coerce(None)}))

    answer = orjson.loads(await whole())
    if answer != {"data": workload.expected()}:
        raise SystemExit(f"wrong answer to {workload.name}: {answer}")
    return {
        "parse, validate, normalise": await _cost(lambda: _done(_prepare(graph, text)), seconds),
        "plan": await _cost(lambda: _done(graph._plan(prepared.plannable, frozenset())), seconds),  # noqa: SLF001
        "compile": await _cost(lambda: _done(_compile(graph, compiled, prepared)), seconds),
        **await _stages_of_execution(compiled, prepared, transport, seconds),
        "whole request": await _cost(whole, seconds),
    }


def _prepare(graph: LoadedGraph, text: str) -> object:
    return normalize(parse_and_validate(text, graph.api_schema, graph.options.limits), None, graph.api_schema)


def _compile(graph: LoadedGraph, compiled: CompiledPlan, prepared: PreparedOperation) -> object:
    return compile_plan(compiled.plan, prepared.operation, graph.api_schema, graph.subgraph_urls)


async def _stages_of_execution(
    compiled: CompiledPlan, prepared: PreparedOperation, transport: RememberedSubgraphs, seconds: float
) -> dict[str, Cost]:
    execution = Execution(transport, {**prepared.coercion.coerce(None)})
    if compiled.step is None:
        return {}
    await compiled.step.run(execution)
    fetches = _entity_fetches(compiled.step)
    collectors = [lookup._collector for fetch in fetches for lookup in fetch.lookups]  # noqa: SLF001 - it is timed alone

    async def run_steps() -> None:
        assert compiled.step is not None
        await compiled.step.run(Execution(transport, execution.variables))

    async def collect() -> None:
        for collector in collectors:
            collector.collect(execution.tree, {})

    async def merge() -> None:
        merge_object({}, copy_tree(execution.tree))

    return {
        "fetch, collect and merge": await _cost(run_steps, seconds),
        "representations": await _cost(collect, seconds),
        "merge of a whole tree": await _cost(merge, seconds),
        "project and encode": await _cost(lambda: _done(compiled.encode(execution)), seconds),
    }


def _entity_fetches(step: object) -> list[EntityFetchStep]:
    if isinstance(step, EntityFetchStep):
        return [step]
    children = (
        step.steps if isinstance(step, SequenceStep) else (*getattr(step, "fetches", ()), *getattr(step, "others", ()))
    )
    return [fetch for child in children for fetch in _entity_fetches(child)]


async def _done(_result: object) -> None:
    """A stage that was synchronous code."""


async def _cost(call: Callable[[], Awaitable[object]], seconds: float) -> Cost:
    """The memory is that of one call more: tracing slows the others down."""
    microseconds = await _per_call(call, seconds)
    gc.collect()
    tracemalloc.start()
    before = tracemalloc.get_traced_memory()[0]
    await call()
    peak = tracemalloc.get_traced_memory()[1] - before
    tracemalloc.stop()
    return Cost(microseconds, peak / 1024)


async def _per_call(call: Callable[[], Awaitable[object]], seconds: float) -> float:
    """Microseconds of the fastest of five equal batches, so that other work on the machine disturbs least."""
    began, calls = time.perf_counter(), 0
    while time.perf_counter() - began < seconds / 5:
        await call()
        calls += 1
    batches = []
    gc.collect()
    for _ in range(5):
        began = time.perf_counter()
        for _ in range(calls):
            await call()
        batches.append((time.perf_counter() - began) / calls)
    return min(batches) * 1e6


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--workload", action="append", choices=[w.name for w in WORKLOADS])
    parser.add_argument("--seconds", type=float, default=0.5, help="of each stage")
    options = parser.parse_args()
    for workload in WORKLOADS:
        if workload.name in (options.workload or ("heavy", "light", "no-hop")):
            print(workload.name)
            for stage, cost in asyncio.run(measure(workload, options.seconds)).items():
                print(f"  {stage:28} {cost.microseconds:10.1f} us {cost.peak_kib:10.1f} KiB")


if __name__ == "__main__":
    main()
