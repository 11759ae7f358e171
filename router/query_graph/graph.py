"""The query graph: which subgraph resolves which field of which type, and how to get from one subgraph to another.

Built from a `Supergraph` for one set of active override labels; asked by the planner and by composition's
satisfiability check.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from graphql import GraphQLInterfaceType, GraphQLObjectType, get_named_type

from router.selection_set import InlineFragment, SelectionSet
from router.supergraph import Key, SubgraphField, SubgraphType, Supergraph, TypeKind


@dataclass(frozen=True, slots=True)
class EntityTarget:
    """A way into `subgraph` for an entity: ask `_entities` for `type` there.

    `typename` is what the representation says it is: None for the object's own `__typename`.
    """

    subgraph: str
    type: str
    typename: str | None
    keys: tuple[Key, ...]

    def __hash__(self) -> int:
        """Without the keys: to hash their field sets takes longer than to compare those of the few targets that are alike."""
        return hash((self.subgraph, self.type, self.typename))


_NO_FIELDS: Mapping[str, SubgraphField] = MappingProxyType({})


class QueryGraph:
    """Answers in terms of (subgraph, type) nodes; edges are fields and entity targets."""

    def __init__(self, supergraph: Supergraph, active_labels: Iterable[str] = ()) -> None:
        self.supergraph = supergraph
        self.active_labels = frozenset(active_labels)
        self._views = supergraph.views
        self._overridden = self._all_overridden()
        self._abstract: set[tuple[str, str]] = set()
        self._interface_objects: set[tuple[str, str]] = set()
        self._resolvable: dict[tuple[str, str], dict[str, SubgraphField]] = {}
        #: subgraphs by the types that they have, so that no question about a type costs more in a graph of many subgraphs
        self._having: dict[str, list[str]] = {}
        for subgraph, view in self._views.items():
            for name, view_type in view.items():
                self._having.setdefault(name, []).append(subgraph)
                if view_type.kind in (TypeKind.INTERFACE, TypeKind.UNION):
                    self._abstract.add((subgraph, name))
                if view_type.is_interface_object:
                    self._interface_objects.add((subgraph, name))
                self._resolvable[subgraph, name] = {
                    field.name: field for field in view_type.fields.values() if self._is_resolved(subgraph, name, field)
                }
        #: interfaces for which an interface object stands in some subgraph
        self._stood_for = {interface for _, interface in self._interface_objects}
        names: dict[str, set[str]] = {subgraph: set() for subgraph in self._views}
        for (subgraph, _), fields in self._resolvable.items():
            names[subgraph].update(fields)
        self._field_names = {subgraph: frozenset(found) for subgraph, found in names.items()}
        self._interfaces = self._all_interfaces()
        self._possible: dict[tuple[str, str], tuple[str, ...]] = {}
        self._targets: dict[str, tuple[EntityTarget, ...]] = {}
        self._plain_fields: dict[tuple[str, str], Mapping[str, SubgraphField]] = {}
        self._resolving: dict[tuple[str, str], tuple[str, ...]] = {}
        self._client_types: dict[tuple[str, str], str] = {}
        #: what the planner has worked out for this graph and no operation in particular
        self.remembered: dict[object, Any] = {}

    # -- nodes -------------------------------------------------------------------------------------------------

    def view(self, subgraph: str, type_name: str) -> SubgraphType | None:
        return self._views[subgraph].get(type_name)

    def is_abstract(self, subgraph: str, type_name: str) -> bool:
        return (subgraph, type_name) in self._abstract

    def is_union(self, subgraph: str, type_name: str) -> bool:
        view_type = self.view(subgraph, type_name)
        return view_type is not None and view_type.kind is TypeKind.UNION

    def is_interface_object(self, subgraph: str, type_name: str) -> bool:
        return (subgraph, type_name) in self._interface_objects

    def possible_types(self, subgraph: str, type_name: str) -> tuple[str, ...]:
        """Object types that an object of this type can have at run time in that subgraph; itself for an object."""
        known = self._possible.get((subgraph, type_name))
        if known is None:
            view_type = self.view(subgraph, type_name)
            if view_type is None:
                known = ()
            elif view_type.kind is TypeKind.OBJECT:
                known = (type_name,)
            else:
                known = tuple(sorted(view_type.possible_types))
            self._possible[subgraph, type_name] = known
        return known

    def supergraph_possible_types(self, type_name: str) -> frozenset[str]:
        """The same in the whole graph, types that clients cannot see included."""
        return self.supergraph.possible_types(type_name)

    def contexts_of(self, type_name: str) -> frozenset[str]:
        """Contexts that an object of this type sets, by itself or as a member of an interface or union, as
        `@fromContext` of any subgraph names them.
        """
        return frozenset(
            context
            for view in self._views.values()
            for name, view_type in view.items()
            if view_type.contexts and (name == type_name or type_name in self.supergraph_possible_types(name))
            for context in view_type.contexts
        )

    # -- field edges -------------------------------------------------------------------------------------------

    def declared_field(self, subgraph: str, type_name: str, field: str) -> SubgraphField | None:
        """The field as the subgraph declares it, even where it is external."""
        view_type = self.view(subgraph, type_name)
        return view_type.fields.get(field) if view_type is not None else None

    def field(self, subgraph: str, type_name: str, field: str) -> SubgraphField | None:
        """The field if that subgraph resolves it."""
        return self._resolvable.get((subgraph, type_name), _NO_FIELDS).get(field)

    def plain_fields(self, subgraph: str, type_name: str) -> Mapping[str, SubgraphField]:
        """The fields that the subgraph answers for every object of the type that it returns, by themselves: nothing has to
        be fetched for them from anywhere else.
        """
        known = self._plain_fields.get((subgraph, type_name))
        if known is None:
            is_abstract = self.is_abstract(subgraph, type_name)
            known = {
                name: field
                for name, field in self._resolvable.get((subgraph, type_name), _NO_FIELDS).items()
                if field.requires is None
                and not field.context_arguments
                and (not is_abstract or self.resolves_on_interface(subgraph, type_name, name))
            }
            self._plain_fields[subgraph, type_name] = known
        return known

    def field_names(self, subgraph: str) -> frozenset[str]:
        """Names of all fields that the subgraph resolves, of whatever type."""
        return self._field_names[subgraph]

    def subgraphs_resolving(self, type_name: str, field: str) -> tuple[str, ...]:
        known = self._resolving.get((type_name, field))
        if known is None:
            having = self._having.get(type_name, ())
            known = tuple([name for name in having if self.field(name, type_name, field) is not None])
            if known:  # else the names are anybody's, and there is no end to them
                self._resolving[type_name, field] = known
        return known

    def client_type(self, type_name: str, field: str) -> str | None:
        """The named type of a field as clients see it; None where they do not see it, or not the type that has it."""
        known = self._client_types.get((type_name, field))
        if known is None:
            parent = self.supergraph.api_schema.type_map.get(type_name)
            if not isinstance(parent, (GraphQLObjectType, GraphQLInterfaceType)) or field not in parent.fields:
                return None
            known = self._client_types[type_name, field] = str(get_named_type(parent.fields[field].type).name)
        return known

    def resolves_on_interface(self, subgraph: str, type_name: str, field: str) -> bool:
        """Whether the subgraph answers the field on an abstract type for every object it can return there."""
        edge = self.field(subgraph, type_name, field)
        if edge is None or edge.requires is not None or edge.context_arguments:
            return False
        for possible in self.possible_types(subgraph, type_name):
            implementation = self.field(subgraph, possible, field)
            if implementation is None or implementation.requires is not None or implementation.context_arguments:
                return False
        return True

    # -- key edges ---------------------------------------------------------------------------------------------

    def entity_targets(self, type_name: str) -> tuple[EntityTarget, ...]:
        """Every subgraph that can be asked for entities of this type, in stable order.

        For an object type: subgraphs with a resolvable key for it, and interface objects of its interfaces.
        For an interface: subgraphs where the interface itself has a resolvable key.
        """
        known = self._targets.get(type_name)
        if known is None:
            known = self._targets[type_name] = tuple(self._find_targets(type_name))
        return known

    def _find_targets(self, type_name: str) -> Iterator[EntityTarget]:
        interfaces = [each for each in self._interfaces.get(type_name, ()) if each in self._stood_for]
        for subgraph in self._views if interfaces else self._having.get(type_name, ()):
            view_type = self.view(subgraph, type_name)
            if view_type is not None and (keys := _resolvable_keys(view_type)):
                is_object = view_type.kind is TypeKind.OBJECT
                yield EntityTarget(subgraph, type_name, type_name if is_object else None, keys)
            for interface in interfaces:
                interface_object = self.view(subgraph, interface)
                if (
                    interface_object is not None
                    and interface_object.is_interface_object
                    and (keys := _resolvable_keys(interface_object))
                ):
                    yield EntityTarget(subgraph, interface, interface, keys)

    def _all_interfaces(self) -> dict[str, tuple[str, ...]]:
        """The interfaces of every object type, by its name, as any subgraph declares them. Interfaces have no entry: an
        object of which only an interface is known is looked up by that interface, and not by those which it implements.
        """
        interfaces: dict[str, set[str]] = {}
        for view in self._views.values():
            for view_type in view.values():
                if view_type.kind is TypeKind.OBJECT and not view_type.is_interface_object:
                    interfaces.setdefault(view_type.name, set()).update(view_type.interfaces)
        return {name: tuple(sorted(found)) for name, found in interfaces.items()}

    # -- overrides ---------------------------------------------------------------------------------------------

    def _is_resolved(self, subgraph: str, type_name: str, field: SubgraphField) -> bool:
        if field.external or field.used_overridden:
            return False
        if field.override_label is not None and field.override_label not in self.active_labels:
            return False
        return (subgraph, type_name, field.name) not in self._overridden

    def _all_overridden(self) -> frozenset[tuple[str, str, str]]:
        """(subgraph, type, field) that another subgraph takes over, under a label only while that is active."""
        return frozenset(
            (field.override_from, view_type.name, field.name)
            for subgraph, view in self._views.items()
            for view_type in view.values()
            for field in view_type.fields.values()
            if field.override_from is not None
            and field.override_from != subgraph
            and (field.override_label is None or field.override_label in self.active_labels)
        )


def provided_selection(
    graph: QueryGraph, subgraph: str, type_name: str, field: str, provided: SelectionSet | None
) -> tuple[bool, SelectionSet | None]:
    """Whether `@provides` on the way here covers the field, and what of it is provided below."""
    found = False
    below: list[SelectionSet] = []
    for item in provided.items if provided is not None else ():
        if isinstance(item, InlineFragment):
            condition = item.type_condition
            if condition is None or condition == type_name or type_name in graph.possible_types(subgraph, condition):
                inner_found, inner = provided_selection(graph, subgraph, type_name, field, item.selections)
                found |= inner_found
                if inner is not None:
                    below.append(inner)
        elif item.name == field:
            found = True
            if item.selections is not None:
                below.append(item.selections)
    if len(below) <= 1:
        return found, below[0] if below else None
    return found, SelectionSet(tuple(item for selections in below for item in selections.items))


def _resolvable_keys(view_type: SubgraphType) -> tuple[Key, ...]:
    return tuple(key for key in view_type.keys if key.resolvable)
