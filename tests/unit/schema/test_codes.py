"""The catalogue of codes: complete, tested, and the source of the README's table."""

from pathlib import Path

import pytest

from schema import SubgraphSource, compose
from schema.codes import CODES, Level, print_table
from schema.examples import example_of
from schema.verbs import explanation

README = Path(__file__).parents[3] / "schema" / "README.md"


def test_every_code_has_a_case() -> None:
    folder = Path(__file__).parent
    errors = (folder / "test_subgraph_errors.py").read_text() + (folder / "test_merge_errors.py").read_text()
    hints = (folder / "test_hints.py").read_text()

    cases = {Level.ERROR: errors, Level.HINT: hints}
    assert [code.code for code in CODES.values() if f'\n        "{code.code}",\n' not in cases[code.level]] == []


def test_the_readme_holds_the_present_table() -> None:
    assert print_table() in README.read_text(encoding="utf-8")


def test_meanings_are_sentences() -> None:
    assert [code.code for code in CODES.values() if not code.meaning.endswith(".")] == []


@pytest.mark.parametrize("code", CODES)
def test_the_example_of_a_code_gives_it(code: str) -> None:
    composition = compose([SubgraphSource(name, sdl) for name, sdl in example_of(code).items()])

    found = {Level.ERROR: composition.errors, Level.HINT: composition.hints}[CODES[code].level]
    assert code in [finding.code for finding in found]


def test_an_explanation_says_what_it_means_and_shows_what_is_told() -> None:
    text = explanation(CODES["KEY_INVALID_FIELDS"])

    assert text.startswith(CODES["KEY_INVALID_FIELDS"].meaning)
    assert "# a.graphql\nextend schema @link(" in text
    assert "\ngives\n\n[KEY_INVALID_FIELDS] a:" in text
    assert text.endswith("^")
