"""Spans of the router at a collector, and the trace that goes on in the subgraphs."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

import orjson
import pytest
from structlog.testing import capture_logs

from router.settings import Telemetry
from router.telemetry import Tracing
from tests.testkit.running_router import StartRouter
from tests.testkit.trace_collector import TraceCollector, attributes_of, collecting_traces

TRACE, CLIENT_SPAN = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"


@pytest.fixture
def collector() -> Iterator[TraceCollector]:
    with collecting_traces() as made:
        yield made


async def test_spans_of_an_operation_and_its_fetches_reach_a_collector(
    start_router: StartRouter, collector: TraceCollector
) -> None:
    telemetry = {"otlp_endpoint": collector.endpoint, "sample_ratio": 0, "service_name": "edge", "log_level": "error"}
    async with start_router(telemetry=telemetry) as router:
        await router.ask("{ products { name } }")  # not sampled: a ratio of nothing
        sampled = {
            "traceparent": f"00-{TRACE}-{CLIENT_SPAN}-01",
            "tracestate": "vendor=x",
            "x-request-id": "from-the-edge",
        }
        answer = await router.ask("query Both { products { inStock } headers }", **sampled)
    (operation,) = collector.named("graphql.operation")
    assert (operation.trace_id.hex(), operation.parent_span_id.hex()) == (TRACE, CLIENT_SPAN)
    assert attributes_of(operation) == {
        "correlation_id": "from-the-edge",
        "graphql.operation.name": "Both",
        "http.response.status_code": 200,
    }
    assert collector.services == {"edge"}

    fetches = [*collector.named("fetch catalog"), *collector.named("fetch stock"), *collector.named("fetch accounts")]
    assert len(fetches) == len(collector.spans) - 1 == 3
    assert {fetch.parent_span_id for fetch in fetches} == {operation.span_id}
    received = [line for line in answer["data"]["headers"] if line.startswith("trace")]
    span_of_fetch = fetches[2].span_id.hex()
    assert sorted(received) == [f"traceparent: 00-{TRACE}-{span_of_fetch}-01", "tracestate: vendor=x"]


async def test_the_line_of_a_request_names_its_trace(
    start_router: StartRouter, collector: TraceCollector, capsys: pytest.CaptureFixture[str]
) -> None:
    telemetry = {"otlp_endpoint": collector.endpoint, "sample_ratio": 1, "log_level": "info"}
    async with start_router(telemetry=telemetry) as router:
        await router.ask("{ products { name } }", traceparent=f"00-{TRACE}-{CLIENT_SPAN}-01")
    lines = [orjson.loads(line) for line in capsys.readouterr().out.splitlines() if '"event":"request"' in line]
    assert [line["trace_id"] for line in lines] == [TRACE]


async def test_a_failed_fetch_is_an_error_in_its_span(start_router: StartRouter, collector: TraceCollector) -> None:
    telemetry = {"otlp_endpoint": collector.endpoint, "sample_ratio": 1, "log_level": "error"}
    shaping = {"subgraphs": {"catalog": {"timeout_seconds": 0.1}}}
    async with start_router(telemetry=telemetry, traffic_shaping=shaping) as router:
        await router.ask("{ slow(seconds: 1) }")
    (fetch,) = collector.named("fetch catalog")
    assert (fetch.status.message, fetch.status.code) == ("SUBGRAPH_TIMEOUT", fetch.status.STATUS_CODE_ERROR)


async def test_a_collector_that_is_away_disturbs_nobody(start_router: StartRouter) -> None:
    telemetry = {"otlp_endpoint": "http://127.0.0.1:1", "sample_ratio": 1, "log_level": "error"}
    async with start_router(telemetry=telemetry) as router:
        for _ in range(3):
            assert "errors" not in await router.ask("{ products { name } }")


async def test_a_collector_that_is_away_keeps_no_router_from_its_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("router.last_spans.CLOSE_SECONDS", 0.2)
    tracing = Tracing(Telemetry(otlp_endpoint="http://127.0.0.1:1", sample_ratio=1))
    with tracing.operation([]):
        pass
    with capture_logs() as lines:
        await asyncio.to_thread(tracing.close)  # the exporter alone would try for five seconds and more
    assert [line["event"] for line in lines] == ["last_spans_not_sent"]
