"""One subgraph's SDL as `Subgraph`: definitions and extensions joined, federation's names made canonical.

Called by `compose`; everything after it neither sees `@link` renames nor federation's own machinery.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from enum import Enum
from typing import Any

from graphql import (
    ConstDirectiveNode,
    DirectiveDefinitionNode,
    DocumentNode,
    EnumTypeDefinitionNode,
    EnumTypeExtensionNode,
    GraphQLError,
    InputObjectTypeDefinitionNode,
    InputObjectTypeExtensionNode,
    InputValueDefinitionNode,
    InterfaceTypeDefinitionNode,
    InterfaceTypeExtensionNode,
    ListTypeNode,
    Node,
    NonNullTypeNode,
    ObjectTypeDefinitionNode,
    ObjectTypeExtensionNode,
    ScalarTypeDefinitionNode,
    ScalarTypeExtensionNode,
    SchemaDefinitionNode,
    SchemaExtensionNode,
    TypeExtensionNode,
    TypeNode,
    UnionTypeDefinitionNode,
    UnionTypeExtensionNode,
    ValueNode,
    parse,
    parse_type,
    value_from_ast_untyped,
)

from schema.codes import Finding, Location, locations_of
from schema.federation import (
    BUILT_IN_SCALARS,
    CONNECT_IDENTITY,
    DIRECTIVES_SINCE,
    FEDERATION_IDENTITY,
    LATEST_VERSION,
    LINK_IDENTITY,
    MACHINERY_QUERIES,
    MACHINERY_TYPES,
    SPECIFICATIONS_HOME,
    Link,
    parse_link_url,
)


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


@dataclass(frozen=True, slots=True)
class Applied:
    """A directive where it is applied; `name` is canonical (`key`, not `federation__key`)."""

    name: str
    arguments: dict[str, Any]
    node: ConstDirectiveNode


@dataclass(slots=True)
class Element:
    """What fields, arguments, values and types have in common."""

    name: str
    description: str | None = None
    directives: list[Applied] = field(default_factory=list)

    def has(self, directive: str) -> bool:
        return any(applied.name == directive for applied in self.directives)

    def all(self, directive: str) -> list[Applied]:
        return [applied for applied in self.directives if applied.name == directive]

    def argument(self, directive: str, argument: str) -> Any:
        """The argument of the first such directive, or None."""
        return next((applied.arguments.get(argument) for applied in self.all(directive)), None)


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
        """What `@composeDirective` names, without the @."""
        composed = [each for each in self.schema_directives if each.name == "composeDirective"]
        return [str(each.arguments.get("name", "")).lstrip("@") for each in composed]

    def spec_name(self, local: str) -> str:
        """What federation calls a directive of the subgraph; other names stay."""
        return canonical_name(local, self.links)


class SubgraphInvalidError(Exception):
    """A subgraph cannot be read at all; `findings` say why."""

    def __init__(self, findings: list[Finding]) -> None:
        super().__init__("; ".join(map(str, findings)))
        self.findings = findings


def read_subgraph(source: SubgraphSource) -> Subgraph:
    """Raises SubgraphInvalidError."""
    try:
        document = parse(source.sdl)
    except GraphQLError as error:
        locations = tuple(Location(source.name, each.line, each.column) for each in error.locations or ())
        finding = Finding("INVALID_GRAPHQL", f"[{source.name}] {error.message}", (source.name,), locations=locations)
        raise SubgraphInvalidError([finding]) from error
    return _Reader(source, document).read()


class _Reader:
    def __init__(self, source: SubgraphSource, document: DocumentNode) -> None:
        self.source = source
        self.document = document
        self.findings: list[Finding] = []
        self.links: list[Link] = []
        self.types: dict[str, TypeDefinition] = {}

    def read(self) -> Subgraph:
        schema_nodes = [
            node for node in self.document.definitions if isinstance(node, SchemaDefinitionNode | SchemaExtensionNode)
        ]
        applied = [directive for node in schema_nodes for directive in node.directives or ()]
        names = {"link", *filter(None, map(_name_of_link, applied))}
        for directive in applied:
            if directive.name.value in names or directive.name.value.endswith("__link"):
                self._read_link(directive)
        federation = next((link for link in self.links if link.identity == FEDERATION_IDENTITY), None)
        self.federation = federation
        roots = self._root_types(schema_nodes)
        definitions: dict[str, DirectiveDefinitionNode] = {}
        for definition in self.document.definitions:
            if isinstance(definition, DirectiveDefinitionNode):
                if not self._is_specified(definition.name.value):
                    definitions[definition.name.value] = definition
            elif not isinstance(definition, SchemaDefinitionNode | SchemaExtensionNode):
                self._read_type(definition)
        if self.findings:
            raise SubgraphInvalidError(self.findings)
        self._drop_machinery(roots)
        self._rename_roots(roots)
        return Subgraph(
            self.source.name,
            self.source.url,
            self.types,
            definitions,
            {kind: kind.title() for kind, name in roots.items() if kind.title() in self.types},
            self.links,
            federation is not None,
            federation.version if federation else (1, 0),
            [applied for node in schema_nodes for applied in self._applied(node.directives)],
            self.document,
            federation,
        )

    # -- links -------------------------------------------------------------------------------------------------

    def _read_link(self, node: ConstDirectiveNode) -> None:
        arguments = _values(node)
        url = str(arguments.get("url", ""))
        parsed = parse_link_url(url)
        if parsed is None:
            if url.startswith(SPECIFICATIONS_HOME):
                self._refuse("INVALID_LINK_IDENTIFIER", f'the url "{url}" of a @link has no name and version', node)
                return
            parsed = url, url.rstrip("/").rpartition("/")[2], (0, 0)
        identity, name, version = parsed
        if any(link.identity == identity for link in self.links):
            self._refuse("INVALID_LINK_DIRECTIVE_USAGE", f"{identity} is linked twice; keep one @link to it", node)
        if identity == LINK_IDENTITY and version != (1, 0):
            self._refuse(
                "UNKNOWN_LINK_VERSION",
                f"version {version[0]}.{version[1]} of the link specification is not known",
                node,
            )
        imports: dict[str, str] = {}
        for item in arguments.get("import") or ():
            spec = item if isinstance(item, str) else str(item.get("name", ""))
            local = spec if isinstance(item, str) else str(item.get("as") or spec)
            if spec.startswith("@") != local.startswith("@"):
                self._refuse(
                    "INVALID_LINK_DIRECTIVE_USAGE", f'"{spec}" is imported as "{local}": only both can have an @', node
                )
            if identity == FEDERATION_IDENTITY:
                self._check_import(spec, version, node)
            imports[local.lstrip("@")] = spec.lstrip("@")
        if identity == FEDERATION_IDENTITY and not (2, 0) <= version <= LATEST_VERSION:
            self._refuse(
                "UNKNOWN_FEDERATION_LINK_VERSION",
                f"federation v{version[0]}.{version[1]} is not known; the latest is v2.{LATEST_VERSION[1]}",
                node,
            )
        self.links.append(Link(url, identity, name, version, str(arguments.get("as") or name), imports))

    def _check_import(self, spec: str, version: tuple[int, int], node: Node) -> None:
        since = DIRECTIVES_SINCE.get(spec.lstrip("@"))
        is_directive = spec.startswith("@")
        if (is_directive and (since is None or since > version)) or (not is_directive and since is not None):
            self._refuse(
                "INVALID_LINK_DIRECTIVE_USAGE",
                f'cannot import "{spec}", which federation v{version[0]}.{version[1]} does not have{_advice(spec, since)}',
                node,
            )

    def _refuse(self, code: str, message: str, node: Node) -> None:
        name = self.source.name
        self.findings.append(Finding(code, f"[{name}] {message}.", (name,), locations=locations_of(name, node)))

    def _is_specified(self, local: str) -> bool:
        """Whether a directive belongs to a linked specification that composition itself understands."""
        if self.federation is None:
            return local in DIRECTIVES_SINCE or local in {"link", "core"}
        if self.federation.spec_name(local) is not None or local == "link":
            return True
        if any(link.identity == CONNECT_IDENTITY and link.spec_name(local) is not None for link in self.links):
            return True
        return any(link.identity == LINK_IDENTITY and link.spec_name(local) is not None for link in self.links)

    # -- types -------------------------------------------------------------------------------------------------

    def _root_types(self, nodes: Iterable[SchemaDefinitionNode | SchemaExtensionNode]) -> dict[str, str]:
        roots = {kind: kind.title() for kind in ("query", "mutation", "subscription")}
        for node in nodes:
            for operation in node.operation_types or ():
                roots[operation.operation.value] = operation.type.name.value
        return roots

    def _read_type(self, node: Any) -> None:
        kind = _KIND_OF.get(type(node))
        if kind is None:
            self._refuse("INVALID_GRAPHQL", "a subgraph may hold type system definitions only", node)
            return
        name = node.name.value
        known = self.types.get(name)
        if known is None:
            known = self.types[name] = TypeDefinition(name, kind=kind)
        elif known.kind is not kind:
            self._refuse("INVALID_GRAPHQL", f'"{name}" is defined as {known.kind.value} and as {kind.value}', node)
            return
        is_extension = type(node).__name__.endswith("ExtensionNode")
        applied = self._applied(node.directives)
        if is_extension or any(directive.name == "extends" for directive in applied):
            known.is_extended = True
        else:
            known.is_defined = True
        if getattr(node, "description", None) and known.description is None:
            known.description = node.description.value
        known.directives += applied
        self._read_members(node, known)
        if kind is Kind.OBJECT:
            # On a type these say something of each field of this very definition, not of those of extensions.
            spreading = ("external", "shareable") if self.federation is not None else ()
            for each in (applied_here for applied_here in applied if applied_here.name in spreading):
                for item in node.fields or ():
                    known.fields[item.name.value].directives.append(each)

    def _read_members(self, node: Any, known: TypeDefinition) -> None:
        known.interfaces += [
            interface.name.value
            for interface in getattr(node, "interfaces", None) or ()
            if interface.name.value not in known.interfaces
        ]
        if known.kind is Kind.UNION:
            known.members += [member.name.value for member in node.types or ()]
        elif known.kind is Kind.ENUM:
            for value in node.values or ():
                known.values[value.name.value] = Element(
                    value.name.value, _description(value), self._applied(value.directives)
                )
        elif known.kind is Kind.INPUT:
            for item in node.fields or ():
                known.input_fields[item.name.value] = self._input_value(item)
        elif known.kind is not Kind.SCALAR:
            for item in node.fields or ():
                self._read_field(item, known, isinstance(node, TypeExtensionNode))

    def _read_field(self, node: Any, known: TypeDefinition, is_in_extension: bool) -> None:
        if node.name.value in known.fields:
            self._refuse("INVALID_GRAPHQL", f'Field "{known.name}.{node.name.value}" can only be defined once', node)
        known.fields[node.name.value] = FieldDefinition(
            node.name.value,
            _description(node),
            self._applied(node.directives),
            node.type,
            {argument.name.value: self._input_value(argument) for argument in node.arguments or ()},
            is_in_extension,
        )

    def _input_value(self, node: InputValueDefinitionNode) -> InputValue:
        return InputValue(
            node.name.value, _description(node), self._applied(node.directives), node.type, node.default_value
        )

    def _applied(self, nodes: Iterable[ConstDirectiveNode] | None) -> list[Applied]:
        applied = []
        for node in nodes or ():
            name, arguments = canonical_name(node.name.value, self.links), _values(node)
            if name in ("key", "requires", "provides") and "fields" in arguments:
                arguments["fields"] = _field_set(arguments["fields"])
            applied.append(Applied(name, arguments, node))
        return applied

    def _drop_machinery(self, roots: dict[str, str]) -> None:
        specified = [link for link in self.links if link.identity.startswith(SPECIFICATIONS_HOME)]
        namespaces = {f"{link.namespace}__" for link in specified} | {"link__", "federation__", "core__"}
        imported = {
            local
            for link in self.links
            if link.identity in (FEDERATION_IDENTITY, LINK_IDENTITY)
            for local in link.imports
        }
        for name, definition in list(self.types.items()):
            is_imported_scalar = name in imported and definition.kind in (Kind.SCALAR, Kind.ENUM, Kind.INPUT)
            if (
                name in MACHINERY_TYPES
                or name in BUILT_IN_SCALARS
                or is_imported_scalar
                or any(name.startswith(prefix) for prefix in namespaces)
            ):
                del self.types[name]
        query = self.types.get(roots["query"])
        if query is not None:
            for name in MACHINERY_QUERIES:
                query.fields.pop(name, None)
            if not query.fields and not query.directives and not query.description:
                del self.types[roots["query"]]

    def _rename_roots(self, roots: dict[str, str]) -> None:
        """Root types get their default names, so that they merge whatever a subgraph calls them."""
        for kind, name in roots.items():
            default = kind.title()
            if name == default or name not in self.types:
                continue
            if default in self.types:
                where = (self.source.name,), (default,), locations_of(self.source.name, self._definition_of(default))
                message = (
                    f'[{self.source.name}] the type "{default}" is not the {kind} root, which is called "{name}"; '
                    f"rename it."
                )
                raise SubgraphInvalidError([Finding(f"ROOT_{kind.upper()}_USED", message, *where)])
            definition = self.types.pop(name)
            definition.name = default
            self.types[default] = definition
            _rename_references(self.types, name, default)

    def _definition_of(self, name: str) -> Node | None:
        definitions: list[Any] = [node for node in self.document.definitions if hasattr(node, "name")]
        return next((node for node in definitions if node.name is not None and node.name.value == name), None)


def _advice(spec: str, since: tuple[int, int] | None) -> str:
    if since is None:
        return ": check its spelling"
    if not spec.startswith("@"):
        return f": it is a directive, so write @{spec}"
    return f": link v{since[0]}.{since[1]} or a newer one"


def _name_of_link(node: ConstDirectiveNode) -> str | None:
    """`@link` links its own specification too, and may rename itself by that."""
    arguments = _values(node)
    if not str(arguments.get("url", "")).startswith(f"{LINK_IDENTITY}/"):
        return None
    imports = [item for item in arguments.get("import") or () if isinstance(item, dict) and item.get("name") == "@link"]
    return str(imports[0].get("as")).lstrip("@") if imports else str(arguments.get("as") or "link")


def _rename_references(types: dict[str, TypeDefinition], old: str, new: str) -> None:
    def renamed(node: TypeNode) -> TypeNode:
        if hasattr(node, "type"):
            return type(node)(type=renamed(node.type))  # type: ignore[call-arg]
        return parse_name(new) if node.name.value == old else node  # type: ignore[attr-defined]

    def parse_name(name: str) -> TypeNode:
        return parse_type(name, no_location=True)

    for definition in types.values():
        for field_definition in definition.fields.values():
            field_definition.type = renamed(field_definition.type)
        definition.members = [new if member == old else member for member in definition.members]


def canonical_name(local: str, links: Sequence[Link]) -> str:
    """The specification's name for a directive of federation, linked as a whole or by itself; other names stay."""
    for link in links:
        if link.is_specified and (name := link.spec_name(local)) is not None:
            return name
    if local in DIRECTIVES_SINCE and any(link.identity == FEDERATION_IDENTITY for link in links):
        # Not imported: the name is free for the subgraph's own use.
        return f"{local} (own)"
    return local


