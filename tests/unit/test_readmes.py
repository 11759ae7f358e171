"""The files, commands and messages that READMEs and guides name exist, and their picture is of the present graph."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from typer.core import TyperGroup
from typer.main import get_command

from deploy.cli import app
from deploy.graph_mermaid import mermaid_of
from router.supergraph import read_supergraph
from tests.testkit.pictures import FOLDER, PICTURES

ROOT = Path(__file__).parents[2]
READMES = [ROOT / "README.md", ROOT / ".github" / "CONTRIBUTING.md", *sorted(ROOT.glob("*/README.md"))]
#: A path in backticks; names with placeholders are patterns, not files.
FILE = re.compile(r"`([A-Za-z_][\w./-]*\.(?:py|md|toml|ya?ml|graphql))`")
#: `fittracker schema export\|check`: a verb, and the verbs below it where it is a group.
COMMAND = re.compile(r"(?:`|^|/)fittracker ([a-z][a-z-]*)(?: ([a-z-]+(?:\\?\|[a-z-]+)*)(?=[ `\n]))?", re.MULTILINE)
#: What readers bring, or get.
OTHERS = {
    "deploy/decisions/NNNN-sentence-title.md",
    "supergraph.yaml",
    "router.yaml",
    "NAME.graphql",
    "OPERATION.graphql",
}


@pytest.mark.parametrize("readme", READMES, ids=lambda file: str(file.relative_to(ROOT)))
def test_every_file_that_a_readme_names_exists(readme: Path) -> None:
    named = set(FILE.findall(readme.read_text(encoding="utf-8"))) - OTHERS
    absent = {name for name in named if not any((base / name).exists() for base in (readme.parent, ROOT))}
    assert absent == set()


def test_the_routers_reader_is_sent_through_every_stage() -> None:
    text = (ROOT / "router" / "README.md").read_text(encoding="utf-8")
    for heading in ("A query", "A mutation", "A subscription", "A response in pieces", "When something is wrong"):
        assert f"\n## {heading}" in text


def test_the_composers_reader_is_sent_through_every_module_in_order() -> None:
    room = ROOT / "schema"
    text = (room / "README.md").read_text(encoding="utf-8")
    way = text.partition("\n## One composition, file by file")[2].partition("\n## ")[0]
    named = FILE.findall(way)
    modules = {file.name for file in room.glob("*.py")} - {"__init__.py", "__main__.py", "type_nodes.py"}

    assert [name for name in named if not (room / name).exists() and not (ROOT / name).exists()] == []
    assert modules - set(named) == set(), "a module that the README does not lead to"


def test_the_picture_of_the_architecture_is_of_the_committed_graph() -> None:
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    shown = text.partition("```mermaid\n")[2].partition("```")[0]
    graph = (ROOT / "schema" / "fittracker" / "supergraph.graphql").read_text(encoding="utf-8")
    assert shown == mermaid_of(read_supergraph(graph)), "put what `fittracker schema picture` prints into README.md"


def test_every_command_that_the_documentation_names_is_there() -> None:
    """`fittracker VERB` and `fittracker GROUP VERB`, in code, of the README and the guides."""
    group = get_command(app)
    assert isinstance(group, TyperGroup)
    pages = [ROOT / "README.md", *(ROOT / "deploy" / "docs").glob("*.md")]
    named = {words for page in pages for words in COMMAND.findall(page.read_text(encoding="utf-8"))}
    assert len(named) > 30
    unknown = set()
    for verb, verbs in named:
        command = group.commands.get(verb)
        below = verbs.replace("\\|", "|").split("|") if isinstance(command, TyperGroup) and verbs else []
        if command is None or any(each not in command.commands for each in below if isinstance(command, TyperGroup)):
            unknown.add((verb, verbs))
    assert unknown == set()


def test_what_troubleshooting_quotes_is_said_somewhere() -> None:
    page = (ROOT / "deploy" / "docs" / "troubleshooting.md").read_text(encoding="utf-8")
    quoted = set(re.findall(r"^\| `([^`]+)`", page, re.MULTILINE))
    places = [ROOT / "Makefile", *(each for room in ("deploy", "subgraphs") for each in (ROOT / room).rglob("*.py"))]
    said = "\n".join(each.read_text(encoding="utf-8") for each in places)
    assert len(quoted) >= 6
    assert {each for each in quoted if each not in said} == set()


def test_the_pictures_that_are_shown_are_those_that_make_pictures_takes() -> None:
    shown = re.findall(r"deploy/docs/([\w-]+)\.png", (ROOT / "README.md").read_text(encoding="utf-8"))
    assert set(shown) == set(PICTURES) == {file.stem for file in FOLDER.glob("*.png")}
