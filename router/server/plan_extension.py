"""The query plan as JSON in a response's `extensions`, for development. `app` gives `plan_extension` to the pipeline."""

from __future__ import annotations

from typing import Any

from router.executor.execute import CompiledPlan
from router.pipeline import OperationRequest
from router.plan_printer import plan_as_json, plan_as_text
from router.server.front_door import Visit


def plan_extension(compiled: CompiledPlan, request: OperationRequest) -> dict[str, Any] | None:
    """None unless this visitor asked, and may ask, for plans."""
    if not isinstance(request.caller, Visit) or not request.caller.wants_plan:
        return None
    return {
        "queryPlan": {
            "kind": "QueryPlan",
            "node": plan_as_json(compiled.plan.node),
            "text": plan_as_text(compiled.plan),
        }
    }
