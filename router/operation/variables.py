"""Variables of an operation: literals lifted out of the text, and the client's values coerced.

`normalize` lifts, so that `user(id: 1)` and `user(id: 2)` share a plan; `pipeline` coerces once per request.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from typing import TYPE_CHECKING, Any

from graphql import (
    ArgumentNode,
    BooleanValueNode,
    EnumValueNode,
    FloatValueNode,
    GraphQLArgument,
    GraphQLEnumType,
    GraphQLInputObjectType,
    GraphQLInputType,
    GraphQLList,
    GraphQLNonNull,
    GraphQLScalarType,
    GraphQLSchema,
    IntValueNode,
    ListValueNode,
    NullValueNode,
    ObjectValueNode,
    OperationDefinitionNode,
    StringValueNode,
    ValueNode,
    VariableNode,
    is_specified_scalar_type,
    parse,
    print_ast,
    type_from_ast,
)
from graphql.execution.values import get_variable_values

from router.errors import VariablesError
from router.selection_set import Argument

if TYPE_CHECKING:
    from router.operation.normalize import Operation

MAX_REPORTED_ERRORS = 20
INT_RANGE = 2**31


def argument_of(node: ArgumentNode, definition: GraphQLArgument, lifter: LiteralLifter | None) -> Argument:
    """The argument as it will be sent: itself, or a variable where its literal could be lifted."""
    variables = frozenset(_variables_in(node.value))
    if lifter is not None and not variables:
        name = lifter.lift(node.value, definition.type)
        if name is not None:
            return Argument(node.name.value, f"${name}", frozenset({name}))
    return Argument(node.name.value, print_ast(node.value), variables)


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
    if isinstance(node, IntValueNode):
        is_id = isinstance(type_, GraphQLScalarType) and type_.name == "ID"
        return node.value if is_id else int(node.value)
    if isinstance(node, FloatValueNode):
        return float(node.value)
    if isinstance(node, (StringValueNode, BooleanValueNode, EnumValueNode)):
        return node.value
    raise AssertionError(f"{type(node).__name__} was not liftable")


def _variables_in(node: ValueNode) -> set[str]:
    if isinstance(node, VariableNode):
        return {node.name.value}
    if isinstance(node, ListValueNode):
        return {name for item in node.values for name in _variables_in(item)}
    if isinstance(node, ObjectValueNode):
        return {name for item in node.fields for name in _variables_in(item.value)}
    return set()


class _UnusualError(Exception):
    """The value needs the careful route: it is wrong, or right in a rare way."""


Coercer = Callable[[Any], Any]


class VariableCoercion:
    """Coerces a request's variables for one operation; compiled once per operation.

    Usual values pass through closures. Everything else goes to graphql-core, which is slower, words the errors,
    and is the judge of what is right.
    """

    def __init__(self, operation: Operation, schema: GraphQLSchema) -> None:
        self._schema = schema
        self._literals = operation.literals
        self._client_variables = [each for each in operation.variables if each.name not in operation.literals]
        self._declarations = ", ".join(
            f"${each.name}: {each.type}" + (f" = {each.default}" if each.default is not None else "")
            for each in self._client_variables
        )
        self._definition: OperationDefinitionNode | None = None
        self._coercers: list[tuple[str, Coercer, bool]] = []
        for each, type_ in zip(self._client_variables, self._types(), strict=True):
            self._coercers.append((each.name, _coercer_of(type_), each.default is None))

    def coerce(self, given: Mapping[str, Any] | None) -> dict[str, Any]:
        """Values by name, defaults filled in, absent ones absent. Raises VariablesError.

        Values stay in the form they are sent to subgraphs in: enum names, lists, JSON objects.
        """
        given = given or {}
        coerced: dict[str, Any] = dict(self._literals)
        try:
            for name, coercer, may_be_absent in self._coercers:
                if name in given:
                    coerced[name] = coercer(given[name])
                elif not may_be_absent:
                    raise _UnusualError  # the default value
                else:
                    coercer_accepts_absence(coercer)
        except _UnusualError:
            coerced.update(self._coerce_carefully(given))
        return coerced

    def _coerce_carefully(self, given: Mapping[str, Any]) -> dict[str, Any]:
        result = get_variable_values(
            self._schema,
            self._parsed().variable_definitions or (),
            dict(given),
            max_errors=MAX_REPORTED_ERRORS,
        )
        if isinstance(result, list):
            raise VariablesError([error.message for error in result])
        return result.coerced

    def _parsed(self) -> OperationDefinitionNode:
        if self._definition is None:
            declarations = f"({self._declarations})" if self._declarations else ""
            definition = parse(f"query {declarations} {{ __typename }}").definitions[0]
            assert isinstance(definition, OperationDefinitionNode)
            self._definition = definition
        return self._definition

    def _types(self) -> list[GraphQLInputType]:
        if not self._client_variables:
            return []
        return [type_from_ast(self._schema, node.type) for node in self._parsed().variable_definitions or ()]  # type: ignore[misc]


def coercer_accepts_absence(coercer: Coercer) -> None:
    """An absent variable is fine unless its type is non-null, whose coercer refuses None."""
    coercer(None)


def coerce_variables(operation: Operation, given: Mapping[str, Any] | None, schema: GraphQLSchema) -> dict[str, Any]:
    """The one-off form of `VariableCoercion`."""
    return VariableCoercion(operation, schema).coerce(given)


def _coercer_of(type_: GraphQLInputType) -> Coercer:
    if isinstance(type_, GraphQLNonNull):
        inner = _coercer_of(type_.of_type)

        def refuse_null(value: Any) -> Any:
            if value is None:
                raise _UnusualError
            return inner(value)

        return refuse_null
    if isinstance(type_, GraphQLScalarType):
        return _SCALAR_COERCERS.get(type_.name, _any_value)
    if isinstance(type_, GraphQLEnumType):
        names = frozenset(type_.values)

        def enum_value(value: Any) -> Any:
            if value is None or (type(value) is str and value in names):
                return value
            raise _UnusualError

        return enum_value
    if isinstance(type_, GraphQLList):
        item = _coercer_of(type_.of_type)

        def list_value(value: Any) -> Any:
            if value is None:
                return None
            if type(value) is not list:
                raise _UnusualError  # a single value stands for a list of one
            return [item(each) for each in value]

        return list_value

    def careful(value: Any) -> Any:
        if value is None:
            return None
        raise _UnusualError  # input objects: defaults, oneOf, recursion

    return careful


def _any_value(value: Any) -> Any:
    return value


def _int_value(value: Any) -> Any:
    if value is None or (type(value) is int and -INT_RANGE <= value < INT_RANGE):
        return value
    raise _UnusualError


def _string_value(value: Any) -> Any:
    if value is None or type(value) is str:
        return value
    raise _UnusualError


def _boolean_value(value: Any) -> Any:
    if value is None or type(value) is bool:
        return value
    raise _UnusualError


def _float_value(value: Any) -> Any:
    if value is None or type(value) is float:
        return value
    raise _UnusualError


_SCALAR_COERCERS: dict[str, Coercer] = {
    "Int": _int_value,
    "String": _string_value,
    "ID": _string_value,
    "Boolean": _boolean_value,
    "Float": _float_value,
}
