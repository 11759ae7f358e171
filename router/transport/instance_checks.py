"""Asks every instance again and again whether it may be given requests. `instance_directory` runs it beside the discovery."""

from __future__ import annotations

import asyncio
import ssl
from urllib.parse import urlsplit

import aiohttp
import structlog

from router.instance_settings import InstanceCheck
from router.transport.instances import Instance, InstancePool, InstanceStatus

log = structlog.get_logger(__name__)

UNAVAILABLE = 503


class InstanceChecks:
    """Of one subgraph. `session` is the caller's, who closes it; redirects are not followed."""

    def __init__(
        self,
        subgraph: str,
        settings: InstanceCheck,
        pool: InstancePool,
        session: aiohttp.ClientSession,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        self._subgraph = subgraph
        self._settings = settings
        self._pool = pool
        self._session = session
        self._tls = tls
        self._failures: dict[str, int] = {}

    async def run(self) -> None:
        """Until cancelled."""
        while True:
            await self.check_all()
            await asyncio.sleep(self._settings.interval_seconds)

    async def check_all(self) -> None:
        """Each instance once, at the same time."""
        instances = self._pool.instances
        self._failures = {each.url: self._failures.get(each.url, 0) for each in instances}
        await asyncio.gather(*(self._check(each) for each in instances))

    async def _check(self, instance: Instance) -> None:
        before = instance.status
        status = await self._status_of(instance.url)
        if status == 200:
            self._failures[instance.url] = 0
            instance.check = True
        elif status == UNAVAILABLE:
            instance.check = InstanceStatus.OUT_OF_SERVICE
        else:
            self._failures[instance.url] += 1
            if self._failures[instance.url] >= self._settings.failures:
                instance.check = False
        if instance.status is not before:
            log.info("instance_changed", subgraph=self._subgraph, url=instance.url, status=instance.status.value)

    async def _status_of(self, url: str) -> int | None:
        """None where no answer came in time."""
        parts = urlsplit(url)
        address = f"{parts.scheme}://{parts.netloc}{self._settings.path}"
        try:
            async with asyncio.timeout(self._settings.timeout_seconds):
                async with self._session.get(address, allow_redirects=False, ssl=self._tls or True) as response:
                    return response.status
        except (aiohttp.ClientError, OSError, TimeoutError, ValueError):
            return None
