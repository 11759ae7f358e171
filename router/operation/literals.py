"""Literals of an operation become variables, so that `user(id: 1)` and `user(id: 2)` share a plan.

`normalize` asks for every argument; their values are added to the client's variables when those are coerced.
"""

from __future__ import annotations

import math
from collections.abc import Collection
from typing import Any, cast

from graphql import (
    ArgumentNode,
    BooleanValueNode,
    EnumValueNode,
    FloatValueNode,
    GraphQLArgument,
    GraphQLInputObjectType,
    GraphQLInputType,
    GraphQLList,
    GraphQLNonNull,
    GraphQLScalarType,
    IntValueNode,
    ListValueNode,
    NullValueNode,
    ObjectValueNode,
    StringValueNode,
    ValueNode,
    VariableNode,
    is_specified_scalar_type,
    print_ast,
)

from router.operation.coercers import EXACT_RANGE
from router.selection_set import Argument


def argument_of(node: ArgumentNode, definition: GraphQLArgument, lifter: LiteralLifter | None) -> Argument:
    """The argument as it will be sent: itself, or a variable where its literal could be lifted."""
    variables = variables_of(node.value)
    if lifter is not None and not variables:
        name = lifter.lift(node.value, definition.type)
        if name is not None:
            return Argument(node.name.value, f"${name}", frozenset({name}))
    return Argument(node.name.value, print_ast(node.value), variables)


def variables_of(node: ValueNode) -> frozenset[str]:
    """The names of those that the value mentions."""
    return frozenset(_variables_in(node))


class LiteralLifter:
    """Gives each distinct literal of one operation a variable, in order of appearance."""

    def __init__(self, taken_names: Collection[str]) -> None:
        self.types: dict[str, str] = {}
        self.values: dict[str, Any] = {}
        self._names: dict[tuple[str, str], str] = {}
        self._taken_names = taken_names
        self._count = 0

    def lift(self, node: ValueNode, type_: GraphQLInputType) -> str | None:
        """The variable that now stands for the literal, or None where it has to stay in the text."""
        if isinstance(node, NullValueNode) or not _survives_json(node, type_):
            return None
        literal = (str(type_), print_ast(node))
        if literal not in self._names:
            name = self._next_name()
            self._names[literal] = name
            self.types[name] = str(type_)
            self.values[name] = _literal_value(node, type_)
        return self._names[literal]

    def _next_name(self) -> str:
        while True:
            name = f"_{self._count}"
            self._count += 1
            if name not in self._taken_names:
                return name


def _survives_json(node: ValueNode, type_: GraphQLInputType) -> bool:
    """Whether the literal means the same when sent as a JSON value; a custom scalar may read the two differently."""
    if isinstance(type_, GraphQLNonNull):
        return _survives_json(node, type_.of_type)
    if isinstance(node, NullValueNode):
        return True
    if isinstance(type_, GraphQLList):
        items = node.values if isinstance(node, ListValueNode) else (node,)
        return all(_survives_json(item, type_.of_type) for item in items)
    if isinstance(type_, GraphQLInputObjectType):
        return isinstance(node, ObjectValueNode) and all(
            _survives_json(item.value, type_.fields[item.name.value].type) for item in node.fields
        )
    if isinstance(type_, GraphQLScalarType) and not is_specified_scalar_type(type_):
        return isinstance(node, (StringValueNode, BooleanValueNode))
    if isinstance(node, (IntValueNode, FloatValueNode)) and isinstance(type_, GraphQLScalarType):
        return type_.name != "Float" or math.isfinite(float(node.value))  # JSON has no infinity
    return not isinstance(node, (ListValueNode, ObjectValueNode))


def _literal_value(node: ValueNode, type_: GraphQLInputType) -> Any:
    """The JSON value of a literal which validation has found right for the type."""
    if isinstance(type_, GraphQLNonNull):
        return _literal_value(node, type_.of_type)
    if isinstance(node, NullValueNode):
        return None
    if isinstance(type_, GraphQLList):
        items = node.values if isinstance(node, ListValueNode) else (node,)
        return [_literal_value(item, type_.of_type) for item in items]
    if isinstance(node, ObjectValueNode) and isinstance(type_, GraphQLInputObjectType):
        return {item.name.value: _literal_value(item.value, type_.fields[item.name.value].type) for item in node.fields}
    if isinstance(node, (IntValueNode, FloatValueNode)):
        return number_of(node.value, cast(GraphQLScalarType, type_).name)
    if isinstance(node, (StringValueNode, BooleanValueNode, EnumValueNode)):
        return node.value
    raise AssertionError(f"{type(node).__name__} was not liftable")


def number_of(text: str, type_name: str) -> str | int | float:
    """As a server reads the literal: an ID is text, and a Float has a sign even where it is zero and no more digits than
    a double, which servers want of integers in variables.
    """
    if type_name == "ID":
        return text
    if type_name == "Int":
        return int(text)
    number = float(text)
    is_plain_integer = text.lstrip("-").isdigit() and 0 < abs(number) < EXACT_RANGE
    return int(text) if is_plain_integer else number


def _variables_in(node: ValueNode) -> set[str]:
    if isinstance(node, VariableNode):
        return {node.name.value}
    if isinstance(node, ListValueNode):
        return {name for item in node.values for name in _variables_in(item)}
    if isinstance(node, ObjectValueNode):
        return {name for item in node.fields for name in _variables_in(item.value)}
    return set()
