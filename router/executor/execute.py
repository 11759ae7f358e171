"""Runs a plan: compiled once, then for every request fetch, merge, project, encode.

`LoadedGraph.compile` calls `compile_plan`, for plans of whole operations and for those of parts (`incremental.plan_parts`);
both are cached. `pipeline` calls `CompiledPlan.respond` for a query or mutation and `subscribe` for every event; it gives
the response body, ready to be written. `incremental.pieces` runs the steps itself.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Iterable, Iterator, Mapping
from collections.abc import Sequence as Listed
from dataclasses import dataclass
from typing import Any, Protocol

import orjson
from graphql import GraphQLInterfaceType, GraphQLSchema

from router.errors import ErrorEntry
from router.executor.compiled_projection import IRREGULAR_ERRORS, NAMES, Keys
from router.executor.contextual import ContextualFetchStep
from router.executor.custom_scalars import may_hold_custom_scalars
from router.executor.fetch import CompiledLookup, EntityFetchStep, Execution, RootFetch
from router.executor.kept_projections import MAX_PROJECTIONS, KeptProjections
from router.executor.left_out_keys import AskedOfPlan
from router.executor.nested_root import NestedRootFetch
from router.executor.passthrough import Passthrough, compile_passthrough
from router.executor.projection import Projection, encode_response, holds
from router.executor.repeated_objects import repeated_in_entities, repeated_in_root
from router.executor.representations import PossibleTypes, RepresentationCollector
from router.executor.response_size import ResponseTooLargeError, response_bytes
from router.executor.sharing import Sharing, analyse_sharing, fetches_of, response_keys_of
from router.executor.subgraph_errors import ALL_THEY_SAY, ClientErrors, Disclosure
from router.executor.subgraph_query import FetchPrinter
from router.object_types import object_types_of
from router.operation import Operation
from router.query_plan import (
    ConditionNode,
    EntityFetch,
    Fetch,
    Parallel,
    PlanNode,
    QueryPlan,
    Sequence,
    Subscription,
)
from router.selection_set import Condition, SelectionSet
from router.telemetry import RESPONSES_TOO_LARGE

#: Under this name a schema's extensions remember the names of its interfaces, which every plan asks for.
_INTERFACES = "router.interfaces"


class Step(Protocol):
    """A compiled plan node."""

    def run(self, execution: Execution) -> Coroutine[Any, Any, None]: ...


@dataclass(frozen=True, slots=True)
class SequenceStep:
    steps: tuple[Step, ...]

    async def run(self, execution: Execution) -> None:
        for step in self.steps:
            await step.run(execution)


@dataclass(frozen=True, slots=True)
class ParallelStep:
    """`fetches` are all under way before the first is waited for and need no task; `others` get one each. Those of objects that
    stand deeper come later: equal objects further up have become one by then, and below that one there is less to look at.
    """

    fetches: tuple[RootFetch | EntityFetchStep, ...]
    others: tuple[Step, ...]

    async def run(self, execution: Execution) -> None:
        tasks = [asyncio.ensure_future(step.run(execution)) for step in self.others]
        try:
            started = [(fetch, fetch.begin(execution)) for fetch in self.fetches]
            for fetch, pending in started:
                if pending is not None:
                    await fetch.complete(execution, pending)  # type: ignore[arg-type]
            for task in tasks:
                await task
        finally:
            for task in tasks:
                task.cancel()


@dataclass(frozen=True, slots=True)
class ConditionStep:
    conditions: tuple[Condition, ...]
    step: Step

    async def run(self, execution: Execution) -> None:
        if holds(self.conditions, execution.variables):
            await self.step.run(execution)


def writes(step: Step) -> bool:
    """Whether it sends a mutation."""
    match step:
        case SequenceStep(steps):
            return any(map(writes, steps))
        case ParallelStep(fetches, others):
            return any(map(writes, (*fetches, *others)))
        case ConditionStep(_, inner):
            return writes(inner)
        case RootFetch() | NestedRootFetch():
            return not step.is_query
    return False


#: Makes the extensions of a response from the plan that has run.
Explain = Callable[["CompiledPlan"], Awaitable[dict[str, Any] | None]]


class CompiledPlan:
    """A plan made ready to run for one operation; holds no state of any request."""

    def __init__(
        self,
        plan: QueryPlan,
        operation: Operation,
        schema: GraphQLSchema,
        subgraph_urls: Mapping[str, str],
        possible_types: PossibleTypes,
        disclosure: Disclosure = ALL_THEY_SAY,
    ) -> None:
        self.plan = plan
        self.operation = operation
        self.schema = schema
        self.root_type = _root_type_name(schema, operation.operation_type)
        fetches = fetches_of(plan.node)
        self.sharing = analyse_sharing(plan.node)
        compiler = StepCompiler(
            operation=operation,
            schema=schema,
            root_type=self.root_type,
            subgraph_urls=subgraph_urls,
            sharing=self.sharing,
            asked=AskedOfPlan(fetches),
            is_exact=may_hold_custom_scalars(_selections(fetches), schema),
            possible_types=possible_types,
            disclosure=disclosure,
        )
        #: of a subscription: the fetch whose every result begins an event
        self.primary = compiler.root_fetch(plan.node.primary) if isinstance(plan.node, Subscription) else None
        self.step = compiler.compile(plan.node.rest if isinstance(plan.node, Subscription) else plan.node)
        self._shared_keys = frozenset(response_keys_of(path) for path in self.sharing.shared_paths)
        self._projections = KeptProjections(schema, self.root_type, operation.selections, self._shared_keys)
        self._of_parts: dict[tuple[str, int, Keys], KeptProjections] = {}
        self._passthrough: Passthrough | None = None
        self._is_passthrough_known = False

    @property
    def steps(self) -> tuple[Step, ...]:
        """What runs one after another."""
        if isinstance(self.step, SequenceStep):
            return self.step.steps
        return () if self.step is None else (self.step,)

    def respond(self, execution: Execution, explain: Explain | None = None) -> Coroutine[Any, Any, bytes]:
        """The response body of a query or mutation. Fetch failures are entries of `errors`, never raised. `explain` gives
        the response's extensions when everything is fetched.
        """
        if explain is None and self._may_pass_through(execution):
            return self._pass_through(execution)
        return self._run(execution, explain)

    async def _run(self, execution: Execution, explain: Explain | None) -> bytes:
        if self.step is not None:
            await self.step.run(execution)
        return self.encode(execution, await explain(self) if explain is not None else None)

    def _may_pass_through(self, execution: Execution) -> bool:
        if self._passthrough is None:
            if self._is_passthrough_known or not self._projections.is_warm:
                return False
            self._is_passthrough_known = True
            self._passthrough = compile_passthrough(self.plan.node, self.operation.selections, self.schema)
        is_as_fetched = execution.withhold is None and not execution.names and not execution.tree
        return is_as_fetched and self._passthrough is not None

    async def _pass_through(self, execution: Execution) -> bytes:
        """The subgraph's own bytes where they are in perfect shape; what is not goes the ordinary way."""
        fetch, check = self.step, self._passthrough
        assert isinstance(fetch, RootFetch)
        assert check is not None
        answer = await fetch.ask(execution)
        if answer is not None:
            body = check.body(answer)
            if body is not None and len(body) <= execution.max_response_bytes:
                return body
            fetch.receive(execution, answer)
        return self.encode(execution)

    def encode(self, execution: Execution, extensions: dict[str, Any] | None = None) -> bytes:
        """The response body of a tree to which nothing is added any more; leaves all errors in `execution.errors`.

        One that is larger than `execution.max_response_bytes` is that one error, with null as its data.
        """
        execution.finish()
        most = execution.max_response_bytes
        if not self.outgrows(execution):
            body = self._encoded(execution, extensions)
            if len(body) <= most:
                return body
        RESPONSES_TOO_LARGE.labels(self.operation.operation_type).inc()
        execution.errors = [ResponseTooLargeError(most, self.operation.operation_type).entry()]
        return encode_response(None, execution.errors)

    def outgrows(self, execution: Execution) -> bool:
        """Whether the response need not be written to see that it is too large, for what the answers have once stands in
        so many places.
        """
        if not execution.may_outgrow():
            return False
        names = execution.names
        size = response_bytes(self.operation.selections, execution.tree, execution.variables, names)
        return size > execution.max_response_bytes

    def _encoded(self, execution: Execution, extensions: dict[str, Any] | None) -> bytes:
        known = execution.errors
        data, execution.errors = self._shape(execution)
        try:
            return encode_response(data, execution.errors, extensions, is_checked=False)
        except orjson.JSONEncodeError:  # a scalar is nested too deeply, or a large integer: the plain projection looks
            execution.errors = known  # without those that it has found already
            data, execution.errors = self.project_plainly(execution)
            return encode_response(data, execution.errors, extensions)

    def _shape(self, execution: Execution) -> tuple[Any, list[ErrorEntry]]:
        names = execution.names
        is_repeated = execution.occurrences is not None
        typed = None if names or is_repeated else self._projections.typed(execution.variables)
        if typed is not None:
            written = typed.written(execution.tree)
            if written is not None:
                return orjson.Fragment(written), execution.errors
            return self.project_plainly(execution)
        if names:
            fast = self._projections.of(execution.variables, is_repeated=is_repeated, renamed=frozenset(names))
        else:
            fast = self._projections.of(execution.variables, is_repeated=is_repeated)
        if fast is not None:
            try:
                if not names:
                    return fast(execution.tree, {}), execution.errors
                return fast(execution.tree, {NAMES: names}), [_named(error, names) for error in execution.errors]
            except IRREGULAR_ERRORS:
                pass
        return self.project_plainly(execution)

    def project_plainly(self, execution: Execution) -> tuple[Any, list[ErrorEntry]]:
        names = execution.names
        careful = Projection(self.schema, execution.variables, execution.errors, names)
        data = careful.project(self.operation.selections, self.root_type, execution.tree)
        errors = execution.errors + careful.errors
        return data, [_named(error, names) for error in errors] if names else errors

    def project_openly(self, execution: Execution) -> tuple[Any, Any, list[ErrorEntry]]:
        """The client's data, no part of it encoded, so that it can be looked into and fields can be added to its objects; the
        same to be written, and all errors.
        """
        fast = self._projections.of(execution.variables, is_repeated=False) if not execution.names else None
        if fast is not None:
            try:
                shaped = fast(execution.tree, {})
                return shaped, orjson.Fragment(self._projections.dumps(shaped)), execution.errors
            except IRREGULAR_ERRORS:  # what is nested too deeply to be written is among them
                pass
        data, errors = self.project_plainly(execution)
        return data, data, errors

    def part_projections(self, type_name: str, selections: SelectionSet, keys: Keys) -> KeptProjections:
        """Of a deferred part or the items of a streamed list, whose objects are of that type and stand at those response
        keys. The part is known by the identity of its selections.
        """
        place = (type_name, id(selections), keys)
        known = self._of_parts.get(place)
        if known is None:
            if len(self._of_parts) >= MAX_PROJECTIONS:  # of parts that nobody keeps any more
                self._of_parts.clear()
            below = frozenset(each[len(keys) :] for each in self._shared_keys if each[: len(keys)] == keys)
            known = self._of_parts[place] = KeptProjections(self.schema, type_name, selections, below)
        return known


