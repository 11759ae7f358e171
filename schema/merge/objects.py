"""Merging object types and interfaces: fields with who resolves, requires, provides, overrides and shares them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from schema.codes import Finding
from schema.field_sets import context_and_text
from schema.merge.descriptions import common_description
from schema.merge.differences import TYPE_RULES
from schema.merge.directives import DirectiveMerger
from schema.merge.facts import SubgraphFacts
from schema.merge.field_rules import (
    FIELD_RULES,
    FieldInSubgraphs,
    check_directives_on_external,
    resolved_by_nobody,
)
from schema.merge.inputs import InputMerger
from schema.merge.model import ContextJoin, FieldJoin, Findings, MergedField, MergedType
from schema.merge.overrides import Takings, overrides_of, takings_of
from schema.merge.references import widest_output
from schema.merge.sharing import Owner, check_sharing
from schema.subgraph import FieldDefinition, Kind, TypeDefinition
from schema.type_nodes import type_text


class ObjectMerger:
    def __init__(
        self, facts: SubgraphFacts, directives: DirectiveMerger, inputs: InputMerger, findings: Findings
    ) -> None:
        self.facts = facts
        self.directives = directives
        self.inputs = inputs
        self.findings = findings

    def merge(self, result: MergedType, definitions: Mapping[str, TypeDefinition]) -> None:
        for subgraph, definition in definitions.items():
            result.implements += [(subgraph, interface) for interface in definition.interfaces]
        owners: dict[str, list[Owner]] = {}
        for name in dict.fromkeys(name for definition in definitions.values() for name in definition.fields):
            fields = {s: d.fields[name] for s, d in definitions.items() if name in d.fields}
            merged = self._merge_field(result, name, fields, definitions, owners)
            if merged is not None:
                result.fields[name] = merged
        self.findings.add(check_sharing(owners, self.facts))
        for rule in TYPE_RULES:
            self.findings.add(rule(result, definitions))

    def _merge_field(
        self,
        parent: MergedType,
        name: str,
        fields: Mapping[str, FieldDefinition],
        definitions: Mapping[str, TypeDefinition],
        owners: dict[str, list[Owner]],
    ) -> MergedField | None:
        """None for a field that nobody resolves, or an interface object only; the latter adds it to all later.

        `owners` gets who resolves a field of an object, by its coordinate.
        """
        coordinate = f"{parent.name}.{name}"
        resolving = {subgraph: each for subgraph, each in fields.items() if not each.is_external}
        if len(resolving) < len(fields):
            self.findings.add(check_directives_on_external(coordinate, fields))
        if not resolving:
            if not self._is_resolved_by_interface_object(name, definitions):
                self.findings.add([resolved_by_nobody(coordinate, fields)])
            return None
        widest = widest_output([each.type for each in resolving.values()], self.facts.relations)
        widest_text = type_text(widest) if widest is not None else None
        field = FieldInSubgraphs(coordinate, fields, resolving, widest_text, self.facts.relations)
        merged = MergedField(
            name,
            field.type,
            common_description(resolving, coordinate, self.findings),
            self.inputs.merge_arguments({s: each.arguments for s, each in resolving.items()}, coordinate),
            self.directives.merge(resolving, coordinate),
        )
        for rule in FIELD_RULES if len(fields) > 1 else ():
            self.findings.add(rule(field))
        told: list[Finding] = []
        takings = takings_of(overrides_of(parent.name, name, fields, self.facts.subgraphs), told)
        self.findings.add(told)
        if parent.kind is Kind.OBJECT:
            owners[coordinate] = self._owners(field, takings, definitions)
        merged.joins = self._joins(parent.name, merged, fields, takings)
        if len(merged.joins) == len(definitions) and all(join.is_plain() for join in merged.joins):
            merged.joins = []
        return merged

    def _is_resolved_by_interface_object(self, name: str, definitions: Mapping[str, TypeDefinition]) -> bool:
        """Whether an interface object resolves the field for all that implement the interface."""
        interfaces = {interface for definition in definitions.values() for interface in definition.interfaces}
        known = (
            subgraph.types.get(interface) for subgraph in self.facts.subgraphs.values() for interface in interfaces
        )
        return any(
            each is not None and each.is_interface_object and name in each.fields and not each.fields[name].is_external
            for each in known
        )

    def _owners(
        self, field: FieldInSubgraphs, takings: Takings, definitions: Mapping[str, TypeDefinition]
    ) -> list[Owner]:
        """Who resolves the field once overrides are done, or tells its value where it is provided."""
        place = tuple(field.coordinate.split("."))
        without = takings.overridden | takings.moving
        return [
            Owner(subgraph, definitions[subgraph], each)
            for subgraph, each in field.all.items()
            if subgraph not in without
            and (subgraph in field.resolving or place in self.facts.provided_fields[subgraph])
        ]

    # -- join directives ---------------------------------------------------------------------------------------

    def _joins(
        self, type_name: str, merged: MergedField, fields: Mapping[str, FieldDefinition], takings: Takings
    ) -> list[FieldJoin]:
        joins = []
        for subgraph, each in fields.items():
            join = self._join(subgraph, each, merged, takings.labels.get(subgraph))
            place = (type_name, merged.name)
            is_used = place in self.facts.used_by_field_sets[subgraph] or self.facts.interface_asks(subgraph, *place)
            if subgraph in takings.overridden:
                if is_used:
                    joins.append(FieldJoin(subgraph, type=join.type, used_overridden=True))
            elif subgraph in takings.moving and is_used:
                joins.append(replace(join, used_overridden=True))
            else:
                joins.append(join)
        return joins

    def _join(self, subgraph: str, each: FieldDefinition, merged: MergedField, label: str | None) -> FieldJoin:
        own_type = type_text(each.type)
        return FieldJoin(
            subgraph,
            type=own_type if own_type != merged.type else None,
            requires=_one_line(each.argument("requires", "fields")),
            provides=_one_line(each.argument("provides", "fields")),
            external=each.is_external,
            override=each.argument("override", "from"),
            override_label=label,
            context_arguments=self._context_arguments(subgraph, each),
        )

    def _context_arguments(self, subgraph: str, each: FieldDefinition) -> tuple[ContextJoin, ...]:
        joins = []
        for argument in each.arguments.values():
            context, selection = context_and_text(str(argument.argument("fromContext", "field") or ""))
            if context is not None:
                self.directives.used.add("context")
                joins.append(
                    ContextJoin(
                        context=f"{subgraph}__{context}",
                        name=argument.name,
                        type=type_text(argument.type).rstrip("!"),
                        selection=selection,
                    )
                )
        return tuple(joins)


def _one_line(text: object) -> str | None:
    return " ".join(str(text).split()) if text else None
