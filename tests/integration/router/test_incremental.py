"""@defer and @stream across subgraphs: the first result does not wait for the slow one, and all pieces are the answer."""

from __future__ import annotations

import asyncio
import gc
from collections.abc import AsyncIterator, Mapping
from dataclasses import replace
from typing import Any

import orjson
import pytest

from router.access.demand import CostModel, TooExpensiveError
from router.errors import RequestError, SubgraphHttpError
from router.incremental.answers import AnswersOfRequest
from router.incremental.divisions import MAX_KEPT, DividedOperation, Divisions
from router.loaded_graph import LoadedGraph
from router.operation import Operation
from router.pipeline import Response, prepare, respond_in_pieces, run
from router.prepared_request import OperationRequest, Runtime
from router.transport.in_process import InProcessTransport
from router.transport.protocol import SubgraphAnswer, SubgraphRequest
from tests.integration.router.test_subscribe import SUPERGRAPH

SDL = SUPERGRAPH.replace(
    "type Query @join__type(graph: LIVE) @join__type(graph: NAMES) {",
    "type Query @join__type(graph: LIVE) @join__type(graph: NAMES) {"
    " item: Item @join__field(graph: LIVE) items: [Item!] @join__field(graph: LIVE)"
    " shelf: Shelf @join__field(graph: LIVE)",
).replace(
    "  name: String @join__field(graph: NAMES)\n}",
    "  name: String @join__field(graph: NAMES)\n  title: String! @join__field(graph: NAMES)\n"
    "  note: String @join__field(graph: LIVE)\n}\n"
    "type Shelf @join__type(graph: LIVE) { items: [Item!]! }",
)
GRAPH = LoadedGraph.from_sdl(SDL)


class Subgraphs:
    """`live` answers at once; `names` waits until it is let go."""

    def __init__(self) -> None:
        self.let_go = asyncio.Event()
        self.names_fail = False
        self.bodies: list[str] = []
        self.live_errors: list[dict[str, Any]] = []
        self.names_under_way = 0

    async def live(self, body: bytes) -> bytes:
        self.bodies.append(body.decode())
        items = [{"__typename": "Item", "id": number, "note": None} for number in ("1", "2")]
        data = {"item": {**items[0], "__k0_id": "1"}, "items": items, "shelf": {"items": items}, "version": "7"}
        return orjson.dumps({"data": data, "errors": self.live_errors})

    async def names(self, body: bytes) -> bytes:
        self.names_under_way += 1
        try:
            await self.let_go.wait()
        finally:
            self.names_under_way -= 1
        if self.names_fail:
            return b"gateway timeout"
        wanted = orjson.loads(body)["variables"]["representations"]
        return orjson.dumps({"data": {"_entities": [{"name": f"item {each['id']}"} for each in wanted]}})

    def runtime(self) -> Runtime:
        return Runtime(InProcessTransport(functions={"live": self.live, "names": self.names}))


async def responded(request: OperationRequest, graph: LoadedGraph, runtime: Runtime) -> Response | AsyncIterator[bytes]:
    return await respond_in_pieces(await prepare(replace(request, takes_pieces=True), graph, runtime))


async def begun(subgraphs: Subgraphs, query: str, variables: dict[str, Any] | None = None) -> AsyncIterator[bytes]:
    stream = await responded(OperationRequest(query, variables), GRAPH, subgraphs.runtime())
    assert not isinstance(stream, Response)
    return stream


async def test_the_first_result_does_not_wait_for_the_deferred_fields() -> None:
    subgraphs = Subgraphs()
    stream = await begun(subgraphs, '{ item { id ... @defer(label: "slow") { name } } }')
    first = orjson.loads(await asyncio.wait_for(anext(stream), 60))
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
    second = orjson.loads(await asyncio.wait_for(anext(stream), 60))
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
    response = await responded(OperationRequest(query, {"d": False}), GRAPH, subgraphs.runtime())

    assert isinstance(response, Response)
    assert orjson.loads(response.body) == {"data": {"item": {"id": "1", "name": "item 1"}}}


