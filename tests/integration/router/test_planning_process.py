"""Long and hostile operations: the event loop goes on, and each is answered or refused in bounded time."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from functools import partial
from types import NoneType
from typing import Self

import orjson
import pytest
import uvloop
from graphql import get_introspection_query

from router import loaded_graph, planning_process
from router.access.authorization import AuthorizationRules, Requirement
from router.access.caller import Caller
from router.access.demand import DemandControl
from router.errors import PlanningFailedError, PlanningTimeoutError, RequestError
from router.loaded_graph import GraphOptions, LoadedGraph
from router.operation import DocumentLimits, Operation
from router.pipeline import Response, run
from router.planning_pool import PlanningPool
from router.planning_process import PlanningProcess, PrepareJob
from router.prepared_request import OperationRequest, Runtime
from router.settings import DemandControl as DemandSettings
from router.transport.in_process import InProcessTransport
from schema import SubgraphSource, compose
from tests.integration.router.test_subscribe import SUPERGRAPH
from tests.testkit.hard_supergraphs import chain, many_types, shared_by_many, union_in_union, wide_interface

MAX_BLOCKED_SECONDS = 0.05


@pytest.fixture(autouse=True, scope="module")
async def the_last_child_is_buried() -> AsyncIterator[None]:
    """A killed child tells the loop a moment later; the loop may end with this module."""
    yield
    await asyncio.sleep(0.2)


class LoopWork:
    """The longest piece of work that the event loop did at once, in this thread's CPU time: others may run here too.

    What the test's own task does before it waits is not seen, so what is measured runs in a task of its own.
    """

    def __enter__(self) -> Self:
        self.worst = 0.0
        gc.collect()
        gc.freeze()  # what the tests before left behind is not this loop's to look through
        run = self._run = asyncio.Handle._run

        def measured(handle: asyncio.Handle) -> None:
            began = time.thread_time()
            run(handle)
            self.worst = max(self.worst, time.thread_time() - began)

        asyncio.Handle._run = measured  # type: ignore[method-assign]
        return self

    def __exit__(self, *_: object) -> None:
        asyncio.Handle._run = self._run  # type: ignore[method-assign]
        gc.unfreeze()


async def answered(graph: LoadedGraph, text: str) -> Response:
    async def live(_body: bytes) -> bytes:
        return b'{"data":{}}'

    return await run(OperationRequest(text), graph, Runtime(InProcessTransport(functions={"live": live})))


def wide(fields: int) -> str:
    return "{ " + " ".join(f"a{number}: version" for number in range(fields)) + " }"


async def test_a_long_operation_is_planned_without_holding_up_the_loop() -> None:
    graph = LoadedGraph.from_sdl(SUPERGRAPH)
    await answered(graph, wide(151))  # starts the child
    with LoopWork() as work:
        response = await answered(graph, wide(480))
    graph.close()

    assert response.status == 200
    assert len(orjson.loads(response.body)["data"]) == 480
    assert 0 < work.worst < MAX_BLOCKED_SECONDS


async def test_a_graph_that_is_replaced_still_plans_what_was_asked_of_it() -> None:
    graph = LoadedGraph.from_sdl(SUPERGRAPH)
    await answered(graph, wide(151))  # starts the child
    under_way = [asyncio.create_task(answered(graph, wide(fields))) for fields in (480, 481)]
    await asyncio.sleep(0.01)
    (process,) = graph._planning._busy  # type: ignore[union-attr]
    child = process._child
    graph.retire()
    assert [(await response).status for response in under_way] == [200, 200]
    assert child is not None
    assert await asyncio.wait_for(child.wait(), 60) != 0


def many_ways() -> str:
    """A graph of 12 subgraphs that share almost everything: there are very many ways to answer an operation."""
    link = (
        'extend schema @link(url: "https://specs.apollo.dev/federation/v2.8", '
        'import: ["@key", "@shareable", "@external", "@requires"])\n'
    )
    sources = [
        SubgraphSource(
            f"s{number}",
            f"{link} type Query {{ shared: T @shareable }} "
            f'type T @key(fields: "id") {{ id: ID! f{number}: Int t: T @shareable v: V @shareable '
            + (
                f"r{number - 1}: Int @external r{number - 2}: Int @external "
                f'r{number}: Int @requires(fields: "r{number - 1} r{number - 2}") }}'
                if number > 1
                else f"r{number}: Int }}"
            )
            + " type V @shareable { t: T }",
            f"http://s{number}",
        )
        for number in range(12)
    ]
    supergraph_sdl = compose(sources).supergraph_sdl
    assert supergraph_sdl is not None
    return supergraph_sdl


@pytest.mark.parametrize(
    "text",
    [
        "{ shared { " + "t { f1 f2 f3 f4 f5 " * 12 + "} " * 12 + "} }",
        "{ shared { v { t { " + " ".join(f"f{number}" for number in range(12)) + " } } } }",
        "{ shared { " + "".join(f"t {{ f{n} v {{ t {{ f{n + 1} " for n in range(6)) + "} } } " * 6 + "} }",
        "{ shared { r11 t { r11 t { r11 } } } }",
    ],
)
async def test_a_short_operation_with_very_many_ways_holds_up_nothing(text: str) -> None:
    names = [f"s{number}" for number in range(12)]

    async def silent(_body: bytes) -> bytes:
        return b'{"data":{"shared":null}}'

    graph = LoadedGraph.from_sdl(many_ways(), GraphOptions(planning_timeout_seconds=60))
    runtime = Runtime(InProcessTransport(functions=dict.fromkeys(names, silent)))
    await run(OperationRequest("{ shared { id } }"), graph, runtime)
    began = time.monotonic()
    with LoopWork() as work:
        response = await run(OperationRequest(text), graph, runtime)
    graph.close()

    assert orjson.loads(response.body) == {"data": {"shared": None}}
    assert 0 < work.worst < MAX_BLOCKED_SECONDS
    assert time.monotonic() - began < graph.options.planning_timeout_seconds


WIDE = "{ nodes { id " + " ".join(f"a{n}: g{n % 3}" for n in range(400)) + " } }"
FRAGMENTS = "{ nodes { " + " ".join(f"... on M{m} {{ own0_{m} own1_{m} n0 {{ g0 g2 }} }}" for m in range(24)) + " } }"
CLASHING = "{ nodes { " + " ".join(f"... on M{m} {{ a: same{m // 2 % 3} b: same0 }}" for m in range(0, 60, 2)) + " } }"
ALL_SHARED = " ".join(f"own{n}" for n in range(28)) + " v { " + " ".join(f"s{n}" for n in range(40)) + " }"
CHAINED = "".join(f"d{n} {{ f0 f{39 - n} " for n in range(20))


def unions(depth: int, width: int) -> str:
    if depth == 0:
        return "__typename"
    return " ".join(
        f"... on A{m} {{ x{(m + depth) % 3} u{(m * 7 + depth) % 3} {{ {unions(depth - 1, width)} }} }}"
        for m in range(width)
    )


@pytest.mark.parametrize(
    ("supergraph", "texts", "data"),
    [
        (wide_interface, [WIDE, FRAGMENTS, CLASHING], b'{"data":{"nodes":[]}}'),
        (union_in_union, [f"{{ u {{ {unions(*size)} }} }}" for size in ((1, 30), (2, 12), (6, 2))], b'{"data":{"u":null}}'),
        (shared_by_many, [f"{{ shared {{ {'t { ' * n}{ALL_SHARED}{' }' * n} }} }}" for n in (0, 3)], b'{"data":{"shared":null}}'),
        (chain, ["{ c { f39 } }", f"{{ c {{ {CHAINED}{'}' * 20} }} }}"], b'{"data":{"c":null}}'),
        (partial(chain, 60), ["{ c { f59 } }"], b'{"data":{"c":null}}'),  # takes more than Python's thousand frames
    ],
)  # fmt: skip
async def test_no_supergraph_makes_an_operation_hold_up_the_loop(
    supergraph: Callable[[], str], texts: list[str], data: bytes
) -> None:
    async def empty(_body: bytes) -> bytes:
        return data

    graph = LoadedGraph.from_sdl(supergraph(), GraphOptions(planning_timeout_seconds=60))
    runtime = Runtime(InProcessTransport(functions=dict.fromkeys(graph.subgraph_urls, empty)))
    with LoopWork() as work:
        for text in texts:
            for _ in range(3):  # planned, then made fast for those to come, then fast
                response = await asyncio.create_task(run(OperationRequest(text), graph, runtime))
                assert response.body == data
    graph.close()

    assert 0 < work.worst < MAX_BLOCKED_SECONDS


@pytest.mark.parametrize(
    "text",
    [
        "{ nodes { id } }" + "".join(f" fragment F{n} on Node {{ id g0 g1 g2 }}" for n in range(420)),
        "{ nodes { id } }" + "".join(f" fragment F{n} on Node {{ id {' '.join(f'...F{m}' for m in range(n + 1, 60))} }}"
                                     for n in range(60)),
        "{ nodes { id } } " + "".join(f"query Q{n} {{ nodes {{ id g0 g1 a: id b: g0 }} }}" for n in range(300)),
        "{ nodes(a: [" + "1," * 7_900 + "]) { id } }",
        "query(" + " ".join(f"$v{n}: Int" for n in range(1_000)) + ") { nodes { id } }",
        "{ nodes { id " + " ".join(f"...F{n}" for n in range(500)) + " } }"
        + "".join(f" fragment F{n} on Node {{ ...F{(n + 1) % 500} }}" for n in range(500)),
    ],
    ids=["unused fragments", "web of fragments", "many operations", "long literal", "many variables", "long cycle"],
)  # fmt: skip
async def test_text_that_is_slow_to_validate_is_refused_beside_the_loop(text: str) -> None:
    graph = LoadedGraph.from_sdl(wide_interface(), GraphOptions(planning_timeout_seconds=60))
    runtime = Runtime(InProcessTransport(functions={}))
    with LoopWork() as work:
        response = await asyncio.create_task(run(OperationRequest(text), graph, runtime))
    graph.close()

    assert response.status == 400
    assert orjson.loads(response.body)["errors"][0]["extensions"]["code"] in (
        "GRAPHQL_VALIDATION_FAILED",
        "OPERATION_RESOLUTION_FAILURE",
        "DEPTH_LIMIT_EXCEEDED",
    )
    assert 0 < work.worst < MAX_BLOCKED_SECONDS


async def test_two_thousand_types_are_introspected_beside_the_loop_and_for_all_who_ask_at_once() -> None:
    graph = LoadedGraph.from_sdl(many_types(), GraphOptions(planning_timeout_seconds=60))
    runtime = Runtime(InProcessTransport(functions={}))
    request = OperationRequest(get_introspection_query())
    with LoopWork() as work:
        first, second = await asyncio.gather(*(run(request, graph, runtime) for _ in range(2)))
    graph.close()

    assert first.body == second.body
    assert len(orjson.loads(first.body)["data"]["__schema"]["types"]) > 2_000
    assert 0 < work.worst < MAX_BLOCKED_SECONDS


@pytest.mark.parametrize(
    ("times", "seconds", "code"), [(20, 3, "PLANNING_TIMEOUT"), (450, 60, "INTROSPECTED_VALUE_LIMIT_EXCEEDED")]
)
async def test_introspection_without_end_is_refused(times: int, seconds: float, code: str) -> None:
    """What would tell more than the schema twice is weighed and not begun; what is slow for less, given up."""
    graph = LoadedGraph.from_sdl(many_types(), GraphOptions(planning_timeout_seconds=seconds))
    asked = "__schema { types { fields { args { type { name } } type { name } } } }"
    text = "{ " + " ".join(f"a{number}: {asked}" for number in range(times)) + " }"
    with LoopWork() as work:
        response = await asyncio.create_task(run(OperationRequest(text), graph, Runtime(InProcessTransport())))
    graph.close()

    (entry,) = orjson.loads(response.body)["errors"]
    assert entry["extensions"]["code"] == code
    assert 0 < work.worst < MAX_BLOCKED_SECONDS


async def test_costs_and_rights_of_a_wide_operation_are_worked_out_beside_the_loop() -> None:
    supergraph_sdl = wide_interface()
    graph = LoadedGraph.from_sdl(supergraph_sdl, GraphOptions(planning_timeout_seconds=60))
    rules = AuthorizationRules(graph.api_schema, {("M3", "g1"): Requirement(is_authenticated=True)})
    demand = DemandControl(supergraph_sdl, graph.api_schema, DemandSettings(enabled=True, max=1e9))

    async def empty(_body: bytes) -> bytes:
        return b'{"data":{"nodes":[]}}'

    runtime = Runtime(
        InProcessTransport(functions=dict.fromkeys(graph.subgraph_urls, empty)),
        authorize=rules.authorize,
        check_cost=demand.check,
    )
    with LoopWork() as work:
        response = await asyncio.create_task(run(OperationRequest(WIDE, caller=Caller()), graph, runtime))
    graph.close()

    assert orjson.loads(response.body)["data"] == {"nodes": []}
    assert {entry["extensions"]["coordinate"] for entry in orjson.loads(response.body)["errors"]} == {"Node.g1"}
    assert 0 < work.worst < MAX_BLOCKED_SECONDS


async def test_what_a_long_operation_breaks_is_told_as_for_a_short_one() -> None:
    graph = LoadedGraph.from_sdl(SUPERGRAPH)
    long = await answered(graph, wide(200).replace("a199: version", "nothing"))
    short = await answered(graph, "{ nothing }")
    graph.close()

    assert long.status == short.status == 400
    (entry,) = orjson.loads(long.body)["errors"]
    assert entry["message"] == orjson.loads(short.body)["errors"][0]["message"]
    assert entry["extensions"] == {"code": "GRAPHQL_VALIDATION_FAILED"}


NO_LIMITS = DocumentLimits(tokens=10**6, aliases=10**6, fields=10**6, root_fields=10**6)
HOSTILE = PrepareJob(wide(120_000), None, keep_incremental=False, limits=NO_LIMITS)
SHORT = replace(HOSTILE, text="{ version }")


async def prepared(pool: PlanningPool, job: PrepareJob, asker: str | None = None) -> Operation:
    async with pool.turn(job, asker) as process:
        return await process.prepare(job)


async def served(pool: PlanningPool) -> Operation:
    """What comes after a job that was given up needs another child, which may take its time to start."""
    for number in range(60):
        with contextlib.suppress(PlanningTimeoutError):
            return await prepared(pool, replace(SHORT, text=f"{{ a{number}: version }}"))
    raise AssertionError("never served again")


async def test_an_operation_that_takes_too_long_is_refused_and_the_next_one_served() -> None:
    pool = PlanningPool(SUPERGRAPH, timeout_seconds=1.5)
    with pytest.raises(PlanningTimeoutError):
        await prepared(pool, HOSTILE)
    operation = await served(pool)
    began = time.monotonic()
    with pytest.raises(PlanningTimeoutError, match="took longer than"):
        await prepared(pool, HOSTILE)
    again = time.monotonic() - began
    pool.close()

    assert len(operation.selections.items) == 1
    assert again < 1.5, "what took too long is remembered"


async def test_what_took_too_long_is_tried_again_after_a_while() -> None:
    pool = PlanningPool(SUPERGRAPH, timeout_seconds=1.5, remembered_seconds=0)
    for _ in range(2):
        began = time.monotonic()
        with pytest.raises(PlanningTimeoutError):
            await prepared(pool, HOSTILE)
        assert time.monotonic() - began > 1
    pool.close()


async def test_who_asks_much_keeps_nobody_else_waiting() -> None:
    """Each of the texts of one caller would take for ever; another's has to wait for none of them."""
    pool = PlanningPool(SUPERGRAPH, timeout_seconds=60)
    much = [
        asyncio.create_task(prepared(pool, replace(HOSTILE, text=wide(40_000 + number)), "one who asks much"))
        for number in range(12)
    ]
    await asyncio.sleep(0)
    other = await prepared(pool, SHORT, "another")
    finished = [task for task in much if task.done()]
    for task in much:
        task.cancel()
    await asyncio.gather(*much, return_exceptions=True)
    pool.close()

    assert len(other.selections.items) == 1
    assert finished == []


