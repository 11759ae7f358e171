"""`@interfaceObject`: what such a type gives to all that implement its interface, and the rules on who may have one."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from schema.codes import Finding, quoted
from schema.merge.directives import DirectiveMerger
from schema.merge.facts import GraphInQuestion, SubgraphFacts
from schema.merge.model import FieldJoin, MergedField, MergedType
from schema.merge.sharing import Owner, check_sharing
from schema.subgraph import Applied, Kind


def add_interface_object_fields(types: Mapping[str, MergedType]) -> None:
    """What an interface object adds to an interface, every implementation has, resolved by nobody but it; in place."""
    for interface in types.values():
        for field in _added_fields(interface):
            for each in _implementing(interface.name, Kind.OBJECT, types):
                if field.name not in each.fields:
                    each.fields[field.name] = MergedField(
                        field.name,
                        field.type,
                        field.description,
                        list(field.arguments),
                        list(field.directives),
                        [FieldJoin()],
                    )


def spread_costs(types: Mapping[str, MergedType], facts: SubgraphFacts, directives: DirectiveMerger) -> None:
    """`@cost` on an interface object weighs the objects behind it: it cannot stand on an interface; in place."""
    weighing = [each for each in types.values() if _costs(each.name, _interface_objects(each), facts)]
    weighed: dict[str, list[tuple[str, Applied]]] = {}
    for interface in weighing:
        interface.directives = _without_cost(interface.directives)
        for each in _implementing(interface.name, Kind.OBJECT, types):
            own = weighed.setdefault(each.name, _costs(each.name, facts.subgraphs, facts))
            own += _costs(interface.name, _interface_objects(interface), facts)
    for name, costs in weighed.items():
        types[name].directives = _without_cost(types[name].directives)
        types[name].directives += directives.combine("cost", costs, name)


def _costs(type_name: str, subgraphs: Iterable[str], facts: SubgraphFacts) -> list[tuple[str, Applied]]:
    """The uses of `@cost` on the type in these subgraphs, with the subgraph's name."""
    definitions = [(name, facts.subgraphs[name].types.get(type_name)) for name in subgraphs]
    return [(name, use) for name, definition in definitions if definition is not None for use in definition.all("cost")]


def _without_cost(printed: list[str]) -> list[str]:
    return [text for text in printed if not text.startswith("@cost(")]


def check_shared_with_interface_objects(graph: GraphInQuestion) -> Iterator[Finding]:
    """INVALID_FIELD_SHARING between an object and interface objects of its interfaces, or between these."""
    for each in graph.types.values():
        interfaces = dict.fromkeys(name for _, name in each.implements) if each.kind is Kind.OBJECT else ()
        added = dict.fromkeys(
            field.name for name in interfaces if name in graph.types for field in _added_fields(graph.types[name])
        )
        for field in added:
            owners = [
                owner for name in (each.name, *interfaces) for owner in _owners(each.name, name, field, graph.facts)
            ]
            owners.sort(key=lambda owner: owner.subgraph)
            if any(owner.parent.is_interface_object for owner in owners):
                yield from check_sharing({f"{each.name}.{field}": owners}, graph.facts)


def check_interfaces_below(graph: GraphInQuestion) -> Iterator[Finding]:
    """INTERFACE_FIELD_NO_IMPLEM: objects get what an interface object adds, interfaces that implement it do not."""
    for interface in graph.types.values():
        for field in _added_fields(interface):
            for below in _implementing(interface.name, Kind.INTERFACE, graph.types):
                if field.name not in below.fields:
                    subgraphs = _interface_objects(interface)
                    yield Finding(
                        "INTERFACE_FIELD_NO_IMPLEM",
                        f'"{interface.name}" has the field "{field.name}" as an @interfaceObject in {quoted(subgraphs)}, '
                        f'but the interface "{below.name}", which implements it, does not: add the field to '
                        f'"{below.name}" as an @interfaceObject there too, both @shareable.',
                        tuple(subgraphs),
                        (f"{interface.name}.{field.name}", below.name),
                    )


def check_keyed_interfaces(graph: GraphInQuestion) -> Iterator[Finding]:
    """INTERFACE_KEY_MISSING_IMPLEMENTATION_TYPE: who resolves an interface can return everything that implements it."""
    for subgraph in graph.facts.subgraphs.values():
        for interface in subgraph.types.values():
            if interface.kind is not Kind.INTERFACE or not any(resolvable for _, resolvable in interface.entity_keys()):
                continue
            missing = sorted(
                name
                for name in graph.facts.implementations.get(interface.name, ())
                if interface.name not in getattr(subgraph.types.get(name), "interfaces", ())
            )
            if missing:
                yield Finding(
                    "INTERFACE_KEY_MISSING_IMPLEMENTATION_TYPE",
                    f'[{subgraph.name}] Interface "{interface.name}" has a resolvable @key, but this subgraph does not '
                    f"define {', '.join(missing)}, which implement it elsewhere: define them here too.",
                    (subgraph.name,),
                    (interface.name,),
                )


def check_known_implementations(graph: GraphInQuestion) -> Iterator[Finding]:
    """INTERFACE_OBJECT_USAGE_ERROR: who takes an interface for an object cannot know the objects too."""
    for subgraph in graph.facts.subgraphs.values():
        for own in subgraph.types.values():
            known = graph.facts.implementations.get(own.name, set()) & subgraph.types.keys()
            if own.is_interface_object and known:
                yield Finding(
                    "INTERFACE_OBJECT_USAGE_ERROR",
                    f'[{subgraph.name}] "{own.name}" is an @interfaceObject, so this subgraph must not define '
                    f"{', '.join(sorted(known))}, which implement it elsewhere: put their fields on "
                    f'"{own.name}", or make it an interface here too.',
                    (subgraph.name,),
                    (own.name, *sorted(known)),
                )


def _interface_objects(interface: MergedType) -> list[str]:
    """The subgraphs in which the interface is an interface object."""
    return list(dict.fromkeys(join.subgraph for join in interface.joins if join.is_interface_object))


def _added_fields(interface: MergedType) -> Iterator[MergedField]:
    """Fields that an interface object resolves; those that say nothing of who does, everybody does."""
    subgraphs = set(_interface_objects(interface))
    everybody = {join.subgraph for join in interface.joins}
    for field in interface.fields.values() if subgraphs else ():
        if subgraphs & ({join.subgraph for join in field.joins} or everybody):
            yield field


def _implementing(interface: str, kind: Kind, types: Mapping[str, MergedType]) -> Iterator[MergedType]:
    for each in types.values():
        if each.kind is kind and any(of == interface for _, of in each.implements):
            yield each


def _owners(object_type: str, name: str, field: str, facts: SubgraphFacts) -> Iterator[Owner]:
    """Who resolves the field of the object itself, or as an interface object of the interface `name`."""
    for subgraph in facts.subgraphs.values():
        definition = subgraph.types.get(name)
        each = definition.fields.get(field) if definition is not None else None
        if definition is None or each is None or each.is_external:
            continue
        if name == object_type or definition.is_interface_object:
            yield Owner(subgraph.name, definition, each)
