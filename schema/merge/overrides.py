"""`@override`: which subgraphs a field was taken from, and which takings contradict one another."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from schema.codes import Finding
from schema.subgraph import FieldDefinition, Kind, Subgraph

_LABEL = re.compile(r"^(percent\((?P<percent>\d{1,2}(\.\d{1,8})?|100(\.0{1,8})?)\)|[a-zA-Z][a-zA-Z0-9_\-:./]*)$")


@dataclass(frozen=True, slots=True)
class Override:
    """One `@override(from: source)`, as `subgraph` writes it on a field that the subgraphs in `fields` have."""

    subgraph: str
    source: str
    label: str | None
    type_name: str
    field: str
    fields: Mapping[str, FieldDefinition]
    subgraphs: Mapping[str, Subgraph]

    @property
    def coordinate(self) -> str:
        return f"{self.type_name}.{self.field}"

    def found(self, code: str, message: str, *others: str) -> Finding:
        """A finding in the subgraph that takes the field, and in others."""
        return Finding(code, message, (self.subgraph, *others), (self.coordinate,))


@dataclass(slots=True)
class Takings:
    """Subgraphs in `overridden` no longer resolve the field; those in `labels` share it under a label, from which
    `moving` lose it.
    """

    overridden: set[str]
    labels: dict[str, str]
    moving: set[str]


def overrides_of(
    type_name: str, field: str, fields: Mapping[str, FieldDefinition], subgraphs: Mapping[str, Subgraph]
) -> list[Override]:
    """Every application of `@override` to the field, in the subgraphs' order."""
    return [
        Override(
            subgraph=subgraph,
            source=str(each.argument("override", "from")),
            label=str(label) if (label := each.argument("override", "label")) is not None else None,
            type_name=type_name,
            field=field,
            fields=fields,
            subgraphs=subgraphs,
        )
        for subgraph, each in fields.items()
        if each.has("override")
    ]


def takings_of(overrides: list[Override], found: list[Finding]) -> Takings:
    """What the overrides of one field do; a refused one has no effect. Adds to `found` what is told of them."""
    takings = Takings(set(), {}, set())
    for override in overrides:
        refusal = next(filter(None, (rule(override) for rule in REFUSALS)), None)
        if refusal is not None:
            found.append(refusal)
            continue
        found += check_label(override)
        found.append(tell_taking(override))
        if override.label is None:
            takings.overridden.add(override.source)
        else:
            takings.labels |= {override.source: override.label, override.subgraph: override.label}
            takings.moving.add(override.source)
    return takings


# -- what refuses an override; the first one is told --------------------------------------------------------------------


def on_an_interface(override: Override) -> Finding | None:
    if override.subgraphs[override.subgraph].types[override.type_name].kind is not Kind.INTERFACE:
        return None
    return override.found(
        "OVERRIDE_ON_INTERFACE",
        f'[{override.subgraph}] @override cannot stand on "{override.coordinate}", a field of an interface: put it on the '
        f"fields of the types that implement it.",
    )


def on_an_interface_object(override: Override) -> Finding | None:
    if not override.subgraphs[override.subgraph].types[override.type_name].is_interface_object:
        return None
    return override.found(
        "OVERRIDE_COLLISION_WITH_ANOTHER_DIRECTIVE",
        f'@override cannot be used on field "{override.coordinate}" of an @interfaceObject, in subgraph '
        f'"{override.subgraph}": let the subgraphs that implement the interface drop the field.',
    )


def from_itself(override: Override) -> Finding | None:
    if override.source != override.subgraph:
        return None
    return override.found(
        "OVERRIDE_FROM_SELF_ERROR",
        f'Source and destination subgraphs "{override.subgraph}" are the same for overridden field '
        f'"{override.coordinate}".',
    )


def from_an_unknown_subgraph(override: Override) -> Finding | None:
    if override.source in override.subgraphs:
        return None
    return override.found(
        "FROM_SUBGRAPH_DOES_NOT_EXIST",
        f'The @override of "{override.coordinate}" in subgraph "{override.subgraph}" names the unknown subgraph '
        f'"{override.source}".',
    )


