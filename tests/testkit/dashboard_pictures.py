"""The pictures of the dashboards: `python -m tests.testkit.dashboard_pictures [SAMPLES]`.

Without a file of samples (`deploy.rehearsals.dashboard_samples`) they are taken first, which needs seventeen minutes and Debian's
Prometheus. Vega-Lite draws them, of what `specification` says; look at each before it is committed.
"""

from __future__ import annotations

import asyncio
import sys
import textwrap
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec

from benchmarks.plots import STYLE as PLOT_STYLE
from benchmarks.plots import svg_of
from deploy.dashboards.__main__ import main as write_dashboards
from deploy.dashboards.catalog import DASHBOARDS
from deploy.dashboards.model import Dashboard, Panel
from deploy.dashboards.page import PICTURES, picture_of
from deploy.rehearsals.dashboard_samples import Line, Samples, take

COLUMNS = 2
WIDTH, HEIGHT = 370, 150
CHARACTERS = 58  # of a panel's description in a line
MOST_IN_LEGEND = 8
TICK_SECONDS = 120.0
LONG_NAME = 22  # characters, of which one column of two holds no more
#: Okabe and Ito's, which people with any colour vision tell apart; the yellow is darker than theirs, for it is on white.
COLOURS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#333333", "#b8a800")
RED, GREY = "#c92a2a", "#868e96"
#: A limit farther away than this, as a multiple of the largest value, would press the lines to the ground; the text has it.
FARTHEST_LIMIT = 2.0
MILLI, KIBI = 1e-3, 1024.0
STYLE = PLOT_STYLE | {
    "axis": {"labelFontSize": 11, "titleFontSize": 11, "titleFontWeight": "normal", "gridColor": "#e9ecef"},
    "title": {
        "anchor": "start",
        "frame": "group",
        "fontSize": 14,
        "subtitleFontSize": 11,
        "subtitleColor": "#495057",
        "offset": 8,
    },
    # other fonts than the one that was measured are up to a sixth wider
    "legend": {
        "orient": "bottom",
        "labelFontSize": 10,
        "labelLimit": 140,
        "titleFontSize": 10,
        "titleFontWeight": "normal",
        "columns": 2,
        "columnPadding": 24,
        "symbolStrokeWidth": 3,
    },
    "concat": {"columns": COLUMNS, "spacing": 28},
}


def picture(dashboard: Dashboard, samples: Samples) -> str:
    """The SVG of all panels of a dashboard, two in a row."""
    return svg_of(specification(dashboard, samples))


def specification(dashboard: Dashboard, samples: Samples) -> dict[str, Any]:
    """What Vega-Lite is to draw."""
    lines = samples.lines[dashboard.uid]
    return {
        "$schema": "https://vega.github.io/schema/vega-lite/v6.json",
        "config": STYLE,
        "title": {"text": dashboard.title, "subtitle": list(_story(samples)), "fontSize": 18, "offset": 16},
        "concat": [_chart(panel, lines[panel.title], samples) for panel in dashboard.panels],
        "resolve": {"scale": {"color": "independent", "x": "independent", "y": "independent"}},
    }


def _story(samples: Samples) -> Iterator[str]:
    day = datetime.fromtimestamp(samples.start, UTC).date().isoformat()
    happened = "; ".join(f"{_clock(samples.start + second)} {what}" for second, what in samples.events)
    yield from textwrap.wrap(f"{day}, UTC. {happened}.", 2 * CHARACTERS + 20)


def _clock(at: float) -> str:
    return datetime.fromtimestamp(at, UTC).strftime("%H:%M")


