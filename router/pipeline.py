"""The story of one request, from operation text to response body. Read it from top to bottom.

`server.front_door` prepares every request and has it run in one of three ways; `run` is both for whoever needs no door.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, replace

import orjson

from router.access.authorization import Authorization
from router.cache_policy import CachePolicy
from router.errors import ErrorEntry, RequestError
from router.executor.execute import CompiledPlan
from router.executor.fetch import Execution
from router.executor.subscribe import run_subscription
from router.incremental.pieces import take_apart
from router.loaded_graph import LoadedGraph
from router.prepared_request import OperationRequest, PreparedRequest, Runtime
from router.request_trace import RequestTrace
from router.transport.protocol import Headers


class MethodNotAllowedError(RequestError):
    code = "METHOD_NOT_ALLOWED"
    status = 405


class StreamNotAcceptedError(RequestError):
    code = "SUBSCRIPTION_NOT_SUPPORTED"
    status = 406


@dataclass(slots=True)  # frozen it would cost a call for each value of each request
class Response:
    """A complete response. `status` is that of `application/graphql-response+json`."""

    status: int
    body: bytes
    has_errors: bool = False
    is_request_error: bool = False  # no `data`: nothing was executed
    headers: Headers = ()
    operation_type: str = "query"
    operation_name: str | None = None
    cache_controls: tuple[str, ...] = ()  # of the subgraph answers this is made of
    answer_headers: tuple[tuple[str, str, str], ...] = ()  # of those answers: subgraph, name, value
    cache_policy: CachePolicy | None = None  # None where nothing is known to be cacheable
    error_codes: tuple[str, ...] = ()  # of its errors, in their order; "" for one without


async def run(request: OperationRequest, graph: LoadedGraph, runtime: Runtime) -> Response:
    """A query or mutation from start to end. Always a response: what cannot run has its errors in it."""
    try:
        return await respond(await prepare(request, graph, runtime))
    except RequestError as error:
        return response_of_error(error)


async def prepare(request: OperationRequest, graph: LoadedGraph, runtime: Runtime) -> PreparedRequest:
    """The one time that a request's text is looked at, and its variables are. Raises RequestError."""
    in_pieces = request.takes_pieces and ("@defer" in request.query or "@stream" in request.query)
    trace = RequestTrace() if request.wants_plan or runtime.traces_all else None
    is_known = trace is not None and graph.has_prepared(
        request.query, request.operation_name, keep_incremental=in_pieces
    )
    operation = await graph.prepare(
        request.query,
        request.operation_name,
        keep_incremental=in_pieces,
        may_share=trace is None and runtime.on_plan is None,  # who looks at a plan wants the client's own names in it
        asker=request.asker,
    )
    operation_type = operation.operation.operation_type
    if request.only_queries and operation_type == "mutation":
        raise MethodNotAllowedError("Only queries can be sent with GET.")
    variables = operation.coercion.coerce(request.variables)
    if trace is not None:
        trace.stage("prepare", 0.0, cached=is_known)
    return PreparedRequest(
        request=request,
        operation=operation,
        operation_type=operation_type,
        variables=variables,
        graph=graph,
        runtime=runtime,
        in_pieces=in_pieces,
        trace=trace,
    )


async def respond(prepared: PreparedRequest) -> Response:
    """The response to a query or mutation: within cost, with what its caller may see, planned, fetched and shaped.

    Raises RequestError where nothing was executed.
    """
    _refuse_subscription(prepared)
    operation = prepared.operation
    if prepared.runtime.check_cost is not None:  # what few requests have costs the others no call
        await prepared.check_cost(operation.plannable)
    authorization = prepared.authorize(operation.plannable)
    plan = await _planned(prepared, authorization)

    execution = prepared.new_execution(authorization)
    if operation.introspection is not None:
        await prepared.introspect(execution)
    body = await plan.respond(execution, prepared.extensions if prepared.request.wants_plan else None)
    return Response(
        200,
        body,
        has_errors=bool(execution.errors),
        operation_type=prepared.operation_type,
        operation_name=operation.operation.name,
        cache_controls=tuple(execution.cache_controls),
        answer_headers=tuple(execution.answer_headers),
        error_codes=codes_of(execution.errors) if execution.errors else (),
    )


async def subscribe(prepared: PreparedRequest) -> AsyncIterator[bytes]:
    """The response bodies of a subscription, one per event; of a query or mutation its only one. Raises RequestError
    before the first.
    """
    if prepared.operation_type != "subscription":
        return _single((await respond(prepared)).body)
    source = prepared.subscription_source()
    if source is None:
        raise StreamNotAcceptedError("This router has no way to subscribe to subgraphs.")
    prepared = await _whole(prepared)
    operation = prepared.operation
    await prepared.check_cost(operation.plannable)
    authorization = prepared.authorize(operation.plannable)
    plan = await _planned(prepared, authorization)
    if plan.primary is None:  # all of it is withheld, or `@skip`ped
        return _single(await plan.respond(prepared.new_execution(authorization)))

    def new_execution() -> Execution:
        if prepared.trace is not None:
            prepared.trace = prepared.trace.of_next_event()
        return prepared.new_execution(authorization)

    explain = prepared.extensions if prepared.request.wants_plan else None
    return run_subscription(plan, source, new_execution, explain, prepared.audience(plan))


async def respond_in_pieces(prepared: PreparedRequest) -> Response | AsyncIterator[bytes]:
    """The payloads of a query or mutation that defers or streams; its one response where it does not, or where it cannot
    come apart. Raises RequestError before the first payload.
    """
    _refuse_subscription(prepared)
    pieces = await take_apart(prepared)
    if pieces is not None:
        return await pieces.begin()
    return await respond(await _whole(prepared))


async def _planned(prepared: PreparedRequest, authorization: Authorization) -> CompiledPlan:
    """The plan of what the caller may have of the operation."""
    labels, trace, asker = prepared.active_labels(), prepared.trace, prepared.request.asker
    if trace is None:
        plan = await prepared.graph.plan(prepared.operation, authorization.allowed, labels, asker)
    else:
        since = trace.seconds
        is_known = prepared.graph.has_planned(prepared.operation, authorization.allowed, labels)
        plan = await prepared.graph.plan(prepared.operation, authorization.allowed, labels, asker)
        trace.stage("plan", since, cached=is_known)
    if prepared.runtime.on_plan is not None:
        await prepared.runtime.on_plan(prepared.request, plan.plan)
    return plan


async def _whole(prepared: PreparedRequest) -> PreparedRequest:
    """The request as one that takes no pieces: its deferred fragments are ordinary ones."""
    if not prepared.in_pieces:
        return prepared
    return await prepare(replace(prepared.request, takes_pieces=False), prepared.graph, prepared.runtime)


async def _single(body: bytes) -> AsyncIterator[bytes]:
    yield body


def _refuse_subscription(prepared: PreparedRequest) -> None:
    if prepared.operation_type == "subscription":
        if prepared.request.only_queries:
            raise MethodNotAllowedError("Only queries can be sent with GET.")
        raise StreamNotAcceptedError(
            "A subscription needs a connection that can carry more than one result: a WebSocket (graphql-transport-ws), "
            "or an `accept` of text/event-stream or multipart/mixed."
        )


def response_of_error(error: RequestError) -> Response:
    entries = error.entries()
    body = orjson.dumps({"errors": entries})
    return Response(error.status, body, has_errors=True, is_request_error=True, error_codes=codes_of(entries))


def codes_of(entries: Sequence[ErrorEntry]) -> tuple[str, ...]:
    return tuple(str(entry.get("extensions", {}).get("code", "")) for entry in entries)
