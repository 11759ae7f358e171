"""`python -m schema` as somebody without the platform uses it."""

import json
from pathlib import Path

import pytest

from schema.__main__ import main
from schema.codes import CODES


@pytest.mark.parametrize("code", CODES)
def test_every_code_is_explained(code: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["explain", code]) == 0

    assert capsys.readouterr().out == f"{code} ({CODES[code].level})\n{CODES[code].meaning}\n"


def test_an_unknown_code_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["explain", "NO_SUCH_CODE"]) == 1

    assert capsys.readouterr().err == "no error or hint is called NO_SUCH_CODE\n"


def test_findings_as_json_have_level_and_place(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "a.graphql"
    file.write_text('type Query {\n  t: T\n}\ntype T @key(fields: "no") {\n  id: ID\n}\n')

    assert main(["check", "--json", str(file)]) == 1

    (finding,) = json.loads(capsys.readouterr().err)
    assert {key: finding[key] for key in ("level", "code", "subgraphs", "coordinates", "locations")} == {
        "level": "error",
        "code": "KEY_INVALID_FIELDS",
        "subgraphs": ["a"],
        "coordinates": ["T"],
        "locations": [{"subgraph": "a", "line": 4, "column": 8}],
    }
