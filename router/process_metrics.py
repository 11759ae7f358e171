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

SAMPLE_SECONDS = 0.5
#: Where the kernel says how much memory a container may use: control groups of version 2, then of version 1.
_LIMITS = (Path("/sys/fs/cgroup/memory.max"), Path("/sys/fs/cgroup/memory/memory.limit_in_bytes"))
_NO_LIMIT_FROM = 1 << 60  # version 1 writes a huge number where there is none


class ProcessCollector(Collector):
    """Read when scraped: threads, and the memory limit of the container (0: none)."""

    def collect(self) -> Iterator[Metric]:
        yield GaugeMetricFamily("process_threads", "Threads of this process.", value=threading.active_count())
        limit = memory_limit()
        yield GaugeMetricFamily(
            "process_memory_limit_bytes",
            "Memory that the container may use, in bytes; 0 where there is no limit.",
            limit,
        )


def memory_limit() -> int:
    """Bytes; 0 where the process is in no container that limits it."""
    for file in _LIMITS:
        try:
            text = file.read_text(encoding="ascii").strip()
        except OSError:
            continue
        if text.isdecimal() and int(text) < _NO_LIMIT_FROM:
            return int(text)
    return 0


def add_process_metrics(registry: CollectorRegistry) -> Histogram:
    """Registers the metrics of this module; the histogram is what `watch_event_loop` fills."""
    registry.register(ProcessCollector())
    return Histogram(
        "event_loop_lag_seconds",
        "How much later than asked for a timer of the event loop ran, sampled twice a second.",
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
