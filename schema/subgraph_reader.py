"""Reads one subgraph's SDL as `Subgraph`: definitions and extensions joined, federation's names made canonical.

What comes after it neither sees `@link` renames nor federation's own machinery.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from graphql import (
    ConstDirectiveNode,
    DirectiveDefinitionNode,
    DocumentNode,
    EnumTypeDefinitionNode,
    EnumTypeExtensionNode,
    FieldDefinitionNode,
    GraphQLError,
    InputObjectTypeDefinitionNode,
    InputObjectTypeExtensionNode,
    InputValueDefinitionNode,
    InterfaceTypeDefinitionNode,
    InterfaceTypeExtensionNode,
    Node,
    ObjectTypeDefinitionNode,
    ObjectTypeExtensionNode,
    SchemaDefinitionNode,
    SchemaExtensionNode,
    StringValueNode,
    TypeDefinitionNode,
    TypeExtensionNode,
    UnionTypeDefinitionNode,
    UnionTypeExtensionNode,
    parse,
)

from router.supergraph import plain_sdl
from schema.codes import Finding, Location, line_at, locations_of
from schema.federation import (
    BUILT_IN_SCALARS,
    CONNECT_IDENTITY,
    DIRECTIVES_SINCE,
    FEDERATION_IDENTITY,
    LINK_IDENTITY,
    MACHINERY_QUERIES,
    MACHINERY_TYPES,
    Link,
)
from schema.field_sets import without_braces
from schema.link_reader import LinkReader, argument_values
from schema.subgraph import (
    KIND_OF,
    Applied,
    Element,
    FieldDefinition,
    InputValue,
    Kind,
    Subgraph,
    SubgraphSource,
    TypeDefinition,
    canonical_name,
)
from schema.type_nodes import renamed

_SchemaNode = SchemaDefinitionNode | SchemaExtensionNode


class SubgraphInvalidError(Exception):
    """A subgraph cannot be read at all; `findings` say why."""

    def __init__(self, findings: list[Finding]) -> None:
        super().__init__("; ".join(map(str, findings)))
        self.findings = findings


def read_subgraph(source: SubgraphSource) -> Subgraph:
    """Raises SubgraphInvalidError."""
    try:
        document = plain_sdl(source.sdl, with_places=True) or parse(source.sdl)
    except GraphQLError as error:
        raise SubgraphInvalidError([_syntax_error(source, error)]) from error
    schema_nodes = [node for node in document.definitions if isinstance(node, _SchemaNode)]
    links = LinkReader(source.name)
    links.read(directive for node in schema_nodes for directive in node.directives or ())
    reader = _Reader(source.name, links.links, links.findings)
    reader.read(document)
    if reader.findings:
        raise SubgraphInvalidError(reader.findings)
    roots = _root_types(schema_nodes)
    _drop_machinery(reader.types, links.links, roots["query"])
    _rename_roots(reader.types, roots, source.name, document)
    federation = reader.federation
    return Subgraph(
        name=source.name,
        url=source.url,
        types=reader.types,
        directive_definitions=reader.directive_definitions,
        root_types={kind: kind.title() for kind in roots if kind.title() in reader.types},
        links=links.links,
        is_federation_2=federation is not None,
        version=federation.version if federation else (1, 0),
        schema_directives=[applied for node in schema_nodes for applied in reader.applied(node.directives)],
        document=document,
        federation=federation,
    )


def _syntax_error(source: SubgraphSource, error: GraphQLError) -> Finding:
    locations = tuple(
        Location(source.name, each.line, each.column, line_at(source.sdl, position))
        for each, position in zip(error.locations or (), error.positions or (), strict=True)
    )
    return Finding("INVALID_GRAPHQL", f"[{source.name}] {error.message}", (source.name,), locations=locations)


def applied_directives(nodes: Iterable[ConstDirectiveNode] | None, links: Sequence[Link]) -> list[Applied]:
    """Directives under the names that federation gives them."""
    applied = []
    for node in nodes or ():
        local, arguments = node.name.value, argument_values(node)
        name = canonical_name(local, links)
        if name in ("key", "requires", "provides") and "fields" in arguments:
            arguments["fields"] = _field_set(arguments["fields"])
        applied.append(Applied(name or local, arguments, node, is_own=name is None))
    return applied


class _Reader:
    """Joins the definitions of types with their extensions; `findings` say what is wrong with them."""

    def __init__(self, subgraph: str, links: Sequence[Link], findings: list[Finding]) -> None:
        self._subgraph = subgraph
        self._links = links
        self.federation = next((link for link in links if link.identity == FEDERATION_IDENTITY), None)
        self.findings = findings
        self.types: dict[str, TypeDefinition] = {}
        self.directive_definitions: dict[str, DirectiveDefinitionNode] = {}

    def read(self, document: DocumentNode) -> None:
        for definition in document.definitions:
            if isinstance(definition, DirectiveDefinitionNode):
                if not self._is_specified(definition.name.value):
                    self.directive_definitions[definition.name.value] = definition
            elif isinstance(definition, TypeDefinitionNode | TypeExtensionNode):
                self._read_type(definition)
            elif not isinstance(definition, _SchemaNode):
                self._refuse("a subgraph may hold type system definitions only", definition)

    def applied(self, nodes: Iterable[ConstDirectiveNode] | None) -> list[Applied]:
        return applied_directives(nodes, self._links)

    def _is_specified(self, local: str) -> bool:
        """Whether a directive belongs to a linked specification that composition itself understands."""
        if self.federation is None:
            return local in DIRECTIVES_SINCE or local in {"link", "core"}
        understood = (FEDERATION_IDENTITY, LINK_IDENTITY, CONNECT_IDENTITY)
        return local == "link" or any(
            link.identity in understood and link.spec_name(local) is not None for link in self._links
        )

    def _refuse(self, message: str, node: Node) -> None:
        name = self._subgraph
        self.findings.append(
            Finding("INVALID_GRAPHQL", f"[{name}] {message}.", (name,), locations=locations_of(name, node))
        )

    def _read_type(self, node: TypeDefinitionNode | TypeExtensionNode) -> None:
        kind, name = KIND_OF[type(node)], node.name.value
        known = self.types.setdefault(name, TypeDefinition(name, kind=kind))
        if known.kind is not kind:
            self._refuse(f'"{name}" is defined as {known.kind.value} and as {kind.value}', node)
            return
        applied = self.applied(node.directives)
        if isinstance(node, TypeExtensionNode) or any(each.means("extends") for each in applied):
            known.is_extended = True
        else:
            known.is_defined = True
        if known.description is None:
            known.description = _description(node)
        known.directives += applied
        self._read_members(node, known)
        if isinstance(node, ObjectTypeDefinitionNode | ObjectTypeExtensionNode) and self.federation is not None:
            _spread_to_fields(applied, node, known)

    def _read_members(self, node: TypeDefinitionNode | TypeExtensionNode, known: TypeDefinition) -> None:
        match node:
            case UnionTypeDefinitionNode() | UnionTypeExtensionNode():
                known.members += [member.name.value for member in node.types or ()]
            case EnumTypeDefinitionNode() | EnumTypeExtensionNode():
                for value in node.values or ():
                    applied = self.applied(value.directives)
                    known.values[value.name.value] = Element(value.name.value, _description(value), applied)
            case InputObjectTypeDefinitionNode() | InputObjectTypeExtensionNode():
                known.input_fields |= self._input_values(node.fields)
            case (
                ObjectTypeDefinitionNode()
                | ObjectTypeExtensionNode()
                | InterfaceTypeDefinitionNode()
                | InterfaceTypeExtensionNode()
            ):
                names = dict.fromkeys(interface.name.value for interface in node.interfaces or ())
                known.interfaces += [name for name in names if name not in known.interfaces]
                for item in node.fields or ():
                    self._read_field(item, known, isinstance(node, TypeExtensionNode))

    def _read_field(self, node: FieldDefinitionNode, known: TypeDefinition, is_in_extension: bool) -> None:
        if node.name.value in known.fields:
            self._refuse(f'Field "{known.name}.{node.name.value}" can only be defined once', node)
        known.fields[node.name.value] = FieldDefinition(
            node.name.value,
            _description(node),
            self.applied(node.directives),
            type=node.type,
            arguments=self._input_values(node.arguments),
            is_in_extension=is_in_extension,
        )

    def _input_values(self, nodes: Iterable[InputValueDefinitionNode] | None) -> dict[str, InputValue]:
        return {
            node.name.value: InputValue(
                node.name.value,
                _description(node),
                self.applied(node.directives),
                type=node.type,
                default=node.default_value,
            )
            for node in nodes or ()
        }


def _spread_to_fields(
    applied: Iterable[Applied], node: ObjectTypeDefinitionNode | ObjectTypeExtensionNode, known: TypeDefinition
) -> None:
    """On a type these say something of each field of this very definition, not of those of extensions."""
    for each in applied:
        if each.means("external", "shareable"):
            for item in node.fields or ():
                known.fields[item.name.value].directives.append(each)


# -- what is there for federation's sake -------------------------------------------------------------------------------


def _drop_machinery(types: dict[str, TypeDefinition], links: Sequence[Link], query: str) -> None:
    query_root = types.get(query)
    prefixes = ("link__", "federation__", "core__", *(f"{link.namespace}__" for link in links if link.is_specified))
    imported = {
        local for link in links if link.identity in (FEDERATION_IDENTITY, LINK_IDENTITY) for local in link.imports
    }
    leaves = {name for name, each in types.items() if each.kind in (Kind.SCALAR, Kind.ENUM, Kind.INPUT)}
    given = MACHINERY_TYPES | BUILT_IN_SCALARS | (imported & leaves)
    for name in list(types):
        if name in given or name.startswith(prefixes):
            del types[name]
    if query_root is not None and _is_left_empty(query_root):
        del types[query]


def _is_left_empty(query_root: TypeDefinition) -> bool:
    """Whether a query root, once federation's own fields are taken from it, says nothing."""
    for name in MACHINERY_QUERIES:
        query_root.fields.pop(name, None)
    return not (query_root.fields or query_root.directives or query_root.description)


