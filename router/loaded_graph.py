"""All that derives from one supergraph: API schema, planner, and the caches of prepared operations and plans.

`server` makes one from SDL and swaps it as one object on reload; requests under way finish on the graph they began on.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from graphql import GraphQLSchema

from router.bounded_cache import BoundedCache
from router.errors import IntrospectionDisabledError, PlanningFailedError, RequestError
from router.executor.execute import CompiledPlan, compile_plan
from router.executor.introspection import (
    Introspection,
    asks_for_introspection,
    introspection_locations,
    without_introspection,
)
from router.operation import (
    DEFAULT_LIMITS,
    DocumentLimits,
    Operation,
    VariableCoercion,
    normalize,
    parse_document,
    validate_document,
)
from router.operation.document import check_limits, count_fields
from router.planner import (
    HarmlessFields,
    OverrideLabels,
    PlannedPart,
    PlanningOverrunError,
    QueryPlanner,
    in_levels,
    share_fetches,
)
from router.planning_process import PlanJob, PlanningProcess, PrepareJob
from router.query_plan import QueryPlan
from router.selection_set import SelectionSet
from router.supergraph import Supergraph, read_supergraph

MAX_SHORTCUTS = 16
#: What may be parsed, validated and planned on the event loop: some 10 ms of work. More goes to another process.
MAX_INLINE_CHARACTERS = 16_000
MAX_INLINE_FIELDS = 150
#: A plan that turns out to take more CPU time than this is given up and made in another process.
MAX_INLINE_SECONDS = 0.015

#: Pure and CPU-bound; the labels are the active ones of `@override(label:)`. May raise PlanningOverrunError.
PlanFunction = Callable[[Operation, frozenset[str]], QueryPlan]


@dataclass(frozen=True, slots=True)
class GraphOptions:
    """How a graph is used; the same for every graph of a router."""

    limits: DocumentLimits = DEFAULT_LIMITS
    max_prepared_operations: int = 2_000
    max_plans: int = 2_000
    hide_suggestions: bool = False
    introspection: bool = True
    planning_timeout_seconds: float = 10.0
    subgraph_urls: Mapping[str, str] = field(default_factory=dict)  # over those in the supergraph


@dataclass(frozen=True, slots=True)
class PartToPlan:
    """One part of an answer in pieces: what to fetch, what is told of it, and the index of the part that it stands in.

    `in_levels` of a part whose lists are cut on the way: nothing of one step of the plan waits for the step itself.
    """

    allowed: Operation
    shape: Operation
    outer: int | None = None
    in_levels: bool = False


class PreparedOperation:
    """Everything about one operation text that does not depend on a request's variables or caller."""

    def __init__(self, operation: Operation, schema: GraphQLSchema) -> None:
        self.operation = operation
        self.coercion = VariableCoercion(operation, schema)
        self.introspection = Introspection(operation, schema) if asks_for_introspection(operation) else None
        self.plannable = without_introspection(operation) if self.introspection is not None else operation
        #: compiled plans of the unrestricted operation by override labels: a shortcut past hashing operations
        self.plans: dict[frozenset[str], CompiledPlan] = {}


