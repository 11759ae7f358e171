"""Subgraphs to one merged schema: types, fields, enums, inputs and directives, and the rules on them across subgraphs."""

from schema.merge.merger import merge_subgraphs
from schema.merge.model import (
    FieldJoin,
    Findings,
    MergedDirective,
    MergedField,
    MergedInputValue,
    MergedSchema,
    MergedType,
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
    "TypeJoin",
    "merge_subgraphs",
]
