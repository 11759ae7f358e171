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
from benchmarks.shop.workloads import WORKLOADS
from benchmarks.subgraph_server import Subgraphs
from benchmarks.workload import Workload
from router.executor.execute import CompiledPlan, SequenceStep
from router.executor.fetch import EntityFetchStep, Execution
from router.executor.merge import copy_tree, merge_object
from router.loaded_graph import LoadedGraph
from router.operation import normalize, parse_document, validate_document
from router.prepared_operation import PreparedOperation
from router.transport.protocol import SubgraphAnswer, SubgraphRequest


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


#: What one stage does once; it is called again and again.
Stage = Callable[[], Awaitable[object]]


async def stages_of(workload: Workload) -> dict[str, Stage]:
    """By name. Raises SystemExit where the router's answer is not the one that the shop's facts give."""
    graph, transport, text = LoadedGraph.from_sdl(compose_shop(4200)), RememberedSubgraphs(), workload.operation_text()
    prepared = await graph.prepare(text, None)
    compiled = await graph.plan(prepared, prepared.plannable)

    async def whole() -> bytes:
        return await compiled.respond(Execution(transport, {**prepared.coercion.coerce(None)}))

    answer = orjson.loads(await whole())
    if answer != {"data": workload.expected()}:
        raise SystemExit(f"wrong answer to {workload.name}: {answer}")
    return {
        **stages_of_preparation(graph, text),
        **await _stages_of_execution(compiled, prepared, transport),
        "whole request": whole,
    }


def stages_of_preparation(graph: LoadedGraph, text: str) -> dict[str, Stage]:
    """What a text goes through that is new, and like none before, until it can be run."""
    document = parse_document(text)
    operation = normalize(document, None, graph.api_schema, lift_literals=True)
    plan = graph._plan(operation, frozenset())  # noqa: SLF001 - it is timed alone

    async def validated() -> None:
        validate_document(document, graph.api_schema)

    return {
        "parse": lambda: _done(parse_document(text)),
        "validate": validated,
        "normalise": lambda: _done(normalize(document, None, graph.api_schema, lift_literals=True)),
        "prepare variables": lambda: _done(PreparedOperation(operation, graph.api_schema)),
        "plan": lambda: _done(graph._plan(operation, frozenset())),  # noqa: SLF001 - as above
        "compile": lambda: _done(graph.compile(plan, operation)),
    }


async def _stages_of_execution(
    compiled: CompiledPlan, prepared: PreparedOperation, transport: RememberedSubgraphs
) -> dict[str, Stage]:
    execution = Execution(transport, {**prepared.coercion.coerce(None)})
    step = compiled.step
    if step is None:
        return {}
    await step.run(execution)
    collectors = [lookup._collector for fetch in _entity_fetches(step) for lookup in fetch.lookups]  # noqa: SLF001

    async def collect() -> None:
        for collector in collectors:
            collector.collect(execution.tree, {}, execution.variables)

    async def merge() -> None:
        merge_object({}, copy_tree(execution.tree))

    return {
        "fetch, collect and merge": lambda: step.run(Execution(transport, execution.variables)),
        "representations": collect,
        "merge of a whole tree": merge,
        "project and encode": lambda: _done(compiled.encode(execution)),
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


async def measure(workload: Workload, seconds: float) -> dict[str, Cost]:
    """By stage."""
    return {name: await _cost(call, seconds) for name, call in (await stages_of(workload)).items()}


async def _cost(call: Stage, seconds: float) -> Cost:
    """The memory is that of one call more: tracing slows the others down."""
    microseconds = await _per_call(call, seconds)
    gc.collect()
    tracemalloc.start()
    before = tracemalloc.get_traced_memory()[0]
    await call()
    peak = tracemalloc.get_traced_memory()[1] - before
    tracemalloc.stop()
    return Cost(microseconds, peak / 1024)


async def _per_call(call: Stage, seconds: float) -> float:
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
