"""How long a router takes from its start to its first right answer, ours and the peers: `python -m benchmarks.first_answer`.

The router has core 0, the subgraphs and this process, which asks every few milliseconds, core 1. Each start is of a new process on the same
supergraph, and gateways start in turn. What composes the graph beforehand, as for Cosmo Router, is not counted.
"""

from __future__ import annotations

import argparse
import os
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import median

from benchmarks.compare import GATEWAY_CORE, LOAD_CORE, WORKLOADS, running_subgraphs, write_graph
from benchmarks.gateways import Gateway, known_gateways
from benchmarks.load import answers_rightly
from benchmarks.processes import Server, free_port
from benchmarks.report import write_results
from benchmarks.workload import Workload

#: Four small subgraphs, and nineteen with more than two hundred fields.
MEASURED = ("light", "deep-lists")
PAUSE_SECONDS = 0.003


@dataclass(frozen=True, slots=True)
class Start:
    """`seconds` by the clock and of the processor until the first right answer, and the resident memory then."""

    seconds: float
    cpu_seconds: float
    memory_mib: float


def start_once(gateway: Gateway, supergraph: Path, workload: Workload) -> Start:
    """Raises RuntimeError where no right answer comes."""
    port = free_port()
    command, log = gateway.command(supergraph, port), supergraph.with_name(f"{gateway.name}.log")
    began = time.monotonic()
    server = Server(gateway.name, command, GATEWAY_CORE, log=log, environment=gateway.environment)
    try:
        server.wait_until(lambda: answers_rightly(gateway.url(port), workload), pause=PAUSE_SECONDS)
        return Start(time.monotonic() - began, server.cpu_seconds(), server.resident_mib())
    finally:
        server.stop()


def run(
    workload: Workload, gateways: Sequence[Gateway], left_out: dict[str, str], rounds: int
) -> dict[str, list[Start]]:
    """Starts by gateway; one that does not come to a right answer has none, but a reason in `left_out`."""
    starts: dict[str, list[Start]] = {gateway.name: [] for gateway in gateways}
    able = list(gateways)
    with tempfile.TemporaryDirectory() as name, running_subgraphs(0.0, Path(name), workload.graph) as port:
        supergraph = write_graph(workload.graph, port, Path(name))
        for _ in range(rounds):
            for gateway in tuple(able):
                try:
                    starts[gateway.name].append(start_once(gateway, supergraph, workload))
                except RuntimeError as error:
                    left_out[gateway.name] = str(error)[:500]
                    print(f"  {gateway.name} left out of {workload.name}: {error}", flush=True)
                    able.remove(gateway)
    return {gateway.name: starts[gateway.name] for gateway in able}


def medians(starts: Mapping[str, Sequence[Start]]) -> dict[str, dict[str, float]]:
    return {
        name: {key: round(median(getattr(each, key) for each in taken), 3) for key in asdict(taken[0])}
        for name, taken in starts.items()
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--workload", action="append", choices=[each.name for each in WORKLOADS])
    parser.add_argument("--gateway", action="append", choices=[each.name for each in known_gateways()])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--no-results", action="store_true", help="do not write into benchmarks/results")
    options = parser.parse_args()
    chosen = [each for each in known_gateways() if not options.gateway or each.name in options.gateway]
    for gateway in chosen:
        if gateway.missing:
            print(f"{gateway.name} is left out: {gateway.missing}")
    os.sched_setaffinity(0, {LOAD_CORE})
    results = {}
    left_out: dict[str, dict[str, str]] = {}
    able = [each for each in chosen if not each.missing]
    for workload in WORKLOADS:
        if workload.name in (options.workload or MEASURED):
            starts = run(workload, able, left_out.setdefault(workload.name, {}), options.rounds)
            summary = medians(starts)
            runs = {name: [asdict(each) for each in taken] for name, taken in starts.items()}
            results[workload.name] = {"medians": summary, "runs": runs}
            print_table(workload.name, summary)
    if not options.no_results:
        write_results("first-answer", vars(options), {"by_workload": results, "left_out": left_out})


def print_table(name: str, summary: Mapping[str, Mapping[str, float]]) -> None:
    """Rows as the README has them."""
    print(f"\n| {name} | to the first right answer | of the processor | memory then |\n|---|---|---|---|")
    for gateway, f in summary.items():
        print(f"| {gateway} | {f['seconds']:.2f} s | {f['cpu_seconds']:.2f} s | {f['memory_mib']:.0f} MiB |")


if __name__ == "__main__":
    main()
