"""Subscriptions through the pipeline, from a real Strawberry server over WebSocket and over SSE."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable
from typing import Any

import orjson
import pytest
import strawberry
from strawberry.asgi import GraphQL
from strawberry.subscriptions import GRAPHQL_TRANSPORT_WS_PROTOCOL
from websockets.asyncio.server import ServerConnection
from websockets.asyncio.server import serve as serve_websockets

from router.access.authorization import Authorization, Denial
from router.access.caller import Caller
from router.loaded_graph import LoadedGraph
from router.operation import Operation
from router.pipeline import prepare, subscribe
from router.prepared_request import OperationRequest, Runtime
from router.transport.in_process import InProcessTransport
from router.transport.shared_streams import SharedStreams
from router.transport.subscription_source import PROTOCOL, InProcessSource, SubscriptionSource, WebSocketSource
from tests.testkit.strawberry_shop import serving

SUPERGRAPH = """
schema @link(url: "https://specs.apollo.dev/link/v1.0") @link(url: "https://specs.apollo.dev/join/v0.3", for: EXECUTION) {
  query: Query
  subscription: Subscription
}
directive @join__field(graph: join__Graph, requires: join__FieldSet, provides: join__FieldSet, type: String, external: Boolean, override: String, usedOverridden: Boolean) repeatable on FIELD_DEFINITION | INPUT_FIELD_DEFINITION
directive @join__graph(name: String!, url: String!) on ENUM_VALUE
directive @join__type(graph: join__Graph!, key: join__FieldSet, extension: Boolean! = false, resolvable: Boolean! = true, isInterfaceObject: Boolean! = false) repeatable on OBJECT | INTERFACE | UNION | ENUM | INPUT_OBJECT | SCALAR
directive @link(url: String, as: String, for: link__Purpose, import: [link__Import]) repeatable on SCHEMA
scalar join__FieldSet
scalar link__Import
enum link__Purpose { SECURITY EXECUTION }
enum join__Graph {
  LIVE @join__graph(name: "live", url: "http://unused")
  NAMES @join__graph(name: "names", url: "http://unused")
}
type Query @join__type(graph: LIVE) @join__type(graph: NAMES) { version: String @join__field(graph: LIVE) }
type Subscription @join__type(graph: LIVE) { counted(to: Int!, failAt: Int): Item @join__field(graph: LIVE) }
type Item @join__type(graph: LIVE, key: "id") @join__type(graph: NAMES, key: "id") {
  id: ID!
  name: String @join__field(graph: NAMES)
}
"""


@strawberry.type
class Item:
    id: strawberry.ID


@strawberry.type
class Query:
    version: str = "1"


closed = asyncio.Event()


@strawberry.type
class Subscription:
    @strawberry.subscription
    async def counted(self, to: int, fail_at: int | None = None) -> AsyncGenerator[Item | None, None]:
        try:
            for number in range(to):
                if number == fail_at:
                    raise ValueError("counted too far")
                yield Item(id=strawberry.ID(str(number)))
        finally:
            closed.set()


SCHEMA = strawberry.Schema(Query, subscription=Subscription)


async def names(body: bytes) -> bytes:
    variables = orjson.loads(body)["variables"]
    entities = [{"name": f"item {each['id']}"} for each in variables["representations"]]
    return orjson.dumps({"data": {"_entities": entities}})


@pytest.fixture
async def server_url() -> AsyncIterator[str]:
    app: Any = GraphQL(SCHEMA, graphql_ide=None, subscription_protocols=(GRAPHQL_TRANSPORT_WS_PROTOCOL, "graphql-sse"))
    closed.clear()
    async with serving(app) as port:
        yield f"http://127.0.0.1:{port}/graphql"


async def events(source: SubscriptionSource, query: str, variables: dict[str, Any] | None = None) -> list[Any]:
    graph = LoadedGraph.from_sdl(SUPERGRAPH)
    runtime = Runtime(InProcessTransport(functions={"names": names}), source)
    stream = await subscribe(await prepare(OperationRequest(query, variables), graph, runtime))
    return [orjson.loads(body) async for body in stream]


def websocket(url: str) -> WebSocketSource:
    return WebSocketSource({"live": url})


def event_stream(url: str) -> WebSocketSource:
    return WebSocketSource({"live": url}, frozenset({"live"}))


@pytest.mark.parametrize("make", [websocket, event_stream])
async def test_every_event_is_completed_by_other_subgraphs(
    make: Callable[[str], WebSocketSource], server_url: str
) -> None:
    source = make(server_url)
    received = await events(source, "subscription ($n: Int!) { counted(to: $n) { name id } }", {"n": 3})
    await source.close()

    assert received == [{"data": {"counted": {"name": f"item {n}", "id": str(n)}}} for n in range(3)]


@pytest.mark.parametrize("make", [websocket, event_stream])
async def test_a_failing_event_is_told_and_ends_the_stream(
    make: Callable[[str], WebSocketSource], server_url: str
) -> None:
    source = make(server_url)
    received = await events(source, "subscription { counted(to: 5, failAt: 1) { name } }")
    await source.close()

    assert received[0] == {"data": {"counted": {"name": "item 0"}}}
    assert received[1]["errors"][0]["message"] == "counted too far"
    assert received[1]["errors"][0]["extensions"]["service"] == "live"
    assert len(received) == 2


async def test_a_client_that_leaves_closes_the_subgraphs_stream(server_url: str) -> None:
    source = websocket(server_url)
    graph = LoadedGraph.from_sdl(SUPERGRAPH)
    runtime = Runtime(InProcessTransport(functions={"names": names}), source)
    request = OperationRequest("subscription { counted(to: 100000000) { id } }")
    stream: Any = await subscribe(await prepare(request, graph, runtime))
    await anext(stream)
    await stream.aclose()

    await asyncio.wait_for(closed.wait(), 60)
    await source.close()


async def test_a_subgraph_that_cannot_be_reached_is_one_event_with_a_code() -> None:
    source = WebSocketSource({"live": "http://127.0.0.1:1/graphql"})
    received = await events(source, "subscription { counted(to: 1) { id } }")
    await source.close()

    assert received == [
        {
            "errors": [
                {
                    "message": "The subscription to the subgraph broke.",
                    "path": ["counted"],
                    "extensions": {"code": "SUBREQUEST_HTTP_ERROR", "service": "live"},
                }
            ],
            "data": {"counted": None},
        }
    ]


async def test_events_can_come_from_this_process() -> None:
    async def live(_body: bytes) -> AsyncIterator[bytes]:
        yield b'{"data":{"counted":{"id":"9"}}}'
        yield b'{"data":{"counted":null}}'

    received = await events(InProcessSource({"live": live}), "subscription { counted(to: 1) { id name } }")

    assert received == [{"data": {"counted": {"id": "9", "name": "item 9"}}}, {"data": {"counted": None}}]


async def test_a_query_sent_as_a_subscription_is_one_event() -> None:
    source = InProcessSource({})

    assert await events(source, "{ __typename }") == [{"data": {"__typename": "Query"}}]


async def events_of_server(serve: Callable[[ServerConnection], Awaitable[None]]) -> list[dict[str, Any]]:
    subprotocols: Any = [PROTOCOL]
    async with serve_websockets(serve, "127.0.0.1", 0, subprotocols=subprotocols) as server:
        source = websocket(f"http://127.0.0.1:{next(iter(server.sockets)).getsockname()[1]}/graphql")
        received = await events(source, "subscription { counted(to: 1) { id } }")
        await source.close()
    return received


@pytest.mark.parametrize("code", [1001, 1012])
async def test_a_subgraph_that_restarts_is_subscribed_to_again(code: int) -> None:
    connections = 0

    async def serve(socket: ServerConnection) -> None:
        nonlocal connections
        connections += 1
        await socket.recv()
        await socket.send('{"type":"connection_ack"}')
        await socket.recv()
        event = {"id": "1", "type": "next", "payload": {"data": {"counted": {"id": str(connections)}}}}
        await socket.send(orjson.dumps(event).decode())
        if connections == 3:
            await socket.send('{"id":"1","type":"complete"}')
        else:
            await socket.close(code)

    received = await events_of_server(serve)

    assert received == [{"data": {"counted": {"id": str(number)}}} for number in (1, 2, 3)]


async def test_a_subgraph_that_does_not_come_back_ends_the_subscription(monkeypatch: pytest.MonkeyPatch) -> None:
    async def serve(socket: ServerConnection) -> None:
        await socket.close(1012)

    monkeypatch.setattr("router.transport.subscription_source.RESTART_PAUSES_SECONDS", (0.01, 0.01))
    received = await events_of_server(serve)

    assert [error["message"] for error in received[0]["errors"]] == ["The subgraph closed the subscription."]
    assert len(received) == 1


class Audience:
    """Clients of one event, which comes when all of them listen."""

    def __init__(self, *, shares_events: bool = True) -> None:
        self.asked_for_names = 0
        self._happens = asyncio.Event()
        self._graph = LoadedGraph.from_sdl(SUPERGRAPH)
        source = SharedStreams(InProcessSource({"live": self._live}))
        transport = InProcessTransport(functions={"names": self._names})
        self._runtime = Runtime(transport, source, authorize=self._authorize, shares_events=shares_events)

    async def told(self, *requests: OperationRequest) -> list[Any]:
        listening = [asyncio.ensure_future(self._listen(each)) for each in requests]
        await asyncio.sleep(0.05)
        self._happens.set()
        return [orjson.loads(body) for body in await asyncio.gather(*listening)]

    async def _listen(self, request: OperationRequest) -> bytes:
        stream: Any = await subscribe(await prepare(request, self._graph, self._runtime))
        body: bytes = await anext(stream)
        await stream.aclose()
        return body

    async def _live(self, _body: bytes) -> AsyncIterator[bytes]:
        await self._happens.wait()
        yield b'{"data":{"counted":{"__typename":"Item","id":"9"}}}'

    async def _names(self, body: bytes) -> bytes:
        self.asked_for_names += 1
        return await names(body)

    def _authorize(self, operation: Operation, caller: Caller) -> Authorization:
        """Who has no scope is told no name."""
        if caller.scopes:
            return Authorization(operation)
        denial = Denial(("counted", "name"), (frozenset(), frozenset()), "Item.name", None)
        return Authorization(operation, (denial,))


NAMED = "subscription { counted(to: 1) { id name } }"
NINE = {"data": {"counted": {"id": "9", "name": "item 9"}}}


async def test_an_event_is_completed_once_for_all_who_ask_the_same() -> None:
    audience = Audience()
    friend = Caller("ann", scopes=frozenset({"names"}))
    requests = [
        OperationRequest(NAMED, caller=friend, headers=(("x-request-id", f"r{number}"),)) for number in range(20)
    ]

    assert await audience.told(*requests) == [NINE] * 20
    assert audience.asked_for_names == 1


async def test_other_callers_headers_and_fields_have_a_body_of_their_own() -> None:
    audience = Audience()
    ann, ben = (Caller(name, scopes=frozenset({"names"})) for name in ("ann", "ben"))
    told = await audience.told(
        OperationRequest(NAMED, caller=ann),
        OperationRequest(NAMED, caller=ben),
        OperationRequest(NAMED, caller=ann, headers=(("accept-language", "fr"),)),
        OperationRequest(NAMED.replace("id ", ""), caller=ann),
        OperationRequest(NAMED),
    )

    assert told[:4] == [NINE, NINE, NINE, {"data": {"counted": {"name": "item 9"}}}]
    assert told[4]["data"] == {"counted": {"id": "9", "name": None}}
    assert [error["path"] for error in told[4]["errors"]] == [["counted", "name"]]
    assert audience.asked_for_names == 5


async def test_where_nothing_is_shared_each_completes_the_event() -> None:
    audience = Audience(shares_events=False)
    friend = Caller("ann", scopes=frozenset({"names"}))

    assert await audience.told(*[OperationRequest(NAMED, caller=friend)] * 5) == [NINE] * 5
    assert audience.asked_for_names == 5
