"""All that derives from one supergraph: API schema, planner, and the caches of prepared operations and plans.

`server` makes one from SDL and swaps it as one object on reload; requests under way finish on the graph they began on.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

from graphql import (
    DocumentNode,
    GraphQLInterfaceType,
    GraphQLNamedType,
    GraphQLObjectType,
    GraphQLSchema,
    OperationType,
    get_named_type,
    is_abstract_type,
)

from router.background import in_background
from router.bounded_cache import BoundedCache
from router.errors import LimitExceededError, PlanningFailedError, RequestError
from router.executor.execute import CompiledPlan, compile_plan
from router.executor.introspection import (
    Introspection,
    IntrospectionAnswer,
    IntrospectionQuestion,
    answer_introspection,
    asks_for_introspection,
    without_introspection,
)
from router.executor.subgraph_errors import never
from router.operation import (
    DEFAULT_LIMITS,
    DocumentLimits,
    Operation,
    VariableCoercion,
    parse_document,
)
from router.operation.document import check_limits, count_fields, with_incremental_directives
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
from router.selection_set import InlineFragment, SelectionSet
from router.supergraph import Supergraph, read_supergraph

MAX_SHORTCUTS = 16
#: What may be parsed, validated and planned on the event loop: some 10 ms of work. More goes to another process.
MAX_INLINE_CHARACTERS = 16_000
MAX_INLINE_TOKENS = 1_000
MAX_INLINE_FIELDS = 150
MAX_INLINE_WEIGHT = 600
#: A plan, or an introspection, that turns out to take more CPU time is given up and made in another process.
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
    redacts_errors_of: Callable[[str], bool] = never  # by a subgraph's name: what it says of them is not for clients


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
        self.introspection = Introspection(operation) if asks_for_introspection(operation) else None
        self.plannable = without_introspection(operation) if self.introspection is not None else operation
        #: whether walks over it, type by type, are too long for the event loop
        self.is_long = not _Weighing(schema, MAX_INLINE_WEIGHT).fits(self.plannable)
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
        planner.graph()  # these are built here and not by the first request
        with_incremental_directives(supergraph.api_schema)
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

    async def introspect(self, introspection: Introspection, variables: Mapping[str, Any]) -> IntrospectionAnswer:
        """Raises RequestError where it takes too long."""
        return await introspection.answer(variables, self._introspect)

    async def _prepare(self, text: str, operation_name: str | None, keep_incremental: bool) -> PreparedOperation:
        options = self.options
        job = PrepareJob(
            text, operation_name, keep_incremental, options.limits, options.hide_suggestions, options.introspection
        )
        document = self._parsed_inline(text)
        if document is not None or self._supergraph_sdl is None:
            return PreparedOperation(job.run(self.api_schema, document), self.api_schema)
        operation = await self._planning_process().prepare(job)
        return await in_background(PreparedOperation, operation, self.api_schema)

    def _parsed_inline(self, text: str) -> DocumentNode | None:
        """The document, checked against the limits; None where the text, or what it stands for, is long."""
        limits = self.options.limits
        if len(text) > MAX_INLINE_CHARACTERS:
            return None
        tokens = min(limits.tokens, MAX_INLINE_TOKENS)
        try:
            document = parse_document(text, replace(limits, tokens=tokens))
        except LimitExceededError as error:
            if error.limit == "TOKEN" and tokens < limits.tokens:
                return None
            raise
        check_limits(document, limits)
        return document if count_fields(document) <= MAX_INLINE_FIELDS else None

    async def _introspect(self, question: IntrospectionQuestion) -> IntrospectionAnswer:
        max_seconds = MAX_INLINE_SECONDS if self._supergraph_sdl is not None else None
        answer = answer_introspection(question, self.api_schema, max_seconds)
        return answer or await self._planning_process().introspect(question)

    async def _compile(self, allowed: Operation, shape: Operation, override_labels: frozenset[str]) -> CompiledPlan:
        plan = self._planned_inline(allowed, override_labels)
        if plan is not None:
            return self._compiled(plan, shape)
        plan = await self._planning_process().plan(PlanJob(allowed, override_labels))
        return await in_background(self._compiled, plan, shape)

    async def _compile_parts(
        self, parts: tuple[PartToPlan, ...], override_labels: frozenset[str]
    ) -> tuple[CompiledPlan, ...]:
        planned: list[PlannedPart] = []
        for part in parts:
            plan = self._planned_inline(part.allowed, override_labels)
            plan = plan or await self._planning_process().plan(PlanJob(part.allowed, override_labels))
            planned.append(PlannedPart(plan, part.allowed.selections, part.outer))
            await asyncio.sleep(0)  # others first: there may be many parts
        return await in_background(self._compiled_parts, planned, parts)

    def _compiled_parts(self, planned: list[PlannedPart], parts: tuple[PartToPlan, ...]) -> tuple[CompiledPlan, ...]:
        plans = [part.plan for part in planned]
        if self._harmless is not None:
            plans = share_fetches(planned, self._harmless)
        return tuple(
            self._compiled(in_levels(plan) if part.in_levels else plan, part.shape)
            for plan, part in zip(plans, parts, strict=bool(plans))
        )

    def _compiled(self, plan: QueryPlan, shape: Operation) -> CompiledPlan:
        possible_types = self.supergraph.possible_types if self.supergraph is not None else None
        return compile_plan(
            plan, shape, self.api_schema, self.subgraph_urls, possible_types, self.options.redacts_errors_of
        )

    def _planned_inline(self, operation: Operation, override_labels: frozenset[str]) -> QueryPlan | None:
        """None where it would hold up the event loop."""
        is_long = not _Weighing(self.api_schema, MAX_INLINE_WEIGHT).fits(operation)
        if is_long and self._supergraph_sdl is not None:
            return None
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


class _Weighing:
    """What planning time grows with: fields and fragments, each as often as there are types to plan it for."""

    def __init__(self, schema: GraphQLSchema, max_weight: int) -> None:
        self._schema = schema
        self._left = max_weight

    def fits(self, operation: Operation) -> bool:
        root = self._schema.get_root_type(OperationType(operation.operation_type))
        return root is not None and self._fits(operation.selections, root, 1)

    def _fits(self, selections: SelectionSet, type_: GraphQLNamedType, times: int) -> bool:
        members = len(self._schema.get_possible_types(type_)) if is_abstract_type(type_) else 1
        self._left -= times * members * len(selections.items)
        if self._left < 0:
            return False
        for item in selections.items:
            if isinstance(item, InlineFragment):
                inner = self._schema.type_map[item.type_condition] if item.type_condition else type_
                if not self._fits(item.selections, inner, times):
                    return False
            elif item.selections is not None:
                assert isinstance(type_, GraphQLObjectType | GraphQLInterfaceType)
                inner = get_named_type(type_.fields[item.name].type)
                if not self._fits(item.selections, inner, times * members):
                    return False
        return True


async def load_graph(supergraph_sdl: str, options: GraphOptions | None = None) -> LoadedGraph:
    """`LoadedGraph.from_sdl` off the event loop: a large supergraph takes seconds to read."""
    return await asyncio.to_thread(LoadedGraph.from_sdl, supergraph_sdl, options)
