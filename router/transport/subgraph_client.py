"""The router's way to all its subgraphs over the network: plain http by our own client, https and files by aiohttp.

`server` makes one per process and passes it to `pipeline` as the transport; it must be closed.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from router.transport.aiohttp_client import AiohttpClient
from router.transport.http_client import HttpClient, HttpLimits
from router.transport.protocol import SubgraphAnswer, SubgraphRequest


class SubgraphClient:
    """A `SubgraphTransport` for http and https addresses; `limits_of` gives what holds for a subgraph by its name."""

    def __init__(self, limits_of: Callable[[str], HttpLimits] = lambda _: HttpLimits()) -> None:
        self._limits_of = limits_of
        self._plain: dict[str, HttpClient] = {}
        self._others: dict[str, AiohttpClient] = {}

    def send(self, request: SubgraphRequest) -> asyncio.Future[SubgraphAnswer]:
        name = request.subgraph
        if request.url.startswith("http://") and not request.files:  # which are read while they are sent
            plain = self._plain.get(name)
            if plain is None:
                plain = self._plain[name] = HttpClient(self._limits_of(name))
            return plain.send(request)
        other = self._others.get(name)
        if other is None:
            other = self._others[name] = AiohttpClient(self._limits_of(name))
        return other.send(request)

    def forget(self, subgraph: str, url: str) -> None:
        """An instance is gone: its idle connections are closed."""
        if (plain := self._plain.get(subgraph)) is not None:
            plain.forget(url)

    async def close(self) -> None:
        for plain in self._plain.values():
            await plain.close()
        for other in self._others.values():
            await other.close()
