"""The API schema: what clients see of a supergraph.

Called by the reader; federation's own definitions and everything `@inaccessible` are left out.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, TypeVar

from graphql import (
    ConstDirectiveNode,
    DefinitionNode,
    DirectiveDefinitionNode,
    DocumentNode,
    EnumTypeDefinitionNode,
    GraphQLError,
    GraphQLSchema,
    InputObjectTypeDefinitionNode,
    InterfaceTypeDefinitionNode,
    NameNode,
    Node,
    ObjectTypeDefinitionNode,
    SchemaDefinitionNode,
    TypeDefinitionNode,
    UnionTypeDefinitionNode,
    Visitor,
    build_ast_schema,
    value_from_ast_untyped,
    visit,
)

from router.errors import SupergraphError

# The namespaces of the specifications that a supergraph can link.
_MACHINERY_PREFIXES = (
    "join__",
    "link__",
    "core__",
    "federation__",
    "requiresScopes__",
    "policy__",
    "context__",
    "connect__",
)
# Directives with a meaning to clients; all others that a supergraph applies are for routers and tools.
_CLIENT_DIRECTIVES = frozenset({"deprecated", "specifiedBy", "oneOf"})
_INACCESSIBLE = "https://specs.apollo.dev/inaccessible/"
_SPEC_TYPES = frozenset({"CacheControlScope"})
_Definition = TypeVar("_Definition", bound=Node)


def is_machinery(name: str) -> bool:
    """Whether a type or directive belongs to the link or join specification and not to the graph."""
    return name.startswith(_MACHINERY_PREFIXES)


def build_api_schema(document: DocumentNode) -> GraphQLSchema:
    """Raises SupergraphError when what is left is no valid schema."""
    document = _with_canonical_inaccessible(document)
    hidden = {
        definition.name.value
        for definition in document.definitions
        if isinstance(definition, TypeDefinitionNode)
        and (is_machinery(definition.name.value) or _is_inaccessible(definition))
    }
    imported = _imported_names(document)
    definitions = tuple(
        visible
        for definition in document.definitions
        if (visible := _visible_definition(definition, hidden, imported)) is not None
    )
    definitions = _without_unused_spec_types(definitions)
    try:
        return build_ast_schema(DocumentNode(definitions=definitions), assume_valid_sdl=True)
    except (GraphQLError, TypeError) as error:
        raise SupergraphError(f"The supergraph's API schema is not valid: {error}") from error


def _visible_definition(definition: DefinitionNode, hidden: set[str], imported: set[str]) -> DefinitionNode | None:
    if isinstance(definition, DirectiveDefinitionNode):
        return _visible_directive(definition, imported)
    if isinstance(definition, SchemaDefinitionNode):
        return _copy(definition, directives=(), operation_types=tuple(definition.operation_types))
    if not isinstance(definition, TypeDefinitionNode) or definition.name.value in hidden:
        return None
    kept: dict[str, Any] = {"directives": _client_directives(definition.directives)}
    if isinstance(definition, ObjectTypeDefinitionNode | InterfaceTypeDefinitionNode):
        kept["interfaces"] = tuple(node for node in definition.interfaces or () if node.name.value not in hidden)
    if isinstance(definition, ObjectTypeDefinitionNode | InterfaceTypeDefinitionNode | InputObjectTypeDefinitionNode):
        kept["fields"] = tuple(
            _visible_field(field) for field in definition.fields or () if not _is_inaccessible(field)
        )
    elif isinstance(definition, EnumTypeDefinitionNode):
        kept["values"] = tuple(
            _copy(value, directives=_client_directives(value.directives))
            for value in definition.values or ()
            if not _is_inaccessible(value)
        )
    elif isinstance(definition, UnionTypeDefinitionNode):
        kept["types"] = tuple(member for member in definition.types or () if member.name.value not in hidden)
    return _copy(definition, **kept)


def _visible_field(field: Any) -> Any:
    changes: dict[str, Any] = {"directives": _client_directives(field.directives)}
    if getattr(field, "arguments", None):
        changes["arguments"] = tuple(
            _copy(argument, directives=_client_directives(argument.directives))
            for argument in field.arguments
            if not _is_inaccessible(argument)
        )
    return _copy(field, **changes)


def _visible_directive(definition: DirectiveDefinitionNode, imported: set[str]) -> DirectiveDefinitionNode | None:
    """Only directives that a client may write in an operation are part of the API."""
    executable = {"QUERY", "MUTATION", "SUBSCRIPTION", "FIELD", "FRAGMENT_DEFINITION", "FRAGMENT_SPREAD",
                  "INLINE_FRAGMENT", "VARIABLE_DEFINITION"}  # fmt: skip
    name = definition.name.value
    if is_machinery(name) or name in imported or name in {"link", "core", "inaccessible", "tag"}:
        return None
    if not any(location.value in executable for location in definition.locations):
        return None
    return definition


def _imported_names(document: DocumentNode) -> set[str]:
    """Directive names that `@link(import:)` brings in, without the @."""
    names: set[str] = set()
    for arguments in _links(document):
        for item in arguments.get("import") or ():
            name = item if isinstance(item, str) else item.get("as") or item.get("name", "")
            names.add(name.lstrip("@"))
    return names


def _links(document: DocumentNode) -> Iterator[dict[str, Any]]:
    """The arguments of each `@link`."""
    for definition in document.definitions:
        if isinstance(definition, SchemaDefinitionNode):
            for directive in definition.directives or ():
                if directive.name.value == "link":
                    yield {node.name.value: value_from_ast_untyped(node.value) for node in directive.arguments or ()}


def _with_canonical_inaccessible(document: DocumentNode) -> DocumentNode:
    """What a link has renamed must not become visible by that."""
    names = {
        str(item["as"]).lstrip("@")
        for link in _links(document)
        if str(link.get("url", "")).startswith(_INACCESSIBLE)
        for item in (*(link.get("import") or ()), {"name": "@inaccessible", "as": link.get("as")})
        if isinstance(item, dict) and item.get("name") == "@inaccessible" and item.get("as")
    }
    return visit(document, _Renaming(names, "inaccessible")) if names else document


class _Renaming(Visitor):
    def __init__(self, names: set[str], canonical: str) -> None:
        super().__init__()
        self._names = names
        self._canonical = NameNode(value=canonical)

    def enter_directive(self, node: ConstDirectiveNode, *_: object) -> ConstDirectiveNode | None:
        return _copy(node, name=self._canonical) if node.name.value in self._names else None


def _without_unused_spec_types(definitions: tuple[DefinitionNode, ...]) -> tuple[DefinitionNode, ...]:
    """Types that only a dropped directive's arguments used are no part of the API."""
    used = " ".join(_type_references(definition) for definition in definitions).split()
    return tuple(
        definition
        for definition in definitions
        if not (
            isinstance(definition, TypeDefinitionNode)
            and definition.name.value in _SPEC_TYPES
            and definition.name.value not in used
        )
    )


def _type_references(definition: DefinitionNode) -> str:
    names = []
    for field in getattr(definition, "fields", None) or ():
        for node in (field, *(getattr(field, "arguments", None) or ())):
            inner = node.type
            while not hasattr(inner, "name"):
                inner = inner.type
            names.append(inner.name.value)
    return " ".join(names)


def _client_directives(directives: Any) -> tuple[ConstDirectiveNode, ...]:
    return tuple(directive for directive in directives or () if directive.name.value in _CLIENT_DIRECTIVES)


def _is_inaccessible(node: Any) -> bool:
    return any(directive.name.value == "inaccessible" for directive in node.directives or ())


def _copy(node: _Definition, **changes: Any) -> _Definition:
    """A node with some members replaced; nodes of the parsed supergraph are left as they are."""
    return type(node)(**{key: changes.get(key, getattr(node, key)) for key in node.keys})
