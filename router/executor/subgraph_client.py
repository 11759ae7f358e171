"""The router's way to all its subgraphs over the network: plain http by our own client, https by aiohttp.

`server` makes one per process and passes it to `pipeline` as the transport; it must be closed.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import aiohttp

from router.errors import SubgraphError, SubgraphHttpError, SubgraphResponseTooLargeError, SubgraphTimeoutError
from router.executor.http_client import HttpClient, HttpLimits, may_forward
from router.executor.transport import ACCEPT, CONTENT_TYPE, SubgraphAnswer, SubgraphRequest


class SubgraphClient:
    """A `SubgraphTransport` for http and https addresses; `limits_of` gives what holds for a subgraph by its name."""

    def __init__(self, limits_of: Callable[[str], HttpLimits] = lambda _: HttpLimits()) -> None:
        self._limits_of = limits_of
        self._plain: dict[str, HttpClient] = {}
        self._secure: dict[str, AiohttpClient] = {}

    def send(self, request: SubgraphRequest) -> asyncio.Future[SubgraphAnswer]:
        name = request.subgraph
        if request.url.startswith("http://"):
            plain = self._plain.get(name)
            if plain is None:
                plain = self._plain[name] = HttpClient(self._limits_of(name))
            return plain.send(request)
        secure = self._secure.get(name)
        if secure is None:
            secure = self._secure[name] = AiohttpClient(self._limits_of(name))
        return secure.send(request)

    async def close(self) -> None:
        for plain in self._plain.values():
            await plain.close()
        for secure in self._secure.values():
            await secure.close()


class AiohttpClient:
    """A `SubgraphTransport` for every address aiohttp can reach, with the same limits and the same errors."""

    def __init__(self, limits: HttpLimits | None = None) -> None:
        self._limits = limits or HttpLimits()
        self._session: aiohttp.ClientSession | None = None

    def send(self, request: SubgraphRequest) -> asyncio.Future[SubgraphAnswer]:
        return asyncio.ensure_future(self._post(request))

    async def close(self) -> None:
        if self._session is not None:
            await self._session.close()
            self._session = None

    async def _post(self, request: SubgraphRequest) -> SubgraphAnswer:
        headers = [(name, value) for name, value in request.headers if may_forward(name, value)]
        headers += [("Content-Type", CONTENT_TYPE), ("Accept", ACCEPT)]
        try:
            async with self._open_session().post(
                request.url, data=request.body, headers=headers, allow_redirects=False
            ) as response:
                body = await self._read(response, request)
                return SubgraphAnswer(
                    response.status,
                    body,
                    response.headers.get("Content-Type", ""),
                    response.headers.get("Cache-Control", ""),
                )
        except SubgraphError:
            raise
        except TimeoutError:
            raise SubgraphTimeoutError("The subgraph did not answer in time.", request.subgraph) from None
        except (aiohttp.ClientError, OSError, ValueError) as error:
            raise SubgraphHttpError("The subgraph cannot be reached.", request.subgraph, detail=str(error)) from error

    async def _read(self, response: aiohttp.ClientResponse, request: SubgraphRequest) -> bytes:
        chunks: list[bytes] = []
        size = 0
        async for chunk in response.content.iter_any():
            size += len(chunk)
            if size > self._limits.max_response_bytes:
                raise SubgraphResponseTooLargeError("The subgraph's answer is too large.", request.subgraph)
            chunks.append(chunk)
        return b"".join(chunks)

    def _open_session(self) -> aiohttp.ClientSession:
        if self._session is None:
            self._session = aiohttp.ClientSession(
                timeout=aiohttp.ClientTimeout(
                    total=self._limits.total_timeout_seconds, sock_connect=self._limits.connect_timeout_seconds
                ),
                connector=aiohttp.TCPConnector(
                    limit=0,
                    limit_per_host=self._limits.max_connections,
                    keepalive_timeout=self._limits.keep_alive_seconds,
                ),
                auto_decompress=False,
                skip_auto_headers=("Accept-Encoding", "User-Agent"),
                cookie_jar=aiohttp.DummyCookieJar(),
            )
        return self._session