async def test_what_comes_later_is_decided_by_the_variables_of_each_request() -> None:
    query = (
        "query ($d: Boolean!, $n: Int!, $x: Boolean!) "
        "{ items @stream(initialCount: $n) { id note @include(if: $x) } item { id ... @defer(if: $d) { name } } }"
    )
    for deferred, count, includes in [
        (True, 1, True),
        (False, 1, False),
        (True, 0, False),
        (True, 1, True),
        (True, 2, True),
    ]:
        subgraphs = Subgraphs()
        subgraphs.let_go.set()
        stream = await begun(subgraphs, query, {"d": deferred, "n": count, "x": includes})
        first, *others = [orjson.loads(each) async for each in stream]

        assert len(first["data"]["items"]) == count
        assert all(("note" in item) == includes for item in first["data"]["items"])
        assert ("name" in first["data"]["item"]) != deferred
        told = [piece for payload in others for piece in payload["incremental"]]
        assert len(told) == deferred + (count < 2)


async def test_an_operation_is_divided_once_for_each_set_of_values() -> None:
    query = "query ($n: Int!) { items @stream(initialCount: $n) { id } }"
    graph = LoadedGraph.from_sdl(SDL)
    divisions = graph.derived(Divisions)

    async def divided(count: int) -> DividedOperation | None:
        request = OperationRequest(query, {"n": count}, takes_pieces=True)
        return divisions.of(await prepare(request, graph, Subgraphs().runtime()))

    assert await divided(1) is await divided(1) is not await divided(2)
    for count in range(MAX_KEPT + 3):  # of rare values nothing is kept, and they are divided by all the same
        found = await divided(count)
        assert found is not None
        assert found.split.streams[0].initial_count == count
    assert await divided(MAX_KEPT + 2) is not await divided(MAX_KEPT + 2)


async def test_a_client_that_takes_no_pieces_gets_the_whole_at_once() -> None:
    subgraphs = Subgraphs()
    subgraphs.let_go.set()
    response = await run(OperationRequest("{ item { id ... @defer { name } } }"), GRAPH, subgraphs.runtime())

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


async def test_a_fragment_within_a_deferred_one_is_announced_when_the_outer_one_has_come() -> None:
    subgraphs = Subgraphs()
    stream = await begun(
        subgraphs, '{ ... @defer(label: "outer") { item { id ... @defer(label: "inner") { name } } } version }'
    )
    first, second = [orjson.loads(await asyncio.wait_for(anext(stream), 60)) for _ in range(2)]
    subgraphs.let_go.set()
    third = orjson.loads(await asyncio.wait_for(anext(stream), 60))

    assert first == {
        "data": {"version": "7"},
        "pending": [{"id": "0", "path": [], "label": "outer"}],
        "hasNext": True,
    }
    assert second == {
        "pending": [{"id": "1", "path": ["item"], "label": "inner"}],
        "incremental": [{"id": "0", "data": {"item": {"id": "1"}}}],
        "completed": [{"id": "0"}],
        "hasNext": True,
    }
    assert third == {
        "incremental": [{"id": "1", "data": {"name": "item 1"}}],
        "completed": [{"id": "1"}],
        "hasNext": False,
    }


async def test_introspection_may_stand_beside_and_within_a_deferred_fragment() -> None:
    subgraphs = Subgraphs()
    subgraphs.let_go.set()
    stream = await begun(
        subgraphs,
        '{ __type(name: "Item") { name } item { id ... @defer { name } } ... @defer { __schema { queryType { name } } } }',
    )
    first, *rest = [orjson.loads(each) async for each in stream]

    assert first["data"] == {"__type": {"name": "Item"}, "item": {"id": "1"}}
    pieces = [each["data"] for payload in rest for each in payload.get("incremental", ())]
    assert {"__schema": {"queryType": {"name": "Query"}}} in pieces
    assert {"name": "item 1"} in pieces


async def test_of_very_many_fragments_the_first_come_in_pieces_and_the_others_at_once() -> None:
    subgraphs = Subgraphs()
    subgraphs.let_go.set()

    def deferring(times: int) -> str:
        return "{" + " ".join(f"... @defer {{ v{number}: version }}" for number in range(times)) + "}"

    payloads = [orjson.loads(each) async for each in await begun(subgraphs, deferring(12))]
    assert sum(len(each.get("incremental", ())) for each in payloads) == 12
    first, *others = [orjson.loads(each) async for each in await begun(subgraphs, deferring(40))]
    assert sum(len(each.get("incremental", ())) for each in others) == 32
    assert len(first["data"]) == 8


