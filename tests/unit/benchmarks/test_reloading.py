"""New graphs for a router that watches its file, and the proof that it follows."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from benchmarks import reloading
from benchmarks.reloading import NotFollowedError, Reloader

SUPERGRAPH = 'enum join__Graph { A @join__graph(name: "a", url: "http://127.0.0.1:4200/a") }'


def test_each_text_is_new_and_the_graph_is_the_same(tmp_path: Path) -> None:
    file = tmp_path / "supergraph.graphql"
    reloader = Reloader(file, SUPERGRAPH)
    reloader.reload()
    first = file.read_text()
    reloader.reload()
    assert first != file.read_text()
    assert {first.partition("\n")[2], file.read_text().partition("\n")[2]} == {SUPERGRAPH}


def test_a_plan_in_json_gets_a_new_version(tmp_path: Path) -> None:
    file = tmp_path / "plan.json"
    Reloader(file, '{"version": "one", "engine": {}}').reload()
    assert json.loads(file.read_text()) == {"version": "generation 1", "engine": {}}


def test_a_router_that_follows_ceases_to_answer_in_between(tmp_path: Path) -> None:
    file = tmp_path / "supergraph.graphql"
    file.write_text(SUPERGRAPH)
    answered = []

    def answers() -> bool:
        answered.append("/nowhere/" not in file.read_text())
        return answered[-1]

    Reloader(file, SUPERGRAPH).follow(4200, answers)
    assert answered == [False, True]


def test_a_router_that_keeps_its_graph_is_told_of(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reloading, "PATIENCE_SECONDS", 0.2)
    with pytest.raises(NotFollowedError, match="subgraphs that its new graph does not have"):
        Reloader(tmp_path / "supergraph.graphql", SUPERGRAPH).follow(4200, lambda: True)
