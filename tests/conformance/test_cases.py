"""Runs every conformance case: subgraphs composed by `schema`, answered by `router`, over stub subgraphs.

A case directory has `subgraphs/*.graphql`, `data.json` and `cases.yaml`; `tests/testkit/case_file.py` says what may be
in them, `tests/testkit/world.py` what the data mean.
"""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.testkit.case_file import UNSET, Case, CaseDirectory, read_case_directory
from tests.testkit.failure_modes import FailureMode
from tests.testkit.federated_graph import FederatedGraph, world_of_sdls
from tests.testkit.incremental_client import merge_former_payloads, merge_payloads

DIRECTORIES = [read_case_directory(path) for path in sorted((Path(__file__).parent / "cases").iterdir())]
CASES = [pytest.param(d, case, id=f"{d.name}: {case.name}") for d in DIRECTORIES for case in d.cases]
GIVEN = [each for each in CASES if each.values[0].supergraph is not None]
MATRIX = [
    pytest.param(d, kind, group, id=f"{d.name}: {kind}")
    for d in DIRECTORIES
    for group in ("to_empty", "any_answer")
    for kind in d.matrix.get(group, ())
]
SECRET = "hunter2"  # in the bodies of broken answers; must reach no client


def federated(directory: CaseDirectory) -> FederatedGraph:
    return FederatedGraph.compose(directory.sdls, world_of_sdls(directory.data, directory.sdls))


@pytest.mark.parametrize(("directory", "case"), CASES)
async def test_answers_as_the_case_says(directory: CaseDirectory, case: Case) -> None:
    await check(case, federated(directory))


@pytest.mark.parametrize(("directory", "case"), GIVEN)
async def test_answers_as_the_case_says_with_the_supergraph_of_another_composer(
    directory: CaseDirectory, case: Case
) -> None:
    assert directory.supergraph is not None
    world = world_of_sdls(directory.data, directory.sdls)
    await check(case, FederatedGraph.from_supergraph(directory.supergraph, directory.sdls, world))


async def check(case: Case, graph: FederatedGraph) -> None:
    response = await graph.answer(
        case.operation, case.variables, failures=case.failures, override_labels=frozenset(case.override_labels)
    )
    assert SECRET not in json.dumps(response)
    check_data(case, response)
    check_errors(case, response.get("errors", []))
    check_requests(case, graph)


@pytest.mark.parametrize("former", [False, True], ids=["current", "former"])
@pytest.mark.parametrize(("directory", "case"), [each for each in CASES if each.values[1].is_incremental])
async def test_answers_in_pieces_as_the_case_says(directory: CaseDirectory, case: Case, former: bool) -> None:
    graph = federated(directory)
    payloads = await graph.payloads(case.operation, case.variables, former=former, failures=case.failures)
    first = payloads[0]
    assert ("hasNext" not in first) is case.comes_whole
    check_requests(replace(case, requests=case.requests_in_pieces), graph)
    if case.initial is not UNSET:
        assert first["data"] == case.initial
    if case.pending is not None and not former:
        announced = [
            {name: each[name] for name in ("path", "label") if name in each} for each in first.get("pending", ())
        ]
        assert announced == case.pending
    response = first
    if not case.comes_whole:
        response = merge_former_payloads(payloads) if former else merge_payloads(payloads)
    check_data(case if case.merged is UNSET else replace(case, data=case.merged), response)
    check_errors(case, response.get("errors", []))


@pytest.mark.parametrize(("directory", "kind", "group"), MATRIX)
async def test_stands_a_broken_subgraph(directory: CaseDirectory, kind: str, group: str) -> None:
    matrix, graph = directory.matrix, federated(directory)
    mode = FailureMode(kind="none", delay_seconds=1.0) if kind == "slow" else FailureMode(kind=kind)
    failures = {matrix["failing"]: mode}
    response = await graph.answer(matrix["operation"], failures=failures, timeout_seconds=0.1 if kind == "slow" else 5)
    assert SECRET not in json.dumps(response)
    if group == "to_empty":
        assert response["data"] == matrix["empty"]
        assert response["errors"]
        assert all(error["message"] and error["extensions"]["code"] for error in response["errors"])
    else:
        assert response["data"] is None or has_shape(response["data"], matrix["whole"]), response["data"]
    healthy = await graph.answer(matrix["operation"])
    assert healthy == {"data": matrix["whole"]}, "the next request must not feel it"


def check_data(case: Case, response: dict[str, Any]) -> None:
    if case.data is not UNSET:
        assert response.get("data") in [case.data, *case.data_may_be], response
    for text in case.data_excludes:
        assert text not in json.dumps(response["data"])
    if case.ordered_json is not None:
        assert json.dumps(response["data"], separators=(",", ":")) == case.ordered_json


def check_errors(case: Case, errors: list[dict[str, Any]]) -> None:
    if case.errors == [{}]:
        assert errors
        return
    unmatched = list(errors)
    for expected in case.errors:
        match = next((error for error in unmatched if matches(error, expected)), None)
        assert match is not None, f"no error like {expected} in {errors}"
        unmatched.remove(match)
    assert case.errors_at_least or not unmatched, f"unexpected errors {unmatched}"


def matches(error: dict[str, Any], expected: dict[str, Any]) -> bool:
    extensions = error.get("extensions", {})
    found = {"path": error.get("path"), "code": extensions.get("code"), "service": extensions.get("service")}
    return all(found[name] == value for name, value in expected.items())


def check_requests(case: Case, graph: FederatedGraph) -> None:
    for name, count in case.requests.items():
        sent = graph.stubs[name].requests
        assert len(sent) == count, f"{name} got {[request['query'] for request in sent]}"
    for name, expected in case.representations.items():
        sent = graph.stubs[name].requests
        assert [request["variables"]["representations"] for request in sent] == expected
    for name, names in case.variables_sent.items():
        assert sorted(graph.stubs[name].requests[-1]["variables"]) == sorted(names)
    if case.calls is not None:
        calls = next(iter(graph.stubs.values())).world.root_calls
        assert calls == case.calls


def has_shape(value: Any, whole: Any) -> bool:
    """Whether a value is null or of the kind that the whole answer has at that place."""
    if value is None or whole is None:
        return True
    if isinstance(whole, dict):
        return (
            isinstance(value, dict)
            and value.keys() == whole.keys()
            and all(has_shape(value[k], whole[k]) for k in whole)
        )
    if isinstance(whole, list):
        return isinstance(value, list) and (not whole or all(has_shape(element, whole[0]) for element in value))
    return type(value) is type(whole)
