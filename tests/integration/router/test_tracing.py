"""Spans of the router at a collector, and the trace that goes on in the subgraphs."""

from __future__ import annotations

import gzip
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import Span

from tests.testkit.running_router import StartRouter

TRACE, CLIENT_SPAN = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"


class Collector:
    """An OTLP/HTTP receiver in a thread of its own, as the exporter is in one."""

    def __init__(self) -> None:
        self.spans: list[Span] = []
        self.services: set[str] = set()
        collector = self

        class Receiver(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = gzip.decompress(self.rfile.read(int(self.headers["content-length"])))
                for resource in ExportTraceServiceRequest.FromString(body).resource_spans:
                    collector.services |= {
                        each.value.string_value for each in resource.resource.attributes if each.key == "service.name"
                    }
                    collector.spans += [span for scope in resource.scope_spans for span in scope.spans]
                self.send_response(200)
                self.send_header("content-length", "0")
                self.end_headers()

            def log_message(self, *_: object) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Receiver)
        self.endpoint = f"http://127.0.0.1:{self.server.server_port}"

    def named(self, name: str) -> list[Span]:
        return [span for span in self.spans if span.name == name]


@pytest.fixture
def collector() -> Iterator[Collector]:
    made = Collector()
    thread = threading.Thread(target=made.server.serve_forever)
    thread.start()
    yield made
    made.server.shutdown()
    thread.join()
    made.server.server_close()


def attributes(span: Span) -> dict[str, object]:
    return {each.key: each.value.string_value or each.value.int_value for each in span.attributes}


async def test_spans_of_an_operation_and_its_fetches_reach_a_collector(
    start_router: StartRouter, collector: Collector
) -> None:
    telemetry = {"otlp_endpoint": collector.endpoint, "sample_ratio": 0, "service_name": "edge", "log_level": "error"}
    async with start_router(telemetry=telemetry) as router:
        await router.ask("{ products { name } }")  # not sampled: a ratio of nothing
        sampled = {"traceparent": f"00-{TRACE}-{CLIENT_SPAN}-01", "tracestate": "vendor=x"}
        answer = await router.ask("query Both { products { inStock } headers }", **sampled)
    (operation,) = collector.named("graphql.operation")
    assert (operation.trace_id.hex(), operation.parent_span_id.hex()) == (TRACE, CLIENT_SPAN)
    assert attributes(operation) == {"graphql.operation.name": "Both", "http.response.status_code": 200}
    assert collector.services == {"edge"}

    fetches = [*collector.named("fetch catalog"), *collector.named("fetch stock"), *collector.named("fetch accounts")]
    assert len(fetches) == len(collector.spans) - 1 == 3
    assert {fetch.parent_span_id for fetch in fetches} == {operation.span_id}
    received = [line for line in answer["data"]["headers"] if line.startswith("trace")]
    span_of_fetch = fetches[2].span_id.hex()
    assert sorted(received) == [f"traceparent: 00-{TRACE}-{span_of_fetch}-01", "tracestate: vendor=x"]


async def test_a_failed_fetch_is_an_error_in_its_span(start_router: StartRouter, collector: Collector) -> None:
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
