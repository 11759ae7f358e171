"""Medians, ratios, tables, SVG plots and result files of benchmark runs. Used by the benchmarks outside `micro`."""

from __future__ import annotations

import os
import platform
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from itertools import cycle
from pathlib import Path
from statistics import median
from typing import Any
from xml.sax.saxutils import escape

import orjson

from benchmarks.gateways import OURS

RESULTS = Path(__file__).parent / "results"
PALETTE = (
    *("#0b7285", "#74b816", "#f59f00", "#d6336c", "#7048e8", "#868e96"),
    *("#ced4da", "#495057", "#4dabf7", "#e8590c", "#a9e34b", "#f783ac"),
)

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
    _write_svg("Requests per second, one core, one worker, median of all rounds", parts, y, target)


def write_stacked_plot(title: str, rows: Mapping[str, Mapping[str, float]], target: Path) -> None:
    """One bar a row, made of its parts, with the sum behind it and a legend below."""
    names = list(dict.fromkeys(part for row in rows.values() for part in row))
    colors = dict(zip(names, cycle(PALETTE), strict=False))
    top = max((sum(row.values()) for row in rows.values()), default=1) or 1
    parts, y = [], 32
    for label, row in rows.items():
        parts.append(f'<text x="{LABEL_WIDTH - 8}" y="{y + 13}" text-anchor="end">{escape(label)}</text>')
        x = float(LABEL_WIDTH)
        for name, value in row.items():
            width = BAR_WIDTH * value / top
            parts.append(
                f'<rect x="{x:.1f}" y="{y}" width="{width:.1f}" height="{BAR_HEIGHT - 4}" fill="{colors[name]}"/>'
            )
            x += width
        parts.append(f'<text x="{x + 6:.1f}" y="{y + 12}">{sum(row.values()):.2f}</text>')
        y += BAR_HEIGHT
    y += 8
    for number, name in enumerate(names):
        x = 10 + 130 * (number % 5)
        line = y + 20 * (number // 5)
        parts.append(f'<rect x="{x}" y="{line}" width="12" height="12" fill="{colors[name]}"/>')
        parts.append(f'<text x="{x + 18}" y="{line + 11}">{escape(name)}</text>')
    _write_svg(title, parts, y + 20 * (len(names) // 5 + 1), target)


def write_line_plot(
    title: str, lines: Mapping[str, Sequence[tuple[float, float]]], labels: tuple[str, str], target: Path
) -> None:
    """Points (x, y) joined to a line each, on axes from zero; `labels` name x and y."""
    right = max((x for line in lines.values() for x, _ in line), default=1) or 1
    top = max((y for line in lines.values() for _, y in line), default=1) * 1.1 or 1
    left, above, width, height = 70, 40, 600, 260
    parts = [f'<path d="M{left} {above}V{above + height}H{left + width}" fill="none" stroke="black"/>']
    for tenth in range(0, 11, 2):
        y = above + height - height * tenth / 10
        x = left + width * tenth / 10
        parts.append(f'<text x="{left - 6}" y="{y + 4:.0f}" text-anchor="end">{top * tenth / 10:.0f}</text>')
        parts.append(
            f'<text x="{x:.0f}" y="{above + height + 16}" text-anchor="middle">{right * tenth / 10:,.0f}</text>'
        )
    for (name, line), color in zip(lines.items(), PALETTE, strict=False):
        points = " ".join(f"{left + width * x / right:.1f},{above + height - height * y / top:.1f}" for x, y in line)
        parts.append(
            f'<polyline points="{points}" fill="none" stroke="{color}" stroke-width="2"><title>{escape(name)}</title></polyline>'
        )
    parts.append(f'<text x="{left + width}" y="{above + height + 34}" text-anchor="end">{escape(labels[0])}</text>')
    parts.append(f'<text x="10" y="{above - 6}">{escape(labels[1])}</text>')
    _write_svg(title, parts, above + height + 44, target)


def _write_svg(title: str, parts: Sequence[str], height: int, target: Path) -> None:
    width = LABEL_WIDTH + BAR_WIDTH + VALUE_WIDTH
    head = f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" font-family="sans-serif" font-size="13">'
    heading = f'<text x="10" y="18" font-size="15">{escape(title)}</text>'
    background = '<rect width="100%" height="100%" fill="white"/>'
    target.write_text("\n".join((head, background, heading, *parts, "</svg>")) + "\n")


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
