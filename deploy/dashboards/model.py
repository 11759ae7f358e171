"""Panels and dashboards, and their form in Grafana's JSON. `catalog` says which there are."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

DATASOURCE = {"type": "prometheus", "uid": "prometheus"}
COLUMNS = 24
PANEL_WIDTH, PANEL_HEIGHT = 8, 8

Unit = Literal["short", "reqps", "s", "bytes", "Bps", "percentunit", "ops"]


@dataclass(frozen=True, slots=True)
class Query:
    """One expression in PromQL; `legend` names labels in double braces, as Grafana does."""

    expression: str
    legend: str = ""

    def legend_of(self, labels: Mapping[str, str]) -> str:
        """What is written beside the line of one series."""
        return re.sub(r"\{\{(\w+)\}\}", lambda found: labels.get(found[1], ""), self.legend).strip()


@dataclass(frozen=True, slots=True)
class Limit:
    """Where an alert begins, in the unit of its panel: above the value, or below it where it is the least that is well."""

    alert: str
    value: float
    is_least: bool = False


@dataclass(frozen=True, slots=True)
class Panel:
    """A chart with the sentence that says what to look for. `unit` is Grafana's name of the axis' unit.

    `needs` names the part without which the panel is rightly empty, such as an exporter that a laptop does not run.
    """

    title: str
    meaning: str
    queries: tuple[Query, ...]
    unit: Unit = "short"
    needs: str | None = None
    limit: Limit | None = None

    @property
    def description(self) -> str:
        """What it means, and where its alert begins."""
        if self.limit is None:
            return self.meaning
        value = f"{self.limit.value * 100:g}" if self.unit == "percentunit" else f"{self.limit.value:g}"
        unit = {"percentunit": " %", "s": " s"}.get(self.unit, "")
        return f"{self.meaning} Alert {self.limit.alert} {'below' if self.limit.is_least else 'from'} {value}{unit}."


@dataclass(frozen=True, slots=True)
class Dashboard:
    """`purpose` says in a sentence or two what it is for and how it is read."""

    uid: str
    title: str
    purpose: str
    panels: tuple[Panel, ...]

    def document(self) -> dict[str, Any]:
        """What Grafana reads: panels in rows of three, an hour of history, refreshed twice a minute."""
        return {
            "uid": self.uid,
            "title": self.title,
            "description": self.purpose,
            "tags": ["fittracker"],
            "schemaVersion": 39,
            "editable": False,
            "refresh": "30s",
            "time": {"from": "now-1h", "to": "now"},
            "timezone": "utc",
            "annotations": {"list": [_alerts()]},
            "panels": list(self._placed()),
        }

    def _placed(self) -> Iterator[dict[str, Any]]:
        a_row = COLUMNS // PANEL_WIDTH
        for number, panel in enumerate(self.panels):
            place = {
                "x": number % a_row * PANEL_WIDTH,
                "y": number // a_row * PANEL_HEIGHT,
                "w": PANEL_WIDTH,
                "h": PANEL_HEIGHT,
            }
            yield _panel(number + 1, panel, place)


def _panel(number: int, panel: Panel, place: dict[str, int]) -> dict[str, Any]:
    return {
        "id": number,
        "type": "timeseries",
        "title": panel.title,
        "description": panel.description,
        "datasource": DATASOURCE,
        "gridPos": place,
        "fieldConfig": {"defaults": {"unit": panel.unit, "min": 0, **_style(panel.limit)}, "overrides": []},
        "options": {"legend": {"displayMode": "list", "placement": "bottom"}, "tooltip": {"mode": "multi"}},
        "targets": [
            {
                "refId": chr(ord("A") + place),
                "datasource": DATASOURCE,
                "expr": query.expression,
                "legendFormat": query.legend,
            }
            for place, query in enumerate(panel.queries)
        ],
    }


def _style(limit: Limit | None) -> dict[str, Any]:
    """Areas below the lines are tinted; a limit is a dashed red line."""
    if limit is None:
        return {"custom": {"fillOpacity": 8}}
    steps = [{"color": "green", "value": None}, {"color": "red", "value": limit.value}]
    return {
        "custom": {"fillOpacity": 8, "thresholdsStyle": {"mode": "dashed"}},
        "thresholds": {"mode": "absolute", "steps": steps},
    }


def _alerts() -> dict[str, Any]:
    """Alerts that fired, drawn over every chart."""
    return {
        "name": "Alerts",
        "enable": True,
        "iconColor": "red",
        "datasource": DATASOURCE,
        "expr": 'ALERTS{alertstate="firing"}',
        "titleFormat": "{{alertname}}",
        "step": "60s",
    }
