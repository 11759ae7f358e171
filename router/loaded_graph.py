"""All that derives from one supergraph: API schema, planner, and the caches of prepared operations and plans.

`server` makes one from SDL and swaps it as one object on reload; requests under way finish on the graph they began on.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from graphql import GraphQLSchema

from router.bounded_cache import BoundedCache
from router.errors import PlanningFailedError, RequestError
from router.executor.execute import CompiledPlan, compile_plan
from router.executor.introspection import Introspection, asks_for_introspection, without_introspection
from router.operation import (
    DEFAULT_LIMITS,
    DocumentLimits,
    Operation,
    VariableCoercion,
    normalize,
    parse_and_validate,
)
from router.query_plan import QueryPlan

MAX_SHORTCUTS = 16

#: Pure and CPU-bound; the labels are the active ones of `@override(label:)`.
PlanFunction = Callable[[Operation, frozenset[str]], QueryPlan]


@dataclass(frozen=True, slots=True)
class GraphOptions:
    """How a graph is used; the same for every graph of a router."""

    limits: DocumentLimits = DEFAULT_LIMITS
    max_prepared_operations: int = 2_000
    max_plans: int = 2_000
    hide_suggestions: bool = False
    subgraph_urls: Mapping[str, str] = field(default_factory=dict)  # over those in the supergraph


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
        supergraph: Any = None,
    ) -> None:
        self.api_schema = api_schema
        self.options = options or GraphOptions()
        self.subgraph_urls = {**subgraph_urls, **self.options.subgraph_urls}
        self.override_labels = override_labels
        self.supergraph = supergraph
        self._plan = plan
        self._prepared: BoundedCache[tuple[str, str | None, bool], PreparedOperation] = BoundedCache(
            self.options.max_prepared_operations
        )
        self._plans: BoundedCache[tuple[Operation, Operation, frozenset[str]], CompiledPlan] = BoundedCache(
            self.options.max_plans
        )

    @classmethod
    def from_sdl(cls, supergraph_sdl: str, options: GraphOptions | None = None) -> LoadedGraph:
        """Raises what `router.supergraph.read_supergraph` raises for an SDL that is not a supergraph."""
        from router.planner import QueryPlanner
        from router.supergraph import read_supergraph

        supergraph = read_supergraph(supergraph_sdl)
        planner = QueryPlanner(supergraph)
        return cls(
            supergraph.api_schema,
            supergraph.subgraphs,
            planner.plan,
            options,
            supergraph=supergraph,
        )

    async def prepare(self, text: str, operation_name: str | None, *, keep_defer: bool = False) -> PreparedOperation:
        """Raises RequestError for a document that cannot be run."""
        key = (text, operation_name, keep_defer)
        return self._prepared.get(key) or await self._prepared.get_or_compute(key, lambda: self._prepare(*key))

    async def plan(
        self, prepared: PreparedOperation, allowed: Operation, override_labels: frozenset[str] = frozenset()
    ) -> CompiledPlan:
        """`allowed` is `prepared.plannable`, or what authorization left of it. Raises RequestError."""
        is_whole = allowed is prepared.plannable
        if is_whole and (known := prepared.plans.get(override_labels)) is not None:
            return known
        key = (allowed, prepared.operation, override_labels)
        compiled = await self._plans.get_or_compute(key, lambda: self._compile(*key))
        if is_whole and len(prepared.plans) < MAX_SHORTCUTS:
            prepared.plans[override_labels] = compiled
        return compiled

    async def _prepare(self, text: str, operation_name: str | None, keep_defer: bool) -> PreparedOperation:
        document = parse_and_validate(
            text, self.api_schema, self.options.limits, hide_suggestions=self.options.hide_suggestions
        )
        operation = normalize(
            document,
            operation_name,
            self.api_schema,
            lift_literals=True,
            keep_defer=keep_defer,
            max_fields=self.options.limits.fields,
        )
        return PreparedOperation(operation, self.api_schema)

    async def _compile(self, allowed: Operation, shape: Operation, override_labels: frozenset[str]) -> CompiledPlan:
        try:
            plan = self._plan(allowed, override_labels)
        except RequestError:
            raise
        except Exception as error:
            raise PlanningFailedError("The router could not plan this operation.", detail=repr(error)) from error
        return compile_plan(plan, shape, self.api_schema, self.subgraph_urls)


async def load_graph(supergraph_sdl: str, options: GraphOptions | None = None) -> LoadedGraph:
    """`LoadedGraph.from_sdl` off the event loop: a large supergraph takes seconds to read."""
    return await asyncio.to_thread(LoadedGraph.from_sdl, supergraph_sdl, options)
