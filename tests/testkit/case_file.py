"""Reads one conformance case directory: `subgraphs/*.graphql`, `data.json`, `cases.yaml`.

A `supergraph.graphql` beside them is what another composer made of the same subgraphs; all cases hold for it too.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from tests.testkit.failure_modes import FailureMode

UNSET: Any = object()


@dataclass(frozen=True, slots=True)
class Case:
    """One operation and what must come of it; a field that is None or empty is not checked."""

    name: str
    operation: str
    variables: dict[str, Any] = field(default_factory=dict)
    data: Any = UNSET
    data_may_be: list[Any] = field(default_factory=list)
    data_excludes: list[str] = field(default_factory=list)
    ordered_json: str | None = None
    errors: list[dict[str, Any]] = field(default_factory=list)  # [{}]: at least one, whatever it says
    errors_at_least: bool = False
    failures: dict[str, FailureMode] = field(default_factory=dict)
    override_labels: list[str] = field(default_factory=list)
    requests: dict[str, int] = field(default_factory=dict)
    representations: dict[str, list[Any]] = field(default_factory=dict)
    variables_sent: dict[str, list[str]] = field(default_factory=dict)
    calls: list[str] | None = None
    # of `@defer` and `@stream`: the operation is then asked at once and in pieces of both formats
    initial: Any = UNSET  # the data of the first piece
    merged: Any = UNSET  # of all pieces, where it is not `data`
    pending: list[dict[str, Any]] | None = None  # what the first piece announces: path and label
    comes_whole: bool = False  # also for who takes pieces
    requests_in_pieces: dict[str, int] = field(default_factory=dict)

    @property
    def is_incremental(self) -> bool:
        return self.initial is not UNSET or self.comes_whole


@dataclass(frozen=True, slots=True)
class CaseDirectory:
    name: str
    sdls: dict[str, str]
    data: str
    cases: list[Case]
    matrix: dict[str, Any]
    supergraph: str | None = None


def read_case_directory(path: Path) -> CaseDirectory:
    content = yaml.safe_load((path / "cases.yaml").read_text())
    return CaseDirectory(
        name=path.name,
        sdls={file.stem: file.read_text() for file in sorted((path / "subgraphs").glob("*.graphql"))},
        data=(path / "data.json").read_text(),
        cases=[_case(item) for item in content["cases"]],
        matrix=content.get("matrix", {}),
        supergraph=given.read_text() if (given := path / "supergraph.graphql").exists() else None,
    )


def _case(item: dict[str, Any]) -> Case:
    failures = {name: FailureMode(**mode) for name, mode in item.pop("failures", {}).items()}
    return Case(**item, failures=failures)
