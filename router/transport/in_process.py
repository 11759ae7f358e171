"""Subgraphs that are mounted in this process: an ASGI app, or a function from request body to response body."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from typing import Any

from router.errors import SubgraphHttpError, SubgraphResponseTooLargeError, SubgraphTimeoutError, response_too_large
from router.transport.protocol import ACCEPT, CONTENT_TYPE, Headers, SubgraphAnswer, SubgraphRequest
from router.transport.upload_body import UploadBody

AsgiApp = Callable[[dict[str, Any], Callable[[], Awaitable[Any]], Callable[[Any], Awaitable[None]]], Awaitable[None]]
BodyHandler = Callable[[bytes], Awaitable[bytes]]


class InProcessTransport:
    """Calls subgraphs mounted in this process: an ASGI app, or a function from request body to response body."""

    def __init__(
        self,
        apps: Mapping[str, AsgiApp] | None = None,
        functions: Mapping[str, BodyHandler] | None = None,
        *,
        path: str = "/graphql",
        timeout_seconds: float = 30.0,
        max_response_bytes: int = 64 * 1024 * 1024,
        kept_headers: Callable[[str], frozenset[str]] = lambda _: frozenset(),
    ) -> None:
        """`kept_headers` are those of answers, in lower case, by the subgraph's name."""
        self._apps = dict(apps or {})
        self._functions = dict(functions or {})
        self._path = path
        self._timeout_seconds = timeout_seconds
        self._max_response_bytes = max_response_bytes
        self._kept_headers = kept_headers

    def send(self, request: SubgraphRequest) -> asyncio.Future[SubgraphAnswer]:
        return asyncio.ensure_future(self._answer(request))

    async def _answer(self, request: SubgraphRequest) -> SubgraphAnswer:
        try:
            async with asyncio.timeout(self._timeout_seconds):
                if request.subgraph in self._functions:
                    return SubgraphAnswer(200, await self._functions[request.subgraph](request.body))
                return await self._call_app(self._apps[request.subgraph], request)
        except TimeoutError:
            raise SubgraphTimeoutError("The subgraph did not answer in time.", request.subgraph) from None
        except KeyError:
            raise SubgraphHttpError("The subgraph is not mounted in this process.", request.subgraph) from None
        except (SubgraphHttpError, SubgraphResponseTooLargeError):
            raise
        except Exception as error:
            # a mounted app that raises is, to us, a server that broke the connection
            raise SubgraphHttpError("The subgraph failed.", request.subgraph, detail=repr(error)) from error

    async def _call_app(self, app: AsgiApp, request: SubgraphRequest) -> SubgraphAnswer:
        wanted = self._kept_headers(request.subgraph)
        upload = UploadBody(request) if request.files else None
        content_type = CONTENT_TYPE if upload is None else upload.content_type
        length = len(request.body) if upload is None else upload.length
        headers = [(b"content-type", content_type.encode()), (b"accept", ACCEPT.encode()), (b"host", b"in-process")]
        headers += [(name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in request.headers]
        headers.append((b"content-length", str(length).encode()))
        scope = {
            "type": "http",
            "asgi": {"version": "3.0", "spec_version": "2.3"},
            "http_version": "1.1",
            "method": "POST",
            "scheme": "http",
            "path": self._path,
            "raw_path": self._path.encode(),
            "query_string": b"",
            "root_path": "",
            "headers": headers,
            "client": ("127.0.0.1", 0),
            "server": ("in-process", 80),
            "state": {},
        }
        events = _body_events(request.body if upload is None else upload.chunks())
        never = asyncio.get_running_loop().create_future()
        status, content_type, cache_control = 500, "", ""
        kept: Headers = ()
        chunks: list[bytes] = []
        size = 0

        async def receive() -> Any:
            event = await anext(events, None)
            return event if event is not None else await never  # the client stays connected

        async def send(event: Any) -> None:
            nonlocal status, content_type, cache_control, kept, size
            if event["type"] == "http.response.start":
                status = event["status"]
                received = {bytes(name).lower(): bytes(value) for name, value in event.get("headers", ())}
                content_type = received.get(b"content-type", b"").decode("latin-1")
                kept = tuple(
                    (name, bytes(value).decode("latin-1"))
                    for key, value in event.get("headers", ())
                    if (name := bytes(key).decode("latin-1").lower()) in wanted
                )
                cache_control = received.get(b"cache-control", b"").decode("latin-1")
            elif event["type"] == "http.response.body":
                size += len(event.get("body", b""))
                if size > self._max_response_bytes:
                    raise response_too_large(request.subgraph, self._max_response_bytes)
                chunks.append(event.get("body", b""))

        try:
            await app(scope, receive, send)
        finally:
            never.cancel()
        return SubgraphAnswer(status, b"".join(chunks), content_type, cache_control, kept)


async def _body_events(body: bytes | AsyncIterator[bytes]) -> AsyncIterator[dict[str, Any]]:
    if isinstance(body, bytes):
        yield {"type": "http.request", "body": body, "more_body": False}
        return
    async for chunk in body:
        yield {"type": "http.request", "body": chunk, "more_body": True}
    yield {"type": "http.request", "body": b"", "more_body": False}
