"""What more worker processes give: `python -m benchmarks.workers`. See benchmarks/README.md.

Our router with each number of workers in turn, on the same subgraphs. Nothing is pinned to a core: workers, subgraphs and
load share what the machine has, and the figures say which of them used how much of it.
"""

from __future__ import annotations

import argparse
import os
import tempfile
import time
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import median
from typing import Any

from benchmarks.compare import WORKLOADS, running_subgraphs, write_graph
from benchmarks.gateways import OURS, our_gateway
from benchmarks.load import Request, run_wrk, verify
from benchmarks.processes import Server, children, cpu_seconds, free_port, listeners, own_cpu_seconds
from benchmarks.report import write_results
from benchmarks.workload import Workload

MEASURED = ("light-distinct", "no-hop-distinct", "heavy-distinct")


@dataclass(frozen=True, slots=True)
class Run:
    """One timed run. `router_cores` and `other_cores` are processor seconds per second: of the router's processes, and of
    subgraphs and load. `busiest_share` is the part of the router's work that one of its workers did: 1 / workers is even.
    """

    requests_per_second: float
    p50_ms: float
    p99_ms: float
    cpu_ms_per_request: float
    router_cores: float
    other_cores: float
    busiest_share: float
    failed: int


@dataclass(frozen=True, slots=True)
class Router:
    """One that runs, with so many workers."""

    workers: int
    server: Server
    url: str
    port: int

    def wait_until_all_answer(self, timeout_seconds: float = 120.0) -> None:
        """Each worker listens on a socket of its own, once its graph is loaded. Raises RuntimeError."""
        self.server.wait_until_answering(self.url)
        deadline = time.monotonic() + timeout_seconds
        while listeners(self.port) < self.workers:
            if time.monotonic() > deadline:
                raise RuntimeError(f"{self.server.name}: {listeners(self.port)} of {self.workers} workers listen")
            time.sleep(0.1)

    def processes(self) -> list[int]:
        """Those that answer: the router's own, or the busiest of its supervisor's children."""
        if self.workers == 1:
            return [self.server.pid]
        return sorted(children(self.server.pid), key=own_cpu_seconds, reverse=True)[: self.workers]


def measure(workload: Workload, counts: Sequence[int], options: argparse.Namespace) -> dict[int, list[Run]]:
    """Runs by number of workers, A B A B. Raises WrongAnswerError, and RuntimeError where a router does not start."""
    runs: dict[int, list[Run]] = {count: [] for count in counts}
    with tempfile.TemporaryDirectory() as name, ExitStack() as stack:
        directory = Path(name)
        subgraphs = stack.enter_context(running_subgraphs(workload.latency_ms, directory, workload.graph, core=None))
        supergraph = write_graph(workload.graph, subgraphs, directory)
        routers = []
        for count in counts:
            router = _start(supergraph, count)
            stack.callback(router.server.stop)
            router.wait_until_all_answer()
            verify(router.url, workload)
            _run(workload, router, options.connections, options.warm_up)
            routers.append(router)
        for _ in range(options.rounds):
            for router in routers:
                runs[router.workers].append(_run(workload, router, options.connections, options.seconds))
        for router in routers:
            verify(router.url, workload)
    return runs


def _start(supergraph: Path, workers: int) -> Router:
    gateway = our_gateway()
    port = free_port()
    command = [*gateway.command(supergraph, port), "--workers", str(workers)]
    log = supergraph.with_name(f"router-{workers}.log")
    server = Server(f"{OURS}, {workers} workers", command, None, log=log, environment=gateway.environment)
    return Router(workers, server, gateway.url(port), port)


def _run(workload: Workload, router: Router, connections: int, seconds: int) -> Run:
    requests = [Request(each) for each in workload.bodies()]
    workers = router.processes()
    before = [own_cpu_seconds(pid) for pid in workers]
    used, everything, began = router.server.cpu_seconds(), cpu_seconds(os.getpid()), time.monotonic()
    traffic = run_wrk(router.url, requests, core=None, connections=workload.connections(connections), seconds=seconds)
    passed = time.monotonic() - began
    used = router.server.cpu_seconds() - used
    everything = cpu_seconds(os.getpid()) - everything  # router, subgraphs and load are this process's children
    work = [own_cpu_seconds(pid) - earlier for pid, earlier in zip(workers, before, strict=True)]
    return Run(
        requests_per_second=traffic.requests_per_second,
        p50_ms=traffic.p50_ms,
        p99_ms=traffic.p99_ms,
        cpu_ms_per_request=used * 1000 / (traffic.requests or 1),
        router_cores=used / passed,
        other_cores=(everything - used) / passed,
        busiest_share=max(work) / (sum(work) or 1),
        failed=traffic.failed,
    )


def summarise(runs: Mapping[int, Sequence[Run]]) -> dict[str, dict[str, float]]:
    """Medians by number of workers. `times_the_first` is the rate as a multiple of that of the first number."""
    summary = {
        str(count): {key: round(median(getattr(run, key) for run in taken), 4) for key in asdict(taken[0])}
        for count, taken in runs.items()
    }
    first = next(iter(summary.values()))["requests_per_second"] or 1
    for figures in summary.values():
        figures["times_the_first"] = round(figures["requests_per_second"] / first, 2)
    return summary


def print_summary(name: str, summary: Mapping[str, Mapping[str, float]]) -> None:
    for count, figures in summary.items():
        print(
            f"{name:16} {count:>2} workers {figures['requests_per_second']:8.0f}/s ({figures['times_the_first']:.2f} x) "
            f"p50 {figures['p50_ms']:6.2f} ms, p99 {figures['p99_ms']:6.2f} ms, {figures['cpu_ms_per_request']:.3f} CPU ms; "
            f"cores: router {figures['router_cores']:.2f}, load and subgraphs {figures['other_cores']:.2f}; "
            f"the busiest worker did {figures['busiest_share']:.0%}; {figures['failed']:.0f} failed",
            flush=True,
        )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--workload", action="append", choices=[each.name for each in WORKLOADS])
    parser.add_argument("--workers", type=int, nargs="+", default=[1, 2])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=int, default=6, help="of each timed run")
    parser.add_argument("--warm-up", type=int, default=3)
    parser.add_argument("--connections", type=int, default=50)
    parser.add_argument("--no-results", action="store_true", help="do not write into benchmarks/results")
    options = parser.parse_args()
    results: dict[str, Any] = {}
    for workload in WORKLOADS:
        if workload.name in (options.workload or MEASURED):
            runs = measure(workload, options.workers, options)
            summary = summarise(runs)
            print_summary(workload.name, summary)
            results[workload.name] = {
                "medians": summary,
                "runs": {str(count): [asdict(run) for run in taken] for count, taken in runs.items()},
            }
    if not options.no_results:
        write_results("workers", vars(options), {"by_workload": results})


if __name__ == "__main__":
    main()
