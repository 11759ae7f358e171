"""How far the router is from the floor: `python -m benchmarks.floor`. See benchmarks/README.md.

Of a workload of several operations it is the first one's, and every request has to be run: there is no floor of a run that is shared.
echo: uvicorn, the same answer bytes, nothing else. floor: the same subgraph requests too, by the router's own client.
Also what the router adds to the subgraphs' own time when nothing waits: one connection, against direct calls.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
import tempfile
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from statistics import median
from typing import Any

import msgspec
import orjson

from benchmarks.compare import GATEWAY_CORE, LOAD_CORE, WORKLOADS, running_subgraphs, write_graph
from benchmarks.floor_server import Call, Script
from benchmarks.gateways import OURS, our_gateway
from benchmarks.load import Request, Sample, put_load, run_wrk, verify
from benchmarks.plots import write_stacked_plot
from benchmarks.processes import Server, free_port
from benchmarks.report import write_results
from benchmarks.served_graph import ServedGraph
from benchmarks.subgraph_server import Subgraphs
from benchmarks.workload import IN_PARTS, Workload
from router.executor.fetch import Execution
from router.loaded_graph import LoadedGraph
from router.transport.protocol import SubgraphAnswer, SubgraphRequest

ECHO, FLOOR = "echo", "floor"
MEASURED = ("heavy-distinct", "light-distinct", "no-hop-distinct")
#: Longer than the router works between two stages of the largest answer.
STAGE_SECONDS = 1.0


def measurable(workload: Workload) -> Workload | None:
    """Its first operation with no two requests alike; None where what is asked again is answered by one run, or where a floor would need
    more than subgraph calls: tokens, a new graph, an answer in parts.
    """
    if workload.callers or workload.reloads or workload.accept == IN_PARTS:
        return None
    one = workload.singly()[0]
    if workload.is_distinct or "COUNTER" in one.operation:
        return one
    return replace(one, is_distinct=True) if workload.more else None


FLOORS = {workload.name: one for workload in WORKLOADS if (one := measurable(workload)) is not None}


class RecordingTransport:
    """Answers every request after the same time, so that the time of a request tells its stage."""

    def __init__(self, graph: ServedGraph) -> None:
        self._subgraphs = Subgraphs(graph)
        self._began = asyncio.get_running_loop().time()
        self.stages: dict[int, list[SubgraphRequest]] = {}

    def send(self, request: SubgraphRequest) -> asyncio.Future[SubgraphAnswer]:
        loop = asyncio.get_running_loop()
        stage = int((loop.time() - self._began) / STAGE_SECONDS)
        self.stages.setdefault(stage, []).append(request)
        answer = SubgraphAnswer(200, self._subgraphs.answer(request.subgraph, request.body))
        future: asyncio.Future[SubgraphAnswer] = loop.create_future()
        loop.call_later(STAGE_SECONDS, future.set_result, answer)
        return future


async def script_of(workload: Workload, supergraph: str) -> Script:
    """What the router's plan sends, stage by stage, and the bytes that it answers."""
    graph = LoadedGraph.from_sdl(supergraph)
    prepared = await graph.prepare(workload.operation_text(), None)
    compiled = await graph.plan(prepared, prepared.plannable)
    transport = RecordingTransport(workload.graph)
    answer = await compiled.respond(Execution(transport, {**prepared.coercion.coerce(None)}))
    received = orjson.loads(answer)
    if received["data"] != workload.expected() or len(received.get("errors", ())) != workload.expected_errors():
        raise SystemExit(f"wrong answer to {workload.name}")
    stages = tuple(
        tuple(Call(each.subgraph, each.url, each.body) for each in stage) for stage in transport.stages.values()
    )
    return Script(stages, answer)


@dataclass(frozen=True, slots=True)
class Alone:
    """p50 in milliseconds with one connection. `added` is what the router adds to the direct calls of its stages."""

    direct: float
    floor: float
    router: float
    added: float


def measure(workload: Workload, options: argparse.Namespace) -> tuple[dict[str, list[Sample]], list[Alone]]:
    samples: dict[str, list[Sample]] = {OURS: [], FLOOR: [], ECHO: []}
    alone: list[Alone] = []
    with tempfile.TemporaryDirectory() as name, ExitStack() as stack:
        directory = Path(name)
        port = stack.enter_context(running_subgraphs(workload.latency_ms, directory, workload.graph))
        supergraph = write_graph(workload.graph, port, directory)
        script = asyncio.run(script_of(workload, supergraph.read_text()))
        servers = {
            OURS: _router(supergraph),
            FLOOR: _floor(FLOOR, script, directory),
            ECHO: _floor(ECHO, Script((), script.answer), directory),
        }
        for server, url in servers.values():
            stack.callback(server.stop)
            server.wait_until_answering(url)
            verify(url, workload)
            _load(server, url, workload, options, options.warm_up)
        for _ in range(options.rounds):
            for label, (server, url) in servers.items():
                samples[label].append(_load(server, url, workload, options, options.seconds))
            alone.append(_alone(script, {label: url for label, (_, url) in servers.items()}, workload, options))
    return samples, alone


