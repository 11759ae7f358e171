"""The story of one request, from operation text to response body.

`server` calls `answer` with what it read from HTTP or a WebSocket; each step is a module of its own.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass
from typing import Any

import orjson

from router.access.authorization import Authorization
from router.errors import RequestError
from router.executor.execute import CompiledPlan
from router.executor.fetch import Execution
from router.executor.incremental import SplitOperation, initial_payload, later_payload, pieces_of, split_deferred
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

    authorization = authorized(prepared, request, graph, runtime)
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
    """Payloads of an answer in pieces, in the current wire format, where the operation defers; else its one response.

    Raises RequestError before the first payload.
    """
    prepared = await graph.prepare(request.query, request.operation_name, keep_defer=True)
    refuse_wrong_kind(prepared.operation, request)
    variables = affordable_variables(prepared, request, runtime)
    split = split_deferred(prepared.plannable, graph.api_schema, variables)
    if split is None or prepared.introspection is not None:
        return await _answer(request, graph, runtime)
    return _payloads(split, variables, request, graph, runtime)


async def _payloads(
    split: SplitOperation,
    variables: dict[str, Any],
    request: OperationRequest,
    graph: LoadedGraph,
    runtime: Runtime,
) -> AsyncIterator[bytes]:
    """All parts run at the same time; what they ask subgraphs in common is asked once, by `SharedRequests`."""
    transport = SharedRequests(runtime.transport)

    async def run(planned: Operation, shape: Operation) -> tuple[CompiledPlan, Execution]:
        authorization = (
            runtime.authorize(planned, request, graph) if runtime.authorize is not None else Authorization(planned)
        )
        labels = active_labels(request, graph, runtime)
        plan = await graph.plan_part(authorization.allowed, shape, labels)
        execution = Execution(transport, variables, headers=request.headers, withhold=authorization.withholding)
        if plan.step is not None:
            await plan.step.run(execution)
        return plan, execution

    first = asyncio.ensure_future(run(split.planned, split.primary))
    later = {asyncio.ensure_future(run(block.operation, block.operation)): block for block in split.blocks}
    try:
        plan, execution = await first
        if execution.withhold is not None:
            execution.errors.extend(execution.withhold(execution.tree))
        data, errors = plan.project_plainly(execution)
        pieces = pieces_of(split, execution, data)
        yield initial_payload(data, errors, pieces)
        waiting = {run_: block for run_, block in later.items() if any(piece.block is block for piece in pieces)}
        while waiting:
            done, _ = await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
            for run_ in done:
                block = waiting.pop(run_)
                own = [piece for piece in pieces if piece.block is block]
                yield later_payload(block, own, *run_.result(), has_next=bool(waiting))
    finally:
        for run_ in (first, *later):
            run_.cancel()


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
    authorization = authorized(prepared, request, graph, runtime)
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


def authorized(
    prepared: PreparedOperation, request: OperationRequest, graph: LoadedGraph, runtime: Runtime
) -> Authorization:
    if runtime.authorize is None:
        return Authorization(prepared.plannable)
    return runtime.authorize(prepared.plannable, request, graph)


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
