from router.telemetry import REGISTRY, carried_headers, metrics_text


def test_every_metric_has_a_meaning_and_a_unit_or_total() -> None:
    own = [family for family in REGISTRY.collect() if family.name.startswith(("router_", "http_server_", "cache_"))]
    assert len(own) >= 10
    assert all(family.documentation.endswith(".") for family in own)


def test_the_names_that_dashboards_ask_for_are_there() -> None:
    text = metrics_text().decode()
    for name in ("http_server_requests_seconds", "cache_gets_total", "router_subgraph_request_duration_seconds"):
        assert f"# TYPE {name}" in text
    assert "_created" not in text


def test_only_the_trace_headers_are_carried_on() -> None:
    headers = [(b"traceparent", b"00-a-b-01"), (b"authorization", b"Bearer x"), (b"tracestate", b"k=v")]
    assert carried_headers(headers) == {"traceparent": "00-a-b-01", "tracestate": "k=v"}
