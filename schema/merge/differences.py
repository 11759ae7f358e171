"""Hints on types that subgraphs know differently well."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from schema.codes import Finding, quoted
from schema.merge.facts import ROOTS
from schema.merge.model import MergedType
from schema.subgraph import Kind, TypeDefinition


def check_entity(merged: MergedType, definitions: Mapping[str, TypeDefinition]) -> Iterator[Finding]:
    """INCONSISTENT_ENTITY: not everybody can look it up."""
    without_key = [name for name, definition in definitions.items() if not definition.has("key")]
    if merged.kind is Kind.OBJECT and 0 < len(without_key) < len(definitions):
        yield Finding(
            "INCONSISTENT_ENTITY",
            f'"{merged.name}" has a @key in some subgraphs, but not in {quoted(without_key)}.',
            tuple(definitions),
            (merged.name,),
        )


def check_value_type(merged: MergedType, definitions: Mapping[str, TypeDefinition]) -> Iterator[Finding]:
    """INCONSISTENT_OBJECT_VALUE_TYPE_FIELD, INCONSISTENT_INTERFACE_VALUE_TYPE_FIELD: not everybody knows it whole."""
    if merged.name in ROOTS or any(definition.has("key") for definition in definitions.values()):
        return
    kind = "OBJECT" if merged.kind is Kind.OBJECT else "INTERFACE"
    # A type all of whose fields are external is only there for field sets.
    knowing = {
        subgraph: definition
        for subgraph, definition in definitions.items()
        if not all(each.is_external for each in definition.fields.values())
    }
    for name in merged.fields:
        lacking = [subgraph for subgraph, definition in knowing.items() if name not in definition.fields]
        if lacking:
            yield Finding(
                f"INCONSISTENT_{kind}_VALUE_TYPE_FIELD",
                f'"{merged.name}.{name}" is not in {quoted(lacking)}, where "{merged.name}" is defined too.',
                tuple(definitions),
                (f"{merged.name}.{name}",),
            )


#: On object types and interfaces, in the order in which their findings are told.
TYPE_RULES = (check_entity, check_value_type)
