"""Spans of an event's way: published by `relay`, told to subscribers by `fanout`. Those of handlers are in `lineage`.

They continue the trace that the event, or the running span, belongs to; where there is none, or nobody keeps traces, they
are nothing and cost next to nothing.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime

from opentelemetry import propagate, trace
from opentelemetry.trace import INVALID_SPAN, Span, SpanKind

from events.envelope import Envelope

_tracer = trace.get_tracer("fittracker.events")


def start_publishing(envelope: Envelope, topic: str) -> Span:
    """A span that its owner ends when the broker has acknowledged the event."""
    if envelope.traceparent is None:
        return INVALID_SPAN
    attributes: dict[str, str | float] = {
        "messaging.system": "kafka",
        "messaging.destination.name": topic,
        "messaging.message.id": envelope.event_id,
        "event.type": envelope.type,
        "event.seconds_in_outbox": (datetime.now(UTC) - envelope.recorded_at).total_seconds(),
        "correlation_id": envelope.correlation_id or "",
    }
    parent = propagate.extract({"traceparent": envelope.traceparent})
    return _tracer.start_span(f"publish {topic}", parent, SpanKind.PRODUCER, attributes)


@contextmanager
def telling(changes: int) -> Iterator[str | None]:
    """A span over telling subscribers of so many changes; the traceparent to tell them, None where nobody keeps it."""
    if not trace.get_current_span().get_span_context().trace_flags.sampled:
        yield None
        return
    with _tracer.start_as_current_span(
        "fan-out", kind=SpanKind.PRODUCER, attributes={"changes": changes}, record_exception=False
    ) as span:
        yield traceparent_of(span)


def note_delivery(kind: str, traceparent: str, subscribers: int) -> None:
    """A span for the moment at which this process's subscribers of a channel of that kind hear of a change."""
    attributes: dict[str, str | int] = {"channel": kind, "subscribers": subscribers}
    _tracer.start_span("deliver", propagate.extract({"traceparent": traceparent}), SpanKind.CONSUMER, attributes).end()


def traceparent_of(span: Span) -> str | None:
    """The W3C header that continues this span; None of a span that is none."""
    carrier: dict[str, str] = {}
    propagate.inject(carrier, trace.set_span_in_context(span))
    return carrier.get("traceparent")
