"""What merging and the rules know of one subgraph: types with their extensions joined, federation's names canonical."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from typing import Any

from graphql import (
    ConstDirectiveNode,
    DirectiveDefinitionNode,
    DocumentNode,
    EnumTypeDefinitionNode,
    EnumTypeExtensionNode,
    InputObjectTypeDefinitionNode,
    InputObjectTypeExtensionNode,
    InterfaceTypeDefinitionNode,
    InterfaceTypeExtensionNode,
    ObjectTypeDefinitionNode,
    ObjectTypeExtensionNode,
    ScalarTypeDefinitionNode,
    ScalarTypeExtensionNode,
    SchemaDefinitionNode,
    TypeNode,
    UnionTypeDefinitionNode,
    UnionTypeExtensionNode,
    ValueNode,
)

from schema.federation import DIRECTIVES_SINCE, FEDERATION_IDENTITY, Link


@dataclass(frozen=True, slots=True)
class SubgraphSource:
    """What composition is given: a subgraph's name, its SDL and the URL that the router will send requests to."""

    name: str
    sdl: str
    url: str = ""


class Kind(Enum):
    SCALAR = "scalar"
    OBJECT = "object"
    INTERFACE = "interface"
    UNION = "union"
    ENUM = "enum"
    INPUT = "input object"


#: By the nodes that define or extend a type.
KIND_OF: Mapping[type, Kind] = {
    ScalarTypeDefinitionNode: Kind.SCALAR,
    ScalarTypeExtensionNode: Kind.SCALAR,
    ObjectTypeDefinitionNode: Kind.OBJECT,
    ObjectTypeExtensionNode: Kind.OBJECT,
    InterfaceTypeDefinitionNode: Kind.INTERFACE,
    InterfaceTypeExtensionNode: Kind.INTERFACE,
    UnionTypeDefinitionNode: Kind.UNION,
    UnionTypeExtensionNode: Kind.UNION,
    EnumTypeDefinitionNode: Kind.ENUM,
    EnumTypeExtensionNode: Kind.ENUM,
    InputObjectTypeDefinitionNode: Kind.INPUT,
    InputObjectTypeExtensionNode: Kind.INPUT,
}


@dataclass(frozen=True, slots=True)
class Applied:
    """A directive where it is applied; `name` is canonical (`key`, not `federation__key`).

    `is_own` marks one that is not federation's, but the subgraph's own or another specification's, although federation
    has one of that name.
    """

    name: str
    arguments: dict[str, Any]
    node: ConstDirectiveNode
    is_own: bool = False

    def means(self, *names: str) -> bool:
        """Whether it is one of these directives of federation or of GraphQL itself."""
        return self.name in names and not self.is_own


@dataclass(slots=True)
class Element:
    """What fields, arguments, values and types have in common."""

    name: str
    description: str | None = None
    directives: list[Applied] = field(default_factory=list)

    def has(self, directive: str) -> bool:
        for applied in self.directives:  # noqa: SIM110 - asked of every field again and again: no generator
            if applied.name == directive and not applied.is_own:
                return True
        return False

    def all(self, directive: str) -> list[Applied]:
        """Applications of a directive of federation or of GraphQL itself."""
        return [applied for applied in self.directives if applied.name == directive and not applied.is_own]

    def all_of_others(self, directive: str) -> list[Applied]:
        """Applications of a directive that is not federation's, by the name that the subgraph gives it."""
        return [
            applied
            for applied in self.directives
            if applied.node.name.value == directive and (applied.is_own or applied.name not in DIRECTIVES_SINCE)
        ]

    def argument(self, directive: str, argument: str) -> Any:
        """The argument of the first such directive, or None."""
        for applied in self.directives:
            if applied.name == directive and not applied.is_own:
                return applied.arguments.get(argument)
        return None


@dataclass(slots=True)
class InputValue(Element):
    """An argument or a field of an input object."""

    type: TypeNode = None  # type: ignore[assignment]
    default: ValueNode | None = None


@dataclass(slots=True)
class FieldDefinition(Element):
    type: TypeNode = None  # type: ignore[assignment]
    arguments: dict[str, InputValue] = field(default_factory=dict)
    is_in_extension: bool = False

    @property
    def is_external(self) -> bool:
        return self.has("external")


@dataclass(slots=True)
class TypeDefinition(Element):
    """A type with all its extensions. Only the members of its `kind` are filled."""

    kind: Kind = Kind.OBJECT
    fields: dict[str, FieldDefinition] = field(default_factory=dict)
    input_fields: dict[str, InputValue] = field(default_factory=dict)
    interfaces: list[str] = field(default_factory=list)
    members: list[str] = field(default_factory=list)
    values: dict[str, Element] = field(default_factory=dict)
    is_defined: bool = False
    is_extended: bool = False

    @property
    def is_interface_object(self) -> bool:
        return self.has("interfaceObject")

    def entity_keys(self) -> list[tuple[str, bool]]:
        """(fields, resolvable) of each `@key`."""
        return [
            (str(applied.arguments.get("fields") or ""), applied.arguments.get("resolvable", True) is not False)
            for applied in self.all("key")
        ]


@dataclass(slots=True)
class Subgraph:
    name: str
    url: str
    types: dict[str, TypeDefinition]
    directive_definitions: dict[str, DirectiveDefinitionNode]
    root_types: dict[str, str]
    links: list[Link]
    is_federation_2: bool
    version: tuple[int, int]
    schema_directives: list[Applied]
    document: DocumentNode
    federation: Link | None

    @property
    def description(self) -> str | None:
        """What stands before `schema`."""
        nodes = [node for node in self.document.definitions if isinstance(node, SchemaDefinitionNode)]
        return next((node.description.value for node in nodes if node.description), None)

    @property
    def composed_directives(self) -> list[str]:
        """What `@composeDirective` names, with its @ where it has one."""
        composed = [each for each in self.schema_directives if each.means("composeDirective")]
        return [str(each.arguments.get("name", "")) for each in composed]

    def spec_name(self, local: str) -> str | None:
        """What federation calls a directive of the subgraph, as `canonical_name` does."""
        return canonical_name(local, self.links)


def canonical_name(local: str, links: Sequence[Link]) -> str | None:
    """The specification's name for a directive of federation, linked as a whole or by itself; other names stay.

    None where federation has a directive of that name and the subgraph means another one: its own, which nothing
    imports, or one that it imports from elsewhere.
    """
    for link in links:
        if link.is_specified and (name := link.spec_name(local)) is not None:
            return name
    if local in DIRECTIVES_SINCE and any(link.identity == FEDERATION_IDENTITY for link in links):
        return None
    return local


def without(element: Element, *names: str) -> list[Applied]:
    """The element's directives but those of federation that are named."""
    return [applied for applied in element.directives if not applied.means(*names)]