def from_an_interface_object(override: Override) -> Finding | None:
    """The source resolves the field of a type that it does not know, by an interface object."""
    if override.source in override.fields:
        return None
    known = override.subgraphs[override.source].types
    for interface in override.subgraphs[override.subgraph].types[override.type_name].interfaces:
        definition = known.get(interface)
        each = definition.fields.get(override.field) if definition and definition.is_interface_object else None
        if each is not None and not each.is_external:
            return Finding(
                "OVERRIDE_COLLISION_WITH_ANOTHER_DIRECTIVE",
                f'@override cannot be used on field "{override.coordinate}" in subgraph "{override.subgraph}": subgraph '
                f'"{override.source}" resolves it on the @interfaceObject "{interface}", for all that implement it.',
                (override.subgraph, override.source),
                (override.coordinate, f"{interface}.{override.field}"),
            )
    return None


def of_what_is_gone(override: Override) -> Finding | None:
    if override.source in override.fields and not override.fields[override.source].is_external:
        return None
    return override.found(
        "OVERRIDE_DIRECTIVE_CAN_BE_REMOVED",
        f'The @override of "{override.coordinate}" in subgraph "{override.subgraph}" can be removed: subgraph '
        f'"{override.source}" no longer has the field.',
    )


def of_what_was_taken(override: Override) -> Finding | None:
    if not override.fields[override.source].has("override"):
        return None
    return override.found(
        "OVERRIDE_SOURCE_HAS_OVERRIDE",
        f'Field "{override.coordinate}" on subgraph "{override.subgraph}" is also marked with directive @override in '
        f'subgraph "{override.source}". Only one subgraph can take a field: keep the @override of the one that is to '
        f"resolve it.",
        override.source,
    )


def beside_another_directive(override: Override) -> Finding | None:
    """What a field needs or gives does not move with it; an external one is not there to be resolved."""
    for name, where in (
        ("external", override.subgraph),
        ("provides", override.source),
        ("requires", override.source),
    ):
        if override.fields[where].has(name):
            return override.found(
                "OVERRIDE_COLLISION_WITH_ANOTHER_DIRECTIVE",
                f'@override cannot be used on field "{override.coordinate}" in subgraph "{override.subgraph}": it is '
                f'marked @{name} in subgraph "{where}". Remove one of the two.',
                where,
            )
    return None


#: In the order in which they are asked: each may rely on those before it having let the override pass.
REFUSALS: tuple[Callable[[Override], Finding | None], ...] = (
    on_an_interface,
    on_an_interface_object,
    from_itself,
    from_an_unknown_subgraph,
    from_an_interface_object,
    of_what_is_gone,
    of_what_was_taken,
    beside_another_directive,
)


# -- what is told of an override that has effect ------------------------------------------------------------------------


def check_label(override: Override) -> Iterator[Finding]:
    """OVERRIDE_LABEL_INVALID"""
    if override.label is not None and not _LABEL.match(override.label):
        yield override.found(
            "OVERRIDE_LABEL_INVALID",
            f'The label "{override.label}" of the @override of "{override.coordinate}" in subgraph '
            f'"{override.subgraph}" must be "percent(x)" with x from 0 to 100, or a name that starts with a letter.',
        )


def tell_taking(override: Override) -> Finding:
    """OVERRIDE_MIGRATION_IN_PROGRESS, OVERRIDDEN_FIELD_CAN_BE_REMOVED"""
    if override.label is not None:
        return override.found(
            "OVERRIDE_MIGRATION_IN_PROGRESS",
            f'"{override.coordinate}" is moving from subgraph "{override.source}" to "{override.subgraph}" under the '
            f'label "{override.label}".',
            override.source,
        )
    return Finding(
        "OVERRIDDEN_FIELD_CAN_BE_REMOVED",
        f'"{override.coordinate}" in subgraph "{override.source}" is overridden by "{override.subgraph}" and can be '
        f"removed.",
        (override.source,),
        (override.coordinate,),
    )
