"""The order of merging: which subgraphs have a type, one merge per kind, directives last.

Called by `compose` with valid subgraphs; hands a `MergedSchema` to the printer.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from graphql import DirectiveDefinitionNode, print_ast

from schema.codes import quoted
from schema.federation import Link
from schema.merge.directives import DirectiveMerger
from schema.merge.enums import EnumUsage, merge_enum
from schema.merge.inputs import InputMerger
from schema.merge.model import Findings, MergedType, TypeJoin
from schema.merge.objects import ObjectMerger
from schema.merge.references import TypeRelations
from schema.subgraph import Element, Kind, Subgraph, TypeDefinition

_EXECUTABLE_LOCATIONS = frozenset(
    {
        "QUERY",
        "MUTATION",
        "SUBSCRIPTION",
        "FIELD",
        "FRAGMENT_DEFINITION",
        "FRAGMENT_SPREAD",
        "INLINE_FRAGMENT",
        "VARIABLE_DEFINITION",
    }
)


@dataclass(slots=True)
class MergedSchema:
    types: dict[str, MergedType] = field(default_factory=dict)
    #: printed definitions of executable and composed directives, by name
    directive_definitions: dict[str, str] = field(default_factory=dict)
    #: names of federation's own directives that are applied somewhere
    used_directives: set[str] = field(default_factory=set)
    #: (url, imports) of the specifications whose directives are composed
    composed_links: list[tuple[str, tuple[str, ...]]] = field(default_factory=list)
    subgraphs: list[Subgraph] = field(default_factory=list)


def merge_subgraphs(subgraphs: list[Subgraph], findings: Findings) -> MergedSchema:
    """Merge all types; errors and hints go to `findings`."""
    composed = _composed_directives(subgraphs, findings)
    directives = DirectiveMerger({name: node.repeatable for name, node in composed.items()}, findings)
    relations = TypeRelations(subgraphs)
    usage = EnumUsage(subgraphs)
    inputs = InputMerger(directives, findings)
    objects = ObjectMerger(subgraphs, relations, directives, inputs, findings)
    merged = MergedSchema(subgraphs=subgraphs)
    for name in sorted({name for subgraph in subgraphs for name in subgraph.types}):
        definitions = {subgraph.name: subgraph.types[name] for subgraph in subgraphs if name in subgraph.types}
        if not _have_one_kind(name, definitions, findings):
            continue
        result = _new_type(name, definitions, directives)
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
    _check_keyed_interfaces(subgraphs, findings)
    merged.used_directives = directives.used
    for name, node in composed.items():
        if name in directives.used:
            merged.directive_definitions[name] = print_ast(node)
    merged.directive_definitions |= _executable_directives(subgraphs, findings)
    merged.composed_links = _composed_links(subgraphs, composed)
    return merged


def _check_keyed_interfaces(subgraphs: list[Subgraph], findings: Findings) -> None:
    """Who resolves an interface by its key has to be able to return everything that implements it."""
    for subgraph in subgraphs:
        for interface in subgraph.types.values():
            if interface.kind is not Kind.INTERFACE or not any(resolvable for _, resolvable in interface.entity_keys()):
                continue
            missing = sorted(
                definition.name
                for other in subgraphs
                for definition in other.types.values()
                if definition.kind is Kind.OBJECT
                and interface.name in definition.interfaces
                and interface.name not in getattr(subgraph.types.get(definition.name), "interfaces", ())
            )
            if missing:
                findings.error(
                    "INTERFACE_KEY_MISSING_IMPLEMENTATION_TYPE",
                    f'[{subgraph.name}] Interface "{interface.name}" has a resolvable @key, but this subgraph does not '
                    f"define {', '.join(dict.fromkeys(missing))}, which implement it elsewhere: define them here too.",
                    (subgraph.name,),
                    (interface.name,),
                )


def _new_type(name: str, definitions: dict[str, TypeDefinition], directives: DirectiveMerger) -> MergedType:
    kind = Kind.INTERFACE if any(d.kind is Kind.INTERFACE for d in definitions.values()) else None
    first = next(iter(definitions.values()))
    result = MergedType(name, kind or first.kind, first_description(definitions))
    for subgraph, definition in definitions.items():
        keys: list[tuple[str | None, bool]] = [*definition.entity_keys()] or [(None, True)]
        for key, resolvable in dict.fromkeys(keys):
            result.joins.append(
                TypeJoin(
                    subgraph,
                    " ".join(key.split()) if key else None,
                    definition.is_extended and not definition.is_defined and bool(key),
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


def first_description(elements: dict[str, Element] | dict[str, TypeDefinition]) -> str | None:
    """The text most subgraphs use; of equally common ones the first."""
    texts = [element.description for element in elements.values() if element.description]
    return max(dict.fromkeys(texts), key=texts.count) if texts else None


def _composed_directives(subgraphs: list[Subgraph], findings: Findings) -> dict[str, DirectiveDefinitionNode]:
    composed: dict[str, DirectiveDefinitionNode] = {}
    for subgraph in subgraphs:
        for name in subgraph.composed_directives:
            node = subgraph.directive_definitions.get(name)
            if node is None:
                findings.error(
                    "DIRECTIVE_COMPOSITION_ERROR",
                    f'[{subgraph.name}] @composeDirective names "@{name}", which this subgraph does not define.',
                    (subgraph.name,),
                )
            elif _link_of(subgraph, name) is None:
                findings.error(
                    "DIRECTIVE_COMPOSITION_ERROR",
                    f'[{subgraph.name}] "@{name}" cannot be composed: no @link of the subgraph imports it.',
                    (subgraph.name,),
                )
            else:
                composed.setdefault(name, node)
    _check_composed_links(subgraphs, findings)
    return composed


def _link_of(subgraph: Subgraph, name: str) -> Link | None:
    return next((link for link in subgraph.links if name in link.imports), None)


def _check_composed_links(subgraphs: list[Subgraph], findings: Findings) -> None:
    """A composed directive is of one specification, of one major version and of one name everywhere."""
    found: list[tuple[Subgraph, str, Link]] = [
        (subgraph, name, link)
        for subgraph in subgraphs
        for name in subgraph.composed_directives
        if (link := _link_of(subgraph, name)) is not None
    ]
    for identity in dict.fromkeys(link.identity for _, _, link in found):
        versions = {subgraph.name: link.version[0] for subgraph, _, link in found if link.identity == identity}
        if len(set(versions.values())) > 1:
            said = ", ".join(f'v{version} in subgraph "{name}"' for name, version in versions.items())
            findings.error(
                "DIRECTIVE_COMPOSITION_ERROR",
                f"{identity} is linked in several major versions: {said}. Use one.",
                tuple(versions),
            )
    specifications = [(f"@{name}", subgraph.name, link.identity) for subgraph, name, link in found]
    names = [(f"{link.identity} {link.imports[name]}", subgraph.name, f"@{name}") for subgraph, name, link in found]
    for what, rows in (("specification", specifications), ("name", names)):
        for key in dict.fromkeys(row[0] for row in rows):
            values = {subgraph: value for group, subgraph, value in rows if group == key}
            if len(set(values.values())) > 1:
                said = ", ".join(f'{value} in subgraph "{subgraph}"' for subgraph, value in values.items())
                findings.error(
                    "DIRECTIVE_COMPOSITION_ERROR",
                    f"One composed directive has more than one {what}: {said}.",
                    tuple(values),
                )


def _composed_links(
    subgraphs: list[Subgraph], composed: dict[str, DirectiveDefinitionNode]
) -> list[tuple[str, tuple[str, ...]]]:
    links: dict[str, dict[str, None]] = {}
    for subgraph in subgraphs:
        for link in subgraph.links:
            names = [f"@{name}" for name in composed if name in link.imports and name in subgraph.composed_directives]
            if names:
                links.setdefault(link.url, {}).update(dict.fromkeys(names))
    return [(url, tuple(names)) for url, names in links.items()]


def _executable_directives(subgraphs: list[Subgraph], findings: Findings) -> dict[str, str]:
    """Directives for operations that every subgraph defines, in the locations they have in common."""
    names = {name for subgraph in subgraphs for name in subgraph.directive_definitions}
    result: dict[str, str] = {}
    for name in sorted(names):
        nodes = {s.name: s.directive_definitions[name] for s in subgraphs if name in s.directive_definitions}
        locations = [{location.value for location in node.locations} & _EXECUTABLE_LOCATIONS for node in nodes.values()]
        if not any(locations):
            continue
        common = set.intersection(*locations) if len(nodes) == len(subgraphs) else set()
        if not common:
            findings.hint(
                "INCONSISTENT_EXECUTABLE_DIRECTIVE_PRESENCE",
                f'Executable directive "@{name}" is defined in {quoted(list(nodes))} only and is left out of the graph.',
                tuple(nodes),
            )
            continue
        node = next(iter(nodes.values()))
        _check_argument_types(name, nodes, findings)
        arguments = ", ".join(print_ast(argument) for argument in node.arguments or ())
        repeatable = " repeatable" if all(each.repeatable for each in nodes.values()) else ""
        result[name] = (
            f"directive @{name}{f'({arguments})' if arguments else ''}{repeatable} on {' | '.join(sorted(common))}"
        )
    return result


def _check_argument_types(name: str, nodes: dict[str, DirectiveDefinitionNode], findings: Findings) -> None:
    types: dict[str, dict[str, str]] = {}
    for subgraph, node in nodes.items():
        for argument in node.arguments or ():
            types.setdefault(argument.name.value, {})[subgraph] = print_ast(argument.type)
    for argument_name, by_subgraph in types.items():
        if len({text.rstrip("!") for text in by_subgraph.values()}) > 1:
            said = ", ".join(f'"{text}" in subgraph "{subgraph}"' for subgraph, text in by_subgraph.items())
            findings.error(
                "FIELD_ARGUMENT_TYPE_MISMATCH",
                f'Argument "@{name}({argument_name}:)" has incompatible types: {said}.',
                tuple(by_subgraph),
                (f"@{name}({argument_name}:)",),
            )
