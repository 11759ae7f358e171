"""The gauges of the event loops, measured when somebody scrapes them. Called by the subgraphs' /actuator/prometheus.

What cannot be measured is NaN: a last known value would say that all is well while nobody knows.
"""

import asyncio
from math import nan

from sqlalchemy.ext.asyncio import AsyncEngine

from events import metrics
from events.failures import Fault, fault_of
from events.parked import count_parked
from events.progress import unpublished
from events.supervision import Loops

#: A pool without a free connection must not hold up the scrape that says so.
LONGEST_SECONDS = 0.5


async def measure(service: str, engine: AsyncEngine, loops: Loops) -> None:
    """Set the gauges of `metrics` that this service has: those of its loops, its outbox and its groups."""
    for loop in loops:
        metrics.LOOP_UP.labels(service, loop.name).set(loop.is_well)
        metrics.LOOP_IDLE_SECONDS.labels(service, loop.name).set(loop.seconds_since_progress)
        metrics.LOOP_RESTARTS.labels(service, loop.name).set(loop.restarts)
        if loop.group is not None and loop.lag is not None:
            for topic, behind in (await loop.lag()).items():
                metrics.CONSUMER_LAG.labels(loop.group, topic).set(behind if loop.is_well else nan)
    groups = [loop.group for loop in loops if loop.group is not None]
    try:
        async with asyncio.timeout(LONGEST_SECONDS), engine.connect() as connection:
            waiting: tuple[float, float] = await unpublished(connection)
            parked = await count_parked(connection) if groups else {}
    except Exception as failure:
        if fault_of(failure) is not Fault.INFRASTRUCTURE:
            raise
        waiting, parked = (nan, nan), dict.fromkeys(groups, nan)
    metrics.OUTBOX_UNPUBLISHED.labels(service).set(waiting[0])
    metrics.OUTBOX_OLDEST_AGE_SECONDS.labels(service).set(waiting[1])
    for group in groups:
        metrics.PARKED_RECORDS.labels(group).set(parked.get(group, 0))
