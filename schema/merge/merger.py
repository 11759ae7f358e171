"""The order of merging: which subgraphs have a type, one merge per kind, directives last.

Called by `compose` with valid subgraphs; hands a `MergedSchema` to the printer.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from schema.codes import quoted
from schema.federation import CONNECT_IDENTITY
from schema.graph_names import graph_names
from schema.merge.descriptions import choose_description, common_description
from schema.merge.directive_definitions import compose_directives, merge_executable_directives
from schema.merge.directives import DirectiveMerger, print_arguments
from schema.merge.enums import EnumUsage, merge_enum
from schema.merge.inherited_rights import spread_rights
from schema.merge.inputs import InputMerger
from schema.merge.model import Findings, MergedDirective, MergedType, TypeJoin
from schema.merge.objects import ObjectMerger
from schema.merge.references import TypeRelations
from schema.merge.required_arguments import check_required_arguments
from schema.subgraph import Element, Kind, Subgraph, TypeDefinition


@dataclass(slots=True)
class MergedSchema:
    types: dict[str, MergedType] = field(default_factory=dict)
    #: printed definitions of composed directives, by name
    directive_definitions: dict[str, str] = field(default_factory=dict)
    executable_directives: dict[str, MergedDirective] = field(default_factory=dict)
    #: names of federation's own directives that are applied somewhere
    used_directives: set[str] = field(default_factory=set)
    #: printed links of the specifications whose directives are composed
    composed_links: list[str] = field(default_factory=list)
    #: printed directives of the schema itself, links aside
    directives: list[str] = field(default_factory=list)
    description: str | None = None
    subgraphs: list[Subgraph] = field(default_factory=list)


def merge_subgraphs(subgraphs: list[Subgraph], findings: Findings) -> MergedSchema:
    """Merge all types; errors and hints go to `findings`."""
    composed, links = compose_directives(subgraphs, findings)
    directives = DirectiveMerger(composed, graph_names(subgraphs), findings)
    relations = TypeRelations(subgraphs)
    usage = EnumUsage(subgraphs)
    inputs = InputMerger(directives, findings)
    objects = ObjectMerger(subgraphs, relations, directives, inputs, findings)
    merged = MergedSchema(subgraphs=subgraphs)
    by_name: dict[str, dict[str, TypeDefinition]] = {}
    for subgraph in subgraphs:
        for name, definition in subgraph.types.items():
            by_name.setdefault(name, {})[subgraph.name] = definition
    of_federation_2 = {each.name for each in subgraphs if each.is_federation_2}
    for name, definitions in sorted(by_name.items()):
        if not _have_one_kind(name, definitions, findings):
            continue
        result = _new_type(name, definitions, of_federation_2, directives, findings)
        if result.kind in (Kind.OBJECT, Kind.INTERFACE):
            objects.merge(result, definitions)
        elif result.kind is Kind.INPUT:
            inputs.merge_input_type(result, definitions)
        elif result.kind is Kind.ENUM:
            merge_enum(result, definitions, usage, directives, findings)
        elif result.kind is Kind.UNION:
            _merge_union(result, definitions, findings)
        merged.types[name] = result
    objects.add_interface_object_fields(merged.types)
    spread_rights(merged.types, subgraphs, directives)
    implementations = _implementations(subgraphs)
    _check_keyed_interfaces(subgraphs, implementations, findings)
    _check_stand_ins(subgraphs, implementations, findings)
    _check_chains_of_stand_ins(merged.types, findings)
    check_required_arguments(merged.types, findings)
    directives.check_names()
    merged.directive_definitions = {name: directive.definition for name, directive in composed.items()}
    merged.executable_directives = merge_executable_directives(subgraphs, composed, inputs, findings)
    merged.composed_links = links
    merged.directives = _schema_directives(subgraphs, directives)
    descriptions = {each.name: text for each in subgraphs if (text := each.description)}
    merged.description = choose_description(descriptions, "schema", findings)
    merged.used_directives = directives.used
    return merged


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


def _implementations(subgraphs: list[Subgraph]) -> dict[str, set[str]]:
    """Object types by interface, as any subgraph has them."""
    implementations: dict[str, set[str]] = {}
    for subgraph in subgraphs:
        for definition in subgraph.types.values():
            for interface in definition.interfaces if definition.kind is Kind.OBJECT else ():
                implementations.setdefault(interface, set()).add(definition.name)
    return implementations


def _check_keyed_interfaces(
    subgraphs: list[Subgraph], implementations: Mapping[str, set[str]], findings: Findings
) -> None:
    """Who resolves an interface by its key has to be able to return everything that implements it."""
    for subgraph in subgraphs:
        for interface in subgraph.types.values():
            if interface.kind is not Kind.INTERFACE or not any(resolvable for _, resolvable in interface.entity_keys()):
                continue
            missing = sorted(
                name
                for name in implementations.get(interface.name, ())
                if interface.name not in getattr(subgraph.types.get(name), "interfaces", ())
            )
            if missing:
                findings.error(
                    "INTERFACE_KEY_MISSING_IMPLEMENTATION_TYPE",
                    f'[{subgraph.name}] Interface "{interface.name}" has a resolvable @key, but this subgraph does not '
                    f"define {', '.join(missing)}, which implement it elsewhere: define them here too.",
                    (subgraph.name,),
                    (interface.name,),
                )


def _check_stand_ins(subgraphs: list[Subgraph], implementations: Mapping[str, set[str]], findings: Findings) -> None:
    """Who takes an interface for an object cannot know the objects too."""
    for subgraph in subgraphs:
        for stand_in in subgraph.types.values():
            known = implementations.get(stand_in.name, set()) & subgraph.types.keys()
            if stand_in.is_interface_object and known:
                findings.error(
                    "INTERFACE_OBJECT_USAGE_ERROR",
                    f'[{subgraph.name}] "{stand_in.name}" is an @interfaceObject, so this subgraph must not define '
                    f"{', '.join(sorted(known))}, which implement it elsewhere: put their fields on "
                    f'"{stand_in.name}", or make it an interface here too.',
                    (subgraph.name,),
                    (stand_in.name, *sorted(known)),
                )


def _new_type(
    name: str,
    definitions: dict[str, TypeDefinition],
    of_federation_2: set[str],
    directives: DirectiveMerger,
    findings: Findings,
) -> MergedType:
    kind = Kind.INTERFACE if any(d.kind is Kind.INTERFACE for d in definitions.values()) else None
    first = next(iter(definitions.values()))
    result = MergedType(name, kind or first.kind, common_description(definitions, name, findings))
    for subgraph, definition in definitions.items():
        keys: list[tuple[str | None, bool]] = [*definition.entity_keys()] or [(None, True)]
        for key, resolvable in dict.fromkeys(keys):
            result.joins.append(
                TypeJoin(
                    subgraph,
                    " ".join(key.split()) if key else None,
                    key is not None and _is_marked_as_extension(definition, subgraph in of_federation_2),
                    resolvable,
                    definition.is_interface_object,
                )
            )
    result.directives = directives.merge(definitions, name)
    for subgraph, definition in definitions.items():
        for applied in definition.all("context"):
            result.directives.append(f'@context(name: "{subgraph}__{applied.arguments.get("name")}")')
            directives.used.add("context")
    return result


def _is_marked_as_extension(definition: TypeDefinition, is_of_federation_2: bool) -> bool:
    """Federation 1 has no other way than `extend` to write an entity of others, so there it says nothing."""
    is_extension = definition.is_extended and not definition.is_defined
    return is_extension and (is_of_federation_2 or definition.has("extends"))


def _check_chains_of_stand_ins(types: Mapping[str, MergedType], findings: Findings) -> None:
    """What a stand-in adds to its interface, interfaces that implement it could not pass on."""
    for lower in types.values():
        for upper in dict.fromkeys(of for _, of in lower.implements) if lower.kind is Kind.INTERFACE else ():
            stand_ins = (
                [join.subgraph for join in types[upper].joins if join.is_interface_object] if upper in types else []
            )
            if stand_ins:
                findings.error(
                    "INTERFACE_OBJECT_USAGE_ERROR",
                    f'"{upper}" is an @interfaceObject in {quoted(stand_ins)}, so the interface "{lower.name}" cannot '
                    f"implement it: let object types implement it only.",
                    tuple(dict.fromkeys(stand_ins)),
                    (upper, lower.name),
                )


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


def _merge_union(result: MergedType, definitions: dict[str, TypeDefinition], findings: Findings) -> None:
    for subgraph, definition in definitions.items():
        result.members += [(subgraph, member) for member in definition.members]
    for member in dict.fromkeys(member for _, member in result.members):
        without = [name for name, definition in definitions.items() if member not in definition.members]
        if without:
            findings.hint(
                "INCONSISTENT_UNION_MEMBER",
                f'Union "{result.name}" has the member "{member}", which {quoted(without)} does not know.',
                tuple(without),
                (result.name,),
            )
