"""The releases that the rollout rehearsal rolls fit the code as it is, and their revisions keep to the rules."""

from __future__ import annotations

import ast
from pathlib import Path

from deploy.rehearsals.releases import THE_FIELD, ReleaseTree
from tests.testkit.migration_rules import complaints, read_revision, revisions


def test_the_edits_fit_the_code_and_are_taken_back_without_a_trace(tmp_path: Path) -> None:
    tree = ReleaseTree(tmp_path)
    files = [tmp_path / each.file for each in THE_FIELD]
    before = [file.read_text() for file in files]
    tree.edit(THE_FIELD)
    for file in files:
        ast.parse(file.read_text())
        assert "vessel" in file.read_text()
    tree.take_back()
    assert [file.read_text() for file in files] == before


def test_the_revisions_keep_to_the_rules(tmp_path: Path) -> None:
    tree = ReleaseTree(tmp_path)
    column, index = tree.add_column()
    made = [read_revision(file.read_text()) for file in (column, index, tree.drop_column(column))]
    earlier = frozenset(each.name for each in (*revisions("nutrition"), *made))
    assert [problem for each in made for problem in complaints(each, earlier)] == []
    assert [each.down for each in made] == [revisions("nutrition")[-1].name, made[0].name, made[1].name]
    assert made[2].contracts == made[0].name
