"""Where the router's time goes under load, by stage: `python -m benchmarks.profile`. See benchmarks/PROFILE.md.

Runs the router under cProfile, which makes it some three times slower: the shares tell, not the milliseconds.
"""

from __future__ import annotations

import argparse
import cProfile
import os
import pstats
import signal
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path
from types import FrameType
from typing import Any

from benchmarks.compare import GATEWAY_CORE, LOAD_CORE, WORKLOADS, running_subgraphs, write_graph
from benchmarks.load import Request, run_wrk, verify
from benchmarks.processes import Server, free_port
from benchmarks.workload import Workload

#: Part of a source file's path -> stage; the first that fits. C functions belong to the stage that calls them.
STAGES = {
    "uvicorn/": "HTTP server (uvicorn)",
    "router/server/": "front door: headers, body, caller, response, log, metrics",
    "router/access/": "front door: headers, body, caller, response, log, metrics",
    "router/telemetry": "front door: headers, body, caller, response, log, metrics",
    "router/pipeline": "operation, plan and variables from the caches",
    "router/loaded_graph": "operation, plan and variables from the caches",
    "router/bounded_cache": "operation, plan and variables from the caches",
    "router/operation/": "operation, plan and variables from the caches",
    "router/transport/": "subgraph requests",
    "router/executor/subgraph_query": "subgraph requests",
    "router/executor/fetch": "fetch, representations, merge",
    "router/executor/representations": "fetch, representations, merge",
    "router/executor/merge": "fetch, representations, merge",
    "router/executor/object_path": "fetch, representations, merge",
    "router/executor/sharing": "fetch, representations, merge",
    "router/executor/": "plan steps, projection, encoding",
    "<projection": "plan steps, projection, encoding",  # the made code of a response
    "router/incremental/": "parts of a deferred answer",
    "router/": "other router code",
    "prometheus_client": "front door: headers, body, caller, response, log, metrics",
    "structlog": "front door: headers, body, caller, response, log, metrics",
}
OTHER = "event loop, sockets, rest"
#: Those that a router answers by its graph alone.
PROFILED = [each for each in WORKLOADS if not each.callers and not each.reloads]


def stages_of(stats: pstats.Stats) -> Counter[str]:
    """Seconds by stage."""
    seconds: Counter[str] = Counter()
    table: dict[Any, Any] = stats.stats  # type: ignore[attr-defined]
    for (file, _, _), (_, _, own, _, callers) in table.items():
        if file == "~":  # a C function: what it took is its callers'
            for (caller, _, _), (_, _, own_there, _) in callers.items():
                seconds[_stage(caller)] += own_there
            if not callers:
                seconds[OTHER] += own
        else:
            seconds[_stage(file)] += own
    return seconds


def _stage(file: str) -> str:
    return next((stage for part, stage in STAGES.items() if part in file), OTHER)


def profile(workload: Workload, options: argparse.Namespace) -> pstats.Stats:
    with (
        tempfile.TemporaryDirectory() as name,
        running_subgraphs(workload.latency_ms, Path(name), workload.graph) as subgraphs_port,
    ):
        supergraph, target = write_graph(workload.graph, subgraphs_port, Path(name)), Path(name) / "profile"
        port = free_port()
        command = [sys.executable, "-m", "benchmarks.profile", "--serve", str(supergraph), "--port", str(port)]
        environment = {"PYTHONPATH": str(Path(__file__).parents[1])}
        server = Server(
            "router", [*command, "--target", str(target)], GATEWAY_CORE, log=Path(name) / "log", environment=environment
        )
        url = f"http://127.0.0.1:{port}/graphql"
        try:
            server.wait_until_answering(url)
            verify(url, workload)
            _load(url, workload, options, 2)
            os.kill(server.pid, signal.SIGUSR1)
            _load(url, workload, options, options.seconds)
            os.kill(server.pid, signal.SIGUSR2)
            while not target.exists():
                time.sleep(0.1)
            return pstats.Stats(str(target))
        finally:
            server.stop()


def _load(url: str, workload: Workload, options: argparse.Namespace, seconds: int) -> None:
    requests = [Request(each, accept=workload.accept) for each in workload.bodies()]
    connections = workload.connections(options.connections)
    run_wrk(url, requests, core=LOAD_CORE, connections=connections, seconds=seconds)


def serve(options: argparse.Namespace) -> None:
    """The router, as its own command runs it; profiled from SIGUSR1 to SIGUSR2."""
    from router.server.app import serve as serve_router
    from router.settings import load_settings

    profiler = cProfile.Profile(time.process_time)

    def begin(_: int, __: FrameType | None) -> None:
        profiler.enable()

    def end(_: int, __: FrameType | None) -> None:
        profiler.disable()
        partial = options.target.with_suffix(".part")
        profiler.dump_stats(partial)
        partial.replace(options.target)

    signal.signal(signal.SIGUSR1, begin)
    signal.signal(signal.SIGUSR2, end)
    serve_router(load_settings(None, supergraph=options.serve, port=options.port))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--workload", action="append", choices=[w.name for w in PROFILED])
    parser.add_argument("--seconds", type=int, default=10)
    parser.add_argument("--connections", type=int, default=50)
    parser.add_argument("--functions", type=int, default=0, help="also list so many functions by their own time")
    parser.add_argument("--serve", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--port", type=int, help=argparse.SUPPRESS)
    parser.add_argument("--target", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.serve:
        serve(options)
        return
    for workload in PROFILED:
        if workload.name in (options.workload or ("heavy-distinct", "light-distinct", "no-hop-distinct")):
            stats = profile(workload, options)
            seconds = stages_of(stats)
            print(workload.name)
            for stage, own in seconds.most_common():
                print(f"  {own / seconds.total():6.1%}  {stage}")
            if options.functions:
                stats.sort_stats("tottime").print_stats(options.functions)


if __name__ == "__main__":
    main()
