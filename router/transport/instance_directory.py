"""The pools of all subgraphs that run as several instances, and the tasks that keep them true.

`server.app` makes one where settings name instances; `server.probes` shows its table.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from functools import partial
from typing import Any

import aiohttp
import structlog

from router.errors import SubgraphTimeoutError
from router.settings import Settings
from router.telemetry import SUBGRAPH_EJECTIONS, SUBGRAPH_INSTANCES
from router.transport.balanced_transport import failure_of
from router.transport.client_tls import client_context
from router.transport.discovery import InstanceDiscovery
from router.transport.instance_checks import InstanceChecks
from router.transport.instances import Instance, InstancePool, InstanceStatus
from router.transport.protocol import PROBE_BODY, PROBE_HEADERS, PROBE_SECONDS, SubgraphRequest
from router.transport.subgraph_client import SubgraphClient

log = structlog.get_logger(__name__)

RESTART_PAUSE_SECONDS = 1.0


class InstanceDirectory:
    """`client` is what requests go through; it is told which addresses are gone."""

    def __init__(self, settings: Settings, client: SubgraphClient) -> None:
        self._client = client
        self._traffic = settings.traffic_shaping
        self._subgraphs = {name: each for name, each in settings.subgraphs.items() if each.has_instances}
        self.pools: dict[str, InstancePool] = {}
        for name, subgraph in self._subgraphs.items():
            self.pools[name] = InstancePool(
                settings.traffic_shaping.of(name).balancing,
                zone=settings.zone,
                is_checked=subgraph.health_check is not None,
                on_left=partial(client.forget, name),
                on_ejected=SUBGRAPH_EJECTIONS.labels(name).inc,
            )
        self._discoveries = [
            InstanceDiscovery(name, subgraph, self.pools[name].replace) for name, subgraph in self._subgraphs.items()
        ]

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """What can be found is known when the block begins, and followed until it ends."""
        async with aiohttp.ClientSession() as session:
            checks = [
                InstanceChecks(
                    name, subgraph.health_check, self.pools[name], session, client_context(self._traffic.of(name).tls)
                )
                for name, subgraph in self._subgraphs.items()
                if subgraph.health_check is not None
            ]
            await asyncio.gather(*(each.find() for each in self._discoveries))
            await asyncio.gather(*(each.check_all() for each in checks))
            endless = [*(each.follow for each in self._discoveries), *(each.run for each in checks)]
            tasks = [asyncio.create_task(_kept_alive(each)) for each in endless]
            try:
                yield
            finally:
                for task in tasks:
                    task.cancel()
                await asyncio.gather(*tasks, return_exceptions=True)

    def address_for_stream(self, request: SubgraphRequest) -> str:
        """Where a subscription goes. Long-lived and mostly idle, it does not count as a request under way."""
        pool = self.pools.get(request.subgraph)
        instance = pool.pick() if pool is not None else None
        return request.url if instance is None else instance.url

    def note_stream(self, subgraph: str, url: str, failure: str | None) -> None:
        """Whether a subscription to an address came about."""
        pool = self.pools.get(subgraph)
        if pool is None:
            return
        for instance in pool.instances:
            if instance.url == url:
                pool.note(instance, failure, instance.mean_seconds)

    async def ask_the_silent(self, oldest: float) -> None:
        """The smallest question to each instance that failed or has not answered since `oldest` (seconds since the epoch).

        Takes at most PROBE_SECONDS.
        """
        asked = [
            self._ask(name, pool, instance)
            for name, pool in self.pools.items()
            for instance in pool.instances
            # an answer that is yet to come was noted while the clock was ahead
            if instance.failures_in_a_row or not oldest <= (instance.last_answer_at or 0.0) <= time.time()
        ]
        await asyncio.gather(*asked)

    async def _ask(self, subgraph: str, pool: InstancePool, instance: Instance) -> None:
        pool.begin(instance)
        sent = self._client.send(SubgraphRequest(subgraph, instance.url, PROBE_BODY, PROBE_HEADERS))
        await asyncio.wait([sent], timeout=PROBE_SECONDS)
        failure = failure_of(sent) if sent.done() else SubgraphTimeoutError.code
        pool.end(instance, failure, instance.mean_seconds)
        sent.cancel()

    def rows(self, subgraph: str) -> list[dict[str, Any]] | None:
        """One for each instance; None where the subgraph has one address only."""
        pool = self.pools.get(subgraph)
        return None if pool is None else [_row(each) for each in pool.instances]

    def count(self) -> None:
        """Brings the gauge of instances up to date, before a scrape."""
        for name, pool in self.pools.items():
            states = [each.status for each in pool.instances]
            for status in InstanceStatus:
                SUBGRAPH_INSTANCES.labels(name, status.value).set(states.count(status))


async def _kept_alive(work: Callable[[], Coroutine[Any, Any, None]]) -> None:
    """Begins it again where it fails; ends when it does."""
    while True:
        try:
            await work()
        except Exception as error:  # whatever it is, the instances that are known still serve
            log.exception("instances_not_followed", error=str(error))
            await asyncio.sleep(RESTART_PAUSE_SECONDS)
        else:
            return


def _row(instance: Instance) -> dict[str, Any]:
    return {
        "url": instance.url,
        "status": instance.status.value,
        "zone": instance.address.zone,
        "weight": instance.address.weight,
        "outstanding": instance.outstanding,
        "requests": instance.requests,
        "failures": instance.failures,
        "lastError": instance.last_error,
        "lastAnswerAt": instance.last_answer_at,
        "meanMilliseconds": round(instance.mean_seconds * 1000, 2),
    }
