"""The query plan and what came of it as JSON in a response's `extensions`, for development.

`app` gives `plan_extension` to the pipeline; the plan pane of GraphiQL's page shows it.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from router.access.authorization import Denial
from router.executor.execute import CompiledPlan
from router.executor.sharing import fetches_of
from router.executor.subgraph_query import FetchPrinter
from router.loaded_graph import LoadedGraph
from router.operation import Operation
from router.plan_printer import plan_as_json, plan_as_text
from router.planner.weighed import choices_as_text
from router.prepared_request import PreparedRequest
from router.query_plan import EntityFetch, Fetch
from router.request_trace import trace_as_json


def plan_extension(compiled: CompiledPlan, prepared: PreparedRequest) -> dict[str, Any]:
    """For a visitor who asked, and may ask, for plans.

    `queryPlan` has the tree, whose fetches are numbered, and its text; `trace` what was sent, with the number of the
    fetch that it was sent for, and what the caller may not have; `choices` what the planner weighed, where that is told
    in little time.
    """
    printer = FetchPrinter(compiled.operation)
    fetches = fetches_of(compiled.plan.node)
    texts = [printer.root(each)[1] if isinstance(each, Fetch) else printer.entities(each)[1] for each in fetches]
    tree = plan_as_json(compiled.plan.node)
    for number, (node, text) in enumerate(zip(_fetch_nodes(tree), texts, strict=True)):
        node |= {"number": number, "operation": text}
    answer: dict[str, Any] = {
        "queryPlan": {"kind": "QueryPlan", "node": tree, "text": plan_as_text(compiled.plan)},
        "choices": _choices(prepared.graph, prepared.operation.plannable, prepared.active_labels()),
    }
    if prepared.trace is not None:
        denials = prepared.authorize(prepared.operation.plannable).denials
        withheld = [_denial_as_json(each) for each in denials if each.is_asked(prepared.variables)]
        answer["trace"] = trace_as_json(prepared.trace, _Numbers(fetches, texts).of) | {"withheld": withheld}
    return answer


class _Numbers:
    """The numbers of a plan's fetches by what is sent for them."""

    def __init__(self, fetches: list[Fetch | EntityFetch], texts: list[str]) -> None:
        self._by_text: dict[tuple[str, str], int] = {}
        self._contextual: dict[str, int] = {}  # their texts depend on the data
        for number, (fetch, text) in enumerate(zip(fetches, texts, strict=True)):
            self._by_text.setdefault((fetch.subgraph, text), number)
            if isinstance(fetch, EntityFetch) and any(lookup.contexts for lookup in fetch.lookups):
                self._contextual.setdefault(fetch.subgraph, number)

    def of(self, subgraph: str, text: str) -> int | None:
        return self._by_text.get((subgraph, text), self._contextual.get(subgraph))


def _fetch_nodes(node: dict[str, Any] | None) -> Iterator[dict[str, Any]]:
    """In the order of `fetches_of`."""
    if node is None:
        return
    if "serviceName" in node:
        yield node
        return
    for inner in (node.get("node"), node.get("primary"), node.get("rest"), *node.get("nodes", ())):
        yield from _fetch_nodes(inner)


def _denial_as_json(denial: Denial) -> dict[str, Any]:
    return {
        "path": ".".join(denial.path),
        "coordinate": denial.coordinate,
        "reason": "nobody is signed in" if denial.refusal is not None else "a scope or policy of the caller is missing",
    }


def _choices(graph: LoadedGraph, operation: Operation, labels: frozenset[str]) -> str | None:
    return None if graph.planner is None else choices_as_text(graph.planner.graph(labels), operation)
