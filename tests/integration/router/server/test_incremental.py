"""@defer and @stream over HTTP, with a subgraph that answers when the test says so: what arrives before it, and in what form."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import orjson
import pytest

from tests.integration.router.server.test_event_stream import DEFERRED, DEFERRED_PARTS
from tests.testkit.raw_server import http_response
from tests.testkit.running_router import (
    RunningRouter,
    StartRouter,
    router,
    shop,
    shop_servers,
    start_router,
    token,
)
from tests.testkit.servers import Valkey
from tests.testkit.strawberry_shop import Shop

__all__ = ["router", "shop", "shop_servers", "start_router"]

CURRENT = 'multipart/mixed; boundary="-"; incrementalSpec=v0.2'
FORMER = 'multipart/mixed; boundary="-"; deferSpec=20220824'
SECONDS = 60  # of patience, for what comes at once


class HeldSubgraph:
    """A real server for `stock`: notes that it was asked, answers when it is let go, notes when it is no longer wanted."""

    def __init__(self) -> None:
        self.url = ""
        self.asked = asyncio.Event()
        self.let_go = asyncio.Event()
        self.given_up = asyncio.Event()
        self.entities: list[Any] = [{"inStock": 10}, {"inStock": 20}]

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").lower()
        await reader.readexactly(int(head.partition("content-length:")[2].split()[0]))
        self.asked.set()
        released = asyncio.ensure_future(self.let_go.wait())
        left = asyncio.ensure_future(reader.read())
        await asyncio.wait([released, left], return_when=asyncio.FIRST_COMPLETED)
        if left.done():
            self.given_up.set()
        else:
            writer.write(http_response(orjson.dumps({"data": {"_entities": self.entities}})))
            await writer.drain()
        released.cancel()
        left.cancel()
        writer.close()


@pytest.fixture
async def held() -> AsyncIterator[HeldSubgraph]:
    subgraph = HeldSubgraph()
    listener = await asyncio.start_server(subgraph.serve, "127.0.0.1", 0)
    subgraph.url = f"http://127.0.0.1:{listener.sockets[0].getsockname()[1]}/graphql"
    yield subgraph
    listener.close()


@asynccontextmanager
async def asked_by_socket(router: RunningRouter, accept: str, query: str = DEFERRED) -> AsyncIterator[Any]:
    """The response as it comes off the wire: a reader that stands after the head, and the head."""
    reader, writer = await asyncio.open_connection("127.0.0.1", router.port)
    body = orjson.dumps({"query": query})
    writer.write(
        b"POST /graphql HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nAccept: %b\r\nContent-Length: %d\r\n\r\n%b"
        % (accept.encode(), len(body), body)
    )
    async with asyncio.timeout(SECONDS):
        head = (await reader.readuntil(b"\r\n\r\n")).decode().lower()
    try:
        yield reader, head
    finally:
        writer.close()


async def next_part(reader: asyncio.StreamReader) -> Any:
    """The part of the next chunk, with all that frames it: the boundary after it is there already."""
    async with asyncio.timeout(SECONDS):
        size = int(await reader.readline(), 16)
        chunk = await reader.readexactly(size)
        await reader.readexactly(2)
    head, _, body = chunk.removeprefix(b"\r\n---").partition(b"\r\n\r\n")
    assert body.endswith(b"\r\n---")
    body = body.removesuffix(b"\r\n---")
    assert head == b"\r\ncontent-type: application/json; charset=utf-8\r\ncontent-length: %d" % len(body)
    return orjson.loads(body)


async def test_the_first_part_is_on_the_wire_while_the_slow_subgraph_is_still_asked(
    start_router: StartRouter, held: HeldSubgraph
) -> None:
    async with (
        start_router(subgraphs={"stock": {"url": held.url}}) as router,
        asked_by_socket(router, "multipart/mixed;incrementalSpec=v0.2, application/json") as (reader, head),
    ):
        assert f"content-type: {CURRENT.lower()}\r\n" in head
        assert "transfer-encoding: chunked\r\n" in head
        first = await next_part(reader)
        await asyncio.wait_for(held.asked.wait(), SECONDS)
        assert not held.let_go.is_set()  # the subgraph has not answered, nor can it have
        held.let_go.set()
        second = await next_part(reader)
        end = await asyncio.wait_for(reader.readuntil(b"0\r\n\r\n"), SECONDS)
    assert [first, second] == DEFERRED_PARTS
    assert end == b"4\r\n--\r\n\r\n0\r\n\r\n"


async def test_a_client_of_events_gets_the_first_piece_before_the_slow_subgraph_answers(
    start_router: StartRouter, held: HeldSubgraph
) -> None:
    async with (
        start_router(subgraphs={"stock": {"url": held.url}}) as router,
        router.session.post(router.url, json={"query": DEFERRED}, headers={"accept": "text/event-stream"}) as response,
        asyncio.timeout(SECONDS),
    ):
        first = await response.content.readuntil(b"\n\n")
        held.let_go.set()
        rest = await response.content.read()
    pieces = [each for each in (first + rest).split(b"\n\n") if each.startswith(b"event: next")]
    assert [orjson.loads(each.partition(b"data: ")[2]) for each in pieces] == DEFERRED_PARTS
    assert rest.endswith(b"event: complete\ndata:\n\n")


async def test_a_client_of_a_websocket_gets_the_first_piece_before_the_slow_subgraph_answers(
    start_router: StartRouter, held: HeldSubgraph
) -> None:
    url = {"protocols": ("graphql-transport-ws",)}
    async with (
        start_router(subgraphs={"stock": {"url": held.url}}) as router,
        router.session.ws_connect(router.url.replace("http", "ws"), **url) as socket,
        asyncio.timeout(SECONDS),
    ):
        await socket.send_json({"type": "connection_init"})
        await socket.receive_json()
        await socket.send_json({"id": "1", "type": "subscribe", "payload": {"query": DEFERRED}})
        first = await socket.receive_json()
        held.let_go.set()
        second, end = await socket.receive_json(), await socket.receive_json()
    assert [first, second] == [{"id": "1", "type": "next", "payload": each} for each in DEFERRED_PARTS]
    assert end == {"id": "1", "type": "complete"}


async def test_a_reserved_stream_gets_the_first_piece_before_the_slow_subgraph_answers(
    start_router: StartRouter, held: HeldSubgraph
) -> None:
    async with start_router(subgraphs={"stock": {"url": held.url}}) as router, asyncio.timeout(SECONDS):
        async with router.session.put(router.url) as response:
            headers = {"x-graphql-event-stream-token": await response.text()}
        events = {**headers, "accept": "text/event-stream"}
        async with router.session.get(router.url, headers=events) as stream:
            asked = {"query": DEFERRED, "extensions": {"operationId": "o"}}
            async with router.session.post(router.url, json=asked, headers=headers) as response:
                assert response.status == 202
            first = await stream.content.readuntil(b"\n\n")
            held.let_go.set()
            second = await stream.content.readuntil(b"\n\n")
            end = await stream.content.readuntil(b"\n\n")
    told = [orjson.loads(each.partition(b"data: ")[2]) for each in (first, second)]
    assert told == [{"id": "o", "payload": each} for each in DEFERRED_PARTS]
    assert end == b'event: complete\ndata: {"id":"o"}\n\n'


async def test_so_it_is_in_the_former_format(start_router: StartRouter, held: HeldSubgraph) -> None:
    async with (
        start_router(subgraphs={"stock": {"url": held.url}}) as router,
        asked_by_socket(router, "multipart/mixed;deferSpec=20220824, application/json") as (reader, head),
    ):
        assert f"content-type: {FORMER.lower()}\r\n" in head
        first = await next_part(reader)
        held.let_go.set()
        second = await next_part(reader)
    assert first == {"data": {"products": [{"id": "1"}, {"id": "2"}]}, "hasNext": True}
    assert second == {
        "incremental": [
            {"data": {"inStock": 10}, "path": ["products", 0], "label": "stock"},
            {"data": {"inStock": 20}, "path": ["products", 1], "label": "stock"},
        ],
        "hasNext": False,
    }


async def test_the_rest_of_a_list_does_not_hold_up_its_first_items(
    start_router: StartRouter, held: HeldSubgraph
) -> None:
    query = "{ products @stream(initialCount: 0) { id inStock } token }"
    async with (
        start_router(subgraphs={"stock": {"url": held.url}}) as router,
        asked_by_socket(router, "multipart/mixed", query) as (reader, _),
    ):
        first = await next_part(reader)
        held.let_go.set()
        second = await next_part(reader)
    assert first == {
        "data": {"products": [], "token": None},
        "pending": [{"id": "0", "path": ["products"]}],
        "hasNext": True,
    }
    assert second["incremental"] == [{"id": "0", "items": [{"id": "1", "inStock": 10}, {"id": "2", "inStock": 20}]}]


async def test_a_client_that_leaves_in_between_stops_the_subgraph_request(
    start_router: StartRouter, held: HeldSubgraph
) -> None:
    async with start_router(subgraphs={"stock": {"url": held.url}}) as router:
        async with asked_by_socket(router, "multipart/mixed") as (reader, _):
            await next_part(reader)
            await asyncio.wait_for(held.asked.wait(), SECONDS)
        await asyncio.wait_for(held.given_up.wait(), SECONDS)


async def test_a_client_that_leaves_before_the_first_part_stops_all_requests(
    start_router: StartRouter, held: HeldSubgraph
) -> None:
    async with start_router(subgraphs={"stock": {"url": held.url}}) as router:
        async with asked_by_socket(router, "multipart/mixed", "{ products { inStock ... @defer { id } } }"):
            await asyncio.wait_for(held.asked.wait(), SECONDS)
        await asyncio.wait_for(held.given_up.wait(), SECONDS)


async def test_a_server_that_stops_first_sends_the_pieces_it_owes(
    start_router: StartRouter, held: HeldSubgraph
) -> None:
    async with (
        start_router(subgraphs={"stock": {"url": held.url}}, shutdown_grace_seconds=SECONDS) as router,
        asked_by_socket(router, "multipart/mixed") as (reader, _),
    ):
        await next_part(reader)
        await asyncio.wait_for(held.asked.wait(), SECONDS)
        stopping = asyncio.create_task(router.app.door.close(SECONDS))
        await asyncio.sleep(0)
        held.let_go.set()
        second = await next_part(reader)
        await asyncio.wait_for(stopping, SECONDS)
    assert [each["data"] for each in second["incremental"]] == [{"inStock": 10}, {"inStock": 20}]
    assert second["hasNext"] is False


@pytest.mark.parametrize(
    ("accept", "content_type"),
    [
        ("multipart/mixed", CURRENT),
        ("application/json, multipart/mixed", CURRENT),
        ("multipart/mixed; incrementalSpec=v0.2", CURRENT),
        ("multipart/mixed; incrementalSpec=v0.2, multipart/mixed; deferSpec=20220824;q=0.5", CURRENT),
        ("multipart/mixed; deferSpec=20220824, application/json", FORMER),
        ("application/json", "application/json; charset=utf-8"),
        ("application/graphql-response+json", "application/graphql-response+json; charset=utf-8"),
        ("multipart/mixed; incrementalSpec=v7, application/json", "application/json; charset=utf-8"),
        ("*/*", "application/json; charset=utf-8"),
        ("text/event-stream", "text/event-stream; charset=utf-8"),
    ],
)
async def test_the_accept_header_decides_the_form(router: RunningRouter, accept: str, content_type: str) -> None:
    headers = {"accept": accept}
    async with router.session.post(router.url, json={"query": DEFERRED}, headers=headers) as response:
        assert response.headers["content-type"] == content_type
        text = await response.text()
    assert ('"hasNext":true' in text) is ("multipart" in content_type or "event-stream" in content_type)
    assert ('"pending"' in text) is (content_type == CURRENT or "event-stream" in content_type)


async def test_an_unknown_format_alone_is_not_acceptable(router: RunningRouter) -> None:
    headers = {"accept": "multipart/mixed; deferSpec=20990101"}
    async with router.session.post(router.url, json={"query": DEFERRED}, headers=headers) as response:
        assert response.status == 406


async def test_a_query_that_is_refused_is_refused_before_the_first_part(router: RunningRouter) -> None:
    headers = {"accept": "multipart/mixed, application/graphql-response+json"}
    same_label = '{ products { ... @defer(label: "a") { id } ... @defer(label: "a") { name } } }'
    variable_label = "query ($l: String) { products { ... @defer(label: $l) { id } } }"
    root_mutation = 'mutation { ... @defer { rename(name: "x") { id } } }'
    for query in (same_label, variable_label, root_mutation):
        async with router.session.post(router.url, json={"query": query}, headers=headers) as response:
            answer = await response.json(content_type=None)
            assert response.status == 400, query
            assert answer["errors"][0]["extensions"]["code"] == "GRAPHQL_VALIDATION_FAILED"


async def test_a_query_may_be_deferred_with_get(router: RunningRouter) -> None:
    headers = {"accept": "multipart/mixed", "x-apollo-operation-name": "q"}
    async with router.session.get(router.url, params={"query": DEFERRED}, headers=headers) as response:
        assert response.headers["content-type"] == CURRENT


async def test_a_mutation_runs_once_and_what_was_cached_is_forgotten(
    start_router: StartRouter, shop: Shop, valkey: Valkey, tmp_path: Path
) -> None:
    authorization = {"authorization": token("u1")}
    headers = {"accept": "multipart/mixed", **authorization}
    mutation = 'mutation { rename(name: "Zoe") { id ... @defer { name } } }'
    async with start_router(redis_url=valkey.url, response_cache={"key_prefix": tmp_path.name}) as router:
        assert (await router.ask("{ me { name } }", **authorization))["data"] == {"me": {"name": "Ann"}}
        before = shop.requests["accounts"]
        async with router.session.post(router.url, json={"query": mutation}, headers=headers) as response:
            assert response.headers["content-type"] == CURRENT
            text = await response.text()
        assert shop.requests["accounts"] == before + 1
        assert (await router.ask("{ me { name } }", **authorization))["data"] == {"me": {"name": "Zoe"}}
    assert '{"data":{"rename":{"id":"u1"}},"pending":' in text
    assert '"data":{"name":"Zoe"}' in text


async def test_every_part_brings_its_plan_where_plans_are_shown(start_router: StartRouter) -> None:
    headers = {"accept": "multipart/mixed", "x-query-plan": "1"}
    async with (
        start_router(dev=True) as router,
        router.session.post(router.url, json={"query": DEFERRED}, headers=headers) as response,
    ):
        first, second = [orjson.loads(each) for each in (await response.text()).split("\r\n") if each.startswith("{")]
    assert "stock" not in first["extensions"]["queryPlan"]["text"]
    assert "stock" in second["extensions"]["queryPlan"]["text"]


async def test_what_the_caller_may_not_see_is_told_with_its_piece(router: RunningRouter) -> None:
    query = "{ me { name ... @defer { email salary } } }"
    headers = {"accept": "multipart/mixed", "authorization": token("u1")}
    async with router.session.post(router.url, json={"query": query}, headers=headers) as response:
        first, second = [orjson.loads(each) for each in (await response.text()).split("\r\n") if each.startswith("{")]
    assert first == {"data": {"me": {"name": "Ann"}}, "pending": [{"id": "0", "path": ["me"]}], "hasNext": True}
    (completed,) = second["completed"]
    assert [(each["path"], each["extensions"]["code"]) for each in completed["errors"]] == [
        (["me", "salary"], "UNAUTHORIZED_FIELD_OR_TYPE")
    ]
    assert "incremental" not in second


async def test_many_clients_may_read_pieces_at_once(router: RunningRouter) -> None:
    async def ask(session: aiohttp.ClientSession) -> str:
        async with session.post(
            router.url, json={"query": DEFERRED}, headers={"accept": "multipart/mixed"}
        ) as response:
            return await response.text()

    async with aiohttp.ClientSession() as session:
        texts = await asyncio.gather(*(ask(session) for _ in range(20)))
    assert len(set(texts)) == 1
