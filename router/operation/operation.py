"""A client's operation in the form that everything after parsing works on; `normalize` makes it.

Planning processes send it, which compiled data classes would not survive: this module and `document` stay Python in a compiled wheel.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from router.selection_set import Argument, SelectionSet


@dataclass(frozen=True, slots=True)
class VariableDefinition:
    """`type`, `default` and custom `directives` are printed GraphQL; `default` is None where there is none."""

    name: str
    type: str
    default: str | None = None
    directives: str = ""


#: What a field of an operation takes in memory at most, as measured with fields of names of their own.
OPERATION_BYTES_PER_FIELD = 400


@dataclass(frozen=True, slots=True)
class OperationDirective:
    """A custom directive at `query`, `mutation` or `subscription`; subgraphs get it with these `operation_types`."""

    applied: Argument
    operation_types: frozenset[str]


@dataclass(frozen=True, slots=True)
class Operation:
    """What the client asked, in the form everything after parsing works on.

    Two operations that differ in name, literals or layout only are equal, so they share one plan.
    A field whose sub-selection came out empty (everything skipped, or no possible type) keeps an empty
    SelectionSet: the object still has to be fetched to know whether it is null.
    """

    operation_type: str  # "query" | "mutation" | "subscription"
    name: str | None = field(compare=False)
    selections: SelectionSet
    variables: tuple[VariableDefinition, ...] = ()
    #: values of the literals that became variables; merged over the client's variables for every request
    literals: Mapping[str, Any] = field(default_factory=dict, compare=False)
    #: custom ones of the operation itself, with the operation types that they may be sent with
    directives: tuple[OperationDirective, ...] = ()
