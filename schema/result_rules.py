"""Rules on the merged graph: what `@inaccessible` leaves of it, and rights that `@requires` or `@fromContext` would get around.

They are asked of a supergraph's document, which need not be one that the router could read.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from graphql import (
    DirectiveDefinitionNode,
    DocumentNode,
    EnumTypeDefinitionNode,
    InputObjectTypeDefinitionNode,
    InterfaceTypeDefinitionNode,
    NonNullTypeNode,
    ObjectTypeDefinitionNode,
    TypeDefinitionNode,
    UnionTypeDefinitionNode,
)

from schema.authorization_rules import check_transitive_rights
from schema.codes import Finding
from schema.hidden import hidden_in, is_hidden
from schema.type_nodes import named_type

_WithFields = ObjectTypeDefinitionNode | InterfaceTypeDefinitionNode | InputObjectTypeDefinitionNode


def check_result(document: DocumentNode) -> Iterator[Finding]:
    """Every problem of the merged graph that GraphQL itself would only notice as a hole in the API."""
    types = {node.name.value: node for node in document.definitions if isinstance(node, TypeDefinitionNode)}
    visible = {name: node for name, node in types.items() if not is_hidden(node) and "__" not in name}
    hidden = {name for name, node in types.items() if is_hidden(node)}
    if "Query" in hidden:
        yield _finding(
            "QUERY_ROOT_TYPE_INACCESSIBLE",
            "Query",
            '"Query" is @inaccessible, but clients need the query root: hide its fields instead.',
        )
    for node in visible.values():
        yield from _check_type(node, types, visible, hidden)
    yield from _check_directives(document, hidden)
    yield from check_transitive_rights(types)


def _check_type(
    node: TypeDefinitionNode,
    types: dict[str, TypeDefinitionNode],
    visible: dict[str, TypeDefinitionNode],
    hidden: set[str],
) -> Iterator[Finding]:
    yield from _check_children(node, hidden)
    if isinstance(node, _WithFields):
        for field in node.fields or ():
            if not is_hidden(field):
                yield from _check_field(node, field, types, hidden)
    if isinstance(node, InputObjectTypeDefinitionNode):
        yield from _check_input(node)
    if isinstance(node, ObjectTypeDefinitionNode | InterfaceTypeDefinitionNode):
        yield from _check_implementation(node, visible)


def _check_directives(document: DocumentNode, hidden: set[str]) -> Iterator[Finding]:
    for node in document.definitions:
        for argument in node.arguments or () if isinstance(node, DirectiveDefinitionNode) else ():
            if (target := named_type(argument.type)) in hidden:
                place = f"@{node.name.value}({argument.name.value}:)"  # type: ignore[attr-defined]
                yield _finding(
                    "REFERENCED_INACCESSIBLE",
                    place,
                    f'"{place}" is in the API, but its type "{target}" is @inaccessible: show the type, or leave the '
                    f"argument out.",
                )


def _finding(code: str, coordinate: str, message: str) -> Finding:
    return Finding(code, message, (), (coordinate,))


def _check_children(node: TypeDefinitionNode, hidden: set[str]) -> Iterator[Finding]:
    children: list[Any] = []
    what = "members"
    if isinstance(node, _WithFields):
        children = list(node.fields or ())
        what = "fields"
    elif isinstance(node, EnumTypeDefinitionNode):
        children = list(node.values or ())
        what = "values"
    is_empty_union = isinstance(node, UnionTypeDefinitionNode) and all(
        member.name.value in hidden for member in node.types or ()
    )
    if is_empty_union or (children and all(is_hidden(child) for child in children)):
        yield _finding(
            "ONLY_INACCESSIBLE_CHILDREN",
            node.name.value,
            f'"{node.name.value}" is in the API, but all its {what} are @inaccessible: hide the type too, or show one.',
        )


def _check_field(
    node: _WithFields, field: Any, types: dict[str, TypeDefinitionNode], hidden: set[str]
) -> Iterator[Finding]:
    coordinate = f"{node.name.value}.{field.name.value}"
    arguments = [
        (f"{coordinate}({argument.name.value}:)", argument) for argument in getattr(field, "arguments", None) or ()
    ]
    for place, argument in arguments:
        if is_hidden(argument) and _is_required(argument):
            yield _required(place, "argument")
    for place, element in [(coordinate, field), *(each for each in arguments if not is_hidden(each[1]))]:
        if (target := named_type(element.type)) in hidden:
            yield _finding(
                "REFERENCED_INACCESSIBLE",
                place,
                f'"{place}" is in the API, but its type "{target}" is @inaccessible: hide both or neither.',
            )
        default = getattr(element, "default_value", None)
        for used in hidden_in(default, target, types) if default is not None else ():
            yield _finding(
                "DEFAULT_VALUE_USES_INACCESSIBLE",
                place,
                f'The default value of "{place}" uses "{used}", which is @inaccessible: choose another default.',
            )


def _check_input(node: InputObjectTypeDefinitionNode) -> Iterator[Finding]:
    """Fields that nobody could give, where others are there to be given."""
    fields = node.fields or ()
    for field in fields if not all(map(is_hidden, fields)) else ():
        if is_hidden(field) and _is_required(field):
            yield _required(f"{node.name.value}.{field.name.value}", "input field")


def _is_required(node: Any) -> bool:
    return isinstance(node.type, NonNullTypeNode) and node.default_value is None


def _required(place: str, what: str) -> Finding:
    return _finding(
        "REQUIRED_INACCESSIBLE",
        place,
        f'The {what} "{place}" is @inaccessible but mandatory, so that nobody could give it: make it optional.',
    )


def _check_implementation(
    node: ObjectTypeDefinitionNode | InterfaceTypeDefinitionNode, visible: dict[str, TypeDefinitionNode]
) -> Iterator[Finding]:
    own = {field.name.value: field for field in node.fields or ()}
    for interface_node in node.interfaces or ():
        interface = visible.get(interface_node.name.value)
        if not isinstance(interface, InterfaceTypeDefinitionNode):
            continue
        for field in interface.fields or ():
            name = field.name.value
            if not is_hidden(field) and name in own and is_hidden(own[name]):
                yield _finding(
                    "IMPLEMENTED_BY_INACCESSIBLE",
                    f"{node.name.value}.{name}",
                    f'"{node.name.value}.{name}" is @inaccessible, but "{interface.name.value}.{name}", which it '
                    f"implements, is in the API: hide that field too.",
                )
            elif not is_hidden(field) and name in own:
                yield from _check_implemented_arguments(node.name.value, interface.name.value, field, own[name])


def _check_implemented_arguments(type_name: str, interface: str, asked: Any, own: Any) -> Iterator[Finding]:
    shown = {argument.name.value for argument in asked.arguments or () if not is_hidden(argument)}
    for argument in own.arguments or ():
        if argument.name.value in shown and is_hidden(argument):
            place = f"{own.name.value}({argument.name.value}:)"
            yield _finding(
                "IMPLEMENTED_BY_INACCESSIBLE",
                f"{type_name}.{place}",
                f'"{type_name}.{place}" is @inaccessible, but "{interface}.{place}", which it implements, is in the '
                f"API: hide that argument too.",
            )
