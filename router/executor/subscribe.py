"""Subscriptions: a stream from one subgraph, every event completed by the others."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Hashable

from router.errors import SubgraphError
from router.executor.execute import CompiledPlan, Explain
from router.executor.fetch import Execution
from router.telemetry import SUBSCRIPTION_EVENTS
from router.transport.shared_event import SharedEvent
from router.transport.subscription_source import Payload, SubscriptionSource


async def run_subscription(
    plan: CompiledPlan,
    source: SubscriptionSource,
    new_execution: Callable[[], Execution],
    explain: Explain | None = None,
    audience: Hashable | None = None,
) -> AsyncIterator[bytes]:
    """One response body per event. A broken stream is a last body with an error; a client that leaves closes it.

    Events wait for each other: the next is read when this one has been taken, so a slow client slows its source. Of an event that others are
    told too, those of an equal `audience` share one body; None shares with nobody.
    """
    primary = plan.primary
    if primary is None:
        raise ValueError("The plan is not one of a subscription.")

    async def complete(payload: Payload) -> bytes:
        execution = new_execution()
        primary.merge(execution, payload)
        return await plan.respond(execution, explain)

    events = source.open(primary.request(new_execution()))
    try:
        while True:
            try:
                payload = await anext(events)
                if payload.__class__ is not SharedEvent:
                    body = await complete(payload)
                elif audience is None:
                    body = await complete(payload.to_complete())
                else:
                    body = await payload.body(audience, complete)
            except StopAsyncIteration:
                return
            except SubgraphError as error:
                execution = new_execution()
                primary.fail(execution, error)
                yield plan.encode(execution)
                return
            SUBSCRIPTION_EVENTS.inc()
            yield body
    finally:
        close = getattr(events, "aclose", None)
        if close is not None:
            await close()