def _chart(panel: Panel, lines: Sequence[Line], samples: Samples) -> dict[str, Any]:
    ordered = sorted(lines, key=lambda line: -_largest([line]))
    largest = _largest(ordered)
    limit = _near_limit(panel, largest)
    top = max(largest, limit or 0.0)
    factor, unit = _scale(panel.unit, top)
    span = [_moment(samples.start), _moment(samples.end)]
    x = {"field": "at", "type": "temporal", "scale": {"type": "utc", "domain": span}}
    y = {"field": "value", "type": "quantitative", "scale": {"domain": [0, 1.08 * top / factor or 1]}}
    rows = [
        {"at": _moment(samples.start + place * samples.step), "value": _rounded(value, factor), "line": number}
        | {"name": line.legend}
        for number, line in enumerate(ordered)
        for place, value in enumerate(line.values)
    ]
    description = textwrap.wrap(panel.description, CHARACTERS)
    return {
        "title": {"text": panel.title, "subtitle": description if lines else [*description, "nothing was told"]},
        "width": WIDTH,
        "height": HEIGHT,
        "layer": [
            {
                "data": {"values": rows},
                "mark": {"type": "line", "strokeWidth": 1.6, "strokeJoin": "round"},
                "encoding": {
                    "x": {
                        **x,
                        "axis": {
                            "format": "%H:%M",
                            "title": None,
                            "values": _even_minutes(samples),
                            "grid": False,
                        },
                    },
                    "y": {**y, "axis": {"title": unit, "tickCount": 4, "format": "~r"}},
                    "detail": {"field": "line", "type": "nominal"},
                    "color": {"field": "name", "type": "nominal", **_colours(ordered)},
                },
            },
            *_rules(samples, None if limit is None else limit / factor, x, y),
        ],
    }


def _even_minutes(samples: Samples) -> list[int]:
    first = -(-samples.start // TICK_SECONDS)
    return [_moment(number * TICK_SECONDS) for number in range(int(first), int(samples.end // TICK_SECONDS) + 1)]


def _near_limit(panel: Panel, largest: float) -> float | None:
    """Where the alert begins, if it is drawn."""
    if panel.limit is None or 0 < FARTHEST_LIMIT * largest < panel.limit.value:
        return None
    return panel.limit.value


def _rules(samples: Samples, limit: float | None, x: dict[str, Any], y: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Dotted where something happened, dashed where the alert begins."""
    events = [{"at": _moment(samples.start + second)} for second, _ in samples.events]
    yield {
        "data": {"values": events},
        "mark": {"type": "rule", "color": GREY, "strokeDash": [1, 3]},
        "encoding": {"x": x},
    }
    if limit is not None:
        yield {
            "data": {"values": [{"value": limit}]},
            "mark": {"type": "rule", "color": RED, "strokeDash": [6, 3]},
            "encoding": {"y": y},
        }


def _colours(ordered: Sequence[Line]) -> dict[str, Any]:
    """The scale and the legend: the highest lines by name, and how many there are beside them."""
    names = list(dict.fromkeys(line.legend for line in ordered))
    colours = [COLOURS[number % len(COLOURS)] for number in range(len(names))]
    title = None if len(names) <= MOST_IN_LEGEND else f"the {MOST_IN_LEGEND} highest of {len(names)}"
    shown = names[:MOST_IN_LEGEND]
    legend: dict[str, Any] = {"title": title, "values": shown}
    if any(len(name) > LONG_NAME for name in shown):
        legend |= {"columns": 1, "labelLimit": WIDTH - 40}
    return {"scale": {"domain": names, "range": colours}, "legend": legend if names else None}


def _scale(unit: str, largest: float) -> tuple[float, str]:
    """What a value is divided by, and the axis' unit then."""
    if unit in {"bytes", "Bps"}:
        second = "/s" if unit == "Bps" else ""
        for power, name in ((3, "GiB"), (2, "MiB"), (1, "KiB")):
            if largest >= KIBI**power:
                return KIBI**power, name + second
        return 1.0, "bytes" + second
    if unit == "s":
        return (MILLI, "milliseconds") if largest < 1 else (1.0, "seconds")
    return {"percentunit": (0.01, "%"), "reqps": (1.0, "requests/s"), "ops": (1.0, "a second")}.get(unit, (1.0, ""))


def _largest(lines: Sequence[Line]) -> float:
    return max((value for line in lines for value in line.values if value is not None), default=0.0)


def _rounded(value: float | None, factor: float) -> float | None:
    """To four digits: the picture has no more."""
    return None if value is None else float(f"{value / factor:.4g}")


def _moment(at: float) -> int:
    """Milliseconds since 1970, as Vega has it."""
    return round(at * 1000)


def main(arguments: list[str]) -> None:
    file = Path(arguments[0]) if arguments else None
    samples = asyncio.run(take()) if file is None else msgspec.json.decode(file.read_bytes(), type=Samples)
    PICTURES.mkdir(exist_ok=True)
    for dashboard in DASHBOARDS:
        picture_of(dashboard.uid).write_text(picture(dashboard, samples), encoding="utf-8")
    write_dashboards()  # README.md names the day


if __name__ == "__main__":
    main(sys.argv[1:])
