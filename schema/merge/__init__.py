"""Subgraphs to one merged schema: types, fields, enums, inputs and directives, one kind of type per module."""

from schema.merge.merger import MergedSchema, merge_subgraphs
from schema.merge.model import (
    FieldJoin,
    Findings,
    MergedDirective,
    MergedField,
    MergedInputValue,
    MergedType,
    MergedValue,
    TypeJoin,
)

__all__ = [
    "FieldJoin",
    "Findings",
    "MergedDirective",
    "MergedField",
    "MergedInputValue",
    "MergedSchema",
    "MergedType",
    "MergedValue",
    "TypeJoin",
    "merge_subgraphs",
]
