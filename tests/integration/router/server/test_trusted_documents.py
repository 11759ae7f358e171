"""Trusted documents from Redis and from an HTTP server with S3's signatures, over HTTP and WebSocket; and plans made of
them before a graph serves.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from typing import Any

import orjson
import pytest
from redis.asyncio import Redis

from router.access.aws_signature import signed_headers
from router.settings import AwsCredentials
from router.telemetry import REGISTRY
from tests.testkit.running_router import RunningRouter, StartRouter
from tests.testkit.servers import Valkey
from tests.testkit.strawberry_shop import serving

QUERY = 'query Who { user(id: "u1") { name } }'
OTHER = '{ user(id: "u2") { name } }'
DIGEST = sha256(QUERY.encode()).hexdigest()
ANN = {"data": {"user": {"name": "Ann"}}}
AWS = {"region": "us-east-1", "access_key_id": "AKIDEXAMPLE", "secret_access_key": "a secret"}


def code(answer: Any) -> str:
    return str(answer["errors"][0]["extensions"]["code"])


async def by_id(router: RunningRouter, document_id: str) -> Any:
    async with router.session.post(router.url, json={"documentId": document_id}) as response:
        return await response.json(content_type=None)


class Bucket:
    """An ASGI application that has documents by path, for who signs; counts what is asked."""

    def __init__(self, documents: dict[str, str]) -> None:
        self.documents = documents
        self.asked = 0
        self.status = 200

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "lifespan":
            for kind in ("startup", "shutdown"):
                await receive()
                await send({"type": f"lifespan.{kind}.complete"})
            return
        self.asked += 1
        headers = {name.decode(): value.decode() for name, value in scope["headers"]}
        at = datetime.strptime(headers["x-amz-date"], "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
        url = f"http://{headers['host']}{scope['path']}"
        expected = signed_headers(AwsCredentials.model_validate(AWS), url, {"x-team": "shop"}, at)
        body = self.documents.get(scope["path"])
        status = self.status if expected["Authorization"] == headers.get("authorization") else 401
        status = 404 if status == 200 and body is None else status
        await send({"type": "http.response.start", "status": status, "headers": []})
        await send({"type": "http.response.body", "body": (body or "").encode()})


@pytest.fixture
async def bucket() -> AsyncIterator[tuple[Bucket, dict[str, Any]]]:
    bucket = Bucket({f"/shop/{DIGEST}.graphql": QUERY})
    async with serving(bucket) as port:
        url = f"http://127.0.0.1:{port}/shop/{{id}}.graphql"
        yield bucket, {"url": url, "headers": {"x-team": "shop"}, "aws": AWS, "timeout_seconds": 60}


async def test_documents_come_from_a_bucket(start_router: StartRouter, bucket: tuple[Bucket, dict[str, Any]]) -> None:
    server, address = bucket
    async with start_router(persisted_documents={"address": address, "require": True}) as router:
        for _ in range(2):
            assert await by_id(router, DIGEST) == ANN
            assert await by_id(router, f"sha256:{DIGEST}") == ANN
        assert server.asked == 2  # an id as it was sent
        assert await router.ask(QUERY) == ANN  # a text is trusted by its hash
        assert code(await router.ask(OTHER)) == "DOCUMENT_NOT_TRUSTED"
        for _ in range(3):
            assert code(await by_id(router, "unknown")) == "DOCUMENT_NOT_TRUSTED"
        asked = server.asked
        server.status = 500
        assert code(await by_id(router, "another")) == "DOCUMENT_STORE_UNAVAILABLE"
        assert await by_id(router, DIGEST) == ANN
        assert server.asked == asked + 1


async def test_documents_come_from_redis_also_over_a_websocket(
    start_router: StartRouter, valkey: Valkey, tmp_path: Path
) -> None:
    async with Redis.from_url(valkey.url) as redis:
        await redis.hset(tmp_path.name, DIGEST, QUERY)
    documents = {"redis_key": tmp_path.name, "require": True}
    async with start_router(redis_url=valkey.url, persisted_documents=documents) as router:
        assert await by_id(router, DIGEST) == ANN
        async with router.session.ws_connect(router.url, protocols=["graphql-transport-ws"]) as socket:
            await socket.send_json({"type": "connection_init"})
            assert (await socket.receive_json())["type"] == "connection_ack"
            for payload, expected in (
                ({"documentId": DIGEST}, "next"),
                ({"query": QUERY}, "next"),
                ({"query": OTHER}, "error"),
            ):
                await socket.send_json({"id": "1", "type": "subscribe", "payload": payload})
                assert (await socket.receive_json())["type"] == expected
                if expected == "next":
                    assert (await socket.receive_json())["type"] == "complete"


async def test_unknown_texts_are_run_and_logged_where_that_is_the_mode(
    start_router: StartRouter, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    manifest = tmp_path / "documents.json"
    manifest.write_bytes(orjson.dumps({DIGEST: QUERY}))
    async with start_router(persisted_documents={"manifest": manifest, "log_unknown": True}) as router:
        assert await router.ask(QUERY) == ANN
        assert "document_not_trusted" not in capsys.readouterr().out
        assert (await router.ask(OTHER))["data"] == {"user": {"name": "Ben"}}
        told = capsys.readouterr().out
        assert "document_not_trusted" in told
        assert sha256(OTHER.encode()).hexdigest() in told


def planned() -> float:
    return REGISTRY.get_sample_value("router_warmed_operations_total", {"result": "planned"}) or 0.0


async def test_documents_are_planned_before_the_first_request_and_those_in_use_before_a_reload(
    start_router: StartRouter, valkey: Valkey, tmp_path: Path
) -> None:
    manifest = tmp_path / "documents.json"
    manifest.write_bytes(orjson.dumps({"1": QUERY, "2": "{ nothing }", "3": "no GraphQL"}))
    settings: dict[str, Any] = {
        "persisted_documents": {"manifest": manifest},
        "warm_up": {"operations": 10, "seconds": 60},
        "watch": True,
    }
    before = planned()
    async with start_router(**settings) as router:
        assert planned() == before + 2  # by its name and without
        graph = router.app.graph_file.current.graph
        assert (QUERY, None) in graph.known_operations()
        await router.ask(OTHER)
        router.supergraph.write_text(router.supergraph.read_text() + "\n# changed\n")
        deadline = time.monotonic() + 60
        while router.app.graph_file.current.graph is graph:
            assert time.monotonic() < deadline
            await asyncio.sleep(0.05)
        assert (OTHER, None) in router.app.graph_file.current.graph.known_operations()


def test_signatures_are_those_of_the_examples_of_aws() -> None:
    credentials = AwsCredentials.model_validate(
        {
            "region": "us-east-1",
            "access_key_id": "AKIAIOSFODNN7EXAMPLE",
            "secret_access_key": "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
        }
    )
    headers = signed_headers(
        credentials,
        "https://examplebucket.s3.amazonaws.com/test.txt",
        {"range": "bytes=0-9"},
        datetime(2013, 5, 24, tzinfo=UTC),
    )
    assert headers["Authorization"].endswith(
        "SignedHeaders=host;range;x-amz-content-sha256;x-amz-date,"
        "Signature=f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41"
    )
