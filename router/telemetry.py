"""Logs, traces and metrics: set up once by `server.app`; every metric of the router is declared here with its meaning.

Modules take `structlog.get_logger` and the metrics below; the OpenTelemetry SDK is configured nowhere else in the router.
"""

from __future__ import annotations

import asyncio
import logging
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

import orjson
import structlog
from opentelemetry import propagate, trace
from opentelemetry.context import Context
from opentelemetry.exporter.otlp.proto.http import Compression
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.sdk.trace.sampling import ParentBased, TraceIdRatioBased
from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    GCCollector,
    Histogram,
    PlatformCollector,
    ProcessCollector,
    disable_created_metrics,
    generate_latest,
)
from structlog.tracebacks import ExceptionDictTransformer

from router.settings import Telemetry

TRACE_HEADERS = ("traceparent", "tracestate", "baggage")
LATENCY_BUCKETS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)

disable_created_metrics()  # type: ignore[no-untyped-call]
REGISTRY = CollectorRegistry()
ProcessCollector(registry=REGISTRY)
PlatformCollector(registry=REGISTRY)
GCCollector(registry=REGISTRY)

HTTP_REQUESTS = Histogram(
    "http_server_requests_seconds",
    "Time from the last byte of a request to the last byte of its answer; streams count until they end.",
    ["method", "uri", "status", "outcome", "service"],
    buckets=LATENCY_BUCKETS,
    registry=REGISTRY,
)
REQUESTS_IN_FLIGHT = Gauge(
    "router_requests_in_flight", "HTTP requests being answered, streams included.", registry=REGISTRY
)
OPERATIONS = Counter(
    "router_operations_total",
    "Operations by kind and outcome: ok, errors (data with errors) or refused (no data).",
    ["type", "outcome"],
    registry=REGISTRY,
)
OPERATION_COST = Histogram(
    "router_operation_cost",
    "Estimated cost of operations, where demand control is on.",
    ["result"],
    buckets=(0, 1, 10, 50, 100, 500, 1_000, 5_000, 10_000, 100_000),
    registry=REGISTRY,
)
SUBGRAPH_REQUESTS = Histogram(
    "router_subgraph_request_duration_seconds",
    "Time of one request to a subgraph, from being handed to the pool to the last byte of the answer.",
    ["subgraph", "outcome"],
    buckets=LATENCY_BUCKETS,
    registry=REGISTRY,
)
SUBGRAPH_RETRIES = Counter(
    "router_subgraph_retries_total", "Queries sent to a subgraph again.", ["subgraph"], registry=REGISTRY
)
SUBGRAPH_CIRCUIT = Gauge(
    "router_subgraph_circuit_state",
    "The circuit breaker of a subgraph: 0 closed, 1 half open, 2 open.",
    ["subgraph"],
    registry=REGISTRY,
)
SUBGRAPH_NOT_ASKED = Counter(
    "router_subgraph_not_asked_total",
    "Requests that an open circuit breaker answered itself.",
    ["subgraph"],
    registry=REGISTRY,
)
SUBSCRIPTIONS = Gauge(
    "router_subscriptions_active", "Operations held open for a client, by protocol.", ["protocol"], registry=REGISTRY
)
CONNECTIONS = Gauge(
    "router_websocket_connections", "WebSocket connections of clients, authenticated or not.", registry=REGISTRY
)
CACHE_GETS = Counter(
    "cache_gets_total",
    "Look-ups in a cache by result: hit, miss, coalesced (a miss that waited for another's computation) or bypass.",
    ["cache", "result"],
    registry=REGISTRY,
)
CACHE_SIZE = Gauge("cache_size", "Entries of a cache in this process.", ["cache"], registry=REGISTRY)
RATE_LIMITED = Counter("router_rate_limited_total", "Operations refused with RATE_LIMITED.", registry=REGISTRY)
TOKENS_REFUSED = Counter(
    "router_tokens_refused_total", "Bearer tokens that were not accepted.", ["reason"], registry=REGISTRY
)
GRAPH_LOADS = Counter(
    "router_graph_loads_total", "Times the supergraph was read: loaded or refused.", ["outcome"], registry=REGISTRY
)
GRAPH_GENERATION = Gauge(
    "router_graph_generation",
    "How many supergraphs this process has served, the current one included.",
    registry=REGISTRY,
)


log = structlog.get_logger(__name__)


def metrics_text() -> bytes:
    return generate_latest(REGISTRY)


