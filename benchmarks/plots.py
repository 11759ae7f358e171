"""Plots of benchmark results, and the one place where Vega-Lite draws: `svg_of` also has the dashboards' pictures (decision 0263)."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from itertools import cycle, islice
from pathlib import Path
from typing import Any

import vl_convert

from benchmarks.gateways import OURS

PALETTE = (
    *("#0b7285", "#74b816", "#f59f00", "#d6336c", "#7048e8", "#868e96"),
    *("#ced4da", "#495057", "#4dabf7", "#e8590c", "#a9e34b", "#f783ac"),
)
COLORS = {OURS: "#0b7285", "apollo-gateway": "#adb5bd", "hive-gateway": "#868e96", "hive-router": "#495057"}
OTHER_COLOR = "#ced4da"
WIDTH, HEIGHT, BAR_HEIGHT = 600, 260, 18
STYLE = {
    "background": "white",
    "aria": False,
    "padding": 12,
    "font": "Helvetica, Arial, sans-serif",
    "view": {"stroke": None},
    "axis": {"labelFontSize": 12, "titleFontSize": 12, "titleFontWeight": "normal", "labelLimit": 240},
    "title": {"anchor": "start", "fontSize": 14},
    "legend": {
        "orient": "bottom",
        "title": None,
        "columns": 4,
        "columnPadding": 30,
        "labelFontSize": 12,
        "labelLimit": 240,
    },
}

#: Frames around groups, with neither a line nor an area.
_UNSEEN = re.compile(r'<path class="(?:back|fore)ground"(?![^>]* (?:stroke|fill)=)[^>]*/>')
_NEEDLESS = re.compile(r' (?:(?:role|aria-[a-z]+|pointer-events)="[^"]*"|opacity="1")')
_PLACES = re.compile(r' (?:d|transform)="[^"]+"')
_DECIMALS = re.compile(r"\d+\.\d+")


def svg_of(specification: Mapping[str, Any]) -> str:
    """What Vega-Lite makes of it, without paths that nobody sees and notes for screen readers, which an image on a page has in its own
    text, and with places to a tenth of a pixel. Raises ValueError for what is no specification; what else it cannot draw, it says on stderr.
    """
    svg = str(vl_convert.vegalite_to_svg(dict(specification)))
    shown = _NEEDLESS.sub("", _UNSEEN.sub("", svg))
    return _PLACES.sub(lambda place: _DECIMALS.sub(_to_a_tenth, place[0]), shown) + "\n"


def write_plot(summary: dict[str, Any], target: Path) -> None:
    """Requests per second as bars, one group a workload, each group on its own scale."""
    groups = [_bars_of(workload, by_gateway) for workload, by_gateway in summary.items()]
    title = "Requests per second, one core, one worker, median of all rounds"
    _write(
        {"title": {"text": title, "offset": 16}, "vconcat": groups, "resolve": {"scale": {"x": "independent"}}}, target
    )


def _bars_of(workload: str, by_gateway: Mapping[str, Mapping[str, float]]) -> dict[str, Any]:
    rows = [
        {"gateway": gateway, "rate": figures["requests_per_second"], "color": COLORS.get(gateway, OTHER_COLOR)}
        for gateway, figures in by_gateway.items()
    ]
    place = {
        "y": {"field": "gateway", "type": "nominal", "sort": None, "axis": {"title": None, "minExtent": 140}},
        "x": {"field": "rate", "type": "quantitative", "axis": None},
    }
    return {
        "title": workload,
        "width": WIDTH,
        "height": {"step": BAR_HEIGHT},
        "data": {"values": rows},
        "layer": [
            {"mark": "bar", "encoding": {**place, "color": {"field": "color", "type": "nominal", "scale": None}}},
            {
                "mark": {"type": "text", "align": "left", "dx": 6},
                "encoding": {**place, "text": {"field": "rate", "format": ".0f"}},
            },
        ],
    }


def write_stacked_plot(title: str, rows: Mapping[str, Mapping[str, float]], target: Path) -> None:
    """One bar a row, made of its parts, with the sum behind it and a legend below."""
    names = list(dict.fromkeys(part for row in rows.values() for part in row))
    parts = [
        {"row": label, "part": name, "value": value, "place": names.index(name)}
        for label, row in rows.items()
        for name, value in row.items()
    ]
    sums = [{"row": label, "sum": sum(row.values())} for label, row in rows.items()]
    y = {"field": "row", "type": "nominal", "sort": None, "axis": {"title": None}}
    colors = {"domain": names, "range": list(islice(cycle(PALETTE), len(names)))}
    bars = {
        "data": {"values": parts},
        "mark": "bar",
        "encoding": {
            "y": y,
            "x": {"field": "value", "type": "quantitative", "axis": None},
            "color": {"field": "part", "type": "nominal", "scale": colors},
            "order": {"field": "place"},
        },
    }
    totals = {
        "data": {"values": sums},
        "mark": {"type": "text", "align": "left", "dx": 6},
        "encoding": {"y": y, "x": {"field": "sum", "type": "quantitative"}, "text": {"field": "sum", "format": ".2f"}},
    }
    _write({"title": title, "width": WIDTH, "height": {"step": BAR_HEIGHT}, "layer": [bars, totals]}, target)


def write_line_plot(
    title: str, lines: Mapping[str, Sequence[tuple[float, float]]], labels: tuple[str, str], target: Path
) -> None:
    """Points (x, y) joined to a line each, on axes from zero, with a legend of several; `labels` name x and y."""
    points = [
        {"name": name, "place": number, "x": x, "y": y}
        for name, line in lines.items()
        for number, (x, y) in enumerate(line)
    ]
    names = list(lines)
    colors = {"domain": names, "range": list(islice(cycle(PALETTE), len(names)))}
    legend = {} if len(names) > 1 else {"legend": None}
    axes = {
        way: {
            "field": way,
            "type": "quantitative",
            "title": label,
            "scale": {"zero": True},
            "axis": {"format": ",~r", "tickCount": 6},
        }
        for way, label in zip(("x", "y"), labels, strict=True)
    }
    encoding = {
        **axes,
        "order": {"field": "place"},
        "color": {"field": "name", "type": "nominal", "scale": colors, **legend},
    }
    chart = {"width": WIDTH, "height": HEIGHT, "data": {"values": points}, "encoding": encoding}
    _write({"title": title, "mark": {"type": "line", "strokeWidth": 2}, **chart}, target)


def _write(chart: Mapping[str, Any], target: Path) -> None:
    schema = "https://vega.github.io/schema/vega-lite/v6.json"
    target.write_text(svg_of({"$schema": schema, "config": STYLE, **chart}), encoding="utf-8")


def _to_a_tenth(number: re.Match[str]) -> str:
    return f"{float(number[0]):.1f}".removesuffix(".0")
