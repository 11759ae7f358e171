"""@defer across subgraphs: the first result does not wait for the slow one, and all pieces together are the answer."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import orjson

from router.executor.transport import InProcessTransport
from router.loaded_graph import LoadedGraph
from router.pipeline import OperationRequest, Response, Runtime, answer, answer_incrementally
from tests.integration.router.test_subscribe import SUPERGRAPH

GRAPH = LoadedGraph.from_sdl(
    SUPERGRAPH.replace(
        "type Query @join__type(graph: LIVE) @join__type(graph: NAMES) {",
        "type Query @join__type(graph: LIVE) @join__type(graph: NAMES) {"
        " item: Item @join__field(graph: LIVE) items: [Item!] @join__field(graph: LIVE)",
    )
)


class Subgraphs:
    """`live` answers at once; `names` waits until it is let go."""

    def __init__(self) -> None:
        self.let_go = asyncio.Event()
        self.names_fail = False
        self.bodies: list[str] = []

    async def live(self, body: bytes) -> bytes:
        self.bodies.append(body.decode())
        items = [{"__typename": "Item", "id": "1"}, {"__typename": "Item", "id": "2"}]
        return orjson.dumps({"data": {"item": items[0], "items": items, "version": "7"}})

    async def names(self, body: bytes) -> bytes:
        await self.let_go.wait()
        if self.names_fail:
            return b"gateway timeout"
        wanted = orjson.loads(body)["variables"]["representations"]
        return orjson.dumps({"data": {"_entities": [{"name": f"item {each['id']}"} for each in wanted]}})

    def runtime(self) -> Runtime:
        return Runtime(InProcessTransport(functions={"live": self.live, "names": self.names}))


async def begun(subgraphs: Subgraphs, query: str, variables: dict[str, Any] | None = None) -> AsyncIterator[bytes]:
    stream = await answer_incrementally(OperationRequest(query, variables), GRAPH, subgraphs.runtime())
    assert not isinstance(stream, Response)
    return stream


async def test_the_first_result_does_not_wait_for_the_deferred_fields() -> None:
    subgraphs = Subgraphs()
    stream = await begun(subgraphs, '{ item { id ... @defer(label: "slow") { name } } }')
    first = orjson.loads(await asyncio.wait_for(anext(stream), 1))
    subgraphs.let_go.set()
    rest = [orjson.loads(each) async for each in stream]

    assert first == {
        "data": {"item": {"id": "1"}},
        "pending": [{"id": "0", "path": ["item"], "label": "slow"}],
        "hasNext": True,
    }
    assert rest == [
        {"incremental": [{"id": "0", "data": {"name": "item 1"}}], "completed": [{"id": "0"}], "hasNext": False}
    ]
    assert len(subgraphs.bodies) == 1  # what both parts need is asked once


async def test_every_object_of_a_list_gets_its_piece() -> None:
    subgraphs = Subgraphs()
    subgraphs.let_go.set()
    stream = await begun(subgraphs, "{ items { id ...F @defer } } fragment F on Item { name }")
    first, last = [orjson.loads(each) async for each in stream]

    assert [each["path"] for each in first["pending"]] == [["items", 0], ["items", 1]]
    assert last["incremental"] == [{"id": "0", "data": {"name": "item 1"}}, {"id": "1", "data": {"name": "item 2"}}]


async def test_several_fragments_come_each_when_it_is_ready() -> None:
    subgraphs = Subgraphs()
    stream = await begun(
        subgraphs, '{ item { id ... @defer(label: "n") { name } } ... @defer(label: "v") { version } }'
    )
    first = orjson.loads(await anext(stream))
    second = orjson.loads(await asyncio.wait_for(anext(stream), 1))
    subgraphs.let_go.set()
    third = orjson.loads(await anext(stream))

    assert {each["label"]: each["path"] for each in first["pending"]} == {"n": ["item"], "v": []}
    assert second["incremental"][0]["data"] == {"version": "7"}
    assert second["hasNext"] is True
    assert third["incremental"][0]["data"] == {"name": "item 1"}
    assert third["hasNext"] is False


async def test_a_failed_fetch_is_told_with_its_piece() -> None:
    subgraphs = Subgraphs()
    subgraphs.names_fail = True
    subgraphs.let_go.set()
    stream = await begun(subgraphs, "{ item { id ... @defer { name } } }")
    first, last = [orjson.loads(each) async for each in stream]

    assert "errors" not in first
    assert last["incremental"][0]["data"] == {"name": None}
    assert last["incremental"][0]["errors"][0]["extensions"]["code"] == "SUBGRAPH_MALFORMED_RESPONSE"


async def test_defer_that_is_switched_off_is_one_answer() -> None:
    subgraphs = Subgraphs()
    subgraphs.let_go.set()
    query = "query ($d: Boolean!) { item { id ... @defer(if: $d) { name } } }"
    response = await answer_incrementally(OperationRequest(query, {"d": False}), GRAPH, subgraphs.runtime())

    assert isinstance(response, Response)
    assert orjson.loads(response.body) == {"data": {"item": {"id": "1", "name": "item 1"}}}


async def test_a_client_that_takes_no_pieces_gets_the_whole_at_once() -> None:
    subgraphs = Subgraphs()
    subgraphs.let_go.set()
    response = await answer(OperationRequest("{ item { id ... @defer { name } } }"), GRAPH, subgraphs.runtime())

    assert orjson.loads(response.body) == {"data": {"item": {"id": "1", "name": "item 1"}}}


async def test_a_client_that_leaves_stops_the_rest() -> None:
    subgraphs = Subgraphs()
    before = asyncio.all_tasks()
    stream: Any = await begun(subgraphs, "{ item { id ... @defer { name } } }")
    await anext(stream)
    await stream.aclose()
    await asyncio.sleep(0)

    for _ in range(5):
        await asyncio.sleep(0)

    assert asyncio.all_tasks() <= before
