"""Which directive definitions the supergraph has: those of `@composeDirective`, and those for operations."""

from __future__ import annotations

from collections.abc import Container, Iterator
from dataclasses import dataclass
from typing import Any

from graphql import DirectiveDefinitionNode, print_ast, value_from_ast_untyped

from schema.codes import quoted
from schema.federation import (
    CONNECT_IDENTITY,
    CONNECT_SINCE,
    DIRECTIVES_SINCE,
    FEDERATION_IDENTITY,
    LINK_IDENTITY,
    Link,
)
from schema.merge.descriptions import choose_description
from schema.merge.directives import CARRIED, ComposedDirective
from schema.merge.inputs import InputMerger
from schema.merge.model import Findings, MergedDirective
from schema.subgraph import InputValue, Subgraph

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


@dataclass(frozen=True, slots=True)
class _Request:
    """One `@composeDirective` with the link that its directive belongs to."""

    subgraph: Subgraph
    name: str
    link: Link
    node: DirectiveDefinitionNode

    @property
    def spec_name(self) -> str:
        return self.link.spec_name(self.name) or self.name


# -- composed directives ---------------------------------------------------------------------------------------------


def compose_directives(subgraphs: list[Subgraph], findings: Findings) -> tuple[dict[str, ComposedDirective], list[str]]:
    """The composed directives by name, and the printed links of their specifications."""
    requests = [request for subgraph in subgraphs for request in _requests_of(subgraph, findings)]
    _check_agreement(requests, findings)
    _hint_other_links(subgraphs, requests, findings)
    _hint_newer_specifications(subgraphs, findings)
    composed: dict[str, ComposedDirective] = {}
    # Minor versions of a specification only add, so the newest definition of a directive has room for all.
    for request in sorted(requests, key=lambda each: each.link.version, reverse=True):
        if request.name not in composed:
            node = _definition(request, subgraphs)
            composing = frozenset(each.subgraph.name for each in requests if each.name == request.name)
            composed[request.name] = ComposedDirective(
                request.spec_name, node.repeatable, print_ast(node), composing, _defaults(node)
            )
    return composed, _printed_links(requests)


def _defaults(node: DirectiveDefinitionNode) -> dict[str, Any]:
    return {
        each.name.value: value_from_ast_untyped(each.default_value)
        for each in node.arguments or ()
        if each.default_value is not None
    }


def _definition(request: _Request, subgraphs: list[Subgraph]) -> DirectiveDefinitionNode:
    """Of those that link the same version of the specification the last one's, as other implementations choose."""
    same = [
        subgraph.directive_definitions[request.name]
        for subgraph in subgraphs
        for link in subgraph.links
        if (link.identity, link.version) == (request.link.identity, request.link.version)
        and link.spec_name(request.name) == request.spec_name
        and request.name in subgraph.directive_definitions
    ]
    return same[-1] if same else request.node


def _requests_of(subgraph: Subgraph, findings: Findings) -> Iterator[_Request]:
    for name in subgraph.composed_directives:
        node = subgraph.directive_definitions.get(name)
        link = next((each for each in subgraph.links if each.spec_name(name) is not None), None)
        problem = None
        if link is not None and link.identity in (FEDERATION_IDENTITY, LINK_IDENTITY):
            spec_name = link.spec_name(name) or name
            if spec_name in CARRIED:
                findings.hint(
                    "DIRECTIVE_COMPOSITION_INFO",
                    f'[{subgraph.name}] @composeDirective need not name "@{name}": federation composes it by itself.',
                    (subgraph.name,),
                    (f"@{name}",),
                )
                continue
            problem = f'"@{name}" is federation\'s own and cannot be composed'
        elif node is None:
            problem = f'@composeDirective names "@{name}", which this subgraph does not define'
        elif link is None:
            problem = f'"@{name}" cannot be composed: no @link of the subgraph imports it'
        for argument in node.arguments or () if node is not None else ():
            if any(subgraph.spec_name(each.name.value) == "inaccessible" for each in argument.directives or ()):
                findings.error(
                    "DISALLOWED_INACCESSIBLE",
                    f'[{subgraph.name}] The argument "{argument.name.value}" of the composed directive "@{name}" cannot '
                    f"be @inaccessible.",
                    (subgraph.name,),
                    (f"@{name}({argument.name.value}:)",),
                )
        if problem is not None or node is None or link is None:
            findings.error(
                "DIRECTIVE_COMPOSITION_ERROR", f"[{subgraph.name}] {problem}.", (subgraph.name,), (f"@{name}",)
            )
            continue
        yield _Request(subgraph, name, link, node)


