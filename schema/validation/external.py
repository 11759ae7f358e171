"""`@external`: fields that a subgraph mentions and another one resolves have to be of use."""

from __future__ import annotations

from collections.abc import Iterator

from schema.codes import Finding
from schema.field_sets import fields_in_use
from schema.subgraph import Kind, Subgraph


def check_externals(subgraph: Subgraph) -> Iterator[Finding]:
    """EXTERNAL_UNUSED, EXTERNAL_ON_INTERFACE, EXTERNAL_COLLISION_*"""
    if not subgraph.is_federation_2:
        return
    used = fields_in_use(subgraph)
    for definition in subgraph.types.values():
        for each in definition.fields.values():
            if not each.is_external:
                continue
            coordinate = f"{definition.name}.{each.name}"
            where = (subgraph.name,), (coordinate,)
            if definition.kind is Kind.INTERFACE:
                yield Finding(
                    "EXTERNAL_ON_INTERFACE",
                    f'[{subgraph.name}] "{coordinate}" is a field of an interface and cannot be @external: mark the '
                    f"fields of the types that implement it.",
                    *where,
                )
            if each.has("provides"):
                yield Finding(
                    "EXTERNAL_COLLISION_WITH_ANOTHER_DIRECTIVE",
                    f'[{subgraph.name}] "{coordinate}" is @external and has @provides, but who does not resolve a field '
                    f"cannot provide anything with it: remove one of the two.",
                    *where,
                )
            elif (definition.name, each.name) not in used:
                yield Finding(
                    "EXTERNAL_UNUSED",
                    f'[{subgraph.name}] "{coordinate}" is @external, but no @key, @requires or @provides of this '
                    f"subgraph and no interface uses it: remove the field, or the @external.",
                    *where,
                )
