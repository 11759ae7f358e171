"""What interfaces ask for: all that the objects behind them ask for, and what interface objects ask for, of the objects.

It needs all fields to be there. It is written out because routers look at one element at a time.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from schema.merge.directives import RIGHTS, DirectiveMerger
from schema.merge.model import MergedType
from schema.subgraph import Applied, Kind, Subgraph

_Place = tuple[str, str | None]  # a type, or a field of it
_Asked = dict[str, list[tuple[str, Applied]]]  # by directive, in which subgraphs


def spread_rights(types: Mapping[str, MergedType], subgraphs: list[Subgraph], directives: DirectiveMerger) -> None:
    """Give each interface, its fields, and objects' fields that an interface object resolves too, the rights of all concerned."""
    asked = _asked(subgraphs)
    if not asked:
        return
    implementations: dict[str, set[str]] = {}
    for each in types.values():
        for interface in _interfaces(each) if each.kind is Kind.OBJECT else ():
            implementations.setdefault(interface, set()).add(each.name)
    spreading = _Spreading(types, asked, directives)
    for each in types.values():
        if each.kind is Kind.OBJECT:
            for merged in each.fields.values():
                spreading.merge(merged.directives, list(_of_object(each, merged.name)), f"{each.name}.{merged.name}")
        elif each.kind is Kind.INTERFACE:
            objects = [types[name] for name in sorted(implementations.get(each.name, ())) if name in types]
            spreading.merge(each.directives, [(each.name, None), *((own.name, None) for own in objects)], each.name)
            for merged in each.fields.values():
                places = [(each.name, merged.name), *(p for own in objects for p in _of_object(own, merged.name))]
                spreading.merge(merged.directives, places, f"{each.name}.{merged.name}")


def _asked(subgraphs: list[Subgraph]) -> dict[_Place, _Asked]:
    asked: dict[_Place, _Asked] = {}
    for subgraph in subgraphs:
        for definition in subgraph.types.values():
            for name, element in ((None, definition), *definition.fields.items()):
                for applied in element.directives:
                    if applied.means(*RIGHTS):
                        here = asked.setdefault((definition.name, name), {})
                        here.setdefault(applied.name, []).append((subgraph.name, applied))
    return asked


def _interfaces(definition: MergedType) -> list[str]:
    return list(dict.fromkeys(interface for _, interface in definition.implements))


def _of_object(definition: MergedType, field_name: str) -> Iterator[tuple[str, str | None]]:
    """Where an object's field is resolved: in the object itself or in an interface object of an interface of it."""
    yield definition.name, field_name
    for interface in _interfaces(definition):
        yield interface, field_name


@dataclass(slots=True)
class _Spreading:
    types: Mapping[str, MergedType]
    asked: Mapping[_Place, _Asked]
    directives: DirectiveMerger
    _nothing: _Asked = field(default_factory=dict)

    def merge(self, printed: list[str], places: list[_Place], coordinate: str) -> None:
        """Replace what an element asks for, where others than itself ask for something too."""
        for name in RIGHTS:
            applied = [
                use for place in dict.fromkeys(places) for use in self.asked.get(place, self._nothing).get(name, ())
            ]
            if len(applied) > len(self.asked.get(places[0], self._nothing).get(name, ())):
                printed[:] = [text for text in printed if text.partition("(")[0] != f"@{name}"]
                printed += self.directives.combine(name, applied, coordinate)