def _check_agreement(requests: list[_Request], findings: Findings) -> None:
    """A composed directive is of one specification, of one major version and of one name everywhere."""
    for identity in dict.fromkeys(request.link.identity for request in requests):
        versions = {each.subgraph.name: each.link.version[0] for each in requests if each.link.identity == identity}
        if len(set(versions.values())) > 1:
            said = ", ".join(f'v{version} in subgraph "{name}"' for name, version in versions.items())
            findings.error(
                "DIRECTIVE_COMPOSITION_ERROR",
                f"{identity} is linked in several major versions: {said}. Use one.",
                tuple(versions),
            )
    specifications = [(f"@{each.name}", each.subgraph.name, each.link.identity) for each in requests]
    names = [(f"{each.link.identity} {each.spec_name}", each.subgraph.name, f"@{each.name}") for each in requests]
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


def _hint_other_links(subgraphs: list[Subgraph], requests: list[_Request], findings: Findings) -> None:
    """What would be an error once a subgraph composed its directive too."""
    composed_names = {(each.link.identity, each.spec_name): each.name for each in requests}
    composed_identities = {each.link.identity for each in requests}
    majors: dict[str, dict[str, int]] = {}
    for subgraph in subgraphs:
        for link in subgraph.links:
            if link.identity in (FEDERATION_IDENTITY, LINK_IDENTITY):
                continue
            if link.identity not in composed_identities:
                majors.setdefault(link.identity, {})[subgraph.name] = link.version[0]
            for local, spec_name in link.imports.items():
                name = composed_names.get((link.identity, spec_name), local)
                if name != local:
                    findings.hint(
                        "DIRECTIVE_COMPOSITION_WARN",
                        f'The composed directive "@{name}" is called "@{local}" in subgraph "{subgraph.name}", which '
                        f"does not compose it: it will need the same name to do so.",
                        (subgraph.name,),
                        (f"@{local}",),
                    )
    for identity, versions in majors.items():
        if len(set(versions.values())) > 1:
            said = ", ".join(f'v{version} in subgraph "{name}"' for name, version in versions.items())
            findings.hint(
                "DIRECTIVE_COMPOSITION_INFO",
                f"{identity}, of which nothing is composed, is linked in several major versions: {said}.",
                tuple(versions),
            )


def _hint_newer_specifications(subgraphs: list[Subgraph], findings: Findings) -> None:
    newest = max((subgraph.version for subgraph in subgraphs), default=(2, 0))
    for subgraph in subgraphs:
        for link in subgraph.links:
            needed = _federation_of(link)
            if subgraph.is_federation_2 and needed > newest:
                findings.hint(
                    "IMPLICITLY_UPGRADED_FEDERATION_VERSION",
                    f'Subgraph "{subgraph.name}" links {link.url}, which came with federation v{needed[0]}.{needed[1]}; '
                    f"the newest that a subgraph links is v{newest[0]}.{newest[1]}.",
                    (subgraph.name,),
                )


def _federation_of(link: Link) -> tuple[int, int]:
    """The version of federation that a specification of it came with."""
    if link.identity == CONNECT_IDENTITY:
        return 2, CONNECT_SINCE + link.version[1]
    return DIRECTIVES_SINCE.get(link.name, (2, 0)) if link.is_specified else (2, 0)