def _load(server: Server, url: str, workload: Workload, options: argparse.Namespace, seconds: int) -> Sample:
    return put_load(url, workload, server, core=LOAD_CORE, connections=options.connections, seconds=seconds)


def _alone(script: Script, urls: Mapping[str, str], workload: Workload, options: argparse.Namespace) -> Alone:
    """A stage takes as long as its slowest call."""

    def p50(url: str, content: dict[str, Any]) -> float:
        seconds = max(1, options.seconds // 3)
        return run_wrk(url, [Request(content)], core=LOAD_CORE, connections=1, seconds=seconds).p50_ms

    direct = sum(max(p50(call.url, orjson.loads(call.body)) for call in stage) for stage in script.stages)
    floor, router = p50(urls[FLOOR], workload.body()), p50(urls[OURS], workload.body())
    return Alone(direct, floor, router, router - direct)


def _router(supergraph: Path) -> tuple[Server, str]:
    gateway = our_gateway()
    port = free_port()
    command, log = gateway.command(supergraph, port), supergraph.with_name("router.log")
    return Server(OURS, command, GATEWAY_CORE, log=log, environment=gateway.environment), gateway.url(port)


def _floor(name: str, script: Script, directory: Path) -> tuple[Server, str]:
    port = free_port()
    file = directory / f"{name}.json"
    file.write_bytes(msgspec.json.encode(script))
    command = [sys.executable, "-m", "benchmarks.floor_server", "--script", str(file), "--port", str(port)]
    environment = {"PYTHONPATH": str(Path(__file__).parents[1])}
    server = Server(name, command, GATEWAY_CORE, log=directory / f"{name}.log", environment=environment)
    return server, f"http://127.0.0.1:{port}/graphql"


def summarise(samples: dict[str, list[Sample]], alone: list[Alone]) -> dict[str, Any]:
    """Medians; `of_the_floor` is the router's rate as a share of the floor's."""
    medians = {
        label: {key: round(median(getattr(run, key) for run in runs), 4) for key in asdict(runs[0])}
        for label, runs in samples.items()
    }
    share = medians[OURS]["requests_per_second"] / medians[FLOOR]["requests_per_second"]
    one = {key: round(median(getattr(each, key) for each in alone), 3) for key in asdict(alone[0])}
    return {**medians, "of_the_floor": round(share, 3), "alone_p50_ms": one}


def print_summary(name: str, summary: dict[str, Any]) -> None:
    for label in (ECHO, FLOOR, OURS):
        figures = summary[label]
        print(
            f"{name:16} {label:6} {figures['requests_per_second']:8.0f}/s {figures['cpu_ms_per_request']:7.3f} CPU ms"
        )
    one = summary["alone_p50_ms"]
    print(
        f"{name:16} {summary['of_the_floor']:.0%} of the floor's rate; one connection, p50: direct {one['direct']:.2f} ms, "
        f"floor {one['floor']:.2f} ms, router {one['router']:.2f} ms, added {one['added']:.2f} ms",
        flush=True,
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--workload", action="append", choices=list(FLOORS))
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=int, default=6, help="of each timed run")
    parser.add_argument("--warm-up", type=int, default=3)
    parser.add_argument("--connections", type=int, default=50)
    parser.add_argument("--no-results", action="store_true", help="do not write into benchmarks/results")
    options = parser.parse_args()
    results: dict[str, Any] = {}
    runs: dict[str, Any] = {}
    for name, workload in FLOORS.items():
        if name in (options.workload or MEASURED):
            samples, alone = measure(workload, options)
            results[name] = summarise(samples, alone)
            runs[name] = {"under_load": samples, "alone": alone}
            print_summary(name, results[name])
    if not options.no_results:
        target = write_results("floor", vars(options), {"medians": results, "runs": runs})
        write_stacked_plot("CPU ms per request", _parts(results), target.with_suffix(".svg"))


def _parts(results: dict[str, Any]) -> dict[str, dict[str, float]]:
    parts = {}
    for name, summary in results.items():
        echo, floor, ours = (summary[label]["cpu_ms_per_request"] for label in (ECHO, FLOOR, OURS))
        parts[name] = {"ASGI echo": echo, "subgraph calls": max(0.0, floor - echo), "router": max(0.0, ours - floor)}
    return parts


if __name__ == "__main__":
    main()
