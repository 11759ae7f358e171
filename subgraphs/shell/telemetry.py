"""Logs, traces and metrics of a subgraph process: configured here once, used everywhere through their own APIs.

Spans are thin on purpose: one an operation and one a loader batch, none a field.
"""

import asyncio
import sys
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, nullcontext
from functools import cache, lru_cache, partial
from typing import Any

import structlog
from opentelemetry import propagate, trace
from prometheus_client import REGISTRY, Gauge, disable_created_metrics

from router import log_lines
from router.last_spans import send_last_spans
from router.request_metrics import DurationHistogram, Durations
from subgraphs.shell.database import Database
from subgraphs.shell.settings import Settings

disable_created_metrics()  # type: ignore[no-untyped-call]

HTTP_REQUESTS = DurationHistogram(
    "http_server_requests_seconds",
    "HTTP requests by method, path, status and outcome",
    ["service", "method", "uri", "status", "outcome"],
    buckets=(0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10),
    registry=REGISTRY,
)
LOADER_BATCH_KEYS = DurationHistogram(  # of keys in place of seconds
    "loader_batch_keys",
    "Keys that one loader batch answered",
    ["loader"],
    buckets=(1, 2, 5, 10, 20, 50, 100, 200, 500),
    registry=REGISTRY,
)
_POOL_SIZE = Gauge("hikaricp_connections", "Database connections that are open", ["pool"])
_POOL_ACTIVE = Gauge("hikaricp_connections_active", "Database connections in use", ["pool"])
_POOL_IDLE = Gauge("hikaricp_connections_idle", "Database connections waiting for use", ["pool"])
_POOL_PENDING = Gauge("hikaricp_connections_pending", "Statements that wait for a database connection", ["pool"])
_POOL_MAX = Gauge("hikaricp_connections_max", "Most database connections this process may open", ["pool"])

_tracer = trace.get_tracer("fittracker.subgraphs")
_traced = False
_NOTHING = nullcontext()
_send_last_spans: Callable[[], None] | None = None


def configure(settings: Settings) -> None:
    """Set up the process's logs, and its traces if OTEL_EXPORTER_OTLP_ENDPOINT names where they go."""
    configure_logs(settings)
    # mounted beside other subgraphs, the first one's provider is everybody's
    if settings.otlp_endpoint and not _traced:
        _configure_traces(settings)


async def flush_traces() -> None:
    """Send the spans that have gathered, in a bounded time: what serves does so last, for the signal that ends it runs no exit handler."""
    if _send_last_spans is not None:
        await asyncio.to_thread(_send_last_spans)


def configure_logs(settings: Settings) -> None:
    """JSON where FITTRACKER_ENV is prod, else lines for people. Mounted in another process, that one's logs are ours."""
    if log_lines.is_configured():
        return
    for_people = settings.environment != "prod"
    form = log_lines.LogForm(settings.log_level, for_people=for_people, colors=sys.stdout.isatty())
    log_lines.configure(form, caches_loggers=False)
    structlog.contextvars.bind_contextvars(subgraph=settings.subgraph)


@lru_cache(maxsize=256)
def requests_like_it(service: str, method: str, uri: str, status: str, outcome: str) -> Durations:
    """The child of HTTP_REQUESTS with these labels; to look it up by itself costs as much as to observe."""
    return HTTP_REQUESTS.labels(service, method, uri, status, outcome)


@cache
def _batches_of(loader: str) -> Durations:
    return LOADER_BATCH_KEYS.labels(loader)


def operation_span(name: str, headers: Mapping[str, str]) -> AbstractContextManager[Any]:
    """A span over one operation, the child of whatever the caller's headers name; nothing where nobody listens."""
    if not _traced:
        return _NOTHING
    return _tracer.start_as_current_span(
        name, context=propagate.extract(headers), kind=trace.SpanKind.SERVER, record_exception=False
    )


def batch_span(loader: str, keys: int) -> AbstractContextManager[Any]:
    """A span over one loader batch."""
    _batches_of(loader).observe(keys)
    if not _traced:
        return _NOTHING
    return _tracer.start_as_current_span(f"load {loader}", attributes={"keys": keys}, record_exception=False)


def untraced() -> AbstractContextManager[Any]:
    """No spans of the database within: for probes, which come every few seconds and belong to nobody's trace."""
    if not _traced:
        return _NOTHING
    from opentelemetry.instrumentation.utils import suppress_instrumentation

    return suppress_instrumentation()


def current_traceparent() -> str | None:
    """The W3C header of the running span, for events to carry."""
    if not _traced:
        return None
    carrier: dict[str, str] = {}
    propagate.inject(carrier)
    return carrier.get("traceparent")


def measure_pools(database: Database) -> None:
    """Bring the pool gauges up to date; called before each scrape."""
    for name, engine in database.engines():
        pool: Any = engine.pool
        _POOL_SIZE.labels(name).set(pool.checkedout() + pool.checkedin())
        _POOL_ACTIVE.labels(name).set(pool.checkedout())
        _POOL_IDLE.labels(name).set(pool.checkedin())
        _POOL_MAX.labels(name).set(pool.size() + pool._max_overflow)  # noqa: SLF001 - nothing public tells it
    for name, loaders in database.read_pools():
        _POOL_SIZE.labels(name).set(loaders.busy + loaders.idle)
        _POOL_ACTIVE.labels(name).set(loaders.busy)
        _POOL_IDLE.labels(name).set(loaders.idle)
        _POOL_MAX.labels(name).set(loaders.size)
        _POOL_PENDING.labels(name).set(loaders.waiting)


def _configure_traces(settings: Settings) -> None:
    global _traced, _send_last_spans  # noqa: PLW0603 - the SDK is process-wide too
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
    from opentelemetry.instrumentation.asyncpg import AsyncPGInstrumentor
    from opentelemetry.sdk.resources import Resource
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import BatchSpanProcessor

    from subgraphs.shell.trace_sampling import kept_traces

    endpoint = f"{(settings.otlp_endpoint or '').rstrip('/')}/v1/traces"
    provider = TracerProvider(
        resource=Resource.create({"service.name": settings.subgraph}),
        sampler=kept_traces(settings.trace_sample_ratio, keeps_background=settings.trace_background),
    )
    exporter = OTLPSpanExporter(endpoint)
    provider.add_span_processor(BatchSpanProcessor(exporter))
    trace.set_tracer_provider(provider)
    AsyncPGInstrumentor().instrument()  # type: ignore[no-untyped-call]
    # A flush and no shutdown: of several that are mounted in one process, those that end later have spans yet.
    _send_last_spans = partial(send_last_spans, provider.force_flush, exporter)
    _traced = True
