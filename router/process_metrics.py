"""What a Python process says of itself beside prometheus_client's own numbers: loop lag, threads, its memory limit.

The router's lifespan runs `watch_event_loop`; `deploy` does so for each subgraph, which has a registry of its own.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from pathlib import Path

from prometheus_client import CollectorRegistry, Histogram
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

SAMPLE_SECONDS = 1.0
_GROUPS = Path("/proc/self/cgroup")
_HIERARCHIES = Path("/sys/fs/cgroup")
_NO_LIMIT_FROM = 1 << 60  # version 1 writes a huge number where there is none


class ProcessCollector(Collector):
    """Read when scraped: threads, and the memory limit of the process' control group (0: none)."""

    def collect(self) -> Iterator[Metric]:
        yield GaugeMetricFamily("process_threads", "Threads of this process.", value=threading.active_count())
        limit = memory_limit()
        yield GaugeMetricFamily(
            "process_memory_limit_bytes",
            "Memory that the container or service may use, in bytes; 0 where there is no limit.",
            limit,
        )


def memory_limit(groups: Path = _GROUPS, hierarchies: Path = _HIERARCHIES) -> int:
    """Bytes: the least of what its control group and those around it allow; 0 where none of them says.

    `groups` is what the kernel tells of the process, `hierarchies` where the groups are mounted. In a container its own group
    is the root of what is mounted, whatever path the kernel tells; a service of systemd sees the whole tree.
    """
    try:
        lines = groups.read_text(encoding="ascii").splitlines()
    except OSError:
        return 0
    limits = []
    for line in lines:
        _, controllers, path = line.split(":", 2)
        if controllers == "":  # of version 2
            root, file = hierarchies, "memory.max"
        elif "memory" in controllers.split(","):
            root, file = hierarchies / "memory", "memory.limit_in_bytes"
        else:
            continue
        own = root / path.strip("/")
        around = [each for each in own.parents if each == root or root in each.parents]
        limits += [limit for each in (own, *around) if (limit := _limit_in(each / file)) is not None]
    return min(limits, default=0)


def _limit_in(file: Path) -> int | None:
    try:
        text = file.read_text(encoding="ascii").strip()
    except OSError:
        return None
    return int(text) if text.isdecimal() and int(text) < _NO_LIMIT_FROM else None


def add_process_metrics(registry: CollectorRegistry) -> Histogram:
    """Registers the metrics of this module; the histogram is what `watch_event_loop` fills."""
    registry.register(ProcessCollector())
    return Histogram(
        "event_loop_lag_seconds",
        "How much later than asked for a timer of the event loop ran, sampled once a second.",
        buckets=(0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5),
        registry=registry,
    )


async def watch_event_loop(lag: Histogram) -> None:
    """Runs until cancelled. A loop that does one thing for long calls every timer late."""
    loop = asyncio.get_running_loop()
    while True:
        due = loop.time() + SAMPLE_SECONDS
        await asyncio.sleep(SAMPLE_SECONDS)
        lag.observe(max(0.0, loop.time() - due))
