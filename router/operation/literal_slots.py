"""Which variables of an operation that was made from a form (`text_form`) take the literals of a text.

`prepared_operation` asks once for each form, and for the values with each of its texts.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from typing import Any

from router.operation.literals import number_of
from router.operation.operation import Operation
from router.operation.text_form import MARK

_MAX_INT = 2**31
_MOST_DIGITS = 11


class LiteralSlots:
    """Of one form; `are_complete` is false where a literal of it is more, or less, than the whole value of a variable: part of a
    list or an object, or in a place that keeps its literals in the text.
    """

    def __init__(self, operation: Operation, literals: Iterable[int | float | str]) -> None:
        #: the literal that stands for a variable's value in the form, and the variable's type
        self._variables: dict[str, tuple[int | float | str, str]] = {}
        types = {variable.name: variable.type for variable in operation.variables}
        values = {_identity(each): each for each in literals}
        rest: list[Any] = [operation.selections, operation.variables, operation.directives]
        for name, value in operation.literals.items():
            literal = values.get(_identity(value))
            if literal is None and types[name].rstrip("!") == "ID":
                literal = values.get((int, value))
            if literal is None:
                rest.append(value)
            else:
                self._variables[name] = (literal, types[name].rstrip("!"))
        served = {literal for literal, _ in self._variables.values()}
        self.are_complete = len(served) == len(values) and MARK not in repr(rest)

    def values(self, literals: Mapping[int | float | str, str]) -> dict[str, Any] | None:
        """By variable, for the lexemes of a text; None where one is not of its variable's type."""
        values = {}
        for name, (literal, type_name) in self._variables.items():
            value = _value(literals[literal], type_name)
            if value is None:
                return None
            values[name] = value
        return values


def _identity(value: Any) -> tuple[type, str]:
    """An ID has the digits of an integer as text."""
    return value.__class__, str(value)


def _value(lexeme: str, type_name: str) -> str | int | float | None:
    """As the value of the literal would be if it had been lifted (`literals`)."""
    if lexeme.startswith('"'):
        return lexeme[1:-1]
    if type_name == "Int" and (len(lexeme) > _MOST_DIGITS or not -_MAX_INT <= int(lexeme) < _MAX_INT):
        return None
    value = number_of(lexeme, type_name)
    return None if isinstance(value, float) and not math.isfinite(value) else value
