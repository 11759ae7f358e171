"""Plots of benchmark results."""

from __future__ import annotations

from pathlib import Path

from benchmarks.plots import PALETTE, write_line_plot, write_plot, write_stacked_plot


def test_a_bar_may_have_more_parts_than_there_are_colours(tmp_path: Path) -> None:
    parts = {f"part {number}": 1.0 for number in range(len(PALETTE) + 3)}
    target = tmp_path / "plot.svg"
    write_stacked_plot("Parts", {"a bar": parts}, target)
    drawn = target.read_text()
    assert all(f">{name}<" in drawn for name in parts)
    assert f">{len(parts):.2f}<" in drawn


def test_gateways_are_told_by_name_and_rate(tmp_path: Path) -> None:
    summary = {"small": {"ours": {"requests_per_second": 1234.4}, "a <peer>": {"requests_per_second": 5.0}}}
    target = tmp_path / "plot.svg"
    write_plot(summary, target)
    drawn = target.read_text()
    assert all(f">{text}<" in drawn for text in ("small", "ours", "a &lt;peer&gt;", "1234", "5"))


def test_lines_have_their_axes_and_several_a_legend(tmp_path: Path) -> None:
    target = tmp_path / "plot.svg"
    write_line_plot("Memory", {"router": [(0, 100), (1000, 120)]}, ("requests", "MiB"), target)
    one = target.read_text()
    write_line_plot("Memory", {"router": [(0, 100)], "users": [(0, 90)]}, ("requests", "MiB"), target)
    two = target.read_text()
    assert all(f">{label}<" in one for label in ("Memory", "requests", "MiB", "1,000"))
    assert (">router<" in one, ">router<" in two, ">users<" in two) == (False, True, True)
