"""The order of merging: one type after the other, what interfaces give to their objects, the rules on all of it.

Takes valid subgraphs; what comes out is what the printer prints.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from schema.codes import Finding, quoted
from schema.federation import CONNECT_IDENTITY
from schema.graph_names import graph_names
from schema.merge.composed_directives import compose_directives
from schema.merge.descriptions import choose_description, common_description
from schema.merge.directives import DirectiveMerger, print_arguments
from schema.merge.enums import EnumUsage, merge_enum
from schema.merge.executable_directives import merge_executable_directives
from schema.merge.facts import GraphInQuestion, SubgraphFacts
from schema.merge.inherited_rights import spread_rights
from schema.merge.inputs import InputMerger
from schema.merge.interface_objects import (
    add_interface_object_fields,
    check_interfaces_below,
    check_keyed_interfaces,
    check_known_implementations,
    check_shared_with_interface_objects,
    spread_costs,
)
from schema.merge.model import Findings, MergedSchema, MergedType, TypeJoin
from schema.merge.objects import ObjectMerger
from schema.merge.required_arguments import check_required_arguments
from schema.merge.unions import merge_union
from schema.subgraph import Element, Kind, Subgraph, TypeDefinition

#: Rules on all merged types together, in the order in which their findings are told.
GRAPH_RULES: tuple[Callable[[GraphInQuestion], Iterator[Finding]], ...] = (
    check_shared_with_interface_objects,
    check_keyed_interfaces,
    check_known_implementations,
    check_interfaces_below,
    check_required_arguments,
)


def merge_subgraphs(subgraphs: list[Subgraph], findings: Findings) -> MergedSchema:
    """Merge all types; errors and hints go to `findings`."""
    facts = SubgraphFacts(subgraphs)
    composed, links = compose_directives(subgraphs, findings)
    directives = DirectiveMerger(composed, graph_names(subgraphs), findings)
    inputs = InputMerger(directives, findings)
    types = _merge_types(subgraphs, facts, directives, inputs, findings)
    add_interface_object_fields(types)
    spread_costs(types, facts, directives)
    spread_rights(types, subgraphs, directives)
    for rule in GRAPH_RULES:
        findings.add(rule(GraphInQuestion(types, facts)))
    findings.add(directives.check_names())
    findings.add(directives.check_composed_names())
    descriptions = {each.name: text for each in subgraphs if (text := each.description)}
    return MergedSchema(
        types=types,
        directive_definitions={name: directive.definition for name, directive in composed.items()},
        executable_directives=merge_executable_directives(subgraphs, composed, inputs, findings),
        composed_links=links,
        directives=_schema_directives(subgraphs, directives),
        description=choose_description(descriptions, "schema", findings),
        used_directives=directives.used,
        subgraphs=subgraphs,
    )


def _merge_types(
    subgraphs: list[Subgraph],
    facts: SubgraphFacts,
    directives: DirectiveMerger,
    inputs: InputMerger,
    findings: Findings,
) -> dict[str, MergedType]:
    objects = ObjectMerger(facts, directives, inputs, findings)
    usage = EnumUsage(subgraphs)
    by_name: dict[str, dict[str, TypeDefinition]] = {}
    for subgraph in subgraphs:
        for name, definition in subgraph.types.items():
            by_name.setdefault(name, {})[subgraph.name] = definition
    types: dict[str, MergedType] = {}
    for name, definitions in sorted(by_name.items()):
        if not _have_one_kind(name, definitions, findings):
            continue
        result = types[name] = _new_type(name, definitions, facts, directives, findings)
        if result.kind in (Kind.OBJECT, Kind.INTERFACE):
            objects.merge(result, definitions)
        elif result.kind is Kind.INPUT:
            inputs.merge_input_type(result, definitions)
        elif result.kind is Kind.ENUM:
            merge_enum(result, definitions, usage, directives, findings)
        elif result.kind is Kind.UNION:
            merge_union(result, definitions, findings)
    return types


def _have_one_kind(name: str, definitions: dict[str, TypeDefinition], findings: Findings) -> bool:
    # An interface object is the interface, seen from a subgraph that does not know its implementations.
    by_kind: dict[Kind, list[str]] = {}
    for subgraph, definition in definitions.items():
        kind = Kind.INTERFACE if definition.is_interface_object else definition.kind
        by_kind.setdefault(kind, []).append(subgraph)
    if len(by_kind) == 1:
        if all(definition.is_interface_object for definition in definitions.values()):
            findings.error(
                "INTERFACE_OBJECT_USAGE_ERROR",
                f'"{name}" is an @interfaceObject in {quoted(list(definitions))}, but no subgraph defines it as an interface.',
                tuple(definitions),
                (name,),
            )
        return True
    said = ", ".join(f"{kind.value} in {quoted(names)}" for kind, names in by_kind.items())
    findings.error(
        "TYPE_KIND_MISMATCH",
        f'Type "{name}" is {said}: give the types different names or make them of one kind.',
        tuple(definitions),
        (name,),
    )
    return False


def _new_type(
    name: str,
    definitions: dict[str, TypeDefinition],
    facts: SubgraphFacts,
    directives: DirectiveMerger,
    findings: Findings,
) -> MergedType:
    """The type with all but its members."""
    is_interface = any(definition.kind is Kind.INTERFACE for definition in definitions.values())
    kind = Kind.INTERFACE if is_interface else next(iter(definitions.values())).kind
    result = MergedType(name, kind, common_description(definitions, name, findings))
    for subgraph, definition in definitions.items():
        result.joins += _type_joins(facts.subgraphs[subgraph], definition)
    result.directives = directives.merge(definitions, name)
    for subgraph, definition in definitions.items():
        for applied in definition.all("context"):
            result.directives.append(f'@context(name: "{subgraph}__{applied.arguments.get("name")}")')
            directives.used.add("context")
    return result


def _type_joins(subgraph: Subgraph, definition: TypeDefinition) -> Iterator[TypeJoin]:
    """One for each key, or one without."""
    keys: list[tuple[str | None, bool]] = [*definition.entity_keys()] or [(None, True)]
    for key, resolvable in dict.fromkeys(keys):
        yield TypeJoin(
            subgraph.name,
            key=" ".join(key.split()) if key else None,
            extension=key is not None and _is_marked_as_extension(definition, subgraph),
            resolvable=resolvable,
            is_interface_object=definition.is_interface_object,
        )


def _is_marked_as_extension(definition: TypeDefinition, subgraph: Subgraph) -> bool:
    """Federation 1 has no other way than `extend` to write an entity of others, so there it says nothing."""
    is_extension = definition.is_extended and not definition.is_defined
    return is_extension and (subgraph.is_federation_2 or definition.has("extends"))


def _schema_directives(subgraphs: list[Subgraph], directives: DirectiveMerger) -> list[str]:
    """With the links of specifications that are passed on, so that their directives keep their meaning."""
    names = graph_names(subgraphs)
    elements = {subgraph.name: Element("schema", None, subgraph.schema_directives) for subgraph in subgraphs}
    merged = directives.merge(elements, "schema")
    for subgraph in subgraphs:
        for applied in subgraph.schema_directives:
            if str(applied.arguments.get("url", "")).startswith(f"{CONNECT_IDENTITY}/"):
                arguments = print_arguments(applied)
                merged.append(
                    f'@join__directive(graphs: [{names[subgraph.name]}], name: "link", args: {{{arguments}}})'
                )
                directives.used.add("connect")
    return merged
