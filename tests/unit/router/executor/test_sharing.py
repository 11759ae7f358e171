"""Where equal entities may become one object, though two fetches answer the lists above them."""

from __future__ import annotations

import pytest

from router.executor.sharing import analyse_sharing
from router.query_plan import (
    ConditionNode,
    EntityFetch,
    EntityLookup,
    Fetch,
    Parallel,
    Path,
    PlanNode,
    RepresentationRule,
    Sequence,
)
from router.selection_set import Condition, Field, InlineFragment, SelectionSet

ID = SelectionSet((Field("id", "id"),))
AUTHORS: Path = ("posts", "@", "author")


def posts(subgraph: str) -> Fetch:
    author = Field("author", "author", selections=ID)
    return Fetch(subgraph, "query", SelectionSet((Field("posts", "posts", selections=SelectionSet((author,))),)))


def lookup(subgraph: str, path: Path, field: Field) -> EntityFetch:
    selections = SelectionSet((InlineFragment("User", SelectionSet((field,))),))
    rule = RepresentationRule(frozenset(), "User", ID)
    return EntityFetch(subgraph, (EntityLookup((path,), (rule,), selections),))


ONE, OTHER = posts("one"), posts("other")
NAMES = lookup("names", AUTHORS, Field("name", "name"))
CITIES = lookup("cities", AUTHORS, Field("city", "city", selections=ID))
MAYORS = lookup("mayors", (*AUTHORS, "city"), Field("mayor", "mayor"))


@pytest.mark.parametrize(
    ("node", "shared"),
    [
        (Sequence((ONE, NAMES)), {AUTHORS}),
        (Sequence((Parallel((ONE, OTHER)), NAMES)), {AUTHORS}),
        (Sequence((ONE, OTHER, NAMES)), {AUTHORS}),
        (Sequence((ONE, ConditionNode((Condition("more"),), OTHER), NAMES)), {AUTHORS}),
        (Sequence((Parallel((Sequence((ONE, OTHER)), CITIES)), MAYORS)), set()),
        (Sequence((ONE, Parallel((OTHER, NAMES)))), set()),
        (Sequence((ONE, NAMES, OTHER)), set()),
        (Parallel((OTHER, Sequence((ONE, NAMES)))), set()),
        (Sequence((Parallel((ONE, OTHER)), CITIES, MAYORS)), {AUTHORS, (*AUTHORS, "city")}),
        (Sequence((ONE, CITIES, Parallel((MAYORS, OTHER)))), set()),
    ],
)
def test_objects_are_shared_where_all_lists_above_them_have_come_before_anybody_looks(
    node: PlanNode, shared: set[Path]
) -> None:
    assert analyse_sharing(node).shared_paths == shared


def test_nothing_is_shared_in_a_plan_of_nothing() -> None:
    assert not analyse_sharing(None).shared_paths
