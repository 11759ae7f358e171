"""The files that READMEs send a reader to exist."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
READMES = [ROOT / "README.md", ROOT / ".github" / "CONTRIBUTING.md", *sorted(ROOT.glob("*/README.md"))]
#: A path in backticks; names with placeholders are patterns, not files.
FILE = re.compile(r"`([A-Za-z_][\w./-]*\.(?:py|md|toml|ya?ml|graphql))`")
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
