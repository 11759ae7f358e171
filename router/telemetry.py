"""Logs, traces and metrics: set up once by `server.app`; every metric of the router stands here, with its
meaning here or in `process_metrics`.

Modules take `structlog.get_logger` and the metrics below; the OpenTelemetry SDK is configured nowhere else in the router.
"""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import orjson
from opentelemetry import propagate, trace
from opentelemetry.context import Context
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

from router.last_spans import send_last_spans
from router.log_lines import LogForm, add_trace_ids, configure
from router.process_metrics import add_process_metrics
from router.request_metrics import DurationHistogram, LabelledCounts, Level
from router.settings import Settings, Telemetry

if TYPE_CHECKING:
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter

TRACE_HEADERS = ("traceparent", "tracestate", "baggage")
LATENCY_BUCKETS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)

disable_created_metrics()  # type: ignore[no-untyped-call]
REGISTRY = CollectorRegistry()
ProcessCollector(registry=REGISTRY)
PlatformCollector(registry=REGISTRY)
GCCollector(registry=REGISTRY)
EVENT_LOOP_LAG = add_process_metrics(REGISTRY)

HTTP_REQUESTS = DurationHistogram(
    "http_server_requests_seconds",
    "Time from the last byte of a request to the last byte of its answer; streams count until they end.",
    ["method", "uri", "status", "outcome", "service"],
    buckets=LATENCY_BUCKETS,
    registry=REGISTRY,
)
REQUESTS_IN_FLIGHT = Level(
    "router_requests_in_flight", "HTTP requests being answered, streams included.", registry=REGISTRY
)
OPERATIONS = LabelledCounts(
    "router_operations_total",
    "Operations by kind and outcome: ok, refused (the client's mistake), partly_failed (data, and errors that are not the"
    " client's) or failed (no data).",
    ["type", "outcome"],
    registry=REGISTRY,
)
OPERATION_ERRORS = Counter(
    "router_operation_errors_total",
    "Operations that told of an error, once for each code.",
    ["code"],
    registry=REGISTRY,
)
UPLOAD_BYTES = Gauge(
    "router_upload_bytes", "What files of requests under way take, in memory and on disk.", ["place"], registry=REGISTRY
)
RESPONSES_TOO_LARGE = Counter(
    "router_responses_too_large_total",
    "Responses, events of subscriptions and pieces of @defer and @stream that were not sent, for they, or the"
    " responses to a batch, are larger than limits.response_bytes.",
    ["type"],
    registry=REGISTRY,
)
NAMED_OPERATIONS = LabelledCounts(
    "router_named_operations_total",
    "Operations by the name that their client gave them and outcome; beyond 200 names, and without one: 'other'.",
    ["operation", "outcome"],
    registry=REGISTRY,
)
OPERATION_COST = Histogram(
    "router_operation_cost",
    "Estimated cost of operations, where demand control is on.",
    ["result"],
    buckets=(0, 1, 10, 50, 100, 500, 1_000, 5_000, 10_000, 100_000),
    registry=REGISTRY,
)
SUBGRAPH_REQUESTS = DurationHistogram(
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
CERTIFICATE_EXPIRES = Gauge(
    "router_certificate_expires_timestamp_seconds",
    "When the certificate that is served ends, in seconds since the epoch.",
    ["file"],
    registry=REGISTRY,
)
SUBGRAPH_INSTANCES = Gauge(
    "router_subgraph_instances",
    "Instances of a subgraph by what is known of them: UP, UNKNOWN, DOWN, EJECTED or OUT_OF_SERVICE.",
    ["subgraph", "status"],
    registry=REGISTRY,
)
SUBGRAPH_EJECTIONS = Counter(
    "router_subgraph_ejections_total",
    "Times that an instance failed so often that it was left alone for a while.",
    ["subgraph"],
    registry=REGISTRY,
)
SUBGRAPH_HEDGES = Counter(
    "router_subgraph_hedges_total", "Queries that were sent to a second instance too.", ["subgraph"], registry=REGISTRY
)
SUBSCRIPTIONS = Gauge(
    "router_subscriptions_active", "Operations held open for a client, by protocol.", ["protocol"], registry=REGISTRY
)
WARMED_OPERATIONS = Counter(
    "router_warmed_operations_total",
    "Operations that were planned before a graph served, or that it refused.",
    ["result"],
    registry=REGISTRY,
)
SETTINGS_LOADS = Counter(
    "router_settings_loads_total", "Changed settings that were loaded, or refused.", ["result"], registry=REGISTRY
)
USAGE_RECORDS = Counter(
    "router_usage_records_total",
    "Lines about recorded operations: written, lost (nobody took them), or dropped (too many different operations).",
    ["result"],
    registry=REGISTRY,
)
COPROCESSOR_CALLS = Counter(
    "router_coprocessor_calls_total",
    "Calls of the coprocessor by stage and result: ok, refused (its verdict) or failed (none came).",
    ["stage", "result"],
    registry=REGISTRY,
)
SUBSCRIPTION_CALLBACKS = Counter(
    "router_subscription_callbacks_total",
    "What subgraphs told of subscriptions by HTTP callback, by what was made of it: check, next, complete, unknown (no open"
    " subscription of that id), forbidden (a wrong verifier), malformed, too_large or unreachable (another worker's).",
    ["result"],
    registry=REGISTRY,
)
BROKER_EVENTS = Counter(
    "router_broker_events_total",
    "Records of topics by what became of them: delivered to a subscriber, dropped for one that is too slow, or malformed;"
    " and how many subscribers were told that records were lost.",
    ["topic", "result"],
    registry=REGISTRY,
)
SUBSCRIPTION_EVENTS = Counter(
    "router_subscription_events_total", "Events of subgraphs that were completed for a subscriber.", registry=REGISTRY
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
ENTITY_CACHE_GETS = Counter(
    "entity_cache_gets_total",
    "Look-ups of kept entities by subgraph and type (Query for root fields): hit, hit_missing (an entity that its subgraph"
    " does not know), miss, coalesced (a miss that waited for another's) or bypass (Redis did not answer).",
    ["subgraph", "type", "result"],
    registry=REGISTRY,
)
ENTITY_CACHE_CHANGES = Counter(
    "entity_cache_changes_total",
    "Changes told to the entity cache by source: kafka, redis or http; and by result: marked, unknown (nothing of the"
    " graph) or malformed.",
    ["source", "result"],
    registry=REGISTRY,
)
SHARED_PLANS = Counter(
    "router_shared_plans_total",
    "Plans looked for in Redis: hit, miss; stored there; failed, where Redis did not answer or had no plan.",
    ["outcome"],
    registry=REGISTRY,
)
LOOP_RESTARTS = Counter(
    "router_background_loop_restarts_total",
    "Times a background loop of the router failed and began anew.",
    ["loop"],
    registry=REGISTRY,
)
LOOPS_DOWN = Gauge(
    "router_background_loop_down", "1 where a background loop has failed lately, else 0.", ["loop"], registry=REGISTRY
)
CACHE_SIZE = Gauge("cache_size", "Entries of a cache in this process.", ["cache"], registry=REGISTRY)
RATE_LIMITED = Counter("router_rate_limited_total", "Operations refused with RATE_LIMITED.", registry=REGISTRY)
TOKENS_REFUSED = Counter(
    "router_tokens_refused_total", "Bearer tokens that were not accepted.", ["reason"], registry=REGISTRY
)
GRAPH_LOADS = Counter(
    "router_graph_loads_total", "Times the supergraph was read: loaded or refused.", ["outcome"], registry=REGISTRY
)
# From 0: an increase can only be seen of a counter that was there before.
for _outcome in ("loaded", "refused"):
    GRAPH_LOADS.labels(_outcome)
GRAPH_GENERATION = Gauge(
    "router_graph_generation",
    "How many supergraphs this process has served, the current one included.",
    registry=REGISTRY,
)


def metrics_text() -> bytes:
    return generate_latest(REGISTRY)


def configure_logging(settings: Telemetry, *, for_people: bool = False) -> None:
    """JSON lines on stdout for machines, or lines for people: in colours on a terminal, and where somebody asks for them
    who shows the lines on one.
    """
    colors = bool(os.environ.get("FORCE_COLOR")) or (sys.stdout.isatty() and not os.environ.get("NO_COLOR"))
    configure(LogForm(settings.log_level, for_people=for_people, colors=colors))


class RequestLog:
    """One line for each request, JSON for machines or a readable one, written some at a time.

    The general logger costs a third of what answering a small query costs, half of it the system call for each line.
    """

    FLUSH_SECONDS = 0.2
    FLUSH_BYTES = 64 * 1024
    LINE_BYTES = 2 * 1024  # hardly one is longer

    def __init__(self, settings: Settings) -> None:
        telemetry = settings.telemetry
        self.is_on = telemetry.log_requests and telemetry.log_level in ("debug", "info")
        self.is_for_people = settings.logs_for_people
        self._is_traced = bool(telemetry.otlp_endpoint)
        self._lines: list[bytes] = []
        self._size = 0
        self._timer: asyncio.TimerHandle | None = None

    def write(self, **facts: Any) -> None:
        """For machines."""
        facts |= {"event": "request", "level": "info", "logger": __name__, "timestamp": datetime.now(UTC)}
        if self._is_traced:
            add_trace_ids(None, "", facts)
        try:
            bytes(self.LINE_BYTES)  # orjson ends the process where it finds no memory to write to
        except MemoryError:
            return
        self._append(orjson.dumps(facts, default=repr, option=orjson.OPT_APPEND_NEWLINE | orjson.OPT_UTC_Z))

    def write_line(self, text: str) -> None:
        """For people."""
        self._append(f"{text}\n".encode())

    def _append(self, line: bytes) -> None:
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
        self._exporter: OTLPSpanExporter | None = None
        self._tracer = trace.NoOpTracer()
        if self.is_on:
            self._provider = TracerProvider(
                resource=Resource.create({"service.name": settings.service_name}),
                sampler=ParentBased(TraceIdRatioBased(settings.sample_ratio)),
            )
            from opentelemetry.exporter.otlp.proto.http import Compression
            from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter

            endpoint = settings.otlp_endpoint.rstrip("/")
            self._exporter = OTLPSpanExporter(
                endpoint if endpoint.endswith("/v1/traces") else f"{endpoint}/v1/traces", compression=Compression.Gzip
            )
            self._provider.add_span_processor(BatchSpanProcessor(self._exporter))
            self._tracer = self._provider.get_tracer("router")  # type: ignore[assignment]

    def close(self) -> None:
        """Sends what has gathered, in a bounded time. Blocks: call it in a thread."""
        if self._provider is not None and self._exporter is not None:
            send_last_spans(self._provider.shutdown, self._exporter)

    @contextmanager
    def operation(self, headers: Iterable[tuple[bytes, bytes]], request_id: str = "") -> Iterator[trace.Span]:
        """The span of one client operation, a child of the client's where it sent a `traceparent`."""
        if not self.is_on:
            yield trace.INVALID_SPAN
            return
        parent: Context = propagate.extract(carried_headers(headers))
        with self._tracer.start_as_current_span("graphql.operation", parent, trace.SpanKind.SERVER) as span:
            span.set_attribute("correlation_id", request_id)
            yield span

    def start_fetch(self, subgraph: str) -> trace.Span | None:
        """A span that its owner ends, under that of the operation; None for what belongs to none, such as a probe."""
        if not trace.get_current_span().get_span_context().is_valid:
            return None
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
