"""From a normalised operation to a query plan: choose the cheapest way, build the fetch graph, put it in order."""

from router.planner.budget import PlanningOverrunError
from router.planner.common_fetches import (
    HarmlessFields,
    PlannedPart,
    asks_again,
    in_levels,
    keys_of_other_fields,
    share_fetches,
)
from router.planner.override_labels import OverrideLabels
from router.planner.plan import QueryPlanner, plan_operation

__all__ = [
    "HarmlessFields",
    "OverrideLabels",
    "PlannedPart",
    "PlanningOverrunError",
    "QueryPlanner",
    "asks_again",
    "in_levels",
    "keys_of_other_fields",
    "plan_operation",
    "share_fetches",
]