class StepCompiler:
    """Plan nodes to steps."""

    def __init__(
        self,
        operation: Operation,
        schema: GraphQLSchema,
        root_type: str,
        subgraph_urls: Mapping[str, str],
        sharing: Sharing,
        asked: AskedOfPlan,
        is_exact: bool,
        possible_types: PossibleTypes,
        disclosure: Disclosure,
    ) -> None:
        self._printer = FetchPrinter(operation)
        self._schema = schema
        self._subgraph_urls = subgraph_urls
        self._sharing = sharing
        self._asked = asked
        self._is_exact = is_exact
        self._possible_types = possible_types
        self._client_errors = ClientErrors(schema, root_type, operation.selections, disclosure)
        self._unplaced_errors = ClientErrors(schema, root_type, None, disclosure)

    def compile(self, node: PlanNode | None) -> Step | None:
        match node:
            case None:
                return None
            case Fetch():
                fetch = self.root_fetch(node)
                return NestedRootFetch(fetch, node.path, self._client_errors) if node.path else fetch
            case EntityFetch():
                return self._entity_fetch(node)
            case Sequence(nodes):
                return SequenceStep(tuple(self._compiled(nodes)))
            case Parallel(nodes):
                steps = tuple(self._compiled(nodes))
                return ParallelStep(
                    tuple(
                        sorted((each for each in steps if isinstance(each, (RootFetch, EntityFetchStep))), key=_depth)
                    ),
                    tuple(step for step in steps if not isinstance(step, (RootFetch, EntityFetchStep))),
                )
            case ConditionNode(conditions, inner):
                step = self.compile(inner)
                return None if step is None else ConditionStep(conditions, step)
            case Subscription():
                raise ValueError("A subscription stands only at the top of a plan.")

    def root_fetch(self, fetch: Fetch) -> RootFetch:
        repeated = repeated_in_root(fetch, self._sharing)
        fetch, query = self._printer.root(fetch)
        is_exact = self._is_exact and may_hold_custom_scalars([fetch.selections], self._schema)
        return RootFetch(
            subgraph=fetch.subgraph,
            url=self._subgraph_urls.get(fetch.subgraph, ""),
            query=query,
            variable_names=(name for name, _ in fetch.variables),
            renames=fetch.renames,
            selections=fetch.selections,
            is_query=fetch.operation_type == "query",
            client_errors=self._unplaced_errors if fetch.path else self._client_errors,
            is_exact=is_exact,
            repeated=repeated if not is_exact else None,
        )

    def _entity_fetch(self, fetch: EntityFetch) -> EntityFetchStep | ContextualFetchStep:
        collectors = tuple(
            RepresentationCollector(
                lookup, self._sharing, self._schema, self._possible_types, self._asked, is_exact=self._is_exact
            )
            for lookup in fetch.lookups
        )
        if not any(lookup.contexts for lookup in fetch.lookups):
            return self._request_of_entities(fetch, collectors)
        return ContextualFetchStep(
            fetch, lambda asked, lookups: self._request_of_entities(asked, [collectors[index] for index in lookups])
        )

    def _request_of_entities(self, fetch: EntityFetch, collectors: Listed[RepresentationCollector]) -> EntityFetchStep:
        fetch, query, names = self._printer.entities(fetch)
        abstract_types = _interfaces(self._schema)
        lookups = tuple(
            CompiledLookup(lookup, collector, response_key, variable, abstract_types)
            for lookup, collector, (response_key, variable) in zip(fetch.lookups, collectors, names, strict=True)
        )
        selections = [lookup.selections for lookup in fetch.lookups]
        is_exact = self._is_exact and may_hold_custom_scalars(selections, self._schema)
        response_keys = [response_key for response_key, _ in names]
        return EntityFetchStep(
            fetch.subgraph,
            self._subgraph_urls.get(fetch.subgraph, ""),
            query,
            lookups,
            (name for name, _ in fetch.variables),
            self._client_errors,
            is_exact=is_exact,
            repeated=repeated_in_entities(fetch.lookups, response_keys, self._sharing) if not is_exact else None,
        )

    def _compiled(self, nodes: Iterable[PlanNode]) -> Iterator[Step]:
        for node in nodes:
            step = self.compile(node)
            if step is not None:
                yield step


