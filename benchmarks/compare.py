"""Ours and the peers side by side: `python -m benchmarks.compare`. See benchmarks/README.md.

Every gateway has core 0 to itself in its turn; the load and the subgraphs run on core 1. Runs alternate A B A B.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, nullcontext
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from benchmarks.depot.workloads import DEPOT_WORKLOADS
from benchmarks.gateways import Gateway, known_gateways
from benchmarks.load import Sample, WrongAnswerError, answers_rightly, put_load, verify
from benchmarks.plots import write_plot
from benchmarks.processes import Server, free_port
from benchmarks.reloading import NotFollowedError, Reloader, reloading
from benchmarks.report import print_table, summarise, write_results
from benchmarks.served_graph import ServedGraph
from benchmarks.shop.facts import SHOP
from benchmarks.shop.workloads import WORKLOADS as SHOP_WORKLOADS
from benchmarks.signed_in import key_set
from benchmarks.workload import Workload
from schema import SubgraphSource, compose

HERE = Path(__file__).parent
GATEWAY_CORE, LOAD_CORE = 0, 1
#: After a load, whose clients leave while they are answered: Cosmo Router fails who shares a subgraph request with one that has left.
SETTLE_SECONDS = 1.0


def compose_graph(graph: ServedGraph, port: int) -> str:
    """The supergraph of a graph whose subgraphs are all served at the port."""
    sources = [SubgraphSource(name, sdl, url=f"http://127.0.0.1:{port}/{name}") for name, sdl in graph.sdl.items()]
    result = compose(sources)
    if result.supergraph_sdl is None:
        raise SystemExit(f"{graph.name} does not compose: {result.errors}")
    return result.supergraph_sdl


def compose_shop(port: int) -> str:
    return compose_graph(SHOP, port)


@contextmanager
def running_subgraphs(
    latency_ms: float, directory: Path, graph: ServedGraph = SHOP, core: int | None = LOAD_CORE
) -> Iterator[int]:
    """The port at which one process serves all subgraphs of the graph, on one core or (None) on any."""
    port = free_port()
    command = [sys.executable, "-m", "benchmarks.subgraph_server", "--graph", graph.name, "--port", str(port)]
    server = Server(
        "subgraphs",
        [*command, "--latency-ms", str(latency_ms), "--key-set", key_set()],
        core,
        log=directory / "subgraphs.log",
        environment={"PYTHONPATH": str(HERE.parent)},
    )
    try:
        server.wait_until_answering(f"http://127.0.0.1:{port}/health")
        yield port
    finally:
        server.stop()


def write_graph(graph: ServedGraph, port: int, directory: Path) -> Path:
    """The supergraph's file, beside which `subgraphs/` has the schemas that it is made of."""
    (directory / "subgraphs").mkdir()
    for name, sdl in graph.sdl.items():
        (directory / "subgraphs" / f"{name}.graphql").write_text(sdl)
    supergraph = directory / "supergraph.graphql"
    supergraph.write_text(compose_graph(graph, port))
    return supergraph


@dataclass(frozen=True, slots=True)
class Running:
    """A gateway under test, with the file that it reads its graph from."""

    server: Server
    url: str
    graph_file: Path


def run_workload(
    workload: Workload, gateways: list[Gateway], left_out: dict[str, str], options: argparse.Namespace
) -> dict[str, list[Sample]]:
    """Samples by gateway; a gateway that answers wrongly or does not start has none, but a reason in `left_out`."""
    samples: dict[str, list[Sample]] = {}
    with tempfile.TemporaryDirectory() as name, ExitStack() as stack:
        directory = Path(name)
        subgraphs_port = stack.enter_context(running_subgraphs(workload.latency_ms, directory, workload.graph))
        supergraph = write_graph(workload.graph, subgraphs_port, directory)
        running: dict[str, Running] = {}
        for gateway in gateways:
            try:
                running[gateway.name] = _started(gateway, supergraph, subgraphs_port, workload, stack, options)
            except (RuntimeError, WrongAnswerError, NotFollowedError, OSError) as error:
                left_out[gateway.name] = str(error)[:500]
                print(f"  {gateway.name} left out of {workload.name}: {error}", flush=True)
                continue
            samples[gateway.name] = []
        for round_number in range(options.rounds):
            for gateway_name, each in running.items():
                sample = _measure(each, workload, options, options.seconds)
                samples[gateway_name].append(sample)
                print(
                    f"  {workload.name} {round_number + 1}/{options.rounds} {gateway_name}: {_line(sample)}",
                    flush=True,
                )
    return samples


