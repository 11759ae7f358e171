"""Subgraphs mounted in the router's process: real ASGI apps, and apps that misbehave."""

from __future__ import annotations

import asyncio
from typing import Any

import orjson
import pytest
import strawberry
from strawberry.asgi import GraphQL

from router.errors import SubgraphError
from router.transport.in_process import InProcessTransport
from router.transport.protocol import SubgraphAnswer, SubgraphRequest


@strawberry.type
class Query:
    @strawberry.field
    def who(self, info: strawberry.Info) -> str:
        return str(info.context["request"].headers.get("authorization"))


async def ask(transport: InProcessTransport, subgraph: str = "app") -> SubgraphAnswer:
    body = orjson.dumps({"query": "{ who }", "variables": {}})
    return await transport.send(SubgraphRequest(subgraph, "http://unused/", body, (("Authorization", "Bearer t"),)))


async def test_an_asgi_app_is_called_with_body_and_headers() -> None:
    answer = await ask(InProcessTransport(apps={"app": GraphQL(strawberry.Schema(Query))}))

    assert (answer.status, answer.content_type) == (200, "application/json")
    assert orjson.loads(answer.body) == {"data": {"who": "Bearer t"}}


async def raising(_scope: Any, _receive: Any, _send: Any) -> None:
    raise RuntimeError("secret of the app")


async def sleeping(_scope: Any, _receive: Any, _send: Any) -> None:
    await asyncio.sleep(10)


async def flooding(_scope: Any, _receive: Any, send: Any) -> None:
    await send({"type": "http.response.start", "status": 200, "headers": []})
    for _ in range(100):
        await send({"type": "http.response.body", "body": b"x" * 1000, "more_body": True})


@pytest.mark.parametrize(
    ("app", "code"),
    [
        (raising, "SUBREQUEST_HTTP_ERROR"),
        (sleeping, "SUBGRAPH_TIMEOUT"),
        (flooding, "SUBGRAPH_RESPONSE_TOO_LARGE"),
    ],
)
async def test_an_app_that_misbehaves_is_a_coded_error(app: Any, code: str) -> None:
    transport = InProcessTransport(apps={"app": app}, timeout_seconds=0.1, max_response_bytes=10_000)
    with pytest.raises(SubgraphError) as caught:
        await ask(transport)

    assert caught.value.code == code
    assert "secret" not in str(caught.value.entries())


async def test_a_subgraph_that_is_not_mounted_is_a_coded_error() -> None:
    with pytest.raises(SubgraphError, match="not mounted"):
        await ask(InProcessTransport(), "other")
