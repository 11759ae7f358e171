"""INVALID_FIELD_SHARING: a field that several subgraphs resolve is `@shareable` in all of them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from schema.codes import Finding, quoted
from schema.field_sets import FieldSetError, mentioned_fields, selected_fields
from schema.merge.facts import ROOTS, SubgraphFacts
from schema.subgraph import FieldDefinition, TypeDefinition


@dataclass(frozen=True, slots=True)
class Owner:
    """Who resolves a field: a subgraph, by the type on which it has it, which may be an interface object of the type."""

    subgraph: str
    parent: TypeDefinition
    field: FieldDefinition


def check_sharing(owners_of: Mapping[str, Sequence[Owner]], facts: SubgraphFacts) -> Iterator[Finding]:
    """Of fields of one type, by coordinate. Those that one `@key` would make shareable are told together."""
    lacking: dict[tuple[_Unshared, str, tuple[str, ...]], list[str]] = {}
    for coordinate, owners in owners_of.items():
        if coordinate.startswith("Subscription."):
            marked = [owner.subgraph for owner in owners if _is_marked_itself(owner)]
            if marked:
                yield _shared_subscription(coordinate, marked)
                continue
            not_shareable = list(owners)
        else:
            not_shareable = [owner for owner in owners if not _is_shareable(owner, facts)]
        if not not_shareable or len(owners) < 2:
            continue
        unshared = _Unshared(
            tuple(dict.fromkeys(each.subgraph for each in owners)), _told(owners), _told(not_shareable)
        )
        key, holders = _missing_key(coordinate, owners, not_shareable, facts)
        if holders:
            lacking.setdefault((unshared, key, holders), []).append(coordinate)
        else:
            yield unshared.finding([coordinate], "Mark it @shareable there, or let one subgraph @override it.")
    for (unshared, key, holders), coordinates in lacking.items():
        type_name = coordinates[0].partition(".")[0]
        the_field, it = ("the field", "it") if len(coordinates) == 1 else ("the fields", "them")
        have = "has" if len(holders) == 1 else "have"
        yield unshared.finding(
            coordinates,
            f'Add @key(fields: "{key}") to "{type_name}" there, as {quoted(holders)} {have} it; or mark {the_field} @shareable, or '
            f"let one subgraph @override {it}.",
        )


@dataclass(frozen=True, slots=True)
class _Unshared:
    """Who resolves fields, and in whose words they are not shareable."""

    subgraphs: tuple[str, ...]
    owners: str
    not_shareable: str

    def finding(self, coordinates: Sequence[str], advice: str) -> Finding:
        names = ", ".join(f'"{coordinate}"' for coordinate in coordinates)
        fields, verb, they = ("field", "is", "it is") if len(coordinates) == 1 else ("fields", "are", "they are")
        return Finding(
            "INVALID_FIELD_SHARING",
            f"Non-shareable {fields} {names} {verb} resolved from multiple subgraphs: {they} resolved from {self.owners} "
            f"and defined as non-shareable in {self.not_shareable}. {advice}",
            self.subgraphs,
            tuple(coordinates),
        )


def _shared_subscription(coordinate: str, marked: Sequence[str]) -> Finding:
    return Finding(
        "INVALID_FIELD_SHARING",
        f'"{coordinate}" is @shareable in {quoted(marked)}, but events come from one subgraph only: remove the mark.',
        tuple(marked),
        (coordinate,),
    )


def _missing_key(
    coordinate: str, owners: Sequence[Owner], not_shareable: Sequence[Owner], facts: SubgraphFacts
) -> tuple[str, tuple[str, ...]]:
    """A key of the type that has the field, and the subgraphs with that key; none where the field is of no key, or where
    somebody who does not share it has not all fields of the key.
    """
    type_name, field = coordinate.split(".")
    holders: dict[str, list[str]] = {}
    for owner in owners:
        types = facts.subgraphs[owner.subgraph].types
        for text, _ in owner.parent.entity_keys() if owner.parent.name == type_name else ():
            if (type_name, field) in mentioned_fields(types, type_name, text):
                holders.setdefault(text, []).append(owner.subgraph)
    for text, subgraphs in holders.items():
        if all(_can_have(owner, type_name, text, facts) for owner in not_shareable):
            return text, tuple(subgraphs)
    return "", ()


def _can_have(owner: Owner, type_name: str, key: str, facts: SubgraphFacts) -> bool:
    try:
        list(selected_fields(facts.subgraphs[owner.subgraph].types, type_name, key))
    except FieldSetError:
        return False
    return owner.parent.name == type_name


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
