"""The planner's story: one operation, one plan.

Called by `loaded_graph` (and by the stage verbs); pure and CPU-bound. The caller caches plans and bounds the time.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable, Iterator

from router.errors import PlanningFailedError
from router.operation import Operation
from router.planner.assemble import assemble
from router.planner.budget import PlanningBudget
from router.planner.build import FetchGraphBuilder, ResponseKeys
from router.planner.choose import Chooser
from router.planner.fetch_graph import FetchNode
from router.query_graph import QueryGraph
from router.query_plan import Fetch, PlanNode, QueryPlan, Sequence, Subscription
from router.selection_set import InlineFragment, SelectionSet
from router.supergraph import Supergraph

# The router answers these from the API schema.
_ANSWERED_BY_THE_ROUTER = frozenset({"__typename", "__schema", "__type"})

#: Of a large supergraph each takes megabytes; those of labels that are active for many requests stay.
MAX_GRAPHS = 32


class QueryPlanner:
    """Plans operations on one supergraph; keeps one query graph for each set of labels that was active lately."""

    def __init__(self, supergraph: Supergraph) -> None:
        self.supergraph = supergraph
        self._graphs: OrderedDict[frozenset[str], QueryGraph] = OrderedDict()

    def graph(self, active_labels: Iterable[str] = ()) -> QueryGraph:
        labels = frozenset(active_labels) & frozenset(self.supergraph.override_labels)
        graph = self._graphs.get(labels)
        if graph is None:
            graph = self._graphs[labels] = QueryGraph(self.supergraph, labels)
            if len(self._graphs) > MAX_GRAPHS:
                self._graphs.popitem(last=False)
        else:
            self._graphs.move_to_end(labels)
        return graph

    def plan(
        self, operation: Operation, override_labels: Iterable[str] = (), *, max_seconds: float | None = None
    ) -> QueryPlan:
        """Raises PlanningLimitError, PlanningFailedError; PlanningOverrunError past `max_seconds` of CPU time."""
        return plan_operation(self.graph(override_labels), operation, PlanningBudget(max_seconds))


def plan_operation(graph: QueryGraph, operation: Operation, budget: PlanningBudget) -> QueryPlan:
    """Example: `{ me { name orders { total } } }` over two subgraphs becomes
    `Sequence(Fetch("users"), EntityFetch("orders", [EntityLookup(paths=(("me",),), ...)]))`.
    """
    operation_type = operation.operation_type
    selections = operation.selections.without(_ANSWERED_BY_THE_ROUTER)
    if not selections.items:
        return QueryPlan(operation_type, None)
    variable_types = {variable.name: variable.type for variable in operation.variables}
    response_keys = ResponseKeys()
    response_keys.claim_all(selections)
    root_type = graph.supergraph.root_types[operation_type]
    chooser = Chooser(graph, budget)

    def build(part: SelectionSet) -> list[FetchNode]:
        return FetchGraphBuilder(graph, chooser, response_keys, operation_type).build(root_type, part)

    if operation_type == "mutation":
        nodes = [assemble(graph, fetches, variable_types) for fetches in _serial(map(build, _one_by_one(selections)))]
        return QueryPlan(operation_type, _in_order([node for node in nodes if node is not None]))
    node = assemble(graph, build(selections), variable_types)
    if operation_type == "subscription":
        return QueryPlan(operation_type, _subscription(node))
    return QueryPlan(operation_type, node)


def _one_by_one(selections: SelectionSet) -> Iterator[SelectionSet]:
    """Each mutation field with its conditions, in order."""
    for item in selections.items:
        if isinstance(item, InlineFragment):
            for inner in _one_by_one(item.selections):
                yield SelectionSet((InlineFragment(item.type_condition, inner, item.conditions),))
        elif item.name not in _ANSWERED_BY_THE_ROUTER:
            yield SelectionSet((item,))


def _serial(groups: Iterable[list[FetchNode]]) -> list[list[FetchNode]]:
    """Neighbouring mutation fields of one subgraph travel together where nothing is fetched in between."""
    merged: list[list[FetchNode]] = []
    for group in groups:
        if merged and len(merged[-1]) == 1 and len(group) == 1 and merged[-1][0].subgraph == group[0].subgraph:
            first, second = merged[-1][0], group[0]
            if not first.draft.fields.keys() & second.draft.fields.keys():
                first.draft.fields.update(second.draft.fields)
                continue
        merged.append(group)
    return merged


def _in_order(nodes: list[PlanNode]) -> PlanNode | None:
    if len(nodes) < 2:
        return nodes[0] if nodes else None
    return Sequence(tuple(nodes))


def _subscription(node: PlanNode | None) -> PlanNode:
    if isinstance(node, Fetch):
        return Subscription(node, None)
    if isinstance(node, Sequence) and isinstance(node.nodes[0], Fetch):
        rest = node.nodes[1:]
        return Subscription(node.nodes[0], rest[0] if len(rest) == 1 else Sequence(rest))
    raise PlanningFailedError("A subscription must start with one subgraph.", detail=f"got {type(node).__name__}")
