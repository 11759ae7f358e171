"""Which traces of a subgraph are kept: those of requests, and what follows from them. Set up by `telemetry`."""

from collections.abc import Sequence

from opentelemetry.context import Context
from opentelemetry.sdk.trace.sampling import ParentBased, Sampler, SamplingResult, TraceIdRatioBased
from opentelemetry.trace import Link, SpanKind, TraceState
from opentelemetry.util.types import Attributes


def kept_traces(ratio: float, *, keeps_background: bool = False) -> Sampler:
    """Whoever began a trace has decided for all of it. Of what begins here, `ratio` of the requests are kept, and work on
    several traces at once where one of them is; statements of background loops only if they are asked for.
    """
    return ParentBased(_OfRoots(ratio, keeps_background=keeps_background))


class _OfRoots(Sampler):
    """Decides for spans that have no parent."""

    def __init__(self, ratio: float, *, keeps_background: bool) -> None:
        self._of_requests = TraceIdRatioBased(ratio)
        self._of_background = TraceIdRatioBased(ratio if keeps_background else 0)

    def should_sample(
        self,
        parent_context: Context | None,
        trace_id: int,
        name: str,
        kind: SpanKind | None = None,
        attributes: Attributes = None,
        links: Sequence[Link] | None = None,
        trace_state: TraceState | None = None,
    ) -> SamplingResult:
        if any(link.context.trace_flags.sampled for link in links or ()):
            sampler = TraceIdRatioBased(1)
        elif kind is SpanKind.SERVER:
            sampler = self._of_requests
        else:
            sampler = self._of_background
        return sampler.should_sample(parent_context, trace_id, name, kind, attributes, links, trace_state)

    def get_description(self) -> str:
        return f"{self._of_requests.get_description()}, {self._of_background.get_description()} of background loops"
