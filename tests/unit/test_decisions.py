"""The decisions, their index, and what supersedes what."""

import re
from pathlib import Path

FOLDER = Path(__file__).parents[2] / "deploy" / "decisions"
FILES = sorted(file for file in FOLDER.glob("*.md") if file.name != "README.md")


def test_the_index_names_each_decision_once() -> None:
    listed = re.findall(r"\]\(([^)]+\.md)\)", (FOLDER / "README.md").read_text(encoding="utf-8"))
    assert sorted(listed) == [file.name for file in FILES]


def test_numbers_are_used_once_and_each_has_a_title() -> None:
    numbers = [file.name[:4] for file in FILES]
    assert len(set(numbers)) == len(numbers)
    assert all(file.read_text(encoding="utf-8").startswith("# ") for file in FILES)


def test_what_is_superseded_says_by_what_under_its_title_and_in_the_index() -> None:
    index = (FOLDER / "README.md").read_text(encoding="utf-8")
    superseding = {
        (overruled, file.name[:4])
        for file in FILES
        for sentence in re.findall(r"[Ss]upersedes ([^.]*)", file.read_text(encoding="utf-8"))
        for overruled in re.findall(r"\b(0\d{3})\b", sentence)
    }
    for overruled, by in superseding:
        file = next(each for each in FILES if each.name.startswith(overruled))
        assert by in "".join(file.read_text(encoding="utf-8").splitlines()[:4]), (
            f"{overruled} does not say that {by} overrules it"
        )
        line = next(line for line in index.splitlines() if f"[{overruled}]" in line)
        assert by in line


def test_references_in_code_and_prose_lead_to_a_decision() -> None:
    numbers = {file.name[:4] for file in FILES}
    root = FOLDER.parents[1]
    for room in ("router", "schema", "subgraphs", "events", "loaders", "deploy", "benchmarks", "tests"):
        for file in root.joinpath(room).rglob("*.py"):
            for number in re.findall(r"decisions? (0\d{3})\b", file.read_text(encoding="utf-8")):
                assert number in numbers, f"{file} names decision {number}"
