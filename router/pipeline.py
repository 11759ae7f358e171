"""The story of one request, from operation text to response body.

`server` calls `answer` with what it read from HTTP or a WebSocket; each step is a module of its own.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator, Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import orjson

from router.access.authorization import Authorization
from router.errors import ErrorEntry, RequestError
from router.executor.execute import CompiledPlan, Step
from router.executor.fetch import Execution
from router.executor.incremental import (
    Announcer,
    DeferredBlock,
    LaterPayload,
    SplitOperation,
    StreamedList,
    are_there,
    cut,
    initial_payload,
    split_incremental,
    take_errors_of_rest,
)
from router.executor.introspection import without_introspection
from router.executor.subscribe import SubscriptionSource, run_subscription
from router.executor.transport import Headers, SharedRequests, SubgraphTransport
from router.loaded_graph import LoadedGraph, PreparedOperation
from router.operation import Operation


class MethodNotAllowedError(RequestError):
    code = "METHOD_NOT_ALLOWED"
    status = 405


class StreamNotAcceptedError(RequestError):
    code = "SUBSCRIPTION_NOT_SUPPORTED"
    status = 406


@dataclass(frozen=True, slots=True)
class OperationRequest:
    """What a client asks. `headers` are those to forward to every subgraph, already chosen by the server's rules."""

    query: str
    variables: Mapping[str, Any] | None = None
    operation_name: str | None = None
    extensions: Mapping[str, Any] | None = None
    headers: Headers = ()
    caller: Any = None  # whoever `access` found; the pipeline only hands it on
    only_queries: bool = False  # GET must not change anything
    accepts_incremental: bool = False  # else `@defer` is answered in one piece


@dataclass(frozen=True, slots=True)
class Response:
    """A complete answer. `status` is that of `application/graphql-response+json`."""

    status: int
    body: bytes
    has_errors: bool = False
    is_request_error: bool = False  # no `data`: nothing was executed
    headers: Headers = ()
    operation_type: str = "query"
    operation_name: str | None = None
    cache_controls: tuple[str, ...] = ()  # of the subgraph answers this is made of


#: What of an operation its caller may have; the rest is not fetched, and withheld where the plan needs it for itself.
Authorize = Callable[[Operation, OperationRequest, LoadedGraph], Authorization]
#: The labels of `@override(label:)` that are active for a request, out of the graph's custom ones: `percent(...)` is
#: drawn by the pipeline.
ChooseLabels = Callable[[frozenset[str], OperationRequest], frozenset[str]]


@dataclass(frozen=True, slots=True)
class Runtime:
    """What all requests of a router share, besides the graph."""

    transport: SubgraphTransport
    subscriptions: SubscriptionSource | None = None
    authorize: Authorize | None = None
    choose_labels: ChooseLabels | None = None
    #: raises RequestError for an operation that would cost too much with these variables
    check_cost: Callable[[Operation, Mapping[str, Any]], None] | None = None
    #: what to say in the response's `extensions`, such as the plan
    extensions: Callable[[CompiledPlan, OperationRequest], dict[str, Any] | None] | None = None


async def answer(request: OperationRequest, graph: LoadedGraph, runtime: Runtime) -> Response:
    """Always a response: a request that cannot run is answered with its errors."""
    try:
        return await _answer(request, graph, runtime)
    except RequestError as error:
        return response_of_error(error)


async def _answer(request: OperationRequest, graph: LoadedGraph, runtime: Runtime) -> Response:
    prepared = await graph.prepare(request.query, request.operation_name)
    refuse_wrong_kind(prepared.operation, request)
    variables = affordable_variables(prepared, request, runtime)

    authorization = authorized(prepared.plannable, request, graph, runtime)
    plan = await graph.plan(prepared, authorization.allowed, active_labels(request, graph, runtime))

    execution = Execution(runtime.transport, variables, headers=request.headers, withhold=authorization.withholding)
    introspect(prepared, execution)
    extensions = runtime.extensions(plan, request) if runtime.extensions is not None else None
    body = await plan.answer(execution, extensions)
    return Response(
        200,
        body,
        has_errors=bool(execution.errors),
        operation_type=prepared.operation.operation_type,
        operation_name=prepared.operation.name,
        cache_controls=tuple(execution.cache_controls),
    )


