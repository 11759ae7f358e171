"""Plans one operation: `QueryPlanner.plan` is where the planner begins, and calls its stages in their order.

Called by `loaded_graph`, in the process of `planning_process` for long operations, and by the stage verbs. CPU-bound, and
does no I/O; `loaded_graph` caches the plans and bounds the time.
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
from router.selection_set import Field, InlineFragment, SelectionSet
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
    variable_types = {variable.name: variable.type for variable in operation.variables}
    graphs = fetch_graphs(graph, operation, Chooser(graph, budget))
    nodes = [node for fetches in graphs if (node := assemble(graph, fetches, variable_types)) is not None]
    if operation.operation_type == "subscription" and nodes:
        return QueryPlan(operation.operation_type, _subscription(nodes[0]))
    return QueryPlan(operation.operation_type, _in_order(nodes))


def fetch_graphs(graph: QueryGraph, operation: Operation, chooser: Chooser) -> list[list[FetchNode]]:
    """The fetches before they are put in order: one graph, or of a mutation one for each of its steps."""
    selections = operation.selections.without(_ANSWERED_BY_THE_ROUTER)
    if not selections.items:
        return []
    response_keys = ResponseKeys(selections)
    root_type = graph.supergraph.root_types[operation.operation_type]

    def build(part: SelectionSet) -> list[FetchNode]:
        return FetchGraphBuilder(graph, chooser, response_keys, operation.operation_type).build(root_type, part)

    if operation.operation_type == "mutation":
        return _serial(map(build, _one_by_one(selections)))
    return [build(selections)]


def _one_by_one(selections: SelectionSet) -> list[SelectionSet]:
    """Each mutation field with its conditions, in order. A field that is selected more than once, under other conditions,
    is run once all the same, in its first place.

    Example: `a { x } b a @include(if: $v) { y }` gives `a { x } a @include(if: $v) { y }` and `b`.
    """
    by_key: dict[str, tuple[Field | InlineFragment, ...]] = {}
    for item in _fields_in_fragments(selections):
        field = item
        while isinstance(field, InlineFragment):
            (field,) = field.selections.items
        by_key[field.response_key] = (*by_key.get(field.response_key, ()), item)
    return [SelectionSet(items) for items in by_key.values()]


def _fields_in_fragments(selections: SelectionSet) -> Iterator[Field | InlineFragment]:
    """The fields one by one, each inside copies of the fragments that it stands in; without what the router answers."""
    for item in selections.items:
        if isinstance(item, InlineFragment):
            for inner in _fields_in_fragments(item.selections):
                yield InlineFragment(item.type_condition, SelectionSet((inner,)), item.conditions)
        elif item.name not in _ANSWERED_BY_THE_ROUTER:
            yield item


def _serial(groups: Iterable[list[FetchNode]]) -> list[list[FetchNode]]:
    """Joins the requests of neighbouring mutation fields of one subgraph, where neither needs a further fetch and no
    response key is the same.
    """
    merged: list[list[FetchNode]] = []
    for group in groups:
        if merged and len(merged[-1]) == 1 and len(group) == 1 and merged[-1][0].subgraph == group[0].subgraph:
            first, second = merged[-1][0], group[0]
            if not first.draft.fields.keys() & second.draft.fields.keys():
                first.draft.fields.update(second.draft.fields)
                for conditions in second.needed:
                    first.need(conditions)
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
