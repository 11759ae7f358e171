"""router/README.md on features: the settings are good, every cell of the table is filled in, every test it names is there."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from router.settings import load_settings

ROOT = Path(__file__).parents[3]
COLUMNS = 8


def rows() -> list[list[str]]:
    text = (ROOT / "router" / "README.md").read_text(encoding="utf-8")
    section = text.split("## Features beside other routers")[1].split("\n## ")[0]
    lines = [line for line in section.splitlines() if line.startswith("| ")]
    return [[cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]] for line in lines[1:]]


FEATURES = [row for row in rows() if not row[0].startswith("**")]


def test_the_table_is_there() -> None:
    assert len(FEATURES) > 30


@pytest.mark.parametrize("row", FEATURES, ids=lambda row: row[0][:60])
def test_each_feature_is_filled_in_and_shown_by_tests_that_exist(row: list[str]) -> None:
    assert len(row) == COLUMNS
    assert all(row[:7]), f"an empty cell: {row}"
    named = re.findall(r"`(tests/[^`]+\.py)`", row[7])
    assert named or row[6].startswith("no"), f"nothing shows '{row[6]}'"
    for file in named:
        assert (ROOT / file).is_file(), file
        assert "def test_" in (ROOT / file).read_text(encoding="utf-8"), file


def test_the_settings_that_are_shown_are_good(tmp_path: Path) -> None:
    text = (ROOT / "router" / "README.md").read_text(encoding="utf-8")
    shown = re.findall(r"```yaml\n(.*?)```", text, re.DOTALL)
    assert shown
    for index, block in enumerate(shown):
        file = tmp_path / f"{index}.yaml"
        file.write_text(block)
        settings = load_settings(file, {})
        assert settings.entity_cache.enabled
        assert settings.broker_subscriptions.fields