async def test_a_streamed_list_begins_with_what_is_asked_for_and_the_rest_does_not_hold_it_up() -> None:
    subgraphs = Subgraphs()
    held = subgraphs.names
    held_up: list[str] = []

    async def names(body: bytes) -> bytes:
        if b'"2"' in body:
            held_up.append(body.decode())
            return await held(body)
        return orjson.dumps({"data": {"_entities": [{"name": "item 1"}]}})

    subgraphs.names = names  # type: ignore[method-assign]
    stream = await begun(subgraphs, '{ items @stream(initialCount: 1, label: "rest") { id name } version }')
    first = orjson.loads(await asyncio.wait_for(anext(stream), 60))
    subgraphs.let_go.set()
    last = orjson.loads(await asyncio.wait_for(anext(stream), 60))

    assert first == {
        "data": {"items": [{"id": "1", "name": "item 1"}], "version": "7"},
        "pending": [{"id": "0", "path": ["items"], "label": "rest"}],
        "hasNext": True,
    }
    assert last == {
        "incremental": [{"id": "0", "items": [{"id": "2", "name": "item 2"}]}],
        "completed": [{"id": "0"}],
        "hasNext": False,
    }
    assert len(held_up) == 1
    assert len(subgraphs.bodies) == 1  # the list is asked for once


async def test_an_error_of_a_streamed_item_is_told_with_its_index() -> None:
    subgraphs = Subgraphs()
    subgraphs.names_fail = True
    subgraphs.let_go.set()
    stream = await begun(subgraphs, "query ($n: Int!) { items @stream(initialCount: $n) { id name } }", {"n": 0})
    first, last = [orjson.loads(each) async for each in stream]

    assert first["data"] == {"items": []}
    assert last["incremental"][0]["items"] == [{"id": "1", "name": None}, {"id": "2", "name": None}]
    assert last["incremental"][0]["errors"][0]["extensions"]["code"] == "SUBGRAPH_MALFORMED_RESPONSE"


@pytest.mark.parametrize("variables", [{"n": 2}, {"n": 100}])
async def test_a_list_that_has_no_rest_comes_at_once(variables: dict[str, Any]) -> None:
    subgraphs = Subgraphs()
    subgraphs.let_go.set()
    stream = await begun(subgraphs, "query ($n: Int!) { items @stream(initialCount: $n) { id } }", variables)

    assert [orjson.loads(each) async for each in stream] == [
        {"data": {"items": [{"id": "1"}, {"id": "2"}]}, "hasNext": False}
    ]


@pytest.mark.parametrize(
    ("query", "variables", "code"),
    [
        ("{ items @stream(initialCount: -1) { id } }", None, "GRAPHQL_VALIDATION_FAILED"),
        ("query ($n: Int!) { items @stream(initialCount: $n) { id } }", {"n": -1}, "BAD_USER_INPUT"),
        ("{ item @stream(initialCount: 1) { id } }", None, "GRAPHQL_VALIDATION_FAILED"),
    ],
)
async def test_a_stream_that_cannot_be_is_refused(query: str, variables: dict[str, Any] | None, code: str) -> None:
    with pytest.raises(RequestError) as refused:
        await responded(OperationRequest(query, variables), GRAPH, Subgraphs().runtime())

    assert refused.value.entries()[0]["extensions"]["code"] == code


async def test_a_list_with_deferred_fragments_in_it_is_not_cut() -> None:
    subgraphs = Subgraphs()
    subgraphs.let_go.set()
    stream = await begun(subgraphs, "{ items @stream(initialCount: 1) { id ... @defer { name } } }")
    payloads = [orjson.loads(each) async for each in stream]

    assert payloads[0]["data"] == {"items": [{"id": "1"}, {"id": "2"}]}
    assert len(payloads[-1]["incremental"]) == 2


async def test_an_error_that_the_first_result_told_is_not_told_again_with_a_piece() -> None:
    subgraphs = Subgraphs()
    subgraphs.let_go.set()
    subgraphs.live_errors = [{"message": "no note", "path": ["item", "note"]}]
    stream = await begun(subgraphs, "{ item { id note ... @defer { name } } }")
    first, last = [orjson.loads(each) async for each in stream]

    assert [error["path"] for error in first["errors"]] == [["item", "note"]]
    assert last["incremental"] == [{"id": "0", "data": {"name": "item 1"}}]


async def test_an_error_of_a_deferred_field_is_told_with_its_piece_alone() -> None:
    subgraphs = Subgraphs()
    subgraphs.let_go.set()
    subgraphs.live_errors = [{"message": "no note", "path": ["item", "note"]}]

    async def live(body: bytes) -> bytes:
        if b"note" in body:
            return await Subgraphs.live(subgraphs, body)
        return orjson.dumps({"data": {"item": {"__typename": "Item", "id": "1"}}})

    subgraphs.live = live  # type: ignore[method-assign]
    stream = await begun(subgraphs, "{ item { id ... @defer { note } } }")
    first, last = [orjson.loads(each) async for each in stream]

    assert "errors" not in first
    assert [error["path"] for error in last["incremental"][0]["errors"]] == [["item", "note"]]