def _depth(fetch: RootFetch | EntityFetchStep) -> int:
    if isinstance(fetch, RootFetch):
        return 0
    return min(len(path) for lookup in fetch.lookups for path in lookup.paths)


def compile_plan(
    plan: QueryPlan,
    operation: Operation,
    schema: GraphQLSchema,
    subgraph_urls: Mapping[str, str],
    possible_types: PossibleTypes | None = None,
    disclosure: Disclosure = ALL_THEY_SAY,
) -> CompiledPlan:
    """`operation` is the one the client's answer is shaped by; `plan` may fetch more, and types clients cannot see."""
    return CompiledPlan(plan, operation, schema, subgraph_urls, possible_types or _visible_types(schema), disclosure)


def _visible_types(schema: GraphQLSchema) -> PossibleTypes:
    def possible_types(type_name: str) -> frozenset[str]:
        type_ = schema.type_map.get(type_name)
        return frozenset({type_name} if type_ is None else (each.name for each in object_types_of(schema, type_)))

    return possible_types


def _root_type_name(schema: GraphQLSchema, operation_type: str) -> str:
    roots = {"query": schema.query_type, "mutation": schema.mutation_type, "subscription": schema.subscription_type}
    root = roots[operation_type]
    if root is None:
        raise ValueError(f"The schema has no {operation_type} type.")
    return root.name


def _interfaces(schema: GraphQLSchema) -> frozenset[str]:
    known: frozenset[str] | None = schema.extensions.get(_INTERFACES)
    if known is None:
        known = schema.extensions[_INTERFACES] = frozenset(
            name for name, type_ in schema.type_map.items() if isinstance(type_, GraphQLInterfaceType)
        )
    return known


def _selections(fetches: Iterable[Fetch | EntityFetch]) -> Iterator[SelectionSet]:
    for fetch in fetches:
        if isinstance(fetch, Fetch):
            yield fetch.selections
        else:
            yield from (lookup.selections for lookup in fetch.lookups)


def _named(error: ErrorEntry, names: Mapping[str, str]) -> ErrorEntry:
    """The error with its path in the client's response keys."""
    if "path" not in error:
        return error
    return {**error, "path": [names.get(part, part) for part in error["path"]]}
