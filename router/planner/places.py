"""Places: where a selection set can be asked, and how one place leads to the next.

`expand`, `choose`, `alike` and `build` go from place to place with it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple, TypeVar

from router.query_graph import EntityTarget, QueryGraph, provided_selection
from router.selection_set import SelectionSet
from router.supergraph import SubgraphField

Remembered = TypeVar("Remembered")


class Place(NamedTuple):
    """Where a selection set is asked: a type as one subgraph knows it. `subgraph` is None above the root fetches.

    `sharers` are the subgraphs from which this very object could also have been had. What they share must be the same
    object, so a union that differs between them can only hold members that all of them know.
    """

    subgraph: str | None
    type: str
    provided: SelectionSet | None = None
    sharers: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class RootTarget:
    """A root operation to `subgraph`; needs no key. At the top of an operation, or where an object of the query's root
    type stands deeper in it.
    """

    subgraph: str
    type: str


def resolved_here(graph: QueryGraph, place: Place, field: str) -> tuple[SubgraphField | None, SelectionSet | None]:
    """The field if the subgraph of this place answers it, by itself or because `@provides` says so, and what is
    provided below it.
    """
    assert place.subgraph is not None
    provided, below = provided_selection(graph, place.subgraph, place.type, field, place.provided)
    edge = graph.field(place.subgraph, place.type, field)
    if graph.is_abstract(place.subgraph, place.type) and edge is not None and not provided:
        edge = edge if graph.resolves_on_interface(place.subgraph, place.type, field) else None
    if edge is None and provided:
        edge = graph.declared_field(place.subgraph, place.type, field)
    return edge, below


#: A graph remembers so many answers: what a plan asks, the next one mostly asks too.
_MAX_REMEMBERED = 40_000


def remembered(graph: QueryGraph, key: tuple[object, ...], find: Callable[[], Remembered]) -> Remembered:
    """What `find` gives, found once for the key; it must depend on nothing but graph and key."""
    known: Remembered | None = graph.remembered.get(key)
    if known is None:
        known = find()
        if len(graph.remembered) < _MAX_REMEMBERED:
            graph.remembered[key] = known
    return known


def child_place(graph: QueryGraph, place: Place, field: str) -> Place:
    """Where the sub-selection of a field is asked. The field must be declared there."""
    if place.provided is not None:  # to find it by that would take as long
        return _child_place(graph, place, field)
    key = (place.subgraph, place.type, place.sharers, field)
    known: Place | None = graph.remembered.get(key)
    return known if known is not None else remembered(graph, key, lambda: _child_place(graph, place, field))


def _child_place(graph: QueryGraph, place: Place, field: str) -> Place:
    assert place.subgraph is not None
    _, below = resolved_here(graph, place, field)
    edge = graph.declared_field(place.subgraph, place.type, field)
    assert edge is not None
    provides = edge.provides
    if provides is not None and below is not None:
        provides = SelectionSet(provides.items + below.items)
    sharers = {subgraph for subgraph in place.sharers if graph.field(subgraph, place.type, field) is not None}
    sharers |= {
        target.subgraph
        for target in graph.entity_targets(place.type)
        if graph.field(target.subgraph, target.type, field) is not None
    }
    return Place(
        place.subgraph,
        edge.type,
        provides if provides is not None else below,
        frozenset(sharers | {place.subgraph}) if sharers - {place.subgraph} else frozenset(),
    )


def landing_place(graph: QueryGraph, target: EntityTarget | RootTarget) -> Place:
    """Where a move arrives. A root object could have been asked of every subgraph that has the root type."""
    if isinstance(target, RootTarget):
        return Place(target.subgraph, target.type, None, _subgraphs_with(graph, target.type))
    return Place(target.subgraph, target.type)


def _subgraphs_with(graph: QueryGraph, root_type: str) -> frozenset[str]:
    names = graph.supergraph.subgraphs
    return remembered(
        graph, ("with", root_type), lambda: frozenset(name for name in names if graph.view(name, root_type) is not None)
    )


def possible_types_at(graph: QueryGraph, place: Place) -> tuple[str, ...]:
    """Object types that an object at this place can have."""
    assert place.subgraph is not None
    possible = graph.possible_types(place.subgraph, place.type)
    if not place.sharers or not graph.is_union(place.subgraph, place.type):
        return possible
    others = [graph.possible_types(subgraph, place.type) for subgraph in place.sharers]
    return tuple(name for name in possible if all(name in other for other in others if other))


def typed_place(place: Place, type_name: str) -> Place:
    return Place(place.subgraph, type_name, place.provided, place.sharers)
