"""How large and long whatever a client sends may be. Asked by `graphql_schema` for every operation before anything is
coerced, so that neither a resolver nor SQL ever sees what is out of bounds.

What a value means is for its scalar, and whether it is sensible for the domain's rules; here is only what no field wants.
"""

import math
from collections.abc import Callable, Iterable, Mapping
from typing import Any, NamedTuple

from graphql import (
    SKIP,
    DocumentNode,
    FloatValueNode,
    GraphQLError,
    GraphQLInputObjectType,
    GraphQLInputType,
    GraphQLNonNull,
    GraphQLSchema,
    IntValueNode,
    ListValueNode,
    StringValueNode,
    ValidationRule,
    VariableDefinitionNode,
    get_named_type,
    get_operation_ast,
    is_input_type,
    is_list_type,
    type_from_ast,
)

LONGEST_TEXT = 5_000
LONGEST_ID = 200
LONGEST_LIST = 1_000
#: Of one variable, over all its lists and objects.
MOST_VALUES = 20_000
DEEPEST_VALUE = 20
#: What a router asks for at once is as long as its answers are.
MOST_REPRESENTED_VALUES = 500_000
#: This many flat objects with this many fields are fewer values than those.
MOST_ORDINARY, MOST_ORDINARY_FIELDS = 10_000, 40
#: So are this many whose every field is such an object.
MOST_ORDINARY_NESTED = 100
#: Below it, every number keeps six places in a Decimal of 28 digits. What is measured of people is far below.
LARGEST_NUMBER = 1e15
_REPRESENTATION = "_Any"


class OutOfBoundsError(ValueError):
    """A value that no field takes; the text says the bound and not the value."""


class DeclaredVariable(NamedTuple):
    """A variable of an operation."""

    name: str
    type: GraphQLInputType
    node: VariableDefinitionNode
    #: Whether it is of representations, which a router makes.
    is_representation: bool


def declared_variables(
    schema: GraphQLSchema, document: DocumentNode, operation_name: str | None
) -> list[DeclaredVariable]:
    """Those whose type there is; none of an operation that the document has not."""
    operation = get_operation_ast(document, operation_name)
    if operation is None:
        return []
    found = ((each, type_from_ast(schema, each.type)) for each in operation.variable_definitions or ())
    return [
        DeclaredVariable(node.variable.name.value, kind, node, get_named_type(kind).name == _REPRESENTATION)
        for node, kind in found
        if is_input_type(kind)
    ]


def check_variables(declared: Iterable[DeclaredVariable], variables: Mapping[str, Any]) -> list[GraphQLError]:
    """One error for each variable of the operation that is out of bounds, naming the place inside it."""
    errors = []
    for name, kind, node, is_representation in declared:
        if name in variables:
            if is_representation and _are_ordinary(variables[name]):
                continue
            walk = _Walk(is_representation)
            try:
                walk.check(variables[name], kind, f"${name}")
            except OutOfBoundsError as error:
                errors.append(_error(f"Variable {error}", node))
    return errors


class BoundedLiterals(ValidationRule):
    """The same bounds for what is written into the document itself."""

    def enter_list_value(self, node: ListValueNode, *_: Any) -> Any:
        return self._report(node, _check_list, node.values)

    def enter_string_value(self, node: StringValueNode, *_: Any) -> Any:
        return self._report(node, _check_text, node.value)

    def enter_int_value(self, node: IntValueNode, *_: Any) -> Any:
        return self._report(node, _check_digits, node.value)

    def enter_float_value(self, node: FloatValueNode, *_: Any) -> Any:
        return self._report(node, _check_digits, node.value)

    def _report(self, node: Any, check: Callable[[Any, str, str], None], value: Any) -> Any:
        input_type = self.context.get_input_type()
        try:
            check(value, get_named_type(input_type).name if input_type else "", "The value")
        except OutOfBoundsError as error:
            self.report_error(_error(str(error), node))
            return SKIP
        return None


def _error(message: str, node: Any) -> GraphQLError:
    return GraphQLError(f"{message}.", node, extensions={"code": "BAD_USER_INPUT"})


