"""Plots of benchmark results."""

from __future__ import annotations

from pathlib import Path

from benchmarks.report import PALETTE, write_stacked_plot


def test_a_bar_may_have_more_parts_than_there_are_colours(tmp_path: Path) -> None:
    parts = {f"part {number}": 1.0 for number in range(len(PALETTE) + 3)}
    target = tmp_path / "plot.svg"
    write_stacked_plot("Parts", {"a bar": parts}, target)
    drawn = target.read_text()
    assert all(f">{name}<" in drawn for name in parts)
