"""The client's values of an operation's variables, coerced to their types.

`loaded_graph.PreparedOperation`, which is cached, holds the `VariableCoercion` of an operation; `pipeline.prepare` runs it
for every request.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, cast

from graphql import (
    GraphQLInputType,
    GraphQLNonNull,
    GraphQLSchema,
    OperationDefinitionNode,
    Undefined,
    VariableDefinitionNode,
    coerce_input_literal,
    parse,
    type_from_ast,
)
from graphql.execution.values import get_variable_values

from router.errors import LimitExceededError, VariablesError
from router.operation.coercers import EXACT_RANGE, Coercer, WrongValueError, coercer_of, has_custom_scalar
from router.operation.document import DEFAULT_LIMITS
from router.operation.operation import Operation

MAX_REPORTED_ERRORS = 20


class VariableCoercion:
    """Coerces a request's variables for one operation; made when the operation is prepared.

    Values pass through closures. What those refuse goes to graphql-core, which words the errors.
    """

    def __init__(
        self, variables: list[_Variable], literals: Mapping[str, Any], schema: GraphQLSchema, most: int
    ) -> None:
        self._variables = variables
        self._literals = literals
        self._schema = schema
        self._most_values = most

    @classmethod
    def of(
        cls, operation: Operation, schema: GraphQLSchema, most_values: int = DEFAULT_LIMITS.variable_values
    ) -> VariableCoercion:
        variables = [_Variable(node, schema) for node in _definitions_of(operation)]
        return cls(variables, operation.literals, schema, most_values)

    def with_literals(self, values: Mapping[str, Any]) -> VariableCoercion:
        """The same with these values of variables that stand for literals."""
        return VariableCoercion(self._variables, {**self._literals, **values}, self._schema, self._most_values)

    def coerce(self, given: Mapping[str, Any] | None) -> dict[str, Any]:
        """Values by name. Raises VariablesError, and LimitExceededError before any value of too many is looked at.

        Values stay in the form they are sent to subgraphs in: enum names, lists, JSON objects. Absent ones are absent,
        or have the default value where the router could read it as a subgraph does, whose query has the default too.
        """
        given = given or {}
        if given:
            _refuse_more_values(given, self._most_values)
        coerced: dict[str, Any] = dict(self._literals)
        try:
            for each in self._variables:
                if each.name in given:
                    coerced[each.name] = each.coerce(given[each.name])
                elif each.is_required:
                    raise WrongValueError
                elif each.has_default:
                    coerced[each.name] = each.default
        except WrongValueError:
            coerced.update(self._refuse(given))
        return coerced

    def _refuse(self, given: Mapping[str, Any]) -> dict[str, Any]:
        """Raises VariablesError with what graphql-core says of the values; gives back what it makes of them otherwise."""
        readable = {}
        for each in self._variables:
            if each.name in given:
                try:
                    readable[each.name] = each.coerce(given[each.name])
                except WrongValueError:
                    readable[each.name] = given[each.name]
        definitions = tuple(each.definition for each in self._variables)
        result = get_variable_values(self._schema, definitions, readable, max_errors=MAX_REPORTED_ERRORS)
        if isinstance(result, list):
            raise VariablesError([error.message for error in result])
        return result.coerced


def _refuse_more_values(given: Mapping[str, Any], most: int) -> None:
    """Raises LimitExceededError. Counts list by list and object by object, and stops at the first that is too much."""
    found = 0
    waiting: list[Any] = [given]
    while waiting:
        values = waiting.pop()
        found += len(values)
        if found > most:
            raise LimitExceededError("VARIABLE_VALUE", most)
        inner = values.values() if isinstance(values, Mapping) else values
        waiting.extend(value for value in inner if isinstance(value, (dict, list)))


class _Variable:
    """One variable of an operation. `default` is None where there is none, or one that only its text says exactly."""

    __slots__ = ("coerce", "default", "definition", "has_default", "is_required", "name")

    def __init__(self, node: VariableDefinitionNode, schema: GraphQLSchema) -> None:
        type_ = cast(GraphQLInputType, type_from_ast(schema, node.type))
        self.definition = node
        self.name = node.variable.name.value
        self.coerce: Coercer = coercer_of(type_)
        self.is_required = isinstance(type_, GraphQLNonNull) and node.default_value is None
        self.default = None
        self.has_default = False
        if node.default_value is not None and not has_custom_scalar(type_):
            self.default = coerce_input_literal(node.default_value, type_)
            self.has_default = _is_exact(self.default)


def _is_exact(value: Any) -> bool:
    """Whether a literal's value reads the same when it is sent as JSON."""
    if isinstance(value, dict):
        return all(_is_exact(item) for item in value.values())
    if isinstance(value, list):
        return all(_is_exact(item) for item in value)
    if isinstance(value, float):
        return math.isfinite(value)
    if value is Undefined:
        return False
    return not isinstance(value, int) or -EXACT_RANGE <= value <= EXACT_RANGE


def _definitions_of(operation: Operation) -> tuple[VariableDefinitionNode, ...]:
    """Of the client's own variables: those that stand for literals have their values."""
    declarations = ", ".join(
        f"${each.name}: {each.type}" + (f" = {each.default}" if each.default is not None else "")
        for each in operation.variables
        if each.name not in operation.literals
    )
    if not declarations:
        return ()
    definition = parse(f"query ({declarations}) {{ __typename }}").definitions[0]
    assert isinstance(definition, OperationDefinitionNode)
    return tuple(definition.variable_definitions or ())


def coerce_variables(operation: Operation, given: Mapping[str, Any] | None, schema: GraphQLSchema) -> dict[str, Any]:
    """The one-off form of `VariableCoercion`."""
    return VariableCoercion.of(operation, schema).coerce(given)
