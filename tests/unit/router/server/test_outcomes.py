"""Which answers count as failures of the platform, and that a client cannot fill the memory with label values."""

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


def test_a_process_tells_its_limit_and_threads() -> None:
    registry = CollectorRegistry()
    add_process_metrics(registry).observe(0.3)
    text = generate_latest(registry).decode()
    assert f"process_memory_limit_bytes {float(memory_limit())}" in text
    assert "process_threads " in text
    assert 'event_loop_lag_seconds_bucket{le="0.25"} 0.0' in text
    assert 'event_loop_lag_seconds_bucket{le="0.5"} 1.0' in text
