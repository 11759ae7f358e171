"""What a subgraph may use without defining it: federation's directives and scalars, under the names it imports them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from typing import Any

from graphql import (
    DefinitionNode,
    DirectiveDefinitionNode,
    DocumentNode,
    EnumTypeDefinitionNode,
    EnumTypeExtensionNode,
    InputObjectTypeDefinitionNode,
    InputObjectTypeExtensionNode,
    InterfaceTypeDefinitionNode,
    InterfaceTypeExtensionNode,
    ObjectTypeDefinitionNode,
    ObjectTypeExtensionNode,
    ScalarTypeDefinitionNode,
    ScalarTypeExtensionNode,
    TypeDefinitionNode,
    TypeExtensionNode,
    UnionTypeDefinitionNode,
    UnionTypeExtensionNode,
    parse,
)

from schema.federation import (
    CONNECT_IDENTITY,
    CONNECT_SIGNATURES,
    DIRECTIVES_SINCE,
    LINK_IDENTITY,
    SCALARS,
    SIGNATURES,
    Link,
)
from schema.subgraph import Subgraph

# `_entities` and `_service` may be there without the types that belong to them.
_SERVICE_TYPES = frozenset({"_Any", "_Entity", "_Service"})
_LINK_TYPES = frozenset({"link__Import", "link__Purpose", "connect__Value"})
_FEDERATION_1 = frozenset({"key", "requires", "provides", "external", "extends", "tag"})


def given_definitions(subgraph: Subgraph) -> tuple[DefinitionNode, ...]:
    """What federation and link define for a subgraph, unless it repeats the definitions itself."""
    own_directives = {
        node.name.value for node in subgraph.document.definitions if isinstance(node, DirectiveDefinitionNode)
    }
    own_types = {node.name.value for node in subgraph.document.definitions if isinstance(node, TypeDefinitionNode)}
    directives = dict([*_of_federation(subgraph), *_of_connect(subgraph), *_of_link(subgraph)])
    texts = [text for name, text in directives.items() if name not in own_directives]
    texts += [f"scalar {name}" for name in sorted(_type_names(subgraph) - own_types)]
    return _parsed("\n".join(sorted(texts)))


def local_directive_names(subgraph: Subgraph) -> dict[str, str]:
    """Federation's directives by the names they have in the subgraph."""
    federation = subgraph.federation
    if federation is None:
        return {name: name for name, since in DIRECTIVES_SINCE.items() if since <= (2, 0) and name in _FEDERATION_1}
    available = {name for name, since in DIRECTIVES_SINCE.items() if since <= federation.version and name in SIGNATURES}
    # What is imported has its full name no longer.
    names = {f"{federation.namespace}__{name}": name for name in available - set(federation.imports.values())}
    for link in subgraph.links:
        if link.is_specified:
            names |= {local: spec for local, spec in link.imports.items() if spec in SIGNATURES}
            if link.name in SIGNATURES:
                names[link.namespace] = link.name
    return names


# -- definitions by name -------------------------------------------------------------------------------------------------


def _of_federation(subgraph: Subgraph) -> Iterator[tuple[str, str]]:
    for name, spec in local_directive_names(subgraph).items():
        arguments, repeatable, locations = SIGNATURES[spec]
        if name == "override" and subgraph.version < (2, 7):
            arguments = "(from: String!)"
        yield name, f"directive @{name}{arguments}{' repeatable' if repeatable else ''} on {locations}"


def _of_connect(subgraph: Subgraph) -> Iterator[tuple[str, str]]:
    for link in subgraph.links:
        for spec, (arguments, _, locations) in CONNECT_SIGNATURES.items() if link.identity == CONNECT_IDENTITY else ():
            for local in _names(link, spec):
                yield local, f"directive @{local}{arguments} repeatable on {locations}"


def _names(link: Link, spec: str) -> set[str]:
    return {*(local for local, of in link.imports.items() if of == spec), link.qualified(spec)}


def _of_link(subgraph: Subgraph) -> Iterator[tuple[str, str]]:
    own = next((link.namespace for link in subgraph.links if link.identity == LINK_IDENTITY), "link")
    arguments = "url: String, as: String, for: link__Purpose, import: [link__Import]"
    for name in {own, "link"}:
        yield name, f"directive @{name}({arguments}) repeatable on SCHEMA"
    yield "core", "directive @core(feature: String, as: String, for: link__Purpose) repeatable on SCHEMA"


def _type_names(subgraph: Subgraph) -> set[str]:
    names = {*_SERVICE_TYPES, *_LINK_TYPES, *(f"federation__{name}" for name in SCALARS)}
    if subgraph.federation is None:
        names |= SCALARS | {"_FieldSet"}
    imported = {local for link in subgraph.links if link.is_specified for local in link.imports}
    return names | {name for name in imported if name[:1].isupper()}


@lru_cache(maxsize=64)
def _parsed(text: str) -> tuple[DefinitionNode, ...]:
    """Subgraphs that link alike are given the same definitions."""
    return tuple(parse(text, no_location=True).definitions)


# -- extensions of what is defined elsewhere ------------------------------------------------------------------------------

DEFINITION_OF_EXTENSION: Mapping[type, type] = {
    ScalarTypeExtensionNode: ScalarTypeDefinitionNode,
    ObjectTypeExtensionNode: ObjectTypeDefinitionNode,
    InterfaceTypeExtensionNode: InterfaceTypeDefinitionNode,
    UnionTypeExtensionNode: UnionTypeDefinitionNode,
    EnumTypeExtensionNode: EnumTypeDefinitionNode,
    InputObjectTypeExtensionNode: InputObjectTypeDefinitionNode,
}


def with_bases(nodes: Sequence[DefinitionNode]) -> DocumentNode:
    """The first extension of a type that is not defined here becomes its definition."""
    known = {node.name.value for node in nodes if isinstance(node, TypeDefinitionNode)}
    definitions: list[Any] = []
    for node in nodes:
        if isinstance(node, TypeExtensionNode) and node.name.value not in known:
            known.add(node.name.value)
            parts = {key: getattr(node, key, None) for key in node.keys}
            definitions.append(DEFINITION_OF_EXTENSION[type(node)](**parts))
        else:
            definitions.append(node)
    return DocumentNode(definitions=tuple(definitions))
