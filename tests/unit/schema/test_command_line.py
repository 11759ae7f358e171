"""`python -m schema` as somebody without the platform uses it."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

import deploy.cli
from schema.__main__ import main
from schema.codes import CODES


@pytest.mark.parametrize("code", CODES)
def test_every_code_is_explained(code: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["explain", code]) == 0

    told = capsys.readouterr().out
    assert told.startswith(f"{code} ({CODES[code].level})\n{CODES[code].meaning}\n\nFor example,\n")
    assert f"\ngives\n\n[{code}] " in told


def test_an_unknown_code_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["explain", "NO_SUCH_CODE"]) == 1

    assert capsys.readouterr().err == "no error or hint is called NO_SUCH_CODE\n"


def test_findings_as_json_have_level_and_place(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "a.graphql"
    file.write_text('type Query {\n  t: T\n}\ntype T @key(fields: "no") {\n  id: ID\n}\n')

    assert main(["check", "--json", str(file)]) == 1

    told = json.loads(capsys.readouterr().out)
    (finding,) = told["errors"]
    assert told["supergraph"] is None
    assert {key: finding[key] for key in ("level", "code", "subgraphs", "coordinates", "locations")} == {
        "level": "error",
        "code": "KEY_INVALID_FIELDS",
        "subgraphs": ["a"],
        "coordinates": ["T"],
        "locations": [{"subgraph": "a", "line": 4, "column": 8}],
    }


# -- the two command lines ---------------------------------------------------------------------------------------------

PRODUCTS = (
    'type Query { products: [Product!]! } type Product @key(fields: "id") { id: ID! name: String @tag(name: "x") }'
)


@pytest.fixture
def files(tmp_path: Path) -> Path:
    link = 'extend schema @link(url: "https://specs.apollo.dev/federation/v2.3", import: ["@key", "@tag"])\n'
    (tmp_path / "products.graphql").write_text(link + PRODUCTS)
    (tmp_path / "broken.graphql").write_text(link + PRODUCTS.replace('"id"', '"no"'))
    (tmp_path / "old.graphql").write_text('type Query { "One." a: Int "Two." b: Int }')
    (tmp_path / "new.graphql").write_text("type Query { a: Int c: Int }")
    (tmp_path / "ops.jsonl").write_text('{"query": "{ a }"}\n')
    (tmp_path / "bad_style.graphql").write_text("type query_thing { Some_field: Int }")
    return tmp_path


@pytest.mark.parametrize(
    ("ours", "theirs", "exit_code"),
    [
        (["compose", "products.graphql"], ["compose", "products.graphql"], 0),
        (["compose", "p=http://p/graphql=products.graphql"], ["compose", "p=http://p/graphql=products.graphql"], 0),
        (["compose", "products.graphql", "--json"], ["compose", "products.graphql", "--json"], 0),
        (["compose", "broken.graphql", "--json"], ["compose", "broken.graphql", "--json"], 1),
        (["check", "products.graphql", "--json"], ["compose", "products.graphql", "--check", "--json"], 0),
        (["check", "products.graphql"], ["compose", "products.graphql", "--check"], 0),
        (["compose", "products.graphql", "--exclude", "x"], ["compose", "products.graphql", "--exclude", "x"], 0),
        (["diff", "old.graphql", "new.graphql"], ["schema", "diff", "old.graphql", "new.graphql"], 1),
        (
            ["diff", "old.graphql", "new.graphql", "--operations", "ops.jsonl"],
            ["schema", "diff", "old.graphql", "new.graphql", "--operations", "ops.jsonl"],
            0,
        ),
        (["lint", "bad_style.graphql"], ["schema", "lint", "bad_style.graphql"], 1),
        (["lint", "old.graphql"], ["schema", "lint", "old.graphql"], 0),
        (["explain"], ["explain"], 0),
        (["explain", "NO_QUERIES"], ["explain", "NO_QUERIES"], 0),
    ],
)
def test_both_command_lines_say_the_same(
    files: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    ours: list[str],
    theirs: list[str],
    exit_code: int,
) -> None:
    monkeypatch.chdir(files)
    assert main(ours) == exit_code
    said = capsys.readouterr().out
    told = CliRunner().invoke(deploy.cli.app, theirs)

    assert told.exit_code == exit_code
    assert [line.rstrip() for line in told.stdout.splitlines()] == [line.rstrip() for line in said.splitlines()]


def test_what_is_asked_for_is_written_to_files(files: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(files)
    assert main(["compose", "products.graphql", "-o", "all.graphql", "--api", "api.graphql"]) == 0
    told = CliRunner().invoke(
        deploy.cli.app, ["compose", "products.graphql", "-o", "all2.graphql", "--api", "api2.graphql"]
    )

    assert told.exit_code == 0
    assert (files / "all.graphql").read_text() == (files / "all2.graphql").read_text() != ""
    assert (files / "api.graphql").read_text() == (files / "api2.graphql").read_text() != ""


def test_a_source_is_never_written_over(
    files: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(files)
    before = (files / "products.graphql").read_text()

    assert main(["compose", "products.graphql", "--api", "products.graphql"]) == 2
    assert "products.graphql is one of the sources" in capsys.readouterr().err
    assert (files / "products.graphql").read_text() == before