async def test_the_next_turn_is_of_whoever_had_the_least_done() -> None:
    pool = PlanningPool(SUPERGRAPH, processes=1)
    order: list[str] = []

    async def ask(name: str, asker: str, seconds: float) -> None:
        async with pool.turn(replace(SHORT, text=name), asker):
            order.append(name)
            await asyncio.sleep(seconds)

    first = asyncio.create_task(ask("a1", "a", 0.3))
    await asyncio.sleep(0.05)
    others = [asyncio.create_task(ask(name, name[0], 0.01)) for name in ("a2", "a3", "b1", "c1")]
    await asyncio.gather(first, *others)
    pool.close()
    assert order == ["a1", "b1", "c1", "a2", "a3"]


async def test_only_so_many_wait_and_of_one_caller_fewer() -> None:
    pool = PlanningPool(SUPERGRAPH, processes=1)
    open_gate = asyncio.Event()

    async def hold(asker: str) -> None:
        async with pool.turn(SHORT, asker):
            await open_gate.wait()

    holding = asyncio.create_task(hold("a"))
    await asyncio.sleep(0)
    waiting = [asyncio.create_task(hold("a")) for _ in range(65)]
    await turns_taken()
    refused = [task for task in waiting if task.done()]
    assert [type(task.exception()) for task in refused] == [PlanningTimeoutError]
    another = asyncio.create_task(hold("b"))
    await turns_taken()
    assert not another.done()
    waiting[0].cancel()  # who leaves takes nobody's turn
    open_gate.set()
    outcomes = await asyncio.gather(holding, another, *waiting, return_exceptions=True)
    pool.close()
    assert Counter(map(type, outcomes)) == {NoneType: 65, PlanningTimeoutError: 1, asyncio.CancelledError: 1}


