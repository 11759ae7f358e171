"""Panels and dashboards, and their form in Grafana's JSON. `catalog` says which there are."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal

DATASOURCE = {"type": "prometheus", "uid": "prometheus"}
COLUMNS = 24
PANEL_WIDTH, PANEL_HEIGHT = 8, 8

Unit = Literal["short", "reqps", "s", "bytes", "percentunit", "ops", "dateTimeAsIso"]


@dataclass(frozen=True, slots=True)
class Query:
    """One expression in PromQL; `legend` names labels in double braces, as Grafana does."""

    expression: str
    legend: str = ""


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


@dataclass(frozen=True, slots=True)
class Dashboard:
    uid: str
    title: str
    panels: tuple[Panel, ...]

    def document(self) -> dict[str, Any]:
        """What Grafana reads: panels in rows of three, an hour of history, refreshed twice a minute."""
        return {
            "uid": self.uid,
            "title": self.title,
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
        "description": panel.meaning,
        "datasource": DATASOURCE,
        "gridPos": place,
        "fieldConfig": {"defaults": {"unit": panel.unit, "min": 0, "custom": {"fillOpacity": 8}}, "overrides": []},
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
