"""The catalogue of codes: complete, tested, and the source of the README's table."""

from pathlib import Path

from schema.codes import CODES, Level, print_table

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
