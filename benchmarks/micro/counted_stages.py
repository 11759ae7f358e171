"""Runs every stage some times over, with a mark before and after: the program that `instructions` runs under callgrind.

A mark is a call that the router never makes and that callgrind is told to write its counts at. The collector of cycles
is off, so that it runs in no stage's stead.
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import sys
import tempfile
from collections.abc import Awaitable, Callable
from dataclasses import replace
from pathlib import Path

import uvloop

from benchmarks.compare import compose_shop
from benchmarks.micro.http_requests import clients_in_memory, router_in_memory
from benchmarks.micro.router_stages import stages_of, stages_of_preparation
from benchmarks.shop.workloads import WORKLOADS
from benchmarks.workload import Workload
from router import loaded_graph
from router.loaded_graph import LoadedGraph
from router.server import client_watch
from router.settings import Telemetry
from router.telemetry import configure_logging

#: The C function behind `sys.setrecursionlimit`.
MARK = "Py_SetRecursionLimit"
OVER_HTTP = "request over HTTP"
STAGED = ("heavy", "light", "no-hop", "cold")
#: Those that are counted over HTTP.
SENT = (*STAGED, "cold-literals", "light-distinct", "light-signed-in")
#: Heavy, its inner reviews in later parts: only over HTTP.
DEFERRED = "heavy-deferred"
#: Asked by so many clients at once: what they ask of subgraphs at the same moment is asked once.
TOGETHER, CLIENTS = "heavy-distinct", 20
#: The product's own first page: only what is done before it runs.
DASHBOARD = "dashboard"
#: How often each request is sent: large ones less often, as callgrind takes fifty times as long.
REQUESTS = {"heavy": 5, DEFERRED: 5, "light": 40, "no-hop": 40, "cold": 10, "cold-literals": 10}
REQUESTS |= {"light-distinct": 40, "light-signed-in": 40}
#: Instead of a workload's thousand: all have asked before what is counted, so that no token is verified then.
CALLERS = 20
CALLS_OF_A_STAGE = 4
ROOT = Path(__file__).parents[2]
#: CPython specialises what has run some times.
WARM_UP = 10


def mark() -> None:
    sys.setrecursionlimit(sys.getrecursionlimit())


class Counting:
    """Notes, in the order of the marks, which stage was counted and how many times it ran."""

    def __init__(self, notes: Path) -> None:
        self._notes = notes
        notes.write_text("")

    async def count(self, stage: str, times: int, run: Callable[[int], Awaitable[object]]) -> None:
        """`run` is called with how often it shall do its work; first with a warm-up, which is not counted."""
        await run(WARM_UP)
        gc.collect()
        mark()
        await run(times)
        mark()
        with self._notes.open("a") as notes:
            notes.write(f"{stage}\t{times}\n")


def counted(name: str) -> Workload:
    workload = next(each for each in WORKLOADS if each.name == name)
    return replace(workload, callers=CALLERS) if workload.callers else workload


async def count_all(counting: Counting, subgraphs_port: int, only: str | None, stage_text: str) -> None:
    """The stages of the workload `only`, or of all, that have `stage_text` in their names."""
    workloads = [counted(name) for name in SENT if only in (None, name)]
    stages = {workload.name: await stages_of(workload) for workload in workloads if workload.name in STAGED}
    if only in (None, DASHBOARD):
        graph = LoadedGraph.from_sdl((ROOT / "schema/fittracker/supergraph.graphql").read_text(encoding="utf-8"))
        text = (ROOT / "benchmarks/fittracker/dashboard.graphql").read_text(encoding="utf-8")
        stages[DASHBOARD] = stages_of_preparation(graph, text)
    for workload_name, of_workload in stages.items():
        for name, stage in of_workload.items():
            if stage_text not in name:
                continue

            async def again(times: int, stage: Callable[[], Awaitable[object]] = stage) -> None:
                for _ in range(times):
                    await stage()

            await counting.count(f"{workload_name}: {name}", CALLS_OF_A_STAGE, again)
    if stage_text not in OVER_HTTP:
        return
    with tempfile.TemporaryDirectory() as directory:
        supergraph = Path(directory) / "supergraph.graphql"
        supergraph.write_text(compose_shop(subgraphs_port))
        for workload in workloads:
            await _count_over_http(counting, supergraph, workload)
        if only in (None, DEFERRED):
            async with router_in_memory(supergraph) as client:
                await client.verify_deferred()
                await counting.count(f"{DEFERRED}: {OVER_HTTP}", REQUESTS[DEFERRED], client.send_deferred)
        if only in (None, TOGETHER):
            await _count_together(counting, supergraph, counted(TOGETHER))


async def _count_over_http(counting: Counting, supergraph: Path, workload: Workload) -> None:
    """A router for each workload: either its callers have tokens or none has."""
    async with router_in_memory(supergraph, signed_in=bool(workload.callers)) as client:
        await client.verify(workload)
        await client.send(workload, 0, workload.callers)
        sent = 0

        async def requests(times: int) -> None:
            nonlocal sent
            await client.send(workload, sent + 1, times)
            sent += times

        await counting.count(f"{workload.name}: {OVER_HTTP}", REQUESTS[workload.name], requests)


async def _count_together(counting: Counting, supergraph: Path, workload: Workload) -> None:
    async with clients_in_memory(supergraph, CLIENTS) as clients:
        await clients[0].verify(workload)
        sent = 0

        async def requests(times: int) -> None:
            nonlocal sent
            for _ in range(0, times, CLIENTS):
                await asyncio.gather(*[client.send(workload, sent + i, 1) for i, client in enumerate(clients)])
                sent += CLIENTS

        await counting.count(f"{workload.name}: {OVER_HTTP}, {CLIENTS} at once", 2 * CLIENTS, requests)


def do_nothing_for_slowness() -> None:
    """Counting is up to fifty times slower: what a request does after a while must not begin because of that."""
    loaded_graph.MAX_INLINE_SECONDS = client_watch.WATCH_AFTER_SECONDS = 60.0
    loaded_graph.MAX_INLINE_SECONDS_EACH = 3_600.0  # of planning for the one client there is


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--subgraphs-port", type=int, required=True)
    parser.add_argument("--notes", type=Path, required=True)
    parser.add_argument("--workload", choices=(*SENT, DEFERRED, TOGETHER, DASHBOARD))
    parser.add_argument("--stage", default="")
    options = parser.parse_args()
    configure_logging(Telemetry())
    do_nothing_for_slowness()
    gc.disable()
    asyncio.Runner(loop_factory=uvloop.new_event_loop).run(
        count_all(Counting(options.notes), options.subgraphs_port, options.workload, options.stage)
    )


if __name__ == "__main__":
    main()
