"""Which labels of progressive `@override`s can change the plan of an operation, so that the others do not split plans.

`loaded_graph` keys its plans by them.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from router.operation import Operation
from router.selection_set import Field, SelectionSet
from router.supergraph import SubgraphType, Supergraph

_NAME = re.compile(r"[_A-Za-z][_0-9A-Za-z]*")


class OverrideLabels:
    """The labels of one supergraph by the names of the fields they decide about.

    A plan fetches fields of its operation, and on its way what keys, `@requires` and `@fromContext` name. Names alone are
    compared, which is more than may matter and never less.
    """

    def __init__(self, supergraph: Supergraph) -> None:
        self._by_field: dict[str, frozenset[str]] = {}
        types = [view_type for view in supergraph.views.values() for view_type in view.values()]
        for view_type in types:
            for field in view_type.fields.values():
                if field.override_label is not None:
                    known = self._by_field.get(field.name, frozenset())
                    self._by_field[field.name] = known | {field.override_label}
        on_the_way = {name for view_type in types for name in _names_on_the_way(view_type)}
        self._always = self._labels_of(on_the_way) if self._by_field else frozenset()

    def deciding(self, operation: Operation) -> frozenset[str]:
        """Two sets of active labels that agree on these give the same plan."""
        if not self._by_field:
            return frozenset()
        return self._always | self._labels_of(_names_in(operation.selections))

    def _labels_of(self, names: set[str]) -> frozenset[str]:
        return frozenset().union(*(self._by_field[name] for name in names & self._by_field.keys()))


def _names_on_the_way(view_type: SubgraphType) -> Iterator[str]:
    for key in view_type.keys:
        yield from _names_in(key.fields)
    for field in view_type.fields.values():
        if field.requires is not None:
            yield from _names_in(field.requires)
        for argument in field.context_arguments:
            yield from _NAME.findall(argument.selection)


def _names_in(selections: SelectionSet) -> set[str]:
    names: set[str] = set()
    waiting = [selections]
    while waiting:
        for item in waiting.pop().items:
            if isinstance(item, Field):
                names.add(item.name)
            if item.selections is not None:
                waiting.append(item.selections)
    return names
