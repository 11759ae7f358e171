"""Reads a supergraph SDL of any join spec (v0.1 to v0.5) into a `Supergraph`.

Called by `loaded_graph`, the planning process and the stage verbs, by the composer and by `deploy`.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from graphql import (
    ConstDirectiveNode,
    DocumentNode,
    EnumTypeDefinitionNode,
    FieldDefinitionNode,
    GraphQLError,
    InputObjectTypeDefinitionNode,
    InputValueDefinitionNode,
    InterfaceTypeDefinitionNode,
    ListTypeNode,
    NonNullTypeNode,
    ObjectTypeDefinitionNode,
    ScalarTypeDefinitionNode,
    SchemaDefinitionNode,
    TypeDefinitionNode,
    TypeNode,
    UnionTypeDefinitionNode,
    parse_type,
    value_from_ast_untyped,
)

from router.errors import SupergraphError
from router.supergraph.api_schema import build_api_schema, is_machinery
from router.supergraph.canonical_names import with_canonical_names
from router.supergraph.field_set import parse_field_set
from router.supergraph.join_v01 import complete_views
from router.supergraph.links import Link, check_features, links_of, needs_connectors
from router.supergraph.model import (
    ContextArgument,
    Key,
    SubgraphField,
    SubgraphType,
    Supergraph,
    TypeKind,
)
from router.supergraph.sdl import parse_sdl

_KINDS: dict[type[TypeDefinitionNode], TypeKind] = {
    ObjectTypeDefinitionNode: TypeKind.OBJECT,
    InterfaceTypeDefinitionNode: TypeKind.INTERFACE,
    UnionTypeDefinitionNode: TypeKind.UNION,
    EnumTypeDefinitionNode: TypeKind.ENUM,
    InputObjectTypeDefinitionNode: TypeKind.INPUT,
    ScalarTypeDefinitionNode: TypeKind.SCALAR,
}
_FieldNode = FieldDefinitionNode | InputValueDefinitionNode


def read_supergraph(sdl: str, document: DocumentNode | None = None) -> Supergraph:
    """`document` is the text's, where it has been parsed. Raises SupergraphError: it is no GraphQL, or no supergraph."""
    try:
        document = document or parse_sdl(sdl)
    except GraphQLError as error:
        line = f" (line {error.locations[0].line})" if error.locations else ""
        raise SupergraphError(f"The supergraph cannot be parsed: {error.message}{line}") from error
    links = links_of(document)
    check_features(links)
    document = with_canonical_names(document, links)
    by_graph, subgraphs = _read_subgraphs(document)
    views: dict[str, dict[str, SubgraphType]] = {name: {} for name in subgraphs}
    for definition in document.definitions:
        if isinstance(definition, TypeDefinitionNode) and not is_machinery(definition.name.value):
            _TypeReader(definition, by_graph).read_into(views)
    _link_possible_types(views)
    if _is_of_join_v01(document, links):
        composites = {
            node.name.value: node
            for node in document.definitions
            if isinstance(node, ObjectTypeDefinitionNode | InterfaceTypeDefinitionNode)
        }
        complete_views(views, composites, lambda node: _subgraph_field(node, {}))
    labels = {
        field.override_label: None
        for view in views.values()
        for view_type in view.values()
        for field in view_type.fields.values()
        if field.override_label
    }
    api_schema, roots = build_api_schema(document, links), _root_types(document)
    connected = needs_connectors(links)
    return Supergraph(subgraphs, api_schema, views, roots, sdl, tuple(labels), has_connectors=connected)


def _is_of_join_v01(document: DocumentNode, links: list[Link]) -> bool:
    return any(link.name == "join" and link.version == "0.1" for link in links) or any(
        directive.name.value == "join__owner"
        for node in document.definitions
        if isinstance(node, ObjectTypeDefinitionNode | InterfaceTypeDefinitionNode)
        for directive in node.directives or ()
    )


def _read_subgraphs(document: DocumentNode) -> tuple[dict[str, str], dict[str, str]]:
    """Subgraph names by their value of join__Graph, and URLs by subgraph name."""
    for definition in document.definitions:
        if isinstance(definition, EnumTypeDefinitionNode) and definition.name.value == "join__Graph":
            by_graph, urls = {}, {}
            for value in definition.values or ():
                arguments = next(iter(_arguments(value.directives, "join__graph")), {})
                name = arguments.get("name", value.name.value)
                by_graph[value.name.value] = name
                urls[name] = arguments.get("url") or ""
            return by_graph, urls
    raise SupergraphError("The schema has no join__Graph enum: it is not a federation supergraph.")


def _root_types(document: DocumentNode) -> dict[str, str]:
    for definition in document.definitions:
        if isinstance(definition, SchemaDefinitionNode):
            return {root.operation.value: root.type.name.value for root in definition.operation_types}
    names = {node.name.value for node in document.definitions if isinstance(node, ObjectTypeDefinitionNode)}
    return {kind: kind.title() for kind in ("query", "mutation", "subscription") if kind.title() in names}