async def test_long_jobs_of_one_address_wait_for_its_short_ones_and_are_sent_away_for_them() -> None:
    pool = PlanningPool(SUPERGRAPH, processes=1)
    open_gate = asyncio.Event()
    order: list[str] = []

    async def ask(text: str) -> None:
        async with pool.turn(replace(SHORT, text=text), "an address"):
            await open_gate.wait()
            order.append(text)

    tasks = [asyncio.create_task(ask(f"{number:02} {'x' * 500}")) for number in range(65)]
    await turns_taken()
    assert not any(task.done() for task in tasks)
    tasks.append(asyncio.create_task(ask("short")))
    await turns_taken()
    sent_away = [number for number, task in enumerate(tasks) if task.done()]
    open_gate.set()
    await asyncio.gather(*tasks, return_exceptions=True)
    pool.close()
    assert sent_away == [64]  # the last of those that are equally long
    assert [text[:5] for text in order[:3]] == ["00 xx", "short", "01 xx"]


async def test_who_has_fewer_waiting_is_let_in_where_all_seats_are_taken() -> None:
    pool = PlanningPool(SUPERGRAPH, processes=1)
    open_gate = asyncio.Event()

    async def hold(asker: str, text: str) -> None:
        async with pool.turn(replace(SHORT, text=text), asker):
            await open_gate.wait()

    tasks = [asyncio.create_task(hold(f"address {number % 4}", "a text")) for number in range(1 + 4 * 64)]
    await turns_taken()
    assert not any(task.done() for task in tasks)
    late = asyncio.create_task(hold("somebody else", "a text that is longer than theirs"))
    await turns_taken()
    assert [type(task.exception()) for task in tasks if task.done()] == [PlanningTimeoutError]
    open_gate.set()
    await late
    await asyncio.gather(*tasks, return_exceptions=True)
    pool.close()