def configure_logging(settings: Telemetry) -> None:
    """JSON lines on stdout for machines, or coloured lines for people."""
    renderer: list[Any] = (
        [
            # without the values of local variables, which may be tokens, and which take long to print
            structlog.processors.ExceptionRenderer(ExceptionDictTransformer(show_locals=False)),
            structlog.processors.JSONRenderer(serializer=_json_line),
        ]
        if settings.log_format == "json"
        else [structlog.dev.ConsoleRenderer(exception_formatter=structlog.dev.plain_traceback)]
    )
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            _add_trace_ids,
            *renderer,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(getattr(logging, settings.log_level.upper())),
        logger_factory=structlog.WriteLoggerFactory(file=sys.stdout),
        cache_logger_on_first_use=True,
    )


def _json_line(event: Any, **_: Any) -> str:
    return orjson.dumps(event, default=repr).decode()


def _add_trace_ids(_: Any, __: str, event: Any) -> Any:
    context = trace.get_current_span().get_span_context()
    if context.is_valid:
        event["trace_id"] = format(context.trace_id, "032x")
        event["span_id"] = format(context.span_id, "016x")
    return event


class RequestLog:
    """One JSON line for each request, written some at a time.

    The general logger costs a third of what answering a small query costs, half of it the system call for each line.
    """

    FLUSH_SECONDS = 0.2
    FLUSH_BYTES = 64 * 1024

    def __init__(self, settings: Telemetry) -> None:
        self.is_on = settings.log_requests and settings.log_level in ("debug", "info")
        self._is_json = settings.log_format == "json"
        self._is_traced = bool(settings.otlp_endpoint)
        self._lines: list[bytes] = []
        self._size = 0
        self._timer: asyncio.TimerHandle | None = None

    def write(self, **facts: Any) -> None:
        if not self._is_json:
            log.info("request", **facts)
            return
        facts |= {"event": "request", "level": "info", "timestamp": datetime.now(UTC)}
        if self._is_traced:
            _add_trace_ids(None, "", facts)
        line = orjson.dumps(facts, default=repr, option=orjson.OPT_APPEND_NEWLINE | orjson.OPT_UTC_Z)
        self._lines.append(line)
        self._size += len(line)
        if self._size >= self.FLUSH_BYTES:
            self.flush()
        elif self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(self.FLUSH_SECONDS, self.flush)

    def flush(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        lines, self._lines, self._size = self._lines, [], 0
        if lines:
            sys.stdout.write(b"".join(lines).decode())
            sys.stdout.flush()


class Tracing:
    """Spans of operations and fetches. Switched off it costs nothing; trace headers then pass as `forward_headers` say."""

    def __init__(self, settings: Telemetry) -> None:
        self.is_on = bool(settings.otlp_endpoint)
        self._provider: TracerProvider | None = None
        self._tracer = trace.NoOpTracer()
        if self.is_on:
            self._provider = TracerProvider(
                resource=Resource.create({"service.name": settings.service_name}),
                sampler=ParentBased(TraceIdRatioBased(settings.sample_ratio)),
            )
            endpoint = settings.otlp_endpoint.rstrip("/")
            exporter = OTLPSpanExporter(
                endpoint if endpoint.endswith("/v1/traces") else f"{endpoint}/v1/traces", compression=Compression.Gzip
            )
            self._provider.add_span_processor(BatchSpanProcessor(exporter))
            self._tracer = self._provider.get_tracer("router")  # type: ignore[assignment]

    def close(self) -> None:
        if self._provider is not None:
            self._provider.shutdown()

    @contextmanager
    def operation(self, headers: Iterable[tuple[bytes, bytes]]) -> Iterator[trace.Span]:
        """The span of one client operation, a child of the client's where it sent a `traceparent`."""
        if not self.is_on:
            yield trace.INVALID_SPAN
            return
        parent: Context = propagate.extract(carried_headers(headers))
        with self._tracer.start_as_current_span("graphql.operation", parent, trace.SpanKind.SERVER) as span:
            yield span

    def start_fetch(self, subgraph: str) -> trace.Span:
        """A span that its owner ends; the current one is its parent."""
        return self._tracer.start_span(
            f"fetch {subgraph}", kind=trace.SpanKind.CLIENT, attributes={"graphql.subgraph": subgraph}
        )

    def outgoing_headers(self, span: trace.Span) -> dict[str, str]:
        """What a subgraph needs to continue the trace; it replaces what the client sent."""
        headers: dict[str, str] = {}
        propagate.inject(headers, trace.set_span_in_context(span))
        return headers


def carried_headers(headers: Iterable[tuple[bytes, bytes]]) -> dict[str, str]:
    return {
        name.decode("latin-1"): value.decode("latin-1")
        for name, value in headers
        if name in (b"traceparent", b"tracestate", b"baggage")
    }