def named_type(node: TypeNode) -> str:
    while hasattr(node, "type"):
        node = node.type
    return str(node.name.value)  # type: ignore[attr-defined]


def type_text(node: TypeNode) -> str:
    if isinstance(node, NonNullTypeNode):
        return f"{type_text(node.type)}!"
    if isinstance(node, ListTypeNode):
        return f"[{type_text(node.type)}]"
    return named_type(node)


def is_required(node: TypeNode, default: ValueNode | None) -> bool:
    return isinstance(node, NonNullTypeNode) and default is None


def without_braces(text: str) -> str:
    """A field set may be written with the braces of a selection set."""
    stripped = text.strip()
    return stripped[1:-1] if stripped.startswith("{") and stripped.endswith("}") else text


def _field_set(value: object) -> str:
    """Federation 1 also takes a list of fields."""
    return without_braces(" ".join(map(str, value)) if isinstance(value, list) else str(value or ""))


def _values(node: ConstDirectiveNode) -> dict[str, Any]:
    return {argument.name.value: value_from_ast_untyped(argument.value) for argument in node.arguments or ()}


def _description(node: Any) -> str | None:
    return node.description.value if node.description else None


def without(element: Element, *names: str) -> list[Applied]:
    """The element's directives but those named."""
    return [applied for applied in element.directives if applied.name not in names]


_KIND_OF: dict[type, Kind] = {
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
