"""Whether one router worker's memory stays flat: `python -m benchmarks.memory`. See benchmarks/README.md.

Light, no-hop, heavy and never-seen operations in one mix, and schema reloads meanwhile; the resident size is sampled.
"""

from __future__ import annotations

import argparse
import random
import tempfile
import threading
import time
import urllib.request
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from statistics import linear_regression, mean
from typing import Any

from benchmarks.compare import GATEWAY_CORE, LOAD_CORE, compose_shop, running_subgraphs
from benchmarks.gateways import OURS, our_gateway
from benchmarks.load import Request, Traffic, run_wrk, verify
from benchmarks.plots import write_line_plot
from benchmarks.processes import Server, free_port, resident_mib
from benchmarks.reloading import Reloader
from benchmarks.report import write_results
from benchmarks.shop.workloads import WORKLOADS

#: Of 100 requests; the rest of what the router does is in there too: texts that are new (cold), large answers (heavy).
MIX = {"light": 60, "no-hop": 38, "cold": 1, "heavy": 1}
SAMPLE_SECONDS = 0.5
FILL = 10_000  # never-seen operations before the mix: half of them more than the router remembers of any kind
#: What a variable is by default is part of a plan, so each of these has one of its own.
PLANNED = {"query": "query ($first: Int = COUNTER) { topProducts(first: $first) { upc name reviews { id body } } }"}
WARM_UP = 0.1  # share of the mix after which the allocator must have settled
FLAT = 0.05  # the line through the samples may rise by this share of their mean


@dataclass
class Progress:
    """`samples` are (requests so far, resident MiB)."""

    requests: int = 0
    failed: int = 0
    reloads: int = 0
    samples: list[tuple[float, float]] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Verdict:
    """`growth_mib` is the rise of the line through the samples after the warm-up, from its start to its end."""

    is_flat: bool
    warm_mib: float
    last_mib: float
    peak_mib: float
    growth_mib: float
    growth_per_million_mib: float


def mixed_requests() -> list[Request]:
    """A hundred, shuffled, the same in every run."""
    by_name = {workload.name: workload for workload in WORKLOADS}
    requests = [Request(by_name[name].body()) for name, count in MIX.items() for _ in range(count)]
    random.Random(1).shuffle(requests)
    return requests


def run(options: argparse.Namespace) -> Progress:
    """Raises SystemExit when the router did not follow the reloads, or failed requests."""
    progress = Progress()
    ours = our_gateway()
    with tempfile.TemporaryDirectory() as name, running_subgraphs(0.0, Path(name)) as subgraphs_port:
        supergraph = Path(name) / "supergraph.graphql"
        text = compose_shop(subgraphs_port)
        supergraph.write_text(text)
        port = free_port()
        server = Server(
            OURS,
            [*ours.command(supergraph, port), "--watch"],
            GATEWAY_CORE,
            log=Path(name) / "router.log",
            environment=ours.environment,
        )
        try:
            url = ours.url(port)
            server.wait_until_answering(url)
            for workload in WORKLOADS:
                if workload.name in MIX:
                    verify(url, workload)
            _fill_caches(url, options)
            _serve(url, server, Reloader(supergraph, text), options, progress)
            for workload in WORKLOADS:
                if workload.name in MIX:
                    verify(url, workload)
            followed = _reloads_told(port) - 1
        finally:
            server.stop()
    if followed < progress.reloads or progress.failed:
        raise SystemExit(f"{progress.reloads} reloads, the router followed {followed}; {progress.failed} failed")
    return progress


def _fill_caches(url: str, options: argparse.Namespace) -> None:
    """A cache that still fills is no leak, and would look like one."""
    cold = next(workload for workload in WORKLOADS if workload.name == "cold")
    sent = 0
    while sent < FILL:
        traffic = run_wrk(
            url,
            [Request(PLANNED), Request(cold.body())],
            core=LOAD_CORE,
            connections=options.connections,
            seconds=options.slice_seconds,
        )
        sent += traffic.requests
    print(f"  {sent:9,} never-seen operations fill the caches", flush=True)