async def turns_taken() -> None:
    """Until tasks that were just made wait for their turn, or were refused it."""
    for _ in range(3):
        await asyncio.sleep(0)


async def test_a_long_text_that_was_refused_costs_nothing_the_second_time(monkeypatch: pytest.MonkeyPatch) -> None:
    graph = LoadedGraph.from_sdl(SUPERGRAPH)
    jobs: list[object] = []
    prepare = PlanningProcess.prepare

    async def counted(process: PlanningProcess, job: PrepareJob) -> Operation:
        jobs.append(job)
        return await prepare(process, job)

    monkeypatch.setattr(PlanningProcess, "prepare", counted)
    text = wide(200).replace("a199: version", "nothing")
    first, second = [await answered(graph, text) for _ in range(2)]
    graph.close()
    assert (first.status, first.body) == (second.status, second.body)
    assert first.status == 400
    assert len(jobs) == 1


async def test_many_new_short_texts_of_one_caller_leave_the_event_loop(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(loaded_graph, "MAX_INLINE_SECONDS_EACH", 0.05)
    graph = LoadedGraph.from_sdl(SUPERGRAPH)
    while graph._spent.of("who asks much") <= 0.05:
        with contextlib.suppress(RequestError):
            await graph.prepare(
                f"{{ a{time.monotonic_ns()}: version b: nothing }}", None, asker=lambda: "who asks much"
            )
    assert graph._planning is None
    await graph.prepare("{ aside: version }", None, asker=lambda: "who asks much")
    assert graph._planning is not None
    free, busy = graph._planning._free, graph._planning._busy
    assert (len(free), len(busy)) == (1, 0)
    graph.close()
    await graph.prepare("{ at: version }", None, asker=lambda: "another")
    assert graph._planning._free == []
    graph.close()


async def test_caches_are_bounded_by_bytes() -> None:
    """An alias that is the operation's name too is shared with no other text, so each text has a plan of its own."""
    graph = LoadedGraph.from_sdl(SUPERGRAPH, GraphOptions(max_cache_bytes=2_000_000))
    for number in range(60):
        await answered(graph, f"query x{number} " + wide(140).replace("a0:", f"x{number}:"))
    sizes = {name: (len(cache), cache.bytes) for name, cache in graph.caches.items()}
    assert all(0 < entries < 20 and 0 < size <= 2_000_000 for entries, size in sizes.values()), sizes
    for number in range(60):
        await answered(graph, f"query y{number} {{ y{number}: version }}")
    assert all(len(cache) >= 60 for cache in graph.caches.values()), "short ones are many"
    graph.close()


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("{ " + "version " * 10_000 + "}", "ROOT_FIELD_LIMIT_EXCEEDED"),
        ("{ " + "version " * 400 + "}", "REPEATED_FIELD_LIMIT_EXCEEDED"),
        (wide(3_000), "ALIAS_LIMIT_EXCEEDED"),
        ("{ version " * 3_000 + "}" * 3_000, "DEPTH_LIMIT_EXCEEDED"),
        ("{ version " + "@include(if: true) " * 1_500 + "}", "DIRECTIVE_LIMIT_EXCEEDED"),
        (wide(10_000), "TOKEN_LIMIT_EXCEEDED"),
        ("{ version }" + " # " + "x" * 5_000_000, "TOKEN_LIMIT_EXCEEDED"),
        ("{ ...F0 }" + "".join(f" fragment F{n} on Query {{ ...F{n + 1} ...F{n + 1} }}" for n in range(40))
         + " fragment F40 on Query { version }", "FIELD_LIMIT_EXCEEDED"),
    ],
)  # fmt: skip
async def test_hostile_text_is_refused_quickly(text: str, code: str) -> None:
    graph = LoadedGraph.from_sdl(SUPERGRAPH, GraphOptions(planning_timeout_seconds=60))
    began = time.perf_counter()
    response = await answered(graph, text)
    graph.close()

    assert {entry["extensions"]["code"] for entry in orjson.loads(response.body)["errors"]} == {code}
    assert time.perf_counter() - began < 30


def test_a_child_that_ends_before_it_was_asked_is_told_as_one_that_failed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Under uvloop, on which routers run, writing to it is a RuntimeError."""
    process = PlanningProcess(SUPERGRAPH)

    async def framed_when_it_has_ended(work: Callable[..., bytes], *arguments: object) -> bytes:
        assert process._child is not None
        await process._child.wait()
        return work(*arguments)

    async def asked() -> None:
        with pytest.raises(PlanningFailedError):
            await process.prepare(PrepareJob("{ __typename }", None, False, DocumentLimits()))

    monkeypatch.setattr(planning_process, "_CHILD", "raise SystemExit(1)")
    monkeypatch.setattr(planning_process, "in_background", framed_when_it_has_ended)
    uvloop.run(asked())
