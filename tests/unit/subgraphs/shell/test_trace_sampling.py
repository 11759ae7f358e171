"""Requests are kept by their share, what follows from a kept trace always, and loops only if somebody wants them."""

import pytest
from opentelemetry.sdk.trace.sampling import Decision
from opentelemetry.trace import Link, SpanContext, SpanKind, TraceFlags

from subgraphs.shell.trace_sampling import kept_traces

TRACE = 0x0AF7651916CD43DD8448EB211C80319C


def link(*, sampled: bool) -> Link:
    flags = TraceFlags(TraceFlags.SAMPLED if sampled else TraceFlags.DEFAULT)
    return Link(SpanContext(TRACE, 1, is_remote=True, trace_flags=flags))


@pytest.mark.parametrize(
    ("kind", "links", "background", "is_kept"),
    [
        (SpanKind.SERVER, [], False, True),
        (SpanKind.CLIENT, [], False, False),  # a statement of the relay
        (SpanKind.CLIENT, [], True, True),
        (SpanKind.CONSUMER, [link(sampled=False), link(sampled=True)], False, True),
        (SpanKind.CONSUMER, [link(sampled=False)], False, False),
    ],
)
def test_what_begins_a_trace(kind: SpanKind, links: list[Link], background: bool, is_kept: bool) -> None:
    sampler = kept_traces(1, keeps_background=background)
    result = sampler.should_sample(None, TRACE, "work", kind, links=links)
    assert result.decision is (Decision.RECORD_AND_SAMPLE if is_kept else Decision.DROP)


def test_a_share_of_nothing_still_follows_a_kept_trace() -> None:
    sampler = kept_traces(0)
    assert sampler.should_sample(None, TRACE, "ask", SpanKind.SERVER).decision is Decision.DROP
    followed = sampler.should_sample(None, TRACE, "project", SpanKind.CONSUMER, links=[link(sampled=True)])
    assert followed.decision is Decision.RECORD_AND_SAMPLE