def _serve(url: str, server: Server, reloader: Reloader, options: argparse.Namespace, progress: Progress) -> None:
    """Slices of load, in each as many reloads as its share of the requests asks for."""
    requests = mixed_requests()
    expected = options.requests / 20
    while progress.requests < options.requests or progress.reloads < options.reloads:
        traffic: list[Traffic] = []

        def put_load(traffic: list[Traffic] = traffic) -> None:
            traffic.append(
                run_wrk(url, requests, core=LOAD_CORE, connections=options.connections, seconds=options.slice_seconds)
            )

        due = round(options.reloads * min(1.0, (progress.requests + expected) / options.requests)) - progress.reloads
        due = max(
            0, min(due, options.slice_seconds)
        )  # a reload takes its time; a file changed twice meanwhile is read once
        load = threading.Thread(target=put_load)
        load.start()
        _watch(load, server, reloader, due, options.slice_seconds, expected, progress)
        if not traffic:
            raise SystemExit("wrk failed")
        progress.requests += traffic[0].requests
        progress.failed += traffic[0].failed
        expected = float(traffic[0].requests)
        size = progress.samples[-1][1]
        print(f"  {progress.requests:9,} requests, {progress.reloads:3} reloads, {size:6.1f} MiB", flush=True)


def _watch(
    load: threading.Thread,
    server: Server,
    reloader: Reloader,
    reloads: int,
    seconds: float,
    expected: float,
    progress: Progress,
) -> None:
    """Until the load ends: samples, and the reloads evenly spread."""
    began, done = time.monotonic(), 0
    while load.is_alive():
        passed = time.monotonic() - began
        progress.samples.append((progress.requests + expected * min(1.0, passed / seconds), resident_mib(server.pid)))
        if done < reloads and passed >= seconds * (done + 0.5) / reloads:
            reloader.reload()
            done += 1
        load.join(min(SAMPLE_SECONDS, seconds / (reloads + 1)))
    progress.reloads += done


def _reloads_told(port: int) -> int:
    """How many graphs the router says that it has loaded."""
    time.sleep(2)
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/actuator/prometheus", timeout=10) as answer:
        lines = answer.read().decode().splitlines()
    return round(sum(float(line.rpartition(" ")[2]) for line in lines if line.startswith("router_graph_generation")))


def judge(samples: Sequence[tuple[float, float]], requests: int) -> Verdict:
    warm = [sample for sample in samples if sample[0] >= requests * WARM_UP]
    slope = linear_regression([x for x, _ in warm], [y for _, y in warm]).slope
    growth = slope * (warm[-1][0] - warm[0][0])
    sizes = [size for _, size in warm]
    tenth = max(1, len(sizes) // 10)
    return Verdict(
        is_flat=growth < FLAT * mean(sizes),
        warm_mib=round(mean(sizes[:tenth]), 1),
        last_mib=round(mean(sizes[-tenth:]), 1),
        peak_mib=round(max(size for _, size in samples), 1),
        growth_mib=round(growth, 2),
        growth_per_million_mib=round(slope * 1e6, 2),
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--requests", type=int, default=1_000_000)
    parser.add_argument("--reloads", type=int, default=100)
    parser.add_argument("--connections", type=int, default=50)
    parser.add_argument("--slice-seconds", type=int, default=5)
    parser.add_argument("--no-results", action="store_true", help="do not write into benchmarks/results")
    options = parser.parse_args()
    progress = run(options)
    verdict = judge(progress.samples, progress.requests)
    print(f"{'flat' if verdict.is_flat else 'NOT FLAT'}: {verdict}")
    if not options.no_results:
        target = write_results("memory", {**vars(options), "mix": MIX}, _content(progress, verdict))
        title = f"Resident MiB over {progress.requests:,} requests and {progress.reloads} reloads, one worker"
        write_line_plot(title, {"router": progress.samples}, ("requests", "MiB"), target.with_suffix(".svg"))


def _content(progress: Progress, verdict: Verdict) -> dict[str, Any]:
    return {
        "requests": progress.requests,
        "reloads": progress.reloads,
        "verdict": verdict,
        "samples": [(round(x), round(y, 1)) for x, y in progress.samples],
    }


if __name__ == "__main__":
    main()
