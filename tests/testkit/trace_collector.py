"""An OTLP/HTTP receiver for the tests, with the questions that the operations guide asks of Jaeger."""

from __future__ import annotations

import gzip
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import Span


@dataclass(frozen=True, slots=True)
class SeenSpan:
    """One span as its service sent it; ids in hexadecimal, `parent` empty for the first of a trace."""

    service: str
    name: str
    trace: str
    id: str
    parent: str
    links: tuple[str, ...]  # traces
    seconds: float
    attributes: dict[str, object] = field(compare=False)


class TraceCollector:
    """Receives in threads of its own, as exporters send from one."""

    def __init__(self) -> None:
        self.spans: list[Span] = []
        self.seen: list[SeenSpan] = []
        collector = self

        class Receiver(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["content-length"]))
                collector.take(gzip.decompress(body) if self.headers["content-encoding"] == "gzip" else body)
                self.send_response(200)
                self.send_header("content-length", "0")
                self.end_headers()

            def log_message(self, *_: object) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Receiver)
        self.endpoint = f"http://127.0.0.1:{self.server.server_port}"

    def take(self, body: bytes) -> None:
        for resource in ExportTraceServiceRequest.FromString(body).resource_spans:
            service = next(
                (each.value.string_value for each in resource.resource.attributes if each.key == "service.name"), ""
            )
            for scope in resource.scope_spans:
                self.spans += scope.spans
                self.seen += [_seen(service, span) for span in scope.spans]

    @property
    def services(self) -> set[str]:
        return {each.service for each in self.seen}

    def named(self, name: str) -> list[Span]:
        return [span for span in self.spans if span.name == name]

    def slow_requests(self, service: str, min_seconds: float, limit: int = 100) -> list[SeenSpan]:
        """The guide's first query: a service, a least duration, how many at most; the slowest first."""
        found = [each for each in self.seen if each.service == service and each.seconds >= min_seconds]
        return sorted(found, key=lambda each: -each.seconds)[:limit]

    def requests_of(self, service: str, operation: str) -> list[list[SeenSpan]]:
        """The guide's second query: whole traces, by the service where they begin and the operation's name."""
        traces = [
            each.trace
            for each in self.seen
            if each.service == service and each.attributes.get("graphql.operation.name") == operation
        ]
        return [self.trace(each) for each in dict.fromkeys(traces)]

    def bottleneck(self, trace: str) -> SeenSpan:
        """The guide's third query: the span of a trace that took longest by itself, without those below it."""
        spans = self.trace(trace)
        below = dict.fromkeys((each.id for each in spans), 0.0)
        for each in spans:
            if each.parent in below:
                below[each.parent] += each.seconds
        return max(spans, key=lambda each: each.seconds - below[each.id])

    def trace(self, trace: str) -> list[SeenSpan]:
        return [each for each in self.seen if each.trace == trace]


@contextmanager
def collecting_traces() -> Iterator[TraceCollector]:
    collector = TraceCollector()
    thread = threading.Thread(target=collector.server.serve_forever)
    thread.start()
    try:
        yield collector
    finally:
        collector.server.shutdown()
        thread.join()
        collector.server.server_close()


def attributes_of(span: Span) -> dict[str, object]:
    return {each.key: each.value.string_value or each.value.int_value for each in span.attributes}


def _seen(service: str, span: Span) -> SeenSpan:
    return SeenSpan(
        service,
        span.name,
        trace=span.trace_id.hex(),
        id=span.span_id.hex(),
        parent=span.parent_span_id.hex(),
        links=tuple(link.trace_id.hex() for link in span.links),
        seconds=(span.end_time_unix_nano - span.start_time_unix_nano) / 1e9,
        attributes=attributes_of(span),
    )