def _are_ordinary(representations: Any) -> bool:
    """Whether these are within bounds, as far as can be seen of a list of flat objects: those that routers send, of which there may
    be hundreds. Others are for `_Walk`, which finds the place of what is wrong.
    """
    if type(representations) is not list or len(representations) > MOST_ORDINARY:
        return False
    may_nest = len(representations) <= MOST_ORDINARY_NESTED
    names: set[str] = set()
    for representation in representations:
        if type(representation) is not dict or len(representation) > MOST_ORDINARY_FIELDS:
            return False
        for name, value in representation.items():
            if name not in names:
                if not _is_name(name):
                    return False
                names.add(name)
            if type(value) is str:
                if len(value) > LONGEST_TEXT or "\0" in value:
                    return False
            elif value is not None and not (may_nest and _is_plain_object(value)):
                return False
    return True


def _is_name(text: str) -> bool:
    return 0 < len(text) <= LONGEST_ID and text.isprintable()


def _is_plain_object(value: Any) -> bool:
    """Whether it is an object of texts, numbers and null, such as what a field requires."""
    if type(value) is not dict or len(value) > MOST_ORDINARY_FIELDS:
        return False
    for name, each in value.items():
        if not _is_name(name):
            return False
        if type(each) is str:
            if len(each) > LONGEST_TEXT or "\0" in each:
                return False
        elif type(each) is float or type(each) is int:
            if not -LARGEST_NUMBER < each < LARGEST_NUMBER:  # nor is what is no number
                return False
        elif each is not None:
            return False
    return True


class _Walk:
    """One variable's values, which are counted."""

    def __init__(self, is_representation: bool) -> None:
        self._is_representation = is_representation
        self._most = MOST_REPRESENTED_VALUES if is_representation else MOST_VALUES
        self._remaining = self._most

    def check(self, value: Any, declared: Any, place: str, depth: int = 0) -> None:
        """Raises OutOfBoundsError. A value of a wrong kind is left to coercion, which knows all kinds."""
        self._remaining -= 1
        if self._remaining < 0:
            raise OutOfBoundsError(f"{place} is one value more than the {self._most} that a variable may have")
        if depth > DEEPEST_VALUE:
            raise OutOfBoundsError(f"{place} is deeper than the {DEEPEST_VALUE} levels that a variable may have")
        kind = _nullable(declared)
        if isinstance(value, list):
            if not self._is_representation:
                _check_list(value, "", place)
            of_type = kind.of_type if is_list_type(kind) else kind
            for position, each in enumerate(value):
                self.check(each, of_type, f"{place}.{position}", depth + 1)
        elif isinstance(value, dict):
            fields = kind.fields if isinstance(kind, GraphQLInputObjectType) else {}
            for name, each in value.items():
                _check_text(name, "ID", f"A name in {place}")
                self.check(each, fields[name].type if name in fields else None, f"{place}.{name}", depth + 1)
        elif isinstance(value, str):
            _check_text(value, kind.name if kind is not None and not is_list_type(kind) else "", place)
        elif isinstance(value, int | float):
            _check_number(value, place)


def _nullable(declared: Any) -> Any:
    return declared.of_type if isinstance(declared, GraphQLNonNull) else declared


def _check_list(values: Any, _type_name: str, place: str) -> None:
    if len(values) > LONGEST_LIST:
        raise OutOfBoundsError(f"{place} may have at most {LONGEST_LIST} entries")


def _check_text(text: str, type_name: str, place: str) -> None:
    longest = LONGEST_ID if type_name == "ID" else LONGEST_TEXT
    if len(text) > longest:
        raise OutOfBoundsError(f"{place} may have at most {longest} characters")
    if "\0" in text:
        raise OutOfBoundsError(f"{place} must not have the character U+0000")
    if type_name == "ID" and not (text and text.isprintable()):
        raise OutOfBoundsError(f"{place} is no id")


def _check_digits(digits: str, _type_name: str, place: str) -> None:
    if len(digits) > LONGEST_ID:
        raise OutOfBoundsError(f"{place} may have at most {LONGEST_ID} digits")
    _check_number(float(digits), place)


def _check_number(number: float, place: str) -> None:
    if not (-LARGEST_NUMBER < number < LARGEST_NUMBER) or math.isnan(number):
        raise OutOfBoundsError(f"{place} must be a number between -10^15 and 10^15")
