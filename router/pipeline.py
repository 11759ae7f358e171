"""The story of one request, from operation text to response body.

`server` calls `answer` with what it read from HTTP or a WebSocket; each step is a module of its own.
"""

from __future__ import annotations

import random
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass
from typing import Any

import orjson

from router.access.authorization import Authorization
from router.background import aside
from router.errors import RequestError
from router.executor.execute import CompiledPlan
from router.executor.fetch import Execution
from router.executor.introspection import Introspection
from router.executor.subscribe import SubscriptionSource, run_subscription
from router.executor.transport import Headers, SubgraphTransport
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
    #: in pieces: each has all that its fragment selects, also what the client knows already
    repeats_fields: bool = False


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
        return await answer_or_raise(request, graph, runtime)
    except RequestError as error:
        return response_of_error(error)


async def answer_or_raise(request: OperationRequest, graph: LoadedGraph, runtime: Runtime) -> Response:
    """Raises RequestError where nothing was executed."""
    prepared = await graph.prepare(request.query, request.operation_name)
    refuse_wrong_kind(prepared.operation, request)
    variables = await affordable_variables(prepared, request, runtime)

    authorization = authorized(prepared.plannable, request, graph, runtime)
    plan = await graph.plan(prepared, authorization.allowed, active_labels(request, graph, runtime))

    execution = Execution(runtime.transport, variables, headers=request.headers, withhold=authorization.withholding)
    if prepared.introspection is not None:
        await introspect(prepared.introspection, execution, graph)
    extensions = None
    if runtime.extensions is not None:
        extensions = await aside(prepared.is_long, runtime.extensions, plan, request)
    body = await plan.answer(execution, extensions)
    return Response(
        200,
        body,
        has_errors=bool(execution.errors),
        operation_type=prepared.operation.operation_type,
        operation_name=prepared.operation.name,
        cache_controls=tuple(execution.cache_controls),
    )


async def subscribe(request: OperationRequest, graph: LoadedGraph, runtime: Runtime) -> AsyncIterator[bytes]:
    """Response bodies, one per event; of a query or mutation its only one. Raises RequestError before the first.

    The stream stays on the graph it began on.
    """
    prepared = await graph.prepare(request.query, request.operation_name)
    if prepared.operation.operation_type != "subscription":
        return _single(await answer_or_raise(request, graph, runtime))
    if runtime.subscriptions is None:
        raise StreamNotAcceptedError("This router has no way to subscribe to subgraphs.")
    variables = await affordable_variables(prepared, request, runtime)
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


async def affordable_variables(
    prepared: PreparedOperation, request: OperationRequest, runtime: Runtime
) -> dict[str, Any]:
    """The request's variables, coerced. Raises RequestError."""
    variables = prepared.coercion.coerce(request.variables)
    if runtime.check_cost is not None:
        await aside(prepared.is_long, runtime.check_cost, prepared.plannable, variables)
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


async def introspect(introspection: Introspection, execution: Execution, graph: LoadedGraph) -> None:
    answer = await graph.introspect(introspection, execution.variables)
    execution.tree.update(answer.fragments())
    execution.errors.extend(answer.errors)


def response_of_error(error: RequestError) -> Response:
    return Response(error.status, orjson.dumps({"errors": error.entries()}), has_errors=True, is_request_error=True)
