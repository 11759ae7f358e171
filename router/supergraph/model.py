"""What a supergraph says: types, and for each subgraph its own view of every type and field.

Made by `reader`; the query graph, the planner, `incremental`, `access`, `loaded_graph` and the composer read it.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum

from graphql import GraphQLObjectType, GraphQLSchema, is_abstract_type

from router.selection_set import SelectionSet


class TypeKind(Enum):
    OBJECT = "object"
    INTERFACE = "interface"
    UNION = "union"
    ENUM = "enum"
    INPUT = "input"
    SCALAR = "scalar"


@dataclass(frozen=True, slots=True)
class Key:
    fields: SelectionSet
    text: str
    resolvable: bool = True


@dataclass(frozen=True, slots=True)
class ContextArgument:
    """`@fromContext`: the argument `name` is filled with `selection` of the nearest ancestor that sets `context`."""

    context: str
    name: str
    type: str
    selection: str


@dataclass(frozen=True, slots=True)
class SubgraphField:
    """A field as one subgraph has it. `type` is the named output type there, `list_depth` its list wrappings."""

    name: str
    type: str
    list_depth: int
    type_text: str
    external: bool = False
    #: overridden elsewhere and kept in this subgraph only because a key or `@requires` there uses it
    used_overridden: bool = False
    requires: SelectionSet | None = None
    provides: SelectionSet | None = None
    #: the subgraph this field was taken from, by name, and the label that decides (None: always)
    override_from: str | None = None
    override_label: str | None = None
    context_arguments: tuple[ContextArgument, ...] = ()


@dataclass(slots=True)
class SubgraphType:
    """A type as one subgraph has it."""

    name: str
    kind: TypeKind
    keys: list[Key] = field(default_factory=list)
    is_interface_object: bool = False
    fields: dict[str, SubgraphField] = field(default_factory=dict)
    #: interfaces that the type implements there
    interfaces: set[str] = field(default_factory=set)
    #: members of a union, or object types that implement an interface
    possible_types: set[str] = field(default_factory=set)
    #: contexts that an object of this type sets
    contexts: set[str] = field(default_factory=set)


@dataclass(slots=True)
class Supergraph:
    """One composed graph. `views[subgraph name][type name]` is the subgraph's own view of a type.

    `subgraphs` maps names, as in `@join__graph(name:)`, to URLs.
    """

    subgraphs: dict[str, str]
    api_schema: GraphQLSchema
    views: dict[str, dict[str, SubgraphType]]
    #: "query" | "mutation" | "subscription" -> the root type's name
    root_types: dict[str, str]
    sdl: str
    #: every label of a progressive override, in order of first use
    override_labels: tuple[str, ...] = ()
    has_connectors: bool = False  # what they stand for can be read and planned, and not be fetched
    _possible_types: dict[str, frozenset[str]] = field(default_factory=dict, repr=False, compare=False)

    def possible_types(self, type_name: str) -> frozenset[str]:
        """Object types that an object of this type can have anywhere in the graph, those that clients cannot see
        included; for an object type itself.
        """
        known = self._possible_types.get(type_name)
        if known is None:
            known = self._possible_types[type_name] = frozenset(self._find_possible_types(type_name))
        return known

    def _find_possible_types(self, type_name: str) -> set[str]:
        names: set[str] = set()
        for view in self.views.values():
            view_type = view.get(type_name)
            if view_type is None or view_type.is_interface_object:
                continue
            names |= {type_name} if view_type.kind is TypeKind.OBJECT else view_type.possible_types
        api_type = self.api_schema.type_map.get(type_name)
        if is_abstract_type(api_type):
            names |= {member.name for member in self.api_schema.get_possible_types(api_type)}
        elif isinstance(api_type, GraphQLObjectType):
            names.add(type_name)
        return names
