"""The room's README names files that exist, and commands that the command line has."""

import re
from pathlib import Path

from typer.main import get_command

from deploy.cli import app

ROOT = Path(__file__).parents[3]
TEXT = (ROOT / "events" / "README.md").read_text(encoding="utf-8")


def test_every_file_of_the_way_of_an_event_exists() -> None:
    named = re.findall(r"`([a-z_/]+\.py)`", TEXT)
    assert len(named) >= 12
    assert [name for name in named if not (ROOT / name).is_file()] == []


def test_every_link_leads_somewhere() -> None:
    links = re.findall(r"\]\((\.\./[^)]+)\)", TEXT)
    assert [link for link in links if not (ROOT / "events" / link).is_file()] == []


def test_every_command_exists() -> None:
    verbs = set(get_command(app).commands["events"].commands)  # type: ignore[attr-defined]
    assert set(re.findall(r"fittracker events ([a-z-]+)", TEXT)) <= verbs
