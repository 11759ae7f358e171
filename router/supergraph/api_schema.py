"""The API schema: what clients see of a supergraph.

Called by the reader; federation's own definitions and everything `@inaccessible` are left out.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
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
    Node,
    ObjectTypeDefinitionNode,
    SchemaDefinitionNode,
    TypeDefinitionNode,
    UnionTypeDefinitionNode,
    build_ast_schema,
)

from router.errors import SupergraphError
from router.supergraph.links import Link

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
#: Types that belong to no linked specification, but serve only directives that clients cannot write.
_SPEC_TYPES = frozenset({"CacheControlScope"})
#: Where operations apply directives, in the words of the specification.
EXECUTABLE_LOCATIONS = frozenset(
    {
        "QUERY",
        "MUTATION",
        "SUBSCRIPTION",
        "FIELD",
        "FRAGMENT_DEFINITION",
        "FRAGMENT_SPREAD",
        "INLINE_FRAGMENT",
        "VARIABLE_DEFINITION",
    }
)
#: Under this name a schema's extensions keep the answer of `hidden_fields`.
_HIDDEN_FIELDS = "router.hidden_fields"
_Definition = TypeVar("_Definition", bound=Node)


def is_machinery(name: str) -> bool:
    """Whether a type or directive belongs to the link or join specification and not to the graph."""
    return name.startswith(_MACHINERY_PREFIXES)


def build_api_schema(document: DocumentNode, links: Sequence[Link] = ()) -> GraphQLSchema:
    """`document` has canonical names. Raises SupergraphError when what is left is no valid schema."""
    specified = _Specified(links)
    hidden = {
        definition.name.value
        for definition in document.definitions
        if isinstance(definition, TypeDefinitionNode)
        and (is_machinery(definition.name.value) or _is_inaccessible(definition))
    }
    definitions = tuple(
        visible
        for definition in document.definitions
        if (visible := _visible_definition(definition, hidden, specified)) is not None
    )
    definitions = _without_unused_spec_types(definitions, specified)
    try:
        schema = build_ast_schema(DocumentNode(definitions=definitions), assume_valid_sdl=True)
    except (GraphQLError, TypeError) as error:
        raise SupergraphError(f"The supergraph's API schema is not valid: {error}") from error
    schema.extensions[_HIDDEN_FIELDS] = frozenset(_hidden_fields(document, hidden))
    return schema


def hidden_fields(api_schema: GraphQLSchema) -> frozenset[str]:
    """The names of fields that clients cannot see, on whatever type; plans ask for them where others require them. It
    is empty for a schema that `build_api_schema` has not made.
    """
    hidden: frozenset[str] = api_schema.extensions.get(_HIDDEN_FIELDS, frozenset())
    return hidden


def _hidden_fields(document: DocumentNode, hidden: set[str]) -> Iterator[str]:
    for definition in document.definitions:
        if isinstance(definition, ObjectTypeDefinitionNode | InterfaceTypeDefinitionNode):
            is_hidden = definition.name.value in hidden
            yield from (field.name.value for field in definition.fields or () if is_hidden or _is_inaccessible(field))


def _visible_definition(definition: DefinitionNode, hidden: set[str], specified: _Specified) -> DefinitionNode | None:
    if isinstance(definition, DirectiveDefinitionNode):
        return _visible_directive(definition, specified)
    if isinstance(definition, SchemaDefinitionNode):
        # Only the query root has to be there: a graph may hide its mutations and its subscriptions as a whole.
        roots = tuple(node for node in definition.operation_types if node.type.name.value not in hidden)
        return _copy(definition, directives=(), operation_types=roots)
    if not isinstance(definition, TypeDefinitionNode) or definition.name.value in hidden:
        return None
    return _copy(
        definition, directives=_client_directives(definition.directives), **_visible_members(definition, hidden)
    )


def _visible_members(definition: TypeDefinitionNode, hidden: set[str]) -> dict[str, Any]:
    """The fields, values or members of a visible type without the hidden ones."""
    kept: dict[str, Any] = {}
    if isinstance(definition, ObjectTypeDefinitionNode | InterfaceTypeDefinitionNode):
        kept["interfaces"] = tuple(node for node in definition.interfaces or () if node.name.value not in hidden)
    if isinstance(definition, ObjectTypeDefinitionNode | InterfaceTypeDefinitionNode | InputObjectTypeDefinitionNode):
        kept["fields"] = tuple(map(_visible_field, _accessible(definition.fields)))
    elif isinstance(definition, EnumTypeDefinitionNode):
        kept["values"] = tuple(
            _copy(value, directives=_client_directives(value.directives)) for value in _accessible(definition.values)
        )
    elif isinstance(definition, UnionTypeDefinitionNode):
        kept["types"] = tuple(member for member in definition.types or () if member.name.value not in hidden)
    return kept


def _accessible(members: Iterable[Any] | None) -> Iterator[Any]:
    return (member for member in members or () if not _is_inaccessible(member))


def _visible_field(field: Any) -> Any:
    if not field.directives and not getattr(field, "arguments", None):
        return field
    changes: dict[str, Any] = {"directives": _client_directives(field.directives)}
    if getattr(field, "arguments", None):
        changes["arguments"] = tuple(
            _copy(argument, directives=_client_directives(argument.directives))
            for argument in field.arguments
            if not _is_inaccessible(argument)
        )
    return _copy(field, **changes)


def _visible_directive(definition: DirectiveDefinitionNode, specified: _Specified) -> DirectiveDefinitionNode | None:
    """Only directives that a client may write in an operation are part of the API."""
    name = definition.name.value
    if is_machinery(name) or specified.directive(name) or name in {"link", "core", "inaccessible", "tag"}:
        return None
    if not any(location.value in EXECUTABLE_LOCATIONS for location in definition.locations):
        return None
    arguments: tuple[Any, ...] = tuple(
        _copy(argument, directives=_client_directives(argument.directives))
        for argument in definition.arguments or ()
        if not _is_inaccessible(argument)
    )
    return _copy(definition, arguments=arguments)


class _Specified:
    """Names that a linked specification owns: what is imported of it, and all that has its namespace."""

    def __init__(self, links: Sequence[Link]) -> None:
        self._imported = {name for link in links for name in link.imports}
        self._namespaces = {link.namespace for link in links if link.namespace}
        self._prefixes = tuple(f"{namespace}__" for namespace in self._namespaces)

    def directive(self, name: str) -> bool:
        return f"@{name}" in self._imported or name in self._namespaces or name.startswith(self._prefixes)

    def type(self, name: str) -> bool:
        return name in self._imported or name in _SPEC_TYPES or name.startswith(self._prefixes)


def _without_unused_spec_types(
    definitions: tuple[DefinitionNode, ...], specified: _Specified
) -> tuple[DefinitionNode, ...]:
    """Types that only a dropped directive's arguments used are no part of the API."""
    used = " ".join(_type_references(definition) for definition in definitions).split()
    return tuple(
        definition
        for definition in definitions
        if not (
            isinstance(definition, TypeDefinitionNode)
            and specified.type(definition.name.value)
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
    copied = object.__new__(
        type(node)
    )  # not by the constructor: it takes five times as long, for every field of the graph
    copied.__dict__.update(node.__dict__, **changes)
    return copied
