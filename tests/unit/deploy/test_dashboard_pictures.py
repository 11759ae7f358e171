"""The dashboards' page and its pictures: each panel is in the picture of its dashboard, and none of them is empty."""

from __future__ import annotations

import re

import pytest
from defusedxml import ElementTree

from deploy.dashboards.catalog import DASHBOARDS
from deploy.dashboards.model import Dashboard, Limit, Panel, Query
from deploy.dashboards.page import FILE, drawn_on, page, picture_of
from deploy.rehearsals.dashboard_samples import Line, Samples, on_the_grid
from deploy.rehearsals.monitoring import ABSENT
from tests.testkit.dashboard_pictures import picture

LARGEST_BYTES = 150_000
NOTHING = "nothing was told"
SVG = "{http://www.w3.org/2000/svg}"


def texts_of(svg: str) -> list[str]:
    """Every line of every text."""
    return [line.strip() for each in ElementTree.fromstring(svg).iter(f"{SVG}text") for line in each.itertext()]


def lines_of(svg: str) -> list[str]:
    """The path of every line that shows a series."""
    groups = [each for each in ElementTree.fromstring(svg).iter(f"{SVG}g") if "mark-line" in each.get("class", "")]
    return [path.get("d", "") for group in groups for path in group.iter(f"{SVG}path")]


def test_the_page_is_what_the_catalog_and_the_pictures_say() -> None:
    assert FILE.read_text(encoding="utf-8") == page(), "run `python -m deploy.dashboards`"


@pytest.mark.parametrize("dashboard", DASHBOARDS, ids=lambda each: each.uid)
def test_the_picture_of_a_dashboard_is_on_the_page_and_has_every_panel(dashboard: Dashboard) -> None:
    file = picture_of(dashboard.uid)
    text = FILE.read_text(encoding="utf-8")
    assert f"](pictures/{file.name})" in text
    svg = file.read_text(encoding="utf-8")
    assert drawn_on(svg) in text
    assert len(svg.encode()) < LARGEST_BYTES
    written = texts_of(svg)
    assert {dashboard.title, *(panel.title for panel in dashboard.panels)} <= set(written)
    assert written.count(NOTHING) <= sum(panel.needs in ABSENT for panel in dashboard.panels)
    assert len(lines_of(svg)) >= len(dashboard.panels) - written.count(NOTHING)


def test_no_picture_is_of_a_dashboard_that_is_gone() -> None:
    assert {file.name for file in picture_of("any").parent.iterdir()} == {f"{each.uid}.svg" for each in DASHBOARDS}


def drawn(panel: Panel, *lines: Line, events: tuple[tuple[float, str], ...] = ()) -> str:
    dashboard = Dashboard("one", "One", "A purpose.", (panel,))
    return picture(dashboard, Samples(1_790_000_000.0, 10.0, events, {"one": {panel.title: lines}}))


def test_a_line_stops_where_prometheus_had_nothing() -> None:
    panel = Panel("Load", "Meaning.", (Query("node_load1"),))
    (whole,) = lines_of(drawn(panel, Line("host", (1.0, 2.0, 3.0, 4.0, 5.0))))
    (broken,) = lines_of(drawn(panel, Line("host", (1.0, 2.0, None, 4.0, 5.0))))
    assert (whole.count("M"), broken.count("M")) == (1, 2)


def test_lines_of_the_same_name_stay_two() -> None:
    panel = Panel("Deadlocks", "Meaning.", (Query("pg_stat_database_deadlocks"),))
    assert len(lines_of(drawn(panel, Line("users", (0.0, 1.0)), Line("users", (3.0, 2.0))))) == 2


def test_a_panel_without_series_says_so() -> None:
    assert NOTHING in texts_of(drawn(Panel("Replica lag", "Meaning.", (Query("x"),))))


def test_units_are_read_as_people_read_them() -> None:
    memory = texts_of(drawn(Panel("Memory", "Meaning.", (Query("x"),), "bytes"), Line("a", (0.0, 3 * 1024.0**2))))
    assert "MiB" in memory
    time = texts_of(drawn(Panel("Time", "Meaning.", (Query("x"),), "s"), Line("a", (0.0, 0.2))))
    assert "milliseconds" in time
    assert "200" in time


def test_an_alerts_limit_is_a_dashed_line_where_it_is_near_and_a_sentence_always() -> None:
    panel = Panel("Time", "Meaning.", (Query("x"),), "s", limit=Limit("SlowRequests", 1.0))
    near, far = drawn(panel, Line("a", (0.6, 0.7))), drawn(panel, Line("a", (0.001, 0.002)))
    sentence = "Meaning. Alert SlowRequests from 1 s."
    assert sentence in texts_of(near)
    assert sentence in texts_of(far)
    assert ('stroke-dasharray="6,3"' in near, 'stroke-dasharray="6,3"' in far) == (True, False)


def test_what_happened_is_said_with_its_time() -> None:
    panel = Panel("Load", "Meaning.", (Query("x"),))
    svg = drawn(panel, Line("a", (1.0, 2.0)), events=((10.0, "users is killed"),))
    assert any(re.search(r"\d\d:\d\d users is killed", text) for text in texts_of(svg))


def test_many_lines_have_a_legend_of_the_highest() -> None:
    lines = [Line(f"line {number}", (float(number), float(number))) for number in range(20)]
    written = texts_of(drawn(Panel("Lag", "Meaning.", (Query("x"),)), *lines))
    assert "the 8 highest of 20" in written
    assert "line 19" in written
    assert "line 5" not in written


def test_places_are_told_to_a_tenth_of_a_pixel() -> None:
    svg = drawn(Panel("Load", "Meaning.", (Query("x"),)), Line("a", (1.0, 2.0, 1.3, 1.7)))
    assert any(re.search(r"\d\.\d", line) for line in lines_of(svg))
    assert [place for place in re.findall(r' (?:d|transform)="([^"]+)"', svg) if re.search(r"\.\d\d", place)] == []


def test_values_stand_where_their_times_are() -> None:
    values = [(100.0, "1"), (110.0, "NaN"), (130.0, "4.5")]
    assert on_the_grid(values, 100.0, 140.0, 10.0) == (1.0, None, None, 4.5, None)


def test_a_file_that_names_no_day_is_no_picture() -> None:
    with pytest.raises(ValueError, match="names no day"):
        drawn_on("<svg/>")
