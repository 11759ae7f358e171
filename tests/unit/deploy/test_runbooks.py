"""Every command that a runbook tells a tired person to type exists, and every page it points to does."""

import re
import shlex
from pathlib import Path
from typing import Any

import pytest
import typer.main

from deploy.cli import app

ROOT = Path(__file__).parents[3]
PAGES = sorted((ROOT / "deploy" / "runbooks").glob("*.md"))
PARTS = ("**Symptom.**", "**First look.**", "**Rep", "**After.**")


def commands() -> list[tuple[Path, list[str]]]:
    found = []
    for page in PAGES:
        for block in re.findall(r"```sh\n(.*?)```", page.read_text(encoding="utf-8"), re.DOTALL):
            found += [(page, shlex.split(line)) for line in block.splitlines() if line.startswith("fittracker ")]
    return found


def parse(words: list[str]) -> None:
    """Raises a usage error for a verb, an option or a value that does not exist; runs nothing."""
    command: Any = typer.main.get_command(app)
    context = command.make_context("fittracker", words[1:2], resilient_parsing=True)
    rest = words[1:]
    while hasattr(command, "resolve_command"):
        name, command, rest = command.resolve_command(context, rest)
        context = type(context)(command, info_name=name, parent=context)
    command.make_context(command.name, rest, parent=context)


@pytest.mark.parametrize(
    ("page", "words"), commands(), ids=lambda value: value.stem if isinstance(value, Path) else None
)
def test_every_command_is_one_that_the_command_line_takes(page: Path, words: list[str]) -> None:
    parse(words)


def test_the_check_would_see_a_wrong_option() -> None:
    with pytest.raises(Exception, match="No such option"):
        parse(["fittracker", "backup", "--nowhere"])


@pytest.mark.parametrize("page", [page for page in PAGES if page.stem != "README"], ids=lambda page: page.stem)
def test_every_page_has_the_parts_that_are_looked_for(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    assert all(
        part in text for part in PARTS if part != "**First look.**" or page.stem not in {"restore", "region-loss"}
    )


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_links_lead_somewhere(page: Path) -> None:
    for target in re.findall(r"\]\(([^)#]+)\)", page.read_text(encoding="utf-8")):
        assert (page.parent / target).exists(), target
    for file in re.findall(r"`(deploy/[^` ]+\.\w+)`", page.read_text(encoding="utf-8")):
        assert (ROOT / file).exists(), file


def test_every_page_is_in_the_index() -> None:
    index = (ROOT / "deploy" / "runbooks" / "README.md").read_text(encoding="utf-8")
    assert all(f"({page.name})" in index for page in PAGES if page.stem != "README")