class _TypeReader:
    """Distributes one type definition over the subgraphs that its join directives name."""

    def __init__(self, node: TypeDefinitionNode, by_graph: dict[str, str]) -> None:
        self.node = node
        self.name = node.name.value
        self.kind = _KINDS[type(node)]
        self.by_graph = by_graph
        # Join v0.1 has an owner for entities; a field that names no subgraph is the owner's.
        owners = _arguments(node.directives, "join__owner")
        self.owner = self._subgraph(owners[0]["graph"]) if owners else None

    def read_into(self, views: dict[str, dict[str, SubgraphType]]) -> None:
        local = self._declare_types()
        self._read_memberships(local)
        for node in getattr(self.node, "fields", None) or ():
            self._read_field(node, local)
        for subgraph, view_type in local.items():
            views[subgraph][self.name] = view_type

    def _declare_types(self) -> dict[str, SubgraphType]:
        local: dict[str, SubgraphType] = {}
        for arguments in _arguments(self.node.directives, "join__type"):
            subgraph = self._subgraph(arguments["graph"])
            view_type = local.setdefault(subgraph, SubgraphType(self.name, self.kind))
            view_type.is_interface_object |= bool(arguments.get("isInterfaceObject"))
            if view_type.is_interface_object:
                view_type.kind = TypeKind.OBJECT
            if key := arguments.get("key"):
                view_type.keys.append(Key(parse_field_set(key), key, arguments.get("resolvable", True)))
        if not local:
            # Value types of join v0.1 and hand-written supergraphs carry no join__type: everybody has them.
            local = {subgraph: SubgraphType(self.name, self.kind) for subgraph in self.by_graph.values()}
        for arguments in _arguments(self.node.directives, "context"):
            for view_type in local.values():
                view_type.contexts.add(arguments["name"])
        return local

    def _read_memberships(self, local: dict[str, SubgraphType]) -> None:
        node = self.node
        if isinstance(node, UnionTypeDefinitionNode):
            members = _arguments(node.directives, "join__unionMember")
            for arguments in members:
                if view_type := local.get(self._subgraph(arguments["graph"])):
                    view_type.possible_types.add(arguments["member"])
            if not members:
                for view_type in local.values():
                    view_type.possible_types |= {member.name.value for member in node.types or ()}
        elif isinstance(node, ObjectTypeDefinitionNode | InterfaceTypeDefinitionNode):
            implemented = _arguments(node.directives, "join__implements")
            for arguments in implemented:
                if view_type := local.get(self._subgraph(arguments["graph"])):
                    view_type.interfaces.add(arguments["interface"])
            if not implemented:
                for view_type in local.values():
                    view_type.interfaces |= {interface.name.value for interface in node.interfaces or ()}

    def _read_field(self, node: _FieldNode, local: dict[str, SubgraphType]) -> None:
        joins = _arguments(node.directives, "join__field")
        if not joins:
            owners = [self.owner] if self.owner in local else list(local)
            for subgraph in owners:
                local[subgraph].fields[node.name.value] = _subgraph_field(node, {})
        for arguments in joins:
            # Without `graph` the field exists only through an interface object; no subgraph has it on this type.
            if graph := arguments.get("graph"):
                subgraph = self._subgraph(graph)
                if subgraph in local:
                    local[subgraph].fields[node.name.value] = _subgraph_field(node, arguments)

    def _subgraph(self, graph: str) -> str:
        try:
            return self.by_graph[graph]
        except KeyError:
            raise SupergraphError(f'"{self.name}" names the unknown subgraph "{graph}".') from None


def _subgraph_field(node: _FieldNode, arguments: dict[str, Any]) -> SubgraphField:
    type_node = parse_type(arguments["type"]) if arguments.get("type") else node.type
    named, depth = _unwrap(type_node)
    requires, provides = arguments.get("requires"), arguments.get("provides")
    return SubgraphField(
        node.name.value,
        named,
        depth,
        _written(type_node),
        external=bool(arguments.get("external")),
        # Under a label the subgraph resolves the field as long as the label is off.
        used_overridden=bool(arguments.get("usedOverridden")) and not arguments.get("overrideLabel"),
        requires=parse_field_set(requires) if requires else None,
        provides=parse_field_set(provides) if provides else None,
        override_from=arguments.get("override"),
        # Some composers repeat the label on the subgraph that the field is taken from.
        override_label=arguments.get("overrideLabel") if arguments.get("override") else None,
        context_arguments=tuple(
            ContextArgument(item["context"], item["name"], item["type"], item["selection"])
            for item in arguments.get("contextArguments") or ()
        ),
    )


def _written(node: TypeNode) -> str:
    if isinstance(node, NonNullTypeNode):
        return f"{_written(node.type)}!"
    if isinstance(node, ListTypeNode):
        return f"[{_written(node.type)}]"
    return node.name.value  # type: ignore[attr-defined, no-any-return] # a named type's


def _link_possible_types(views: dict[str, dict[str, SubgraphType]]) -> None:
    for view in views.values():
        for view_type in view.values():
            if view_type.kind is not TypeKind.OBJECT:
                continue
            for interface in view_type.interfaces:
                if (target := view.get(interface)) is not None:
                    target.possible_types.add(view_type.name)
        for view_type in view.values():
            # Until join v0.3 a union has all its members everywhere, also where a subgraph does not know them.
            view_type.possible_types &= view.keys()


def _unwrap(node: TypeNode) -> tuple[str, int]:
    depth = 0
    while True:
        if isinstance(node, ListTypeNode):
            depth += 1
            node = node.type
        elif isinstance(node, NonNullTypeNode):
            node = node.type
        else:
            return node.name.value, depth  # type: ignore[attr-defined]


def _arguments(directives: Iterable[ConstDirectiveNode] | None, name: str) -> list[dict[str, Any]]:
    return [
        {argument.name.value: value_from_ast_untyped(argument.value) for argument in directive.arguments or ()}
        for directive in directives or ()
        if directive.name.value == name
    ]
