"""The parity tables name tests and parts of the graph that exist: a row that nothing proves says that it is open or left out."""

import re
from pathlib import Path
from typing import NamedTuple

import pytest
from graphql import parse
from graphql.language import ast

from events.topics import TOPICS

ROOT = Path(__file__).parents[3]
TESTS = ROOT / "tests"
SUBGRAPHS = ROOT / "subgraphs"
PAGES = [SUBGRAPHS / "parity.md", *sorted((SUBGRAPHS / "parity").glob("*.md"))]
#: What a name in backticks may be beside a part of the graph: a command, a directive, a path of HTTP, a Kafka topic or key, a method, a setting.
OTHERS = re.compile(r"fittracker .*|make up|@\w+|/[\w/]+|user_id|POST|cors|since|nodeId|data|errors|extensions")


class Row(NamedTuple):
    page: str
    what: str
    where: str
    proof: str

    def __str__(self) -> str:
        return f"{self.page}: {self.what[:50]}"


def rows_of(page: Path) -> list[Row]:
    """Its rows; a table of two columns says what and proof only."""
    lines = [line for line in page.read_text(encoding="utf-8").splitlines() if line.startswith("| ")]
    cells = [line.strip("| ").split(" | ") for line in lines if not line.endswith("proved by |")]
    return [Row(page.name, each[0], " | ".join(each[1:-1]), each[-1]) for each in cells]


ROWS = [row for page in PAGES for row in rows_of(page)]


def names_of_the_graph() -> tuple[set[str], set[str]]:
    """Every name that the subgraphs' schemas declare, and every `Type.field` of them."""
    names, members = set(), set()
    for file in sorted((ROOT / "schema" / "fittracker" / "subgraphs").glob("*.graphql")):
        for definition in parse(file.read_text(encoding="utf-8")).definitions:
            name = getattr(definition, "name", None)
            if not isinstance(name, ast.NameNode):
                continue
            names.add(name.value)
            for part in (*(getattr(definition, "fields", None) or ()), *(getattr(definition, "values", None) or ())):
                names.add(part.name.value)
                members.add(f"{name.value}.{part.name.value}")
                names.update(each.name.value for each in getattr(part, "arguments", None) or ())
    return names, members


NAMES, MEMBERS = names_of_the_graph()


@pytest.mark.parametrize("row", ROWS, ids=str)
def test_each_row_names_a_test_that_exists_or_is_open(row: Row) -> None:
    if row.proof == "open":
        return
    if row.proof == "left out":
        assert row.where, "a row that is left out says why"
        return
    named = re.fullmatch(r"`(?P<path>[\w/]+\.py)::(?P<name>\w+)`", row.proof)
    assert named is not None, row.proof
    text = (TESTS / named["path"]).read_text(encoding="utf-8")
    assert re.search(rf"^(async )?def {named['name']}\(", text, re.MULTILINE), row.proof


@pytest.mark.parametrize("row", ROWS, ids=str)
def test_each_name_in_a_row_is_a_part_of_the_graph(row: Row) -> None:
    topics = {topic.name for topic in TOPICS}
    for name in re.findall(r"`([^`]+)`", row.where):
        if OTHERS.fullmatch(name) or name in topics:
            continue
        bare = re.sub(r"\(.*\)$", "", name).removeprefix("@")
        assert bare in (MEMBERS if "." in bare else NAMES), name


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_each_link_leads_to_a_file(page: Path) -> None:
    for target in re.findall(r"\]\(([^)#]+)", page.read_text(encoding="utf-8")):
        assert (page.parent / target).exists(), target


def test_the_tables_have_rows_and_are_led_to() -> None:
    assert len(ROWS) > 500
    index = (SUBGRAPHS / "parity.md").read_text(encoding="utf-8")
    assert "(parity.md)" in (SUBGRAPHS / "README.md").read_text(encoding="utf-8")
    for page in PAGES[1:]:
        assert f"(parity/{page.name})" in index