# -- roots -------------------------------------------------------------------------------------------------------------


def _root_types(nodes: Iterable[_SchemaNode]) -> dict[str, str]:
    roots = {kind: kind.title() for kind in ("query", "mutation", "subscription")}
    for node in nodes:
        for operation in node.operation_types or ():
            roots[operation.operation.value] = operation.type.name.value
    return roots


def _rename_roots(
    types: dict[str, TypeDefinition], roots: Mapping[str, str], subgraph: str, document: DocumentNode
) -> None:
    """Root types get their default names, so that they merge whatever a subgraph calls them."""
    names: dict[str, str] = {}
    for kind, name in roots.items():
        default = kind.title()
        if name == default or name not in types:
            continue
        if default in types:
            message = f'[{subgraph}] the type "{default}" is not the {kind} root, which is called "{name}"; rename it.'
            where = locations_of(subgraph, _definition_of(default, document))
            raise SubgraphInvalidError([Finding(f"ROOT_{kind.upper()}_USED", message, (subgraph,), (default,), where)])
        names[name] = default
        definition = types.pop(name)
        definition.name = default
        types[default] = definition
    if names:
        _rename_references(types, names)


def _definition_of(name: str, document: DocumentNode) -> Node | None:
    definitions = [node for node in document.definitions if isinstance(node, TypeDefinitionNode | TypeExtensionNode)]
    return next((node for node in definitions if node.name.value == name), None)


def _rename_references(types: Mapping[str, TypeDefinition], names: dict[str, str]) -> None:
    for definition in types.values():
        for field_definition in definition.fields.values():
            field_definition.type = renamed(field_definition.type, names)
        definition.members = [names.get(member, member) for member in definition.members]


# -- texts -------------------------------------------------------------------------------------------------------------


def _field_set(value: object) -> str:
    """Federation 1 also takes a list of fields."""
    return without_braces(" ".join(map(str, value)) if isinstance(value, list) else str(value or ""))


def _description(node: Node) -> str | None:
    description = getattr(node, "description", None)
    return description.value if isinstance(description, StringValueNode) else None
