"""What the planner weighed for an operation, told again for whoever looks at its plan, in bounded time.

`server.plan_extension` asks in development; `router.stages` prints the same without a bound.
"""

from __future__ import annotations

from router.errors import RequestError
from router.operation import Operation
from router.planner.budget import PlanningBudget, PlanningOverrunError
from router.planner.choices import Choices
from router.planner.choose import Chooser
from router.planner.plan import fetch_graphs
from router.query_graph import QueryGraph

MAX_SECONDS = 0.05
MAX_CHARACTERS = 50_000


def choices_as_text(graph: QueryGraph, operation: Operation) -> str | None:
    """As `Choices.as_text`, cut at MAX_CHARACTERS; None where it takes longer than MAX_SECONDS of this thread's time."""
    budget = PlanningBudget(MAX_SECONDS)
    choices = Choices(budget)
    try:
        fetch_graphs(graph, operation, Chooser(graph, budget, choices))
        text = choices.as_text()
    except (PlanningOverrunError, RequestError):
        return None
    return text if len(text) <= MAX_CHARACTERS else f"{text[:MAX_CHARACTERS]} ..."
