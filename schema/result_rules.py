"""Rules on the merged graph: what `@inaccessible` leaves of it, and rights that `@requires` or `@fromContext` would get around.

Called by `compose` on the printed supergraph, before it is read as the router reads it.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from graphql import (
    DirectiveDefinitionNode,
    DocumentNode,
    EnumTypeDefinitionNode,
    EnumValueNode,
    InputObjectTypeDefinitionNode,
    InterfaceTypeDefinitionNode,
    ListValueNode,
    NonNullTypeNode,
    ObjectTypeDefinitionNode,
    ObjectValueNode,
    TypeDefinitionNode,
    UnionTypeDefinitionNode,
    ValueNode,
)

from schema.authorization_rules import check_transitive_rights
from schema.codes import Finding
from schema.subgraph import named_type

_WithFields = ObjectTypeDefinitionNode | InterfaceTypeDefinitionNode | InputObjectTypeDefinitionNode


def check_result(document: DocumentNode) -> Iterator[Finding]:
    """Every problem of the merged graph that GraphQL itself would only notice as a hole in the API."""
    types = {node.name.value: node for node in document.definitions if isinstance(node, TypeDefinitionNode)}
    visible = {name: node for name, node in types.items() if not _is_hidden(node) and "__" not in name}
    hidden = {name for name, node in types.items() if _is_hidden(node)}
    if "Query" in hidden:
        yield _finding(
            "QUERY_ROOT_TYPE_INACCESSIBLE",
            "Query",
            '"Query" is @inaccessible, but clients need the query root: hide its fields instead.',
        )
    for node in visible.values():
        yield from _check_children(node, hidden)
        if isinstance(node, _WithFields):
            for field in node.fields or ():
                if not _is_hidden(field):
                    yield from _check_field(node, field, types, hidden)
        if isinstance(node, ObjectTypeDefinitionNode | InterfaceTypeDefinitionNode):
            yield from _check_implementation(node, visible)
    yield from _check_directives(document, hidden)
    yield from check_transitive_rights(types)


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


def _is_hidden(node: Any) -> bool:
    return any(directive.name.value == "inaccessible" for directive in node.directives or ())


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
    if is_empty_union or (children and all(_is_hidden(child) for child in children)):
        yield _finding(
            "ONLY_INACCESSIBLE_CHILDREN",
            node.name.value,
            f'"{node.name.value}" is in the API, but all its {what} are @inaccessible: hide the type too, or show one.',
        )


def _check_field(
    node: _WithFields, field: Any, types: dict[str, TypeDefinitionNode], hidden: set[str]
) -> Iterator[Finding]:
    coordinate = f"{node.name.value}.{field.name.value}"
    elements = [(coordinate, field)]
    for argument in getattr(field, "arguments", None) or ():
        place = f"{coordinate}({argument.name.value}:)"
        if _is_hidden(argument):
            if _is_required(argument):
                yield _required(place, "argument")
        else:
            elements.append((place, argument))
    for place, element in elements:
        if (target := named_type(element.type)) in hidden:
            yield _finding(
                "REFERENCED_INACCESSIBLE",
                place,
                f'"{place}" is in the API, but its type "{target}" is @inaccessible: hide both or neither.',
            )
        default = getattr(element, "default_value", None)
        if default is not None:
            yield from _check_default(place, default, target, types)
    if isinstance(node, InputObjectTypeDefinitionNode):
        for other in node.fields or ():
            # Reported once, with the first visible field.
            first = next(each for each in node.fields or () if not _is_hidden(each))
            if field is first and _is_hidden(other) and _is_required(other):
                yield _required(f"{node.name.value}.{other.name.value}", "input field")


def _is_required(node: Any) -> bool:
    return isinstance(node.type, NonNullTypeNode) and node.default_value is None


def _required(place: str, what: str) -> Finding:
    return _finding(
        "REQUIRED_INACCESSIBLE",
        place,
        f'The {what} "{place}" is @inaccessible but mandatory, so that nobody could give it: make it optional.',
    )


def _check_default(
    place: str, value: ValueNode, type_name: str, types: dict[str, TypeDefinitionNode]
) -> Iterator[Finding]:
    target = types.get(type_name)
    used: str | None = None
    if isinstance(value, ListValueNode):
        for element in value.values:
            yield from _check_default(place, element, type_name, types)
    elif isinstance(value, EnumValueNode) and isinstance(target, EnumTypeDefinitionNode):
        if any(each.name.value == value.value and _is_hidden(each) for each in target.values or ()):
            used = f"{type_name}.{value.value}"
    elif isinstance(value, ObjectValueNode) and isinstance(target, InputObjectTypeDefinitionNode):
        fields = {each.name.value: each for each in target.fields or ()}
        for item in value.fields:
            field = fields.get(item.name.value)
            if field is not None and _is_hidden(field):
                used = f"{type_name}.{item.name.value}"
            elif field is not None:
                yield from _check_default(place, item.value, named_type(field.type), types)
    if used is not None:
        yield _finding(
            "DEFAULT_VALUE_USES_INACCESSIBLE",
            place,
            f'The default value of "{place}" uses "{used}", which is @inaccessible: choose another default.',
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
            if not _is_hidden(field) and name in own and _is_hidden(own[name]):
                yield _finding(
                    "IMPLEMENTED_BY_INACCESSIBLE",
                    f"{node.name.value}.{name}",
                    f'"{node.name.value}.{name}" is @inaccessible, but "{interface.name.value}.{name}", which it '
                    f"implements, is in the API: hide that field too.",
                )
            elif not _is_hidden(field) and name in own:
                yield from _check_implemented_arguments(node.name.value, interface.name.value, field, own[name])


def _check_implemented_arguments(type_name: str, interface: str, asked: Any, own: Any) -> Iterator[Finding]:
    shown = {argument.name.value for argument in asked.arguments or () if not _is_hidden(argument)}
    for argument in own.arguments or ():
        if argument.name.value in shown and _is_hidden(argument):
            place = f"{own.name.value}({argument.name.value}:)"
            yield _finding(
                "IMPLEMENTED_BY_INACCESSIBLE",
                f"{type_name}.{place}",
                f'"{type_name}.{place}" is @inaccessible, but "{interface}.{place}", which it implements, is in the '
                f"API: hide that argument too.",
            )
