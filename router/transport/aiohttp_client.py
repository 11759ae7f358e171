"""HTTP to subgraphs by aiohttp: https, and bodies with files, which `http_client` does not do. `subgraph_client` chooses between the two."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import aiohttp

from router.bounded_body import BodyTooLargeError, read_at_most
from router.content_coding import ACCEPT_ENCODING, ContentTooLargeError, decode
from router.errors import SubgraphError, SubgraphHttpError, SubgraphTimeoutError, response_too_large, unreachable
from router.transport.http_client import HttpLimits
from router.transport.http_messages import may_forward
from router.transport.protocol import ACCEPT, CONTENT_TYPE, SubgraphAnswer, SubgraphRequest
from router.transport.upload_body import UploadBody


class AiohttpClient:
    """A `SubgraphTransport` for every address aiohttp can reach, with the same limits and the same errors."""

    def __init__(self, limits: HttpLimits | None = None) -> None:
        self._limits = limits or HttpLimits()
        self._session: aiohttp.ClientSession | None = None

    def send(self, request: SubgraphRequest) -> asyncio.Future[SubgraphAnswer]:
        return asyncio.ensure_future(self._ask(request))

    async def close(self) -> None:
        if self._session is not None:
            await self._session.close()
            self._session = None

    def _encoded(
        self, request: SubgraphRequest
    ) -> tuple[str, str, bytes | AsyncIterator[bytes] | None, list[tuple[str, str]]]:
        """Method, address, body and headers."""
        headers = [(name, value) for name, value in request.headers if may_forward(name, value)]
        headers.append(("Accept", ACCEPT))
        if self._limits.accept_compressed:
            headers.append(("Accept-Encoding", ACCEPT_ENCODING))
        if request.query_string:
            mark = "&" if "?" in request.url else "?"
            return "GET", f"{request.url}{mark}{request.query_string}", None, headers
        if request.files:
            body = UploadBody(request)
            headers += [("Content-Type", body.content_type), ("Content-Length", str(body.length))]
            return "POST", request.url, body.chunks(), headers
        sent, coding = self._limits.coded(request.body)
        headers.append(("Content-Type", CONTENT_TYPE))
        if coding is not None:
            headers.append(("Content-Encoding", coding))
        return "POST", request.url, sent, headers

    async def _ask(self, request: SubgraphRequest) -> SubgraphAnswer:
        method, url, sent, headers = self._encoded(request)
        try:
            async with self._open_session().request(
                method, url, data=sent, headers=headers, allow_redirects=False
            ) as response:
                body = await read_at_most(response, self._limits.max_response_bytes)
                if self._limits.accept_compressed and (answered := response.headers.get("Content-Encoding")):
                    body = decode(body, answered, self._limits.max_response_bytes)
                return SubgraphAnswer(
                    response.status,
                    body,
                    response.headers.get("Content-Type", ""),
                    response.headers.get("Cache-Control", ""),
                    tuple(
                        (name.lower(), value)
                        for name, value in response.headers.items()
                        if name.lower() in self._limits.kept_headers
                    ),
                )
        except SubgraphError:
            raise
        except (BodyTooLargeError, ContentTooLargeError):
            raise response_too_large(request.subgraph, self._limits.max_response_bytes) from None
        except TimeoutError:
            raise SubgraphTimeoutError("The subgraph did not answer in time.", request.subgraph) from None
        except aiohttp.ClientConnectorError as error:
            raise unreachable(request.subgraph, request.url, error) from error
        except (aiohttp.ClientError, OSError, ValueError) as error:
            raise SubgraphHttpError("The subgraph cannot be reached.", request.subgraph, detail=str(error)) from error

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
                    ssl=self._limits.tls or True,
                ),
                auto_decompress=False,
                skip_auto_headers=("Accept-Encoding", "User-Agent"),
                cookie_jar=aiohttp.DummyCookieJar(),
            )
        return self._session
