"""One request on its way: what the client asks, what all requests share, and both with the operation made ready to run.

`pipeline` makes a `PreparedRequest` once; every later stage takes what it needs from it.
"""

from __future__ import annotations

import random
from collections.abc import Awaitable, Callable, Hashable, Mapping
from dataclasses import dataclass
from typing import Any

import msgspec

from router.access.authorization import Authorization
from router.access.caller import ANONYMOUS, Caller
from router.background import aside
from router.broker_events.hub import BrokerEvents
from router.broker_events.source import BrokerSource
from router.entity_cache.answers import KeptForRequest
from router.entity_cache.cache import EntityCache
from router.exact_json import dumps
from router.executor.execute import CompiledPlan
from router.executor.fetch import Execution
from router.executor.response_size import DEFAULT_FETCHED_BYTES, DEFAULT_RESPONSE_BYTES
from router.loaded_graph import LoadedGraph
from router.operation import Operation
from router.prepared_operation import PreparedOperation
from router.query_plan import QueryPlan
from router.request_trace import RequestTrace
from router.transport.protocol import Headers, SubgraphTransport, telling_apart
from router.transport.subscription_source import SubscriptionSource


@dataclass(slots=True)  # frozen it would cost a call for each value of each request
class OperationRequest:
    """What a client asks. `headers` are those to forward to every subgraph, already chosen by the server's rules."""

    query: str
    variables: Mapping[str, Any] | None = None
    operation_name: str | None = None
    headers: Headers = ()
    caller: Caller = ANONYMOUS
    address: str = ""  # of the client
    wants_plan: bool = False  # in the response's `extensions`, where the runtime tells it
    has_files: bool = False  # among the variables
    only_queries: bool = False  # GET must not change anything
    takes_pieces: bool = False  # of `@defer` and `@stream`, which without it mean nothing
    #: of pieces: each has all that its fragment selects, also what the client knows already
    repeats_fields: bool = False

    def asker(self) -> str | None:
        """For whom work is done that others may have to wait for; None where nobody in particular asks."""
        return self.caller.identity or self.address or None


#: What of an operation its caller may have; the rest is not fetched, and withheld where the plan needs it for itself.
Authorize = Callable[[Operation, Caller], Authorization]
#: The labels of `@override(label:)` that are active for a caller, out of the graph's custom ones: `percent(...)` is
#: drawn here.
ChooseLabels = Callable[[frozenset[str], Caller], frozenset[str]]


@dataclass(frozen=True, slots=True)
class Runtime:
    """What all requests of a router share, besides the graph."""

    transport: SubgraphTransport
    subscriptions: SubscriptionSource | None = None
    authorize: Authorize | None = None
    choose_labels: ChooseLabels | None = None
    #: raises RequestError for an operation that would cost too much with these variables
    check_cost: Callable[[Operation, Mapping[str, Any]], None] | None = None
    #: the plan and what came of it, for the response's `extensions`
    plan_extension: Callable[[CompiledPlan, PreparedRequest], dict[str, Any]] | None = None
    #: whether every request has a trace, not only those that ask for their plan
    traces_all: bool = False
    entity_cache: EntityCache | None = None
    broker_events: BrokerEvents | None = None
    #: looks at a plan before it runs; raises RequestError to refuse it
    on_plan: Callable[[OperationRequest, QueryPlan], Awaitable[None]] | None = None
    #: whether equal subscribers get one body of an event that their subgraph tells once
    shares_events: bool = True
    max_response_bytes: int = DEFAULT_RESPONSE_BYTES  # of one payload to a client
    max_fetched_bytes: int = DEFAULT_FETCHED_BYTES  # of all answers of subgraphs to one operation


class PreparedRequest(msgspec.Struct):
    """A request whose operation is valid and whose variables are coerced. It stays on the graph that it began on."""

    request: OperationRequest
    operation: PreparedOperation
    operation_type: str  # "query" | "mutation" | "subscription"
    variables: dict[str, Any]
    graph: LoadedGraph
    runtime: Runtime
    in_pieces: bool = False  # what it defers or streams still stands apart in the operation
    trace: RequestTrace | None = None  # where somebody wants to see it

    @property
    def transport(self) -> SubgraphTransport:
        """The runtime's; watched where the request is traced."""
        return self.runtime.transport if self.trace is None else self.trace.recording(self.runtime.transport)

    def authorize(self, operation: Operation) -> Authorization:
        """`operation` is the request's, or a part of it."""
        if self.runtime.authorize is None:
            return Authorization(operation)
        return self.runtime.authorize(operation, self.request.caller)

    def active_labels(self) -> frozenset[str]:
        """Of progressive overrides. Each call draws anew for those that hold for a share of requests."""
        graph = self.graph
        if not graph.override_labels:
            return frozenset()
        roll = random.random() * 100  # noqa: S311 - a share of traffic, not a secret
        drawn = frozenset(label for label, percent in graph.percent_labels.items() if roll < percent)
        if not graph.custom_labels or self.runtime.choose_labels is None:
            return drawn
        return drawn | self.runtime.choose_labels(graph.custom_labels, self.request.caller)

    async def check_cost(self, operation: Operation) -> None:
        """Raises RequestError. `operation` is the request's, or what running it in pieces comes to."""
        if self.runtime.check_cost is not None:
            await aside(self.operation.is_long, self.runtime.check_cost, operation, self.variables)

    def new_execution(self, authorization: Authorization, transport: SubgraphTransport | None = None) -> Execution:
        """`transport` stands in for the runtime's."""
        cache = self.runtime.entity_cache
        return Execution(
            transport or self.transport,
            self.variables,
            headers=self.request.headers,
            has_files=self.request.has_files,
            note_kept=self.trace.note_kept if self.trace is not None else None,
            withhold=authorization.withholding,
            # what follows a mutation or an event must not be older than it
            kept=KeptForRequest(cache, self.request.caller, self.request.headers)
            if cache is not None and self.operation_type == "query" and not self.request.has_files
            else None,
            max_response_bytes=self.runtime.max_response_bytes,
            max_fetched_bytes=self.runtime.max_fetched_bytes,
            names=self.operation.names,
        )

    def audience(self, plan: CompiledPlan) -> Hashable | None:
        """Equal for requests to whom an event comes to the same body: with the same plan, values, caller and forwarded headers. None
        where it is nobody else's: where somebody looks at how it came about, or nothing may be shared.
        """
        request = self.request
        if self.trace is not None or request.has_files or not self.runtime.shares_events:
            return None
        values = dumps(self.variables) if self.variables else b""
        return (plan, self.operation, values, request.caller, telling_apart(request.headers))

    def subscription_source(self) -> SubscriptionSource | None:
        """Where this request's events come from."""
        source, events = self.runtime.subscriptions, self.runtime.broker_events
        if source is None or events is None:
            return source
        return BrokerSource(events, self.graph.api_schema, self.request.caller, source)

    async def introspect(self, execution: Execution) -> None:
        """Adds what the operation asks of `__schema` and `__type`."""
        if self.operation.introspection is not None:
            answer = await self.graph.introspect(self.operation.introspection, self.variables, asker=self.request.asker)
            execution.tree.update(answer.fragments())
            execution.errors.extend(answer.errors)

    async def extensions(self, plan: CompiledPlan) -> dict[str, Any] | None:
        """Of the response that comes of this plan; None where nobody wants to see it."""
        if self.runtime.plan_extension is None or not self.request.wants_plan:
            return None
        return await aside(self.operation.is_long, self.runtime.plan_extension, plan, self)
