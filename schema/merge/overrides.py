"""`@override`: which subgraphs a field was taken from, and which takings contradict one another."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from schema.merge.model import Findings
from schema.subgraph import FieldDefinition, Kind, Subgraph

_LABEL = re.compile(r"^(percent\((?P<percent>\d{1,2}(\.\d{1,8})?|100(\.0{1,8})?)\)|[a-zA-Z][a-zA-Z0-9_\-:./]*)$")


@dataclass(frozen=True, slots=True)
class Takings:
    """`overridden` no longer resolve the field; those in `labels` share it under a label, from which `moving` lose it."""

    overridden: frozenset[str]
    labels: Mapping[str, str]
    moving: frozenset[str]


class Overrides:
    def __init__(self, subgraphs: list[Subgraph], findings: Findings) -> None:
        self.subgraphs = {subgraph.name: subgraph for subgraph in subgraphs}
        self.findings = findings

    def of_field(self, type_name: str, field: str, fields: Mapping[str, FieldDefinition]) -> Takings:
        """Reports what is wrong; a refused override has no effect."""
        coordinate = f"{type_name}.{field}"
        overridden: set[str] = set()
        moving: set[str] = set()
        labels: dict[str, str] = {}
        takers = {subgraph: each for subgraph, each in fields.items() if each.has("override")}
        for subgraph, each in takers.items():
            source = str(each.argument("override", "from"))
            label = each.argument("override", "label")
            if self.subgraphs[subgraph].types[type_name].kind is Kind.INTERFACE:
                self.findings.error(
                    "OVERRIDE_ON_INTERFACE",
                    f'[{subgraph}] @override cannot stand on "{coordinate}", a field of an interface: put it on the fields '
                    f"of the types that implement it.",
                    (subgraph,),
                    (coordinate,),
                )
                continue
            if self.subgraphs[subgraph].types[type_name].is_interface_object:
                self.findings.error(
                    "OVERRIDE_COLLISION_WITH_ANOTHER_DIRECTIVE",
                    f'@override cannot be used on field "{coordinate}" of an @interfaceObject, in subgraph "{subgraph}": '
                    f"let the subgraphs that implement the interface drop the field.",
                    (subgraph,),
                    (coordinate,),
                )
                continue
            if source == subgraph:
                self.findings.error(
                    "OVERRIDE_FROM_SELF_ERROR",
                    f'Source and destination subgraphs "{subgraph}" are the same for overridden field "{coordinate}".',
                    (subgraph,),
                    (coordinate,),
                )
                continue
            if source not in self.subgraphs:
                self.findings.hint(
                    "FROM_SUBGRAPH_DOES_NOT_EXIST",
                    f'The @override of "{coordinate}" in subgraph "{subgraph}" names the unknown subgraph "{source}".',
                    (subgraph,),
                    (coordinate,),
                )
                continue
            if source not in fields and (stand_in := self._stand_in(source, subgraph, type_name, field)) is not None:
                self.findings.error(
                    "OVERRIDE_COLLISION_WITH_ANOTHER_DIRECTIVE",
                    f'@override cannot be used on field "{coordinate}" in subgraph "{subgraph}": subgraph "{source}" '
                    f'resolves it on the @interfaceObject "{stand_in}", for all that implement it.',
                    (subgraph, source),
                    (coordinate, f"{stand_in}.{field}"),
                )
                continue
            if source not in fields or fields[source].is_external:
                self.findings.hint(
                    "OVERRIDE_DIRECTIVE_CAN_BE_REMOVED",
                    f'The @override of "{coordinate}" in subgraph "{subgraph}" can be removed: subgraph "{source}" no '
                    f"longer has the field.",
                    (subgraph,),
                    (coordinate,),
                )
                continue
            if self._collides(coordinate, subgraph, source, fields):
                continue
            if label is not None and not _LABEL.match(str(label)):
                self.findings.error(
                    "OVERRIDE_LABEL_INVALID",
                    f'The label "{label}" of the @override of "{coordinate}" in subgraph "{subgraph}" must be '
                    f'"percent(x)" with x from 0 to 100, or a name that starts with a letter.',
                    (subgraph,),
                    (coordinate,),
                )
            if label is not None:
                labels |= {source: str(label), subgraph: str(label)}
                moving.add(source)
                self.findings.hint(
                    "OVERRIDE_MIGRATION_IN_PROGRESS",
                    f'"{coordinate}" is moving from subgraph "{source}" to "{subgraph}" under the label "{label}".',
                    (subgraph, source),
                    (coordinate,),
                )
            else:
                overridden.add(source)
                self.findings.hint(
                    "OVERRIDDEN_FIELD_CAN_BE_REMOVED",
                    f'"{coordinate}" in subgraph "{source}" is overridden by "{subgraph}" and can be removed.',
                    (source,),
                    (coordinate,),
                )
        return Takings(frozenset(overridden), labels, frozenset(moving))

    def _stand_in(self, source: str, subgraph: str, type_name: str, field: str) -> str | None:
        """The interface object by which a subgraph resolves the field of a type that it does not know."""
        known = self.subgraphs[source].types
        for interface in self.subgraphs[subgraph].types[type_name].interfaces:
            definition = known.get(interface)
            each = definition.fields.get(field) if definition is not None and definition.is_interface_object else None
            if each is not None and not each.is_external:
                return interface
        return None

    def _collides(self, coordinate: str, subgraph: str, source: str, fields: Mapping[str, FieldDefinition]) -> bool:
        if fields[source].has("override"):
            self.findings.error(
                "OVERRIDE_SOURCE_HAS_OVERRIDE",
                f'Field "{coordinate}" on subgraph "{subgraph}" is also marked with directive @override in subgraph '
                f'"{source}". Only one subgraph can take a field: keep the @override of the one that is to resolve it.',
                (subgraph, source),
                (coordinate,),
            )
            return True
        for name in ("external", "provides", "requires"):
            where = subgraph if name == "external" else source
            if fields[where].has(name):
                self.findings.error(
                    "OVERRIDE_COLLISION_WITH_ANOTHER_DIRECTIVE",
                    f'@override cannot be used on field "{coordinate}" in subgraph "{subgraph}": it is marked @{name} '
                    f'in subgraph "{where}". Remove one of the two.',
                    (subgraph, where),
                    (coordinate,),
                )
                return True
        return False