async def answer_incrementally(
    request: OperationRequest, graph: LoadedGraph, runtime: Runtime
) -> Response | AsyncIterator[bytes]:
    """Payloads of an answer in pieces, in the current wire format, where the operation defers or streams; else its one
    response. Raises RequestError before the first payload.
    """
    prepared = await graph.prepare(request.query, request.operation_name, keep_incremental=True)
    refuse_wrong_kind(prepared.operation, request)
    variables = affordable_variables(prepared, request, runtime)
    split = split_incremental(prepared.operation, graph.api_schema, variables)
    if split is None:
        return await _answer(request, graph, runtime)
    return _Parts(split, prepared, variables, request, graph, runtime).payloads()


class _Parts:
    """The parts of one answer. All run at the same time; what they ask subgraphs in common is asked once, by
    `SharedRequests`.
    """

    def __init__(
        self,
        split: SplitOperation,
        prepared: PreparedOperation,
        variables: dict[str, Any],
        request: OperationRequest,
        graph: LoadedGraph,
        runtime: Runtime,
    ) -> None:
        self._split = split
        self._prepared = prepared
        self._variables = variables
        self._request = request
        self._graph = graph
        self._runtime = runtime
        self._transport = SharedRequests(runtime.transport)
        self._announcer = Announcer()

    async def payloads(self) -> AsyncIterator[bytes]:
        runs = {block: asyncio.ensure_future(self._run(block.operation)) for block in self._split.all_blocks()}
        waiting: dict[asyncio.Future[tuple[CompiledPlan, Execution]], DeferredBlock | StreamedList] = {}
        try:
            plan, execution = await self._begin(self._split.planned, self._split.primary)
            await self._run_primary(plan, execution, waiting)
            execution.finish()
            data, errors = plan.project_plainly(execution)
            announced = self._announcer.blocks_at(self._split.blocks, execution.tree, data)
            for run, part in list(waiting.items()):  # so far they are rests of lists
                piece = self._announcer.rest_of(part, data)  # type: ignore[arg-type]
                if piece is None:
                    del waiting[run]
                    run.cancel()
                else:
                    announced.append(piece)
            waiting.update({runs[piece.part]: piece.part for piece in announced if piece.part in runs})
            yield initial_payload(data, errors, announced)
            while waiting:
                done, _ = await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
                for run in done:
                    payload = self._later(waiting.pop(run), run, errors)
                    waiting.update({runs[piece.part]: piece.part for piece in payload.pending})  # type: ignore[index]
                    yield payload.encode(has_next=bool(waiting))
        finally:
            for run in (*runs.values(), *waiting):
                run.cancel()

    async def _begin(self, planned: Operation, shape: Operation) -> tuple[CompiledPlan, Execution]:
        if self._prepared.introspection is not None:
            planned = without_introspection(planned)
        authorization = authorized(planned, self._request, self._graph, self._runtime)
        labels = active_labels(self._request, self._graph, self._runtime)
        plan = await self._graph.plan_part(authorization.allowed, shape, labels)
        execution = Execution(
            self._transport, self._variables, headers=self._request.headers, withhold=authorization.withholding
        )
        introspect(self._prepared, execution)
        return plan, execution

    async def _run(self, operation: Operation) -> tuple[CompiledPlan, Execution]:
        plan, execution = await self._begin(operation, operation)
        return await _run_to_end(plan, plan.steps, execution)

    async def _run_primary(
        self,
        plan: CompiledPlan,
        execution: Execution,
        waiting: dict[asyncio.Future[tuple[CompiledPlan, Execution]], DeferredBlock | StreamedList],
    ) -> None:
        """Runs what the first result needs. Lists are cut as soon as they have come, and their rests go on alone: they
        are in `waiting` at once, so that a client who leaves now stops them too.
        """
        steps = list(plan.steps)
        while steps and not (self._split.streams and are_there(self._split.streams, execution.tree)):
            await steps.pop(0).run(execution)
        for stream in self._split.streams:
            tree = cut(stream, execution.tree)
            if tree is not None:
                errors = take_errors_of_rest(stream, execution.errors)
                alone = replace(execution, tree=tree, errors=errors, known_objects={}, cache_controls=[])
                waiting[asyncio.ensure_future(_run_to_end(plan, steps, alone))] = stream
        await _run_steps(steps, execution)

    def _later(
        self,
        part: DeferredBlock | StreamedList,
        run: asyncio.Future[tuple[CompiledPlan, Execution]],
        told: list[ErrorEntry],
    ) -> LaterPayload:
        payload = LaterPayload(told)
        for piece in self._announcer.of(part):
            error = run.exception()
            if isinstance(error, RequestError):
                payload.fail(piece, [{**entry, "path": list(piece.path)} for entry in error.entries()])
                continue
            plan, execution = run.result()
            data = payload.add(piece, plan, execution)
            if isinstance(part, DeferredBlock) and data is not None:
                payload.pending += self._announcer.blocks_at(part.nested, execution.tree, data, piece.path)
        return payload


