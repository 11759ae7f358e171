"""How operations fall apart, kept from request to request: that depends on the operation and on the values of a few of its
variables.

`pieces` asks for every request; what is kept of a part keeps its identity, by which its compiled projection is found again.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from router.bounded_cache import BoundedCache
from router.executor.execute import CompiledPlan
from router.incremental.encoded_pieces import sent_whole
from router.incremental.plan_parts import PartPlans, PartToPlan
from router.incremental.share_fetches import keys_of_other_fields
from router.incremental.split import DeferredPart, SplitOperation, StreamedList, split_incremental
from router.incremental.unread_fetches import Reading
from router.introspection import without_introspection
from router.loaded_graph import MAX_SHORTCUTS, LoadedGraph
from router.operation import Operation
from router.prepared_operation import PLAN_BYTES_PER_FIELD, PreparedOperation
from router.prepared_request import PreparedRequest
from router.selection_set import InlineFragment, SelectionSet

#: Of one operation so many sets of values are kept; rarer ones are divided by anew each time.
MAX_KEPT = 16


@dataclass(slots=True)
class DividedOperation:
    """An operation in parts, with all that depends on no request. `parts` are those of a caller who may have all of them, the
    first result before the `deferred` ones.
    """

    split: SplitOperation
    deferred: tuple[DeferredPart, ...]
    parts: tuple[PartToPlan, ...]
    #: fields of keys that stand for themselves wherever they are selected: they tell objects apart
    key_names: frozenset[str]
    #: the plans of such a caller by override labels, as far as they were made; empty where the parts cannot be run apart
    plans: dict[frozenset[str], tuple[CompiledPlan, ...]] = field(default_factory=dict)
    _sent_whole: dict[bool, frozenset[DeferredPart | StreamedList]] = field(default_factory=dict)

    def sent_whole(self, *, repeats_fields: bool) -> frozenset[DeferredPart | StreamedList]:
        """As `encoded_pieces.sent_whole`."""
        known = self._sent_whole.get(repeats_fields)
        if known is None:
            known = self._sent_whole[repeats_fields] = sent_whole(self.split, repeats_fields=repeats_fields)
        return known

    def keep(self, override_labels: frozenset[str], plans: tuple[CompiledPlan, ...]) -> None:
        if len(self.plans) < MAX_SHORTCUTS:
            self.plans[override_labels] = plans

    def bytes(self) -> int:
        """About what it takes in memory, with the plans of one set of labels."""
        return sum(part.allowed.selections.count() for part in self.parts) * PLAN_BYTES_PER_FIELD


class _OfOperation:
    """Keeps the operation alive, so that no other can have its identity."""

    def __init__(self, operation: Operation) -> None:
        self.operation = operation
        self.names = tuple(sorted(set(_deciding(operation.selections))))
        self.by_values: dict[tuple[Any, ...], DividedOperation | None] = {}

    def bytes(self) -> int:
        return sum(divided.bytes() for divided in self.by_values.values() if divided is not None)


class Divisions:
    """Of one graph's operations. `LoadedGraph.derived` keeps one for each graph."""

    def __init__(self, graph: LoadedGraph) -> None:
        self._kept: BoundedCache[int, _OfOperation] = BoundedCache(
            graph.options.max_plans, max_bytes=graph.options.max_cache_bytes, weigh=lambda _, kept: kept.bytes()
        )

    def of(self, prepared: PreparedRequest) -> DividedOperation | None:
        """None where nothing comes later with the request's variables. Raises VariablesError."""
        operation, variables = prepared.operation.operation, prepared.variables
        kept = self._kept.get(id(operation)) or _OfOperation(operation)
        values = tuple([variables.get(name) for name in kept.names])
        if values in kept.by_values:
            return kept.by_values[values]
        divided = _divided(prepared.operation, prepared)
        if len(kept.by_values) < MAX_KEPT:
            kept.by_values[values] = divided
            self._kept.put(id(operation), kept)  # it weighs more now
        return divided


def _divided(operation: PreparedOperation, prepared: PreparedRequest) -> DividedOperation | None:
    graph = prepared.graph
    known = graph.derived(PartPlans)
    split = split_incremental(operation.operation, graph.api_schema, prepared.variables, known.keyed_types)
    if split is None:
        return None

    def plannable(planned: Operation) -> Operation:
        return without_introspection(planned) if operation.introspection is not None else planned

    deferred = tuple(split.all_deferred())
    outer = {inner: index for index, part in enumerate(deferred, 1) for inner in part.nested}
    first = PartToPlan(plannable(split.planned), split.primary, in_levels=bool(split.streams))
    others = [
        PartToPlan(
            plannable(part.operation), part.operation, outer.get(part, 0), reading=Reading(part.path, part.selections)
        )
        for part in deferred
    ]
    other_keys = keys_of_other_fields(operation.operation.selections)
    return DividedOperation(split, deferred, (first, *others), known.key_names.difference(other_keys))


def _deciding(selections: SelectionSet) -> Iterator[str]:
    """The names of variables that say what comes later and whether anything does."""
    for item in selections.items:
        yield from (condition.variable for condition in item.conditions)
        directive = item.deferral if isinstance(item, InlineFragment) else item.streaming
        if directive is not None and directive.condition is not None:
            yield directive.condition.variable
        if not isinstance(item, InlineFragment) and item.streaming is not None:
            count = item.streaming.initial_count
            yield from (count,) if isinstance(count, str) else ()
        if item.selections is not None:
            yield from _deciding(item.selections)
