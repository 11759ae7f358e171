"""From a normalised operation to a query plan: choose the cheapest way, build the fetch graph, put it in order."""

from router.planner.budget import PlanningOverrunError
from router.planner.override_labels import OverrideLabels
from router.planner.plan import QueryPlanner

__all__ = ["OverrideLabels", "PlanningOverrunError", "QueryPlanner"]
