"""Of the subgraphs that resolve a field of a root type, those that are not worth beginning in.

Called by `choose` before it searches what is below the field in each of them: where `me` is of ten subgraphs and the
email of one, nine of the ways to `me { email }` begin elsewhere and end in that one.
"""

from __future__ import annotations

from collections.abc import Sequence

from router.planner.places import Place, RootTarget, child_place, landing_place
from router.query_graph import QueryGraph
from router.selection_set import Field, InlineFragment, SelectionSet


def outdone(graph: QueryGraph, field: Field, targets: Sequence[RootTarget]) -> dict[RootTarget, RootTarget]:
    """The targets that another outdoes, each with the one that does.

    One outdoes another where it has everything that is asked down to fields which the other lacks, and has these whole, or is
    the only one that can be asked for them. To begin in the other takes a further fetch, later, and saves none: whatever
    else is asked of the other, that fetch can be the first one of the former instead.

    Example: users have `me { id email }`, workouts have `me { id workouts { exercise { name } } }`, and foods the name.
    For `me { email }` users outdo workouts, for `me { id workouts { exercise { name } } }` workouts outdo users. For
    `me { email workouts { id } }` neither outdoes the other.
    """
    if field.selections is None:
        return {}
    wholly = SelectionSet((field,))
    places = {target: landing_place(graph, target) for target in targets}
    better = [(other, place) for other, place in places.items() if _may_outdo(graph, place, field)]
    found: dict[RootTarget, RootTarget] = {}
    for target in targets:
        for other, place in better:
            if other is not target and other not in found and _outdoes(graph, place, places[target], wholly):
                found[target] = other
                break
    return found


def _may_outdo(graph: QueryGraph, place: Place, field: Field) -> bool:
    """Whether the subgraph of the place has the field, and the first that is asked below it: else it outdoes nobody."""
    if field.selections is None or not _has(graph, place, field.name):
        return False
    below = child_place(graph, place, field.name)
    return all(isinstance(item, Field) and _has(graph, below, item.name) for item in field.selections.items[:1])


def all_lack(graph: QueryGraph, field: Field, targets: Sequence[RootTarget]) -> bool:
    """Whether none of the targets has all of the field, as far as can be told without a search."""
    wholly = SelectionSet((field,))
    return all(_lacks_some(graph, landing_place(graph, target), wholly) for target in targets)


def _lacks_some(graph: QueryGraph, place: Place, selections: SelectionSet) -> bool:
    for item in selections.items:
        if isinstance(item, InlineFragment):
            continue
        if not _has(graph, place, item.name):
            if _lacks(graph, place):
                return True
        elif item.selections is not None and _lacks_some(graph, child_place(graph, place, item.name), item.selections):
            return True
    return False


def _outdoes(graph: QueryGraph, one: Place, other: Place, selections: SelectionSet) -> bool | None:
    """Whether `one` outdoes `other` for all of the selections: False where it is no worse for any, None where that is not
    known.
    """
    is_better = False
    for item in selections.items:
        verdict = _outdoes_for(graph, one, other, item)
        if verdict is None:
            return None
        is_better |= verdict
    return is_better


def _outdoes_for(graph: QueryGraph, one: Place, other: Place, item: Field | InlineFragment) -> bool | None:
    if isinstance(item, InlineFragment) or not _has(graph, one, item.name):
        return None
    if _has(graph, other, item.name):
        if item.selections is None:
            return False
        return _outdoes(
            graph, child_place(graph, one, item.name), child_place(graph, other, item.name), item.selections
        )
    is_whole = item.selections is None or _has_all(graph, child_place(graph, one, item.name), item.selections)
    if _lacks(graph, other) and (is_whole or _is_alone(graph, one, item.name)):
        return True
    return False if is_whole else None


def _has(graph: QueryGraph, place: Place, name: str) -> bool:
    """Whether the subgraph of the place answers the field by itself; what it `@provides` is left out."""
    assert place.subgraph is not None
    if name == "__typename":
        return not graph.is_interface_object(place.subgraph, place.type)
    return place.provided is None and name in graph.plain_fields(place.subgraph, place.type)


def _has_all(graph: QueryGraph, place: Place, selections: SelectionSet) -> bool:
    return all(
        isinstance(item, Field)
        and _has(graph, place, item.name)
        and (item.selections is None or _has_all(graph, child_place(graph, place, item.name), item.selections))
        for item in selections.items
    )


def _lacks(graph: QueryGraph, place: Place) -> bool:
    """Whether a field that the subgraph of the place does not have takes a further fetch for sure: one of an interface may be
    had of each of its types, and one that is provided is there.
    """
    assert place.subgraph is not None
    return place.provided is None and not graph.is_abstract(place.subgraph, place.type)


def _is_alone(graph: QueryGraph, place: Place, name: str) -> bool:
    """Whether only the subgraph of the place answers the field, and leads on from there as if it were asked by key."""
    subgraph, roots = place.subgraph, graph.supergraph.root_types.values()
    assert subgraph is not None
    return (
        place.type not in roots
        and graph.subgraphs_resolving(place.type, name) == (subgraph,)
        and all(
            target.subgraph == subgraph and target.type == place.type
            for target in graph.entity_targets(place.type)
            if graph.field(target.subgraph, target.type, name) is not None
        )
        and child_place(graph, place, name) == child_place(graph, Place(subgraph, place.type), name)
    )
