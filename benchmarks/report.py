"""Medians, ratios, tables and result files of benchmark runs. Used by the benchmarks outside `micro`."""

from __future__ import annotations

import os
import platform
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from statistics import median
from typing import Any

import orjson

from benchmarks.gateways import OURS

RESULTS = Path(__file__).parent / "results"


def summarise(results: dict[str, Any]) -> dict[str, Any]:
    """Medians of every figure by workload and gateway, with `ratio`: our rate over theirs."""
    summary: dict[str, Any] = {}
    for workload, by_gateway in results.items():
        summary[workload] = {
            gateway: {key: round(median(run[key] for run in runs), 3) for key in runs[0]}
            for gateway, runs in by_gateway.items()
            if runs
        }
        ours = summary[workload].get(OURS)
        for figures in summary[workload].values():
            if ours is not None:
                figures["ratio"] = round(ours["requests_per_second"] / (figures["requests_per_second"] or 1), 2)
    return summary


def print_table(summary: dict[str, Any]) -> None:
    print(
        f"\n{'workload':14} {'gateway':16} {'req/s':>8} {'p50 ms':>8} {'p95 ms':>8} {'p99 ms':>8} {'CPU ms':>8} {'MiB':>6} {'ours is':>9}"
    )
    for workload, by_gateway in summary.items():
        for gateway, f in by_gateway.items():
            ratio = f"{f['ratio']:.2f} x" if "ratio" in f and gateway != OURS else ""
            print(
                f"{workload:14} {gateway:16} {f['requests_per_second']:8.0f} {f['p50_ms']:8.2f} {f['p95_ms']:8.2f} "
                f"{f['p99_ms']:8.2f} {f['cpu_ms_per_request']:8.3f} {f['peak_memory_mib']:6.0f} {ratio:>9}"
            )


def write_results(name: str, method: Mapping[str, Any], content: Mapping[str, Any]) -> Path:
    """`results/NAME-DATE.json`, with the machine and how it was measured; hands back its path."""
    day = datetime.now(UTC).strftime("%Y-%m-%d")
    method = {key: value for key, value in method.items() if key != "no_results"}
    target = RESULTS / f"{name}-{day}.json"
    whole = {"date": day, "machine": machine(), "method": method, **content}
    target.write_bytes(orjson.dumps(whole, option=orjson.OPT_INDENT_2) + b"\n")
    print(f"written: {target.relative_to(RESULTS.parents[1])}")
    return target


def machine() -> dict[str, Any]:
    names = (line for line in Path("/proc/cpuinfo").read_text().splitlines() if line.startswith("model name"))
    return {
        "cpu": next(names, ": unknown").partition(": ")[2],
        "cores": os.cpu_count(),
        "system": platform.platform(),
        "python": platform.python_version(),
        "load_average": os.getloadavg(),  # of the last 1, 5, 15 minutes; above 2 something else was running
    }
