"""Where an event comes from: the request that made it, or the event that it was derived from. Asked by `outbox`.

The correlation id is one from the client's request to the last event derived from it; the causation id names the event
that this one was made of; the traceparent continues the trace of both. Set by a subgraph for each request, by `consumer`
around its handler.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any

import structlog
from opentelemetry import propagate, trace
from opentelemetry.context import Context

from events.envelope import Envelope

_tracer = trace.get_tracer("fittracker.events")
MOST_LINKS = 64


@dataclass(frozen=True, slots=True)
class Lineage:
    correlation_id: str | None = None
    causation_id: str | None = None
    traceparent: str | None = None


_NONE = Lineage()
_of_request: ContextVar[Lineage] = ContextVar("lineage_of_request", default=_NONE)
# A batch handles events of many people; what is derived is somebody's, and so is what it was derived from.
_of_person: ContextVar[Mapping[str, Lineage]] = ContextVar("lineage_of_person", default={})  # noqa: B039 - never written to


def begin_request(correlation_id: str) -> None:
    """What this task writes from now on belongs to this request."""
    _of_request.set(Lineage(correlation_id))


def lineage_of(user_id: str) -> Lineage:
    """Of an event about this person that is written now."""
    return _of_person.get().get(user_id) or _of_request.get()


@contextmanager
def following(group: str, envelopes: Sequence[Envelope]) -> Iterator[Context]:
    """What is written in the block follows from these events; a span over it continues their traces. Gives the context in
    which what comes after the block, such as telling of it, belongs to that span too.
    """
    token = _of_person.set(
        {
            each.user_id: Lineage(each.correlation_id or each.event_id, each.event_id, each.traceparent)
            for each in envelopes
        }
    )
    try:
        with _span(group, envelopes) as span, _named_in_logs(envelopes):
            yield trace.set_span_in_context(span)
    finally:
        _of_person.reset(token)


def _named_in_logs(envelopes: Sequence[Envelope]) -> AbstractContextManager[Any]:
    """Log lines about a single event have its correlation id; of several none could be named."""
    if len(envelopes) != 1:
        return nullcontext()
    return structlog.contextvars.bound_contextvars(correlation_id=envelopes[0].correlation_id)


@contextmanager
def _span(group: str, envelopes: Sequence[Envelope]) -> Iterator[trace.Span]:
    """The child of a single event's trace. Of several: a trace of its own that is linked to theirs, and a span in each of
    theirs that is linked back.
    """
    traces = list({each.traceparent: None for each in envelopes if each.traceparent})
    contexts = [propagate.extract({"traceparent": each}) for each in traces[:MOST_LINKS]]
    parent = contexts[0] if len(contexts) == 1 else None
    links = [trace.Link(trace.get_current_span(each).get_span_context()) for each in contexts] if not parent else []
    with _tracer.start_as_current_span(
        f"project {group}",
        context=parent,
        links=links,
        kind=trace.SpanKind.CONSUMER,
        attributes={"messaging.batch.message_count": len(envelopes)},
        record_exception=False,
    ) as span:
        back = [trace.Link(span.get_span_context())]
        followers = [
            _tracer.start_span(f"project {group}", each, trace.SpanKind.CONSUMER, links=back)
            for each in (contexts if links else ())
        ]
        try:
            yield span
        finally:
            for follower in followers:
                follower.end()
