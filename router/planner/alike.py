"""Which object types at one place are asked for the same fields in the same way, so that they are planned once.

Called by `build` where an interface or union has many members: without it, three of them within one another are planned
for every way through their members, and an interface of 60 has 216,000.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Iterator

from router.planner.candidates import Excluded, Here, Moved
from router.planner.choose import Chooser
from router.planner.expand import Typed
from router.planner.places import Place, child_place, landing_place, typed_place
from router.query_graph import EntityTarget
from router.selection_set import Field, SelectionSet

#: Groups of fewer types are planned one by one: the plan then names each type, which is easier to read.
MIN_GROUP = 10


def grouped(chooser: Chooser, place: Place, steps: Iterable[Typed], excluded: Excluded) -> Iterator[tuple[str, ...]]:
    """The types of the steps in groups. The types of one group have the same selections, and the choice made for the
    first of them is right for the others too, once its type is replaced by theirs.
    """
    ways = _Ways(chooser, place)
    groups: dict[Hashable, list[str]] = {}
    for step in steps:
        way = ways.of(step, excluded)
        groups.setdefault(way if way is not None else step.type, []).append(step.type)
    for group in groups.values():
        if len(group) >= MIN_GROUP:
            yield tuple(group)
        else:
            yield from ((name,) for name in group)


class _Ways:
    """The choice for a type, as a value that is equal for types with the same choice; None where they cannot be
    compared.
    """

    def __init__(self, chooser: Chooser, place: Place) -> None:
        self._chooser = chooser
        self._graph = chooser.graph
        self._place = place

    def of(self, step: Typed, excluded: Excluded) -> Hashable:
        if self._graph.is_abstract(self._place.subgraph or "", step.type) or self._graph.contexts_of(step.type):
            return None
        way = self._way(typed_place(self._place, step.type), step.selections, excluded)
        return (step.selections, way) if way is not None else None

    def _way(self, place: Place, selections: SelectionSet, excluded: Excluded) -> Hashable:
        choice = self._chooser.choose(place, selections, excluded)
        if choice is None:
            return None
        parts: list[Hashable] = []
        for step in choice.steps:
            part: Hashable = None
            if isinstance(step, Here):
                part = (step.field.response_key, self._field(place, step.field))
            elif isinstance(step, Moved):
                part = self._move(place, step, excluded)
            if part is None:
                return None
            parts.append(part)
        return tuple(parts)

    def _move(self, place: Place, step: Moved, excluded: Excluded) -> Hashable:
        item, target = step.item, step.target
        if not isinstance(item, Field) or not isinstance(target, EntityTarget) or item.name == "__typename":
            return None
        edge = self._graph.field(target.subgraph, target.type, item.name)
        if edge is None or edge.context_arguments or step.key is None:
            return None
        key = self._way(place, step.key.fields, excluded | {(target.subgraph, None)})
        required: Hashable = ()
        if step.requires is not None:
            required = self._way(place, step.requires, excluded | {(target.subgraph, f"{target.type}.{item.name}")})
        if key is None or required is None:
            return None
        is_own = (target.type == place.type, target.typename == place.type)
        others = (None if is_own[0] else target.type, None if is_own[1] else target.typename)
        return (
            item.response_key,
            target.subgraph,
            is_own,
            others,
            step.key.text,
            key,
            required,
            self._field(landing_place(self._graph, target), item),
        )

    def _field(self, place: Place, field: Field) -> Hashable:
        """How the field looks in the place's subgraph, and to clients."""
        if field.name == "__typename":
            return "__typename"
        declared = self._graph.declared_field(place.subgraph or "", place.type, field.name)
        if declared is None:
            return None
        api_type = self._graph.supergraph.api_schema.type_map.get(place.type)
        definition = api_type.fields.get(field.name) if api_type is not None and hasattr(api_type, "fields") else None
        below = child_place(self._graph, place, field.name) if field.selections is not None else None
        return (declared.type_text, below, str(definition.type) if definition is not None else None)
