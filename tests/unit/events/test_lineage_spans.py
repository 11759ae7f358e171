"""What a batch of several traces leaves in each of them."""

from datetime import UTC, datetime

import pytest
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from events import lineage
from events.envelope import Aggregate, Envelope

NOW = datetime(2026, 1, 1, tzinfo=UTC)
FIRST, SECOND = f"{1:032x}", f"{2:032x}"


@pytest.fixture
def exported(monkeypatch: pytest.MonkeyPatch) -> InMemorySpanExporter:
    exporter, provider = InMemorySpanExporter(), TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    monkeypatch.setattr(lineage, "_tracer", provider.get_tracer("test"))
    return exporter


def event(trace: str | None) -> Envelope:
    traceparent = f"00-{trace}-{7:016x}-01" if trace else None
    return Envelope(
        event_id="e", type="T", schema_version=1, aggregate=Aggregate("t", "a", 1), user_id="u", occurred_at=NOW,
        recorded_at=NOW, traceparent=traceparent,
    )  # fmt: skip


def test_a_single_event_is_projected_in_its_own_trace(exported: InMemorySpanExporter) -> None:
    with lineage.following("group", [event(FIRST), event(None)]):
        pass
    (span,) = exported.get_finished_spans()
    assert span.context is not None
    assert (f"{span.context.trace_id:032x}", span.links) == (FIRST, ())


def test_a_batch_is_a_trace_of_its_own_and_a_span_in_each_that_it_is_linked_to(exported: InMemorySpanExporter) -> None:
    with lineage.following("group", [event(FIRST), event(SECOND), event(SECOND)]):
        pass
    spans = {f"{span.context.trace_id:032x}": span for span in exported.get_finished_spans() if span.context}
    batch = spans.pop(next(trace for trace in spans if trace not in (FIRST, SECOND)))
    assert {f"{link.context.trace_id:032x}" for link in batch.links} == set(spans) == {FIRST, SECOND}
    assert batch.context is not None
    for span in spans.values():
        assert [link.context.span_id for link in span.links] == [batch.context.span_id]
