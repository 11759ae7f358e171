"""Settings that somebody adds to the router of their stack: what counts, and which mistakes are told how."""

from __future__ import annotations

from pathlib import Path

import pytest

from deploy.errors import FriendlyError
from deploy.own_settings import check_merged, laid_over, read_own_settings


def test_mappings_are_joined_and_everything_else_is_replaced() -> None:
    generated = {"dev": True, "cors": {"origins": ["a"], "credentials": True}, "limits": {"depth": 10}}
    own = {"cors": {"origins": ["b"]}, "limits": None, "batching": {"enabled": True}}

    assert laid_over(generated, own) == {
        "dev": True,
        "cors": {"origins": ["b"], "credentials": True},
        "limits": None,
        "batching": {"enabled": True},
    }
    assert generated["cors"] == {"origins": ["a"], "credentials": True}


def test_an_empty_file_adds_nothing(tmp_path: Path) -> None:
    (tmp_path / "own.yaml").write_text("# nothing yet\n")
    assert read_own_settings(tmp_path / "own.yaml") == {}


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("[1, 2]", "must hold a mapping"),
        ("a: [", "cannot be read"),
        ("port: 9000", "'port' is the stack's to set"),
        ("supergraph: mine.graphql", "'supergraph' is the stack's to set"),
    ],
)
def test_a_file_that_cannot_be_laid_over_is_told(tmp_path: Path, text: str, told: str) -> None:
    (tmp_path / "own.yaml").write_text(text)
    with pytest.raises(FriendlyError, match=told):
        read_own_settings(tmp_path / "own.yaml")


def test_a_setting_that_does_not_exist_is_told_with_the_file_that_names_it(tmp_path: Path) -> None:
    merged, own = tmp_path / "router.yaml", tmp_path / "own.yaml"
    merged.write_text("supergraph: a.graphql\nbaching: {enabled: true}\n")
    with pytest.raises(FriendlyError) as caught:
        check_merged(merged, own, {}, [])
    assert f"with the settings of {own}" in str(caught.value)
    assert "baching" in str(caught.value)
    assert "batching" in str(caught.value)  # did you mean
    assert "line " not in str(caught.value)  # it would be one of the merged file, which nobody wrote


def test_settings_for_a_subgraph_that_is_not_there_are_told_and_no_more(tmp_path: Path) -> None:
    merged = tmp_path / "router.yaml"
    merged.write_text("supergraph: graph.graphql\ntraffic_shaping: {subgraphs: {nutritoin: {timeout_seconds: 1}}}\n")

    told = check_merged(merged, tmp_path / "own.yaml", {}, ["users", "nutrition"])

    assert told == ["'traffic_shaping.subgraphs.nutritoin': the graph has no such subgraph, did you mean 'nutrition'?"]
