"""`fittracker compose --json` and `fittracker schema …` as CI runs them: real processes, whose exit codes decide."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]


def fittracker(*arguments: str, cwd: Path, code_in: Path = ROOT) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "PYTHONPATH": str(code_in), "NO_COLOR": "1", "COLUMNS": "200"}
    command = [sys.executable, "-m", "deploy", *arguments]
    return subprocess.run(command, cwd=cwd, env=environment, text=True, capture_output=True, timeout=60, check=False)


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """The checkout with a schema/ of its own, which a test may change."""
    for room in ("deploy", "events", "loaders", "router", "subgraphs"):
        (tmp_path / room).symlink_to(ROOT / room)
    shutil.copytree(ROOT / "schema", tmp_path / "schema", ignore=shutil.ignore_patterns("__pycache__"))
    return tmp_path


# -- compose --json ----------------------------------------------------------------------------------------------------


def test_a_refusal_is_json_with_the_places_in_the_files(tmp_path: Path) -> None:
    (tmp_path / "a.graphql").write_text('type Query {\n  t: T\n}\ntype T @key(fields: "no") {\n  id: ID\n}\n')

    told = fittracker("compose", "a.graphql", "--json", "-o", "graph.graphql", cwd=tmp_path)

    assert (told.returncode, told.stderr) == (1, "")
    answer = json.loads(told.stdout)
    (error,) = answer.pop("errors")
    assert answer == {"hints": [], "supergraph": None}
    assert '"no"' in error.pop("message")
    assert error == {
        "level": "error",
        "code": "KEY_INVALID_FIELDS",
        "subgraphs": ["a"],
        "coordinates": ["T"],
        "locations": [{"subgraph": "a", "line": 4, "column": 8}],
    }
    assert not (tmp_path / "graph.graphql").exists()


def test_a_contract_shows_one_audience_its_part_and_the_schema_of_clients_is_a_file(tmp_path: Path) -> None:
    (tmp_path / "a.graphql").write_text('type Query { a: Int @tag(name: "public") b: Int c: Int @tag(name: "staff") }')

    everything = fittracker("compose", "a.graphql", "-o", "all.graphql", "--api", "all-api.graphql", cwd=tmp_path)
    public = fittracker(
        "compose", "a.graphql", "-o", "p.graphql", "--api", "p-api.graphql", "--include", "public", cwd=tmp_path
    )
    customers = fittracker(
        "compose", "a.graphql", "-o", "c.graphql", "--api", "c-api.graphql", "--exclude", "staff", cwd=tmp_path
    )
    nobody = fittracker("compose", "a.graphql", "-o", "n.graphql", "--include", "nobody", cwd=tmp_path)

    assert [each.returncode for each in (everything, public, customers, nobody)] == [0, 0, 0, 1]
    told = {name: (tmp_path / f"{name}-api.graphql").read_text().split() for name in ("all", "p", "c")}
    assert [[field for field in ("a:", "b:", "c:") if field in api] for api in told.values()] == [
        ["a:", "b:", "c:"],
        ["a:"],
        ["a:", "b:"],
    ]
    assert "@inaccessible" in (tmp_path / "p.graphql").read_text()
    assert "ONLY_INACCESSIBLE_CHILDREN" in nobody.stderr
    assert not (tmp_path / "n.graphql").exists()


def test_hints_are_json_next_to_the_supergraph(tmp_path: Path) -> None:
    (tmp_path / "a.graphql").write_text("type Query { a: Int }\nenum Unused { A }\n")

    told = fittracker("compose", "a.graphql", "--json", cwd=tmp_path)

    assert (told.returncode, told.stderr) == (0, "")
    answer = json.loads(told.stdout)
    assert answer["errors"] == []
    assert [(hint["level"], hint["code"]) for hint in answer["hints"]] == [("hint", "UNUSED_ENUM_TYPE")]
    assert "enum join__Graph" in answer["supergraph"]


def test_with_a_file_to_write_json_tells_the_findings_only(tmp_path: Path) -> None:
    (tmp_path / "a.graphql").write_text("type Query { a: Int }")

    told = fittracker("compose", "a.graphql", "--json", "-o", "graph.graphql", cwd=tmp_path)

    assert (told.returncode, told.stderr) == (0, "")
    assert json.loads(told.stdout) == {"errors": [], "hints": [], "supergraph": None}
    assert "enum join__Graph" in (tmp_path / "graph.graphql").read_text()


# -- schema check, diff, lint ------------------------------------------------------------------------------------------


def test_the_committed_schema_passes_its_check(checkout: Path) -> None:
    told = fittracker("schema", "check", cwd=checkout, code_in=checkout)

    assert told.returncode == 0, told.stderr
    assert "schema/fittracker/supergraph.graphql is current" in told.stdout


def test_stale_sdl_fails_the_check_and_export_mends_it(checkout: Path) -> None:
    committed = checkout / "schema" / "fittracker" / "subgraphs" / "users.graphql"
    committed.write_text(committed.read_text() + "\ntype Forgotten { id: ID }\n")

    told = fittracker("schema", "check", cwd=checkout, code_in=checkout)

    assert told.returncode == 1
    assert "schema/fittracker/subgraphs/users.graphql is not what the code gives" in told.stderr
    assert "fittracker schema export" in told.stderr
    assert "Forgotten" in committed.read_text(), "a check writes nothing"
    assert fittracker("schema", "export", cwd=checkout, code_in=checkout).returncode == 0
    assert committed.read_text() == (ROOT / "schema" / "fittracker" / "subgraphs" / "users.graphql").read_text()


def test_a_broken_promise_fails_the_check_until_it_is_released(checkout: Path) -> None:
    released = checkout / "schema" / "fittracker" / "released.graphql"
    released.write_text(released.read_text() + "\ntype WasPromised { id: ID }\n")

    told = fittracker("schema", "check", cwd=checkout, code_in=checkout)

    assert told.returncode == 1
    assert "WasPromised" in told.stdout
    assert "1 breaking changes since the last release" in told.stderr
    assert fittracker("schema", "release", cwd=checkout, code_in=checkout).returncode == 0
    assert fittracker("schema", "check", cwd=checkout, code_in=checkout).returncode == 0


@pytest.mark.parametrize(
    ("new", "exit_code", "told"),
    [
        ("type Query { a: Int b: Int }", 0, "no changes"),
        ("type Query { a: Int! b: Int c: Int }", 0, "safe"),
        ("type Query { b: Int }", 1, "breaking"),
        ("type Query { a: String b: Int }", 1, "breaking"),
    ],
)
def test_diff_fails_on_breaking_changes_only(tmp_path: Path, new: str, exit_code: int, told: str) -> None:
    (tmp_path / "old.graphql").write_text("type Query { a: Int b: Int }")
    (tmp_path / "new.graphql").write_text(new)

    done = fittracker("schema", "diff", "old.graphql", "new.graphql", cwd=tmp_path)

    assert done.returncode == exit_code, done.stderr
    assert told in done.stdout


def test_diff_forgives_what_no_recorded_operation_uses(tmp_path: Path) -> None:
    (tmp_path / "old.graphql").write_text("type Query { a: Int b: Int }")
    (tmp_path / "new.graphql").write_text("type Query { b: Int }")
    (tmp_path / "operations.graphql").write_text("query UsesB { b }")
    diff = ("schema", "diff", "old.graphql", "new.graphql", "--operations", "operations.graphql")
    assert fittracker(*diff, cwd=tmp_path).returncode == 0

    (tmp_path / "operations.graphql").write_text("query UsesA { a }")
    done = fittracker(*diff, cwd=tmp_path)

    assert done.returncode == 1
    assert "used by operations" in done.stdout


@pytest.mark.parametrize("broken", ["type Query {", "type Query { a: Missing }"])
def test_diff_of_what_is_no_schema_is_a_sentence(tmp_path: Path, broken: str) -> None:
    (tmp_path / "old.graphql").write_text(broken)

    done = fittracker("schema", "diff", "old.graphql", "old.graphql", cwd=tmp_path)

    assert done.returncode == 1
    assert "old.graphql is not a GraphQL schema" in done.stderr
    assert "Traceback" not in done.stderr


def test_diff_by_what_is_no_operation_is_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "api.graphql").write_text("type Query { a: Int }")
    (tmp_path / "operations.graphql").write_text("query {")

    done = fittracker(
        "schema", "diff", "api.graphql", "api.graphql", "--operations", "operations.graphql", cwd=tmp_path
    )

    assert done.returncode == 1
    assert "operations.graphql: Syntax Error" in done.stderr
    assert "Traceback" not in done.stderr


def test_lint_fails_where_it_finds_something(tmp_path: Path) -> None:
    fine = '"""What can be asked."""\ntype Query {\n  """One."""\n  name: String\n}\n'
    (tmp_path / "fine.graphql").write_text(fine)
    (tmp_path / "ugly.graphql").write_text(fine.replace("name:", "Bad_Name:"))
    assert fittracker("schema", "lint", "fine.graphql", cwd=tmp_path).returncode == 0

    done = fittracker("schema", "lint", "fine.graphql", "ugly.graphql", cwd=tmp_path)

    assert done.returncode == 1
    assert "ugly.graphql: " in done.stdout
    assert "Bad_Name" in done.stdout


def test_the_committed_subgraphs_are_linted_by_default(tmp_path: Path) -> None:
    assert fittracker("schema", "lint", cwd=tmp_path).returncode == 0


def test_lint_of_what_is_no_sdl_is_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "broken.graphql").write_text("type Query {")

    done = fittracker("schema", "lint", "broken.graphql", cwd=tmp_path)

    assert done.returncode == 1
    assert "broken.graphql" in done.stdout + done.stderr
    assert "Traceback" not in done.stderr