def _printed_links(requests: list[_Request]) -> list[str]:
    """One link per specification, of the newest version, with what is composed of it under its name in the graph."""
    links: dict[str, Link] = {}
    imports: dict[str, dict[str, None]] = {}
    for request in requests:
        link = links.setdefault(request.link.identity, request.link)
        if request.link.version > link.version:
            links[request.link.identity] = request.link
        names = imports.setdefault(request.link.identity, {})
        if request.name == request.spec_name:
            names[f'"@{request.name}"'] = None
        elif request.name in request.link.imports:
            names[f'{{name: "@{request.spec_name}", as: "@{request.name}"}}'] = None
    printed = []
    for identity, link in links.items():
        named = f', as: "{link.namespace}"' if link.namespace != link.name else ""
        imported = f", import: [{', '.join(imports[identity])}]" if imports[identity] else ""
        printed.append(f'@link(url: "{link.url}"{named}{imported})')
    return printed


# -- directives for operations -----------------------------------------------------------------------------------------


def merge_executable_directives(
    subgraphs: list[Subgraph], composed: Container[str], inputs: InputMerger, findings: Findings
) -> dict[str, MergedDirective]:
    """Directives that every subgraph defines, in the locations and with the arguments they have in common.

    One that is composed is there already, with its locations for operations.
    """
    result: dict[str, MergedDirective] = {}
    for name in sorted({name for subgraph in subgraphs for name in subgraph.directive_definitions}):
        if name in composed:
            continue
        nodes = {s.name: s.directive_definitions[name] for s in subgraphs if name in s.directive_definitions}
        locations = {s: {each.value for each in node.locations} & _EXECUTABLE_LOCATIONS for s, node in nodes.items()}
        if not any(locations.values()):
            continue
        common = _common_locations(name, locations, len(subgraphs), findings)
        if not common:
            continue
        descriptions = {s: node.description.value for s, node in nodes.items() if node.description}
        description = choose_description(descriptions, f"@{name}", findings)
        arguments = inputs.merge_arguments({s: _arguments_of(node) for s, node in nodes.items()}, f"@{name}")
        not_repeatable = [s for s, node in nodes.items() if not node.repeatable]
        if 0 < len(not_repeatable) < len(nodes):
            findings.hint(
                "INCONSISTENT_EXECUTABLE_DIRECTIVE_REPEATABLE",
                f'Executable directive "@{name}" is not repeatable, since it is not in {quoted(not_repeatable)}.',
                tuple(nodes),
                (f"@{name}",),
            )
        result[name] = MergedDirective(name, description, arguments, not not_repeatable, sorted(common))
    return result


def _arguments_of(node: DirectiveDefinitionNode) -> dict[str, InputValue]:
    return {
        each.name.value: InputValue(
            each.name.value, each.description.value if each.description else None, [], each.type, each.default_value
        )
        for each in node.arguments or ()
    }


def _common_locations(
    name: str, locations: dict[str, set[str]], number_of_subgraphs: int, findings: Findings
) -> set[str]:
    where = tuple(locations), (f"@{name}",)
    if len(locations) < number_of_subgraphs:
        findings.hint(
            "INCONSISTENT_EXECUTABLE_DIRECTIVE_PRESENCE",
            f'Executable directive "@{name}" is defined in {quoted(list(locations))} only and is left out of the graph.',
            *where,
        )
        return set()
    common = set.intersection(*locations.values())
    if not common:
        findings.hint(
            "NO_EXECUTABLE_DIRECTIVE_INTERSECTION",
            f'Executable directive "@{name}" has no location that all subgraphs give it and is left out of the graph.',
            *where,
        )
    elif any(each != common for each in locations.values()):
        findings.hint(
            "INCONSISTENT_EXECUTABLE_DIRECTIVE_LOCATIONS",
            f'Executable directive "@{name}" has different locations; those in common, {", ".join(sorted(common))}, '
            f"are used.",
            *where,
        )
    return common
