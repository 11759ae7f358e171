"""What each stage makes of an operation, as text. When a plan is wrong, the first stage that is wrong is where to look.

`python -m router` and `fittracker plan` print it. The operation is prepared as a request's is: within limits, validated,
its literals lifted into variables.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum

import orjson
from graphql import parse, print_ast, print_schema

from router.errors import RouterError
from router.executor.subgraph_query import print_selections
from router.introspection import asks_for_introspection, without_introspection
from router.operation import DEFAULT_LIMITS, Operation
from router.plan_printer import plan_as_json, plan_as_mermaid, plan_as_text
from router.planner import QueryPlanner
from router.planner.budget import PlanningBudget
from router.planner.choices import Choices
from router.planner.choose import Chooser
from router.planner.fetch_graph import FetchNode
from router.planner.plan import fetch_graphs
from router.planning_process import PrepareJob
from router.query_graph import QueryGraph
from router.supergraph import Supergraph, read_supergraph


class Stage(StrEnum):
    """In the order in which a request meets them."""

    API_SCHEMA = "api-schema"
    GRAPH = "graph"
    NORMALIZE = "normalize"
    CHOICES = "choices"
    FETCH_GRAPH = "fetch-graph"
    PLAN = "plan"

    @property
    def needs_operation(self) -> bool:
        return self not in (Stage.API_SCHEMA, Stage.GRAPH)


class PlanStyle(StrEnum):
    TEXT = "text"
    JSON = "json"
    MERMAID = "mermaid"


@dataclass(frozen=True, slots=True)
class StageQuestion:
    """`labels` are the active ones of progressive overrides; `style` is the plan's."""

    supergraph_sdl: str
    operation: str = ""
    operation_name: str | None = None
    labels: tuple[str, ...] = ()
    style: PlanStyle = PlanStyle.TEXT


def plans_of(
    supergraph_sdl: str, operations: Iterable[tuple[str, str | None]], labels: tuple[str, ...] = ()
) -> Iterator[str]:
    """The plan of each operation (its text and name) as text, or why there is none: `refused: ...`. Raises SupergraphError.

    Where many are planned, the supergraph is read once.
    """
    supergraph = read_supergraph(supergraph_sdl)
    planner = QueryPlanner(supergraph)
    for text, name in operations:
        try:
            operation = _prepared(supergraph, StageQuestion(supergraph_sdl, text, name, labels))
            yield plan_as_text(planner.plan(without_introspection(operation), labels))
        except RouterError as error:
            yield f"refused: {error.message}"


def show(stage: Stage, question: StageQuestion) -> str:
    """Raises RouterError for a supergraph or an operation that is refused."""
    supergraph = read_supergraph(question.supergraph_sdl)
    match stage:
        case Stage.API_SCHEMA:
            return print_schema(supergraph.api_schema)
        case Stage.GRAPH:
            return "\n".join(_graph_lines(supergraph, question.labels))
    operation = _prepared(supergraph, question)
    planner = QueryPlanner(supergraph)
    match stage:
        case Stage.NORMALIZE:
            return "\n".join(_operation_lines(operation))
        case Stage.CHOICES:
            return _choices(planner.graph(question.labels), without_introspection(operation))
        case Stage.FETCH_GRAPH:
            return "\n".join(_fetch_graph_lines(planner.graph(question.labels), without_introspection(operation)))
    plan = planner.plan(without_introspection(operation), question.labels)
    match question.style:
        case PlanStyle.JSON:
            return orjson.dumps(plan_as_json(plan.node), option=orjson.OPT_INDENT_2).decode()
        case PlanStyle.MERMAID:
            return plan_as_mermaid(plan)
    return plan_as_text(plan)


def _prepared(supergraph: Supergraph, question: StageQuestion) -> Operation:
    job = PrepareJob(question.operation, question.operation_name, keep_incremental=False, limits=DEFAULT_LIMITS)
    return job.run(supergraph.api_schema)


def _graph_lines(supergraph: Supergraph, labels: Iterable[str]) -> Iterator[str]:
    """Every (type, subgraph) node with the fields it resolves and the keys that lead to it."""
    graph = QueryGraph(supergraph, labels)
    for subgraph, view in supergraph.views.items():
        for name, view_type in sorted(view.items()):
            fields = [field for field in view_type.fields if graph.field(subgraph, name, field) is not None]
            yield f"{name}/{subgraph}: {' '.join(fields)}"
            for key in view_type.keys:
                yield f'  key "{key.text}"{"" if key.resolvable else " (not resolvable)"}'


def _operation_lines(operation: Operation) -> Iterator[str]:
    """The operation as it is planned, then the values of its lifted literals."""
    declared = ", ".join(
        f"${each.name}: {each.type}" + (f" = {each.default}" if each.default is not None else "")
        for each in operation.variables
    )
    head = f"{operation.operation_type} {operation.name or ''}{f'({declared})' if declared else ''}"
    yield print_ast(parse(f"{head} {print_selections(operation.selections)}"))
    for name, value in operation.literals.items():
        yield f"# ${name} is {orjson.dumps(value).decode()}"
    if asks_for_introspection(operation):
        yield "# __schema and __type are answered by the router"


def _choices(graph: QueryGraph, operation: Operation) -> str:
    budget = PlanningBudget(None)
    choices = Choices(budget)
    fetch_graphs(graph, operation, Chooser(graph, budget, choices))
    return choices.as_text()


def _fetch_graph_lines(graph: QueryGraph, operation: Operation) -> Iterator[str]:
    """Every fetch with what it waits for, before fetches of one subgraph and level become one request."""
    for number, nodes in enumerate(fetch_graphs(graph, operation, Chooser(graph, PlanningBudget(None)))):
        if number:
            yield "then"
        names = {node: f"{index}" for index, node in enumerate(nodes, 1)}
        for node in nodes:
            yield from _node_lines(node, names)


def _node_lines(node: FetchNode, names: dict[FetchNode, str]) -> Iterator[str]:
    waits = sorted(names[parent] for parent in node.parents if parent in names)
    order = f"after {', '.join(waits)}" if waits else "first"
    where = f" at {'.'.join(node.path)}" if node.path else ""
    yield f"{names[node]}. {node.subgraph}{where}, level {node.level()}, {order}"
    for rule in node.complete_rules():
        types = f"{'|'.join(sorted(rule.source_types))} as " if rule.source_types else ""
        fields = print_selections(rule.fields.to_selection_set()) if not rule.fields.is_empty() else "{}"
        yield f"   of {types}{rule.typename or 'its own type'} {fields}"
    on = f"{node.draft.type} " if node.draft.type else ""
    yield f"   asks {on}{print_selections(node.draft.to_selection_set())}"
    for reason in dict.fromkeys(node.reasons):
        yield f"   for {reason}"