async def _run_steps(steps: Iterable[Step], execution: Execution) -> None:
    for step in steps:
        await step.run(execution)


async def _run_to_end(
    plan: CompiledPlan, steps: Iterable[Step], execution: Execution
) -> tuple[CompiledPlan, Execution]:
    await _run_steps(steps, execution)
    execution.finish()
    return plan, execution


async def subscribe(request: OperationRequest, graph: LoadedGraph, runtime: Runtime) -> AsyncIterator[bytes]:
    """Response bodies, one per event; of a query or mutation its only one. Raises RequestError before the first.

    The stream stays on the graph it began on.
    """
    prepared = await graph.prepare(request.query, request.operation_name)
    if prepared.operation.operation_type != "subscription":
        return _single(await _answer(request, graph, runtime))
    if runtime.subscriptions is None:
        raise StreamNotAcceptedError("This router has no way to subscribe to subgraphs.")
    variables = affordable_variables(prepared, request, runtime)
    authorization = authorized(prepared.plannable, request, graph, runtime)
    plan = await graph.plan(prepared, authorization.allowed, active_labels(request, graph, runtime))
    if plan.primary is None:  # all of it is withheld, or `@skip`ped
        execution = Execution(runtime.transport, variables, withhold=authorization.withholding)
        return _single(Response(200, await plan.answer(execution)))

    def new_execution() -> Execution:
        return Execution(runtime.transport, variables, headers=request.headers, withhold=authorization.withholding)

    return run_subscription(plan, runtime.subscriptions, new_execution)


async def _single(response: Response) -> AsyncIterator[bytes]:
    yield response.body


def refuse_wrong_kind(operation: Operation, request: OperationRequest) -> None:
    if request.only_queries and operation.operation_type != "query":
        raise MethodNotAllowedError("Only queries can be sent with GET.")
    if operation.operation_type == "subscription":
        raise StreamNotAcceptedError("A subscription needs a connection that can carry more than one result.")


def affordable_variables(prepared: PreparedOperation, request: OperationRequest, runtime: Runtime) -> dict[str, Any]:
    """The request's variables, coerced. Raises RequestError."""
    variables = prepared.coercion.coerce(request.variables)
    if runtime.check_cost is not None:
        runtime.check_cost(prepared.plannable, variables)
    return variables


def authorized(operation: Operation, request: OperationRequest, graph: LoadedGraph, runtime: Runtime) -> Authorization:
    if runtime.authorize is None:
        return Authorization(operation)
    return runtime.authorize(operation, request, graph)


def active_labels(request: OperationRequest, graph: LoadedGraph, runtime: Runtime) -> frozenset[str]:
    if not graph.override_labels:
        return frozenset()
    roll = random.random() * 100  # noqa: S311 - a share of traffic, not a secret
    drawn = frozenset(label for label, percent in graph.percent_labels.items() if roll < percent)
    if not graph.custom_labels or runtime.choose_labels is None:
        return drawn
    return drawn | runtime.choose_labels(graph.custom_labels, request)


def introspect(prepared: PreparedOperation, execution: Execution) -> None:
    if prepared.introspection is not None:
        values, errors = prepared.introspection.answer(execution.variables)
        execution.tree.update(values)
        execution.errors.extend(errors)


def response_of_error(error: RequestError) -> Response:
    return Response(error.status, orjson.dumps({"errors": error.entries()}), has_errors=True, is_request_error=True)
