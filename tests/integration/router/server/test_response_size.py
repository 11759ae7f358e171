"""What is too large for a client is told in its place, over every transport, and is not written to find that out."""

from __future__ import annotations

import tracemalloc
from typing import Any

import orjson
import pytest

from router.loaded_graph import LoadedGraph
from router.pipeline import Response, prepare, respond_in_pieces, run
from router.prepared_request import OperationRequest, Runtime
from router.telemetry import REGISTRY
from router.transport.in_process import InProcessTransport
from tests.integration.router.server.test_event_stream import EVENTS, MULTIPART, parts_of
from tests.integration.router.server.test_websocket import connected
from tests.testkit.running_router import RunningRouter, StartRouter, token
from tests.testkit.strawberry_shop import SUPERGRAPH, Shop

MOST = 1_024
BOUNDED: dict[str, Any] = {"limits": {"response_bytes": MOST}}
TOO_LARGE = {
    "message": f"The response is larger than {MOST} bytes.",
    "extensions": {"maximum": MOST, "code": "RESPONSE_TOO_LARGE"},
}
NOTHING = {"errors": [TOO_LARGE], "data": None}
OWNERS = "{ products { owner { name } } }"
TICKS = "subscription { ticks(count: 2) { n owner { name } } }"
MULTIPART_PIECES = {"accept": "multipart/mixed, application/json"}


def counted(operation_type: str) -> float:
    return REGISTRY.get_sample_value("router_responses_too_large_total", {"type": operation_type}) or 0.0


async def test_a_response_may_be_as_large_as_the_setting_says(start_router: StartRouter, shop: Shop) -> None:
    async with start_router(**BOUNDED) as router:
        frame = len('{"data":{"user":{"name":""}}}')
        for _ in range(3):  # projected plainly, then by the subgraph's own bytes
            shop.names["u2"] = "x" * (MOST - frame)
            answer = await router.ask('{ user(id: "u2") { name } }')
            assert answer == {"data": {"user": {"name": shop.names["u2"]}}}
            before = counted("query")
            shop.names["u2"] += "x"
            assert await router.ask('{ user(id: "u2") { name } }') == NOTHING
            assert counted("query") == before + 1


async def test_what_stands_in_several_places_counts_in_each(start_router: StartRouter, shop: Shop) -> None:
    async with start_router(**BOUNDED) as router:
        for _ in range(2):
            shop.names["u1"] = "x" * 600  # of both products
            assert await router.ask(OWNERS) == NOTHING
            assert (await router.ask("{ products { id } }"))["data"]["products"][1] == {"id": "2"}
            shop.names["u1"] = "x" * 400
            assert (await router.ask(OWNERS))["data"]["products"][1] == {"owner": {"name": "x" * 400}}


async def test_a_mutation_says_that_it_has_run(start_router: StartRouter, shop: Shop) -> None:
    async with start_router(**BOUNDED) as router:
        name = "y" * MOST
        answer = await router.ask(
            "mutation($n: String!) { rename(name: $n) { name } }", {"n": name}, authorization=token()
        )
    assert answer["data"] is None
    assert answer["errors"][0]["message"] == f"The response is larger than {MOST} bytes. The mutation has run."
    assert shop.names["u1"] == name


async def test_a_batch_has_the_bound_of_one_response_for_all(start_router: StartRouter, shop: Shop) -> None:
    """Each of ten would fit by itself."""
    shop.names["u1"] = "x" * 200
    write = {"query": f'mutation {{ rename(name: "{"y" * 200}") {{ name }} }}'}
    batching = {"enabled": True, "max_size": 10}
    async with start_router(batching=batching, **BOUNDED) as router:
        before = counted("query") + counted("mutation")
        body = [{"query": f'{{ a{number}: user(id: "u1") {{ name }} }}'} for number in range(9)]
        async with router.session.post(router.url, json=[*body, write], headers={"authorization": token()}) as response:
            answers = await response.json()
        kept = [answer for answer in answers if "errors" not in answer]
        told = [answer for answer in answers if "errors" in answer]
        assert 0 < len(kept) < 5
        assert sum(len(orjson.dumps(answer)) for answer in kept) <= MOST
        assert {answer["errors"][0]["extensions"]["code"] for answer in told} == {"RESPONSE_TOO_LARGE"}
        assert all(answer["data"] is None for answer in told)
        assert (
            [*(f"a{number}" for number in range(9))]
            == [  # each is in its place
                next(iter(answer["data"])) if answer["data"] else f"a{number}"
                for number, answer in enumerate(answers[:9])
            ]
        )
        assert counted("query") + counted("mutation") == before + len(told)
        async with router.session.post(router.url, json=body[:4]) as response:
            assert all(answer["data"] for answer in await response.json())


async def test_an_event_that_is_too_large_is_told_and_the_next_one_comes(start_router: StartRouter, shop: Shop) -> None:
    shop.names["u2"] = "x" * MOST
    async with start_router(**BOUNDED) as router:
        before = counted("subscription")
        async with router.session.post(router.url, json={"query": TICKS}, headers=EVENTS) as response:
            blocks = (await response.text()).split("\n\n")
        told = [orjson.loads(block.partition("data: ")[2]) for block in blocks if block.startswith("event: next")]
        assert told == [NOTHING, NOTHING]
        async with router.session.post(router.url, json={"query": TICKS}, headers=MULTIPART) as response:
            assert (await response.text()).count('"code":"RESPONSE_TOO_LARGE"') == 2
        socket = await connected(router)
        await socket.send_json({"id": "t", "type": "subscribe", "payload": {"query": TICKS}})
        for _ in range(2):
            assert await socket.receive_json(timeout=60) == {"id": "t", "type": "next", "payload": NOTHING}
        assert await socket.receive_json(timeout=60) == {"id": "t", "type": "complete"}
        await socket.send_json({"id": "q", "type": "subscribe", "payload": {"query": OWNERS}})
        assert (await socket.receive_json(timeout=60))["payload"]["data"]["products"][0]["owner"] == {"name": "Ann"}
        await socket.close()
        assert counted("subscription") == before + 6


