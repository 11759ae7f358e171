"""The parity table names tests that exist: a row that nothing proves says that it is open."""

import re
from pathlib import Path

import pytest

_TESTS = Path(__file__).parents[2]
_TABLE = (_TESTS.parent / "subgraphs" / "parity.md").read_text(encoding="utf-8")
_ROWS = [line for line in _TABLE.splitlines() if line.startswith("| ") and not line.endswith("proved by |")]


@pytest.mark.parametrize("row", _ROWS, ids=lambda row: row.split("|")[1].strip()[:40])
def test_each_row_names_a_test_that_exists_or_is_open(row: str) -> None:
    proof = row.rstrip(" |").rpartition("| ")[2]
    if proof == "open":
        return
    named = re.fullmatch(r"`(?P<path>[\w/]+\.py)::(?P<name>\w+)`", proof)
    assert named is not None, proof
    text = (_TESTS / named["path"]).read_text(encoding="utf-8")
    assert re.search(rf"^(async )?def {named['name']}\(", text, re.MULTILINE), proof


def test_the_table_has_rows() -> None:
    assert len(_ROWS) > 40
