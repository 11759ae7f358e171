"""Medians, ratios, a table and an SVG plot of benchmark runs. Used by `compare`."""

from __future__ import annotations

from pathlib import Path
from statistics import median
from typing import Any
from xml.sax.saxutils import escape

from benchmarks.gateways import OURS

COLORS = {OURS: "#0b7285", "apollo-gateway": "#adb5bd", "hive-gateway": "#868e96", "hive-router": "#495057"}
BAR_HEIGHT, LABEL_WIDTH, BAR_WIDTH, VALUE_WIDTH = 18, 200, 420, 90


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


def write_plot(summary: dict[str, Any], target: Path) -> None:
    """Requests per second as bars, one group a workload, each group on its own scale."""
    parts, y = [], 30
    for workload, by_gateway in summary.items():
        parts.append(f'<text x="10" y="{y + 12}" font-weight="bold">{escape(workload)}</text>')
        y += 22
        top = max((f["requests_per_second"] for f in by_gateway.values()), default=1) or 1
        for gateway, figures in by_gateway.items():
            rate = figures["requests_per_second"]
            width = max(1, round(BAR_WIDTH * rate / top))
            parts.append(f'<text x="{LABEL_WIDTH - 8}" y="{y + 13}" text-anchor="end">{escape(gateway)}</text>')
            color = COLORS.get(gateway, "#ced4da")
            parts.append(f'<rect x="{LABEL_WIDTH}" y="{y}" width="{width}" height="{BAR_HEIGHT - 4}" fill="{color}"/>')
            parts.append(f'<text x="{LABEL_WIDTH + width + 6}" y="{y + 12}">{rate:.0f}</text>')
            y += BAR_HEIGHT
        y += 12
    width = LABEL_WIDTH + BAR_WIDTH + VALUE_WIDTH
    head = (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{y}" font-family="sans-serif" font-size="13">'
    )
    title = '<text x="10" y="18" font-size="15">Requests per second, one core, one worker, median of all rounds</text>'
    target.write_text(
        "\n".join((head, '<rect width="100%" height="100%" fill="white"/>', title, *parts, "</svg>")) + "\n"
    )