class LoadedGraph:
    """One supergraph, ready to answer operations."""

    def __init__(
        self,
        api_schema: GraphQLSchema,
        subgraph_urls: Mapping[str, str],
        plan: PlanFunction,
        options: GraphOptions | None = None,
        *,
        override_labels: frozenset[str] = frozenset(),
        supergraph: Supergraph | None = None,
    ) -> None:
        self.api_schema = api_schema
        self.options = options or GraphOptions()
        self.subgraph_urls = {**subgraph_urls, **self.options.subgraph_urls}
        self.override_labels = override_labels
        #: `percent(25)` is active for a quarter of all requests; what other labels mean is the server's to say
        self.percent_labels = {label: share for label in override_labels if (share := _percent_of(label)) is not None}
        self.custom_labels = override_labels - self.percent_labels.keys()
        self.supergraph = supergraph
        self._labels = OverrideLabels(supergraph) if supergraph is not None else None
        self._plan = plan
        self._supergraph_sdl = supergraph.sdl if supergraph is not None else None
        self._planning: PlanningProcess | None = None
        self._prepared: BoundedCache[tuple[str, str | None, bool], PreparedOperation] = BoundedCache(
            self.options.max_prepared_operations
        )
        self._plans: BoundedCache[tuple[Operation, Operation, frozenset[str]], CompiledPlan] = BoundedCache(
            self.options.max_plans
        )
        self._parts: BoundedCache[tuple[tuple[PartToPlan, ...], frozenset[str]], tuple[CompiledPlan, ...]] = (
            BoundedCache(self.options.max_plans)
        )
        self._harmless = HarmlessFields(supergraph) if supergraph is not None else None

    @classmethod
    def from_sdl(cls, supergraph_sdl: str, options: GraphOptions | None = None) -> LoadedGraph:
        """Raises what `router.supergraph.read_supergraph` raises for an SDL that is not a supergraph."""
        supergraph = read_supergraph(supergraph_sdl)
        planner = QueryPlanner(supergraph)
        planner.graph()  # built here and not by the first request
        return cls(
            supergraph.api_schema,
            supergraph.subgraphs,
            partial(planner.plan, max_seconds=MAX_INLINE_SECONDS),
            options,
            override_labels=frozenset(supergraph.override_labels),
            supergraph=supergraph,
        )

    def retire(self) -> None:
        """For a graph that is no longer served; requests under way still finish."""
        if self._planning is not None:
            self._planning.retire()

    def close(self) -> None:
        """Frees what it holds; requests under way fail."""
        if self._planning is not None:
            self._planning.close()

    @property
    def key_names(self) -> frozenset[str]:
        """Fields that are part of some key: they tell objects apart."""
        return self._harmless.names if self._harmless is not None else frozenset()

    @property
    def caches(self) -> dict[str, BoundedCache[Any, Any]]:
        """By the name that metrics give them."""
        return {"operation": self._prepared, "plan": self._plans}

    async def prepare(
        self, text: str, operation_name: str | None, *, keep_incremental: bool = False
    ) -> PreparedOperation:
        """Raises RequestError for a document that cannot be run."""
        key = (text, operation_name, keep_incremental)
        return self._prepared.get(key) or await self._prepared.get_or_compute(key, lambda: self._prepare(*key))

    async def plan(
        self, prepared: PreparedOperation, allowed: Operation, override_labels: frozenset[str] = frozenset()
    ) -> CompiledPlan:
        """`allowed` is `prepared.plannable`, or what authorization left of it. Raises RequestError."""
        is_whole = allowed is prepared.plannable
        if is_whole and (known := prepared.plans.get(override_labels)) is not None:
            self._plans.hits += 1
            return known
        # planned with all active labels, which the planner has a graph for; the plan is the same with only these
        compiled = await self._plans.get_or_compute(
            (allowed, prepared.operation, self._deciding(allowed, override_labels)),
            lambda: self._compile(allowed, prepared.operation, override_labels),
        )
        if is_whole and len(prepared.plans) < MAX_SHORTCUTS:
            prepared.plans[override_labels] = compiled
        return compiled

    async def plan_parts(
        self, parts: tuple[PartToPlan, ...], override_labels: frozenset[str] = frozenset()
    ) -> tuple[CompiledPlan, ...]:
        """For the parts of an answer in pieces, the outer before the inner ones: what they ask in common, they ask in the
        same words. Empty where they cannot be run apart. Raises RequestError.
        """
        deciding = frozenset().union(*(self._deciding(part.allowed, override_labels) for part in parts))
        key = (parts, deciding)
        return await self._parts.get_or_compute(key, lambda: self._compile_parts(parts, override_labels))

    def _deciding(self, operation: Operation, override_labels: frozenset[str]) -> frozenset[str]:
        return override_labels & self._labels.deciding(operation) if self._labels is not None else override_labels

    async def _prepare(self, text: str, operation_name: str | None, keep_incremental: bool) -> PreparedOperation:
        limits, hide_suggestions = self.options.limits, self.options.hide_suggestions
        document, is_short = None, False
        if len(text) <= MAX_INLINE_CHARACTERS:
            document = parse_document(text, limits)
            check_limits(document, limits)
            is_short = count_fields(document) <= MAX_INLINE_FIELDS
        if is_short or self._supergraph_sdl is None:
            if document is None:
                document = parse_document(text, limits)
                check_limits(document, limits)
            validate_document(document, self.api_schema, hide_suggestions=hide_suggestions)
            operation = normalize(
                document,
                operation_name,
                self.api_schema,
                lift_literals=True,
                keep_incremental=keep_incremental,
                max_fields=limits.fields,
            )
        else:
            job = PrepareJob(text, operation_name, keep_incremental, limits, hide_suggestions)
            operation = await self._planning_process().prepare(job)
        if not self.options.introspection and asks_for_introspection(operation):
            raise IntrospectionDisabledError(introspection_locations(document or parse_document(text, limits)))
        return PreparedOperation(operation, self.api_schema)

    async def _compile(self, allowed: Operation, shape: Operation, override_labels: frozenset[str]) -> CompiledPlan:
        return self._compiled(await self._planned(allowed, override_labels), shape)

    async def _compile_parts(
        self, parts: tuple[PartToPlan, ...], override_labels: frozenset[str]
    ) -> tuple[CompiledPlan, ...]:
        planned = [
            PlannedPart(await self._planned(part.allowed, override_labels), part.allowed.selections, part.outer)
            for part in parts
        ]
        plans = [part.plan for part in planned]
        if self._harmless is not None:
            plans = share_fetches(planned, self._harmless)
        return tuple(
            self._compiled(in_levels(plan) if part.in_levels else plan, part.shape)
            for plan, part in zip(plans, parts, strict=bool(plans))
        )

    async def _planned(self, operation: Operation, override_labels: frozenset[str]) -> QueryPlan:
        plan = None
        if self._supergraph_sdl is None or _weight(operation.selections) <= MAX_INLINE_FIELDS:
            plan = self._plan_inline(operation, override_labels)
        return plan or await self._planning_process().plan(PlanJob(operation, override_labels))

    def _compiled(self, plan: QueryPlan, shape: Operation) -> CompiledPlan:
        possible_types = self.supergraph.possible_types if self.supergraph is not None else None
        return compile_plan(plan, shape, self.api_schema, self.subgraph_urls, possible_types)

    def _plan_inline(self, operation: Operation, override_labels: frozenset[str]) -> QueryPlan | None:
        """None where it would hold up the event loop."""
        try:
            return self._plan(operation, override_labels)
        except PlanningOverrunError:
            return None
        except RequestError:
            raise
        except Exception as error:
            raise PlanningFailedError("The router could not plan this operation.", detail=repr(error)) from error

    def _planning_process(self) -> PlanningProcess:
        if self._planning is None:
            assert self._supergraph_sdl is not None
            self._planning = PlanningProcess(
                self._supergraph_sdl, timeout_seconds=self.options.planning_timeout_seconds
            )
        return self._planning


def _percent_of(label: str) -> float | None:
    if not (label.startswith("percent(") and label.endswith(")")):
        return None
    try:
        return float(label[len("percent(") : -1])
    except ValueError:
        return None


def _weight(selections: SelectionSet) -> int:
    """Fields and fragments: what planning time grows with."""
    return sum(1 + (_weight(item.selections) if item.selections else 0) for item in selections.items)


async def load_graph(supergraph_sdl: str, options: GraphOptions | None = None) -> LoadedGraph:
    """`LoadedGraph.from_sdl` off the event loop: a large supergraph takes seconds to read."""
    return await asyncio.to_thread(LoadedGraph.from_sdl, supergraph_sdl, options)