async def test_an_error_of_an_item_that_comes_later_is_told_with_that_item() -> None:
    subgraphs = Subgraphs()
    subgraphs.let_go.set()
    subgraphs.live_errors = [
        {"message": "no first note", "path": ["items", 0, "note"]},
        {"message": "no second note", "path": ["items", 1, "note"]},
    ]
    stream = await begun(subgraphs, "{ items @stream(initialCount: 1) { id note } }")
    first, last = [orjson.loads(each) async for each in stream]

    assert [error["path"] for error in first["errors"]] == [["items", 0, "note"]]
    assert [error["path"] for error in last["incremental"][0]["errors"]] == [["items", 1, "note"]]


async def test_a_streamed_list_that_null_took_out_of_the_first_result_has_no_rest() -> None:
    subgraphs = Subgraphs()
    subgraphs.let_go.set()
    stream = await begun(subgraphs, "{ shelf { items @stream(initialCount: 1) { id title } } }")
    payloads = [orjson.loads(each) async for each in stream]

    assert len(payloads) == 1
    assert payloads[0]["data"] == {"shelf": None}
    assert payloads[0]["hasNext"] is False
    assert "pending" not in payloads[0]


async def test_a_client_that_leaves_before_the_first_result_stops_the_rest_of_its_list() -> None:
    subgraphs = Subgraphs()
    before = asyncio.all_tasks()
    stream: Any = await begun(subgraphs, "{ items @stream(initialCount: 1) { name } }")
    first = asyncio.ensure_future(anext(stream))
    async with asyncio.timeout(60):
        while subgraphs.names_under_way < 2:  # the first item, and the rest
            await asyncio.sleep(0)
    first.cancel()
    await asyncio.wait([first])
    await stream.aclose()
    for _ in range(10):
        await asyncio.sleep(0)

    assert subgraphs.names_under_way == 0
    assert asyncio.all_tasks() <= before


@pytest.mark.parametrize("field", ["id", "__typename"])  # the router asks for the key where the client does not
async def test_a_list_that_changed_between_two_requests_is_not_mixed_up(field: str) -> None:
    subgraphs = Subgraphs()

    async def live(body: bytes) -> bytes:
        is_first = b"note" not in body
        items = [{"__typename": "Item", "id": number, "note": f"of {number}"} for number in ("1", "2")]
        return orjson.dumps({"data": {"items": items if is_first else items[::-1]}})

    subgraphs.live = live  # type: ignore[method-assign]
    stream = await begun(subgraphs, f"{{ items {{ {field} ... @defer {{ note }} }} }}")
    first, last = [orjson.loads(each) async for each in stream]

    assert [list(each) for each in first["data"]["items"]] == [[field], [field]]
    assert [each["errors"][0]["extensions"]["code"] for each in last["completed"]] == ["DEFERRED_OBJECT_GONE"] * 2
    assert "incremental" not in last


async def test_a_field_under_the_name_of_a_key_is_not_taken_for_it() -> None:
    subgraphs = Subgraphs()
    subgraphs.let_go.set()
    stream = await begun(subgraphs, "{ item { name ... @defer { id: __typename } } }")
    assert [orjson.loads(each) async for each in stream][-1]["incremental"] == [{"id": "0", "data": {"id": "Item"}}]


async def test_siblings_that_overlap_tell_a_field_once_and_where_it_belongs() -> None:
    subgraphs = Subgraphs()
    stream = await begun(
        subgraphs,
        '{ ... @defer(label: "a") { shelf { items { id } } } ... @defer(label: "b") { shelf { items { id name } } } }',
    )
    first = orjson.loads(await asyncio.wait_for(anext(stream), 60))
    second = orjson.loads(await asyncio.wait_for(anext(stream), 60))
    subgraphs.let_go.set()
    third = orjson.loads(await asyncio.wait_for(anext(stream), 60))

    assert first["data"] == {}
    assert second["incremental"] == [{"id": "0", "data": {"shelf": {"items": [{"id": "1"}, {"id": "2"}]}}}]
    assert third["incremental"] == [
        {"id": "1", "subPath": ["shelf", "items", 0], "data": {"name": "item 1"}},
        {"id": "1", "subPath": ["shelf", "items", 1], "data": {"name": "item 2"}},
    ]
    assert third["completed"] == [{"id": "1"}]