def _started(
    gateway: Gateway,
    supergraph: Path,
    subgraphs_port: int,
    workload: Workload,
    stack: ExitStack,
    options: argparse.Namespace,
) -> Running:
    """Verified and warm; the stack stops it. Raises RuntimeError, WrongAnswerError, NotFollowedError, OSError."""
    own = supergraph.with_name(f"{gateway.name}.graphql")  # each has its own, so that only one of them reloads
    own.write_text(supergraph.read_text())
    port = free_port()
    command, log = gateway.command(own, port, workload.wanted(subgraphs_port)), own.with_suffix(".log")
    server = Server(gateway.name, command, GATEWAY_CORE, log=log, environment=gateway.environment)
    with ExitStack() as failed:
        failed.callback(server.stop)
        running = Running(server, gateway.url(port), gateway.graph_file(own, port))
        server.wait_until_answering(running.url)
        _prepare(running, subgraphs_port, workload, options)
        stack.push(failed.pop_all())
    return running


def _prepare(running: Running, subgraphs_port: int, workload: Workload, options: argparse.Namespace) -> None:
    """Raises WrongAnswerError, NotFollowedError."""
    verify(running.url, workload)
    if workload.reloads:
        reloader = Reloader(running.graph_file, running.graph_file.read_text())
        reloader.follow(subgraphs_port, lambda: answers_rightly(running.url, workload))
    _measure(running, workload, options, options.warm_up)
    time.sleep(SETTLE_SECONDS)
    verify(running.url, workload)


def _measure(running: Running, workload: Workload, options: argparse.Namespace, seconds: int) -> Sample:
    file = running.graph_file
    with reloading(file, file.read_text()) if workload.reloads else nullcontext():
        return put_load(
            running.url, workload, running.server, core=LOAD_CORE, connections=options.connections, seconds=seconds
        )


def _line(sample: Sample) -> str:
    return f"{sample.requests_per_second:.0f}/s, p50 {sample.p50_ms:.1f} ms, {sample.cpu_ms_per_request:.2f} CPU ms, {sample.failed} failed"


WORKLOADS = (*SHOP_WORKLOADS, *DEPOT_WORKLOADS)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--workload", action="append", choices=[w.name for w in WORKLOADS])
    parser.add_argument("--gateway", action="append", choices=[g.name for g in known_gateways()])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=int, default=10, help="of each timed run")
    parser.add_argument("--warm-up", type=int, default=5, help="seconds before the first timed run")
    parser.add_argument("--connections", type=int, default=50)
    parser.add_argument("--name", default="gateways", help="of the result files, before the date")
    parser.add_argument("--no-results", action="store_true", help="do not write into benchmarks/results")
    options = parser.parse_args()

    gateways = [g for g in known_gateways() if not options.gateway or g.name in options.gateway]
    for gateway in gateways:
        if gateway.missing:
            print(f"{gateway.name} is left out: {gateway.missing}")
    gateways = [g for g in gateways if not g.missing]
    results: dict[str, Any] = {}
    left_out: dict[str, dict[str, str]] = {}
    for workload in WORKLOADS:
        if not options.workload or workload.name in options.workload:
            print(f"{workload.name}: {workload.question}", flush=True)
            samples = run_workload(workload, gateways, left_out.setdefault(workload.name, {}), options)
            results[workload.name] = {name: [asdict(s) for s in runs] for name, runs in samples.items()}
    summary = summarise(results)
    print_table(summary)
    if not options.no_results:
        target = write_results(options.name, vars(options), {"medians": summary, "left_out": left_out, "runs": results})
        write_plot(summary, target.with_suffix(".svg"))


if __name__ == "__main__":
    main()
