"""Subscriptions: a stream from one subgraph, every event completed by the others."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable

from router.errors import SubgraphError
from router.executor.execute import CompiledPlan, Explain
from router.executor.fetch import Execution
from router.telemetry import SUBSCRIPTION_EVENTS
from router.transport.subscription_source import SubscriptionSource


async def run_subscription(
    plan: CompiledPlan,
    source: SubscriptionSource,
    new_execution: Callable[[], Execution],
    explain: Explain | None = None,
) -> AsyncIterator[bytes]:
    """One response body per event. A broken stream is a last body with an error; a client that leaves closes it.

    Events wait for each other: the next is read when this one has been taken, so a slow client slows its source.
    """
    primary = plan.primary
    if primary is None:
        raise ValueError("The plan is not one of a subscription.")
    events = source.open(primary.request(new_execution()))
    try:
        while True:
            execution = new_execution()
            try:
                payload = await anext(events)
                primary.merge(execution, payload)
            except StopAsyncIteration:
                return
            except SubgraphError as error:
                primary.fail(execution, error)
                yield plan.encode(execution)
                return
            SUBSCRIPTION_EVENTS.inc()
            yield await plan.respond(execution, explain)
    finally:
        close = getattr(events, "aclose", None)
        if close is not None:
            await close()
