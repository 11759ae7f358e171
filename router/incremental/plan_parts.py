"""Plans and compiles the parts of a response in pieces, so that what several of them ask is one request to a subgraph.

Each part is planned alone, `share_fetches` makes the plans meet, and `answers` sends what they ask in common once.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

from router.background import in_background
from router.bounded_cache import BoundedCache
from router.executor.execute import CompiledPlan
from router.incremental.share_fetches import HarmlessFields, PlannedPart, in_levels, share_fetches
from router.incremental.unread_fetches import Reading
from router.loaded_graph import LoadedGraph
from router.operation import Operation
from router.planning_pool import NamesAsker, nobody
from router.prepared_operation import PLAN_BYTES_PER_FIELD


@dataclass(frozen=True, slots=True)
class PartToPlan:
    """One part of a response in pieces: what to fetch, what is told of it, and the index of the part that it stands in.

    `in_levels` is for a part whose lists are cut while it runs: its plan becomes a sequence of steps without sequences
    inside. `reading` is all that its tree is looked at for; None where what is withheld from the caller is told by it too.
    """

    allowed: Operation
    shape: Operation
    outer: int | None = None
    in_levels: bool = False
    reading: Reading | None = None


class PartPlans:
    """The compiled plans of one graph's operations in pieces. `LoadedGraph.derived` keeps one for each graph."""

    def __init__(self, graph: LoadedGraph) -> None:
        self._compiled: BoundedCache[tuple[tuple[PartToPlan, ...], frozenset[str]], tuple[CompiledPlan, ...]] = (
            BoundedCache(
                graph.options.max_plans,
                max_bytes=graph.options.max_cache_bytes,
                weigh=lambda key, _: sum(part.allowed.selections.count() for part in key[0]) * PLAN_BYTES_PER_FIELD,
            )
        )
        self._harmless = HarmlessFields(graph.supergraph) if graph.supergraph is not None else None

    @property
    def key_names(self) -> frozenset[str]:
        """Fields that are part of some key: they tell objects apart."""
        return self._harmless.names if self._harmless is not None else frozenset()

    @property
    def keyed_types(self) -> frozenset[str]:
        """Object types that some subgraph can be asked for by a key."""
        return self._harmless.keyed_types if self._harmless is not None else frozenset()

    async def of(
        self,
        graph: LoadedGraph,
        parts: tuple[PartToPlan, ...],
        override_labels: frozenset[str] = frozenset(),
        asker: NamesAsker = nobody,
    ) -> tuple[CompiledPlan, ...]:
        """In the order of the parts, which has the outer before the inner ones. Empty where they cannot be run apart.
        Raises RequestError.
        """
        deciding = frozenset().union(*(graph.deciding(part.allowed, override_labels) for part in parts))
        return await self._compiled.get_or_compute(
            (parts, deciding), lambda: self._plan(graph, parts, override_labels, asker)
        )

    async def _plan(
        self, graph: LoadedGraph, parts: tuple[PartToPlan, ...], override_labels: frozenset[str], asker: NamesAsker
    ) -> tuple[CompiledPlan, ...]:
        planned: list[PlannedPart] = []
        for part in parts:
            plan = await graph.query_plan(part.allowed, override_labels, asker)
            planned.append(PlannedPart(plan, part.allowed.selections, part.outer, part.reading))
            await asyncio.sleep(0)  # others first: there may be many parts
        return await in_background(self._compile, graph, planned, parts)

    def _compile(
        self, graph: LoadedGraph, planned: list[PlannedPart], parts: tuple[PartToPlan, ...]
    ) -> tuple[CompiledPlan, ...]:
        plans = [part.plan for part in planned]
        if self._harmless is not None:
            plans = share_fetches(planned, self._harmless)
        return tuple(
            graph.compile(in_levels(plan) if part.in_levels else plan, part.shape)
            for plan, part in zip(plans, parts, strict=bool(plans))
        )
