"""A selection set at a place as items that can be answered one by one.

Called by `choose`. Fragments that always apply are opened, those that never do are dropped; what an abstract type cannot
answer is asked of each of its possible types. Conditions move down to the fields.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from router.planner.conditions import ALWAYS, Conditions, joined
from router.planner.places import Place, possible_types_at
from router.query_graph import EntityTarget, QueryGraph, provided_selection
from router.selection_set import Field, InlineFragment, SelectionSet


@dataclass(slots=True, eq=False)
class Typed:
    """`... on type { selections }` in the fetch at this place."""

    type: str
    selections: SelectionSet


Item = Field | InlineFragment | Typed


def expand(graph: QueryGraph, place: Place, selections: SelectionSet) -> list[Item]:
    """Example: `{ name ... on Book { pages } }` of an interface whose `name` only Book has here becomes
    `[Typed("Book", { name pages }), Typed("Film", { name })]`.
    """
    is_abstract = place.subgraph is not None and graph.is_abstract(place.subgraph, place.type)
    if not is_abstract and all(isinstance(item, Field) for item in selections.items):
        return [*selections.items]  # as at most places
    expansion = _Expansion(graph, place, is_abstract=is_abstract)
    expansion.add(selections)
    return expansion.items()


class _Expansion:
    def __init__(self, graph: QueryGraph, place: Place, *, is_abstract: bool) -> None:
        self._graph = graph
        self._place = place
        self._is_abstract = is_abstract
        self._items: list[Item] = []
        self._typed: dict[str, list[Field | InlineFragment]] = {}

    def items(self) -> list[Item]:
        return self._items + [Typed(name, SelectionSet(tuple(items))) for name, items in self._typed.items()]

    def add(self, selections: SelectionSet, conditions: Conditions = ALWAYS) -> None:
        place = self._place
        for each in selections.items:
            item = replace(each, conditions=joined(conditions, each.conditions)) if conditions else each
            if isinstance(item, InlineFragment):
                self._add_fragment(item)
            elif item.name == "__typename" or not self._is_abstract or self._is_answered_on_abstract(item):
                self._items.append(item)
            else:
                assert place.subgraph is not None
                possible_types = possible_types_at(self._graph, place)
                for possible in possible_types:
                    self._typed.setdefault(possible, []).append(item)
                if not possible_types:
                    self._items.append(item)  # which nobody answers

    def _add_fragment(self, fragment: InlineFragment) -> None:
        condition, place = fragment.type_condition, self._place
        if condition is None or condition == place.type or place.subgraph is None:
            self.add(fragment.selections, fragment.conditions)
            return
        wanted = self._graph.supergraph_possible_types(condition)
        if self._graph.is_interface_object(place.subgraph, place.type):
            self._add_to_interface_object(fragment, condition, wanted)
        elif self._is_abstract:
            self._add_to_abstract(fragment, condition, wanted, place.subgraph)
        elif place.type in wanted:
            self.add(fragment.selections, fragment.conditions)

    def _add_to_interface_object(self, fragment: InlineFragment, condition: str, wanted: frozenset[str]) -> None:
        """Which object it is, only a subgraph with the real interface can tell: the fragment stays one, to be answered
        there, unless its condition is an interface or union of all that can be here.
        """
        here = self._graph.supergraph_possible_types(self._place.type)
        if condition not in wanted and wanted >= here:
            self.add(fragment.selections, fragment.conditions)
        elif wanted & here:
            self._items.append(fragment)

    def _add_to_abstract(self, fragment: InlineFragment, condition: str, wanted: frozenset[str], subgraph: str) -> None:
        """The types of `wanted` that can be here. Under the fragment's own condition where the subgraph takes it to mean
        the same types, else under the name of each.
        """
        here = possible_types_at(self._graph, self._place)
        possible = [name for name in here if name in wanted]
        if not possible:
            return
        selections = _conditioned(fragment)
        if condition in possible:
            self._typed.setdefault(condition, []).extend(selections)
            return
        known_there = set(here) & set(self._graph.possible_types(subgraph, condition))
        if self._graph.is_abstract(subgraph, condition) and known_there == set(possible):
            self._items.append(Typed(condition, SelectionSet(tuple(selections))))
            return
        for name in possible:
            self._typed.setdefault(name, []).extend(selections)

    def _is_answered_on_abstract(self, field: Field) -> bool:
        """Whether the field can stay one field of an interface, here or after a move by the interface's own key."""
        place, graph = self._place, self._graph
        assert place.subgraph is not None
        if graph.resolves_on_interface(place.subgraph, place.type, field.name):
            return True
        if provided_selection(graph, place.subgraph, place.type, field.name, place.provided)[0]:
            return graph.declared_field(place.subgraph, place.type, field.name) is not None
        return any(True for _ in interface_targets(graph, place, field.name))


def interface_targets(graph: QueryGraph, place: Place, field: str) -> Iterator[EntityTarget]:
    """Subgraphs that can be asked for the field by the interface's own key, without knowing the object's type."""
    assert place.subgraph is not None
    possible = set(graph.possible_types(place.subgraph, place.type))
    for target in graph.entity_targets(place.type):
        if target.subgraph == place.subgraph:
            continue
        if graph.is_interface_object(target.subgraph, target.type):
            if graph.field(target.subgraph, target.type, field) is not None:
                yield target
        elif graph.resolves_on_interface(target.subgraph, target.type, field) and possible <= set(
            graph.possible_types(target.subgraph, target.type)
        ):
            yield target


def _conditioned(fragment: InlineFragment) -> list[Field | InlineFragment]:
    return [
        replace(item, conditions=joined(fragment.conditions, item.conditions)) if fragment.conditions else item
        for item in fragment.selections.items
    ]
