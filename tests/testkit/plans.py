"""Plans of small graphs written in a test: SDL in, the printed plan out."""

from __future__ import annotations

from collections.abc import Iterable

from router.operation import normalize, parse_and_validate
from router.plan_printer import plan_as_text
from router.planner import QueryPlanner
from router.query_plan import QueryPlan
from router.supergraph import read_supergraph
from schema import SubgraphSource, compose

_LINK = (
    'extend schema @link(url: "https://specs.apollo.dev/federation/v2.8", import: ["@key", "@shareable", "@external", '
    '"@requires", "@provides", "@override", "@inaccessible", "@interfaceObject", "@context", "@fromContext"])\n'
)


def planner_of(**subgraphs: str) -> QueryPlanner:
    """A planner over federation 2 subgraphs, given by name."""
    sources = [SubgraphSource(name, _LINK + sdl, f"http://{name}") for name, sdl in subgraphs.items()]
    composition = compose(sources)
    assert composition.supergraph_sdl is not None, composition.errors
    return QueryPlanner(read_supergraph(composition.supergraph_sdl))


def plan(planner: QueryPlanner, operation: str, *, labels: Iterable[str] = ()) -> QueryPlan:
    api_schema = planner.supergraph.api_schema
    document = parse_and_validate(operation, api_schema)
    return planner.plan(normalize(document, None, api_schema), labels)


def plan_text(planner: QueryPlanner, operation: str, *, labels: Iterable[str] = ()) -> str:
    return plan_as_text(plan(planner, operation, labels=labels))
