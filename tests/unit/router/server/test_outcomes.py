"""Which answers count as failures of the platform, and that a client cannot fill the memory with label values."""

from pathlib import Path
from typing import Any

import pytest
from prometheus_client import CollectorRegistry, generate_latest

from router.executor.projection import encode_response
from router.pipeline import Response
from router.process_metrics import add_process_metrics, memory_limit
from router.server.outcomes import MOST_NAMES, Outcome, count_operation, outcome_of
from router.telemetry import REGISTRY

SOME = {"a": None}


def answer(*codes: str, data: Any = SOME, extensions: Any = None, status: int = 200, refused: bool = False) -> Response:
    errors = [{"message": "Something failed.", "extensions": {"code": code, "data": None}} for code in codes]
    body = encode_response(data, errors, extensions)
    return Response(status, body, has_errors=bool(codes), is_request_error=refused, error_codes=codes)


@pytest.mark.parametrize(
    ("response", "outcome"),
    [
        (answer(), "ok"),
        (answer("UNAUTHENTICATED"), "refused"),
        (answer("GRAPHQL_VALIDATION_FAILED", status=400, refused=True), "refused"),
        (answer("PLANNING_FAILED", status=500, refused=True), "failed"),
        (answer("SUBREQUEST_HTTP_ERROR"), "partly_failed"),
        (answer("SUBREQUEST_HTTP_ERROR", data={"data": None}), "partly_failed"),
        (answer("SUBREQUEST_HTTP_ERROR", data=None), "failed"),
        (answer("SUBREQUEST_HTTP_ERROR", data=None, extensions={"plan": {}}), "failed"),
        (answer("SUBREQUEST_HTTP_ERROR", extensions={"plan": {}}), "partly_failed"),
        (answer("NOT_FOUND", "INTERNAL_SERVER_ERROR"), "partly_failed"),
        (answer(""), "partly_failed"),
    ],
)
def test_an_error_is_ours_unless_its_code_says_otherwise(response: Response, outcome: Outcome) -> None:
    assert outcome_of(response) == outcome


def test_names_that_a_client_makes_up_share_one_counter() -> None:
    for number in range(MOST_NAMES + 50):
        count_operation(Response(200, b"{}", operation_name=f"Made{number}", operation_type="query"))
    names = {
        sample.labels["operation"]
        for metric in REGISTRY.collect()
        if metric.name == "router_named_operations"
        for sample in metric.samples
    }
    assert len(names) <= MOST_NAMES + 1
    assert "other" in names


@pytest.mark.parametrize(
    ("groups", "files", "limit"),
    [
        ("0::/\n", {"memory.max": "1000"}, 1000),  # in a container
        ("0::/\n", {"memory.max": "max"}, 0),
        ("0::/\n", {}, 0),
        ("0::/system.slice/router.service\n", {"system.slice/router.service/memory.max": "500"}, 500),
        (
            "0::/system.slice/router.service\n",
            {"system.slice/router.service/memory.max": "max", "system.slice/memory.max": "2000"},
            2000,
        ),
        (
            "0::/system.slice/router.service\n",
            {"system.slice/router.service/memory.max": "500", "system.slice/memory.max": "400"},
            400,
        ),
        ("4:cpu,memory:/box/1\n0::/\n", {"memory/box/1/memory.limit_in_bytes": "300"}, 300),
        ("4:memory:/of/the/host\n", {"memory/memory.limit_in_bytes": "700"}, 700),  # in a container
        ("4:memory:/\n", {"memory/memory.limit_in_bytes": str(1 << 62)}, 0),
        ("3:cpu:/box\n", {"memory/memory.limit_in_bytes": "700"}, 0),
    ],
)
def test_the_limit_is_the_least_of_the_groups_that_a_process_is_in(
    tmp_path: Path, groups: str, files: dict[str, str], limit: int
) -> None:
    (tmp_path / "cgroup").write_text(groups)
    for name, text in files.items():
        file = tmp_path / "mounted" / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text + "\n")
    assert memory_limit(tmp_path / "cgroup", tmp_path / "mounted") == limit


def test_without_control_groups_there_is_no_limit(tmp_path: Path) -> None:
    assert memory_limit(tmp_path / "absent") == 0


def test_a_process_tells_its_limit_and_threads() -> None:
    registry = CollectorRegistry()
    add_process_metrics(registry).observe(0.3)
    text = generate_latest(registry).decode()
    assert f"process_memory_limit_bytes {float(memory_limit())}" in text
    assert "process_threads " in text
    assert 'event_loop_lag_seconds_bucket{le="0.25"} 0.0' in text
    assert 'event_loop_lag_seconds_bucket{le="0.5"} 1.0' in text