async def pieces(router: RunningRouter, query: str) -> list[Any]:
    async with router.session.post(router.url, json={"query": query}, headers=MULTIPART_PIECES) as response:
        return parts_of(await response.text())


async def test_a_piece_that_is_too_large_fails_where_it_belongs(start_router: StartRouter, shop: Shop) -> None:
    shop.names["u1"] = "x" * MOST
    async with start_router(**BOUNDED) as router:
        first, last = await pieces(router, '{ products { id ... @defer(label: "owner") { owner { name } } } }')
        assert first["data"] == {"products": [{"id": "1"}, {"id": "2"}]}
        assert last == {
            "completed": [
                {"id": str(index), "errors": [{**TOO_LARGE, "path": ["products", index]}]} for index in (0, 1)
            ],
            "hasNext": False,
        }
        only = await pieces(router, "{ products { owner { name } ... @defer { inStock } } }")
        assert only == [{**NOTHING, "hasNext": False}]


def _long_named_owner_of(products: list[dict[str, Any]]) -> Runtime:
    """Subgraphs of these products and of their owner, whose name is 100 kB."""

    async def catalog(_: bytes) -> bytes:
        return orjson.dumps({"data": {"products": products}})

    async def accounts(_: bytes) -> bytes:
        return orjson.dumps({"data": {"_entities": [{"name": "x" * 100_000}]}})

    return Runtime(InProcessTransport(functions={"catalog": catalog, "accounts": accounts}))


async def test_a_response_of_gigabytes_is_refused_without_making_it() -> None:
    """An owner of 100 kB in 20,000 places: 2 GB, of half a megabyte that was fetched."""
    owned = [{"owner": {"__typename": "User", "id": "u1"}} for _ in range(20_000)]
    graph, runtime = LoadedGraph.from_sdl(SUPERGRAPH), _long_named_owner_of(owned)
    await run(OperationRequest("{ products { id } }"), graph, runtime)
    for _ in range(2):  # the second time with the compiled projection
        tracemalloc.start()
        try:
            response = await run(OperationRequest(OWNERS), graph, runtime)
            _, peak = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()
        assert response.error_codes == ("RESPONSE_TOO_LARGE",)
        assert response.body.endswith(b'"data":null}')
        assert peak < 64 * 1024 * 1024


@pytest.mark.parametrize("former", [False, True])
@pytest.mark.parametrize(
    "query", ["{ products { id ... @defer { owner { name } } } }", "{ products { owner { name } ... @defer { id } } }"]
)
async def test_nor_are_pieces_of_gigabytes_made(query: str, former: bool) -> None:
    """An owner of 100 kB in 2,000 places: 200 MB, told too large before it is written."""
    owned = [
        {"__typename": "Product", "id": str(number), "owner": {"__typename": "User", "id": "u1"}}
        for number in range(2_000)
    ]
    graph, runtime = LoadedGraph.from_sdl(SUPERGRAPH), _long_named_owner_of(owned)
    for _ in range(2):  # the second time with the compiled projections
        tracemalloc.start()
        try:
            request = OperationRequest(query, takes_pieces=True, repeats_fields=former)
            payloads = await respond_in_pieces(await prepare(request, graph, runtime))
            assert not isinstance(payloads, Response)
            bodies = [body async for body in payloads]
            _, peak = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()
        assert bodies[-1].count(b"RESPONSE_TOO_LARGE") == (2_000 if "id ..." in query else 1)
        assert bodies[-1].endswith(b'"hasNext":false}')
        assert peak < 32 * 1024 * 1024


@pytest.mark.parametrize(("most", "expected"), [(400, None), (10_000, {"id": "u1", "name": "Ann"})])
async def test_what_one_operation_fetches_is_bounded_and_the_rest_stands(
    start_router: StartRouter, shop: Shop, most: int, expected: Any
) -> None:
    shop.names["u2"] = "x" * 350
    async with start_router(limits={"fetched_bytes": most}) as router:
        answer = await router.ask('{ products { id } user(id: "u2") { name } one: user(id: "u1") { id name } }')
    assert answer["data"]["products"] == [{"id": "1"}, {"id": "2"}]
    assert answer["data"]["one"] == expected
    codes = {error["extensions"]["code"] for error in answer.get("errors", [])}
    assert codes == (set() if expected else {"SUBGRAPH_RESPONSE_TOO_LARGE"})


async def test_an_event_of_a_subgraph_has_its_bound(start_router: StartRouter) -> None:
    async with start_router(subscriptions={"max_event_bytes": 60}) as router:
        query = "subscription { ticks(count: 2) { n " + "".join(f"a{number}: n " for number in range(20)) + "} }"
        async with router.session.post(router.url, json={"query": query}, headers=EVENTS) as response:
            text = await response.text()
    assert text.count("event: next") == 1
    assert '"code":"SUBGRAPH_RESPONSE_TOO_LARGE"' in text
