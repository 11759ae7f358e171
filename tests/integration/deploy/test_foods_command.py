"""`fittracker foods` as somebody types it: made-up products are written, loaded, loaded again, and dropped."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from typer.testing import CliRunner

from deploy.cli import app
from deploy.embedded import DOMAINS
from deploy.errors import FriendlyError
from subgraphs.shell.database import migrate
from tests.testkit.servers import Postgres


def said(*words: str) -> str:
    """What the command prints; fails with what it raised."""
    result = CliRunner().invoke(app, ["foods", *words], catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return result.output


def test_products_are_written_loaded_loaded_again_and_dropped(
    postgres: Postgres, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = postgres.create_database("foods_command")
    asyncio.run(migrate("nutrition", url))
    for domain in DOMAINS:
        monkeypatch.setenv(f"DATABASE_URL_{domain.upper()}", url)
    file = str(tmp_path / "made-up.json.gz")
    assert "250 products are in" in said("synthetic", file, "--count", "250", "--seed", "4")
    first = said("load", file)
    assert "250 records are read" in first
    assert "0 changed, 0 are as they were" in first
    assert "left out" in first
    assert "0 foods are new, 0 changed" in said("load", file)
    assert "0 foods of OPEN_FOOD_FACTS are dropped" in said("drop", "--source", "OPEN_FOOD_FACTS")
    kept = int(first.split("250 records: ")[1].split(" foods are new")[0])
    assert f"{kept} foods of USDA_BRANDED are dropped" in said("drop", "--source", "USDA_BRANDED")
    with pytest.raises(FriendlyError, match="is not there"):
        said("load", str(tmp_path / "nowhere.json"))
