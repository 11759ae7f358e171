"""Merging object types and interfaces: fields with who resolves, requires, provides, overrides and shares them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from schema.codes import quoted
from schema.field_sets import context_and_text, key_fields, provided_fields, required_and_provided_fields
from schema.merge.descriptions import common_description
from schema.merge.directives import CARRIED, DirectiveMerger
from schema.merge.inputs import InputMerger
from schema.merge.model import FieldJoin, Findings, MergedField, MergedType
from schema.merge.overrides import Overrides
from schema.merge.references import TypeRelations, fits, same_defaults, value_text, widest_output
from schema.subgraph import FieldDefinition, Kind, Subgraph, TypeDefinition, is_required, named_type, type_text

_ROOTS = ("Query", "Mutation", "Subscription")


class ObjectMerger:
    def __init__(
        self,
        subgraphs: list[Subgraph],
        relations: TypeRelations,
        directives: DirectiveMerger,
        inputs: InputMerger,
        findings: Findings,
    ) -> None:
        self.subgraphs = {subgraph.name: subgraph for subgraph in subgraphs}
        self.relations = relations
        self.directives = directives
        self.inputs = inputs
        self.findings = findings
        self.overrides = Overrides(subgraphs, findings)
        self.key_fields = {subgraph.name: key_fields(subgraph) for subgraph in subgraphs}
        self.provided_fields = {subgraph.name: provided_fields(subgraph) for subgraph in subgraphs}
        self.used_by_field_sets = {
            subgraph.name: self.key_fields[subgraph.name] | required_and_provided_fields(subgraph)
            for subgraph in subgraphs
        }

    def merge(self, result: MergedType, definitions: dict[str, TypeDefinition]) -> None:
        for subgraph, definition in definitions.items():
            result.implements += [(subgraph, interface) for interface in definition.interfaces]
        for name in dict.fromkeys(name for definition in definitions.values() for name in definition.fields):
            fields = {s: d.fields[name] for s, d in definitions.items() if name in d.fields}
            merged = self._merge_field(result, name, fields, definitions)
            if merged is not None:
                result.fields[name] = merged
        self._hint_differences(result, definitions)

    def _hint_differences(self, result: MergedType, definitions: dict[str, TypeDefinition]) -> None:
        """An entity that not everybody can look up, a value type that not everybody knows whole."""
        without_key = [name for name, definition in definitions.items() if not definition.has("key")]
        if not without_key:
            return
        if len(without_key) < len(definitions):
            if result.kind is Kind.OBJECT:
                self.findings.hint(
                    "INCONSISTENT_ENTITY",
                    f'"{result.name}" has a @key in some subgraphs, but not in {quoted(without_key)}.',
                    tuple(definitions),
                    (result.name,),
                )
            return
        if result.name in _ROOTS:
            return
        kind = "OBJECT" if result.kind is Kind.OBJECT else "INTERFACE"
        # A type all of whose fields are external is only there for field sets.
        knowing = {
            subgraph: definition
            for subgraph, definition in definitions.items()
            if not all(each.is_external for each in definition.fields.values())
        }
        for name in result.fields:
            lacking = [subgraph for subgraph, definition in knowing.items() if name not in definition.fields]
            if lacking:
                self.findings.hint(
                    f"INCONSISTENT_{kind}_VALUE_TYPE_FIELD",
                    f'"{result.name}.{name}" is not in {quoted(lacking)}, where "{result.name}" is defined too.',
                    tuple(definitions),
                    (f"{result.name}.{name}",),
                )

    def add_interface_object_fields(self, types: dict[str, MergedType]) -> None:
        """What an interface object adds to an interface, every implementation has, resolved by nobody but it."""
        for interface in types.values():
            stand_ins = {join.subgraph for join in interface.joins if join.is_interface_object}
            if not stand_ins:
                continue
            for name, merged in interface.fields.items():
                resolving = {join.subgraph for join in merged.joins} or {join.subgraph for join in interface.joins}
                if not resolving & stand_ins:
                    continue
                for other in types.values():
                    if other.kind is Kind.OBJECT and any(of == interface.name for _, of in other.implements):
                        self._check_shared_with_stand_ins(other, interface.name, name, resolving & stand_ins)
                        other.fields.setdefault(
                            name,
                            MergedField(
                                name,
                                merged.type,
                                merged.description,
                                list(merged.arguments),
                                list(merged.directives),
                                [FieldJoin()],
                            ),
                        )

    def _check_shared_with_stand_ins(
        self, parent: MergedType, interface: str, name: str, stand_ins: set[str | None]
    ) -> None:
        owners: dict[str, FieldDefinition] = {}
        definitions: dict[str, TypeDefinition] = {}
        for subgraph in self.subgraphs.values():
            definition = subgraph.types.get(interface if subgraph.name in stand_ins else parent.name)
            each = definition.fields.get(name) if definition is not None else None
            if definition is not None and each is not None and not each.is_external:
                owners[subgraph.name], definitions[subgraph.name] = each, definition
        if owners.keys() & stand_ins:
            self._check_sharing(parent, name, owners, definitions)

    # -- one field ---------------------------------------------------------------------------------------------

    def _merge_field(
        self, parent: MergedType, name: str, fields: dict[str, FieldDefinition], definitions: dict[str, TypeDefinition]
    ) -> MergedField | None:
        coordinate = f"{parent.name}.{name}"
        resolving = {subgraph: each for subgraph, each in fields.items() if not each.is_external}
        self._check_directives_on_external(coordinate, fields)
        if not resolving and self._is_resolved_by_stand_in(name, definitions):
            return None
        if not resolving:
            self.findings.error(
                "EXTERNAL_MISSING_ON_BASE",
                f'Field "{coordinate}" is marked @external in {quoted(list(fields))}, but no other subgraph resolves it: '
                f"remove the mark in the subgraph that does.",
                tuple(fields),
                (coordinate,),
            )
            return None
        node = widest_output([each.type for each in resolving.values()], self.relations)
        if node is None:
            said = ", ".join(f'"{type_text(each.type)}" in subgraph "{s}"' for s, each in resolving.items())
            self.findings.error(
                "FIELD_TYPE_MISMATCH",
                f'Type of field "{coordinate}" is incompatible across subgraphs: it is {said}. Use one type; types may '
                f"differ only where one of them has room for all the others, as a nullable type or an interface has.",
                tuple(resolving),
                (coordinate,),
            )
            node = next(iter(resolving.values())).type
        elif len({type_text(each.type) for each in resolving.values()}) > 1:
            self.findings.hint(
                "INCONSISTENT_BUT_COMPATIBLE_FIELD_TYPE",
                f'Field "{coordinate}" has different types; the widest, "{type_text(node)}", is used.',
                tuple(resolving),
                (coordinate,),
            )
        merged = MergedField(
            name,
            type_text(node),
            common_description(resolving, coordinate, self.findings),
            self.inputs.merge_arguments(
                {subgraph: each.arguments for subgraph, each in resolving.items()},
                coordinate,
            ),
            self.directives.merge(resolving, coordinate),
        )
        self._check_external(coordinate, merged, fields, resolving)
        taken = self.overrides.of_field(parent.name, name, fields)
        if parent.kind is Kind.OBJECT:
            owners = {
                s: each
                for s, each in fields.items()
                if s not in taken.overridden | taken.moving
                and (s in resolving or (parent.name, name) in self.provided_fields[s])
            }
            self._check_sharing(parent, name, owners, definitions)
        for subgraph, each in fields.items():
            join = self._join(subgraph, each, merged, taken.labels.get(subgraph))
            is_used = (parent.name, name) in self.used_by_field_sets[subgraph] or self._interface_asks(
                subgraph, parent.name, name
            )
            if subgraph in taken.overridden:
                if not is_used:
                    continue
                join = FieldJoin(subgraph, join.type, used_overridden=True)
            elif subgraph in taken.moving and is_used:
                join = replace(join, used_overridden=True)
            merged.joins.append(join)
        if len(merged.joins) == len(definitions) and all(join.is_plain() for join in merged.joins):
            merged.joins = []
        return merged

    def _is_resolved_by_stand_in(self, name: str, definitions: Mapping[str, TypeDefinition]) -> bool:
        """Whether an interface object resolves the field for all that implement the interface."""
        interfaces = {interface for definition in definitions.values() for interface in definition.interfaces}
        return any(
            stand_in.is_interface_object and name in stand_in.fields and not stand_in.fields[name].is_external
            for subgraph in self.subgraphs.values()
            for interface in interfaces
            if (stand_in := subgraph.types.get(interface)) is not None
        )

    def _join(self, subgraph: str, each: FieldDefinition, merged: MergedField, label: str | None) -> FieldJoin:
        own_type = type_text(each.type)
        contexts = []
        for argument in each.arguments.values():
            if text := argument.argument("fromContext", "field"):
                context, selection = context_and_text(str(text))
                if context is not None:
                    self.directives.used.add("context")
                    contexts.append(
                        (
                            f"{subgraph}__{context}",
                            argument.name,
                            type_text(argument.type).rstrip("!"),
                            selection,
                        )
                    )
        return FieldJoin(
            subgraph,
            own_type if own_type != merged.type else None,
            _one_line(each.argument("requires", "fields")),
            _one_line(each.argument("provides", "fields")),
            each.is_external,
            each.argument("override", "from"),
            label,
            context_arguments=tuple(contexts),
        )

    def _interface_asks(self, subgraph: str, type_name: str, field: str) -> bool:
        types = self.subgraphs[subgraph].types
        definition = types[type_name]
        return any(field in types[interface].fields for interface in definition.interfaces if interface in types)

    # -- rules across subgraphs --------------------------------------------------------------------------------

    def _check_directives_on_external(self, coordinate: str, fields: Mapping[str, FieldDefinition]) -> None:
        """What becomes part of the graph can only be said by who resolves the field."""
        for subgraph, each in fields.items():
            for name in ("deprecated", *CARRIED) if each.is_external else ():
                if each.has(name):
                    self.findings.error(
                        "MERGED_DIRECTIVE_APPLICATION_ON_EXTERNAL",
                        f'[{subgraph}] @{name} cannot be applied to the @external field "{coordinate}": apply it in the '
                        f"subgraph that resolves the field.",
                        (subgraph,),
                        (coordinate,),
                    )

    def _check_external(
        self,
        coordinate: str,
        merged: MergedField,
        fields: Mapping[str, FieldDefinition],
        resolving: Mapping[str, FieldDefinition],
    ) -> None:
        """An external field repeats what its owners say."""
        base = next(iter(resolving.values()))
        for subgraph, each in fields.items():
            if not each.is_external:
                continue
            if type_text(each.type) not in (merged.type, type_text(base.type)) and not (
                named_type(each.type) != named_type(base.type)
                and self.relations.is_subtype(named_type(each.type), merged.type.strip("[]!"))
            ):
                self.findings.error(
                    "EXTERNAL_TYPE_MISMATCH",
                    f'Field "{coordinate}" has type "{type_text(each.type)}" where it is @external, in subgraph '
                    f'"{subgraph}", but "{merged.type}" where it is resolved, in {quoted(list(resolving))}: repeat the '
                    f"latter.",
                    (subgraph, *resolving),
                    (coordinate,),
                )
            for name, argument in base.arguments.items():
                own = each.arguments.get(name)
                here = f"{coordinate}({name}:)"
                if own is None:
                    if is_required(argument.type, argument.default) or all(
                        name in owner.arguments for owner in resolving.values()
                    ):
                        self.findings.error(
                            "EXTERNAL_ARGUMENT_MISSING",
                            f'Field "{coordinate}" lacks the argument "{here}" where it is @external, in subgraph '
                            f'"{subgraph}".',
                            (subgraph,),
                            (here,),
                        )
                elif not fits(argument.type, own.type):
                    self.findings.error(
                        "EXTERNAL_ARGUMENT_TYPE_MISMATCH",
                        f'Argument "{here}" has type "{type_text(own.type)}" where the field is @external, in subgraph '
                        f'"{subgraph}", but "{type_text(argument.type)}" where it is resolved, in '
                        f"{quoted(list(resolving))}: repeat the latter.",
                        (subgraph,),
                        (here,),
                    )
                if own is not None and not same_defaults({subgraph: own.default, "": argument.default}):
                    self.findings.error(
                        "EXTERNAL_ARGUMENT_DEFAULT_MISMATCH",
                        f'Argument "{here}" has the default {value_text(own.default) or "none"} where the field is '
                        f'@external, in subgraph "{subgraph}", but {value_text(argument.default) or "none"} where it is '
                        f"resolved, in {quoted(list(resolving))}: repeat the latter.",
                        (subgraph,),
                        (here,),
                    )

    def _check_sharing(
        self,
        parent: MergedType,
        name: str,
        owners: Mapping[str, FieldDefinition],
        definitions: Mapping[str, TypeDefinition],
    ) -> None:
        coordinate = f"{parent.name}.{name}"
        if parent.name == "Subscription":
            marked = [s for s, each in owners.items() if _is_marked_itself(each, definitions[s])]
            if marked:
                self.findings.error(
                    "INVALID_FIELD_SHARING",
                    f'"{coordinate}" is @shareable in {quoted(marked)}, but events come from one subgraph only: remove the '
                    f"mark.",
                    tuple(marked),
                    (coordinate,),
                )
                return
            not_shareable = list(owners)
        else:
            not_shareable = [
                subgraph
                for subgraph, each in owners.items()
                if not self._is_shareable(subgraph, definitions[subgraph], each)
            ]
        if not_shareable and len(owners) > 1:
            self.findings.error(
                "INVALID_FIELD_SHARING",
                f'Non-shareable field "{coordinate}" is resolved from multiple subgraphs: it is resolved from '
                f"{quoted(list(owners))} and defined as non-shareable in {quoted(not_shareable)}. "
                f"Mark it @shareable there, or let one subgraph @override it.",
                tuple(owners),
                (coordinate,),
            )

    def _is_shareable(self, subgraph: str, definition: TypeDefinition, each: FieldDefinition) -> bool:
        # An external field is here for being provided, which is what sharing means.
        if each.is_external or each.has("shareable") or (definition.name, each.name) in self.key_fields[subgraph]:
            return True
        if not self.subgraphs[subgraph].is_federation_2:
            # Value types of federation 1 are shared, but not what an extension adds to the subgraph's own definition.
            is_value_type = not (definition.is_defined and each.is_in_extension)
            is_shared = definition.name in _ROOTS or is_value_type or definition.has("key")
            return is_shared and self._is_in_another(subgraph, definition.name, each.name)
        return False

    def _is_in_another(self, subgraph: str, type_name: str, field: str) -> bool:
        """Federation 1 knows no stand-ins: only a type of the same name shares a field."""
        return any(
            field in other.types[type_name].fields
            for name, other in self.subgraphs.items()
            if name != subgraph and type_name in other.types
        )


def _is_marked_itself(each: FieldDefinition, definition: TypeDefinition) -> bool:
    """Whether `@shareable` stands on the field; what stands on the type is on all its fields, the same object."""
    return any(all(own is not whole for whole in definition.directives) for own in each.all("shareable"))


def _one_line(text: object) -> str | None:
    return " ".join(str(text).split()) if text else None
