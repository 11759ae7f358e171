"""The query plan as JSON in a response's `extensions`, for development. `app` gives `plan_extension` to the pipeline."""

from __future__ import annotations

from typing import Any

from router.executor.execute import CompiledPlan
from router.executor.subgraph_query import print_entity_query, print_root_query
from router.pipeline import OperationRequest
from router.query_plan import (
    ConditionNode,
    Defer,
    EntityFetch,
    Fetch,
    Parallel,
    PlanNode,
    Sequence,
    Subscription,
)
from router.server.front_door import Visit


def plan_extension(compiled: CompiledPlan, request: OperationRequest) -> dict[str, Any] | None:
    """None unless this visitor asked, and may ask, for plans."""
    if not isinstance(request.caller, Visit) or not request.caller.wants_plan:
        return None
    return {"queryPlan": {"kind": "QueryPlan", "node": plan_as_json(compiled.plan.node)}}


def plan_as_json(node: PlanNode | None) -> dict[str, Any] | None:
    """Kinds have the names that every federation router gives them."""
    match node:
        case None:
            return None
        case Fetch():
            return _without_none(
                kind="Fetch",
                serviceName=node.subgraph,
                operationKind=node.operation_type,
                operation=print_root_query(node, {}),
                variableUsages=[name for name, _ in node.variables],
                reason=node.reason or None,
            )
        case EntityFetch():
            return _without_none(
                kind="EntityFetch",
                serviceName=node.subgraph,
                paths=[[".".join(path) for path in lookup.paths] for lookup in node.lookups],
                operation=print_entity_query(node, {})[0],
                variableUsages=[name for name, _ in node.variables],
                reason=node.reason or None,
            )
        case Sequence(nodes) | Parallel(nodes):
            return {"kind": type(node).__name__, "nodes": [plan_as_json(each) for each in nodes]}
        case ConditionNode(conditions, inner):
            words = [("skip" if each.inverted else "include") + f" if ${each.variable}" for each in conditions]
            return {"kind": "Condition", "conditions": words, "node": plan_as_json(inner)}
        case Defer():
            deferred = [
                {"label": each.label, "path": ".".join(each.path), "node": plan_as_json(each.node)}
                for each in node.deferred
            ]
            return {"kind": "Defer", "primary": plan_as_json(node.primary), "deferred": deferred}
        case Subscription():
            return {"kind": "Subscription", "primary": plan_as_json(node.primary), "rest": plan_as_json(node.rest)}


def _without_none(**values: Any) -> dict[str, Any]:
    return {name: value for name, value in values.items() if value is not None}
