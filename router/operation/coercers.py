"""What a type makes of a JSON value: closures that give back the form in which the value is sent to subgraphs.

`variables` compiles one for every variable. They follow the input coercion of the specification (3.5 to 3.12) to the
letter but word no errors. Defaults of input fields are left to the subgraphs, which know them.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from graphql import (
    GraphQLEnumType,
    GraphQLInputObjectType,
    GraphQLInputType,
    GraphQLList,
    GraphQLNonNull,
    GraphQLScalarType,
    get_named_type,
    is_required_input_field,
    is_specified_scalar_type,
)

INT_RANGE = 2**31
EXACT_RANGE = 2**53  # integers up to here are doubles


class WrongValueError(Exception):
    """The type does not take the value."""


Coercer = Callable[[Any], Any]


def coercer_of(type_: GraphQLInputType) -> Coercer:
    """A function that raises WrongValueError for what the type does not take."""
    return _coercer_of(type_, {})


def _coercer_of(type_: GraphQLInputType, known: dict[str, Coercer]) -> Coercer:
    """`known` holds those of input objects, which may contain themselves."""
    if isinstance(type_, GraphQLNonNull):
        return _non_null(_coercer_of(type_.of_type, known))
    if isinstance(type_, GraphQLList):
        return _list(_coercer_of(type_.of_type, known))
    if isinstance(type_, GraphQLEnumType):
        return _enum(frozenset(type_.values))
    if isinstance(type_, GraphQLInputObjectType):
        if type_.name not in known:
            _add_input_object(type_, known)
        return known[type_.name]
    return SCALAR_COERCERS.get(type_.name, _any_value)


def has_custom_scalar(type_: GraphQLInputType, seen: frozenset[str] = frozenset()) -> bool:
    """Whether a value of the type can hold one, whose literals and JSON values may mean different things."""
    named = get_named_type(type_)
    if isinstance(named, GraphQLInputObjectType):
        return named.name not in seen and any(
            has_custom_scalar(field.type, seen | {named.name}) for field in named.fields.values()
        )
    return isinstance(named, GraphQLScalarType) and not is_specified_scalar_type(named)


def _non_null(inner: Coercer) -> Coercer:
    def non_null_value(value: Any) -> Any:
        if value is None:
            raise WrongValueError
        return inner(value)

    return non_null_value


def _list(item: Coercer) -> Coercer:
    def list_value(value: Any) -> Any:
        if value is None:
            return None
        if value.__class__ is not list:
            return [item(value)]  # a single value stands for a list of one
        return [item(each) for each in value]

    return list_value


def _enum(names: frozenset[str]) -> Coercer:
    def enum_value(value: Any) -> Any:
        if value is None or (value.__class__ is str and value in names):
            return value
        raise WrongValueError

    return enum_value


def _add_input_object(type_: GraphQLInputObjectType, known: dict[str, Coercer]) -> None:
    def object_value(value: Any) -> Any:
        if value is None:
            return None
        if value.__class__ is not dict or not required <= value.keys() or not value.keys() <= fields.keys():
            raise WrongValueError
        if is_one_of and (len(value) != 1 or None in value.values()):
            raise WrongValueError
        return {name: fields[name](each) for name, each in value.items()}

    known[type_.name] = object_value  # before its fields, which may be of the type itself
    fields = {name: _coercer_of(field.type, known) for name, field in type_.fields.items()}
    required = frozenset(name for name, field in type_.fields.items() if is_required_input_field(field))
    is_one_of = type_.is_one_of


def _any_value(value: Any) -> Any:
    return value


def _int_value(value: Any) -> Any:
    if value is None:
        return None
    if value.__class__ is float and value.is_integer():
        value = int(value)
    if value.__class__ is int and -INT_RANGE <= value < INT_RANGE:
        return value
    raise WrongValueError


def _float_value(value: Any) -> Any:
    """Integers that are no doubles become the nearest ones, as literals do: servers refuse them in variables."""
    if value is None or (value.__class__ is float and math.isfinite(value)):
        return value
    if value.__class__ is int and -EXACT_RANGE <= value <= EXACT_RANGE:
        return value
    if not isinstance(value, (int, float)) or value.__class__ is bool:
        raise WrongValueError
    try:
        nearest = float(value) + 0.0  # of an ExactDecimal, too
    except OverflowError:
        raise WrongValueError from None
    if not math.isfinite(nearest):
        raise WrongValueError
    return nearest


def _id_value(value: Any) -> Any:
    if value is None or value.__class__ is str:
        return value
    if value.__class__ is int:
        return str(value)
    raise WrongValueError


def _string_value(value: Any) -> Any:
    if value is None or value.__class__ is str:
        return value
    raise WrongValueError


def _boolean_value(value: Any) -> Any:
    if value is None or value.__class__ is bool:
        return value
    raise WrongValueError


SCALAR_COERCERS: dict[str, Coercer] = {
    "Int": _int_value,
    "Float": _float_value,
    "ID": _id_value,
    "String": _string_value,
    "Boolean": _boolean_value,
}
