"""Interfaces of many members: types that are asked the same are planned once."""

from __future__ import annotations

import time

import pytest

from router.executor.sharing import fetches_of
from router.planner import QueryPlanner
from router.query_plan import EntityFetch
from router.supergraph import read_supergraph
from tests.testkit.hard_supergraphs import wide_interface
from tests.testkit.plans import plan

PLANNER = QueryPlanner(read_supergraph(wide_interface(members=60)))


@pytest.mark.parametrize(
    ("text", "requests"),
    [
        ("{ nodes { id g0 g1 g2 } }", 3),
        ("{ nodes { g1 n1 { g2 n2 { g0 } } } }", 4),
        ("{ nodes { n2 { n0 { n1 { id g2 } } } } }", 4),
        ("{ nodes { ... on M7 { own1_7 n1 { g2 } } n1 { g1 n2 { g0 } } } }", 4),
    ],
)
def test_lists_of_sixty_types_within_one_another_are_planned_in_a_second(text: str, requests: int) -> None:
    PLANNER.graph()
    began = time.process_time()
    made = plan(PLANNER, text)
    assert time.process_time() - began < 1
    assert len(list(fetches_of(made.node))) <= 2 * requests


def test_types_with_one_way_are_one_lookup_that_sends_each_objects_own_type() -> None:
    _, *others = fetches_of(plan(PLANNER, "{ nodes { g1 } }").node)
    (fetch,) = others
    assert isinstance(fetch, EntityFetch)
    (lookup,) = fetch.lookups
    (rule,) = lookup.representations
    assert rule.typename is None
    assert rule.source_types == {f"M{number}" for number in range(60)}
    assert fetch.reason == 'M0.g1 (and of 59 more types) by key "id"'


def test_types_that_are_asked_something_else_are_planned_apart() -> None:
    text = "{ nodes { " + " ".join(f"... on M{n} {{ same_{n % 2}: same1 }}" for n in range(60)) + " } }"
    fetches = list(fetches_of(plan(PLANNER, text).node))
    lookups = [each for fetch in fetches if isinstance(fetch, EntityFetch) for each in fetch.lookups]
    groups = {rule.source_types for each in lookups for rule in each.representations}
    assert groups == {frozenset(f"M{n}" for n in range(60) if n % 2 == odd) for odd in (0, 1)}