async def test_a_part_that_asks_later_gets_the_answer_of_the_first() -> None:
    subgraphs = Subgraphs()
    subgraphs.let_go.set()
    slow = asyncio.Event()
    names = subgraphs.names

    async def names_later(body: bytes) -> bytes:
        if b"title" in body:
            await slow.wait()
        return await names(body)

    subgraphs.names = names_later  # type: ignore[method-assign]
    stream = await begun(subgraphs, "{ item { name ... @defer { title } } }")
    payloads = [orjson.loads(await anext(stream))]
    slow.set()
    payloads += [orjson.loads(each) async for each in stream]

    assert payloads[0]["data"] == {"item": {"name": "item 1"}}
    assert len(subgraphs.bodies) == 1  # the item itself is asked for once, long before its title
    assert payloads[-1]["completed"][0]["errors"][0]["path"] == ["item", "title"]  # names sends none


async def test_null_goes_no_further_than_the_deferred_fragment() -> None:
    subgraphs = Subgraphs()
    subgraphs.let_go.set()
    stream = await begun(subgraphs, "{ shelf { items { id ... @defer { title } } } }")
    first, last = [orjson.loads(each) async for each in stream]

    assert first["data"] == {"shelf": {"items": [{"id": "1"}, {"id": "2"}]}}
    assert "incremental" not in last
    assert [(each["id"], each["errors"][0]["path"]) for each in last["completed"]] == [
        ("0", ["shelf", "items", 0, "title"]),
        ("1", ["shelf", "items", 1, "title"]),
    ]


async def test_a_client_that_leaves_stops_the_requests_of_deferred_parts() -> None:
    subgraphs = Subgraphs()
    stream: Any = await begun(subgraphs, "{ items { id ... @defer { name } ... @defer { title } } }")
    await anext(stream)
    async with asyncio.timeout(60):
        while subgraphs.names_under_way < 2:
            await asyncio.sleep(0)
    await stream.aclose()
    async with asyncio.timeout(60):
        while subgraphs.names_under_way:
            await asyncio.sleep(0)


async def test_nobody_complains_of_a_failure_that_nobody_waits_for() -> None:
    complaints: list[Any] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: complaints.append(context))
    failing: asyncio.Future[SubgraphAnswer] = asyncio.get_running_loop().create_future()

    class Transport:
        def send(self, _: SubgraphRequest) -> asyncio.Future[SubgraphAnswer]:
            return failing

    AnswersOfRequest(Transport()).send(SubgraphRequest("names", "", b"{}"))
    failing.set_exception(SubgraphHttpError("The subgraph failed.", "names"))
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    gc.collect()
    assert not complaints


@pytest.mark.parametrize(
    ("query", "cost"),
    [
        ("{ items { id ... @defer { name } } }", 10),  # ten items
        ("{ items { id ... @defer { note } } }", 20),  # `live` is asked for the items once more
        ("{ items { id ... @defer { note } ... @defer { more: note } } }", 30),
        ("{ items { id ... @defer { note } ... @defer { again: id } } }", 20),  # what must not be null: by the key
        ("{ item { id } ... @defer { version } }", 1),  # nothing leads to the root
    ],
)
async def test_a_way_that_subgraphs_go_twice_costs_twice(query: str, cost: float) -> None:
    costs: list[float] = []
    model = CostModel.from_sdl(GRAPH.supergraph.sdl if GRAPH.supergraph else "", GRAPH.api_schema, 10)

    def check(operation: Operation, variables: Mapping[str, Any]) -> None:
        costs.append(model.cost_of(operation, variables))

    subgraphs = Subgraphs()
    await responded(OperationRequest(query), GRAPH, Runtime(subgraphs.runtime().transport, check_cost=check))

    assert costs == [cost]


async def test_what_costs_too_much_in_pieces_is_refused_before_anything_is_asked() -> None:
    subgraphs = Subgraphs()

    def refuse(_: Operation, __: Mapping[str, Any]) -> None:
        raise TooExpensiveError(2, 1)

    runtime = Runtime(subgraphs.runtime().transport, check_cost=refuse)
    with pytest.raises(TooExpensiveError):
        await responded(OperationRequest("{ item { id ... @defer { name } } }"), GRAPH, runtime)
    assert not subgraphs.bodies
