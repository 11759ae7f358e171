"""What the HTTP end of a subgraph answers where nothing can be executed."""

from __future__ import annotations

from typing import Any

import orjson
import pytest
import strawberry

from subgraphs.shell.graphql_http import GraphQLEndpoint
from subgraphs.shell.graphql_schema import SubgraphSchema


@strawberry.type
class Query:
    name: str = "nobody asks"


async def test_a_body_for_which_there_is_no_memory_is_to_be_sent_again() -> None:
    sent: list[Any] = []

    async def receive() -> Any:
        raise MemoryError

    async def send(message: Any) -> None:
        sent.append(message)

    def make_context(_: object) -> Any:
        pytest.fail("nothing is executed")

    endpoint = GraphQLEndpoint("test", SubgraphSchema(query=Query), make_context)
    scope = {"type": "http", "method": "POST", "headers": [(b"content-type", b"application/json")]}
    await endpoint(scope, receive, send)
    start, body = sent
    (error,) = orjson.loads(body["body"])["errors"]
    assert (start["status"], error["extensions"]) == (503, {"code": "UNAVAILABLE", "retryAfterSeconds": 2})
