"""How many requests of the product's dashboard wait for one another, which is what a single connection's time hangs on."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks.fittracker.johns import OPERATION
from router.planner import QueryPlanner
from router.query_plan import EntityFetch, Fetch, Parallel, PlanNode, Sequence
from router.supergraph import read_supergraph
from tests.testkit.plans import plan

SUPERGRAPH = Path(__file__).parents[3] / "schema" / "fittracker" / "supergraph.graphql"
PAGES = {
    "nutrition": "{ me { diaryDay { totals { energyKcal } meals { slot } } } }",
    "workouts": "{ me { workouts { nodes { name } } activeWorkout { id } } }",
    "analytics": "{ me { streaks { meals { longest } } days { nodes { date } } } }",
    "users": "{ me { displayName currentWeight { weightKg } } }",
}


@pytest.fixture(scope="module")
def planner() -> QueryPlanner:
    return QueryPlanner(read_supergraph(SUPERGRAPH.read_text(encoding="utf-8")))


def levels(node: PlanNode | None) -> list[list[str]]:
    """The subgraphs that are asked, by how many requests are waited for before."""
    if isinstance(node, Fetch | EntityFetch):
        return [[node.subgraph]]
    assert isinstance(node, Sequence | Parallel)
    found: list[list[str]] = []
    for inner in map(levels, node.nodes):
        if isinstance(node, Sequence):
            found.extend(inner)
            continue
        found.extend([] for _ in range(len(inner) - len(found)))
        for level, subgraphs in enumerate(inner):
            found[level].extend(subgraphs)
    return found


def test_a_dashboard_asks_all_subgraphs_at_once_and_then_for_what_wants_their_answers(planner: QueryPlanner) -> None:
    at_once, then = levels(plan(planner, OPERATION).node)
    assert sorted(at_once) == ["analytics", "nutrition", "users", "workouts"]
    assert sorted(then) == ["analytics", "nutrition"]  # foods and the day in numbers; the target, which wants the body


@pytest.mark.parametrize("subgraph", PAGES)
def test_what_one_subgraph_has_of_the_viewer_is_one_request(planner: QueryPlanner, subgraph: str) -> None:
    assert levels(plan(planner, PAGES[subgraph]).node) == [[subgraph]]
