"""What `@inaccessible` hides of a supergraph's document."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from graphql import (
    EnumTypeDefinitionNode,
    EnumValueNode,
    InputObjectTypeDefinitionNode,
    ListValueNode,
    ObjectValueNode,
    TypeDefinitionNode,
    ValueNode,
)

from schema.type_nodes import named_type


def is_hidden(node: Any) -> bool:
    """Of a type, field, argument or value by itself."""
    return any(directive.name.value == "inaccessible" for directive in node.directives or ())


def hidden_in(value: ValueNode, type_name: str, types: Mapping[str, TypeDefinitionNode]) -> Iterator[str]:
    """The coordinates of the hidden enum values and input fields that a value of the type uses."""
    target = types.get(type_name)
    if isinstance(value, ListValueNode):
        for element in value.values:
            yield from hidden_in(element, type_name, types)
    elif isinstance(value, EnumValueNode) and isinstance(target, EnumTypeDefinitionNode):
        if any(each.name.value == value.value and is_hidden(each) for each in target.values or ()):
            yield f"{type_name}.{value.value}"
    elif isinstance(value, ObjectValueNode) and isinstance(target, InputObjectTypeDefinitionNode):
        yield from _hidden_in_object(value, target, types)


def _hidden_in_object(
    value: ObjectValueNode, target: InputObjectTypeDefinitionNode, types: Mapping[str, TypeDefinitionNode]
) -> Iterator[str]:
    fields = {each.name.value: each for each in target.fields or ()}
    for item in value.fields:
        field = fields.get(item.name.value)
        if field is not None and is_hidden(field):
            yield f"{target.name.value}.{item.name.value}"
        elif field is not None:
            yield from hidden_in(item.value, named_type(field.type), types)
