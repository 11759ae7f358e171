"""INVALID_FIELD_SHARING: a field that several subgraphs resolve is `@shareable` in all of them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from schema.codes import Finding, quoted
from schema.merge.facts import ROOTS, SubgraphFacts
from schema.subgraph import FieldDefinition, TypeDefinition


@dataclass(frozen=True, slots=True)
class Owner:
    """Who resolves a field: a subgraph, by the type on which it has it, which may be an interface object of the type."""

    subgraph: str
    parent: TypeDefinition
    field: FieldDefinition


def check_sharing(coordinate: str, owners: Sequence[Owner], facts: SubgraphFacts) -> Iterator[Finding]:
    if coordinate.startswith("Subscription."):
        marked = [owner.subgraph for owner in owners if _is_marked_itself(owner)]
        if marked:
            yield Finding(
                "INVALID_FIELD_SHARING",
                f'"{coordinate}" is @shareable in {quoted(marked)}, but events come from one subgraph only: remove the '
                f"mark.",
                tuple(marked),
                (coordinate,),
            )
            return
        not_shareable = list(owners)
    else:
        not_shareable = [owner for owner in owners if not _is_shareable(owner, facts)]
    if not_shareable and len(owners) > 1:
        yield Finding(
            "INVALID_FIELD_SHARING",
            f'Non-shareable field "{coordinate}" is resolved from multiple subgraphs: it is resolved from '
            f"{_told(owners)} and defined as non-shareable in {_told(not_shareable)}. "
            f"Mark it @shareable there, or let one subgraph @override it.",
            tuple(dict.fromkeys(owner.subgraph for owner in owners)),
            (coordinate,),
        )


def _told(owners: Sequence[Owner]) -> str:
    """By their subgraphs; where one of these resolves the field on several types, by the types there."""
    names = [owner.subgraph for owner in owners]
    if len(set(names)) == len(names):
        return quoted(names)
    return ", ".join(f'subgraph "{owner.subgraph}" on "{owner.parent.name}"' for owner in owners)


def _is_shareable(owner: Owner, facts: SubgraphFacts) -> bool:
    definition, field = owner.parent, owner.field
    # An external field is here for being provided, which is what sharing means.
    if field.is_external or field.has("shareable"):
        return True
    if (definition.name, field.name) in facts.key_fields[owner.subgraph]:
        return True
    if facts.subgraphs[owner.subgraph].is_federation_2:
        return False
    # Value types of federation 1 are shared, but not what an extension adds to the subgraph's own definition.
    is_value_type = not (definition.is_defined and field.is_in_extension)
    is_shared = definition.name in ROOTS or is_value_type or definition.has("key")
    return is_shared and facts.is_in_another(owner.subgraph, definition.name, field.name)


def _is_marked_itself(owner: Owner) -> bool:
    """Whether `@shareable` stands on the field; what stands on the type is on all its fields, the same object."""
    marks = owner.field.all("shareable")
    return any(all(mark is not whole for whole in owner.parent.directives) for mark in marks)
