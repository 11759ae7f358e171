"""`@composeDirective`: which directives of other specifications the supergraph has, and the links that tell whose."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from graphql import DirectiveDefinitionNode, print_ast, value_from_ast_untyped

from schema.codes import Finding
from schema.federation import (
    CONNECT_IDENTITY,
    CONNECT_SINCE,
    DIRECTIVES_SINCE,
    FEDERATION_IDENTITY,
    LINK_IDENTITY,
    Link,
)
from schema.merge.directives import CARRIED, ComposedDirective
from schema.merge.model import Findings
from schema.subgraph import Subgraph


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


def compose_directives(subgraphs: list[Subgraph], findings: Findings) -> tuple[dict[str, ComposedDirective], list[str]]:
    """The composed directives by name, and the printed links of their specifications."""
    requests = [request for subgraph in subgraphs for request in _requests_of(subgraph, findings)]
    for rule in AGREEMENTS:
        findings.add(rule(requests))
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
    for text in subgraph.composed_directives:
        name = text.removeprefix("@")
        if name == text:
            told = f'[{subgraph.name}] @composeDirective names "{text}": write it with its @, as "@{text}".'
            findings.error("DIRECTIVE_COMPOSITION_ERROR", told, (subgraph.name,), (f"@{name}",))
            continue
        node = subgraph.directive_definitions.get(name)
        link = next((each for each in subgraph.links if each.spec_name(name) is not None), None)
        if link is not None and _is_carried_anyway(link, name):
            findings.hint(
                "DIRECTIVE_COMPOSITION_INFO",
                f'[{subgraph.name}] @composeDirective need not name "@{name}": federation composes it by itself.',
                (subgraph.name,),
                (f"@{name}",),
            )
            continue
        if node is not None:
            findings.add(_check_hidden_arguments(subgraph, name, node))
        problem = _problem_of(name, node, link)
        if problem is not None or node is None or link is None:
            findings.error(
                "DIRECTIVE_COMPOSITION_ERROR", f"[{subgraph.name}] {problem}.", (subgraph.name,), (f"@{name}",)
            )
            continue
        yield _Request(subgraph, name, link, node)


def _is_carried_anyway(link: Link, name: str) -> bool:
    return link.identity in (FEDERATION_IDENTITY, LINK_IDENTITY) and link.spec_name(name) in CARRIED


def _problem_of(name: str, node: DirectiveDefinitionNode | None, link: Link | None) -> str | None:
    if link is not None and link.identity in (FEDERATION_IDENTITY, LINK_IDENTITY):
        return f'"@{name}" is federation\'s own and cannot be composed'
    if node is None:
        return f'@composeDirective names "@{name}", which this subgraph does not define'
    return f'"@{name}" cannot be composed: no @link of the subgraph imports it' if link is None else None


def _check_hidden_arguments(subgraph: Subgraph, name: str, node: DirectiveDefinitionNode) -> Iterator[Finding]:
    """DISALLOWED_INACCESSIBLE: readers of the supergraph have to see the definition whole."""
    for argument in node.arguments or ():
        if any(subgraph.spec_name(each.name.value) == "inaccessible" for each in argument.directives or ()):
            yield Finding(
                "DISALLOWED_INACCESSIBLE",
                f'[{subgraph.name}] The argument "{argument.name.value}" of the composed directive "@{name}" cannot '
                f"be @inaccessible.",
                (subgraph.name,),
                (f"@{name}({argument.name.value}:)",),
            )


def _check_major_versions(requests: list[_Request]) -> Iterator[Finding]:
    for identity in dict.fromkeys(request.link.identity for request in requests):
        versions = {each.subgraph.name: each.link.version[0] for each in requests if each.link.identity == identity}
        if len(set(versions.values())) > 1:
            said = ", ".join(f'v{version} in subgraph "{name}"' for name, version in versions.items())
            yield Finding(
                "DIRECTIVE_COMPOSITION_ERROR",
                f"{identity} is linked in several major versions: {said}. Use one.",
                tuple(versions),
            )


def _check_specifications(requests: list[_Request]) -> Iterator[Finding]:
    rows = [(f"@{each.name}", each.subgraph.name, each.link.identity) for each in requests]
    yield from _disagreements("specification", rows)


def _check_names(requests: list[_Request]) -> Iterator[Finding]:
    rows = [(f"{each.link.identity} {each.spec_name}", each.subgraph.name, f"@{each.name}") for each in requests]
    yield from _disagreements("name", rows)


def _disagreements(what: str, rows: list[tuple[str, str, str]]) -> Iterator[Finding]:
    """`rows` hold what is composed, the subgraph that composes it, and what has to be the same everywhere."""
    for key in dict.fromkeys(row[0] for row in rows):
        values = {subgraph: value for group, subgraph, value in rows if group == key}
        if len(set(values.values())) > 1:
            said = ", ".join(f'{value} in subgraph "{subgraph}"' for subgraph, value in values.items())
            yield Finding(
                "DIRECTIVE_COMPOSITION_ERROR",
                f"One composed directive has more than one {what}: {said}.",
                tuple(values),
            )


#: DIRECTIVE_COMPOSITION_ERROR: a composed directive is of one specification, of one major version, of one name everywhere.
AGREEMENTS: tuple[Callable[[list[_Request]], Iterator[Finding]], ...] = (
    _check_major_versions,
    _check_specifications,
    _check_names,
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
